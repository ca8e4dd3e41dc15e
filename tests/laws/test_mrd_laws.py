"""The laws of MRD: nobody else matters, nor the order of rows, nor the future; what is missing never invents a claim."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bence.assess.mrd import mrd_status, mrd_table
from bence.assess.policies import settle
from bence.chart import SCHEMA, Chart, visible

START = date(2023, 1, 1)
CELLS = (None, 1e5, 5e5, 2e6, 5e6, 2e7)


def pick(generator: np.random.Generator, choices: tuple[Any, ...]) -> Any:
    return choices[int(generator.integers(len(choices)))]


def rows_of(patient: str, generator: np.random.Generator) -> list[dict[str, Any]]:
    """Some tests of one patient, with all the ways in which a report may be incomplete."""
    rows = []
    for _ in range(int(generator.integers(1, 6))):
        on = START + timedelta(days=int(generator.integers(0, 5)) * 150)
        told = {"patient": patient, "on": on, "recorded_on": on + timedelta(days=int(generator.integers(0, 40)))}
        text = pick(generator, (None, None, None, "negative", "positive"))
        value = None if text else pick(generator, (0.0, 0.0, 3e-7, 2e-6, 8e-6, 1e-5, 5e-5, 1e-3))
        rows.append({
            **told, "what": "mrd", "method": pick(generator, ("ngs", "ngs", "ngf", "flow", None)), "value": value, "text": text,
            "comparator": pick(generator, (None, None, None, "<")) if value else None, "cells": pick(generator, CELLS),
            "detection_limit": pick(generator, (None, None, 2e-6, 1e-5)), "status": pick(generator, ("final",) * 9 + ("spurious",)),
        })  # fmt: skip
        for code in ("mrd_first_pull", "mrd_haemodiluted", "mrd_haemodilution_corrected", "mrd_clone_trackable"):
            word = pick(generator, (None, None, "yes", "no"))
            rows += [{**told, "what": code, "text": word}] if word else []
        if generator.random() < 0.5:
            rows.append({**told, "what": "pet", "text": pick(generator, ("negative", "positive"))})
    return rows


def response_of(patients: list[str], generator: np.random.Generator) -> pl.DataFrame:
    lines = [
        (name, START + timedelta(days=150 * visit), grade, "confirmed" if grade == "PD" else None)
        for name in patients for visit in range(5) if (grade := pick(generator, ("CR", "CR", "sCR", "VGPR", "NE", "PD", None)))
    ]  # fmt: skip
    schema = {"patient": pl.String, "on": pl.Date, "timepoint": pl.String, "progression": pl.String}
    return pl.DataFrame(lines, schema=schema, orient="row")


@cache
def cohort(seed: int = 0, size: int = 96) -> tuple[Chart, pl.DataFrame]:
    generator = np.random.default_rng(seed)
    ids = [f"P{place:02}" for place in range(size)]
    rows = pl.DataFrame([row for name in ids for row in rows_of(name, generator)], schema_overrides=SCHEMA["observations"])
    return Chart(pl.DataFrame({"patient": ids}), rows), response_of(ids, generator)


def table(chart: Chart, response: pl.DataFrame, at: date | None = None, **policies: Any) -> pl.DataFrame:
    return mrd_table(chart, response, settle(policies), at)


@pytest.mark.parametrize("policies", [{}, {"mrd_resurgence": "log10", "mrd_flow_negative": "below_limit"}], ids=str)
def test_the_order_of_rows_does_not_matter(policies: dict[str, str]) -> None:
    chart, response = cohort()
    mixed = Chart(
        chart.patients.sample(fraction=1, shuffle=True, seed=3),
        chart.observations.sample(fraction=1, shuffle=True, seed=1),
    )
    assert_frame_equal(table(chart, response, **policies), table(mixed, response.sample(fraction=1, shuffle=True, seed=2), **policies))


def test_other_patients_do_not_matter() -> None:
    """Some alone, and everybody among fewer."""
    chart, response = cohort()
    whole, ids = table(chart, response), chart.patients["patient"].to_list()
    for some in (*([name] for name in ids[::12]), ids[::2], ids[1::2]):
        own = pl.col("patient").is_in(some)
        fewer = Chart(chart.patients.filter(own), chart.observations.filter(own))
        assert_frame_equal(table(fewer, response.filter(own)), whole.filter(own))


def test_what_is_recorded_later_does_not_matter() -> None:
    chart, response = cohort()
    for months in (4, 9, 14):
        at = START + timedelta(days=30 * months)
        then = response.filter(pl.col("on") <= at)
        assert_frame_equal(table(chart, then, at), table(visible(chart, at), then))
        early = table(visible(chart, at), then)
        assert early["on"].max() is None or early["on"].max() <= at  # type: ignore[operator]


def test_a_duplicate_row_changes_nothing() -> None:
    chart, response = cohort()
    twice = Chart(chart.patients, pl.concat([chart.observations, chart.observations]))
    assert_frame_equal(table(chart, response), table(twice, response))


def test_a_blank_never_makes_a_claim() -> None:
    """Without cells and limits no negative claim is left but what a reported bound says; no claim turns into its opposite."""
    chart, response = cohort()
    blank = Chart(chart.patients, chart.observations.with_columns(cells=None, detection_limit=None))
    known, less = table(chart, response), table(blank, response)
    assert known.select("patient", "on", "method").equals(less.select("patient", "on", "method"))
    bounded = less["because"].str.contains("reported_below").fill_null(False)
    for claim in ("claim_1e4", "claim_1e5", "claim_1e6"):
        assert not ((less[claim] == "negative") & ~bounded).any()
        assert not ((known[claim] == "negative") & (less[claim] == "positive")).any()
    unsure = less.filter((pl.col("claim_1e5") == "indeterminate") & pl.col("because").str.contains("none_found"))
    barred = unsure["because"].str.contains("not_first_pull|haemodiluted|clone_not_trackable")
    assert (unsure["missing"].str.contains("cells").fill_null(False) | barred).all()


def test_claims_and_intervals_agree() -> None:
    rows = table(*cohort())
    order = {"negative": 0, "indeterminate": 1, "positive": 2}
    for row in rows.iter_rows(named=True):
        if row["claim"] is None:
            continue
        claims = [order[row[f"claim_{name}"]] for name in ("1e4", "1e5", "1e6")]
        assert not (claims[0] == 2 and claims[2] == 0), row
        assert claims[0] != 2 or claims[1] == 2, "positive at 1e-4 is positive at 1e-5"
        assert claims[2] != 0 or claims[1] == 0, "negative at 1e-6 is negative at 1e-5"
        if row["high"] is not None:
            assert row["low"] <= (row["level"] or 0) <= row["high"]
        if row["claim_1e5"] == "negative":
            assert row["detection_limit"] <= 1e-5 * (1 + 1e-9)
            assert row["p_below_1e5"] >= 0.95
            assert not {"not_first_pull", "haemodiluted", "clone_not_trackable"} & set(row["because"].split("|"))


def test_everybody_has_a_status() -> None:
    chart, response = cohort()
    status = mrd_status(table(chart, response), chart.patients["patient"])
    assert all(len(column) == chart.patients.height for column in status.values())
