"""Whom an access reaches: the one place where own and shared are told from other, the same on both databases."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from ..errors import UsageError
from . import clock
from .access import Access
from .errors import AccessError
from .models import persons, shares


def reached(access: Access, action: str, centres: Sequence[str] | None = None) -> sa.Select:
    """The ids of the persons on whom the action is allowed; AccessError if it is allowed nowhere.

    `centres`: only what these of the user's centres own or are given to share.
    """
    reach, within = access.require(action), access.within(centres)
    own = persons.c.centre.in_(within)
    if reach == "own":
        return sa.select(persons.c.id).where(own)
    now = clock.now()
    given = sa.select(shares.c.person).where(
        shares.c.centre.in_(within), shares.c.since <= now, sa.or_(shares.c.until.is_(None), shares.c.until > now)
    )
    return sa.select(persons.c.id).where(sa.or_(own, persons.c.id.in_(given)))


def person_of(connection: sa.Connection, access: Access, action: str, patient: str, centre: str | None = None) -> sa.Row:
    """The id and the home centre of a patient; AccessError if there is none within reach.

    UsageError if two centres use the same key and `centre` does not say which is meant.
    """
    found = sa.select(persons.c.id, persons.c.centre).where(persons.c.patient == patient, persons.c.id.in_(reached(access, action)))
    rows = connection.execute(found.where(persons.c.centre == centre) if centre else found).all()
    if not rows:
        raise AccessError(f"there is no patient {patient!r} whom {access.user} may {action}")
    if len(rows) > 1:
        raise UsageError(
            f"patient {patient!r} is in several centres", expected=f"the centre: {', '.join(sorted(row.centre for row in rows))}"
        )
    return rows[0]
