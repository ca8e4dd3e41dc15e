"""A chart written as FHIR and read again has the same facts; what is written keeps the rules of FHIR R4."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bence
from bence.catalogue import codes_of
from bence.chart import TABLES, Chart
from bence.demo import demo_chart
from bence.fhir import left_out, to_fhir, write
from bence.fhir.derived import OF_STAGE
from bence.read import from_fhir
from bence.read.fhir.terms import OURS, UCUM

fhirkit = pytest.importorskip("fhirkit", reason="the validator fhirkit-rs is in the test extra")
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@pytest.fixture(scope="module")
def demo():
    return demo_chart()


@pytest.fixture(scope="module")
def findings(demo):
    return bence.assess(demo)


@pytest.fixture(scope="module")
def with_findings(demo, findings):
    return to_fhir(demo, findings)


def facts(chart: Chart, table: str) -> pl.DataFrame:
    """The rows without what FHIR has no place for, in an order of their own."""
    frame = getattr(chart, table)
    frame = frame.drop("source", strict=False)
    return frame.unique().sort(frame.columns, nulls_last=True)


def same(one: Chart, other: Chart) -> None:
    for table in TABLES:
        missing = facts(one, table).join(facts(other, table), on=facts(one, table).columns, how="anti", nulls_equal=True)
        assert facts(one, table).equals(facts(other, table)), (table, missing.rows(), other.rejected.rows())


def test_every_fact_of_the_demo_comes_back(demo, with_findings):
    again = from_fhir(json.loads(json.dumps(with_findings)))
    same(demo, again)
    assert not again.rejected.height


def test_what_has_no_place_is_told_by_name(demo):
    assert left_out(demo) == {
        "observations.source": demo.observations.height, "treatments.source": demo.treatments.height, "events.source": demo.events.height,
    }  # fmt: skip


def test_the_same_chart_gives_the_same_bytes(demo, tmp_path):
    shuffled = Chart(*(getattr(demo, table) for table in TABLES))
    assert json.dumps(to_fhir(demo)) == json.dumps(to_fhir(shuffled))
    write(demo, tmp_path / "a.ndjson")
    write(demo, tmp_path / "b.json")
    same(bence.read(tmp_path / "a.ndjson"), bence.read(tmp_path / "b.json"))
    assert bence.read(tmp_path / "a.ndjson").observations["source"][0].startswith("a.ndjson:")


def nodes(node):
    if isinstance(node, dict):
        yield node
        for each in node.values():
            yield from nodes(each)
    elif isinstance(node, list):
        for each in node:
            yield from nodes(each)


def test_every_quantity_has_its_ucum_unit(with_findings):
    """No validator at hand says it: a Quantity without the system of its code has no unit."""
    found = [each for each in nodes(with_findings) if "value" in each and not isinstance(each["value"], str)]
    assert len(found) > 1000
    assert all(each.get("system") == UCUM and each.get("code") for each in found)


def test_ids_and_references(with_findings):
    every = [entry["resource"] for entry in with_findings["entry"]]
    known = [f"{each['resourceType']}/{each['id']}" for each in every]
    assert len(set(known)) == len(known)
    assert all(ID.fullmatch(each["id"]) for each in every)
    pointed = {each["reference"] for each in nodes(every) if "reference" in each}
    assert pointed - set(known) <= {"#specimen"}


def test_fhirkit_finds_nothing(with_findings):
    for entry in with_findings["entry"]:
        assert not fhirkit.validate(entry["resource"]), entry["resource"]
    assert fhirkit.validate({"resourceType": "Observation", "status": "final"})  # it would say so


def test_no_element_is_empty(with_findings):
    assert not [each for each in nodes(with_findings) for value in each.values() if value in (None, "", [], {})]


def derived(bundle, profile):
    found = [entry["resource"] for entry in bundle["entry"]]
    return [each for each in found if any(url.endswith(profile) for url in each.get("meta", {}).get("profile", ()))]


def test_stages_as_mcode_has_them(findings, with_findings):
    known = {entry["resource"]["id"]: entry["resource"] for entry in with_findings["entry"]}
    for name, profile, system, stages in (
        ("iss", "mcode-myeloma-iss-stage", "C139007", {"I": "C70658", "II": "C70659", "III": "C70660"}),
        ("r_iss", "mcode-myeloma-riss-stage", "C141392", {"I": "C141394", "II": "C141395", "III": "C141396"}),
    ):
        made = derived(with_findings, profile)
        told = findings.status.filter(pl.col("diagnosis").is_null() | pl.col("diagnosis").cast(pl.String).is_in(["MM", "PCL"]))
        answers = dict(told.select("patient", pl.col(name).cast(pl.String)).drop_nulls().rows())
        assert len(made) == len(answers) > 5
        for each in made:
            stage = answers[each["subject"]["reference"].removeprefix("Patient/")]
            assert each["valueCodeableConcept"]["coding"][0]["code"] == stages[stage]
            assert each["code"]["coding"][0]["code"] == system
            assert each["device"]["display"] == f"Bence {bence.__version__}"
            assert each["note"]
            for reference in each.get("derivedFrom", ()):
                source = known[reference["reference"].removeprefix("Observation/")]
                assert source["subject"] == each["subject"]
                assert source["code"]["coding"][-1]["code"] in OF_STAGE[name]
        assert sum("derivedFrom" in each for each in made) == len(made)


def test_disease_status_as_mcode_has_it(with_findings):
    made = derived(with_findings, "mcode-cancer-disease-status")
    assert len(made) > 50
    trends = {"268910001", "359746009", "271299001", "709137006"}
    for each in made:
        assert each["code"]["coding"][0] == {"system": "http://loinc.org", "code": "97509-4"}
        assert each["valueCodeableConcept"]["coding"][0]["code"] in trends
        assert "device" not in each  # the profile forbids it
        response = each["valueCodeableConcept"]["coding"][1]["code"]
        assert (each["valueCodeableConcept"]["coding"][0]["code"] == "271299001") == (response == "PD")


def test_what_was_computed_is_not_read_as_a_record(with_findings):
    made = derived(with_findings, "mcode-myeloma-iss-stage")
    assert all({"system": OURS, "code": "derived"} in each["meta"]["tag"] for each in made)
    chart = from_fhir(made)
    assert not chart.observations.height
    assert chart.tally["findings that Bence computed, which are no records"] == len(made)


RECORDED = st.sampled_from([None, date(2026, 1, 1)])
DAYS = st.dates(date(2015, 1, 1), date(2025, 12, 31))
NOTES = st.sampled_from(["a note", "两行\n字", "<b>&"])
SPARE = st.none() | NOTES


@st.composite
def observation_rows(draw, patient):
    code = draw(st.sampled_from(list(codes_of("observation").values())))
    row = {"patient": patient, "on": draw(DAYS), "what": code.code}
    if code.kind in ("text", "chains"):
        row["text"] = draw(st.sampled_from(["igg_kappa", "negative", "igg_kappa+iga_lambda"]))
    elif code.numeric and (not code.words or draw(st.booleans())):
        low, high = code.low if code.low is not None else 0, code.high if code.high is not None else 100
        row["value"] = draw(st.sampled_from([low, high, (low + high) / 2, low + (high - low) / 7]))
        row["unit"] = code.unit or None
        row["comparator"] = draw(st.sampled_from([None, "<", ">"]))
        row["text"] = draw(SPARE) if not code.words else None
        row["detection_limit"] = draw(st.sampled_from([None, 1e-6])) if code.code == "mrd" else None
    else:
        row["text"] = draw(st.sampled_from(code.categories))
    row |= {"method": draw(st.sampled_from([None, "ngf", "own method"])), "sample": draw(st.sampled_from([None, "tube 7"]))}
    row |= {"cells": draw(st.sampled_from([None, 2e6])), "status": draw(st.sampled_from(["final", "spurious", "entered_in_error"]))}
    return row | {"recorded_on": draw(st.none() | st.just(row["on"] + timedelta(days=3)))}


@st.composite
def treatment_rows(draw, patient):
    start = draw(st.none() | DAYS)
    stop = draw(st.sampled_from([None, start, start + timedelta(days=20)])) if start else draw(st.none() | DAYS)
    dose = draw(st.sampled_from([None, 1.3, 25.0]))
    return {
        "patient": patient, "started_on": start, "stopped_on": stop, "what": draw(st.sampled_from(sorted(codes_of("drug", "procedure")))),
        "dose": dose, "dose_unit": draw(st.sampled_from(["mg", "mg/m2", "10^6 cells/kg", "片", "mg/kg once a week"])) if dose else None,
        "route": draw(st.sampled_from([None, "SC"])), "phase": draw(st.sampled_from([None, "induction", "step_up"])),
        "line": draw(st.sampled_from([None, 1, 12])), "planned": draw(st.sampled_from([None, True, False])),
        "stop_reason": draw(st.sampled_from([None, "progression", "completed"])), "recorded_on": draw(RECORDED),
    }  # fmt: skip


@st.composite
def event_rows(draw, patient):
    on = draw(DAYS)
    return {
        "patient": patient, "on": on, "until": draw(st.sampled_from([None, on, on + timedelta(days=9)])),
        "what": draw(st.sampled_from(sorted(codes_of("event")))), "grade": draw(st.sampled_from([None, 0, 3])),
        "text": draw(st.sampled_from([None, "none", "influenza A", "肺炎"])), "recorded_on": draw(RECORDED),
    }  # fmt: skip


@st.composite
def charts(draw):
    keys = draw(st.lists(st.sampled_from(["001", "病人 1", "a/b", "P-2.x"]), min_size=1, max_size=3, unique=True))
    people = [
        {
            "patient": key, "centre": draw(SPARE), "sex": draw(st.sampled_from([None, "female", "male"])),
            "born_on": draw(st.sampled_from([None, "1950", "1950-03", "1950-03-02", "1949-06-02/1950-06-01"])),
            "heavy_chain": draw(st.sampled_from([None, "igg", "none"])), "light_chain": draw(st.sampled_from([None, "kappa", "biclonal"])),
            "died_on": draw(st.sampled_from([None, date(2026, 2, 1)])), "death_cause": draw(SPARE),
            "last_seen_on": draw(st.sampled_from([None, date(2026, 1, 1)])),
        }
        for key in keys
    ]  # fmt: skip
    tables = [
        pl.DataFrame(rows) if (rows := draw(st.lists(st.sampled_from(keys).flatmap(made), max_size=4))) else None
        for made in (observation_rows, treatment_rows, event_rows)
    ]
    return Chart(pl.DataFrame(people), *tables)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(charts())
def test_every_fact_of_any_chart_comes_back(tmp_path, chart):
    chart.write(tmp_path, replace=True)
    settled = bence.read(tmp_path)  # as a reader of tables has it: what is not accepted is gone
    made = to_fhir(settled)
    again = from_fhir(json.loads(json.dumps(made)))
    same(settled, again)
    assert not again.rejected.height
    for entry in made["entry"]:
        assert not fhirkit.validate(entry["resource"])
