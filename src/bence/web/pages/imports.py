"""Import: send files or paste a table, see how it is read and what would change, bring it in with a reason, take it back."""

from __future__ import annotations

import re
import time
from typing import Annotated, Any
from urllib.parse import quote

import polars as pl
from fastapi import APIRouter, Form, UploadFile
from fastapi.responses import RedirectResponse, Response

from ...catalogue import codes_of
from ...errors import BenceError, UsageError
from ...read.headed import UNKNOWN, with_choices
from ...read.mapping import OTHER, loads
from ...read.proposal import GRAINS
from ..entering import COLUMN_WORDS
from ..incoming import Incoming, Waiting
from ..refusals import fault_said, tried
from ..rendering import page
from ..uploads import keep
from ..visit import Visit, Visiting
from .enter import Fields

router = APIRouter(prefix="/import")
Text = Annotated[str, Form(max_length=400)]
MOST = 200  # rows of a kind shown; all of them are in the counts
REJECTED = ("file", "line", "column", "value", "reason", "expected", "nearest")
REASONS = (  # why a reader leaves a cell out, where the words of a form do not say it
    (r"^unknown heading: its (\d+) cells are not read$", r"未知表头，其下\1个单元格未读取"),
    (r"^unknown item: its (\d+) rows are not read$", r"未知项目，其\1行未读取"),
    (r"^a second column of this kind: its (\d+) cells are not read$", r"同类列重复，其下\1个单元格未读取"),
    (r"^no column holds the key of the patient.*$", "没有患者编号列，该表未读取"),
    (r"^more cells than headings.*$", "单元格多于表头，该行未读取"),
    (r"needs a unit$", "缺少单位"),
    (r"not a centre of .*$", "不属于您的中心，该患者未读取"),
    (r"not in the table of patients.*$", "患者表中无此患者，其记录未读取"),
    (r"now has another key.*$", "该患者已更换编号，未读取"),
)
WAIT = 0.6  # seconds until a page is shown that says that it takes longer


@router.get("")
def show_imports(visit: Visiting, done: str = "") -> Response:
    """The form, and the earlier imports."""
    return _start(visit, {}, done=done)


@router.post("")
def receive(
    visit: Visiting, files: list[UploadFile] | None = None, pasted: Annotated[str, Form()] = "", key: Text = "", why: Text = "",
    centre: Text = "",
) -> Response:  # fmt: skip
    """Take files, or a pasted table, and begin to read them."""
    visit.access.require("import")
    given = {"pasted": pasted, "key": key, "why": why, "centre": centre}
    sent = [file for file in files or [] if file.filename]
    if not sent and not pasted.strip():
        return _start(visit, given, fault_said(UsageError("no file and no table"), visit.lang))
    if not why.strip():
        return _start(visit, given, fault_said(UsageError("a reason is needed"), visit.lang))
    waiting = _waiting(visit)
    name, one = waiting.take(visit.csrf, why.strip(), centre)
    try:
        mappings = [file for file in sent if (file.filename or "").lower().endswith(".toml")]
        keep([file for file in sent if file not in mappings], one.files)
        for file in mappings[:1]:
            one.mapping.write_bytes(file.file.read())
        if pasted.strip():
            (one.files / f"pasted.{'tsv' if chr(9) in pasted else 'csv'}").write_text(_with_key(pasted, key.strip()), "utf-8")
    except BenceError as error:
        waiting.drop(visit.csrf, name)
        return _start(visit, given, fault_said(error, visit.lang))
    waiting.look(visit.store, visit.access, one)
    return RedirectResponse(f"/import/{name}", 303)


@router.post("/undo")
def undo(visit: Visiting, fields: Fields) -> Response:
    """Take a whole import back."""

    def undone() -> Response:
        if not fields.get("change", "").isdecimal() or not fields.get("why", "").strip():
            raise UsageError("a reason is needed")
        visit.store.undo(visit.access, int(fields["change"]), fields["why"].strip())
        return RedirectResponse("/import?done=undone", 303)

    return tried(visit, undone, lambda why: _start(visit, {}, why))


@router.get("/{name}")
def show_import(visit: Visiting, name: str) -> Response:
    """How far it is; the preview; what came of it."""
    visit.access.require("import")
    one = _waiting(visit).of(visit.csrf, name)
    one.done.wait(WAIT)
    return _preview(visit, name, one)


@router.get("/{name}/progress")
def show_progress(visit: Visiting, name: str) -> Response:
    """How far it is, as a part of the page, which is loaded again at the end."""
    visit.access.require("import")
    one = _waiting(visit).of(visit.csrf, name)
    answer = page(visit, "import_progress.html", one=one, name=name, seconds=_seconds(one))
    if one.done.is_set():
        answer.headers["HX-Refresh"] = "true"
    return answer


@router.get("/{name}/mapping.toml")
def export_mapping(visit: Visiting, name: str) -> Response:
    """The mapping file of this import."""
    visit.access.require("import")
    text = _waiting(visit).of(visit.csrf, name).mapping_text
    headers = {"Content-Disposition": 'attachment; filename="mapping.toml"'}
    return Response(text, media_type="application/toml; charset=utf-8", headers=headers)


@router.get("/{name}/rejected.csv")
def export_rejected(visit: Visiting, name: str) -> Response:
    """Every rejected cell, for whoever corrects the source."""
    visit.access.require("import")
    one = _waiting(visit).of(visit.csrf, name)
    if one.plan is None:
        raise UsageError("there is no preview")
    return _as_csv(one.plan.rejected)


@router.get("/earlier/{change:int}")
def show_rejected(visit: Visiting, change: int) -> Response:
    """The cells that an earlier import did not accept."""
    cells = visit.store.rejected(visit.access, change)
    told = [_told(row, visit.lang == "zh") for row in cells.head(MOST).iter_rows(named=True)]
    return page(visit, "import_rejected.html", change=change, rejected=told, found=cells.height)


@router.get("/earlier/{change:int}/rejected.csv")
def export_kept(visit: Visiting, change: int) -> Response:
    """Every cell that an earlier import did not accept."""
    return _as_csv(visit.store.rejected(visit.access, change))


def _as_csv(rejected: pl.DataFrame) -> Response:
    start = pl.col(pl.String).str.replace("^([=+@\t\r-])", "'$1")  # no spreadsheet takes it for a formula
    text = rejected.select(REJECTED).with_columns(start).write_csv()
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote('rejected.csv')}"}
    return Response("\ufeff" + text, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/{name}")
def act(visit: Visiting, fields: Fields, name: str) -> Response:
    """Read again with another mapping, import, or give it up."""
    visit.access.require("import")
    waiting = _waiting(visit)
    one = waiting.of(visit.csrf, name)

    def done() -> Response:
        if "drop" in fields:
            waiting.drop(visit.csrf, name)
            return RedirectResponse("/import", 303)
        if "bring_in" in fields:
            waiting.bring_in(visit.store, visit.access, one)
        else:
            _remap(one, fields)
            waiting.look(visit.store, visit.access, one)
        return RedirectResponse(f"/import/{name}", 303)

    return tried(visit, done, lambda why: _preview(visit, name, one, why))


def _remap(one: Incoming, fields: dict[str, str]) -> None:
    """Write the choices of the form into the mapping file. UsageError for what cannot be."""
    if one.headed is None or one.state not in ("read", "failed"):
        raise UsageError("there is nothing to be mapped")
    columns: dict[str, dict[str, str]] = {}
    ignored: list[str] = []
    for place, each in enumerate(one.headed.headings):
        what, unit = fields.get(f"what_{place}", each.code).strip(), fields.get(f"unit_{place}", each.unit).strip()
        if f"ignore_{place}" in fields:
            ignored.append(each.name)
        elif what and (what, unit) != (each.code, each.unit):
            columns[each.name] = {"what": what} | ({"unit": unit} if unit else {})
    text = with_choices(one.mapping_text, fields.get("patient", ""), fields.get("day", ""), columns, ignored)
    loads(text, "mapping.toml")
    one.mapping.write_text(text, "utf-8")


def _preview(visit: Visit, name: str, one: Incoming, refused: str = "") -> Response:
    if not one.done.is_set():
        return page(visit, "import_wait.html", one=one, name=name, seconds=_seconds(one))
    zh = visit.lang == "zh"
    fault = fault_said(one.fault, visit.lang) if one.fault else ""
    if one.fault and one.fault.where and one.fault.where not in fault:
        fault = f"{one.fault.where}：{fault}" if zh else f"{one.fault.where}: {fault}"
    fault = fault.replace(f"{one.files}/", "")  # where the files lie is nobody's business
    plan = one.plan if one.state in ("read", "imported") else None
    shown = {} if plan is None else {kind: plan.rows.filter(outcome=kind).head(MOST).rows(named=True) for kind in ("changed", "new")}
    return page(
        visit, "import.html", 422 if refused else 200, one=one, name=name, fault=fault, refused=refused, plan=plan, shown=shown, most=MOST,
        rejected=[] if plan is None else [_told(row, zh) for row in plan.rejected.head(MOST).iter_rows(named=True)],
        words=COLUMN_WORDS, heads=_heads(one), codes=_codes(zh), unknown=UNKNOWN,
        by_table=[] if plan is None else plan.rows.group_by("table", "outcome", maintain_order=True).len().rows(named=True),
        mapping=one.mapping_text if one.state in ("read", "failed") else "",
    )  # fmt: skip


def _codes(zh: bool) -> list[tuple[str, str, str]]:
    """What a heading may be: code, words, unit."""
    known = [(each.code, each.zh if zh else each.en, each.unit) for each in codes_of(*GRAINS).values()]
    return [*known, *((each, each, "") for each in OTHER)]


def _told(row: dict[str, Any], zh: bool) -> dict[str, Any]:
    """A rejected cell in the language of the user."""
    if not zh:
        return row
    known = next((re.sub(f".*{pattern}" if pattern[0] != "^" else pattern, chinese, row["reason"]) for pattern, chinese in REASONS
                  if re.search(pattern, row["reason"])), None)  # fmt: skip
    told, _, expected = fault_said(BenceError(row["reason"], expected=row["expected"] or ""), "zh").partition("；应为：")
    return row | {"reason": known or told, "expected": expected}


def _heads(one: Incoming) -> list[tuple[int, Any]]:
    """The headings with their places, those that ask for something first."""
    all_ = list(enumerate(one.headed.headings)) if one.headed else []
    return sorted(all_, key=lambda each: not (each[1].part == UNKNOWN or each[1].asks_unit))


def _start(visit: Visit, given: dict[str, str], refused: str = "", done: str = "") -> Response:
    earlier = visit.store.imports(visit.access)
    centres = {code: words for code, words in visit.store.centres().items() if code in visit.access.centres}
    return page(
        visit, "imports.html", 422 if refused else 200, earlier=earlier.rows(named=True), centres=centres, given=given, refused=refused,
        done=done,
    )  # fmt: skip


def _with_key(text: str, key: str) -> str:
    """A pasted table with the key of its one patient as first column; as it is if no key is given."""
    lines = [line for line in text.splitlines() if line.strip()]
    mark = "\t" if "\t" in text else ","
    if not key:
        return "\n".join(lines) + "\n"
    if any(mark_ in key for mark_ in ',;"\t\n'):
        raise UsageError(f"{key!r} cannot be the key of a patient")
    return "\n".join([f"patient{mark}{lines[0]}", *(f"{key}{mark}{line}" for line in lines[1:])]) + "\n"


def _waiting(visit: Visit) -> Waiting:
    return visit.request.app.state.waiting


def _seconds(one: Incoming) -> int:
    return int(time.monotonic() - one.since)
