"""The answers of one rule for a cohort, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .cells import Bools, Codes, Masks, Rows
from .numbering import distinct, look_up
from .tree import Answer
from .walk import NOTHING, Kinds, Walk

if TYPE_CHECKING:
    from .solve import Cohort


@dataclass(frozen=True, eq=False)
class Solved:
    """The answers of one rule for every patient.

    Rows share patterns of what is known: `rows` gives the pattern of each row. Masks have bit i for
    `answers[i]` or for `inputs[i]`.
    """

    name: str
    answers: tuple[Answer, ...]
    inputs: tuple[str, ...]
    rows: Codes
    parts: Mapping[str, Solved] = field(repr=False)
    walk: Walk = field(repr=False)
    cohort: Cohort = field(repr=False)

    @property
    def answer(self) -> NDArray[np.int16]:
        """The position of the answer in `answers`, -1 where several are left."""
        return look_up(_only(self.pattern_possible), self.rows)

    @property
    def possible(self) -> Masks:
        """The answers that are left."""
        return look_up(self.pattern_possible, self.rows)

    @property
    def conflict(self) -> Bools:
        """True where a recorded answer cannot be, given the values; there the derived answer stands."""
        return look_up(self.walk.conflict, self.rows)

    @cached_property
    def missing(self) -> Masks:
        """The inputs that can still change the answer."""
        bits = {name: np.uint64(1 << i) for i, name in enumerate(self.inputs)}
        missing = np.zeros(len(self.rows), dtype=np.uint64)
        several = np.flatnonzero(self.answer < 0)
        missing[several] = self._missing(None, several, bits)
        for name in self.cohort.book.quantities.keys() & bits.keys():
            rows = np.flatnonzero(missing & bits[name])
            unsure = np.zeros(len(rows), dtype=np.uint64)
            for need, where in self.cohort.unsure_of(name, rows):
                unsure |= np.where(where, bits[need], NOTHING)
            missing[rows] = np.where(unsure == 0, missing[rows], missing[rows] & ~bits[name] | unsure)
        return missing

    @property
    def pattern_possible(self) -> Masks:
        """The answers that are left for each pattern."""
        return self.walk.possible

    def answer_words(self) -> tuple[NDArray[np.int16], list[str]]:
        """For each row the position of its answer in a list of words, -1 where several are left."""
        return self.answer, [written(answer) for answer in self.answers]

    def possible_words(self) -> tuple[Codes, list[str]]:
        """For each row the position of its set of answers (`II|III`) in a list; -1: there is one answer."""
        codes, masks = distinct(self.pattern_possible, len(self.answers))
        codes = np.where(_only(self.pattern_possible) < 0, codes.astype(np.int32), -1)
        return look_up(codes, self.rows), spelled(masks, [written(answer) for answer in self.answers])

    def missing_words(self) -> tuple[Codes, list[str]]:
        """For each row the position of the inputs that matter (`b2m|albumin`) in a list; -1: none does."""
        codes, masks = distinct(self.missing, len(self.inputs))
        position = np.where(masks == 0, -1, np.arange(len(masks), dtype=np.int32))
        return look_up(position, codes), spelled(masks, self.inputs)

    def _missing(self, kinds: Kinds | None, rows: Rows, bits: Mapping[str, np.uint64]) -> Masks:
        """The inputs that can still change the answer (or its kind), for some rows."""
        asked, mask = self.walk.asked, self.walk.missing(kinds)
        found = np.zeros(len(mask), dtype=np.uint64)
        for i, name in enumerate(asked):
            found |= np.where(_has(mask, i), bits.get(name, NOTHING), NOTHING)
        pattern = self.rows[rows]
        missing = look_up(found, pattern)
        for name, part in self.parts.items():
            if name not in asked:
                continue
            some = np.flatnonzero(_has(mask, asked.index(name)))
            codes = np.full(len(mask), -1, np.int32)
            codes[some], matters = self.walk.what_matters(name, kinds, some)
            kind = look_up(codes, pattern)
            for i, kinds_of_part in enumerate(matters):
                there = np.flatnonzero(kind == i)
                missing[there] |= part._missing(kinds_of_part, rows[there], bits)
        return missing


def written(answer: Answer) -> str:
    """An answer as it is written in a table."""
    return ("no", "yes")[answer] if isinstance(answer, bool) else str(answer)


def spelled(masks: Masks, names: Sequence[str]) -> list[str]:
    """Each mask as the names of its bits, joined by `|`."""
    return ["|".join(name for i, name in enumerate(names) if mask >> i & 1) for mask in masks.tolist()]


def _only(mask: Masks) -> NDArray[np.int16]:
    single = (mask != 0) & (mask & (mask - np.uint64(1)) == 0)
    return np.where(single, np.log2(np.where(single, mask, np.uint64(1))), -1).astype(np.int16)


def _has(mask: Masks, bit: int) -> Bools:
    return (mask >> np.uint64(bit)) & np.uint64(1) == 1
