"""The response of one patient visit by visit, with the values each visit was judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from ..assess import wording
from ..assess.story import ResponseStory, changed
from ..catalogue import label
from ..explain import number, unit_said
from .ladder import is_confirmed
from .reasons import tests
from .words import PAGE

RISES = {"P1": "serum", "P2": "serum", "P3": "urine", "P4": "light_chains", "P5": "marrow"}  # the measure of a progression


@dataclass(frozen=True)
class Measured:
    """One track of a visit: value, nadir before, baseline, and the day of the sample if it was an earlier one."""

    track: str
    unit: str
    value: str
    nadir: str
    baseline: str
    sampled_on: date | None


@dataclass(frozen=True)
class Visit:
    """One assessment in words."""

    on: date
    timepoint: str
    category: str
    sure: bool
    state: str
    confirmed: str
    second: str
    because: tuple[str, ...]
    missing: tuple[str, ...]
    flags: tuple[str, ...]
    values: tuple[Measured, ...]


@dataclass(frozen=True)
class Line:
    """A line of therapy and its visits."""

    head: str
    when: str
    best: str
    progression: str
    visits: tuple[Visit, ...]


def lines(story: ResponseStory, lang: str) -> list[Line]:
    """Every line of therapy with its visits."""
    words = PAGE[lang]
    found = []
    for row in story.lines.iter_rows(named=True):
        visits = story.visits.filter(pl.col("line") == row["line"])
        when = words["from_to" if row["stopped_on"] else "from"].format(start=row["started_on"], stop=row["stopped_on"])
        if row["boundary"]:
            when += words["semicolon"] + words["begun_by"].format(wording.say(wording.BOUNDARIES, row["boundary"], lang))
        state = row["progression_state"]
        progression = wording.say(wording.STATES, state, lang) if state in ("confirmed", "unconfirmed") else ""
        if row["progressed_on"]:
            progression = f"{row['progressed_on']}, {progression}"
        found.append(Line(
            words["line_head"].format(line=row["line"], drugs=drugs_said(row, lang)), when, best_said(row, lang),
            f"PD {progression}" if progression else "",
            _visits(visits, story.values, lang),
        ))  # fmt: skip
    return found


def drugs_said(line: Mapping[str, Any], lang: str) -> str:
    """The regimen of a line by its name, and its drugs in words."""
    drugs = " + ".join(label(drug, lang) for drug in (line["drugs"] or "").split("+") if drug) or PAGE[lang]["unrecorded"]
    return f"{line['regimen']} ({drugs})" if line["regimen"] and "+" in (line["drugs"] or "") else drugs


def best_said(line: Mapping[str, Any], lang: str) -> str:
    """The best confirmed response of a line and its date."""
    if line["best_response"] is None:
        return ""
    how = "best" if line["best_response_on"] else "best_only"
    return PAGE[lang][how].format(best=line["best_response"], on=line["best_response_on"])


def split(text: str | None) -> list[str]:
    """The parts of a joined cell."""
    return text.split("|") if text else []


def _visits(rows: pl.DataFrame, values: pl.DataFrame, lang: str) -> tuple[Visit, ...]:
    """The visits of a line; the second sample is named where the best confirmed response changes."""
    found, before = [], None
    for row in rows.iter_rows(named=True):
        pair = row["confirmed"] != before and row["confirmed_on"] != row["on"] and wording.second_sample(row)
        before = row["confirmed"]
        found.append(_visit(row, values, pair, lang))
    return tuple(found)


def _visit(visit: Mapping[str, Any], values: pl.DataFrame, pair: bool, lang: str) -> Visit:
    own = values.filter((pl.col("on") == visit["on"]) & (pl.col("line") == visit["line"]))
    progression = visit["progression"]
    return Visit(
        on=visit["on"],
        timepoint=visit["timepoint"],
        category=wording.say(wording.CATEGORIES, visit["timepoint"], lang),
        sure=is_confirmed(visit),
        state=wording.say(wording.STATES, progression, lang) if progression else "",
        confirmed=visit["confirmed"] or "",
        second=PAGE[lang]["second"].format(visit["confirmed_on"]) if pair else "",
        because=tuple(_reason(name, {row["track"]: row for row in own.to_dicts()}, lang) for name in split(visit["because"])),
        missing=tests(split(visit["missing"]), lang),
        flags=tuple(wording.say(wording.FLAGS, name, lang) for name in split(visit["flags"])),
        values=tuple(_measured(row, visit["on"], lang) for row in own.iter_rows(named=True)),
    )


def _reason(name: str, values: Mapping[str, Mapping[str, Any]], lang: str) -> str:
    """Why a visit has its category, with the value that decided where there is one."""
    track = RISES.get(name, name.removeprefix("level_"))
    said, row = wording.say(wording.BECAUSE, name, lang), values.get(track)
    if row is None:
        return said
    en, zh, unit = wording.TRACKS[track]
    value = f"{number(row['value'])} {unit_said(unit, lang)}"
    if name not in RISES:
        return f"{zh if lang == 'zh' else en} {value}{changed(row, lang)}"
    return said if row["nadir"] is None else PAGE[lang]["rise"].format(said=said, nadir=number(row["nadir"]), value=value)


def _measured(row: Mapping[str, Any], on: date, lang: str) -> Measured:
    en, zh, unit = wording.TRACKS[row["track"]]
    value, nadir, baseline = (PAGE[lang]["unknown"] if row[name] is None else number(row[name]) for name in ("value", "nadir", "baseline"))
    sampled_on = None if row["sampled_on"] == on else row["sampled_on"]
    return Measured(zh if lang == "zh" else en, unit_said(unit, lang), value, nadir, baseline, sampled_on)
