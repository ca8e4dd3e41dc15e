"""The worked cases of refractory.md, and what a table would not show."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import polars as pl
from case_tables import case_tables, each_of, policy_of

from bence.assess import courses
from bence.assess import exposure_words as words
from bence.assess.exposure import STATUS, exposure_status, exposure_table
from bence.assess.policies import settle

sys.path.append(str(Path(__file__).parents[1] / "oracles"))
from endpoint_charts import Row, person, rows_of, tables, to_chart

CASES = case_tables(Path(__file__).with_name("refractory.md"))
TOLD = {"yes": "yes", "no": "no", "?": None}


def found(people: list[Row], **policies: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The exposure table and the columns of the status."""
    settled, chart = settle(policies), to_chart(people)
    response, lines = tables(people)
    table = exposure_table(chart, rows_of(chart, settled), lines, response, settled)
    return table, pl.DataFrame(exposure_status(table, chart.patients["patient"].sort(), settled))


@each_of(CASES["Drugs"])
def test_drugs(case: dict[str, str]) -> None:
    table, _ = found([person("A", case["treatment"], case["visits"], case["events"])], **policy_of(case["policy"]))
    row = table.row(by_predicate=pl.col("drug") == case["drug"], named=True)
    assert row["refractory"] == TOLD[case["→ refractory"]]
    assert (row["because"] or row["missing"]) == case["→ because / missing"]


@each_of(CASES["Maintenance dose"])
def test_maintenance_dose(case: dict[str, str]) -> None:
    table, _ = found([person("A", case["treatment"], case["visits"])])
    assert table["maintenance_dose"].item() == TOLD[case["→ maintenance dose"]]


@each_of(CASES["Classes"])
def test_classes(case: dict[str, str]) -> None:
    _, status = found([person("A", case["treatment"], case["visits"])])
    wanted = case["→ answer"].replace("\\", "|")
    assert status[case["finding"]].item() == TOLD.get(wanted, wanted)


def test_nobody_who_was_never_treated_has_an_answer() -> None:
    _, status = found([person("A"), person("B", "1: zoledronic_acid 0-")])
    for name in STATUS:
        assert status[name].to_list() == (["imwg_2011"] * 2 if name == "refractory_definition" else [None, None])


def test_dates_lines_and_responses_of_a_drug() -> None:
    table, _ = found([person("A", "1: lenalidomide 0-100; 2: lenalidomide 300-390 progression", "28 PR; 350 SD")])
    row = table.row(0, named=True)
    assert (row["lines"], row["refractory_line"], row["responded"], row["rows"]) == ("1|2", 2, "yes", 2)
    assert (row["first_on"].isoformat(), row["last_on"].isoformat()) == ("2024-01-01", "2025-01-25")
    assert row["refractory_on"].isoformat() == "2025-01-25"


def test_the_definitions_count_different_patients() -> None:
    """Progression soon after the last dose, non-response and progression on the drug: only the last counts everywhere."""
    people = [
        person("on", "1: bortezomib 0-; 1: lenalidomide 0-; 1: daratumumab 0-", "28 PR; 200 PD!"),
        person("after", "1: bortezomib 0-160; 1: lenalidomide 0-160; 1: daratumumab 0-160", "28 PR; 200 PD!"),
        person(
            "never", "1: thalidomide 0-20; 2: bortezomib 300-390; 2: lenalidomide 300-390; 2: daratumumab 300-390", "28 PR; 330 SD; 380 SD"
        ),
    ]
    status = {policy: found(people, refractory=policy)[1]["triple_class_refractory"] for policy in ("imwg_2011", "on_therapy")}
    assert {policy: (column == "yes").sum() for policy, column in status.items()} == {"imwg_2011": 3, "on_therapy": 1}


def test_every_reason_and_gap_has_words() -> None:
    assert set(words.BECAUSE) == set(courses.BECAUSE)
    assert set(words.MISSING) == set(courses.MISSING)
    assert all(all(pair) for table in (words.BECAUSE, words.MISSING) for pair in table.values())


def test_a_drug_in_words() -> None:
    table, _ = found([person("A", "1: lenalidomide 0- 10 maintenance", "28 PR; 300 PD!"), person("B", "1: bortezomib 0-100", "28 NE")])
    rows = list(table.iter_rows(named=True))
    assert (
        words.explain_exposure(rows[0]) == "lenalidomide: refractory; only to 10 mg or less as maintenance; progression while on the drug"
    )
    assert words.explain_exposure(rows[1]) == "bortezomib: not known whether refractory; missing: an assessment of the response"
    assert words.explain_exposure(rows[0], "zh") == "来那度胺：难治；仅限于≤10 mg维持治疗；用药期间疾病进展"
