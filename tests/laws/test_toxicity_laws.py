"""The laws of toxicity: nobody else matters, nor the order of rows, nor the future; what is missing never invents a grade."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from by_hand import cells, completions, partial_record, whole
from polars.testing import assert_frame_equal

from bence.assess.policies import settle
from bence.assess.toxicity import toxicity_table
from bence.assess.toxicity.astct import BOOK
from bence.assess.toxicity.ctcae import graded, terms
from bence.chart import SCHEMA, Chart, visible

START = date(2024, 3, 1)
SIGNS: dict[str, tuple[Any, ...]] = {
    "temperature": (36.6, 37.9, 38.0, 39.4), "vasopressor": (0.0, 0.0, 1.0, 2.0), "hypotension": ("no", "yes"),
    "oxygen": ("none", "none", "low_flow", "positive_pressure"), "ice_score": (10.0, 8.0, 5.0, 0.0),
    "consciousness": ("awake", "awake", "voice", "unarousable"), "seizure": ("none", "none", "brief"), "motor_deficit": ("no", "no", "yes"),
    "cerebral_oedema": ("none", "none", "focal"), "systolic": (80.0, 120.0), "hypoxia_other_cause": ("no", "yes"),
}  # fmt: skip
LABORATORY: dict[str, tuple[float, ...]] = {
    "neutrophils": (0.05, 0.3, 0.9, 3.0), "platelets": (10.0, 60.0, 120.0, 220.0), "hemoglobin": (70.0, 95.0, 118.0, 140.0),
    "alt": (20.0, 70.0, 180.0), "creatinine": (80.0, 170.0, 400.0), "sodium": (122.0, 127.0, 140.0), "calcium": (1.8, 2.3, 3.0),
    "albumin": (22.0, 40.0), "ferritin": (100.0, 9000.0), "fibrinogen": (0.4, 1.2, 3.0), "igg": (2.0, 9.0), "alt_upper_limit": (40.0, 50.0),
    "serum_m_protein": (0.0, 6.0), "weight": (60.0, 75.0, 80.0), "keratopathy_grade": (0.0, 1.0, 3.0),
    "visual_acuity_lines_lost": (0.0, 2.0, 5.0),
}  # fmt: skip
OTHERWISE = {"ctcae_baseline": "require", "icans_unmentioned": "absent", "crs_infection": "unknown"}
TABLES = ("patients", "observations", "treatments", "events")
PRODUCTS = ("cilta_cel", "teclistamab", "talquetamab", "belantamab_mafodotin", "bortezomib")
EVENTS = ("crs", "icans", "infection", "febrile_neutropenia", "dysgeusia", "parkinsonism", "keratopathy", "icaht", "iec_hs", "weight_loss")


def pick(draw: np.random.Generator, choices: tuple[Any, ...]) -> Any:
    return choices[int(draw.integers(len(choices)))]


def course(patient: str, draw: np.random.Generator) -> dict[str, list[dict[str, Any]]]:
    """One patient: a product or two, two weeks of signs with gaps, laboratory values for months, some events."""

    def on(day: int) -> dict[str, Any]:
        when = START + timedelta(days=day)
        return {"patient": patient, "on": when, "recorded_on": when + timedelta(days=int(draw.integers(0, 4)))}

    def observed(day: int, what: str, said: Any) -> dict[str, Any]:
        number = isinstance(said, float)
        status = pick(draw, ("final",) * 15 + ("spurious", "entered_in_error"))
        sign = pick(draw, (None,) * 9 + ("<",)) if number else None
        value, text = (said, None) if number else (None, said)
        return {**on(day), "what": what, "value": value, "text": text, "comparator": sign, "status": status}

    observations = [observed(day, what, pick(draw, kept)) for day in range(14) for what, kept in SIGNS.items() if draw.random() < 0.5]
    days = [int(day) for day in draw.integers(-20, 120, 14)]
    observations += [observed(day, what, pick(draw, kept)) for day in days for what, kept in LABORATORY.items() if draw.random() < 0.6]
    treatments = [
        {"patient": patient, "started_on": START + timedelta(days=int(draw.integers(0, 60)) * (i > 0)), "what": what}
        for i, what in enumerate([*draw.choice(PRODUCTS, 2), *draw.choice(["tocilizumab", "dexamethasone", "immunoglobulin"], 2)])
    ]
    events = []
    for _ in range(int(draw.integers(0, 6))):
        first = int(draw.integers(0, 60))
        until = START + timedelta(days=first + int(draw.integers(0, 6))) if draw.random() < 0.6 else None
        events.append({
            **on(first), "until": until, "what": pick(draw, EVENTS), "grade": pick(draw, (None, 1, 2, 3, 4, 5)),
            "text": pick(draw, (None, None, None, "none")),
        })  # fmt: skip
    return {"observations": observations, "treatments": treatments, "events": events}


@cache
def cohort(seed: int = 0, size: int = 16) -> Chart:
    draw = np.random.default_rng(seed)
    ids = [f"P{place:02}" for place in range(size)]
    parts = [course(name, draw) for name in ids]
    people = pl.DataFrame({
        "patient": ids, "sex": [pick(draw, ("female", "male", None)) for _ in ids],
        "heavy_chain": [pick(draw, ("igg", "iga", None)) for _ in ids],
        "died_on": [START + timedelta(days=9) if draw.random() < 0.2 else None for _ in ids],
    }, schema_overrides={"died_on": pl.Date, "sex": pl.String, "heavy_chain": pl.String})  # fmt: skip
    frames = [
        pl.DataFrame([row for part in parts for row in part[table]], schema_overrides=SCHEMA[table])
        for table in ("observations", "treatments", "events")
    ]
    return Chart(people, *frames)


def table(chart: Chart, at: date | None = None, **policies: Any) -> pl.DataFrame:
    return toxicity_table(chart, settle(policies), at)


def test_the_cohort_has_something_to_say() -> None:
    kinds = set(table(cohort())["kind"])
    assert len(kinds) > 12
    assert kinds & {"crs", "icans"}


@pytest.mark.parametrize("policies", [{}, OTHERWISE], ids=["default", "otherwise"])
def test_the_order_of_rows_does_not_matter(policies: dict[str, str]) -> None:
    chart = cohort()
    mixed = Chart(*(getattr(chart, name).sample(fraction=1, shuffle=True, seed=1) for name in TABLES))
    assert_frame_equal(table(chart, **policies), table(mixed, **policies))


def test_other_patients_do_not_matter() -> None:
    """Some alone, and everybody among fewer."""
    chart, found = cohort(), table(cohort())
    ids = chart.patients["patient"].to_list()
    for some in ([ids[0]], [ids[5]], [ids[10]], [ids[15]], ids[::2], ids[1::2]):
        own = pl.col("patient").is_in(some)
        fewer = Chart(*(getattr(chart, name).filter(own) for name in TABLES))
        assert_frame_equal(table(fewer), found.filter(own))


def test_what_is_recorded_later_does_not_matter() -> None:
    chart = cohort()
    for days in (2, 8, 40):
        at = START + timedelta(days=days)
        then = table(chart, at)
        assert_frame_equal(then, table(visible(chart, at)))
        assert then["started_on"].max() is None or then["started_on"].max() <= at  # type: ignore[operator]


def test_a_duplicate_row_changes_nothing() -> None:
    chart = cohort()
    twice = [pl.concat([getattr(chart, name)] * 2) for name in ("observations", "treatments", "events")]
    assert_frame_equal(table(chart), table(Chart(chart.patients, *twice)))


def test_a_row_says_one_grade_or_several_or_none() -> None:
    for row in table(cohort()).iter_rows(named=True):
        several = row["worst_grade_possible"]
        assert row["worst_grade"] is None or several is None
        assert several is None or len(several.split("|")) > 1
        assert row["worst_grade"] is not None or several or row["kind"] == "hypogammaglobulinaemia"
        assert row["ended_on"] is None or row["started_on"] <= row["ended_on"], row
        assert "" not in (row["missing"], row["flags"], row["because"], row["course"])


@pytest.mark.parametrize("kind", ["crs", "icans"])
def test_hiding_a_sign_leaves_the_true_grade_of_a_day_possible(kind: str) -> None:
    """Of every day the grade that all signs give stays among the grades that are possible without one of them."""
    chart = cohort()
    chart = Chart(chart.patients, chart.observations, chart.treatments)
    hidden = ("oxygen", "hypotension") if kind == "crs" else ("seizure", "ice_score")
    full = days_of(chart, kind)
    for sign in hidden:
        gone = ("hypotension", "systolic") if sign == "hypotension" else (sign,)
        less = days_of(Chart(chart.patients, chart.observations.filter(~pl.col("what").is_in(gone)), chart.treatments), kind)
        for day, grades in full.items():
            if day in less:
                assert grades <= less[day], (day, sign)


def days_of(chart: Chart, kind: str) -> dict[tuple[str, str], set[str]]:
    """The grades possible on each day of the course of each episode."""
    found = {}
    for row in table(chart).filter(pl.col("kind") == kind).iter_rows(named=True):
        for step in (row["course"] or "").split():
            day, _, grades = step.partition(":")
            found[row["patient"], day] = set(grades.split("|"))
    return found


@pytest.mark.parametrize("name", ["crs_grade", "icans_grade", "keratopathy_kva", "icaht_early", "icaht_late", "iec_hs_suspected"])
def test_an_answer_is_given_exactly_when_no_missing_value_could_change_it(name: str) -> None:
    import random

    import bence.assess.toxicity  # noqa: F401

    draw, found = random.Random(name), cells(BOOK, name)
    for _ in range(60):
        record = partial_record(found, draw, 3000)
        wholes, every = completions(found, record)
        assert every
        given = {leaf: value for leaf, value in record.items() if value is not None}
        assert set(BOOK.rules[name].possible(given)) == {whole(BOOK, name, each) for each in wholes}, record


@pytest.mark.parametrize("term", terms(), ids=lambda term: term.name)
def test_a_worse_value_never_has_a_better_grade_and_a_blank_never_a_surer_one(term: Any) -> None:
    low, high = np.array([0.0, 10.0]) if term.code in ("alt", "ast") else np.array([0.01, 1.2])
    values = np.sort(np.concatenate([np.linspace(0.01, 30, 400), np.linspace(30, 2000, 400)]))
    ends = np.full(values.size, max(term.usual[0], 1.0) if term.usual[0] == term.usual[0] else 5.0)
    for base, require in product((np.nan, ends[0] * 0.8, ends[0] * (2 if term.high else 0.5)), (False, True)):
        baseline = np.full(values.size, base)
        sure, could = graded(term, values, values, (ends, ends), baseline, require)
        step = np.diff(sure.astype(int)) * (1 if term.high else -1)
        assert (step >= 0).all()
        assert (sure <= could).all()
        wide_sure, wide_could = graded(term, values, values, (ends * 0.9, ends * 1.1), baseline, require)
        assert ((wide_sure <= sure) & (could <= wide_could)).all(), "a limit known less well leaves more grades"
        span_sure, span_could = graded(term, values - low, values + high, (ends, ends), baseline, require)
        assert ((span_sure <= sure) & (could <= span_could)).all(), "a value known less well leaves more grades"
