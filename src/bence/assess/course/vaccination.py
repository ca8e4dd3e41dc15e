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
    own = _with_doses(own.with_columns(
        reset=pl.max_horizontal("transplant_last", "car_t_last"),
        bispecific_on=pl.any_horizontal(pl.col(f"{name}_now").fill_null(False) for name in ("bcma_bispecific", "bispecific")),
    ), events)  # fmt: skip
    return [*(_vaccine(own, name, months, absent, at) for name in TAGS), _live(own, at)]


def _with_doses(own: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """With the doses of each vaccine: `<vaccine>_ever` recorded, or denied (else null); `_doses` and `_dose_on`, the last, since the
    transplant or CAR-T cells. With the last live vaccine, `live_on`."""
    doses = events.join(own.select("patient", "reset"), on="patient")
    counts = ~pl.col("absent") & (pl.col("reset").is_null() | (pl.col("on") > pl.col("reset")))
    columns = {"live_on": pl.col("on").filter((pl.col("what") == "live_vaccination") & ~pl.col("absent")).max()}
    for name in TAGS:
        mine = pl.col("what") == f"{name}_vaccination"
        since = pl.col("on").filter(mine & counts)
        columns |= {f"{name}_ever": pl.when(mine.any()).then(True), f"{name}_doses": since.n_unique(), f"{name}_dose_on": since.max()}
    return own.join(doses.group_by("patient").agg(**columns), on="patient", how="left", maintain_order="left")


def _vaccine(own: pl.DataFrame, name: str, months: str, absent: bool, at: date) -> pl.DataFrame:
    """One vaccine: waits after a transplant or CAR-T cells, is done for a year or for good, else due."""
    waits = after(pl.col("reset"), months)
    ever, doses, dose_on = (pl.col(f"{name}_{column}") for column in ("ever", "doses", "dose_on"))
    had = (doses > 0).fill_null(False)
    again = {"influenza": YEARLY, "covid19": YEARLY, "zoster": SECOND_DOSE}.get(name)
    next_on = after(dose_on, again) if again else pl.lit(None, pl.Date)
    complete = (doses >= 2).fill_null(False) if name == "zoster" else had if not again else had & (next_on > at)
    recorded = ever.fill_null(False) | pl.lit(absent)
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
        noted("last", dose_on),
        noted("doses", pl.when(started).then(doses)),
        noted("again_after", pl.when(~had).then("reset")),
        note("not_recorded", ~had & ever.is_null()),
        note("not_since", ~had & ever & pl.col("reset").is_not_null()),
        note("bispecific_weakens_response", pl.col("bispecific_on")),
        *_reasons(name),
    ]
    return rows(
        own,
        f"{name}_vaccination",
        "vaccination",
        state,
        on=dose_on,
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


def _live(own: pl.DataFrame, at: date) -> pl.DataFrame:
    """No live vaccine: while treated, on a bispecific, after CAR-T cells, within 24 months of a transplant. A recorded one is named."""
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
