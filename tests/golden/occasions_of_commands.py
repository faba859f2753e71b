"""The command line: what is asked of it, locks, stores, run folders, and what it says of claims."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from occasion import occasion, said, small_network, toy

import ibpc
from ibpc.cli import vnnlib_solver
from ibpc.cli.spec_query import spec_query
from ibpc.exchange import parse_property
from ibpc.experiment import RunFolder, opened
from ibpc.verification import Store

THEIRS = (
    "    fc 4\n    out\n}",
    '    fc 4\n    out\n}\n\nnet theirs: Point -> Score = onnx("theirs.onnx")',
)
CALLED = ("table(small)\n", "table(theirs)\n")


@occasion("E0115")
def network_as_claim(_: Path, __: Any) -> None:
    spec_query(toy(), "small", {})


@occasion("E0190")
def no_equals(_: Path, __: Any) -> str:
    return said("run", toy(), "-p", "eps_train 0.1")


@occasion("E0191")
def misspelt_target(_: Path, __: Any) -> str:
    return said("run", toy(), "trainde")


@occasion("E0192")
def no_such_code(_: Path, __: Any) -> str:
    return said("explain", "E9999")


@occasion("E0193")
def network_without_name(_: Path, __: Any) -> str:
    return said("vnnlib", "verify", "q.vnnlib", "--network", "model.onnx")


QUERY = """\
(vnnlib-version <2.0>)
(declare-network f (declare-input X real [2]) (declare-output Y real [2]))
(assert (>= X[0] 0.0))
(assert (<= X[0] 1.0))
(assert (>= X[1] 0.0))
(assert (<= X[1] 1.0))
(assert (<= Y[0] 0.0))
"""


@occasion("E0194")
def another_name(_: Path, __: Any) -> None:
    query = parse_property(QUERY, "q.vnnlib")
    vnnlib_solver._file_of(query, {"g": "model.onnx"})


@occasion("E0195")
def misspelt_training(_: Path, __: Any) -> None:
    ibpc.train(toy(), "fit(smal)")


# --- locks -----------------------------------------------------------------------------------


def locked() -> str:
    Path("theirs.onnx").write_bytes(small_network())
    spec = toy(THEIRS, CALLED)
    said("lock", spec, code=0)
    return spec


@occasion("E0501")
def exported_again(_: Path, __: Any) -> str:
    spec = locked()
    from occasion import small_graph

    from ibpc.graph import write_onnx

    Path("theirs.onnx").write_bytes(write_onnx(small_graph(b=[1.0, 2.0])))
    return said("lock", "--check", spec)


@occasion("E0550")
def merge_conflict(_: Path, __: Any) -> str:
    spec = locked()
    text = Path("ibpc.lock").read_text()
    Path("ibpc.lock").write_text(f"<<<<<<< HEAD\n{text}=======\n>>>>>>> other\n")
    return said("lock", "--check", spec)


@occasion("E0551")
def added_later(_: Path, __: Any) -> str:
    locked()
    Path("others.onnx").write_bytes(small_network())
    other = (THEIRS[0], THEIRS[1] + '\n\nnet other: Point -> Score = onnx("others.onnx")')
    return said("lock", "--check", toy(other, (CALLED[0], "table(theirs)\n    table(other)\n")))


@occasion("E0552")
def renamed(_: Path, __: Any) -> str:
    return said("lock", locked(), "--update", "thiers")


# --- runs and stores -------------------------------------------------------------------------


def ran() -> Path:
    """The folder of a finished run."""
    said("run", toy(), "-o", "runs", "--device", "cpu", "--jobs", "1", code=0)
    (folder,) = Path("runs").glob("toy-default-*")
    return folder


@occasion("E0560")
def edited_store(_: Path, __: Any) -> str:
    folder = ran()
    with sqlite3.connect(folder / "verdicts.sqlite") as db:
        db.execute("UPDATE answers SET verdict = 'holds'")
    return _one(said("recheck", str(folder)))


def _one(text: str) -> str:
    """The first of many messages of one kind."""
    return text.split("\n\n", maxsplit=1)[0]


@occasion("E0561")
def never_run(_: Path, __: Any) -> str:
    return said("recheck")


@occasion("E0570")
def young_repository(_: Path, __: Any) -> str:
    toy()
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "toy.ibp"], check=True)
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *who, "commit", "-qm", "first"], check=True)
    return said("diff", "HEAD~100", "toy.ibp")


@occasion("E0590")
def file_in_the_way(_: Path, __: Any) -> str:
    Path("runs").write_text("a file where the folder should be")
    return said("run", toy(), "-o", "runs", "--device", "cpu")


@occasion("E0591")
def other_terminal(folder: Path, __: Any) -> None:
    with opened(RunFolder(folder / "run")), opened(RunFolder(folder / "run")):
        pass


@occasion("E0592")
def no_run(_: Path, __: Any) -> str:
    Path("specs").mkdir()
    return said("report", "specs")


@occasion("E0593")
def lost_manifest(_: Path, __: Any) -> str:
    folder = ran()
    (folder / "manifest.json").unlink()
    return said("recheck", str(folder))


@occasion("E0594")
def no_pygls(_: Path, monkeypatch: Any) -> str:
    for name in [*sys.modules]:
        if name.startswith(("pygls", "ibpc.editor.server")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pygls", None)
    return said("lsp")


@occasion("E0531")
def damaged_store(folder: Path, __: Any) -> None:
    Path("verdicts.sqlite").write_bytes(b"SQLite format 3\0" + b"\xff" * 200)
    with Store(folder / "verdicts.sqlite"):
        pass


# --- claims that look unlike what was meant --------------------------------------------------

RUN = ("--device", "cpu", "--jobs", "1")


@occasion("W0611")
def empty_intersection(_: Path, __: Any) -> str:
    bright = "{ clip(x0 + b, 0, 1) for b in [0.2 .. 0.3] }"
    spec = toy(("ball(x0, eps), z", f"intersect({bright}, ball(x0, eps)), z"))
    return said("run", spec, *RUN, code=0)


@occasion("W0613")
def wrong_polarity(_: Path, __: Any) -> str:
    claim = ("forall k != y: z[k] - z[y] <= 0", "z[y] >= 1000")
    loss = (
        "    kappa(t) = 1 until 2, linear to 1/2 at 10\n",
        "    loss = hinge(violation(spec))\n",
    )
    return said("run", toy(claim, loss), *RUN, code=0)
