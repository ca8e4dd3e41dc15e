"""Ensemble smoother with multiple data assimilation: a posterior from a few hundred runs of a simulator that has no gradient.

Emerick and Reynolds, Computers & Geosciences 2013;55:3: an ensemble drawn from the prior is moved to the data several times, each time
with the variance of the data inflated by `steps`; for a linear model with Gaussian errors the ensemble is then the posterior. Covariances
of a small ensemble are shrunk by what chance alone would put into them, so that a parameter does not follow an arm it has no part in.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def assimilate(
    prior: Floats, simulate: Callable[[Floats, int], Floats], data: Floats, variance: Floats, steps: int, rng: np.random.Generator
) -> Floats:
    """The posterior ensemble [member, parameter] from the prior one.

    `simulate(ensemble, step)` gives the outputs [member, target]; `data` and `variance` are those of the targets, on the same scale.
    """
    ensemble = prior
    for step in range(steps):
        outputs = simulate(ensemble, step)
        wanted = _perturbed(data, steps * variance, len(prior), rng)
        ensemble = ensemble + (wanted - outputs) @ _gain(ensemble, outputs, steps * variance).T
    return ensemble


def _perturbed(data: Floats, variance: Floats, members: int, rng: np.random.Generator) -> Floats:
    noise = rng.standard_normal((members, len(data)))
    return data + np.sqrt(variance) * (noise - noise.mean(axis=0))


def _gain(ensemble: Floats, outputs: Floats, variance: Floats) -> Floats:
    """Kalman gain [parameter, target] from the covariances of the ensemble."""
    parts, told = ensemble - ensemble.mean(axis=0), outputs - outputs.mean(axis=0)
    cross, own = parts.T @ told / (len(ensemble) - 1), told.T @ told / (len(ensemble) - 1)
    alike = (cross / np.outer(parts.std(axis=0, ddof=1), np.maximum(told.std(axis=0, ddof=1), 1e-12))) ** 2
    cross *= alike / (alike + 1 / (len(ensemble) - 1))
    return cross @ np.linalg.inv(own + np.diag(variance))
