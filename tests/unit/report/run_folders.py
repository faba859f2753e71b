"""Run folders made by hand, as `ibpc run` would have left them."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """ibp 1

# Words & <signs> that a page must escape: "quotes", 'ticks', </pre>.
param eps: real = 0.1 in [0 .. 0.5]
data mnist: (x: Image, y: Digit) {
    source = builtin(mnist)
}
"""


def report(name: str, roles: list[str], stages: dict[str, tuple[int, int]], n: int) -> Any:
    """A report's facts: `stages` gives what each proved and refuted of n examples."""
    holds = sum(one for one, _ in stages.values())
    violated = sum(one for _, one in stages.values())
    unknown = n - holds - violated
    meaning = "exact" if not unknown else "at least" if roles == ["refute"] else "at most"
    low, high = violated / n, (violated + unknown) / n
    return {
        "name": name,
        "roles": roles,
        "rate": low if meaning != "at most" else high,
        "low": low,
        "high": high,
        "meaning": meaning,
        "holds": holds,
        "violated": violated,
        "unknown": unknown,
        "otherwise": "attackable",
        "stages": list(stages),
        "by_stage": {key: {"holds": h, "violated": v} for key, (h, v) in stages.items()},
        "stage_seconds": dict.fromkeys(stages, 0.5),
        "stage_work_seconds": dict.fromkeys(stages, 1.5),
        "violated_examples": list(range(violated)),
        "unknown_examples": {str(n - 1 - place): "time-out" for place in range(unknown)},
    }


def task(eps: str = "1/10", n: int = 10_000, **changes: Any) -> Any:
    """A task on MNIST with the paper's four figures."""
    net, train = changes.get("net", "small"), changes.get("eps_train", "1/5")
    facts = {
        "task": f"table4 {net} eps_train={train} eps={eps}",
        "verify": "table4",
        "claim": "forall x in ball(x0, eps), z = f(x): forall k != y: z[k] - z[y] <= 0",
        "eps": eps,
        "bindings": {"eps": eps},
        "data": {"source": "builtin(name=mnist)", "part": "test", "first": None},
        "net": net,
        "recipe": "fit",
        "bound": "ibp",
        "seed": 0,
        "eps_train": train,
        "fit": f"{net}-{train.replace('/', '')}",
        "network": f"{net}{train}".encode().hex() * 4,
        "examples": n,
        "seconds": 12.5,
        "reports": [
            report("test_error", ["observe"], {"forward": (n - 160, 160)}, n),
            report("pgd_error", ["refute"], {"pgd": (0, 355)}, n),
            report("ibp_bound", ["bound"], {"ibp": (n - 395, 0)}, n),
            report(
                "verified_error",
                ["bound", "refute", "exact", "relax"],
                {"ibp": (n - 395, 0), "pgd": (0, 355), "mip(timeout=60)": (33, 6), "lp": (0, 0)},
                n,
            ),
        ],
    }
    return {**facts, **changes}


def metrics(steps: int = 2000) -> str:
    """Lines of metrics.jsonl, the last one torn."""
    lines = []
    for step in range(100, steps + 1, 100):
        share = step / steps
        spec = None if step <= 300 else 2 - share
        schedules = {"eps": 0.2 * share, "kappa": 1 - share / 2, "lr": 10 ** (-3 - round(share))}
        lines.append(
            {
                "step": step,
                "loss": 1.5 - share,
                "fit": 1.0 - share,
                "spec": spec,
                "train_error": 0.1 - share / 20,
                "verified_error": spec and spec / 4,
                "steps_per_s": 200.0,
                "schedules": schedules,
            }
        )
    return "".join(json.dumps(line) + "\n" for line in lines) + '{"step": 21'


def pictures(title: str, shape: tuple[int, ...], labels: list[str] | None = None) -> Any:
    """Counterexamples of a task."""
    datum = np.linspace(0, 1, int(np.prod(shape)), dtype="<f4").reshape(shape)
    point = np.clip(datum + np.where(np.arange(datum.size).reshape(shape) % 3, 0.1, -0.1), 0, 1)
    one = {
        "index": 7,
        "label": 1,
        "prediction": 2,
        "stage": "mip(timeout=60)",
        "violation": 0.25,
        "reached": -0.125,
        "shape": list(shape),
        "datum": b64encode(datum.tobytes()).decode(),
        "point": b64encode(point.astype("<f4").tobytes()).decode(),
    }
    return {"task": title, "labels": labels, "shown": [one]}


def write_run(folder: Path, tasks: list[Any], shown: list[Any] = ()) -> Path:  # type: ignore[assignment]
    """Write the folder."""
    manifest = {
        "spec": "mnist.ibp",
        "target": "default",
        "tasks": len(tasks),
        "command": ["ibpc", "run", "mnist.ibp", "-p", "eps=1/10"],
        "parameters": {"eps": "1/10"},
        "overridden": ["eps"],
        "ibpc": "0.1.0",
        "packages": {"torch": "2.9"},
        "identity": "ab" * 32,
    }
    (folder / "spec").mkdir(parents=True)
    (folder / "spec" / "mnist.ibp").write_text(SPEC, encoding="utf-8")
    for name, value in (
        ("manifest.json", manifest),
        ("results.json", {"tasks": tasks}),
        ("counterexamples.json", {"tasks": list(shown)}),
    ):
        (folder / name).write_text(json.dumps(value), encoding="utf-8")
    for fit in sorted({one["fit"] for one in tasks}):
        place = folder / "fits" / fit
        place.mkdir(parents=True)
        (place / "metrics.jsonl").write_text(metrics(), encoding="utf-8")
        about = {"ibpc.seed": "0", "ibpc.steps": "2000", "device": "cpu", "seconds": 10.0}
        (place / "fit.json").write_text(json.dumps(about), encoding="utf-8")
    return folder
