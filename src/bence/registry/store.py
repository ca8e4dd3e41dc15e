"""The store: every method takes an `Access`, and does what that user may do where that user may do it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from ..chart import Chart, Format
from . import audit, counting, edits, importing, kept_findings, people, reading, sharing, undoing
from .access import Access
from .audit import Verified
from .database import Database
from .deidentify import deidentify
from .exporting import export
from .importing import Imported
from .reading import Moment, Record
from .scope import reached


class Store:
    """The registry in a database: a file (SQLite), or `postgresql://…`.

    Make one with `Store.create`, open it with `Store(where)`. AccessError for whatever is beyond the rights of the access.
    """

    def __init__(self, where: str | Path) -> None:
        self._database = Database(where)

    @classmethod
    def create(cls, where: str | Path, centres: Mapping[str, people.Names], first: Access) -> Store:
        """Make the tables, or bring an older registry up to date; with centres (code → names) and the first user of a new one."""
        people.create(str(where), centres, first)
        return cls(where)

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    # reading

    def chart(self, access: Access, at_store_time: Moment = None, centres: Sequence[str] | None = None) -> Chart:
        """The chart of all patients within reach, as the store had it at a moment (None: now)."""
        return reading.read_chart(self._database, access, "read", at_store_time, centres)

    def deidentified(self, access: Access, key: bytes, at_store_time: Moment = None, centres: Sequence[str] | None = None) -> Chart:
        """The chart of own patients without what tells who they are; `key`: the secret key of the pseudonyms."""
        return deidentify(reading.read_chart(self._database, access, "deidentified", at_store_time, centres), key)[0]

    def patient(self, access: Access, patient: str, centre: str | None = None, at_store_time: Moment = None) -> Record:
        """One patient: the chart, and the rows with their id and version."""
        return reading.read_record(self._database, access, patient, centre, at_store_time)

    def history(self, access: Access, table: str, row: int) -> pl.DataFrame:
        """Every version of a row: from when until when it stood, who wrote it, and why."""
        with self._database.transaction(access.centres, write=True) as connection:
            return reading.history(connection, access, table, row)

    def findings_for(
        self,
        access: Access,
        patient: str,
        at: date | str | None = None,
        centre: str | None = None,
        profile: str = "imwg_2016",
        **policies: Any,
    ) -> dict[str, pl.DataFrame]:
        """The tables of findings of a patient, worked out once for each version of the chart."""
        return kept_findings.findings_for(self._database, access, patient, at, centre, profile, policies)

    def count(self, access: Access, by: Sequence[str] = (), smallest: int = counting.SMALLEST) -> pl.DataFrame:
        """Own patients counted by centre, sex or chain; small cells are masked for analysts."""
        return counting.count(self._database, access, by, smallest)

    # changing

    def add_patient(self, access: Access, patient: str, centre: str, values: edits.Values, why: str) -> int:
        """Enter a new patient of an own centre; returns the id of the row."""
        return edits.add_patient(self._database, access, patient, centre, values, why)

    def add(self, access: Access, table: str, patient: str, values: edits.Values, why: str, centre: str | None = None) -> int:
        """Enter a row for a patient; returns its id."""
        return edits.add_row(self._database, access, table, patient, values, why, centre)

    def edit(self, access: Access, table: str, row: int, version: int, values: edits.Values, why: str) -> int:
        """Change columns of a row that was read as `version`; returns the new version. ConflictError if it has another by now."""
        return edits.change_row(self._database, access, table, row, version, values, why)

    def remove(self, access: Access, table: str, row: int, version: int, why: str) -> None:
        """Take a row out of the chart; it stays in the history."""
        edits.remove_row(self._database, access, table, row, version, why)

    def import_chart(
        self, access: Access, chart: Chart | str | Path, why: str, centre: str | None = None, dry_run: bool = False
    ) -> Imported:
        """Bring in a chart, or what `bence.read` finds at a path, in one transaction; `dry_run`: only say what would happen."""
        return importing.import_chart(self._database, access, chart, why, centre, dry_run)

    def undo(self, access: Access, change: int, why: str) -> int:
        """Take a whole import back by new versions; returns the number of that change."""
        return undoing.undo(self._database, access, change, why)

    def export(
        self, access: Access, folder: str | Path, format: Format = "csv", key: bytes | None = None, at_store_time: Moment = None,
        centres: Sequence[str] | None = None,
    ) -> Path:  # fmt: skip
        """Write the chart of own patients into a folder, de-identified if a `key` is given; returns the manifest."""
        return export(self._database, access, folder, format, key, at_store_time, centres)

    # shared care

    def share(
        self, access: Access, patient: str, with_centre: str, consent: str, until: datetime | str | None = None, centre: str | None = None
    ) -> int:
        """Open an own patient to another centre by consent; returns the number of the share."""
        return sharing.share(self._database, access, patient, with_centre, consent, until, centre)

    def revoke(self, access: Access, share: int, why: str) -> None:
        """End a share now."""
        sharing.revoke(self._database, access, share, why)

    def shared(self, access: Access) -> pl.DataFrame:
        """The shares of own patients."""
        return sharing.shared(self._database, access)

    # people and audit

    def access(self, user: str) -> Access:
        """What a user of this registry may do."""
        return people.access_of(self._database, user)

    def add_centre(self, access: Access, code: str, names: people.Names) -> None:
        """Enter a centre with its name in English and Chinese."""
        people.add_centre(self._database, access, code, names)

    def set_user(self, access: Access, name: str, roles: Iterable[str], centres: Iterable[str], active: bool = True) -> None:
        """Enter a user, or change what the user may do."""
        people.set_user(self._database, access, name, roles, centres, active)

    def verify(self, access: Access, head: str | None = None) -> Verified:
        """Is the audit unbroken, and if not, where? `head`: a hash noted earlier that must be in it."""
        access.require("audit")
        with self._database.transaction(access.centres) as connection:
            return audit.verify(connection, head)

    def export_audit(self, access: Access, path: str | Path | None = None) -> pl.DataFrame:
        """The audit, one row an entry and patient, also as CSV; an administrator's has the entries about every centre."""
        within = reached(access, "audit")
        with self._database.transaction(access.centres, write=True) as connection:
            audit.append(connection, access, "audit", [], {"exported": path is not None})
            table = audit.export_audit(connection, within, "administrator" in access.roles)
        if path is not None:
            table.write_csv(path)
        return table
