"""The audit: every change, and every read of an identified patient, in a chain that shows where it was broken.

An entry says when, who in which roles, what, and which persons (numbers of the store; the audit itself names nobody). Its hash
is SHA-256 over the hash of the entry before and its own canonical JSON, so that no entry can be changed, removed or put in
between without all later ones being rewritten. Keep the head somewhere else and that shows too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa

from . import beside, clock, content
from .access import Access
from .bulk import frame_of
from .database import next_ids
from .models import audit, changes, counters, persons

FIRST = "0" * 64
SAID = ("id", "at", "who", "roles", "action", "persons", "detail")  # what the hash covers
CHANGES = ("import", "edit", "undo", "merge", "transfer", "rename", "decide", "answer")  # the actions that write versions
A_BATCH = 10_000


@dataclass(frozen=True)
class Verified:
    """What `verify` found: how many entries stand, the hash of the last of them, and where and how it is broken.

    `broken_at`: the entry, or 0 for rows of which no entry tells.
    """

    entries: int
    head: str
    broken_at: int | None = None
    fault: str = ""

    @property
    def whole(self) -> bool:
        """Is the chain unbroken?"""
        return self.broken_at is None


def append(connection: sa.Connection, access: Access, action: str, who_of: Iterable[int], detail: Mapping[str, Any]) -> str:
    """Add an entry; returns its instant, never before that of the entry before."""
    place = next_ids(connection, "audit")
    before = connection.execute(sa.select(audit.c.hash, audit.c.at).where(audit.c.id == place - 1)).one_or_none()
    previous, at = (before.hash, max(clock.now(), before.at)) if before else (FIRST, clock.now())
    entry = {
        "id": place, "at": at, "who": access.user, "roles": ",".join(access.roles), "action": action,
        "persons": ranges(who_of), "detail": canonical(detail),
    }  # fmt: skip
    connection.execute(sa.insert(audit).values(**entry, previous=previous, hash=_hash(previous, entry)))
    return at


def canonical(said: Mapping[str, Any]) -> str:
    """JSON with one way to write it: sorted keys, no spaces, UTF-8."""
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _hash(previous: str, entry: Mapping[str, Any]) -> str:
    return hashlib.sha256((previous + canonical({name: entry[name] for name in SAID})).encode()).hexdigest()


def ranges(numbers: Iterable[int]) -> str:
    """Numbers as ranges.

    >>> ranges([3, 1, 2, 9])
    '1-3,9'
    """
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in parts)


def numbers(text: str) -> list[int]:
    """The numbers of ranges: the inverse of `ranges`."""
    bounds = [part.partition("-") for part in text.split(",") if part]
    return [number for low, _, high in bounds for number in range(int(low), int(high or low) + 1)]


def verify(connection: sa.Connection, head: str | None = None) -> Verified:
    """Follow the chain from its first entry, then compare what the changes wrote. `head`: a hash noted earlier that must be in it."""
    previous, place, met = FIRST, 0, head is None
    while rows := connection.execute(sa.select(audit).where(audit.c.id > place).order_by(audit.c.id).limit(A_BATCH)).mappings().all():
        for row in rows:
            fault = _fault(row, place + 1, previous)
            if fault:
                return Verified(place, previous, place + 1, fault)
            previous, place, met = row["hash"], row["id"], met or row["hash"] == head
    if lost := _lost(connection, place):
        return Verified(place, previous, place + 1, lost)
    if not met:
        return Verified(place, previous, place + 1, "the noted head is not in the chain: it was rewritten or cut off")
    if altered := _altered(connection):
        return Verified(place, previous, *altered)
    return Verified(place, previous)


def _altered(connection: sa.Connection) -> tuple[int, str] | None:
    """The entry of the first change whose rows are not what it wrote, and what is wrong with them."""
    said = _said_of_changes(connection)
    known = {row.id: (row.at, row.who, row.kind, row.why) for row in connection.execute(sa.select(changes))}
    for number, found in content.stored(connection):
        entry = said.pop(number, None)
        if entry is None:
            return 0, f"change {number} was never entered"
        written = entry["detail"].get("content", found)  # of a change made before contents were entered nothing is known
        tables = sorted(table for table in {*written, *found} if written.get(table) != found.get(table))
        if tables:
            return entry["id"], f"the rows of change {number} were altered in {', '.join(tables)}"
        if known[number] != (entry["at"], entry["who"], entry["action"], entry["detail"]["why"]):
            return entry["id"], f"who made change {number}, when or why was altered"
    if said:
        number = min(said)
        return said[number]["id"], f"change {number} is missing"
    if tables := content.strays(connection):
        return 0, f"there are rows of no change in {', '.join(tables)}"
    return beside.altered(connection)


def _said_of_changes(connection: sa.Connection) -> dict[int, dict[str, Any]]:
    """The entries of changes, by the number of the change."""
    asked = sa.select(audit.c.id, audit.c.at, audit.c.who, audit.c.action, audit.c.detail).where(audit.c.action.in_(CHANGES))
    entries = [{**row, "detail": json.loads(row["detail"])} for row in connection.execute(asked).mappings()]
    return {entry["detail"]["change"]: entry for entry in entries}


def _fault(row: Mapping[Any, Any], place: int, previous: str) -> str:
    if row["id"] != place:
        return f"entries {place} to {row['id'] - 1} are missing"
    if row["previous"] != previous:
        return "it does not follow the entry before"
    return "" if row["hash"] == _hash(previous, row) else "it was altered"


def _lost(connection: sa.Connection, last: int) -> str:
    """Were entries cut off at the end? The counter and the changes know how many there were."""
    counted = connection.execute(sa.select(counters.c.last).where(counters.c.name == "audit")).scalar_one()
    changed = connection.execute(sa.select(sa.func.max(changes.c.at))).scalar_one()
    ended = connection.execute(sa.select(sa.func.max(audit.c.at))).scalar_one()
    if counted > last or (changed or "") > (ended or ""):
        return "entries are missing at the end"
    return ""


def export_audit(connection: sa.Connection, within: sa.Select, everything: bool) -> pl.DataFrame:
    """One row an entry and patient. `within`: the persons that may be named; `everything`: entries about others too, unnamed."""
    entries = frame_of(connection, sa.select(*(audit.c[name] for name in (*SAID, "hash"))).order_by(audit.c.id))
    named = frame_of(
        connection, sa.select(persons.c.id.label("person"), persons.c.centre, persons.c.patient).where(persons.c.id.in_(within))
    )
    people = [(place, person) for place, text in entries.select("id", "persons").iter_rows() for person in numbers(text)]
    each = pl.DataFrame(people, schema={"id": pl.Int64, "person": pl.Int64}, orient="row")
    how = "left" if everything else "inner"
    rows = (
        entries.drop("persons").join(each, on="id", how=how, maintain_order="left").join(named, on="person", how=how, maintain_order="left")
    )
    return rows.select("id", "at", "who", "roles", "action", "centre", "patient", "person", "detail", "hash")
