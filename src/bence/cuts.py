"""Cutting an input into the cells that the questions of a rule tell apart."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .cells import Categories, Cells, Codes, Floats, Masks, Numbers, alike
from .interval import TOLERANCE
from .numbering import compact, distinct, look_up, smallest
from .tree import Answer, Test

ELSE = "…"
"""Any word that a rule does not ask for, where the categories are not listed."""


def number_cells(column: Numbers | None, tests: Iterable[Test]) -> Cells:
    """Cut a number at the thresholds of `tests`."""
    tests = list(tests)
    thresholds = tuple(sorted({float(test.at) for test in tests}))
    top = 2 * len(thresholds)
    if column is None:
        return Cells(None, *_ends(np.array([0]), np.array([top])), thresholds=thresholds)
    if column.alike:
        return _of_everybody(number_cells(column.first, tests))
    dtype = smallest((top + 1) ** 2)
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
    codes, seen = compact(first * dtype.type(top + 1) + last, (top + 1) ** 2)
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
    if alike(column.mask):
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


def met(cells: Cells) -> Cells:
    """The cells with the codes alone that are met, where there are fewer rows than codes."""
    if cells.codes is None or not 0 < len(cells.codes) < cells.count:
        return cells
    codes, old = compact(cells.codes, cells.count)
    own = cells.part(old)
    return Cells(codes, own.first, own.last, own.mask, own.thresholds, own.values)


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
        if cells.count == 1:
            return Cells(cells.codes, *_ends(first, last), thresholds=thresholds)
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
    if cells.count == 1:
        return Cells(cells.codes, mask=mask, values=classes)
    seen, merged = np.unique(mask, return_inverse=True)
    return Cells(_merged(cells, merged, len(seen)), mask=seen, values=classes)


def _merged(cells: Cells, merged: Codes, count: int) -> Codes | None:
    """The codes of the rows once codes are merged into fewer."""
    return None if cells.codes is None else look_up(merged.astype(smallest(max(count - 1, 0))), cells.codes)


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
