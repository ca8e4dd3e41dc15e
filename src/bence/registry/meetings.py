"""The multidisciplinary meeting: its days, its agenda, and what it decided on whom.

A decision answers a question of the pathway with one of its options, or in words alone. In the same transaction it becomes an
event `mdt_decision` of the chart. A later decision on the same item takes its place; both stay, the event has a new version.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
import sqlalchemy as sa

from ..advise.pathway import pathway
from ..catalogue import nearest
from ..errors import UsageError
from . import audit, clock
from .access import Access
from .bulk import frame_of
from .changing import Change, changing
from .clinical import agenda, decisions, meetings, moves
from .database import Database, next_ids
from .edits import begin_row
from .errors import AccessError
from .models import VERSIONS, columns_of, persons
from .reading import of_patients, versions, with_patients
from .scope import is_reached, lineage, person_of, reached

ABSENT = ("none", "no", "absent", "无", "否", "没有")  # as the text of an event these say that nothing happened


def plan_meeting(database: Database, access: Access, centre: str, day: date, title: str) -> int:
    """Plan a meeting of an own centre; returns its number."""
    access.require("meet")
    access.within([centre])
    with database.transaction(access.centres, write=True) as connection:
        number = next_ids(connection, "meetings")
        at = audit.append(connection, access, "meet", [], {"meeting": number, "centre": centre, "day": day.isoformat()})
        row = {"id": number, "centre": centre, "day": day, "title": title.strip(), "who": access.user, "at": at}
        connection.execute(sa.insert(meetings).values(**row))
    return number


def read_meetings(database: Database, access: Access) -> pl.DataFrame:
    """The meetings of own centres, the last day first; `items`, `decided`: of the patients within reach."""
    access.require("meet")
    names = ("id", "centre", "day", "title", "who", "at")
    asked = sa.select(*(meetings.c[name] for name in names)).where(meetings.c.centre.in_(access.centres))
    with database.transaction(access.centres, write=True) as connection:
        held = frame_of(connection, asked)
        mine = agenda.c.person.in_(lineage(reached(access, "meet")))
        items = frame_of(connection, sa.select(agenda.c.id.label("item"), agenda.c.meeting.label("id")).where(mine))
        done = frame_of(connection, sa.select(decisions.c.item).distinct())
        audit.append(connection, access, "read", [], {"meetings": held.height})
    counted = items.with_columns(decided=pl.col("item").is_in(done["item"].implode()))
    counts = counted.group_by("id").agg(items=pl.len().cast(pl.Int64), decided=pl.col("decided").sum().cast(pl.Int64))
    told = held.join(counts, on="id", how="left").with_columns(pl.col("items", "decided").fill_null(0))
    return told.sort("day", "id", descending=True)


def put_on_agenda(database: Database, access: Access, meeting: int, patient: str, asked: str, centre: str | None) -> int:
    """Put a patient on the agenda, with a question to the board; returns the number of the item.

    AccessError unless the meeting is of an own centre, and the patient that centre's or shared with it.
    """
    if not asked.strip():
        raise UsageError("an item of the agenda asks something", expected="the question to the board")
    with database.transaction(access.centres, write=True) as connection:
        person = person_of(connection, access, "meet", patient, centre)
        held = _meeting(connection, access, meeting)
        theirs = sa.select(persons.c.id).where(persons.c.id == person.id, is_reached(access, "meet", [held.centre]))
        if connection.execute(theirs).first() is None:
            raise AccessError(f"patient {patient!r} is neither of centre {held.centre!r} nor shared with it")
        last = sa.select(sa.func.coalesce(sa.func.max(agenda.c.position), 0)).where(agenda.c.meeting == meeting)
        number = next_ids(connection, "agenda")
        place = connection.execute(last).scalar_one() + 1
        at = audit.append(connection, access, "meet", [person.id], {"meeting": meeting, "item": number})
        row = {"id": number, "meeting": meeting, "person": person.id, "asked": asked.strip(), "position": place}
        connection.execute(sa.insert(agenda).values(**row, who=access.user, at=at))
    return number


def read_agenda(database: Database, access: Access, meeting: int) -> pl.DataFrame:
    """The items of a meeting in their order, with the decision that stands."""
    with database.transaction(access.centres, write=True) as connection:
        access.require("meet")
        _meeting(connection, access, meeting)
        items = agenda.c.meeting == meeting
        names = ("id", "position", "person", "asked", "who", "at")
        rows = frame_of(connection, sa.select(*(agenda.c[name] for name in names)).where(items))
        rows = with_patients(connection, rows, access, "meet")
        taken = sa.select(decisions.c.item.label("id"), sa.func.max(decisions.c.id).label("decision")).group_by(decisions.c.item)
        rows = rows.join(frame_of(connection, taken), on="id", how="left")
        audit.append(connection, access, "read", rows["person"], {"agenda": meeting})
    kept = ("item", "position", "person", "patient", "centre", "asked", "who", "at", "decision")
    return rows.rename({"id": "item"}).select(kept).sort("position")


def decide(
    database: Database, access: Access, item: int, question: str, option: str | None, text: str, reasons: str, attendants: Sequence[str]
) -> int:
    """Enter what the board decided on an item of its agenda; returns the number of the decision.

    `question`, `option`: of the pathway; no option: something else, or in words alone. `text`: the decision, as the chart will
    tell it. UsageError for what the pathway does not know, without a text, or without anybody who was there.
    """
    _check(question, option, text, attendants)
    access.require("decide")
    with changing(database, access, "decide", text.strip()) as change:
        mine = agenda.c.person.in_(lineage(reached(access, "decide")))
        found = sa.select(agenda.c.person, meetings.c.centre, meetings.c.day).join(meetings, meetings.c.id == agenda.c.meeting)
        row = change.connection.execute(found.where(agenda.c.id == item, mine, meetings.c.centre.in_(access.centres))).one_or_none()
        if row is None:
            raise AccessError(f"there is no item {item} of an agenda on which {access.user} may decide")
        person = _present(change.connection, row.person)
        number = next_ids(change.connection, "decisions")
        event = _event(change, item, person, row.day, text.strip(), f"registry:decisions/{number}")
        told = {"question": question, "option": option, "reasons": reasons.strip(), "attendants": [name.strip() for name in attendants]}
        keys = {"id": number, "item": item, "person": person, "event": event, "who": access.user, "at": clock.now()}
        change.connection.execute(sa.insert(decisions).values(**keys, **told, text=text.strip()))
        change.detail |= {"decision": number, "item": item, **told}
    return number


def read_decisions(database: Database, access: Access, patient: str | None, centre: str | None) -> pl.DataFrame:
    """What was decided on the patients within reach, or on one; `stands` marks the last decision on each item.

    `patient` is the key that the patient has in `Store.chart`.
    """
    names = ("id", "item", "person", "question", "option", "text", "reasons", "attendants", "who", "at")
    asked = sa.select(*(decisions.c[name] for name in names), meetings.c.id.label("meeting"), meetings.c.day,
                      meetings.c.centre.label("board"), agenda.c.asked)  # fmt: skip
    asked = asked.join(agenda, agenda.c.id == decisions.c.item).join(meetings, meetings.c.id == agenda.c.meeting)
    with database.transaction(access.centres, write=True) as connection:
        rows = of_patients(connection, access, "read", asked, decisions.c.person, patient, centre)
        audit.append(connection, access, "read", rows["person"], {"decisions": rows.height})
    last = pl.col("id") == pl.col("id").max().over("item")
    rows = rows.with_columns(pl.col("attendants").str.json_decode(pl.List(pl.String)), stands=last)
    first = ("id", "item", "meeting", "day", "board", "person", "patient", "centre", "asked")
    return rows.select(*first, *names[3:], "stands").sort("day", "id", descending=True)


def _check(question: str, option: str | None, text: str, attendants: Sequence[str]) -> None:
    known = pathway()
    if question not in known.questions:
        raise UsageError(
            f"the pathway has no question {question!r}", expected=", ".join(known.questions), nearest=nearest(question, known.questions)
        )
    if option is not None and option not in known.of(question):
        raise UsageError(f"{question} has no option {option!r}", expected="an option of it", nearest=nearest(option, known.of(question)))
    if not text.strip() or text.strip().lower() in ABSENT:
        raise UsageError("a decision is said in words", expected="what is to be done")
    if not any(name.strip() for name in attendants):
        raise UsageError("a decision of nobody", expected="who was there")


def _event(change: Change, item: int, person: int, day: date, text: str, source: str) -> int:
    """Write the decision into the chart: as the next version of the event of the former decision, if that still stands."""
    connection, kept = change.connection, VERSIONS["events"]
    patient = connection.execute(sa.select(persons.c.patient).where(persons.c.id == person)).scalar_one()
    said = {"on": day, "what": "mdt_decision", "text": text, "source": source}
    before = sa.select(decisions.c.event).where(decisions.c.item == item).order_by(decisions.c.id.desc()).limit(1)
    former = connection.execute(before).scalar_one_or_none()
    current = frame_of(connection, versions("events").where(kept.c.id == former)) if former is not None else pl.DataFrame()
    if current.is_empty():
        row = int(change.new_ids("events", 1)[0])
        begin_row(change, "events", row, 1, person, patient, said)
        return row
    change.end("events", current)
    rest = {name: current[name][0] for name in columns_of("events")}
    begin_row(change, "events", current["id"][0], current["version"][0] + 1, person, patient, rest | said)
    return int(current["id"][0])


def _meeting(connection: sa.Connection, access: Access, number: int) -> Any:
    row = connection.execute(sa.select(meetings).where(meetings.c.id == number, meetings.c.centre.in_(access.centres))).one_or_none()
    if row is None:
        raise AccessError(f"there is no meeting {number} of a centre of {access.user}")
    return row


def _present(connection: sa.Connection, person: int) -> int:
    """The person as whom a person goes on."""
    found = sa.select(moves.c.to_person).where(moves.c.from_person == person, moves.c.to_change.is_(None))
    return connection.execute(found).scalar_one_or_none() or person
