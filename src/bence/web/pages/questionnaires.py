"""Questionnaires of a patient: invite by a link that serves once, withdraw it, and see the answers over time."""

from __future__ import annotations

from typing import Annotated, Any

import polars as pl
import segno
from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from ...catalogue import label
from ...errors import UsageError
from ...explain import number
from ...registry import AccessError
from ...registry.forms import Questionnaire
from ..rendering import page
from ..visit import Visit, Visiting

router = APIRouter(prefix="/patients/{handle}/questionnaires")
Text = Annotated[str, Form(max_length=400)]
DAYS = (3, 7, 14, 30, 90)
MOST_TIMES = 12  # answers side by side
STATES = {
    "open": ("open", "待填写"),
    "used": ("answered", "已填写"),
    "expired": ("expired", "已过期"),
    "withdrawn": ("withdrawn", "已撤回"),
}
WHY = "withdrawn on the page of the patient"
NOT_POSSIBLE = (
    "This could not be done: the link was used or withdrawn meanwhile, or a field is not valid.",
    "操作未完成：链接已使用或撤回，或所填内容无效。",
)


@router.get("")
def show(visit: Visiting, handle: str) -> Response:
    """Invitations and answers."""
    return _page(visit, handle)


@router.post("")
def invite(visit: Visiting, handle: str, questionnaire: Text = "", lang: Text = "zh", days: Annotated[int, Form()] = 14) -> Response:
    """Invite the patient; the link is on the page that answers, and nowhere else."""
    who = visit.person(handle)
    try:
        token = visit.store.invite(visit.access, who.patient, questionnaire, days, lang, who.centre)
    except AccessError:
        raise
    except UsageError:
        return _page(visit, handle, refused=NOT_POSSIBLE)
    home = visit.settings.public_url.rstrip("/") or str(visit.request.base_url).rstrip("/")
    link = f"{home}/q/{token}"
    return _page(visit, handle, link=link, code=Markup(segno.make(link, error="m").svg_inline(scale=5, border=3)))


@router.post("/{invitation:int}/withdraw")
def withdraw(visit: Visiting, handle: str, invitation: int) -> Response:
    """Shut a link that is open."""
    who = visit.person(handle)
    mine = visit.store.invitations(visit.access, who.patient, who.centre)
    if invitation not in mine["id"]:
        raise AccessError(f"there is no invitation {invitation} of this patient")
    try:
        visit.store.withdraw(visit.access, invitation, WHY)
    except UsageError:
        return _page(visit, handle, refused=NOT_POSSIBLE)
    return RedirectResponse(f"/patients/{handle}/questionnaires", 303)


def _page(visit: Visit, handle: str, refused: tuple[str, str] | None = None, **shown: Any) -> Response:
    visit.access.require("invite")
    who = visit.person(handle)
    invitations = visit.store.invitations(visit.access, who.patient, who.centre).rows(named=True)
    rows = visit.store.patient(visit.access, who.patient, who.centre).rows["observations"]
    answered = rows.filter(pl.col("source").str.starts_with("questionnaire:"), pl.col("on").is_not_null())
    forms = visit.store.questionnaires()
    return page(
        visit, "questionnaires.html", 422 if refused else 200, person=who, address=f"/patients/{handle}", invitations=invitations,
        forms=forms, refused=refused, states=STATES, offered=DAYS, answers=_answers(answered, forms, visit.lang),
        **{"link": "", "code": ""} | shown,
    )  # fmt: skip


def _answers(rows: pl.DataFrame, forms: dict[str, Questionnaire], lang: str) -> dict[str, Any]:
    """When something was answered, the last first, and for each item its name and what was said each time."""
    times = rows.select("on", "source").unique().sort("on", "source", descending=True).head(MOST_TIMES).rows()
    said = {(row["what"], row["on"], row["source"]): _said(row, forms, lang) for row in rows.iter_rows(named=True)}
    asked = [item.code for form in forms.values() for item in form.items]
    names = [name for name in dict.fromkeys([*asked, *rows["what"]]) if name in set(rows["what"])]
    return {
        "days": [on for on, _ in times],
        "rows": [(label(name, lang), [said.get((name, *time), "") for time in times]) for name in names],
    }


def _said(row: dict[str, Any], forms: dict[str, Questionnaire], lang: str) -> str:
    """An answer in the words in which it was offered, a number with its unit."""
    kept = row["text"] if row["value"] is None else row["value"]
    for form in forms.values():
        for item in form.items:
            for choice in item.choices if item.code == row["what"] else ():
                if choice.kept == kept:
                    words = choice.words[lang == "zh"]
                    return words if isinstance(kept, str) or words == f"{kept:g}" else f"{kept:g}: {words}"
    return str(kept) if isinstance(kept, str) else f"{number(kept)} {row['unit'] or ''}".strip()
