"""The tables of findings beside response and stage, for one patient: each row a line that opens to its reasons."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ..assess import Findings
from ..assess.tables import EXPLAINED
from .words import TABLES

LEAST_GRADE = 2  # of a laboratory value that is shown


@dataclass(frozen=True)
class Table:
    """A table: its heading, a note, and for each row what is said at once and what is behind it."""

    name: str
    note: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def tables(findings: Findings, patient: str, lang: str) -> list[Table]:
    """What there is of MRD, endpoints, exposure, toxicity and care that is due, for one patient."""
    found = []
    for name, (heading, note) in TABLES[lang].items():
        table, explain = EXPLAINED[name]
        rows = _shown(name, getattr(findings, table).filter(pl.col("patient").cast(pl.String) == patient))
        told = [explain(row, lang).split("\n") for row in rows.iter_rows(named=True)]
        if told:
            found.append(Table(heading, note, tuple((first, tuple(line.strip() for line in rest)) for first, *rest in told)))
    return found


def _shown(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """What matters at a glance: no slight changes of laboratory values, of care only what is due or done."""
    if name == "toxicity":
        slight = pl.col("kind").str.starts_with("ctcae:") & (pl.col("worst_grade") < LEAST_GRADE).fill_null(False)
        return rows.filter(~slight)
    if name == "due":
        return rows.filter(pl.col("state").is_in(["due", "done"])).sort("state", descending=True, maintain_order=True)
    return rows
