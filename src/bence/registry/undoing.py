"""Take a change back: as new versions of what was there before, so that nothing is erased, and never over the work of another."""

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
from .moving import homes_of, take_back_move, untouched_since
from .scope import reached

RIGHT = {"import": "undo", "edit": "write", "merge": "merge", "transfer": "transfer", "rename": "rename"}  # what may be undone, by whom
MOVES = ("merge", "transfer", "rename")


def undo(database: Database, access: Access, number: int, why: str) -> int:
    """Take the change `number` back; returns the number of the change that does it.

    An import by who may undo imports, a single edit, addition or removal by who may write there, a move by who may move, in
    the one centre or the other. ConflictError if a row of it was changed since, or anything was added to a patient who came with it.
    """
    kind = _undoable(database, access, number)
    with changing(database, access, "undo", why, database.codes() if kind in MOVES else ()) as change:
        change.undoes = number
        if kind not in MOVES:
            _within_reach(change, access, number, RIGHT[kind])
        for table in TABLES:
            _untouched(change, table, number)
        _nothing_added(change, number)
        if kind in MOVES:
            untouched_since(change, number)
        for table in reversed(TABLES):
            _take_back(change, table, number)
        if kind in MOVES:
            take_back_move(change, number)
        _nobody_is_left_without_row(change)
    return change.id


def _undoable(database: Database, access: Access, number: int) -> str:
    """The kind of a change that can be taken back by this user; UsageError if it is none, or taken back already."""
    with database.transaction(access.centres) as connection:
        done = connection.execute(sa.select(changes).where(changes.c.id == number)).one_or_none()
        again = connection.execute(sa.select(changes).where(changes.c.undoes == number)).one_or_none()
        homes = homes_of(connection, number)
    if done is None or done.kind not in RIGHT:
        access.require("write")
        raise UsageError(f"change {number} cannot be taken back", expected="the number of an import, an edit or a move")
    access.require(RIGHT[done.kind])
    if again is not None:
        raise UsageError(f"{done.kind} {number} was taken back at {again.at} by {again.who}")
    if done.kind in MOVES and not {*homes} & {*access.centres}:
        raise _beyond(access, done.kind, number)
    return done.kind


def _beyond(access: Access, kind: str, number: int) -> AccessError:
    return AccessError(f"{kind} {number} has rows of centres in which {access.user} may not {RIGHT[kind]}")


def _within_reach(change: Change, access: Access, number: int, right: str) -> None:
    """AccessError unless all rows that the change began, and those that it ended, are within reach."""
    done = change.connection.execute(sa.select(changes).where(changes.c.id == number)).one()
    mine = reached(access, right)
    begun, ended = (_counted(change, end, number, mine) for end in ("from_change", "to_change"))
    if begun != done.rows or not begun + ended:
        raise _beyond(access, done.kind, number)


def _counted(change: Change, end: str, number: int, whose: sa.Select) -> int:
    """How many versions of these persons a change began (`from_change`) or ended (`to_change`)."""
    counts = [
        sa.select(sa.func.count()).where(kept.c[end] == number, kept.c.person.in_(whose)).scalar_subquery() for kept in VERSIONS.values()
    ]
    return sum(change.connection.execute(sa.select(*counts)).one())


def _untouched(change: Change, table: str, number: int) -> None:
    """Nobody changed a row since, or brought one back that was removed."""
    kept = VERSIONS[table]
    later, before = kept.alias(), kept.alias()
    ended = sa.select(kept.c.id, kept.c.version).where(kept.c.from_change == number, kept.c.to_change.is_not(None))
    begun = sa.exists().where(before.c.id == later.c.id, before.c.from_change == number)
    again = sa.select(kept.c.id, kept.c.version).join(later, sa.and_(later.c.id == kept.c.id, later.c.to_change.is_(None)))
    for asked in (ended, again.where(kept.c.to_change == number, ~begun)):
        row = change.connection.execute(asked.order_by(kept.c.id).limit(1)).one_or_none()
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
            raise conflict(change.connection, table, row.id, row.version, "was added to a patient of this change")


def _take_back(change: Change, table: str, number: int) -> None:
    """End the versions that the change began; what it had ended begins again as a new version."""
    kept = VERSIONS[table]
    mine = sa.and_(kept.c.from_change == number, kept.c.to_change.is_(None))
    begun = frame_of(change.connection, sa.select(kept.c.id, kept.c.version, kept.c.person).where(mine))
    change.end_all(table, begun, mine)
    columns = [kept.c[name] for name in ("id", "version", "person", *columns_of(table))]
    former = frame_of(change.connection, sa.select(*columns).where(kept.c.to_change == number))
    if former.height:
        passed = pl.col("id").is_in(begun["id"].implode()).cast(pl.Int32)  # the version between, if there was one
        change.begin(table, former.with_columns(pl.col("version") + 1 + passed))


def _nobody_is_left_without_row(change: Change) -> None:
    """Rows that stand again belong to a patient who is still there."""
    people = VERSIONS["patients"]
    for table in DATED:
        kept = VERSIONS[table]
        there = sa.exists().where(people.c.person == kept.c.person, people.c.to_change.is_(None))
        lost = sa.select(kept.c.id).where(kept.c.from_change == change.id, ~there).limit(1)
        if change.connection.execute(lost).first() is not None:
            raise UsageError("the patient of these rows is no longer in the registry", expected="the patient to be entered first")
