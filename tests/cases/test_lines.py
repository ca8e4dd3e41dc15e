"""The worked cases of lines.md; a recorded line beside the derived one."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from case_tables import case_tables, policy_of

import bence
from bence.assess.regimens import named, regimen_name
from bence.catalogue import codes_of
from bence.chart import SCHEMA, Chart

TABLES = case_tables(Path(__file__).with_name("lines.md"), divider=r" \|")  # a bar in a cell has no space before it
DAY_ZERO = date(2015, 1, 1)
LETTERS = {
    "V": "bortezomib", "R": "lenalidomide", "K": "carfilzomib", "D": "daratumumab", "P": "pomalidomide", "T": "thalidomide",
    "C": "cyclophosphamide", "d": "dexamethasone",
}  # fmt: skip
NAMES = {
    "PAD": "bortezomib doxorubicin dexamethasone", "D-VRd": "daratumumab bortezomib lenalidomide dexamethasone", "dara": "daratumumab",
    "Tec": "teclistamab", "Tal": "talquetamab", "Tec-Dara": "teclistamab daratumumab", "ASCT": "autologous_transplant",
    "alloSCT": "allogeneic_transplant", "cilta-cel": "cilta_cel", "eque-cel": "eque_cel", "G-CSF": "filgrastim", "IVIG": "immunoglobulin",
    "zoledronate": "zoledronic_acid", "DLI": "donor_lymphocytes",
}  # fmt: skip
PART = re.compile(r"(?P<name>\S+) (?P<start>\d+|\?)(?P<open>–)?(?P<stop>\d+)?(?: \((?P<said>[a-z_]+(?: \d)?)\))?")
PHASES = ("transplant", "consolidation", "maintenance", "bridging", "lymphodepletion", "step_up")
REASONS = ("completed", "progression", "toxicity", "choice", "other")


def drugs(name: str) -> list[str]:
    """The drugs of a name in a course: `VRd`, `dara`, `bortezomib+dexamethasone`."""
    if name in NAMES:
        return NAMES[name].split()
    known = codes_of("drug", "procedure")
    return name.split("+") if name.split("+")[0] in known else [LETTERS[letter] for letter in name]


def day(number: str | None) -> date | None:
    return DAY_ZERO + timedelta(days=int(number)) if number and number != "?" else None


def said(word: str | None) -> dict[str, Any]:
    """What a word in brackets records."""
    if word is None:
        return {}
    if word.startswith("line "):
        return {"line": int(word[5:])}
    if word in ("planned", "unplanned"):
        return {"planned": word == "planned"}
    return {"phase": word} if word in PHASES else {"stop_reason": REASONS[REASONS.index(word)]}


def rows_of(patient: str, course: str) -> tuple[list[dict], list[dict]]:
    """Treatment rows and events of a course; `source` is the place of the treatment in it."""
    treatments, events = [], []
    for number, text in enumerate(course.split("; ")):
        part = PART.fullmatch(text)
        assert part, f"{patient}: {text!r} is not understood"
        if part["name"] == "progression":
            events.append({"patient": patient, "on": day(part["start"]), "what": "progression"})
            continue
        stop = day(part["stop"] if part["open"] else part["start"])
        for drug in drugs(part["name"]):
            row = {"patient": patient, "what": drug, "started_on": day(part["start"]), "stopped_on": stop, "source": str(number)}
            treatments.append({**row, **said(part["said"])})
    return treatments, events


def chart_of(courses: dict[str, str]) -> Chart:
    """A chart of many courses."""
    rows = {name: rows_of(name, course) for name, course in courses.items()}

    def frame(table: str, records: list[dict]) -> pl.DataFrame:
        return pl.DataFrame([{name: row.get(name) for name in SCHEMA[table]} for row in records], schema=SCHEMA[table], orient="row")

    return Chart(
        patients=frame("patients", [{"patient": name} for name in courses]),
        treatments=frame("treatments", [row for treatments, _ in rows.values() for row in treatments]),
        events=frame("events", [row for _, events in rows.values() for row in events]),
    )


CASES = [{**row, "name": f"{heading} {at}"} for heading, rows in TABLES.items() if heading != "Names" for at, row in enumerate(rows)]
POLICIES = sorted({row["policy"] for row in CASES})


@pytest.mark.parametrize("policy", POLICIES)
def test_lines_of_the_page(policy: str):
    cases = [row for row in CASES if row["policy"] == policy]
    chart = chart_of({row["name"]: row["course"] for row in cases})
    table = bence.assess(chart, lines="derived", **policy_of(policy)).treatments
    wrong = []
    for row in cases:
        own = table.filter(pl.col("patient") == row["name"])
        places = sorted({int(source) for source in own["source"]})
        lines = [own.filter(pl.col("source") == str(place))["line"].unique().to_list() for place in places]
        given = " ".join("/".join("?" if n is None else str(n) for n in numbers) for numbers in lines)
        opened = own.drop_nulls("boundary").unique(["line", "boundary"]).sort("line")["boundary"].to_list()
        if (given, ", ".join(opened)) != (row["→ lines"], row["→ opened by"]):
            wrong.append(f"{row['case']} [{row['course']}]: {given} ({', '.join(opened)})")
    assert not wrong, "\n".join(wrong)


def test_names_of_the_page():
    cases = {f"{at:02d}": row for at, row in enumerate(TABLES["Names"])}
    lines = bence.assess(chart_of({name: row["course"] for name, row in cases.items()}), lines="derived").lines
    found = dict(lines.filter(pl.col("line") == 1).select("patient", "regimen").iter_rows())
    assert {cases[name]["course"]: regimen for name, regimen in found.items()} == {
        row["course"]: row["→ regimen"] for row in cases.values()
    }


def test_names_are_of_known_drugs_and_differ():
    known = codes_of("drug")
    assert {drug for drugs in named() for drug in drugs} <= set(known)
    assert len(named()) >= 30
    assert len(set(named().values())) >= len(named()) - 1  # PAD with either doxorubicin


def test_drugs_without_a_name_are_written_one_after_the_other():
    assert regimen_name(frozenset({"vincristine", "carmustine", "prednisone"})) == "carmustine-vincristine-pred"


RECORDED = "VRd 0–84 (line 1); ASCT 110 (line 1); Kd 200–400 (line 2); Pd 900–1000 (line 3)"


def test_a_recorded_line_stands_beside_the_derived_one():
    findings = bence.assess(chart_of({"A": RECORDED}))
    told = findings.treatments.sort("started_on", "what").select("line", "line_recorded").unique(maintain_order=True)
    assert told.rows() == [(1, 1), (1, 2), (2, 3)]
    assert findings.lines["line"].to_list() == [1, 2, 3]
    assert findings.lines["boundary"].unique().to_list() == ["recorded"]


def test_the_policy_lets_the_derived_lines_drive():
    lines = bence.assess(chart_of({"A": RECORDED}), lines="derived").lines
    assert lines["line"].to_list() == [1, 2]
    assert lines["boundary"].to_list() == ["first_treatment", "restart_after_pause"]


def test_an_incomplete_record_does_not_drive():
    course = RECORDED.replace("Kd 200–400 (line 2)", "Kd 200–400")
    assert bence.assess(chart_of({"A": course})).lines["line"].to_list() == [1, 2]


@pytest.mark.parametrize(
    ("course", "policy", "lines"),
    [
        ("VRd 0–112; radiotherapy 400–410", "lines_radiotherapy", [("VRd", "first_treatment"), ("radiotherapy", "radiotherapy")]),
        ("VRd 0–112; radiotherapy 400–410; Kd 420–500", "lines_radiotherapy", [("VRd", "first_treatment"), ("Kd", "radiotherapy")]),
        ("VRd 0–112; dexamethasone 400–404", "lines_steroids", [("VRd", "first_treatment"), ("dex", "steroid")]),
    ],
)
def test_a_line_that_a_policy_opens_is_a_line_like_any_other(course: str, policy: str, lines: list):
    found = bence.assess(chart_of({"A": course}), lines="derived", **{policy: True}).lines
    assert found.select("regimen", "boundary").rows() == lines
