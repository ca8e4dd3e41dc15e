"""What needs no patient of the registry: the codes, the evidence, and the assessment of a chart that is sent along and not kept."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import Annotated

import polars as pl
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from ...advise import advise
from ...assess import assess
from ...catalogue import Code, codes
from ...chart import TABLES as TABLES_OF_A_CHART
from ...errors import ChartError
from ...evidence.show import record_text
from ...evidence.show import rows as evidence_rows
from ...output import tables_of
from ...read import read
from ..visit import Visiting
from .answers import Row, Rows, Tables, rows, tables
from .findings import Explanation, Lang, Region

router = APIRouter(tags=["reference"])
Cell = str | float | int | bool | None


class Sent(BaseModel):
    """A chart to assess: its tables as lists of rows, with the columns of a chart; nothing of it is kept."""

    patients: list[dict[str, Cell]] = Field(min_length=1, max_length=10_000)
    observations: list[dict[str, Cell]] = Field(default=[], max_length=1_000_000)
    treatments: list[dict[str, Cell]] = Field(default=[], max_length=100_000)
    events: list[dict[str, Cell]] = Field(default=[], max_length=100_000)
    at: date | None = None
    region: Region | None = None


@router.get("/codes", response_model=Rows)
def list_codes(visit: Visiting) -> Response:
    """Every code of the catalogue with its unit, categories, plausible range and labels."""
    told: list[Row] = [_code(code) for code in codes().values()]
    return rows(pl.DataFrame(told, infer_schema_length=None))


@router.get("/evidence", response_model=Rows)
def list_evidence(visit: Visiting, table: Annotated[str | None, Query(max_length=60)] = None, lang: Lang = "en") -> Response:
    """The records of the evidence base, or one of its tables (`agents-bcma`, `approvals`, `mrd-trials` …)."""
    return rows(evidence_rows(table_name=table, lang=lang))


@router.get("/evidence/{name}")
def show_evidence(visit: Visiting, name: str, lang: Lang = "en") -> Explanation:
    """One record of the evidence base, every fact with its tag and source."""
    return Explanation(text=record_text(name, lang))


@router.post("/assess", response_model=Tables)
def assess_sent(visit: Visiting, sent: Sent) -> Response:
    """The findings and the advice of a chart that is sent along. What was not accepted is in `rejected`."""
    with tempfile.TemporaryDirectory(prefix="bence-sent-") as place:
        for table in TABLES_OF_A_CHART:
            _write(Path(place) / f"{table}.csv", getattr(sent, table))
        chart = read(place)
        findings = assess(chart, sent.at)
        options = advise(findings, region=sent.region or visit.settings.region)
    return tables(tables_of(findings) | {"advice": options})


def _write(path: Path, given: list[dict[str, Cell]]) -> None:
    if not given:
        return
    texts = [{name: _text(cell) for name, cell in row.items()} for row in given]
    names = {name: pl.String for row in texts for name in row}
    if not names:
        raise ChartError("the rows have no columns", where=path.stem, expected="columns of a chart")
    pl.DataFrame(texts, schema=names).write_csv(path)


def _text(cell: Cell) -> str | None:
    """A cell as a file of a chart has it."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return None if cell is None else str(cell)


def _code(code: Code) -> Row:
    kept = ("code", "grain", "kind", "unit", "low", "high", "en", "zh")
    return {name: getattr(code, name) for name in kept} | {"categories": list(code.categories)}
