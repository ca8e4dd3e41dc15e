"""Kaplan–Meier: what share is free of an event after so many days, with its interval, from follow-up that ends early for many.

The estimate and its log-log interval are those of scipy; the interval of the median is that of Brookmeyer and Crowley on the same
band, so that it lies where the band crosses a half.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

HALF = 0.5
NEAR = 1e-9  # a half that is a product of fractions is rarely exact


@dataclass(frozen=True)
class Curve:
    """A survival curve. `days`: where it falls, `free`: the share after it, `low` and `high`: 95 %; `censored`: days of the marks.

    `median`, `median_low`, `median_high` in days; None: not reached.
    """

    patients: int
    events: int
    days: tuple[float, ...]
    free: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    censored: tuple[float, ...]
    median: float | None
    median_low: float | None
    median_high: float | None
    follow_up: tuple[float, ...]

    def at_risk(self, day: float) -> int:
        """How many were still followed, and free of the event, right before a day."""
        return int(np.searchsorted(-np.asarray(self.follow_up), -day, side="right"))

    def free_at(self, day: float) -> float:
        """The share that is free of the event on a day."""
        return self.band_at(day)[0]

    def band_at(self, day: float) -> tuple[float, float, float]:
        """That share with its 95 % interval."""
        place = int(np.searchsorted(np.asarray(self.days), day, side="right"))
        return (self.free[place - 1], self.low[place - 1], self.high[place - 1]) if place else (1.0, 1.0, 1.0)


def kaplan_meier(days: Sequence[float] | np.ndarray, event: Sequence[bool] | np.ndarray) -> Curve:
    """The curve of durations in days (0 or more), each with whether the event ended it.

    >>> curve = kaplan_meier([6, 6, 6, 7, 10], [True, True, True, True, False])
    >>> [round(share, 2) for share in curve.free], curve.median, curve.at_risk(7)
    ([0.4, 0.2], 6.0, 2)
    """
    from scipy.stats import CensoredData, ecdf  # takes long to load

    time, ended = np.asarray(days, float), np.asarray(event, bool)
    if not time.size:
        return Curve(0, 0, (), (), (), (), (), None, None, None, ())
    found = ecdf(CensoredData.right_censored(time, ~ended)).sf
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # the band is undefined where nobody is left
        band = found.confidence_interval(method="log-log")
    falls = np.isin(found.quantiles, time[ended])
    at, free = found.quantiles[falls], found.probabilities[falls]
    low, high = band.low.probabilities[falls], band.high.probabilities[falls]
    return Curve(
        patients=int(time.size),
        events=int(ended.sum()),
        days=tuple(at.tolist()),
        free=tuple(free.tolist()),
        low=tuple(np.where(np.isnan(low), free, low).tolist()),
        high=tuple(np.where(np.isnan(high), free, high).tolist()),
        censored=tuple(np.sort(time[~ended]).tolist()),
        median=_first(at, free),
        median_low=_first(at, low),
        median_high=_first(at, high),
        follow_up=tuple(np.sort(time)[::-1].tolist()),
    )


def _first(days: np.ndarray, share: np.ndarray) -> float | None:
    """The first day on which a share is no more than a half."""
    below = days[share <= HALF + NEAR]
    return float(below[0]) if below.size else None
