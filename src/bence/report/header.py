"""Who the page is about, without a name, and where the patient stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from ..assess import wording
from ..assess.story import ResponseStory
from ..catalogue import label
from ..chart import Chart
from .reasons import in_order, said
from .visits import best_said, drugs_said
from .words import PAGE

SYMBOLS = {"kappa": "κ", "lambda": "λ"}


def header(own: Chart, status: Mapping[str, Any], at: date | None, lang: str) -> list[tuple[str, str]]:
    """Facts of the patient: name of the fact and what is known of it."""
    words, person = PAGE[lang], own.patients.row(0, named=True)
    unrecorded = words["unrecorded"]
    diagnosed = own.events.filter(
        pl.col("what").is_in(["mm_diagnosis", "smm_diagnosis", "mgus_diagnosis"]) & pl.col("text").ne_missing("none")
    )
    dead = bool(person["died_on"] and person["born_on"])
    facts = [
        (words["centre"], person["centre"] or unrecorded),
        (words["sex"], label(person["sex"], lang) if person["sex"] else unrecorded),
        (words["born"], age(person["born_on"], person["died_on"] or at, lang) + (words["at_death"] if dead else "")),
        (words["isotype"], isotype(person["heavy_chain"], person["light_chain"], lang)),
    ]  # fmt: skip
    first = diagnosed.sort("on").unique("what", keep="first", maintain_order=True)
    dates = [f"{name.removesuffix('_diagnosis').upper()} {on}" for name, on in first.select("what", "on").iter_rows() if on]
    facts.append((words["diagnosed"], words["and"].join(dates) or unrecorded))
    if person["died_on"]:
        cause = f" ({person['death_cause']})" if person["death_cause"] else ""
        facts.append((words["died"], f"{person['died_on']}{cause}"))
    elif person["last_seen_on"]:
        facts.append((words["seen"], str(person["last_seen_on"])))
    return facts


def age(born_on: str | None, on: date | None, lang: str) -> str:
    """The age on a day; two numbers where only the year or month of birth is known and it matters."""
    words = PAGE[lang]
    if not born_on or on is None:
        return words["unrecorded"]
    parts = tuple(int(part) for part in born_on.split("-"))
    first, last = (*parts, 1, 1)[:3], (*parts, *((12, 31) if len(parts) == 1 else (31,)))[:3]
    oldest, youngest = (on.year - y - ((on.month, on.day) < (m, d)) for y, m, d in (first, last))
    return words["years"].format(oldest) if oldest == youngest else words["years_or"].format(youngest, oldest)


def isotype(heavy: str | None, light: str | None, lang: str) -> str:
    """`IgG κ`, `light chain λ`."""
    words = PAGE[lang]
    chain = SYMBOLS.get(light or "", label(light, lang) if light and light != "none" else "")
    if heavy in (None, "none"):
        if chain:
            return words["light_only"].format(chain) if heavy == "none" else chain
        return words["no_m_protein"] if heavy == "none" and light == "none" else words["unrecorded"]
    return f"{label(heavy, lang)}{'-' if lang == 'zh' and chain else ' '}{chain}{'型' if lang == 'zh' else ''}".strip()


def standing_of(own: Chart, status: Mapping[str, Any], story: ResponseStory, lang: str) -> list[tuple[str, str, str]]:
    """Where the patient stands: diagnosis, current line, response, progression; each as name, answer and a remark."""
    words = PAGE[lang]
    possible = (status["diagnosis_possible"] or "").split("|") if status["diagnosis"] is None else []
    rest = words["or"].join(said("diagnosis", each, lang) for each in in_order("diagnosis", possible) if each)
    diagnosis = said("diagnosis", status["diagnosis"], lang) if status["diagnosis"] else words["unknown"]
    found = [(words["now_diagnosis"], diagnosis, words["possible"].format(rest) if rest and len(possible) <= 4 else "")]
    if not story.lines.height:
        undated = words["and"].join(label(drug, lang) for drug in story.undated)
        return [*found, (words["now_line"], words["no_line"], words["undated"].format(undated) if undated else "")]
    line = story.lines.row(-1, named=True)
    found.append((words["now_line"], words["line_since"].format(line=line["line"], on=line["started_on"]), drugs_said(line, lang)))
    visits = story.visits.filter(pl.col("line") == line["line"])
    now = visits["confirmed"][-1] if visits.height else None
    now = "PD" if line["progression_state"] == "confirmed" else now
    shown = f"{now}" if now and now != "NE" else words["none_assessed"] if now is None else "NE"
    remark = wording.say(wording.CATEGORIES, now, lang) if now else ""
    best = best_said(line, lang) if line["best_response"] not in (now, None) else ""
    found.append((words["now_response"], shown, words["semicolon"].join(part for part in (remark, best) if part)))
    return [*found, _progression(story, line, lang)]


def _progression(story: ResponseStory, line: Mapping[str, Any], lang: str) -> tuple[str, str, str]:
    words = PAGE[lang]
    state = line["progression_state"]
    earlier = story.lines.filter(pl.col("progressed_on").is_not_null() & (pl.col("line") != line["line"]))
    before = words["before"].format(on=earlier["progressed_on"][-1], line=earlier["line"][-1]) if earlier.height else ""
    if state not in ("confirmed", "unconfirmed"):
        return words["now_progression"], words["no_progression"].format(line["line"]), before
    rows = story.visits.filter((pl.col("line") == line["line"]) & (pl.col("progression") == state))
    on = line["progressed_on"] or (rows["on"][0] if rows.height else "")
    said = words["comma"].join(str(part) for part in (on, wording.say(wording.STATES, state, lang)) if part)
    return words["now_progression"], said, before
