"""De-identified patients one by one: who there is under which pseudonym, and the chart of one without that of all others."""

from __future__ import annotations

import polars as pl
import sqlalchemy as sa

from ..chart import TABLES, Chart
from . import audit
from .access import Access
from .bulk import frame_of
from .database import Database
from .deidentify import deidentify, pseudonyms
from .errors import AccessError
from .models import VERSIONS, persons
from .reading import as_chart, named, versions
from .scope import reached


def treated(database: Database, access: Access, key: bytes) -> pl.DataFrame:
    """The own patients who were treated: `patient` (pseudonym), `treatments` (rows), in order of the pseudonyms."""
    own = VERSIONS["treatments"].c
    with database.transaction(access.centres, write=True) as connection:
        people = _people(connection, access, key)
        counted = sa.select(own.person.label("id"), sa.type_coerce(sa.func.count(), sa.BigInteger).label("treatments"))
        rows = frame_of(connection, counted.where(own.to_change.is_(None)).group_by(own.person))
        audit.append(connection, access, "deidentified", people["id"], {"listed": people.height})
    return people.join(rows, on="id").select("pseudonym", "treatments").rename({"pseudonym": "patient"}).sort("patient")


def deidentified_one(database: Database, access: Access, key: bytes, pseudonym: str) -> Chart:
    """The chart of one own patient, de-identified as in the chart of all; AccessError if nobody has the pseudonym."""
    with database.transaction(access.centres, write=True) as connection:
        one = _people(connection, access, key).filter(pl.col("pseudonym") == pseudonym)
        if one.is_empty():
            raise AccessError("there is no such de-identified patient")
        audit.append(connection, access, "deidentified", one["id"], {"one": True})
    with database.transaction(access.centres) as connection:
        tables = {table: frame_of(connection, versions(table).where(VERSIONS[table].c.person == one["id"][0])) for table in TABLES}
    return deidentify(as_chart(tables, one), key)[0]


def _people(connection: sa.Connection, access: Access, key: bytes) -> pl.DataFrame:
    """Own patients who have rows: `id`, `centre`, `patient` as the chart of all names them, `pseudonym`."""
    own = VERSIONS["patients"].c
    there = persons.c.id.in_(sa.select(own.person).where(own.to_change.is_(None)))
    asked = sa.select(persons.c.id, persons.c.centre, persons.c.patient).where(persons.c.id.in_(reached(access, "deidentified")), there)
    people = named(frame_of(connection, asked))
    return people.join(pseudonyms(people, key).select("patient", "pseudonym"), on="patient", maintain_order="left")
