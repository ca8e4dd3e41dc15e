"""Take a whole import back: as new versions of what was there before, so that nothing is erased."""

from __future__ import annotations

import polars as pl
import sqlalchemy as sa

from ..chart import DATED, TABLES
from ..errors import UsageError
from .access import Access
from .bulk import frame_of
from .changing import Change, changing
from .database import Database
from .edits import conflict
from .errors import AccessError
from .models import VERSIONS, changes, columns_of
from .scope import reached


def undo(database: Database, access: Access, number: int, why: str) -> int:
    """Take the import `number` back; returns the number of the change that does it.

    AccessError unless all its rows are of the user's centres. ConflictError if a row of it was changed since, or rows were
    added to a patient who came with it.
    """
    access.require("undo")
    with changing(database, access, "undo", why) as change:
        change.undoes = _undoable(change, access, number)
        for table in TABLES:
            _untouched(change, table, number)
        _nothing_added(change, number)
        for table in reversed(TABLES):
            _take_back(change, table, number)
    return change.id


def _undoable(change: Change, access: Access, number: int) -> int:
    """The number of the import, if it is one, was not taken back already, and all of it is within reach."""
    done = change.connection.execute(sa.select(changes).where(changes.c.id == number)).one_or_none()
    if done is None or done.kind != "import":
        raise UsageError(f"change {number} is not an import", expected="the number of an import")
    again = change.connection.execute(sa.select(changes).where(changes.c.undoes == number)).one_or_none()
    if again is not None:
        raise UsageError(f"import {number} was taken back at {again.at} by {again.who}")
    begun = [
        sa.select(sa.func.count()).where(kept.c.from_change == number, kept.c.person.in_(reached(access, "undo"))).scalar_subquery()
        for kept in VERSIONS.values()
    ]
    if sum(change.connection.execute(sa.select(*begun)).one()) != done.rows:
        raise AccessError(f"import {number} has rows of centres in which {access.user} may not undo")
    return number


def _untouched(change: Change, table: str, number: int) -> None:
    kept = VERSIONS[table]
    later = sa.select(kept.c.id, kept.c.version).where(kept.c.from_change == number, kept.c.to_change.is_not(None))
    row = change.connection.execute(later.order_by(kept.c.id).limit(1)).one_or_none()
    if row is not None:
        raise conflict(change.connection, table, row.id, row.version)


def _nothing_added(change: Change, number: int) -> None:
    """Nobody added rows to a patient who would no longer be there."""
    people = VERSIONS["patients"]
    before = people.alias()
    stood = sa.exists().where(before.c.id == people.c.id, before.c.to_change == number)
    came = sa.select(people.c.person).where(people.c.from_change == number, ~stood)
    for table in DATED:
        kept = VERSIONS[table]
        added = sa.select(kept.c.id, kept.c.version).where(kept.c.from_change > number, kept.c.to_change.is_(None), kept.c.person.in_(came))
        row = change.connection.execute(added.order_by(kept.c.id).limit(1)).one_or_none()
        if row is not None:
            raise conflict(change.connection, table, row.id, row.version, "was added to a patient of the import")


def _take_back(change: Change, table: str, number: int) -> None:
    """End the versions that the import began; what it had ended begins again as a new version."""
    kept = VERSIONS[table]
    mine = sa.and_(kept.c.from_change == number, kept.c.to_change.is_(None))
    touched = frame_of(change.connection, sa.select(kept.c.person).where(mine).distinct())
    change.persons.update(touched["person"])
    change.connection.execute(sa.update(kept).where(mine).values(to_change=change.id))
    columns = [kept.c[name] for name in ("id", "version", "person", *columns_of(table))]
    former = frame_of(change.connection, sa.select(*columns).where(kept.c.to_change == number))
    if former.height:
        change.begin(table, former.with_columns(pl.col("version") + 2))
