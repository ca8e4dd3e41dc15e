"""Renal response: what became of an estimated filtration rate below 50 mL/min once treatment began.

A category counts once it was kept for two months. Sources: dimopoulos-2016; the rate by CKD-EPI 2021 where none is reported.
In words: docs/rules/course.md.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from ...chart import Chart
from ...interval import TOLERANCE
from ..intake import EPOCH
from ..stand_ins import ckd_epi_2021
from .facts import ages, given, measured, scan

IMPAIRED = 50.0  # mL/min/1.73 m2; renal response is asked of a baseline below it
COMPLETE = 60.0
PARTIAL = 30.0
MINOR = 15.0
KEPT = 60  # days
BEFORE = 90  # days before the first dose in which the baseline lies
CATEGORIES = ("none", "MRr", "PRr", "CRr")


def grades(baseline: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """The category of every rate (mL/min/1.73 m²) against its baseline, as a place in `CATEGORIES`; nan gives no response."""
    baseline, rate = baseline + TOLERANCE, rate + TOLERANCE
    failing, severe = baseline < MINOR, baseline < PARTIAL
    complete = (rate >= COMPLETE) & (baseline < IMPAIRED)
    minor = (failing & (rate >= MINOR)) | (severe & (rate >= PARTIAL))
    return np.select([complete, failing & (rate >= PARTIAL), minor], [3, 2, 1], 0)


def filtration(chart: Chart, rows: pl.DataFrame) -> pl.DataFrame:
    """The filtration rate of every patient and day, from `lo` to `hi`: reported, else from creatinine, age and sex; sorted.

    On dialysis (`rows`: the courses of treatment) it is taken as below 15.
    """
    seen = measured(chart, ("egfr", "creatinine"))
    seen = seen.filter(pl.col("lo").is_not_null() & (pl.col("hi") > 0))
    seen = seen.join(scan(chart, "patients").select("patient", "born_on", "sex").collect(), on="patient", how="left", maintain_order="left")
    young, old = ages(seen["born_on"], (seen["on"] - EPOCH).dt.total_days().to_numpy() if seen.height else np.zeros(0, np.int64))
    female = seen["sex"].eq_missing("female").to_numpy()
    with np.errstate(all="ignore"):
        low = ckd_epi_2021(seen["hi"].to_numpy(), old.cast(pl.Float64).to_numpy(), female)
        high = ckd_epi_2021(np.maximum(seen["lo"].to_numpy(), 1.0), young.cast(pl.Float64).to_numpy(), female)
    guess = seen.with_columns(est_lo=pl.Series(low, nan_to_null=True), est_hi=pl.Series(high, nan_to_null=True))
    reported = pl.col("what") == "egfr"
    known = guess.with_columns(
        lo=pl.when(reported).then("lo").when(pl.col("sex").is_not_null()).then("est_lo"),
        hi=pl.when(reported).then("hi").when(pl.col("sex").is_not_null()).then("est_hi"),
        reported=reported,
    ).filter(pl.col("lo").is_not_null())
    known = known.sort("patient", "on", "reported").unique(["patient", "on"], keep="last", maintain_order=True)
    return _dialysed(known.select("patient", "on", "lo", "hi"), rows)


def _dialysed(known: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    dialysis = rows.filter(pl.col("group") == "dialysis").select("patient", "began", "stopped")
    if dialysis.is_empty():
        return known
    met = known.join(dialysis, on="patient").filter(
        (pl.col("began") <= pl.col("on")) & (pl.col("stopped").is_null() | (pl.col("stopped") >= pl.col("on")))
    )
    on_it = known.join(met.select("patient", "on", dialysed=True).unique(), on=["patient", "on"], how="left", maintain_order="left")
    under = pl.col("dialysed").fill_null(False)
    return on_it.with_columns(
        lo=pl.when(under).then(0.0).otherwise("lo"), hi=pl.when(under).then(pl.min_horizontal("hi", pl.lit(MINOR - 0.1))).otherwise("hi")
    ).drop("dialysed")


def renal_response(chart: Chart, rows: pl.DataFrame, at: date) -> pl.DataFrame:
    """The best renal response of everyone whose baseline is, or may be, below 50: the columns of the table of scores.

    `on`: the first day of the response that was kept, else the last day. `value`: the rate of that day in mL/min/1.73 m²;
    `change`: from baseline. `missing`: `two_months` where a better rate was not yet kept so long, `baseline_egfr`, `age_or_sex`.
    """
    started = given(rows, at).filter(pl.col("treated_on").is_not_null()).select("patient", "treated_on")
    seen = filtration(chart, rows).join(started, on="patient", maintain_order="left")
    before = seen.filter((pl.col("on") <= pl.col("treated_on")) & (pl.col("on") >= pl.col("treated_on") - timedelta(days=BEFORE)))
    base = before.unique("patient", keep="last", maintain_order=True).select("patient", base_lo="lo", base_hi="hi")
    after = seen.filter(pl.col("on") > pl.col("treated_on")).join(base, on="patient", how="left", maintain_order="left")
    impaired = after.filter(pl.col("base_lo") < IMPAIRED - TOLERANCE)
    pairs = {"worst": ("base_hi", "lo"), "best": ("base_lo", "hi")}
    impaired = impaired.with_columns(
        pl.Series(name, grades(*(impaired[column].to_numpy() for column in columns)), dtype=pl.Int64) for name, columns in pairs.items()
    )
    open_ = _without_baseline(after)
    return pl.concat([_summed(impaired), open_]) if impaired.height else open_


def _summed(visits: pl.DataFrame) -> pl.DataFrame:
    """One row a patient: the best category kept for two months, for the worst and the best reading of the data."""
    last = visits.unique("patient", keep="last", maintain_order=True)
    for name in ("worst", "best"):
        last = last.drop(name).join(_kept(visits, name), on="patient", how="left", maintain_order="left")
    last = last.with_columns(pl.col("worst", "best").fill_null(0))
    reached = visits.group_by("patient").agg(reached=pl.col("best").max())
    last = last.join(reached, on="patient", how="left", maintain_order="left")
    on_day = visits.select("patient", worst_on="on", value_lo="lo", value_hi="hi")
    last = last.with_columns(worst_on=pl.col("worst_on").fill_null(pl.col("on"))).join(
        on_day, on=["patient", "worst_on"], how="left", maintain_order="left"
    )
    settled = pl.col("worst") == pl.col("best")
    exact = (pl.col("value_lo") == pl.col("value_hi")) & (pl.col("base_lo") == pl.col("base_hi"))
    words = pl.col("worst").replace_strict(dict(enumerate(CATEGORIES)), return_dtype=pl.String)
    notes = [
        pl.when(~settled | (pl.col("base_hi") >= IMPAIRED - TOLERANCE)).then(pl.lit("age_or_sex")),
        pl.when(settled & (pl.col("reached") > pl.col("best"))).then(pl.lit("two_months")),
    ]
    return last.select(
        "patient", on="worst_on", instrument=pl.lit("renal_response"), scale=pl.lit("egfr"),
        value=pl.when(pl.col("value_lo") == pl.col("value_hi")).then("value_lo"), low="value_lo", high="value_hi",
        answered=pl.lit(None, pl.Int64), change=pl.when(exact).then(pl.col("value_lo") - pl.col("base_lo")),
        category=pl.when(settled & (pl.col("base_hi") < IMPAIRED - TOLERANCE)).then(words),
        missing=pl.concat_str(notes, separator="|", ignore_nulls=True).replace("", None),
    )  # fmt: skip


def _kept(visits: pl.DataFrame, name: str) -> pl.DataFrame:
    """The best category that was held for two months (`name`) and the day it began (`name_on`); 0 where there is none."""
    grades = pl.DataFrame({"grade": range(1, len(CATEGORIES))})
    held, own = pl.col(name) >= pl.col("grade"), ("patient", "grade")
    visits = visits.select("patient", "on", name).join(grades, how="cross", maintain_order="left").with_columns(held=held)
    began = pl.col("held") & ~pl.col("held").shift(1).over(own).fill_null(False)
    runs = visits.with_columns(run=began.cum_sum().over(own)).filter("held")
    spans = runs.group_by(*own, "run").agg(began=pl.col("on").min(), ended=pl.col("on").max())
    kept = pl.col("ended") - pl.col("began") >= timedelta(days=KEPT)
    best = pl.col("grade").filter(kept).max()
    return spans.group_by("patient").agg(
        best.fill_null(0).alias(name), pl.col("began").filter(kept & (pl.col("grade") == best)).min().alias(f"{name}_on")
    )


def _without_baseline(visits: pl.DataFrame) -> pl.DataFrame:
    """Who was measured after treatment began but not before, with a rate that is or was below 50."""
    rows = visits.filter(pl.col("base_lo").is_null()).filter((pl.col("lo") < IMPAIRED).any().over("patient"))
    return rows.unique("patient", keep="last", maintain_order=True).select(
        "patient", "on", instrument=pl.lit("renal_response"), scale=pl.lit("egfr"),
        value=pl.when(pl.col("lo") == pl.col("hi")).then("lo"), low="lo", high="hi", answered=pl.lit(None, pl.Int64),
        change=pl.lit(None, pl.Float64), category=pl.lit(None, pl.String), missing=pl.lit("baseline_egfr"),
    )  # fmt: skip
