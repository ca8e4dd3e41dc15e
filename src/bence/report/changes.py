"""What a row would change: the findings and the advice of one patient with it and without it, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from ..advise import advice, facts
from ..advise.pathway import pathway
from ..advise.vocabulary import STANCE
from ..assess import Findings, assess
from ..chart import DATED, TABLES, Chart, last_date
from .reasons import in_order, input_said, said
from .words import FINDINGS, PAGE

NOW, THEN = "now", "then"  # the patient as the chart is, and as it would be
STANDING = {
    "line": ("Current line", "当前治疗线数"),
    "response": ("Response", "疗效"),
    "best_response": ("Best response", "最佳疗效"),
    "mrd": ("MRD", "MRD"),
    "progression_state": ("Progression", "疾病进展"),
    "refractory_to": ("Refractory to", "难治药物"),
    "flags": ("Contradictions", "记录矛盾"),
}


@dataclass(frozen=True)
class Changed:
    """A finding or an option that would be another: its name, what it is, what it would be."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Changes:
    """What would be another, on which day both were assessed."""

    at: date | None
    findings: tuple[Changed, ...]
    advice: tuple[Changed, ...]


def changes(
    chart: Chart, table: str, row: pl.DataFrame, at: date | None, lang: str, region: str | None = None, without: pl.Expr | None = None
) -> Changes:
    """What a row of a table would change for the one patient of a chart.

    `without`: which rows of the table it replaces; `region`: also the advice under its approvals. `at`: the day of both
    (None: the last date with the new row).
    """
    both = _both(chart, table, row, without)
    day = at or last_date(both)
    found = assess(both, day)
    return Changes(day, tuple(_findings(found, lang)), tuple(_advice(found, region, lang)) if region else ())


def _both(chart: Chart, table: str, row: pl.DataFrame, without: pl.Expr | None) -> Chart:
    """The patient twice: as the chart is, and with the row."""
    frames = {}
    for name in TABLES:
        now = getattr(chart, name)
        then = now
        if name == table == "patients":
            then = row.select(now.columns)
        elif name == table:
            kept = now if without is None else now.filter(~without.fill_null(False))
            then = pl.concat([kept, row.select(now.columns)])
        frames[name] = pl.concat([each.with_columns(patient=pl.lit(key)) for key, each in ((NOW, now), (THEN, then))])
    return Chart(*(frames[name] for name in ("patients", *DATED)))


def _findings(found: Findings, lang: str) -> list[Changed]:
    rows = {row["patient"]: row for row in found.status.iter_rows(named=True)}
    last = {row["patient"]: row for row in found.lines.sort("started_on").iter_rows(named=True)}
    now, then = ({**rows[key], "progression_state": last.get(key, {}).get("progression_state")} for key in (NOW, THEN))
    names = [(name, words[lang == "zh"]) for name, words in (FINDINGS | STANDING).items() if name in now]
    told = [Changed(words, _answer(name, now, lang), _answer(name, then, lang)) for name, words in names]
    return [each for each in told if each.before != each.after]


def _answer(name: str, status: Mapping[str, Any], lang: str) -> str:
    """An answer in words, or those that are possible."""
    words, given = PAGE[lang], status[name]
    if name == "flags":
        return words["and"].join(input_said(flag.partition(":")[2] or flag, lang) for flag in (given or "").split("|") if flag) or "–"
    if given is not None:
        return (
            words["and"].join(said(name, part, lang) for part in str(given).split("|"))
            if isinstance(given, str)
            else said(name, given, lang)
        )
    left = in_order(name, (status.get(f"{name}_possible") or "").split("|"))
    return words["or"].join(said(name, each, lang) for each in left if each) or words["unknown"]


def _advice(found: Findings, region: str, lang: str) -> list[Changed]:
    """Options whose stance would be another."""
    rows = advice(facts(found, region), region, lang).filter(pl.col("option").is_not_null())
    stances: dict[tuple[str, str], dict[str, set[str]]] = {}
    for row in rows.iter_rows(named=True):
        stances.setdefault((row["question"], row["option"]), {NOW: set(), THEN: set()})[row["patient"]].add(row["stance"])
    zh = lang == "zh"
    join = PAGE[lang]["and"]
    told = []
    for (question, option), both in stances.items():
        if both[NOW] != both[THEN]:
            before, after = (join.join(STANCE[each][zh] for each in sorted(both[key])) or "–" for key in (NOW, THEN))
            asked, words = pathway().questions[question].words[zh], pathway().options[option].words[zh]
            told.append(Changed(f"{asked} · {words}", before, after))
    return told
