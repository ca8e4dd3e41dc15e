"""Accounts: passwords that must be changed, sessions, attempts to sign in, and the secrets of this registry."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.Text


def upgrade() -> None:
    """Make the tables, and draw the secret from which the handles of patients are made."""
    op.add_column("users", sa.Column("password_expired", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "sessions",
        sa.Column("token_hash", TEXT, primary_key=True),
        sa.Column("user", TEXT, sa.ForeignKey("users.name"), nullable=False),
        sa.Column("csrf", TEXT, nullable=False),
        sa.Column("since", TEXT, nullable=False),
        sa.Column("seen", TEXT, nullable=False),
        sa.Column("ended", TEXT),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("whose", TEXT, nullable=False),
        sa.Column("whence", TEXT, nullable=False),
    )
    op.create_index("attempts_at", "attempts", ["at"])
    made = op.create_table("secrets", sa.Column("name", TEXT, primary_key=True), sa.Column("value", TEXT, nullable=False))
    op.bulk_insert(made, [{"name": "handles", "value": secrets.token_hex(32)}])
    counters = sa.table("counters", sa.column("name", TEXT), sa.column("last", sa.BigInteger))
    op.bulk_insert(counters, [{"name": "attempts", "last": 0}])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("grant select, insert on sessions, attempts to bence_app")
        op.execute("grant update (seen, ended) on sessions to bence_app")
        op.execute("grant delete on attempts to bence_app")
        op.execute("grant select on secrets to bence_app")
