"""A quantity: plain arithmetic on inputs, known as far as its inputs are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .interval import Interval

if TYPE_CHECKING:
    from .rulebook import Rulebook

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Bounds = tuple[Floats, Floats, Bools, Bools]
"""lo, hi, lo_open, hi_open: one interval a row."""

NEARLY_ZERO, NEARLY_INFINITE = 1e-300, 1e300


@dataclass(frozen=True, eq=False)
class Quantity:
    """Arithmetic that is monotone in every argument; called with numbers or arrays it is the function."""

    name: str
    function: Callable[..., Any]
    needs: tuple[str, ...]
    unit: str
    source: str
    label: str
    zh: str
    domain: Interval
    book: Rulebook = field(repr=False)

    def __call__(self, *known: Any, **named: Any) -> Any:
        """The plain function."""
        return self.function(*known, **named)

    def __str__(self) -> str:
        """Its name."""
        return self.name

    def interval(self, inputs: Sequence[Interval]) -> Interval:
        """What is known of the quantity for one patient."""
        return _interval(self, tuple(inputs))

    def bounds(self, inputs: Sequence[Bounds]) -> Bounds:
        """What is known of the quantity for many patients: the least and the greatest value over the corners.

        An end is open if every corner that gives it uses an open end. Where a corner has no value (0/0,
        inf/inf) and no limit, the whole domain is left.
        """
        corners = (self._corner(inputs, ends) for ends in product((0, 1), repeat=len(inputs)))
        lo, lo_open = next(corners)
        hi, hi_open = lo, lo_open
        for value, is_open in corners:
            lo, lo_open = _further(np.less, lo, lo_open, value, is_open)
            hi, hi_open = _further(np.greater, hi, hi_open, value, is_open)
        apart = lo != hi
        return self._within_domain(lo, hi, lo_open & apart, hi_open & apart)

    def _corner(self, inputs: Sequence[Bounds], ends: Sequence[int]) -> tuple[Floats, Bools]:
        at: list[Floats] = []
        is_open: list[Bools] = []
        for (lo, hi, lo_open, hi_open), end in zip(inputs, ends, strict=True):
            at.append(hi if end else lo)
            is_open.append((hi_open if end else lo_open) | np.isinf(at[-1]))
        with np.errstate(all="ignore"):
            value = np.asarray(self.function(*at), dtype=np.float64)
            none = np.flatnonzero(np.isnan(value))
            none = none[np.sum([each[none] for each in is_open], axis=0) == 1]
            if none.size:
                value[none] = self.function(*(_just_inside(x[none], o[none], end) for x, o, end in zip(at, is_open, ends, strict=True)))
        return value, np.logical_or.reduce(is_open)

    def _within_domain(self, lo: Floats, hi: Floats, lo_open: Bools, hi_open: Bools) -> Bounds:
        domain = self.domain
        below = ~(lo > domain.lo) & ~(hi < domain.lo)
        above = ~(hi < domain.hi) & ~(lo > domain.hi)
        return (
            np.where(below, domain.lo, lo),
            np.where(above, domain.hi, hi),
            np.where(below & ~(lo == domain.lo), domain.lo_open, lo_open),
            np.where(above & ~(hi == domain.hi), domain.hi_open, hi_open),
        )


def _further(
    beyond: Callable[[Floats, Floats], Bools], end: Floats, end_open: Bools, value: Floats, is_open: Bools
) -> tuple[Floats, Bools]:
    """The further of an end and the value of another corner (NaN if either is); it is open if nothing that gives it is closed."""
    replaced = beyond(value, end) | np.isnan(value)
    end_open = np.where(replaced, is_open, end_open & (is_open | (value != end)))
    return np.where(replaced, value, end), end_open


@lru_cache(maxsize=4096)  # a tree of reasons asks for the same quantity again and again
def _interval(quantity: Quantity, inputs: tuple[Interval, ...]) -> Interval:
    known = [(np.array([i.lo]), np.array([i.hi]), np.array([i.lo_open]), np.array([i.hi_open])) for i in inputs]
    lo, hi, lo_open, hi_open = quantity.bounds(known)
    return Interval(float(lo[0]), float(hi[0]), bool(lo_open[0]), bool(hi_open[0]))


def _just_inside(at: Floats, is_open: Bools, end: int) -> Floats:
    """An open end at zero or infinity, replaced by a number beside it."""
    beside = np.where(np.isinf(at), np.sign(at) * NEARLY_INFINITE, at + (NEARLY_ZERO, -NEARLY_ZERO)[end])
    return np.where(is_open, beside, at)
