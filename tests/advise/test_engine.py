"""The decision tables against engines that are not ours.

Truth of the rows: the text of every row becomes an expression of the ZEN engine (GoRules, in Rust). Stances: the rules of
docs/rules/pathway.md read once more in plain Python, one patient at a time, unknown being None.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import polars as pl
import pytest
import zen

from bence.advise.checks import drawn
from bence.advise.columns import Columns
from bence.advise.conditions import Answers
from bence.advise.pathway import Row, pathway
from bence.advise.policies import POLICIES, settled
from bence.advise.stances import stances
from bence.advise.vocabulary import LABEL, LABEL_WORDS, vocabulary, words_of

HOME = files("bence.advise")
PART = re.compile(r"([\w.]+) *(!=|<=|>=|=|<|>) *(.+)")
Told = tuple[str, str, tuple[str, ...]]  # fact, sign, words or a bound
Written = tuple[dict[str, Any], list[list[Told]]]  # a row and what it asks


@cache
def tables() -> dict[str, dict[str, Any]]:
    """The pathway as it is written, by file."""
    home = HOME.joinpath("pathway")
    return {file.name: tomllib.loads(file.read_text("utf-8")) for file in home.iterdir() if file.name.endswith(".toml")}


@cache
def options() -> dict[str, dict[str, Any]]:
    return tomllib.loads(HOME.joinpath("options.toml").read_text("utf-8"))


def written(key: str, question: str) -> dict[str, Any]:
    """A row of the tables by its name: of the question, or of all."""
    mine = (table for table in tables().values() if table.get("question", question) == question)
    return next(row for table in mine for row in table["row"] if row["id"] == key)


def conditions(texts: Iterable[str], option: str = "") -> list[list[Told]]:
    """Conditions as lists of comparisons, what is the option's own put in its place."""
    return [[one for part in text.split(" or ") for one in own(part.strip(), option)] for text in texts]


def own(text: str, option: str) -> Iterator[Told]:
    fact, sign, value = PART.fullmatch(text).groups()  # type: ignore[union-attr]
    words = tuple(word.strip() for word in value.split("|"))
    if fact == "its.label":
        yield f"label_{option}", sign, words
    elif fact.startswith("its."):
        names = [f"{fact.removeprefix('its.')}_{drug}" for drug in options()[option]["drugs"]]
        yield from ((name, sign, words) for name in names if name in vocabulary())
    else:
        yield fact, sign, words


def asked(row: Row) -> list[list[Told]]:
    """What a row asks of a patient, from its text."""
    text = written(row.key, row.question)
    return conditions([*text["when"], *([f"at >= {text['since']}"] if "since" in text else [])], row.option)


@cache
def kind(fact: str) -> str:
    return "category" if fact.startswith(LABEL) else "day" if fact == "at" else vocabulary()[fact].kind


# --- the truth of the rows, by the ZEN engine


def expression(row: list[list[Told]]) -> str:
    return " and ".join(f"({' or '.join(map(compared, one)) or 'false'})" for one in row) or "true"


def compared(told: Told) -> str:
    fact, sign, words = told
    match kind(fact):
        case "day":
            return f"date({fact}) {sign} date('{words[0]}')"
        case "number" if sign in ("<", "<=", ">", ">="):
            return f"{fact} {sign} {words[0]}"
        case "number":
            among = ", ".join(words)
        case "flag":
            among = ", ".join({"yes": "true", "no": "false"}[word] for word in words)
        case _:
            among = ", ".join(f"'{word}'" for word in words)
    return f"{'not ' if sign == '!=' else ''}({fact} in [{among}])"


def by_zen(row: list[list[Told]], facts: pl.DataFrame) -> np.ndarray:
    """Whether a row holds for every patient. The engine is asked once for each combination of the facts that the row reads."""
    names = sorted({fact for one in row for fact, _, _ in one})
    told = zen.compile_expression(expression(row))
    if not names:
        return np.full(facts.height, told.evaluate({}))
    states = facts.select(names).with_columns(pl.col(pl.Date).dt.to_string("iso:strict")).with_row_index("patient")
    unlike = states.drop("patient").unique()
    held = unlike.with_columns(held=pl.Series([told.evaluate(state) for state in unlike.iter_rows(named=True)], dtype=pl.Boolean))
    return states.join(held, on=names).sort("patient")["held"].to_numpy()


def anything(n: int, seed: int) -> pl.DataFrame:
    """Complete facts that owe nothing to the pathway's own partition: any word of a fact, numbers at, beside and between the bounds."""
    rng, bounds = np.random.default_rng(seed), {}
    for row in (row for rows in pathway().rows.values() for row in rows):
        for fact, _, words in (told for one in asked(row) for told in one):
            bounds.setdefault(fact, set()).update(words)
    for table in tables().values():
        for fact, _, words in (told for one in conditions(table.get("applies", ())) for told in one):
            bounds.setdefault(fact, set()).update(words)
    columns = {fact: drawn_of(fact, words, n, rng) for fact, words in sorted(bounds.items())}
    return pl.DataFrame({"patient": [*map(str, range(n))]} | columns)


def drawn_of(fact: str, words: set[str], n: int, rng: np.random.Generator) -> pl.Series:
    if kind(fact) == "flag":
        return pl.Series(rng.random(n) < 0.5)
    values: list[Any]
    if kind(fact) == "day":
        values = [date.fromisoformat(word) + timedelta(days=step) for word in words for step in (-1, 0, 1)]
    elif kind(fact) == "number":
        values = [float(word) + step for word in words for step in (-1, -0.25, 0, 0.25, 1)]
    else:
        values = [*(LABEL_WORDS if fact.startswith(LABEL) else words_of(fact)), *words]
    values = sorted(set(values))
    return pl.Series(values).gather(rng.integers(0, len(values), n))


@pytest.mark.parametrize("drawn_from", ["what the pathway tells apart", "any values"])
def test_every_row_holds_where_the_zen_engine_says_so(drawn_from: str) -> None:
    """Complete facts. Every row of every option and every `applies`, over every patient, is compared."""
    found = anything(8_000, seed=8) if drawn_from == "any values" else drawn(40_000, seed=7)
    known, wrong, asked_before = Answers(Columns(found)), [], {}
    told = [(f"{row.key} {row.option}", row.when, asked(row)) for rows in pathway().rows.values() for row in rows]
    applies = {table["question"]: table["applies"] for table in tables().values() if "question" in table}
    told += [(key, question.applies, conditions(applies[key])) for key, question in pathway().questions.items()]
    for name, when, text in told:
        ours, key = known.of(when), str(text)
        held = asked_before[key] if key in asked_before else asked_before.setdefault(key, by_zen(text, found))
        if not (np.array_equal(ours.yes, held) and np.array_equal(ours.no, ~held)):
            wrong.append(name)
    assert wrong == []
    assert len(told) == sum(map(len, pathway().rows.values())) + len(pathway().questions)


def test_the_comparison_with_zen_can_fail() -> None:
    """A bound that is off by one day or one step is noticed."""
    facts = drawn(5_000, seed=7)
    row = next(row for row in pathway().row("IN1"))
    moved = [[(fact, sign, ("2023-12-13",) if fact == "at" else words) for fact, sign, words in one] for one in asked(row)]
    held = Answers(Columns(facts)).of(row.when).yes
    assert np.array_equal(held, by_zen(asked(row), facts))
    assert not np.array_equal(held, by_zen(moved, facts))


# --- the stances, by a plain reading of the rules


def either(parts: Iterable[bool | None]) -> bool | None:
    """Kleene: yes if one is, no if all are not, else unknown."""
    found = list(parts)
    return True if True in found else None if None in found else False


def every(parts: Iterable[bool | None]) -> bool | None:
    found = list(parts)
    return False if False in found else None if None in found else True


def holds(told: Told, patient: dict[str, Any]) -> bool | None:
    """One comparison with the patient's value; None if what is missing decides it."""
    fact = told[0]
    return compares(told, patient.get(fact), patient.get(f"{fact}_low"), patient.get(f"{fact}_high"))


@cache
def compares(told: Told, value: Any, low: float | None, high: float | None) -> bool | None:
    fact, sign, words = told
    if sign in ("=", "!="):
        possible = [] if value is None else value.split("|") if isinstance(value, str) else [value]
        wanted = {"flag": lambda word: word == "yes", "number": float}.get(kind(fact), str)
        among = {one in [wanted(word) for word in words] for one in possible}
        if value is None and low is not None and high is not None and kind(fact) == "number":
            among = {None} if any(low <= float(word) <= high for word in words) else {False}
        answer = None if len(among) != 1 else among.pop()
        return answer if sign == "=" or answer is None else not answer
    bound: Any = date.fromisoformat(words[0]) if kind(fact) == "day" else float(words[0])
    ends = (value, value) if value is not None else (low, high)
    if None in ends:
        return None
    told_by = {{"<": end < bound, "<=": end <= bound, ">": end > bound, ">=": end >= bound}[sign] for end in ends}
    return None if len(told_by) > 1 else told_by.pop()


def truth(row: list[list[Told]], patient: dict[str, Any]) -> bool | None:
    return every(either(holds(told, patient) for told in one) for one in row)


def by_hand(rows: list[Written], patient: dict[str, Any]) -> set[str]:
    """The stances of an option.

    A block before everything, against before for but where a conflict is declared, and for only where no missing fact can undo it.
    An option that nothing speaks for or against need not be blocked, unless blocks are all that is ever said of it.
    """
    found = [(row, truth(told, patient)) for row, told in rows]
    pro, contra, block = (either(told for row, told in found if row["stance"] == one) for one in ("for", "against", "blocked"))
    only_blocks = all(row["stance"] in ("blocked", "caution") for row, _ in found)
    if block and (pro is not False or contra or only_blocks):
        return {"blocked"}
    said = {"against"} if contra else set()
    undone = either(every((told, opposite(contested(row, found)))) for row, told in found if row["stance"] == "against")
    if undone:
        return said
    if pro:
        return said | {"for" if (block, contra, undone).count(None) == 0 else "unknown"}
    return said | ({"unknown"} if pro is None else set())


def contested(row: dict[str, Any], found: list[tuple[dict[str, Any], bool | None]]) -> bool | None:
    """Does a row for hold that is declared to be in conflict with this row against?"""
    return either(told for other, told in found if other["stance"] == "for" and row["id"] in other.get("conflicts", ()))


def opposite(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def partly(facts: pl.DataFrame, seed: int) -> list[dict[str, Any]]:
    """Patients of whom some facts are missing, some lie between bounds, and some are one of two words."""
    rng, told = random.Random(seed), []
    for patient in facts.drop("patient").iter_rows(named=True):
        for fact, value in list(patient.items()):
            if isinstance(value, float):
                other = value + rng.randrange(3)
                patient |= {fact: None, f"{fact}_low": value, f"{fact}_high": other} if other > value and rng.random() < 0.2 else {}
            elif isinstance(value, str) and kind(fact) == "category" and rng.random() < 0.1:
                words = LABEL_WORDS if fact.startswith(LABEL) else words_of(fact)
                patient[fact] = "|".join(sorted({value, rng.choice(list(words) or [value])}))
        told.append(patient)
    return told


@pytest.mark.parametrize("policies", [{}, {"off_label": "mark", "antigen_loss": "caution"}], ids=["defaults", "the other policies"])
def test_stances_are_those_of_the_rules_as_they_are_written(policies: dict[str, str]) -> None:
    """5,000 patients (1,000 under the other policies): a fifth or a twentieth of the facts is missing, more is only partly known."""
    n = 500 if policies else 2_500
    facts = pl.concat([drawn(n, seed=3, missing=0.2), drawn(n, seed=4, missing=0.05)])
    patients = partly(facts, seed=5)
    names = sorted({name for patient in patients for name in patient})
    plain = {name: pl.String if isinstance(dtype, pl.Enum) else dtype for name, dtype in facts.schema.items()}
    schema = {name: plain.get(name, pl.Float64) for name in names}
    table = pl.DataFrame(patients, schema=schema).with_columns(patient=pl.Series(map(str, range(len(patients)))))
    chosen = settled(policies)
    ours: list[dict[tuple[str, str], set[str]]] = [{} for _ in patients]
    for place, line in stances(pathway(), Columns(table), chosen).lines():
        ours[place].setdefault((line.entry.question, line.entry.option), set()).add(line.entry.stance)
    theirs = [expected(patient, chosen) for patient in patients]
    places = [(i, place) for i in range(len(patients)) for place in ours[i].keys() | theirs[i].keys()]
    assert [(i, place, ours[i].get(place), theirs[i].get(place)) for i, place in places if ours[i].get(place) != theirs[i].get(place)] == []
    assert {stance for told in ours for said in told.values() for stance in said} == {"for", "against", "blocked", "unknown"}
    assert any({"for", "against"} <= said for told in ours for said in told.values())


@cache
def in_force(chosen: tuple[tuple[str, str], ...]) -> dict[str, tuple[list[list[Told]], dict[str, list[Written]]]]:
    """Of every question what it is asked of, and the rows of its options that the policies leave in force."""
    held = {None, *(f"{name}={value}" for name, value in chosen)}
    found: dict[str, Any] = {table["question"]: (conditions(table["applies"]), {}) for table in tables().values() if "question" in table}
    for (question, option), rows in pathway().rows.items():
        mine = [(written(row.key, question), asked(row)) for row in rows]
        found[question][1][option] = [(row, told) for row, told in mine if row.get("policy") in held]
    return found


def expected(patient: dict[str, Any], chosen: dict[str, str]) -> dict[tuple[str, str], set[str]]:
    told: dict[tuple[str, str], set[str]] = {}
    for question, (applies, rows) in in_force(tuple(chosen.items())).items():
        match truth(applies, patient):
            case None:
                told[question, ""] = {"unknown"}
            case True:
                told |= {(question, option): said for option, mine in rows.items() if (said := by_hand(mine, patient))}
    return told


def test_every_policy_of_the_advice_is_named_by_a_row() -> None:
    named = {row["policy"].split("=")[0] for table in tables().values() for row in table["row"] if "policy" in row}
    assert set(POLICIES) == named
