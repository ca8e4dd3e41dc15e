"""The work list: who needs what, for the patients of the user's centres; the first page after signing in."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date
from typing import Any

from fastapi import APIRouter, BackgroundTasks
from fastapi.responses import RedirectResponse, Response

from ...advise.needs import KINDS, needs
from ...registry import Access, Store
from ...registry.worklist import Make, Work
from ..rendering import page
from ..visit import Visit, Visiting

router = APIRouter()
SHOWN = 200
ELSEWHERE = (("write", "/patients"), ("count", "/cohort"), ("manage", "/people"))  # the first page of who may read no findings


@router.get("/")
def show_work(visit: Visiting, later: BackgroundTasks, kind: str = "", centre: str = "") -> Response:
    """The list, all kinds or one."""
    if not visit.may("findings"):
        return RedirectResponse(next((address for right, address in ELSEWHERE if visit.may(right)), "/evidence"), 303)
    work = _work(visit, later)
    rows = _rows(work, visit.lang)
    counts = Counter(row["kind"] for row in rows)
    found = [row for row in rows if kind in ("", row["kind"]) and centre in ("", row["centre"])]
    centres = sorted({row["centre"] for row in rows})
    return page(
        visit, "work.html", rows=found[:SHOWN], found=len(found), counts=counts, kinds=KINDS, kind=kind, centre=centre, centres=centres,
        outstanding=work.outstanding, patients=len(work.entries),
    )  # fmt: skip


@router.get("/work/outstanding")
def show_outstanding(visit: Visiting, later: BackgroundTasks) -> Response:
    """How many patients are still to be worked out; the page is loaded again once there is none."""
    work = _work(visit, later)
    answer = page(visit, "work_outstanding.html", outstanding=work.outstanding)
    if not work.outstanding:
        answer.headers["HX-Refresh"] = "true"
    return answer


@router.get("/work.csv")
def export_work(visit: Visiting, later: BackgroundTasks, kind: str = "", centre: str = "") -> Response:
    """The list as a table for a spreadsheet."""
    out = io.StringIO()
    names: list[str] = ["patient", "centre", "kind", "what", "why", "since", "due_on", "days"]
    writer = csv.DictWriter(out, names, extrasaction="ignore")
    writer.writeheader()
    rows = [row for row in _rows(_work(visit, later), visit.lang) if kind in ("", row["kind"]) and centre in ("", row["centre"])]
    writer.writerows({**row, **{name: _harmless(row[name]) for name in ("patient", "what", "why")}} for row in rows)
    headers = {"Content-Disposition": 'attachment; filename="work.csv"'}
    return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def work_out(store: Store, access: Access, region: str) -> None:
    """Work out whatever is outstanding on the list of a user."""
    store.work(access, *_made(region))


def _work(visit: Visit, later: BackgroundTasks) -> Work:
    """The list as far as it is worked out; the rest is worked out once this request is answered."""
    work = visit.store.worklist(visit.access, *_made(visit.settings.region))
    if work.outstanding:
        later.add_task(work_out, visit.store, visit.access, visit.settings.region)
    return work


def _made(region: str) -> tuple[str, Make]:
    """Under which name the needs are kept, and how they are made."""
    return f"work {region}", lambda chart: needs(chart, date.today(), region)


def _rows(work: Work, lang: str) -> list[dict[str, Any]]:
    """What waits today, the most urgent kinds first, in each the longest overdue first."""
    today, zh, order = date.today().isoformat(), lang == "zh", list(KINDS)
    found = [
        {
            "person": entry.person, "patient": entry.patient, "centre": entry.centre, "kind": need["kind"], "what": need["what"][zh],
            "why": need["why"][zh], "since": need["since"] or "", "due_on": need["due_on"] or "",
            "days": (date.today() - date.fromisoformat(need["due_on"])).days if need["due_on"] else "",
        }
        for entry in work.entries
        for need in entry.told
        if not need["due_on"] or need["due_on"] <= today
    ]  # fmt: skip
    return sorted(found, key=lambda row: (order.index(row["kind"]), row["due_on"] or row["since"], row["patient"]))


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
