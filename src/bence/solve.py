"""Work out rules for a whole cohort: every pattern of what is known once, exactly as for one patient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .cells import Bools, Categories, Cells, Column, Numbers, Rows, bounds, everybody
from .cuts import category_cells, coarser, mask_cells, met, number_cells, sort_values, translate
from .interval import Interval
from .numbering import patterns
from .paths import Plan, explore
from .quantity import Quantity
from .rulebook import BOOK, Rule, Rulebook, Vary
from .solved import Solved, written
from .tree import Answer, Test, Tree, in_order, questions
from .walk import NOTHING, Walk

AT_ONCE = 1 << 16


def solve(
    targets: Iterable[str | Rule],
    columns: Mapping[str, Column],
    n: int,
    *,
    recorded: Mapping[str, Categories] | None = None,
    vary: Vary | None = None,
    book: Rulebook = BOOK,
    before: Cohort | None = None,
) -> dict[str, Solved]:
    """The answers of `targets` (and of every rule solved on the way) for `n` patients.

    `columns` hold what is known of the inputs (a column that is not there is unknown for all), `recorded`
    the answers that are recorded of rules, `vary` changed thresholds. `before`: the same patients with some other
    columns, solved before; what has not changed is taken from there. Raises ValueError for a category that cannot be
    and TypeError for a column of the wrong kind.
    """
    targets = list(targets)
    varied = {target.name: target for target in targets if isinstance(target, Rule)}
    cohort = Cohort(columns, n, recorded or {}, {**book.vary(vary), **varied}, book)
    if before:
        cohort.take_over(before)
    order = book.order(map(str, targets))
    for name in order:
        cohort.plan(name)
    for name in order:
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
        self.made: dict[str, Numbers] = {}
        self.solved: dict[str, Solved] = {}
        self.asked: dict[str, dict[Test, None]] = {}
        self.cells: dict[str, Cells] = {}
        self.parts: dict[tuple[str, tuple[tuple[Answer, ...], ...]], Cells] = {}
        self.trees: dict[tuple[str, tuple[str, ...]], Tree] = {}

    def take_over(self, before: Cohort) -> None:
        """Take quantities and cells whose columns are the very same from a cohort of the same patients."""

        def same(name: str) -> bool:
            needs = self.book.needs(name) if name in self.book.quantities else ()
            return self.columns.get(name) is before.columns.get(name) and all(map(same, needs))

        self.asked = {name: dict(tests) for name, tests in before.asked.items()}
        self.made = {name: numbers for name, numbers in before.made.items() if same(name)}
        self.cells = {name: cells for name, cells in before.cells.items() if same(name)}

    def plan(self, name: str) -> None:
        """Note what a rule asks of each input, so that an input is cut once for all rules."""
        for need, tests in questions([self.tree(name, ())]).items():
            self.asked.setdefault(need, {}).update(tests)

    def answers(self, name: str) -> tuple[Answer, ...]:
        """The answers that a rule can have."""
        return tuple(in_order(self.tree(name, ()).answers))

    def solve(self, name: str) -> Solved:
        """Solve a rule whose needs are solved."""
        shape = self.book.shape(name)
        answers = {name: self.answers(name)}
        answers |= {part: self.solved[part].answers for part in shape.inside if part in self.recorded}
        recorded = {part: self.allowed(part, names, part != name) for part, names in answers.items()}
        first, which = self.first({part: recorded[part] for part in answers if part != name})
        trees = [(each, self.tree(name, each)) for each in first]
        asked = questions([tree for _, tree in trees])
        inputs = self.inputs(asked, shape.apart)
        rows, (tree_of, *codes) = patterns([which, *inputs.values(), *recorded.values()], self.n)
        codes_of_inputs, codes_of_recorded = codes[: len(inputs)], codes[len(inputs) :]
        walk = Walk(
            trees,
            tree_of,
            {each: cells.part(some) for (each, cells), some in zip(inputs.items(), codes_of_inputs, strict=True)},
            {each: cells.part(some).classes_left for (each, cells), some in zip(recorded.items(), codes_of_recorded, strict=True)},
            answers,
            list(asked),
        )
        parts = {part: self.solved[part] for part in shape.apart}
        self.solved[name] = Solved(name, answers[name], shape.rests_on, rows, parts, walk, self)
        return self.solved[name]

    def first(self, recorded: Mapping[str, Cells]) -> tuple[list[tuple[str, ...]], Cells]:
        """The rules to be run first, because an answer is recorded of them: every combination, and that of each row."""
        if all(cells.codes is None for cells in recorded.values()):
            return [()], Cells(None, np.zeros(1), np.zeros(1))
        key = np.zeros(self.n, dtype=np.int64)
        for i, cells in enumerate(recorded.values()):
            if cells.codes is not None:
                everything = np.uint64((1 << len(cells.values)) - 1)
                key |= (cells.classes_left != everything).astype(np.int64)[cells.codes] << i
        found, tree_of = np.unique(key, return_inverse=True)
        names = list(recorded)
        combinations = [tuple(name for i, name in enumerate(names) if each >> i & 1) for each in found.tolist()]
        return combinations, Cells(tree_of, found, found)

    def tree(self, name: str, watched: tuple[str, ...]) -> Tree:
        """All paths of a rule when nothing is known (kept, also for the next cohort)."""
        if (name, watched) not in self.trees:
            self.trees[name, watched] = self.explored(name, watched)
        return self.trees[name, watched]

    def explored(self, name: str, watched: tuple[str, ...]) -> Tree:
        """As `tree`, looked up by all that the paths depend on."""
        shape = self.book.shape(name)
        functions = {each: (self.rules[each].plain, self.rules[each].needs) for each in (name, *shape.inside)}
        start = {leaf: self.domain(leaf) for leaf in shape.leaves}
        start |= {part: self.answers(part) for part in shape.apart}
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

    def inputs(self, asked: Mapping[str, Iterable[Test]], apart: Iterable[str]) -> dict[str, Cells]:
        """The cells of every input, cut by the questions that are asked of it."""
        return {name: self.part(name, list(tests)) if name in apart else self.leaf(name, list(tests)) for name, tests in asked.items()}

    def part(self, name: str, tests: Sequence[Test]) -> Cells:
        """A rule solved before, as the classes of its answers."""
        solved = self.solved[name]
        classes = sort_values(solved.answers, tests)
        if (name, classes) not in self.parts:
            mask = np.zeros(len(solved.pattern_possible), dtype=np.uint64)
            for i, values in enumerate(classes):
                bits = np.uint64(sum(1 << solved.answers.index(value) for value in values))
                mask |= np.where(solved.pattern_possible & bits != 0, np.uint64(1 << i), NOTHING)
            self.parts[name, classes] = mask_cells(mask, classes, solved.rows)
        return self.parts[name, classes]

    def leaf(self, name: str, tests: Sequence[Test]) -> Cells:
        """An input, cut by what one rule asks of it."""
        asked = self.asked.setdefault(name, {})
        if name not in self.cells or not asked.keys() >= set(tests):
            asked |= dict.fromkeys(tests)
            try:
                self.cells[name] = met(self.cut(name, list(asked)))
            except ValueError as mistake:
                raise ValueError(f"{name}: {mistake}") from None
        return coarser(self.cells[name], tests)

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
        mask = translate(column, [[said in (answer, written(answer)) for answer in answers] for said in column.names])
        unknown = (column.mask == 0) | (self.solved[name].conflict if check else False)
        everything = np.uint64((1 << len(answers)) - 1)
        return mask_cells(np.where(unknown, everything, mask), classes)

    def unsure_of(self, name: str, rows: Rows) -> Iterator[tuple[str, Bools]]:
        """The inputs of a quantity, with the rows where they are not known exactly."""
        for need in self.book.needs(name):
            here = self.unsure(need, rows)
            if need in self.book.quantities:
                yield from ((each, here & where) for each, where in self.unsure_of(need, rows))
            else:
                yield need, here

    def unsure(self, name: str, rows: Rows) -> Bools:
        """The rows where an input is not known exactly."""
        column = self.column(name)
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
        if name not in self.made:
            self.made[name] = self.derived(quantity)
        return self.made[name]

    def derived(self, quantity: Quantity) -> Numbers:
        """A quantity where its inputs are known; else as far as they and what is recorded of it narrow it."""
        needs = [self.column(need) for need in quantity.needs]
        if any(isinstance(column, Categories) for column in needs):
            raise TypeError(f"{quantity.name} is made of numbers; expected numbers for {', '.join(quantity.needs)}")
        recorded = self.columns.get(quantity.name)
        told = [*needs, recorded if isinstance(recorded, Numbers) else None]
        if all(column is None or column.alike for column in told):  # type: ignore[union-attr]
            one = self.worked_out(quantity, [column and column.first for column in told], 1)  # type: ignore[union-attr]
            return one.each(lambda end: everybody(end[0], self.n))
        return self.worked_out(quantity, told, self.n)  # type: ignore[arg-type]

    def worked_out(self, quantity: Quantity, told: Sequence[Numbers | None], n: int) -> Numbers:
        """A quantity from the columns of its inputs and (last) what is recorded of it, for `n` rows."""
        *columns, recorded = told
        exact = all(column is not None and column.exact for column in columns)
        with np.errstate(all="ignore"):
            lo = quantity.function(*(c.lo for c in columns)) if exact else np.full(n, np.nan)  # type: ignore[union-attr]
        made = Numbers(lo, lo.copy(), np.zeros(n, bool), np.zeros(n, bool))
        domains = [self.domain(need) or Interval() for need in quantity.needs]
        for rows in _at_once(np.flatnonzero(np.isnan(lo))):
            ends = quantity.bounds([bounds(c, d, rows) for c, d in zip(columns, domains, strict=True)])
            if recorded is not None:
                ends = _narrowed(ends, bounds(recorded, quantity.domain, rows))
            made.lo[rows], made.hi[rows], made.lo_open[rows], made.hi_open[rows] = ends  # type: ignore[index]
        return made


def _at_once(rows: Rows) -> Iterator[Rows]:
    """Rows a part at a time: what is worked out for a part stays in the cache."""
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))


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
