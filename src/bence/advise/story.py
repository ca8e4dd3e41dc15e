"""The advice for one patient in full: every option with its reasons, each condition with the patient's own value, and what is missing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from ..errors import UsageError
from .citations import cited
from .columns import Columns
from .conditions import Answers, Condition
from .pathway import Option, Row, pathway
from .policies import settled
from .resistance import Suspect, suspects
from .rows import bedside, ranked
from .stances import Line, stances
from .values import Values, value_of
from .vocabulary import condition, said, settles
from .what_if import Outcome, outcomes

ASIDE = re.compile(r"(?<!\bt)\s?\([^()]*\)$")  # what is said in brackets at the end of a name, but for a translocation
FAILED = {"relapse", "immunotherapy"}  # questions that are asked where treatment has failed


@dataclass(frozen=True)
class Ground:
    """A row of the pathway as it meets the patient: its words, and every condition with the value that meets it."""

    row: Row
    words: str
    conditions: tuple[tuple[str, str, str], ...]  # the condition in words, `yes`/`no`/`open`, the patient's value
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Advised:
    """An option for the patient."""

    option: Option | None
    stance: str
    words: str
    grounds: tuple[Ground, ...]
    contrary: tuple[Ground, ...]
    cautions: tuple[Ground, ...]
    missing: tuple[tuple[str, str, tuple[Outcome, ...]], ...]  # fact, the test that settles it, what each result would mean


@dataclass(frozen=True)
class Asked:
    """A question that is asked of the patient, its options, and what is to be confirmed at the bedside before any of them."""

    key: str
    words: str
    options: tuple[Advised, ...]
    confirm: tuple[str, ...]


@dataclass(frozen=True)
class Story:
    """The advice for a patient: a day, a region, and for every question that is asked of them its options."""

    patient: str
    at: date | None
    region: str
    questions: tuple[Asked, ...]
    suspects: tuple[Suspect, ...]  # mechanisms of resistance to think of, where treatment has failed


def advice_of(facts: pl.DataFrame, region: str, lang: str = "en", **policies: str) -> Story:
    """The full advice of one patient. `facts`: the one row of `facts`; UsageError if it is not one, or for an unknown policy."""
    if facts.height != 1:
        raise UsageError(f"{facts.height} patients", expected="the facts of one patient")
    chosen = settled(policies)
    known, answers = facts.row(0, named=True), Answers(columns := Columns(facts))
    found = stances(pathway(), columns, chosen)
    lines = ranked(line for _, line in found.lines())
    told = []
    for key, question in pathway().questions.items():
        mine = [line for line in lines if line.entry.question == key]
        options = _together([_advised(line, known, columns, answers, chosen, lang) for line in mine], lang)
        confirm = dict.fromkeys(said(fact, lang) for line in mine for fact in bedside(line.entry) if not known.get(fact))
        if mine:
            told.append(Asked(key, question.words[lang == "zh"], tuple(options), tuple(confirm)))
    failed = FAILED & {asked.key for asked in told}
    return Story(known["patient"], known["at"], region, tuple(told), suspects(columns, known, lang) if failed else ())


def _together(options: list[Advised], lang: str) -> list[Advised]:
    """Options that are blocked, or not supported, for one and the same reason are told in one breath."""
    groups: dict[tuple[Any, ...], list[Advised]] = {}
    for one in options:
        alone = one.stance not in ("blocked", "against") or (one.stance == "against" and one.contrary)
        why = id(one) if alone else tuple(ground.row.words for ground in one.grounds)
        groups.setdefault((one.stance, why), []).append(one)
    return [group[0] if len(group) == 1 else _merged(group, lang) for group in groups.values()]


def _merged(group: list[Advised], lang: str) -> Advised:
    words = ("；" if lang == "zh" else "; ").join(ASIDE.sub("", one.words) for one in group)
    grounds = tuple(replace(ground, conditions=()) for ground in group[0].grounds)
    return replace(group[0], words=words, grounds=grounds, contrary=(), cautions=())


def _advised(line: Line, known: Values, columns: Columns, answers: Answers, policies: dict[str, str], lang: str) -> Advised:
    entry = line.entry
    option = pathway().options.get(entry.option)
    told = outcomes(pathway(), columns, entry, line.waits, policies, lang) if option else []
    missing = tuple((fact, settles(fact, lang), tuple(one for one in told if one.fact == fact)) for fact in line.waits)
    grounds, contrary, cautions = (
        tuple(_ground(row, known, answers, lang) for row in rows) for rows in (entry.rows, line.contrary, line.cautions)
    )
    return Advised(option, entry.stance, option.words[lang == "zh"] if option else "", grounds, contrary, cautions, missing)


def _ground(row: Row, known: Values, answers: Answers, lang: str) -> Ground:
    asked = [(one, _state(one, answers)) for one in row.when if one.atoms[0].fact != "at"]
    told = tuple((condition(met, lang), state, _values(met, known, lang)) for one, state in asked for met in [_met(one, state, answers)])
    return Ground(row, row.words[lang == "zh"], told, tuple(cited(key, known["at"], lang) for key in row.evidence))


def _state(asked: Condition, answers: Answers) -> str:
    truth = answers.of((asked,))
    return "yes" if truth.yes[0] else "no" if truth.no[0] else "open"


def _met(asked: Condition, state: str, answers: Answers) -> Condition:
    """Of several atoms, those by which the condition holds."""
    holding = tuple(atom for atom in asked.atoms if answers[atom].yes[0])
    return Condition(holding) if state == "yes" else asked


def _values(asked: Condition, known: Values, lang: str) -> str:
    """The patient's values of what a condition asks about; what its words say already is left out."""
    numbers = dict.fromkeys(atom.fact for atom in asked.atoms if atom.bound is not None or len(atom.words) > 1 or atom.op == "!=")
    return ("、" if lang == "zh" else ", ").join(value_of(name, known, lang) for name in numbers if not isinstance(known.get(name), bool))
