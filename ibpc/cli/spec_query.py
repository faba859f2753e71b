"""A claim of a spec as a query: the network's bytes, the unsafe set in the file's own units.

The maps of a network by reference are pulled into the property exactly, so that what is verified,
and what a witness is replayed on, is the file as it lies there. Several networks are merged first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ibpc.cli.vocabulary import vocabulary
from ibpc.language import Fit, OnnxNet, Product, check_claim, never_true_by_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ibpc.errors import Diagnostic
    from ibpc.exchange import Property
    from ibpc.language import AffineMap, AskedClaim

MOST_NAMED = 64
"""A witness of more inputs than this is not told input by input."""


@dataclass(frozen=True)
class SpecQuery:
    """What to ask the engine, and what is needed to tell its answer in the spec's words."""

    asked: AskedClaim
    data: bytes
    origin: str
    wanted: Property
    mapping: AffineMap | None

    def told(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """What the claim's verdict is, and the witness in the spec's units."""
        reached = {"sat": True, "unsat": False}.get(answer["verdict"])
        words = {True: "violated", False: "holds", None: "undecided"}
        if self.asked.claim.exists:
            words = {True: "holds", False: "violated", None: "undecided"}
        told: dict[str, Any] = {"claim": f"{self.asked.title}: {words[reached]}"}
        if reached:
            told["witness"] = list(self._named(answer["inputs"]))
        return told

    def vacuity(self) -> list[Diagnostic]:
        """That the claim cannot fail, where that is so; `ibpc check` tells the rest of its file."""
        network = self.asked.network
        kind = network.net.input if isinstance(network, Fit) else network.input
        if never_true_by_numbers(self.asked.claim, kind):
            return [one for one in self.asked.warnings if one.code == "W0612"]
        from ibpc.verification import Subject, vacuity_warnings

        subject = Subject(self.data, self.origin, self.asked.claim, kind, None, 1, "cpu")
        return list(vacuity_warnings(subject))

    def _named(self, values: Sequence[float]) -> Iterator[str]:
        """`rho = 1500.3 ft`, for each input of the spec."""
        from ibpc.exchange import back_to_spec

        if len(values) > MOST_NAMED:
            return
        own = back_to_spec(self.mapping, values)
        for (name, unit), value in zip(self.asked.inputs, own, strict=True):
            yield f"{name} = {value:.9g}{' ' if unit else ''}{unit}"


def spec_query(path: str, claim: str, parameters: Mapping[str, str]) -> SpecQuery:
    """The query of one claim of the spec at `path`.

    Raises: what `check_claim` raises; FileMistake where a network's file is absent.
    """
    from ibpc.exchange import claim_property, through_maps
    from ibpc.experiment import merged, reference, untrained

    asked = check_claim(path, vocabulary(), claim, parameters)
    network = asked.network
    assert isinstance(network, OnnxNet | Product)  # `check_claim` lets nothing else through
    kind = network.input
    wanted = claim_property(asked.claim, kind, [0.0] * kind.entries, 0)
    if isinstance(network, OnnxNet):
        own = through_maps(wanted, network.input_map, network.output_map)
        file = reference(network)
        return SpecQuery(asked, file.read_bytes(), str(file), own, network.input_map)
    parts = [untrained(one) for one in network.networks if isinstance(one, OnnxNet)]
    return SpecQuery(asked, merged(network, parts), network.name, wanted, None)
