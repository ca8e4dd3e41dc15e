"""Who cares for a patient: shares by consent, transfer, another key, and one human in two records."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from ...chart import DATED
from ...errors import UsageError
from ...registry import AccessError, Person
from ...registry.moving import differing
from ..dossier import day_of
from ..entering import COLUMN_WORDS, TABLE_WORDS
from ..refusals import tried
from ..rendering import page
from ..visit import Visit, Visiting
from .enter import Fields

router = APIRouter()
MOVES = {"merge": ("merged", "合并"), "transfer": ("transferred", "转中心"), "rename": ("given another key", "更换编号")}
SHOWN = 200  # pairs, the most likely first
KEEP = "keep"  # field of a form → which of two values holds


@router.get("/patients/{handle}/care")
def show_care(visit: Visiting, handle: str, done: str = "", change: int | None = None) -> Response:
    """Shares, and the forms to share, transfer, rename and merge."""
    return _care(visit, handle, done=done, change=change)


@router.post("/patients/{handle}/care/{what}")
def act(visit: Visiting, fields: Fields, handle: str, what: str) -> Response:
    """Share, end a share, transfer, give another key, or look for the other record to merge."""
    who = visit.person(handle)
    doing = {"share": _share, "revoke": _revoke, "transfer": _transfer, "rename": _rename, "undo": _undo, "other": _other}
    if what not in doing:
        raise AccessError(f"nothing is done as {what!r}")
    return tried(
        visit,
        lambda: RedirectResponse(doing[what](visit, who, handle, fields), 303),
        lambda why: _care(visit, handle, fields, refused=why),
    )


@router.get("/patients/{handle}/merge/{duplicate}")
def show_merge(visit: Visiting, handle: str, duplicate: str) -> Response:
    """What two records say, where they differ, and what a merge would do."""
    return _merge_page(visit, handle, duplicate)


@router.post("/patients/{handle}/merge/{duplicate}")
def merge(visit: Visiting, fields: Fields, handle: str, duplicate: str) -> Response:
    """Let the rows of the duplicate go on under the patient."""
    keep, gone = visit.person(handle), visit.person(duplicate)

    def merged() -> Response:
        why = _needed(fields, "why")
        resolve = _resolved(visit, _patient_row(visit, keep), _patient_row(visit, gone), fields)
        change = visit.store.merge(visit.access, keep.patient, gone.patient, why, resolve, keep.centre, gone.centre)
        return RedirectResponse(f"/patients/{handle}/care?done=merged&change={change}", 303)

    return tried(visit, merged, lambda why: _merge_page(visit, handle, duplicate, fields, why))


@router.get("/duplicates")
def show_duplicates(visit: Visiting) -> Response:
    """Records that may be of one human, with the reasons."""
    pairs = visit.store.duplicates(visit.access)
    return page(visit, "duplicates.html", pairs=pairs.head(SHOWN).rows(named=True), found=pairs.height)


def _share(visit: Visit, who: Person, handle: str, fields: dict[str, str]) -> str:
    until = day_of(fields.get("until", ""))
    if until and until < date.today():
        raise UsageError("the share ends in the past")
    end = datetime.combine(until + timedelta(days=1), datetime.min.time()).astimezone() if until else None
    visit.store.share(visit.access, who.patient, fields.get("centre", ""), _needed(fields, "consent"), end, who.centre)
    return f"/patients/{handle}/care?done=shared"


def _revoke(visit: Visit, who: Person, handle: str, fields: dict[str, str]) -> str:
    number = fields.get("share", "")
    mine = [str(row["id"]) for row in _shares(visit, who)]
    if number not in mine:
        raise AccessError("there is no such share of this patient")
    visit.store.revoke(visit.access, int(number), _needed(fields, "why"))
    return f"/patients/{handle}/care?done=revoked"


def _transfer(visit: Visit, who: Person, handle: str, fields: dict[str, str]) -> str:
    to, key = fields.get("centre", ""), fields.get("key", "").strip()
    why, consent = _needed(fields, "why"), _needed(fields, "consent")
    change = visit.store.transfer(visit.access, who.patient, to, why, consent, key or None, who.centre)
    return _where_now(visit, key or who.patient, to, f"done=transferred&change={change}")


def _rename(visit: Visit, who: Person, handle: str, fields: dict[str, str]) -> str:
    key = _needed(fields, "key")
    change = visit.store.rename(visit.access, who.patient, key, _needed(fields, "why"), who.centre)
    return _where_now(visit, key, who.centre, f"done=renamed&change={change}")


def _undo(visit: Visit, who: Person, handle: str, fields: dict[str, str]) -> str:
    number = fields.get("change", "")
    if not number.isdecimal():
        raise UsageError(f"{number!r} is not the number of a change")
    visit.store.undo(visit.access, int(number), _needed(fields, "why"))
    return "/patients"


def _other(visit: Visit, who: Person, handle: str, fields: dict[str, str]) -> str:
    """The page on which this record and another, named by its key, are merged."""
    visit.access.require("merge")
    number = _numbers(visit).get((fields.get("centre") or who.centre, fields.get("key", "").strip()))
    if number is None:
        raise UsageError("there is no such patient whom you may merge")
    return f"/patients/{handle}/merge/{visit.handles.of(number)}"


def _where_now(visit: Visit, key: str, centre: str, said: str) -> str:
    """The page of care of whoever a patient goes on as; the list of patients if that is out of reach."""
    number = _numbers(visit).get((centre, key))
    return "/patients" if number is None else f"/patients/{visit.handles.of(number)}/care?{said}"


def _numbers(visit: Visit) -> dict[tuple[str, str], int]:
    """The patients within reach: centre and key → number."""
    people = visit.store.listed(visit.access).select("centre", "patient", "person")
    return {(centre, patient): number for centre, patient, number in people.iter_rows()}


def _shares(visit: Visit, who: Person) -> list[dict[str, Any]]:
    shares = visit.store.shared(visit.access)
    mine = shares.filter((pl.col("patient") == who.patient) & (pl.col("home") == who.centre))
    now = datetime.now().astimezone()
    return [row | {"open": row["until"] is None or datetime.fromisoformat(row["until"]) > now} for row in mine.iter_rows(named=True)]


def _care(
    visit: Visit, handle: str, given: dict[str, str] | None = None, refused: str = "", done: str = "", change: int | None = None
) -> Response:
    who = visit.person(handle)
    own = who.centre in visit.access.centres
    return page(
        visit, "care.html", 422 if refused else 200, person=who, address=f"/patients/{handle}", own=own, given=given or {},
        shares=_shares(visit, who) if own and visit.may("share") else [], refused=refused, done=done, change=change,
        centres={code: names for code, names in visit.store.centres().items() if code != who.centre},
        mine=visit.access.centres, today=date.today(), moves=visit.store.moved(visit.access, who.patient, who.centre).rows(named=True),
        kinds=MOVES,
    )  # fmt: skip


def _merge_page(visit: Visit, handle: str, duplicate: str, given: dict[str, str] | None = None, refused: str = "") -> Response:
    visit.access.require("merge")
    keep, gone = visit.person(handle), visit.person(duplicate)
    if keep.number == gone.number:
        raise UsageError("this is the same record")
    records = [visit.store.patient(visit.access, one.patient, one.centre).rows for one in (keep, gone)]
    sizes = [(TABLE_WORDS[table], *(rows[table].height for rows in records)) for table in DATED]
    rows = [rows["patients"].row(0, named=True) for rows in records]
    differs = differing(*rows)
    same = {name: (rows[0].get(name), rows[1].get(name)) for name in COLUMN_WORDS if name in rows[0] and name not in differs}
    return page(
        visit, "merge.html", 422 if refused else 200, keep=keep, gone=gone, address=f"/patients/{handle}", other=f"/patients/{duplicate}",
        backwards=f"/patients/{duplicate}/merge/{handle}", sizes=sizes, differs=differs, same=same, words=COLUMN_WORDS, given=given or {},
        refused=refused,
    )  # fmt: skip


def _patient_row(visit: Visit, who: Person) -> dict[str, Any]:
    return visit.store.patient(visit.access, who.patient, who.centre).rows["patients"].row(0, named=True)


def _resolved(visit: Visit, mine: dict[str, Any], theirs: dict[str, Any], fields: dict[str, str]) -> dict[str, Any]:
    """What holds where two records differ, as chosen: that of the one or of the other."""
    chosen = {name: fields.get(f"{KEEP}_{name}") for name in differing(mine, theirs)}
    return {name: (mine if side == "first" else theirs)[name] for name, side in chosen.items() if side in ("first", "second")}


def _needed(fields: dict[str, str], name: str) -> str:
    """A field that must not be empty."""
    text = fields.get(name, "").strip()
    if not text:
        raise UsageError("say where the consent is kept" if name == "consent" else "a reason is needed" if name == "why" else "blank")
    return text
