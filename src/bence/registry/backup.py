"""Backup and restore: the whole registry in one file, on either kind of database and from one to the other.

The file is a zip of one Parquet a table and a manifest with the version of the tables, the numbers of rows, a SHA-256 of each part,
and the head of the audit. A restore goes into an empty registry, whole or not at all, and proves the audit before it is done.
Sessions and attempts to sign in are left out, everybody signs in again; so are the findings that were kept, which are worked out again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from ..errors import ChartError, UsageError
from ..version import __version__
from . import audit, clock
from .access import Access
from .bulk import frame_of, insert
from .database import Database, make
from .models import METADATA, centres

LEFT_OUT = ("sessions", "attempts", "findings")
POINTED_TO = ("centres", "users", "persons")  # by keys of the database that the models do not name
MADE_NEW = ("counters", "secrets")
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Backup:
    """A backup that was written or read back: rows by table, and the head of its audit."""

    rows: dict[str, int]
    head: str


def back_up(database: Database, access: Access, path: str | Path) -> Backup:
    """Write everything as it stands now into a new file; other users go on working meanwhile. UsageError if the file is there."""
    access.require("manage")
    target = Path(path)
    if target.exists():
        raise UsageError(f"{target} is there already", expected="the name of a new file")
    with database.transaction(access.centres, write=True) as connection:
        audit.append(connection, access, "backup", [], {"of": "everything"})
    partly = target.with_name(f"{target.name}.partly")
    try:
        with database.snapshot() as connection, zipfile.ZipFile(partly, "w", zipfile.ZIP_STORED) as archive:
            head = audit.verify(connection).head
            parts = {table.name: _write(connection, archive, table) for table in _tables()}
            said = {"bence": __version__, "tables": database.revision(), "made_at": clock.now(), "head": head, "parts": parts}
            archive.writestr(MANIFEST, json.dumps(said, indent=2, sort_keys=True))
        partly.chmod(0o600)
        os.replace(partly, target)
    finally:
        partly.unlink(missing_ok=True)
    return Backup({name: part["rows"] for name, part in parts.items()}, head)


def restore(where: str | Path, path: str | Path) -> Backup:
    """Make a registry from a backup, in a database that has none yet.

    ChartError if the file is damaged, UsageError if there is a registry already, or the file is of another version of the tables.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            said = json.loads(archive.read(MANIFEST))
            frames = {table.name: _read(archive, table, said) for table in _tables()}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ChartError(f"{path} is no backup, or it is damaged ({error})", expected="a file of `bence registry backup`") from None
    make(where)
    database = Database(where)
    try:
        if said["tables"] != database.revision():
            raise UsageError(f"the backup has tables of version {said['tables']}, this program makes {database.revision()}")
        with database.filling(frames["centres"]["code"].to_list()) as connection:
            if connection.execute(sa.select(centres)).first() is not None:
                raise UsageError(f"there is a registry at {where}", expected="an empty database")
            for table in _tables():
                _put(connection, table, frames[table.name])
            found = audit.verify(connection, said["head"])
            if not found.whole:
                raise ChartError(f"the audit in {path} is broken at entry {found.broken_at}: {found.fault}")
    finally:
        database.close()
    return Backup({name: frame.height for name, frame in frames.items()}, said["head"])


def _tables() -> list[sa.Table]:
    """The tables in an order in which each finds the rows it points to."""
    kept = [table for table in METADATA.sorted_tables if table.name not in LEFT_OUT]
    return sorted(kept, key=lambda table: table.name not in POINTED_TO)


def _write(connection: sa.Connection, archive: zipfile.ZipFile, table: sa.Table) -> dict[str, Any]:
    """Put a table into the archive; returns its number of rows and its hash."""
    frame, data = frame_of(connection, sa.select(table)), io.BytesIO()
    frame.write_parquet(data)
    archive.writestr(f"{table.name}.parquet", data.getvalue())
    return {"rows": frame.height, "sha256": hashlib.sha256(data.getvalue()).hexdigest()}


def _read(archive: zipfile.ZipFile, table: sa.Table, said: dict[str, Any]) -> pl.DataFrame:
    """A table of the archive; ValueError if it is not what was written."""
    data = archive.read(f"{table.name}.parquet")
    if hashlib.sha256(data).hexdigest() != said["parts"][table.name]["sha256"]:
        raise ValueError(f"{table.name} is not what was written")
    return pl.read_parquet(io.BytesIO(data))


def _put(connection: sa.Connection, table: sa.Table, frame: pl.DataFrame) -> None:
    """Fill a table; what a new registry has in it by itself gives way."""
    if table.name in MADE_NEW:
        connection.execute(sa.delete(table))
    insert(connection, table, frame)
