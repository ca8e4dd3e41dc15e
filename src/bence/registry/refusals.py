"""Refused attempts: what was beyond the rights of a user is entered into the audit, though nothing came of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import sqlalchemy as sa

from . import audit
from .access import Access
from .database import Database
from .errors import AccessError
from .models import persons

TOLD = (
    "table", "row", "version", "change", "centre", "centres", "with_centre", "to_centre", "share", "meeting", "item", "invitation",
    "number",
)  # fmt: skip
WHOM = ("patient", "keep", "duplicate")
Stored = TypeVar("Stored")


def refusals_entered(store: type[Stored]) -> type[Stored]:
    """Let every method of a store that takes an `access` enter its refusals."""
    for name, method in list(vars(store).items()):
        if not name.startswith("_") and inspect.isfunction(method) and list(inspect.signature(method).parameters)[1:2] == ["access"]:
            setattr(store, name, _entering(method))
    return store


def _entering(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def attempted(self: Any, access: Access, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, access, *args, **kwargs)
        except AccessError:
            given = inspect.signature(method).bind(self, access, *args, **kwargs).arguments
            _enter(self._database, access, method.__name__, given)
            raise

    return attempted


def _enter(database: Database, access: Access, tried: str, given: Mapping[str, Any]) -> None:
    """Enter what was tried, with numbers and codes but no key of a patient, and about whom, as far as the keys tell."""
    said = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items() if name in TOLD and value is not None}
    keys = [given[name] for name in WHOM if given.get(name) is not None]
    with database.everywhere(write=True) as connection:
        audit.append(connection, access, "refused", _meant(connection, access, keys), {"tried": tried, **said})


def _meant(connection: sa.Connection, access: Access, keys: list[str]) -> set[int]:
    """The persons with these keys: of the user's own centres if there are any, else wherever they are."""
    rows = connection.execute(sa.select(persons.c.id, persons.c.centre, persons.c.patient).where(persons.c.patient.in_(keys))).all()
    found = set()
    for key in keys:
        mine = {row.id for row in rows if row.patient == key and row.centre in access.centres}
        found |= mine or {row.id for row in rows if row.patient == key}
    return found
