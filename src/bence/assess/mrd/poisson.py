"""Counting few cells: what a number of cells can see, and what a number of events says of the level.

Clonal cells in a sample are counted as Poisson: of `cells` looked at, with a share `level` clonal, `level × cells` events are
expected. Intervals are exact (Garwood), so that they cover at least what they promise; the ratio of two levels is exact
given the sum of the two counts (Clopper–Pearson). Source: Garwood F, Biometrika 1936;28:437-42.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

GENOME = 6.5e-12  # grams of DNA in one diploid cell

Floats = NDArray[np.float64]


def cells_needed(level: float, events: int = 1, chance: float = 0.95) -> float:
    """How many cells show at least so many `events` of a clone at this `level`, with this `chance`.

    >>> f"{cells_needed(1e-6):.1e} {cells_needed(1e-5, events=20):.2e}"
    '3.0e+06 2.79e+06'
    """
    from scipy.special import gammaincinv

    return float(gammaincinv(events, chance)) / level


def chance_to_see(level: float, cells: float, events: int = 1) -> float:
    """The chance that so many `cells` show at least so many `events` of a clone at this `level`.

    >>> round(chance_to_see(2e-6, 1e7, events=20), 2)
    0.53
    """
    from scipy.special import gammainc

    return float(gammainc(events, level * cells))


def cells_of_dna(grams: float) -> float:
    """The diploid cells that a mass of DNA comes from.

    >>> round(cells_of_dna(20e-6))
    3076923
    """
    return grams / GENOME


def garwood(events: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """The exact two-sided interval of the events expected, when so many were seen; nan for nan.

    >>> low, high = garwood(0)
    >>> float(low), round(float(high), 2)
    (0.0, 3.69)
    """
    from scipy.special import gammaincinv

    seen, place = _distinct(events)
    tail = (1 - confidence) / 2
    low = np.where(seen > 0, gammaincinv(np.maximum(seen, 1e-300), tail), np.where(np.isnan(seen), np.nan, 0.0))
    return low[place], gammaincinv(seen + 1, 1 - tail)[place]


def below(events: ArrayLike, expected: ArrayLike) -> Floats:
    """P(level below a threshold), when so many events were seen and the threshold would have made one expect `expected`.

    One minus the chance of seeing so few events at the threshold: 0.95 or more is the one-sided exact test at 5 %
    (also the posterior of a flat prior). nan for nan.
    """
    from scipy.special import gammainc

    return gammainc(np.asarray(events, float) + 1, np.asarray(expected, float))


def ratio(before: ArrayLike, after: ArrayLike, cells_before: ArrayLike, cells_after: ArrayLike,
          confidence: float = 0.95) -> tuple[Floats, Floats]:  # fmt: skip
    """The exact interval of level after / level before, from the events and cells of both; nan where both saw none.

    >>> low, high = ratio(10, 40, 1e6, 1e6)
    >>> round(float(low), 2), round(float(high), 2)
    (1.97, 8.97)
    """
    from scipy.special import betaincinv

    first, second = np.asarray(before, float), np.asarray(after, float)
    tail, odds = (1 - confidence) / 2, np.asarray(cells_before, float) / np.asarray(cells_after, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(second > 0, betaincinv(np.maximum(second, 1e-300), first + 1, tail), 0.0)
        high = np.where(first > 0, betaincinv(second + 1, np.maximum(first, 1e-300), 1 - tail), 1.0)
        unknown = np.isnan(first + second) | (first + second == 0)
        low, high = (np.where(unknown, np.nan, share / (1 - share) * odds) for share in (low, high))
    return low, high


def _distinct(events: ArrayLike) -> tuple[Floats, NDArray[np.intp]]:
    """Every number of events once, and where each belongs: of a cohort most samples saw the same few."""
    whole = np.asarray(events, float)
    seen, place = np.unique(whole, return_inverse=True)
    return seen, place.reshape(whole.shape)
