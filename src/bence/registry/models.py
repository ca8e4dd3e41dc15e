"""The tables of a registry, the same on SQLite and PostgreSQL.

The four tables of the chart keep every version of a row: a version holds from the change `from_change` until the change
`to_change` (null: it holds now). Who, when and why is said once, in `changes`. Nothing is ever updated but `to_change`.
Instants are texts like 2026-11-22T09:30:00.000000Z: they sort, and their hash is the same on every database.
"""

from __future__ import annotations

import polars as pl
import sqlalchemy as sa

from ..chart import SCHEMA, TABLES

APP_ROLE = "bence_app"  # PostgreSQL: the role under which every transaction runs
TYPES = {pl.String: sa.Text, pl.Date: sa.Date, pl.Float64: sa.Double, pl.Int32: sa.Integer, pl.Boolean: sa.Boolean}
OF_THE_PERSON = ("patient", "centre")  # kept in `persons`, not in the versions
METADATA = sa.MetaData()


def columns_of(table: str) -> list[str]:
    """The columns of a table of the chart that every version holds."""
    return [name for name in SCHEMA[table] if name not in OF_THE_PERSON]


def _versions(table: str) -> sa.Table:
    made = sa.Table(
        table,
        METADATA,
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("from_change", sa.BigInteger, nullable=False),
        sa.Column("to_change", sa.BigInteger),
        sa.Column("person", sa.BigInteger, nullable=False),  # is in `persons`: a foreign key on SQLite, the policy on PostgreSQL
        *(sa.Column(name, TYPES[type(SCHEMA[table][name])]) for name in columns_of(table)),
    )
    sa.Index(f"{table}_person", made.c.person)
    sa.Index(f"{table}_begun", made.c.from_change)
    ended = sa.text("to_change is not null")
    sa.Index(f"{table}_ended", made.c.to_change, sqlite_where=ended, postgresql_where=ended)
    return made


centres = sa.Table("centres", METADATA, sa.Column("code", sa.Text, primary_key=True), sa.Column("en", sa.Text), sa.Column("zh", sa.Text))
users = sa.Table(
    "users",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("roles", sa.JSON, nullable=False),
    sa.Column("centres", sa.JSON, nullable=False),
    sa.Column("password_hash", sa.Text),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("password_expired", sa.Boolean, nullable=False, server_default=sa.false()),
)
sessions = sa.Table(
    "sessions",
    METADATA,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, sa.ForeignKey("users.name"), nullable=False),
    sa.Column("csrf", sa.Text, nullable=False),
    sa.Column("since", sa.Text, nullable=False),
    sa.Column("seen", sa.Text, nullable=False),
    sa.Column("ended", sa.Text),
)
attempts = sa.Table(
    "attempts",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("whose", sa.Text, nullable=False),
    sa.Column("whence", sa.Text, nullable=False),
    sa.Index("attempts_at", "at"),
)
secrets = sa.Table("secrets", METADATA, sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False))
persons = sa.Table(
    "persons",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("centre", sa.Text, sa.ForeignKey("centres.code"), nullable=False),
    sa.Column("patient", sa.Text, nullable=False),
    sa.UniqueConstraint("centre", "patient", name="persons_key"),
    sa.UniqueConstraint("id", "centre", name="persons_home"),
)
shares = sa.Table(
    "shares",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("person", sa.BigInteger, nullable=False),
    sa.Column("home", sa.Text, nullable=False),
    sa.Column("centre", sa.Text, sa.ForeignKey("centres.code"), nullable=False),
    sa.Column("since", sa.Text, nullable=False),
    sa.Column("until", sa.Text),
    sa.Column("consent", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["person", "home"], ["persons.id", "persons.centre"], name="shares_home"),
    sa.Index("shares_person", "person"),
)
changes = sa.Table(
    "changes",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("undoes", sa.BigInteger, unique=True),
    sa.Column("rows", sa.Integer, nullable=False),
)
audit = sa.Table(
    "audit",
    METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("roles", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("persons", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
findings = sa.Table(
    "findings",
    METADATA,
    sa.Column("person", sa.BigInteger, sa.ForeignKey("persons.id"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("made_at", sa.Text, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
refused_cells = sa.Table(
    "refused_cells",
    METADATA,
    sa.Column("change", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("centres", sa.Text, nullable=False),  # those of the user who imported, with commas
    *(sa.Column(name, sa.BigInteger if name == "line" else sa.Text) for name in SCHEMA["rejected"]),
)
last_changes = sa.Table(
    "last_changes",
    METADATA,
    sa.Column("person", sa.BigInteger, sa.ForeignKey("persons.id"), primary_key=True, autoincrement=False),
    sa.Column("change", sa.BigInteger, nullable=False),
    sa.Index("last_changes_change", "change"),
)
counters = sa.Table("counters", METADATA, sa.Column("name", sa.Text, primary_key=True), sa.Column("last", sa.BigInteger, nullable=False))
VERSIONS = {table: _versions(table) for table in TABLES}
COUNTED = (*VERSIONS, "persons", "shares", "changes", "audit", "attempts")
