"""Refractoriness and the kind of relapse against a slow second reading of the page, on random courses made of edges."""

from __future__ import annotations

from functools import cache
from typing import Any

import polars as pl
import pytest
from endpoint_charts import Row, person, rows_of, tables, to_chart
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from refractory_reference import kind_of_relapse, refractory

from bence.assess.endpoints import endpoint_columns
from bence.assess.exposure import exposure_table
from bence.assess.policies import settle

ONES = 12  # people of one cohort
POLICIES: list[dict[str, Any]] = [
    {}, {"refractory": "on_therapy"}, {"minimal_response": "always"}, {"minimal_response": "never"},
]  # fmt: skip
DRUGS = ("lenalidomide", "bortezomib", "daratumumab", "carfilzomib", "pomalidomide", "cilta_cel")
STEPS = st.sampled_from([1, 27, 28, 29, 30, 59, 60, 61, 62, 90, 120])
GRADES = st.sampled_from(["PR", "VGPR", "CR", "MR", "SD", "SD", "NE", "PR?", "PD!", "PD?", "PD~"])
ORDINARY = settings(  # a failing patient is named
    max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)  # fmt: skip


@st.composite
def courses(draw: Any) -> Row:
    """One to three lines of one or two drugs, with visits, events, and stops that nobody wrote."""
    day, given_, seen, events = 0, [], [], []
    for line in range(1, draw(st.integers(1, 3)) + 1):
        length = draw(STEPS) + draw(STEPS)
        drugs = draw(st.lists(st.sampled_from(DRUGS), min_size=1, max_size=2, unique=True))
        for place, drug in enumerate(drugs):
            began = day if place == 0 else day + draw(st.sampled_from([0, 0, 1, 28, 29, 40]))
            if drug == "cilta_cel":
                given_.append(f"{line}: {drug} {began}-{began}")
                continue
            stop = draw(st.sampled_from([None, 0, 1, 27, 28, 29, length]))
            why = draw(st.sampled_from(["", "", "completed", "toxicity", "progression"]))
            given_.append(f"{line}: {drug} {began}-{'' if stop is None else began + min(stop, day + length - began)} {why if stop else ''}")
        at = day
        while (at := at + draw(STEPS)) <= day + length:
            seen.append(f"{at} {draw(GRADES)}")
        if draw(st.integers(0, 4)) == 0:
            events.append(f"{day + draw(STEPS)} {draw(st.sampled_from(['progression', 'relapse_clinical']))}")
        day += length + draw(st.sampled_from([0, 29, 30, 60, 61]))
    return person("", "; ".join(given_), "; ".join(seen), "; ".join(events))


def named(people: list[Row]) -> list[Row]:
    return [{**one, "patient": f"P{place:03}"} for place, one in enumerate(people)]


def drawn(strategy: st.SearchStrategy[Row]) -> list[Row]:
    """The people of all cohorts that Hypothesis draws, for one chart."""
    people: list[Row] = []

    @ORDINARY
    @given(st.lists(strategy, min_size=6, max_size=ONES))
    def gather(cohort: list[Row]) -> None:
        people.extend(cohort)

    gather()
    assert len(people) > 100
    return named(people)


@cache
def treated() -> list[Row]:
    return drawn(courses())


@pytest.mark.parametrize("policies", POLICIES, ids=str)
def test_both_readings_of_refractory_agree(policies: dict[str, Any]) -> None:
    people, settled = treated(), settle(policies)
    chart = to_chart(people)
    response, lines = tables(people)
    table = exposure_table(chart, rows_of(chart, settled), lines, response, settled)
    told = {(row["patient"], row["drug"]): row for row in table.iter_rows(named=True)}
    for one in people:
        for drug, wanted in refractory(one, settled).items():
            row = told[one["patient"], drug]
            assert (row["refractory"] or "?") == wanted.answer, (drug, row["because"], row["missing"], wanted, one)
            if wanted.answer == "?":
                assert wanted.reasons & set(row["missing"].split("|")), (drug, row["missing"], wanted, one)


PROGRESSED = 200
LAB_DAYS = st.sampled_from([-30, 0, 1, 19, 20, 100, 157, 158, 159, 199, 200, 201, 241, 242, 243])
VALUES = {"calcium": [2.3, 2.75, 2.76], "hemoglobin": [140.0, 121.0, 120.0, 101.0, 100.0], "creatinine": [80.0, 90.0, 256.0, 257.0, 267.0]}
HAPPENED = ("plasmacytoma_new", "bone_lesion_new", "hyperviscosity", "relapse_biochemical")


@st.composite
def relapses(draw: Any) -> Row:
    """A first line with one progression on day 200, laboratory values and events around it."""
    noted = draw(st.lists(st.tuples(st.sampled_from(sorted(VALUES)), LAB_DAYS), max_size=9, unique=True))
    values = [{"on": day, "what": what, "value": draw(st.sampled_from(VALUES[what]))} for what, day in noted]
    events = [f"{draw(LAB_DAYS)} {draw(st.sampled_from(HAPPENED))}"] if draw(st.integers(0, 4)) == 0 else []
    rules = draw(st.sampled_from(["P1", "P1|P3", "P4", "P5", "P1", "P6", "P1|P6", "P7", "P8"]))
    return person("", "1: lenalidomide 0-", f"28 PR; {PROGRESSED} PD!", "; ".join(events), observations=values, rules=rules)


def test_both_readings_of_the_kind_of_relapse_agree() -> None:
    people, settled = drawn(relapses()), settle({})
    chart = to_chart(people)
    response, lines = tables(people)
    rules = pl.DataFrame({"patient": [one["patient"] for one in people], "rules": [one["rules"] for one in people]})
    response = response.join(rules, on="patient").with_columns(because=pl.when(pl.col("timepoint") == "PD").then("rules")).drop("rules")
    table = endpoint_columns(chart, rows_of(chart, settled), lines, response, settled, None)
    told = {row["patient"]: row for row in table.iter_rows(named=True)}
    for one in people:
        row = told[one["patient"]]
        wanted = kind_of_relapse(one, set(one["rules"].split("|")), PROGRESSED)
        assert row["relapse_kind"] == wanted, (row["relapse_because"], one["rules"], one["observations"], one["events"])
