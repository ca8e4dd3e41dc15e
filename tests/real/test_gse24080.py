"""GSE24080 (Total Therapy 2 and 3): the stages that the series is known for, and survival dated from months."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from bence.assess import assess
from bence.read import hospital

MAPPING = Path(__file__).with_name("gse24080.toml")


@pytest.fixture(scope="module")
def chart(real):
    return hospital.read(real("gse24080/clin.csv"), MAPPING)


def test_iss_counts(chart):
    stages = dict(assess(chart).status["iss"].cast(pl.String).value_counts().iter_rows())
    assert stages == {"I": 296, "II": 148, "III": 120, None: 1}


def test_the_censored_b2m_is_decided_by_its_bound(chart):
    row = chart.observations.filter(pl.col("patient") == "480", pl.col("what") == "b2m")
    assert row.select("value", "comparator", "unit").rows() == [(0.5, "<", "mg/L")]
    assert assess(chart.only("480")).status["iss"].to_list() == ["I"]


def test_one_albumin_cannot_be_true_and_is_refused(chart):
    assert chart.rejected.select("line", "column", "value").rows() == [(446, "ALB", "0.3")]


def test_deaths_are_dated_by_their_month(chart):
    assert chart.patients["died_on"].count() == 175
    fifth = chart.patients.filter(pl.col("patient") == "5").row(0, named=True)
    assert fifth["died_on"] == fifth["last_seen_on"] == date(2003, 8, 2)  # 43 months after 1 January 2000


def test_marrow_keeps_its_method(chart):
    marrow = chart.observations.filter(pl.col("what") == "marrow_plasma_cells")
    assert dict(marrow["method"].value_counts().iter_rows()) == {"aspirate": 537, "biopsy": 549}
