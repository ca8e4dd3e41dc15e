"""What the rows of the pathway say together: the stance of every option for every patient.

Of one option, a block comes before everything. A row against it comes before a row for it, unless the two are declared to
be in conflict: then both are shown. An option is `for` only where no missing fact could block it or speak against it;
there, and where a missing fact decides whether it is one at all, it is `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .columns import Source
from .conditions import Answers, Condition, Truth
from .pathway import KINDS, Pathway, Question, Row

DIRECT = 14  # so many marks are counted in a table of all combinations


class Entry(NamedTuple):
    """An option, a stance, and the rows that give it that stance. `option` is empty where a question waits for facts."""

    question: str
    option: str
    stance: str
    rows: tuple[Row, ...]


class Line(NamedTuple):
    """One line of advice of one patient: an entry, the rows that hold against its stance, cautions, and facts that are waited for."""

    entry: Entry
    contrary: tuple[Row, ...]
    cautions: tuple[Row, ...]
    waits: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """The advice of a cohort: for every line the place of the patient, and where in `parts` the four parts of the line stand."""

    parts: tuple[list[Entry], list[tuple[Row, ...]], list[tuple[Row, ...]], list[tuple[str, ...]]]
    place: np.ndarray
    at: Sequence[np.ndarray]

    def lines(self) -> Iterator[tuple[int, Line]]:
        """Every line, with the place of its patient."""
        for place, at in zip(self.place.tolist(), zip(*self.at, strict=True), strict=True):
            yield place, Line(*(part[i] for part, i in zip(self.parts, at, strict=True)))


def stances(pathway: Pathway, facts: Source, policies: Mapping[str, str]) -> Found:
    """Every option that has something to be said of it, for every patient of `facts`."""
    parts: tuple[dict, ...] = ({}, {}, {}, {})
    lines = [[np.zeros(0, np.int32)] * 5]
    for question in pathway.questions.values():
        for place, option, stance, said, lacks in _of_question(pathway, question, facts, policies):
            own = "for" if stance == "unknown" else stance
            kinds = [[told for told in said if told[0].stance == kind] for kind in KINDS]
            mine, notes = kinds[KINDS.index(own)], kinds[KINDS.index("caution")]
            others = [told for rows in kinds for told in rows if told[0].stance not in (own, "caution")]
            at = [_alike([truth.yes for _, truth in rows], [row for row, _ in rows], place.size) for rows in (mine, others, notes)]
            at.append(_alike(list(lacks.values()), list(lacks), place.size))
            made = [Entry(question.key, option, stance, rows) for rows in at[0][1]]
            told = [made, *(names for _, names in at[1:])]
            numbers = [_numbered(part, ones) for part, ones in zip(parts, told, strict=True)]
            lines.append([place, *(number[which] for number, (which, _) in zip(numbers, at, strict=True))])
    place, *at = (np.concatenate(each, dtype=np.int32) for each in zip(*lines, strict=True))
    return Found(tuple(map(list, parts)), place, at)  # type: ignore[arg-type]


def _numbered(known: dict[Any, int], ones: Sequence[Any]) -> np.ndarray:
    """The numbers of some parts, new ones counted on."""
    return np.array([known.setdefault(one, len(known)) for one in ones], np.int32)


def _of_question(
    pathway: Pathway, question: Question, facts: Source, policies: Mapping[str, str]
) -> Iterator[tuple[np.ndarray, str, str, list[tuple[Row, Truth]], dict[str, np.ndarray]]]:
    """Who is where told what: places, option, stance, rows with their truth there, and the facts that are missing."""
    answers = Answers(facts)
    asked = answers.of(question.applies)
    waiting = np.flatnonzero(asked.open)
    if waiting.size:
        everybody = [(question.applies, np.ones(waiting.size, bool))]
        yield waiting, "", "unknown", [], _missing(waiting, everybody, answers)
    mine = np.flatnonzero(asked.yes)
    if not mine.size:
        return
    options = {option: _active(rows, policies) for option, rows in pathway.of(question.key).items()}
    own = answers if mine.size == facts.n else Answers(facts.only(mine))
    for option, rows in options.items():
        for stance, place, said, open_ in _of_option(rows, own):
            yield mine[place], option, stance, said, _missing(place, open_, own)


def _active(rows: Sequence[Row], policies: Mapping[str, str]) -> list[Row]:
    """The rows that the policies leave in force."""
    return [row for row in rows if row.policy is None or policies[row.policy[0]] == row.policy[1]]


def _of_option(
    rows: Sequence[Row], answers: Answers
) -> Iterator[tuple[str, np.ndarray, list[tuple[Row, Truth]], list[tuple[tuple[Condition, ...], np.ndarray]]]]:
    """Every stance somebody has: where, the rows that may say so with their truth there, and whose missing facts matter."""
    n = answers.facts.n
    told = [(row, answers.of(row.when)) for row in rows]
    of = {kind: [(row, truth) for row, truth in told if row.stance == kind] for kind in KINDS}
    pro, contra, block = (Truth.any((truth for _, truth in of[kind]), n) for kind in ("for", "against", "blocked"))
    firm = Truth.any((_uncontested(row, truth, of["for"], n) for row, truth in of["against"]), n)
    blocked = block.yes & (pro.yes | pro.open | contra.yes | (not (of["for"] or of["against"])))
    free = ~blocked & ~firm.yes
    threatened = block.open | (contra.open & ~contra.yes) | firm.open
    where = {
        "blocked": blocked,
        "against": contra.yes & ~blocked,
        "for": free & pro.yes & ~threatened,
        "unknown": free & ((pro.yes & threatened) | pro.open),
    }
    for stance, here in where.items():
        place = np.flatnonzero(here)
        if place.size:
            kinds = KINDS if stance == "blocked" else [kind for kind in KINDS if kind != "blocked"]
            said = [(row, Truth(truth.yes[place], truth.no[place])) for kind in kinds for row, truth in of[kind] if truth.yes.any()]
            yield stance, place, said, _waiting(place, stance, of, {"for": pro, "against": contra, "blocked": block}, firm)


def _waiting(
    place: np.ndarray, stance: str, of: Mapping[str, list[tuple[Row, Truth]]], any_of: Mapping[str, Truth], firm: Truth
) -> list[tuple[tuple[Condition, ...], np.ndarray]]:
    """The rows of which it matters that they are open, and where: no other row of their kind holds already, or a conflict hangs on them."""
    if stance != "unknown":
        return []
    rows = [(row, truth, ~settled.yes | firm.open) for kind, settled in any_of.items() for row, truth in of[kind]]
    return [(row.when, (truth.open & matters)[place]) for row, truth, matters in rows]


def _uncontested(row: Row, truth: Truth, pro: Sequence[tuple[Row, Truth]], n: int) -> Truth:
    """Where a row against holds and no row for that is declared to be in conflict with it does."""
    contested = Truth.any((other for name, other in pro if row.key in name.conflicts), n)
    return Truth(truth.yes & contested.no, truth.no | contested.yes)


def _missing(place: np.ndarray, open_: list[tuple[tuple[Condition, ...], np.ndarray]], answers: Answers) -> dict[str, np.ndarray]:
    """The facts that leave a row open, and for whom. Of a condition that holds already nothing is missing."""
    found: dict[str, np.ndarray] = {}
    for conditions, waits in open_:
        if not waits.any():
            continue
        for condition in conditions:
            undecided = waits & answers.of((condition,)).open[place]
            for atom in condition.atoms:
                lacks = undecided & answers[atom].open[place]
                found[atom.fact] = found[atom.fact] | lacks if atom.fact in found else lacks
    return {name: lacks for name, lacks in found.items() if lacks.any()}


def _alike(marks: Sequence[np.ndarray], names: Sequence[Any], n: int) -> tuple[np.ndarray, list[tuple[Any, ...]]]:
    """The combinations of marks that occur: which one at every place, and the names of the marks set in each."""
    kind = np.int32 if len(marks) <= DIRECT else np.int64
    codes = np.zeros(n, kind)
    for i, mark in enumerate(marks):
        codes |= mark.astype(kind) << i
    if len(marks) <= DIRECT:
        used = np.flatnonzero(np.bincount(codes, minlength=1 << len(marks)))
        table = np.zeros(1 << len(marks), np.int32)
        table[used] = np.arange(used.size)
        which = table[codes]
    else:
        used, which = np.unique(codes, return_inverse=True)
    return which, [tuple(name for i, name in enumerate(names) if code >> i & 1) for code in used.tolist()]


__all__ = ["Entry", "Found", "Line", "stances"]
