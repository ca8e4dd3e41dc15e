"""For how long a response has lasted, in the current line, without progression."""

from __future__ import annotations

import polars as pl

from ...assess.intake import place_of
from .ground import Ground, months

LEVELS = {"cr_months": ("sCR", "CR"), "vgpr_months": ("sCR", "CR", "VGPR"), "pr_months": ("sCR", "CR", "VGPR", "PR")}


def durations(ground: Ground, response: pl.Series) -> pl.DataFrame:
    """Months in at least this confirmed response by the day; 0 where the response is less, null where it is not known.

    `response`: the response in which each patient is now.
    """
    grade = pl.col("confirmed").cast(pl.String)
    good = ground.findings.response.filter(grade.is_in(LEVELS["pr_months"])).select(
        grade, line=pl.col("line").cast(pl.Int64), on=pl.col("on").to_physical().cast(pl.Int64), place=place_of(ground.ids)
    )  # fmt: skip
    now = ground.last_line.select("line").with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
    first = good.join(now, on=["place", "line"], how="semi").group_by("place").agg(
        **{name: pl.col("on").filter(pl.col("confirmed").is_in(words)).min() for name, words in LEVELS.items()}
    )  # fmt: skip
    told = ground.whole(first).with_columns(response=response)
    known = pl.col("response").is_not_null() & (pl.col("response") != "NE")
    return told.select(
        **{
            name: pl.when(pl.col("response").is_in(words)).then(months(pl.col(name), ground.day)).when(known).then(0.0)
            for name, words in LEVELS.items()
        }
    )
