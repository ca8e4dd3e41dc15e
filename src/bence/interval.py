"""What may be known of a number: a value, a range, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan

TOLERANCE = 1e-9
"""Two numbers closer than this are the same number, in every comparison of a rule."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A number known to lie between `lo` and `hi`; an open end is not itself possible."""

    lo: float = -inf
    hi: float = inf
    lo_open: bool = False
    hi_open: bool = False

    def __post_init__(self) -> None:
        """Refuse an interval that holds no number."""
        empty = self.lo > self.hi or (self.lo == self.hi and (self.lo_open or self.hi_open))
        if empty or isnan(self.lo) or isnan(self.hi):
            raise ValueError(f"no number lies in {self}; expected the lower end first")

    def __str__(self) -> str:
        """The mathematician's way: [3.5, 5.5)."""
        return f"{'(' if self.lo_open else '['}{self.lo:g}, {self.hi:g}{')' if self.hi_open else ']'}"

    def __contains__(self, x: object) -> bool:
        """True if `x` is a number of the interval."""
        if not isinstance(x, (int, float)):
            return False
        return (self.lo < x or (self.lo == x and not self.lo_open)) and (x < self.hi or (x == self.hi and not self.hi_open))

    @property
    def exact(self) -> bool:
        """True if one number is left."""
        return self.lo == self.hi

    def within(self, other: Interval) -> Interval | None:
        """What both intervals hold, or None."""
        lo, lo_open = max((self.lo, self.lo_open), (other.lo, other.lo_open))
        hi, hi_closed = min((self.hi, not self.hi_open), (other.hi, not other.hi_open))
        if lo > hi or (lo == hi and (lo_open or not hi_closed)):
            return None
        return Interval(lo, hi, lo_open, not hi_closed)


ANY_NUMBER = Interval()
NOT_NEGATIVE = Interval(0.0)
PERCENT = Interval(0.0, 100.0)


def below(x: float) -> Interval:
    """Less than `x`, as a laboratory writes `<0.5`."""
    return Interval(hi=x, hi_open=True)


def at_most(x: float) -> Interval:
    """`x` or less."""
    return Interval(hi=x)


def above(x: float) -> Interval:
    """More than `x`, as a laboratory writes `>100`."""
    return Interval(lo=x, lo_open=True)


def at_least(x: float) -> Interval:
    """`x` or more."""
    return Interval(lo=x)


def between(lo: float, hi: float, *, lo_open: bool = False, hi_open: bool = False) -> Interval:
    """From `lo` to `hi`, ends included unless said otherwise."""
    return Interval(lo, hi, lo_open, hi_open)
