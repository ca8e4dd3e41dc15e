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
    own = rows.clone()
    place = own.drop_in_place("place").to_numpy()
    if own.is_empty():
        return own.clear(n)
    if place.size == n and bool((place == np.arange(n)).all()):
        return own
    return own.select(pl.all().gather(_found(place, own.height, n)))


def wide(rows: pl.DataFrame, n: int, by: str, names: Sequence[str], values: Sequence[str], join: str = "_") -> pl.DataFrame:
    """One row for each of `n` places: for every name, which stands in the column `by`, its values as `<name>_<value>`.

    Null where a place has no row of a name, of several the last. Rows of other names are not looked at; `join` stands between the words.
    """
    code = _codes(rows[by], names)
    own = np.flatnonzero(code >= 0)
    cell = code[own] * n + rows["place"].to_numpy()[own]
    told = pl.DataFrame([rows[value] for value in values])
    tall = told.select(pl.all().gather(_found(cell, own, n * len(names)))) if own.size else told.clear(n * len(names))
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
    signs = np.concatenate([np.where(said, np.int8(1), no[name].astype(np.int8) - 1) for name, said in yes.items()])
    tall = pl.DataFrame({"sign": signs}).select(pl.when(pl.col("sign") >= 0).then(pl.col("sign") == 1)).to_series()
    n = tall.len() // len(yes)
    return pl.DataFrame([tall.slice(i * n, n).alias(name) for i, name in enumerate(yes)])


def _codes(words: pl.Series, names: Sequence[str]) -> np.ndarray:
    """The place of each word among the names, -1 where it is none of them."""
    place = pl.all().cast(pl.String).cast(pl.Enum(names), strict=False).to_physical().cast(pl.Int64).fill_null(-1)
    return words.to_frame().select(place).to_series().to_numpy()


def _found(places: np.ndarray, rows: np.ndarray | int, n: int) -> pl.Series:
    """For each of `n` places its row, null where it has none. `rows`: of the places, or how many there are from 0 on."""
    where = np.full(n, np.nan)
    where[places] = np.arange(rows) if isinstance(rows, int) else rows
    return pl.Series(where, nan_to_null=True).cast(pl.UInt32)
