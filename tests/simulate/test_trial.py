"""A virtual trial: the endpoints are those of the findings of its chart, whatever the batches."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import polars as pl
import pytest

from bence.errors import UsageError
from bence.simulate import position
from bence.simulate import trial as trials
from bence.simulate.endpoints import ENDPOINTS, endpoints, told
from bence.simulate.investigator import MEASURABLE_FLC, MEASURABLE_M
from bence.simulate.protocols import read_protocol
from bence.simulate.trial import JUDGED, Trial, enrolled, run_trial


@cache
def small(name: str = "majestec-1", patients: int = 60, months: float = 12) -> Trial:
    return run_trial(replace(read_protocol(name), months=months), patients, 3)


def test_the_patients_are_those_who_may_enter():
    trial = small()
    assert trial.patients.schema == pl.Schema(JUDGED)
    assert trial.patients.height == 60 == trial.chart.patients.height
    table = trial.courses.people.table
    assert ((table["m_protein"] >= MEASURABLE_M) | (table["involved_flc"] >= MEASURABLE_FLC)).all()


def test_response_and_progression_are_those_of_the_findings():
    trial = small()
    lines = trial.findings.lines.sort("line").group_by("patient", maintain_order=True).last()
    both = trial.patients.join(lines.select("patient", "best_response", pfs="pfs_days", event="pfs_event"), on="patient")
    good = both["best_response"].cast(pl.String).is_in(["PR", "VGPR", "CR", "sCR"])
    assert ((both["response"] >= 1) == good).all()
    assert both["pfs_days"].to_list() == [float(day) for day in both["pfs"]]
    assert both["pfs_event"].to_list() == both["event"].to_list()


def test_survival_is_that_of_the_course():
    trial = small()
    died = pl.Series(trial.courses.died_on, nan_to_null=True)
    assert trial.patients["os_event"].to_list() == died.is_not_null().to_list()
    assert trial.patients["os_days"].to_list() == trial.courses.last_on.tolist()


def test_endpoints_count_everybody_in_the_arm():
    trial = small()
    table = endpoints(trial.patients, trial.protocol)
    assert table.schema == pl.Schema(ENDPOINTS)
    assert (table["patients"] == 60).all()
    orr = table.row(by_predicate=pl.col("measure") == "orr", named=True)
    assert orr["events"] == (trial.patients["response"] >= 1).sum()
    assert orr["value"] == pytest.approx(100 * orr["events"] / 60)
    assert orr["low"] < orr["value"] < orr["high"]
    shares = table.filter(pl.col("unit") == "%")
    assert shares.select(((pl.col("low") <= pl.col("value") + 1e-9) & (pl.col("value") <= pl.col("high") + 1e-9)).all()).item()
    assert set(table.filter(pl.col("measure") == "pfs_rate")["at_months"]) == {6, 12}


def test_a_rate_is_the_share_that_is_free_of_the_event():
    from bence.assess.survival import kaplan_meier

    curve = kaplan_meier([10, 20, 30, 40], [True, True, False, False])
    assert [round(curve.band_at(day)[0], 4) for day in (5, 10, 25, 40)] == [1.0, 0.75, 0.5, 0.5]


def test_a_table_to_read_has_what_the_trial_published_beside_it():
    trial = small()
    table = endpoints(trial.patients, trial.protocol)
    english, chinese = told(table, trial.protocol), told(table, trial.protocol, "zh")
    assert english.filter(pl.col("endpoint") == "ORR")["published"][0].startswith("63.0 % (n=165)")
    assert "12个月PFS率" in chinese["终点"].to_list()
    assert english.height == chinese.height == table.height


def test_batches_do_not_change_a_patient(monkeypatch):
    protocol = replace(read_protocol("perseus"), months=3)
    for module in (position, trials):
        monkeypatch.setattr(module, "ALLOCATED_TOGETHER", 50)
    whole = run_trial(protocol, 60, 3)
    monkeypatch.setattr(trials, "BATCH", 50)
    parts = run_trial(protocol, 60, 3)
    assert whole.chart.patients.height == 60
    assert parts.chart is None
    assert parts.patients.drop("crs").equals(whole.patients.drop("crs"))


def test_the_arms_of_a_randomised_trial_are_counted_from_randomisation():
    trial = small("cartitude-4", 80, 9)
    assert set(trial.patients["arm"]) == {"cilta-cel", "control"}
    given = trial.courses.given.filter(pl.col("drug") == "cilta_cel")
    assert 0 < given.height < (trial.patients["arm"] == "cilta-cel").sum() + 1
    answered = trial.patients.filter(pl.col("arm") == "cilta-cel")
    assert (answered["pfs_days"] > 60).mean() > 0.8  # the line begins at entry, not with the cells


def test_who_watches_has_no_response_before_active_myeloma():
    trial = small("aquila", 120, 18)
    watched = trial.patients.filter(pl.col("arm") == "monitoring")
    assert (watched["response"] == 0).all()
    assert watched["pfs_event"].any()


def test_there_must_be_patients():
    with pytest.raises(UsageError):
        run_trial(read_protocol("majestec-1"), 0)
    assert sum(len(people) for people in enrolled(read_protocol("majestec-1"), 7, 1)) == 7
