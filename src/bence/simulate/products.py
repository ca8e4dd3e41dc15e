"""What a dose of a drug does to the equations: the state it is added to, how much of it, and the parameters of the product.

The table is `products.csv`; drugs have the codes of the catalogue or, where it has none, the key of their record.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from ..catalogue import codes, fold, nearest, spellings
from ..catalogue import label as catalogue_label
from ..errors import UsageError
from ..evidence import record
from .model import Model

Floats = NDArray[np.float64]
ALL = slice(None)

CELLS = "car_effector"
"""The state that an infusion of CAR-T cells is added to."""


@dataclass(frozen=True)
class Product:
    """A drug: one `unit` of it adds `factor` to `state`; `sets` are the typical values of its parameters, each a number or the name of
    the parameter that holds it.

    A parameter that differs from person to person keeps each person's deviation: the person's value times that of the product over
    that of the model.
    """

    drug: str
    state: str
    unit: str
    factor: float
    sets: Mapping[str, str]
    tag: str
    source: str

    @property
    def is_cells(self) -> bool:
        """Is it an infusion of CAR-T cells?"""
        return self.state == CELLS

    def label(self, lang: str = "en") -> str:
        """Its name for a reader."""
        return catalogue_label(self.drug, lang) if self.drug in codes() else record(self.drug)["name"][lang]


@cache
def products() -> dict[str, Product]:
    """Every product by the code of its drug."""
    text = files("bence.simulate").joinpath("products.csv").read_text("utf-8")
    return {row["drug"]: _product(row) for row in csv.DictReader(text.splitlines())}


def _product(row: Mapping[str, str]) -> Product:
    sets = dict(part.split("=") for part in row["sets"].replace(" ", "").split(";") if part)
    return Product(row["drug"], row["state"], row["unit"], float(row["factor"]), sets, row["tag"], row["source"])


def product(drug: str) -> Product:
    """The product of a drug by its code; UsageError with the nearest one if the model has none."""
    if drug not in products():
        raise UsageError(f"the model has no drug {drug!r}", expected="a drug of products.csv", nearest=nearest(drug, products()))
    return products()[drug]


def give(drug: str, model: Model, parameters: Floats, own: Floats, rows: NDArray[np.intp] | slice = ALL) -> None:
    """Set the parameters of a product in `parameters[parameter, patient]` for these patients; `own` are those they had before any."""
    for name, told in product(drug).sets.items():
        row = model.parameter_index[name]
        value = own[model.parameter_index[told], rows] if told in model.parameter_index else float(told)
        usual = model.parameters[row].value
        parameters[row, rows] = value if usual == 0 else own[row, rows] * (value / usual)


@cache
def _names() -> dict[str, str]:
    known = {}
    for drug in products():
        told = [drug, *(spellings(codes()[drug]) if drug in codes() else _recorded_names(drug))]
        known |= {fold(name): drug for name in told if name}
    return known


def _recorded_names(drug: str) -> Iterable[str]:
    found = record(drug)
    return (*found["name"].values(), *found.get("also", ()))


def drug_named(text: str) -> str | None:
    """The drug that a spelling stands for, Chinese or English, generic or brand; None if the model has none of that name.

    >>> drug_named("特立妥单抗"), drug_named("cilta-cel"), drug_named("Keytruda"), drug_named("water")
    ('teclistamab', 'cilta_cel', 'pembrolizumab', None)
    """
    return _names().get(fold(text))


def spelled() -> list[str]:
    """Every name that `drug_named` knows, folded."""
    return list(_names())
