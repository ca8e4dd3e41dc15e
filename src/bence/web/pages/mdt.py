"""The multidisciplinary meeting: its days, its agenda, a brief and a decision for each patient, all of it to be printed."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from ...advise.pathway import pathway
from ...errors import UsageError
from ...registry import AccessError
from ..briefs import brief, known_on
from ..dossier import day_of
from ..rendering import page
from ..visit import Visit, Visiting

router = APIRouter()
Text = Annotated[str, Form(max_length=4000)]
NAMES = re.compile(r"[,，、;；\n]+")
NO_DAY = ("A meeting needs a day.", "请填写会诊日期。")
TOO_SOON = ("This meeting is still to come; a decision is recorded from its day on.", "会诊尚未召开，自会诊当日起方可记录决定。")
NOT_WHOLE = (
    "Not kept: a decision needs the question it answers, the decision in words, and who was there.",
    "未保存：请填写所答问题、会诊决定（文字）与参加人员。",
)


@router.get("/mdt")
def show_meetings(visit: Visiting) -> Response:
    """The meetings, and the form to plan one; for who plans none, the decisions."""
    return _meetings(visit) if visit.may("meet") else RedirectResponse("/mdt/decisions", 303)


@router.post("/mdt")
def plan_meeting(visit: Visiting, centre: Text = "", day: Text = "", title: Text = "") -> Response:
    """Plan a meeting."""
    try:
        on = day_of(day)
    except UsageError:
        on = None
    if on is None:
        return _meetings(visit, NO_DAY)
    number = visit.store.plan_meeting(visit.access, centre, on, title)
    return RedirectResponse(f"/mdt/{number}", 303)


@router.get("/mdt/{meeting:int}")
def show_agenda(visit: Visiting, meeting: int) -> Response:
    """The agenda of a meeting, with what was decided."""
    items = visit.store.agenda(visit.access, meeting).rows(named=True)
    return page(visit, "mdt_meeting.html", meeting=_meeting(visit, meeting), items=items, decided=_decided(visit, meeting))


@router.get("/mdt/{meeting:int}/print")
def print_briefs(visit: Visiting, meeting: int) -> Response:
    """The briefs of all patients on the agenda, one a page."""
    held = _meeting(visit, meeting)
    items = visit.store.agenda(visit.access, meeting).rows(named=True)
    decided = _decided(visit, meeting)
    shown = [(item, Markup(_brief(visit, held, item)["html"]), decided.get(item["item"])) for item in items]
    return page(visit, "mdt_print.html", meeting=held, shown=shown)


@router.get("/mdt/{meeting:int}/{item:int}")
def show_item(visit: Visiting, meeting: int, item: int) -> Response:
    """The brief of a patient, and the form for the decision."""
    return _item(visit, meeting, item, {})


@router.post("/mdt/{meeting:int}/{item:int}")
def decide(
    visit: Visiting, meeting: int, item: int, choice: Text = "", text: Text = "", reasons: Text = "", attendants: Text = ""
) -> Response:
    """Enter what was decided."""
    question, _, option = choice.partition("|")
    given = {"choice": choice, "text": text, "reasons": reasons, "attendants": attendants}
    if _meeting(visit, meeting)["day"] > date.today():
        return _item(visit, meeting, item, given, TOO_SOON)
    try:
        there = [name.strip() for name in NAMES.split(attendants) if name.strip()]
        _entry(visit, meeting, item)
        visit.store.decide(visit.access, item, question, option or None, text, reasons, there)
    except AccessError:
        raise
    except UsageError:
        return _item(visit, meeting, item, given, NOT_WHOLE)
    return RedirectResponse(f"/mdt/{meeting}", 303)


def _meetings(visit: Visit, refused: tuple[str, str] | None = None) -> Response:
    rows = visit.store.meetings(visit.access).rows(named=True)
    own = {code: names for code, names in visit.store.centres().items() if code in visit.access.centres}
    return page(visit, "mdt.html", 422 if refused else 200, meetings=rows, centres=own, today=date.today(), refused=refused)


def _item(visit: Visit, meeting: int, item: int, given: dict[str, str], refused: tuple[str, str] | None = None) -> Response:
    held, entry, all_ = _meeting(visit, meeting), _entry(visit, meeting, item), _decisions(visit, meeting)
    told = _brief(visit, held, entry)
    first = {key: pathway().questions[key] for key in told["asked"]}
    questions = {**first, **pathway().questions}
    there = all_["attendants"][0].to_list() if all_.height else []
    return page(
        visit, "mdt_item.html", 422 if refused else 200, meeting=held, entry=entry, brief=Markup(told["html"]), questions=questions,
        options=pathway(), asked=told["asked"], before=all_.filter(pl.col("item") == item).rows(named=True), refused=refused,
        coming=TOO_SOON if held["day"] > date.today() else None,
        given={"choice": "", "text": "", "reasons": "", "attendants": "\n".join(there)} | given,
    )  # fmt: skip


def _brief(visit: Visit, held: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    return brief(visit, visit.store.person(visit.access, item["person"]), known_on(held["day"]))


def _meeting(visit: Visit, number: int) -> dict[str, Any]:
    found = visit.store.meetings(visit.access).filter(pl.col("id") == number)
    if found.is_empty():
        raise AccessError(f"there is no meeting {number}")
    return found.row(0, named=True)


def _entry(visit: Visit, meeting: int, item: int) -> dict[str, Any]:
    found = visit.store.agenda(visit.access, meeting).filter(pl.col("item") == item)
    if found.is_empty():
        raise AccessError(f"there is no item {item} on this agenda")
    return found.row(0, named=True)


def _decisions(visit: Visit, meeting: int) -> pl.DataFrame:
    return visit.store.decisions(visit.access).filter(pl.col("meeting") == meeting).sort("id", descending=True)


def _decided(visit: Visit, meeting: int) -> dict[int, dict[str, Any]]:
    """The decisions that stand, by item."""
    return {row["item"]: row for row in _decisions(visit, meeting).filter("stands").iter_rows(named=True)}
