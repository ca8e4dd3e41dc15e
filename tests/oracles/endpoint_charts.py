"""Charts for endpoints and refractoriness, written in short, and the tables `response` and `lines` that go with them.

Days are counted from 2024-01-01. Treatment: `1: lenalidomide 0-120 maintenance 10 progression; 2: daratumumab 300-` (line, drug, first
and last day, then in any order a phase, a dose in mg, a reason for stopping). Visits: `28 PR; 200 PD!`: `!` confirmed, `?` not yet,
`~` refuted; `PR?` has no second sample; `VGPR*` lacks an immunofixation. Events: `-7 randomisation`.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import polars as pl

from bence.assess.lines import progression_events, treatment_rows, with_lines
from bence.chart import SCHEMA, Chart

DAY_ZERO = date(2024, 1, 1)
BEST = ["sCR", "CR", "VGPR", "PR", "MR", "SD", "PD", "NE"]
STATES = {"!": "confirmed", "?": "unconfirmed", "~": "refuted"}
PHASES = ("induction", "transplant", "consolidation", "maintenance", "bridging", "lymphodepletion", "step_up", "treatment")
STOPS = ("completed", "progression", "toxicity", "choice", "death", "other")
RESPONSE = {
    "patient": pl.String, "line": pl.Int32, "on": pl.Date, "timepoint": pl.String, "confirmed": pl.String, "confirmed_on": pl.Date,
    "progression": pl.String, "because": pl.String, "missing": pl.String, "flags": pl.String,
}  # fmt: skip
LINES = {
    "patient": pl.String, "line": pl.Int32, "started_on": pl.Date, "stopped_on": pl.Date, "best_response": pl.String,
    "best_response_on": pl.Date, "progressed_on": pl.Date, "progression_state": pl.String,
}  # fmt: skip

Row = dict[str, Any]


def on(day: int | None) -> date | None:
    return None if day is None else DAY_ZERO + timedelta(days=day)


def parts(text: str) -> list[list[str]]:
    return [part.split() for part in text.split(";") if part.strip()]


def treatments(text: str) -> list[Row]:
    """Treatment rows in short, as above."""
    rows = []
    for line, what, *more in parts(text):
        row: Row = {"line": int(line.strip(":")) or None, "what": what, "start": None, "stop": None}
        for word in more:
            days = re.fullmatch(r"(-?\d+)-(\d*)", word)
            if days:
                row |= {"start": int(days[1]), "stop": int(days[2]) if days[2] else None}
            elif word in PHASES:
                row["phase"] = word
            elif word in STOPS:
                row["stop_reason"] = word
            else:
                row |= {"dose": float(word), "dose_unit": "mg"}
        rows.append(row)
    return rows


def visits(text: str) -> list[Row]:
    """Assessments in short, as above."""
    rows = []
    for day, word in parts(text):
        name, mark = re.fullmatch(r"(\w+?)([!?~*]?)", word).groups()  # type: ignore[union-attr]
        state = STATES.get(mark) if name == "PD" else None
        rows.append({"day": int(day), "grade": name, "state": state, "single": name != "PD" and mark == "?", "blind": mark == "*"})
    return rows


def person(name: str = "A", treatment: str = "", seen: str = "", events: str = "", **people: Any) -> Row:
    return {
        "patient": name, "treatments": treatments(treatment), "visits": visits(seen),
        "events": [{"day": int(day), "what": what} for day, what in parts(events)], **people,
    }  # fmt: skip


def starts(one: Row) -> list[tuple[int, int]]:
    """Line and first day, by day."""
    first: dict[int, int] = {}
    for row in one["treatments"]:
        if row["line"] and row["start"] is not None:
            first[row["line"]] = min(row["start"], first.get(row["line"], row["start"]))
    return sorted(first.items(), key=lambda pair: pair[1])


def visits_of(one: Row) -> dict[int, list[Row]]:
    """The assessments of each line: after its first dose, up to and with the first dose of the next."""
    told = starts(one)
    ends = [start for _, start in told[1:]] + [10**6]
    return {line: sorted((v for v in one["visits"] if start < v["day"] <= end), key=lambda v: v["day"])
            for (line, start), end in zip(told, ends, strict=True)}  # fmt: skip


def tables(people: list[Row]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`response` and `lines` as the criteria would give them for such visits."""
    response, lines = [], []
    for one in people:
        for line, start in starts(one):
            best, best_day, progressed, state = "NE", None, None, None
            for visit in visits_of(one)[line]:
                if progressed is None and visit["grade"] not in ("PD", "NE"):
                    grade = "SD" if visit["single"] else visit["grade"]
                    if BEST.index(grade) < BEST.index(best):
                        best, best_day = grade, visit["day"]
                if visit["state"] == "confirmed" and progressed is None:
                    progressed, state = visit["day"], "confirmed"
                    if best == "NE":
                        best, best_day = "PD", visit["day"]
                elif visit["state"] == "unconfirmed" and progressed is None:
                    state = "unconfirmed"
                response.append((one["patient"], line, on(visit["day"]), visit["grade"], best, None,
                                 "confirmed" if progressed is not None and visit["grade"] == "PD" else visit["state"],
                                 None, "serum_ife" if visit["blind"] else None, None))  # fmt: skip
            lines.append((one["patient"], line, on(start), None, best, on(best_day), on(progressed), state))
    return pl.DataFrame(response, schema=RESPONSE, orient="row"), pl.DataFrame(lines, schema=LINES, orient="row")


def to_chart(people: list[Row]) -> Chart:
    """The chart of these people: treatments and events; the visits are in `tables`."""
    given = [
        {"patient": one["patient"], **{k: v for k, v in row.items() if k not in ("start", "stop")},
         "started_on": on(row["start"]), "stopped_on": on(row["stop"]), "source": f"{one['patient']}:{i}"}
        for one in people for i, row in enumerate(one["treatments"])
    ]  # fmt: skip
    happened = [{"patient": one["patient"], "on": on(e["day"]), "what": e["what"]} for one in people for e in one["events"]]
    told = [
        {"patient": one["patient"], "died_on": on(one.get("died")), "death_cause": one.get("cause"),
         "last_seen_on": on(one.get("last_seen")), "light_chain": one.get("light_chain")}
        for one in people
    ]  # fmt: skip
    noted = [{"patient": one["patient"], **{**row, "on": on(row["on"])}} for one in people for row in one.get("observations", ())]
    frames = {"patients": told, "observations": noted, "treatments": given, "events": happened}
    return Chart(**{
        table: pl.DataFrame(rows, schema={name: kind for name, kind in SCHEMA[table].items() if name in {k for row in rows for k in row}}
                            or SCHEMA[table], orient="row")
        for table, rows in frames.items()
    })  # fmt: skip


def rows_of(chart: Chart, policies: dict[str, Any]) -> pl.DataFrame:
    """The treatment rows with their (recorded) lines."""
    ids = chart.patients["patient"].sort()
    rows = treatment_rows(chart, ids)
    return with_lines(rows, progression_events(chart, ids), len(ids), policies)
