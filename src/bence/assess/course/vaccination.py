"""Vaccines: which are due, and when they are to be given again after a transplant or CAR-T cells. Never a live one.

A vaccination that was recorded once and has run out is due; one that was never recorded is unknown (policy `unrecorded_care`).
Source: ludwig-2021. In words: docs/rules/course.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from .due import DONE, DUE, NOT_DUE, UNKNOWN, after, note, noted, rows

YEARLY, SECOND_DOSE, LIVE_AFTER = "12mo", "2mo", "24mo"
RSV_AGE = 60  # years
SOURCE = "ludwig-2021"
TAGS = {"influenza": "V", "pneumococcal": "V", "zoster": "V", "rsv": "M", "covid19": "M", "hepatitis_b": "M"}


def vaccinations(facts: pl.DataFrame, events: pl.DataFrame, policies: Mapping[str, Any], at: date) -> list[pl.DataFrame]:
    """The rows of vaccination for everyone who is treated."""
    absent = policies["unrecorded_care"] == "absent"
    months = f"{int(float(policies['revaccination_months']))}mo"
    own = facts.filter(pl.col("treated_on").is_not_null())
    own = own.with_columns(
        reset=pl.max_horizontal("transplant_last", "car_t_last"),
        bispecific_on=pl.any_horizontal(pl.col(f"{name}_now").fill_null(False) for name in ("bcma_bispecific", "bispecific")),
    )
    return [*(_vaccine(_given(own, events, name), name, months, absent, at) for name in TAGS), _live(own, events, at)]


def _given(own: pl.DataFrame, events: pl.DataFrame, name: str) -> pl.DataFrame:
    """With the doses of one vaccine: `ever` recorded, or denied; `doses` and `dose_on`, the last, since the transplant or CAR-T cells."""
    doses = events.filter(pl.col("what") == f"{name}_vaccination").join(own.select("patient", "reset"), on="patient")
    counts = ~pl.col("absent") & (pl.col("reset").is_null() | (pl.col("on") > pl.col("reset")))
    told = doses.group_by("patient").agg(
        ever=pl.lit(True), doses=pl.col("on").filter(counts).n_unique(), dose_on=pl.col("on").filter(counts).max()
    )
    return own.join(told, on="patient", how="left", maintain_order="left")


def _vaccine(own: pl.DataFrame, name: str, months: str, absent: bool, at: date) -> pl.DataFrame:
    """One vaccine: waits after a transplant or CAR-T cells, is done for a year or for good, else due."""
    waits = after(pl.col("reset"), months)
    had = (pl.col("doses") > 0).fill_null(False)
    again = {"influenza": YEARLY, "covid19": YEARLY, "zoster": SECOND_DOSE}.get(name)
    next_on = after(pl.col("dose_on"), again) if again else pl.lit(None, pl.Date)
    complete = (pl.col("doses") >= 2).fill_null(False) if name == "zoster" else had if not again else had & (next_on > at)
    recorded = pl.col("ever").fill_null(False) | pl.lit(absent)
    started = had & pl.lit(name == "zoster")
    state = (
        pl.when(complete)
        .then(DONE)
        .when(_not_wanted(name))
        .then(NOT_DUE)
        .when(started & (next_on > at))
        .then(NOT_DUE)
        .when((waits > at).fill_null(False))
        .then(NOT_DUE)
        .when(_open(name))
        .then(UNKNOWN)
        .when(recorded)
        .then(DUE)
        .otherwise(UNKNOWN)
    )
    due_on = (
        pl.when(_not_wanted(name))
        .then(None)
        .otherwise(pl.coalesce(next_on if name != "zoster" else pl.when(~complete).then(next_on), pl.when(~had).then(waits)))
    )
    because = [
        noted("last", pl.col("dose_on")),
        noted("doses", pl.when(started).then("doses")),
        noted("again_after", pl.when(~had).then("reset")),
        note("not_recorded", ~had & pl.col("ever").is_null()),
        note("not_since", ~had & pl.col("ever") & pl.col("reset").is_not_null()),
        note("bispecific_weakens_response", pl.col("bispecific_on")),
        *_reasons(name),
    ]
    return rows(
        own,
        f"{name}_vaccination",
        "vaccination",
        state,
        on=pl.col("dose_on"),
        due_on=due_on,
        because=because,
        source=SOURCE,
        tag=TAGS[name],
    )


def _not_wanted(name: str) -> pl.Expr:
    """Known not to be called for: RSV below 60 years, hepatitis B in who has met the virus or is immune."""
    if name == "rsv":
        return (pl.col("age_hi") < RSV_AGE).fill_null(False)
    if name == "hepatitis_b":
        tests = ("hepatitis_b_surface_antigen", "hepatitis_b_core_antibody", "hepatitis_b_surface_antibody")
        return pl.any_horizontal((pl.col(f"{test}_text") == "positive").fill_null(False) for test in tests)
    return pl.lit(False)


def _open(name: str) -> pl.Expr:
    """Not known whether it is called for: no age, no serology."""
    if name == "rsv":
        return ~(pl.col("age_lo") >= RSV_AGE).fill_null(False)
    if name == "hepatitis_b":
        tests = ("hepatitis_b_surface_antigen", "hepatitis_b_core_antibody", "hepatitis_b_surface_antibody")
        return pl.any_horizontal(pl.col(f"{test}_text").is_null() for test in tests)
    return pl.lit(False)


def _reasons(name: str) -> list[pl.Expr]:
    if name == "rsv":
        return [note("younger_than_60", _not_wanted(name)), note("age_unknown", ~_not_wanted(name) & _open(name))]
    if name == "hepatitis_b":
        return [note("hepatitis_b_met_or_immune", _not_wanted(name)), note("serology_unknown", ~_not_wanted(name) & _open(name))]
    return []


def _live(own: pl.DataFrame, events: pl.DataFrame, at: date) -> pl.DataFrame:
    """No live vaccine: while treated, on a bispecific, after CAR-T cells, within 24 months of a transplant. A recorded one is named."""
    live = events.filter((pl.col("what") == "live_vaccination") & ~pl.col("absent")).group_by("patient").agg(live_on=pl.col("on").max())
    own = own.join(live, on="patient", how="left", maintain_order="left")
    lately = (after(pl.col("transplant_last"), LIVE_AFTER) > at).fill_null(False)
    because = [
        note("live_vaccine_avoided", pl.lit(True)),
        note("on_treatment", pl.col("treated_now")),
        note("on_bispecific", pl.col("bispecific_on")),
        noted("transplant", pl.when(lately).then("transplant_last")),
        noted("car_t", pl.col("car_t_last")),
        noted("given", pl.col("live_on")),
    ]
    return rows(own, "live_vaccine", "vaccination", NOT_DUE, on=pl.col("live_on"), because=because, source=SOURCE, tag="V")
