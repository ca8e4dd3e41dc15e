"""Records of virtual courses: measured truth, the look of a hospital's chart, and responses that agree with the truth.

The courses here are made by hand (a tumour that shrinks by so much and grows back), so that nothing depends on the model's engine.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal

from bence.assess import assess
from bence.catalogue import codes
from bence.chart import TABLES, Chart
from bence.check import check
from bence.cli import bence
from bence.simulate.blood import CLONES
from bence.simulate.courses import EVENTS, GIVEN, MRD, Courses
from bence.simulate.earlier import standard_doses
from bence.simulate.measurement import MARROW_CELLS, assay, measurement
from bence.simulate.people import People, draw_people
from bence.simulate.products import products
from bence.simulate.protocols import read_protocol
from bence.simulate.records import CENTRE, records

WEEKS = 80


def made(people: People, protocol: str = "majestec-1", spikes: Mapping[int, float] | None = None, died_on: float | None = None) -> Courses:
    """Courses by hand: person k loses k % 16 natural logs of tumour in half a year, then it grows back; the proteins follow."""
    n, index = len(people), people.model.parameter_index
    number = people.numbers
    week = np.arange(WEEKS + 1)
    depth = (number % 16).astype(float)
    fall = np.minimum(week / 26, 1)[:, None] * depth
    ln = people.parameters[index["ln_n0"]] - fall + 0.16 * np.maximum(week[:, None] - 40 - 2 * (number % 5), 0)
    left = np.exp(ln - people.parameters[index["ln_n0"]])
    plasma = np.full(left.shape, 0.7)
    states = {
        "ln_sensitive": ln, **{name: np.full(ln.shape, -40.0) for name in CLONES if name != "ln_sensitive"},
        "m_protein": people.table["m_protein"].to_numpy() * left,
        "involved_flc": 12 * plasma + people.table["involved_flc"].to_numpy() * left,
        "normal_igg": np.full(left.shape, 6.0), "normal_plasma": plasma, "neutrophils": np.full(left.shape, 3.0),
        "resting_t": np.ones(left.shape), "activated_t": np.zeros(left.shape), "car_effector": np.zeros(left.shape),
        "car_memory": np.zeros(left.shape), "il6": np.full(left.shape, 3.0),
    }  # fmt: skip
    peaks = np.full((len(week), 1, n), 3.0)
    for row, peak in (spikes or {}).items():
        peaks[row] = peak
    last = np.full(n, 7.0 * WEEKS if died_on is None else died_on)
    values = np.stack(list(states.values()), axis=1)
    values[7 * week > last[0]] = np.nan
    told, ended = read_protocol(protocol), None if died_on is None else int(died_on)
    row = ("", told.steps[0].key, "Tec", "teclistamab", "treatment", 0, 0, ended, None if ended is None else "death")
    given = pl.DataFrame([(place, *row) for place in range(n)], schema=GIVEN, orient="row")
    return Courses(
        people=people, protocol=told, seed=3, days=7 * week, kept=tuple(states), states=values, peaked=("il6",), peaks=peaks, given=given,
        events=pl.DataFrame(schema=EVENTS), mrd=pl.DataFrame(schema=MRD), arm=np.full(n, ""), arm_on=np.zeros(n),
        died_on=np.full(n, np.nan if ended is None else died_on), cause=np.full(n, "" if ended is None else "myeloma"),
        last_on=last, extinct=np.full((5, n), np.nan),
    )  # fmt: skip


@pytest.fixture(scope="module")
def people() -> People:
    return draw_people("rrmm_triple_class_exposed", 240, 3)


@pytest.fixture(scope="module")
def chart(people: People) -> Chart:
    return records(made(people, spikes={1: 30.0, 2: 400.0}))


def rows(chart: Chart, what: str) -> pl.DataFrame:
    return chart.observations.filter(pl.col("what") == what)


# ---- A chart like a hospital's


def test_every_cell_is_accepted_when_the_chart_is_read_again(chart: Chart, tmp_path: Path):
    chart.write(tmp_path)
    text, accepted = check(tmp_path, None)
    assert accepted, text[:500]


def test_it_says_that_it_is_synthetic(chart: Chart):
    assert set(chart.patients["centre"]) == {CENTRE}
    assert "synthetic" in CENTRE
    assert "合成" in CENTRE
    assert chart.patients["patient"].str.starts_with("V").all()


def test_all_codes_are_of_the_catalogue(chart: Chart):
    for table in ("observations", "treatments", "events"):
        assert getattr(chart, table)["what"].is_in(list(codes())).all(), table


def test_the_first_visit_is_before_the_first_dose_and_nothing_comes_after_the_last_day(chart: Chart):
    first = chart.treatments.filter(pl.col("what") == "teclistamab").group_by("patient").agg(pl.col("started_on").min())
    ecog = rows(chart, "ecog").join(first, on="patient")
    assert ((ecog["started_on"] - ecog["on"]).dt.total_days().is_between(1, 7)).all()
    last = chart.patients.select("patient", "last_seen_on")
    for table, on in (("observations", "on"), ("events", "on"), ("treatments", "started_on")):
        found = getattr(chart, table).join(last, on="patient")
        assert (found[on] <= found["last_seen_on"]).all(), table


def test_visits_come_early_or_not_at_all_and_items_are_missing_about_as_often_as_they_should(chart: Chart, people: People):
    told, visits = measurement()["visits"], WEEKS // 4 + 1
    seen = rows(chart, "creatinine").height / (len(people) * visits)
    assert seen == pytest.approx((1 - told["missed"]) * (1 - assay("creatinine").missing), abs=0.015)
    complete = records(made(people), gaps=0)
    assert rows(complete, "creatinine").height == len(people) * visits
    gaps = (
        rows(complete, "creatinine")
        .sort("patient", "on")
        .select(pl.col("on").diff().over("patient").dt.total_days())
        .drop_nulls()
        .to_series()
    )
    assert gaps.min() >= 25
    assert gaps.max() <= 35
    assert gaps.n_unique() > 4


def test_a_death_ends_the_record(people: People):
    dead = records(made(people, died_on=100.0))
    assert dead.patients["died_on"].null_count() == 0
    assert set(dead.patients["death_cause"]) == {"myeloma"}
    ended = dead.treatments.filter(pl.col("what") == "teclistamab", pl.col("phase") == "treatment")
    assert set(ended["stop_reason"]) == {"death"}
    assert (ended.join(dead.patients, on="patient").select(pl.col("stopped_on") == pl.col("died_on")).to_series()).all()


def test_a_person_has_the_same_record_in_every_cohort(people: People):
    few = draw_people("rrmm_triple_class_exposed", 6, 3, first=31)
    ids = few.table["patient"].to_list()
    whole, own = records(made(people, spikes={1: 30.0})), records(made(few, spikes={1: 30.0}))
    for table in TABLES:
        key = [pl.col(name) for name in own.scan(table).collect_schema()]
        there = whole.scan(table).filter(pl.col("patient").is_in(ids)).sort(key).collect()
        assert_frame_equal(there, own.scan(table).sort(key).collect())


# ---- Measurement


def test_without_noise_the_laboratory_tells_the_truth(people: People):
    courses = made(people)
    found = rows(records(courses, noise=0, gaps=0), "serum_m_protein").sort("patient", "on")
    truth = courses.state("m_protein")[::4].T.ravel()
    limit, upper = assay("serum_m_protein").limit, assay("serum_m_protein").upper
    assert found["value"].to_numpy() == pytest.approx(np.clip(truth, limit, upper))
    assert (found["comparator"].fill_null("") == pl.Series(np.where(truth < limit, "<", np.where(truth > upper, ">", "")))).all()


def test_noise_is_as_large_as_the_assay_says(people: People):
    each = assay("hemoglobin")
    told = np.array([each.measured(np.full(len(people), 120.0), 3, people.numbers, day) for day in range(60)])
    assert told.std() == pytest.approx(np.hypot(0.02 * 120, 1.5), rel=0.05)
    assert told.mean() == pytest.approx(120, abs=0.1)


def test_light_chain_and_silent_myeloma_show_no_m_protein(chart: Chart):
    kinds = chart.patients.select("patient", "heavy_chain", "light_chain")
    without = rows(chart, "serum_m_protein").join(kinds.filter(pl.col("heavy_chain") == "none"), on="patient")
    assert without.height
    assert set(without["comparator"]) == {"<"}
    bands = rows(chart, "serum_ife").join(kinds, on="patient")
    assert set(bands.filter(pl.col("light_chain") == "none")["text"]) == {"negative"}
    light = bands.filter((pl.col("heavy_chain") == "none") & (pl.col("light_chain") != "none"), pl.col("text") != "negative")
    assert light.height
    assert (light["text"] == light["light_chain"]).all()
    heavy = bands.filter(pl.col("heavy_chain") != "none", pl.col("text") != "negative")
    assert (heavy["text"] == heavy["heavy_chain"] + "_" + heavy["light_chain"]).all()


def test_the_involved_chain_is_the_one_that_is_raised(chart: Chart):
    kinds = chart.patients.filter(pl.col("light_chain") != "none").select("patient", "light_chain")
    first = (
        chart.observations.filter(pl.col("what").is_in(["kappa_flc", "lambda_flc"]))
        .group_by("patient", "what")
        .agg(pl.col("value").sort_by("on").first())
    )
    wide = first.pivot(on="what", index="patient", values="value").join(kinds, on="patient").drop_nulls()
    raised = wide.filter(pl.max_horizontal("kappa_flc", "lambda_flc") > 200)
    assert raised.height > 50
    assert (raised.select((pl.col("kappa_flc") > pl.col("lambda_flc")) == (pl.col("light_chain") == "kappa")).to_series()).all()


def test_mrd_counts_cells_as_poisson_does(people: People):
    courses = made(people)
    found = pl.DataFrame({"place": np.arange(len(people)), "day": 168, "cells": 1e6, "found": 7.0}).select(
        pl.col(name).cast(kind) for name, kind in MRD.items())  # fmt: skip
    courses.mrd = found
    told = rows(records(courses), "mrd")
    assert set(told["value"]) == {7e-6}
    assert set(told["method"]) == {"ngs"}
    assert set(told["detection_limit"]) == {3e-6}
    drawn = rows(records(made(people), noise=0), "mrd")
    counts = drawn["value"] * drawn["cells"]
    assert drawn.height > 30
    assert (counts - counts.round()).abs().max() < 1e-4
    ids = {name: row for row, name in enumerate(people.table["patient"])}
    where = courses.people.parameters[people.model.parameter_index["ln_n0"]]
    deep = drawn.filter(pl.col("value") == 0)["patient"].to_list()
    assert deep, "nobody without a cell found"
    smallest = [np.exp(where[ids[name]] - people.numbers[ids[name]] % 16) / MARROW_CELLS for name in deep]
    assert np.median(smallest) < 2e-5, "no cell found where there are plenty"


# ---- What follows from the states


def test_a_spike_of_il6_is_a_reaction_and_a_plateau_is_none(people: People):
    mild = records(made(people, spikes={1: 30.0})).events
    hard = records(made(people, spikes={1: 5000.0})).events
    assert set(mild.filter(pl.col("what") == "crs")["grade"]) <= {1, 2, 3}
    assert hard.filter(pl.col("what") == "crs")["grade"].mean() > mild.filter(pl.col("what") == "crs")["grade"].mean() + 1
    assert hard.filter(pl.col("what") == "icans").height > mild.filter(pl.col("what") == "icans").height
    courses = made(people, spikes=dict.fromkeys(range(1, WEEKS), 30.0))
    courses.states[:, courses.kept.index("il6")] = 29.0
    assert records(courses).events.filter(pl.col("what") == "crs").is_empty()


def test_step_up_doses_come_before_the_full_one(chart: Chart):
    one = (
        chart.treatments.filter(pl.col("what") == "teclistamab")
        .sort("patient", "started_on")
        .group_by("patient", maintain_order=True)
        .agg("dose", "phase")
    )
    assert set(map(tuple, one["dose"].to_list())) == {(0.06, 0.3, 1.5)}
    assert set(map(tuple, one["phase"].to_list())) == {("step_up", "step_up", "treatment")}


def test_every_product_of_the_model_has_a_dose_for_a_chart():
    assert set(products()) <= set(standard_doses()["drug"])


def test_the_line_counts_the_earlier_ones(chart: Chart, people: People):
    line = chart.treatments.filter(pl.col("what") == "teclistamab").group_by("patient").agg(pl.col("line").max())
    before = people.table.select("patient", "prior_lines")
    assert (line.join(before, on="patient").select(pl.col("line") == pl.col("prior_lines") + 1).to_series()).all()


def test_little_polyclonal_igg_brings_infections(people: People):
    healthy, poor = made(people), made(people)
    poor.states[:, poor.kept.index("normal_igg")] = 1.0
    many, few = (records(each).events.filter(pl.col("what") == "infection").height for each in (poor, healthy))
    assert 1.4 < many / few < 2.3


def test_the_command_writes_a_chart_that_is_accepted(tmp_path: Path):
    wanted = ["simulate", "people", "12", "--population", "ndmm_transplant_eligible", "--seed", "4", "--out", str(tmp_path / "chart")]
    said = CliRunner().invoke(bence, wanted)
    assert said.exit_code == 0
    assert "synthetic" in said.output
    text, accepted = check(tmp_path / "chart", None)
    assert accepted, text[:500]
    wrong = CliRunner().invoke(bence, ["simulate", "people", "1", "--population", "ndm", "--out", str(tmp_path / "other")])
    assert wrong.exit_code == 2
    assert "did you mean 'ndmm'" in wrong.output
    assert not (tmp_path / "other").exists()


# ---- The assessed chart and the truth


def best_by_hand(m: np.ndarray, urine: np.ndarray, ratio_of_marrow: np.ndarray) -> str:
    """Best response of one person with a measurable serum M-protein, visit by visit, from the noise-free truth: slow and independent."""
    reached, low, risen = [], m[0], False
    for visit in range(1, len(m)):
        low = min(low, m[visit - 1])
        rise = m[visit] - low >= 5 and m[visit] >= 1.25 * low
        if rise and risen:
            break
        risen = rise
        if rise:
            reached.append(0)
            continue
        band = m[visit] > 0.15
        if not band and urine[visit] <= 15 and ratio_of_marrow[visit] < 0.05:
            reached.append(3)
        elif m[visit] <= 0.1 * m[0] and urine[visit] < 100:
            reached.append(2)
        else:
            reached.append(1 if m[visit] <= 0.5 * m[0] else 0)
    pairs = [min(a, b) for a, b in itertools.pairwise(reached)]
    return ["none", "PR", "VGPR", "CR"][max(pairs, default=0)]


@pytest.mark.parametrize("setting", [(0.0, 0.0), (1.0, 0.0)], ids=["without noise", "with noise"])
def test_the_responses_of_the_assessed_chart_are_those_of_the_truth(setting: tuple[float, float]):
    noise, gaps = setting
    people = draw_people("rrmm_triple_class_exposed", 700, 3)
    courses = made(people)
    lines = assess(records(courses, noise=noise, gaps=gaps)).lines.join(people.table.select("patient", "prior_lines"), on="patient")
    told = dict(
        lines.filter(pl.col("line") == pl.col("prior_lines") + 1).select("patient", pl.col("best_response").cast(pl.String)).iter_rows()
    )
    m, ln = courses.state("m_protein")[::4], courses.state("ln_sensitive")[::4]
    marrow = np.exp(ln) / (np.exp(ln) + MARROW_CELLS)
    share = {"responds": [0, 0], "complete": [0, 0]}
    for place, row in enumerate(people.table.iter_rows(named=True)):
        if row["m_protein"] < 12 or row["extramedullary"] or row["involved_flc"] > 100:
            continue  # more than one measurable track, or a track at its limit
        urine = np.zeros(len(m))
        truth = best_by_hand(m[:, place], urine, marrow[:, place])
        responds, complete = truth != "none", truth == "CR"
        said = told[row["patient"]]
        for name, agree in (
            ("responds", (said in {"PR", "VGPR", "CR", "sCR"}) == responds),
            ("complete", (said in {"CR", "sCR"}) == complete),
        ):
            share[name][0] += agree
            share[name][1] += 1
    assert share["responds"][1] > 80
    limit = 0.97 if noise == 0 else 0.90
    assert all(agreed / of >= limit for agreed, of in share.values()), share
