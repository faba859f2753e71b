"""How to repeat a run: command, parameters, seeds, versions, machine, hashes."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from ibpc.report import tables
from ibpc.report.markup import tag
from ibpc.report.sections.training import name_of
from ibpc.report.wording import duration, number

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ibpc.report.facts import Fit, Run


def section(run: Run) -> Element | None:
    """The command first, then what it depends on."""
    manifest = run.manifest
    command = manifest.get("command") or ["ibpc", "run", manifest["spec"], manifest["target"]]
    parts = [
        tag("pre", tag("code", shlex.join(str(word) for word in command)), class_="command"),
        tag(
            "p",
            "The spec's files lie in the run folder's spec/. On a CPU, the same command with the "
            "same versions and thread count gives the same weights, bit for bit; started again, "
            "it resumes and reuses every verdict.",
            class_="note",
        ),
    ]
    parameters = manifest.get("parameters", {})
    if parameters:
        given = set(manifest.get("overridden", ()))
        rows = [
            (name, number(value), "command line" if name in given else "spec")
            for name, value in parameters.items()
        ]
        parts.append(tables.table(("parameter", "value", "from"), rows, "Parameters"))
    if run.fits:
        head = ("network", "seed", "steps", "trained on", "time", "folder")
        fits = [_trained(run, fit) for fit in run.fits]
        parts.append(tables.table(head, fits, "Trained networks", numbers=(1, 2)))
    hashes = dict.fromkeys((task.network, task.net) for task in run.verified if task.network)
    if hashes:
        shown = [(net, tag("code", digest, class_="hash")) for digest, net in hashes]
        parts.append(tables.table(("network", "sha256 of its ONNX file"), shown, "Networks"))
    parts.append(tables.table(("", ""), _versions(manifest), "Versions and machine"))
    return tables.section("repeat", "How to repeat it", parts)


def _trained(run: Run, fit: Fit) -> tuple[Any, ...]:
    about = fit.about
    name = name_of(run, fit)
    if not about:
        return (name, "–", "–", "not finished", "–", fit.name)
    where = f"{about.get('device', '?')}, {about.get('threads', '?')} threads"
    steps = about.get("ibpc.steps", "?")
    steps = f"{int(steps):,}" if str(steps).isdigit() else steps
    spent = duration(float(about.get("seconds", 0)))
    return (name, about.get("ibpc.seed", "?"), steps, where, spent, tag("code", fit.name))


def _versions(manifest: Any) -> list[tuple[str, Any]]:
    machine = manifest.get("machine", {})
    kind = f"{machine.get('os', '?')}, {machine.get('cpu', '?')}, {machine.get('cores', '?')} cores"
    packages = manifest.get("packages", {})
    return [
        ("ibpc", str(manifest.get("ibpc", "?"))),
        ("Python", str(manifest.get("python", "?"))),
        ("packages", ", ".join(f"{name} {version}" for name, version in packages.items())),
        ("machine", kind),
        ("identity of the run", tag("code", str(manifest.get("identity", "?")), class_="hash")),
    ]
