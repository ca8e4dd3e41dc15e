"""The worked cases of endpoints.md, the kind of relapse, and the words."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from case_tables import case_tables, each_of, policy_of

from bence.assess.endpoints import ENDPOINTS, endpoint_columns, endpoint_status, explain_endpoint
from bence.assess.endpoints.rules import REASONS
from bence.assess.endpoints.words import NAMES, NOTES
from bence.assess.endpoints.words import REASONS as REASON_WORDS
from bence.assess.policies import settle

sys.path.append(str(Path(__file__).parents[1] / "oracles"))
from endpoint_charts import Row, on, person, rows_of, tables, to_chart

CASES = case_tables(Path(__file__).with_name("endpoints.md"))
TOLD = {"yes": "yes", "no": "no", "?": None}


def lines_of(people: list[Row], **policies: Any) -> pl.DataFrame:
    """The table `lines` with the endpoints."""
    settled, chart = settle(policies), to_chart(people)
    response, lines = tables(people)
    columns = endpoint_columns(chart, rows_of(chart, settled), lines, response, settled, None)
    return lines.join(columns, on=["patient", "line"], how="left")


def course(case: dict[str, str]) -> Row:
    died = case["death"].split()
    told: dict[str, Any] = {"died": int(died[0]), "cause": died[1] if len(died) > 1 else None} if died else {}
    if case.get("alive"):
        told["last_seen"] = int(case["alive"])
    return person("A", case["treatment"], case["visits"], case.get("events", ""), **told)


@pytest.mark.parametrize(
    "case", CASES["Progression and death"] + CASES["Response and later"], ids=lambda case: f"{case['line']} {case['case']}"
)
def test_endpoint(case: dict[str, str]) -> None:
    row = lines_of([course(case)], **policy_of(case["policy"])).row(by_predicate=pl.col("line") == int(case["of line"]), named=True)
    name = case["endpoint"]
    assert row[f"{name}_days"] == (int(case["→ days"]) if case["→ days"] else None)
    assert row[f"{name}_reason"] == (case["→ reason"] or None)
    assert row[f"{name}_event"] == (not case["→ reason"].startswith("censored") if case["→ reason"] else None)


@each_of(CASES["Early relapse"])
def test_early_relapse(case: dict[str, str]) -> None:
    policies = policy_of(case["policy"])
    status = endpoint_status(lines_of([course(case)], **policies), pl.Series(["A"]), settle(policies))
    found = [status[name].to_list()[0] for name in ("early_relapse_12", "early_relapse_18", "pod24", "functional_high_risk")]
    assert found == [TOLD[case[f"→ {name}"]] for name in ("12", "18", "24", "high risk")]


def test_treatment_free_interval() -> None:
    one = person("A", "1: lenalidomide 0-100; 1: bortezomib 0-80; 2: daratumumab 300-; 3: selinexor 400-450", "28 PR")
    assert lines_of([one])["tfi_days"].to_list() == [200, None, None]


def test_the_drugs_that_a_line_was_refractory_to() -> None:
    one = person("A", "1: lenalidomide 0-; 1: bortezomib 0-100; 2: daratumumab 300-; 3: selinexor 500-", "28 PR; 250 PD!; 330 PR; 480 PR")
    assert lines_of([one])["refractory_to"].to_list() == ["lenalidomide", "none", None]


def value(day: int, what: str, number: float, **more: Any) -> Row:
    return {"on": day, "what": what, "value": number, **more}


LABS = [value(0, "creatinine", 80.0), value(195, "creatinine", 90.0), value(150, "hemoglobin", 120.0), value(200, "hemoglobin", 115.0)]


@pytest.mark.parametrize(
    ("more", "events", "kind", "because"),
    [
        ([value(200, "calcium", 2.3)], "", "biochemical", "P1"),
        ([value(200, "calcium", 2.75)], "", "biochemical", "P1"),
        ([value(200, "calcium", 2.76)], "", "clinical", "calcium"),
        ([], "", None, "no_calcium"),
        ([], "200 relapse_biochemical", "biochemical", "P1"),
        ([value(200, "calcium", 2.3)], "210 plasmacytoma_new", "clinical", "plasmacytoma_new"),
        ([value(200, "calcium", 2.3)], "243 plasmacytoma_new", "biochemical", "P1"),
        ([value(200, "calcium", 2.3), value(205, "hemoglobin", 100.0)], "", "clinical", "hemoglobin"),
        ([value(200, "calcium", 2.3), value(205, "hemoglobin", 101.0)], "", "biochemical", "P1"),
        ([value(200, "calcium", 2.3), value(205, "creatinine", 257.0)], "", "clinical", "creatinine"),
        ([value(200, "calcium", 2.3), value(205, "creatinine", 256.0)], "", "biochemical", "P1"),
    ],
)
def test_kind_of_relapse(more: list[Row], events: str, kind: str | None, because: str) -> None:
    one = person("A", "1: lenalidomide 0-", "28 PR; 200 PD!", events, observations=[*LABS, *more])
    settled, chart = settle({}), to_chart([one])
    response, lines = tables([one])
    response = response.with_columns(because=pl.when(pl.col("timepoint") == "PD").then(pl.lit("P1")))
    row = endpoint_columns(chart, rows_of(chart, settled), lines, response, settled, None).row(0, named=True)
    assert (row["relapse_kind"], row["relapse_because"]) == (kind, because)


@pytest.mark.parametrize(
    ("values", "day"),
    [
        ([("serum_m_protein", 0, 30), ("serum_m_protein", 100, 2), ("serum_m_protein", 200, 12), ("serum_m_protein", 261, 12)], 261),
        ([("serum_m_protein", 0, 30), ("serum_m_protein", 100, 2), ("serum_m_protein", 200, 12), ("serum_m_protein", 262, 12)], None),
        ([("serum_m_protein", 0, 30), ("serum_m_protein", 100, 2), ("serum_m_protein", 200, 12)], None),
        ([("serum_m_protein", 0, 30), ("serum_m_protein", 150, 5), ("serum_m_protein", 200, 10)], 200),
        ([("serum_m_protein", 0, 30), ("serum_m_protein", 150, 4.9), ("serum_m_protein", 200, 9.8)], None),
        ([("urine_m_protein", 0, 900), ("urine_m_protein", 150, 100), ("urine_m_protein", 200, 600), ("urine_m_protein", 228, 600)], 228),
        ([("urine_m_protein", 0, 900), ("urine_m_protein", 150, 100), ("urine_m_protein", 200, 599), ("urine_m_protein", 228, 599)], None),
        ([("kappa_flc", 0, 300), ("lambda_flc", 0, 10), ("kappa_flc", 100, 20), ("lambda_flc", 100, 10), ("kappa_flc", 200, 220),
          ("lambda_flc", 200, 10), ("kappa_flc", 228, 220), ("lambda_flc", 228, 10)], 228),
    ],
)  # fmt: skip
def test_significant_rise_of_the_paraprotein(values: list[tuple[str, int, float]], day: int | None) -> None:
    noted = [value(at, what, float(number)) for what, at, number in values]
    one = person("A", "1: lenalidomide 0-", "28 PR; 200 PD?", observations=noted, light_chain="kappa")
    assert lines_of([one])["significant_paraprotein_relapse_on"].to_list() == [on(day)]


def test_every_reason_and_note_has_words() -> None:
    assert set(REASON_WORDS) == set(REASONS)
    assert set(NAMES) == set(ENDPOINTS)
    assert all(all(pair) for table in (REASON_WORDS, NAMES, NOTES) for pair in table.values())


def test_a_course_in_words() -> None:
    one = person("A", "1: lenalidomide 0-", "29 PR; 57 PR; 85 PD?", "-7 randomisation", last_seen=85)
    row = lines_of([one]).row(0, named=True)
    assert explain_endpoint(row, "pfs").splitlines()[:3] == [
        "progression-free survival, line 1: censored after 64 days (2023-12-25 to 2024-02-27)",
        "  because: censored at the last assessment without progression: the progression is not yet confirmed",
        "  note: counted from randomisation",
    ]
    assert "64天删失" in explain_endpoint(row, "pfs", "zh")
    assert explain_endpoint(row, "dfs").startswith("disease-free survival from complete response, line 1: does not apply")
