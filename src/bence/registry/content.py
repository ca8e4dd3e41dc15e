"""What a change wrote, as hashes: so that rows altered behind the back of the registry are found, and the change is named.

For each table one SHA-256 over the versions that the change began (all their columns, in order of id and version) and ended (id
and version). A column goes in as its name, where it is blank, and its values: numbers, days and yes-no as 8 bytes little-endian,
texts as their lengths and UTF-8. That does not depend on the database, nor on how a library prints a number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl
import sqlalchemy as sa

from .bulk import frame_of
from .models import VERSIONS, changes, columns_of

KEYS = ("id", "version")
A_BATCH = 200_000  # versions read at once


def hashes(begun: Mapping[str, Sequence[pl.DataFrame]], ended: Mapping[str, Sequence[pl.DataFrame]]) -> dict[str, str]:
    """The hash of every table that a change touched."""
    found = {}
    for table in VERSIONS:
        ends = (("begun", begun, (*KEYS, "person", *columns_of(table))), ("ended", ended, KEYS))
        if any(frame.height for _, frames, _ in ends for frame in frames.get(table, ())):
            whole = hashlib.sha256()
            for end, frames, columns in ends:
                whole.update(f"\0{end}\0".encode())
                for part in _bytes(frames.get(table, ()), columns):
                    whole.update(part)
            found[table] = whole.hexdigest()
    return found


def stored(connection: sa.Connection) -> Iterator[tuple[int, dict[str, str]]]:
    """Every change with the hashes of what the database now holds of it, in order of their numbers."""
    sizes = connection.execute(sa.select(changes.c.id, changes.c.rows).order_by(changes.c.id)).all()
    for numbers in _batches(sizes):
        begun = {table: _by_change(connection, table, "from_change", numbers) for table in VERSIONS}
        ended = {table: _by_change(connection, table, "to_change", numbers) for table in VERSIONS}
        for number in numbers:
            yield number, hashes(_of(begun, number), _of(ended, number))


def strays(connection: sa.Connection) -> list[str]:
    """The tables with versions that no change began or ended."""
    known = sa.select(changes.c.id)
    return [
        table
        for table, kept in VERSIONS.items()
        if connection.execute(sa.select(kept.c.id).where(kept.c.from_change.not_in(known)).limit(1)).first()
        or connection.execute(sa.select(kept.c.id).where(kept.c.to_change.is_not(None), kept.c.to_change.not_in(known)).limit(1)).first()
    ]


def _batches(sizes: Sequence[sa.Row]) -> Iterator[list[int]]:
    numbers: list[int] = []
    total = 0
    for number, rows in sizes:
        numbers.append(number)
        total += rows
        if total >= A_BATCH:
            yield numbers
            numbers, total = [], 0
    if numbers:
        yield numbers


def _by_change(connection: sa.Connection, table: str, end: str, numbers: Sequence[int]) -> dict[int, pl.DataFrame]:
    """The versions that changes began or ended, by change."""
    kept = VERSIONS[table]
    chosen = sa.select(kept.c[end].label("change"), *(kept.c[name] for name in (*KEYS, "person", *columns_of(table))))
    rows = frame_of(connection, chosen.where(kept.c[end].between(numbers[0], numbers[-1])))
    return {number: rows for (number,), rows in rows.partition_by("change", as_dict=True).items()}


def _of(tables: Mapping[str, Mapping[int, pl.DataFrame]], number: int) -> dict[str, list[pl.DataFrame]]:
    return {table: [rows[number]] for table, rows in tables.items() if number in rows}


def _bytes(frames: Sequence[pl.DataFrame], columns: Sequence[str]) -> Iterator[bytes]:
    """Rows in one order, column by column; nothing if there are none."""
    given = [frame.select(name for name in columns if name in frame.columns) for frame in frames if frame.height]
    if not given:
        return
    rows = pl.concat([frame.with_columns(pl.col("id", "version").cast(pl.Int64)) for frame in given], how="diagonal_relaxed").sort(KEYS)
    blank = pl.repeat(None, rows.height, eager=True)
    for name in columns:
        yield name.encode() + b"\0"
        yield _column(rows[name] if name in rows.columns else blank)


def _column(values: pl.Series) -> bytes:
    """A column: where it is blank, then its values. An empty text and what is no number are blank: not every database keeps them."""
    if values.dtype == pl.String:
        values = values.replace("", None)
    if values.dtype == pl.Float64:
        values = values.fill_nan(None)
    if values.null_count() == values.len():
        return b"-"
    blanks = np.packbits(values.is_null().to_numpy()).tobytes()
    if values.dtype == pl.String:
        lengths = values.str.len_bytes().fill_null(0).cast(pl.Int64)
        return blanks + lengths.to_numpy().astype("<i8").tobytes() + values.str.join("").item().encode()
    if values.dtype == pl.Float64:
        return blanks + (values.fill_null(0.0).to_numpy() + 0.0).astype("<f8").tobytes()
    whole = values.cast(pl.Int32) if values.dtype == pl.Date else values
    return blanks + whole.cast(pl.Int64).fill_null(0).to_numpy().astype("<i8").tobytes()
