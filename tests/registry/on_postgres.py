"""What the tests say to the server of PostgreSQL itself."""

from itertools import count

import sqlalchemy as sa

NUMBERS = count(1)  # of databases, so that each has a name of its own
PUT_BACK = """
do $$ declare name text;
begin
    perform pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid();
    set local session_replication_role = replica;  -- no trigger, no foreign key
    for name in select tablename from pg_tables where schemaname = 'kept' loop
        execute format('delete from public.%I', name);
        execute format('insert into public.%I table kept.%I', name, name);
    end loop;
end $$
"""


def _engine(where, **options):
    return sa.create_engine(where.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool, **options)


def run(server, statement):
    """Run a statement outside of a transaction, as the owner of the server."""
    with _engine(f"{server}/postgres", isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(sa.text(statement))


def keep_rows(where):
    """Note every row of a database, so that `put_back` can make it as it is now."""
    with _engine(where).begin() as connection:
        connection.execute(sa.text("create schema kept"))
        for name in sa.inspect(connection).get_table_names("public"):
            connection.execute(sa.text(f'create table kept."{name}" as table public."{name}"'))


def put_back(where):
    """Every row as it was noted and no other, nobody connected: cheaper than another database."""
    with _engine(where).begin() as connection:
        connection.execute(sa.text(PUT_BACK))
