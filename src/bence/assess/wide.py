"""Rows as one row a patient: the rows of a patient found by his place (0, 1, ...) and set beside each other.

A column is gathered once for all names at a time and cut in pieces, which are no copies: what a filter and a join for each of
sixty codes would cost dwarfs the rest of the work for one patient, and is no faster for many.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl


def whole(rows: pl.DataFrame, n: int) -> pl.DataFrame:
    """One row for each of `n` places: the columns of `rows` (of several with one `place` the last), null where a place has none."""
    return rows.select(pl.exclude("place").gather(_found(rows["place"].to_numpy(), rows.height, n)))


def wide(rows: pl.DataFrame, n: int, by: str, names: Sequence[str], values: Sequence[str], join: str = "_") -> pl.DataFrame:
    """One row for each of `n` places: for every name, which stands in the column `by`, its values as `<name>_<value>`.

    Null where a place has no row of a name, of several the last. Rows of other names are not looked at; `join` stands between the words.
    """
    code = _codes(rows[by], names)
    own = np.flatnonzero(code >= 0)
    cell = code[own] * n + rows["place"].to_numpy()[own]
    tall = rows.select(pl.col(values).gather(_found(cell, own, n * len(names))))
    return pl.DataFrame([
        tall[value].slice(i * n, n).alias(f"{name}{join}{value}") for i, name in enumerate(names) for value in values
    ])  # fmt: skip


def having(rows: pl.DataFrame, n: int, by: str, names: Sequence[str]) -> dict[str, np.ndarray]:
    """For every name whether each of `n` places has a row with it in the column `by`."""
    code, there = _codes(rows[by], names), np.zeros((len(names), n), bool)
    own = np.flatnonzero(code >= 0)
    there[code[own], rows["place"].to_numpy()[own]] = True
    return dict(zip(names, there, strict=True))


def flags(yes: dict[str, np.ndarray], no: dict[str, np.ndarray]) -> pl.DataFrame:
    """Columns of flags by name: true, false, or null where it is neither."""
    signs = pl.DataFrame({name: np.where(said, np.int8(1), no[name].astype(np.int8) - 1) for name, said in yes.items()})
    return signs.select(pl.when(pl.all() >= 0).then(pl.all() == 1).name.keep())


def _codes(words: pl.Series, names: Sequence[str]) -> np.ndarray:
    """The place of each word among the names, -1 where it is none of them."""
    places = words.cast(pl.String).cast(pl.Enum(names), strict=False).to_physical().cast(pl.Int64)
    return places.fill_null(-1).to_numpy() if places.null_count() else places.to_numpy()


def _found(places: np.ndarray, rows: np.ndarray | int, n: int) -> pl.Series:
    """For each of `n` places its row, null where it has none. `rows`: of the places, or how many there are from 0 on."""
    where = np.full(n, np.nan)
    where[places] = np.arange(rows) if isinstance(rows, int) else rows
    return pl.Series(where, nan_to_null=True).cast(pl.UInt32)
