"""What is licensed for whom, where and since when, as one table."""

from __future__ import annotations

from functools import cache

import polars as pl

from .records import records

WORDS = pl.List(pl.String)
COLUMNS = {
    "combination": WORDS, "region": pl.String, "on": pl.Date, "on_precision": pl.String, "ends": pl.Date, "kind": pl.String,
    "min_prior_lines": pl.Int64, "max_prior_lines": pl.Int64, "exposed": WORDS, "refractory": WORDS, "population": pl.String,
    "transplant": pl.String, "tag": pl.String, "source": pl.String,
}  # fmt: skip


@cache
def approvals() -> pl.DataFrame:
    """One row an approval: drug, combination (the drugs given with it; empty alone), region, on, ends, whom for, tag, source.

    Null is unknown: no `on` where the day is not known, no `min_prior_lines` where no number of lines is asked for or it was not read
    (`population` NDMM and SMM have none). `exposed` and `refractory`: drugs or classes, all of them required. A drug
    without a row for a region is not licensed there as far as was seen, unless `approvals_unknown` names it; nor is a combination without
    a row, unless `combinations_unknown` of a drug in it does.
    """
    rows = [
        {"drug": key} | {name: approval.get(name, [] if kind == WORDS else None) for name, kind in COLUMNS.items()}
        for key, drug in records("drugs").items()
        for approval in drug.get("approvals", ())
    ]
    rows = [row | {"on_precision": row["on_precision"] or ("day" if row["on"] else None)} for row in rows]
    return pl.DataFrame(rows, schema={"drug": pl.String, **COLUMNS}).sort("drug", "region", "on", nulls_last=True)


@cache
def approvals_unknown() -> pl.DataFrame:
    """The drugs and regions of which nobody has checked whether there is an approval: drug, region."""
    rows = [(key, region) for key, drug in records("drugs").items() for region in drug.get("approvals_unknown", ())]
    return pl.DataFrame(rows, schema={"drug": pl.String, "region": pl.String}, orient="row")
