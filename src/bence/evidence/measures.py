"""Measures of effect from counts, with their 95 % intervals: crude, that is without regard to anything else the patients differ in."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from ..errors import UsageError

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A measure, the ends of its interval, and the method of the interval."""

    value: float
    low: float
    high: float
    method: str


def share(events: int, n: int, confidence: float = CONFIDENCE) -> Estimate:
    """The share of `n` who had the event, with Wilson's score interval (Wilson, J Am Stat Assoc 1927;22:209)."""
    from scipy.stats import binomtest  # takes long to load

    _check(events, n)
    interval = binomtest(events, n).proportion_ci(confidence, method="wilson")
    return Estimate(events / n, float(interval.low), float(interval.high), "Wilson")


def risk_ratio(events: int, n: int, events_against: int, n_against: int, confidence: float = CONFIDENCE) -> Estimate:
    """The share of one group over that of another, with the interval of Katz on the logarithm (Biometrics 1978;34:469).

    UsageError if a count is impossible or if nobody in the other group had the event.
    """
    from scipy.stats.contingency import relative_risk  # takes long to load

    _check(events, n)
    _check(events_against, n_against)
    if not events_against:
        raise UsageError("there is no risk ratio where nobody in the other group had the event", expected="a difference instead")
    found = relative_risk(events, n, events_against, n_against)
    interval = found.confidence_interval(confidence)
    return Estimate(float(found.relative_risk), float(interval.low), float(interval.high), "Katz")


def risk_difference(
    events: float, n: int, events_against: float, n_against: int, method: str = "wald", confidence: float = CONFIDENCE
) -> Estimate:
    """The share of one group minus that of another, as a share.

    `method`: `wald`, the plain normal interval, which takes a count that is not whole (a percentage times `n`); or `newcombe`, from
    Wilson's intervals, better for few patients or shares near 0 or 1 (Newcombe, Stat Med 1998;17:873, method 10). UsageError
    for an impossible count or another method.
    """
    _check(events, n)
    _check(events_against, n_against)
    a, b = events / n, events_against / n_against
    if method == "wald":
        half = NormalDist().inv_cdf((1 + confidence) / 2) * sqrt(a * (1 - a) / n + b * (1 - b) / n_against)
        return Estimate(a - b, a - b - half, a - b + half, "Wald")
    if method != "newcombe":
        raise UsageError(f"there is no interval {method!r}", expected="wald or newcombe")
    if events % 1 or events_against % 1:
        raise UsageError(f"Newcombe's interval needs whole counts, not {events} and {events_against}", nearest="wald")
    one, other = share(int(events), n, confidence), share(int(events_against), n_against, confidence)
    below = sqrt((a - one.low) ** 2 + (other.high - b) ** 2)
    above = sqrt((one.high - a) ** 2 + (b - other.low) ** 2)
    return Estimate(a - b, a - b - below, a - b + above, "Newcombe")


def whole_counts(percent: float, n: int, digits: int = 0) -> list[int]:
    """The counts of `n` that print as this percentage with so many digits after the point, e.g. 40 of 124 alone for 32 %."""
    return [count for count in range(n + 1) if abs(100 * count / n - percent) <= 0.5 * 10**-digits + 1e-9]


def nearest_count(percent: float, n: int) -> int:
    """The whole count nearest to a percentage of `n`."""
    return round(percent * n / 100)


def _check(events: float, n: int) -> None:
    if n < 1 or not 0 <= events <= n:
        raise UsageError(f"{events} of {n} cannot be", expected="a count between 0 and the number of patients")
