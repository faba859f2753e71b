"""What `ibpc compile` writes: everything that a spec's networks compile to, byte for byte alike.

build/mnist/
manifest.json           sha256 of every file
small/model.onnx        the network, with the initial weights of its recipe's seed
small/graph.txt         the IR as it is lowered (graphs/NN-pass.txt after each pass, if asked)
small/robust/claim.json C and d of the claim for each label, and the claim in words
small/robust/bounds.py  the interval program of the claim, and its weights bounds.pt
small/robust/instance.lp  the MILP of one instance, for nets below 10,000 hidden units
small/robust/instance.vnnlib, instance-2.vnnlib  that instance as VNN-LIB 1.0 and 2.0; of a claim
                        that needs no datum the claim itself: claim.vnnlib, claim-2.vnnlib
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ibpc.bounds import Weights, lower_violation, value_bounds, write_source
from ibpc.claims import append_claim, claim_rows
from ibpc.exchange import claim_property, write_vnnlib1, write_vnnlib2
from ibpc.experiment.networks import reference
from ibpc.graph import attach_maps, emit, load_onnx, product_graph, save_bytes, write_onnx
from ibpc.language import Claim, DeclaredNet, Fit, InputSet, Product, Symbol, canonical
from ibpc.milp import encode, write_lp
from ibpc.passes import elide, prepare
from ibpc.sets import outer_box

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

    from ibpc.graph import Graph
    from ibpc.language import Net, Program

LP_HIDDEN = 10_000
"""Hidden units up to which one instance's MILP is written out."""

BOXES = ("ball", "box", "domain")
"""Sets whose instance is written: around the middle of the domain, others may be empty."""

LP_LABEL = 0
LP_EPS = 1 / 255
"""Radius of the written instance where the claim's own is a schedule."""


@dataclass(frozen=True)
class Compiled:
    """One network, and the claims on it.

    `seeds` has for each network the seed and initialiser of the first recipe that trains it.
    `claims`: those that differ in their input set alone (the radius) stand together, since one
    bound program serves them all.
    """

    net: Net | Product
    seeds: Mapping[str, tuple[int, str]]
    claims: tuple[tuple[Claim, ...], ...]


def compile_program(program: Program, folder: Path, every_pass: bool) -> list[Path]:
    """Compile every network that the spec declares or its targets use; gives the files' paths."""
    for item in compiled_nets(program):
        _compile_net(item, folder / item.net.name, every_pass)
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json"
    )
    hashes = {str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest() for p in files}
    save_bytes(folder / "manifest.json", _json({"files": hashes}))
    return [*files, folder / "manifest.json"]


def compiled_nets(program: Program) -> list[Compiled]:
    """The networks of a program, each once, with the distinct claims that targets make on it."""
    seeds: dict[str, tuple[int, str]] = {}
    nets: dict[str, Net | Product] = dict(program.nets)
    claims: dict[str, dict[str, dict[str, Claim]]] = {}
    for target in program.targets.values():
        for task in target.tasks:
            network = task if isinstance(task, Fit) else task.network
            parts = network.networks if isinstance(network, Product) else (network,)
            for part in parts:
                if isinstance(part, Fit):
                    seeds.setdefault(part.net.name, (part.seed, part.initialiser.word))
            net = network.net if isinstance(network, Fit) else network
            nets.setdefault(net.name, net)
            if task.claim is not None:
                rows = canonical(replace(task.claim, set=InputSet("domain")))
                found = claims.setdefault(net.name, {}).setdefault(rows, {})
                found.setdefault(canonical(task.claim.set), task.claim)
    return [
        Compiled(
            net,
            seeds,
            tuple(tuple(same.values()) for same in claims.get(name, {}).values()),
        )
        for name, net in nets.items()
    ]


def _compile_net(item: Compiled, folder: Path, every_pass: bool) -> None:
    """The network's own files, then those of each claim."""
    graph = _initial(item.net, item.seeds)
    save_bytes(folder / "model.onnx", write_onnx(graph))
    texts: list[tuple[str, str]] = []
    ready = prepare(graph, "evaluation", trace=lambda name, text: texts.append((name, text)))
    save_bytes(folder / "graph.txt", texts[-1][1].encode())
    if every_pass:
        for number, (name, text) in enumerate(texts):
            stem = f"{number:02}-{name.replace(' ', '-')}"
            save_bytes(folder / "graphs" / f"{stem}.txt", text.encode())
    names: set[str] = set()
    for claims in item.claims:
        name = claims[0].name
        name = name if name not in names else f"{name}_{len(names) + 1}"
        names.add(name)
        _compile_claim(item, claims, ready, folder / name)


def _initial(network: Fit | Net | Product, seeds: Mapping[str, tuple[int, str]]) -> Graph:
    """The network before any training."""
    net = network.net if isinstance(network, Fit) else network
    if isinstance(net, Product):
        return product_graph(net, [_initial(part, seeds) for part in net.networks])
    if isinstance(net, DeclaredNet):
        return emit(net, *seeds.get(net.name, (0, "orthogonal")))
    return attach_maps(load_onnx(reference(net)), net.input_map, net.output_map)


def _compile_claim(item: Compiled, claims: tuple[Claim, ...], ready: Graph, folder: Path) -> None:
    """The claim in numbers, its bound program as source, and one instance as a MILP."""
    claim = claims[0]
    save_bytes(folder / "claim.json", _json(claim_facts(claims)))
    claimed = elide(append_claim(ready, claim))
    module = lower_violation(claimed, Weights(claimed))
    note = f"Network {item.net.name}; the claim, on every point of the box:\n\n    {claim.text}"
    write_source(module, folder, "bounds", note)
    box = claim.set.kind in BOXES
    if box:
        _write_properties(item, claim, folder)
    if box and isinstance(item.net, DeclaredNet) and item.net.hidden < LP_HIDDEN:
        _write_instance(item, claim, append_claim(ready, claim), folder / "instance.lp")


def claim_facts(claims: tuple[Claim, ...]) -> dict[str, Any]:
    """A claim as data: its words, its sets, and the rows of C z + d <= 0 (Eq. 2)."""
    claim = claims[0]
    facts: dict[str, Any] = {
        "claim": claim.text,
        "sense": "C z + d < 0" if claim.strict else "C z + d <= 0",
        "sets": [json.loads(canonical(one.set)) for one in claims],
    }
    if claim.argmax:
        facts["rows"] = f"z[k] - z[y] for every k != y, of {claim.size} classes (Eq. 3)"
        return facts
    rows = [claim_rows(claim, label) for label in range(len(claim.rows))]
    facts["rows"] = [{"C": matrix.tolist(), "d": offset.tolist()} for matrix, offset in rows]
    if claim.clauses:
        facts["clauses"] = claim.clauses
        facts["meaning"] = "of each clause at least one of its rows holds"
    if claim.inputs:
        facts["columns"] = f"{claim.size} outputs, then {claim.inputs} inputs"
    if claim.exists:
        facts["reached"] = "the rows are those of the negation: what violates them is claimed"
    return facts


def _write_instance(item: Compiled, claim: Claim, graph: Graph, path: Path) -> None:
    """The MILP of the first row (or clause), around the middle of the input's domain, label 0."""
    lower, upper = _middle_box(item, claim)
    bounds = value_bounds(graph, lower[None], upper[None])
    encoding = encode(graph, LP_LABEL, lower, upper, bounds)
    if claim.clauses:
        encoding = replace(encoding, clauses=claim.clauses_of(LP_LABEL))
    write_lp(encoding, 0, str(path))


def _write_properties(item: Compiled, claim: Claim, folder: Path) -> None:
    """The claim as VNN-LIB 1.0 and 2.0 over `model.onnx`; around a datum, as for the MILP."""
    middle = _middle(item)
    eps = Fraction(1, 255) if isinstance(claim.set.eps, Symbol) else None
    wanted = claim_property(claim, item.net.input, middle.reshape(-1).tolist(), LP_LABEL, eps)
    stem = "instance" if claim.set.kind == "ball" else "claim"
    save_bytes(folder / f"{stem}.vnnlib", write_vnnlib1(wanted).encode())
    save_bytes(folder / f"{stem}-2.vnnlib", write_vnnlib2(wanted).encode())


def _middle_box(item: Compiled, claim: Claim) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    kind, middle = item.net.input, _middle(item)
    if not isinstance(claim.set.eps, Symbol):
        return outer_box(claim.set, kind, middle)
    return middle.astype(np.float64) - LP_EPS, middle.astype(np.float64) + LP_EPS


def _middle(item: Compiled) -> np.ndarray:
    """The datum in the middle of the input's domain, as float32."""
    import numpy as np

    kind = item.net.input
    domain = kind.domain or ((Fraction(0), Fraction(0)),)
    halves = [float(low + high) / 2 for low, high in domain]
    return np.broadcast_to(np.array(halves, dtype=np.float32), kind.entries).reshape(kind.shape)


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()
