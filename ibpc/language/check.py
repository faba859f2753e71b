"""The checker's entrance: a file with everything it imports becomes a `Program`, or one error."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from ibpc.language.evaluate import evaluate
from ibpc.language.mistakes import Collector, suggestion, wrong
from ibpc.language.modules import Loader
from ibpc.language.plans import run_target, sweep_target, whole_block
from ibpc.language.program import ParamValue, Program, Target
from ibpc.language.scopes import Scope
from ibpc.language.trials import check_alone
from ibpc.language.unused import warn_of_unused
from ibpc.language.values import DataValue, Network, Truth
from ibpc.language.verify import plain
from ibpc.language.world import World
from ibpc.syntax import parse_expression, tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibpc.errors import Diagnostic
    from ibpc.language.modules import Module
    from ibpc.language.program import Dataset, Net
    from ibpc.language.values import Value
    from ibpc.language.vocabulary import Vocabulary
    from ibpc.language.world import ParamKey


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a check found: the world with all that could be worked out, and the mistakes.

    `main` is None where the file itself could not be parsed; `program` where there is a mistake.
    `modules` are all files that have been read, by their real paths.
    """

    world: World
    main: Module | None
    modules: Mapping[str, Module | None]
    program: Program | None
    targets: dict[str, Target]
    diagnostics: tuple[Diagnostic, ...]

    def checked(self) -> Program:
        """The program; raises one error with the diagnostics of all mistakes."""
        self.world.sink.raise_all()
        assert self.program is not None, "a file was not checked, and nobody said why"
        return self.program


def check_file(
    path: str,
    vocabulary: Vocabulary,
    overrides: Mapping[str, str] = MappingProxyType({}),
) -> Program:
    """The checked program of the `.ibp` file at `path`.

    `overrides` sets params (`-p name=value`) of this file or of imported ones; the values are
    expressions of the language, and must lie in the param's range.

    Raises: IbpcError with the diagnostics of all mistakes in all files.
    """
    return analyse(path, vocabulary, overrides).checked()


def checked_world(
    path: str, vocabulary: Vocabulary, overrides: Mapping[str, str]
) -> tuple[World, Module, dict[str, Target]]:
    """The values of a file's names, the file, and its targets; raises as `check_file` does."""
    found = analyse(path, vocabulary, overrides)
    found.world.sink.raise_all()
    assert found.main is not None, "a file was not read, and nobody said why"
    return found.world, found.main, found.targets


def analyse(
    path: str,
    vocabulary: Vocabulary,
    overrides: Mapping[str, str] = MappingProxyType({}),
    texts: Mapping[str, str] = MappingProxyType({}),
    *,
    thorough: bool = True,
    before: Analysis | None = None,
) -> Analysis:
    """The check of a file, told as values: editors want what is right beside what is wrong.

    `texts` stands in for files that are not saved yet: the text of each, by its real path. Where
    not `thorough`, sweeps are worked out in part (see `plans.sweep_target`). `before` is the check
    of another file, under the same vocabulary and without overrides: what both import is not
    worked out again, and its warnings are not told again.
    """
    sink = Collector()
    elder = None if before is None or before.program is None or overrides else before
    loader = Loader(sink, texts, {} if elder is None else elder.modules)
    main: Module | None = None
    with sink.gathering():
        main = loader.load(path)
    modules = _read(main, loader)
    if elder is None:
        world = World(vocabulary, modules, sink, thorough=thorough)
    else:
        world = elder.world.of(modules, sink)
    targets = {} if main is None else _check(world, main, overrides)
    program = None
    if main is not None and not sink.errors:
        program = _program(world, main, targets)
    told = (*sink.errors, *sink.warnings)
    return Analysis(world, main, loader.modules, program, targets, told)


def _read(main: Module | None, loader: Loader) -> tuple[Module, ...]:
    """The file, and all files that it needs; of a file with mistakes all that could be read."""
    found = loader.modules.values() if main is None or loader.sink.errors else main.needed()
    return tuple(module for module in dict.fromkeys((main, *found)) if module is not None)


def _check(world: World, main: Module, overrides: Mapping[str, str]) -> dict[str, Target]:
    """Work everything out, and give the targets."""
    _override(world, main, overrides)
    for module, declaration in world.definitions():
        with world.sink.gathering(declaration.name.span):
            world.find(module, declaration.name.text)
            if isinstance(declaration, tree.Unit):
                world.unit(module, declaration.name)
    _check_borrowed(world)
    targets = _targets(world, main)
    for module, declaration in world.definitions():
        check_alone(declaration, module, world)
    warn_of_unused(main, world.sink)
    return targets


def _program(world: World, main: Module, targets: dict[str, Target]) -> Program:
    modules = world.modules
    return Program(
        path=main.path,
        nets=_nets(world, main),
        data=_data(world, main),
        targets=targets,
        params=_params(world, main),
        files=tuple(module.path for module in modules),
        warnings=tuple(world.sink.warnings),
        docs={name: text for module in modules for name, text in module.file.docs.items()},
    )


def _check_borrowed(world: World) -> None:
    for module in world.modules:
        for name, (_, written) in module.borrowed.items():
            with world.sink.gathering(written.span):
                world.find(module, name)


# --- params ----------------------------------------------------------------------------------


def _override(world: World, main: Module, overrides: Mapping[str, str]) -> None:
    """Set params from outside; raises nothing, gathers E0110 and what the expressions raise."""
    for name, text in overrides.items():
        with world.sink.gathering():
            key = _param(world, main, name)
            expr = parse_expression(text, f"-p {name}")
            world.cache[("place", *key)] = expr.span
            world.overrides[key] = _constant(expr, Scope(world, main))


def _constant(expr: tree.Expr, scope: Scope) -> Value:
    """The value of an expression that may need other params: worked out in a world of its own."""
    inner = World(scope.world.vocabulary, scope.world.modules, scope.world.sink)
    inner.overrides.update(scope.world.overrides)
    return evaluate(expr, Scope(inner, scope.module))


def _param(world: World, main: Module, name: str) -> ParamKey:
    """The param that the command line means: of the main file, of `alias.name`, of any file.

    Raises: NameMistake E0110.
    """
    module, last = main, name
    for alias in name.split(".")[:-1]:
        found = module.aliases.get(alias)
        if found is None:
            break
        module, last = found, name.split(".")[-1]
    origin = world.origin(module, last)
    if origin is not None and isinstance(origin[0].declared[origin[1]], tree.Param):
        return origin[0].path, origin[1]
    known = [
        (one.path, declaration.name.text)
        for one, declaration in world.definitions()
        if isinstance(declaration, tree.Param)
    ]
    same = [key for key in known if key[1] == last]
    if len(same) == 1 and "." not in name:
        return same[0]
    fix = suggestion(name, [key[1] for key in known]) or "only `param`s can be set"
    raise wrong("E0110", f"there is no param `{name}`", None, fix=fix)


def _params(world: World, main: Module) -> tuple[ParamValue, ...]:
    found = []
    for module, declaration in world.definitions():
        if not isinstance(declaration, tree.Param):
            continue
        value = world.find(module, declaration.name.text)
        assert value is not None
        shown = value.value if isinstance(value, Truth) else plain(value)
        overridden = (module.path, declaration.name.text) in world.overrides
        name = declaration.name.text
        if module is not main:
            names = [alias for alias, one in main.aliases.items() if one is module]
            name = f"{names[0]}.{name}" if names and name not in main.borrowed else name
        found.append(ParamValue(name, shown, overridden))
    return tuple(found)


# --- what the program offers -----------------------------------------------------------------


def _targets(world: World, main: Module) -> dict[str, Target]:
    """Every `run` and `sweep`, and every train and verify block that needs no argument."""
    targets: dict[str, Target] = {}
    for name, plan in main.plans.items():
        with world.sink.gathering(plan.name.span):
            if isinstance(plan, tree.Run):
                targets[name] = run_target(plan, main, world)
            else:
                targets[name] = sweep_target(plan, main, world)
    for name, declaration in main.declared.items():
        if name in targets or not isinstance(declaration, tree.Train | tree.Verify):
            continue
        if all(parameter.default is not None for parameter in declaration.parameters):
            with world.sink.gathering(declaration.name.span):
                targets[name] = whole_block(declaration, main, world)
    return targets


def _visible(world: World, main: Module) -> dict[str, Value]:
    """The values of all names of the main file, and of those behind its aliases."""
    found: dict[str, Value] = {}
    for name in (*main.declared, *main.borrowed):
        value = world.find(main, name)
        if value is not None:
            found[name] = value
    for alias, module in main.aliases.items():
        for name in module.declared if module is not None else ():
            assert module is not None
            value = world.find(module, name)
            if value is not None:
                found[f"{alias}.{name}"] = value
    return found


def _nets(world: World, main: Module) -> dict[str, Net]:
    values = _visible(world, main).items()
    return {n: v.net for n, v in values if isinstance(v, Network) and v.net and not v.fit}


def _data(world: World, main: Module) -> dict[str, Dataset]:
    values = _visible(world, main).items()
    return {name: v.split.dataset for name, v in values if isinstance(v, DataValue)}
