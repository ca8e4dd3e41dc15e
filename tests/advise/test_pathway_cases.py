"""Every row of the pathway meets facts in which it holds and facts in which it does not; the pages of tests/cases/pathway are run.

How to write a case (no programming needed): one page a question. What the page says under "Background" holds in every case of it
unless the case says otherwise; a fact that neither names is missing, except what charts do not record as absent, which is then no.

    → row      does the row hold, its question being asked: yes, no, or open (a fact is missing)
    → stance   of the option: for, against, blocked, unknown, none (it is no option); `for, against` where sources disagree
    a = ?      the fact is missing;  a = 1..3  it lies between;  a = CR or sCR  one of these
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from case_tables import case_tables

from bence.advise import advice
from bence.advise.columns import Columns
from bence.advise.conditions import Answers
from bence.advise.pathway import pathway
from bence.advise.policies import settled
from bence.advise.vocabulary import LABEL, vocabulary

PAGES = sorted((Path(__file__).parents[1] / "cases" / "pathway").glob("*.md"))
NAMES = [*vocabulary(), *(LABEL + option.key for option in pathway().options.values() if option.label)]
TODAY = date(2026, 11, 22)
ENDS = ("_low", "_high")


@dataclass(frozen=True, eq=False)
class Case:
    where: str
    words: str
    row: str
    question: str
    option: str
    facts: dict[str, Any]
    policy: dict[str, str]
    holds: str
    stance: frozenset[str]

    def __str__(self) -> str:
        return f"{self.where} {self.row} {self.option}: {self.words}"


def told(text: str, where: str) -> dict[str, Any]:
    """The facts of a cell: `age = 70; iss = II or III`."""
    found: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, sign, value = (word.strip() for word in part.partition("="))
        names = fnmatch.filter(NAMES, name)
        assert sign, f"{where}: {part!r} is not `fact = value`"
        assert names, f"{where}: there is no fact {name!r}"
        for each in names:
            found |= values(each, value)
    return found


def values(name: str, value: str) -> dict[str, Any]:
    """A fact as it stands in the table of facts, a number with both its ends."""
    kind = "category" if name.startswith(LABEL) else vocabulary()[name].kind
    if name == "at":
        return {name: date.fromisoformat(value)}
    if kind == "number":
        low, _, high = value.partition("..")
        ends = (None, None) if value == "?" else (float(low), float(high or low))
        return {name: ends[0] if ends[0] == ends[1] else None, **dict(zip((name + end for end in ENDS), ends, strict=True))}
    if value == "?":
        return {name: None}
    return {name: value == "yes" if kind == "flag" else value.replace(" or ", "|")}


def cases(page: Path) -> list[Case]:
    """The cases of a page."""
    tables = case_tables(page)
    shared: dict[str, Any] = {"at": TODAY}
    for fact in tables.pop("Background"):
        shared |= told(f"{fact['fact']} = {fact['value']}", f"{page.name}:{fact['line']}")
    found = []
    for row in (row for rows in tables.values() for row in rows if "→ row" in row):
        where = f"{page.name}:{row['line']}"
        policy = dict([row["policy"].split("=")]) if row.get("policy") else {}
        own = shared | told(row["facts"], where)
        stance = frozenset(row["→ stance"].split(", ")) - {"none"}
        question = row.get("question") or page.stem
        found.append(Case(where, row["case"], row["row"], question, row["option"], own, policy, row["→ row"], stance))
    return found


ALL = [case for page in PAGES for case in cases(page)]


def frame(own: list[Case]) -> pl.DataFrame:
    """The facts of cases, one row each."""
    names = sorted({name for case in own for name in case.facts})
    silent = {name: False if fact.kind == "flag" else 0.0 for name, fact in vocabulary().items() if fact.bedside}
    rows = [dict.fromkeys(names) | silent | case.facts for case in own]
    schema = {"patient": pl.String, **{name: dtype(name) for name in [*names, *silent]}}
    return pl.DataFrame([{"patient": str(i), **row} for i, row in enumerate(rows)], schema=schema)


def dtype(name: str) -> Any:
    if name == "at":
        return pl.Date
    if name.startswith(LABEL):
        return pl.String
    kind = vocabulary()[name if name in vocabulary() else re.sub("_(low|high)$", "", name)].kind
    return {"flag": pl.Boolean, "number": pl.Float64, "category": pl.String}[kind]


@cache
def answers() -> dict[Case, tuple[str, frozenset[str]]]:
    """Whether the row holds and the stances of the option, for every case; the cases of a policy are one cohort."""
    found: dict[Case, tuple[str, frozenset[str]]] = {}
    for policy in {tuple(case.policy.items()) for case in ALL}:
        own = [case for case in ALL if tuple(case.policy.items()) == policy]
        facts = frame(own)
        given: list[set[str]] = [set() for _ in own]
        rows = advice(facts, "us", **dict(policy)).select("patient", "question", "option", "stance").rows()
        for patient, question, option, stance in rows:
            if (question, option) == (own[int(patient)].question, own[int(patient)].option):
                given[int(patient)].add(stance)
        known = Answers(Columns(facts))
        for i, case in enumerate(own):
            found[case] = (holds(case, known, i, settled(dict(policy))), frozenset(given[i]))
    return found


def holds(case: Case, known: Answers, place: int, policies: dict[str, str]) -> str:
    """Whether the row holds for the patient at a place, its question being asked and its policy chosen."""
    row = next((row for row in pathway().rows.get((case.question, case.option), ()) if row.key == case.row), None)
    if row is None:
        return "no such row"
    if row.policy and policies[row.policy[0]] != row.policy[1]:
        return "no"
    truth = known.of([*pathway().questions[case.question].applies, *row.when])
    return "yes" if truth.yes[place] else "no" if truth.no[place] else "open"


@pytest.mark.parametrize("case", ALL, ids=str)
def test_case(case: Case) -> None:
    row, stance = answers()[case]
    assert (row, ", ".join(sorted(stance))) == (case.holds, ", ".join(sorted(case.stance)))


def test_every_row_has_a_case_in_which_it_holds_and_one_in_which_it_does_not() -> None:
    needed = {(row.key, wanted) for rows in pathway().rows.values() for row in rows for wanted in ("yes", "no")}
    assert sorted(needed - {(case.row, case.holds) for case in ALL}) == []


def test_every_case_is_about_a_row_that_is() -> None:
    rows = {(row.question, row.option, row.key) for rows in pathway().rows.values() for row in rows}
    assert [str(case) for case in ALL if (case.question, case.option, case.row) not in rows] == []


def test_every_option_is_once_for_and_no_page_is_about_another_question() -> None:
    told_for = {(case.question, case.option) for case in ALL if "for" in case.stance}
    offered = {(row.question, row.option) for rows in pathway().rows.values() for row in rows if row.stance == "for"}
    assert sorted(offered - told_for) == []
    assert {case.question for case in ALL} == set(pathway().questions)


BLOCKS = next(page for page in PAGES if page.stem == "blocks")
KINDS = [row for rows in case_tables(BLOCKS).values() for row in rows if "→ options" in row]


@pytest.mark.parametrize("case", KINDS, ids=lambda case: f"{case['line']} {case['row']}")
def test_a_row_for_a_kind_speaks_of_these_options(case: dict[str, str]) -> None:
    found: dict[str, list[str]] = {}
    for row in pathway().row(case["row"]):
        found.setdefault(row.question, []).append(row.option)
    own = found.get(case["question"], [])
    assert sorted(own) == sorted(case["→ options"].split(", ") if case["→ options"] else [])
