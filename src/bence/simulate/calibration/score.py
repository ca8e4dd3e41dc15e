"""The table of the calibration: what the trials published, what virtual people give, and what one would say without a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ..model import read_model
from .fit import Free, posterior, simulated
from .targets import ROLES, Target, naive, read_targets


@dataclass(frozen=True)
class Scored:
    """A target with the model's share (mean over draws of the posterior, and their 5 and 95 % points) and the naive one."""

    target: Target
    share: float
    low: float
    high: float
    naive: float | None

    @property
    def hit(self) -> bool:
        """Whether the mean share lies inside the published interval."""
        return self.target.hit(self.share)

    @property
    def naive_hit(self) -> bool | None:
        """The same of the naive share; None where there is none."""
        return None if self.naive is None else self.target.hit(self.naive)


def score(*, draws: int = 8, people: int = 500, seed: int = 101, roles: Iterable[str] = ROLES, workers: int = 2) -> list[Scored]:
    """Simulate the arms of all targets of these roles under draws of the posterior, `people` new ones a draw."""
    free, wanted = Free(read_model()), set(roles)
    drawn = posterior()[:draws]
    models = [free.model.having(values) for values in drawn] or [free.model]
    targets = [target for target in read_targets() if target.role in wanted]
    found = simulated(models, targets, people, seed, workers)
    return [_scored(target, [one[target.key] for one in found]) for target in targets]


def _scored(target: Target, shares: Sequence[float]) -> Scored:
    low, high = np.quantile(shares, [0.05, 0.95])
    return Scored(target, float(np.mean(shares)), float(low), float(high), naive(target, read_targets()))


def table(scored: Sequence[Scored]) -> pl.DataFrame:
    """One row a target, shares in percent; `hit` and `naive_hit`: inside the published 95 % interval."""
    return pl.DataFrame([
        {"role": one.target.role, "target": one.target.key, "n": one.target.n, "published": one.target.percent, "tag": one.target.tag,
         "low": round(100 * one.target.interval[0], 1), "high": round(100 * one.target.interval[1], 1), "model": round(100 * one.share, 1),
         "model_low": round(100 * one.low, 1), "model_high": round(100 * one.high, 1), "hit": one.hit,
         "naive": None if one.naive is None else round(100 * one.naive, 1), "naive_hit": one.naive_hit}
        for one in scored
    ])  # fmt: skip


def summary(scored: Sequence[Scored]) -> pl.DataFrame:
    """Hits by role: all targets, those not from memory, and model against naive where there is a naive share."""
    rows = table(scored)
    return rows.group_by("role", maintain_order=True).agg(
        targets=pl.len(), hits=pl.col("hit").sum(),
        read=(pl.col("tag") != "M").sum(), hits_read=(pl.col("hit") & (pl.col("tag") != "M")).sum(),
        with_naive=pl.col("naive").count(), hits_with_naive=(pl.col("hit") & pl.col("naive").is_not_null()).sum(),
        naive_hits=pl.col("naive_hit").sum(),
        mean_error=(pl.col("model") - pl.col("published")).abs().mean().round(1),
    )  # fmt: skip
