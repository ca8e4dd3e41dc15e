"""Entering, correcting and removing rows of a patient, and what a row would change before it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from ...catalogue import code as code_of
from ...catalogue import codes
from ...chart import DATED
from ...errors import BenceError, UsageError
from ...registry import AccessError, ConflictError, Person
from ...registry.reading import Record
from ...report.changes import changes
from ..entering import COLUMN_WORDS, COLUMNS, GRAINS, TABLE_WORDS, VISIT, choices, given, search
from ..refusals import fault_said, tried
from ..rendering import page
from ..visit import Visit, Visiting


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form, without the token of the session."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str) and name != "csrf"}


Fields = Annotated[dict[str, str], Depends(fields_of)]
router = APIRouter()
WHY = ("entered on the page of the patient", "correction on the page of the patient")
SHOWN = 80  # rows of a table at first


@router.get("/patients/new")
def new_patient(visit: Visiting) -> Response:
    """The form for a new patient."""
    visit.access.require("write")
    return _new(visit, {})


@router.post("/patients/new")
def add_patient(visit: Visiting, fields: Fields) -> Response:
    """Enter a new patient."""
    key, centre = fields.get("patient", "").strip(), fields.get("centre", "")

    def added() -> Response:
        if not key:
            raise UsageError("blank", where="patients: patient", expected="every row needs patient")
        number = visit.store.add_patient(visit.access, key, centre, given(fields, "patients"), fields.get("why") or WHY[0])
        return RedirectResponse(f"/patients/{visit.handles.of(number)}/enter", 303)

    return tried(visit, added, lambda why: _new(visit, fields, why))


@router.get("/patients/{handle}/enter")
def show_rows(visit: Visiting, handle: str, table: str = "observations", word: str = "", done: str = "", whole: bool = False) -> Response:
    """What is recorded, newest first, and where more is entered; the latest rows unless the `whole` table is asked for."""
    who, record = _record(visit, handle)
    if table not in GRAINS:
        raise UsageError(f"no rows are entered into {table!r}", expected=", ".join(GRAINS))
    rows = record.rows[table].sort(DATED[table], "id", descending=True, nulls_last=True)
    rows = (rows if whole else rows.head(SHOWN)).rows(named=True)
    return _page(
        visit, handle, who, "enter.html", table=table, word=word, found=search(word, table) if word.strip() else [], rows=rows, done=done,
        on=DATED[table], more=0 if whole else max(record.rows[table].height - SHOWN, 0),
    )  # fmt: skip


@router.get("/patients/{handle}/enter/codes")
def find_code(visit: Visiting, handle: str, table: str = "observations", word: str = "") -> Response:
    """The codes that a word may mean, as a part of the page."""
    who = visit.person(handle)
    return _page(visit, handle, who, "enter_codes.html", table=table, found=search(word, table) if word.strip() else [], word=word)


@router.get("/patients/{handle}/enter/{table}/{what}")
def new_row(visit: Visiting, handle: str, table: str, what: str) -> Response:
    """The form for a row of one code."""
    code_of(what, *GRAINS.get(table, ("none",)))
    return _form(visit, handle, visit.person(handle), table, {"what": what, DATED[table]: date.today().isoformat()})


@router.post("/patients/{handle}/enter/{table}/{what}")
def add_row(visit: Visiting, fields: Fields, handle: str, table: str, what: str) -> Response:
    """Enter a row."""
    who = visit.person(handle)
    fields["what"] = what

    def added() -> Response:
        visit.store.add(visit.access, table, who.patient, given(fields, table), fields.get("why") or WHY[0], who.centre)
        return RedirectResponse(f"/patients/{handle}/enter?table={table}&done=added", 303)

    return tried(visit, added, lambda why: _form(visit, handle, who, table, fields, refused=why))


@router.post("/patients/{handle}/preview/{table}")
def preview(visit: Visiting, fields: Fields, handle: str, table: str) -> Response:
    """What a row would change, before it is kept; nothing is."""
    visit.access.require("findings")
    who, before = visit.person(handle), fields.get("replaces")

    def compared() -> Response:
        row = visit.store.attempt(visit.access, table, who.patient, given(fields, table), who.centre)
        record = visit.store.patient(visit.access, who.patient, who.centre)
        found = changes(record.chart, table, row, None, visit.lang, without=pl.col("source") == before if before else None)
        return page(visit, "preview.html", refused="", found=found)

    return tried(visit, compared, lambda why: page(visit, "preview.html", refused=why, found=None))


@router.get("/patients/{handle}/visit")
def new_visit(visit: Visiting, handle: str) -> Response:
    """The form for the usual laboratory results of one day."""
    return _visit_form(visit, handle, {"on": date.today().isoformat()}, {}, [])


@router.post("/patients/{handle}/visit")
def add_visit(visit: Visiting, fields: Fields, handle: str) -> Response:
    """Enter the results of one day: all of them, or none if one is not accepted."""
    who = visit.person(handle)
    rows = {name: _result(name, fields[name].strip(), fields.get("on", "")) for name in VISIT if fields.get(name, "").strip()}
    faults = {}
    for name, row in rows.items():
        try:
            visit.store.attempt(visit.access, "observations", who.patient, row, who.centre)
        except AccessError:
            raise
        except BenceError as error:
            faults[name] = fault_said(error, visit.lang)
    if faults or not rows:
        return _visit_form(visit, handle, fields, faults, list(rows), 422)
    visit.store.add_all(visit.access, "observations", who.patient, list(rows.values()), fields.get("why") or WHY[0], who.centre)
    return RedirectResponse(f"/patients/{handle}/enter?done=added", 303)


@router.get("/patients/{handle}/rows/{table}/{row}")
def edit_row(visit: Visiting, handle: str, table: str, row: int) -> Response:
    """The form for a row that is there."""
    who, record = _record(visit, handle)
    return _form(visit, handle, who, table, _stored(record, table, row), row=row)


@router.post("/patients/{handle}/rows/{table}/{row}")
def change_row(visit: Visiting, fields: Fields, handle: str, table: str, row: int) -> Response:
    """Correct or remove a row; a conflict shows what the other user changed."""
    who = visit.person(handle)
    version, why = fields.get("version", ""), fields.get("why", "").strip()

    def changed() -> Response:
        if not why:
            raise UsageError("a reason is needed")
        if not version.isdigit():
            raise UsageError("the row was not read", expected="its version")
        try:
            if "remove" in fields:
                visit.store.remove(visit.access, table, row, int(version), why)
            else:
                visit.store.edit(visit.access, table, row, int(version), given(fields, table), why)
        except ConflictError as error:
            return _form(visit, handle, who, table, fields, row=row, conflict=error, status=409)
        if table == "patients" and "remove" in fields:
            return RedirectResponse("/patients", 303)
        back = f"table={table}&" if table in GRAINS else ""
        return RedirectResponse(f"/patients/{handle}/enter?{back}done={'removed' if 'remove' in fields else 'changed'}", 303)

    return tried(visit, changed, lambda why: _form(visit, handle, who, table, fields, row=row, refused=why))


@router.get("/patients/{handle}/rows/{table}/{row}/history")
def show_history(visit: Visiting, handle: str, table: str, row: int) -> Response:
    """Every version of a row: who wrote it, when and why."""
    who = visit.person(handle)
    if table not in COLUMNS:
        raise UsageError(f"there is no table {table!r}", expected=", ".join(COLUMNS))
    told = visit.store.history(visit.access, table, row)
    names = [name for name in ("what", *COLUMNS[table]) if name in told.columns and told[name].drop_nulls().len()]
    return _page(visit, handle, who, "row_history.html", table=table, row=row, versions=told.reverse().rows(named=True), names=names)


def _form(
    visit: Visit, handle: str, who: Person, table: str, values: Mapping[str, Any], row: int | None = None, refused: str = "",
    conflict: ConflictError | None = None, status: int = 200,
) -> Response:  # fmt: skip
    what = values.get("what")
    code = codes().get(str(what)) if what else None
    columns = [name for name in COLUMNS[table] if _asked(name, code, values)]
    offered = {name: choices(name, code) for name in columns}
    shown = {name: "" if values.get(name) is None else _shown(values[name]) for name in (*columns, "version", "source", "why", "replaces")}
    return _page(
        visit, handle, who, "row.html", 422 if refused else status, table=table, row=row, code=code, columns=columns, offered=offered,
        shown=shown, refused=refused, conflict=conflict,
    )  # fmt: skip


def _asked(name: str, code: Any, values: Mapping[str, Any]) -> bool:
    """Is a column asked for in a row of this code? Whatever is filled already is."""
    if values.get(name):
        return True
    if name in ("value", "comparator", "unit"):
        return code is None or (code.numeric and (name != "unit" or bool(code.unit)))
    if name in ("detection_limit", "cells"):
        return code is not None and code.code == "mrd"
    return name != "text" or code is None or not code.numeric or bool(code.words)


def _visit_form(
    visit: Visit, handle: str, shown: Mapping[str, Any], faults: Mapping[str, str], filled: list[str], status: int = 200
) -> Response:
    items = [codes()[name] for name in VISIT]
    empty = status != 200 and not filled
    return _page(visit, handle, visit.person(handle), "visit_form.html", status, items=items, shown=shown, faults=faults, empty=empty)


def _result(name: str, text: str, on: str) -> dict[str, str | None]:
    """A row of a result as it is written in one field: `<0.5`, `5.2`, `negative`."""
    known = codes()[name]
    sign = next((each for each in ("<=", ">=", "<", ">") if text.startswith(each)), None)
    number = text[len(sign or "") :].strip()
    if known.numeric and number[:1].isdigit():
        return {"what": name, "on": on, "value": number, "comparator": sign, "unit": known.unit or None}
    return {"what": name, "on": on, "text": text}


def _new(visit: Visit, fields: Mapping[str, str], refused: str = "") -> Response:
    offered = {name: choices(name, None) for name in COLUMNS["patients"]}
    centres = {code: words for code, words in visit.store.centres().items() if code in visit.access.centres}
    return page(
        visit, "new_patient.html", 422 if refused else 200, shown=fields, offered=offered, columns=COLUMNS["patients"], centres=centres,
        words=COLUMN_WORDS, refused=refused,
    )  # fmt: skip


def _record(visit: Visit, handle: str) -> tuple[Person, Record]:
    who = visit.person(handle)
    return who, visit.store.patient(visit.access, who.patient, who.centre)


def _stored(record: Record, table: str, row: int) -> dict[str, Any]:
    """The current values of a row of this patient; AccessError if there is none."""
    found = [each for each in record.rows.get(table, record.rows["patients"].clear()).iter_rows(named=True) if each["id"] == row]
    if not found:
        raise AccessError("there is no such row of this patient")
    return {name: value for name, value in found[0].items() if name != "why"} | {"replaces": found[0].get("source")}


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _page(visit: Visit, handle: str, who: Person, template: str, status: int = 200, **context: Any) -> Response:
    own = {"person": who, "address": f"/patients/{handle}", "words": COLUMN_WORDS, "tables": TABLE_WORDS, "text_of": _shown}
    return page(visit, template, status, **own, **context)
