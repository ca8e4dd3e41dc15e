"""Cells that an import refused, and the last change of every person; what was kept of a patient may give way to what is made later."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXT, BIG = sa.Text, sa.BigInteger
CHART = ("patients", "observations", "treatments", "events")


def upgrade() -> None:
    """Make the tables, fill the second from the versions, then the guards of this kind of database."""
    op.create_table(
        "refused_cells",
        sa.Column("change", BIG, primary_key=True, autoincrement=False),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("centres", TEXT, nullable=False),
        sa.Column("file", TEXT),
        sa.Column("line", BIG),
        *(sa.Column(name, TEXT) for name in ("column", "value", "reason", "expected", "nearest")),
    )
    op.create_table(
        "last_changes",
        sa.Column("person", BIG, sa.ForeignKey("persons.id"), primary_key=True, autoincrement=False),
        sa.Column("change", BIG, nullable=False),
        sa.Index("last_changes_change", "change"),
    )
    postgres = op.get_bind().dialect.name == "postgresql"
    if postgres:  # its policies hide the rows even from the owner of the tables
        for table in (*CHART, "persons"):
            op.execute(f"alter table {table} no force row level security")
    every = " union all ".join(f"select person, coalesce(to_change, from_change) as change from {table}" for table in CHART)
    op.execute(f"insert into last_changes (person, change) select person, max(change) from ({every}) as touched group by person")
    if postgres:
        for table in (*CHART, "persons"):
            op.execute(f"alter table {table} force row level security")
        _guard_postgres()
    else:
        _guard_sqlite()


def _guard_sqlite() -> None:
    for when in ("delete", "update"):
        op.execute(
            f"create trigger refused_cells_{when} before {when} on refused_cells begin select raise(abort, 'nothing is changed here'); end"
        )


def _guard_postgres() -> None:
    """Refused cells name patients: they are for who has every centre of the user who imported. A last change names nobody."""
    op.execute("grant delete on findings to bence_app")
    op.execute("grant select, insert on refused_cells, last_changes to bence_app")
    op.execute("grant update (change) on last_changes to bence_app")
    op.execute("alter table refused_cells enable row level security")
    op.execute("alter table refused_cells force row level security")
    own = "string_to_array(centres, ',') <@ string_to_array(current_setting('app.centres', true), ',')"
    op.execute(f"create policy seen on refused_cells using ({own})")
