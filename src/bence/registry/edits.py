"""One row at a time: enter, correct, remove. A row changed by somebody else since it was read is not overwritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from ..catalogue import nearest
from ..chart import DATED, TABLES
from ..errors import ChartError, UsageError
from ..read.intake import LINE, Intake, as_text
from ..read.tables import SETTLE
from .access import Access
from .bulk import frame_of
from .changing import Change, changing
from .database import Database
from .errors import AccessError, ConflictError
from .models import VERSIONS, changes, columns_of, persons
from .reading import versions
from .scope import goes_on_as, person_of, reached

Values = Mapping[str, Any]


def add_patient(database: Database, access: Access, patient: str, centre: str, values: Values, why: str) -> int:
    """Enter a new patient of one of the user's own centres; returns the id of its row."""
    access.require("write")
    access.within([centre])
    known_columns("patients", values)
    with changing(database, access, "edit", why) as change:
        taken = sa.select(persons.c.id).where(persons.c.centre == centre, persons.c.patient == patient)
        person = change.connection.execute(taken).scalar_one_or_none()
        if person is not None and change.connection.execute(versions("patients").where(VERSIONS["patients"].c.id == person)).first():
            raise UsageError(f"patient {patient!r} is in centre {centre!r} already", expected="a new key, or a change of its row")
        if person is not None and goes_on_as(change.connection, person):
            raise UsageError(f"{patient!r} was the key of a patient who now has another", expected="a new key")
        if person is None:
            person = change.new_ids("persons", 1)[0]
            change.connection.execute(sa.insert(persons).values(id=person, centre=centre, patient=patient))
        begin_row(change, "patients", person, _next_version(change, "patients", person), person, patient, values)
    return person


def add_rows(
    database: Database, access: Access, table: str, patient: str, rows: Sequence[Values], why: str, centre: str | None = None
) -> list[int]:
    """Enter new rows for a patient, all or none; returns their ids. ChartError if a reader would not accept one of them."""
    for values in rows:
        known_columns(table, values)
    if table not in DATED:
        raise UsageError(f"no row is added to {table}", expected=", ".join(DATED))
    with changing(database, access, "edit", why) as change:
        person = person_of(change.connection, access, "write", patient, centre).id
        ids = change.new_ids(table, len(rows)).to_list()
        for row, values in zip(ids, rows, strict=True):
            source = {"source": f"registry:{table}/{row}"} | dict(values)
            begin_row(change, table, row, 1, person, patient, source)
    return ids


def change_row(database: Database, access: Access, table: str, row: int, version: int, values: Values, why: str) -> int:
    """Change columns of the row that was read as `version`; returns its new version. ConflictError if it has another by now."""
    known_columns(table, values)
    with changing(database, access, "edit", why) as change:
        before = _current(change, access, table, row, version)
        change.end(table, before)
        kept = {name: before[name][0] for name in columns_of(table)}
        patient = change.connection.execute(sa.select(persons.c.patient).where(persons.c.id == before["person"][0])).scalar_one()
        begin_row(change, table, row, version + 1, before["person"][0], patient, kept | dict(values))
    return version + 1


def try_row(database: Database, access: Access, table: str, patient: str, values: Values, centre: str | None = None) -> pl.DataFrame:
    """The row as it would stand in the chart if these values were entered; nothing is written. Errors as of `add_rows`."""
    known_columns(table, values)
    with database.transaction(access.centres) as connection:
        person = person_of(connection, access, "read", patient, centre).id
        told = {"patient": patient} | {name: values.get(name) for name in columns_of(table)}
        return settled(Change(connection, 0), table, person, told)


def remove_row(database: Database, access: Access, table: str, row: int, version: int, why: str) -> None:
    """End the row that was read as `version`: it is in the history, no longer in the chart. A patient goes without rows only."""
    known_columns(table, {})
    with changing(database, access, "edit", why) as change:
        before = _current(change, access, table, row, version)
        if table == "patients" and (left := _rows_of(change, before["person"][0])):
            raise UsageError(f"the patient still has rows in {', '.join(left)}", expected="these to be removed first")
        change.end(table, before)


def conflict(connection: sa.Connection, table: str, row: int, version: int, what: str = "") -> ConflictError:
    """What happened to a row since `version`: who changed which columns last, from what to what. `what`: said of it instead."""
    kept = VERSIONS[table]
    seen = frame_of(connection, sa.select(kept).where(kept.c.id == row, kept.c.version >= version).order_by(kept.c.version))
    last = seen.tail(1)
    number = last["to_change"][0] or last["from_change"][0]
    said = connection.execute(sa.select(changes).where(changes.c.id == number)).one()
    before = seen.row(0, named=True)
    theirs = {name: (before[name], last[name][0]) for name in columns_of(table) if before[name] != last[name][0]}
    verb = "was removed meanwhile" if last["to_change"][0] else "is no longer as it was read"
    return ConflictError(f"row {row} of {table} {what or verb}:", who=said.who, when=said.at, why=said.why, theirs=theirs)


def _current(change: Change, access: Access, table: str, row: int, version: int) -> pl.DataFrame:
    """The current version of a row if it is the one that was read."""
    kept = VERSIONS[table]
    mine = kept.c.person.in_(reached(access, "write"))
    known = frame_of(change.connection, sa.select(sa.func.max(kept.c.version).label("version")).where(kept.c.id == row, mine))
    if known["version"][0] is None or known["version"][0] < version:
        raise AccessError(f"there is no row {row} of {table} in version {version} that {access.user} may change")
    current = frame_of(change.connection, versions(table).where(kept.c.id == row, mine))
    if current.is_empty() or current["version"][0] != version:
        raise conflict(change.connection, table, row, version)
    return current


def begin_row(change: Change, table: str, row: int, version: int, person: int, patient: str, values: Values) -> None:
    """Begin a version of a row, as a reader settles it: known units and spellings become those of a chart."""
    new = settled(change, table, person, {"patient": patient} | {name: values.get(name) for name in columns_of(table)})
    keys = {"id": row, "version": version, "person": person}
    change.begin(table, new.select(*(pl.lit(value, pl.Int64).alias(name) for name, value in keys.items()), *columns_of(table)))
    change.detail |= {"table": table, "row": row, "version": version}


def settled(change: Change, table: str, person: int, values: Values) -> pl.DataFrame:
    """The one row that a reader makes of values; ChartError with the first fault it finds."""
    cells = [as_text(pl.Series(name, [value])) for name, value in values.items()]
    taken = Intake(table, table, pl.DataFrame([pl.Series(LINE, [1], pl.Int64), *cells]))
    kept = VERSIONS["patients"]
    whose = frame_of(change.connection, versions("patients").where(kept.c.person == person)).select(columns_of("patients"))
    if table != "patients" and whose.is_empty():
        raise UsageError("the patient is not in the registry now", expected="a patient with a row of its own")
    made = SETTLE[table](taken, whose.with_columns(patient=pl.lit(values["patient"])))
    if taken.rejected:
        fault = taken.rejected[0].row(0, named=True)
        where = f"{table}: {fault['column']}" + (f" = {fault['value']!r}" if fault["value"] else "")
        raise ChartError(fault["reason"].partition(";")[0], where=where, expected=fault["expected"] or "", nearest=fault["nearest"])
    if made.is_empty():
        raise ChartError("the row says nothing", where=table, expected="a value or a text")
    return made


def _next_version(change: Change, table: str, row: int) -> int:
    kept = VERSIONS[table]
    return change.connection.execute(sa.select(sa.func.coalesce(sa.func.max(kept.c.version), 0)).where(kept.c.id == row)).scalar_one() + 1


def _rows_of(change: Change, person: int) -> list[str]:
    """The dated tables in which a person still has rows."""
    return [
        table for table in DATED if change.connection.execute(versions(table).where(VERSIONS[table].c.person == person).limit(1)).first()
    ]


def known_columns(table: str, values: Values) -> None:
    """UsageError for a table or a column that a chart does not have."""
    if table not in VERSIONS:
        raise UsageError(f"there is no table {table!r}", expected=", ".join(TABLES), nearest=nearest(table, TABLES))
    for name in values:
        if name not in columns_of(table):
            raise UsageError(f"{table} has no column {name!r}", nearest=nearest(name, columns_of(table)))
