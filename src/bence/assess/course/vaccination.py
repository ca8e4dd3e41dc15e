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
    own = facts.filter(pl.col("treated_on").is_not_null()).with_columns(
        reset=pl.max_horizontal("transplant_last", "car_t_last"),
        bispecific_on=pl.any_horizontal(pl.col(f"{name}_now").fill_null(False) for name in ("bcma_bispecific", "bispecific")),
    )
    return [_due(_each(own, events), months, absent, at), _live(own, events, at)]


def _each(own: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """One row a patient and `vaccine`: `ever` recorded, or denied (else null); `doses` and `dose_on`, the last, since the transplant or
    CAR-T cells; of hepatitis B whether the patient has `met` the virus or is immune, and whether a test of it is `unread`."""
    serology = [pl.col(f"hepatitis_b_{test}_text") for test in ("surface_antigen", "core_antibody", "surface_antibody")]
    known = own.select(
        "patient", "reset", "bispecific_on", "age_lo", "age_hi", unread=pl.any_horizontal(test.is_null() for test in serology),
        met=pl.any_horizontal((test == "positive").fill_null(False) for test in serology),
    )  # fmt: skip
    told = events.with_columns(vaccine=pl.col("what").str.strip_suffix("_vaccination")).filter(pl.col("vaccine").is_in(list(TAGS)))
    counts = ~pl.col("absent") & (pl.col("reset").is_null() | (pl.col("on") > pl.col("reset")))
    doses = told.join(known.select("patient", "reset"), on="patient").group_by("patient", "vaccine").agg(
        ever=pl.lit(True), doses=pl.col("on").filter(counts).n_unique(), dose_on=pl.col("on").filter(counts).max()
    )  # fmt: skip
    return known.join(VACCINES, how="cross").join(doses, on=["patient", "vaccine"], how="left", maintain_order="left")


VACCINES = pl.DataFrame({"vaccine": list(TAGS), "tag": list(TAGS.values())})


def _due(each: pl.DataFrame, months: str, absent: bool, at: date) -> pl.DataFrame:
    """Every vaccine: waits after a transplant or CAR-T cells, is done for a year or for good, else due.

    Known not to be called for: RSV below 60 years, hepatitis B in who has met the virus or is immune.
    """
    zoster, rsv, hepatitis_b = (pl.col("vaccine") == name for name in ("zoster", "rsv", "hepatitis_b"))
    yearly = pl.col("vaccine").is_in(["influenza", "covid19"])
    ever, dose_on, waits = pl.col("ever"), pl.col("dose_on"), after(pl.col("reset"), months)
    had = (pl.col("doses") > 0).fill_null(False)
    next_on = pl.when(yearly).then(after(dose_on, YEARLY)).when(zoster).then(after(dose_on, SECOND_DOSE))
    complete = had & pl.when(zoster).then(pl.col("doses") >= 2).when(yearly).then(next_on > at).otherwise(True)
    young = (pl.col("age_hi") < RSV_AGE).fill_null(False)
    unwanted = (rsv & young) | (hepatitis_b & pl.col("met"))
    ageless = rsv & ~young & ~(pl.col("age_lo") >= RSV_AGE).fill_null(False)
    unread = hepatitis_b & ~pl.col("met") & pl.col("unread")
    started = had & zoster
    waiting = (started & (next_on > at)) | (waits > at).fill_null(False)
    state = (
        pl.when(complete).then(DONE).when(unwanted | waiting).then(NOT_DUE).when(ageless | unread).then(UNKNOWN)
        .when(ever.fill_null(False) | pl.lit(absent)).then(DUE).otherwise(UNKNOWN)
    )  # fmt: skip
    due_on = pl.coalesce(pl.when(~(zoster & complete)).then(next_on), pl.when(~had).then(waits))
    because = [
        noted("last", dose_on), noted("doses", pl.when(started).then("doses")), noted("again_after", pl.when(~had).then("reset")),
        note("not_recorded", ~had & ever.is_null()), note("not_since", ~had & ever & pl.col("reset").is_not_null()),
        note("bispecific_weakens_response", pl.col("bispecific_on")),
        note("younger_than_60", rsv & young), note("age_unknown", ageless),
        note("hepatitis_b_met_or_immune", hepatitis_b & pl.col("met")), note("serology_unknown", unread),
    ]  # fmt: skip
    item = pl.concat_str("vaccine", pl.lit("_vaccination"))
    due_on = pl.when(~unwanted).then(due_on)
    return rows(each, item, "vaccination", state, on=dose_on, due_on=due_on, because=because, source=SOURCE, tag=pl.col("tag"))


def _live(own: pl.DataFrame, events: pl.DataFrame, at: date) -> pl.DataFrame:
    """No live vaccine: while treated, on a bispecific, after CAR-T cells, within 24 months of a transplant. A recorded one is named."""
    given = events.filter((pl.col("what") == "live_vaccination") & ~pl.col("absent")).group_by("patient").agg(live_on=pl.col("on").max())
    own = own.join(given, on="patient", how="left", maintain_order="left")
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
