"""What an import would do, row by row: new, changed, same, or refused.

A row is the same if nothing but its source differs. It is a change of a stored row if both are the only ones left of their key,
which for an observation includes the day it was recorded on: a result that was corrected later stands beside the first one, as in
any chart. What becomes known later (the end of a treatment, a death) is filled in; a blank never erases it.
"""

from __future__ import annotations

import polars as pl

from ..chart import DATED, GOES_WITH, LATER
from .models import columns_of

KEY = {
    "observations": ("person", "on", "what", "method", "sample", "recorded_on"),
    "treatments": ("person", "started_on", "what"),
    "events": ("person", "on", "what"),
}
HERE = "here"  # the place of a row in what is imported


def compared(table: str, coming: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Every row that comes, with `outcome`, and `id`, `version` and (as `name_before`) the columns of the row it is or changes.

    `coming`: `person` and columns of the chart. `stored`: current versions of the same persons.
    """
    said = [name for name in columns_of(table) if name != "source"]
    once = coming.unique(["person", *said], keep="first", maintain_order=True).with_row_index(HERE)
    pairs = _pairs_of_people(once, stored) if table == "patients" else _pairs(table, once, stored, said)
    old = stored.select("id", "version", *(pl.col(name).alias(f"{name}_before") for name in columns_of(table)))
    both = once.join(pairs, on=HERE, how="left", maintain_order="left").join(old, on="id", how="left", maintain_order="left")
    both = both.with_columns(_kept(table, said))
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in said)
    outcome = pl.when(pl.col("id").is_null()).then(pl.lit("new")).when(differs).then(pl.lit("changed")).otherwise(pl.lit("same"))
    return both.with_columns(outcome=outcome).drop(HERE)


def differences(table: str) -> pl.Expr:
    """The columns in which a changed row differs, as text: `value: 98.0 → 102.0`."""
    parts = [
        pl.when((pl.col("outcome") == "changed") & pl.col(name).ne_missing(pl.col(f"{name}_before")))
        .then(pl.format("{}: {} → {}", pl.lit(name), _text(f"{name}_before"), _text(name)))
        .otherwise(None)
        for name in columns_of(table)
        if name != "source"
    ]
    return pl.concat_str(parts, separator="; ", ignore_nulls=True).replace("", None)


def _text(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).fill_null("blank")


def _kept(table: str, said: list[str]) -> list[pl.Expr]:
    """What a blank does not erase: of a patient nothing, of other rows what becomes known later."""
    later = said if table == "patients" else [*LATER.get(table, ()), *(name for name in GOES_WITH if name in said)]
    return [pl.coalesce(name, f"{name}_before").alias(name) for name in later]


def _pairs_of_people(coming: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    return coming.join(stored.select("person", "id"), on="person").select(HERE, "id")


def _pairs(table: str, coming: pl.DataFrame, stored: pl.DataFrame, said: list[str]) -> pl.DataFrame:
    """Which coming row is which stored one: first those without any difference, then those alone under their key."""
    if stored.is_empty():
        return pl.DataFrame(schema={HERE: coming.schema[HERE], "id": pl.Int64})
    equal = _same(table, coming, stored, said)
    left, right = coming.join(equal, on=HERE, how="anti"), stored.join(equal, on="id", how="anti")
    key = list(KEY[table])
    alone = left.filter(pl.len().over(key) == 1).join(right.filter(pl.len().over(key) == 1), on=key, nulls_equal=True)
    return pl.concat([equal, alone.select(HERE, "id")])


def _same(table: str, coming: pl.DataFrame, stored: pl.DataFrame, said: list[str]) -> pl.DataFrame:
    """Pairs of rows without a difference. The key is compared cell by cell, the rest by its hash and then cell by cell."""
    on = ["person", DATED[table], "what"]
    rest = [name for name in said if name not in on]
    whole = pl.struct(rest).hash().alias("whole")
    mine, theirs = coming.with_columns(whole), stored.with_columns(whole).unique([*on, *rest], keep="first", maintain_order=True)
    both = mine.join(theirs, on=[*on, "whole"], nulls_equal=True, suffix="_stored")
    return both.filter(pl.col(name).eq_missing(pl.col(f"{name}_stored")) for name in rest).select(HERE, "id")
