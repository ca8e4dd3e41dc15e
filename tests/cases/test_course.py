"""The worked cases of course.md, and the whole course where a table would not show it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from case_tables import case_tables, each_of

from bence.assess.course import DUE_COLUMNS, SCORE_COLUMNS, due_table, explain_due, explain_score, scores_table
from bence.assess.course import words as said
from bence.assess.course.questionnaires import SCALES
from bence.assess.course.vte import scored
from bence.assess.policies import settle
from bence.assess.sources import sources
from bence.catalogue import codes
from bence.chart import SCHEMA, Chart

TABLES = case_tables(Path(__file__).with_name("course.md"))
START = date(2024, 1, 1)
ITEMS = {scale.name: [f"{scale.instrument}_{item}" for item in scale.items] for scale in SCALES}
LINES = {"patient": pl.String, "line": pl.Int32, "started_on": pl.Date}
RESPONSE = {"patient": pl.String, "line": pl.Int32, "on": pl.Date, "confirmed": pl.String, "progression": pl.String, "missing": pl.String}
EQ5D = ("eq5d_mobility", "eq5d_self_care", "eq5d_usual_activities", "eq5d_pain", "eq5d_anxiety")


def day(number: str | int) -> date:
    return START + timedelta(days=int(number))


def seen(on: int, what: str, value: float | None = None, text: str | None = None, patient: str = "A", **more: Any) -> dict[str, Any]:
    return {"patient": patient, "on": day(on), "what": what, "value": value, "text": text, **more}


def chart(
    observations: list[dict[str, Any]] = (), treatments: list[dict[str, Any]] = (), events: list[dict[str, Any]] = (), **people: Any
) -> Chart:  # type: ignore[assignment]
    def frame(rows: list[dict[str, Any]], table: str) -> pl.DataFrame | None:
        return pl.DataFrame(list(rows), schema_overrides=SCHEMA[table]) if rows else None

    tables = {"observations": observations, "treatments": treatments, "events": events}
    return Chart(pl.DataFrame({"patient": ["A"], **people}), **{name: frame(rows, name) for name, rows in tables.items()})


def number(text: str) -> float | None:
    return None if text in ("", "?") else float(text)


def near(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, abs=5e-4)


@each_of(TABLES["EORTC scales"])
def test_eortc_scales(case: dict[str, str]) -> None:
    answers = zip(ITEMS[case["scale"]], case["answers"].split(), strict=True)
    rows = [seen(0, item, float(answer)) for item, answer in answers if answer != "-"]
    table = scores_table(chart(rows), settle({}), None)
    assert table.columns == list(SCORE_COLUMNS)
    row = table.filter(pl.col("scale") == case["scale"]).row(0, named=True)
    assert row["value"] == near(number(case["→ score"]))
    assert (row["low"], row["high"]) == (near(number(case["→ low"])), near(number(case["→ high"])))


@each_of(TABLES["EQ-5D-5L"])
def test_eq5d(case: dict[str, str]) -> None:
    rows = [seen(0, name, float(level)) for name, level in zip(EQ5D, case["profile"], strict=True) if level != "?"]
    row = scores_table(chart([*rows, seen(0, "eq_vas", 73.5)]), settle({}), None).filter(pl.col("scale") == "profile").row(0, named=True)
    assert row["category"] == case["profile"]
    assert row["value"] == near(number(case["→ value"]))
    assert (row["low"], row["high"]) == (near(number(case["→ low"])), near(number(case["→ high"])))


@pytest.mark.parametrize("score", ["IMPEDE-VTE", "SAVED"])
def test_thrombosis_scores(score: str) -> None:
    for case in TABLES[score]:
        known = {
            head: [cell.replace(" or ", "|") or None] for head, cell in case.items() if head not in ("case", "line") and "→" not in head
        }
        row = scored(pl.DataFrame(known, schema=dict.fromkeys(known, pl.String)), score.lower().replace("-", "_")).row(0, named=True)
        told = (row["low"], row["high"], row["category"] or "?")
        assert told == (float(case["→ low"]), float(case["→ high"]), case["→ group"]), f"course.md:{case['line']}"


@each_of(TABLES["Renal response"])
def test_renal_response(case: dict[str, str]) -> None:
    rows = [seen(int(on), "egfr", float(value)) for on, value in (part.split() for part in case["values"].split(";"))]
    given = [{"patient": "A", "started_on": START, "what": "bortezomib"}]
    found = scores_table(chart(rows, given), settle({}), None).filter(pl.col("instrument") == "renal_response")
    if case["→ category"] == "no row":
        assert found.is_empty()
        return
    row = found.row(0, named=True)
    assert (row["category"] or "", row["missing"] or "") == (case["→ category"], case["→ missing"])


def parts(text: str) -> list[list[str]]:
    return [part.split(maxsplit=2) for part in text.split(";") if part.strip()]


def due_of(case: dict[str, str]) -> pl.DataFrame:
    given = [
        {"patient": "A", "started_on": day(first), "what": drug, "stopped_on": None if last == "-" else day(last)}
        for drug, first, last in parts(case["given"])
    ]
    events = [
        {"patient": "A", "on": day(told[1]), "what": told[0], "text": told[2] if told[2:] else None} for told in parts(case["events"])
    ]
    facts = parts(case["seen"])
    people = {name: [word] for name, _, word in facts if name == "heavy_chain"}
    rows = [
        seen(int(on), name, *((float(word), None) if re.fullmatch(r"[\d.]+", word) else (None, word)))
        for name, on, word in facts
        if name not in ("response", "lacking", "heavy_chain")
    ]
    lacking = next((word for name, _, word in facts if name == "lacking"), None)
    responses = [("A", 1, day(on), word, None, lacking) for name, on, word in facts if name == "response"]
    made = chart(rows, given, events, born_on=["1950"], **people)
    line = pl.DataFrame([("A", 1, START)], schema=LINES, orient="row")
    response = pl.DataFrame(responses, schema=RESPONSE, orient="row")
    return due_table(made, line, response, settle(dict([case["policy"].split("=")]) if case["policy"] else {}), day(case["at"]))


@each_of(TABLES["Prophylaxis, vaccines, bone, follow-up"])
def test_due(case: dict[str, str]) -> None:
    table = due_of(case)
    assert table.columns == list(DUE_COLUMNS)
    found = table.filter(pl.col("item") == case["item"])
    assert (found["state"].to_list() or ["no row"]) == [case["→ state"]]
    for row in table.iter_rows(named=True):
        for lang in ("en", "zh"):
            assert row["source"] in sources()
            text = explain_due(row, lang)
            assert not {"{", "_", "="} & set(text.rsplit("\n", 1)[0]), text


def test_a_change_of_ten_points_is_meaningful() -> None:
    first = [seen(0, item, 2) for item in (*ITEMS["side_effects"], *ITEMS["physical"])]
    worse = [seen(90, item, 3 if place < 3 else 2) for place, item in enumerate(ITEMS["side_effects"])]  # 10 of 100 points
    little = [seen(90, item, 1 if place < 1 else 2) for place, item in enumerate(ITEMS["physical"])]
    table = scores_table(chart([*first, *worse, *little]), settle({}), None).filter(pl.col("on") == day(90))
    assert {row["scale"]: (near(row["change"]), row["category"]) for row in table.iter_rows(named=True)} == {
        "side_effects": (near(10.0), "worse"),
        "physical": (near(100 / 15), "unchanged"),
    }


def test_two_answers_of_one_day_are_none_and_a_correction_stands() -> None:
    rows = [seen(0, "qlq_c30_8", 1), seen(0, "qlq_c30_8", 3), seen(0, "qlq_c30_11", 1), seen(0, "qlq_c30_11", 3, recorded_on=day(2))]
    table = scores_table(chart(rows), settle({}), None)
    assert dict(table.select("scale", "value").iter_rows()) == {"insomnia": near(200 / 3)}


def test_the_factors_of_thrombosis_come_from_the_chart() -> None:
    given = [
        *({"patient": "A", "started_on": day(0), "what": drug} for drug in ("lenalidomide", "bortezomib", "apixaban")),
        *(
            {
                "patient": "A",
                "started_on": day(7 * week),
                "stopped_on": day(7 * week),
                "what": "dexamethasone",
                "dose": 40.0,
                "dose_unit": "mg",
            }
            for week in range(9)
        ),
    ]
    told = [seen(0, "weight", 75.0), seen(0, "height", 170.0), seen(0, "asian_ethnicity", text="no")]
    events = [
        {"patient": "A", "on": day(-400), "what": "prior_vte", "text": "none"},
        {"patient": "A", "on": day(3), "what": "fracture", "text": "右股骨颈骨折"},
        {"patient": "A", "on": day(3), "what": "central_venous_catheter", "until": day(40)},
    ]
    made = chart(told, given, events, born_on=["1944-03-01"])
    rows = {row["instrument"]: row for row in scores_table(made, settle({}), day(60)).iter_rows(named=True)}
    impede, saved = rows["impede_vte"], rows["saved"]  # IMiD 4, BMI 25.95 1, fracture 4, low dexamethasone 2, apixaban -3 or -4, ESA 0 or 1
    assert (impede["low"], impede["high"], impede["category"]) == (7, 9, None)
    assert impede["missing"] == "esa|thromboprophylaxis"
    assert (saved["low"], saved["high"], saved["category"], saved["missing"]) == (
        2,
        4,
        "high",
        "surgery_90",
    )  # 80 on this day, low dexamethasone
    complete = {row["instrument"]: row for row in scores_table(made, settle({"unrecorded_care": "absent"}), day(60)).iter_rows(named=True)}
    assert (complete["saved"]["value"], complete["saved"]["category"]) == (2, "high")
    for row in rows.values():
        assert "{" not in explain_score(row, "zh")


def test_the_filtration_rate_is_estimated_where_none_is_reported() -> None:
    given = [{"patient": "A", "started_on": START, "what": "bortezomib"}]
    rows = [seen(0, "creatinine", 300.0), seen(30, "creatinine", 90.0), seen(100, "creatinine", 90.0)]
    table = scores_table(chart(rows, given, born_on=["1960-01-01"], sex=["male"]), settle({}), None)
    row = table.filter(pl.col("instrument") == "renal_response").row(0, named=True)
    assert row["category"] == "CRr"
    assert row["value"] == pytest.approx(142 * (90 / 88.4 / 0.9) ** -1.2 * 0.9938**64)
    blank = scores_table(chart(rows, given, born_on=["1960-01-01"]), settle({}), None)
    assert blank.filter(pl.col("instrument") == "renal_response").is_empty(), "without the sex there is no estimate"


def test_a_bound_baseline_that_may_be_fifty_settles_nothing() -> None:
    given = [{"patient": "A", "started_on": START, "what": "bortezomib"}]
    rows = [seen(0, "egfr", 60.0, comparator="<"), seen(30, "egfr", 70.0), seen(100, "egfr", 70.0)]
    row = scores_table(chart(rows, given), settle({}), None).filter(pl.col("instrument") == "renal_response").row(0, named=True)
    assert (row["category"], row["missing"]) == (None, "age_or_sex")


def test_the_dead_have_nothing_due() -> None:
    given = [{"patient": "A", "started_on": START, "what": "bortezomib"}]
    nothing = pl.DataFrame(schema=LINES), pl.DataFrame(schema=RESPONSE)
    assert due_table(chart((), given, died_on=[day(50)]), *nothing, settle({}), day(60)).is_empty()
    assert due_table(chart((), given, died_on=[day(50)]), *nothing, settle({}), day(40)).height


def test_every_code_and_source_exists() -> None:
    assert set(said.CITED.values()) <= set(sources())
    assert {scale.name for scale in SCALES} <= set(said.SCALES)
    assert {name for names in ITEMS.values() for name in names} <= set(codes())
