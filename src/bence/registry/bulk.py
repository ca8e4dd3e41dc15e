"""Many rows at once, between a database and Polars: COPY on PostgreSQL, the driver's own loop on SQLite."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from .. import collector
from .models import TYPES

POLARS = {made: dtype for dtype, made in TYPES.items()} | {sa.BigInteger: pl.Int64, sa.JSON: pl.String}
A_BATCH = 50_000
NULL = "\\N"  # as COPY writes it; a cell with these two characters is quoted


def frame_of(connection: sa.Connection, query: sa.Select) -> pl.DataFrame:
    """The rows of a query, typed as its columns are."""
    schema = {column.name: POLARS[type(column.type)] for column in query.selected_columns}
    frames = _from_postgres if connection.dialect.name == "postgresql" else _from_sqlite
    texts = frames(connection, query, {name: pl.String if dtype in (pl.Boolean, pl.Date) else dtype for name, dtype in schema.items()})
    days = [pl.col(name).str.to_date("%Y-%m-%d") for name, dtype in schema.items() if dtype == pl.Date]
    flags = [
        pl.col(name).replace_strict(["1", "0", "t", "f"], [True, False, True, False], default=None, return_dtype=pl.Boolean)
        for name, dtype in schema.items()
        if dtype == pl.Boolean
    ]
    return texts.with_columns(*days, *flags)


def _from_postgres(connection: sa.Connection, query: sa.Select, schema: dict[str, Any]) -> pl.DataFrame:
    compiled = query.compile(dialect=postgresql.psycopg.dialect(), compile_kwargs={"render_postcompile": True})
    with _cursor(connection) as cursor:
        cursor.execute("set local datestyle = 'ISO'")
        statement = f"copy ({compiled}) to stdout (format csv, null '')"
        with cursor.copy(statement, compiled.params) as copy:
            data = b"".join(copy)
    return pl.read_csv(io.BytesIO(data), has_header=False, schema=schema) if data else pl.DataFrame(schema=schema)


def _from_sqlite(connection: sa.Connection, query: sa.Select, schema: dict[str, Any]) -> pl.DataFrame:
    compiled = query.compile(connection.engine, compile_kwargs={"render_postcompile": True})
    frames = [pl.DataFrame(schema=schema)]
    with _cursor(connection) as cursor, collector.held():
        cursor.execute(str(compiled), [compiled.params[name] for name in compiled.positiontup or ()])
        while rows := cursor.fetchmany(A_BATCH):
            columns = zip(schema.items(), zip(*rows, strict=True), strict=True)
            frames.append(pl.DataFrame([_series(name, values, dtype) for (name, dtype), values in columns]))
    return pl.concat(frames)


def _series(name: str, values: tuple[Any, ...], dtype: Any) -> pl.Series:
    if dtype == pl.String and isinstance(next((value for value in values if value is not None), ""), int):
        values = tuple(None if value is None else str(value) for value in values)  # yes and no are numbers in SQLite
    return pl.Series(name, values, dtype=dtype)


def insert(connection: sa.Connection, table: sa.Table, frame: pl.DataFrame) -> None:
    """Insert the rows of a frame whose columns are columns of the table."""
    if frame.is_empty():
        return
    frame = frame.select(name for name in frame.columns if frame[name].null_count() < frame.height)  # most columns of a chart are blank
    names = ", ".join(f'"{name}"' for name in frame.columns)
    if connection.dialect.name == "postgresql":
        _to_postgres(connection, table.name, names, frame)
        return
    marks = ", ".join("?" * frame.width)
    texts = frame.with_columns(pl.col(pl.Date).cast(pl.String), pl.col(pl.Boolean).cast(pl.Int64))
    with _cursor(connection) as cursor, collector.held():
        for part in texts.iter_slices(A_BATCH):
            cursor.executemany(f"insert into {table.name} ({names}) values ({marks})", part.rows())


def _to_postgres(connection: sa.Connection, table: str, names: str, frame: pl.DataFrame) -> None:
    """By way of a temporary table: COPY does not go into a table with row-level security."""
    with _cursor(connection) as cursor:
        cursor.execute(f"create temporary table incoming on commit drop as select {names} from {table} with no data")
        with cursor.copy(f"copy incoming ({names}) from stdin (format csv, null '{NULL}')") as copy:
            for part in frame.iter_slices(A_BATCH):
                copy.write(part.write_csv(include_header=False, quote_style="non_numeric", null_value=NULL).encode())
        cursor.execute(f"insert into {table} ({names}) select {names} from incoming")
        cursor.execute("drop table incoming")


def insert_of(connection: sa.Connection) -> Any:
    """The `insert` of this kind of database, which can say what holds where a row is there already."""
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert


def close(connection: sa.Connection, table: sa.Table, ids: pl.Series, change: int) -> int:
    """Close the current version of rows; returns how many were closed."""
    closed = 0
    for part in ids.to_frame("id").iter_slices(500):
        now = sa.update(table).where(table.c.to_change.is_(None), table.c.id.in_(part["id"].to_list()))
        closed += connection.execute(now.values(to_change=change)).rowcount
    return closed


@contextmanager
def _cursor(connection: sa.Connection) -> Iterator[Any]:
    """A cursor of the driver itself, in the transaction of the connection."""
    cursor = connection.connection.driver_connection.cursor()  # pyright: ignore[reportOptionalMemberAccess]
    try:
        yield cursor
    finally:
        cursor.close()
