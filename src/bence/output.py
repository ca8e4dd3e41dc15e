"""Findings as files: one table each, with a manifest, the same bytes for the same findings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import polars as pl

from .assess import DISCLAIMER, Findings
from .chart import YES_NO
from .errors import UsageError

Format = Literal["csv", "parquet", "json"]
FORMATS = ("csv", "parquet", "json")
TABLES_OF_A_CHART = ("patients", "observations", "events")
WRITTEN = "a folder that `bence assess --out` wrote"


def tables_of(findings: Findings) -> dict[str, pl.DataFrame]:
    """The tables of findings by the name of their file."""
    return {
        "status": findings.status,
        "response": findings.response,
        "lines": findings.lines,
        "treatments": findings.treatments,
        "exposure": findings.exposure,
        "mrd": findings.mrd,
        "toxicity": findings.toxicity,
        "due": findings.due,
        "scores": findings.scores,
        "completeness": findings.completeness,
        "rejected": findings.rejected,
    }


def write(findings: Findings, folder: str | Path, format: str = "csv", inputs: Iterable[Path] = ()) -> list[Path]:
    """Write every table and `manifest.json` into a folder; returns the files. UsageError for an unknown format.

    Dates are ISO, unknown is an empty cell (null in JSON). The manifest names version, profile, policies, the
    SHA-256 of every input file and the rows of every table.
    """
    if format not in FORMATS:
        raise UsageError(f"there is no format {format!r}; there is {', '.join(FORMATS)}")
    home = Path(folder)
    check_folder(home)
    home.mkdir(parents=True, exist_ok=True)
    written = []
    tables = tables_of(findings)
    for name, table in tables.items():
        for other in FORMATS:
            (home / f"{name}.{other}").unlink(missing_ok=True)
        path, table = home / f"{name}.{format}", table.with_columns(YES_NO)
        if format == "csv":
            table.write_csv(path)
        elif format == "parquet":
            table.write_parquet(path, compression="zstd")
        else:
            table.write_json(path)
        written.append(path)
    manifest = {
        **findings.manifest,
        "note_zh": DISCLAIMER["zh"],
        "inputs": {path.name: digest(path) for path in inputs},
        "rows": {name: table.height for name, table in tables.items()},
    }
    path = home / "manifest.json"
    path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    return [*written, path]


def check_folder(home: Path) -> None:
    """UsageError if findings cannot go into a folder: their table `treatments` would replace that of a chart."""
    if home.exists() and not home.is_dir():
        raise UsageError(f"{home} is a file", expected="a folder for the findings")
    for path in home.glob("*"):
        if path.stem.lower() in TABLES_OF_A_CHART:
            raise UsageError(f"{path} is a table of a chart: findings are not written beside it", expected="another folder")


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def input_files(path: Path) -> list[Path]:
    """The files a chart is read from."""
    return [path] if path.is_file() else sorted(each for each in path.iterdir() if each.is_file())


def read_table(folder: Path, name: str) -> pl.DataFrame:
    """A table of findings that was written before; UsageError if there is none."""
    readers = {"csv": pl.read_csv, "parquet": pl.read_parquet, "json": pl.read_json}
    for format, reader in readers.items():
        path = folder / f"{name}.{format}"
        if path.exists():
            try:
                table = reader(path, infer_schema=False) if format == "csv" else reader(path)
                return table.select(pl.all().cast(pl.String))
            except pl.exceptions.PolarsError as error:
                raise UsageError(f"cannot be read: {error}", where=str(path), expected=WRITTEN) from None
    raise UsageError(
        f"there are no findings in {folder}: {name}.csv is not there",
        expected=WRITTEN,
    )
