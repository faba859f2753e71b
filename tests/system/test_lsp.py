"""The language server driven over stdio as an editor does, with its whole conversation told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("pygls", reason="needs pygls: pip install 'ibpc[lsp]'")

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 60.0
TEXT = (ROOT / "specs" / "digits.ibp").read_text(encoding="utf-8")


class Editor:
    """One end of the conversation: sends requests and keeps what comes back."""

    def __init__(self, folder: Path) -> None:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "ibpc", "lsp"]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.folder = folder
        self.number = 0
        self.versions: dict[str, int] = {}
        self.arrived: Queue[dict[str, Any]] = Queue()
        self.logged: list[str] = []
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        out = self.process.stdout
        assert out is not None
        while True:
            length = 0
            while (line := out.readline()) not in {b"\r\n", b""}:
                name, _, value = line.decode().partition(":")
                length = int(value) if name.lower() == "content-length" else length
            if not line:
                return
            self.arrived.put(json.loads(out.read(length)))

    def send(self, method: str, params: Any, *, ask: bool) -> int:
        self.number += 1
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        body = json.dumps({**message, "id": self.number} if ask else message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()
        return self.number

    def wait(self, wanted: Any) -> dict[str, Any]:
        """The next message that `wanted` accepts; what is logged before it is kept."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            try:
                message = self.arrived.get(timeout=end - time.monotonic())
            except Empty:
                break
            if message.get("method") == "window/logMessage":
                self.logged.append(message["params"]["message"])
            if wanted(message):
                return message
        raise AssertionError("the server does not answer")

    def ask(self, method: str, params: Any) -> Any:
        number = self.send(method, params, ask=True)
        return self.wait(lambda message: message.get("id") == number)["result"]

    def close(self, name: str) -> None:
        del self.versions[name]
        self.send("textDocument/didClose", self.document(name), ask=False)
        # What was published before the server read this may still be on its way.
        while self.diagnostics(name):
            pass

    def document(self, name: str) -> dict[str, Any]:
        return {"textDocument": {"uri": self.uri(name)}}

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str) -> list[dict[str, Any]]:
        document = {"uri": self.uri(name), "languageId": "ibp", "version": 1, "text": text}
        self.versions[name] = 1
        self.send("textDocument/didOpen", {"textDocument": document}, ask=False)
        return self.diagnostics(name)

    def type(self, name: str, text: str, *, where: Any = None) -> None:
        self.versions[name] += 1
        document = {"uri": self.uri(name), "version": self.versions[name]}
        change = {"text": text} if where is None else {"text": text, "range": where}
        params = {"textDocument": document, "contentChanges": [change]}
        self.send("textDocument/didChange", params, ask=False)

    def diagnostics(self, name: str) -> list[dict[str, Any]]:
        """The next diagnostics that are published for a file."""
        published = "textDocument/publishDiagnostics"
        message = self.wait(
            lambda m: m.get("method") == published and m["params"]["uri"] == self.uri(name)
        )
        found: list[dict[str, Any]] = message["params"]["diagnostics"]
        return found

    def at(self, name: str, text: str, word: str, offset: int = 0) -> dict[str, Any]:
        """The parameters of a question about the first `word` of a text."""
        place = text.index(word) + offset
        line = text.count("\n", 0, place)
        start = text.rfind("\n", 0, place) + 1
        position = {"line": line, "character": place - start}
        return {"textDocument": {"uri": self.uri(name)}, "position": position}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """One server for the whole conversation; at its end it must leave in peace."""
    folder = tmp_path_factory.mktemp("editor")
    for name in ("gowal.ibp", "digits.ibp"):
        (folder / name).write_text((ROOT / "specs" / name).read_text(encoding="utf-8"))
    editor = Editor(folder)
    answer = editor.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    editor.send("initialized", {}, ask=False)
    for ability in ("hover", "definition", "documentFormatting", "documentSymbol", "codeAction"):
        assert answer["capabilities"][f"{ability}Provider"]
    yield editor
    editor.ask("shutdown", None)
    editor.send("exit", None, ask=False)
    assert editor.process.wait(WAIT_S) == 0
    for pipe in (editor.process.stdin, editor.process.stdout):
        assert pipe is not None
        pipe.close()
    assert editor.process.stderr is not None
    with editor.process.stderr as errors:
        assert b"Traceback" not in errors.read()
    assert editor.logged == []


@pytest.fixture
def editor(server: Editor) -> Iterator[Editor]:
    """The server, with no file open before and after."""
    yield server
    for name in list(server.versions):
        server.close(name)


def test_a_typo_is_told_where_it_stands_and_mended_by_its_fix(editor: Editor) -> None:
    assert editor.open("digits.ibp", TEXT) == []
    editor.type("digits.ibp", TEXT.replace("init = orthogonal", "init = orthogonl"))
    (found,) = editor.diagnostics("digits.ibp")
    assert found["code"] == "E0106"
    line = TEXT.count("\n", 0, TEXT.index("init = "))
    assert found["range"] == {
        "start": {"line": line, "character": 11},
        "end": {"line": line, "character": 20},
    }
    context = {"diagnostics": [found]}
    params = {**editor.document("digits.ibp"), "range": found["range"], "context": context}
    (action,) = editor.ask("textDocument/codeAction", params)
    (edit,) = action["edit"]["changes"][editor.uri("digits.ibp")]
    assert edit["newText"] == "orthogonal"
    editor.type("digits.ibp", edit["newText"], where=edit["range"])
    assert editor.diagnostics("digits.ibp") == []


@pytest.mark.parametrize(
    ("word", "offset", "shown"),
    [
        ("conv 16", 0, "**conv**: "),
        ("conv 16", 0, "output 16x8x8, 160 weights"),
        ("fit(small)", 5, "hidden 1636, parameters 60694"),
        ("eps_train at 2k", 0, "eps_train: real = 0.1 in [0 .. 0.5]"),
        ("robust(f, x, y, eps)", 0, "Eq. 3: no logit overtakes the true one"),
        ("Image -> Logits {", 0, "Image[1,8,8] in [0 .. 1]"),
        ("pgd(steps", 0, "**pgd**: projected gradient ascent"),
        ("digits.train", 0, "1,797 images"),
        ("f, x, y", 0, "f: Image -> Logits"),
        ("= 50", 0, None),
    ],
)
def test_hover_shows_docs_values_and_shapes(
    editor: Editor, word: str, offset: int, shown: str | None
) -> None:
    editor.open("digits.ibp", TEXT)
    answer = editor.ask("textDocument/hover", editor.at("digits.ibp", TEXT, word, offset))
    assert answer is None if shown is None else shown in answer["contents"]["value"]


def test_definitions_lead_into_imported_files(editor: Editor) -> None:
    editor.open("digits.ibp", TEXT)
    gowal = (ROOT / "specs" / "gowal.ibp").read_text(encoding="utf-8")

    def line_of(text: str, part: str) -> int:
        return text.count("\n", 0, text.index(part))

    for word, offset, file, line in (
        ("fit(small)", 5, "digits.ibp", line_of(TEXT, "net small")),
        ("robust(f, x, y, eps)", 0, "gowal.ibp", line_of(gowal, "spec robust")),
        ('"gowal.ibp"', 3, "gowal.ibp", 0),
        ("kappa * xent", 0, "digits.ibp", line_of(TEXT, "kappa(t)")),
    ):
        params = editor.at("digits.ibp", TEXT, word, offset)
        answer = editor.ask("textDocument/definition", params)
        place = answer["uri"].rsplit("/", 1)[1], answer["range"]["start"]["line"]
        assert place == (file, line)


def test_the_outline_lists_declarations_and_layers(editor: Editor) -> None:
    editor.open("digits.ibp", TEXT)
    outline = editor.ask("textDocument/documentSymbol", editor.document("digits.ibp"))
    assert [one["name"] for one in outline][:4] == ["Image", "Digit", "Logits", "eps_train"]
    small = next(one for one in outline if one["name"] == "small")
    assert [one["name"] for one in small["children"]] == ["conv", "conv", "fc", "out"]


def test_layout_is_one_edit_or_none(editor: Editor) -> None:
    params = {**editor.document("digits.ibp"), "options": {"tabSize": 4, "insertSpaces": True}}
    editor.open("digits.ibp", TEXT)
    assert editor.ask("textDocument/formatting", params) == []
    editor.type("digits.ibp", TEXT.replace("eps_test: real = 0.05", "eps_test:real=0.05"))
    assert editor.diagnostics("digits.ibp") == []
    (edit,) = editor.ask("textDocument/formatting", params)
    assert edit["newText"] == TEXT
    editor.type("digits.ibp", "ibp 1\nnet {")
    assert editor.ask("textDocument/formatting", params) is None


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("net n: Image -> Logits {\n    con|", {"conv", "fc", "residual"}, {"adam", "robust"}),
        ("net n: Image -> Logits {\n    conv 16 3x3+1 |", {"pad", "act", "bias"}, {"count"}),
        ("net n: Image -> Logits {\n    fc 10 act = |", {"relu", "tanh"}, {"conv"}),
        ("train t(f: Image -> Logits) {\n    opt|", {"optimiser", "steps"}, {"adam"}),
        ("train t(f: Image -> Logits) {\n    optimiser = |", {"adam", "sgd"}, {"ibp"}),
        ("train t(f: Image -> Logits) {\n    data = digits.|", {"train", "test"}, {"Image"}),
        ("verify v(f: Image -> Logits) {\n    report a = by |", {"ibp", "pgd", "mip"}, {"adam"}),
        ("verify v(f: Image -> Logits) {\n    report a = by pgd(|", {"steps", "restarts"}, set()),
        ("verify v(f: Image -> Logits) {\n    report a = by ibp else |", {"attackable"}, {"ibp"}),
        ("data d: (x: Image, y: Digit) {\n    source = |", {"builtin"}, {"adam"}),
        ("data d: (x: Image, y: |", {"Digit", "real"}, {"fit", "eps_train"}),
        ("const a = eps_|", {"eps_train", "eps_test"}, set()),
        ("par|", {"param", "net"}, {"relu"}),
        ("const a = 10 |", {"min", "epochs"}, {"fit"}),
        ("# nothing in a comm|", set(), {"net", "eps_train"}),
    ],
)
def test_completion_knows_the_place(
    editor: Editor, text: str, wanted: set[str], unwanted: set[str]
) -> None:
    assert editor.open("digits.ibp", TEXT) == []
    whole = TEXT + "\n" + text.replace("|", "")
    editor.type("digits.ibp", whole)
    line = whole.count("\n")
    position = {"line": line, "character": len(whole) - whole.rfind("\n") - 1}
    params = {"textDocument": {"uri": editor.uri("digits.ibp")}, "position": position}
    answer = editor.ask("textDocument/completion", params)
    labels = {one["label"] for one in answer["items"]}
    assert wanted <= labels
    assert not unwanted & labels


def test_a_mistake_in_an_imported_file_is_told_there(editor: Editor) -> None:
    assert editor.open("digits.ibp", TEXT) == []
    gowal = (ROOT / "specs" / "gowal.ibp").read_text(encoding="utf-8")
    assert editor.open("gowal.ibp", gowal) == []
    editor.type("gowal.ibp", gowal.replace("fc 100", "fcc 100", 1))
    (found,) = editor.diagnostics("gowal.ibp")
    assert found["code"] == "E0102"
    saved = {"textDocument": {"uri": editor.uri("gowal.ibp")}}
    editor.send("textDocument/didSave", saved, ask=False)
    assert [one["code"] for one in editor.diagnostics("gowal.ibp")] == ["E0102"]


def test_broken_text_is_answered_at_every_stroke(editor: Editor) -> None:
    """A spec is typed in from its start, and asked about at every step: no traceback, no hang."""
    editor.open("digits.ibp", "")
    for end in range(0, len(TEXT), 61):
        editor.type("digits.ibp", TEXT[:end])
        line = TEXT.count("\n", 0, end)
        position = {"line": line, "character": end - TEXT.rfind("\n", 0, end) - 1}
        params = {"textDocument": {"uri": editor.uri("digits.ibp")}, "position": position}
        assert editor.ask("textDocument/completion", params) is not None
        editor.ask("textDocument/hover", params)
        editor.ask("textDocument/definition", params)
    editor.type("digits.ibp", "ibp 1\n\x00 \U0001d6fc \u2200 {{{((([\n" * 50)
    assert editor.ask("textDocument/documentSymbol", editor.document("digits.ibp")) is not None
    editor.type("digits.ibp", TEXT)
    while editor.diagnostics("digits.ibp"):
        pass
