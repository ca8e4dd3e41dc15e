"""The tables, and what protects them. There is no way back: an older registry is restored from its backup."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT, DATE, REAL, WHOLE, FLAG, BIG = sa.Text, sa.Date, sa.Double, sa.Integer, sa.Boolean, sa.BigInteger
CHART = {
    "patients": {
        "sex": TEXT, "born_on": TEXT, "heavy_chain": TEXT, "light_chain": TEXT, "died_on": DATE, "death_cause": TEXT,
        "last_seen_on": DATE,
    },
    "observations": {
        "on": DATE, "what": TEXT, "value": REAL, "comparator": TEXT, "text": TEXT, "unit": TEXT, "method": TEXT, "sample": TEXT,
        "detection_limit": REAL, "cells": REAL, "status": TEXT, "recorded_on": DATE, "source": TEXT,
    },
    "treatments": {
        "started_on": DATE, "stopped_on": DATE, "what": TEXT, "dose": REAL, "dose_unit": TEXT, "route": TEXT, "phase": TEXT,
        "line": WHOLE, "planned": FLAG, "stop_reason": TEXT, "recorded_on": DATE, "source": TEXT,
    },
    "events": {
        "on": DATE, "until": DATE, "what": TEXT, "grade": WHOLE, "text": TEXT, "recorded_on": DATE, "source": TEXT,
    },
}  # fmt: skip
COUNTED = (*CHART, "persons", "shares", "changes", "audit")


def upgrade() -> None:
    """Make all tables, then the guards of this kind of database."""
    _people()
    _versions()
    _records()
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgres()


def _text(name: str, null: bool = False) -> sa.Column:
    return sa.Column(name, TEXT, nullable=null)


def _id(name: str = "id") -> sa.Column:
    return sa.Column(name, BIG, primary_key=True, autoincrement=False)


def _people() -> None:
    op.create_table("centres", sa.Column("code", TEXT, primary_key=True), _text("en", True), _text("zh", True))
    op.create_table(
        "users",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("centres", sa.JSON, nullable=False),
        _text("password_hash", True),
        sa.Column("active", FLAG, nullable=False),
    )
    op.create_table(
        "persons",
        _id(),
        sa.Column("centre", TEXT, sa.ForeignKey("centres.code"), nullable=False),
        _text("patient"),
        sa.UniqueConstraint("centre", "patient", name="persons_key"),
        sa.UniqueConstraint("id", "centre", name="persons_home"),
    )
    op.create_table(
        "shares",
        _id(),
        sa.Column("person", BIG, nullable=False),
        _text("home"),
        sa.Column("centre", TEXT, sa.ForeignKey("centres.code"), nullable=False),
        _text("since"),
        _text("until", True),
        _text("consent"),
        sa.ForeignKeyConstraint(["person", "home"], ["persons.id", "persons.centre"], name="shares_home"),
    )
    op.create_index("shares_person", "shares", ["person"])


def _versions() -> None:
    """The versions. That their person is there is a foreign key on SQLite; on PostgreSQL the policy, which looks anyway, sees to it."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table, columns in CHART.items():
        op.create_table(
            table,
            _id(),
            sa.Column("version", WHOLE, primary_key=True, autoincrement=False),
            sa.Column("from_change", BIG, nullable=False),
            sa.Column("to_change", BIG),
            sa.Column("person", BIG, *([sa.ForeignKey("persons.id")] if sqlite else []), nullable=False),
            *(sa.Column(name, kind) for name, kind in columns.items()),
        )
        op.create_index(f"{table}_person", table, ["person"])


def _records() -> None:
    op.create_table(
        "changes", _id(), _text("at"), _text("who"), _text("kind"), _text("why"),
        sa.Column("undoes", BIG, unique=True), sa.Column("rows", WHOLE, nullable=False),
    )  # fmt: skip
    names = ("at", "who", "roles", "action", "persons", "detail", "previous", "hash")
    op.create_table("audit", _id(), *(_text(name) for name in names))
    op.create_table(
        "findings",
        sa.Column("person", BIG, sa.ForeignKey("persons.id"), primary_key=True),
        sa.Column("key", TEXT, primary_key=True),
        sa.Column("name", TEXT, primary_key=True),
        _text("made_at"),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    made = op.create_table("counters", sa.Column("name", TEXT, primary_key=True), sa.Column("last", BIG, nullable=False))
    op.bulk_insert(made, [{"name": name, "last": 0} for name in COUNTED])


def _guard_sqlite() -> None:
    """Nothing is deleted; a version is only ever closed, once; audit and changes are never touched again."""
    for table in (*CHART, "persons", "shares", "changes", "audit"):
        op.execute(f"create trigger {table}_stays before delete on {table} begin select raise(abort, 'nothing is deleted here'); end")
    for table in ("persons", "changes", "audit"):
        op.execute(f"create trigger {table}_kept before update on {table} begin select raise(abort, 'nothing is changed here'); end")
    for table, columns in CHART.items():
        names = ", ".join(f'"{name}"' for name in ("id", "version", "from_change", "person", *columns))
        op.execute(f"create trigger {table}_kept before update of {names} on {table} begin select raise(abort, 'a version stays'); end")
        op.execute(
            f"create trigger {table}_closed before update of to_change on {table} when old.to_change is not null"
            " begin select raise(abort, 'a version is closed once'); end"
        )


def _guard_postgres() -> None:
    """The role of the application, what it is granted, and the policies that show it the patients of its centres only."""
    op.execute("do $$ begin create role bence_app nologin; exception when duplicate_object or unique_violation then null; end $$")
    op.execute("grant bence_app to current_user")
    op.execute("grant usage on schema public to bence_app")
    for table in ("centres", "users", "persons", "shares", *CHART, "changes", "audit", "findings", "counters", "alembic_version"):
        op.execute(f"grant select on {table} to bence_app")
    for table in ("centres", "users", "persons", "shares", *CHART, "changes", "audit", "findings"):
        op.execute(f"grant insert on {table} to bence_app")
    op.execute("grant update on users, centres to bence_app")
    op.execute("grant update (until) on shares to bence_app")
    op.execute("grant update (last) on counters to bence_app")
    for table in CHART:
        op.execute(f"grant update (to_change) on {table} to bence_app")
    for table in ("persons", "shares", *CHART, "findings"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
    own = "{} = any (string_to_array(current_setting('app.centres', true), ','))"
    now = """to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') collate "C\""""
    shared = (
        f"exists (select 1 from shares s where s.person = persons.id and {own.format('s.centre')}"
        f' and s.since collate "C" <= {now} and (s.until is null or s.until collate "C" > {now}))'
    )
    op.execute(f"create policy seen on persons for select using ({own.format('centre')} or {shared})")
    op.execute(f"create policy taken_in on persons for insert with check ({own.format('centre')})")
    op.execute(f"create policy seen on shares for select using ({own.format('home')} or {own.format('centre')})")
    op.execute(f"create policy given on shares for insert with check ({own.format('home')})")
    op.execute(f"create policy ended on shares for update using ({own.format('home')})")
    for table in (*CHART, "findings"):
        op.execute(f"create policy seen on {table} using (exists (select 1 from persons p where p.id = {table}.person))")
