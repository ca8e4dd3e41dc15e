"""The fit: the parameters that are free, moved to the training targets by an ensemble smoother. Every fit is logged.

Free are the typical values with a range in `parameters.csv`, and a few spreads. Each lives on the logit of its place in the logarithmic
range; the prior is normal there, about the value of the table, with standard deviation `PRIOR`. Targets are compared as logits, with the
variance of the trial's and of the simulation's people, and `TRIALS` for what makes one trial differ from another.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from hashlib import sha256
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from ..model import Model, read_model
from .arms import arm_shares
from .ensemble import assimilate
from .targets import HOME, Target, read_targets

Floats = NDArray[np.float64]

SPREADS = {
    "log_sd of growth": (0.2, 1.2), "log_sd of t_fitness": (0.15, 1.0), "log_sd of tce_kill": (0.1, 1.5), "log_sd of car_kill": (0.1, 1.5),
    "log_sd of share_resistant": (0.8, 4.0), "log_sd of cd38_kill": (0.3, 2.0),
    "log_sd of imid_kill": (0.2, 1.5), "log_sd of pi_kill": (0.2, 1.5),
}  # fmt: skip
PRIOR = 0.8
TRIALS = 0.2  # standard deviation of a logit between trials alike
EDGE = 0.02  # a place nearer than this to an end of its range is at the bound
LOG, POSTERIOR = HOME / "log.jsonl", HOME / "posterior.csv"


class Free:
    """The free parameters, their ranges, and the way to and from the line on which they are fitted."""

    def __init__(self, model: Model) -> None:
        self.model = model
        ranges = {p.name: (p.low, p.high) for p in model.parameters if p.low is not None and p.high is not None} | SPREADS
        self.names = tuple(ranges)
        self.low, self.high = np.log(np.array(list(ranges.values()))).T
        by_name = {p.name: p for p in model.parameters}
        typical = [by_name[name].value if name in by_name else by_name[name.removeprefix("log_sd of ")].log_sd for name in self.names]
        self.centre = self.on_line(np.array(typical, np.float64))

    def on_line(self, values: Floats) -> Floats:
        """Values as logits of their places in the ranges."""
        return logit(np.clip((np.log(values) - self.low) / (self.high - self.low), 1e-6, 1 - 1e-6))

    def values(self, places: Floats) -> Floats:
        """Logits of places as values."""
        return np.exp(self.low + expit(places) * (self.high - self.low))

    def having(self, places: Floats) -> Model:
        """The model with the values at these places."""
        return self.model.having(dict(zip(self.names, self.values(places).tolist(), strict=True)))

    def at_bound(self, places: Floats) -> list[str]:
        """The parameters whose mean place is at an end of its range: a sign that the structure is wrong."""
        mean = expit(places).mean(axis=0)
        return [name for name, place in zip(self.names, mean, strict=True) if not EDGE < place < 1 - EDGE]


def by_arm(targets: Sequence[Target]) -> list[list[Target]]:
    """Targets of the same arm together."""
    return [list(group) for _, group in groupby(sorted(targets, key=lambda t: (t.trial, t.arm)), key=lambda t: (t.trial, t.arm))]


def simulated(models: Sequence[Model], targets: Sequence[Target], n: int, seed: int, workers: int) -> list[dict[str, float]]:
    """The shares of all targets under each model, arms in parallel."""
    arms = by_arm(targets)
    found: list[dict[str, float]] = [{} for _ in models]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for shares in pool.map(arm_shares, [models] * len(arms), arms, [n] * len(arms), [seed] * len(arms)):
            for whole, part in zip(found, shares, strict=True):
                whole |= part
    return found


def fit(*, members: int = 64, people: int = 100, steps: int = 4, seed: int = 1, workers: int = 2, note: str = "") -> dict[str, Any]:
    """Fit the free parameters to the training targets; write the posterior ensemble and a line of the log; return that line."""
    free, rng = Free(read_model()), np.random.default_rng(seed)
    targets = [target for target in read_targets() if target.role == "train"]
    half = 0.5 / people
    data = logit(np.clip([t.percent / 100 for t in targets], half, 1 - half))
    share = expit(data)
    variance = (1 / np.array([t.n for t in targets]) + 1 / people) / (share * (1 - share)) + TRIALS**2
    history: list[Mapping[str, float]] = []

    def simulate(ensemble: Floats, step: int) -> Floats:
        shares = simulated([free.having(places) for places in ensemble], targets, people, seed + 1000 * (step + 1), workers)
        mean = {t.key: float(np.mean([one[t.key] for one in shares])) for t in targets}
        history.append(mean)
        print(f"step {step}: {sum(t.hit(mean[t.key]) for t in targets)} of {len(targets)} training targets hit", flush=True)
        return logit(np.clip([[one[t.key] for t in targets] for one in shares], half, 1 - half))

    prior = free.centre + PRIOR * rng.standard_normal((members, len(free.names)))
    posterior = assimilate(prior, simulate, data, variance, steps, rng)
    _write(free, posterior)
    line = {
        "on": date.today().isoformat(), "note": note, "model": free.model.digest[:12], "targets": _digest(HOME / "targets.toml"),
        "seed": seed, "members": members, "people": people, "steps": steps, "history": history, "at_bound": free.at_bound(posterior),
        "mean": dict(zip(free.names, free.values(posterior.mean(axis=0)).round(5).tolist(), strict=True)),
    }  # fmt: skip
    with LOG.open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
    return line


def _write(free: Free, posterior: Floats) -> None:
    with POSTERIOR.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(free.names)
        out.writerows([[f"{value:.6g}" for value in row] for row in free.values(posterior).tolist()])


def posterior() -> list[dict[str, float]]:
    """The draws of the last fit: values by parameter."""
    with POSTERIOR.open(encoding="utf-8", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()[:12]


if __name__ == "__main__":
    fit()
