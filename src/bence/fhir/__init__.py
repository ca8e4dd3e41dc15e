"""Chart → FHIR R4, with findings as Observations of mCODE: the way back from `bence.read.fhir`.

A chart that is written and read again has the same facts. Codes of LOINC, SNOMED CT, ATC and RxNorm stand beside our own
(`urn:bence:codes`), every quantity has its UCUM unit. What FHIR has no element for is an extension or an Observation; what is left
out is told by `left_out`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ..chart import DATED, SCHEMA, Chart
from . import records
from .parts import Json, row_id

if TYPE_CHECKING:
    from ..assess import Findings

BASE = "https://bence.invalid/fhir"  # a full address that leads nowhere: relative references need one
MADE_BY = {"observations": records.observation, "treatments": records.treatment, "events": records.event}
NO_PLACE = dict.fromkeys(DATED, ("source",))  # columns of a chart that are not written


def to_fhir(chart: Chart, findings: Findings | None = None) -> Json:
    """A chart as one Bundle (collection): the same bytes for the same chart.

    With `findings` the stages and responses that Bence worked out are added, tagged as derived: reading takes them for no record.
    """
    entries = [{"fullUrl": f"{BASE}/{each['resourceType']}/{each['id']}", "resource": each} for each in resources(chart, findings)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def resources(chart: Chart, findings: Findings | None = None) -> Iterator[Json]:
    """The resources of a chart, patients first."""
    for row in chart.patients.iter_rows(named=True):
        yield from records.patient(row)
    for table, made_by in MADE_BY.items():
        for row in identified(chart, table).iter_rows(named=True):
            yield made_by(row)
    if findings is not None:
        from .derived import derived

        yield from derived(findings, identified(chart, "observations"))


def identified(chart: Chart, table: str) -> pl.DataFrame:
    """The rows of a table with an `id` of their own; of identical rows, the first."""
    names = [name for name in SCHEMA[table] if name not in NO_PLACE[table]]
    frame: pl.DataFrame = getattr(chart, table).unique(names, keep="first", maintain_order=True)
    ids = [row_id(table, cells) for cells in frame.select(names).iter_rows()]
    return frame.with_columns(id=pl.Series(ids, dtype=pl.String))


def left_out(chart: Chart) -> dict[str, int]:
    """What FHIR has no place for: `table.column` → how many cells were not written."""
    told = {f"{table}.{name}": getattr(chart, table)[name].count() for table, names in NO_PLACE.items() for name in names}
    return {name: count for name, count in told.items() if count}


def write(chart: Chart, path: str | Path, findings: Findings | None = None) -> None:
    """Write a Bundle (.json), or one resource a line (.ndjson)."""
    place = Path(path)
    if place.suffix.lower() == ".ndjson":
        lines = (json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in resources(chart, findings))
        place.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return
    place.write_text(json.dumps(to_fhir(chart, findings), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


__all__ = ["left_out", "resources", "to_fhir", "write"]
