"""From files of clonotypes to MRD as rows of a chart: read, choose the clones at diagnosis, follow them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from .assess.mrd.clones import follow, index_clones, observations
from .catalogue import nearest
from .errors import ChartError, UsageError
from .read.clonotypes import clonotypes

SAMPLES = {"sample": pl.String(), "patient": pl.String(), "on": pl.Date(), "cells": pl.Float64(), "dna": pl.Float64()}
SPIKES = {"sequence": pl.String(), "copies": pl.Float64()}
OPTIONAL = ("cells", "dna")


def follow_files(
    tables: Sequence[Path], samples: Path, diagnosis: Sequence[str], spikes: Path | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What was found in every sample (`bence.assess.mrd.clones.follow`), and the same as observations of a chart.

    `tables`: AIRR rearrangement tables or Vidjil files. `samples`: a CSV of `sample`, `patient`, `on`, and `cells` or `dna` (ug).
    `diagnosis`: the samples in which the clones are chosen. `spikes`: a CSV of `sequence` and `copies` a sample.
    """
    listed = _table(samples, SAMPLES)
    for name in diagnosis:
        if name not in listed["sample"]:
            raise UsageError(f"there is no sample {name!r}", where=str(samples), nearest=nearest(name, listed["sample"]))
    found, known = clonotypes(tables), None if spikes is None else _table(spikes, SPIKES)
    first = pl.col("sample").is_in(list(diagnosis))
    index = index_clones(found, listed.filter(first), known)
    followed = follow(found, index, listed.filter(~first), known)
    return followed, observations(followed)


def _table(path: Path, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """A CSV with these columns; ChartError for one that is missing or a cell that is not of its kind."""
    try:
        table = pl.read_csv(path, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise ChartError(f"cannot be read: {error}", where=str(path), expected="a CSV table") from None
    for name in columns:
        if name not in table.columns and name not in OPTIONAL:
            raise ChartError(f"column {name} is missing", where=str(path), nearest=nearest(name, table.columns))
    given = {name: kind for name, kind in columns.items() if name in table.columns}
    typed = table.select(pl.col(name).cast(kind, strict=False) for name, kind in given.items())
    for name in given:
        wrong = table[name].is_not_null() & typed[name].is_null()
        if wrong.any():
            line = int(wrong.arg_true()[0])
            kind = "a date as YYYY-MM-DD" if name == "on" else "a number"
            raise ChartError(f"{table[name][line]!r} in column {name}", where=f"{path}:{line + 2}", expected=kind)
    return typed.with_columns(pl.lit(None, columns[name]).alias(name) for name in columns if name not in given)
