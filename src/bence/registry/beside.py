"""Verdicts, decisions and invitations against the audit: their entries say what was written, so rows altered behind its back are found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from .clinical import decisions, invitations, verdicts
from .models import audit

ENTERED = {  # action → what a row is called in its entry, its table, and columns that the entry calls otherwise
    "judge": ("verdict", verdicts, {}),
    "decide": ("decision", decisions, {"why": "text"}),
    "invite": ("invitation", invitations, {}),
}


def altered(connection: sa.Connection) -> tuple[int, str] | None:
    """The first entry whose row is not what it says (0: there is a row of which none tells), and what is wrong."""
    for action, (called, table, others) in ENTERED.items():
        rows = {row["id"]: row for row in connection.execute(sa.select(table)).mappings()}
        entries = sa.select(audit.c.id, audit.c.who, audit.c.persons, audit.c.detail).where(audit.c.action == action).order_by(audit.c.id)
        for entry in connection.execute(entries):
            said = json.loads(entry.detail)
            number = said.get(called)
            row = rows.pop(number, None)
            if row is None:
                return entry.id, f"{called} {number} is missing"
            if _differs(row, {others.get(name, name): value for name, value in said.items()} | {"who": entry.who}):
                return entry.id, f"{called} {number} was altered"
            if str(row["person"]) != entry.persons:
                return entry.id, f"{called} {number} is of another patient"
        if rows:
            return 0, f"{called} {min(rows)} was never entered"
    return None


def _differs(row: Mapping[Any, Any], said: Mapping[str, Any]) -> bool:
    """Does a column say something else than the entry? What the entry does not mention is not compared."""
    return any(name in row and _plain(row[name]) != value for name, value in said.items())


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
