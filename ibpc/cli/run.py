"""`ibpc run FILE [TARGET]`: train, attack, bound, verify, and report; resumes what was begun."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ibpc.cli.arguments import add_output, add_overrides, overrides, positive
from ibpc.cli.showing import once
from ibpc.cli.targets import target_of
from ibpc.cli.vocabulary import vocabulary
from ibpc.integrity import refuse_other_networks
from ibpc.language import check_file

if TYPE_CHECKING:
    import argparse


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "run",
        help="train and verify what a spec file says",
        description="Run a target of a spec file: train its networks, attack, bound and verify"
        " them, and write tables and verdicts into a run folder. Started again, the same command"
        " resumes where it stopped.",
    )
    parser.add_argument("file", metavar="FILE", help="a spec file (.ibp)")
    parser.add_argument(
        "target",
        nargs="?",
        default="default",
        metavar="TARGET",
        help="a `run` or `sweep` of the spec (default: default)",
    )
    add_overrides(parser)
    add_output(parser, "runs")
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        help="where data sets lie, or are downloaded to (default: $IBPC_DATA, else a cache folder)",
    )
    parser.add_argument(
        "--device",
        default="auto",
        choices=("auto", "cpu", "cuda"),
        help="where to train and to bound (default: auto)",
    )
    parser.add_argument(
        "--jobs",
        type=positive,
        default=os.cpu_count() or 1,
        metavar="N",
        help="worker processes of the MIP stages (default: one per core)",
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="a Dask scheduler, such as tcp://HOST:8786, whose workers run the MIP stages instead"
        " of processes here (needs `pip install 'ibpc[cluster]'`)",
    )
    parser.add_argument(
        "--threads",
        type=positive,
        default=1,
        metavar="N",
        help="threads of training on a CPU (default: 1; large networks gain from more, and exact"
        " resume needs the same number)",
    )
    parser.set_defaults(function=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the target and print its tables."""
    program = check_file(arguments.file, vocabulary(), overrides(arguments))
    warn = once()
    for warning in program.warnings:
        warn(warning)
    target = target_of(program, arguments.target)
    refuse_other_networks(program)

    # Threads that wait for work must not spin: on a busy machine that costs more than it gains.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    from ibpc.data import default_data_dir
    from ibpc.experiment import Means, execute, help_train, opened, run_folder, write_manifest
    from ibpc.report import RunReport, console_table

    folder = run_folder(arguments.output, program, target)
    data_dir = arguments.data_dir or default_data_dir()
    means = Means(data_dir, arguments.device, arguments.jobs, arguments.threads, arguments.cluster)
    if int(os.environ.get("RANK", "0")):  # torchrun: the first process writes and verifies
        help_train(target, folder, means)
        return 0
    with opened(folder):
        facts = {"threads": means.threads, "device": means.device, "command": command(arguments)}
        write_manifest(folder, program, target, **facts)
        with RunReport(folder.path) as report:
            for result in execute(target, folder, means, warn):
                print(console_table(result), flush=True)
                report.add(result)
            page = report.finish()
    print(f"written to {folder.path}\nopen {page}")
    return 0


def command(arguments: argparse.Namespace) -> list[str]:
    """The command that repeats this run; where data lie and where to write is everyone's own."""
    words = ["ibpc", "run", arguments.file]
    if arguments.target != "default":
        words.append(arguments.target)
    for text in arguments.parameters:
        words += ["-p", text]
    return [*words, "--device", arguments.device, "--threads", str(arguments.threads)]
