"""What a spec's claims, networks and data say: in plain words, and in exact numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibpc.cli.claim_words import claim_in_words, claim_numbers
from ibpc.cli.plain_values import settings_of, value_text
from ibpc.cli.vocabulary import vocabulary
from ibpc.errors import Diagnostic, NameMistake, did_you_mean
from ibpc.language import DeclaredNet, Fit, Product, VerifyTask, check_file, describe_net
from ibpc.sets import FORMS
from ibpc.syntax import parse_file, tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ibpc.language import Dataset, Net, Program, Report


def explain_spec(path: str, name: str | None, overrides: Mapping[str, str], full: bool) -> str:
    """The explanations of a file's claims, or of what `name` declares; `full`: with all defaults.

    Raises: IbpcError where the file is wrong; NameMistake E0192 where it declares no such name.
    """
    program = check_file(path, vocabulary(), overrides)
    tasks = _distinct(program)
    chosen = [(task, more) for task, more in tasks if name is None or name in _names(task)]
    parts = [*_declared(program, name), *(_task_text(*one, full) for one in chosen)]
    if name is None and not tasks:
        parts += [_written(spec, program) for spec in _specs(path)]
    elif not chosen:
        parts += [_written(spec, program) for spec in _specs(path) if spec.name.text == name]
    if not parts:
        known = {*program.nets, *program.data, *(n for task, _ in tasks for n in _names(task))}
        known |= {spec.name.text for spec in _specs(path)}
        fix = did_you_mean(name or "", known) or f"there is {', '.join(sorted(known)) or 'nothing'}"
        raise NameMistake(Diagnostic("E0192", f"`{path}` has nothing called {name}", fix=fix))
    return "\n\n".join(parts)


def _distinct(program: Program) -> list[tuple[VerifyTask, int]]:
    """Every verify task that says something new, and how many more of its kind a sweep has."""
    kinds: dict[tuple[str, str, str], tuple[VerifyTask, int]] = {}
    for target in program.targets.values():
        for task in target.tasks:
            if isinstance(task, VerifyTask):
                key = (task.name, task.claim.name, _network(task).name)
                first, more = kinds.get(key, (task, -1))
                kinds[key] = first, more + 1
    return list(kinds.values())


def _network(task: VerifyTask) -> Net | Product:
    return task.network.net if isinstance(task.network, Fit) else task.network


def _names(task: VerifyTask) -> set[str]:
    """The names under which somebody may ask for a task."""
    recipe = {task.network.recipe} if isinstance(task.network, Fit) else set[str]()
    data = {task.data.dataset.name} if task.data else set[str]()
    net = _network(task)
    parts = net.networks if isinstance(net, Product) else (net,)
    nets = {one.net.name if isinstance(one, Fit) else one.name for one in parts}
    return {task.name, task.claim.name, net.name} | nets | recipe | data


def _specs(path: str) -> list[tree.Spec]:
    return [one for one in parse_file(path).declarations if isinstance(one, tree.Spec)]


def _written(spec: tree.Spec, program: Program) -> str:
    """A spec that no plan uses: what it says of any network."""
    claims = [one for one in spec.statements if not isinstance(one, tree.Let)]
    words = [f"  {claim_in_words(claim)}" for claim in claims]
    return "\n".join([f"spec {spec.name.text}", *_doc(program, spec.name.text), *words])


def _doc(program: Program, name: str) -> list[str]:
    return [f"  {line}" for line in program.docs.get(name, "").splitlines()]


def _declared(program: Program, name: str | None) -> Iterator[str]:
    """A network or data set that was asked for by name."""
    if name is not None and name in program.nets:
        net = program.nets[name]
        yield "\n".join([*(one.strip() for one in _doc(program, name)), _net_text(net)])
    if name is not None and name in program.data:
        data = program.data[name]
        yield "\n".join([f"data {name}", *_doc(program, name), *_data_lines(data)])


def _net_text(net: Net) -> str:
    if isinstance(net, DeclaredNet):
        return describe_net(net)
    lines = [f"net {net.name} from {net.path}"]
    lines += [f"  {key} {value}" for key, value in settings_of(net) if key != "path"]
    return "\n".join(lines)


def _data_lines(data: Dataset) -> list[str]:
    return [f"  {key} = {value}" for key, value in settings_of(data)]


# --- tasks -----------------------------------------------------------------------------------


def _task_text(task: VerifyTask, more: int, full: bool) -> str:
    claim = task.claim
    lines = [task.title + (f"  (and {more} more like it in sweeps and runs)" if more > 0 else "")]
    lines.append(f"  claim     {claim.text}")
    lines.append(f"  in words  {_situation(task)}{claim_in_words(claim.text)}")
    lines += [f"            {line}" for line in _set_lines(task)]
    lines += [f"  {'numbers' if not i else '':<9} {x}" for i, x in enumerate(claim_numbers(claim))]
    lines += [f"  {'sizes' if not i else '':<9} {x}" for i, x in enumerate(_sizes(task))]
    for report in task.reports:
        lines += [f"  {report.name}", *_stage_lines(report)]
    if full:
        lines += ["  settings of the recipe" if isinstance(task.network, Fit) else "  network"]
        subject = task.network
        lines += [f"    {key} = {value}" for key, value in settings_of(subject)]
    return "\n".join(lines)


def _situation(task: VerifyTask) -> str:
    if task.data is None:
        return ""
    return f"for each example (x0, y) of {value_text(task.data)}: "


def _set_lines(task: VerifyTask) -> list[str]:
    """The input set with its numbers."""
    form = FORMS.get(task.claim.set.kind)
    doc = form.entry.doc if form is not None and form.entry is not None else ""
    values = [f"{key} = {value}" for key, value in settings_of(task.claim.set)]
    exact = "" if form is None or form.exact else "; bounds use the box around it"
    return [f"set: {', '.join(values)}{exact}", *([f"     {doc}"] if doc else [])]


def _sizes(task: VerifyTask) -> list[str]:
    net = _network(task)
    text = f"inputs {value_text(net.input)}, outputs {value_text(net.output)}"
    if isinstance(net, DeclaredNet):
        text += f", hidden {net.hidden:,}, parameters {net.parameters:,}"
    return [text]


def _stage_lines(report: Report) -> Iterator[str]:
    """Each stage with all its arguments, and what it is."""
    entries = vocabulary().stages
    for number, stage in enumerate(report.stages):
        entry = entries[stage.word]
        yield f"    {'by  ' if not number else 'then'} {value_text(stage)}: {entry.doc}"
    words = {"attackable": "counts as an error", "unknown": "stays unknown"}
    rest = words.get(report.otherwise, report.otherwise)
    yield f"    else an example that no stage decides {rest}"
