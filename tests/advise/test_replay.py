"""Replay: a decision is judged by what was known on its day, by approvals of that day, and counted as one would by hand."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from math import isclose, sqrt
from typing import Any

import polars as pl
import pytest

from bence.advise.as_of import DAY, before
from bence.advise.facts import facts
from bence.advise.replay import OUTCOMES, decisions, done, outcomes, replay, summary
from bence.assess import assess
from bence.chart import DATED, LATER, SCHEMA, Chart, join
from bence.demo import demo_chart

ZERO = date(2021, 3, 1)
SECOND = 700  # day of the decision that is looked at


def on(day: int) -> date:
    return ZERO + timedelta(days=day)


def given(patient: str, what: str, start: int, stop: int | None = None, **told: Any) -> dict[str, Any]:
    return {"patient": patient, "what": what, "started_on": on(start), "stopped_on": None if stop is None else on(stop)} | told


def seen(patient: str, what: str, day: int, value: float | None = None, text: str | None = None, **told: Any) -> dict[str, Any]:
    return {"patient": patient, "what": what, "on": on(day), "value": value, "text": text} | told


def happened(patient: str, what: str, day: int, until: int | None = None) -> dict[str, Any]:
    return {"patient": patient, "what": what, "on": on(day), "until": None if until is None else on(until)}


def chart(patients: list[dict[str, Any]], **rows: list[dict[str, Any]]) -> Chart:
    frames = {table: pl.DataFrame(rows.get(table, []), schema=SCHEMA[table], orient="row") for table in DATED}
    people = [{"heavy_chain": "igg", "light_chain": "kappa", "centre": "North", "born_on": "1962-05-17"} | one for one in patients]
    return Chart(pl.DataFrame(people, schema=SCHEMA["patients"], orient="row"), **frames)


def drugs(patient: str, names: str, start: int, stop: int | None = None, **told: Any) -> list[dict[str, Any]]:
    return [given(patient, name, start, stop, **told) for name in names.split("+")]


PAST: dict[str, list[dict[str, Any]]] = {
    "treatments": [
        *drugs("A", "bortezomib+lenalidomide+dexamethasone", 0, 120, phase="induction"),
        given("A", "lenalidomide", 200, None, phase="maintenance", dose=10.0, dose_unit="mg"),
    ],
    "observations": [
        seen("A", "diagnosis", -5, text="MM"),
        *(seen("A", "serum_m_protein", day, value) for day, value in ((-5, 40.0), (30, 15.0), (90, 4.0), (650, 12.0), (690, 19.0))),
        seen("A", "creatinine", 690, 88.0),
    ],
    "events": [happened("A", "mm_diagnosis", -5), happened("A", "infection", 680, 695)],
}
ON_THE_DAY = drugs("A", "daratumumab+carfilzomib+dexamethasone", SECOND, SECOND + 200, stop_reason="progression")
FUTURE: dict[str, list[dict[str, Any]]] = {
    "treatments": [
        *ON_THE_DAY,
        *drugs("A", "cilta_cel", 1000, 1000),
        given("A", "pomalidomide", SECOND - 40, SECOND - 30, recorded_on=on(SECOND + 3)),
    ],
    "observations": [
        seen("A", "serum_m_protein", SECOND + 60, 3.0),
        seen("A", "t_4_14", SECOND - 20, text="positive", recorded_on=on(SECOND + 5)),
        seen("A", "creatinine", SECOND + 1, 400.0),
    ],
    "events": [happened("A", "progression", SECOND + 1), happened("A", "pregnancy", SECOND + 1), happened("A", "infection", SECOND + 2)],
}
EARLIER = -1096  # days: three years
FIVE_DAYS = 5.0001 / 31  # as a part of a month
JUDGED = ["on", "line", "question", "option", "stance", "agrees", "offered"]


def whole() -> Chart:
    rows = {table: PAST[table] + FUTURE[table] for table in PAST}
    rows["treatments"][3] = rows["treatments"][3] | {"stopped_on": on(SECOND), "stop_reason": "progression"}
    return chart([{"patient": "A", "died_on": on(1500), "death_cause": "myeloma", "last_seen_on": on(1500)}], **rows)


def turn(day: int) -> pl.DataFrame:
    return pl.DataFrame({"patient": ["A"], "on": [on(day)]})


def test_nothing_after_the_day_of_a_decision_is_in_the_chart_that_judges_it() -> None:
    """The chart of the decision is that of a patient who has no future, day by day."""
    cut = before(whole(), turn(SECOND))
    past = {
        **PAST,
        "treatments": [*PAST["treatments"][:3], PAST["treatments"][3] | {"stopped_on": on(SECOND), "stop_reason": "progression"}],
    }
    known = before(chart([{"patient": "A"}], **past), turn(SECOND))
    for table in ("patients", *DATED):
        assert getattr(cut, table).equals(getattr(known, table)), table
    dates = [day for table, name in DATED.items() for day in getattr(cut, table)[name]]
    assert max(dates) <= DAY
    assert cut.patients.select("died_on", "death_cause", "last_seen_on").null_count().row(0) == (1, 1, 1)


def test_what_is_given_on_the_day_is_what_was_decided_and_not_yet_known() -> None:
    cut = before(whole(), turn(SECOND))
    assert set(cut.treatments["what"]) == {"bortezomib", "lenalidomide", "dexamethasone"}
    assert cut.observations["on"].max() == DAY - timedelta(days=10)


PLAIN = {**PAST, "treatments": PAST["treatments"] + ON_THE_DAY}
COURSES: dict[str, dict[str, list[dict[str, Any]]]] = {
    "plain": PLAIN,
    "more drugs later": {"treatments": drugs("A", "teclistamab", SECOND + 400, SECOND + 600)},
    "results later": {"observations": [seen("A", "serum_m_protein", SECOND + 90, 60.0), seen("A", "del_17p", SECOND + 1, 80.0)]},
    "events later": {"events": [happened("A", "pregnancy", SECOND + 1), happened("A", "declined", SECOND + 1)]},
    "refused before": {"treatments": drugs("A", "daratumumab+dexamethasone", 400, 600, stop_reason="progression")},
    "cells after bridging": {
        **PAST,
        "treatments": [
            *(row | {"line": 1} for row in PAST["treatments"]),
            *drugs("A", "bortezomib+cyclophosphamide+dexamethasone", SECOND, SECOND + 60, line=2),
            given("A", "cilta_cel", SECOND + 90, SECOND + 90, line=2),
        ],
    },
    "cells": {**PAST, "treatments": [*PAST["treatments"], *drugs("A", "cilta_cel", SECOND, SECOND)]},
}


def course(name: str) -> dict[str, list[dict[str, Any]]]:
    """A patient of that name: a course of his own, or the plain one with what is added."""
    told = COURSES[name]
    rows = told if "events" in told and "treatments" in told else {table: PLAIN[table] + told.get(table, []) for table in PLAIN}
    return {table: [row | {"patient": name} for row in found] for table, found in rows.items()}


@cache
def own_courses() -> Chart:
    """The courses above and one of them three years earlier."""
    rows = [course(name) for name in COURSES]
    own = chart([{"patient": name} for name in COURSES], **{table: [one for each in rows for one in each[table]] for table in PAST})
    early = {table: [row | {"patient": "cells early"} for row in found] for table, found in course("cells").items()}
    return join([own, moved(chart([{"patient": "cells early"}], **early), EARLIER)])


@cache
def replayed() -> pl.DataFrame:
    return replay(own_courses(), assess(own_courses()), "us")


def judgement(name: str, day: date | None = None) -> dict[str, Any]:
    """How the decision of the second line was judged."""
    rows = replayed().filter(pl.col("patient") == name, pl.col("on") == (day or on(SECOND)))
    return rows.select(JUDGED).row(0, named=True)


@pytest.mark.parametrize("later", ["more drugs later", "results later", "events later"])
def test_what_happens_later_changes_no_judgement(later: str) -> None:
    told = replayed().filter(pl.col("on") <= on(SECOND))
    rows = [told.filter(pl.col("patient") == name).select(JUDGED).rows() for name in ("plain", later)]
    assert len(rows[0]) == 2
    assert rows[0] == rows[1]
    assert judgement("plain")["option"] == "d_kd"


def test_what_was_refused_before_changes_the_judgement() -> None:
    """The law above would hold of a replay that looked at nothing."""
    assert judgement("plain")["stance"] == "for"
    assert judgement("refused before")["stance"] != "for"
    assert judgement("refused before")["offered"] != judgement("plain")["offered"]


def test_a_decision_is_judged_as_on_its_own_day() -> None:
    """Facts of the moved chart are those of the chart itself, assessed on the true day without what was begun on it."""
    own = whole()
    unbegun = Chart(own.patients, own.observations, own.treatments.filter(pl.col("started_on") != on(SECOND)), own.events)
    there = facts(assess(before(own, turn(SECOND)), DAY)).drop("at")
    here = facts(assess(unbegun, on(SECOND))).drop("at")
    differ = apart(there, here)
    assert [name for name in differ if "months" not in name] == []
    assert all((here[name] - there[name]).abs().max() <= FIVE_DAYS for name in differ)


def moved(own: Chart, days: int) -> Chart:
    """All dates of a chart later by so many days, those of birth too."""
    later = timedelta(days=days)
    frames = {table: getattr(own, table).with_columns(pl.col(pl.Date) + later) for table in ("patients", *DATED)}
    born = (pl.col("born_on").str.to_date("%Y-%m-%d") + later).dt.to_string("iso:strict")
    return Chart(frames.pop("patients").with_columns(born_on=born), **frames)


def born_on_a_day(own: Chart) -> Chart:
    """Births that are known by the year alone put on a day in its middle, as the replay does."""
    born = pl.when(pl.col("born_on").str.len_chars() == 4).then(pl.col("born_on") + "-07-01")
    born = born.when(pl.col("born_on").str.len_chars() == 7).then(pl.col("born_on") + "-15").otherwise("born_on")
    return Chart(own.patients.with_columns(born_on=born), own.observations, own.treatments, own.events)


def apart(one: pl.DataFrame, other: pl.DataFrame) -> list[str]:
    """The facts in which two tables differ."""
    assert one.columns == other.columns
    return [name for name in one.columns if not one[name].equals(other[name])]


def test_moving_all_dates_changes_no_fact_but_the_day() -> None:
    """What replay rests on. Calendar months are no spans of days: they differ as months of 28 to 31 days do, and age by a birthday."""
    own = born_on_a_day(demo_chart())
    at = max(own.observations["on"].drop_nulls())
    here = facts(assess(own, at))
    for days in (-1461, 5000):
        there = facts(assess(moved(own, days), at + timedelta(days=days)))
        assert (there["at"] - here["at"]).unique().to_list() == [timedelta(days=days)]
        differ = apart(here.drop("at"), there.drop("at"))
        assert [name for name in differ if "months" not in name and not name.startswith("age")] == []
        for name in differ:
            assert here[name].is_null().equals(there[name].is_null()), name
            assert (here[name] - there[name]).abs().max() <= (1 if name.startswith("age") else FIVE_DAYS), name


@pytest.mark.parametrize(
    ("drugs_", "asked", "options"),
    [
        ("bortezomib+cilta_cel+cyclophosphamide+dexamethasone+fludarabine+tocilizumab", ("relapse", "immunotherapy"), {"cilta_cel"}),
        ("carfilzomib+daratumumab+dexamethasone", ("relapse", "immunotherapy"), {"d_kd"}),
        ("carfilzomib+daratumumab", ("relapse", "immunotherapy"), {"d_kd"}),
        ("bortezomib+daratumumab+dexamethasone+lenalidomide+zoledronic_acid", ("induction",), {"d_vrd"}),
        ("aciclovir+cotrimoxazole+immunoglobulin+teclistamab", ("relapse", "immunotherapy"), {"teclistamab"}),
        ("bortezomib+dexamethasone+lenalidomide", ("induction",), {"vrd", "vrd_lite"}),
        ("autologous_transplant", ("transplant",), {"autologous_transplant"}),
        ("dexamethasone", ("induction",), set()),
        ("zoledronic_acid", ("induction",), set()),
        ("bortezomib+melphalan+prednisone", ("induction",), set()),
        (None, ("induction",), set()),
    ],
)
def test_what_was_done_is_told_by_its_drugs(drugs_: str | None, asked: tuple[str, ...], options: set[str]) -> None:
    """CAR-T cells whatever bridges to them; steroids and supportive drugs tell nothing apart."""
    assert {option for _, option in done(drugs_, asked)} == options


def test_car_t_cells_that_come_months_after_their_bridging_are_what_the_line_was_for() -> None:
    told = judgement("cells after bridging")
    assert (told["question"], told["option"]) == ("immunotherapy", "cilta_cel")


def test_approvals_are_those_of_the_day() -> None:
    """Cells of 2023 are on a label in the US, though not after one line; the same course was on none in 2020."""
    assert (judgement("cells")["option"], judgement("cells")["stance"]) == ("cilta_cel", "against")
    early = judgement("cells early", on(SECOND + EARLIER))
    assert (early["option"], early["stance"] in ("blocked", "not_offered"), early["agrees"]) == ("cilta_cel", True, "no")


def test_every_decision_of_the_cohort_is_judged_once() -> None:
    """Of the synthetic cohort and the courses above together."""
    all_ = join([demo_chart(), own_courses()])
    found = assess(all_)
    told = replay(all_, found, "us")
    assert told.select("patient", "on", "line").rows() == decisions(found).select("patient", "on", "line").rows()
    starts = found.lines.filter(pl.col("started_on").is_not_null()).height
    transplants = found.lines.filter((pl.col("line") == 1) & pl.col("transplant_on").is_not_null()).height
    assert told.height == starts + transplants
    assert set(told["agrees"].drop_nulls()) == {"yes", "no"}
    for row in told.iter_rows(named=True):
        offered = set((row["offered"] or "").split("|"))
        assert (row["agrees"] == "yes") <= (row["option"] in offered)
        assert (row["agrees"] == "no") <= (row["option"] not in offered)


def test_a_chart_without_treatments_has_no_decisions() -> None:
    own = demo_chart()
    bare = Chart(own.patients, own.observations, None, own.events)
    told = replay(bare, assess(bare), "us")
    assert told.height == 0
    assert {"patient", "on", "question", "option", "stance", "agrees", "offered", "centre", "year", *OUTCOMES} <= set(told.columns)
    assert (summary(told).height, outcomes(told).height) == (0, 0)


# counts


def judged(*rows: tuple[str, str | None, int, str | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"question": pl.String, "centre": pl.String, "year": pl.Int32, "agrees": pl.String}, orient="row")


def wilson(k: int, n: int) -> tuple[float, float]:
    """The interval of Wilson by its formula, z for 95 %."""
    z = 1.959963984540054
    middle, half = k / n + z * z / (2 * n), z * sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def test_shares_are_counted_by_hand() -> None:
    """Eight judged of ten, six followed; what could not be judged is in no share; a centre that is not known is a group too."""
    rows = [("relapse", "North", 2024, agrees) for agrees in ("yes",) * 6 + ("no",) * 2 + (None,) * 2]
    rows += [("relapse", None, 2024, "no"), ("relapse", "South", 2024, None), ("induction", "North", 2023, "yes")]
    found = {(row["question"], row["centre"]): row for row in summary(judged(*rows)).iter_rows(named=True)}
    assert len(found) == 4
    first = found["relapse", "North"]
    assert (first["decisions"], first["judged"], first["followed"], first["share"]) == (10, 8, 6, 0.75)
    assert (first["low"], first["high"]) == tuple(round(end, 3) for end in wilson(6, 8))
    assert (found["relapse", None]["judged"], found["relapse", None]["share"]) == (1, 0.0)
    silent = found["relapse", "South"]
    assert (silent["decisions"], silent["judged"], silent["followed"]) == (1, 0, 0)
    assert silent["share"] is silent["low"] is silent["high"] is None
    assert isclose(found["induction", "North"]["low"], wilson(1, 1)[0], abs_tol=5e-4)


def lasted(*rows: tuple[str | None, int | None, bool]) -> pl.DataFrame:
    """Lines of one question: agreement, days, event."""
    schema = {"agrees": pl.String, "pfs_days": pl.Int32, "pfs_event": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(question=pl.lit("relapse"))


@pytest.mark.parametrize(
    ("rows", "median"),
    [
        ([(100, True), (200, True), (300, True), (400, True)], 200.0),  # 3/4, 1/2
        ([(100, True), (150, False), (200, True), (300, True), (400, False)], 300.0),  # 4/5, 8/15, 4/15
        ([(100, True), (100, False), (200, True), (300, False)], 200.0),  # 3/4, 3/8: who is censored on a day is still at risk on it
        ([(100, True), (200, False), (300, False)], None),  # 2/3, never a half
        ([(100, False)], None),
        ([(100, True)], 100.0),
    ],
)
def test_median_by_hand(rows: list[tuple[int, bool]], median: float | None) -> None:
    """Kaplan–Meier: the first day on which no more than half are left, null where more than half always are."""
    (found,) = outcomes(lasted(*(("yes", days, event) for days, event in rows))).iter_rows(named=True)
    assert (found["lines"], found["events"], found["median_pfs_days"]) == (len(rows), sum(event for _, event in rows), median)


def test_a_half_that_is_a_product_of_fractions_is_a_half() -> None:
    """A course in which floating point leaves a little more than a half where exact fractions leave a half."""
    days, censored = [5, 9, 3, 4, 4, 9, 2, 2, 9, 1, 6], 9
    rows = [("yes", day, not (day == 9 and place == censored - 1)) for place, day in enumerate(days)]
    assert outcomes(lasted(*rows))["median_pfs_days"].item() == by_fractions([(day, event) for _, day, event in rows])


def by_fractions(rows: list[tuple[int, bool]]) -> float | None:
    left = Fraction(1)
    for day in sorted({day for day, event in rows if event}):
        left *= 1 - Fraction(sum(event for one, event in rows if one == day), sum(one >= day for one, _ in rows))
        if left <= Fraction(1, 2):
            return float(day)
    return None


def test_outcomes_leave_out_what_was_not_judged_and_keep_groups_apart() -> None:
    rows = lasted(("yes", 100, True), ("no", 50, True), ("no", 60, True), (None, 10, True), ("yes", None, False))
    assert outcomes(rows).rows() == [("relapse", "no", 2, 2, 50.0), ("relapse", "yes", 1, 1, 100.0)]


def test_dates_that_move_are_all_dates_of_a_chart() -> None:
    """A date that a table gains must be cut and moved too."""
    for table, columns in SCHEMA.items():
        if table != "rejected":
            dates = {name for name, kind in columns.items() if kind == pl.Date}
            assert dates == {*LATER.get(table, ()), *([DATED[table], "recorded_on"] if table in DATED else [])}, table
