"""Kaplan–Meier against a published table and against an independent implementation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bence.assess.survival import kaplan_meier

# Freireich et al., Blood 1963;21:699: weeks of remission under 6-mercaptopurine; the estimate as in Collett, Modelling Survival Data in
# Medical Research, and the log-log interval of the median as survfit(conf.type = "log-log") gives it: 23 (13, not reached)
WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PUBLISHED = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
AT_RISK = {6: 21, 7: 17, 10: 15, 13: 12, 16: 11, 22: 7, 23: 6}


def test_the_published_table():
    curve = kaplan_meier(WEEKS, RELAPSED)
    assert {int(week): round(share, 3) for week, share in zip(curve.days, curve.free, strict=True)} == PUBLISHED
    assert {week: curve.at_risk(week) for week in AT_RISK} == AT_RISK
    assert (curve.median, curve.median_low, curve.median_high) == (23, 13, None)
    assert (curve.patients, curve.events, len(curve.censored)) == (21, 9, 12)
    assert curve.free_at(5) == 1
    assert curve.free_at(12) == curve.free_at(10)


def test_nobody_and_nobody_with_an_event():
    assert kaplan_meier([], []).patients == 0
    curve = kaplan_meier([5, 9], [False, False])
    assert (curve.days, curve.median, curve.censored, curve.free_at(8)) == ((), None, (5, 9), 1)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=40))
def test_as_another_implementation(rows):
    lifelines = pytest.importorskip("lifelines", reason="lifelines is not installed")
    days, event = np.array([day for day, _ in rows]), np.array([ended for _, ended in rows])
    curve = kaplan_meier(days, event)
    other = lifelines.KaplanMeierFitter().fit(days, event)
    expected = other.survival_function_at_times(list(curve.days)).to_numpy() if curve.days else np.array([])
    np.testing.assert_allclose(curve.free, expected, atol=1e-12)
    band = other.confidence_interval_.loc[list(curve.days)].to_numpy() if curve.days else np.empty((0, 2))
    inside = np.array(curve.free) > 0
    np.testing.assert_allclose(np.array(curve.low)[inside], band[inside, 0], atol=1e-9)
    np.testing.assert_allclose(np.array(curve.high)[inside], band[inside, 1], atol=1e-9)
    halved = any(abs(share - 0.5) < 1e-9 for share in curve.free)  # there, rounding decides where another program sees the half
    assert halved or (curve.median or np.inf) == other.median_survival_time_
