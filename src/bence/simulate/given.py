"""Treatments of virtual people as rows of a chart: earlier lines, what the protocol gave with its step-up doses, procedures."""

from __future__ import annotations

import numpy as np
import polars as pl

from ..catalogue import codes
from .courses import Courses
from .earlier import earlier_treatments, standard_doses
from .protocols import Protocol
from .regimens import regimen
from .visits import Visits

UNITS = {"1e6 cells": "10^6 cells", "1e6 cells/kg": "10^6 cells/kg"}
STANDARD = "standard"
ROW = ("patient", "started_on", "stopped_on", "what", "dose", "dose_unit", "route", "phase", "line", "planned", "stop_reason")
NOT_IN_CATALOGUE = "investigational"


def treatments(visits: Visits) -> pl.DataFrame:
    """Every treatment of the cohort, in the columns of a chart."""
    people = visits.courses.people
    before = earlier_treatments(people.table, people.population.earlier, people.seed)
    before = before.join(_places(visits), on="number").with_columns(
        planned=pl.when(pl.col("phase").is_in(["transplant", "maintenance"])).then(True))  # fmt: skip
    drugs = _steps_up(_given(visits.courses), visits.courses.protocol)
    high_dose = (pl.col("what") == "melphalan") & (pl.col("phase") == "transplant")
    the_day_after = [(pl.col(name) + 1).alias(name) for name in ("start", "stop")]
    graft = pl.lit("autologous_transplant").alias("what")
    grafts = drugs.filter(high_dose).select("place", "phase", "line", "planned", "stop_reason", *the_day_after, graft)
    collected = visits.courses.events.filter(pl.col("what") == "apheresis").select("place", what="what", start="day", stop="day")
    rows = pl.concat([before, drugs, grafts, collected], how="diagonal_relaxed")
    last = pl.Series(visits.courses.last_on)
    rows = rows.with_columns(last=last.gather(rows["place"])).filter(pl.col("start") <= pl.col("last"))
    return _dated(rows, visits)


def _places(visits: Visits) -> pl.DataFrame:
    return pl.DataFrame({"number": visits.numbers, "place": np.arange(len(visits.numbers))})


def _given(courses: Courses) -> pl.DataFrame:
    """What the protocol gave, with the usual dose of each drug; the line counts the earlier ones."""
    before = courses.people.table["prior_lines"]
    known, usual = codes(), standard_doses()
    drugs = courses.given["drug"]
    given = courses.given.with_columns(line_before=before.gather(courses.given["place"])).select(
        "place", "step", "regimen", "drug", "phase", start="started", stop="stopped", stop_reason="reason",
        line=pl.col("line_before") + pl.col("line").rank("dense").over("place"),
        what=pl.when(drugs.is_in([drug for drug in drugs.unique() if drug in known])).then("drug").otherwise(pl.lit(NOT_IN_CATALOGUE)),
        planned=pl.when(pl.col("phase") != "treatment").then(True),
    )  # fmt: skip
    return given.join(usual, on="drug", how="left", maintain_order="left")


def _steps_up(given: pl.DataFrame, protocol: Protocol) -> pl.DataFrame:
    """Each row as its step-up doses, a day each, and the full dose from its first day on."""
    parts = [
        row
        for step, name, drug in given.select("step", "regimen", "drug").unique(maintain_order=True).rows()
        for row in _parts(step, name, drug, protocol)
    ]
    schema = {"step": pl.String(), "regimen": pl.String(), "drug": pl.String(), "after": pl.Int64(), "part": pl.String(),
              "told": pl.Float64(), "of": pl.Float64(), "told_unit": pl.String()}  # fmt: skip
    table = pl.DataFrame(parts, schema=schema, orient="row")
    up = pl.col("part") == "step_up"
    rows = given.join(table, on=["step", "regimen", "drug"], how="left", maintain_order="left").with_columns(
        start=pl.col("start") + pl.col("after"), phase=pl.coalesce("part", "phase"),
        stop_reason=pl.when(up).then(pl.lit("completed")).otherwise("stop_reason"),
        dose=pl.coalesce("told", pl.col("of") * pl.col("dose")), dose_unit=pl.coalesce("told_unit", "dose_unit"),
    )  # fmt: skip
    rows = rows.filter(pl.col("stop").is_null() | (pl.col("start") <= pl.col("stop")))
    return rows.with_columns(stop=pl.when(pl.col("part") == "step_up").then("start").otherwise("stop")).drop(
        "step", "regimen", "drug", "after", "part", "told", "of", "told_unit")  # fmt: skip


def _parts(step: str, name: str, drug: str, protocol: Protocol) -> list[tuple[object, ...]]:
    """The doses of a drug in the order they are reached: days after the first one, phase, dose (or how many usual ones), unit."""
    first = regimen(name).drugs[drug][0]
    standard = first.unit == STANDARD
    full = max(give.dose for give in first.give)
    begins = {give: min(give.days) + (give.first - 1) * (give.of or 0) for give in first.give}
    low = [give for give in first.give if give.dose < full and give.of is None and protocol.steps[protocol.place(step)].cycle == 1]
    start = min(begins.values())
    rows = [(begins[give] - start, "step_up", give.dose) for give in low]
    reached = min(begins[give] for give in first.give if give.dose == full) - start if low else 0
    unit = None if standard else UNITS.get(first.unit, first.unit)
    return [(step, name, drug, after, part, None if standard else dose, dose if standard else None, unit)
            for after, part, dose in [*rows, (reached, None, full)]]  # fmt: skip


def _dated(rows: pl.DataFrame, visits: Visits) -> pl.DataFrame:
    place = rows["place"].to_numpy()
    entry = pl.Series(visits.entry[place])
    return rows.with_columns(
        patient=visits.ids.gather(place), started_on=(entry + rows["start"]).cast(pl.Int32).cast(pl.Date),
        stopped_on=(entry + rows["stop"]).cast(pl.Int32).cast(pl.Date), line=pl.col("line").cast(pl.Int32),
    ).select(ROW)  # fmt: skip
