"""Bring a chart into the registry in one transaction, or only see what would happen; and take a whole import back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from ..chart import DATED, SCHEMA, TABLES, Chart
from ..read import read
from . import audit
from .access import Access
from .bulk import frame_of, insert
from .changing import Change, changing
from .clinical import moves
from .compare import compared, differences
from .database import Database
from .errors import AccessError
from .models import VERSIONS, changes, columns_of, persons, refused_cells
from .reading import versions
from .scope import reached

FEW = 500  # persons that are looked up one by one
ROWS = {
    "table": pl.String, "outcome": pl.String, "centre": pl.String, "patient": pl.String, "on": pl.Date, "what": pl.String,
    "source": pl.String, "row": pl.Int64, "differs": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Imported:
    """What an import did, or would do. `change`: its number, to take it back by (None: a dry run).

    `rows`: every row with its outcome (`new`, `changed`, `same`) and the difference. `rejected`: what was not accepted, cell by cell.
    """

    change: int | None
    rows: pl.DataFrame
    rejected: pl.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """How many rows are new, changed, same; how many cells were rejected."""
        found = dict(self.rows["outcome"].value_counts().iter_rows())
        return {name: found.get(name, 0) for name in ("new", "changed", "same")} | {"rejected": self.rejected.height}


class _OnlyLooked(Exception):
    """Ends the transaction of a dry run."""


def import_chart(
    database: Database, access: Access, chart: Chart | str | Path, why: str, centre: str | None = None, dry_run: bool = False
) -> Imported:
    """Bring a chart, or what `bence.read` finds at a path, into the registry.

    `centre`: the centre of patients who have none in the chart (None: the user's only one). Patients of a centre in which
    the user may not import are rejected with all their rows.
    """
    access.require("import")
    coming = chart if isinstance(chart, Chart) else read(chart)
    people, refused = _admitted(coming, access, centre)
    found: list[pl.DataFrame] = []
    number = None
    try:
        with changing(database, access, "import", why) as change:
            people, gone = _still_the_same(change, _numbered(change, people))
            refused.append(gone)
            for table in TABLES:
                own = getattr(coming, table).join(people.select("patient", "person"), on="patient")
                rows = compared(table, own.select("person", *columns_of(table)), _stored(change, table, people["person"]))
                if not dry_run:
                    _write(change, table, rows)
                found.append(_told(table, rows, people))
            if dry_run:
                raise _OnlyLooked
            number = change.id
            _keep_refused(change, access, pl.concat([coming.rejected, *refused]))
    except _OnlyLooked:
        pass
    return Imported(number, pl.concat(found), pl.concat([coming.rejected, *refused]))


def _keep_refused(change: Change, access: Access, cells: pl.DataFrame) -> None:
    """Keep the cells that were not accepted with the import. They may name patients of any centre of the user."""
    numbers = {"change": pl.lit(change.id, pl.Int64), "centres": pl.lit(",".join(access.centres))}
    rows = cells.select(pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias("place"), *SCHEMA["rejected"]).with_columns(**numbers)
    insert(change.connection, refused_cells, rows)
    change.detail["refused_cells"] = cells.height


def read_rejected(database: Database, access: Access, number: int) -> pl.DataFrame:
    """The cells that an import did not accept, in their order; AccessError if the user does not have every centre of who imported."""
    access.require("import")
    own = refused_cells.c
    with database.transaction(access.centres, write=True) as connection:
        if number not in _refused_in(connection, access):
            raise AccessError(f"there are no rejected cells of an import {number} that {access.user} may see")
        asked = sa.select(*(own[name] for name in SCHEMA["rejected"])).where(own.change == number).order_by(own.place)
        cells = frame_of(connection, asked)
        audit.append(connection, access, "read", [], {"rejected_of": number})
    return cells


def _refused_in(connection: sa.Connection, access: Access) -> dict[int, int]:
    """How many cells each import refused, of those of users all of whose centres are the user's own."""
    own = refused_cells.c
    counted = sa.select(own.change, own.centres, sa.func.count().label("cells")).group_by(own.change, own.centres)
    return {row.change: row.cells for row in connection.execute(counted) if set(row.centres.split(",")) <= set(access.centres)}


def _admitted(chart: Chart, access: Access, centre: str | None) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """The patients that may be imported, each with a centre; and the cells for which others are refused."""
    within = access.centres
    centre = centre if centre is not None or len(within) != 1 else within[0]
    people = chart.patients.with_columns(centre=pl.col("centre").fill_null(pl.lit(centre, pl.String)))
    mine = pl.col("centre").is_in(within).fill_null(False)
    other = _refused(
        people.filter(~mine), "patients", "centre", f"not a centre of {access.user}; the patient is left out", ", ".join(within)
    )
    people = people.filter(mine)
    lost = [
        _refused(rows, table, "patient", "not in the table of patients; its rows are left out", "a patient of the table of patients")
        for table in DATED
        if (rows := getattr(chart, table).join(chart.patients, on="patient", how="anti").unique("patient", maintain_order=True)).height
    ]
    return people, [other, *lost]


def _refused(rows: pl.DataFrame, table: str, column: str, reason: str, expected: str) -> pl.DataFrame:
    """A row of `rejected` for every row."""
    said = {"file": table, "column": column, "reason": reason, "expected": expected}
    told = rows.select(value=column, patient="patient")
    told = told.with_columns(
        reason=pl.format("patient {}: {}", "patient", pl.lit(reason)), **{k: pl.lit(v) for k, v in said.items() if k != "reason"}
    )
    absent = [pl.lit(None, SCHEMA["rejected"][name]).alias(name) for name in ("line", "nearest")]
    return told.with_columns(absent).select(pl.col(name).cast(dtype) for name, dtype in SCHEMA["rejected"].items())


def _numbered(change: Change, people: pl.DataFrame) -> pl.DataFrame:
    """The patients with their number as `person`; new ones are entered."""
    known = sa.select(persons.c.centre, persons.c.patient, persons.c.id.label("person"))
    known = known.where(persons.c.centre.in_(people["centre"].unique().to_list()))
    if people.height <= FEW:
        known = known.where(persons.c.patient.in_(people["patient"].to_list()))
    both = people.join(frame_of(change.connection, known), on=["centre", "patient"], how="left", maintain_order="left")
    old, new = both.filter(pl.col("person").is_not_null()), both.filter(pl.col("person").is_null())
    if new.is_empty():
        return old
    new = new.with_columns(change.new_ids("persons", new.height).alias("person"))
    insert(change.connection, persons, new.select("centre", "patient", id="person"))
    return pl.concat([old, new])


def _still_the_same(change: Change, people: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The patients without those whose key was given up since, and the cells for which these are refused."""
    asked = sa.select(moves.c.from_person.label("person")).where(moves.c.to_change.is_(None))
    former = pl.col("person").is_in(frame_of(change.connection, asked)["person"].implode())
    told = _refused(people.filter(former), "patients", "patient", "now has another key; the patient is left out", "the present key")
    return people.filter(~former), told


def _stored(change: Change, table: str, who_of: pl.Series) -> pl.DataFrame:
    """The current rows of persons."""
    kept = VERSIONS[table]
    if who_of.len() <= FEW:
        return frame_of(change.connection, versions(table).where(kept.c.person.in_(who_of.to_list())))
    low, high = who_of.min(), who_of.max()
    rows = frame_of(change.connection, versions(table).where(kept.c.person.between(low, high)))
    return rows.filter(pl.col("person").is_in(who_of.implode()))


def _write(change: Change, table: str, rows: pl.DataFrame) -> None:
    """Begin the new rows and the changed ones, whose former versions end."""
    changed, new = (rows.filter(pl.col("outcome") == outcome) for outcome in ("changed", "new"))
    columns = ("id", "version", "person", *columns_of(table))
    if changed.height:
        change.end(table, changed)
        change.begin(table, changed.with_columns(pl.col("version") + 1).select(columns))
    if new.height:
        new = new.sort("person", maintain_order=True)  # a patient's rows stand together: written and read faster
        new = new.with_columns(pl.lit(1, pl.Int32).alias("version"))
        ids = new["person"] if table == "patients" else change.new_ids(table, new.height)
        new = _again(change, new.with_columns(ids.alias("id"))) if table == "patients" else new.with_columns(ids.alias("id"))
        change.begin(table, new.select(columns))


def _again(change: Change, new: pl.DataFrame) -> pl.DataFrame:
    """Patients who were in the registry before and were taken out go on with their next version."""
    kept = VERSIONS["patients"]
    last = sa.select(kept.c.id, sa.func.max(kept.c.version).label("last")).where(kept.c.to_change.is_not(None)).group_by(kept.c.id)
    before = frame_of(change.connection, last)
    return new.join(before, on="id", how="left", maintain_order="left").with_columns(version=pl.col("last").fill_null(0) + 1).drop("last")


def _told(table: str, rows: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The outcome of every row as it is shown."""
    names = people.select("person", "patient", "centre")
    dated = {"on": DATED[table], "what": "what", "source": "source"} if table in DATED else {}
    blank = {name: pl.lit(None, ROWS[name]) for name in ("on", "what", "source") if name not in dated}
    told = rows.with_columns(table=pl.lit(table), differs=differences(table)).rename({"id": "row"})
    told = told.join(names, on="person", how="left", maintain_order="left").with_columns(**blank)
    return told.with_columns(**{name: pl.col(column) for name, column in dated.items()}).select(pl.col(n).cast(t) for n, t in ROWS.items())


def read_imports(database: Database, access: Access) -> pl.DataFrame:
    """The imports of own patients, the last first: `id`, `at`, `who`, `why`, `rows`, `rejected` (cells), `undone_by`, `undone_at`."""
    back = changes.alias()
    with database.transaction(access.centres, write=True) as connection:
        mine = reached(access, "import")
        touched = [
            sa.exists().where(kept.c[end] == changes.c.id, kept.c.person.in_(mine))
            for kept in VERSIONS.values()
            for end in ("from_change", "to_change")
        ]
        names = [changes.c[name] for name in ("id", "at", "who", "why", "rows")]
        asked = sa.select(*names, back.c.who.label("undone_by"), back.c.at.label("undone_at"))
        refused = _refused_in(connection, access)
        asked = asked.join(back, back.c.undoes == changes.c.id, isouter=True)
        asked = asked.where(changes.c.kind == "import", sa.or_(*touched, changes.c.id.in_(list(refused))))
        frame = frame_of(connection, asked.order_by(changes.c.id.desc()))
        audit.append(connection, access, "read", [], {"imports": frame.height})
    cells = pl.col("id").replace_strict(refused, default=0, return_dtype=pl.Int64)
    return frame.with_columns(rejected=cells).select("id", "at", "who", "why", "rows", "rejected", "undone_by", "undone_at")
