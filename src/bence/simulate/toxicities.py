"""Side effects that follow from the states: CRS and ICANS from peaks of IL-6, and infections that need no hospital."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .draws import normal
from .measurement import measurement
from .visits import Visits, day

Array = NDArray[np.float64]
CRP_OF_IL6, CRP_NORMAL = 6.0, 3.0  # mg/L for each square root of a pg/mL, and in health


def cytokine_release(visits: Visits) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """CRS and ICANS of every week with a spike of IL-6 that reaches a grade: events, observations of those days, tocilizumab given."""
    courses, told = visits.courses, measurement()["crs"]
    peaks = np.nan_to_num(courses.peaks[1:, courses.peaked.index("il6"), :])
    spike = peaks >= told["spike"] * np.nan_to_num(courses.state("il6")[:-1], nan=np.inf)
    tolerance = np.exp(told["log_sd"] * normal(courses.people.seed, "crs.tolerance", visits.numbers, 0))
    grade = np.searchsorted(told["grades"], peaks / tolerance, side="right") * spike
    week, person = np.nonzero(grade)
    frame = _week(visits, week, person).with_columns(
        grade=pl.Series(grade[week, person]).cast(pl.Int32), il6=pl.Series(peaks[week, person])
    )
    chance = np.array(told["icans"])[grade[week, person]]
    nervous = pl.Series(_drawn(visits, "icans", week, person) < chance)
    crs = frame.select("patient", "on", "until", "grade", what=pl.lit("crs"))
    icans = frame.filter(nervous).select("patient", "on", "until", what=pl.lit("icans"), grade=(pl.col("grade") - 1).clip(1, 4))
    measured = {"il6": (pl.col("il6").round(1), "pg/mL"), "crp": ((CRP_NORMAL + CRP_OF_IL6 * pl.col("il6").sqrt()).round(0), "mg/L"),
                "temperature": ((38.0 + 0.4 * pl.col("grade")).clip(38.0, 40.5), "degC")}  # fmt: skip
    seen = pl.concat(
        [frame.select("patient", "on", what=pl.lit(what), value=value, unit=pl.lit(unit)) for what, (value, unit) in measured.items()]
    )
    dose = {"what": "tocilizumab", "dose": 8.0, "dose_unit": "mg/kg", "route": "IV"}
    treated = frame.filter(pl.col("grade") >= told["tocilizumab_from"])
    given = treated.select("patient", started_on="on", stopped_on="on").with_columns(
        **{name: pl.lit(value) for name, value in dose.items()}
    )
    return pl.concat([crs, icans.select(crs.columns)]), seen, given


def _drawn(visits: Visits, purpose: str, week: NDArray[np.intp], person: NDArray[np.intp]) -> Array:
    """A number from 0 to 1 for each of these weeks and people."""
    weeks, which = np.unique(week, return_inverse=True)
    each = np.array([visits.drawn(purpose, int(row)) for row in weeks]).reshape(len(weeks), len(visits.numbers))
    return each[which, person]


def _week(visits: Visits, week: NDArray[np.intp], person: NDArray[np.intp]) -> pl.DataFrame:
    """When within its week each episode begins and ends; never after the last day followed."""
    courses, told = visits.courses, measurement()["crs"]
    start = courses.days[week] + 1 + np.floor(2 * _drawn(visits, "crs.start", week, person)).astype(np.int64)
    start = np.minimum(start, courses.last_on[person].astype(np.int64))
    shortest, longest = told["days"]
    length = shortest + np.floor((longest + 1 - shortest) * _drawn(visits, "crs.length", week, person)).astype(np.int64)
    end = np.minimum(start + length, courses.last_on[person].astype(np.int64))
    entry = visits.entry[person]
    return pl.DataFrame({"patient": visits.ids.gather(person), "on": day(entry + start), "until": day(entry + end)})


def mild_infections(visits: Visits, states: Mapping[str, Array]) -> pl.DataFrame:
    """Events `infection` of grade 1 or 2, by the month; more of them with little polyclonal IgG."""
    told = measurement()["infections"]
    rate = told["a_month"] * np.where(states["normal_igg"] < told["low_igg_below"], told["low_igg"], 1)
    ill = np.array([visits.drawn("infection", int(when)) for when in visits.days]) < rate
    ill[0] = False
    words = np.array(told["words"])
    which = np.array([np.floor(visits.drawn("infection.word", int(when)) * len(words)).astype(int) for when in visits.days])
    severe = np.array([visits.drawn("infection.grade", int(when)) for when in visits.days]) < told["severe"]
    rows = visits.frame(ill & visits.seen, what="infection", grade=np.where(severe, 2.0, 1.0), text=words[which])
    return rows.with_columns(pl.col("grade").cast(pl.Int32))
