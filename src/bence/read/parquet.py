"""Parquet tables that are too large to be read cell by cell: what can stay on disk, and what cannot.

A file that Bence wrote says so in its metadata and is trusted. Any other file of observations is passed
through once: rows that are already as a chart holds them stay on disk, the others are read cell by cell.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ..catalogue import Code, codes_of
from ..chart import SCHEMA, TRUST
from ..errors import ChartError
from .immunofixation import Finding, parse
from .intake import LINE
from .patients import earliest
from .units import COUNTED

TABLE = "observations"
TEXTS = (pl.String, pl.Categorical, pl.Enum)
AFTER_DEATH = "30d"
KINDS = ("what", "unit", "text", "comparator", "status")  # what makes a kind of row


def trusted(path: Path) -> bool:
    """Was this file written by Bence? ChartError if it is not a Parquet file."""
    try:
        metadata = pl.read_parquet_metadata(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ChartError(f"cannot be read: {error}", where=path.name, expected="a Parquet file") from None
    return all(metadata.get(key) == value for key, value in TRUST.items())


def clean_rows(path: Path, people: pl.DataFrame) -> tuple[pl.LazyFrame, pl.LazyFrame] | None:
    """The rows of a file of observations that need no reading, and the others with their line; both lazy.

    None if the columns themselves need reading: other names, dates or numbers as text.
    """
    lazy = pl.scan_parquet(path, row_index_name=LINE, row_index_offset=1)
    present = lazy.collect_schema()
    if not all(name == LINE or _typed_right(name, dtype) for name, dtype in present.items()):
        return None
    if not {"patient", "on", "what"} <= set(present):
        return None
    rows = _checked_columns(lazy, set(present))
    kinds = [name for name in KINDS if name in present]
    lines = pl.Series(LINE, [], pl.UInt32) if _all_clean(rows, kinds, people) else _faulty_lines(rows, people)
    clean = lazy if lines.is_empty() else lazy.filter(~pl.col(LINE).is_in(lines.implode()))
    faulty = lazy.head(0) if lines.is_empty() else lazy.filter(pl.col(LINE).is_in(lines.implode()))
    source = pl.format("{}:{}", pl.lit(path.name), LINE)
    source = pl.coalesce("source", source) if "source" in present else source
    return clean.with_columns(source=source).drop(LINE), faulty


def _typed_right(name: str, dtype: pl.DataType) -> bool:
    wanted = SCHEMA[TABLE].get(name)
    if wanted == pl.String:
        return dtype in TEXTS
    if wanted == pl.Float64:
        return dtype.is_numeric()
    return wanted is not None and dtype == wanted


def _checked_columns(lazy: pl.LazyFrame, present: set[str]) -> pl.LazyFrame:
    """The columns that are looked at, absent ones as nulls."""
    names = [name for name in SCHEMA[TABLE] if name not in ("method", "sample", "source")]
    null = [pl.lit(None, SCHEMA[TABLE][name]).alias(name) for name in names if name not in present]
    given = [pl.col(name).cast(SCHEMA[TABLE][name]) for name in names if name in present]
    return lazy.select(LINE, *given, *null)


def _all_clean(rows: pl.LazyFrame, kinds: list[str], people: pl.DataFrame) -> bool:
    """Is there nothing to be found? One pass over the extremes of each kind of row, one over the dates."""
    value = pl.col("value")
    extremes = [
        value.min(),
        value.max(),
        pl.when(value.is_nan().any()).then(float("nan")).otherwise(value.min()),
    ]
    others = {"detection_limit": "min", "cells": "min"}
    groups = rows.group_by(kinds).agg(
        *(extreme.alias(f"extreme {i}") for i, extreme in enumerate(extremes)),
        unsaid=value.null_count(),
        early=(pl.col("recorded_on") < pl.col("on")).any(),
        **{name: pl.col(name).min() for name in others},
    )
    groups = groups.collect(engine="streaming")
    missing = groups.filter(pl.col("unsaid") > 0).with_columns(value=pl.lit(None, pl.Float64))
    found = [groups.with_columns(value=f"extreme {i}") for i in range(3)]
    absent = [pl.lit(None, pl.String).alias(name) for name in KINDS if name not in kinds]
    said = _with_limits(pl.concat([*found, missing]).lazy().with_columns(absent)).select(_says().all() & ~pl.col("early").any())
    if not said.collect().item():
        return False
    dates = rows.group_by("patient").agg(on=pl.col("on").min(), last=pl.col("on").max(), undated=pl.col("on").null_count())
    lived = dates.collect(engine="streaming").lazy().join(_life(people), on="patient", how="left")
    last = pl.col("last") <= pl.col("to_day")
    return bool(lived.select((_lives() & last & (pl.col("undated") == 0)).all()).collect().item())


def _faulty_lines(rows: pl.LazyFrame, people: pl.DataFrame) -> pl.Series:
    """The lines of the rows that are not as a chart holds them."""
    good = _says() & _lives() & (pl.col("recorded_on") >= pl.col("on")).fill_null(True)
    checked = _with_limits(rows.join(_life(people), on="patient", how="left"))
    return checked.filter(~good).select(LINE).collect(engine="streaming")[LINE]


def _life(people: pl.DataFrame) -> pl.LazyFrame:
    """The days on which something can be dated, of every patient."""
    return people.lazy().select(
        "patient",
        from_day=earliest(people["born_on"]).fill_null(pl.date(1900, 1, 1)),
        to_day=pl.col("died_on").dt.offset_by(AFTER_DEATH).fill_null(pl.date(2100, 12, 31)),
    )


def _with_limits(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Rows with the unit and range of their code, and with what their text may be."""
    texts = rows.select("what", "text").filter(pl.col("text").is_not_null()).unique()
    words = _known_words(texts.collect(engine="streaming")).lazy()
    return rows.join(_limits(), on="what", how="left").join(words, on=["what", "text"], how="left")


def _limits() -> pl.LazyFrame:
    """The plausible range and the unit of every code; a code that takes no number has no range."""
    inf = float("inf")
    rows = [
        (
            name,
            code.unit,
            code.low if code.low is not None else -inf if code.numeric else inf,
            code.high or inf,
        )
        for name, code in codes_of("observation").items()
    ]
    names = {"what": pl.String, "right_unit": pl.String, "low": pl.Float64, "high": pl.Float64}
    return pl.LazyFrame(rows, schema=names, orient="row")


def _known_words(words: pl.DataFrame) -> pl.DataFrame:
    """Which of the texts are as a chart holds them; `alone`: the text may stand without a value."""
    codes = codes_of("observation")
    kept = [(what, text, alone) for what, text in words.iter_rows() if what in codes and (alone := _alone(codes[what], text)) is not None]
    return pl.DataFrame(kept, schema={"what": pl.String, "text": pl.String, "alone": pl.Boolean}, orient="row")


def _alone(code: Code, text: str) -> bool | None:
    if code.kind == "text":
        return True
    if code.kind == "chains":
        found = parse(text)
        return True if isinstance(found, Finding) and found.text == text else None
    if text in code.words:
        low, high, *_ = code.intervals.get(text, (0, 1))
        return low != high
    return False if code.numeric and not code.words else None


def _says() -> pl.Expr:
    """Does the row say something, in the unit and the words of a chart?"""
    counted = pl.col("right_unit").is_in(COUNTED) & pl.col("unit").is_null()
    unit = (pl.col("unit") == pl.col("right_unit")) | counted
    value = pl.col("value").is_between("low", "high") & unit
    worded = pl.col("text").is_null() | pl.col("alone").is_not_null()
    says = pl.when(pl.col("value").is_null()).then("alone").otherwise(value & worded)
    others = [
        pl.col("comparator").is_in(["<", ">"]),
        pl.col("status").is_in(["final", "spurious", "entered_in_error"]),
        pl.col("detection_limit") >= 0,
        pl.col("cells") >= 0,
    ]
    return says.fill_null(False) & pl.all_horizontal(other.fill_null(True) for other in others)


def _lives() -> pl.Expr:
    """Is the patient known, and the day in his or her life?"""
    return pl.col("on").is_between("from_day", "to_day").fill_null(False)
