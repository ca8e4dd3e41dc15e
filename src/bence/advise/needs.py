"""Who needs what: for every patient of a chart what waits to be done, in both languages, from the findings and the pathway alone.

Nothing is judged here: a row stands for a finding, a date of follow-up or a row of the pathway that is worked out elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from ..assess import Findings, assess
from ..assess.active import may_be_active
from ..assess.tables import EXPLAINED
from ..catalogue import label
from ..chart import Chart

KINDS: dict[str, tuple[str, str]] = {
    "urgent": ("cannot wait", "不能等待"),
    "infection": ("infection", "感染"),
    "progression": ("progression to confirm", "进展待确认"),
    "laboratory": ("laboratory assessment due", "实验室评估到期"),
    "mrd": ("MRD due", "MRD到期"),
    "contradiction": ("contradicting records", "记录矛盾"),
    "missing": ("missing for the stage", "分期缺项"),
}
STAGES = ("iss", "r_iss", "r2_iss", "high_risk_2025")
TREATED = ("car_t", "bispecific", "maintenance", "treatment")  # phases of follow-up in which something is given, or was just given
DUE = {"marrow_mrd": "mrd", "assessment": "laboratory", "igg": "infection"}
LOW = ("neutropenia", "ctcae:neutrophils:low", "hypogammaglobulinaemia")
SEVERE = 3  # grade of a low neutrophil count from which it is listed
Words = tuple[str, str]


@dataclass(frozen=True)
class Need:
    """Something a patient waits for. `since`: when it was found; `due_on`: from when it is due (None: now)."""

    kind: str
    what: Words
    why: Words
    since: date | None
    due_on: date | None = None


def needs(chart: Chart, at: date | None, region: str) -> dict[str, list[Need]]:
    """The needs of every patient of a chart who has any, by patient; `at` and `region` as for `advise`."""
    from . import advice, facts

    findings = assess(chart, at)
    known = facts(findings, region)
    gone = set(chart.patients.filter(pl.col("died_on").is_not_null())["patient"])
    found: dict[str, list[Need]] = defaultdict(list)
    told = [advice(known, region, lang) for lang in ("en", "zh")]
    for source in (
        _urgent(*told),
        _infected(findings, known),
        _unconfirmed(findings),
        _due(findings),
        _contradicted(findings),
        _missing(findings),
    ):
        for patient, need in source:
            if patient not in gone or need.kind == "contradiction":
                found[patient].append(need)
    return dict(found)


def _urgent(en: pl.DataFrame, zh: pl.DataFrame) -> Iterator[tuple[str, Need]]:
    """Rows of the pathway for what cannot wait that speak for an option."""
    from .pathway import pathway

    waits = (pl.col("question") == "urgent") & (pl.col("stance") == "for")
    for row, other in zip(en.filter(waits).iter_rows(named=True), zh.filter(waits).iter_rows(named=True), strict=True):
        yield row["patient"], Need("urgent", pathway().options[row["option"]].words, (row["because"], other["because"]), row["at"])


def _infected(findings: Findings, known: pl.DataFrame) -> Iterator[tuple[str, Need]]:
    """An infection that is active, a low neutrophil count or low polyclonal IgG at the last value."""
    for row in known.filter(pl.col("active_infection").fill_null(False)).select("patient", "at").iter_rows(named=True):
        yield (
            row["patient"],
            Need("infection", ("active infection", "活动性感染"), ("recorded without an end", "已记录，尚无结束日期"), row["at"]),
        )
    rows = findings.toxicity.filter(pl.col("kind").is_in(LOW) & pl.col("flags").str.contains("ongoing").fill_null(False))
    for row in rows.iter_rows(named=True):
        if row["kind"] == "hypogammaglobulinaemia" or (row["worst_grade"] or SEVERE) >= SEVERE:
            yield row["patient"], Need("infection", *_explained("toxicity", row), row["started_on"])


def _unconfirmed(findings: Findings) -> Iterator[tuple[str, Need]]:
    """A progression in the last line that a second sample has to confirm."""
    last = findings.lines.sort("started_on").group_by("patient").last()
    why = ("one sample shows progression: a second one must confirm it", "单次标本提示进展，需第二次标本确认")
    for row in last.filter(pl.col("progression_state") == "unconfirmed").iter_rows(named=True):
        what = (f"progression in line {row['line']}", f"第{row['line']}线疾病进展")
        yield row["patient"], Need("progression", what, why, row["unconfirmed_on"])


def _due(findings: Findings) -> Iterator[tuple[str, Need]]:
    """What follow-up is due, or will be: marrow with MRD; blood and IgG while treatment goes on."""
    rows = findings.due.filter(pl.col("item").is_in(list(DUE)) & pl.col("due_on").is_not_null())
    for row in rows.iter_rows(named=True):
        parts = (part.partition("=") for part in (row["because"] or "").split("|"))
        noted = {name: value for name, _, value in parts}
        if row["item"] != "marrow_mrd" and noted.get("phase") not in TREATED:
            continue
        yield row["patient"], Need(DUE[row["item"]], *_planned(row), row["on"], row["due_on"])


def _planned(row: Mapping[str, Any]) -> tuple[Words, Words]:
    """What is due and why, with the days of the interval that was applied."""
    from ..assess.course.words import ITEMS

    _, why = _explained("due", {**row, "overdue_days": None})
    days = (row["due_on"] - row["on"]).days if row["on"] else None
    if days is not None:
        why = (f"{why[0]}; interval applied: {days} days", f"{why[1]}；所用间隔：{days}天")
    return ITEMS[row["item"]], why


def _contradicted(findings: Findings) -> Iterator[tuple[str, Need]]:
    """Values of one day that contradict each other, recorded answers that values overrule, lines that differ from the drugs."""
    names = {
        "conflict": ("values of one day contradict each other", "同日数值相互矛盾"),
        "recorded": ("recorded otherwise than the values give", "登记结果与数值推导不一致"),
        "lines_differ": ("recorded lines are not those of the drugs", "登记的治疗线与用药不符"),
    }
    for row in findings.status.filter(pl.col("flags").is_not_null()).select("patient", "flags", "baseline_on").iter_rows(named=True):
        for kind, _, code in (flag.partition(":") for flag in row["flags"].split("|")):
            what = (label(code, "en"), label(code, "zh")) if code else ("lines of therapy", "治疗线")
            yield row["patient"], Need("contradiction", what, names[kind], row["baseline_on"])


def _missing(findings: Findings) -> Iterator[tuple[str, Need]]:
    """One test that alone would settle a stage or the genetic risk of myeloma that may be active."""
    active = {row["patient"] for row in findings.status.iter_rows(named=True) if may_be_active(row)}
    rows = findings.completeness.filter(pl.col("finding").is_in(STAGES) & ~pl.col("missing").str.contains("|", literal=True))
    tests: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows.filter(pl.col("patient").is_in(sorted(active)) & (pl.col("missing") != "")).iter_rows(named=True):
        tests[row["patient"], row["missing"]].append(row["finding"])
    for (patient, test), answers in tests.items():
        why = tuple(
            words.format(join.join(label(each, lang) for each in answers))
            for words, join, lang in (("this alone settles {}", ", ", "en"), ("仅此一项即可确定{}", "、", "zh"))
        )
        yield patient, Need("missing", (label(test, "en"), label(test, "zh")), (why[0], why[1]), None)


def _explained(table: str, row: Mapping[str, Any]) -> tuple[Words, Words]:
    """What a row of a table of findings says, and why."""
    told = [EXPLAINED[table][1](row, lang).split("\n") for lang in ("en", "zh")]
    (en, *why_en), (zh, *why_zh) = told
    return (en, zh), ("; ".join(map(str.strip, why_en)), "；".join(map(str.strip, why_zh)))
