"""Work out rules for a whole cohort: every pattern of what is known once, exactly as for one patient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cells import (
    Bools,
    Categories,
    Cells,
    Codes,
    Column,
    Masks,
    Numbers,
    Rows,
    bounds,
    category_cells,
    distinct,
    mask_cells,
    number_cells,
    patterns,
    sort_values,
    translate,
)  # fmt: skip
from .interval import Interval
from .paths import Plan, explore
from .quantity import Quantity
from .rulebook import BOOK, Rule, Rulebook, Vary
from .tree import Answer, Test, Tree, forks
from .walk import NOTHING, Kinds, Walk


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
        return _only(self.pattern_possible)[self.rows]

    @property
    def possible(self) -> Masks:
        """The answers that are left."""
        return self.pattern_possible[self.rows]

    @property
    def conflict(self) -> Bools:
        """True where a recorded answer cannot be, given the values; there the derived answer stands."""
        return self.walk.conflict[self.rows]

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
            for need in self.cohort.book.made_of(name):
                unsure |= np.where(self.cohort.unsure(need, rows), bits[need], NOTHING)
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
        return codes[self.rows], spelled(masks, [written(answer) for answer in self.answers])

    def missing_words(self) -> tuple[Codes, list[str]]:
        """For each row the position of the inputs that matter (`b2m|albumin`) in a list; -1: none does."""
        codes, masks = distinct(self.missing, len(self.inputs))
        position = np.where(masks == 0, -1, np.arange(len(masks), dtype=np.int32))
        return position[codes], spelled(masks, self.inputs)

    def _missing(self, kinds: Kinds | None, rows: Rows, bits: Mapping[str, np.uint64]) -> Masks:
        """The inputs that can still change the answer (or its kind), for some rows."""
        asked, mask = self.walk.asked, self.walk.missing(kinds)
        found = np.zeros(len(mask), dtype=np.uint64)
        for i, name in enumerate(asked):
            found |= np.where(_has(mask, i), bits.get(name, NOTHING), NOTHING)
        pattern = self.rows[rows]
        missing = found[pattern]
        for name, part in self.parts.items():
            if name not in asked:
                continue
            some = np.flatnonzero(_has(mask, asked.index(name)))
            codes = np.full(len(mask), -1)
            codes[some], matters = self.walk.what_matters(name, kinds, some)
            for i, kinds_of_part in enumerate(matters):
                there = np.flatnonzero(codes[pattern] == i)
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


def solve(
    targets: Iterable[str | Rule],
    columns: Mapping[str, Column],
    n: int,
    *,
    recorded: Mapping[str, Categories] | None = None,
    vary: Vary | None = None,
    book: Rulebook = BOOK,
) -> dict[str, Solved]:
    """The answers of `targets` (and of every rule solved on the way) for `n` patients.

    `columns` hold what is known of the inputs (a column that is not there is unknown for all), `recorded`
    the answers that are recorded of rules, `vary` changed thresholds. Raises ValueError for a category that
    cannot be and TypeError for a column of the wrong kind.
    """
    targets = list(targets)
    varied = {target.name: target for target in targets if isinstance(target, Rule)}
    cohort = Cohort(columns, n, recorded or {}, {**book.vary(vary), **varied}, book)
    for name in book.order(map(str, targets)):
        cohort.solve(name)
    return cohort.solved


class Cohort:
    """What is known of a cohort, and what has been solved so far."""

    def __init__(
        self,
        columns: Mapping[str, Column],
        n: int,
        recorded: Mapping[str, Categories],
        rules: Mapping[str, Rule],
        book: Rulebook,
    ) -> None:
        self.columns, self.n, self.recorded, self.rules, self.book = dict(columns), n, recorded, rules, book
        self.solved: dict[str, Solved] = {}
        self.cells: dict[tuple[Any, ...], Cells] = {}

    def solve(self, name: str) -> Solved:
        """Solve a rule whose needs are solved."""
        shape = self.book.shape(name)
        watched = tuple(part for part in shape.inside if part in self.recorded)
        tree = self.tree(name, watched)
        answers = [tuple(sorted(tree.answers, key=str)), *(self.solved[part].answers for part in watched)]
        inputs = self.inputs(tree, shape.apart)
        recorded = [
            self.allowed(part, names, part != name)
            for part, names in zip((name, *watched), answers, strict=True)
        ]
        rows, of_pattern = patterns([*inputs.values(), *recorded], self.n)
        walk = Walk(
            tree,
            {each: cells.take(of_pattern) for each, cells in inputs.items()},
            [cells.take(of_pattern).mask for cells in recorded],  # type: ignore[misc]
            answers,
            len(of_pattern),
        )
        parts = {part: self.solved[part] for part in shape.apart}
        leaves = self.book.leaves(name)
        names = dict.fromkeys(each for leaf in leaves for each in (*self.book.made_of(leaf), leaf))
        self.solved[name] = Solved(name, answers[0], tuple(names), rows, parts, walk, self)
        return self.solved[name]

    def tree(self, name: str, watched: tuple[str, ...]) -> Tree:
        """All paths of a rule when nothing is known (kept for the next cohort)."""
        shape = self.book.shape(name)
        functions = {each: (self.rules[each].plain, self.rules[each].needs) for each in (name, *shape.inside)}
        start = {leaf: self.domain(leaf) for leaf in shape.leaves}
        start |= {part: self.solved[part].answers for part in shape.apart}
        key = (name, watched, repr([self.rules[each].thresholds for each in functions]), repr(start))
        if key not in self.book.trees:
            tree = explore(Plan(name, functions, start, first=watched, watch=True)).tree
            assert tree is not None
            self.book.trees[key] = tree
        return self.book.trees[key]

    def domain(self, leaf: str) -> Any:
        """What an input can be at all."""
        quantity = self.book.quantities.get(leaf)
        return quantity.domain if quantity else self.book.domain(leaf)

    def inputs(self, tree: Tree, apart: Iterable[str]) -> dict[str, Cells]:
        """The cells of every input that the tree asks for."""
        tests: dict[str, dict[Test, None]] = {}
        for fork in forks(tree):
            tests.setdefault(fork.name, {})[fork.test] = None
        return {
            name: self.part(name, list(asked)) if name in apart else self.leaf(name, list(asked))
            for name, asked in tests.items()
        }

    def part(self, name: str, tests: Sequence[Test]) -> Cells:
        """A rule solved before, as the classes of its answers."""
        solved = self.solved[name]
        classes = sort_values(solved.answers, tests)
        mask = np.zeros(len(solved.pattern_possible), dtype=np.uint64)
        for i, values in enumerate(classes):
            bits = np.uint64(sum(1 << solved.answers.index(value) for value in values))
            mask |= np.where(solved.pattern_possible & bits != 0, np.uint64(1 << i), NOTHING)
        return mask_cells(mask, classes, solved.rows)

    def leaf(self, name: str, tests: Sequence[Test]) -> Cells:
        """An input, cut by what is asked of it."""
        key = (name, *sorted(tests, key=repr))
        if key not in self.cells:
            try:
                self.cells[key] = self.cut(name, tests)
            except ValueError as mistake:
                raise ValueError(f"{name}: {mistake}") from None
        return self.cells[key]

    def cut(self, name: str, tests: Sequence[Test]) -> Cells:
        """The cells of an input."""
        column = self.column(name)
        domain = self.domain(name)
        if all(test.op != "=" for test in tests):
            if isinstance(column, Categories):
                raise TypeError(f"{name} is compared with numbers; expected a column of numbers")
            return number_cells(column, tests)
        if isinstance(column, Numbers) or isinstance(domain, Interval):
            raise TypeError(f"{name} is compared with words; expected a column of categories")
        return category_cells(column, tests, domain)

    def allowed(self, name: str, answers: Sequence[Answer], check: bool) -> Cells:
        """The recorded answers of a rule; where the values contradict them, any."""
        classes = tuple((answer,) for answer in answers)
        column = self.recorded.get(name)
        if column is None:
            return Cells(None, mask=np.array([~NOTHING]), values=classes)
        mask = translate(
            column, [[said in (answer, written(answer)) for answer in answers] for said in column.names]
        )
        unknown = (column.mask == 0) | (self.solved[name].conflict if check else False)
        everything = np.uint64((1 << len(answers)) - 1)
        return mask_cells(np.where(unknown, everything, mask), classes)

    def unsure(self, name: str, rows: Rows) -> Bools:
        """The rows where an input is not known exactly."""
        column = self.columns.get(name)
        if column is None:
            return np.ones(len(rows), dtype=bool)
        if isinstance(column, Categories):
            return column.mask[rows] & (column.mask[rows] - 1) != 0
        return np.isnan(column.lo[rows]) if column.hi is None else ~(column.lo[rows] == column.hi[rows])

    def column(self, name: str) -> Column | None:
        """What is known of an input, a quantity worked out first."""
        quantity = self.book.quantities.get(name)
        if quantity is None:
            return self.columns.get(name)
        if (name, "") not in self.columns:
            self.columns[name, ""] = self.derived(quantity)  # type: ignore[index]
        return self.columns[name, ""]  # type: ignore[index]

    def derived(self, quantity: Quantity) -> Numbers:
        """A quantity where its inputs are known; else as far as they and what is recorded of it narrow it."""
        needs = [self.column(need) for need in quantity.needs]
        if any(isinstance(column, Categories) for column in needs):
            raise TypeError(
                f"{quantity.name} is made of numbers; expected numbers for {', '.join(quantity.needs)}"
            )
        columns: list[Numbers | None] = needs  # type: ignore[assignment]
        recorded = self.columns.get(quantity.name)
        exact = all(column is not None and column.exact for column in columns)
        with np.errstate(all="ignore"):
            lo = quantity.function(*(c.lo for c in columns)) if exact else np.full(self.n, np.nan)  # type: ignore[union-attr]
        rows = np.flatnonzero(np.isnan(lo))
        hi, lo_open, hi_open = lo.copy(), np.zeros(self.n, bool), np.zeros(self.n, bool)
        domains = (self.domain(need) or Interval() for need in quantity.needs)
        ends = quantity.bounds([bounds(c, d, rows, self.n) for c, d in zip(columns, domains, strict=True)])
        if isinstance(recorded, Numbers):
            ends = _narrowed(ends, bounds(recorded, quantity.domain, rows, self.n))
        lo[rows], hi[rows], lo_open[rows], hi_open[rows] = ends
        return Numbers(lo, hi, lo_open, hi_open)


def _narrowed(ends: tuple[Any, ...], recorded: tuple[Any, ...]) -> tuple[Any, ...]:
    """The derived interval narrowed by the recorded one, unless it is exact or they exclude each other."""
    lo, hi, lo_open, hi_open = ends
    r_lo, r_hi, r_lo_open, r_hi_open = recorded
    new_lo, new_hi = np.maximum(lo, r_lo), np.minimum(hi, r_hi)
    new_lo_open = np.where(lo == r_lo, lo_open | r_lo_open, np.where(lo > r_lo, lo_open, r_lo_open))
    new_hi_open = np.where(hi == r_hi, hi_open | r_hi_open, np.where(hi < r_hi, hi_open, r_hi_open))
    keep = (lo == hi) | (new_lo > new_hi) | ((new_lo == new_hi) & (new_lo_open | new_hi_open))
    new = (new_lo, new_hi, new_lo_open, new_hi_open)
    return tuple(np.where(keep, old, narrowed) for old, narrowed in zip(ends, new, strict=True))
