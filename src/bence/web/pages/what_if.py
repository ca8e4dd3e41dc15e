"""What if: a value that is not recorded is supposed, and the findings and the advice that would be others are shown. Nothing is kept."""

from __future__ import annotations

from datetime import date

import polars as pl
from fastapi import APIRouter, Request
from fastapi.responses import Response

from ...catalogue import code as code_of
from ...chart import DATED, Chart
from ...errors import BenceError
from ...registry import AccessError
from ...report.changes import changes
from ..dossier import REGIONS, day_of, dossier, said
from ..entering import COLUMN_WORDS, GRAINS, choices, given, search, shown_of
from ..refusals import fault_said
from ..rendering import page
from ..visit import Visiting

router = APIRouter(prefix="/patients/{handle}/what-if")
MOST = 6  # recorded values that are named
USUAL = ("del_17p", "t_4_14", "gain_1q", "b2m", "ldh", "mrd", "serum_m_protein", "creatinine", "calcium")


@router.get("")
def suppose(
    visit: Visiting,
    request: Request,
    handle: str,
    at: str = "",
    what: str = "",
    table: str = "observations",
    word: str = "",
    region: str = "",
) -> Response:
    """The form, and what would change once a value is supposed."""
    visit.access.require("findings")
    who = visit.person(handle)
    told = dossier(visit, who, day_of(at))
    table = table if table in GRAINS else "observations"
    known = code_of(what, *GRAINS[table]) if what else None
    fields = {name: value for name, value in request.query_params.items() if name not in ("at", "region", "word", "table")}
    chart = visit.store.patient(visit.access, who.patient, who.centre).chart
    recorded = _recorded(chart, table, what, visit.lang) if known else []
    refused, found = "", None
    region = region if region in REGIONS else visit.settings.region
    if known and any(fields.get(name, "").strip() for name in ("value", "text", "started_on", "grade")):
        try:
            row = visit.store.attempt(visit.access, table, who.patient, given(fields, table), who.centre)
            same = (pl.col("what") == what) & (pl.col(DATED[table]) == row[DATED[table]][0])
            found = changes(chart, table, row, day_of(at), visit.lang, region, without=same)
        except AccessError:
            raise
        except BenceError as error:
            refused = fault_said(error, visit.lang)
    offered = {name: choices(name, known) for name in ("unit", "text")}
    return page(
        visit, "what_if.html", 422 if refused else 200, w=said(visit.lang), told=told, person=who, address=f"/patients/{handle}", at=at,
        asked=f"?at={at}" if at else "", code=known, table=table, word=word,
        search=search(word, table) if word.strip() else [], usual=USUAL,
        shown=fields, offered=offered, refused=refused, found=found, words=COLUMN_WORDS, region=region, regions=REGIONS,
        recorded=recorded,
        today=told["at"] or date.today().isoformat(), diagnosed=_diagnosed(told["header"]),
    )  # fmt: skip


def _recorded(chart: Chart, table: str, what: str, lang: str) -> list[str]:
    """What is recorded of a code, each with its day: a supposed one of the same day stands in its place."""
    if table != "observations":
        return []
    rows = [row for row in chart.observations.iter_rows(named=True) if row["what"] == what]
    return [f"{row['on']} {shown_of(row, lang)}" for row in rows[-MOST:]]


def _diagnosed(header: list[list[str]]) -> str:
    """The day of the diagnosis of myeloma, as the header of the patient says it."""
    return next((part.split()[1] for _, fact in header for part in [fact] if fact.startswith("MM ") and len(fact.split()) > 1), "")
