"""Clonotype tables: AIRR rearrangement files (`.tsv`) and Vidjil files (`.vidjil`, `.json`) as one plain frame.

One row is one rearrangement of one sample, with the reads that carry it. Nothing is called or corrected here.
Formats: AIRR Community rearrangement schema (needs the extra `airr`); the `.vidjil` format of 2016.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..catalogue import nearest
from ..errors import ChartError, UsageError
from .delimited import LINE, Rows, rows_of, text_of

SCHEMA = {
    "sample": pl.String(), "sequence_id": pl.String(), "locus": pl.String(), "v_call": pl.String(), "j_call": pl.String(),
    "junction": pl.String(), "sequence": pl.String(), "productive": pl.Boolean(), "duplicate_count": pl.Int64(),
    "total_count": pl.Int64(), "source": pl.String(),
}  # fmt: skip
NEEDED = ("sequence_id", "v_call", "j_call", "junction")  # of the columns that the AIRR schema requires
COUNTS = ("duplicate_count", "consensus_count")
SAMPLE = ("sample_processing_id", "repertoire_id")
TRUTH = {"T": True, "F": False, "true": True, "false": False, "TRUE": True, "FALSE": False, "1": True, "0": False}
BASES = "^[ACGTN]+$"


def clonotypes(paths: Sequence[str | Path], sample: str | None = None) -> pl.DataFrame:
    """The rearrangements of one or more files, in the order of the files.

    `sample`: the name of the sample, for a file that has none; by default the name of the file. `total_count`: all reads with a
    rearrangement of that sample, also those of clonotypes that the file leaves out. ChartError names file, line and column.
    """
    if not paths:
        raise UsageError("no clonotype file was given", expected="an AIRR .tsv or a .vidjil file")
    tables = [_vidjil(Path(path)) if _is_json(Path(path)) else _airr(Path(path), sample) for path in paths]
    return pl.concat(tables)


def _is_json(path: Path) -> bool:
    if not path.is_file():
        raise UsageError("there is no such file", where=str(path), expected="an AIRR .tsv or a .vidjil file")
    return text_of(path).lstrip().startswith("{")


def _airr(path: Path, sample: str | None) -> pl.DataFrame:
    """An AIRR rearrangement table: columns and types are those of the schema of the AIRR Community."""
    types = _airr_types()
    rows = rows_of(path, types.__contains__)
    places = {name: str(place) for place, name in enumerate(rows.header)}
    for name in (*NEEDED, COUNTS[0]):
        if name not in places and not (name == COUNTS[0] and COUNTS[1] in places):
            raise ChartError(f"there is no column {name}", where=f"{path.name}:{rows.header_line}",
                             expected="an AIRR rearrangement table", nearest=nearest(name, rows.header))  # fmt: skip
    if rows.ragged:
        line, cells = rows.ragged[0]
        raise ChartError(f"{len(cells)} cells where the header has {len(rows.header)}", where=f"{path.name}:{line}")
    texts = rows.cells.select(LINE, **{name: pl.col(place).str.strip_chars() for name, place in places.items()})
    count = COUNTS[0] if COUNTS[0] in places else COUNTS[1]
    for name in (name for name in ("productive", count) if name in places):
        _check(texts, name, types[name], rows)
    for name in ("junction", "sequence"):
        if name in places:
            _check(texts, name, "bases", rows)
    own = next((name for name in SAMPLE if name in places), None)
    named = pl.lit(sample or path.stem) if own is None else pl.col(own).replace("", sample or path.stem)
    read = {name: _blank(name) if name in places else pl.lit(None, pl.String) for name in SCHEMA if SCHEMA[name] == pl.String}
    read |= {
        "sample": named,
        "junction": read["junction"].str.to_uppercase(), "sequence": read["sequence"].str.to_uppercase(),
        "locus": pl.coalesce(read["locus"], pl.col("v_call").str.slice(0, 3).replace("", None)),
        "productive": _blank("productive").replace_strict(TRUTH, default=None, return_dtype=pl.Boolean)
        if "productive" in places else pl.lit(None, pl.Boolean),
        "duplicate_count": _blank(count).cast(pl.Int64),
        "source": pl.format("{}:{}", pl.lit(path.name), LINE),
    }  # fmt: skip
    table = texts.select(**read).with_columns(total_count=pl.col("duplicate_count").sum().over("sample"))
    return table.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def _airr_types() -> dict[str, str]:
    try:
        from airr.schema import RearrangementSchema
    except ImportError:
        raise UsageError("reading AIRR files needs airr", expected="pip install 'bence[airr]'") from None
    return {str(name): str(RearrangementSchema.type(name)) for name in RearrangementSchema.properties}


def _blank(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != "").then(pl.col(name))


def _check(texts: pl.DataFrame, name: str, kind: str, rows: Rows) -> None:
    """ChartError for the first cell that is not of its kind; a count may not be blank."""
    right = {
        "boolean": pl.col(name).is_in(["", *TRUTH]),
        "integer": pl.col(name).str.contains(r"^\d+$"),
        "bases": (pl.col(name) == "") | pl.col(name).str.to_uppercase().str.contains(BASES),
    }[kind]
    wrong = texts.filter(~right)
    if wrong.height:
        expected = {"boolean": "T or F", "integer": "a whole number", "bases": "nucleotides"}[kind]
        what = f"column {name}: {wrong[name][0]!r} is not {expected}"
        raise ChartError(what, where=f"{rows.file}:{wrong[LINE][0]}", expected=expected)


def _vidjil(path: Path) -> pl.DataFrame:
    """A `.vidjil` file: clones with their reads in each of its samples. Clones without reads in a sample are left out of it."""
    try:
        whole = json.loads(text_of(path))
    except json.JSONDecodeError as error:
        raise ChartError(f"not JSON: {error.msg}", where=f"{path.name}:{error.lineno}", expected="a .vidjil file") from None
    samples = _part(whole, "samples", dict, path.name)
    names = samples.get("names") or _part(samples, "original_names", list, f"{path.name}: samples")
    totals = _part(_part(whole, "reads", dict, path.name), "segmented", list, f"{path.name}: reads")
    if len(totals) != len(names):
        raise ChartError(f"{len(totals)} numbers for {len(names)} samples", where=f"{path.name}: reads.segmented")
    rows = []
    for number, clone in enumerate(_part(whole, "clones", list, path.name), 1):
        where = f"{path.name}: clone {number}"
        reads = _part(clone, "reads", list, where)
        if len(reads) != len(names) or not all(isinstance(each, int | float) and each >= 0 for each in reads):
            raise ChartError(f"reads are {reads}", where=where, expected=f"a number for each of {len(names)} samples")
        said = _of_clone(clone, where)
        rows += [
            (str(name), *said, round(count), int(total), where)
            for name, count, total in zip(names, reads, totals, strict=True) if count > 0
        ]  # fmt: skip
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _of_clone(clone: dict[str, Any], where: str) -> tuple[Any, ...]:
    """Identifier, locus, V and J gene, junction, sequence, and whether it is productive."""
    sequence = str(_part(clone, "sequence", (str, int), where) or "").upper()  # 0 stands for no sequence
    sequence = sequence if set(sequence) <= set("ACGTN") else ""
    segments = clone.get("seg") or {}
    junction = segments.get("junction") or {}
    span = junction if "start" in junction else {}
    bases = sequence[int(span["start"]) - 1 : int(span["stop"])] if span and "stop" in span else ""
    window = str(_part(clone, "id", (str, int), where))
    if not sequence and window and set(window) <= set("ACGTN"):
        sequence = window  # Vidjil names a clone by its window of 50 bases
    genes = [(segments.get(place) or {}).get("name") for place in ("5", "3")]
    return (window, clone.get("germline"), *genes, bases or None, sequence or None, junction.get("productive"))


def _part(whole: Any, name: str, kind: type | tuple[type, ...], where: str) -> Any:
    if not isinstance(whole, dict) or not isinstance(whole.get(name), kind):
        raise ChartError(f"there is no {name}", where=where, expected="a .vidjil file")
    return whole[name]
