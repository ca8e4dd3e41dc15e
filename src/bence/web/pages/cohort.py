"""The cohort of one's centres in numbers: who, how deep the responses, how long they last, what is missing, what the pathway offers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import polars as pl
from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import Response

from ...advise.pathway import pathway
from ...advise.vocabulary import STANCE
from ...catalogue import label
from ...registry import Access, Store
from ...registry.cases import ANSWERS, STAGES, cases
from ...registry.cohort import (
    CHOICES,
    LAST_LINE,
    MONTH,
    Cohort,
    completeness,
    counted,
    is_withheld,
    narrowed,
    offered,
    offers,
    responses,
    smallest_for,
    survival,
)  # fmt: skip
from ...registry.worklist import Make
from ...report.drawing import DARK, DEPTH
from ...report.reasons import said
from ...report.words import FINDINGS
from ..kaplan import draw, ticks
from ..rendering import page
from ..visit import Visit, Visiting

router = APIRouter()
BY = ("centre", "diagnosis", "sex", "age", "year", *STAGES)
NAMES = {
    "centre": ("Centre", "中心"),
    "sex": ("Sex", "性别"),
    "age": ("Age at diagnosis", "诊断时年龄"),
    "year": ("Year of diagnosis", "诊断年份"),
}
ENDPOINTS = {
    "os": ("Overall survival from the first line", "总生存期（自一线治疗起）"),
    "pfs": ("Progression-free survival, by line", "无进展生存期（按治疗线）"),
}


@router.get("/cohort")
def show_cohort(visit: Visiting, request: Request, later: BackgroundTasks) -> Response:
    """The numbers of a choice of patients."""
    chosen = _chosen(request)
    whole, part, smallest = _cohort(visit, later, chosen)
    withheld = is_withheld(whole, part, smallest)
    shown = {} if withheld else _numbers(part, smallest, visit.lang)
    return page(
        visit, "cohort.html", chosen=chosen, query=str(request.url.query), whole=whole, withheld=withheld, smallest=smallest,
        patients=part.people.height, shown=shown, options=_options(whole, smallest, visit.lang), names=NAMES, findings=FINDINGS,
        width=LAST_LINE,
    )  # fmt: skip


@router.get("/cohort/outstanding")
def show_outstanding(visit: Visiting, later: BackgroundTasks) -> Response:
    """How many patients are still to be worked out; the page is loaded again once there is none."""
    whole, _, _ = _cohort(visit, later, {})
    answer = page(visit, "cohort_outstanding.html", outstanding=whole.outstanding)
    if not whole.outstanding:
        answer.headers["HX-Refresh"] = "true"
    return answer


@router.get("/cohort.csv")
def export_cohort(visit: Visiting, request: Request, later: BackgroundTasks) -> Response:
    """The same numbers as a table; masked cells are blank."""
    whole, part, smallest = _cohort(visit, later, _chosen(request))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("table", "group", "category", "patients", "of", "median_months", "low_months", "high_months"))
    if not is_withheld(whole, part, smallest):
        writer.writerows(_rows(part, smallest))
    headers = {"Content-Disposition": 'attachment; filename="cohort.csv"'}
    return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def work_out(store: Store, access: Access, region: str) -> None:
    """Work out whatever is outstanding of the cohort of a user."""
    store.work_cohort(access, *_made(region))


def _made(region: str) -> tuple[str, Make]:
    return f"case {region}", lambda chart: cases(chart, date.today(), region)


def _cohort(visit: Visit, later: BackgroundTasks, chosen: Mapping[str, str]) -> tuple[Cohort, Cohort, int]:
    """All cases, those of the choice, and the smallest number that may be shown; what is outstanding is worked out afterwards."""
    whole = visit.store.cohort(visit.access, *_made(visit.settings.region))
    if whole.outstanding:
        later.add_task(work_out, visit.store, visit.access, visit.settings.region)
    return whole, narrowed(whole, chosen), smallest_for(visit.may("read"))


def _chosen(request: Request) -> dict[str, str]:
    return {name: request.query_params.get(name, "").strip() for name in CHOICES}


def _options(whole: Cohort, smallest: int, lang: str) -> dict[str, list[tuple[str, str]]]:
    """What may be chosen: value and words."""
    people, lines = whole.people, whole.lines
    found = {
        name: [(each, _word(name, each, lang)) for each in offers(people, name, smallest)] for name in ("centre", "diagnosis", "sex", "age")
    }
    found["stage"] = [
        (f"{name}:{each}", f"{FINDINGS[name][lang == 'zh']} {_word(name, each, lang)}")
        for name in STAGES
        for each in offers(people, name, smallest)
    ]
    regimens = lines.group_by("regimen").agg(pl.col("person").n_unique().alias("n")).drop_nulls().filter(pl.col("n") >= max(smallest, 1))
    found["regimen"] = [(each, f"{each} ({n})") for each, n in regimens.sort(["n", "regimen"], descending=[True, False]).iter_rows()]
    return found


def _word(name: str, value: Any, lang: str) -> str:
    if value is None:
        return "未定" if lang == "zh" else "open"
    if name in ("centre", "age", "year"):
        return str(value).replace(">=", "≥")
    return said(name, value, lang) if name in FINDINGS else label(str(value), lang)


def _numbers(part: Cohort, smallest: int, lang: str) -> dict[str, Any]:
    """Everything that the page shows."""
    zh = lang == "zh"
    groups = [(NAMES.get(name) or FINDINGS[name], _counts(part.people, name, smallest, lang)) for name in BY]
    curves = []
    for name, words in ENDPOINTS.items():
        longest = max((days for days in part.lines[f"{name}_days"] if days is not None), default=0)
        months = ticks(longest)
        shown = survival(part.lines, name, months, smallest)
        curves.append({"name": name, "words": words[zh], "groups": shown, "months": months, "drawn": draw(shown, months), "month": MONTH})
    return {
        "groups": [(words[zh], rows) for words, rows in groups],
        "bars": {by: _bars(responses(part.lines, by, smallest)) for by in ("line", "regimen")},
        "curves": curves,
        "complete": _complete(completeness(part.people, smallest)),
        "columns": [FINDINGS[name][zh] for name in ANSWERS],
        "offered": _offered(offered(part.advice, smallest), zh),
        "stances": [(key, words[zh]) for key, words in STANCE.items() if key in ("for", "against", "blocked", "unknown")],
    }


def _counts(people: pl.DataFrame, name: str, smallest: int, lang: str) -> list[tuple[str, int | None]]:
    return [(_word(name, value, lang), number) for value, number, _ in counted(people, name, smallest).iter_rows()]


def _bars(table: pl.DataFrame) -> list[dict[str, Any]]:
    """A bar a group, its parts in the order of depth; what is masked is left open."""
    bars = []
    for (group, of), rows in table.group_by("group", "of", maintain_order=True):
        counts = {row["best_response"]: row["patients"] for row in rows.iter_rows(named=True)}
        parts, place = [], 0.0
        for name in (*DEPTH, None):
            if name not in counts:
                continue
            share = None if counts[name] is None else 100 * counts[name] / of
            parts.append(
                {
                    "name": name,
                    "count": counts[name],
                    "share": share,
                    "x": place,
                    "colour": DEPTH.get(name or "", "#ffffff"),
                    "dark": name in DARK,
                }
            )
            place += share or 0.0
        bars.append({"name": group, "of": of, "parts": parts})
    return bars


def _complete(table: pl.DataFrame) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for row in table.iter_rows(named=True):
        rows.setdefault(row["centre"], {"centre": row["centre"], "patients": row["patients"], "settled": {}})["settled"][row["finding"]] = (
            row["settled"]
        )
    return [row | {"settled": [row["settled"][name] for name in ANSWERS]} for row in rows.values()]


def _offered(table: pl.DataFrame, zh: bool) -> list[dict[str, Any]]:
    """Questions of the pathway with their options, in its order, each with the patients of every stance."""
    path, found = pathway(), {}
    for row in table.iter_rows(named=True):
        found.setdefault((row["question"], row["option"]), {})[row["stance"]] = "<" if row["masked"] else row["patients"]
    return [
        {"question": path.questions[question].words[zh], "option": path.options[option].words[zh], "stances": found[question, option]}
        for question, option in path.rows
        if (question, option) in found
    ]


def _rows(part: Cohort, smallest: int) -> Iterator[tuple[Any, ...]]:
    """The export, row by row."""
    for name in BY:
        for value, number, _ in counted(part.people, name, smallest).iter_rows():
            yield "patients", name, value, number, part.people.height, None, None, None
    for by in ("line", "regimen"):
        for row in responses(part.lines, by, smallest).iter_rows(named=True):
            yield f"response_by_{by}", row["group"], row["best_response"] or "not_assessed", row["patients"], row["of"], None, None, None
    for name in ENDPOINTS:
        for each in survival(part.lines, name, (), smallest):
            ends = [
                None if day is None else round(day / MONTH, 1) for day in (each.curve.median, each.curve.median_low, each.curve.median_high)
            ]
            yield name, f"line {each.name}", "events", each.events, each.curve.patients, *ends
    for row in completeness(part.people, smallest).iter_rows(named=True):
        yield "completeness", row["centre"], row["finding"], row["settled"], row["patients"], None, None, None
    for row in offered(part.advice, smallest).iter_rows(named=True):
        yield f"offered_{row['question']}", row["option"], row["stance"], row["patients"], part.people.height, None, None, None
