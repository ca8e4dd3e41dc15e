"""How one quantity is spread in a population: a share, categories, or a number with its median and spread.

Every marginal turns ranks (uniform between 0 and 1) into values, so that quantities whose ranks are correlated keep it.
The stated median stays the median when the range is cut off at `low` or `high`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtr, ndtri

from ..errors import ChartError

Array = NDArray[np.float64]
SPREADS = {"sd": "plain", "log_sd": "log", "logit_sd": "logit", "above": "log"}
TO = {"plain": lambda x: x, "log": np.log, "logit": logit}
FROM = {"plain": lambda x: x, "log": np.exp, "logit": expit}
FIELDS = {"what", "share", "shares", "median", *SPREADS, "low", "high", "tag", "source"}


@dataclass(frozen=True)
class Marginal:
    """A row of a target table; `kind` is flag, category or number."""

    what: str
    tag: str
    source: str
    share: float | None = None
    shares: Mapping[str, float] | None = None
    median: float | None = None
    scale: str = "plain"
    spread: float | None = None
    above: tuple[float, float] | None = None
    low: float | None = None
    high: float | None = None

    @property
    def kind(self) -> str:
        """What its values are: `flag`, `category` (numbers of the category, in order) or `number`."""
        return "flag" if self.share is not None else "category" if self.shares is not None else "number"

    @property
    def categories(self) -> tuple[str, ...]:
        """The names of the categories, in order."""
        return tuple(self.shares or ())

    def of(self, rank: Array) -> Array:
        """The values at these ranks: 1 or 0, the number of the category, or the number itself."""
        if self.share is not None:
            return (rank > 1 - self.share).astype(float)
        if self.shares is not None:
            edges = np.cumsum(list(self.shares.values()))[:-1]
            return np.searchsorted(edges, rank, side="right").astype(float)
        place, spread = self.normal
        first, last = self._cut(place, spread)
        inner = ndtri(np.clip(first + rank * (last - first), 1e-300, 1 - 1e-16))
        return np.clip(FROM[self.scale](place + spread * inner), self.low, self.high)

    @cached_property
    def normal(self) -> tuple[float, float]:
        """Mean and standard deviation, before the cut, of the normal distribution behind the number."""
        if self.above is None:
            assert self.spread is not None
            return self._place(self.spread), self.spread
        limit, share = self.above

        def miss(spread: float) -> float:
            place = self._place(spread)
            first, last = self._cut(place, spread)
            return float(last - ndtr((TO[self.scale](limit) - place) / spread)) / (last - first) - share

        wide = next((spread for spread in np.geomspace(0.02, 2, 24) if miss(spread) > 0), None)
        if wide is None:
            raise ChartError(f"{self.what}: no spread puts {share:g} of the people above {limit:g}", expected="another share")
        spread = root(miss, 0.01, wide)
        return self._place(spread), spread

    def _place(self, spread: float) -> float:
        """The mean before the cut that keeps the stated median after it."""
        middle = float(TO[self.scale](self.median))
        if self.low is None and self.high is None:
            return middle

        def miss(place: float) -> float:
            return place + spread * float(ndtri(sum(self._cut(place, spread)) / 2)) - middle

        return root(miss, middle - 6 * spread, middle + 6 * spread)

    def _cut(self, place: float, spread: float) -> tuple[float, float]:
        first = 0.0 if self.low is None else float(ndtr((TO[self.scale](self.low) - place) / spread))
        return first, 1.0 if self.high is None else float(ndtr((TO[self.scale](self.high) - place) / spread))


def root(of: Callable[[float], float], low: float, high: float) -> float:
    """Where a function of one number is zero between two others; ValueError if it has one sign at both."""
    return float(cast(float, brentq(of, low, high)))


def marginal(row: Mapping[str, Any], where: str) -> Marginal:
    """A marginal from a row of a population file; ChartError for a row that does not say one."""
    what, spreads = str(row.get("what")), [name for name in SPREADS if name in row]
    if unknown := set(row) - FIELDS:
        raise ChartError(f"{what} has an unknown field {sorted(unknown)[0]!r}", where=where, expected=", ".join(sorted(FIELDS)))
    if not {"what", "tag", "source"} <= set(row):
        raise ChartError(f"{what} lacks a tag or a source", where=where, expected="what, tag and source in every row")
    if sum(("share" in row, "shares" in row, "median" in row and len(spreads) == 1)) != 1:
        raise ChartError(f"{what} is not said in one way", where=where, expected="share, shares, or median with one spread")
    if "shares" in row and abs(sum(row["shares"].values()) - 1) > 1e-9:
        raise ChartError(f"the shares of {what} are {sum(row['shares'].values()):g} together", where=where, expected="1")
    if not spreads:
        return Marginal(**row)
    rest = {name: value for name, value in row.items() if name not in spreads}
    above = tuple(row["above"]) if "above" in row else None
    return Marginal(**rest, scale=SPREADS[spreads[0]], above=above, spread=None if above else row[spreads[0]])  # pyright: ignore[reportArgumentType]
