"""Who is in the registry, as far as a user reaches, and when each patient's rows last changed."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from . import audit
from .access import Access
from .bulk import frame_of
from .database import Database
from .errors import AccessError
from .models import VERSIONS, last_changes, persons
from .scope import is_reached, reached


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
    asked = sa.select(persons.c.id.label("person"), persons.c.patient, persons.c.centre, last_changes.c.change)
    asked = asked.join(last_changes, last_changes.c.person == persons.c.id, isouter=True).where(mine)
    with database.transaction(access.centres, write=True) as connection:
        people = frame_of(connection, asked)
        audit.append(connection, access, "read", people["person"], {"listed": people.height})
    return people.sort("centre", "patient")


def person(database: Database, access: Access, number: int) -> Person:
    """A patient by number; AccessError if out of reach. Nothing clinical is read, so nothing is entered into the audit."""
    with database.transaction(access.centres) as connection:
        both = sa.select(persons, last_changes.c.change).join(last_changes, last_changes.c.person == persons.c.id, isouter=True)
        mine = both.where(persons.c.id == number, is_reached(access, "read"))
        found = connection.execute(mine).one_or_none()
        if found is None:
            raise AccessError(f"there is no such patient whom {access.user} may read")
    return Person(found.id, found.patient, found.centre, found.change or 0)
