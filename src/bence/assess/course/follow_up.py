"""Follow-up: what is to be looked at next, by the phase a patient is in, and by how many days it is late.

Counted from the last assessment that is recorded; where none is, the state is unknown. Source: whole-course (from memory: shown with
its tag, deciding nothing). In words: docs/rules/course.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from ...chart import Chart
from .due import DUE, NOT_DUE, UNKNOWN, after, note, noted, rows
from .facts import coded, joined, scan

CYCLE, QUARTER, MONTH, WEEK, YEAR = "28d", "3mo", "1mo", "7d", "12mo"
DAILY, WEEKLY, MONTHLY, REGISTRY = 14, 28, 365, 15 * 365  # days after CAR-T cells up to which each step lasts
BEFORE_MAINTENANCE = 90  # days before maintenance in which the marrow counts for it
COMPLETE = ("sCR", "CR")
MARROW = ("marrow_plasma_cells", "marrow_clonality", "mrd")
SOURCE, TAG = "whole-course", "M"


def follow_up(facts: pl.DataFrame, policies: Mapping[str, Any], at: date) -> list[pl.DataFrame]:
    """The rows of follow-up for everyone who was treated; `facts` with `phase` and what `reviewed` adds."""
    own = facts.filter(pl.col("phase").is_not_null())
    return [_assessment(own, policies, at), _marrow(own, at), _imaging(own, at), _immunoglobulin(own, at), _questionnaires(own, at)]


def phases(facts: pl.DataFrame, courses: pl.DataFrame, at: date) -> pl.DataFrame:
    """`facts` with `phase` (`car_t`, `bispecific`, `maintenance`, `treatment`, `off_therapy`; null: never treated) and `maintenance_on`.

    `car_t` until 12 months after the cells unless another treatment began since, or later where nothing is given; a transplant alone
    is not off therapy for 100 days.
    """
    now = pl.col("stopped").is_null() | (pl.col("stopped") >= at)
    maintained = courses.filter((pl.col("phase") == "maintenance") & now).group_by("patient").agg(maintenance_on=pl.col("began").min())
    facts = facts.join(maintained, on="patient", how="left", maintain_order="left")
    cells = pl.col("car_t_last").is_not_null()
    bispecific = pl.any_horizontal(pl.col(f"{name}_now").fill_null(False) for name in ("bcma_bispecific", "bispecific"))
    resting = (pl.col("transplant_last") > at - timedelta(days=100)).fill_null(False)
    years = (pl.col("car_t_last") > at - timedelta(days=REGISTRY)).fill_null(False)
    phase = (
        pl.when(pl.col("treated_on").is_null()).then(None).when(bispecific).then(pl.lit("bispecific"))
        .when(pl.col("maintenance_on").is_not_null()).then(pl.lit("maintenance"))
        .when(pl.col("treated_now") & ~(pl.col("car_t_last") == at).fill_null(False)).then(pl.lit("treatment"))
        .when(cells & years).then(pl.lit("car_t")).when(resting).then(pl.lit("treatment")).otherwise(pl.lit("off_therapy"))
    )  # fmt: skip
    return facts.with_columns(phase=phase)


def reviewed(chart: Chart, facts: pl.DataFrame, lines: pl.DataFrame, response: pl.DataFrame, questionnaires: pl.DataFrame) -> pl.DataFrame:
    """`facts` with the last assessment (`seen_on`), the response then, what it lacked, and the first and last questionnaire.

    A response from before the present line is no longer the present one. After CAR-T cells every recorded observation is an
    assessment, for the days are counted.
    """
    began = lines.group_by(coded(pl.col("patient"), chart)).agg(line_on=pl.col("started_on").max())
    progressed = (pl.col("progression").last().cast(pl.String) == "confirmed").fill_null(False)
    visits = response.with_columns(coded(pl.col("patient"), chart)).sort("patient", "on", "line")
    last = visits.group_by("patient", maintain_order=True).agg(
        pl.col("on").last().alias("assessed_on"),
        pl.col("missing").last().cast(pl.String).alias("lacking"),
        response=pl.when(progressed).then(pl.lit("PD")).otherwise(pl.col("confirmed").last().cast(pl.String)),
    )
    asked = questionnaires.group_by("patient").agg(asked_first=pl.col("on").min(), asked_last=pl.col("on").max())
    cells = facts.filter(pl.col("car_t_last").is_not_null()).select("patient")
    watched = cells.select("patient", watched_on=pl.lit(None, pl.Date))
    if cells.height:
        days = scan(chart, "observations").select("patient", "on").join(cells.lazy(), on="patient", how="semi")
        watched = days.group_by("patient").agg(watched_on=pl.col("on").max()).collect()
    facts = joined(facts, last, asked, watched, began)
    present = (pl.col("assessed_on") >= pl.col("line_on")).fill_null(True)
    return facts.with_columns(seen_on=pl.max_horizontal("assessed_on", "watched_on"), response=pl.when(present).then("response"))


def _state(due_on: pl.Expr, at: date) -> pl.Expr:
    return pl.when(due_on.is_null()).then(UNKNOWN).when(due_on <= at).then(DUE).otherwise(NOT_DUE)


def _assessment(own: pl.DataFrame, policies: Mapping[str, Any], at: date) -> pl.DataFrame:
    """M-protein, light chains, blood count and chemistry; after CAR-T cells the visit."""
    phase, seen, day = pl.col("phase"), pl.col("seen_on"), (pl.lit(at) - pl.col("car_t_last")).dt.total_days()
    maintenance = f"{int(float(policies['maintenance_visit_months']))}mo"
    step = pl.when(day <= DAILY).then(after(seen, "1d")).when(day <= WEEKLY).then(after(seen, WEEK))
    step = step.when(day <= MONTHLY).then(after(seen, MONTH)).otherwise(after(seen, YEAR))
    due_on = (
        pl.when(phase == "car_t").then(step).when(phase == "maintenance").then(after(seen, maintenance))
        .when(phase == "off_therapy").then(after(seen, QUARTER)).otherwise(after(seen, CYCLE))
    )  # fmt: skip
    because = [
        noted("phase", phase),
        noted("car_t_day", pl.when(phase == "car_t").then(day)),
        noted("last", seen),
        note("no_assessment_recorded", seen.is_null()),
    ]
    return rows(own, "assessment", "follow_up", _state(due_on, at), on=seen, due_on=due_on, because=because, source=SOURCE, tag=TAG)


def _marrow(own: pl.DataFrame, at: date) -> pl.DataFrame:
    """Marrow and MRD: for a complete response that only the marrow is missing from, before maintenance, then every year in response."""
    last = pl.max_horizontal(f"{code}_on" for code in MARROW)
    lacking = pl.col("lacking").str.contains("marrow").fill_null(False) & (last.is_null() | (last < pl.col("assessed_on")))
    early = pl.col("maintenance_on") - pl.duration(days=BEFORE_MAINTENANCE)
    lately = (after(pl.col("maintenance_on"), YEAR) > at).fill_null(False)
    starting = lately & (last < early).fill_null(False)
    yearly = pl.col("response").is_in(COMPLETE) | (pl.col("phase") == "maintenance")
    due_on = pl.when(lacking).then("assessed_on").when(starting).then("maintenance_on").when(yearly).then(after(last, YEAR))
    concerned = lacking | yearly.fill_null(False)
    because = [
        note("complete_response_suspected", lacking), note("before_maintenance", starting & ~lacking),
        note("yearly_in_response", yearly & ~lacking & ~starting), noted("last", last), note("not_recorded", last.is_null()),
    ]  # fmt: skip
    state = pl.when(concerned).then(_state(due_on, at))
    return rows(own, "marrow_mrd", "follow_up", state, on=last, due_on=due_on, because=because, source=SOURCE, tag=TAG)


def _imaging(own: pl.DataFrame, at: date) -> pl.DataFrame:
    """Imaging every year with extramedullary, oligosecretory or non-secretory disease; of the others nothing is said."""
    outside = (pl.col("extramedullary_disease_text") == "yes").fill_null(False)
    quiet = (
        pl.col("diagnosis_subtype_text").is_in(["oligosecretory", "non_secretory", "true_non_secretory", "extramedullary"]).fill_null(False)
    )
    due_on = after(pl.col("pet_on"), YEAR)
    because = [
        note("extramedullary", outside),
        note("hardly_secretory", quiet),
        noted("last", pl.col("pet_on")),
        note("not_recorded", pl.col("pet_on").is_null()),
    ]
    state = pl.when(outside | quiet).then(_state(due_on, at))
    return rows(own, "imaging", "follow_up", state, on=pl.col("pet_on"), due_on=due_on, because=because, source=SOURCE, tag=TAG)


def _immunoglobulin(own: pl.DataFrame, at: date) -> pl.DataFrame:
    """IgG every month on a bispecific."""
    due_on = after(pl.col("igg_on"), MONTH)
    state = pl.when(pl.col("phase") == "bispecific").then(_state(due_on, at))
    because = [noted("phase", pl.col("phase")), noted("last", pl.col("igg_on")), note("not_recorded", pl.col("igg_on").is_null())]
    return rows(own, "igg", "follow_up", state, on=pl.col("igg_on"), due_on=due_on, because=because, source=SOURCE, tag=TAG)


def _questionnaires(own: pl.DataFrame, at: date) -> pl.DataFrame:
    """Quality of life every three months in the first year of asking, then every six; where it was never asked, nothing is said."""
    first, last = pl.col("asked_first"), pl.col("asked_last")
    due_on = pl.when(after(first, YEAR) > last).then(after(last, QUARTER)).otherwise(after(last, "6mo"))
    state = pl.when(last.is_not_null()).then(_state(due_on, at))
    return rows(own, "quality_of_life", "follow_up", state, on=last, due_on=due_on, because=[noted("last", last)], source=SOURCE, tag=TAG)
