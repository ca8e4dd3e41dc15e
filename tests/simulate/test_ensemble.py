"""The ensemble smoother against the exact posterior of a linear model with Gaussian errors."""

from __future__ import annotations

import numpy as np

from bence.simulate.calibration.ensemble import assimilate


def test_a_linear_model_has_its_exact_posterior():
    rng = np.random.default_rng(3)
    slopes = np.array([[1.0, 0.5], [0.0, 2.0], [1.0, -1.0]])
    data, variance = np.array([1.0, 2.0, 0.2]), np.array([0.3, 0.2, 0.5])
    found = assimilate(rng.standard_normal((20_000, 2)), lambda ensemble, _: ensemble @ slopes.T, data, variance, 4, rng)
    precision = np.eye(2) + slopes.T @ np.diag(1 / variance) @ slopes
    exact = np.linalg.solve(precision, slopes.T @ (data / variance))
    assert np.allclose(found.mean(axis=0), exact, atol=0.02)
    assert np.allclose(np.cov(found.T), np.linalg.inv(precision), atol=0.02)


def test_what_the_data_say_nothing_of_keeps_its_prior():
    rng = np.random.default_rng(4)
    found = assimilate(rng.standard_normal((5_000, 2)), lambda ensemble, _: ensemble[:, :1], np.array([2.0]), np.array([0.1]), 4, rng)
    assert abs(found[:, 1].mean()) < 0.05
    assert abs(found[:, 1].std() - 1) < 0.05
