"""Cross-entropy, on logits and on worst-case logits.

Source: Gowal et al. 2019, Eq. 10 to 12. We differ in never forming the worst-case logits: with
margins m_k = upper bound of z_k - z_y their cross-entropy is that of (m, 0), which also holds
where the last layer is elided and no worst-case logits exist (Eq. 9).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.training.records import Loss
from ibpc.training.rows import ROW_SLOTS

if TYPE_CHECKING:
    from collections.abc import Mapping


def over_logits(logits: Any, label: Any, _: Mapping[str, Any]) -> Any:
    """Mean of log sum_k exp(z_k - z_y).

    Shapes: logits (batch, n), label (batch,) int64; the result is a scalar in nats.
    """
    import torch

    return torch.nn.functional.cross_entropy(logits, label)


def over_worst(margins: Any, _: Any, __: Mapping[str, Any]) -> Any:
    """Mean of log(1 + sum_{k != y} exp(m_k)), the cross-entropy of the worst-case logits.

    Shapes: margins (batch, n - 1), upper bounds of z_k - z_y; the result is a scalar in nats.
    Source: Gowal et al. 2019, Eq. 10 and the second term of Eq. 12.
    """
    import torch

    return torch.nn.functional.softplus(torch.logsumexp(margins, dim=1)).mean()


LOSS = Loss(
    word="xent",
    slots=ROW_SLOTS,
    doc="cross-entropy of the logits, of attacked ones, or of the worst-case logits",
    source="Gowal et al. 2019, Eq. 12",
    forms={"logits": over_logits, "attacked": over_logits, "worst": over_worst},
)
