"""Refractoriness to each drug and the kind of a relapse once more, slowly, from docs/rules/endpoints.md (sections 1 and 5).

A patient is a row of `endpoint_charts.person` with one treatment row a drug and line, and the `response` and `lines` that go with its
visits. Loops over days, nothing shared with Bence. Bridging and drugs without a start are left to the worked cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from endpoint_charts import BEST, Row, starts, visits_of

SOON = 60  # days after the last dose in which a progression counts
PRESUMED = 28  # days after which another drug ends one without a stop; the shortest course that can fail
RECORDED = ("progression", "relapse_clinical")
CELLS = ("cilta_cel",)
FOREVER = 10**6


@dataclass(frozen=True)
class Told:
    """One drug: yes, no or ?; of ? every reason that holds."""

    answer: str
    reasons: frozenset[str] = frozenset()


def refractory(one: Row, policies: dict[str, Any]) -> dict[str, Told]:
    """The answer for every drug: yes once is yes, else ? once is ?."""
    found: dict[str, list[Told]] = {}
    for row in one["treatments"]:
        found.setdefault(row["what"], []).append(_of_course(one, row, policies))
    return {drug: _any(answers) for drug, answers in found.items()}


def _any(answers: list[Told]) -> Told:
    for wanted in ("yes", "?"):
        if chosen := [each for each in answers if each.answer == wanted]:
            return Told(wanted, frozenset().union(*(each.reasons for each in chosen)))
    return Told("no")


def _of_course(one: Row, row: Row, policies: dict[str, Any]) -> Told:
    if row.get("stop_reason") == "progression":
        return Told("yes")
    counts_after = policies["refractory"] == "imwg_2011"
    last, presumed = _last_day(one, row)
    soon = SOON if counts_after else 0
    reach = max(last, row["start"] + soon) if presumed else last + soon  # a presumed stop is at least the first dose
    certain, open_ = ([day for day in days if day > row["start"]] for days in _progressions(one))
    if any(day <= reach for day in certain):
        return Told("yes")
    unknown = {"unconfirmed_progression"} if any(day <= reach for day in open_) else set()
    if presumed and any(day > reach for day in (*certain, *open_)):
        unknown.add("stopped_on")
    line = _line(one, row["line"])
    if line["progressed"] is not None and row["start"] > line["progressed"]:
        unknown.add("started_after_progression")  # a line has one progression: another on this drug would not be seen
    elif counts_after:
        failed, doubts = _by_response(one, line, row, policies)
        if failed and not doubts and "unconfirmed_progression" not in unknown:
            return Told("yes")
        unknown |= doubts
    elif line["best"] == "NE":
        unknown.add("response")
    if _changed_without_a_reason(one, row, last, presumed):
        unknown.add("reason_for_change")
    return Told("?", frozenset(unknown)) if unknown else Told("no")


def _last_day(one: Row, row: Row) -> tuple[int, bool]:
    """The last day of a course, and whether it is presumed from another drug that began."""
    if row["what"] in CELLS:
        return row["start"], False
    if row["stop"] is not None:
        return row["stop"], False
    others = [each["start"] for each in one["treatments"] if each["what"] != row["what"] and each["start"] > row["start"] + PRESUMED]
    return (min(others), True) if others else (FOREVER, False)


def _progressions(one: Row) -> tuple[list[int], list[int]]:
    """Days of progression: certain, and not yet confirmed."""
    certain = [event["day"] for event in one["events"] if event["what"] in RECORDED]
    certain += [row["stop"] for row in one["treatments"] if row.get("stop_reason") == "progression" and row["stop"] is not None]
    open_ = []
    for line, _ in starts(one):
        seen = visits_of(one)[line]
        confirmed = [visit["day"] for visit in seen if visit["state"] == "confirmed"]
        certain += confirmed[:1]
        open_ += [visit["day"] for visit in seen if visit["state"] == "unconfirmed" and visit["day"] < min([FOREVER, *confirmed])]
    return certain, open_


def _line(one: Row, number: int) -> Row:
    """The response of a line: best confirmed, the first confirmed progression, whether a single sample showed more."""
    seen = visits_of(one)[number]
    progressed = next((visit["day"] for visit in seen if visit["state"] == "confirmed"), None)
    before = [visit for visit in seen if (progressed is None or visit["day"] < progressed) and visit["grade"] not in ("PD", "NE")]
    grades = ["SD" if visit["single"] else visit["grade"] for visit in before]
    best = min(grades, key=BEST.index, default="NE" if progressed is None else "PD")
    single = any(visit["single"] and BEST.index(visit["grade"]) < BEST.index("SD") for visit in before)
    return {"best": best, "progressed": progressed, "single": single}


def _by_response(one: Row, line: Row, row: Row, policies: dict[str, Any]) -> tuple[bool, set[str]]:
    """Whether the best response of the line is none, and what keeps that open."""
    if line["best"] == "NE":
        return False, {"response"}
    if line["best"] != "SD":
        return line["best"] == "PD", set()
    later = [start for _, start in starts(one) if start > _start_of(one, row["line"])]
    known = row["what"] in CELLS or row["stop"] is not None
    end = row["stop"] if known else min(later, default=FOREVER)
    uses_minimal = {"always": True, "never": False, "relapsed": row["line"] >= 2}[policies["minimal_response"]]
    doubts = {
        "second_sample": line["single"], "minimal_response": not uses_minimal, "still_on_treatment": end == FOREVER,
        "too_short": end - row["start"] < PRESUMED and row["what"] not in CELLS,
    }  # fmt: skip
    return True, {name for name, holds in doubts.items() if holds}


def _changed_without_a_reason(one: Row, row: Row, last: int, presumed: bool) -> bool:
    """Another line within 60 days of the last dose, nobody wrote why, and no look at the disease in the 60 days before."""
    later = [start for _, start in starts(one) if start > _start_of(one, row["line"])]
    if not later or row.get("stop_reason") or _line(one, row["line"])["progressed"] is not None:
        return False
    next_ = min(later)
    near = presumed or last == FOREVER or next_ - last <= SOON
    fine = [v["day"] for seen in visits_of(one).values() for v in seen if v["grade"] not in ("PD", "NE")]
    return near and not any(next_ - SOON <= day <= next_ for day in fine)


def _start_of(one: Row, number: int) -> int:
    return dict(starts(one))[number]


# ---- the kind of a relapse ---------------------------------------------------------------------------------------------

NEAR = 42
RECENT = 180
SIGNS = ("plasmacytoma_new", "bone_lesion_new", "hyperviscosity", "relapse_clinical")


def kind_of_relapse(one: Row, rules: set[str], day: int) -> str | None:
    """Clinical, biochemical or None (unknown) for the progression of a day in a first line that begins on day 0.

    `rules`: what the criteria held it for (P1 to P8).
    """
    near = [row for row in one["observations"] if abs(row["on"] - day) <= NEAR]
    values = {what: [row for row in near if row["what"] == what] for what in ("calcium", "hemoglobin", "creatinine")}
    before = [row for row in one["observations"] if row["what"] == "creatinine" and row["on"] <= 0]
    told = {event["what"] for event in one["events"] if abs(event["day"] - day) <= NEAR}
    fall = _fall(one, day)
    base = max(before, key=lambda row: row["on"])["value"] if before else None
    rises = [row["value"] - base for row in values["creatinine"] if base is not None]
    clinical = bool(rules & {"P6", "P7", "P8"}) or bool(told & set(SIGNS)) or any(row["value"] > 2.75 for row in values["calcium"])
    if clinical or (fall is not None and fall >= 20) or any(rise >= 177 for rise in rises):
        return "clinical"
    if "relapse_biochemical" in told:
        return "biochemical"
    measured = values["calcium"] and fall is not None and rises
    return "biochemical" if rules and measured else None


def _fall(one: Row, day: int) -> float | None:
    """From the highest haemoglobin of the 180 days before a progression to the lowest from its day to 42 days after."""
    values = [(row["on"] - day, row["value"]) for row in one["observations"] if row["what"] == "hemoglobin"]
    before, after = [value for at, value in values if -RECENT <= at < 0], [value for at, value in values if 0 <= at <= NEAR]
    return max(before) - min(after) if before and after else None
