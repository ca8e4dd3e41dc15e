"""One patient: where the patient stands, the course, the findings with their reasons, what is missing, the advice; and what is printed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from markupsafe import Markup

from ...registry import AccessError, Person
from ...report.page import report
from ...report.sheet import sheet
from ..dossier import REGIONS, advice_part, body, course_of, day_of, dossier, said
from ..rendering import page
from ..security import CSP
from ..visit import Visit, Visiting

router = APIRouter(prefix="/patients/{handle}")
PRINTED = CSP.replace("style-src 'self'", "style-src 'unsafe-inline'").replace("script-src 'self'", "script-src 'none'")


@router.get("")
def show_patient(visit: Visiting, handle: str, at: str = "", region: str = "") -> Response:
    """The patient; for who may read no findings, what is recorded."""
    if not visit.may("findings"):
        return RedirectResponse(f"/patients/{handle}/enter", 303)
    who, day = visit.person(handle), day_of(at)
    visit.request.app.state.warmer.seen(who, visit.lang)
    known = body(visit, who, day, region or visit.settings.region)
    return page(visit, "patient.html", told=known, body=Markup(known["html"]), **_here(visit, handle, who, at))


@router.get("/course.json")
def course_data(visit: Visiting, handle: str, at: str = "") -> Response:
    """The course as data for the chart."""
    return JSONResponse(course_of(visit, visit.person(handle), day_of(at)))


@router.get("/course")
def show_course(visit: Visiting, handle: str, at: str = "") -> Response:
    """The course as a table."""
    return _page(visit, handle, at, "patient_course.html", "patient_course_page.html")


@router.get("/findings/{name}")
def show_reasons(visit: Visiting, handle: str, name: str, at: str = "") -> Response:
    """Why a finding is what it is."""
    told = dossier(visit, visit.person(handle), day_of(at))
    rows = [row for group in told["groups"] for row in group["rows"] if row["name"] == name]
    if not rows:
        raise AccessError("there is no such finding of this patient")
    return _page(visit, handle, at, "patient_reasons.html", "patient_reasons_page.html", row=rows[0])


@router.get("/visits/{line}/{on}")
def show_visit(visit: Visiting, handle: str, line: int, on: str, at: str = "") -> Response:
    """The values by which a visit was judged."""
    told = dossier(visit, visit.person(handle), day_of(at))
    rows = [each for each in told["lines"][line - 1]["visits"] if each["on"] == on] if 0 < line <= len(told["lines"]) else []
    if not rows:
        raise AccessError("there is no such visit of this patient")
    return _page(visit, handle, at, "patient_visit.html", "patient_visit_page.html", one=rows[0])


@router.get("/advice")
def show_advice(visit: Visiting, handle: str, at: str = "", region: str = "") -> Response:
    """What can be done next, under the approvals of a region."""
    region = region or visit.settings.region
    part = advice_part(visit, visit.person(handle), day_of(at), region)
    if visit.request.headers.get("hx-request"):
        return HTMLResponse(part)
    return _page(visit, handle, at, "patient_advice_page.html", options=part, region=region, regions=REGIONS)


@router.get("/report")
def print_report(visit: Visiting, handle: str, at: str = "", region: str = "") -> Response:
    """The report to be printed, one file that needs nothing else."""
    return _printed(visit, handle, at, region, report)


@router.get("/sheet")
def print_sheet(visit: Visiting, handle: str, at: str = "", region: str = "") -> Response:
    """The sheet for a multidisciplinary meeting."""
    return _printed(visit, handle, at, region, sheet)


def _printed(visit: Visit, handle: str, at: str, region: str, draw: Any) -> Response:
    visit.access.require("findings")
    who = visit.person(handle)
    chart = visit.store.patient(visit.access, who.patient, who.centre).chart
    text = draw(chart, who.patient, at=day_of(at), lang=visit.lang, region=region or visit.settings.region)
    return HTMLResponse(text, headers={"Content-Security-Policy": PRINTED})


def _page(visit: Visit, handle: str, at: str, part: str, whole: str = "", **context: Any) -> Response:
    """A page of the patient, or the part of it that a page asked for."""
    who = visit.person(handle)
    template = part if not whole or _asks_for_part(visit.request) else whole
    return page(visit, template, told=dossier(visit, who, day_of(at)), **_here(visit, handle, who, at), **context)


def _here(visit: Visit, handle: str, who: Person, at: str) -> dict[str, Any]:
    """What every page of a patient knows of where it is."""
    return {"w": said(visit.lang), "at": at, "person": who, "address": f"/patients/{handle}", "asked": f"?at={at}" if at else ""}


def _asks_for_part(request: Request) -> bool:
    return bool(request.headers.get("hx-request"))
