"""Whom an access reaches: the one place where own and shared are told from other, the same on both databases."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from ..errors import UsageError
from . import clock
from .access import Access
from .clinical import moves
from .errors import AccessError
from .models import persons, shares


def reached(access: Access, action: str, centres: Sequence[str] | None = None) -> sa.Select:
    """The ids of the persons on whom the action is allowed; AccessError if it is allowed nowhere.

    `centres`: only what these of the user's centres own or are given to share.
    """
    return sa.select(persons.c.id).where(is_reached(access, action, centres))


def is_reached(access: Access, action: str, centres: Sequence[str] | None = None) -> sa.ColumnElement[bool]:
    """Is the action allowed on this row of `persons`? To ask of one patient; `reached` lists all of them first."""
    reach, within = access.require(action), access.within(centres)
    own = persons.c.centre.in_(within)
    if reach == "own":
        return own
    now = clock.now()
    given = sa.select(shares.c.person).where(
        shares.c.centre.in_(within), shares.c.since <= now, sa.or_(shares.c.until.is_(None), shares.c.until > now)
    )
    return sa.or_(own, persons.c.id.in_(given))


def lineage(who_of: sa.Select) -> sa.Select:
    """The ids of persons and of whoever goes on as one of them."""
    former = sa.select(moves.c.from_person).where(moves.c.to_change.is_(None), moves.c.to_person.in_(who_of))
    return sa.select(persons.c.id).where(sa.or_(persons.c.id.in_(who_of), persons.c.id.in_(former)))


def goes_on_as(connection: sa.Connection, person: int) -> sa.Row | None:
    """The move by which a person goes on as another; None for who is still the same."""
    return connection.execute(sa.select(moves).where(moves.c.from_person == person, moves.c.to_change.is_(None))).one_or_none()


def person_of(
    connection: sa.Connection, access: Access, action: str, patient: str, centre: str | None = None, past: bool = False
) -> sa.Row:
    """The id and the home centre of a patient; AccessError if there is none within reach.

    UsageError if two centres use the same key and `centre` does not say which is meant, and for a key under which a patient
    was formerly kept, unless the `past` is asked for.
    """
    found = sa.select(persons.c.id, persons.c.centre).where(persons.c.patient == patient, is_reached(access, action))
    rows = connection.execute(found.where(persons.c.centre == centre) if centre else found).all()
    if not rows:
        raise AccessError(f"there is no patient {patient!r} whom {access.user} may {action}")
    if not past:
        rows = [row for row in rows if goes_on_as(connection, row.id) is None] or rows
    if len(rows) > 1:
        raise UsageError(
            f"patient {patient!r} is in several centres", expected=f"the centre: {', '.join(sorted(row.centre for row in rows))}"
        )
    if not past and (move := goes_on_as(connection, rows[0].id)):
        said = _whither(connection, access, action, move)
        raise UsageError(f"patient {patient!r} {said}", expected="the present key, or an earlier time")
    return rows[0]


def _whither(connection: sa.Connection, access: Access, action: str, move: sa.Row) -> str:
    """Where a person goes on; under which key only for those who reach there."""
    found = sa.select(persons.c.patient).where(persons.c.id == move.to_person, is_reached(access, action))
    key = connection.execute(found).scalar_one_or_none()
    elsewhere = move.to_centre != move.from_centre
    if key is None:
        return "was transferred to another centre" if elsewhere else "goes on under another key"
    return f"goes on as {key!r}" + (f" in centre {move.to_centre!r}" if elsewhere else "")
