"""What a physician says of a finding, beside the derived one: entered with a reason, withdrawn, with the history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from ...catalogue import codes_of
from ...errors import UsageError
from ...registry import Person
from ...registry.verdicts import FINDINGS, LINES, OF_THE_PATIENT
from ...report.reasons import in_order, said
from ...report.words import FINDINGS as NAMES
from ...report.words import PAGE
from ..dossier import day_of
from ..refusals import tried
from ..rendering import page
from ..visit import Visit, Visiting
from .enter import Fields

router = APIRouter(prefix="/patients/{handle}/verdicts")
OWN_NAMES = {"line": ("Line of therapy", "治疗线数"), "response": ("Response at a visit", "单次评估疗效")}
SHOWN = 30  # visits, the last first


@router.get("")
def show_verdicts(visit: Visiting, handle: str, finding: str = "", line: str = "", on: str = "", done: str = "") -> Response:
    """The findings, what physicians said of them, and the form for one."""
    return _page(visit, handle, {"finding": finding, "line": line, "on": on}, done=done)


@router.get("/part")
def show_standing(visit: Visiting, handle: str) -> Response:
    """The verdicts that stand, as a part of the page of the patient."""
    who = visit.person(handle)
    rows = visit.store.verdicts(visit.access, who.patient, who.centre).filter("stands")
    return page(visit, "verdicts_part.html", standing=_told(rows, visit.lang), address=f"/patients/{handle}", part=True)


@router.post("")
def judge(visit: Visiting, fields: Fields, handle: str) -> Response:
    """Enter or withdraw a verdict."""
    who = visit.person(handle)
    withdrawn = "withdraw" in fields

    def judged() -> Response:
        if not fields.get("why", "").strip():
            raise UsageError("a reason is needed")
        if not withdrawn and not fields.get("value", "").strip():
            raise UsageError("the verdict itself is missing")
        visit.store.judge(
            visit.access, who.patient, fields.get("finding", ""), None if withdrawn else fields["value"].strip(), fields["why"],
            _number(fields.get("line", "")), day_of(fields.get("on", "")), who.centre,
        )  # fmt: skip
        return RedirectResponse(f"/patients/{handle}/verdicts?done={'withdrawn' if withdrawn else 'entered'}", 303)

    return tried(visit, judged, lambda why: _page(visit, handle, fields, refused=why))


def _page(visit: Visit, handle: str, chosen: dict[str, str], refused: str = "", done: str = "") -> Response:
    who = visit.person(handle)
    rows = visit.store.verdicts(visit.access, who.patient, who.centre)
    derived = _derived(visit, who)
    chosen = {"finding": "", "line": "", "on": ""} | chosen
    finding = chosen["finding"]
    code = codes_of("finding").get(finding) if finding in FINDINGS else None
    words = [(each, said(finding, each, visit.lang)) for each in code.words] if code else []
    if finding == "line":
        words = [(str(each), str(each)) for each in LINES]
    return page(
        visit, "verdicts.html", 422 if refused else 200, person=who, address=f"/patients/{handle}", derived=_beside(derived, rows),
        history=_told(rows, visit.lang), standing=_told(rows.filter("stands"), visit.lang), chosen=chosen, words=words,
        name=_name(finding, visit.lang) if finding in FINDINGS else "", refused=refused, done=done,
        needs=FINDINGS.get(finding, ()), others=[(each, _name(each, visit.lang)) for each in FINDINGS if each not in OWN_NAMES],
        part=False,
    )  # fmt: skip


def _derived(visit: Visit, who: Person) -> list[dict[str, Any]]:
    """What Bence says: of the patient, of each line, of the last visits."""
    found = visit.store.findings_for(visit.access, who.patient, centre=who.centre)
    status, lang = found["status"].row(0, named=True), visit.lang
    rows = [_row(name, None, None, _answer(status, name, lang), lang) for name in OF_THE_PATIENT if _answer(status, name, lang)]
    for line in found["lines"].select("line", "best_response").iter_rows(named=True):
        best = "" if line["best_response"] is None else said("best_response", line["best_response"], lang)
        rows.append(_row("best_response", line["line"], None, best, lang))
    visits = found["response"].sort("on", descending=True).head(SHOWN).select("line", "on", "timepoint")
    rows += [_row("response", v["line"], v["on"], said("response", v["timepoint"], lang), lang) for v in visits.iter_rows(named=True)]
    return rows


def _answer(status: dict[str, Any], name: str, lang: str) -> str:
    """A finding of the patient in words; empty where it says nothing of this patient."""
    if status.get(name) is not None:
        return said(name, status[name], lang)
    return _possible(name, status.get(f"{name}_possible") or "", lang)


def _possible(name: str, text: str, lang: str) -> str:
    return PAGE[lang]["or"].join(said(name, each, lang) for each in in_order(name, text.split("|"))) if text else ""


def _row(name: str, line: int | None, on: date | None, answer: str, lang: str) -> dict[str, Any]:
    return {"finding": name, "name": _name(name, lang), "line": line, "on": on, "derived": answer}


def _beside(derived: list[dict[str, Any]], rows: pl.DataFrame) -> list[dict[str, Any]]:
    """What Bence says, each with the verdict that stands on it (`own`)."""
    standing = {(row["finding"], row["line"], row["on"]): row for row in rows.filter("stands").iter_rows(named=True)}
    return [row | {"own": standing.get((row["finding"], row["line"], row["on"]))} for row in derived]


def _told(rows: pl.DataFrame, lang: str) -> Iterable[dict[str, Any]]:
    """Verdicts in words."""
    return [
        row
        | {
            "name": _name(row["finding"], lang),
            "said": None if row["value"] is None else _words(row["finding"], row["value"], lang),
            "was": _words(row["finding"], row["derived"] or "", lang),
        }
        for row in rows.iter_rows(named=True)
    ]


def _words(finding: str, value: str, lang: str) -> str:
    return value if finding == "line" else _possible(finding, value, lang)


def _name(finding: str, lang: str) -> str:
    code = codes_of("finding").get(finding)
    words = OWN_NAMES.get(finding) or NAMES.get(finding) or ((code.en, code.zh) if code else (finding, finding))
    return words[lang == "zh"]


def _number(text: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdecimal():
        raise UsageError(f"{text!r} is not a line of therapy", expected=f"{LINES[0]} to {LINES[-1]}")
    return int(text)
