"""What is known of an input for many patients, cut into the cells that a rule can tell apart.

The thresholds a rule asks for cut a number into cells: cell 2i is the gap below threshold i, cell 2i+1 the
threshold itself. What is known of a patient is a first and a last cell. The words a rule asks for sort the
categories into classes. Patients who share the cells of every input share a pattern, and a pattern is
solved once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .interval import TOLERANCE, Interval
from .tree import Answer, Test

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Masks = NDArray[np.uint64]
Codes = NDArray[Any]
Rows = NDArray[np.intp]

ELSE = "…"
"""Any word that a rule does not ask for, where the categories are not listed."""


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
        return all(end is None or _alike(end) for end in (self.lo, self.hi, self.lo_open, self.hi_open))

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
        return cls(bits[codes].astype(_smallest(2 ** len(names) - 1)), tuple(names))


Column = Numbers | Categories


def everybody(value: Any, n: int) -> NDArray[Any]:
    """A value for each of `n` rows that is kept, and cut into cells, only once."""
    return np.broadcast_to(np.asarray(value), n)


def _alike(array: NDArray[Any]) -> bool:
    return array.size > 1 and array.strides == (0,)


def _smallest(largest: int) -> np.dtype[Any]:
    return np.min_scalar_type(largest)


def look_up(table: NDArray[Any], codes: Codes) -> NDArray[Any]:
    """The entry of a table for each code, none of which lies outside: `table[codes]`, which takes twice as long."""
    return table.take(codes, mode="clip")


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
            return replace(self, codes=None, mask=self.mask[some])
        first, last = self.ends
        return replace(self, codes=None, first=first[some], last=last[some])

    def cut(self, test: Test) -> int:
        """The first cell for which the question has the reply yes."""
        return 2 * self.thresholds.index(float(test.at)) + (1 if test.op == ">=" else 2)

    def classes(self, test: Test) -> np.uint64:
        """The classes of values for which the question has the reply yes."""
        return np.uint64(sum(1 << i for i, values in enumerate(self.values) if test.passes(values[0])))


def number_cells(column: Numbers | None, tests: Iterable[Test]) -> Cells:
    """Cut a number at the thresholds of `tests`."""
    tests = list(tests)
    thresholds = tuple(sorted({float(test.at) for test in tests}))
    top = 2 * len(thresholds)
    if column is None:
        return Cells(None, *_ends(np.array([0]), np.array([top])), thresholds=thresholds)
    if column.alike:
        return _of_everybody(number_cells(column.first, tests))
    dtype = _smallest((top + 1) ** 2)
    first = _cell(column.lo, thresholds, dtype)
    if column.hi is None:
        first[np.isnan(column.lo)] = top + 1
        cells = np.arange(top + 1)
        return Cells(first, *_ends(np.append(cells, 0), np.append(cells, top)), thresholds=thresholds)
    last = _cell(column.hi, thresholds, dtype)
    if column.lo_open is not None:
        first += column.lo_open & (first & 1).astype(bool)
    if column.hi_open is not None:
        last -= column.hi_open & (last & 1).astype(bool)
    last[np.isnan(column.hi)] = top
    wrong = (column.lo > column.hi) | (first > last)
    if wrong.any():
        raise ValueError(f"row {int(np.argmax(wrong))}: the lower end is above the upper end")
    codes, seen = _compact(first * dtype.type(top + 1) + last, (top + 1) ** 2)
    return Cells(codes, *_ends(seen // (top + 1), seen % (top + 1)), thresholds=thresholds)


def _ends(first: Codes, last: Codes) -> tuple[Codes, Codes]:
    return first.astype(np.int16), last.astype(np.int16)


def _cell(values: Floats, thresholds: Sequence[float], dtype: np.dtype[Any]) -> Codes:
    cell = np.zeros(len(values), dtype=dtype)
    for at in thresholds:
        cell += values >= at - TOLERANCE
        cell += values > at + TOLERANCE
    return cell


def category_cells(column: Categories | None, tests: Iterable[Test], domain: Sequence[Answer] | None) -> Cells:
    """Sort the categories into the classes that `tests` tell apart.

    Raises ValueError for a name not in the domain.
    """
    asked = list(tests)
    names = column.names if column is not None else ()
    if domain is None:
        domain = tuple(dict.fromkeys((*names, *(test.at for test in asked), ELSE)))
    unexpected = [name for name in names if name not in domain]
    if unexpected:
        raise ValueError(f"{', '.join(unexpected)} is not possible; expected one of {', '.join(map(str, domain))}")
    classes = sort_values(domain, asked)
    everything = np.uint64((1 << len(classes)) - 1)
    if column is None:
        return Cells(None, mask=np.array([everything]), values=classes)
    if _alike(column.mask):
        return _of_everybody(category_cells(Categories(column.mask[:1], names), asked, domain))
    meaning = [[name in values for values in classes] for name in names]
    if len(names) <= 3:
        table = _table(meaning)
        return Cells(column.mask, mask=np.where(table == 0, everything, table), values=classes)
    translated = translate(column, meaning)
    return mask_cells(np.where(translated == 0, everything, translated), classes)


def _of_everybody(one: Cells) -> Cells:
    """The cells of one row, for all rows."""
    assert one.codes is not None
    return one.part(one.codes)


def coarser(cells: Cells, tests: Sequence[Test]) -> Cells:
    """Cells that tell apart only what some of the tests ask by which they were cut."""
    if cells.mask is None:
        thresholds = tuple(sorted({float(test.at) for test in tests}))
        if thresholds == cells.thresholds:
            return cells
        below = [2 * bisect_left(thresholds, at) for at in cells.thresholds]
        exact = [gap + (at in thresholds) for gap, at in zip(below, cells.thresholds, strict=True)]
        cell = np.array([each for pair in zip(below, exact, strict=True) for each in pair] + [2 * len(thresholds)])
        first, last = (cell[ends] for ends in cells.ends)
        _, some, merged = np.unique(first * len(cell) + last, return_index=True, return_inverse=True)
        ends = dict(zip(("first", "last"), _ends(first[some], last[some]), strict=True))
        return Cells(_merged(cells, merged, len(some)), **ends, thresholds=thresholds)
    classes = sort_values([value for values in cells.values for value in values], tests)
    if len(classes) == len(cells.values):
        return cells
    mask = np.zeros(len(cells.mask), dtype=np.uint64)
    for i, values in enumerate(cells.values):
        (bit,) = (np.uint64(1 << j) for j, members in enumerate(classes) if values[0] in members)
        mask |= np.where(cells.mask >> np.uint64(i) & np.uint64(1) == 1, bit, np.uint64(0))
    seen, merged = np.unique(mask, return_inverse=True)
    return Cells(_merged(cells, merged, len(seen)), mask=seen, values=classes)


def _merged(cells: Cells, merged: Codes, count: int) -> Codes | None:
    """The codes of the rows once codes are merged into fewer."""
    return None if cells.codes is None else look_up(merged.astype(_smallest(max(count - 1, 0))), cells.codes)


def sort_values(values: Iterable[Answer], tests: Sequence[Test]) -> tuple[tuple[Answer, ...], ...]:
    """The values in classes whose members have the same replies."""
    classes: dict[tuple[bool, ...], tuple[Answer, ...]] = {}
    for value in values:
        replies = tuple(test.passes(value) for test in tests)
        classes[replies] = (*classes.get(replies, ()), value)
    return tuple(classes.values())


def translate(column: Categories, meaning: Sequence[Sequence[bool]]) -> Masks:
    """The mask of what the names of a column mean: `meaning[i][j]` if name i stands for bit j."""
    if len(meaning) <= 12:
        return look_up(_table(meaning), column.mask)
    mask = np.zeros(len(column.mask), dtype=np.uint64)
    for i, bit in enumerate(_bits(meaning)):
        mask |= np.where((column.mask >> column.mask.dtype.type(i)) & column.mask.dtype.type(1), bit, np.uint64(0))
    return mask


def _bits(meaning: Sequence[Sequence[bool]]) -> list[np.uint64]:
    return [np.uint64(sum(1 << j for j, is_meant in enumerate(row) if is_meant)) for row in meaning]


def _table(meaning: Sequence[Sequence[bool]]) -> Masks:
    """What every possible mask means."""
    table = np.zeros(1 << len(meaning), dtype=np.uint64)
    for i, bit in enumerate(_bits(meaning)):
        table[(np.arange(len(table)) >> i) & 1 == 1] |= bit
    return table


def mask_cells(mask: Masks, values: tuple[tuple[Answer, ...], ...], rows: Codes | None = None) -> Cells:
    """Cells from a mask of classes for each row, or for each group if `rows` tells the group of each row."""
    codes, seen = distinct(mask, len(values))
    return Cells(codes if rows is None else look_up(codes, rows), mask=seen, values=values)


def distinct(mask: Masks, bits: int) -> tuple[Codes, Masks]:
    """Number the masks that occur: the number of each row's mask, and the masks."""
    if bits <= 20:
        codes, seen = _compact(mask.astype(np.int32), 1 << bits)
        return codes, seen.astype(np.uint64)
    seen, codes = np.unique(mask, return_inverse=True)
    return codes, seen


def _compact(codes: Codes, count: int) -> tuple[Codes, Codes]:
    """Number the codes that occur: the new code of each row, and the old code of each new one."""
    codes = codes.astype(np.intp, copy=False)  # what NumPy would do twice
    seen = np.zeros(count, dtype=bool)
    seen[codes] = True
    old = np.flatnonzero(seen)
    new = np.zeros(count, dtype=_smallest(max(len(old) - 1, 0)))
    new[old] = np.arange(len(old))
    return look_up(new, codes), old


def patterns(inputs: Iterable[Cells], n: int) -> tuple[Codes, list[Codes]]:
    """The pattern of each row, and for each input its code in each pattern."""
    inputs = list(inputs)
    key, count = np.zeros(n, dtype=np.uint8), 1
    steps: list[tuple[int, Codes]] = []  # what was packed into the key: an input (by its place), or -1 and the old keys
    for i, cells in enumerate(inputs):
        if cells.codes is None or cells.count == 1:
            continue
        if count * cells.count > max(4 * n, 1 << 16):
            key, seen = _compact(key, count)
            count = len(seen)
            steps.append((-1, seen))
        count *= cells.count
        key = key.astype(_smallest(count), copy=False)
        key *= key.dtype.type(cells.count)
        key += cells.codes.astype(key.dtype, copy=False)
        steps.append((i, np.array([cells.count])))
    rows, left = _compact(key, count)
    codes = [np.zeros(len(left), dtype=np.intp) for _ in inputs]
    for i, step in reversed(steps):
        if i < 0:
            left = step[left]
        else:
            left, codes[i] = np.divmod(left, step[0])
    return rows, codes


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
