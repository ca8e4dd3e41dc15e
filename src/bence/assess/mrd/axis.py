"""Sequencing, flow, PET and mass spectrometry beside each other in time: one axis, never one field.

A share of marrow cells, an avid area and a serum concentration are different things; each row keeps its own unit and limit.
"""

from __future__ import annotations

import polars as pl

from ...chart import Chart
from .course import imaging

MODALITIES = ("ngs", "flow", "pet", "mass_spectrometry")
AGREEMENT = ("both_negative", "both_positive", "only_first_positive", "only_second_positive")


def modalities(chart: Chart, mrd: pl.DataFrame, threshold: str = "1e-5") -> pl.DataFrame:
    """One row a test of any modality: `patient`, `on`, `modality`, `result`, `value`, `limit`, `unit`.

    `mrd`: the table of `mrd_table` for the same chart. The result of sequencing and flow is the claim at `threshold`.
    """
    claim = pl.col(f"claim_{threshold.replace('-', '')}").cast(pl.String)
    kind = pl.when(pl.col("method") == "ngs").then(pl.lit("ngs")).when(pl.col("method").is_in(["ngf", "flow"])).then(pl.lit("flow"))
    marrow = mrd.select("patient", "on", modality=kind, result=claim, value="level", limit="detection_limit",
                        unit=pl.lit("cells/cell"))  # fmt: skip
    known = marrow.filter(pl.col("modality").is_not_null() & pl.col("result").is_not_null())
    both = pl.concat([known, _pet(chart), _mass_spectrometry(chart)])
    return both.with_columns(pl.col("modality").cast(pl.Enum(MODALITIES))).sort("patient", "on", "modality", "value", "limit")


def _pet(chart: Chart) -> pl.DataFrame:
    result = pl.when("pet").then(pl.lit("positive")).otherwise(pl.lit("negative"))
    nothing = pl.lit(None, pl.Float64)
    return imaging(chart).select("patient", "on", modality=pl.lit("pet"), result=result, value=nothing, limit=nothing,
                                 unit=pl.lit("avid areas"))  # fmt: skip


def _mass_spectrometry(chart: Chart) -> pl.DataFrame:
    none = (pl.col("value") == 0) | pl.col("comparator").str.starts_with("<") | (pl.col("text") == "negative")
    result = (
        pl.when(none.fill_null(False)).then(pl.lit("negative"))
        .when((pl.col("value") > 0) | (pl.col("text") == "positive")).then(pl.lit("positive"))
    )  # fmt: skip
    limit = pl.coalesce("detection_limit", pl.when(pl.col("comparator").str.starts_with("<")).then("value"))
    rows = chart.scan("observations").filter(
        (pl.col("what") == "ms_m_protein") & pl.col("on").is_not_null() & (pl.col("status") == "final")
    )
    value = pl.when(pl.col("comparator").str.starts_with("<").fill_null(False).not_()).then("value")
    found = rows.select("patient", "on", modality=pl.lit("mass_spectrometry"), result=result, value=value, limit=limit,
                        unit=pl.lit("g/L"))  # fmt: skip
    return found.drop_nulls("result").collect()


def concordance(table: pl.DataFrame, within: int = 42) -> pl.DataFrame:
    """How often two modalities agree: each test of the one with the nearest of the other, at most `within` days apart.

    `table`: from `modalities`. Columns `first`, `second`, `pairs` and the four counts of `AGREEMENT`; indeterminate results
    are left out.
    """
    certain = table.filter(pl.col("result").is_in(["negative", "positive"])).with_columns(positive=pl.col("result") == "positive")
    daily = certain.group_by("patient", "on", "modality").agg(pl.col("positive").max()).sort("on")
    rows = []
    for place, first in enumerate(MODALITIES):
        for second in MODALITIES[place + 1 :]:
            one, other = (daily.filter(pl.col("modality") == name).drop("modality") for name in (first, second))
            pairs = one.join_asof(other, on="on", by="patient", strategy="nearest", tolerance=f"{within}d", suffix="_other",
                                  check_sortedness=False).drop_nulls("positive_other")  # fmt: skip
            a, b = pairs["positive"], pairs["positive_other"]
            counts = ((~a & ~b).sum(), (a & b).sum(), (a & ~b).sum(), (~a & b).sum())
            rows.append((first, second, pairs.height, *counts))
    return pl.DataFrame(rows, schema=["first", "second", "pairs", *AGREEMENT], orient="row")
