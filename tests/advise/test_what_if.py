"""What each result of a missing test would mean: every result that is possible, and the stance that it truly leads to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from bence.advise.checks import drawn
from bence.advise.columns import Columns
from bence.advise.conditions import Atom, read
from bence.advise.partition import parts
from bence.advise.pathway import Pathway, Question, Row, pathway
from bence.advise.policies import settled
from bence.advise.stances import Entry, stances
from bence.advise.vocabulary import LABEL, vocabulary
from bence.advise.what_if import Outcome, outcomes

NO_POLICY = settled({})
ASKED = Question("q", ("question", "问题"), ())


def row(key: str, stance: Any, *when: str, **told: Any) -> Row:
    blank = pathway().rows["relapse", "relapse_trial"][0]
    own = tuple(map(read, when))
    changed = {"key": key, "question": "q", "option": "o", "stance": stance, "when": own, "written": own, "conflicts": (), "policy": None}
    return Row(**{name: getattr(blank, name) for name in Row.__dataclass_fields__} | changed | told)


def path(*rows: Row) -> Pathway:
    """A pathway of one question about one option."""
    return Pathway({"q": ASKED}, {}, {("q", "o"): rows}, frozenset())


def patient(**facts: Any) -> Columns:
    kinds: dict[str, Any] = {"at": pl.Date}
    for name in facts:
        kind = vocabulary()[name].kind if name in vocabulary() else "number" if name.endswith(("_low", "_high")) else "category"
        kinds.setdefault(name, {"flag": pl.Boolean, "number": pl.Float64, "category": pl.String}[kind])
    return Columns(pl.DataFrame([{"at": date(2026, 11, 22)} | facts], schema=kinds))


def told(own: Pathway, facts: Columns, *missing: str, lang: str = "en") -> dict[Any, tuple[str, ...]]:
    """The stances of the option by the value of the missing fact."""
    found = outcomes(own, facts, Entry("q", "o", "unknown", ()), missing, NO_POLICY, lang)
    return {one.value: tuple(sorted(one.stances)) for one in found}


def test_a_flag_has_two_results() -> None:
    own = path(row("A", "for", "transplant_eligible = yes"), row("B", "against", "transplant_eligible = no"))
    assert told(own, patient(transplant_eligible=None), "transplant_eligible") == {True: ("for",), False: ("against",)}


def test_words_that_no_row_tells_apart_are_one_result() -> None:
    own = path(row("A", "for", "response = CR|sCR"), row("B", "against", "response = PD"))
    found = outcomes(own, patient(response=None), Entry("q", "o", "unknown", ()), ["response"], NO_POLICY)
    assert sorted(one.stances for one in found) == [(), ("against",), ("for",)]
    best = next(one for one in found if one.stances == ("for",))
    assert set(best.words.split(" / ")) == {"CR", "sCR"} or len(best.words.split(" / ")) == 2
    assert len({one.words for one in found}) == 3


@pytest.mark.parametrize(
    ("known", "stances_"),
    [("CR|PR", {(), ("for",)}), ("sCR|PR", {(), ("for",)}), ("CR|PD", {("for",), ("against",)}), ("PR|SD", {()}), ("CR|sCR", {("for",)})],
)
def test_only_words_that_are_still_possible_are_results(known: str, stances_: set[tuple[str, ...]]) -> None:
    """Whichever of the words that stand for one another the record has."""
    own = path(row("A", "for", "response = CR|sCR"), row("B", "against", "response = PD"))
    assert set(told(own, patient(response=known), "response").values()) == stances_


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (None, None, ["for", "", "against"]),
        (60, 64, ["for"]),
        (60, 66, ["for", ""]),
        (65, 66, ["for", ""]),
        (66, 69, [""]),
        (66, 72, ["", "against"]),
        (66, 70, [""]),
        (71, 80, ["against"]),
        (None, 66, ["for", ""]),
        (66, None, ["", "against"]),
    ],
)
def test_only_parts_of_a_number_that_meet_its_bounds_are_results(low: float | None, high: float | None, said: list[str]) -> None:
    own = path(row("A", "for", "age <= 65"), row("B", "against", "age > 70"))
    found = told(own, patient(age=None, age_low=low, age_high=high), "age")
    assert ["".join(each) for _, each in sorted(found.items())] == said


def test_a_number_of_lines_asked_for_one_by_one() -> None:
    """A count that rows name and bound: every number that they tell apart is a result, and nothing between them."""
    own = path(row("A", "for", "prior_lines = 1|2"), row("B", "against", "prior_lines >= 4"))
    found = told(own, patient(prior_lines=None), "prior_lines")
    assert [found[value] for value in sorted(found)] == [(), ("for",), (), ("against",)]
    assert all(value == int(value) for value in found)
    assert set(told(own, patient(prior_lines=None, prior_lines_low=2.0, prior_lines_high=3.0), "prior_lines").values()) == {("for",), ()}
    only_words = path(row("A", "for", "prior_lines = 1|2"))
    assert set(told(only_words, patient(prior_lines=None), "prior_lines").values()) == {(), ("for",)}


def test_a_fact_that_is_missing_with_another_leaves_the_option_unknown() -> None:
    own = path(row("A", "for", "transplant_eligible = yes", "high_risk_2025 = high"))
    facts = patient(transplant_eligible=None, high_risk_2025=None)
    assert told(own, facts, "transplant_eligible") == {True: ("unknown",), False: ()}


@pytest.mark.parametrize(("option", "stances"), [("d_vrd", ("for",)), ("isa_vrd", ("blocked",))])
def test_a_result_changes_what_the_label_allows(option: str, stances: tuple[str, ...]) -> None:
    """United States, January 2025: D-VRd is licensed for those for a transplant, Isa-VRd for the others; frailty stays unknown."""
    asked = {"at": date(2025, 1, 10), "region": "us", "situation": "untreated", "diagnosis": "MM", "died": False, "prior_lines": 0.0}
    undecided = dict.fromkeys(("label_d_vrd", "label_isa_vrd"), "on_label|off_label")
    drugs = ("daratumumab", "isatuximab", "bortezomib", "lenalidomide")
    calm = {"pregnancy": False} | {f"refractory_{drug}": False for drug in drugs}
    facts = patient(**asked, **undecided, **calm, transplant_eligible=None, frailty_imwg=None)
    found = outcomes(pathway(), facts, Entry("induction", option, "unknown", ()), ["transplant_eligible"], NO_POLICY)
    assert {one.value: one.stances for one in found}[True] == stances


def test_a_result_can_bring_both_sides_of_a_conflict() -> None:
    own = path(row("A", "for", "mrd_1e5 = negative", conflicts=("B",)), row("B", "against", "mrd_1e5 = negative"))
    found = told(own, patient(mrd_1e5=None), "mrd_1e5")
    assert found["negative"] == ("against", "for")


def test_nothing_missing_has_no_results() -> None:
    assert outcomes(path(row("A", "for")), patient(age=60.0), Entry("q", "o", "for", ()), [], NO_POLICY) == []


def test_results_are_named_in_the_language_of_the_reader() -> None:
    own = path(row("A", "for", "age <= 65"))
    words = [one.words for one in outcomes(own, patient(age=None), Entry("q", "o", "unknown", ()), ["age"], NO_POLICY, "zh")]
    assert all(any("\u4e00" <= sign <= "\u9fff" or sign in "<≥>≤" for sign in word) for word in words)


def test_every_result_is_what_the_advice_says_once_it_is_known() -> None:
    """The law: of drawn patients with holes, a result put into the facts gives the stances that were foretold."""
    asked = {"diagnosis": "MM", "situation": "relapse", "died": False}
    whole = drawn(14, seed=21, missing=0.15)
    facts = whole.with_columns(pl.lit(value).cast(whole.schema[name]).alias(name) for name, value in asked.items())
    compared = 0
    for place in range(facts.height):
        one = facts[place]
        for _, line in stances(pathway(), Columns(one), NO_POLICY).lines():
            if line.entry.stance != "unknown" or not line.entry.option:
                continue
            for outcome in outcomes(pathway(), Columns(one), line.entry, line.waits[:3], NO_POLICY):
                assert set(outcome.stances) == now(one, line.entry, outcome), (place, line.entry.option, outcome)
                compared += 1
    assert compared > 60


def now(one: pl.DataFrame, entry: Entry, outcome: Outcome) -> set[str]:
    """The stances of an option after a result came in."""
    known = one.with_columns(pl.lit(outcome.value).cast(one.schema[outcome.fact]).alias(outcome.fact))
    return {
        line.entry.stance
        for _, line in stances(pathway(), Columns(known), NO_POLICY).lines()
        if line.entry[:2] == (entry.question, entry.option)
    }


def test_every_number_answers_as_one_of_its_parts_does() -> None:
    """Of the rows of each option together, as the results of a test are worked out."""
    rng = np.random.default_rng(4)
    for rows in pathway().rows.values():
        atoms = {atom for each in rows for atom in each.atoms}
        for fact in sorted({atom.fact for atom in atoms if not atom.fact.startswith(LABEL) and atom.fact != "at"}):
            if vocabulary()[fact].kind == "number":
                asked = sorted((atom for atom in atoms if atom.fact == fact), key=str)
                counted = any(atom.words for atom in asked)
                some = np.arange(20.0) if counted else np.append(rng.uniform(0, 400, 40), [atom.bound for atom in asked])  # type: ignore[arg-type]
                assert answers(fact, some, asked) <= answers(fact, [float(value) for value in parts(fact, asked)], asked), (
                    rows[0].option,
                    fact,
                )


def answers(fact: str, values: Sequence[float] | np.ndarray, asked: list[Atom]) -> set[tuple[bool, ...]]:
    """What the comparisons say of each value."""
    facts = Columns(pl.DataFrame({fact: values}))
    return set(zip(*(atom.truth(facts).yes.tolist() for atom in asked), strict=True))
