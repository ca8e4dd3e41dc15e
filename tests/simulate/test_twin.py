"""Twins: coverage on virtual courses they have not seen, laws, and errors that can be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from bence.chart import Chart
from bence.cli import bence
from bence.errors import UsageError
from bence.simulate.course import run
from bence.simulate.people import draw_people
from bence.simulate.pictures.pages import twin_page
from bence.simulate.protocols import read_protocol
from bence.simulate.records import records
from bence.simulate.told import rests, twin_told
from bence.simulate.twin import ENOUGH, Twin, later_values, twin
from bence.simulate.words import NOTE

PEOPLE = 12


@cache
def cohort() -> Chart:
    protocol = read_protocol("majestec-1")
    return records(run(draw_people(protocol.population, PEOPLE, 9001), protocol, 9001))


def began(chart: Chart, patient: str) -> date:
    given = chart.only(patient).treatments
    first = given.filter(pl.col("line") == given["line"].max())["started_on"].min()
    assert isinstance(first, date)
    return first


@cache
def twin_of(patient: str) -> Twin | None:
    """The twin of a patient; None if nobody resembles the patient."""
    try:
        return twin(cohort(), patient, began(cohort(), patient) + timedelta(112), siblings=1000, weeks=30)
    except UsageError:
        return None


def twins() -> Iterator[Twin]:
    """Twin after twin, each made when it is asked for."""
    return filter(None, map(twin_of, cohort().patients["patient"]))


def test_most_virtual_patients_have_a_twin_and_its_90_percent_band_holds_most_later_values():
    everybody = list(twins())
    assert len(everybody) >= 0.6 * PEOPLE
    hits = []
    for found in everybody:
        later = later_values(found, cohort()).filter(pl.col("what") == "m_protein", pl.col("on") <= found.at + timedelta(200))
        for on, value, comparator in later.select("on", "value", "comparator").iter_rows():
            told = found.forecast.filter(pl.col("what") == "m_protein", pl.col("on") <= on).row(-1, named=True)
            hits.append(told["low"] <= value and (comparator == "<" or value <= told["high"]))
    assert len(hits) > 3 * len(everybody)
    assert 0.7 <= sum(hits) / len(hits) <= 1.0


def test_points_are_in_order_progression_never_falls_and_the_power_says_whether_enough_count():
    for found in twins():
        bands = found.forecast.select("low", "lower", "middle", "upper", "high").to_numpy()
        assert (bands[:, 1:] >= bands[:, :-1]).all()
        assert (found.progressed["share"].diff().drop_nulls() >= 0).all()
        assert found.progressed["share"].is_between(0, 1 + 1e-9).all()
        assert 0 < found.tempered <= 1
        assert found.effective >= ENOUGH - 1
        assert (found.measured["on"] <= found.at).all()


def test_what_is_measured_later_changes_nothing():
    found = next(twins())
    patient, day = found.patient, found.at
    chart = cohort()
    cut = Chart(
        chart.patients, chart.observations.filter(pl.col("on") <= day), chart.treatments.filter(pl.col("started_on") <= day),
        chart.events.filter(pl.col("on") <= day),
    )  # fmt: skip
    again = twin(cut, patient, day, siblings=1000, weeks=30)
    assert again.measured.equals(found.measured)
    assert again.tempered == pytest.approx(found.tempered)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_names_siblings_assumptions_and_that_it_is_no_advice(lang: str):
    found = next(twins())
    html = twin_page(found, lang, later_values(found, cohort()))
    assert NOTE[lang] in html
    for line in rests(found, lang):
        assert line.replace("'", "&#39;") in html
    assert "<script" not in html
    assert html.count("<svg") == 1
    assert twin_told(found, lang).height >= 3


def test_the_command_writes_a_page_and_its_errors_are_one_line(tmp_path: Path):
    chart = tmp_path / "chart"
    cohort().write(chart)
    patient = next(twins()).patient
    page = tmp_path / "pages" / "twin.html"
    told = ["--at", str(next(twins()).at), "--siblings", "1000", "--lang", "zh", "--out", str(page)]
    found = CliRunner().invoke(bence, ["simulate", "twin", str(chart), patient, *told])
    assert found.exit_code == 0, found.output
    assert NOTE["zh"] in found.output
    assert NOTE["zh"] in page.read_text(encoding="utf-8")
    nobody = CliRunner().invoke(bence, ["simulate", "twin", str(chart), "NOBODY"])
    assert nobody.exit_code != 0
    assert "Traceback" not in nobody.output
    early = CliRunner().invoke(bence, ["simulate", "twin", str(chart), patient, "--at", "1999-01-01"])
    assert early.exit_code != 0
    assert "Traceback" not in early.output
    assert len(early.output.strip().splitlines()) <= 2
