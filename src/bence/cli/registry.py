"""The registry: make it, serve it, fill it, take from it, keep it safe."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import ChartError
from .shared import (
    bence,
    chart_argument,
    explained,
    mapping_option,
    pairs,
    read_chart,
)

if TYPE_CHECKING:
    from ..registry import Access, Store


@bence.command()
@click.option("--database", help="A file (SQLite) or postgresql://…  [default: registry.db, or BENCE_DATABASE]")
@click.option("--host", help="Where to listen.  [default: 127.0.0.1, or BENCE_HOST]")
@click.option("--port", type=int, help="[default: 8000, or BENCE_PORT]")
@explained
def serve(**given: Any) -> None:
    """Serve a registry to browsers: work list, patients, entry, MDT, cohort. Makes the registry on the first page if there is none."""
    from ..web import Settings, serve

    serve(Settings(**{name: value for name, value in given.items() if value is not None}))


@bence.group()
def registry() -> None:
    """Keep charts with their history, rights and audit: in a file (SQLite) or a postgresql:// DATABASE."""


database_argument = click.argument("database")
user_option = click.option("--user", default=getpass.getuser, help="The user of the registry (default: your login).")
why_option = click.option("--why", required=True, help="Why; it is kept with every row.")


def _store(database: str, user: str) -> tuple[Store, Access]:
    from ..registry import Store

    store = Store(database)
    return store, store.access(user)


@registry.command("init")
@database_argument
@click.option("--centre", "centres", multiple=True, required=True, metavar="CODE=NAME", callback=pairs, help="A centre of the registry.")
@user_option
@explained
def registry_init(database: str, centres: dict[str, str], user: str) -> None:
    """Make a registry, or bring an older one up to date. The first user may do everything in the centres given."""
    from ..registry import Access, Store

    first = Access(user, ["administrator", "centre_lead", "data_entry"], centres)
    Store.create(database, {code: (name, name) for code, name in centres.items()}, first).close()


@registry.command("password")
@database_argument
@click.argument("name")
@user_option
@click.password_option(prompt="New password")
@explained
def registry_password(database: str, name: str, user: str, password: str) -> None:
    """Set the password of the user NAME: your own first one, or as an administrator one that must be changed at once."""
    store, access = _store(database, user)
    store.set_password(access, name, password)


@registry.command("import")
@database_argument
@chart_argument
@why_option
@click.option("--centre", help="The centre of patients who have none in the chart.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write every row with its outcome as CSV.")
@mapping_option
@user_option
@explained
def registry_import(
    database: str, chart: Path, why: str, centre: str | None, dry_run: bool, out: Path | None, mapping: Path | None, user: str
) -> None:
    """Bring a chart or an export in, whole or not at all."""
    store, access = _store(database, user)
    done = store.import_chart(access, read_chart(chart, mapping), why, centre, dry_run)
    if out:
        done.rows.write_csv(out)
    said = ", ".join(f"{n:,} {name}" for name, n in done.counts.items())
    click.echo(f"dry run: {said}" if done.change is None else f"import {done.change}: {said}")


@registry.command("undo")
@database_argument
@click.argument("change", type=int)
@why_option
@user_option
@explained
def registry_undo(database: str, change: int, why: str, user: str) -> None:
    """Take the import CHANGE back; nothing is erased."""
    store, access = _store(database, user)
    click.echo(f"import {change} is taken back by change {store.undo(access, change, why)}")


@registry.command("export")
@database_argument
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--format", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@click.option("--key-file", type=click.Path(path_type=Path, exists=True), help="De-identify with the secret key in this file.")
@click.option("--at-store-time", help="As the registry had it then: 2026-06-30T17:00:00+08:00.")
@user_option
@explained
def registry_export(database: str, folder: Path, format: Any, key_file: Path | None, at_store_time: str | None, user: str) -> None:
    """Write the chart of your centres into FOLDER."""
    store, access = _store(database, user)
    key = key_file.read_bytes().strip() if key_file else None
    click.echo(str(store.export(access, folder, format, key, at_store_time)))


@registry.command("backup")
@database_argument
@click.argument("path", type=click.Path(path_type=Path))
@user_option
@explained
def registry_backup(database: str, path: Path, user: str) -> None:
    """Write the whole registry into one new file PATH, while it is in use."""
    store, access = _store(database, user)
    done = store.back_up(access, path)
    click.echo(f"{path}: {sum(done.rows.values()):,} rows; head of the audit {done.head}")


@registry.command("restore")
@database_argument
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@explained
def registry_restore(database: str, path: Path) -> None:
    """Make the registry DATABASE from the backup PATH: in a new file, or an empty postgresql:// database."""
    from ..registry import Store

    done = Store.restore(database, path)
    click.echo(f"{database}: {sum(done.rows.values()):,} rows, the audit is unbroken")


@registry.command("verify")
@database_argument
@click.option("--head", help="A hash noted earlier, that must still be in the chain.")
@click.option("--audit", type=click.Path(path_type=Path), help="Write the audit as CSV, too.")
@user_option
@explained
def registry_verify(database: str, head: str | None, audit: Path | None, user: str) -> None:
    """Is the audit unbroken? Exits 1 if not, and says where."""
    store, access = _store(database, user)
    found = store.verify(access, head)
    if audit:
        store.export_audit(access, audit)
    if not found.whole:
        raise ChartError(f"the audit is broken at entry {found.broken_at}: {found.fault}")
    click.echo(f"{found.entries:,} entries, unbroken; head {found.head}")
