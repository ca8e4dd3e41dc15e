"""Who is in the registry, as far as a user reaches, and when each patient's rows last changed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import polars as pl
import sqlalchemy as sa

from . import audit
from .access import Access
from .bulk import frame_of
from .database import Database
from .errors import AccessError
from .models import VERSIONS, persons
from .scope import reached


@dataclass(frozen=True)
class Person:
    """A patient of the registry: the number of the person, the key at the home centre, and the last change of a row."""

    number: int
    patient: str
    centre: str
    change: int


def listed(database: Database, access: Access) -> pl.DataFrame:
    """The patients within reach: `person`, `patient`, `centre`, `change`."""
    there = sa.select(VERSIONS["patients"].c.person).where(VERSIONS["patients"].c.to_change.is_(None))
    mine = persons.c.id.in_(reached(access, "read")) & persons.c.id.in_(there)
    asked = sa.select(persons.c.id.label("person"), persons.c.patient, persons.c.centre).where(mine)
    with database.transaction(access.centres, write=True) as connection:
        people = frame_of(connection, asked)
        audit.append(connection, access, "read", people["person"], {"listed": people.height})
        changed = [
            frame_of(connection, _changes(table).where(VERSIONS[table].c.person.in_(reached(access, "read"))).group_by("person"))
            for table in VERSIONS
        ]
    last = pl.concat(changed).group_by("person").agg(pl.col("change").max())
    return people.join(last, on="person", how="left").sort("centre", "patient")


def person(database: Database, access: Access, number: int) -> Person:
    """A patient by number; AccessError if out of reach. Nothing clinical is read, so nothing is entered into the audit."""
    with database.transaction(access.centres) as connection:
        mine = sa.select(persons).where(persons.c.id == number, persons.c.id.in_(reached(access, "read")))
        found = connection.execute(mine).one_or_none()
        if found is None:
            raise AccessError(f"there is no such patient whom {access.user} may read")
        last = connection.execute(_last_of_one(), {"number": number}).scalar()
    return Person(found.id, found.patient, found.centre, last or 0)


@cache
def _last_of_one() -> sa.Select:
    """The last change of the person `number`: made once, as every page asks."""
    parts = [_changes(table).where(VERSIONS[table].c.person == sa.bindparam("number")).group_by("person") for table in VERSIONS]
    return sa.select(sa.func.max(sa.union_all(*parts).subquery().c.change))


def _changes(table: str) -> sa.Select:
    """The last change that began or ended a version, and whose."""
    kept = VERSIONS[table]
    newest = sa.func.max(sa.func.coalesce(kept.c.to_change, kept.c.from_change))
    return sa.select(kept.c.person, sa.type_coerce(newest, sa.BigInteger).label("change"))
