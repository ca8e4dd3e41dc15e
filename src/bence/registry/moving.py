"""One human, one person of the registry: merge two records, transfer a patient to another centre, give another key.

One mechanism: in one change all rows end under one person and begin under another, with the same ids and the next version. The
table `moves` says who goes on as whom; verdicts, decisions and histories are followed through it, shares in force are given
again. `moves` in force (`to_change` null) lead from every former person straight to the present one. A move runs with the eyes of
all centres: a former person may be at home anywhere. Whom it may move is asked of `scope`, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import sqlalchemy as sa

from ..chart import DATED
from ..errors import UsageError
from . import clock
from .access import Access
from .bulk import frame_of
from .changing import Change, changing
from .clinical import agenda, decisions, invitations, moves, verdicts
from .database import Database, next_ids
from .edits import conflict, known_columns, settled
from .errors import ConflictError
from .models import VERSIONS, changes, columns_of, persons, shares
from .reading import versions
from .scope import goes_on_as, person_of

Ends = tuple[int, str]  # a person and the home centre


def merge(
    database: Database, access: Access, keep: str, duplicate: str, why: str, resolve: Mapping[str, Any], centre: str | None,
    duplicate_centre: str | None,
) -> int:  # fmt: skip
    """Let the rows of `duplicate` go on under `keep`; returns the number of the change.

    Rows that say the same stand once. UsageError names every column of the patient in which the two records differ and that
    `resolve` does not settle.
    """
    known_columns("patients", resolve)
    with changing(database, access, "merge", why, database.codes()) as change:
        kept = person_of(change.connection, access, "merge", keep, centre)
        gone = person_of(change.connection, access, "merge", duplicate, duplicate_centre or centre)
        if kept.id == gone.id:
            raise UsageError(f"{keep!r} and {duplicate!r} are the same record", expected="two records of one patient")
        _patient_merged(change, keep, kept.id, gone.id, resolve)
        for table in DATED:
            _rows_merged(change, table, gone.id, kept.id)
        _note(change, (gone.id, gone.centre), (kept.id, kept.centre), None)
    return change.id


def transfer(
    database: Database, access: Access, patient: str, to_centre: str, why: str, consent: str, new_key: str | None, centre: str | None
) -> int:
    """Give a patient a new home centre; returns the number of the change. The old one keeps what it had until now.

    `consent`: where the patient's consent is kept. `new_key`: the key there, if it is another. UsageError if the key is taken.
    """
    access.require("transfer")
    if not consent.strip():
        raise UsageError("a patient is transferred by consent", expected="where the consent is kept")
    if to_centre not in database.codes():
        raise UsageError(f"there is no centre {to_centre!r}", expected="a centre of the registry")
    with changing(database, access, "transfer", why, database.codes()) as change:
        person = person_of(change.connection, access, "transfer", patient, centre)
        if person.centre == to_centre:
            raise UsageError(f"patient {patient!r} is at home in {to_centre!r} already", expected="another centre")
        _go_on(change, (person.id, person.centre), to_centre, (new_key or patient).strip(), consent)
    return change.id


def rename(database: Database, access: Access, patient: str, new_key: str, why: str, centre: str | None) -> int:
    """Give a patient another key in the same centre; returns the number of the change. UsageError if the key is taken."""
    with changing(database, access, "rename", why, database.codes()) as change:
        person = person_of(change.connection, access, "rename", patient, centre)
        if new_key.strip() == patient:
            raise UsageError(f"patient {patient!r} has this key already", expected="another key")
        _go_on(change, (person.id, person.centre), person.centre, new_key.strip(), None)
    return change.id


def _go_on(change: Change, ends: Ends, to_centre: str, key: str, consent: str | None) -> None:
    """Let a whole person go on under another key."""
    person, _ = ends
    own = VERSIONS["patients"]
    row = frame_of(change.connection, versions("patients").where(own.c.person == person))
    if row.is_empty():
        raise UsageError("the patient is not in the registry now", expected="a patient with rows")
    target = _target(change, person, to_centre, key)
    last = change.connection.execute(sa.select(sa.func.coalesce(sa.func.max(own.c.version), 0)).where(own.c.id == target)).scalar_one()
    said = settled(change, "patients", target, {"patient": key} | {name: row[name][0] for name in columns_of("patients")})
    change.end("patients", row)
    numbers = {"id": target, "version": last + 1, "person": target}
    columns = [pl.lit(value, pl.Int64).alias(name) for name, value in numbers.items()]
    change.begin("patients", said.select(*columns, *columns_of("patients")))
    for table in DATED:
        _rows_merged(change, table, person, target)
    _note(change, ends, (target, to_centre), consent)


def _target(change: Change, person: int, centre: str, key: str) -> int:
    """The person to go on as: a new one, or one that this patient was before. UsageError if the key is somebody else's."""
    found = sa.select(persons.c.id).where(persons.c.centre == centre, persons.c.patient == key)
    there = change.connection.execute(found).scalar_one_or_none()
    if there is None:
        number = int(change.new_ids("persons", 1)[0])
        change.connection.execute(sa.insert(persons).values(id=number, centre=centre, patient=key))
        return number
    here = change.connection.execute(versions("patients").where(VERSIONS["patients"].c.person == there)).first()
    move = goes_on_as(change.connection, there)
    before = sa.select(moves.c.id).where(moves.c.from_person == person, moves.c.to_person == there)  # a move that was taken back
    own = move.to_person == person if move else change.connection.execute(before).first() is not None
    if here or not own:
        raise UsageError(f"the key {key!r} is taken in centre {centre!r}", expected="a key that nobody has or had there")
    return there


def _patient_merged(change: Change, key: str, keep: int, gone: int, resolve: Mapping[str, Any]) -> None:
    """One row of the patient: what either record says; where both differ, what `resolve` says."""
    own = VERSIONS["patients"]
    mine, other = (frame_of(change.connection, versions("patients").where(own.c.person == person)) for person in (keep, gone))
    if mine.is_empty() or other.is_empty():
        raise UsageError("one of the two is not in the registry now", expected="two patients with rows")
    before, theirs = mine.row(0, named=True), other.row(0, named=True)
    both = {name: before[name] if before[name] is not None else theirs[name] for name in columns_of("patients")} | dict(resolve)
    differs = [f"{name}: {one} or {other}" for name, (one, other) in differing(before, theirs).items() if name not in resolve]
    if differs:
        raise UsageError(f"the two records differ in {'; '.join(differs)}", expected="what holds of each, as `resolve`")
    said = settled(change, "patients", keep, {"patient": key} | both)
    change.end("patients", other)
    if said.select(columns_of("patients")).row(0) != mine.select(columns_of("patients")).row(0):
        change.end("patients", mine)
        keys = mine.select("id", pl.col("version") + 1, "person")
        change.begin("patients", pl.concat([keys, said.select(columns_of("patients"))], how="horizontal"))


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The columns of the patient in which two records contradict each other, with what each says."""
    both = {name: (one[name], other[name]) for name in columns_of("patients") if name != "source"}
    return {name: pair for name, pair in both.items() if None not in pair and pair[0] != pair[1]}


def _rows_merged(change: Change, table: str, gone: int, keep: int) -> None:
    """End the rows of one person; what the other does not have word for word begins under the other."""
    own = VERSIONS[table]
    theirs, mine = (frame_of(change.connection, versions(table).where(own.c.person == person)) for person in (gone, keep))
    if theirs.is_empty():
        return
    said = [name for name in columns_of(table) if name != "source"]
    change.end(table, theirs)
    new = theirs.join(mine, on=said, how="anti", nulls_equal=True)
    if new.height:
        new = new.with_columns(pl.col("version") + 1, person=pl.lit(keep, pl.Int64))
        change.begin(table, new.select("id", "version", "person", *columns_of(table)))


def _note(change: Change, ends: Ends, to: Ends, consent: str | None) -> None:
    """Enter that one person, and who went on as that one, goes on as another; give the shares in force again."""
    connection, at = change.connection, clock.now()
    in_force = moves.c.to_change.is_(None)
    back = connection.execute(sa.select(moves).where(in_force, moves.c.from_person == to[0])).all()
    before = connection.execute(sa.select(moves).where(in_force, moves.c.to_person == ends[0])).all()
    connection.execute(sa.update(moves).where(moves.c.id.in_([row.id for row in (*back, *before)])).values(to_change=change.id))
    former = {ends, *((row.from_person, row.from_centre) for row in before)} - {to}
    for end in sorted(former):
        _enter(change, end, to, consent, at)
    _shares_again(change, ends[0], to, at)
    change.persons.update((ends[0], to[0]))
    change.detail |= {"from": ends[0], "to": to[0], "to_centre": to[1], "consent": consent}


def _enter(change: Change, ends: Ends, to: Ends, consent: str | None, at: str) -> None:
    row = {"id": next_ids(change.connection, "moves"), "change": change.id, "from_person": ends[0], "from_centre": ends[1]}
    row |= {"to_person": to[0], "to_centre": to[1], "consent": consent, "at": at}
    change.connection.execute(sa.insert(moves).values(**row))


def _shares_again(change: Change, person: int, to: Ends, at: str, since: str | None = None) -> None:
    """What the patient consented to goes on: with every centre but the new home. The former shares end, so that one revokes all."""
    open_until = sa.or_(shares.c.until.is_(None), shares.c.until > at)
    mine = sa.select(shares).where(shares.c.person == person, shares.c.since <= at, open_until, shares.c.centre != to[1])
    mine = mine.where(shares.c.since == since) if since else mine
    for row in change.connection.execute(mine.order_by(shares.c.id)).all():
        number = next_ids(change.connection, "shares")
        new = {"id": number, "person": to[0], "home": to[1], "centre": row.centre, "since": at, "until": row.until, "consent": row.consent}
        change.connection.execute(sa.insert(shares).values(**new))
        change.connection.execute(sa.update(shares).where(shares.c.id == row.id).values(until=at))


def homes_of(connection: sa.Connection, number: int) -> tuple[str, ...]:
    """The centres between which a change moved a patient, none for another change."""
    rows = connection.execute(sa.select(moves.c.from_centre, moves.c.to_centre).where(moves.c.change == number)).all()
    return tuple(sorted({code for row in rows for code in row}))


def untouched_since(change: Change, number: int) -> None:
    """ConflictError if anybody added to the person since the move: rows, a verdict, an item, a decision, an invitation, a share."""
    rows = change.connection.execute(sa.select(moves).where(moves.c.change == number)).all()
    to, at = rows[0].to_person, rows[0].at
    if any(row.to_change is not None for row in rows):
        last = max(row.to_change or 0 for row in rows)
        said = change.connection.execute(sa.select(changes).where(changes.c.id == last)).one()
        raise ConflictError("the patient was moved again:", who=said.who, when=said.at, why=said.why)
    for table in DATED:
        own = VERSIONS[table]
        added = sa.select(own.c.id, own.c.version).where(own.c.person == to, own.c.from_change > number).limit(1)
        if row := change.connection.execute(added).one_or_none():
            raise conflict(change.connection, table, row.id, row.version, "was added or changed since the move")
    for kept in (verdicts, agenda, decisions, invitations):
        made = sa.select(kept.c.who, kept.c.at).where(kept.c.person == to, kept.c.at > at).limit(1)
        if row := change.connection.execute(made).one_or_none():
            raise ConflictError(f"since the move there are {kept.name} of the patient:", who=row.who, when=row.at, why="after the move")
    given = sa.select(shares.c.since, shares.c.consent).where(shares.c.person == to, shares.c.since > at).limit(1)
    if row := change.connection.execute(given).one_or_none():
        raise ConflictError("the patient was shared since the move:", who="somebody", when=row.since, why=row.consent)


def take_back_move(change: Change, number: int) -> None:
    """End a move: who went on goes on as before, and has the shares again that are still in force."""
    connection, now = change.connection, clock.now()
    mine = connection.execute(sa.select(moves).where(moves.c.change == number)).all()
    before = connection.execute(sa.select(moves).where(moves.c.to_change == number)).all()
    connection.execute(sa.update(moves).where(moves.c.change == number).values(to_change=change.id))
    for row in before:
        _enter(change, (row.from_person, row.from_centre), (row.to_person, row.to_centre), row.consent, now)
    own = VERSIONS["patients"].c
    left = sa.select(own.person).where(own.to_change == number, own.person.in_([row.from_person for row in mine]))
    person = connection.execute(left).scalar_one()
    home = next(row.from_centre for row in mine if row.from_person == person)
    _shares_again(change, mine[0].to_person, (person, home), now, since=mine[0].at)
    change.persons.update(row.from_person for row in mine)
