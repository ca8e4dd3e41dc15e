"""The worked cases of mrd.md, and MRD over time where a table would not show it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from case_tables import case_tables, each_of, policy_of

from bence.assess.mrd import concordance, explain_mrd, modalities, mrd_status, mrd_table
from bence.assess.mrd.words import BECAUSE, CATEGORIES, FLAGS, MISSING
from bence.assess.policies import settle
from bence.assess.sources import sources
from bence.chart import SCHEMA, Chart

TABLES = case_tables(Path(__file__).with_name("mrd.md"))
SHORT = {"neg": "negative", "pos": "positive", "ind": "indeterminate"}
TOLD = {"yes": True, "no": False, "?": None}
RESPONSE = {"patient": pl.String, "on": pl.Date, "timepoint": pl.String, "progression": pl.String}


def marrow(on: str, method: str, value: str, cells: str, **more: Any) -> dict[str, Any]:
    """One row of code `mrd`."""
    number = re.fullmatch(r"([<>]?)([\d.e-]+)", value)
    return {
        "patient": "A", "on": date.fromisoformat(on), "what": "mrd", "method": method or None,
        "value": float(number[2]) if number else None, "comparator": (number[1] or None) if number else None,
        "text": None if number else value, "cells": float(cells) if cells else None, **more,
    }  # fmt: skip


def beside(on: str, what: str, **said: Any) -> dict[str, Any]:
    return {"patient": "A", "on": date.fromisoformat(on), "what": what, **said}


def chart(rows: list[dict[str, Any]], **people: Any) -> Chart:
    return Chart(pl.DataFrame({"patient": ["A"], **people}), pl.DataFrame(rows, schema_overrides=SCHEMA["observations"]))


def responses(text: str) -> pl.DataFrame:
    rows = [tuple(part.split()) for part in text.split(";") if part.strip()]
    return pl.DataFrame(
        [("A", date.fromisoformat(on), grade, "confirmed" if grade == "PD" else None) for on, grade in rows], schema=RESPONSE, orient="row"
    )


NONE = responses("")


@each_of(TABLES["One sample"])
def test_one_sample(case: dict[str, str]) -> None:
    day = "2025-01-10"
    limit = float(case["limit"]) if case["limit"] else None
    rows = [marrow(day, case["method"], case["value"], case["cells"], detection_limit=limit)]
    if case["first pull"]:
        rows.append(beside(day, "mrd_first_pull", text=case["first pull"]))
    if case["trackable"]:
        rows.append(beside("2024-01-01", "mrd_clone_trackable", text=case["trackable"]))
    if case["sample"] == "corrected":
        rows.append(beside(day, "mrd_haemodilution_corrected", text="yes"))
    if case["sample"] == "diluted":
        rows.append(beside(day, "mrd_haemodiluted", text="yes"))
    if case["sample"].startswith("dna"):
        rows.append(beside(day, "mrd_dna_mass", value=float(case["sample"].split()[1])))
    row = mrd_table(chart(rows), NONE, settle(policy_of(case["policy"])), None).row(0, named=True)
    assert [row[f"claim_{name}"] for name in ("1e4", "1e5", "1e6")] == [SHORT[case[f"→ 1e-{k}"]] for k in "456"]
    missing = [name for name in (row["missing"] or "").split("|") if name not in ("", "response", "pet")]
    assert "|".join(missing) == case["→ missing"]


@each_of(TABLES["Course"])
def test_course(case: dict[str, str]) -> None:
    rows = []
    for part in case["marrow"].split(";"):
        on, method, seen = part.split()
        value, cells = seen.split("/")
        rows.append(marrow(on, method, value, cells))
    for part in case["PET"].split(";") if case["PET"] else []:
        on, said = part.split()
        rows.append(beside(on, "pet", **({"value": float(said)} if said.isdigit() else {"text": said})))
    row = mrd_table(chart(rows), responses(case["response"]), settle(policy_of(case["policy"])), None).row(-1, named=True)
    assert (row["category"] or "") == case["→ category"]
    found = {name: row[name] for name in ("sustained_trial", "sustained_imwg", "conversion", "resurgence")}
    wanted = {name: TOLD[case[f"→ {name.removeprefix('sustained_')}"]] for name in found}
    assert found == wanted


def course(*rows: tuple[str, str, str, str], response: str = "", **said: Any) -> pl.DataFrame:
    return mrd_table(chart([marrow(*each) for each in rows]), responses(response), settle(said), None)


def test_a_tenfold_rise_counts_when_the_next_test_agrees() -> None:
    days = [("2024-01-01", "ngs", "1e-6", "1e7"), ("2024-06-01", "ngs", "1e-5", "1e7")]
    log10 = {"mrd_resurgence": "log10"}
    assert course(*days, ("2024-09-01", "ngs", "2e-5", "1e7"), **log10)["resurgence"].to_list() == [False, True, False]
    assert course(*days, ("2024-09-01", "ngs", "2e-6", "1e7"), **log10)["resurgence"].to_list() == [False, False, False]
    assert course(*days, ("2024-09-01", "ngs", "0", "1e4"), **log10)["resurgence"].to_list() == [False, None, False]
    assert course(*days, ("2024-09-01", "ngf", "2e-5", "1e7"), **log10)["resurgence"].to_list() == [False, None, False]


def test_doubling_time_and_its_interval() -> None:
    row = course(("2024-01-01", "ngs", "1e-5", "3e6"), ("2024-06-29", "ngs", "4e-5", "3e6")).row(-1, named=True)
    assert row["doubling_days"] == pytest.approx(90)
    assert row["doubling_low"] < 90 < row["doubling_high"]
    few = course(("2024-01-01", "ngs", "1e-6", "3e6"), ("2024-06-29", "ngs", "2e-6", "3e6")).row(-1, named=True)
    assert few["doubling_days"] == pytest.approx(180)
    assert few["doubling_high"] is None, "3 cells and 6 cells: no rise is certain"
    none = course(("2024-01-01", "ngs", "0", "3e6"), ("2024-06-29", "ngs", "4e-5", "3e6")).row(-1, named=True)
    assert none["doubling_days"] is None
    assert none["doubling_high"] < 180 / 4
    other = course(("2024-01-01", "ngs", "1e-5", "3e6"), ("2024-06-29", "ngf", "4e-5", "3e6"))
    assert other["doubling_days"].null_count() == 2, "levels of two methods are not compared"


def test_next_due() -> None:
    days = (("2023-01-10", "ngs", "0", "3e6"), ("2024-01-10", "ngs", "0", "3e6"))
    in_response = course(*days, response="2024-01-10 CR")
    assert in_response["next_due"].to_list() == [None, date(2025, 1, 10)]
    assert course(*days, response="2024-01-10 VGPR; 2024-03-01 CR")["next_due"].to_list()[-1] == date(2024, 3, 1)
    assert course(*days, response="2024-05-01 PD")["next_due"].to_list()[-1] is None
    assert course(*days, response="2024-05-01 PD; 2024-12-01 CR")["next_due"].to_list()[-1] == date(2024, 12, 1)
    rows = [marrow(*each) for each in days]
    at_risk = mrd_table(chart(rows), NONE, settle({}), None, high_risk=pl.Series(["A"]))
    assert at_risk["next_due"].to_list()[-1] == date(2024, 7, 10)
    dead = chart(rows, died_on=[date(2024, 9, 1)])
    assert mrd_table(dead, NONE, settle({}), None)["next_due"].null_count() == 2


def test_one_row_a_test() -> None:
    first = marrow("2024-01-10", "ngs", "0", "3e6", recorded_on=date(2024, 1, 20))
    later = marrow("2024-01-10", "ngs", "2e-5", "3e6", recorded_on=date(2024, 2, 20))
    same_day = marrow("2024-01-10", "ngs", "2e-5", "3e6", recorded_on=date(2024, 1, 20))
    spurious = marrow("2024-01-10", "ngs", "5e-3", "3e6", recorded_on=date(2024, 3, 1), status="spurious")
    wrong = marrow("2024-01-10", "ngs", "5e-3", "3e6", recorded_on=date(2024, 3, 1), status="entered_in_error")

    def claims(*rows: dict[str, Any]) -> list[tuple[str, bool]]:
        table = mrd_table(chart(list(rows)), NONE, settle({}), None)
        return [(row["claim"], "conflict" in (row["flags"] or "")) for row in table.iter_rows(named=True)]

    assert claims(first, later) == [("positive", False)]
    assert claims(first, same_day) == [("positive", True)]
    assert claims(first, spurious, wrong) == [("negative<1e-6", False)]
    assert claims(spurious) == [(None, False)]
    assert claims(first, {**later, "method": "ngf"}) == [("positive", False), ("negative<1e-6", False)]


def test_a_flag_belongs_to_its_own_sample() -> None:
    rows = [
        marrow("2024-01-10", "ngs", "0", "3e6", sample="s1"),
        marrow("2024-01-10", "ngf", "0", "1e7", sample="s2"),
        beside("2024-01-10", "mrd_first_pull", text="no", sample="s2"),
        beside("2024-01-10", "mrd_first_pull", text="yes", sample="s1"),
    ]
    table = mrd_table(chart(rows), NONE, settle({}), None)
    assert dict(zip(table["method"], table["claim_1e5"], strict=True)) == {"ngs": "negative", "ngf": "indeterminate"}


def test_events_go_before_the_share_they_make() -> None:
    rows = [marrow("2024-01-10", "ngf", "0", "1e7"), beside("2024-01-10", "mrd_events", value=12.0)]
    row = mrd_table(chart(rows), NONE, settle({}), None).row(0, named=True)
    assert (row["events"], row["level"]) == (12, 0)
    assert row["high"] == pytest.approx(20.96e-7, rel=1e-3)


def test_status() -> None:
    table = course(("2024-01-10", "ngs", "0", "3e6"), ("2025-02-10", "ngf", "0", "1e7"), ("2025-02-10", "ngs", "0", "3e6"))
    status = mrd_status(table, pl.Series(["A", "B"]))
    assert status["mrd"].to_list() == ["negative<1e-6", None]
    assert status["mrd_method"].to_list() == ["ngs", None]
    assert status["mrd_on"].to_list() == [date(2025, 2, 10), None]
    assert status["sustained_mrd_trial"].to_list() == ["yes", None]


@pytest.mark.parametrize(
    ("value", "cells", "policy", "wanted"),
    [
        ("3e-6", "1e7", "", "negative<1e-5"),
        ("3e-6", "1e7", "mrd_threshold=1e-6", "positive"),
        ("2e-5", "1e7", "", "positive"),
        ("0", "1e5", "", "negative<1e-4"),
        ("0", "1e4", "", "indeterminate"),
        ("positive", "", "", "positive"),
    ],
)
def test_the_claim_in_a_word(value: str, cells: str, policy: str, wanted: str) -> None:
    table = mrd_table(chart([marrow("2024-01-10", "ngs", value, cells)]), NONE, settle(policy_of(policy)), None)
    assert table["claim"].to_list() == [wanted]


def test_modalities_stand_beside_each_other() -> None:
    rows = [
        marrow("2024-01-10", "ngs", "0", "3e6"),
        marrow("2024-01-10", "ngf", "5e-5", "1e7"),
        beside("2024-01-20", "pet", text="negative"),
        beside("2024-01-12", "ms_m_protein", value=0.03),
        beside("2024-06-12", "ms_m_protein", value=0.015, comparator="<"),
    ]
    own = chart(rows)
    axis = modalities(own, mrd_table(own, NONE, settle({}), None))
    assert axis.select("modality", "result", "unit").rows() == [
        ("ngs", "negative", "cells/cell"),
        ("flow", "positive", "cells/cell"),
        ("mass_spectrometry", "positive", "g/L"),
        ("pet", "negative", "avid areas"),
        ("mass_spectrometry", "negative", "g/L"),
    ]
    assert axis["limit"].to_list()[-1] == 0.015
    pairs = {row[:2]: row[2:] for row in concordance(axis).iter_rows()}
    assert pairs["ngs", "flow"] == (1, 0, 0, 0, 1)
    assert pairs["ngs", "pet"] == (1, 1, 0, 0, 0)
    assert pairs["pet", "mass_spectrometry"] == (1, 0, 0, 0, 1)


def test_why() -> None:
    table = course(("2024-01-10", "ngs", "0", "2e5"), response="2024-01-10 CR")
    text = explain_mrd(table.row(0, named=True))
    for part in ("200,000 cells", "1.5e-05", "14 %", "at 1e-5 indeterminate", "limit of this sample is above the threshold"):
        assert part in text
    assert sources()["garwood-1936"]["doi"] in text
    assert "1e-5：不能判定" in explain_mrd(table.row(0, named=True), "zh")


def test_every_word_is_told_in_both_languages() -> None:
    from bence.assess.mrd import course as over_time
    from bence.assess.mrd import sample

    assert set(sample.FLAGS) == set(FLAGS)
    assert set(sample.BECAUSE) == set(BECAUSE)
    assert set(over_time.CATEGORIES) == set(CATEGORIES)
    assert set(MISSING) == {*sample.MISSING, "response", "pet"}


def test_a_chart_without_mrd() -> None:
    table = mrd_table(chart([beside("2024-01-10", "pet", text="negative")]), NONE, settle({}), None)
    assert table.is_empty()
    assert mrd_status(table, pl.Series(["A"]))["mrd"].to_list() == [None]
