"""MRD: what each sample can claim, and what the samples of a patient mean together.

`mrd_table` gives one row a test, `mrd_status` the last claim of every patient. A claim is not a number: it is a result, a
method, a threshold, the cells looked at and the limit of that very sample. Rules in words: docs/rules/mrd.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from ...chart import YES_NO, Chart, visible
from ..intake import place_of
from . import course, sample
from .axis import concordance, modalities
from .words import explain_mrd

CODES = ("mrd", *sample.ATTRIBUTES, sample.TRACKABLE, "pet", "pet_lesions")  # the observations that are looked at
S, D, F, B = pl.String(), pl.Date(), pl.Float64(), pl.Boolean()
CLAIM = pl.Enum(sample.CLAIMS)
SCHEMA: dict[str, pl.DataType] = {
    "patient": S, "on": D, "method": S, "sample": S, "level": F, "low": F, "high": F, "cells": F, "events": F, "detection_limit": F,
    "claim": S, "claim_1e4": CLAIM, "claim_1e5": CLAIM, "claim_1e6": CLAIM, "p_below_1e5": F, "p_below_1e6": F, "flags": S, "because": S,
    "missing": S, "category": pl.Enum(course.CATEGORIES), "sustained_imwg": B, "sustained_trial": B, "conversion": B, "resurgence": B,
    "doubling_days": F, "doubling_low": F, "doubling_high": F, "next_due": D, "source": S,
}  # fmt: skip


def mrd_table(
    chart: Chart, response: pl.DataFrame, policies: Mapping[str, Any], at: date | None, *, high_risk: pl.Series | None = None
) -> pl.DataFrame:
    """One row an MRD test, sorted by patient, day, method and sample.

    `level`, `low`, `high`, `detection_limit`: clonal cells per cell analysed, the interval exact at 95 %; `cells` looked at and
    clonal `events` among them; `doubling_days` with its interval in days. `claim`: the claim in a word, at the threshold of
    policy `mrd_threshold`. `response`: the table of that name for the same chart and day. `high_risk`: the patients whose next
    sample is due after six months. Claims of a spurious result are null.
    """
    known = visible(chart, at)
    ids = known.patients["patient"].sort()
    samples = sample.samples(known, ids)
    if samples.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    tests = sample.judged(samples, policies)
    response, pets = _of_tested(response, ids, tests), _of_tested(course.imaging(known), ids, tests)
    tests = course.categorised(tests, response, pets, policies)
    tests = course.with_course(tests, response, pets, policies)
    risk = pl.Series([], dtype=pl.String) if high_risk is None else high_risk
    people = known.patients.select("patient", "died_on", high_risk=pl.col("patient").is_in(risk.implode()))
    due = course.next_due(tests, response, _of_tested(people, ids, tests))
    told = tests.with_columns(due, claim=_in_a_word(policies), patient=ids.gather(tests["patient"]))
    return told.select(*SCHEMA)


def _of_tested(rows: pl.DataFrame, ids: pl.Series, tests: pl.DataFrame) -> pl.DataFrame:
    """The rows of patients who were tested, with the place in `ids` for the patient."""
    rows = rows.with_columns(place_of(ids))
    tested = np.zeros(len(ids), bool)
    tested[tests["patient"].to_numpy()] = True
    return rows.filter(pl.Series(tested).gather(rows["patient"]))


def _in_a_word(policies: Mapping[str, Any]) -> pl.Expr:
    """`positive`, `negative<1e-5` (the lowest threshold that is claimed), `indeterminate`; a finding below the threshold is negative."""
    threshold = str(policies["mrd_threshold"]).replace("-", "")
    claims = {name: pl.col(f"claim_{name}").cast(pl.String) for name in sample.THRESHOLDS}
    word = pl.when(claims[threshold].is_null()).then(None).when(claims[threshold] == "positive").then(pl.lit("positive"))
    for name in sorted(claims, reverse=True):
        word = word.when(claims[name] == "negative").then(pl.lit("negative<" + name.replace("1e", "1e-")))
    return word.when("found").then(pl.lit("positive")).otherwise(pl.lit("indeterminate"))


def mrd_status(mrd: pl.DataFrame, ids: pl.Series) -> dict[str, pl.Series]:
    """The last claim of each of `ids`: `mrd`, `mrd_on`, `mrd_method`, `sustained_mrd_imwg`, `sustained_mrd_trial`.

    Of several tests on the last day a positive one comes first, then the claim at the lowest threshold.
    """
    rank = pl.when(pl.col("claim") == "positive").then(0).when(pl.col("claim") == "indeterminate").then(9).otherwise(
        pl.col("claim").str.tail(1).cast(pl.Int64, strict=False) * -1 + 8
    )  # fmt: skip
    last = (
        mrd.filter(pl.col("claim").is_not_null())
        .sort("patient", "on", rank, "method", descending=[False, True, False, False], nulls_last=True)
        .unique("patient", keep="first", maintain_order=True)
    )
    columns = {
        "mrd": "claim", "mrd_on": "on", "mrd_method": "method",
        "sustained_mrd_imwg": "sustained_imwg", "sustained_mrd_trial": "sustained_trial",
    }  # fmt: skip
    told = ids.rename("patient").to_frame().join(
        last.select("patient", **columns), on="patient", how="left", maintain_order="left"
    )  # fmt: skip
    return told.select(list(columns)).with_columns(YES_NO).to_dict(as_series=True)


__all__ = ["CODES", "concordance", "explain_mrd", "modalities", "mrd_status", "mrd_table"]
