"""The published numbers that virtual patients are measured against (`targets.toml`), frozen before the first fit."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scipy.stats import binomtest

HOME = Path(__file__).parent
ROLES = ("train", "held_out", "kept_back", "kept_back_2", "kept_back_3")


@dataclass(frozen=True)
class Target:
    """One published share of one arm, and what one would say of it without a model."""

    trial: str
    arm: str
    n: int
    role: str
    measure: str
    percent: float
    tag: str
    source: str
    months: float | None = None
    naive: Mapping[str, list[str]] | None = None
    note: str = ""

    @property
    def key(self) -> str:
        """`trial/arm/measure`, with the months of a survival share."""
        return f"{self.trial}/{self.arm}/{self.measure}" + (f"@{self.months:g}" if self.months else "")

    @property
    def interval(self) -> tuple[float, float]:
        """The exact (Clopper-Pearson) 95 % interval of the published share, as shares of 1."""
        events = round(self.percent / 100 * self.n)
        found = binomtest(events, self.n).proportion_ci(0.95, "exact")
        return float(found.low), float(found.high)

    def hit(self, share: float) -> bool:
        """Whether a share (0 to 1) lies inside the published interval."""
        low, high = self.interval
        return low <= share <= high


@cache
def read_targets() -> tuple[Target, ...]:
    """All targets in the order of the file."""
    return tuple(Target(**row) for row in tomllib.loads((HOME / "targets.toml").read_text(encoding="utf-8"))["target"])


def naive(target: Target, targets: tuple[Target, ...]) -> float | None:
    """What one would say without a model: the share of the same class, or two arms joined as independent; None without a rule."""
    if target.naive is None:
        return None
    published = {(f"{one.trial}/{one.arm}", one.measure, one.months): one.percent / 100 for one in targets}
    (rule, arms), *_ = target.naive.items()
    shares = [published.get((arm, target.measure, target.months)) for arm in arms]
    known = [share for share in shares if share is not None]
    if len(known) < len(shares):
        return None
    left = 1.0
    for share in known:
        left *= 1 - share
    return known[0] if rule == "same" else 1 - left
