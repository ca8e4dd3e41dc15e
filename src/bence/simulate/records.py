"""Courses of virtual people as a chart: what a hospital would have recorded. Synthetic: the centre of every patient says so.

Truth is measured with error, at visits that come a little early or not at all, of items that may be missing (`measurement.toml`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..catalogue import codes
from ..chart import Chart
from .blood import USED, blood
from .chance import YEAR
from .courses import Courses
from .draws import uniform
from .given import treatments
from .measurement import measurement
from .samples import Samples
from .toxicities import cytokine_release, mild_infections
from .visits import Visits, day, visits

Array = NDArray[np.float64]
CENTRE = "synthetic 合成数据"
LIMITS = {"ldh_upper_limit": (250.0, "U/L"), "calcium_upper_limit": (2.6, "mmol/L"), "albumin_lower_limit": (35.0, "g/L"),
          "platelets_lower_limit": (125.0, "10^9/L"), "neutrophils_lower_limit": (1.8, "10^9/L")}  # fmt: skip
HAEMOGLOBIN_LIMIT = {"male": 130.0, "female": 115.0}
FISH = ("t_4_14", "t_14_16", "t_11_14")
DIAGNOSIS = {"SMM": "smm_diagnosis", "NDMM": "mm_diagnosis", "RRMM": "mm_diagnosis"}
EARLIEST_DIAGNOSIS = 8  # days before entry, at least: before the first visit
WORK_UP_DAYS = 14
CAR_SEEN = 0.1  # cells/uL


def records(courses: Courses, noise: float = 1.0, gaps: float = 1.0) -> Chart:
    """The chart of a cohort. `noise` multiplies the error of every measurement, `gaps` what is missed or missing; 0: none.

    Needs the states of `blood.USED` among those kept, every four weeks at least.
    """
    plan = visits(courses, gaps)
    states = {name: np.nan_to_num(courses.state(name)[plan.rows]) for name in USED}
    truth = blood(states, courses.people, measurement()["visits"]["every_days"])
    samples = Samples(plan, states, truth, noise)
    events, reaction, antidote = cytokine_release(plan)
    found = [
        *(plan.laboratory(assay, truth[assay.what], noise) for assay in measurement()["assays"]),
        *samples.immunofixation(), *samples.marrow(), samples.mrd(), *samples.imaging(), *_at_entry(plan), _car_t(plan, states), reaction,
    ]  # fmt: skip
    observations = pl.concat(found, how="diagonal_relaxed")
    if courses.people.population.setting == "SMM":
        observations = pl.concat([observations, _work_up(observations, plan)])
    return Chart(
        _patients(plan),
        observations,
        pl.concat([treatments(plan), antidote], how="diagonal_relaxed"),
        pl.concat([events, mild_infections(plan, states), *_happened(plan)], how="diagonal_relaxed"),
    )


def _work_up(observations: pl.DataFrame, plan: Visits) -> pl.DataFrame:
    """What was found at the first visit, as it was already at the diagnosis: smouldering myeloma changes little."""
    days = pl.DataFrame({"patient": plan.ids, "first": day(plan.dated[0]), "then": day(_diagnosed(plan))})
    rows = observations.join(days, on="patient", how="left", maintain_order="left").filter(pl.col("on") == pl.col("first"))
    return rows.with_columns(on="then").filter(pl.col("first") > pl.col("then")).drop("first", "then")


def _patients(plan: Visits) -> pl.DataFrame:
    courses, table = plan.courses, plan.courses.people.table
    died, last = courses.died_on, courses.last_on
    born = day(plan.entry - np.round(table["age"].to_numpy() * YEAR).astype(np.int64))
    return table.select("patient", "sex", "heavy_chain", "light_chain").with_columns(
        centre=pl.lit(CENTRE), born_on=born.dt.strftime("%Y-%m"), last_seen_on=day(plan.entry + last.astype(np.int64)),
        died_on=pl.when(pl.Series(~np.isnan(died))).then(day(plan.entry + np.nan_to_num(died).astype(np.int64))),
        death_cause=pl.Series(courses.cause).replace("", None),
    )  # fmt: skip


def _diagnosed(plan: Visits) -> NDArray[np.int64]:
    """The calendar day of diagnosis; of those newly diagnosed, so near to the first visit that it is the work-up."""
    days = np.ceil(plan.courses.people.table["years_since_diagnosis"].to_numpy() * YEAR).astype(np.int64)
    on = plan.entry - np.maximum(days, EARLIEST_DIAGNOSIS)
    return np.maximum(on, plan.dated[0] - WORK_UP_DAYS) if plan.courses.people.population.setting == "NDMM" else on


def _at_entry(plan: Visits) -> list[pl.DataFrame]:
    """What is recorded once: state, size and the limits of the laboratory at the first visit; bone lesions and cytogenetics there too,
    or at the diagnosis of those who have had treatment, with what made it myeloma."""
    table, seed = plan.courses.people.table, plan.courses.people.seed
    everybody = np.ones((1, len(table)), bool)
    tested = everybody & (plan.drawn("cytogenetics", 0) >= measurement()["samples"]["cytogenetics_missing"])
    clone = 20 + np.round(70 * uniform(seed, "del_17p.share", plan.numbers, 0))
    limits = {"hemoglobin_lower_limit": (table["sex"].replace_strict(HAEMOGLOBIN_LIMIT).to_numpy(), "g/L")}
    limits |= {what: (np.full(len(table), value), unit) for what, (value, unit) in LIMITS.items()}
    sized = {"weight": (table["weight"].round(1).to_numpy(), "kg"), "height": (table["height"].round(0).to_numpy(), "cm"), **limits}
    genes = {"gain_1q": (table["gain_1q"].to_numpy(), "copies"), "del_17p": (np.where(table["del_17p"].to_numpy(), clone, 0.0), "%")}
    words = {name: np.where(table[name].to_numpy(), "positive", "negative") for name in FISH}
    outside = np.where(table["extramedullary"].to_numpy(), "yes", "no")
    now = [
        plan.frame(everybody, what="ecog", value=table["ecog"].to_numpy().astype(float)),
        plan.frame(everybody, what="extramedullary_disease", text=outside),
        *(plan.frame(everybody, what=what, value=value.astype(float), unit=unit) for what, (value, unit) in sized.items()),
    ]
    then = [
        plan.frame(everybody, what="lytic_lesions", value=table["lytic_lesions"].to_numpy().astype(float)),
        *(plan.frame(tested, what=what, value=value.astype(float), unit=unit, method="fish") for what, (value, unit) in genes.items()),
        *(plan.frame(tested, what=what, text=word, method="fish") for what, word in words.items()),
    ]
    focal = table["mri_focal_lesions"]
    then.append(
        plan.frame(everybody & focal.is_not_null().to_numpy(), what="mri_focal_lesions", value=focal.fill_null(0).to_numpy().astype(float))
    )
    if plan.courses.people.population.setting != "RRMM":
        return now + then
    marrow = np.round(20 + 60 * uniform(seed, "diagnosis.marrow", plan.numbers, 0))
    anaemic = table["lytic_lesions"].to_numpy() == 0  # what else would have made it myeloma
    haemoglobin = np.round(np.where(anaemic, 80, 95) + 18 * uniform(seed, "diagnosis.hemoglobin", plan.numbers, 0))
    then += [
        plan.frame(everybody, what="marrow_plasma_cells", value=marrow, unit="%", method="aspirate"),
        plan.frame(everybody, what="hemoglobin", value=haemoglobin, unit="g/L"),
    ]
    on = pl.DataFrame({"patient": plan.ids, "on": day(_diagnosed(plan))})
    return now + [rows.drop("on").join(on, on="patient", how="left", maintain_order="left") for rows in then]


def _car_t(plan: Visits, states: Mapping[str, Array]) -> pl.DataFrame:
    cells = states["car_effector"] + states["car_memory"]
    return plan.frame(plan.seen & (cells > CAR_SEEN), what="car_t_cells", value=np.round(cells, 1), unit="cells/uL")


def _happened(plan: Visits) -> list[pl.DataFrame]:
    """Diagnosis, and the events of the courses that are events of a chart; severe infections bring people into hospital."""
    courses = plan.courses
    known = [code.code for code in codes().values() if "event" in code.grains]
    told = courses.events.filter(pl.col("what").is_in(known))
    place = told["place"].to_numpy()
    events = told.select(pl.col("what"), pl.col("text"), pl.col("grade").cast(pl.Int32)).with_columns(
        patient=plan.ids.gather(place), on=day(plan.entry[place] + told["day"].to_numpy()))  # fmt: skip
    setting = courses.people.population.setting
    diagnosed = pl.DataFrame({"patient": plan.ids, "on": day(_diagnosed(plan))}).with_columns(what=pl.lit(DIAGNOSIS[setting]))
    admitted = events.filter((pl.col("what") == "infection") & (pl.col("grade") >= 3)).select(
        "patient", "on", what=pl.lit("hospitalisation")
    )
    rows = [events, diagnosed, admitted]
    if courses.protocol.progression == "active":
        active = events.filter(pl.col("what") == "progression").unique("patient", keep="first", maintain_order=True)
        rows.append(active.select("patient", "on", what=pl.lit("mm_diagnosis")))
    return rows
