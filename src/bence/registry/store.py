"""The store: every method takes an `Access`, and does what that user may do where that user may do it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from ..chart import Chart, Format
from . import (
    accounts,
    audit,
    backup,
    counting,
    edits,
    importing,
    kept,
    kept_findings,
    listing,
    people,
    pseudonyms,
    reading,
    sessions,
    sharing,
    undoing,
)
from .access import Access
from .audit import Verified
from .backup import Backup
from .clinical_store import ClinicalStore
from .cohort import Cohort, gathered
from .database import Database
from .deidentify import deidentify
from .duplicates import Known
from .exporting import export
from .importing import Imported
from .reading import Moment, Record
from .refusals import refusals_entered
from .scope import reached
from .sessions import Session
from .worklist import Make, Work, WorkList


@refusals_entered
class Store(ClinicalStore):
    """The registry in a database: a file (SQLite), or `postgresql://…`.

    Make one with `Store.create`, open it with `Store(where)`. AccessError for whatever is beyond the rights of the access.
    """

    def __init__(self, where: str | Path, questionnaires: str | Path | None = None) -> None:
        """`questionnaires`: a folder with the centre's own, beside those that Bence ships."""
        self._database, self._questionnaires = Database(where), questionnaires
        self._worklists: dict[tuple[str, ...], WorkList] = {}
        self._pairs: Known = {}
        self._cohorts: dict[tuple[str, tuple[str, ...]], tuple[tuple[int, ...], Cohort]] = {}

    @classmethod
    def create(cls, where: str | Path, centres: Mapping[str, people.Names], first: Access) -> Store:
        """Make the tables, or bring an older registry up to date; with centres (code → names) and the first user of a new one."""
        people.create(str(where), centres, first)
        return cls(where)

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    def on_change(self, told: Callable[[set[int]], None]) -> None:
        """Tell somebody, after every change that this store commits, the numbers of the persons whom it touched."""
        self._database.told = told

    # reading

    def chart(self, access: Access, at_store_time: Moment = None, centres: Sequence[str] | None = None) -> Chart:
        """The chart of all patients within reach, as the store had it at a moment (None: now)."""
        return reading.read_chart(self._database, access, "read", at_store_time, centres)

    def deidentified(self, access: Access, key: bytes, at_store_time: Moment = None, centres: Sequence[str] | None = None) -> Chart:
        """The chart of own patients without what tells who they are; `key`: the secret key of the pseudonyms."""
        return deidentify(reading.read_chart(self._database, access, "deidentified", at_store_time, centres), key)[0]

    def treated(self, access: Access, key: bytes) -> pl.DataFrame:
        """Own patients who were treated: `patient` (the pseudonym in `deidentified`), `treatments` (rows)."""
        return pseudonyms.treated(self._database, access, key)

    def deidentified_one(self, access: Access, key: bytes, pseudonym: str) -> Chart:
        """One patient of `deidentified`, without the others being read; AccessError if nobody has the pseudonym."""
        return pseudonyms.deidentified_one(self._database, access, key, pseudonym)

    def patient(self, access: Access, patient: str, centre: str | None = None, at_store_time: Moment = None) -> Record:
        """One patient: the chart, and the rows with their id and version."""
        return reading.read_record(self._database, access, patient, centre, at_store_time)

    def listed(self, access: Access) -> pl.DataFrame:
        """The patients whom an access may read: `person` (number), `patient`, `centre`, `change` (number of the last one)."""
        return listing.listed(self._database, access)

    def person(self, access: Access, number: int) -> listing.Person:
        """A patient by the number of the person; AccessError if out of reach."""
        return listing.person(self._database, access, number)

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

    def kept(self, access: Access, who: listing.Person, name: str, make: Callable[[], Any]) -> Any:
        """What is kept of a patient under a name, worked out by `make` (anything that JSON can tell) after each change of a row."""
        return kept.kept(self._database, access, who, name, make)

    def worklist(self, access: Access, name: str, make: Make) -> Work:
        """What `make` says of each patient within reach, as far as it is worked out. `name`: under which it is kept."""
        return self._worklist(access, name, make).read(self._database, access)

    def work(self, access: Access, name: str, make: Make) -> None:
        """Work out what is outstanding on a work list, in batches of patients."""
        self._worklist(access, name, make).work(self._database, access)

    def _worklist(self, access: Access, name: str, make: Make, action: str = "findings") -> WorkList:
        reach = access.require(action)
        return self._worklists.setdefault((name, action, reach, *access.centres), WorkList(name, make, action))

    def cohort(self, access: Access, name: str, make: Make) -> Cohort:
        """The cases of own patients, as `make` says them, to be counted and never shown one by one; kept until a row is changed."""
        held = self._worklist(access, name, make, "count")
        work = held.read(self._database, access)
        version = (held.upto, work.outstanding, len(work.entries))
        known = self._cohorts.get((held.name, access.centres))
        if known is None or known[0] != version:
            known = self._cohorts[held.name, access.centres] = (version, gathered(work.entries, work.outstanding))
        return known[1]

    def work_cohort(self, access: Access, name: str, make: Make) -> None:
        """Work out what is outstanding of a cohort, in batches of patients."""
        self._worklist(access, name, make, "count").work(self._database, access)

    def count(self, access: Access, by: Sequence[str] = (), smallest: int = counting.SMALLEST) -> pl.DataFrame:
        """Own patients counted by centre, sex or chain; small cells are masked for analysts."""
        return counting.count(self._database, access, by, smallest)

    # changing

    def add_patient(self, access: Access, patient: str, centre: str, values: edits.Values, why: str) -> int:
        """Enter a new patient of an own centre; returns the id of the row."""
        return edits.add_patient(self._database, access, patient, centre, values, why)

    def add(self, access: Access, table: str, patient: str, values: edits.Values, why: str, centre: str | None = None) -> int:
        """Enter a row for a patient; returns its id."""
        return edits.add_rows(self._database, access, table, patient, [values], why, centre)[0]

    def add_all(
        self, access: Access, table: str, patient: str, rows: Sequence[edits.Values], why: str, centre: str | None = None
    ) -> list[int]:
        """Enter rows for a patient in one transaction, all or none; returns their ids."""
        return edits.add_rows(self._database, access, table, patient, rows, why, centre)

    def attempt(self, access: Access, table: str, patient: str, values: edits.Values, centre: str | None = None) -> pl.DataFrame:
        """The row as it would stand in the chart if it were entered; nothing is. ChartError if a reader would not accept it."""
        return edits.try_row(self._database, access, table, patient, values, centre)

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

    def imports(self, access: Access) -> pl.DataFrame:
        """The imports of own patients, the last first: `id`, `at`, `who`, `why`, `rows`, `rejected` (cells), `undone_by`, `undone_at`."""
        return importing.read_imports(self._database, access)

    def rejected(self, access: Access, change: int) -> pl.DataFrame:
        """The cells that an import did not accept: `file`, `line`, `column`, `value`, `reason`, `expected`, `nearest`.

        AccessError for who has not every centre of the user who imported: they may name patients of all of these.
        """
        return importing.read_rejected(self._database, access, change)

    def undo(self, access: Access, change: int, why: str) -> int:
        """Take an import, a single edit or a move back by new versions; returns the number of that change."""
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

    def moved(self, access: Access, patient: str, centre: str | None = None) -> pl.DataFrame:
        """How a patient came to the present centre and key, the last move first.

        Columns: `change`, `at`, `kind` (merge, transfer, rename), `who`, `why`, `from_centre`, `to_centre`, `consent`, `stands`.
        """
        return sharing.moved(self._database, access, patient, centre)

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

    def centres(self) -> dict[str, people.Names]:
        """The centres of the registry: code → English and Chinese name."""
        return people.centre_names(self._database)

    def users(self, access: Access) -> list[dict[str, Any]]:
        """Every user with roles, centres, whether the account is in use and has a password."""
        return accounts.list_users(self._database, access)

    def set_password(self, access: Access, name: str, new: str, old: str | None = None) -> None:
        """Set one's own password with the `old` one, or as an administrator one that its user must change at once."""
        accounts.set_password(self._database, access, name, new, old)

    def sign_in(self, name: str, password: str, whence: str) -> str:
        """Begin a session; returns its token. `whence`: the address of the client. SignInError if it is refused."""
        return sessions.sign_in(self._database, name, password, whence)

    def begin_session(self, access: Access, how: str) -> str:
        """Begin a session of a user whose identity somebody else has proven (`how`: who); returns its token."""
        return sessions.begin(self._database, access, how)

    def session(self, token: str) -> Session:
        """The session of a token; AccessError if it is over."""
        return sessions.session_of(self._database, token)

    def sign_out(self, token: str) -> None:
        """End a session."""
        sessions.sign_out(self._database, token)

    def end_sessions(self, access: Access, name: str) -> None:
        """End every session of a user: one's own, or as an administrator those of another."""
        sessions.end_all(self._database, access, name)

    def secret(self, name: str) -> bytes:
        """A secret of this registry, drawn when it was made."""
        return people.secret(self._database, name)

    def back_up(self, access: Access, path: str | Path) -> Backup:
        """Write the whole registry into a new file, from which `Store.restore` makes it again."""
        return backup.back_up(self._database, access, path)

    @classmethod
    def restore(cls, where: str | Path, path: str | Path) -> Backup:
        """Make a registry from a backup in a database that has none, of either kind; its audit is verified."""
        return backup.restore(where, path)

    def verify(self, access: Access, head: str | None = None) -> Verified:
        """Is the audit unbroken, and if not, where? `head`: a hash noted earlier that must be in it."""
        access.require("audit")
        with self._database.everywhere() as connection:
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
