"""What the boards decided and what was done then; and a patient put on an agenda."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from ...advise.pathway import pathway
from ...catalogue import label
from ...errors import UsageError
from ...registry import AccessError
from ...registry.concordance import WITHIN, followed_up
from ..rendering import page
from ..visit import Visit, Visiting

router = APIRouter()
Text = Annotated[str, Form(max_length=4000)]
SAID = {
    "followed": ("followed", "已按决定执行"),
    "other": ("something else was begun", "实际采用其他治疗"),
    "nothing_yet": ("nothing begun yet", "尚未开始治疗"),
    "not_comparable": ("not comparable", "无法比较"),
}
BECAUSE = {
    "in_words": ("decided in words, without an option of the pathway", "仅为文字决定，未选路径中的方案"),
    "no_drug": ("the option names no drug or procedure", "该方案未指明药物或操作"),
    "too_early": (f"less than {WITHIN} days of the time after it are recorded", f"会诊后的记录不足{WITHIN}天"),
}
NOTHING = ("A question to the board and a meeting are needed.", "请选择会诊并填写待讨论的问题。")


@router.get("/mdt/decisions")
def show_decisions(visit: Visiting, centre: str = "") -> Response:
    """The decisions of the boards as a table, with what was begun after each."""
    told = visit.store.decisions(visit.access).filter("stands")
    boards = sorted(told["board"].unique())
    told = told.filter(pl.col("board") == centre) if centre else told
    after = followed_up(told, visit.store.chart(visit.access), date.today()) if told.height else None
    rows = _with(told, after)
    counts = {key: sum(row["concordance"] == key for row in rows) for key in SAID}
    return page(visit, "mdt_decisions.html", rows=rows, counts=counts, boards=boards, centre=centre, **_words())


@router.get("/patients/{handle}/mdt")
def show_patient(visit: Visiting, handle: str) -> Response:
    """What was decided on a patient, and the form to put the patient on an agenda."""
    return _patient(visit, handle, "")


@router.post("/patients/{handle}/mdt")
def put_on_agenda(visit: Visiting, handle: str, meeting: Text = "", asked: Text = "") -> Response:
    """Put the patient on the agenda of a meeting."""
    who = visit.person(handle)
    visit.access.require("meet")
    try:
        if not meeting.isdecimal():
            raise UsageError("no meeting was chosen")
        visit.store.put_on_agenda(visit.access, int(meeting), who.patient, asked, who.centre)
    except AccessError:
        raise
    except UsageError:
        return _patient(visit, handle, asked, NOTHING)
    return RedirectResponse(f"/mdt/{meeting}", 303)


def _patient(visit: Visit, handle: str, asked: str, refused: tuple[str, str] | None = None) -> Response:
    who = visit.person(handle)
    told = visit.store.decisions(visit.access, who.patient, who.centre)
    chart = visit.store.patient(visit.access, who.patient, who.centre).chart
    standing = told.filter("stands")
    rows = _with(standing, followed_up(standing, chart, date.today()))
    former = told.filter(~pl.col("stands")).rows(named=True)
    meetings = visit.store.meetings(visit.access).reverse().rows(named=True) if visit.may("meet") else []
    coming = [each for each in meetings if each["day"] >= date.today()]
    return page(
        visit, "mdt_patient.html", 422 if refused else 200, person=who, address=f"/patients/{handle}", rows=rows, former=former,
        meetings=coming, asked=asked, refused=refused, **_words(),
    )  # fmt: skip


def _with(decisions: pl.DataFrame, after: pl.DataFrame | None) -> list[dict[str, Any]]:
    """Decisions, each with what was begun after it."""
    if after is None or after.is_empty():
        return []
    told = after.select(pl.col("decision").alias("id"), "begun", "begun_on", "concordance", "because")
    return decisions.join(told, on="id", how="left", maintain_order="left").rows(named=True)


def _words() -> dict[str, Any]:
    def drugs(names: str, lang: str) -> str:
        return " + ".join(label(name, lang) for name in names.split("+"))

    return {"said": SAID, "reasons": BECAUSE, "pathway": pathway(), "drugs": drugs, "within": WITHIN}
