"""Patients: who is there, one patient's chart, and a new patient."""

from __future__ import annotations

from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, StringConstraints

from ...chart import TABLES
from ..visit import Visiting
from .answers import Rows, Tables, rows, tables

router = APIRouter(tags=["patients"])
Text = Annotated[str, StringConstraints(min_length=1, max_length=400)]
Moment = Annotated[str | None, Query(description="as the registry had it then: 2026-06-30T17:00:00+08:00", max_length=40)]


class NewPatient(BaseModel):
    """A patient to enter. `values`: columns of the table `patients`."""

    patient: Text
    centre: Text
    values: dict[str, Any] = {}
    why: Text


class Entered(BaseModel):
    """What was entered: the handle by which the patient is asked for from now on."""

    handle: str


@router.get("/patients", response_model=Rows)
def list_patients(visit: Visiting) -> Response:
    """The patients within reach: `handle`, `patient`, `centre`, and the number of the last `change`."""
    people = visit.store.listed(visit.access)
    handles = pl.Series("handle", [visit.handles.of(number) for number in people["person"]], pl.String)
    return rows(people.select(handles, "patient", "centre", "change"))


@router.post("/patients", status_code=201)
def add_patient(visit: Visiting, new: NewPatient) -> Entered:
    """Enter a new patient of one of the user's centres."""
    visit.store.add_patient(visit.access, new.patient, new.centre, new.values, new.why)
    people = visit.store.listed(visit.access)
    number = people.filter((pl.col("patient") == new.patient) & (pl.col("centre") == new.centre))["person"][0]
    return Entered(handle=visit.handles.of(number))


@router.get("/patients/{handle}/chart", response_model=Tables)
def show_chart(visit: Visiting, handle: str, at_store_time: Moment = None) -> Response:
    """The four tables of the chart; each row with its `id` and `version`, and who wrote it, when and why."""
    person = visit.person(handle)
    record = visit.store.patient(visit.access, person.patient, person.centre, at_store_time)
    return tables({table: record.rows[table].drop("person", "from_change") for table in TABLES})
