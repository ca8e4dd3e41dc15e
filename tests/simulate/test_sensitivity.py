"""Rank correlations of parameters with outcomes: against SciPy, by regression, and on people whose cause is known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from bence.errors import UsageError
from bence.simulate.protocols import read_protocol
from bence.simulate.sensitivity import acts, correlations, interval, partial_correlations, residuals, sensitivity
from bence.simulate.trial import Trial

rng = np.random.default_rng(3)


def ranked(values: np.ndarray) -> np.ndarray:
    return stats.rankdata(values, axis=-1)


def test_the_plain_correlation_is_that_of_spearman():
    values, outcome = rng.integers(0, 9, (4, 60)).astype(float), rng.integers(0, 9, 60).astype(float)
    found = correlations(ranked(values), ranked(outcome))
    assert found == pytest.approx([stats.spearmanr(row, outcome).statistic for row in values])


def test_the_partial_correlation_is_that_of_the_residuals_of_regressions():
    values = rng.standard_normal((5, 80))
    values[1] += values[0]
    outcome = values[0] - 2 * values[2] + rng.standard_normal(80)
    ranks, score = ranked(values), ranked(outcome)
    found = partial_correlations(ranks, score)
    for row in range(5):
        others = np.vstack([np.ones(80), np.delete(ranks, row, axis=0)]).T
        left = [told - others @ np.linalg.lstsq(others, told, rcond=None)[0] for told in (ranks[row], score)]
        assert found[row] == pytest.approx(np.corrcoef(*left)[0, 1], abs=1e-9)


def test_a_parameter_that_only_goes_with_the_cause_has_a_plain_correlation_and_no_partial_one():
    cause = rng.standard_normal(3000)
    companion = cause + rng.standard_normal(3000)
    values = np.vstack([cause, companion])
    ranks, score = ranked(values), ranked(cause + 0.5 * rng.standard_normal(3000))
    assert correlations(ranks, score)[1] > 0.5
    assert abs(partial_correlations(ranks, score)[1]) < 0.15


def test_log_rank_scores_of_two_groups_are_the_log_rank_statistic():
    days = np.round(rng.exponential(300, 120)) + 1
    event, treated = rng.random(120) < 0.7, rng.random(120) < 0.5
    observed_less_expected = 0.0
    for at in np.unique(days[event]):
        risk = days >= at
        deaths = (event & (days == at)).sum()
        observed_less_expected += (event & (days == at) & treated).sum() - deaths * (risk & treated).sum() / risk.sum()
    assert residuals(days, event)[treated].sum() == pytest.approx(observed_less_expected)
    assert residuals(days, event).sum() == pytest.approx(0, abs=1e-9)


def test_an_outcome_that_is_the_same_in_everybody_has_no_correlation():
    ranks = ranked(rng.standard_normal((2, 30)))
    assert np.isnan(correlations(ranks, np.ones(30))).all()
    assert np.isnan(partial_correlations(ranks, np.ones(30))).all()
    assert np.isnan(partial_correlations(ranked(rng.standard_normal((20, 30))), ranked(rng.standard_normal(30)))).all(), "too few people"


def test_the_interval_covers_the_truth_as_often_as_it_says():
    truth, n, hits = 0.5, 60, 0
    true_rank = 6 / np.pi * np.arcsin(truth / 2)
    for _ in range(400):
        one = rng.standard_normal(n)
        other = truth * one + np.sqrt(1 - truth**2) * rng.standard_normal(n)
        rho = correlations(ranked(one[None]), ranked(other))
        low, high = interval(rho, n, np.sqrt(1 + rho**2 / 2))
        hits += bool(low[0] <= true_rank <= high[0])
    assert 0.91 <= hits / 400 <= 0.985


@pytest.mark.parametrize(
    ("parameter", "given", "can"),
    [
        ("pi_kill", {"bcma"}, False), ("pi_kill", {"pi"}, True), ("tce_kill", {"gprc5d"}, True), ("tce_kill", {"car"}, False),
        ("growth", {"pi"}, True), ("bcma_receptors", {"car"}, True), ("gprc5d_receptors", {"bcma"}, False), ("t_fitness", {"pi"}, True),
        ("car_peak", {"bcma"}, False), ("igg_normal", set(), True),
    ],
)  # fmt: skip
def test_the_parameters_of_a_drug_that_nobody_had_are_left_out(parameter: str, given: set[str], can: bool):
    assert acts(parameter, frozenset(given)) == can


def test_without_courses_or_with_too_few_people_it_says_so(small_trial: Trial):
    protocol = read_protocol("majestec-1")
    with pytest.raises(UsageError, match="not kept"):
        sensitivity(Trial(protocol, 1, small_trial.patients))


def test_resistance_of_t_cells_shortens_the_time_to_progression_on_a_bispecific(small_trial: Trial):
    table = sensitivity(small_trial)
    row = table.row(by_predicate=(pl.col("parameter") == "t_resistant") & (pl.col("outcome") == "pfs"), named=True)
    assert row["rho_high"] < 0
    assert set(table["outcome"]) == {"pfs", "depth"}
    assert table.filter(table["parameter"].str.starts_with("pi_")).is_empty()
