"""Passwords: set, checked, and guarded against guessing.

Only an Argon2 hash is kept. Failed attempts are counted by account and by address; after too many the answer is the same
as to a wrong password, whether the account exists or not.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ..errors import UsageError
from . import audit, clock
from .access import Access
from .database import Database, next_ids
from .digests import digest
from .errors import SignInError
from .models import attempts, users

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 12, 200  # characters of a password
WINDOW = timedelta(minutes=15)
PER_ACCOUNT, PER_ADDRESS = 5, 50  # failures within the window


def set_password(database: Database, access: Access, name: str, new: str, old: str | None = None) -> None:
    """Set a password: one's own with the `old` one, or as an administrator that of another, who must change it at once.

    UsageError for a password that is too short, too long, the name itself, or the old one again; SignInError for a wrong old one.
    """
    check_new(name, new, old)
    own = name == access.user
    if not own:
        access.require("manage")
    with database.transaction(access.centres, write=True) as connection:
        row = connection.execute(sa.select(users).where(users.c.name == name)).one_or_none()
        if row is None:
            raise UsageError(f"there is no user {name!r}", expected="one that an administrator has entered")
        if own and row.password_hash is not None and not _fits(row.password_hash, old or ""):
            raise SignInError
        values = {"password_hash": _hasher().hash(new), "password_expired": not own}
        connection.execute(sa.update(users).where(users.c.name == name).values(**values))
        audit.append(connection, access, "manage", [], {"password": name})


def check_new(name: str, new: str, old: str | None = None) -> None:
    """UsageError if a password is too short, too long, the name itself, or the old one."""
    if not SHORTEST <= len(new) <= LONGEST:
        raise UsageError(f"a password has {SHORTEST} to {LONGEST} characters", expected="a sentence is easy to remember")
    if new.casefold() == name.casefold() or new == old:
        raise UsageError("the new password is the name or the old password", expected="another one")


def check_password(database: Database, name: str, password: str, whence: str) -> Access:
    """Who signs in with a password; SignInError for anything else, and for everybody after too many failures.

    `whence`: the address of the client; only its hash is kept, and only for the time of the window.
    """
    keys = {"whose": digest(name.casefold()), "whence": digest(whence)}
    with database.transaction(write=True) as connection:
        _forget(connection)
        number = next_ids(connection, "attempts")
        counts = {
            key: connection.execute(sa.select(sa.func.count()).where(attempts.c[key] == value)).scalar_one() for key, value in keys.items()
        }
        row = connection.execute(sa.select(users).where(users.c.name == name)).one_or_none()
        # counted before the hash is tried, so that many attempts at once are counted, too
        connection.execute(sa.insert(attempts).values(id=number, at=clock.now(), **keys))
    stopped = counts["whose"] >= PER_ACCOUNT or counts["whence"] >= PER_ADDRESS
    known = row.password_hash if row is not None and row.active and row.password_hash else None
    fits = _fits(known or _nobody(), password)  # the same time whether there is such a user or not
    if stopped or not known or not fits or row is None:
        raise SignInError
    with database.transaction(write=True) as connection:
        connection.execute(sa.delete(attempts).where(attempts.c.id == number))
    return Access(row.name, row.roles, row.centres)


def must_change(database: Database, name: str) -> bool:
    """Must the user set another password before anything else?"""
    with database.transaction() as connection:
        return bool(connection.execute(sa.select(users.c.password_expired).where(users.c.name == name)).scalar())


def list_users(database: Database, access: Access) -> list[dict[str, Any]]:
    """Every user with roles, centres, and whether there is a password."""
    access.require("manage")
    with database.transaction(access.centres) as connection:
        rows = connection.execute(sa.select(users).order_by(users.c.name)).mappings()
        kept = ("name", "roles", "centres", "active")
        return [{name: row[name] for name in kept} | {"password": row["password_hash"] is not None} for row in rows]


def _forget(connection: sa.Connection) -> None:
    since = (datetime.now(UTC) - WINDOW).strftime(clock.FORM)
    connection.execute(sa.delete(attempts).where(attempts.c.at < since))


def _fits(known: str, password: str) -> bool:
    from argon2.exceptions import VerifyMismatchError

    try:
        return _hasher().verify(known, password)
    except VerifyMismatchError:
        return False


@cache
def _nobody() -> str:
    """The hash of a password that nobody has."""
    return _hasher().hash("nobody")


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()
