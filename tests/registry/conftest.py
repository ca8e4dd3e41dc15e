"""The two databases of the tests. PostgreSQL runs in a private server that lives as long as the session."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
import pytest

sa = pytest.importorskip("sqlalchemy", reason="the extra `registry` is not installed")
pytest.importorskip("alembic", reason="the extra `registry` is not installed")
sys.path.append(str(Path(__file__).parent))

from homes import ADMIN, HOMES  # noqa: E402
from on_postgres import NUMBERS, keep_rows, put_back, run  # noqa: E402

from bence.registry import Store, kept_findings  # noqa: E402


def _programs():
    """The folder with initdb and pg_ctl, or None."""
    homes = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    homes += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((home for home in homes if (home / "initdb").exists() and (home / "pg_ctl").exists()), None)


def _free_port():
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        return own.getsockname()[1]


def _as_postgres(*command):
    """Run a program of the server, which refuses to run as root."""
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*user, *map(str, command)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, cwd="/")


@pytest.fixture(scope="session")
def server():
    """The address of a PostgreSQL server."""
    pytest.importorskip("psycopg", reason="the extra `registry` is not installed")
    home = _programs()
    if home is None:
        pytest.skip("there is no PostgreSQL server on this machine (apt-get install postgresql)")
    place, port = Path(tempfile.mkdtemp(prefix="bence-pg-", dir="/tmp")), _free_port()
    if os.geteuid() == 0:
        shutil.chown(place, "postgres", "postgres")
    settings = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={place} -c fsync=off -c synchronous_commit=off"
    settings += " -c full_page_writes=off -c autovacuum=off"
    try:
        _as_postgres(home / "initdb", "-D", place / "data", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        _as_postgres(home / "pg_ctl", "-D", place / "data", "-w", "-l", place / "log", "-o", settings, "start")
        yield f"postgresql://postgres@127.0.0.1:{port}"
        _as_postgres(home / "pg_ctl", "-D", place / "data", "-w", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    path = tmp_path_factory.mktemp("registry") / "template.db"
    Store.create(path, HOMES, ADMIN).close()
    return path


@pytest.fixture(scope="session")
def postgres_registry(server):
    """The address of the one registry on PostgreSQL; `where` makes it new for each test."""
    run(server, "create database registry")
    where = f"{server}/registry"
    Store.create(where, HOMES, ADMIN).close()
    keep_rows(where)
    return where


@pytest.fixture(params=["sqlite", "postgres"])
def where(request, tmp_path):
    """The address of a new registry with three centres, on either kind of database."""
    if request.param == "sqlite":
        yield str(shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "registry.db"))
        return
    where = request.getfixturevalue("postgres_registry")
    yield where
    put_back(where)


@pytest.fixture
def copied(tmp_path):
    """Copies a registry that nobody has open; says where the copy is."""
    made = []

    def copy(where):
        name = f"copy_{next(NUMBERS)}"
        if "://" not in where:
            return str(shutil.copy(where, tmp_path / f"{name}.db"))
        server, _, template = where.rpartition("/")
        run(server, f"create database {name} template {template}")
        made.append((server, f"drop database {name} with (force)"))
        return f"{server}/{name}"

    yield copy
    for each in made:
        run(*each)


@pytest.fixture(autouse=True, scope="session")
def hashed_quickly(quick_hashes):
    """No test here is about how long guessing takes."""
    with quick_hashes():
        yield


@pytest.fixture
def store(where):
    """A new registry with three centres."""
    made = Store(where)
    yield made
    made.close()


@pytest.fixture
def nothing_found(monkeypatch):
    """No findings are worked out, where a test is about something else."""
    monkeypatch.setattr(kept_findings, "assess", lambda *how: None)
    monkeypatch.setattr(kept_findings, "tables_of", lambda found: {"status": pl.DataFrame({"patient": ["found"]})})


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request, tmp_path):
    """The address of an empty database, of either kind."""
    if request.param == "sqlite":
        yield str(tmp_path / "empty.db")
        return
    server, name = request.getfixturevalue("server"), f"empty_{next(NUMBERS)}"
    run(server, f"create database {name}")
    yield f"{server}/{name}"
    run(server, f"drop database {name} with (force)")
