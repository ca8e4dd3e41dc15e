"""Laws of the lines of therapy: row order, rows that are there twice, other patients, the future, extreme policies."""

from __future__ import annotations

import random
import sys
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import bence
from bence.assess.sensitivity import OTHER_VALUES, line_sensitivity
from bence.errors import UsageError

sys.path.insert(0, str(Path(__file__).parents[1] / "oracles"))

from line_charts import DAY_ONE, cohort, to_chart

KEY = ["patient", "started_on", "what", "source"]
NUMBERS = [name for name, values in OTHER_VALUES.items() if not isinstance(values[0], bool)]


def lined(charts: list[dict], order=lambda rows: rows, **chosen) -> pl.DataFrame:
    """What is derived for every treatment row; rows that are the same in all of it stand once."""
    table = bence.assess(to_chart(charts, order), lines="derived", **chosen).treatments
    return table.select(*KEY, "line", "boundary").unique().sort(*KEY, "line", "boundary")


def test_neither_the_order_of_rows_nor_rows_that_are_there_twice_matter():
    charts, chance = cohort(0, 1500), random.Random(0)
    once = lined(charts)
    assert_frame_equal(once, lined(charts, lambda rows: chance.sample(rows, len(rows))))
    twice = [{**chart, "treatments": chart["treatments"] * 2, "events": chart["events"] * 2} for chart in charts]
    assert_frame_equal(once, lined(twice))


def test_other_patients_do_not_matter():
    """Some alone, and the others among fewer."""
    charts = cohort(11, 64)
    parts = [*([chart] for chart in charts[:4]), charts[4::2], charts[5::2]]
    assert_frame_equal(lined(charts), pl.concat([lined(part) for part in parts]).sort(*KEY, "line", "boundary"))


def until(chart: dict, at) -> dict:
    """What was known of a patient on a day, taken by hand: nothing begun later, no stop and no reason that lies ahead."""

    def known(row: dict) -> dict:
        ahead = row["stopped_on"] and row["stopped_on"] > at
        return {**row, "stopped_on": None, "stop_reason": None} if ahead else row

    treatments = [known(row) for row in chart["treatments"] if not row["started_on"] or row["started_on"] <= at]
    return {**chart, "treatments": treatments, "events": [event for event in chart["events"] if event["on"] <= at]}


@pytest.mark.parametrize("days", [0, 90, 240, 365, 700, 1500])
def test_the_past_does_not_know_the_future(days):
    charts, at = cohort(12, 400), DAY_ONE + timedelta(days=days)
    assert_frame_equal(
        lined([until(chart, at) for chart in charts]).drop_nulls("started_on"), lined(charts, at=at).drop_nulls("started_on")
    )


@pytest.mark.parametrize("seed", range(3))
def test_lines_are_numbered_without_a_gap_and_never_go_back(seed):
    rows = lined(cohort(20 + seed, 400)).drop_nulls("started_on")
    for own in rows.partition_by("patient"):
        assert set(own["line"]) == set(range(1, own["line"].max() + 1))
    opened = rows.drop_nulls("boundary").unique(["patient", "line", "started_on"])
    assert opened.group_by("patient", "line").len()["len"].max() == 1  # every line begins on one day
    assert opened.sort("patient", "started_on").select(pl.col("line").diff().over("patient").drop_nulls() == 1).to_series().all()


@pytest.mark.parametrize("value", [0, 1, 999_999])
@pytest.mark.parametrize("name", NUMBERS)
def test_policies_at_extreme_values_give_lines(name, value):
    rows = lined(cohort(30, 150), **{name: value})
    assert rows.filter(pl.col("started_on").is_not_null())["line"].min() == 1


def test_all_policies_at_extreme_values_at_once():
    charts = cohort(31, 150)
    none = lined(charts, **dict.fromkeys(NUMBERS, 999_999))
    many = lined(charts, **dict.fromkeys(NUMBERS, 0), lines_steroids=True, lines_radiotherapy=True)
    assert none["line"].sum() < lined(charts)["line"].sum() < many["line"].sum()


def test_a_longer_gap_never_opens_more_restarts():
    charts = cohort(32, 500)
    restarts = [lined(charts, lines_gap=gap)["boundary"].eq("restart_after_pause").sum() for gap in (60, 120, 240, 480)]
    assert restarts == sorted(restarts, reverse=True)


def test_sensitivity_counts_what_changes():
    charts = cohort(40, 120)
    chart = to_chart(charts)
    table = line_sensitivity(chart, lines="derived")
    assert table.columns == ["policy", "value", "default", "patients_changed", "rows_changed", "patients"]
    assert set(table["policy"]) == set(OTHER_VALUES)
    told = table.filter(policy="lines_gap", value="90").row(0, named=True)
    changed = bence.assess(chart, lines="derived").treatments.filter(
        pl.col("line").ne_missing(bence.assess(chart, lines="derived", lines_gap=90).treatments["line"])
    )
    assert (told["default"], told["rows_changed"], told["patients_changed"]) == ("240", changed.height, changed["patient"].n_unique())
    assert told["patients_changed"] > 0
    assert set(table["patients"]) == {sum(any(row["started_on"] for row in chart["treatments"]) for chart in charts)}


def test_sensitivity_is_compared_with_the_policies_given():
    table = line_sensitivity(to_chart(cohort(41, 20)), lines_gap=365, lines_steroids=True)
    assert table.filter(policy="lines_gap")["value"].to_list() == ["90", "180"]
    assert table.filter(policy="lines_steroids").select("value", "default").rows() == [("false", "true")]


def test_sensitivity_of_a_policy_that_is_not_there():
    with pytest.raises(UsageError, match="there is no policy 'lines_gab'"):
        line_sensitivity(to_chart(cohort(42, 1)), lines_gab=90)
