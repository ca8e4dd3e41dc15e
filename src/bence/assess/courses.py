"""Courses of drugs: was the myeloma refractory to a drug in a line of therapy? One row a patient, line and drug.

Refractory is non-response while on the drug, or progression on it or within 60 days of its last dose. An answer is given
where nothing that is missing could change it; else `missing` says what. Rules in words: docs/rules/endpoints.md.
Source: Rajkumar SV et al., Blood 2011;117:4691-5, doi:10.1182/blood-2010-10-299487.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np
import polars as pl

from ..catalogue import codes_of
from ..chart import Chart
from . import line_scan as scan
from .intake import NEVER, days, place_of
from .lines import progression_events, stopped_for_progression

WINDOW = 60  # days after the last dose in which progression still counts
CYCLE = 28  # days of a drug below which non-response is not judged
MAINTENANCE_DOSE = 10.0  # mg of lenalidomide a day
NO_DRUG = ("steroid", "supportive", "transplant", "radiotherapy")  # classes that are never listed as refractory
UNNAMED = "investigational"
GRADES = pl.Enum(["sCR", "CR", "VGPR", "PR", "MR", "SD", "PD", "NE"])
MR, SD, PD, NE = range(4, 8)
YES, NO, UNKNOWN = 1, 0, -1
BITS = 62  # words in one mask
BECAUSE = ("stopped_for_progression", "progression_on_drug", "progression_after_drug", "no_response", "responded", "no_progression")
MISSING = (
    "started_on", "response_of_cells", "unconfirmed_progression", "stopped_on", "response", "minimal_response",
    "second_sample", "still_on_treatment", "too_short", "started_after_progression", "reason_for_change",
)  # fmt: skip


@cache
def drug_table() -> tuple[tuple[str, ...], np.ndarray]:
    """The drugs and procedures as `treatment_rows` numbers them, and which of them are drugs against myeloma."""
    codes = codes_of("drug", "procedure")
    return tuple(codes), np.array([*("drug" in code.grains and code.drug_class != "supportive" for code in codes.values()), False])


@dataclass(frozen=True)
class Courses:
    """One entry a patient, line (0: none) and drug, sorted by these. Days, NEVER for none; answers YES, NO, UNKNOWN."""

    place: np.ndarray
    line: np.ndarray
    drug: np.ndarray  # place in `drug_table`
    rows: np.ndarray
    start: np.ndarray
    last: np.ndarray
    refractory: np.ndarray
    responded: np.ndarray
    day: np.ndarray  # on which it was refractory
    because: np.ndarray  # place in BECAUSE, -1 for none
    missing: np.ndarray  # bits of MISSING
    low: np.ndarray  # refractory to maintenance with a low dose of lenalidomide alone

    @property
    def aside(self) -> np.ndarray:
        """Bridging and lymphodepletion, which tell nothing of refractoriness."""
        return self.missing == 1 << MISSING.index("response_of_cells")


def keyed(place: np.ndarray, day: np.ndarray) -> np.ndarray:
    """A group and a day in one number that sorts by both."""
    return place.astype(np.int64) * (1 << 18) + np.clip(day, -(1 << 17), (1 << 17) - 1) + (1 << 17)


def first_after(place: np.ndarray, day: np.ndarray, among_place: np.ndarray, among_day: np.ndarray) -> np.ndarray:
    """For every row the first of some days of the same group that lies after it; NEVER if none does."""
    order = np.argsort(keyed(among_place, among_day), kind="stable")
    among_place, among_day = np.append(among_place[order], -1), np.append(among_day[order], NEVER)
    found = np.searchsorted(keyed(among_place[:-1], among_day[:-1]), keyed(place, day), side="right")
    return np.where(among_place[found] == place, among_day[found], NEVER)


def placed(frame: pl.DataFrame, ids: pl.Series) -> np.ndarray:
    """The place of the patient of every row among all patients."""
    return frame.select(place_of(ids)).to_series().to_numpy()


def joined(group: np.ndarray, word: np.ndarray, groups: int, words: list[str]) -> pl.Series:
    """For every group its words in the order of the alphabet, joined by `|`; null where there are none. `word`: places in `words`."""
    order = sorted(range(len(words)), key=lambda place: words[place])
    rank = np.argsort(order)[word] if words else word
    which, names = np.zeros(groups, np.int64), [cast(tuple[str, ...], ())]
    for low in range(0, len(words), BITS):
        mine = (rank >= low) & (rank < low + BITS)
        mask = np.zeros(groups, np.int64)
        np.bitwise_or.at(mask, group[mine], 1 << (rank[mine] - low))
        bits, place = np.unique(mask, return_inverse=True)
        pairs, which = np.unique(which * bits.size + place, return_inverse=True)
        names = [
            names[pair // bits.size] + tuple(words[order[low + bit]] for bit in range(BITS) if int(bits[pair % bits.size]) >> bit & 1)
            for pair in pairs.tolist()
        ]
    table = pl.Series(["|".join(each) or None for each in names], dtype=pl.String)
    return table.gather(which)


def progressions(chart: Chart, rows: pl.DataFrame, lines: pl.DataFrame, ids: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Place and day of all that is known of progression: confirmed by the criteria, recorded, a drug stopped for it."""
    sure = lines.filter(pl.col("progressed_on").is_not_null() & (pl.col("progression_state").cast(pl.String) == "confirmed"))
    events = progression_events(chart, ids)
    stopped = stopped_for_progression(rows)
    parts = [
        (placed(sure, ids), days(sure["progressed_on"])),
        (events["place"].to_numpy(), events["day"].to_numpy()),
        (stopped["place"].to_numpy(), stopped["day"].to_numpy()),
    ]
    return np.concatenate([place for place, _ in parts]), np.concatenate([day for _, day in parts])


def last_dose(rows: pl.DataFrame) -> np.ndarray:
    """Day of the last dose of every row, NEVER where no stop is recorded; what is given in one day stops on it."""
    drugs = codes_of("drug", "procedure")
    once = [name for name, code in drugs.items() if code.drug_class in ("CAR_T", "transplant")]
    start, stop = days(rows["started_on"]), days(rows["stopped_on"])
    transplant = rows["role"].to_numpy() & scan.TRANSPLANT != 0
    conditions = (rows["role"].to_numpy() & scan.HIGH_DOSE != 0) & (stop == NEVER)
    place = rows["place"].to_numpy()
    next_one = first_after(place, start - 1, place[transplant], start[transplant])
    one_day = rows["what"].is_in(once).to_numpy() | rows["phase"].eq_missing("transplant").to_numpy()
    one_day = one_day | (conditions & (next_one - start <= 14))
    return np.where((stop == NEVER) & one_day, start, stop)


def changed(rows: pl.DataFrame, last: np.ndarray) -> np.ndarray:
    """Until when a row without a stop is taken as going on: the start of another drug more than 28 days later, else NEVER."""
    drug = (rows["kind"] == scan.ACTIVE).to_numpy() & (rows["role"].to_numpy() & scan.TRANSPLANT == 0)
    place, what = np.append(rows["place"].to_numpy()[drug], -1), np.append(rows["drug"].to_numpy()[drug], -1)
    start = np.append(days(rows["started_on"])[drug], NEVER)
    until = np.full(rows.height, NEVER, np.int64)
    looking = np.flatnonzero(last == NEVER)
    own, mine = rows["place"].to_numpy(), rows["drug"].to_numpy()
    at = np.searchsorted(keyed(place[:-1], start[:-1]), keyed(own[looking], days(rows["started_on"])[looking] + scan.TOGETHER), "right")
    while looking.size:
        there = place[at] == own[looking]
        other = there & (what[at] != mine[looking])
        until[looking[other]] = start[at[other]]
        again = there & ~other
        looking, at = looking[again], at[again] + 1
    return until


def courses(chart: Chart, rows: pl.DataFrame, lines: pl.DataFrame, response: pl.DataFrame, policies: Mapping[str, Any]) -> Courses:
    """Every course of a drug in a line, and whether the myeloma was refractory to it.

    `rows`: treatment rows of `lines.with_lines`; all tables of the same chart.
    """
    ids = chart.patients["patient"].sort()
    given = _judged(chart, rows, lines, response, ids, policies)
    names = len(drug_table()[0])
    key = (given["place"] * 1024 + given["line"]) * names + given["what"]
    order = np.argsort(key, kind="stable")
    given = {name: values[order] for name, values in given.items()}
    key = key[order]
    first = np.flatnonzero(np.append(True, key[1:] != key[:-1])[: key.size])
    any_ = lambda values: np.logical_or.reduceat(values, first) if first.size else values  # noqa: E731
    least = lambda values: np.minimum.reduceat(values, first) if first.size else values  # noqa: E731
    most = lambda values: np.maximum.reduceat(values, first) if first.size else values  # noqa: E731
    hit = given["found"] >= 0
    sure = any_(hit)
    low = [np.where(sure, any_(hit & (given["low"] == one)), any_(given["low"] == one)) for one in (NO, UNKNOWN)]
    told = {
        "place": given["place"][first], "line": given["line"][first], "drug": given["what"][first],
        "rows": np.diff(np.append(first, key.size)), "start": least(given["start"]), "last": most(given["last"]),
        "day": least(given["day"]), "found": least(np.where(hit, given["found"], len(BECAUSE))), "sure": sure,
        "waits": ~any_(~given["waits"]), "low": np.where(low[0], NO, np.where(low[1], UNKNOWN, YES)),
        **{name: any_(given[name]) for name in ("unconfirmed", "stop_unknown", "undated", "explained")},
    }  # fmt: skip
    return _answered(told, _of_lines(lines, response, ids, policies, told["place"], told["line"]), policies)


def _judged(
    chart: Chart, rows: pl.DataFrame, lines: pl.DataFrame, response: pl.DataFrame, ids: pl.Series, policies: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Of every drug row: was there progression on it or soon after? `found` is a place in BECAUSE, -1 for no."""
    window = WINDOW if policies["refractory"] == "imwg_2011" else 0
    place, start, last = rows["place"].to_numpy(), days(rows["started_on"]), last_dose(rows)
    open_ = last == NEVER
    until = np.where(open_, np.maximum(changed(rows, last), start + window), last + window)
    progressed = first_after(place, start, *progressions(chart, rows, lines, ids))
    doubted = response.filter(pl.col("progression").cast(pl.String) == "unconfirmed")
    doubt = first_after(place, start, placed(doubted, ids), days(doubted["on"]))
    waits = (rows["role"].to_numpy() & scan.WAITS != 0) | (rows["rule"].to_numpy() == scan.WAITED)
    waits &= (rows["role"].to_numpy() & scan.CAR_T) == 0
    stopped = rows["stop_reason"].eq_missing("progression").to_numpy()
    hit = (progressed <= until) & (progressed < NEVER) & ~waits
    on_drug = progressed <= np.where(open_, NEVER - 1, last)
    later = np.minimum(progressed, doubt)
    told = {
        "place": place, "line": rows["line"].cast(pl.Int64).to_numpy(), "what": rows["drug"].cast(pl.Int64).to_numpy(), "start": start,
        "last": last, "found": np.select([stopped, hit & on_drug, hit], [0, 1, 2], -1),
        "day": np.where(hit, progressed, np.where(stopped, days(rows["stopped_on"]), NEVER)),
        "unconfirmed": (doubt <= until) & (doubt < NEVER) & ~waits,
        "stop_unknown": open_ & (later > until) & (later < NEVER) & ~waits,
        "undated": np.zeros(rows.height, bool), "waits": waits,
        "explained": rows["stop_reason"].is_in(["completed", "toxicity", "choice"]).fill_null(False).to_numpy(),
        "low": _low_dose(chart, rows),
    }  # fmt: skip
    undated = _undated(chart, ids)
    mine = drug_table()[1][told["what"]]
    return {name: np.concatenate([values[mine], undated[name].astype(values.dtype)]) for name, values in told.items()}


def _low_dose(chart: Chart, rows: pl.DataFrame) -> np.ndarray:
    """Whether a row is maintenance with 10 mg of lenalidomide a day or less; UNKNOWN where dose or phase leave it open."""
    drug = "lenalidomide"
    doses = (
        chart.scan("treatments").select("what", "dose", "dose_unit").with_row_index("row")
        .filter(pl.col("what") == drug).select("row", "dose", "dose_unit").collect()
    )  # fmt: skip
    own = rows["drug"].to_numpy() == drug_table()[0].index(drug)
    phase, dose = pl.col("phase"), pl.when(pl.col("dose_unit").str.to_lowercase().str.contains(r"^mg(/d|/day)?$")).then("dose")
    low = (
        pl.when(phase != "maintenance").then(NO).when(dose > MAINTENANCE_DOSE).then(NO)
        .when((phase == "maintenance") & (dose <= MAINTENANCE_DOSE)).then(YES).otherwise(UNKNOWN)
    )  # fmt: skip
    found = np.full(rows.height, UNKNOWN)
    given = rows.select("row", "phase").filter(pl.Series(own)).join(doses, on="row", how="left", maintain_order="left")
    found[own] = given.select(low).to_series().to_numpy()
    return found


def _undated(chart: Chart, ids: pl.Series) -> dict[str, np.ndarray]:
    """Drugs that were given nobody knows when: exposure is known, and whether they were stopped for progression."""
    names, wanted = drug_table()
    drugs = {name: place for place, name in enumerate(names) if wanted[place]}
    rows = chart.scan("treatments").filter(pl.col("started_on").is_null() & pl.col("what").is_in(list(drugs))).collect()
    stopped = rows["stop_reason"].eq_missing("progression").to_numpy()
    no, last = np.zeros(rows.height, bool), days(rows["stopped_on"])
    return {
        "place": placed(rows, ids), "line": np.zeros(rows.height, np.int64), "start": np.full(rows.height, NEVER), "last": last,
        "what": rows["what"].replace_strict(drugs, default=None, return_dtype=pl.Int64).to_numpy(),
        "found": np.where(stopped, 0, -1), "day": np.where(stopped, last, NEVER), "unconfirmed": no, "stop_unknown": no,
        "undated": ~no, "waits": no, "explained": no, "low": np.full(rows.height, UNKNOWN),
    }  # fmt: skip


def _of_lines(
    lines: pl.DataFrame, response: pl.DataFrame, ids: pl.Series, policies: Mapping[str, Any], place: np.ndarray, line: np.ndarray
) -> dict[str, np.ndarray]:
    """Of the line of every course: best response (-1 unknown), whether a response was promised, and how it ended."""
    own, start = placed(lines, ids), days(lines["started_on"])
    order = np.lexsort((start, own))
    own, start = own[order], start[order]
    following = np.where(np.append(own[1:] == own[:-1], False)[: own.size], np.append(start[1:], NEVER), NEVER)
    number = lines["line"].cast(pl.Int64).to_numpy()[order]
    key = own * 1024 + number
    by_key = np.argsort(key)
    seen = response.select("patient", "line", "on", point=pl.col("timepoint").cast(GRADES)).filter(pl.col("point") != "NE")
    point = seen["point"].to_physical().cast(pl.Int64).to_numpy()
    at = found_at(key, by_key, placed(seen, ids) * 1024 + seen["line"].cast(pl.Int64).to_numpy())
    promised, seen_on = np.zeros(own.size + 1, bool), np.full(own.size + 1, -NEVER)
    promised[at[point <= MR]] = True
    calm = point < PD
    np.maximum.at(seen_on, at[calm], days(seen["on"])[calm])
    told = {
        "best": lines["best_response"].cast(GRADES).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()[order],
        "sure": lines["progression_state"].cast(pl.String).eq_missing("confirmed").to_numpy()[order],
        "progressed": days(lines["progressed_on"])[order], "following": following, "promised": promised[:-1],
        "seen_late": (following < NEVER) & (seen_on[:-1] >= following - WINDOW),
        "minimal": {"always": number > 0, "never": number < 0, "relapsed": number >= 2}[str(policies["minimal_response"])],
    }  # fmt: skip
    absent = {"best": -1, "progressed": NEVER, "following": NEVER}
    course = found_at(key, by_key, place * 1024 + line)
    return {name: np.append(values, np.array(absent.get(name, 0), values.dtype))[course] for name, values in told.items()}


@cache
def _given_at_once() -> np.ndarray:
    """Which drugs are whole with one dose (CAR T cells): no course of them is too short to fail."""
    drugs = codes_of("drug", "procedure")
    return np.array([name in drugs and drugs[name].drug_class == "CAR_T" for name in drug_table()[0]])


def found_at(keys: np.ndarray, order: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The place of every wanted key among the keys, or one beyond the last. `order` sorts the keys."""
    if not keys.size:
        return np.zeros(wanted.size, np.int64)
    at = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), keys.size - 1)]
    return np.where(keys[at] == wanted, at, keys.size)


def _answered(told: dict[str, np.ndarray], of: dict[str, np.ndarray], policies: Mapping[str, Any]) -> Courses:
    """`responded` and `refractory` of every course, with `because` or `missing`."""
    by_response = policies["refractory"] == "imwg_2011"
    best, start, last, following = of["best"], told["start"], told["last"], of["following"]
    after = (of["progressed"] < NEVER) & (start > of["progressed"]) & (start < NEVER)
    not_responded = (best == PD) | ((best == SD) & of["minimal"] & ~of["promised"])
    responded = np.select([told["waits"] | after, (best >= 0) & (best <= MR), not_responded], [UNKNOWN, YES, NO], UNKNOWN)
    on = (last == NEVER) & (following == NEVER)
    stable = (best == SD) & by_response
    end = np.where(last == NEVER, following, last)
    brief = (end < NEVER) & (end - start < CYCLE) & ~_given_at_once()[told["drug"]]
    hurried = (following < NEVER) & (following <= np.where(last == NEVER, following, last) + WINDOW)
    lacks = {
        "started_on": told["undated"], "response_of_cells": told["waits"], "unconfirmed_progression": told["unconfirmed"],
        "stopped_on": told["stop_unknown"], "started_after_progression": after,
        "response": ((best < 0) | (best == NE)) & ~told["undated"], "minimal_response": stable & ~of["minimal"],
        "second_sample": stable & of["minimal"] & of["promised"], "still_on_treatment": stable & on, "too_short": stable & brief,
        "reason_for_change": hurried & ~told["explained"] & ~of["seen_late"] & ~of["sure"],
    }  # fmt: skip
    missing = sum(lacks[name].astype(np.int64) << bit for bit, name in enumerate(MISSING))
    open_ = (stable & (on | brief)) | told["undated"] | told["unconfirmed"]
    failed = by_response & (responded == NO) & ~told["sure"] & ~open_
    yes = told["sure"] | failed
    refractory = np.select([yes, missing == 0], [YES, NO], UNKNOWN)
    other = np.select([failed, refractory == UNKNOWN, responded == YES], [3, -1, 4], 5)
    ended = np.select([of["progressed"] < NEVER, last < NEVER], [of["progressed"], last], following)
    return Courses(
        **{name: told[name] for name in ("place", "line", "drug", "rows", "start", "last", "low")},
        refractory=refractory, responded=responded, because=np.where(told["sure"], told["found"], other),
        missing=np.where(yes, 0, missing), day=np.where(told["sure"], told["day"], np.where(failed, ended, NEVER)),
    )  # fmt: skip
