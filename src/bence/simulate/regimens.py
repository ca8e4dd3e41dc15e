"""Regimens as data: which drug on which days, and when the schedule is stepped down.

The files are `regimens/*.toml`; their names are those clinicians write (VRd, D-VRd, Tec-Dara). A schedule is what virtual patients are
given and says where it comes from; it is no recommendation of a dose.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..catalogue import fold, nearest
from ..errors import ChartError, UsageError
from ..evidence import record
from .products import drug_named, product, spelled

WEAKEST_FIRST = "AMSCV"
NEEDS = ("response", "held_months", "on_drug_weeks", "on_schedule_weeks", "doses")


@dataclass(frozen=True)
class Give:
    """One dose on some days (from 1), once or in every cycle of `of` days from the first to the last of `cycles`."""

    dose: float
    days: tuple[int, ...]
    of: int | None = None
    first: int = 1
    last: int | None = None

    def on(self, horizon: int) -> NDArray[np.bool_]:
        """Is it given on day 0, 1, … of the schedule?"""
        day = np.arange(horizon)
        if self.of is None:
            return np.isin(day + 1, self.days)
        cycle = day // self.of + 1
        return np.isin(day % self.of + 1, self.days) & (cycle >= self.first) & (cycle <= (self.last or horizon))


@dataclass(frozen=True)
class Stage:
    """The schedule of one drug until it is stepped down; `needs`: what lets this stage begin (empty: the first one)."""

    drug: str
    unit: str
    give: tuple[Give, ...]
    needs: Mapping[str, Any]

    @property
    def per_kg(self) -> bool:
        """Is the dose one for each kilogram of body weight?"""
        return self.unit.endswith("/kg")

    def doses(self, horizon: int) -> NDArray[np.float64]:
        """The dose on every day from the first one, in its unit."""
        doses = np.zeros(horizon)
        for give in self.give:
            doses[give.on(horizon)] += give.dose
        return doses

    def amounts(self, horizon: int) -> NDArray[np.float64]:
        """What is added to the product's state on every day (for each kilogram where the dose is)."""
        return self.doses(horizon) * product(self.drug).factor


@dataclass(frozen=True)
class Regimen:
    """Drugs given together, each with its stages; `tag` is the weakest of its parts, `sources` are keys of the evidence base."""

    name: str
    drugs: Mapping[str, tuple[Stage, ...]]
    sources: tuple[str, ...]
    tag: str

    @property
    def is_cells(self) -> bool:
        """Is it an infusion of CAR-T cells?"""
        return any(product(drug).is_cells for drug in self.drugs)

    def label(self, lang: str = "en") -> str:
        """Its name for a reader: of one drug the drug's, else the regimen's."""
        return product(next(iter(self.drugs))).label(lang) if len(self.drugs) == 1 else self.name


@cache
def regimens() -> dict[str, Regimen]:
    """Every regimen by name; ChartError for a file that is wrong."""
    raw: dict[str, dict[str, Any]] = {}
    for file in sorted(files("bence.simulate").joinpath("regimens").iterdir(), key=lambda file: file.name):
        raw |= tomllib.loads(file.read_text("utf-8"))
    return {name: _read(name, raw) for name in raw}


def _read(name: str, raw: Mapping[str, Mapping[str, Any]]) -> Regimen:
    if name not in raw:
        raise ChartError(f"there is no regimen {name!r} to use", where="regimens", nearest=nearest(name, raw))
    text = raw[name]
    own = {drug: tuple(_stages(name, drug, stages)) for drug, stages in text.get("drug", {}).items()}
    parts = [_read(used, raw) for used in text.get("uses", ())]
    whole = Regimen(name, own, tuple(text.get("sources", ())), text.get("tag", "V"))
    return combined(name, [whole, *parts])


def _stages(name: str, drug: str, stages: Sequence[Mapping[str, Any]]) -> Iterator[Stage]:
    steps = iter(_label_steps(drug))
    for text in stages:
        base = text["unit"].removesuffix("/kg")
        if product(drug).unit != base:
            raise ChartError(f"{drug} is given in {text['unit']}", where=f"regimen {name}", expected=product(drug).unit)
        needs = next(steps) if text.get("needs") == "label" else {}
        yield Stage(drug, text["unit"], tuple(_give(**give) for give in text["give"]), needs)


def _give(dose: float, days: str | Sequence[int], of: int | None = None, cycles: Sequence[int] = (1,)) -> Give:
    if isinstance(days, str):
        first, last = (int(day) for day in days.split("-"))
        days = range(first, last + 1)
    return Give(dose, tuple(days), of, cycles[0], cycles[1] if len(cycles) > 1 else None)


def _label_steps(drug: str) -> list[Mapping[str, Any]]:
    """The conditions of the label for stepping a drug's schedule down, in order."""
    try:
        dosing = record(drug).get("dosing", ())
    except UsageError:  # a drug of the catalogue without a record
        return []
    return [each["needs"] for each in dosing if each["step"] == "de-escalation" and "needs" in each]


def combined(name: str, parts: Sequence[Regimen]) -> Regimen:
    """Regimens given together, on one clock. Of a drug in several of them the first counts.

    UsageError if two drugs cannot be given together in this model, because they would share their states and differ in a parameter.
    """
    drugs: dict[str, tuple[Stage, ...]] = {}
    for part in parts:
        drugs |= {drug: stages for drug, stages in part.drugs.items() if drug not in drugs}
    places: dict[str, str] = {}
    for drug in drugs:
        other = places.setdefault(product(drug).state.partition("_")[0], drug)
        if product(other).sets != product(drug).sets:
            raise UsageError(f"{other} and {drug} cannot be given together here: the model has one place for both")
    sources = tuple(dict.fromkeys(key for part in parts for key in part.sources))
    return Regimen(name, drugs, sources, min((part.tag for part in parts), key=WEAKEST_FIRST.index))


def regimen(text: str) -> Regimen:
    """The regimen of this name, or of the drugs named, joined by `+`; UsageError with the nearest name if there is none.

    Names of drugs in Chinese or English. Drugs that have a schedule together get that one, else each its own.

    >>> regimen("d-vrd").name, regimen("特立妥单抗 + 达雷妥尤单抗").name, regimen("cilta-cel").is_cells
    ('D-VRd', 'Tec-Dara', True)
    """
    if (found := _by_name().get(fold(text))) is not None:
        return found
    words = [word.strip() for word in text.replace("＋", "+").split("+")]
    parts = [_by_name().get(fold(word)) or _of_drug(word) for word in words]
    drugs = frozenset(drug for part in parts for drug in part.drugs)
    for known in regimens().values():
        if frozenset(known.drugs) == drugs and len(parts) > 1:
            return known
    return parts[0] if len(parts) == 1 else combined(" + ".join(part.name for part in parts), parts)


@cache
def _by_name() -> dict[str, Regimen]:
    return {fold(name): each for name, each in regimens().items()}


def _of_drug(word: str) -> Regimen:
    drug = drug_named(word)
    for each in regimens().values():
        if list(each.drugs) == [drug]:
            return each
    near = nearest(fold(word), [*_by_name(), *spelled()]) if word else None
    raise UsageError(f"there is no drug or regimen {word!r} in the model", expected="a drug, a regimen, or several joined by +",
                     nearest=_by_name()[near].name if near in _by_name() else near)  # fmt: skip
