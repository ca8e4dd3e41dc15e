"""What happened to every line of therapy, in days: origin, assessments, progression, the next line, death.

Arrays over the lines of all patients, sorted by patient and start; NEVER where there is no such day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ...chart import Chart
from .. import line_scan as scan
from ..courses import first_after, found_at, keyed, last_dose, placed
from ..intake import NEVER, days, place_of

LONG_AGO = -NEVER
BEFORE, AFTER = 28, 14  # days around the first dose in which a randomisation belongs to the line
DUE_TO_MYELOMA = r"(?i)myeloma|progress|relapse|plasma cell|骨髓瘤|进展|复发|浆细胞"
CAUSE_UNKNOWN = r"(?i)^\s*$|unknown|not known|unspecified|不详|未知|不明"
DEEP = ("sCR", "CR")
RESPONSES = ("sCR", "CR", "VGPR", "PR")
LOOKED_AWAY = "ife|marrow|plasmacytoma|ratio"  # a complete response needs these; where one is missing its loss is not shown


@dataclass(frozen=True)
class Timeline:
    """The lines of a cohort; every array is as long as `key`."""

    key: pl.DataFrame  # patient, line
    place: np.ndarray
    start: np.ndarray
    stop: np.ndarray  # last dose of the line
    following: np.ndarray  # start of the next line
    origin: np.ndarray
    progressed: np.ndarray  # by the criteria, else as recorded
    recorded: np.ndarray  # whether it is the recorded one
    open_doubt: np.ndarray  # a progression that no later sample has confirmed yet
    doubted: np.ndarray  # the first day of one
    clinical: np.ndarray  # a clinical relapse
    responded: np.ndarray  # first confirmed partial response or better
    complete: np.ndarray  # first confirmed complete response
    lost: np.ndarray  # relapse from complete response
    transplant: np.ndarray
    died: np.ndarray
    unrelated: np.ndarray  # death of another cause than myeloma
    cause_unknown: np.ndarray
    alive: np.ndarray  # last day known to be alive
    seen: Seen

    def next_line(self, values: np.ndarray, absent: Any = NEVER) -> np.ndarray:
        """The values of the next line of the same patient."""
        moved = np.append(values[1:], absent)
        same = np.append(self.place[1:] == self.place[:-1], False)[: values.size]
        return np.where(same, moved, absent)

    def of_later(self, values: np.ndarray) -> np.ndarray:
        """The least of the values of this line and all later ones of the same patient."""
        apart = self.place.astype(np.int64) << 33  # going backwards, another patient's values are all less: the minimum starts anew
        least = np.minimum.accumulate((apart + values)[::-1])[::-1]
        return least - apart


@dataclass(frozen=True)
class Seen:
    """Adequate assessments of every line: keys of line and day, sorted."""

    any_of_line: np.ndarray
    calm_of_line: np.ndarray  # those that show no progression

    @staticmethod
    def last(keys: np.ndarray, line: np.ndarray, until: np.ndarray) -> np.ndarray:
        """For every line its last day up to and with `until`; LONG_AGO if there is none."""
        if not keys.size:
            return np.full(line.size, LONG_AGO, np.int64)
        at = np.searchsorted(keys, keyed(line, np.minimum(until, (1 << 17) - 1)), side="right") - 1
        found = keys[np.maximum(at, 0)]
        own = (at >= 0) & (found >> 18 == line)
        return np.where(own, (found & ((1 << 18) - 1)) - (1 << 17), LONG_AGO)


def timeline(chart: Chart, rows: pl.DataFrame, lines: pl.DataFrame, response: pl.DataFrame, policies: Mapping[str, Any]) -> Timeline:
    """The timeline of every line; tables of the same chart."""
    ids = chart.patients["patient"].sort()
    lines = lines.with_columns(_place=place_of(ids), line=pl.col("line").cast(pl.Int32)).sort("_place", "started_on")
    place, start = lines["_place"].to_numpy(), days(lines["started_on"])
    following = np.where(np.append(place[1:] == place[:-1], False)[: place.size], np.append(start[1:], NEVER), NEVER)
    key = place * 1024 + lines["line"].to_numpy()
    at = found_at(key, np.argsort(key), placed(response, ids) * 1024 + response["line"].to_numpy())
    visits = response.select("on", "timepoint", "confirmed", "progression", "missing", _at=pl.Series(at)).filter(pl.col("_at") < key.size)
    events = _events(chart, ids)
    randomised = _randomised(events, place, start, following)
    recorded = _within(events, rows, place, start, following)
    sure = lines["progression_state"].cast(pl.String).eq_missing("confirmed").to_numpy()
    progressed = np.where(sure, days(lines["progressed_on"]), NEVER)
    people = chart.patients.sort("patient")
    death = _deaths(people, place)
    marks = _marks(visits, place.size)
    clinical = _first_within(events, "relapse_clinical", place, start, following)
    return Timeline(
        key=lines.select("patient", "line", "started_on"), place=place, start=start, stop=_stops(rows, lines), following=following,
        origin=np.where((randomised < NEVER) & (policies["origin"] == "randomisation"), randomised, start),
        progressed=np.minimum(progressed, np.where(progressed < NEVER, NEVER, recorded)),
        recorded=(progressed == NEVER) & (recorded < NEVER),
        open_doubt=lines["progression_state"].cast(pl.String).eq_missing("unconfirmed").to_numpy(),
        clinical=clinical, **marks, transplant=_transplants(rows, lines), **death,
        alive=_alive(chart, rows, response, events, ids)[place] if place.size else np.zeros(0, np.int64),
        seen=_seen(visits),
    )  # fmt: skip


def _events(chart: Chart, ids: pl.Series) -> pl.DataFrame:
    """Events with a day that did happen."""
    happened = pl.col("on").is_not_null() & pl.col("text").ne_missing("none")
    rows = chart.scan("events").filter(happened).select("patient", "on", "what").collect()
    return rows.with_columns(place=place_of(ids), day=pl.Series(days(rows["on"]), dtype=pl.Int64))


def _randomised(events: pl.DataFrame, place: np.ndarray, start: np.ndarray, following: np.ndarray) -> np.ndarray:
    """The randomisation that belongs to a line: the first from 28 days before to 14 days after its first dose."""
    drawn = events.filter(pl.col("what") == "randomisation")
    day = first_after(place, start - BEFORE - 1, drawn["place"].to_numpy(), drawn["day"].to_numpy())
    return np.where(day <= np.minimum(start + AFTER, following), day, NEVER)


def _first_within(events: pl.DataFrame, what: str, place: np.ndarray, start: np.ndarray, following: np.ndarray) -> np.ndarray:
    """The first event of a kind after the first dose of a line, up to and with the first dose of the next."""
    own = events.filter(pl.col("what") == what)
    day = first_after(place, start, own["place"].to_numpy(), own["day"].to_numpy())
    return np.where(day <= following, day, NEVER)


def _within(events: pl.DataFrame, rows: pl.DataFrame, place: np.ndarray, start: np.ndarray, following: np.ndarray) -> np.ndarray:
    """The first progression of a line that was recorded: as an event, or as the reason to stop a drug."""
    stopped = rows.filter((pl.col("stop_reason") == "progression") & pl.col("stopped_on").is_not_null())
    own = events.filter(pl.col("what") == "progression")
    where = np.concatenate([own["place"].to_numpy(), stopped["place"].to_numpy()])
    day = first_after(place, start, where, np.concatenate([own["day"].to_numpy(), days(stopped["stopped_on"])]))
    return np.where(day <= following, day, NEVER)


def _deaths(people: pl.DataFrame, place: np.ndarray) -> dict[str, np.ndarray]:
    """Death, whether of another cause than myeloma, and whether the cause is not known."""
    cause = people["death_cause"].fill_null("")
    unknown = cause.str.contains(CAUSE_UNKNOWN).to_numpy()
    unrelated = ~unknown & ~cause.str.contains(DUE_TO_MYELOMA).to_numpy()
    died = days(people["died_on"])
    return {"died": died[place], "unrelated": unrelated[place], "cause_unknown": unknown[place]}


def _marks(visits: pl.DataFrame, n: int) -> dict[str, np.ndarray]:
    """First response, first complete response, and the relapse from it, of every line."""
    best, point = pl.col("confirmed").cast(pl.String), pl.col("timepoint").cast(pl.String)
    day = pl.col("on").to_physical().cast(pl.Int64)
    before = pl.col("progression").cast(pl.String).ne_missing("confirmed")
    told = visits.select(
        "_at", day=day, doubt=pl.col("progression").cast(pl.String) == "unconfirmed",
        good=best.is_in(RESPONSES) & before, deep=best.is_in(DEEP) & before,
        shallow=((point == "PD") & pl.col("progression").cast(pl.String).ne_missing("refuted"))
        | (point.is_in(["VGPR", "PR", "MR", "SD"]) & ~pl.col("missing").cast(pl.String).str.contains(LOOKED_AWAY).fill_null(False)),
    )  # fmt: skip
    first = told.with_columns(deep_on=pl.col("day").filter(pl.col("deep")).min().over("_at")).group_by("_at").agg(
        responded=pl.col("day").filter(pl.col("good")).min(),
        complete=pl.col("deep_on").first(),
        lost=pl.col("day").filter(pl.col("shallow") & (pl.col("day") > pl.col("deep_on"))).min(),
        doubted=pl.col("day").filter(pl.col("doubt")).min(),
    )  # fmt: skip
    columns = {}
    for name in ("responded", "complete", "lost", "doubted"):
        columns[name] = np.full(n, NEVER, np.int64)
        columns[name][first["_at"].to_numpy()] = first[name].fill_null(NEVER).to_numpy()
    return columns


def _seen(visits: pl.DataFrame) -> Seen:
    point = visits["timepoint"].cast(pl.String)
    adequate = (point != "NE").fill_null(False).to_numpy()
    state = visits["progression"].cast(pl.String)
    calm = adequate & ~((point == "PD") & state.is_in(["confirmed", "unconfirmed"])).fill_null(False).to_numpy()
    at, day = visits["_at"].cast(pl.Int64).to_numpy(), days(visits["on"])
    return Seen(np.sort(keyed(at[adequate], day[adequate])), np.sort(keyed(at[calm], day[calm])))


def _stops(rows: pl.DataFrame, lines: pl.DataFrame) -> np.ndarray:
    """The last dose of every line (steroids aside); NEVER while a drug is given or where no stop is recorded."""
    drugs = (rows["kind"] == scan.ACTIVE).to_numpy() & (rows["line"] > 0).to_numpy()
    last = pl.DataFrame({"_place": rows["place"], "line": rows["line"].cast(pl.Int32), "last": last_dose(rows)}).filter(drugs)
    of_line = last.group_by("_place", "line").agg(pl.col("last").max())
    return lines.join(of_line, on=["_place", "line"], how="left", maintain_order="left")["last"].fill_null(NEVER).to_numpy()


def _transplants(rows: pl.DataFrame, lines: pl.DataFrame) -> np.ndarray:
    """The first transplant of every line."""
    given = rows.filter(pl.col("role") & scan.TRANSPLANT != 0)
    first = given.group_by(pl.col("place").alias("_place"), pl.col("line").cast(pl.Int32)).agg(day=pl.col("started_on").min())
    return days(lines.join(first, on=["_place", "line"], how="left", maintain_order="left")["day"])


def _alive(chart: Chart, rows: pl.DataFrame, response: pl.DataFrame, events: pl.DataFrame, ids: pl.Series) -> np.ndarray:
    """The last day on which each patient is known to have been alive: seen, sampled, treated, or something happened."""
    people = chart.patients.sort("patient")
    last = days(people["last_seen_on"], LONG_AGO)
    sampled = chart.scan("observations").group_by("patient").agg(pl.col("on").max()).collect()
    for place, day in (
        (placed(sampled, ids), days(sampled["on"], LONG_AGO)),
        (placed(response, ids), days(response["on"], LONG_AGO)),
        (rows["place"].to_numpy(), days(rows["started_on"], LONG_AGO)),
        (rows["place"].to_numpy(), days(rows["stopped_on"], LONG_AGO)),
        (events["place"].to_numpy(), events["day"].to_numpy()),
    ):
        np.maximum.at(last, place, day)
    return np.minimum(last, days(people["died_on"]))
