"""A table on its way in: the texts of a file under the names of columns, what is settled, what is refused.

Every cell is read once for each distinct text. A refused cell becomes a row of `rejected`. If its row
says nothing true without it (patient, date, code, value, unit) the row is left out, else the cell alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ..catalogue import find, nearest
from ..chart import ORDER, SCHEMA, conform
from ..errors import ChartError
from .delimited import LINE, rows_of
from .units import Refused

NEEDED = {
    "patients": ("patient",),
    "observations": ("patient", "on", "what"),
    "treatments": ("patient", "what"),
    "events": ("patient", "on", "what"),
}
SAME_COLUMN = {
    "on": "started_on",
    "until": "stopped_on",
}  # what a table calls the day and the end of its rows
BROKEN_OFF = "the file breaks off in this row"
FEW = 2_000  # rows for which a loop is faster than a query of Polars
OUT, BLANK = "; the row is left out", "; the cell is left blank"
Reader = Callable[[str], Any]


@dataclass
class Intake:
    """A table on its way in: the texts of the file, the columns settled so far, and what was refused."""

    table: str
    file: str
    raw: pl.DataFrame  # text columns, and LINE
    decimal_comma: bool = False
    excel: bool = False
    settled: dict[str, pl.Series] = field(default_factory=dict)
    rejected: list[pl.DataFrame] = field(default_factory=list)
    keep: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.Boolean))
    collapsed: int = 0
    blank: int = 0

    def __post_init__(self) -> None:
        self.keep = pl.repeat(True, self.raw.height, dtype=pl.Boolean, eager=True)

    def texts(self, column: str) -> pl.Series:
        """The cells of a column; null everywhere if the file does not have it."""
        if column in self.raw.columns:
            return self.raw[column]
        return pl.repeat(None, self.raw.height, dtype=pl.String, eager=True).alias(column)

    def refuse(self, rows: pl.Series, column: str, refused: Refused | pl.DataFrame, *, fatal: bool) -> None:
        """Enter the marked cells of a column into `rejected`; `refused`: one reason, or one for each row."""
        if not rows.any():
            return
        here = pl.DataFrame({"line": self.raw[LINE], "value": self.texts(column)})
        if isinstance(refused, Refused):
            here = here.with_columns(
                reason=pl.lit(refused.reason),
                expected=pl.lit(refused.expected),
                nearest=pl.lit(refused.nearest, pl.String),
            )
        else:
            here = here.hstack(refused)
        reason = pl.col("reason") + (OUT if fatal else BLANK)
        here = here.filter(rows).with_columns(
            file=pl.lit(self.file), column=pl.lit(column), value=pl.col("value").fill_null(""), reason=reason
        )
        self.rejected.append(here.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA["rejected"].items()))
        if fatal:
            self.keep &= ~rows

    def settle(self, column: str, reader: Reader, dtype: Any, *, fatal: bool = False, required: bool = False) -> None:
        """Read every cell of a column: once for each distinct text."""
        if column not in self.raw.columns and not required:
            self.settled[column] = pl.repeat(None, self.raw.height, dtype=dtype, eager=True).alias(column)
            return
        texts = self.texts(column)
        results = {text: reader(text) for text in _distinct(texts)}
        refused = {text: result for text, result in results.items() if isinstance(result, Refused)}
        good = {text: result for text, result in results.items() if text not in refused and result is not None}
        values = self.settled[column] = _each(texts, good, dtype).alias(column)
        bad = None
        if refused:
            bad = texts.is_in(list(refused)).fill_null(False)
            self.refuse(bad, column, reasons(texts, refused), fatal=fatal)
        if required and values.null_count():
            blank = values.is_null() if bad is None else values.is_null() & ~bad
            self.refuse(blank, column, Refused("blank", f"every row needs {column}"), fatal=True)

    def frame(self) -> pl.DataFrame:
        """The rows that stand, identical ones once, in the order of the chart."""
        given = self.texts("source").str.strip_chars().replace("", None)
        source = pl.select(pl.coalesce(given, pl.format("{}:{}", pl.lit(self.file), self.raw[LINE]))).to_series()
        columns = {name: self.settled.get(name) for name in SCHEMA[self.table] if name != "source"}
        frame = pl.DataFrame([series.alias(name) for name, series in columns.items() if series is not None])
        if "source" in SCHEMA[self.table]:
            frame = frame.with_columns(source=source)
        whole = conform(frame.filter(self.keep), self.table).collect()
        once = whole.unique([name for name in whole.columns if name != "source"], keep="first", maintain_order=True)
        self.collapsed = whole.height - once.height
        return once.sort([*ORDER[self.table], *_ties(once, self.table)], nulls_last=True)


def _distinct(texts: pl.Series) -> Iterable[str]:
    """The texts that are there, once each."""
    if texts.len() < FEW:
        return (text for text in dict.fromkeys(texts.to_list()) if text is not None)
    return texts.unique().drop_nulls()


def _each(texts: pl.Series, meanings: Mapping[str, Any], dtype: Any) -> pl.Series:
    """What every text means, null for one that means nothing."""
    if texts.len() < FEW:
        return pl.Series([meanings.get(text) for text in texts.to_list()], dtype=dtype)
    values = pl.Series(list(meanings.values()), dtype=dtype)
    return texts.replace_strict(list(meanings), values, default=None, return_dtype=dtype)


def _ties(frame: pl.DataFrame, table: str) -> list[str]:
    """The columns that decide the order of rows of one patient, day and code."""
    return [name for name in frame.columns if name not in ORDER[table] and frame[name].null_count() < frame.height]


def reasons(texts: pl.Series, refused: Mapping[Any, Refused]) -> pl.DataFrame:
    """The reason, the expected form and the nearest name for every cell."""
    columns = {}
    for i, name in enumerate(Refused._fields):
        answers = pl.Series([each[i] for each in refused.values()], dtype=pl.String)
        columns[name] = texts.replace_strict(list(refused), answers, default=None, return_dtype=pl.String)
    return pl.DataFrame(columns)


def intake(table: str, path: Path) -> Intake:
    """The texts of a file under the names of the columns of a table."""
    if path.suffix.lower() == ".parquet":
        return from_parquet(table, path)
    rows = rows_of(path, lambda heading: column_of(heading, table) is not None)
    taken = Intake(table, path.name, pl.DataFrame(schema={LINE: pl.Int64}), decimal_comma=rows.delimiter == ";")
    names = _headings(taken, rows.header, rows.header_line)
    for i, heading in enumerate(rows.header):
        filled = rows.cells.filter(pl.col(str(i)).str.strip_chars() != "").height if not heading else 0
        if filled:
            lost = (path.name, rows.header_line, "", "", f"a column without heading: its {filled} cells are not read", "a heading", None)
            taken.rejected.append(pl.DataFrame([lost], schema=SCHEMA["rejected"], orient="row"))
    frame = rows.cells.select(LINE, *(pl.col(str(i)).alias(name) for i, name in names.items()))
    ragged = [
        (
            path.name,
            line,
            None,
            rows.delimiter.join(row).rstrip(rows.delimiter),
            (f"{len(row)} cells, the header has {len(rows.header)}" if len(row) > len(rows.header) else BROKEN_OFF) + OUT,
            "one cell a heading",
            None,
        )
        for line, row in rows.ragged
    ]
    if ragged:
        taken.rejected.append(pl.DataFrame(ragged, schema=SCHEMA["rejected"], orient="row"))
    return Intake(table, path.name, frame, taken.decimal_comma, rejected=taken.rejected)


def from_parquet(table: str, path: Path, only: pl.LazyFrame | None = None) -> Intake:
    """A Parquet file as texts; `only`: the rows (with `line`) that have to be read cell by cell."""
    try:
        lazy = only if only is not None else pl.scan_parquet(path, row_index_name=LINE, row_index_offset=1)
        frame = lazy.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ChartError(f"cannot be read: {error}", where=path.name, expected="a Parquet file") from None
    taken = Intake(table, path.name, pl.DataFrame(schema={LINE: pl.Int64}))
    given = [name for name in frame.columns if name != LINE]
    names = _headings(taken, given, 0)
    texts = [as_text(frame[given[i]], path.name).alias(name) for i, name in names.items()]
    return Intake(table, path.name, pl.DataFrame([frame[LINE].cast(pl.Int64), *texts]), rejected=taken.rejected)


def as_text(series: pl.Series, where: str = "") -> pl.Series:
    """Numbers, dates and categories as the text that is read; ChartError for lists and the like."""
    if isinstance(series.dtype, pl.Datetime):
        series = series.dt.date()
    if series.dtype in (pl.Time, pl.Duration) or series.dtype.is_nested() or series.dtype == pl.Binary:
        raise ChartError(f"column {series.name!r} holds {series.dtype}", where=where, expected="texts, numbers or dates")
    return series.cast(pl.String)


def column_of(heading: str, table: str) -> str | None:
    """The column of a table that a heading stands for."""
    schema = SCHEMA[table]
    if heading in schema:
        return heading
    found = find(heading, "patient") if table == "patients" else find(heading, "treatment", "column")
    found = found or find(heading, "column")
    if found is None:
        return None
    if found.code in schema:
        return found.code
    twins = SAME_COLUMN | {theirs: ours for ours, theirs in SAME_COLUMN.items()}
    return twins[found.code] if twins.get(found.code) in schema else None


def _headings(taken: Intake, header: list[str], line: int) -> dict[int, str]:
    """Place in the file → column; an unknown heading is entered into `rejected`."""
    names: dict[int, str] = {}
    unknown = []
    where = f"{taken.file}:{line}" if line else taken.file
    for i, heading in enumerate(header):
        name = column_of(heading, taken.table)
        if name is None and heading:
            near = nearest(heading, SCHEMA[taken.table])
            expected = ", ".join(SCHEMA[taken.table])
            unknown.append((taken.file, line or None, heading, "", "unknown column; it is not read", expected, near))
        elif name in names.values():
            other = header[next(place for place, known in names.items() if known == name)]
            both = f"{other!r} and {heading!r} stand for the same column {name!r}"
            raise ChartError(
                f"the heading {heading!r} is there twice" if heading == other else both,
                where=where,
                expected="one column of each name",
            )
        elif name is not None:
            names[i] = name
    if unknown:
        taken.rejected.append(pl.DataFrame(unknown, schema=SCHEMA["rejected"], orient="row"))
    for needed in NEEDED[taken.table]:
        if needed not in names.values():
            near = nearest(needed, [heading for heading in header if heading])
            raise ChartError(
                f"there is no column {needed!r}",
                where=where,
                expected=", ".join(SCHEMA[taken.table]),
                nearest=near,
            )
    return names
