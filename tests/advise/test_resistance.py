"""Mechanisms of resistance: supported, refuted, untested. What is missing never refutes and never supports."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest

from bence.advise.checks import states as combinations_of
from bence.advise.columns import Columns
from bence.advise.conditions import Condition
from bence.advise.resistance import STATES, Mechanism, mechanisms, resistance, states
from bence.advise.vocabulary import vocabulary, words_of

TODAY = date(2026, 11, 22)
TYPES = {"flag": pl.Boolean, "number": pl.Float64, "category": pl.String}
BY_KEY = {one.key: one for one in mechanisms()}


def asked(conditions: list[Condition]) -> set[str]:
    return {atom.fact for condition in conditions for atom in condition.atoms}


def of(one: Mechanism) -> list[Condition]:
    """Every condition of the tests of a mechanism."""
    return [condition for test in one.tests for condition in (test.supports, test.refutes) if condition]


EVERY_FACT = sorted(asked([condition for one in BY_KEY.values() for condition in (*of(one), *one.suspected)]))


def table(*patients: dict[str, Any]) -> pl.DataFrame:
    """Patients of whom nothing is known but what is told."""
    schema = {"patient": pl.String, "at": pl.Date} | {name: TYPES[vocabulary()[name].kind] for name in EVERY_FACT}
    return pl.DataFrame([{"patient": f"P{i:02d}", "at": TODAY} | told for i, told in enumerate(patients)], schema=schema)


def state(mechanism: str, **facts: Any) -> str:
    return STATES[states(Columns(table(facts)))[mechanism][0][0]]


def told(**facts: Any) -> dict[str, str]:
    return dict(resistance(table(facts)).select("mechanism", pl.col("state").cast(pl.String)).rows())


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ({}, "untested"),
        ({"tnfrsf17_status": "biallelic_loss"}, "supported"),
        ({"tnfrsf17_status": "mutation"}, "supported"),
        ({"tnfrsf17_status": "intact"}, "refuted"),
        ({"bcma_expression": "negative"}, "supported"),
        ({"bcma_expression": "positive"}, "untested"),  # an antigen that is there does not show that its gene is whole
        (
            {"tnfrsf17_status": "intact", "bcma_expression": "negative"},
            "supported",
        ),  # one test that shows it outweighs one that rules it out
        ({"tnfrsf17_status": "biallelic_loss|intact"}, "untested"),
        ({"tnfrsf17_status": "biallelic_loss|mutation"}, "untested"),  # each alone would support it; neither test says so by itself
    ],
)
def test_loss_of_bcma(facts: dict[str, str], answer: str) -> None:
    assert state("bcma-loss", **facts) == answer


def test_extramedullary_disease_is_supported_refuted_or_untested() -> None:
    answers = {found: state("extramedullary-disease", extramedullary_disease=found) for found in (True, False, None)}
    assert answers == {True: "supported", False: "refuted", None: "untested"}


def test_a_bound_decides_where_the_number_lies_beyond_it() -> None:
    assert [state("tumour-burden", marrow_plasma_cells=share) for share in (59.9, 60.0, None)] == ["untested", "supported", "untested"]
    assert state("tumour-burden", ldh_high=True) == "supported"


@pytest.mark.parametrize("one", BY_KEY.values(), ids=BY_KEY)
def test_what_is_missing_neither_supports_nor_refutes(one: Mechanism) -> None:
    """Every combination of results, each of them also missing: as if by hand, the state rests on what is known alone."""
    every = combinations_of({atom for condition in of(one) for atom in condition.atoms})
    assert every is not None
    names = [name for name in every.columns if name in EVERY_FACT]
    values = [[*every[name].unique().to_list(), None] for name in names]
    people = [dict(zip(names, told, strict=True)) for told in product(*values)]
    found = states(Columns(table(*people)))[one.key][0]
    assert [STATES[place] for place in found] == [by_hand(one, told) for told in people]
    assert STATES[found[-1]] == "untested"


def by_hand(one: Mechanism, told: dict[str, Any]) -> str:
    shown = any(holds(str(test.supports), told) for test in one.tests if test.supports)
    denied = any(holds(str(test.refutes), told) for test in one.tests if test.refutes)
    return "supported" if shown else "refuted" if denied else "untested"


def holds(text: str, told: dict[str, Any]) -> bool:
    """A condition as it is written, of what is known; what is missing holds nothing."""
    for part in text.split(" or "):
        fact, sign, wanted = part.split()
        value = told[fact]
        if value is None:
            continue
        if sign == ">=":
            if value >= float(wanted):
                return True
        elif (value if isinstance(value, str) else "yes" if value else "no") in wanted.split("|"):
            return True
    return False


def test_every_test_has_a_result_that_supports_or_refutes_and_none_does_both() -> None:
    for one in BY_KEY.values():
        for test in one.tests:
            if test.supports and test.refutes:
                (fact,) = asked([test.supports, test.refutes])
                words = words_of(fact) or (True, False)
                both = [word for word in words if holds(str(test.supports), {fact: word}) and holds(str(test.refutes), {fact: word})]
                assert both == [], one.key


def test_what_mechanisms_ask_is_a_word_of_the_fact() -> None:
    """A flag that is asked whether it is "positive" would be read as asked whether it is not."""
    wrong = []
    for one in BY_KEY.values():
        for atom in (atom for condition in (*of(one), *one.suspected) for atom in condition.atoms):
            kind = vocabulary()[atom.fact].kind
            words = {"flag": {"yes", "no"}, "category": set(words_of(atom.fact)), "number": set()}[kind]
            if not set(atom.words) <= words or (atom.bound is not None) != (kind == "number"):
                wrong.append(f"{one.key}: {atom}")
    assert wrong == []


@pytest.mark.parametrize(("found", "answer"), [(True, "supported"), (False, "refuted"), (None, "untested")])
def test_dependence_on_bcl2_rests_on_the_translocation(found: bool | None, answer: str) -> None:
    assert state("anti-apoptosis", t_11_14=found) == answer


ALWAYS = {key for key, one in BY_KEY.items() if not one.suspected}  # one may think of these in everybody


def test_a_mechanism_is_told_where_one_may_think_of_it_or_a_test_speaks() -> None:
    assert told() == dict.fromkeys(sorted(ALWAYS), "untested")
    assert told(exposed_bcma=True)["bcma-loss"] == "untested"
    assert "bcma-loss" not in told(exposed_bcma=False)
    assert told(tnfrsf17_status="intact")["bcma-loss"] == "refuted"
    assert "gprc5d-loss" not in told(exposed_bcma=True)


def test_the_table_has_one_row_a_patient_and_mechanism_in_their_order() -> None:
    people = [{"exposed_bcma": True}, {}, {"exposed_gprc5d": True, "gprc5d_status": "biallelic_loss", "extramedullary_disease": False}]
    found = resistance(table(*people))
    assert found.columns == ["patient", "at", "mechanism", "state"]
    assert found.select("patient", "mechanism").is_duplicated().sum() == 0
    assert found["patient"].to_list() == sorted(found["patient"])
    assert found.filter(pl.col("patient") == "P01")["mechanism"].to_list() == sorted(ALWAYS)
    assert set(found["at"]) == {TODAY}
    last = dict(found.filter(pl.col("patient") == "P02").select("mechanism", pl.col("state").cast(pl.String)).rows())
    assert (last["gprc5d-loss"], last["extramedullary-disease"]) == ("supported", "refuted")
    assert resistance(table()).height == 0


def test_other_patients_change_nothing() -> None:
    rng = np.random.default_rng(5)
    people = [{"tnfrsf17_status": str(rng.choice(["intact", "mutation"])), "exposed_bcma": bool(rng.random() < 0.5)} for _ in range(30)]
    together = resistance(table(*people)).drop("patient").rows()
    assert together == [row for told in people for row in resistance(table(told)).drop("patient").rows()]
