"""What was worked out of a patient, kept until a row of the patient changes: whatever can be written as JSON."""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any
from weakref import WeakValueDictionary

import sqlalchemy as sa

from ..version import __version__
from . import audit, clock
from .access import Access
from .bulk import insert_of
from .database import Database
from .errors import AccessError
from .listing import Person
from .models import findings, last_changes, persons
from .scope import is_reached, reached

_LOCK = threading.Lock()
_TURNS: WeakValueDictionary[tuple[Hashable, ...], threading.Lock] = WeakValueDictionary()
FEW = 500  # persons named one by one in a query


def kept(database: Database, access: Access, who: Person, name: str, make: Callable[[], Any]) -> Any:
    """What is kept of a patient under a name, worked out by `make` where a row was changed since; AccessError if out of reach.

    That it was read is entered into the audit.
    """
    with database.transaction(access.centres, write=True) as connection:
        mine = sa.select(persons.c.id).where(persons.c.id == who.number, is_reached(access, "findings"))
        if connection.execute(mine).one_or_none() is None:
            raise AccessError(f"there is no such patient of whom {access.user} may read findings")
        audit.append(connection, access, "findings", [who.number], {"kept": name})
        data = connection.execute(_one(who.number, version_of(who.change), name)).scalar_one_or_none()
    if data is not None:
        return unpacked(data)
    with _turn(id(database), who, name):
        with database.transaction(access.centres) as connection:  # somebody may just have made it
            data = connection.execute(_one(who.number, version_of(who.change), name)).scalar_one_or_none()
        if data is None:
            data = packed(make())
            with database.transaction(access.centres, write=True) as connection:
                keep(connection, [(who.number, who.change)], name, [data])
    return unpacked(data)


def _turn(*of_what: Hashable) -> threading.Lock:
    """The lock under which one thing is made, so that two who ask for it at once do not both make it."""
    with _LOCK:
        return _TURNS.setdefault(of_what, threading.Lock())


def kept_of_many(connection: sa.Connection, changes: Mapping[int, int], name: str) -> dict[int, Any]:
    """What is kept of persons (number → last change) under a name, of those of whom it is kept for that change."""
    wanted = sa.select(findings.c.person, findings.c.key, findings.c.data).where(findings.c.name == name)
    if len(changes) <= FEW:
        wanted = wanted.where(findings.c.person.in_(list(changes)))
    return {row.person: unpacked(row.data) for row in connection.execute(wanted) if row.key == version_of(changes.get(row.person))}


def keep(connection: sa.Connection, whose: Sequence[tuple[int, int]], name: str, data: Sequence[bytes]) -> None:
    """Keep what was made of persons at their last change, in place of what was kept of earlier ones."""
    numbers = [person for person, _ in whose]
    for start in range(0, len(numbers), FEW):
        old = findings.c.person.in_(numbers[start : start + FEW])
        connection.execute(sa.delete(findings).where(old, findings.c.name == name))
    at = clock.now()
    rows = [
        {"person": person, "key": version_of(change), "name": name, "made_at": at, "data": each}
        for (person, change), each in zip(whose, data, strict=True)
    ]
    if rows:
        connection.execute(insert_of(connection)(findings).on_conflict_do_nothing(), rows)


def changed_since(connection: sa.Connection, access: Access, since: int = -1, action: str = "findings") -> dict[int, int]:
    """The number of the last change of every person within reach who was changed after the change `since`."""
    known = last_changes.c
    asked = sa.select(known.person, known.change).where(known.change > since, known.person.in_(reached(access, action)))
    return {row.person: row.change for row in connection.execute(asked)}


def version_of(change: int | None) -> str:
    """The key of what was made by this Bence from rows of which this change was the last."""
    return f"change {change}, bence {__version__}"


def packed(told: Any) -> bytes:
    """As it is kept."""
    return zlib.compress(json.dumps(told, ensure_ascii=False, default=_plain).encode(), 3)


def unpacked(data: bytes) -> Any:
    """As it was told."""
    return json.loads(zlib.decompress(data))


def _plain(told: Any) -> Any:
    return asdict(told) if is_dataclass(told) and not isinstance(told, type) else str(told)


def _one(person: int, key: str, name: str) -> sa.Select:
    return sa.select(findings.c.data).where(findings.c.person == person, findings.c.key == key, findings.c.name == name)
