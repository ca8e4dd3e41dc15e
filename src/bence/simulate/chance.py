"""What happens by chance: severe infection, death, dropping out. Rates in `chance.csv`; most are assumptions and say so."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, pdtr, pdtrik

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
YEAR = 365.25
BACKGROUND_AGE = 65.0
STEEP = 3  # so that smouldering disease hardly kills: assumed
MANY = 1e4  # a mean from which a number is drawn as normal


def chance(name: str) -> float:
    """A value of `chance.csv` by its name."""
    return _chances()[name]


@cache
def _chances() -> dict[str, float]:
    text = files("bence.simulate").joinpath("chance.csv").read_text("utf-8")
    return {row["name"]: float(row["value"]) for row in csv.DictReader(text.splitlines())}


@dataclass(frozen=True)
class Hazards:
    """Rates a day: severe infection, death from myeloma, death of another cause."""

    infection: Floats
    myeloma: Floats
    other: Floats


def hazards(age: Floats, female: Flags, igg: Floats, neutrophils: Floats, burden: Floats, progressed: Flags) -> Hazards:
    """The rates of people of an age (years) with so much polyclonal IgG (g/L), neutrophils (10^9/L) and burden (0 to 1)."""
    low_igg = np.clip(1 - igg / chance("infection_igg_normal"), 0, 1)
    low_neutrophils = np.clip(1 - neutrophils / chance("infection_neutrophils_normal"), 0, 1)
    infection = (1 + chance("infection_igg") * low_igg) * (1 + chance("infection_neutrophils") * low_neutrophils)
    older = 2.0 ** ((age - BACKGROUND_AGE) / chance("background_doubling"))
    return Hazards(
        infection=chance("severe_infection") / YEAR * infection,
        myeloma=chance("myeloma_death") / YEAR * burden**STEEP * np.where(progressed, chance("myeloma_death_progressed"), 1.0),
        other=chance("background_death") / YEAR * older * np.where(female, chance("background_female"), 1.0),
    )


def when(rate: Floats, drawn: Floats) -> Floats:
    """Days until something that happens at a constant rate a day, from a draw between 0 and 1."""
    return -np.log1p(-drawn) / np.maximum(rate, 1e-12)


def poisson(drawn: Floats, mean: Floats) -> Floats:
    """Poisson numbers from draws between 0 and 1; where many are expected, by the normal distribution."""
    few = mean < MANY
    found = np.round(mean + np.sqrt(mean) * ndtri(np.clip(drawn, 1e-12, 1 - 1e-12)))
    upper = np.ceil(pdtrik(drawn[few], mean[few]))
    lower = np.maximum(upper - 1, 0)
    found[few] = np.where(pdtr(lower, mean[few]) >= drawn[few], lower, upper)
    return found
