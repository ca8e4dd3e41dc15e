"""A cohort through a protocol: what is given when, what decides, who dies, and that chance belongs to the person."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
from scipy import stats

from bence.simulate.chance import hazards, poisson, when
from bence.simulate.course import run
from bence.simulate.courses import Courses
from bence.simulate.dosing import NONE, Dosing, held_weeks
from bence.simulate.extinction import extinction_probability
from bence.simulate.investigator import Investigator
from bence.simulate.lineages import GONE, Lineages
from bence.simulate.model import read_model
from bence.simulate.people import draw_people
from bence.simulate.protocols import read_protocol

CYCLE = 28


@cache
def courses(name: str, people: int, months: float, first: int = 0) -> Courses:
    protocol = replace(read_protocol(name), months=months)
    return run(draw_people(protocol.population, people, 3, first=first), protocol, 5)


# --- Dosing


def test_doses_stop_and_begin_on_their_day_and_follow_the_weight():
    protocol = read_protocol("majestec-1")
    dosing = Dosing(protocol, 200)
    given = np.zeros((2, CYCLE, 1))
    none = np.zeros((2, CYCLE), bool)
    since, begin, end, weight = np.array([0.0, 10.0]), np.zeros(2), np.array([28.0, 20.0]), np.array([50.0, 100.0])
    dosing.add(given, np.arange(2), np.array([0, 0]), since, begin, end, 0, weight, none)
    day, dose = np.nonzero(given[0, :, 0])[0], given[0, given[0, :, 0] > 0, 0]
    assert day.tolist() == [0, 3, 6, 13, 20, 27]
    assert dose == pytest.approx(np.array([0.06, 0.3, 1.5, 1.5, 1.5, 1.5]) * 50 * 6.85)
    assert np.nonzero(given[1, :, 0])[0].tolist() == [10, 13, 16]  # the schedule began on day 10, the step ended on day 20


def test_what_is_held_is_not_given_but_cells_are():
    held = np.ones((1, CYCLE), bool)
    for name, any_given in (("majestec-1", False), ("cartitude-1", True)):
        dosing = Dosing(read_protocol(name), 200)
        given = np.zeros((1, CYCLE, len(dosing.dosed)))
        stage = np.array([dosing.first[dosing.first != NONE].max()])
        dosing.add(given, np.arange(1), stage, np.zeros(1), np.zeros(1), np.array([28.0]), 0, np.array([70.0]), held)
        assert given.any() == any_given


def test_no_dose_is_held_by_chance_in_the_first_three_weeks():
    numbers, entered = np.arange(2000), np.zeros(2000)
    held = held_weeks(1, numbers, 0, CYCLE, entered, np.zeros(2000))
    assert not held[:, :21].any()
    assert 0.02 < held[:, 21:].mean() < 0.06
    assert held_weeks(1, numbers, 28, CYCLE, entered, np.full(2000, 35.0))[:, :7].all()


# --- The investigator


def investigator(values: list[float], light: list[float] | None = None) -> list[bool]:
    """Is progression certain at each visit, of M-protein (g/L) or light chain (mg/L) every four weeks?"""
    doctor, row = Investigator(1, "imwg"), np.array([0])
    flc = light or [20.0] * len(values)
    return [
        bool(doctor.visit(CYCLE * i, row, np.array([m]), np.array([f]), np.array([10.0]), np.array([0.02]))[0])
        for i, (m, f) in enumerate(zip(values, flc, strict=True))
    ]


@pytest.mark.parametrize(("values", "light", "certain"), [
    ([30, 10, 10, 16, 16], None, 4),  # 5 g/L and 25 % above the lowest, seen twice
    ([30, 10, 10, 16, 11], None, None),  # seen once
    ([30, 20, 20, 24.9, 24.9], None, None),  # 25 %, but less than 5 g/L
    ([40, 30, 30, 36, 36], None, None),  # 5 g/L, but less than 25 %
    ([30, 38, 38], None, 2),  # never better than at the start
    ([0, 0, 0, 0], [500, 50, 160, 160], 3),  # light chains alone: 100 mg/L more
    ([0, 0, 0, 0], [500, 50, 140, 140], None),
])  # fmt: skip
def test_progression_is_certain_when_it_was_seen_twice(values, light, certain):
    found = investigator(values, light)
    assert [i for i, each in enumerate(found) if each][:1] == ([] if certain is None else [certain])


def test_a_response_is_held_since_the_visit_that_first_showed_it():
    doctor, row = Investigator(1, "imwg"), np.array([0])
    for visit, m in enumerate([30, 14, 2, 0.1, 0.1, 1.5]):
        doctor.visit(CYCLE * visit, row, np.array([float(m)]), np.array([10.0]), np.array([1.0]), np.array([0.01]))
    assert doctor.held_days(140, "PR")[0] == 140 - 28
    assert doctor.held_days(140, "VGPR")[0] == 140 - 56
    assert np.isnan(doctor.held_days(140, "CR")[0])
    assert doctor.lost_cr()[0]


# --- Chance


def test_poisson_numbers_are_those_of_scipy():
    random = np.random.default_rng(1)
    drawn, mean = random.random(500), 10 ** random.uniform(-9, 3.9, 500)
    assert (poisson(drawn, mean) == stats.poisson.ppf(drawn, mean)).all()
    assert poisson(np.array([0.5]), np.array([1e6]))[0] == pytest.approx(1e6, rel=1e-3)


def test_the_rates_of_death_and_infection_go_the_way_they_should():
    def rates(age=65.0, female=False, igg=10.0, neutrophils=4.0, burden=0.5, progressed=False):
        one = hazards(*(np.array([each]) for each in (age, female, igg, neutrophils, burden, progressed)))
        return one.infection[0], one.myeloma[0], one.other[0]

    usual = rates()
    assert rates(igg=1.0)[0] > 2 * usual[0]
    assert rates(neutrophils=0.3)[0] > 1.5 * usual[0]
    assert rates(burden=0.9)[1] > usual[1]
    assert rates(progressed=True)[1] > usual[1]
    assert rates(age=73.2)[2] == pytest.approx(2 * usual[2])
    assert rates(female=True)[2] < usual[2]
    assert when(np.array([0.1]), np.array([1 - np.exp(-1)]))[0] == pytest.approx(10)


def test_as_many_clones_die_out_as_the_closed_form_says():
    model, n = read_model(), 20_000
    size, age = model.state_index["ln_bcma_low"], model.state_index["age_bcma_low"]
    before = np.full((len(model.states), n), np.log(1e6))
    before[age] = 0.0
    after = before.copy()
    after[size], after[age] = np.log(3.0), 0.2  # three cells on average; births/cells summed over the stretch
    clones = Lineages(model, np.arange(n), 11)
    clones.settle(before, after, np.arange(n), np.full(n, 0.03), 28, 28)
    gone = after[size] == GONE
    assert gone.mean() == pytest.approx(float(extinction_probability(3.0, 0.2)), abs=0.01)
    assert np.exp(after[size][~gone]).sum() / n == pytest.approx(3.0, rel=0.05)  # chance keeps the mean
    assert (np.isnan(clones.extinct[1]) == ~gone).all()


# --- Whole courses


def test_a_course_belongs_to_the_person_and_not_to_the_cohort():
    many, few = courses("majestec-1", 40, 6), courses("majestec-1", 10, 6, first=20)
    assert np.allclose(many.states[:, :, 20:30], few.states, rtol=1e-9, equal_nan=True)  # the draw of people rounds by cohort
    assert many.events.filter(pl.col("place").is_between(20, 29)).drop("place").rows() == few.events.drop("place").rows()


def test_nothing_happens_after_the_last_day():
    told = courses("cartitude-4", 120, 12)
    last = pl.Series(told.last_on)
    for table, day in ((told.events, "day"), (told.given, "started"), (told.mrd, "day")):
        assert (table[day] <= last.gather(table["place"])).all()
    stopped = told.given.filter(pl.col("stopped").is_not_null())
    assert (stopped["stopped"] >= stopped["started"]).all()
    assert (stopped["stopped"] <= last.gather(stopped["place"])).all()
    later = told.days[:, None] > told.last_on
    assert (np.isnan(told.state("m_protein")) == later).all()
    assert (told.died_on[~np.isnan(told.died_on)] == told.last_on[~np.isnan(told.died_on)]).all()


def test_who_is_infused_has_cells_afterwards():
    told = courses("cartitude-4", 120, 12)
    infused = told.events.filter(pl.col("what") == "infusion")
    assert infused.height > 20
    for place, day in infused.select("place", "day").iter_rows():
        if told.last_on[place] >= day + 14:
            assert np.nanmax(told.state("car_effector")[told.days > day, place]) > 0


def test_bridging_lymphodepletion_and_infusion_follow_each_other():
    told = courses("cartitude-4", 120, 12)
    steps = told.given.filter(pl.col("drug").is_in(["pomalidomide", "fludarabine", "cilta_cel"]) & (pl.col("arm") == "cilta-cel"))
    for (_,), rows in steps.filter(pl.col("line") == 0).group_by("place"):
        day = dict(rows.select("drug", "started").iter_rows())
        ended = dict(rows.select("drug", "stopped").iter_rows())
        if "cilta_cel" in day:
            assert day["cilta_cel"] == day["fludarabine"] + 5
            assert ended["fludarabine"] == day["fludarabine"] + 2
            assert ended["pomalidomide"] == day["fludarabine"]
            assert ended["cilta_cel"] == day["cilta_cel"]


def test_decisions_are_made_at_visits_on_what_was_measured():
    told = courses("majestec-1", 200, 12)
    progressions = told.events.filter(pl.col("what") == "progression")
    assert progressions.height > 10
    assert (progressions["day"] % CYCLE == 0).all()
    ends = told.given.filter(pl.col("reason") == "progression").select("place", day="stopped")
    assert ends.height > 10
    assert set(ends.rows()) <= set(progressions.select("place", "day").rows())  # the others had stopped before it


def test_mrd_of_the_sample_decides_the_arm():
    told = courses("midas", 400, 8)
    after = told.mrd.filter(pl.col("day") == 168)
    arms = pl.Series(told.arm).gather(after["place"])
    below = after["found"] / after["cells"] < 1e-5
    assert arms.is_in(["a", "b", "c", "d"]).sum() > 100
    assert below.filter(arms.is_in(["a", "b"])).all()
    assert not below.filter(arms.is_in(["c", "d"])).any()
    assert told.events.filter(pl.col("what") == "randomisation").height == arms.is_in(["a", "b", "c", "d"]).sum()


def test_randomisation_is_balanced_within_its_strata():
    told = courses("perseus", 500, 1)
    table = told.people.table.with_columns(first=pl.Series(told.arm == "d-vrd"))
    differences = table.group_by("iss", "high_risk").agg(((2 * pl.col("first").cast(pl.Int64) - 1).sum()).abs().alias("by"))
    assert differences["by"].max() <= 2
    assert 0.4 < table["first"].mean() < 0.6


def test_daratumumab_is_stopped_only_after_two_years_and_sustained_mrd_negativity():
    protocol = read_protocol("perseus")
    people = draw_people(protocol.population, 200, 3)
    fit = people.parameters.copy()
    fit[people.model.parameter_index["share_resistant"]] = 1e-12  # so that deep responses are frequent
    told = run(replace(people, parameters=fit), replace(protocol, months=40), 5, every=28)
    maintained = told.given.filter((pl.col("step") == "maintenance d-vrd") & (pl.col("drug") == "daratumumab"))
    begun = dict(maintained.select("place", "started").iter_rows())
    stopped = told.given.filter((pl.col("step") == "lenalidomide") & (pl.col("drug") == "lenalidomide"))
    assert stopped.height > 5
    for place, day in stopped.select("place", "started").iter_rows():
        assert day - begun[place] >= 24 * 30.4
        samples = told.mrd.filter((pl.col("place") == place) & (pl.col("day") <= day)).sort("day", descending=True)
        negative = samples.with_columns(low=pl.col("found") / pl.col("cells") < 1e-5)
        run_of = negative.head(int(negative["low"].arg_min() if not negative["low"].all() else negative.height))
        assert day - run_of["day"].min() >= 12 * 30.4


def test_a_smouldering_disease_progresses_to_active_myeloma_more_slowly_under_treatment():
    told = courses("aquila", 500, 24)
    active = told.events.filter(pl.col("what") == "progression").unique("place")
    share = {arm: float(np.isin(np.flatnonzero(told.arm == arm), active["place"].to_numpy()).mean()) for arm in ("dara", "monitoring")}
    assert share["dara"] < share["monitoring"]
