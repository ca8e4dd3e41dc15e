"""Shared care: a patient who consents is open to a second centre, from a moment until a moment."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import sqlalchemy as sa

from ..errors import UsageError
from . import audit, clock
from .access import Access
from .bulk import frame_of
from .clinical import moves
from .database import Database, next_ids
from .models import centres, changes, persons, shares
from .scope import person_of, reached


def share(
    database: Database, access: Access, patient: str, with_centre: str, consent: str, until: datetime | str | None = None,
    centre: str | None = None,
) -> int:  # fmt: skip
    """Open an own patient to another centre from now on; returns the number of the share.

    `consent`: where the patient's consent is kept. `until`: when it ends (None: until it is revoked).
    """
    if not consent.strip():
        raise UsageError("a patient is shared by consent", expected="where the consent is kept")
    with database.transaction(access.centres, write=True) as connection:
        person = person_of(connection, access, "share", patient, centre)
        if connection.execute(sa.select(centres).where(centres.c.code == with_centre)).first() is None:
            raise UsageError(f"there is no centre {with_centre!r}", expected="a centre of the registry")
        number, end = next_ids(connection, "shares"), clock.instant(until) if until else None
        said = {"share": number, "with": with_centre, "until": end, "consent": consent}
        since = audit.append(connection, access, "share", [person.id], said)
        row = {"id": number, "person": person.id, "home": person.centre, "centre": with_centre, "since": since, "until": end}
        connection.execute(sa.insert(shares).values(**row, consent=consent))
    return number


def moved(database: Database, access: Access, patient: str, centre: str | None) -> pl.DataFrame:
    """How an own patient came to the present centre and key, the last first.

    Columns: `change`, `at`, `kind` (merge, transfer, rename), `who`, `why`, `from_centre`, `to_centre`, `consent`.
    """
    with database.transaction(access.centres, write=True) as connection:
        person = person_of(connection, access, "read", patient, centre)
        asked = sa.select(
            moves.c.change, moves.c.at, changes.c.kind, changes.c.who, changes.c.why, moves.c.from_centre, moves.c.to_centre,
            moves.c.consent, moves.c.to_change,
        ).join(changes, changes.c.id == moves.c.change)  # fmt: skip
        rows = frame_of(connection, asked.where(moves.c.to_person == person.id).order_by(moves.c.id.desc()))
        audit.append(connection, access, "read", [person.id], {"moves": rows.height})
    return rows.with_columns(stands=pl.col("to_change").is_null()).drop("to_change")


def revoke(database: Database, access: Access, number: int, why: str) -> None:
    """End a share now."""
    with database.transaction(access.centres, write=True) as connection:
        mine = shares.c.person.in_(reached(access, "share"))
        row = connection.execute(sa.select(shares).where(shares.c.id == number, mine)).one_or_none()
        now = clock.now()
        if row is None or (row.until is not None and row.until <= now):
            raise UsageError(f"there is no share {number} in force", expected="the number of one, as `shared` lists them")
        connection.execute(sa.update(shares).where(shares.c.id == number).values(until=now))
        audit.append(connection, access, "revoke", [row.person], {"share": number, "why": why})


def shared(database: Database, access: Access) -> pl.DataFrame:
    """The shares of own patients: with whom, from when until when, by which consent."""
    with database.transaction(access.centres, write=True) as connection:
        mine = shares.c.person.in_(reached(access, "share"))
        told = sa.select(shares.c.id, persons.c.patient, shares.c.home, shares.c.centre, shares.c.since, shares.c.until, shares.c.consent)
        frame = frame_of(connection, told.join(persons, persons.c.id == shares.c.person).where(mine).order_by(shares.c.id))
        seen = connection.execute(sa.select(shares.c.person).where(mine).distinct()).scalars()
        audit.append(connection, access, "read", seen, {"shares": frame.height})
    return frame
