"""Reading: the chart as it was at any time in the store, and one row through all its versions.

A read is entered into the audit and committed before anything is read. It is pinned to the last change that was there, so
that what is read of the four tables belongs together whatever is written meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa

from ..chart import ORDER, SCHEMA, TABLES, Chart
from ..errors import UsageError
from . import audit, clock
from .access import Access
from .bulk import frame_of
from .clinical import moves
from .database import Database
from .models import VERSIONS, changes, columns_of, counters, persons
from .scope import lineage, person_of, reached

KEPT = ("id", "version", "from_change")
Moment = datetime | str | None


@dataclass(frozen=True)
class Record:
    """One patient: the chart, and its rows by table with `id`, `version` and who wrote them when and why."""

    patient: str
    centre: str
    chart: Chart
    rows: dict[str, pl.DataFrame]


def read_chart(database: Database, access: Access, action: str, at: Moment, centres: Sequence[str] | None) -> Chart:
    """The chart of everybody within reach as it stood in the store at a moment (None: now)."""
    who_of = reached(access, action, centres)
    asked = sa.select(persons.c.id, persons.c.centre, persons.c.patient).where(persons.c.id.in_(who_of))
    with database.transaction(access.centres, write=True) as connection:
        pin, said = _pinned(connection, at)
        people = frame_of(connection, asked)
        audit.append(connection, access, action, people["id"], said | {"centres": list(access.within(centres))})
    with database.transaction(access.centres) as connection:
        tables = {table: frame_of(connection, versions(table, pin).where(VERSIONS[table].c.person.in_(who_of))) for table in TABLES}
    there = people.filter(pl.col("id").is_in(tables["patients"]["person"].implode()))
    return as_chart(tables, named(there))


def read_record(database: Database, access: Access, patient: str, centre: str | None, at: Moment, action: str = "read") -> Record:
    """One patient as it stood in the store at a moment; AccessError if out of reach, UsageError if not there yet."""
    with database.transaction(access.centres, write=True) as connection:
        person = person_of(connection, access, action, patient, centre, past=at is not None)
        pin, said = _pinned(connection, at)
        audit.append(connection, access, action, [person.id], said)
    with database.transaction(access.centres) as connection:
        tables = {table: frame_of(connection, versions(table, pin).where(VERSIONS[table].c.person == person.id)) for table in TABLES}
        touched = sorted({change for frame in tables.values() for change in frame["from_change"]})
        said_of = frame_of(connection, _who_when_why().where(changes.c.id.in_(touched)))
    if tables["patients"].is_empty():
        raise UsageError(f"patient {patient!r} is not in the registry at that time", expected="a time at which it is")
    people = pl.DataFrame({"id": [person.id], "patient": [patient], "centre": [person.centre]})
    rows = {table: frame.join(said_of, on="from_change", how="left", maintain_order="left") for table, frame in tables.items()}
    return Record(patient, person.centre, as_chart(tables, people), rows)


def history(connection: sa.Connection, access: Access, table: str, row: int) -> pl.DataFrame:
    """Every version of a row: from when until when, who, why, and its columns; AccessError if out of reach."""
    kept = VERSIONS[table]
    found = sa.select(kept).where(kept.c.id == row, kept.c.person.in_(lineage(reached(access, "read")))).order_by(kept.c.version)
    frame = frame_of(connection, found)
    audit.append(connection, access, "read", frame["person"], {"history": table, "row": row})
    numbers = {*frame["from_change"], *frame["to_change"].drop_nulls()}
    said_of = frame_of(connection, _who_when_why().where(changes.c.id.in_(numbers)))
    ended = said_of.select(to_change="from_change", until_at="at", ended_by="who", ended_why="why")
    told = frame.join(said_of, on="from_change", how="left").join(ended, on="to_change", how="left").sort("version")
    first = ("version", "at", "who", "why", "until_at", "ended_by", "ended_why")
    return told.select(*first, *columns_of(table))


def versions(table: str, pin: int | None = None) -> sa.Select:
    """The rows of a table with their id and version as they stood after the change `pin` (None: as they stand)."""
    kept = VERSIONS[table]
    chosen = sa.select(*(kept.c[name] for name in (*KEPT, "person", *columns_of(table))))
    if pin is None:
        return chosen.where(kept.c.to_change.is_(None))
    return chosen.where(kept.c.from_change <= pin, sa.or_(kept.c.to_change.is_(None), kept.c.to_change > pin))


def as_chart(tables: dict[str, pl.DataFrame], people: pl.DataFrame) -> Chart:
    """Versions as a chart. `people`: `id`, `centre`, and the key under which each stands in the chart."""
    keys = people.select(person="id", patient="patient", centre="centre")
    rows = {table: frame.join(keys, on="person", how="inner").select(SCHEMA[table].keys()) for table, frame in tables.items()}
    return Chart(*(rows[table].sort(ORDER[table], nulls_last=True) for table in TABLES))


def named(people: pl.DataFrame) -> pl.DataFrame:
    """People with keys of their own: a key that two centres use is told with its centre."""
    both = pl.format("{}:{}", "centre", "patient")
    return people.with_columns(patient=pl.when(pl.col("patient").is_duplicated()).then(both).otherwise("patient"))


def with_patients(connection: sa.Connection, rows: pl.DataFrame, access: Access, action: str, patient: str | None = None) -> pl.DataFrame:
    """Rows of persons with the present `patient` and `centre` of each, as `read_chart` names them (`patient`: so); others are left out."""
    own = VERSIONS["patients"].c
    there = sa.select(own.person).where(own.to_change.is_(None))
    reach = frame_of(connection, sa.select(persons).where(persons.c.id.in_(reached(access, action)), persons.c.id.in_(there)))
    on = frame_of(connection, sa.select(moves.c.from_person.label("person"), moves.c.to_person).where(moves.c.to_change.is_(None)))
    present = rows.join(on, on="person", how="left", maintain_order="left").with_columns(person=pl.coalesce("to_person", "person"))
    told = present.join(named(reach).rename({"id": "person"}), on="person", maintain_order="left").drop("to_person")
    return told if patient is None else told.with_columns(patient=pl.lit(patient))


def of_patients(
    connection: sa.Connection,
    access: Access,
    action: str,
    asked: sa.Select,
    person: sa.ColumnElement[int],
    patient: str | None,
    centre: str | None,
) -> pl.DataFrame:
    """The rows `asked` for of the patients within reach, or of one, and of whom they were before; `person`: the column that says whose."""
    only = None if patient is None else person_of(connection, access, action, patient, centre).id
    who_of = reached(access, action) if only is None else sa.select(sa.literal(only))
    return with_patients(connection, frame_of(connection, asked.where(person.in_(lineage(who_of)))), access, action, patient)


def _who_when_why() -> sa.Select:
    return sa.select(changes.c.id.label("from_change"), changes.c.at, changes.c.who, changes.c.why)


def _pinned(connection: sa.Connection, at: Moment) -> tuple[int, dict[str, Any]]:
    """The last change at a moment, and what is said of it in the audit. Who is about to commit a change is waited for."""
    connection.execute(sa.select(counters.c.last).where(counters.c.name == "audit").with_for_update())
    last = sa.select(sa.func.coalesce(sa.func.max(changes.c.id), 0))
    if at is None:
        pin = connection.execute(last).scalar_one()
        return pin, {"as_of_change": pin}
    moment = clock.instant(at)
    pin = connection.execute(last.where(changes.c.at <= moment)).scalar_one()
    return pin, {"as_of_change": pin, "as_of": moment}
