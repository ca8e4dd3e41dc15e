"""Early relapse on the first line: columns of `status`, from the lines with their endpoints.

Functional high risk: progression within 18 months of first treatment, deaths before progression left out (as PERSEUS defines it).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

MONTHS = {"early_relapse_12": 12, "early_relapse_18": 18, "pod24": 24}
AFTER_TRANSPLANT = 12
STATUS = (*MONTHS, "functional_high_risk")


def endpoint_status(lines: pl.DataFrame, ids: pl.Series, policies: Mapping[str, Any]) -> dict[str, pl.Series]:
    """`early_relapse_12`, `early_relapse_18`, `pod24`, `functional_high_risk` of the patients `ids`: yes, no, null.

    `lines`: the table with the columns of `endpoint_columns`. Null while follow-up is too short, where a progression is not yet
    confirmed, after death or another treatment without progression, and where the first line is not in the chart.
    """
    first = lines.filter(pl.col("line") == 1)
    told = first.select(
        pl.col("patient").cast(pl.String),
        **{name: _within(pl.col("started_on"), months) for name, months in MONTHS.items()},
        after_transplant=pl.when(pl.col("transplant_on").is_not_null()).then(_within(pl.col("transplant_on"), AFTER_TRANSPLANT)),
        transplanted=pl.col("transplant_on").is_not_null(),
    )
    risk = pl.col("early_relapse_18")
    if policies["functional_high_risk"] == "transplant":
        late = pl.col("after_transplant")
        risk = (
            pl.when((risk == "yes") | (late == "yes")).then(pl.lit("yes"))
            .when((risk == "no") & (~pl.col("transplanted") | (late == "no"))).then(pl.lit("no"))
        )  # fmt: skip
    told = told.with_columns(functional_high_risk=risk)
    whole = ids.cast(pl.String).rename("patient").to_frame().join(told, on="patient", how="left", maintain_order="left")
    return {name: whole[name].cast(pl.Enum(["no", "yes"])) for name in STATUS}


def _within(start: pl.Expr, months: int) -> pl.Expr:
    """Whether the line progressed within so many months of a day; an answer is given when it can no longer change."""
    until = start.dt.offset_by(f"{months}mo")
    progressed = pl.col("progression_on")
    seen = pl.col("last_assessed_on").is_not_null() & (pl.col("last_assessed_on") >= until)
    return (
        pl.when(progressed <= until).then(pl.when(progressed >= start).then(pl.lit("yes")))
        .when(progressed > until).then(pl.lit("no"))
        .when(seen & (pl.col("unconfirmed_on") > until).fill_null(True)).then(pl.lit("no"))
    )  # fmt: skip
