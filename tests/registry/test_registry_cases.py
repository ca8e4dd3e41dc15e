"""What a cohort counts of each patient."""

from datetime import date

import pytest

pytest.importorskip("sqlalchemy", reason="the extra `registry` is not installed")

from bence.chart import Chart
from bence.demo import demo_chart
from bence.registry.cases import age_band, cases


@pytest.mark.parametrize(
    ("born", "day", "band"),
    [
        ("1960", date(2024, 6, 1), "50-64"), ("1959-06-02", date(2024, 6, 1), "50-64"), ("1959-06-01", date(2024, 6, 1), "65-74"),
        ("1959", date(2024, 6, 1), None), ("1959-05", date(2024, 6, 1), "65-74"), ("1930", date(2024, 6, 1), ">=75"),
        ("1990-01-01", date(2024, 6, 1), "<50"), (None, date(2024, 6, 1), None), ("1960", None, None),
    ],
)  # fmt: skip
def test_an_age_is_a_band_or_unknown(born, day, band):
    assert age_band(born, day) == band


def test_who_died_is_offered_nothing_and_nobody_is_named():
    chart = demo_chart().only("D09")
    living = cases(chart, date(2026, 3, 23), "china")["D09"][0]
    assert living["advice"]
    gone = chart.patients.with_columns(died_on=date(2026, 3, 1))
    dead = cases(Chart(gone, chart.observations, chart.treatments, chart.events), date(2026, 3, 23), "china")["D09"][0]
    assert dead["advice"] == []
    assert "D09" not in str(living)
    assert not any(isinstance(value, date) for line in living["lines"] for value in line.values())
