"""Chance where cells are few: whether a clone dies out, how many are left, and how many resistant cells there were at the start.

A clone of few cells is a birth-death process: each cell divides at the rate b and dies at the rate d(t), which drugs and T cells
drive. The equations give its mean N(t), and G(t), the integral of b/N: Kendall's result (Ann Math Stat 1948;19:1) needs no more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlog1py
from scipy.stats import binom, nbinom

FEW = 1e4  # below this many cells a clone is drawn exactly; above, chance is under 1% of its size
LEAST = 1e-290  # a growth below it would overflow, and is none
MANY_CLONES = 10_000  # of more clones than this the smaller ones are drawn as one normal sum

Floats = NDArray[np.float64]


def extinction_probability(cells: ArrayLike, exposure: ArrayLike, start: ArrayLike = np.inf) -> Floats:
    """The probability that a clone has died out: (1 - x/N0)**N0 with x = 1/(1/N + G), which is exp(-x) for many cells at the start.

    `cells`: the mean N of the equations now; `exposure`: G, the integral of births/N since the start (days per cell per day);
    `start`: the cells N0 at the start.
    """
    cells, start = np.asarray(cells, np.float64), np.asarray(start, np.float64)
    with np.errstate(divide="ignore"):
        lineages = 1 / (1 / cells + np.asarray(exposure, np.float64))  # of the cells at the start, those with offspring now, on average
    with np.errstate(invalid="ignore"):
        exact = np.exp(xlog1py(start, -np.minimum(lineages / start, 1)))
    return np.where(np.isinf(start), np.exp(-lineages), exact)


def cells_left(cells: ArrayLike, growth: ArrayLike, exposure: ArrayLike, kept: ArrayLike, spread: ArrayLike) -> NDArray[np.int64]:
    """How many cells there are after a stretch, drawn exactly from whole `cells` before it (meant for fewer than FEW).

    `growth`: N after / N before, of the equations; `exposure`: N before x the increase of G, the integral of births over growth;
    `kept` and `spread`: two numbers between 0 and 1 for each clone, which say which lineages survive and how large they grow.
    The lineages that survive are binomial, the size of each is geometric.
    """
    cells = np.asarray(cells, np.int64)
    growth = np.maximum(np.asarray(growth, np.float64), LEAST)
    survival = 1 / (1 / growth + np.asarray(exposure, np.float64))
    lineages = np.asarray(binom.ppf(kept, cells, survival))
    single = np.minimum(survival / growth, 1.0)  # the inverse of the mean size of a surviving lineage
    more = nbinom.ppf(spread, np.maximum(lineages, 1), single)
    return np.where(lineages > 0, lineages + np.where(single < 1, more, 0), 0).astype(np.int64)


def resistant_at_start(cells: float, mutation: float, birth: float, death: float, draw: np.random.Generator) -> int:
    """How many resistant cells there are among `cells` that grew from one, drawn from the distribution of Luria and Delbrueck.

    `mutation`: probability that a division gives a resistant cell; `birth` and `death`: rates of both kinds a day before treatment.
    With x = exp(-growth * age), mutations are spread evenly over x from 1/cells to 1; one of them has living offspring with
    probability (1 - r)/(1 - r*x), r = death/birth, then geometrically many, (1/x - r)/(1 - r) on average
    (Iwasa, Nowak and Michor, Genetics 2006;172:2557). Raises ValueError unless 0 <= death < birth and 0 <= mutation <= 1.
    """
    if not (0 <= death < birth and 0 <= mutation <= 1 and cells >= 1):
        raise ValueError(
            f"birth {birth}, death {death}, mutation {mutation}, cells {cells}: expected 0 <= death < birth, a probability, cells >= 1"
        )
    ratio = death / birth
    rate = mutation * cells / (1 - ratio)  # mutations per unit of x
    old = min(1.0, 1 / cells + MANY_CLONES / rate) if rate > 0 else 1.0
    x = draw.uniform(1 / cells, old, draw.poisson(rate * (old - 1 / cells)))
    x = x[draw.random(x.size) < (1 - ratio) / (1 - ratio * x)]
    total = float(draw.geometric((1 - ratio) * x / (1 - ratio * x)).sum()) + _young(rate, ratio, old, draw)
    return round(min(total, cells))


def _young(rate: float, ratio: float, old: float, draw: np.random.Generator) -> float:
    """The cells of the many clones with x above `old`, as one normal number: their sum has these mean and variance."""
    if old >= 1:
        return 0.0
    mean = rate * np.log(1 / old)
    variance = rate * (2 / (1 - ratio) * (1 / old - 1) - (1 + ratio) / (1 - ratio) * np.log(1 / old))
    return max(0.0, mean + np.sqrt(variance) * draw.standard_normal())
