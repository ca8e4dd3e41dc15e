"""What is known of an input for many patients, cut into the cells that a rule can tell apart.

The thresholds a rule asks for cut a number into cells: cell 2i is the gap below threshold i, cell 2i+1 the
threshold itself. What is known of a patient is a first and a last cell. The words a rule asks for sort the
categories into classes. Patients who share the cells of every input share a pattern, and a pattern is
solved once. (The cutting is in `cuts`, the numbering of patterns in `numbering`.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .interval import Interval
from .numbering import smallest
from .tree import Answer, Test

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Masks = NDArray[np.uint64]
Codes = NDArray[Any]
Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Numbers:
    """A number for each patient: between `lo` and `hi` (exactly `lo` if there is no `hi`); NaN is unknown."""

    lo: Floats
    hi: Floats | None = None
    lo_open: Bools | None = None
    hi_open: Bools | None = None

    @property
    def exact(self) -> bool:
        """True if every value is known exactly or not at all."""
        return self.hi is None

    @property
    def alike(self) -> bool:
        """True if it was made by `everybody`: the first row stands for all."""
        return all(end is None or alike(end) for end in (self.lo, self.hi, self.lo_open, self.hi_open))

    @property
    def first(self) -> Numbers:
        """The first row alone."""
        return self.each(lambda end: end[:1])

    def each(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Numbers:
        """The same with every array changed."""
        return Numbers(*(end if end is None else change(end) for end in (self.lo, self.hi, self.lo_open, self.hi_open)))  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Categories:
    """A category for each patient: bit i of `mask` is set if `names[i]` is possible; no bit is unknown."""

    mask: Codes
    names: tuple[str, ...]

    @classmethod
    def of(cls, codes: Codes, names: Sequence[str]) -> Categories:
        """From the position of the category in `names`, -1 if unknown."""
        bits = np.append(np.uint64(1) << np.arange(len(names), dtype=np.uint64), np.uint64(0))
        return cls(bits[codes].astype(smallest(2 ** len(names) - 1)), tuple(names))


Column = Numbers | Categories


def everybody(value: Any, n: int) -> NDArray[Any]:
    """A value for each of `n` rows that is kept, and cut into cells, only once."""
    return np.broadcast_to(np.asarray(value), n)


def alike(array: NDArray[Any]) -> bool:
    """True if the array was made by `everybody`."""
    return array.size > 1 and array.strides == (0,)


@dataclass(frozen=True, eq=False)
class Cells:
    """One input in cells: `codes` for each row (None: all rows alike), and for each code what is possible.

    Of a number that is `first` and `last` cell; of a category the `mask` of the classes of `values`.
    """

    codes: Codes | None
    first: Codes | None = None
    last: Codes | None = None
    mask: Masks | None = None
    thresholds: tuple[float, ...] = ()
    values: tuple[tuple[Answer, ...], ...] = ()

    @property
    def count(self) -> int:
        """How many codes there are."""
        codes = self.mask if self.mask is not None else self.first
        return 1 if codes is None else len(codes)

    @property
    def ends(self) -> tuple[Codes, Codes]:
        """First and last cell of a number."""
        assert self.first is not None
        assert self.last is not None
        return self.first, self.last

    @property
    def classes_left(self) -> Masks:
        """The mask of a category."""
        assert self.mask is not None
        return self.mask

    def part(self, some: Codes) -> Cells:
        """Some of the codes, with what is possible spelled out for each."""
        if self.mask is not None:
            return Cells(None, mask=self.mask[some], values=self.values)
        first, last = self.ends
        return Cells(None, first[some], last[some], thresholds=self.thresholds)

    def cut(self, test: Test) -> int:
        """The first cell for which the question has the reply yes."""
        return 2 * self.thresholds.index(float(test.at)) + (1 if test.op == ">=" else 2)

    def classes(self, test: Test) -> np.uint64:
        """The classes of values for which the question has the reply yes."""
        return np.uint64(sum(1 << i for i, values in enumerate(self.values) if test.passes(values[0])))


def bounds(column: Numbers | None, domain: Interval, rows: Rows) -> tuple[Any, ...]:
    """lo, hi, lo_open, hi_open for some rows, no wider than the domain."""
    ends = (domain.lo, domain.hi, domain.lo_open, domain.hi_open)
    if column is None:
        return tuple(np.full(len(rows), end) for end in ends)
    lo = column.lo[rows]
    if column.hi is None:
        unknown = np.isnan(lo)
        return (
            np.where(unknown, domain.lo, lo), np.where(unknown, domain.hi, lo),
            unknown & domain.lo_open, unknown & domain.hi_open,
        )  # fmt: skip
    hi = column.hi[rows]
    lo_open = np.zeros(len(lo), bool) if column.lo_open is None else column.lo_open[rows]
    hi_open = np.zeros(len(lo), bool) if column.hi_open is None else column.hi_open[rows]
    below, above = ~(lo > domain.lo) & ~(hi < domain.lo), ~(hi < domain.hi) & ~(lo > domain.hi)
    return (
        np.where(below, domain.lo, lo), np.where(above, domain.hi, hi),
        np.where(below & (lo != domain.lo), domain.lo_open, lo_open),
        np.where(above & (hi != domain.hi), domain.hi_open, hi_open),
    )  # fmt: skip
