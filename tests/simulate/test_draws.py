"""Addressed random numbers: the same for the same address, and for others as good as independent."""

import numpy as np
import pytest
from scipy.stats import kstest, norm

from bence.simulate.draws import normal, stream, uniform

FIRST = [0.20261236484964912, 0.6947365161175612, 0.012465247321742534]


def test_a_number_belongs_to_its_address_whoever_else_is_asked_about():
    everyone = uniform(7, "death", np.arange(1000), 28)
    some = np.array([999, 3, 4, 3, 500])
    np.testing.assert_array_equal(uniform(7, "death", some, 28), everyone[some])
    np.testing.assert_array_equal(uniform(7, "death", np.array([[17], [18]]), 28), everyone[[[17], [18]]])
    assert uniform(7, "death", np.array([], int), 28).shape == (0,)


def test_the_numbers_of_a_seed_never_change():
    """Written down once: results of a seed are compared between versions."""
    np.testing.assert_allclose(uniform(7, "death", np.arange(3), 28), FIRST, rtol=1e-15)


def test_numbers_of_other_addresses_are_not_alike():
    patient = np.arange(20_000)
    base = uniform(7, "death", patient, 28)
    others = {
        "seed": uniform(8, "death", patient, 28),
        "purpose": uniform(7, "dropout", patient, 28),
        "time": uniform(7, "death", patient, 29),
        "time before": uniform(7, "death", patient, -28),
        "patient": uniform(7, "death", patient + 1, 28),
        "four on": uniform(7, "death", patient + 4, 28),
    }
    for label, other in others.items():
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.03, label


def test_they_are_uniform_and_normal():
    patient = np.arange(20_000)
    assert kstest(uniform(1, "a", patient), "uniform").pvalue > 1e-4
    assert kstest(normal(1, "a", patient), norm.cdf).pvalue > 1e-4
    assert np.isfinite(normal(1, "a", patient)).all()


def test_a_stream_is_a_patients_own_and_shares_nothing_with_the_single_draws():
    own = stream(7, "clones", 5).random(8)
    np.testing.assert_array_equal(stream(7, "clones", 5).random(8), own)
    others = [stream(7, "clones", 6), stream(7, "clones", 5, time=1), stream(8, "clones", 5), stream(7, "visits", 5)]
    for other in others:
        assert not np.isin(other.random(50), own).any()
    assert not np.isin(uniform(7, "clones", np.arange(100)), own).any()


def test_patients_are_numbered_from_zero():
    with pytest.raises(ValueError, match="patient -1"):
        uniform(7, "death", np.array([-1, 0]))
