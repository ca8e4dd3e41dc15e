"""Toxicity: what treatment did to the patient, one row an episode, with its grade and its course.

`toxicity_table` gives CRS and ICANS by day, haematotoxicity, laboratory grades both ways, infections, low immunoglobulin, and
what belongs to one target; `infection_rates` infections per 100 patient-months. Rules in words: docs/rules/toxicity.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from ...chart import Chart, visible
from ..intake import HEAVY, Observations, take_in
from . import ctcae, exposure, haematotoxicity, immune, infections, on_target, recorded
from .episodes import said, shaped
from .iec_hs import iec_hs
from .infections import infection_rates
from .signs import Tracks
from .words import explain_toxicity

COLUMNS = (
    "patient", "kind", "line", "started_on", "ended_on", "worst_grade", "worst_grade_possible", "worst_on", "days", "after",
    "days_after_last", "days_after_first", "treated_with", "because", "missing", "flags", "course", "source",
)  # fmt: skip
EVENTS = (*recorded.DERIVED, *recorded.INFECTIONS, *recorded.LATE_CAR_T, *recorded.TALQUETAMAB, *recorded.OTHERS)


def toxicity_table(
    chart: Chart, policies: Mapping[str, Any], at: date | None, *, observations: Observations | None = None,
    lines: pl.DataFrame | None = None,
) -> pl.DataFrame:  # fmt: skip
    """One row an episode of toxicity, sorted by patient, day and kind.

    `worst_grade` is null where several grades are possible (`worst_grade_possible`) or the kind has none. `course`:
    day:grade, days from the first dose of the product, else from the start. `lines` (`patient`, `line`, `started_on`): laboratory
    grades are told for each line, else for all treatment. `observations`: those of the chart as it was known at `at`, if they
    have been taken in already.
    """
    known = visible(chart, at)
    observations = observations or take_in(known)
    ids = observations.patients
    tracks, doses = Tracks(observations), exposure.doses(known, ids)
    events = recorded.events(known, ids, EVENTS)
    people = _people(known, ids)
    crs = immune.crs(tracks, doses, events, people, policies)
    spans = ctcae.periods(doses, lines, ids)
    parts = [
        crs,
        immune.icans(tracks, doses, events, people, policies),
        haematotoxicity.icaht(tracks, doses, events, people, policies),
        iec_hs(tracks, doses, events, crs, policies),
        _laboratory(ctcae.laboratory(tracks, spans, people["male"].to_numpy(), policies)),
        infections.infections(doses, events),
        infections.hypogammaglobulinaemia(tracks, doses, events, people["igg"].to_numpy(), policies),
        on_target.keratopathy(tracks, doses, events, policies),
        on_target.weight_loss(tracks, doses, events, policies),
        on_target.recorded(doses, events),
    ]
    return _told(pl.concat([shaped(part) for part in parts]), ids)


def _people(chart: Chart, ids: pl.Series) -> pl.DataFrame:
    """One row a patient: death, sex (1 male, 0 female, -1 unknown), and whether the clone is IgG (1, 0, -1 unknown)."""
    heavy = {name: int(name == "igg") for name in HEAVY}
    return ids.rename("patient").to_frame().join(chart.patients, on="patient", how="left", maintain_order="left").select(
        "death_cause", place=pl.int_range(pl.len(), dtype=pl.Int64), died=pl.col("died_on").to_physical().cast(pl.Int64),
        male=pl.col("sex").replace_strict({"female": 0, "male": 1}, default=-1, return_dtype=pl.Int64).fill_null(-1),
        igg=pl.col("heavy_chain").replace_strict(heavy, default=-1, return_dtype=pl.Int64).fill_null(-1),
    )  # fmt: skip


def _laboratory(rows: pl.DataFrame) -> pl.DataFrame:
    """Laboratory grades as episodes: the course is the onset, the worst and the last day."""
    if rows.is_empty():
        return rows
    whole = pl.col("start") <= ctcae.LONG_BEFORE
    origin = pl.when(whole).then(pl.col("from")).otherwise("start")
    steps = [pl.concat_str((pl.col(day) - origin).cast(pl.String), pl.lit(":"), pl.col(grade).cast(pl.String))
             for day, grade in (("from", "first_grade"), ("worst", "worst_grade"), ("to", "last_grade"))]  # fmt: skip
    notes = [
        pl.when(pl.col("baseline") > 0).then(pl.concat_str(pl.lit("baseline_grade:"), pl.col("baseline").cast(pl.String))),
        pl.when("no_baseline").then(pl.lit("no_baseline")), pl.when("ongoing").then(pl.lit("ongoing")),
        pl.when(pl.col("spells") > 1).then(pl.concat_str(pl.lit("episodes:"), pl.col("spells").cast(pl.String))),
        pl.when(whole).then(pl.lit("no_treatment_recorded")),
    ]  # fmt: skip
    several = (pl.col("mask") & (pl.col("mask") - 1)) > 0
    symptoms = pl.col("kind").is_in([term.name for term in ctcae.terms() if term.either])
    flags = pl.concat_str(*notes, separator="|", ignore_nulls=True)
    course = pl.concat_list(steps).list.unique(maintain_order=True).list.join(" ")
    return rows.with_columns(
        line=pl.when(pl.col("line") > 0).then("line"),
        because=pl.concat_str(pl.lit("value="), pl.col("value").round(4).cast(pl.String).str.replace(r"\.0$", "")),
        flags=pl.when(flags != "").then(flags), source=pl.lit("ctcae-5"), course=course,
        missing=pl.when(several & symptoms).then(pl.lit("symptoms")).when(several).then(pl.lit("limit_or_baseline")),
    )  # fmt: skip


def _told(rows: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """Episodes as they are written: names of patients, dates, grades in words."""
    mask = pl.col("mask").cast(pl.Int64)
    single = (mask & (mask - 1)) == 0
    grade = pl.when(single).then(said(mask)).cast(pl.Int32)
    days = {"started_on": "from", "ended_on": "to", "worst_on": "worst"}
    told = rows.sort("place", "from", "kind", "line", "to", "mask", "because", nulls_last=True).with_columns(
        *(pl.col(day).cast(pl.Int32).cast(pl.Date).alias(name) for name, day in days.items()),
        *((pl.col("from") - pl.col(name)).cast(pl.Int32).alias(f"days_after_{name}") for name in ("last", "first")),
        worst_grade=grade, worst_grade_possible=pl.when(~single).then(said(mask)),
    )  # fmt: skip
    return told.with_columns(patient=ids.gather(told["place"]) if told.height else pl.lit(None, pl.String)).select(COLUMNS)


__all__ = ["COLUMNS", "explain_toxicity", "infection_rates", "toxicity_table"]
