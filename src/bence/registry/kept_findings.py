"""Findings of one patient, kept for each version of the chart: worked out again when a row of the patient changes, else as kept."""

from __future__ import annotations

import hashlib
import io
from datetime import date
from typing import Any

import polars as pl
import sqlalchemy as sa

from ..assess import assess
from ..assess.policies import settle
from ..output import tables_of
from ..version import __version__
from . import audit, clock
from .access import Access
from .bulk import insert_of
from .database import Database
from .models import findings
from .reading import Record, read_record
from .scope import person_of


def findings_for(
    database: Database, access: Access, patient: str, at: date | str | None, centre: str | None, profile: str, policies: dict[str, Any]
) -> dict[str, pl.DataFrame]:
    """The tables of findings of a patient, from the chart as it now stands in the store.

    `at`: what was known on this day (None: the last date of the patient). Findings of earlier versions are kept too.
    """
    day = at.isoformat() if isinstance(at, date) else at
    record = read_record(database, access, patient, centre, None, "findings")
    key = version_key(record, {"at": day, "profile": profile, "policies": settle(policies)})
    with database.transaction(access.centres) as connection:
        person = person_of(connection, access, "findings", patient, record.centre).id
        mine = sa.select(findings.c.name, findings.c.data).where(findings.c.person == person, findings.c.key == key)
        kept = {row.name: pl.read_ipc(io.BytesIO(row.data)) for row in connection.execute(mine)}
    if kept:
        return kept
    made = tables_of(assess(record.chart, day, profile, **policies))
    with database.transaction(access.centres, write=True) as connection:
        _keep(connection, person, key, made)
    return made


def version_key(record: Record, how: dict[str, Any]) -> str:
    """A hash over all rows of a patient, the version of Bence, and how the findings are made."""
    whole = hashlib.sha256(audit.canonical({"bence": __version__, **how}).encode())
    for table, frame in sorted(record.rows.items()):
        whole.update(f"\0{table}\0{record.patient}\0".encode())
        whole.update(frame.drop("at", "who", "why").sort("id").write_csv().encode())
    return whole.hexdigest()


def _keep(connection: sa.Connection, person: int, key: str, tables: dict[str, pl.DataFrame]) -> None:
    """Keep tables, unless somebody has just kept the same."""
    made = insert_of(connection)(findings)
    for name, table in tables.items():
        data = io.BytesIO()
        table.write_ipc(data, compression="zstd")
        row = {"person": person, "key": key, "name": name, "made_at": clock.now(), "data": data.getvalue()}
        connection.execute(made.values(**row).on_conflict_do_nothing())
