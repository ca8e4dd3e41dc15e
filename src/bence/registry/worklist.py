"""The work list: what is worked out of every patient within reach, again only for those of whom a row was changed since."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import sqlalchemy as sa

from ..chart import TABLES, Chart
from . import audit
from .access import Access
from .bulk import frame_of
from .database import Database
from .kept import changed_since, keep, kept_of_many, packed
from .models import VERSIONS, changes, persons
from .reading import as_chart, versions
from .scope import reached

A_BATCH = 1000  # patients assessed at once
Make = Callable[[Chart], Mapping[str, list[Any]]]


@dataclass(frozen=True)
class Entry:
    """A patient with what was worked out, as plain data."""

    person: int
    patient: str
    centre: str
    told: list[Any]


@dataclass(frozen=True)
class Work:
    """The entries of all patients who are worked out, and how many are not yet."""

    entries: list[Entry]
    outstanding: int


@dataclass
class WorkList:
    """What the users of one reach see, held in memory from one request to the next."""

    name: str
    make: Make
    action: str = "findings"  # what the user must be allowed to do with the patients
    upto: int = -1
    changed: dict[int, int] = field(default_factory=dict)
    told: dict[int, tuple[int, list[Any]]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    busy: threading.Lock = field(default_factory=threading.Lock)

    def read(self, database: Database, access: Access) -> Work:
        """The entries as far as they are worked out; that they were read is entered into the audit."""
        with database.transaction(access.centres, write=True) as connection:
            people = self._look(connection, access)
            whom = list(people) if self.action == "findings" else []  # of a count nobody is named
            audit.append(connection, access, self.action, whom, {"worklist": len(people)})
        current = {number for number in people if self._is_current(number)}
        entries = [Entry(number, *people[number], self.told[number][1]) for number in people if number in self.told]
        return Work(entries, len(people) - len(current))

    def work(self, database: Database, access: Access) -> None:
        """Work out whoever is outstanding, in batches; nothing if somebody else is doing so."""
        if not self.busy.acquire(blocking=False):
            return
        try:
            with database.transaction(access.centres) as connection:
                people = self._look(connection, access)
            waiting = [number for number in people if not self._is_current(number)]
            for start in range(0, len(waiting), A_BATCH):
                self._batch(database, access, waiting[start : start + A_BATCH])
        finally:
            self.busy.release()

    def _is_current(self, number: int) -> bool:
        return number in self.told and self.told[number][0] == self.changed.get(number)

    def _look(self, connection: sa.Connection, access: Access) -> dict[int, tuple[str, str]]:
        """Who is within reach (number → key, centre), and what was changed or kept since the last look."""
        mine = sa.select(persons.c.id, persons.c.patient, persons.c.centre).where(persons.c.id.in_(reached(access, self.action)))
        there = sa.select(VERSIONS["patients"].c.person).where(VERSIONS["patients"].c.to_change.is_(None))
        people = {row.id: (row.patient, row.centre) for row in connection.execute(mine.where(persons.c.id.in_(there)))}
        last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(changes.c.id), 0))).scalar_one()
        with self.lock:
            since = self.upto if all(number in self.changed for number in people) else -1
            if last > since:
                self.changed |= changed_since(connection, access, since, self.action)
                self.upto = last
            wanted = {number: self.changed[number] for number in people if not self._is_current(number)}
            if wanted:
                for number, told in kept_of_many(connection, wanted, self.name).items():
                    self.told[number] = (wanted[number], told)
        return people

    def _batch(self, database: Database, access: Access, numbers: list[int]) -> None:
        with database.transaction(access.centres) as connection:
            tables = {table: frame_of(connection, versions(table).where(VERSIONS[table].c.person.in_(numbers))) for table in TABLES}
            whose = {number: self.changed[number] for number in numbers}
        people = pl.DataFrame({"id": numbers, "patient": [str(number) for number in numbers]}).with_columns(centre=pl.lit("-"))
        made = self.make(as_chart(tables, people))
        data = [packed(made.get(str(number), [])) for number in numbers]
        with database.transaction(access.centres, write=True) as connection:
            keep(connection, list(whose.items()), self.name, data)
