"""What is known of a patient, why, and what can be done next."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel

from ...advise import advise
from ...assess.why import why
from ...chart import Chart
from ..visit import Visit, Visiting
from .answers import Rows, Tables, rows, tables

router = APIRouter(prefix="/patients/{handle}", tags=["findings"])
Day = Annotated[date | None, Query(description="what was known on this day; none: the last day of the record")]
Lang = Literal["en", "zh"]
Region = Literal["china", "us", "eu"]


class Explanation(BaseModel):
    """Why a finding is as it is, in words."""

    text: str


@router.get("/findings", response_model=Tables)
def show_findings(visit: Visiting, handle: str, at: Day = None, profile: Annotated[str, Query(max_length=40)] = "imwg_2016") -> Response:
    """The tables of findings."""
    person = visit.person(handle)
    return tables(visit.store.findings_for(visit.access, person.patient, at, person.centre, profile))


@router.get("/why/{name}")
def explain_finding(visit: Visiting, handle: str, name: str, at: Day = None, lang: Lang = "en") -> Explanation:
    """Why a finding (`r2_iss`, `response`, `line` …) is as it is: values, dates, rule, source; and what is missing."""
    chart, patient = _own(visit, handle)
    return Explanation(text=why(chart, patient, name, at).text(lang))


@router.get("/advice", response_model=Rows)
def show_advice(visit: Visiting, handle: str, at: Day = None, region: Region | None = None, lang: Lang = "en") -> Response:
    """The options of the pathway: stance, reasons, evidence, and what would settle an unknown. They are ordered by no guess."""
    chart, _ = _own(visit, handle)
    return rows(advise(chart, at, region or visit.settings.region, lang))


def _own(visit: Visit, handle: str) -> tuple[Chart, str]:
    """The chart and the key of a patient whose findings the user may see."""
    visit.access.require("findings")
    person = visit.person(handle)
    return visit.store.patient(visit.access, person.patient, person.centre).chart, person.patient
