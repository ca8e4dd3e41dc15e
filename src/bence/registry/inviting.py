"""A questionnaire by a link that serves once: the patient opens it without an account, and nothing on it names the patient.

The token of the link is drawn from 256 random bits and shown once; only its SHA-256 is kept. The answers become observations of the
patient's chart, written as the home centre.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from ..catalogue import nearest
from ..errors import UsageError
from . import audit, clock
from .access import Access
from .changing import changing
from .clinical import invitations, moves
from .database import Database, next_ids
from .digests import digest
from .edits import begin_row
from .forms import Answers, Questionnaire, checked, questionnaires
from .models import persons
from .reading import of_patients
from .scope import lineage, person_of, reached

LANGUAGES = ("zh", "en")
LONGEST = 366  # days that a link may be open
ABOUT_NOW = timedelta(days=1)  # the patient's day and ours may differ


@dataclass(frozen=True)
class Invitation:
    """What a link opens: the questionnaire, the language, and until when. No name."""

    questionnaire: Questionnaire
    lang: str
    expires: str


def invite(
    database: Database, access: Access, patient: str, questionnaire: str, days: int, lang: str, centre: str | None,
    folder: str | Path | None,
) -> str:  # fmt: skip
    """Invite a patient to a questionnaire; returns the token of the link, which is kept nowhere."""
    _known(questionnaire, folder)
    if lang not in LANGUAGES:
        raise UsageError(f"there is no language {lang!r}", expected=", ".join(LANGUAGES))
    if not 1 <= days <= LONGEST:
        raise UsageError(f"a link is not open for {days} days", expected=f"1 to {LONGEST}")
    token = secrets.token_urlsafe(32)
    with database.transaction(access.centres, write=True) as connection:
        person = person_of(connection, access, "invite", patient, centre)
        number = next_ids(connection, "invitations")
        expires = (datetime.now(UTC) + timedelta(days=days)).strftime(clock.FORM)
        told = {"questionnaire": questionnaire, "lang": lang, "expires": expires, "hash": digest(token)}
        at = audit.append(connection, access, "invite", [person.id], {"invitation": number, **told})
        row = {"id": number, "person": person.id, "home": person.centre, **told}
        connection.execute(sa.insert(invitations).values(**row, who=access.user, at=at))
    return token


def invitation_of(database: Database, token: str, folder: str | Path | None) -> Invitation:
    """What the link of a token opens; UsageError if it is unknown, expired, used or withdrawn, which of them is not told."""
    row = _open(database, token)
    return Invitation(_known(row.questionnaire, folder), row.lang, row.expires)


def answer(database: Database, token: str, answers: Answers, on: date, folder: str | Path | None) -> None:
    """Write the answers of a patient into the chart and use the link up, in one transaction. UsageError for what is not possible."""
    row = _open(database, token)
    given = list(checked(_known(row.questionnaire, folder), answers))
    first, last = datetime.fromisoformat(row.at).date() - ABOUT_NOW, datetime.now(UTC).date() + ABOUT_NOW
    if not first <= on <= last:
        raise UsageError(f"{on} is not a day of this invitation", expected=f"{first} to {last}")
    person, home, key = _whose(database, row)
    patient = Access(f"invitation {row.id}", [], sorted({row.home, home}))
    with changing(database, patient, "answer", f"questionnaire {row.questionnaire}") as change:
        unused = sa.and_(invitations.c.id == row.id, invitations.c.used_at.is_(None), invitations.c.withdrawn_at.is_(None))
        if change.connection.execute(sa.update(invitations).where(unused).values(used_at=clock.now())).rowcount != 1:
            raise _shut()
        for item, kept in given:
            said = {"on": on, "what": item.code, "unit": item.unit or None, "source": f"questionnaire:{row.id}"}
            said |= {"text": kept} if isinstance(kept, str) else {"value": kept}
            begin_row(change, "observations", int(change.new_ids("observations", 1)[0]), 1, person, key, said)
        change.detail = {"invitation": row.id, "items": [item.code for item, _ in given]}


def read_invitations(database: Database, access: Access, patient: str | None, centre: str | None) -> pl.DataFrame:
    """The invitations of the patients within reach, or of one, the last first; `state`: open, used, expired, withdrawn."""
    names = ("id", "questionnaire", "lang", "who", "at", "expires", "used_at", "withdrawn_at")
    asked = sa.select(*(invitations.c[name] for name in names), invitations.c.person)
    with database.transaction(access.centres, write=True) as connection:
        rows = of_patients(connection, access, "invite", asked, invitations.c.person, patient, centre)
        audit.append(connection, access, "read", rows["person"], {"invitations": rows.height})
    states = (
        pl.when(pl.col("used_at").is_not_null()).then(pl.lit("used"))
        .when(pl.col("withdrawn_at").is_not_null()).then(pl.lit("withdrawn"))
        .when(pl.col("expires") <= clock.now()).then(pl.lit("expired"))
        .otherwise(pl.lit("open"))
    )  # fmt: skip
    return rows.with_columns(state=states).select("id", "patient", "centre", *names[1:], "state").sort("id", descending=True)


def withdraw(database: Database, access: Access, number: int, why: str) -> None:
    """Shut the link of an invitation that is still open."""
    with database.transaction(access.centres, write=True) as connection:
        mine = invitations.c.person.in_(lineage(reached(access, "invite")))
        row = connection.execute(sa.select(invitations).where(invitations.c.id == number, mine)).one_or_none()
        if row is None or row.used_at or row.withdrawn_at:
            raise UsageError(f"there is no open invitation {number}", expected="the number of one, as `invitations` lists them")
        connection.execute(sa.update(invitations).where(invitations.c.id == number).values(withdrawn_at=clock.now()))
        audit.append(connection, access, "withdraw", [row.person], {"invitation": number, "why": why})


def _known(key: str, folder: str | Path | None) -> Questionnaire:
    known = questionnaires(folder)
    if key not in known:
        raise UsageError(f"there is no questionnaire {key!r}", expected=", ".join(known), nearest=nearest(key, known))
    return known[key]


def _shut() -> UsageError:
    return UsageError("this link does not open anything", expected="a new link from your doctor: each serves once and for some days")


def _open(database: Database, token: str) -> sa.Row:
    """The invitation of a token, looked up by its hash alone."""
    with database.transaction() as connection:
        if database.postgres:
            connection.execute(sa.text("select set_config('app.token', :hash, true)"), {"hash": digest(token)})
        row = connection.execute(sa.select(invitations).where(invitations.c.hash == digest(token))).one_or_none()
    if row is None or row.used_at or row.withdrawn_at or row.expires <= clock.now():
        raise _shut()
    return row


def _whose(database: Database, row: sa.Row) -> tuple[int, str, str]:
    """The present person of an invitation, the home centre and the key there."""
    with database.everywhere() as connection:
        now = sa.select(moves.c.to_person).where(moves.c.from_person == row.person, moves.c.to_change.is_(None))
        person = connection.execute(now).scalar_one_or_none() or row.person
        there = connection.execute(sa.select(persons.c.centre, persons.c.patient).where(persons.c.id == person)).one()
    return person, there.centre, there.patient
