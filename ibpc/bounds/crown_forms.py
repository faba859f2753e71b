"""Linear forms of the input carried forward, where few inputs vary: cheap bounds before CROWN's.

With t in [-1, 1] for each varying input (x = centre + radius t), every value z is kept between

    lower . t + low - error  <=  z  <=  upper . t + high + error

An affine layer maps centre and radius of the two forms as it maps those of an interval, since
W+ u + W- l = W (u + l) / 2 + |W| (u - l) / 2; a bent one takes its lines. `error` grows by what
each step rounds: gamma_n times the moduli of all that is summed, as in `crown_backward`.

Source: Wang et al. 2018, arXiv:1809.08098 (symbolic intervals with a form for each
side), with the lines of each operator's relaxation in place of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import torch

from ibpc.domains import Interval, Lines
from ibpc.rounding import NO_WIDTH

if TYPE_CHECKING:
    from torch import Tensor

    from ibpc.bounds.crown_backward import Box, Frame
    from ibpc.bounds.crown_plan import Step


@dataclass(frozen=True)
class Form:
    """The two sides of a value; the last entry of axis 1 holds the constants.

    Shapes: lower, upper (batch, inputs + 1, *dims); error (batch, *dims).
    """

    lower: Tensor
    upper: Tensor
    error: Tensor

    def reach(self) -> Tensor:
        """The moduli of all that a side adds up.  Shape: (batch, *dims)."""
        return torch.maximum(self.lower.abs().sum(1), self.upper.abs().sum(1))

    def box(self, gamma: float) -> Box:
        """The bounds of the value."""
        spare = self.error + self.reach() * gamma
        lowest = self.lower[:, -1] - self.lower[:, :-1].abs().sum(1) - spare
        highest = self.upper[:, -1] + self.upper[:, :-1].abs().sum(1) + spare
        return lowest, highest


class Forms:
    """The forms of all values so far, for one frame; `inputs` are the flat inputs that vary."""

    def __init__(self, frame: Frame, inputs: Tensor) -> None:
        self._frame = frame
        self._count = len(inputs)
        name = frame.plan.input
        box = frame.interval(name)
        center, radius = (side.reshape(frame.batch, -1) for side in (box.center, box.radius))
        form = center.new_zeros(frame.batch, self._count + 1, center.shape[1])
        place = torch.arange(self._count, device=inputs.device)
        form[:, place, inputs] = radius[:, inputs]
        form[:, -1] = center
        # What does not vary may still have the width of its own rounding.
        rest = radius.clone()
        rest[:, inputs] = 0.0
        shape = box.center.shape[1:]
        form = form.reshape(*form.shape[:2], *shape)
        self._forms = {name: Form(form, form, rest.reshape(-1, *shape))}

    def advance(self, step: Step) -> dict[str, Box]:
        """Add the forms of a step's outputs, and give the bounds that follow."""
        found = self._affine(step) if step.kind == "affine" else self._bent(step)
        self._forms.update(found)
        gamma = self._frame.gamma(self._count)
        return {name: form.box(gamma) for name, form in found.items()}

    def _affine(self, step: Step) -> dict[str, Form]:
        """All parts of the forms in one pass of the interval rule, as so many examples."""
        frame, count = self._frame, self._count + 1
        boxes = {}
        for name in step.inputs:
            form = self._forms[name]
            center, half = (form.upper + form.lower) / 2, (form.upper - form.lower) / 2
            zero = torch.zeros_like(form.error).unsqueeze(1)
            center = torch.cat([center, zero, zero], 1).flatten(0, 1)
            sizes = (form.error.unsqueeze(1), form.reach().unsqueeze(1))
            radius = torch.cat([half, *sizes], 1).flatten(0, 1)
            boxes[name] = Interval.from_center(center, radius)
        given = {key: value.repeat_interleave(count + 2, 0) for key, value in frame.given.items()}
        images = step.interval({**given, **boxes})
        gamma = frame.gamma(sum(prod(frame.plan.values[name][1:]) for name in step.inputs))
        return {
            name: self._sides(image, gamma, frame.offset(step, place))
            for place, (name, image) in enumerate(zip(step.node.outputs, images, strict=False))
        }

    def _sides(self, image: Interval, gamma: float, offset: tuple[Tensor, Tensor] | None) -> Form:
        """The image taken apart again; the layer's constant belongs to the constants alone.

        `offset`: the constant's box, whose radius is what the constant itself rounds.
        """
        count = self._count + 1
        center = image.center.unflatten(0, (-1, count + 2))
        radius = image.radius.unflatten(0, (-1, count + 2))
        constant = center[:, count : count + 1]
        slopes = center[:, : count - 1] - constant
        center = torch.cat([slopes, center[:, count - 1 : count]], 1)
        error, reach = radius[:, count], radius[:, count + 1]
        error = error + (reach + constant[:, 0].abs() * (count + 4)) * (2 * gamma)
        if offset is not None:
            error = error + offset[1][:, 0] * (count + 1)
        return Form(center - radius[:, :count], center + radius[:, :count], error)

    def _bent(self, step: Step) -> dict[str, Form]:
        """By the lines of a relaxation of one operand; else the boxes at hand, as constants."""
        lines = self._frame.relaxation(step) if step.kind == "bent" else None
        if not isinstance(lines, Lines):
            return {name: self._constant(name) for name in step.node.outputs}
        form, low, high = self._forms[step.inputs[0]], lines.slope_lower, lines.slope_upper
        lower = low * torch.where(low >= 0, form.lower, form.upper)
        upper = high * torch.where(high >= 0, form.upper, form.lower)
        for side, offset in ((lower, lines.offset_lower), (upper, lines.offset_upper)):
            if offset is not None:
                side[:, -1] += offset[:, 0]
        steepest = torch.maximum(low.abs(), high.abs())[:, 0]
        gamma = self._frame.gamma(lines.terms)
        error = steepest * form.error * (1 + gamma)
        error = error + lines.sizes(form.reach() + form.error)[:, 0] * gamma
        return {step.node.outputs[0]: Form(lower, upper, error)}

    def _constant(self, name: str) -> Form:
        low, high = self._frame.boxes[name]
        zeros = low.new_zeros(low.shape[0], self._count, *low.shape[1:])
        lower, upper = (torch.cat([zeros, side.unsqueeze(1)], 1) for side in (low, high))
        return Form(lower, upper, torch.zeros_like(low))


def forms_of(frame: Frame, most: int) -> Forms | None:
    """Forms where at most `most` inputs vary over any of the boxes, else None.

    A width that comes from rounding decimals is covered, and makes no input vary.
    """
    lower, upper = (side.reshape(frame.batch, -1) for side in frame.boxes[frame.plan.input])
    size = torch.maximum(lower.abs(), upper.abs())
    inputs = (upper - lower > NO_WIDTH * size).any(0).nonzero().flatten()
    return Forms(frame, inputs) if len(inputs) <= most else None
