"""A lowered program as readable Python: one file that needs torch alone, its weights beside it."""

from __future__ import annotations

import ast
import io
import re
import sys
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch.fx import GraphModule

_FREED = re.compile(r";  (\w+ = )+None(?=\s*(#|$))")
"""What `torch.fx` appends to a line to free values early."""

_CONSTANTS = {
    r"(?<!\.)inf": "from math import inf",
    r"(?<!\.)nan": "from math import nan",
    r"(?<!\.)device\(": "from torch import device",
}
"""Words that `torch.fx` writes for values of arguments, and where they come from."""


def write_source(module: GraphModule, folder: Path, name: str, note: str = "") -> None:
    """Write `folder/name.py` and its weights `folder/name.pt` (a state dict).

    The file holds one class with the program's text and `load()`, which gives an instance with the
    weights; `note` joins its docstring. The same program gives the same bytes.
    """
    from ibpc.graph import save_bytes

    folder.mkdir(parents=True, exist_ok=True)
    save_bytes(folder / f"{name}.py", source_text(module, note).encode())
    save_bytes(folder / f"{name}.pt", _state_bytes(module))


def source_text(module: GraphModule, note: str = "") -> str:
    """The file that `write_source` writes."""
    code = module.graph.python_code("self")
    body = "\n".join(_FREED.sub("", line).rstrip() for line in code.src.strip().splitlines())
    body = body.replace("torch._C._nn.", "torch.nn.functional.")
    leaves = {
        text: target.__wrapped__
        for text, target in code.globals.items()
        if hasattr(target, "__wrapped__") and target.__module__.startswith("ibpc.")
    }
    for text, function in leaves.items():
        body = re.sub(rf"\b{re.escape(text)}\b", function.__name__, body)
    imports, definitions = _definitions({function.__module__ for function in leaves.values()})
    imports |= {line for word, line in _CONSTANTS.items() if re.search(rf"\b{word}", body)}
    title = str(module.meta.get("doc", "A network's program.")).strip()
    parts = [
        f'"""{title}\n\n{note}\n"""' if note else f'"""{title}\n"""',
        "from __future__ import annotations",
        "\n".join(sorted({"from pathlib import Path", "import torch", *imports})),
        *definitions,
        _class_text(module, body),
        _load_text(type(module).__name__),
    ]
    return "\n\n\n".join(parts) + "\n"


def _class_text(module: GraphModule, body: str) -> str:
    """The class: every tensor registered with its shape, then the program."""
    lines = [
        f"class {type(module).__name__}(torch.nn.Module):",
        '    """The program, and the tensors that it reads; `load()` fills them."""',
        "",
        "    def __init__(self) -> None:",
        "        super().__init__()",
        *(f"        {line}" for line in _registrations(module)),
        "",
        *(f"    {line}".rstrip() for line in body.splitlines()),
    ]
    return "\n".join(lines)


def _registrations(module: GraphModule) -> Iterator[str]:
    """One line for each parameter and buffer."""
    for name, tensor in module.state_dict(keep_vars=True).items():
        empty = f"torch.empty({tuple(tensor.shape)}, dtype={tensor.dtype})"
        if isinstance(tensor, nn.Parameter):
            yield f"self.{name} = torch.nn.Parameter({empty})"
        else:
            yield f'self.register_buffer("{name}", {empty})'


def _load_text(name: str) -> str:
    """The function that reads the weights; nothing is unpickled but tensors."""
    return (
        f"def load() -> {name}:\n"
        '    """The program with the weights that lie beside this file."""\n'
        f"    module = {name}()\n"
        '    state = torch.load(Path(__file__).with_suffix(".pt"), weights_only=True)\n'
        "    module.load_state_dict(state)\n"
        "    return module"
    )


def _definitions(modules: set[str]) -> tuple[set[str], list[str]]:
    """Imports, and the text of all else, of the files that define leaves."""
    imports: set[str] = set()
    texts: list[str] = []
    for name in sorted(modules):
        path = sys.modules[name].__file__
        assert path is not None
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for statement in ast.parse(text).body:
            found = ast.get_source_segment(text, statement, padded=True) or ""
            if isinstance(statement, ast.Import | ast.ImportFrom):
                imports.add(found)
            elif isinstance(statement, ast.Expr):
                texts.append(_as_comment(statement))
            else:
                texts.append(_with_decorators(text, statement))
    return imports - {"from __future__ import annotations"}, texts


def _as_comment(statement: ast.Expr) -> str:
    """A file's docstring as a comment."""
    text = str(ast.literal_eval(statement.value)).strip()
    return "\n".join(f"# {line}".rstrip() for line in text.splitlines())


def _with_decorators(text: str, statement: Any) -> str:
    """A statement's source lines, decorators included."""
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", ()))])
    return "\n".join(text.splitlines()[first - 1 : statement.end_lineno])


def _state_bytes(module: GraphModule) -> bytes:
    """The state dict as `torch.save` writes it; compact copies, so equal states are equal bytes."""
    state = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in module.state_dict().items()
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()
