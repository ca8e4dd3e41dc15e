"""Centres, and users with their roles and centres."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from ..errors import UsageError
from . import audit
from .access import Access, check_centre
from .database import Database, make
from .errors import AccessError
from .models import centres, secrets, users

Names = tuple[str, str]  # English, Chinese


def create(where: str, homes: Mapping[str, Names], first: Access) -> None:
    """Make a registry, or bring an older one up to date; enter centres and a first user where there is none yet."""
    for code in homes:
        check_centre(code)
    make(where)
    database = Database(where)
    try:
        with database.transaction(first.centres, write=True) as connection:
            known = set(connection.execute(sa.select(centres.c.code)).scalars())
            if connection.execute(sa.select(users)).first() is not None:
                return
            for code, (en, zh) in homes.items():
                if code not in known:
                    connection.execute(sa.insert(centres).values(code=code, en=en, zh=zh))
            _enter(connection, first)
            audit.append(connection, first, "manage", [], {"created": sorted(homes), "user": first.user})
    finally:
        database.close()


def add_centre(database: Database, access: Access, code: str, names: Names) -> None:
    """Enter a centre, with its name in English and Chinese."""
    access.require("manage")
    check_centre(code)
    with database.transaction(access.centres, write=True) as connection:
        if connection.execute(sa.select(centres).where(centres.c.code == code)).first() is not None:
            raise UsageError(f"there is a centre {code!r} already")
        connection.execute(sa.insert(centres).values(code=code, en=names[0], zh=names[1]))
        audit.append(connection, access, "manage", [], {"centre": code})


def set_user(database: Database, access: Access, name: str, roles: Iterable[str], homes: Iterable[str], active: bool = True) -> None:
    """Enter a user, or change roles, centres, and whether the account is in use."""
    access.require("manage")
    given = Access(name, roles, homes)
    with database.transaction(access.centres, write=True) as connection:
        known = set(connection.execute(sa.select(centres.c.code)).scalars())
        for code in given.centres:
            if code not in known:
                raise UsageError(f"there is no centre {code!r}", expected=", ".join(sorted(known)))
        _enter(connection, given, active)
        said = {"user": name, "roles": list(given.roles), "centres": list(given.centres), "active": active}
        audit.append(connection, access, "manage", [], said)


def access_of(database: Database, name: str) -> Access:
    """What a user may do; AccessError for one who is not known or no longer active."""
    with database.transaction() as connection:
        row = connection.execute(sa.select(users).where(users.c.name == name)).one_or_none()
    if row is None or not row.active:
        raise AccessError(f"{name!r} is not a user of this registry", expected="a user that an administrator has entered")
    return Access(row.name, row.roles, row.centres)


def centre_names(database: Database) -> dict[str, Names]:
    """The centres: code → English and Chinese name."""
    with database.transaction() as connection:
        return {row.code: (row.en, row.zh) for row in connection.execute(sa.select(centres).order_by(centres.c.code))}


def secret(database: Database, name: str) -> bytes:
    """A secret of this registry."""
    with database.transaction() as connection:
        return bytes.fromhex(connection.execute(sa.select(secrets.c.value).where(secrets.c.name == name)).scalar_one())


def _enter(connection: sa.Connection, given: Access, active: bool = True) -> None:
    values = {"roles": list(given.roles), "centres": list(given.centres), "active": active}
    if connection.execute(sa.update(users).where(users.c.name == given.user).values(**values)).rowcount == 0:
        connection.execute(sa.insert(users).values(name=given.user, **values))
