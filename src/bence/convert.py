"""A chart from one form into another: tables in CSV or Parquet, a FHIR Bundle, FHIR as ndjson."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from .assess import assess
from .catalogue import nearest
from .chart import Chart, visible
from .errors import UsageError
from .fhir import left_out, write
from .table import counted

FORMATS = ("csv", "parquet", "json", "ndjson")
TABLES = ("csv", "parquet")


def convert(chart: Chart, out: Path, to: str | None = None, at: date | None = None, findings: bool = False) -> list[str]:
    """Write a chart into `out`, as known on a day if one is given; returns what was left out, in words.

    The form is `to` (csv, parquet: a folder; json, ndjson: a file of FHIR), else that of the name. `findings`: the stages and
    responses that Bence works out are written, too. UsageError if name and form, or form and findings, do not go together.
    """
    form = format_of(out, to)
    if form in TABLES and findings:
        raise UsageError("the tables of a chart hold no findings", expected="FHIR (.json, .ndjson), or bence assess --out")
    seen = visible(chart, at)
    if form == "csv":
        seen.write(out, "csv")
    elif form == "parquet":
        seen.write(out, "parquet")
    else:
        if not out.parent.is_dir():
            raise UsageError(f"there is no folder '{out.parent}' to write into")
        write(seen, out, assess(chart, at) if findings else None)
        return [f"FHIR has no place for {name}: {counted(count, 'cell')} left out" for name, count in left_out(seen).items()]
    return []


def format_of(out: Path, to: str | None) -> str:
    """The form to write; UsageError if the name of the file says another one."""
    named = out.suffix.lower().removeprefix(".")
    if to is not None and to not in FORMATS:
        raise UsageError(f"there is no form {to!r}", expected=", ".join(FORMATS), nearest=nearest(to, FORMATS))
    by_name = named if named in FORMATS and named not in TABLES else None
    form = to or by_name or "csv"
    if form in TABLES and (by_name or named in TABLES or out.is_file()):
        raise UsageError(f"{out} is the name of a file; {form} is written into a folder", expected="a folder, or .json or .ndjson")
    if form not in TABLES and by_name != form:
        raise UsageError(f"{out} is not the name of a file of {form}", expected=f"a name that ends in .{form}")
    return form
