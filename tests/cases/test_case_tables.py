"""Every table of cases of stage, risk, diagnosis and frailty is run, case by case and as one cohort.

How to write one (no programming needed): a Markdown table whose columns are the inputs of a rule, by their
name in `bence codes`, and whose last columns are what is expected, headed `→ rule`.

    blank       nobody measured it
    <3.5 ≥20    the laboratory gave a bound;  20..25 a range
    yes, positive, igg …   a word of the catalogue
    ?           (expected) more than one answer is possible
    I or II     (expected) exactly these are possible

A unit may follow the name of a column, as in `creatinine (mg/dL)`. `→ diagnosis, given` is the diagnosis that
is given once the values of `ASSUMED` in `bence.assess.unrecorded` stand in for what was not measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bence.assess import diagnosis, frailty, smouldering, staging, status, unrecorded
from bence.assess.policies import settle
from bence.assess.sources import sources
from bence.assess.unrecorded import NEVER_ASSUMED
from bence.catalogue import codes
from bence.cells import Categories, Column, Numbers
from bence.derive import begin, derive
from bence.known import Interval, above, at_least, at_most, below, possible
from bence.rulebook import BOOK, Rule
from bence.solve import Solved, written
from bence.tree import forks

TABLES = sorted(Path(__file__).parent.glob("*.md"))
MODULES = (diagnosis, frailty, smouldering, staging)
RULES = {name: rule for module in MODULES for name, rule in vars(module).items() if isinstance(rule, Rule)}
BOUNDS = {"<": below, "<=": at_most, "≤": at_most, ">": above, ">=": at_least, "≥": at_least}


@dataclass(frozen=True)
class Case:
    table: str
    line: int
    words: str
    known: dict[str, Any]
    target: str
    expected: str

    def __str__(self) -> str:
        return f"{self.table}:{self.line} {self.target}: {self.words}"


def cases(table: Path) -> Iterator[Case]:
    """The cases of all tables of a file."""
    heads: list[str] = []
    for line, text in enumerate(table.read_text(encoding="utf-8").splitlines(), 1):
        if not text.startswith("|"):
            heads = []
            continue
        cells = [cell.strip() for cell in text.strip().strip("|").split("|")]
        if not heads:
            heads = cells
        elif not set(text) <= set("|-: "):
            assert len(cells) == len(heads), f"{table.name}:{line}: {len(cells)} cells, {len(heads)} headings"
            row = dict(zip(heads, cells, strict=True))
            known = {name: value for head, cell in row.items() for name, value in read(head, cell)}
            for head, cell in row.items():
                if head.startswith("→") and cell:
                    yield Case(table.name, line, row["case"], known, head.removeprefix("→").strip(), cell)


def read(head: str, cell: str) -> Iterator[tuple[str, Any]]:
    """The name and the value of one cell, in the canonical unit."""
    if head == "case" or head.startswith("→") or not cell:
        return
    name, _, unit = head.partition(" (")
    factor = codes()[name].other_units[unit.rstrip(")")] if unit else 1
    number = re.fullmatch(r"(<=|>=|[<>≤≥]?)\s*(-?\d+(?:\.\d+)?)", cell)
    span = re.fullmatch(r"(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)", cell)
    if number:
        value = float(number[2]) * factor
        yield name, BOUNDS[number[1]](value) if number[1] else value
    elif span:
        yield name, Interval(float(span[1]) * factor, float(span[2]) * factor)
    else:
        yield name, cell


def filled(known: dict[str, Any], given: bool) -> dict[str, Any]:
    """What is known, with what holds of the rest."""
    limits = unrecorded.USUAL_LIMITS.items()
    usual = {name: by_sex.get(known.get("sex", ""), by_sex["unknown"]) for name, by_sex in limits}
    whole: dict[str, Any] = {**usual, **unrecorded.UNLESS_RECORDED}
    if given:
        whole |= unrecorded.ASSUMED
        for name, imaging in unrecorded.ONE_IMAGING_IS_ENOUGH.items():
            if any(each in known and result in (None, known[each]) for each, result in imaging.items()):
                whole[name] = 0
    return whole | known


def answers(case: Case) -> set[str]:
    """The answers that are left, as they are written in a table."""
    target, _, given = case.target.partition(", ")
    left = left_open(target, case, bool(given))
    if given and left & set(NEVER_ASSUMED):
        left |= left_open(target, case, False)
    return left


def left_open(target: str, case: Case, given: bool) -> set[str]:
    inputs = BOOK.inputs(target)
    strange = case.known.keys() - inputs - set(codes())
    assert not strange, f"{case.table}:{case.line}: there is no {', '.join(strange)}"
    whole = filled(case.known, given)
    found = possible(RULES[target], **{name: value for name, value in whole.items() if name in inputs})
    assert not found.conflicts, f"{case}: recorded otherwise: {', '.join(found.conflicts)}"
    return set(map(written, found))


ALL = [case for table in TABLES for case in cases(table)]


def agree(case: Case, found: set[str]) -> bool:
    return len(found) > 1 if case.expected == "?" else found == set(case.expected.split(" or "))


@pytest.mark.parametrize("case", ALL, ids=str)
def test_case(case: Case) -> None:
    found = answers(case)
    assert agree(case, found), found


def test_a_cohort_of_all_cases_gives_the_same_answers() -> None:
    names = sorted({name for case in ALL for name in case.known})
    columns = {name: column(name, [case.known.get(name) for case in ALL]) for name in names}
    recorded = {name: columns.pop(name) for name in names if name in BOOK.rules}
    solved, given = status.answers(columns, len(ALL), recorded, settle({}))  # type: ignore[arg-type]
    for row, case in enumerate(ALL):
        target, _, assumed = case.target.partition(", ")
        if target in solved:
            found = of_row(given if assumed else solved[target], row)
            if assumed and found & set(NEVER_ASSUMED):
                found |= of_row(solved[target], row)
            assert agree(case, found), f"{case}: {found}"


def of_row(solved: Solved, row: int) -> set[str]:
    mask = int(solved.possible[row])
    return {written(answer) for place, answer in enumerate(solved.answers) if mask >> place & 1}


def column(name: str, values: list[Any]) -> Column:
    """One input of all cases, as a column of what is known."""
    ends = [BOOK.words(name).get(value, value) if isinstance(value, str) else value for value in values]
    words = [value for value in ends if isinstance(value, str)]
    if words:
        kept = tuple(BOOK.domain(name) or sorted({*words, "negative"}))  # type: ignore[arg-type]
        kept = ("no", "yes") if name in BOOK.rules and set(words) <= {"no", "yes"} else kept
        return Categories.of(np.array([kept.index(end) if end in kept else -1 for end in ends]), kept)
    spans = [Interval(end, end) if isinstance(end, float) else end for end in ends]
    lo = np.array([np.nan if span is None else span.lo for span in spans])
    hi = np.array([np.nan if span is None else span.hi for span in spans])
    lo_open = np.array([span is not None and span.lo_open for span in spans])
    return Numbers(lo, hi, lo_open, np.array([span is not None and span.hi_open for span in spans]))


def test_every_rule_has_cases_and_a_chinese_label_and_a_source() -> None:
    known = sources()
    tested = {part for case in ALL for part in BOOK.order([case.target.partition(", ")[0]])}
    for name, rule in RULES.items():
        assert rule.source in known, f"{name}: no source {rule.source!r}"
        assert rule.zh, f"{name}: no Chinese label"
        assert name in tested, f"{name}: no case"
    for quantity in BOOK.quantities.values():
        assert quantity.source in known, f"{quantity}: no source {quantity.source!r}"
    for key, source in known.items():
        assert source["tag"] in "VMSO", key
        assert source["title"], key
        assert source["where"], key
        assert source["checked"], key


def thresholds(name: str) -> set[tuple[str, str, float]]:
    """What a rule asks of numbers, with everything unknown: (input, comparison, threshold)."""
    asked: set[tuple[str, str, float]] = set()
    pending = [derive(RULES[name], {})]
    while pending:
        part = pending.pop()
        pending += part.parts.values()
        for fork in forks(part.tree):
            if fork.test.op != "=" and fork.name not in RULES:
                asked.add((fork.name, fork.test.op, float(fork.test.at)))
    return asked


@pytest.mark.parametrize("name", sorted({case.target for case in ALL} & RULES.keys()))
def test_every_threshold_has_a_case_at_it_and_on_the_other_side(name: str) -> None:
    values: dict[str, set[float]] = {}
    for case in ALL:
        if case.target.partition(", ")[0] in [name, *used_by(name)]:
            whole = filled(case.known, False)
            for leaf in BOOK.leaves(name):
                value = begin(BOOK, leaf, whole)
                if isinstance(value, Interval) and value.exact:
                    values.setdefault(leaf, set()).add(round(value.lo, 9))
    for leaf, op, at in thresholds(name):
        seen = values.get(leaf, set())
        assert round(at, 9) in seen, f"{name}: no case with {leaf} of exactly {at:g}"
        other = [value for value in seen if (value < at if op == ">=" else value > at)]
        assert other, f"{name}: no case with {leaf} {'below' if op == '>=' else 'above'} {at:g}"


def used_by(name: str) -> list[str]:
    """The rules that a rule needs: their own cases serve it too."""
    return [part for part in BOOK.order([name]) if part != name]
