"""Axes of shapes: counted from the end, kept apart from the batch axis, numbers that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibpc.ops.record import ShapeMistake, Unsupported

if TYPE_CHECKING:
    from ibpc.ops.record import Shape, Site


def operand(site: Site, position: int) -> Shape:
    """The shape of an operand that must be there.

    Raises: ShapeMistake where it is absent.
    """
    shape = site.shapes[position] if position < len(site.shapes) else None
    if shape is None:
        raise ShapeMistake(f"{site.op} lacks operand {position}")
    return shape


def varies(site: Site, position: int) -> bool:
    """Whether the operand is present and not a constant."""
    return (
        position < len(site.shapes)
        and site.shapes[position] is not None
        and (position >= len(site.values) or site.values[position] is None)
    )


def counted(axis: int, rank: int, op: str) -> int:
    """The axis as a number from 0; negative ones count from the end.

    Raises: ShapeMistake where there is no such axis.
    """
    if not -rank <= axis < rank:
        raise ShapeMistake(f"{op} names axis {axis} of a value with {rank} axes")
    return axis % rank


def numbers(value: Any) -> tuple[Any, ...]:
    """The numbers of a constant, row-major: of an array, a nested sequence or a single number."""
    if hasattr(value, "reshape"):
        return tuple(value.reshape(-1).tolist())
    if isinstance(value, (list, tuple)):
        return tuple(number for part in value for number in numbers(part))
    return (value,)


def known(site: Site, position: int) -> tuple[Any, ...] | None:
    """The numbers of a constant operand; None where it is absent.

    Raises: Unsupported where the operand depends on the input.
    """
    if position >= len(site.shapes) or site.shapes[position] is None:
        return None
    if varies(site, position):
        raise Unsupported(
            f"{site.op} takes operand {position} from the network's input; "
            "ibpc needs a constant there, so fold it before export"
        )
    return numbers(site.values[position])


def keep_batch(site: Site, out: Shape) -> Shape:
    """The output's shape, once it is sure that its axis 0 is still the batch axis.

    Raises: Unsupported where it is not.
    """
    if any(varies(site, position) for position in range(len(site.shapes))) and out[:1] != (1,):
        raise Unsupported(
            f"{site.op} gives shape {out}, which mixes the examples of a batch (axis 0); "
            "keep axis 0 as it is"
        )
    return out
