"""Rows of a chart: enter, correct, remove, and every version of one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, StringConstraints

from ..visit import Visiting
from .answers import Rows, rows

router = APIRouter(tags=["rows"])
Text = Annotated[str, StringConstraints(min_length=1, max_length=400)]
Table = Literal["patients", "observations", "treatments", "events"]
Dated = Literal["observations", "treatments", "events"]
Number = Annotated[int, Path(ge=1, le=2**62)]


class NewRow(BaseModel):
    """A row to enter: `values` by column, as in a chart."""

    values: dict[str, Any]
    why: Text


class Correction(BaseModel):
    """What of a row is changed. `version`: the one that was read; if there is another by now, nothing is written over (409)."""

    version: int
    values: dict[str, Any]
    why: Text


class Removal(BaseModel):
    """Which version of a row is taken out of the chart; it stays in the history."""

    version: int
    why: Text


class Kept(BaseModel):
    """The row that was written."""

    id: int
    version: int


@router.post("/patients/{handle}/{table}", status_code=201)
def add_row(visit: Visiting, handle: str, table: Dated, new: NewRow) -> Kept:
    """Enter a row for a patient."""
    person = visit.person(handle)
    number = visit.store.add(visit.access, table, person.patient, new.values, new.why, person.centre)
    return Kept(id=number, version=1)


@router.patch("/rows/{table}/{row}")
def correct_row(visit: Visiting, table: Table, row: Number, correction: Correction) -> Kept:
    """Change columns of a row."""
    version = visit.store.edit(visit.access, table, row, correction.version, correction.values, correction.why)
    return Kept(id=row, version=version)


@router.post("/rows/{table}/{row}/removal", status_code=204)
def remove_row(visit: Visiting, table: Table, row: Number, removal: Removal) -> None:
    """Take a row out of the chart."""
    visit.store.remove(visit.access, table, row, removal.version, removal.why)


@router.get("/rows/{table}/{row}/history", response_model=Rows)
def show_history(visit: Visiting, table: Table, row: Number) -> Response:
    """Every version of a row: from when until when it stood, who wrote it, and why."""
    return rows(visit.store.history(visit.access, table, row))
