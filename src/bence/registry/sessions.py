"""Sessions: who is signed in, until when. The token is with the user only; the registry keeps its SHA-256."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from . import audit, clock
from .access import Access
from .accounts import check_password
from .database import Database
from .digests import digest
from .errors import AccessError
from .models import sessions, users

IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)
NOTED = timedelta(minutes=1)  # how exactly the last use is known


@dataclass(frozen=True)
class Session:
    """A session in force: what its user may do, the token of its forms, and whether the password must be changed first."""

    access: Access
    csrf: str
    must_change: bool


def sign_in(database: Database, name: str, password: str, whence: str) -> str:
    """Begin a session with a password; returns its token. SignInError if it is refused."""
    return begin(database, check_password(database, name, password, whence), "password")


def begin(database: Database, access: Access, how: str) -> str:
    """Begin a session of a user who has proven who it is; returns its token."""
    token, now = secrets.token_urlsafe(32), clock.now()
    with database.transaction(access.centres, write=True) as connection:
        row = {"token_hash": digest(token), "user": access.user, "csrf": secrets.token_urlsafe(24), "since": now, "seen": now}
        connection.execute(sa.insert(sessions).values(**row))
        audit.append(connection, access, "sign_in", [], {"how": how})
    return token


def session_of(database: Database, token: str) -> Session:
    """The session of a token; AccessError if it has ended, was idle too long, or its user may no longer sign in."""
    now = datetime.now(UTC)
    with database.transaction() as connection:
        asked = sa.select(sessions, users).join(users, users.c.name == sessions.c.user).where(sessions.c.token_hash == digest(token))
        row = connection.execute(asked).one_or_none()
    if row is None or row.ended or not row.active or _before(row.seen, now - IDLE) or _before(row.since, now - LONGEST):
        raise AccessError("nobody is signed in", expected="to sign in")
    if _before(row.seen, now - NOTED):
        with database.transaction(write=True) as connection:
            connection.execute(sa.update(sessions).where(sessions.c.token_hash == digest(token)).values(seen=clock.now()))
    return Session(Access(row.name, row.roles, row.centres), row.csrf, bool(row.password_expired))


def sign_out(database: Database, token: str) -> None:
    """End a session."""
    with database.transaction(write=True) as connection:
        own = (sessions.c.token_hash == digest(token)) & sessions.c.ended.is_(None)
        connection.execute(sa.update(sessions).where(own).values(ended=clock.now()))


def end_all(database: Database, access: Access, name: str) -> None:
    """End every session of a user: one's own, or as an administrator those of another."""
    if name != access.user:
        access.require("manage")
    with database.transaction(access.centres, write=True) as connection:
        theirs = (sessions.c.user == name) & sessions.c.ended.is_(None)
        connection.execute(sa.update(sessions).where(theirs).values(ended=clock.now()))
        audit.append(connection, access, "manage", [], {"sessions_ended": name})


def _before(instant: str, moment: datetime) -> bool:
    return instant < moment.strftime(clock.FORM)
