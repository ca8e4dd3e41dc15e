"""How truth becomes a record: what laboratories, visits and samples are like (`measurement.toml`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .draws import normal

Array = NDArray[np.float64]
MARROW_CELLS = 5e11  # nucleated cells beside the myeloma; A: between the marrow of Menon 2026 and the burdens of growth models


@dataclass(frozen=True)
class Assay:
    """One laboratory item: its noise, the limit below which it is only `<limit`, its digits, and how often it is there."""

    what: str
    unit: str
    cv: float
    sd: float
    digits: int
    missing: float
    limit: float = 0.0
    upper: float = np.inf
    every: int = 1

    def measured(self, truth: Array, seed: int, numbers: NDArray[np.integer[Any]], day: int, noise: float = 1.0) -> Array:
        """What the laboratory reports on a day for these people, in its unit; a chart has `<limit` below and `>upper` above.

        The error belongs to the address: asked again, the laboratory says the same.
        """
        spread = noise * np.hypot(self.cv * truth, self.sd)
        told = np.maximum(truth + spread * normal(seed, f"assay.{self.what}", numbers, day), 0)
        return np.asarray(np.round(told, self.digits) if noise else told, np.float64)


@cache
def measurement() -> dict[str, Any]:
    """The file, as it is, but for the assays."""
    told = tomllib.loads((Path(__file__).parent / "measurement.toml").read_text(encoding="utf-8"))
    return {name: value for name, value in told.items() if name != "assay"} | {"assays": tuple(Assay(**row) for row in told["assay"])}


def assay(what: str) -> Assay:
    """The assay of a code of the chart."""
    return next(each for each in measurement()["assays"] if each.what == what)


def marrow_share(cells: Array) -> Array:
    """The share of the marrow that so many myeloma cells are."""
    return cells / (cells + MARROW_CELLS)
