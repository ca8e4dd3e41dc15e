"""A database of either kind: how it is opened, made and migrated, and what every transaction starts with.

SQLite: one file, WAL, foreign keys on, one writer at a time. PostgreSQL: every transaction runs as the role `bence_app`, which
owns nothing, and tells the row-level policies the centres of its user.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from ..errors import UsageError
from .models import APP_ROLE, centres, counters

MIGRATIONS = Path(__file__).parent / "migrations"
INIT = "bence registry init"
WAIT_MS = 60_000  # for another writer
_BEGIN = sa.text("select set_config('role', :role, true), set_config('jit', 'off', true), set_config('app.centres', :centres, true)")


class Database:
    """A registry's database; UsageError if there is none there, or one of another version."""

    def __init__(self, where: str | Path) -> None:
        url = url_of(where)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
            raise UsageError(f"there is no registry {str(where)!r}", expected=f"one made by `{INIT}`")
        self.engine = _engine(url)
        self._writing = threading.Lock()
        self.told: Callable[[set[int]], None] = lambda persons: None  # who is told whom a change touched, once it is committed
        self.postgres = url.get_backend_name() == "postgresql"
        found, wanted = self.revision(), _head()
        if found != wanted:
            self.engine.dispose()
            raise UsageError(f"the registry has version {found}, this program needs {wanted}", expected=f"`{INIT}` to bring it up to date")

    @contextmanager
    def transaction(self, centres: Sequence[str] = (), write: bool = False) -> Iterator[sa.Connection]:
        """A transaction that sees the patients of some centres; all of it is done, or nothing."""
        turn = self._writing if write and not self.postgres else nullcontext()  # waiting in the file means sleeping, longer each time
        with turn, self.engine.connect().execution_options(bence_write=write) as connection, connection.begin():
            if self.postgres:
                # one question, as every page asks it thrice; compiling the policies (jit) takes longer than the queries
                said = {"role": APP_ROLE, "centres": ",".join(centres)}
                connection.execute(_BEGIN, said)
            yield connection

    @contextmanager
    def everywhere(self, write: bool = False) -> Iterator[sa.Connection]:
        """A transaction that sees all centres: for what is looked up without being told."""
        with self.transaction(self.codes(), write) as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """A transaction that sees all centres, and of later changes nothing."""
        level = {"isolation_level": "REPEATABLE READ"} if self.postgres else {}
        with self.engine.connect().execution_options(**level) as connection, connection.begin():
            if self.postgres:
                connection.execute(sa.text(f"set local role {APP_ROLE}"))
            self._show(connection, connection.execute(sa.select(centres.c.code)).scalars())
            yield connection

    @contextmanager
    def filling(self, codes: Sequence[str]) -> Iterator[sa.Connection]:
        """A transaction of the owner of the database, in which an empty registry is filled."""
        with self.engine.connect().execution_options(bence_write=True) as connection, connection.begin():
            self._show(connection, codes)
            yield connection

    def _show(self, connection: sa.Connection, codes: Iterable[str]) -> None:
        """Tell the policies of PostgreSQL which centres are seen."""
        if self.postgres:
            connection.execute(sa.text("select set_config('app.centres', :centres, true)"), {"centres": ",".join(codes)})

    def codes(self) -> list[str]:
        """The codes of all centres."""
        with self.transaction() as connection:
            return list(connection.execute(sa.select(centres.c.code).order_by(centres.c.code)).scalars())

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def revision(self) -> str | None:
        """The version of its tables."""
        from alembic.migration import MigrationContext

        try:
            with self.engine.connect() as connection:
                return MigrationContext.configure(connection).get_current_revision()
        except exc.DatabaseError as error:
            raise UsageError(f"no registry can be opened: {error.orig}", expected="a database that can be reached") from None


def next_ids(connection: sa.Connection, name: str, n: int = 1) -> int:
    """The first of `n` new ids of a table. The counter stays locked until the transaction ends: writers go one by one."""
    taken = sa.update(counters).where(counters.c.name == name).values(last=counters.c.last + n).returning(counters.c.last)
    return connection.execute(taken).scalar_one() - n + 1


def make(where: str | Path) -> None:
    """Make the tables, or bring an older registry up to date. On PostgreSQL this needs the owner of the database."""
    from alembic import command

    url = url_of(where)
    engine = _engine(url)
    config = _config()
    try:
        with engine.connect().execution_options(bence_write=True) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    finally:
        engine.dispose()


def url_of(where: str | Path) -> sa.URL:
    """The address of a database: a file is SQLite, `postgresql://…` is PostgreSQL; UsageError for another kind."""
    text = str(where)
    if "://" not in text:
        return sa.URL.create("sqlite+pysqlite", database=text)
    try:
        url = sa.make_url(text)
    except exc.ArgumentError:
        raise UsageError(f"{text!r} is not the address of a database", expected="a file, or postgresql://user@host/name") from None
    drivers = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
    kind = url.drivername.partition("+")[0]
    if kind not in drivers:
        raise UsageError(f"a registry cannot be kept in {kind!r}", expected="a file (SQLite) or postgresql://…")
    return url.set(drivername=drivers[kind])


def _engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say
    for pragma in ("journal_mode=wal", "foreign_keys=on", "synchronous=normal", f"busy_timeout={WAIT_MS}", "trusted_schema=off"):
        connection.execute(f"pragma {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("bence_write")
    connection.exec_driver_sql("begin immediate" if writes else "begin")


def _config() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _head() -> str | None:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head()
