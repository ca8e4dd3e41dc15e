"""Verdicts, meetings and their decisions, questionnaires by link, and persons who go on as others; indices for the audit of content."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT, DATE, WHOLE, BIG = sa.Text, sa.Date, sa.Integer, sa.BigInteger
CHART = ("patients", "observations", "treatments", "events")
OF_PERSONS = ("verdicts", "agenda", "decisions", "invitations")
MADE = ("verdicts", "meetings", "agenda", "decisions", "invitations", "moves")
ONCE = {"invitations": ("used_at", "withdrawn_at"), "moves": ("to_change",)}  # what may be written later, once


def upgrade() -> None:
    """Make the tables, then the guards of this kind of database."""
    _around_the_chart()
    _invitations()
    _moves()
    for table in CHART:
        op.create_index(f"{table}_begun", table, ["from_change"])
        ended = sa.text("to_change is not null")
        op.create_index(f"{table}_ended", table, ["to_change"], sqlite_where=ended, postgresql_where=ended)
    counters = sa.table("counters", sa.column("name", TEXT), sa.column("last", BIG))
    op.bulk_insert(counters, [{"name": name, "last": 0} for name in MADE])
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgres()


def _text(name: str, null: bool = False) -> sa.Column:
    return sa.Column(name, TEXT, nullable=null)


def _id() -> sa.Column:
    return sa.Column("id", BIG, primary_key=True, autoincrement=False)


def _whole(name: str, *more: sa.ForeignKey, null: bool = False) -> sa.Column:
    return sa.Column(name, BIG, *more, nullable=null)


def _around_the_chart() -> None:
    op.create_table(
        "verdicts", _id(), _whole("person", sa.ForeignKey("persons.id")), _text("finding"), sa.Column("line", WHOLE), sa.Column("on", DATE),
        _text("value", True), _text("derived", True), _text("why"), _text("who"), _text("at"),
    )  # fmt: skip
    op.create_table(
        "meetings", _id(), sa.Column("centre", TEXT, sa.ForeignKey("centres.code"), nullable=False),
        sa.Column("day", DATE, nullable=False), _text("title"), _text("who"), _text("at"),
    )  # fmt: skip
    op.create_table(
        "agenda", _id(), _whole("meeting", sa.ForeignKey("meetings.id")), _whole("person", sa.ForeignKey("persons.id")), _text("asked"),
        sa.Column("position", WHOLE, nullable=False), _text("who"), _text("at"),
    )  # fmt: skip
    op.create_table(
        "decisions", _id(), _whole("item", sa.ForeignKey("agenda.id")), _whole("person", sa.ForeignKey("persons.id")),
        _text("question"), _text("option", True), _text("text"), _text("reasons"), sa.Column("attendants", sa.JSON, nullable=False),
        _whole("event"), _text("who"), _text("at"),
    )  # fmt: skip
    for table in ("verdicts", "agenda", "decisions"):
        op.create_index(f"{table}_person", table, ["person"])


def _invitations() -> None:
    op.create_table(
        "invitations", _id(), _whole("person"), _text("home"), _text("questionnaire"), _text("lang"),
        sa.Column("hash", TEXT, nullable=False, unique=True), _text("who"), _text("at"), _text("expires"), _text("used_at", True),
        _text("withdrawn_at", True),
        sa.ForeignKeyConstraint(["person", "home"], ["persons.id", "persons.centre"], name="invitations_home"),
    )  # fmt: skip


def _moves() -> None:
    op.create_table(
        "moves", _id(), _whole("change"), _whole("to_change", null=True), _whole("from_person"), _text("from_centre"),
        _whole("to_person"), _text("to_centre"), _text("consent", True), _text("at"),
        sa.ForeignKeyConstraint(["from_person", "from_centre"], ["persons.id", "persons.centre"], name="moves_from"),
        sa.ForeignKeyConstraint(["to_person", "to_centre"], ["persons.id", "persons.centre"], name="moves_to"),
    )  # fmt: skip
    for end in ("from_person", "to_person"):
        op.create_index(f"moves_{end}", "moves", [end])


def _guard_sqlite() -> None:
    """Nothing is deleted, nothing altered; what may be written later is written once."""
    for table in MADE:
        op.execute(f"create trigger {table}_stays before delete on {table} begin select raise(abort, 'nothing is deleted here'); end")
        later = ONCE.get(table, ())
        fixed = [f'"{column["name"]}"' for column in sa.inspect(op.get_bind()).get_columns(table) if column["name"] not in later]
        op.execute(
            f"create trigger {table}_kept before update of {', '.join(fixed)} on {table}"
            " begin select raise(abort, 'nothing is changed here'); end"
        )
        for name in later:
            op.execute(
                f"create trigger {table}_{name}_once before update of {name} on {table} when old.{name} is not null"
                " begin select raise(abort, 'nothing is changed here'); end"
            )


def _guard_postgres() -> None:
    """Grants and policies. Who goes on as another is seen by whoever sees the other; an invitation also by the hash of its token."""
    for table in MADE:
        op.execute(f"grant select, insert on {table} to bence_app")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
    for table, names in ONCE.items():
        op.execute(f"grant update ({', '.join(names)}) on {table} to bence_app")
    own = "{} = any (string_to_array(current_setting('app.centres', true), ','))"
    now = """to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') collate "C\""""
    shared = (
        f"exists (select 1 from shares s where s.person = {{}} and {own.format('s.centre')}"
        f' and s.since collate "C" <= {now} and (s.until is null or s.until collate "C" > {now}))'
    )
    taken_over = f"{own.format('to_centre')} or {shared.format('to_person')}"
    op.execute(f"create policy seen on moves for select using ({own.format('from_centre')} or {taken_over})")
    op.execute(f"create policy made on moves for insert with check ({own.format('from_centre')} and {own.format('to_centre')})")
    op.execute(f"create policy ended on moves for update using ({own.format('from_centre')} or {own.format('to_centre')})")
    former = f"exists (select 1 from moves m where m.from_person = persons.id and m.to_change is null and ({taken_over}))"
    op.execute("drop policy seen on persons")
    op.execute(f"create policy seen on persons for select using ({own.format('centre')} or {shared.format('persons.id')} or {former})")
    for table in OF_PERSONS:
        op.execute(f"create policy seen on {table} using (exists (select 1 from persons p where p.id = {table}.person))")
    op.execute("create policy by_token on invitations for select using (hash = nullif(current_setting('app.token', true), ''))")
    on_agenda = "exists (select 1 from agenda a where a.meeting = meetings.id)"
    op.execute(f"create policy seen on meetings for select using ({own.format('centre')} or {on_agenda})")
    op.execute(f"create policy planned on meetings for insert with check ({own.format('centre')})")
