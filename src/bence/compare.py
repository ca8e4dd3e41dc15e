"""What changed between two assessments: whose findings, from what to what."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from .errors import UsageError
from .output import WRITTEN, read_table

KEYS = {"status": ["patient"], "lines": ["patient", "line"], "response": ["patient", "line", "on"]}


def differences(before: Path, after: Path) -> pl.DataFrame:
    """One row for each finding that differs: `table`, `patient`, `line`, `on`, `finding`, `before`, `after`."""
    found = [_differences(table, keys, read_table(before, table), read_table(after, table)) for table, keys in KEYS.items()]
    return pl.concat(found, how="diagonal").select("table", "patient", "line", "on", "finding", "before", "after")


def _differences(table: str, keys: list[str], a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    long = []
    for frame, name in ((a, "before"), (b, "after")):
        for key in keys:
            if key not in frame.columns:
                raise UsageError(f"the table {table} ({name}) has no column {key!r}", expected=WRITTEN)
        columns = [column for column in frame.columns if column not in (*keys, "at")]
        long.append(frame.unpivot(index=keys, on=columns, variable_name="finding", value_name=name))
    both = long[0].join(long[1], on=[*keys, "finding"], how="full", coalesce=True, nulls_equal=True)
    changed = both.filter(pl.col("before").ne_missing(pl.col("after"))).sort(*keys, "finding")
    blank = [pl.lit(None, pl.String).alias(key) for key in ("line", "on") if key not in keys]
    return changed.with_columns(*blank, table=pl.lit(table))


def reasons(before: Path, after: Path) -> list[str]:
    """What could explain differences: what the two manifests do not share."""
    a, b = (_manifest(folder) for folder in (before, after))
    lines = []
    for key in ("bence", "at", "profile"):
        if a.get(key) != b.get(key):
            lines.append(f"{key}: {a.get(key)} → {b.get(key)}")
    for kind in ("policies", "inputs"):
        old, new = a.get(kind, {}), b.get(kind, {})
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                what = f"{old.get(name)} → {new.get(name)}" if kind == "policies" else "contents differ"
                lines.append(f"{kind} {name}: {what}")
    return lines


def _manifest(folder: Path) -> dict:
    path = folder / "manifest.json"
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError as error:
        raise UsageError(f"not a manifest: {error}", where=str(path), expected=WRITTEN) from None
