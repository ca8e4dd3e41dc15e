"""MRD of the marrow in the current line: the newest claim, its age and phase, and what the tests mean together."""

from __future__ import annotations

import polars as pl

from .ground import Ground, months
from .situation import phase_on

APART = 80  # days between two positive tests that make MRD persistent
LEVELS = ("1e4", "1e5", "1e6")
RANK = {"positive": 0, "negative": 1, "indeterminate": 2}  # of several tests of one day


def mrd(ground: Ground) -> pl.DataFrame:
    """Claims at three levels, `mrd_months`, `mrd_timing`, sustained negativity, resurgence, persistence, conversion.

    Null without a valid test of the marrow in the current line, but for resurgence and persistence: these are what tests have shown, and
    without a test nothing was shown. Of several tests of a day a positive claim stands, then a negative.
    """
    days = _days(ground)
    newest = days.group_by("place", maintain_order=True).agg(
        pl.col("on", *(f"mrd_{level}" for level in LEVELS), "sustained_mrd_imwg", "sustained_mrd_trial", "mrd_resurgence").last(),
    )
    graft = ground.last_line.select("transplant_on").with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
    newest = newest.join(graft, on="place", how="left").join(_earlier(days), on="place", how="left")
    told = newest.with_columns(_persistent(), _converted(), mrd_months=months(pl.col("on"), ground.day))
    wide = ground.whole(told.drop("transplant_on", "still_positive", "ever_positive", "negative_on"))
    line = ground.last_line["line"]
    phase = phase_on(ground, wide["on"].fill_null(-1))
    return wide.with_columns(line=line, phase=phase).select(
        *(f"mrd_{level}" for level in LEVELS), "mrd_months",
        "sustained_mrd_imwg", "sustained_mrd_trial", "mrd_conversion", pl.col("mrd_resurgence", "mrd_persistent").fill_null(False),
        mrd_timing=pl.when(pl.col("on").is_null()).then(None).when(pl.col("line") > 1).then(pl.lit("later")).otherwise("phase"),
    )  # fmt: skip


def _days(ground: Ground) -> pl.DataFrame:
    """One row a patient and day of a test."""
    rank = {level: pl.col(f"claim_{level}").replace_strict(RANK, default=9, return_dtype=pl.Int64) for level in LEVELS}
    return ground.mrd.group_by("place", "on", maintain_order=True).agg(
        **{f"mrd_{level}": pl.col(f"claim_{level}").sort_by(rank[level]).first() for level in LEVELS},
        sustained_mrd_imwg=pl.col("sustained_imwg").min(), sustained_mrd_trial=pl.col("sustained_trial").min(),
        mrd_resurgence=pl.col("resurgence").max(),
    )  # fmt: skip


def _earlier(days: pl.DataFrame) -> pl.DataFrame:
    """Of the tests before the newest: was one positive, 80 days before it or more and with no negative since; was any positive."""
    last = days.group_by("place").agg(newest=pl.col("on").max())
    rows = days.join(last, on="place").filter(pl.col("on") < pl.col("newest"))
    rows = rows.with_columns(negative_on=pl.col("on").filter(pl.col("mrd_1e5") == "negative").max().over("place").fill_null(-1_000_000))
    positive = pl.col("mrd_1e5") == "positive"
    return rows.group_by("place").agg(
        still_positive=(positive & (pl.col("on") > pl.col("negative_on")) & (pl.col("newest") - pl.col("on") >= APART)).any(),
        ever_positive=positive.any(),
        negative_on=pl.col("negative_on").first(),
    )


def _persistent() -> pl.Expr:
    """Positive at 1e-5 now, and 80 days or more before or since a transplant, without a negative between."""
    after = (pl.col("on") > pl.col("transplant_on")) & ~(pl.col("negative_on") > pl.col("transplant_on")).fill_null(False)
    held = pl.col("still_positive").fill_null(False) | after.fill_null(False)
    claim = pl.col("mrd_1e5")
    return pl.when(claim == "positive").then(held).when(claim == "negative").then(False).alias("mrd_persistent")


def _converted() -> pl.Expr:
    """Negative at 1e-5 now and positive before in this line; null for a first negative test, of which nobody knows what was before."""
    claim, before = pl.col("mrd_1e5"), pl.col("ever_positive")
    return pl.when(claim == "positive").then(False).when(claim == "negative").then(before).alias("mrd_conversion")
