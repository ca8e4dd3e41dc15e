"""Small charts for the facts, written in short, and the laws that hold for every fact.

Days are counted from 2024-01-01. Given: `lenalidomide 0-120 maintenance 10 progression` (drug, first and last day, then in any order
a phase, a dose in mg, `line=2`, a reason for stopping). Seen: `28 serum_m_protein 12`, `60 mrd <1e-6 ngs cells=3e6`, `0 t_4_14 positive`.
Happened: `100 infection grade=3 until=110 text=pneumonia`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import polars as pl
import pytest

from bence.advise.facts import facts
from bence.assess import assess
from bence.catalogue import codes
from bence.chart import SCHEMA, Chart
from bence.demo import demo_chart

DAY_ZERO = date(2024, 1, 1)
PHASES = ("induction", "transplant", "consolidation", "maintenance", "bridging", "lymphodepletion", "step_up", "treatment")
STOPS = ("completed", "progression", "toxicity", "choice", "death", "other")
METHODS = ("ngs", "ngf", "flow", "aspirate", "biopsy")

Person = dict[str, Any]


def on(day: int | str) -> date:
    return DAY_ZERO + timedelta(days=int(day))


def pairs(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Bare words, and what is written `name=value` (`text` takes the rest of the line)."""
    line = " ".join(words)
    line, _, text = line.partition("text=")
    bare = [word for word in line.split() if "=" not in word]
    named = dict(word.split("=") for word in line.split() if "=" in word)
    return bare, named | ({"text": text.strip()} if text.strip() else {})


def treatment(patient: str, text: str) -> dict[str, Any]:
    (what, span, *more), named = pairs(text.split())
    start, _, stop = span.partition("-")
    row: dict[str, Any] = {"patient": patient, "what": what, "started_on": on(start), "stopped_on": on(stop) if stop else None}
    for word in more:
        if word in PHASES:
            row["phase"] = word
        elif word in STOPS:
            row["stop_reason"] = word
        else:
            row |= {"dose": float(word), "dose_unit": "mg"}
    return row | {"line": int(named["line"]) if "line" in named else None}


def observation(patient: str, text: str) -> dict[str, Any]:
    (day, what, *more), named = pairs(text.split())
    row: dict[str, Any] = {"patient": patient, "on": on(day), "what": what}
    for word in more:
        if word in METHODS:
            row["method"] = word
        elif word.lstrip("<>").replace(".", "").replace("e-", "").replace("e", "").replace("+", "").isdigit():
            row |= {"value": float(word.lstrip("<>")), "comparator": word[0] if word[0] in "<>" else None}
        else:
            row["text"] = word
    if "cells" in named:
        row["cells"] = float(named["cells"])
    return (
        row | ({"recorded_on": on(named["recorded"])} if "recorded" in named else {}) | ({"text": named["text"]} if "text" in named else {})
    )


def event(patient: str, text: str) -> dict[str, Any]:
    (day, what), named = pairs(text.split())
    return {
        "patient": patient, "on": on(day), "what": what, "until": on(named["until"]) if "until" in named else None,
        "grade": int(named["grade"]) if "grade" in named else None, "text": named.get("text"),
    }  # fmt: skip


def person(patient: str = "A", given: str = "", seen: str = "", happened: str = "", diagnosis: str | None = "MM", **people: Any) -> Person:
    """One patient; the tables are lists of short lines, separated by `;`."""
    rows = {"treatments": (treatment, given), "observations": (observation, seen), "events": (event, happened)}
    told = {table: [make(patient, part) for part in text.split(";") if part.strip()] for table, (make, text) in rows.items()}
    if diagnosis:
        told["observations"].append({"patient": patient, "on": on(0), "what": "diagnosis", "text": diagnosis})
    return told | {"patients": [{"patient": patient, "heavy_chain": "igg", "light_chain": "kappa", **people}]}


def chart_of(*people: Person) -> Chart:
    frames = {
        table: pl.DataFrame([row for each in people for row in each[table]], schema=SCHEMA[table], orient="row")
        for table in ("patients", "observations", "treatments", "events")
    }
    return Chart(**frames)


def told(*people: Person, at: int = 400) -> pl.DataFrame:
    """The facts as of a day."""
    return facts(assess(chart_of(*people), at=on(at)))


def each(people: Iterable[Person], at: int = 400) -> list[dict[str, Any]]:
    """The facts of people who have nothing to do with one another, in their order: assessed together, which costs as much as one."""
    apart = [{table: [row | {"patient": f"P{i:03}"} for row in rows] for table, rows in one.items()} for i, one in enumerate(people)]
    return told(*apart, at=at).rows(named=True)


def each_on(people: Iterable[tuple[Person, int]]) -> list[dict[str, Any]]:
    """The same, each as of a day of their own."""
    asked = list(people)
    found = {day: iter(each((one for one, at in asked if at == day), day)) for day in {at for _, at in asked}}
    return [next(found[day]) for _, day in asked]


def known() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("bence.advise.facts").joinpath("facts.toml").read_text("utf-8"))


KINDS = {"flag": pl.Boolean, "number": pl.Float64, "category": pl.String}
RICH = person(
    "M", "bortezomib 0-120 induction; lenalidomide 0-120 induction; daratumumab 0-120 induction; autologous_transplant 160-160 transplant;"
    "lenalidomide 220-700 maintenance 10 progression; carfilzomib 720-1000; pomalidomide 720-1000; teclistamab 1100-",
    "0 serum_m_protein 40; 28 serum_m_protein 12; 56 serum_m_protein 8; 150 mrd 1e-4 ngs cells=3e6;"
    "500 mrd 0 ngs cells=3e6; 690 serum_m_protein 20;"
    "720 serum_m_protein 22; 1050 serum_m_protein 30; 1080 serum_m_protein 31; 1100 creatinine 90; 1100 lvef 60; 1100 t_11_14 positive",
    "0 mm_diagnosis; 1090 infection grade=3; 1095 declined text=CAR-T; 1099 crs grade=1 until=1102", sex="female", born_on="1960-03-02",
)  # fmt: skip


def test_every_fact_is_described_in_both_languages_and_every_description_is_a_fact() -> None:
    table, described = facts(assess(demo_chart())), known()
    ends = {name + end for name, of in described.items() if of["kind"] == "number" for end in ("_low", "_high")}
    assert set(table.columns) - {"patient", "at"} - ends == set(described)
    for name, of in described.items():
        assert table[name].dtype == KINDS[of["kind"]], name
        assert of["en"]
        assert of["zh"]
        assert set(of) <= {"kind", "en", "zh", "test", "unit", "source", "words", "absent_unless_recorded", "always_known"}
        assert of.get("absent_unless_recorded") or set(of["test"]) == {"en", "zh"}, name


def test_every_word_of_a_category_has_a_label() -> None:
    table, described = facts(assess(demo_chart())), known()
    for name, of in described.items():
        if of["kind"] == "category":
            words = {word for said in table[name].drop_nulls().unique() for word in said.split("|")}
            assert words <= set(of.get("words", codes())), name


def test_ends_hold_the_number() -> None:
    table = told(RICH, person("N", born_on="1958"), at=1101)
    for name, of in known().items():
        if of["kind"] == "number" and f"{name}_low" in table.columns:
            exact, low, high = (table[column] for column in (name, f"{name}_low", f"{name}_high"))
            assert ((low <= high) | low.is_null()).all(), name
            assert ((exact == low) & (exact == high) | exact.is_null()).all(), name
            assert (low.is_null() == high.is_null()).all(), name


def test_a_patient_of_whom_nothing_is_known_has_only_what_charts_do_not_record_as_absent() -> None:
    row = told(person("A", diagnosis=None, heavy_chain=None, light_chain=None), person("B", "lenalidomide 0-10"))
    for name, of in known().items():
        if of["kind"] == "flag" and not name.startswith("apheresis"):
            assert row[name][0] is (False if of.get("absent_unless_recorded") or of.get("always_known") else None), name
        if of["kind"] == "number" and not of.get("absent_unless_recorded"):
            assert row[name][0] is None, name
    silent = ("mrd_1e5", "mrd_timing", "first_line_phase", "relapse_kind", "hepatitis_b", "response", "tnfrsf17_status")
    assert [row[name][0] for name in silent] == [None] * len(silent)


@pytest.mark.parametrize("at", [130, 400, 710, 1101, 1200])
def test_nothing_after_the_day_leaks(at: int) -> None:
    whole = chart_of(RICH)
    past = {
        table: getattr(whole, table).filter(pl.col(day) <= on(at))
        for table, day in (("observations", "on"), ("treatments", "started_on"), ("events", "on"))
    }
    past["treatments"] = past["treatments"].with_columns(
        stopped_on=pl.when(pl.col("stopped_on") <= on(at)).then("stopped_on"),
        stop_reason=pl.when(pl.col("stopped_on") <= on(at)).then("stop_reason"),
    )
    past["events"] = past["events"].with_columns(until=pl.when(pl.col("until") <= on(at)).then("until"))
    assert facts(assess(whole, at=on(at))).equals(facts(assess(Chart(whole.patients, **past), at=on(at))))


def test_neither_other_patients_nor_the_order_of_rows_change_anything() -> None:
    alone = told(RICH, at=1101)
    others = [
        person("A", "lenalidomide 0-", "0 mrd 0 ngs cells=1e6"),
        person("Z", "cilta_cel 30-30", happened="5 declined; 6 pregnancy"),
        RICH,
    ]
    chart = chart_of(*others)
    mixed = Chart(
        *(getattr(chart, table).sample(fraction=1, shuffle=True, seed=3) for table in ("patients", "observations", "treatments", "events"))
    )
    among = facts(assess(mixed, at=on(1101)))
    assert among["patient"].to_list() == ["A", "M", "Z"]
    assert among.filter(pl.col("patient") == "M").equals(alone)


def test_nobody_has_no_facts() -> None:
    chart = chart_of(RICH)
    empty = Chart(chart.patients.clear())
    assert facts(assess(empty)).height == 0
    assert facts(assess(Chart(chart.patients)))["at"].to_list() == [None]
