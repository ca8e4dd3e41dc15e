"""Whom virtual people are drawn from: target tables, how quantities go together, and what earlier lines were.

`populations/*.toml` holds one population a file; `like` names the one whose rows it keeps where it has none of its own.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import multivariate_normal

from ..catalogue import nearest
from ..errors import ChartError, UsageError
from .marginals import Array, Marginal, marginal, root

HOME = Path(__file__).parent
FOLDER = HOME / "populations"
B2M_HIGH, B2M_LOW, ALBUMIN_LOW = 5.5, 3.5, 35  # the limits of ISS: staging.iss


@dataclass(frozen=True)
class Population:
    """A target table with a name; `code` begins the identifiers of its people, `protocol` is what they go through unless told.

    `earlier` is the era of their earlier lines (`earlier_lines.toml`).
    """

    key: str
    code: str
    setting: str
    protocol: str
    earlier: str
    name: dict[str, str]
    targets: dict[str, Marginal]


def populations() -> list[str]:
    """The keys of all populations, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def read_population(key: str) -> Population:
    """A population by its key; UsageError if there is none, ChartError if its file is wrong."""
    path = FOLDER / f"{key}.toml"
    if key not in populations():
        raise UsageError(f"there is no population {key!r}", expected=", ".join(populations()), nearest=nearest(key, populations()))
    told: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    rows = [marginal(row, path.name) for row in told["target"]]
    own = {row.what: row for row in rows}
    if len(own) < len(rows):
        raise ChartError("a quantity is told twice", where=path.name, expected="one row a quantity")
    kept = read_population(told["like"]) if "like" in told else None
    protocol, targets = told.get("protocol") or (kept.protocol if kept else ""), (kept.targets if kept else {}) | own
    return Population(key, told["code"], told["setting"], protocol, told.get("earlier", "today"), told["name"], targets)


@cache
def correlations() -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """The correlated quantities, in alphabetical order, and the lower Cholesky factor of their correlations.

    ChartError if the table contradicts itself (it is no correlation matrix).
    """
    table = pl.read_csv(HOME / "correlations.csv")
    names = tuple(sorted({*table["a"], *table["b"]}))
    place, matrix = {name: i for i, name in enumerate(names)}, np.eye(len(names))
    for a, b, value in table.select("a", "b", "value").iter_rows():
        matrix[place[a], place[b]] = matrix[place[b], place[a]] = value
    try:
        return names, np.asarray(np.linalg.cholesky(matrix), np.float64)
    except np.linalg.LinAlgError:
        raise ChartError("these correlations cannot all hold", where="correlations.csv", expected="a positive definite matrix") from None


def correlation(a: str, b: str) -> float:
    """The correlation of two quantities of the table."""
    names, lower = correlations()
    return float((lower @ lower.T)[names.index(a), names.index(b)])


@cache
def b2m_scale(iss: tuple[float, float, float], albumin: Marginal) -> tuple[float, float]:
    """Mean and standard deviation of ln b2m (mg/L) that give these shares of ISS I, II and III beside this albumin.

    ChartError if no log-normal b2m does.
    """
    first, _, third = iss
    rho = correlation("b2m", "albumin")
    low = float(ndtri(_rank_of(albumin, ALBUMIN_LOW)))
    joint = multivariate_normal(mean=[0, 0], cov=[[1, rho], [rho, 1]])  # pyright: ignore[reportArgumentType]

    def miss(z: float) -> float:
        return float(ndtr(z)) - float(joint.cdf([z, low])) - first

    high = float(ndtri(1 - third))
    if miss(8) <= 0 or (below := root(miss, -8, 8)) >= high:
        raise ChartError(f"no b2m gives ISS {iss} beside an albumin of {albumin.median:g} g/L", where="iss", expected="other shares")
    spread = np.log(B2M_HIGH / B2M_LOW) / (high - below)
    return float(np.log(B2M_HIGH) - spread * high), float(spread)


def _rank_of(number: Marginal, value: float) -> float:
    """The rank at which a number reaches a value."""
    return root(lambda rank: float(number.of(np.array([rank]))[0]) - value, 1e-9, 1 - 1e-9)


def b2m(z: Array, iss: Marginal, albumin: Marginal) -> Array:
    """Beta-2 microglobulin (mg/L) at these normal scores: 0.8 to 100, ISS as in the target table."""
    shares = dict(iss.shares or {})
    place, spread = b2m_scale((shares["I"], shares["II"], shares["III"]), albumin)
    return np.clip(np.exp(place + spread * z), 0.8, 100)
