"""Clones that may die out: the closed form against exact draws, a simulation of single cells, and cases solved by hand."""

import numpy as np
import pytest
from scipy.integrate import cumulative_trapezoid
from scipy.stats import ks_2samp

from bence.simulate.extinction import cells_left, extinction_probability, resistant_at_start

BIRTH = 0.03


def course(days=365, start=1e6):
    """Mean and exposure of a clone under a killing that fades: its nadir is a few cells."""
    time = np.linspace(0, days, 100 * days + 1)
    rate = 0.012 - 0.2 * np.exp(-time / 80)
    mean = start * np.exp(cumulative_trapezoid(rate, time, initial=0))
    exposure = cumulative_trapezoid(BIRTH / mean, time, initial=0)
    return mean[::100], exposure[::100]


def sampled(patients, every, days=364, start=10**6):
    """Cells of many patients on each of the days, drawn stretch by stretch."""
    mean, exposure = course(days, start)
    drawn = np.random.default_rng(1)
    cells, history = np.full(patients, start), {}
    for day in range(every, days + 1, every):
        growth, births = mean[day] / mean[day - every], mean[day - every] * (exposure[day] - exposure[day - every])
        kept, spread = drawn.random((2, patients))
        cells = cells_left(cells, growth, births, kept, spread)
        history[day] = cells
    return history


@pytest.fixture(scope="module")
def weekly():
    return sampled(8_000, 7)


@pytest.mark.parametrize("day", [182, 273, 364])
def test_the_closed_form_agrees_with_exact_draws(weekly, day):
    mean, exposure = course()
    expected = extinction_probability(mean[day], exposure[day])
    assert 0.01 < expected < 0.99
    found = (weekly[day] == 0).mean()
    assert found == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 8_000))


@pytest.mark.parametrize("day", [182, 273, 364])
def test_exact_draws_keep_the_mean(weekly, day):
    cells = weekly[day]
    assert cells.mean() == pytest.approx(course()[0][day], abs=4 * cells.std() / np.sqrt(cells.size))


def test_one_long_stretch_and_many_short_ones_agree(weekly):
    once = sampled(8_000, 182)
    for day in (182, 364):
        np.testing.assert_allclose((once[day] == 0).mean(), (weekly[day] == 0).mean(), atol=0.03)
        assert ks_2samp(once[day], weekly[day]).pvalue > 1e-4


def gillespie(cells, birth, death, days, drawn):
    """Single cells, one event after another, the plain way."""
    time = 0.0
    while cells:
        time += drawn.exponential(1 / (cells * (birth + death)))
        if time > days:
            break
        cells += 1 if drawn.random() < birth / (birth + death) else -1
    return cells


def test_single_cells_one_by_one_agree_with_both():
    birth, death, days, start = 0.05, 0.08, 30.0, 6
    drawn = np.random.default_rng(2)
    plain = np.array([gillespie(start, birth, death, days, drawn) for _ in range(4000)])
    growth = np.exp((birth - death) * days)
    births = birth * np.expm1((death - birth) * days) / (death - birth)  # the integral of birth / growth
    fast = cells_left(np.full(4000, start), growth, births, *drawn.random((2, 4000)))
    dead = float(extinction_probability(start * growth, births / start, start))
    assert (plain == 0).mean() == pytest.approx(dead, abs=0.035)
    assert (fast == 0).mean() == pytest.approx(dead, abs=0.035)
    for cells in range(1, 8):
        assert (plain <= cells).mean() == pytest.approx((fast <= cells).mean(), abs=0.045)


def test_cases_that_are_known_by_hand():
    assert extinction_probability(1.0, 0.0, 2.0) == pytest.approx(0.25)  # no births: each of two cells is alive with 1/2
    born = extinction_probability(4 * np.exp(2), (1 - np.exp(-2)) / 4, 4)  # births alone: nothing dies out
    assert born == pytest.approx(0, abs=1e-12)
    assert extinction_probability(1e12, 1e-14) == pytest.approx(0, abs=1e-12)
    assert extinction_probability(1e-9, 5.0) == pytest.approx(1)
    np.testing.assert_array_equal(cells_left([0, 5], [2.0, 1.0], [0.1, 0.0], [0.9, 0.9], [0.5, 0.5]), [0, 5])


def test_few_or_many_cells_at_the_start_meet():
    mean, exposure = course()
    assert extinction_probability(mean[182], exposure[182], 1e6) == pytest.approx(
        extinction_probability(mean[182], exposure[182]), rel=1e-4
    )


def none_by_hand(cells, mutation, ratio):
    """The probability of no resistant cell: exp(-rate * integral of the survival), without the end near x = 0."""
    rate = mutation * cells / (1 - ratio)
    integral = -(1 - ratio) * np.log1p(-ratio) / ratio if ratio else 1.0
    return np.exp(-rate * integral)


@pytest.mark.parametrize("death", [0.0, 0.02, 0.027])
def test_no_resistant_cell_at_the_start_as_often_as_it_should(death):
    drawn = np.random.default_rng(3)
    found = np.array([resistant_at_start(1e6, 3e-7, BIRTH, death, drawn) for _ in range(3000)])
    expected = none_by_hand(1e6, 3e-7, death / BIRTH)
    assert (found == 0).mean() == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 3000))


def test_small_numbers_follow_lea_and_coulson():
    """Without death: p0 = exp(-m), and r*p_r = m * sum of p_i/(r - i + 1) (Lea and Coulson, J Genet 1949;49:264)."""
    m, drawn = 0.8, np.random.default_rng(4)
    p = [np.exp(-m)]
    for r in range(1, 8):
        p.append(m / r * sum(p[i] / (r - i + 1) for i in range(r)))
    found = np.array([resistant_at_start(1e7, m / 1e7, 1.0, 0.0, drawn) for _ in range(6000)])
    for r, expected in enumerate(p):
        assert (found == r).mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / 6000))


def test_many_clones_drawn_as_a_sum_agree_with_all_drawn_singly(monkeypatch):
    drawn = np.random.default_rng(5)
    summed = np.array([resistant_at_start(1e9, 2e-5, BIRTH, 0.015, drawn) for _ in range(400)])
    monkeypatch.setattr("bence.simulate.extinction.MANY_CLONES", 1e9)
    single = np.array([resistant_at_start(1e9, 2e-5, BIRTH, 0.015, drawn) for _ in range(400)])
    np.testing.assert_allclose(np.quantile(summed, [0.2, 0.5, 0.8]), np.quantile(single, [0.2, 0.5, 0.8]), rtol=0.05)


def test_never_more_resistant_cells_than_cells_and_none_without_mutation():
    drawn = np.random.default_rng(6)
    assert resistant_at_start(1e11, 0.0, BIRTH, 0.0, drawn) == 0
    assert all(resistant_at_start(20, 0.9, BIRTH, 0.02, drawn) <= 20 for _ in range(50))
    with pytest.raises(ValueError, match="death < birth"):
        resistant_at_start(1e6, 1e-6, 0.01, 0.02, drawn)
