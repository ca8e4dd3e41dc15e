"""The tables of the clinical work around the charts: verdicts, meetings, questionnaires, and persons who go on as others.

Like the chart they only grow. What may change later, once: an invitation is used or withdrawn, a move is taken back.
"""

from __future__ import annotations

import sqlalchemy as sa

from .models import METADATA


def _id() -> sa.Column:
    return sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False)


def _text(name: str, null: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=null)


def _person() -> sa.Column:
    return sa.Column("person", sa.BigInteger, sa.ForeignKey("persons.id"), nullable=False)


verdicts = sa.Table(
    "verdicts",
    METADATA,
    _id(),
    _person(),
    _text("finding"),
    sa.Column("line", sa.Integer),
    sa.Column("on", sa.Date),
    _text("value", null=True),
    _text("derived", null=True),
    _text("why"),
    _text("who"),
    _text("at"),
    sa.Index("verdicts_person", "person"),
)
meetings = sa.Table(
    "meetings",
    METADATA,
    _id(),
    sa.Column("centre", sa.Text, sa.ForeignKey("centres.code"), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    _text("title"),
    _text("who"),
    _text("at"),
)
agenda = sa.Table(
    "agenda",
    METADATA,
    _id(),
    sa.Column("meeting", sa.BigInteger, sa.ForeignKey("meetings.id"), nullable=False),
    _person(),
    _text("asked"),
    sa.Column("position", sa.Integer, nullable=False),
    _text("who"),
    _text("at"),
    sa.Index("agenda_person", "person"),
)
decisions = sa.Table(
    "decisions",
    METADATA,
    _id(),
    sa.Column("item", sa.BigInteger, sa.ForeignKey("agenda.id"), nullable=False),
    _person(),
    _text("question"),
    _text("option", null=True),
    _text("text"),
    _text("reasons"),
    sa.Column("attendants", sa.JSON, nullable=False),
    sa.Column("event", sa.BigInteger, nullable=False),
    _text("who"),
    _text("at"),
    sa.Index("decisions_person", "person"),
)
invitations = sa.Table(
    "invitations",
    METADATA,
    _id(),
    sa.Column("person", sa.BigInteger, nullable=False),
    _text("home"),
    _text("questionnaire"),
    _text("lang"),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    _text("who"),
    _text("at"),
    _text("expires"),
    _text("used_at", null=True),
    _text("withdrawn_at", null=True),
    sa.ForeignKeyConstraint(["person", "home"], ["persons.id", "persons.centre"], name="invitations_home"),
)
moves = sa.Table(
    "moves",
    METADATA,
    _id(),
    sa.Column("change", sa.BigInteger, nullable=False),
    sa.Column("to_change", sa.BigInteger),
    sa.Column("from_person", sa.BigInteger, nullable=False),
    _text("from_centre"),
    sa.Column("to_person", sa.BigInteger, nullable=False),
    _text("to_centre"),
    _text("consent", null=True),
    _text("at"),
    sa.ForeignKeyConstraint(["from_person", "from_centre"], ["persons.id", "persons.centre"], name="moves_from"),
    sa.ForeignKeyConstraint(["to_person", "to_centre"], ["persons.id", "persons.centre"], name="moves_to"),
    sa.Index("moves_from_person", "from_person"),
    sa.Index("moves_to_person", "to_person"),
)
