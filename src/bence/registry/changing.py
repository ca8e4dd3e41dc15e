"""A change: one transaction, one entry of who, when and why, and the versions that it begins and ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import sqlalchemy as sa

from . import audit, content
from .access import Access
from .bulk import close, insert, insert_of
from .database import Database, next_ids
from .models import VERSIONS, changes, last_changes


@dataclass
class Change:
    """What is being changed: the transaction, the number of the change, whom it touched and how many versions it began."""

    connection: sa.Connection
    id: int
    persons: set[int] = field(default_factory=set)
    rows: dict[str, int] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)
    undoes: int | None = None
    begun: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    ended: dict[str, list[pl.DataFrame]] = field(default_factory=dict)

    def begin(self, table: str, frame: pl.DataFrame) -> None:
        """Begin versions: `id`, `version`, `person` and columns of the chart."""
        insert(self.connection, VERSIONS[table], frame.with_columns(from_change=pl.lit(self.id, pl.Int64)))
        self.persons.update(frame["person"].unique())
        self.rows[table] = self.rows.get(table, 0) + frame.height
        self.begun.setdefault(table, []).append(frame)

    def end(self, table: str, frame: pl.DataFrame) -> int:
        """End the current versions of rows, given by `id`, `version` and `person`; returns how many were current."""
        self.persons.update(frame["person"].unique())
        self.ended.setdefault(table, []).append(frame.select(content.KEYS))
        return close(self.connection, VERSIONS[table], frame["id"], self.id)

    def end_all(self, table: str, frame: pl.DataFrame, which: sa.ColumnElement[bool]) -> None:
        """End many current versions at once: those of the frame, which the condition names."""
        self.persons.update(frame["person"].unique())
        self.ended.setdefault(table, []).append(frame.select(content.KEYS))
        self.connection.execute(sa.update(VERSIONS[table]).where(which).values(to_change=self.id))

    def new_ids(self, table: str, n: int) -> pl.Series:
        """New ids for rows of a table."""
        first = next_ids(self.connection, table, n)
        return pl.int_range(first, first + n, dtype=pl.Int64, eager=True).alias("id")


@contextmanager
def changing(database: Database, access: Access, kind: str, why: str, beyond: Sequence[str] = ()) -> Iterator[Change]:
    """Make a change, enter it into the audit, and commit; an error leaves nothing behind.

    `beyond`: centres that are not the user's and into which, or out of which, the change goes.
    """
    with database.transaction(sorted({*access.centres, *beyond}), write=True) as connection:
        change = Change(connection, next_ids(connection, "changes"))
        yield change
        wrote = content.hashes(change.begun, change.ended)
        detail = {"change": change.id, "why": why, "rows": change.rows, "content": wrote, **change.detail}
        at = audit.append(connection, access, kind, change.persons, detail)
        row = {"id": change.id, "at": at, "who": access.user, "kind": kind, "why": why, "undoes": change.undoes}
        connection.execute(sa.insert(changes).values(**row, rows=sum(change.rows.values())))
        _touch(change)
    database.told(change.persons)


def _touch(change: Change) -> None:
    """Note the change as the last one of everybody whom it touched."""
    made = insert_of(change.connection)(last_changes)
    made = made.on_conflict_do_update(index_elements=["person"], set_={"change": made.excluded.change})
    if change.persons:
        change.connection.execute(made, [{"person": int(person), "change": change.id} for person in change.persons])
