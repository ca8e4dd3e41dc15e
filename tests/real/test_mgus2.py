"""mgus2: haemoglobin, creatinine and M-protein are recorded, so a diagnosis is narrowed but never given."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from bence.assess import assess
from bence.read import hospital

MAPPING = Path(__file__).with_name("mgus2.toml")


@pytest.fixture(scope="module")
def chart(real):
    return hospital.read(real("survival/mgus2.csv"), MAPPING)


@pytest.fixture(scope="module")
def status(chart):
    return assess(chart).status


def test_everything_is_read(chart):
    assert chart.patients.height == 1384
    assert chart.rejected.is_empty()
    counts = dict(chart.observations["what"].value_counts().iter_rows())
    assert counts == {"hemoglobin": 1371, "creatinine": 1354, "serum_m_protein": 1373}


def test_years_and_months_become_dates(chart):
    first = chart.patients.filter(pl.col("patient") == "1.0").row(0, named=True)
    assert first["born_on"] == "1893"  # 88 in 1981
    assert first["died_on"] == date(1984, 7, 1)  # 30 months later
    assert chart.patients["died_on"].count() == 963
    assert chart.events.filter(pl.col("what") == "mm_diagnosis").height == 115


def test_no_diagnosis_is_given(status):
    assert status["diagnosis"].count() == 0
    assert status["diagnosis_possible"].count() == 1384


def test_the_columns_narrow_what_is_possible(status):
    sets = status["diagnosis_possible"].cast(pl.String).str.split("|")
    assert all("MM" in names for names in sets)
    assert sets.list.len().n_unique() > 1
