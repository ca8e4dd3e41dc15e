"""Instants as the registry writes them: UTC, to the microsecond, a text that sorts."""

from __future__ import annotations

from datetime import UTC, datetime

from ..errors import UsageError

FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


def now() -> str:
    """The present instant."""
    return datetime.now(UTC).strftime(FORM)


def instant(given: datetime | str) -> str:
    """A moment as an instant; UsageError if it does not say its time zone.

    >>> instant("2026-11-22T17:30:00+08:00")
    '2026-11-22T09:30:00.000000Z'
    """
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else given
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(f"{given!s} is not a moment", expected="date, time and time zone, such as 2026-11-22T17:30:00+08:00")
    return moment.astimezone(UTC).strftime(FORM)
