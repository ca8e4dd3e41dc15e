"""Response: the worked cases, the production scan against the slow reference, and the laws it must keep."""

from __future__ import annotations

import csv
import functools
import json
import os
import random
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from response_charts import (
    DAY_ONE,
    POLICIES,
    Cohort,
    chart_of_one,
    observed,
    person,
    policies,
    tables_of,
    to_chart,
    treated,
)
from response_reference import STEROIDS, can_start_a_line, respond

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "tests" / "cases" / "response.md"
CASES = Path(os.environ.get("BENCE_CASES", ROOT.parent / "shared" / "cases" / "response.json"))
ORDER = ["NE", "SD", "MR", "PR", "VGPR", "CR", "sCR"]


def batches(examples: int):
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],  # a failing chart is made small by `smallest`
        suppress_health_check=list(HealthCheck),
    )


# ----------------------------------------------------------------------------------------------------------
# Two ways to the same tables

ROW = ["timepoint", "confirmed", "confirmed_on", "progression", "missing", "flags"]
LINE = ["started_on", "best_response", "best_response_on", "progressed_on", "progression_state"]


def in_lines(charts: list[dict], given) -> list[dict]:
    """The charts with a line at every treatment row, as Bence derives them (`given`) where not all are recorded.

    The reference takes lines as given; how they are derived has a reference of its own.
    """
    derived = {(row["patient"], row["what"], row["started_on"]): row["line"] for row in given.iter_rows(named=True)}

    def lined(chart: dict) -> dict:
        name, rows = chart["patient"]["patient"], chart["treatments"]
        told = [row["line"] for row in rows if can_start_a_line(row) and row["what"] not in STEROIDS]
        if told and all(told):
            return chart
        return {**chart, "treatments": [{**row, "line": derived[name, row["what"], row["started_on"]]} for row in rows]}

    return [lined(chart) for chart in charts]


def by_reference(charts: list[dict], **chosen) -> tuple[dict, dict]:
    return referred(charts, production()(to_chart(charts, lambda rows: rows), **chosen), chosen)


def referred(charts: list[dict], findings, chosen: dict) -> tuple[dict, dict]:
    """What the reference says of charts that Bence found the lines of."""
    rows, lines = {}, {}
    for chart in in_lines(charts, findings.treatments):
        name = chart["patient"]["patient"]
        found, summaries = respond(chart["patient"], chart["observations"], chart["treatments"], chart["events"], chosen)
        for row in found:
            row = {
                **row,
                "missing": "|".join(sorted(row["missing"])),
                "flags": "|".join(sorted(row["flags"])),
            }
            rows[name, row["line"], row["on"]] = [row[column] or None for column in ROW]
        for line in summaries:
            lines[name, line["line"]] = [line[column] or None for column in LINE]
    return rows, lines


def of_findings(findings) -> tuple[dict, dict]:
    rows = {}
    for row in findings.response.iter_rows(named=True):
        row = {**row, **{c: "|".join(sorted((row[c] or "").split("|"))) for c in ("missing", "flags")}}
        rows[row["patient"], row["line"], row["on"]] = [row[column] or None for column in ROW]
    lines = {(row["patient"], row["line"]): [row[column] or None for column in LINE] for row in findings.lines.iter_rows(named=True)}
    return rows, lines


def by_bence(charts: list[dict], order=lambda rows: rows, at=None, **chosen) -> tuple[dict, dict]:
    return of_findings(production()(to_chart(charts, order), at=at, **chosen))


def production():
    return getattr(pytest.importorskip("bence.assess"), "assess", None) or pytest.skip("no bence.assess.assess")


def differences(one: tuple[dict, dict], other: tuple[dict, dict]) -> dict:
    """What the two say, by column and key, where they differ."""
    found = {}
    for table, columns, a, b in zip(("response", "lines"), (ROW, LINE), one, other, strict=True):
        for key in sorted(a.keys() | b.keys()):
            pair = a.get(key), b.get(key)
            if None in pair:
                found[table, *key] = pair
                continue
            for column, x, y in zip(columns, *pair, strict=True):
                if x != y:
                    found[table, column, *key] = x, y
    return found


def renamed(chart: dict, name: str) -> dict:
    return {**chart, "patient": {**chart["patient"], "patient": name}}


def kinds_of_difference(charts: list[dict], chosen: dict) -> list[set]:
    """For each chart the tables and columns of which the two ways say different things; all at once."""
    named = [renamed(chart, str(number)) for number, chart in enumerate(charts)]
    kinds = [set() for _ in charts]
    findings = production()(to_chart(named, lambda rows: rows), **chosen)
    for key in differences(referred(named, findings, chosen), of_findings(findings)):
        whole_row = key[1] not in ROW + LINE
        kinds[int(key[1] if whole_row else key[2])].add((key[0], None if whole_row else key[1]))
    return kinds


def smallest(chart: dict, kind: tuple, chosen: dict) -> dict:
    """Take away rows as long as the two ways differ in the same column."""
    while True:
        shorter = [
            {**chart, table: chart[table][:at] + chart[table][at + 1 :]}
            for table in ("observations", "treatments", "events")
            for at in range(len(chart[table]))
        ]
        kinds = kinds_of_difference(shorter, chosen) if shorter else []
        still = [less for less, found in zip(shorter, kinds, strict=True) if kind in found]
        if not still:
            return chart
        chart = still[0]


def shown(chart: dict) -> str:
    """A chart to be read by a person."""
    lines = [str({k: str(v) for k, v in chart["patient"].items() if v is not None})]
    for table in ("treatments", "observations", "events"):
        rows = sorted(chart[table], key=lambda row: (row.get("on") or row.get("started_on"), row["what"]))
        lines += ["  " + " ".join(f"{k}={v}" for k, v in row.items() if v is not None) for row in rows]
    return "\n".join(lines)


def demand_agreement(charts: list[dict], chosen: dict) -> None:
    kinds = kinds_of_difference(charts, chosen)
    for chart, kind in [(chart, min(found, key=str)) for chart, found in zip(charts, kinds, strict=True) if found]:
        chart = smallest(chart, kind, chosen)
        found = differences(by_reference([chart], **chosen), by_bence([chart], **chosen))
        said = "\n".join(f"{key}: reference {a}, bence {b}" for key, (a, b) in found.items())
        differ = f"{sum(map(bool, kinds))} of {len(charts)} charts differ; one of them, made small:"
        pytest.fail(f"{differ}\npolicies {chosen}\n{shown(chart)}\n{said}", pytrace=False)


# ----------------------------------------------------------------------------------------------------------
# The worked cases

NAMES = {
    "serum M": "serum_m_protein",
    "urine M": "urine_m_protein",
    "serum IFE": "serum_ife",
    "shifted": "serum_ife_shifted",
    "urine IFE": "urine_ife",
    "kappa": "kappa_flc",
    "lambda": "lambda_flc",
    "marrow": "marrow_plasma_cells",
    "clonality": "marrow_clonality",
    "SPD": "plasmacytoma_spd",
    "lesions": "plasmacytoma_count",
    "new lesion": "new_lesion",
}


def tables_in(page: Path) -> list[list[dict]]:
    """The Markdown tables of a page: each a list of rows."""
    tables, heads = [], []
    for text in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in text.split("|")]
        if len(cells) < 3:
            heads = []
        elif not heads:
            heads = cells
            tables.append([])
        elif not set(text) <= set("|- "):
            tables[-1].append(dict(zip(heads, cells, strict=True)))
    return tables


def worked_cases():
    answers, visits = tables_in(PAGE)
    for answer in answers:
        rows = [row for row in visits if row["case"] == answer["case"]]
        chart = renamed(worked_chart(int(answer["line"]), rows, answer["treatment"]), answer["case"])
        chosen = dict(word.split("=") for word in answer["policy"].split())
        chosen = {name: float(word) if word.replace(".", "").isdigit() else word for name, word in chosen.items()}
        visit = [row["→ visit"] for row in rows[1:] if row["→ visit"] != "next line"]
        line = [answer[f"→ {head}"] or None for head in ("best", "best on", "progressed on", "progression")]
        yield pytest.param(int(answer["line"]), chart, chosen, visit, line, id=answer["case"])


def worked_chart(line: int, rows: list[dict], treatment: str) -> dict:
    given = [treated(DAY_ONE, "lenalidomide", line=line)]
    for words in filter(None, treatment.split(", ")):
        day = date.fromisoformat(words.split()[-1])
        antibody = words.startswith("daratumumab")
        given.append(treated(day, "daratumumab" if antibody else "bortezomib", line=line + (not antibody)))
    observations = []
    for row in rows:
        for head, what in NAMES.items():
            cell = row[head]
            if cell and cell.replace(".", "").isdigit():
                observations.append(observed(date.fromisoformat(row["on"]), what, float(cell)))
            elif cell:
                observations.append(observed(date.fromisoformat(row["on"]), what, text=cell))
    patient = person(heavy_chain="igg", light_chain="kappa")
    return {"patient": patient, "observations": observations, "treatments": given, "events": []}


def check(found: tuple[dict, dict], number: int, visit: list, line: list, name: str) -> None:
    rows, lines = found
    assert [row[0] for (patient, n, _), row in rows.items() if (patient, n) == (name, number)] == visit
    _, best, best_on, progressed_on, state = lines[name, number]
    expected = [date.fromisoformat(cell) if cell and cell[0] == "2" else cell for cell in line]
    assert [best, best_on, progressed_on, state] == expected


@pytest.mark.parametrize(("number", "chart", "chosen", "visit", "line"), list(worked_cases()))
def test_reference_gives_the_worked_cases(number, chart, chosen, visit, line):
    check(by_reference([chart], **chosen), number, visit, line, chart["patient"]["patient"])


@pytest.mark.parametrize(("number", "chart", "chosen", "visit", "line"), list(worked_cases()))
def test_bence_gives_the_worked_cases(number, chart, chosen, visit, line):
    check(bence_of_the_page(tuple(chosen.items())), number, visit, line, chart["patient"]["patient"])


@functools.cache
def bence_of_the_page(chosen: tuple) -> tuple[dict, dict]:
    """All cases of one set of policies, assessed together."""
    charts = [case.values[1] for case in worked_cases() if tuple(case.values[2].items()) == chosen]
    return by_bence(charts, **dict(chosen))


UNITS = {"sm": 10, "um": 1, "fi": 1, "fu": 1, "bm": 1, "spd": 1, "nles": 1}
CODES = {
    "sm": "serum_m_protein", "um": "urine_m_protein", "bm": "marrow_plasma_cells", "spd": "plasmacytoma_spd",
    "nles": "plasmacytoma_count", "si": "serum_ife", "ui": "urine_ife", "ihc": "marrow_clonality",
    "spurious_sm": "serum_m_protein",
}  # fmt: skip
WORDS = {"neg": "negative", "pos": "igg_kappa", "pos_mab": "igg_kappa", "pos_other_clone": "iga_lambda"}


def chart_of_json(case: dict) -> tuple[int, dict, dict]:
    chosen = {k: v for k, v in {"nadir": case["opt"].get("nadir")}.items() if v}
    if "sthr" in case["opt"]:
        chosen["serum_measurable"] = case["opt"]["sthr"] * 10
    kappa = case["opt"].get("kappa", True)
    codes = {
        **CODES,
        "fi": "kappa_flc" if kappa else "lambda_flc",
        "fu": "lambda_flc" if kappa else "kappa_flc",
    }
    number = 2 if case["opt"].get("setting") == "RR" else 1
    observations, given = [], [treated(DAY_ONE, "lenalidomide", line=number)]
    if any("pos_mab" in visit.values() for visit in case["a"]):
        given.append(treated(DAY_ONE, "daratumumab", line=number))
    if case["new_tx"]:
        given.append(treated(date.fromisoformat(case["new_tx"]), "bortezomib", line=number + 1))
    for visit in [{"date": str(DAY_ONE), **case["base"]}, *case["a"]]:
        on = date.fromisoformat(visit["date"])
        for key, value in visit.items():
            if key in UNITS and value is not None:
                status = "spurious" if key == "sm" and visit.get("spurious_sm") is True else None
                observations.append(observed(on, codes[key], round(value * UNITS[key], 9), status=status))
            elif key in ("si", "ui"):
                observations.append(observed(on, codes[key], text=WORDS[value]))
                if key == "si" and case["opt"].get("mab_interf_resolved"):
                    observations.append(observed(on, "serum_ife_shifted", text="negative"))
            elif key == "ihc":
                observations.append(observed(on, codes[key], text={"neg": "negative"}.get(value, "positive")))
            elif key == "new_lesion":
                observations.append(observed(on, key, text="yes" if value else "no"))
    light = "kappa" if kappa else "lambda"
    died = date.fromisoformat(case["death"]) if case["death"] else None
    patient = person(heavy_chain="igg", light_chain=light, died_on=died)
    chart = {"patient": patient, "observations": observations, "treatments": given, "events": []}
    return number, chart, chosen


def expected_of_json(case: dict) -> tuple[list, list]:
    expected, new = case["exp"], case["new_tx"]
    visits = zip(expected["tp"], case["a"], strict=True)
    of_line = [category for category, visit in visits if not new or visit["date"] <= new]
    state = (expected["pdstate"] or "").split(" ")[0] or None
    return of_line, [expected["best"], expected["best_date"], expected["pd"], state]


@pytest.mark.skipif(not CASES.exists(), reason=f"{CASES} is not there (set BENCE_CASES)")
@pytest.mark.parametrize("by", [by_reference, by_bence])
def test_the_cases_of_the_file(by):
    cases = {case["id"]: case for case in json.loads(CASES.read_text(encoding="utf-8"))}
    made = {name: chart_of_json(case) for name, case in cases.items()}
    wrong = {}
    for chosen in {tuple(chosen.items()) for _, _, chosen in made.values()}:
        same = [name for name in made if tuple(made[name][2].items()) == chosen]
        found = by([renamed(made[name][1], name) for name in same], **dict(chosen))
        for name in same:
            try:
                check(found, made[name][0], *expected_of_json(cases[name]), name)
            except (AssertionError, KeyError) as error:
                wrong[name] = str(error)
    assert not wrong


# ----------------------------------------------------------------------------------------------------------
# The scan against the reference


def crowd(seed: int, size: int) -> list[dict]:
    pick = random.Random(seed).choice
    return Cohort(chart_of_one(pick, f"p{number:02d}") for number in range(size))


def crowds(size: int = 25) -> st.SearchStrategy[list[dict]]:
    """Cohorts from one number each."""
    return st.integers(0, 2**32).map(lambda seed: crowd(seed, size))


@pytest.mark.parametrize("number", range(5, len(POLICIES)), ids=lambda number: str(POLICIES[number]))
def test_bence_agrees_with_the_reference(number):
    demand_agreement(crowd(number, 40 if POLICIES[number] else 120), POLICIES[number])


# ----------------------------------------------------------------------------------------------------------
# Laws


@batches(3)
@given(crowds(), policies(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(charts, chosen, chance):
    def shuffled(rows):
        return chance.sample(rows, len(rows))

    assert not differences(by_bence(charts, **chosen), by_bence(charts, shuffled, **chosen))


@batches(3)
@given(crowds(), policies())
def test_rows_that_are_there_twice_do_not_matter(charts, chosen):
    keyed = {"observations", "treatments", "events"}
    twice = [{key: rows * 2 if key in keyed else rows for key, rows in chart.items()} for chart in charts]
    assert not differences(by_bence(charts, **chosen), by_bence(twice, **chosen))


@batches(2)
@given(crowds(6), policies())
def test_other_patients_do_not_matter(charts, chosen):
    rows, lines = {}, {}
    for chart in charts:
        more = by_bence([chart], **chosen)
        rows, lines = rows | more[0], lines | more[1]
    assert not differences(by_bence(charts, **chosen), (rows, lines))


@batches(3)
@given(crowds(), st.sampled_from([0, 7, 28, 29, 84, 120, 250]))
def test_the_past_does_not_know_the_future(charts, days):
    visible = pytest.importorskip("bence.chart").visible
    at = DAY_ONE + timedelta(days=days)
    chart = to_chart(charts)
    then = production()(visible(chart, at))
    assert not differences(of_findings(then), of_findings(production()(chart, at=at)))


OTHER_UNITS = {"serum_m_protein": ("g/dL", 10), "igg": ("mg/dL", 0.01), "kappa_flc": ("mg/dL", 10)}


@batches(3)
@given(charts=crowds())
def test_the_unit_of_the_input_does_not_matter(charts, tmp_path_factory):
    read = pytest.importorskip("bence.read")
    if not hasattr(read, "read"):
        pytest.skip("no bence.read.read")
    folder = tmp_path_factory.mktemp("chart")
    for table, rows in tables_of(charts).items():
        if not rows:
            continue
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(in_other_units(row) for row in rows)
    chart = read.read(folder)
    assert chart.rejected.height == 0, chart.rejected
    assert not differences(by_bence(charts), of_findings(production()(chart)))


def in_other_units(row: dict) -> dict:
    unit, factor = OTHER_UNITS.get(row.get("what"), (None, None))
    return {**row, "unit": unit, "value": round(row["value"] / factor, 9)} if unit else row


FILLINGS = {
    "urine_m_protein": [0.0, 99.0, 150.0, 5000.0],
    "urine_ife": ["negative", "kappa", "positive"],
    "marrow_plasma_cells": [1.0, 5.0, 100.0],
    "marrow_clonality": ["negative", "positive"],
    "kappa_flc": [1.0, 10.0, 5000.0],
    "lambda_flc": [1.0, 10.0, 5000.0],
}


@batches(6)
@given(crowds(20), st.sampled_from(sorted(FILLINGS)), st.randoms(use_true_random=False))
def test_a_blank_filled_in_never_lowers_a_category_but_by_progression(charts, what, chance):
    """One visit a patient gets a confirmatory item that nobody had measured in this line."""
    before, _ = by_bence(charts)
    filled, places = [], {}
    for chart in charts:
        name = chart["patient"]["patient"]
        visits = [key for key in before if key[0] == name]
        measured = any(row["what"] == what for row in chart["observations"])
        if measured or not visits:
            continue
        places[name] = chance.choice(visits)
        content = chance.choice(FILLINGS[what])
        row = observed(places[name][2], what, **{"text" if isinstance(content, str) else "value": content})
        filled.append({**chart, "observations": [*chart["observations"], row]})
    if not filled:
        return
    after, _ = by_bence(filled)
    for key in places.values():
        old, new = before[key][0], after[key][0]
        if "PD" in (old, new):
            assert new == "PD", key
        else:
            assert ORDER.index(new) >= ORDER.index(old), (key, old, new)
