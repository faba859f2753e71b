"""`ibpc recheck [RUN|FILE]`: replay stored witnesses and compute stored bounds once more."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ibpc.cli.arguments import add_overrides, add_places, overrides
from ibpc.cli.targets import target_of
from ibpc.cli.vocabulary import vocabulary
from ibpc.errors import Diagnostic, FileMistake, IbpcError
from ibpc.language import check_file

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from ibpc.integrity import Recheck, StageRecheck
    from ibpc.language import Target

NOTHING = "E0561"
TOLD = 20
"""Disagreements that are told one by one."""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "recheck",
        help="replay stored witnesses and compute stored bounds once more",
        description="Look at stored evidence again, without a new search: witnesses are replayed"
        " with onnxruntime on the network's bytes, proofs by bounds are computed once more. Proofs"
        " by a solver are counted and named, since they leave no certificate. Exits with 1 where"
        " anything comes out otherwise than it was stored.",
    )
    parser.add_argument(
        "what",
        nargs="?",
        metavar="RUN|FILE",
        help="a run folder, or a spec file whose verdicts are looked for in all run folders"
        " (default: every run)",
    )
    parser.add_argument(
        "target",
        nargs="?",
        default="default",
        metavar="TARGET",
        help="a `run` or `sweep` of the spec file (default: default)",
    )
    add_overrides(parser)
    add_places(parser)
    parser.set_defaults(function=recheck)


def recheck(arguments: argparse.Namespace) -> int:
    """Recheck what is named; 1 where something disagrees or nothing was found."""
    from ibpc.data import default_data_dir
    from ibpc.integrity import recheck as look_again

    data_dir = arguments.data_dir or default_data_dir()
    wrong: list[Diagnostic] = []
    seen = 0
    for title, target, root, store in _meant(arguments):
        found = look_again(target, root, data_dir, store)
        print(f"{title}\n" + "\n".join(f"    {line}" for line in lines(found)), end="\n\n")
        wrong += found.disagreements
        seen += sum(stage.seen for stage in found.stages)
    if wrong:
        print(IbpcError(*wrong[:TOLD]), file=sys.stderr)
        if len(wrong) > TOLD:
            print(f"\nand {len(wrong) - TOLD} more disagreements", file=sys.stderr)
        return 1
    if not seen:
        problem = "there is no stored evidence to look at"
        raise FileMistake(Diagnostic(NOTHING, problem, fix="run the spec first: ibpc run FILE"))
    return 0


def lines(found: Recheck) -> list[str]:
    """One line a stage, under its task."""
    text = []
    task = None
    for stage in found.stages:
        if stage.task != task:
            task = stage.task
            text.append(task)
        text.append(f"  {stage.stage}: {_said(stage)}")
    return [*text, *(f"not looked at: {reason}" for reason in found.unseen)] or ["no verdicts"]


def _said(stage: StageRecheck) -> str:
    parts = []
    if stage.witnesses:
        parts.append(f"{stage.witnesses:,} witnesses replayed")
    if stage.bounds:
        parts.append(f"{stage.bounds:,} bounds computed again")
    if stage.observations:
        parts.append(f"{stage.observations:,} observations made again")
    if stage.left_out:
        parts.append(f"{stage.left_out:,} proofs not rechecked ({stage.why})")
    if stage.disagreements:
        parts.append(f"{len(stage.disagreements):,} DISAGREE")
    return ", ".join(parts)


def _meant(arguments: argparse.Namespace) -> Iterator[tuple[str, Target, Path, Path | None]]:
    """What to look at: a title, the target, the root of runs, and one run's store or None."""
    if arguments.what is not None and not Path(arguments.what).is_dir():
        program = check_file(arguments.what, vocabulary(), overrides(arguments))
        target = target_of(program, arguments.target)
        yield f"{program.path}: {target.name}", target, arguments.output, None
        return
    if arguments.what is not None:
        folders = [Path(arguments.what)]
    else:
        folders = [path.parent for path in sorted(arguments.output.glob("*/manifest.json"))]
    from ibpc.experiment import recorded_run

    for folder in folders:
        run = recorded_run(folder)
        program = check_file(run.spec, vocabulary(), run.overrides)
        target = target_of(program, run.target)
        yield str(folder), target, folder.absolute().parent, folder / "verdicts.sqlite"
