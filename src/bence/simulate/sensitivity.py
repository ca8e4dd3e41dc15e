"""What the outcome of virtual patients hangs on: rank correlation of their parameters with it, alone and with the others taken out.

It is a property of the model and of the spreads assumed in it, and tells what to measure or assume better; it says nothing of patients.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import rankdata

from ..errors import UsageError
from .blood import CLONES, cells
from .courses import Courses
from .measurement import marrow_share
from .products import product
from .trial import Trial

Floats = NDArray[np.float64]

OUTCOMES = ("pfs", "depth")
SENSITIVITY: dict[str, type[pl.DataType]] = {
    "arm": pl.String, "outcome": pl.String, "parameter": pl.String, "what_en": pl.String, "what_zh": pl.String, "people": pl.Int64,
    "rho": pl.Float64, "rho_low": pl.Float64, "rho_high": pl.Float64, "partial": pl.Float64, "partial_low": pl.Float64,
    "partial_high": pl.Float64,
}  # fmt: skip
LEAST = 20  # people of an arm, for a correlation
FOLD = 3  # people for each parameter, for a partial one
DOSED = ("bcma", "gprc5d", "fcrh5", "cd38", "adc", "car", "pi", "imid", "alkylator", "steroid", "gsi", "checkpoint")  # first words of names
BISPECIFIC = ("bcma", "gprc5d", "fcrh5")
SAME = 0.999  # rank correlation from which two parameters are one
Z = 1.959964


def sensitivity(trial: Trial) -> pl.DataFrame:
    """One row an arm, outcome and parameter that differs between people (`SENSITIVITY`), those that matter most first.

    Outcomes: `pfs`, time to progression or death as log-rank scores, so that the censored count; `depth`, the lowest true share
    of the marrow that was myeloma (lower is better). A positive correlation: the higher the parameter, the better. `partial`: with the
    ranks of the other parameters taken out; null where people are too few. UsageError for a trial whose courses were not kept, or with
    too few people.
    """
    if trial.courses is None:
        raise UsageError("the courses of so many people are not kept", expected="at most 5,000 people")
    arms = trial.patients["arm"].to_numpy()
    tables = [_of_arm(trial, trial.courses, arm, np.flatnonzero(arms == arm)) for arm in trial.protocol.arms]
    found = [table for table in tables if table is not None]
    if not found:
        raise UsageError(f"no arm has {LEAST} people", expected="more patients")
    return pl.concat(found)


def _of_arm(trial: Trial, courses: Courses, arm: str, rows: NDArray[np.intp]) -> pl.DataFrame | None:
    if rows.size < LEAST:
        return None
    names, values = _differing(courses, rows)
    ranks = rankdata(values, axis=1)
    own = trial.patients[rows]
    outcomes = {
        "pfs": -residuals(own["pfs_days"].to_numpy(), own["pfs_event"].to_numpy()),
        "depth": -np.nanmin(marrow_share(cells({name: courses.state(name) for name in CLONES}))[:, rows], axis=0),
    }
    tables = []
    about = {p.name: p for p in courses.people.model.parameters}
    for outcome, told in outcomes.items():
        score = rankdata(told)
        rho, partial = correlations(ranks, score), partial_correlations(ranks, score)
        low, high = interval(rho, rows.size, spread=np.sqrt(1 + rho**2 / 2))
        low_partial, high_partial = interval(partial, rows.size - len(names) + 1)
        tables.append(pl.DataFrame({
            "arm": [arm] * len(names), "outcome": [outcome] * len(names), "parameter": names, "people": [rows.size] * len(names),
            "what_en": [about[name].what_en for name in names], "what_zh": [about[name].what_zh for name in names],
            "rho": rho, "rho_low": low, "rho_high": high, "partial": partial, "partial_low": low_partial, "partial_high": high_partial,
        }, nan_to_null=True).select(pl.col(name).cast(kind) for name, kind in SENSITIVITY.items()))  # fmt: skip
    table = pl.concat(tables)
    most = pl.coalesce("partial", "rho").abs().fill_null(0)
    first = pl.col("outcome").replace_strict({name: place for place, name in enumerate(OUTCOMES)})
    return table.sort(first, most, descending=[False, True], maintain_order=True)


def _differing(courses: Courses, rows: NDArray[np.intp]) -> tuple[list[str], Floats]:
    """The parameters that differ between these people and can act; of two that rank them alike, the first."""
    values = courses.people.parameters[:, rows]
    names = [p.name for p in courses.people.model.parameters]
    acting = [acts(name, dosed(courses)) for name in names]
    kept: list[int] = []
    ranks: list[Floats] = []
    for row in np.flatnonzero((np.ptp(values, axis=1) > 0) & acting):
        rank = rankdata(values[row])
        if all(abs(np.corrcoef(rank, other)[0, 1]) < SAME for other in ranks):
            kept.append(int(row))
            ranks.append(rank)
    return [names[row] for row in kept], values[kept]


def dosed(courses: Courses) -> frozenset[str]:
    """The first words of the states into which anybody was given a drug (bcma, car, pi, ...)."""
    return frozenset(product(drug).state.split("_")[0] for drug in courses.given["drug"].unique())


def acts(parameter: str, given: frozenset[str]) -> bool:
    """Can a parameter act where drugs were given into these states? Those of a drug that nobody had cannot."""
    first = parameter.split("_")[0]
    if parameter.endswith("_receptors"):
        return first in given or bool({"car", "adc"} & given and first == "bcma")
    if first == "tce":
        return not given.isdisjoint(BISPECIFIC)
    return first not in DOSED or first in given


def residuals(days: Floats, event: NDArray[np.bool_]) -> Floats:
    """Log-rank scores: events had minus events expected by then (Nelson–Aalen); high for who had the event early.

    >>> residuals(np.array([1.0, 2.0]), np.array([True, True])).tolist()
    [0.5, -0.5]
    """
    at, counts = np.unique(days, return_counts=True)
    place = np.searchsorted(at, days)
    risk = counts[::-1].cumsum()[::-1]
    expected = np.cumsum(np.bincount(place, event.astype(float), at.size) / risk)
    return event - expected[place]


def correlations(ranks: Floats, score: Floats) -> Floats:
    """Spearman's correlation of each row of ranks with the ranks of an outcome; NaN where all have the same outcome."""
    if np.ptp(score) == 0:
        return np.full(len(ranks), np.nan)
    rows = ranks - ranks.mean(axis=1, keepdims=True)
    told = score - score.mean()
    return np.asarray(rows @ told / np.sqrt((rows**2).sum(axis=1) * (told**2).sum()))


def partial_correlations(ranks: Floats, score: Floats) -> Floats:
    """The same with all other rows taken out of both; NaN where people are too few or the outcome does not vary."""
    if np.ptp(score) == 0 or ranks.shape[1] < FOLD * len(ranks):
        return np.full(len(ranks), np.nan)
    precision = np.linalg.pinv(np.corrcoef(np.vstack([ranks, score])))
    return np.asarray(-precision[:-1, -1] / np.sqrt(np.diag(precision)[:-1] * precision[-1, -1]))


def interval(rho: Floats, people: int, spread: Floats | float = 1.0) -> tuple[Floats, Floats]:
    """The 95 % interval of a correlation of so many people by Fisher's z; `spread` as of Bonett and Wright for ranks (2000)."""
    middle = np.arctanh(np.clip(rho, -0.999999, 0.999999))
    half = Z * spread / np.sqrt(max(people - 3, 1))
    return np.tanh(middle - half), np.tanh(middle + half)
