"""Why the disease of a virtual patient came back: what its largest clone is, else what failed of the treatment."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .blood import CLONES, cells
from .courses import Courses
from .products import product

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CAUSES = {
    "antigen_lost": ("antigen lost", "抗原丢失"),
    "drug_resistant": ("drug-resistant clone", "耐药克隆"),
    "t_cells_resistant": ("primary resistance to T cells", "T细胞杀伤原发耐药"),
    "t_cells_exhausted": ("T cells exhausted", "T细胞耗竭"),
    "car_t_gone": ("CAR-T cells gone", "CAR-T细胞消失"),
    "other": ("none of these", "其他"),
}
USED = (*CLONES, "fitness", "car_effector", "car_memory")
WEAK = 0.5  # fitness of T cells below which they count as exhausted
FEW_CARS = 1.0  # cells/uL below which CAR-T cells count as gone
LOST = {"bcma": ("ln_bcma_low", "ln_double_loss"), "gprc5d": ("ln_gprc5d_loss", "ln_double_loss")}
HALF = np.log(0.5)


def state_on(courses: Courses, name: str, day: Floats) -> Floats:
    """A state of each person on a day of their own (the last one kept before it); NaN where there is no day."""
    row = np.clip(np.searchsorted(courses.days, np.nan_to_num(day), side="right") - 1, 0, None)
    return np.where(np.isnan(day), np.nan, courses.state(name)[row, np.arange(day.size)])


def causes(courses: Courses, day: Floats) -> NDArray[np.str_]:
    """Why the disease came back on a day: what the largest clone is, else what failed of the treatment; empty where it did not."""
    sizes = {name: state_on(courses, name, day) for name in CLONES}
    whole = np.log(np.maximum(cells(sizes), 1e-12))
    targets = _targets(courses, day)
    lost = np.zeros(day.size, bool)
    for target, clones in LOST.items():
        for clone in clones:
            lost |= targets[target] & (sizes[clone] > whole + HALF)
    born = courses.people.parameters[courses.people.model.parameter_index["t_resistant"]] > 0
    car = state_on(courses, "car_effector", day) + state_on(courses, "car_memory", day)
    t_cells, cars = targets["t_cells"], targets["car_t"]
    conditions = [
        np.isnan(day), lost, sizes["ln_resistant"] > whole + HALF, (t_cells | cars) & born,
        t_cells & (state_on(courses, "fitness", day) < WEAK), cars & (car < FEW_CARS),
    ]  # fmt: skip
    return np.select(conditions, ["", "antigen_lost", "drug_resistant", "t_cells_resistant", "t_cells_exhausted", "car_t_gone"], "other")


def _targets(courses: Courses, day: Floats) -> Mapping[str, NDArray[np.bool_]]:
    """What was aimed at until a day: antigens by any drug given before, bispecific or CAR-T by the last one."""
    places = {"bcma": ("bcma", "adc"), "gprc5d": ("gprc5d",), "t_cells": ("bcma", "gprc5d", "fcrh5"), "car_t": ("car",)}
    aimed = {name: np.zeros(day.size, bool) for name in places}
    given = courses.given.with_columns(at=pl.Series(day).gather(courses.given["place"])).filter(pl.col("started") < pl.col("at"))
    last = given.filter(pl.col("started") == pl.col("started").max().over("place"))
    for name, prefixes in places.items():
        rows = last if name in ("t_cells", "car_t") else given
        for drug in rows["drug"].unique():
            if product(drug).state.startswith(prefixes) or product(drug).sets.get(f"car_on_{name}") == "1":
                aimed[name][rows.filter(pl.col("drug") == drug)["place"].to_numpy()] = True
    return aimed
