"""What was given and what the myeloma is refractory to: flags by class, by target with format, and by drug."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from ...assess.courses import UNNAMED
from ...assess.wide import flags
from ...catalogue import Code, codes_of
from .ground import Ground

CLASSES = {"pi": "PI", "imid": "IMiD", "cd38": "CD38_antibody", "alkylator": "alkylator"}
TARGETS = {  # target, class; None: any
    "bcma": ("BCMA", None), "gprc5d": ("GPRC5D", None), "bcma_bispecific": ("BCMA", "bispecific"),
    "gprc5d_bispecific": ("GPRC5D", "bispecific"), "fcrh5_bispecific": ("FcRH5", "bispecific"), "bcma_car_t": ("BCMA", "CAR_T"),
    "gprc5d_car_t": ("GPRC5D", "CAR_T"), "bcma_adc": ("BCMA", "ADC"),
}  # fmt: skip
DRUGS = (
    "bortezomib", "carfilzomib", "ixazomib", "thalidomide", "lenalidomide", "pomalidomide", "daratumumab", "isatuximab", "elotuzumab",
    "belantamab_mafodotin", "venetoclax", "selinexor", "bendamustine",
)  # fmt: skip
GENERIC = {"car_t", "bcma_car_t", "gprc5d_car_t", "bcma_gprc5d_car_t", "bcma_cd19_car_t", "bcma_cd38_car_t"}
"""Names of a kind of cells, not of a product."""
LOW_DOSE = "lenalidomide_maintenance_dose_only"
COUNTED = ("double_class_refractory", "triple_class_exposed", "triple_class_refractory", "penta_drug_refractory", "primary_refractory")


@cache
def kinds() -> dict[str, frozenset[str]]:
    """For every word of `exposed_<word>` and `refractory_<word>` the drugs it means."""
    codes = codes_of("drug")
    found = {word: frozenset(name for name, code in codes.items() if code.drug_class == one) for word, one in CLASSES.items()}
    for word, (target, one) in TARGETS.items():
        found[word] = frozenset(name for name, code in codes.items() if target in code.target and one in (None, code.drug_class))
    found["car_t"] = frozenset(name for name, code in codes.items() if code.drug_class == "CAR_T")
    products = [name for name, code in codes.items() if code.drug_class in ("bispecific", "CAR_T") and name not in GENERIC]
    return found | {name: frozenset([name]) for name in (*DRUGS, *products)}


def maybe(word: str) -> frozenset[str]:
    """Recorded drugs that may be one of a kind without being named so: an unnamed trial drug, CAR-T cells of an unnamed product."""
    codes, wanted = codes_of("drug"), kinds()[word]
    cells = {name for name in GENERIC if any(_may_be(codes[name], codes[one]) for one in wanted)}
    return frozenset(cells | {UNNAMED}) - wanted


@cache
def _meant() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For every word whether it means each drug and procedure of the catalogue, and whether each may be one of the kind."""
    names = list(codes_of("drug", "procedure"))

    def among(some: frozenset[str]) -> np.ndarray:
        return np.array([name in some for name in names])

    return {word: (among(wanted), among(maybe(word))) for word, wanted in kinds().items()}


def _may_be(generic: Code, product: Code) -> bool:
    return product.drug_class == "CAR_T" and set(generic.target) <= set(product.target)


def exposure(ground: Ground, blank: pl.Series) -> pl.DataFrame:
    """`exposed_*` and `refractory_*`: no where nothing of the kind can have been given, or it did not fail; null where that is open.

    `blank`: of whom it is not known whether anything was given.
    """
    given, n = ground.given, ground.n
    drug, place = given["drug"].cast(pl.Enum(list(codes_of("drug", "procedure")))).to_physical().to_numpy(), given["place"].to_numpy()
    failed = given["refractory"].cast(pl.String)
    yes, no = failed.eq_missing("yes").to_numpy(), failed.eq_missing("no").to_numpy()
    unseen = _unseen(ground, blank)
    sure: dict[str, np.ndarray] = {}
    denied: dict[str, np.ndarray] = {}
    for word, meant in _meant().items():
        mine, other = (some[drug] for some in meant)
        had, could = _any(place[mine], n), _any(place[other], n) | unseen
        sure[f"exposed_{word}"], denied[f"exposed_{word}"] = had, ~had & ~could
        failing, open_ = _any(place[mine & yes], n), _any(place[mine & ~yes & ~no], n) | _any(place[other & ~no], n) | unseen
        sure[f"refractory_{word}"], denied[f"refractory_{word}"] = failing, ~failing & ~open_
    low = given["maintenance_dose"].cast(pl.String)
    lenalidomide = given["drug"] == "lenalidomide"
    only, more = (_any(given.filter(lenalidomide & (low == word))["place"].to_numpy(), n) for word in ("yes", "no"))
    sure[LOW_DOSE], denied[LOW_DOSE] = only, more | denied["refractory_lenalidomide"]
    counted = ground.answers(*COUNTED)
    nothing = pl.Series(~_any(place, n) & ~unseen)
    return flags(sure, denied).with_columns(
        counted.with_columns(pl.when(nothing).then(False).otherwise(pl.all()).name.keep()).get_columns()
    )


def _unseen(ground: Ground, blank: pl.Series) -> np.ndarray:
    """Patients whose earlier treatment is not in the chart: the first line is not there, or it is not known whether anything was given."""
    first = ground.lines.group_by("place").agg(pl.col("line").min())
    late = _any(first.filter(pl.col("line") > 1)["place"].to_numpy(), ground.n)
    return late | blank.to_numpy()


def _any(places: np.ndarray, n: int) -> np.ndarray:
    found = np.zeros(n, bool)
    found[places] = True
    return found
