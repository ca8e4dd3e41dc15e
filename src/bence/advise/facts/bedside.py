"""What stands at the bedside and charts rarely record as absent: not recorded counts as no, and is to be confirmed."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import polars as pl

from ...assess.toxicity.recorded import INFECTIONS as SEVERE_KINDS
from ...assess.wide import having, wide
from ...catalogue import codes_of, spellings
from .ground import Ground

INFECTIONS = ("infection", "febrile_neutropenia", "fungal_infection", "pneumocystis", "cmv_reactivation")
OPEN_INFECTION, OPEN_TOXICITY, RECENT = 30, 14, 30  # days for which an event without an end counts as running
SEVERE, SEVERE_WITHIN = 3, 365  # grade; days
LASTING = ("no_caregiver", "no_access", "rapid_progression", "heart_failure", "allergy", "palliative_care")  # until their end is recorded
PREGNANT = {"pregnancy": 300, "breastfeeding": 365}  # days for which they count where no end is recorded
EMERGENCIES = {
    "spinal_cord_compression": "spinal_cord_compression", "renal_failure": "renal_failure", "hyperviscosity": "hyperviscosity",
    "hypercalcaemia": "hypercalcaemia_episode",
}  # fmt: skip
RUNNING: dict[str, tuple[tuple[str, ...], int | None]] = {  # kinds of events, days for which they run where no end is recorded
    **{name: ((name,), None) for name in LASTING}, **{name: ((name,), days) for name, days in PREGNANT.items()},
    **{name: ((kind,), RECENT) for name, kind in EMERGENCIES.items()}, "active_infection": (INFECTIONS, OPEN_INFECTION),
    "crs_now": (("crs",), OPEN_TOXICITY), "icans_now": (("icans",), OPEN_TOXICITY),
}  # fmt: skip
GRADED = ("active_infection", "crs_now", "icans_now")
DECLINED = {
    "declined_car_t": ("CAR_T", r"car[\s-]*t|嵌合抗原受体"),
    "declined_transplant": ("transplant", r"transplant|\bhs?ct\b|\basct\b|stem[\s-]*cell|移植"),
    "declined_bispecific": ("bispecific", r"bi-?specific|\bbs-?abs?\b|t-?cell engager|双抗|双特异|双特异性"),
}


def bedside(ground: Ground, rows: pl.DataFrame) -> pl.DataFrame:
    """Flags and grades of what is going on at the bedside on the day. `rows`: of `laboratory.newest`."""
    running = _running(ground)
    there = having(running, ground.n, "name", tuple(RUNNING))
    infection, crs, icans = _worst(ground, running, there)
    flags = {name: pl.Series(there[name]) for name in (*LASTING, *PREGNANT, *EMERGENCIES, "active_infection")}
    amyloid = rows.filter((pl.col("what") == "amyloid_syndrome") & (pl.col("text") == "yes"))
    known = ground.findings.basis.known.patients
    thrombosis = ground.happened("prior_vte", "vte").filter(~pl.col("absent"))
    return pl.DataFrame({
        **flags, "active_infection_grade": infection, **_declined(ground), "prior_vte": ground.has(thrombosis["place"]),
        "died": ground.ids.is_in(known.filter(pl.col("died_on").is_not_null())["patient"].implode()),
        "crs_now": crs, "icans_now": icans,
        "amyloid_syndrome": ground.has(amyloid["place"]), "transplant_planned": _planned(ground),
    }).with_columns(_severe(ground))  # fmt: skip


def _running(ground: Ground) -> pl.DataFrame:
    """Events of RUNNING, by its names, that run on the day: not ended, not denied since, and where no end is recorded not long ago."""
    names = {kind: name for name, (kinds, _) in RUNNING.items() for kind in kinds}
    reach = {kind: days for kinds, days in RUNNING.values() for kind in kinds}
    denied = pl.col("on").filter("absent").max().over("place", "kind")
    rows = ground.happened(*names).with_columns(
        name=pl.col("kind").replace_strict(names, return_dtype=pl.String), denied=denied,
        reach=pl.col("kind").replace_strict(reach, return_dtype=pl.Int64),
    )  # fmt: skip
    recent = (pl.col("on") >= ground.day - pl.col("reach")).fill_null(True)
    return rows.filter(
        ~pl.col("absent") & (pl.col("denied").is_null() | (pl.col("on") > pl.col("denied")))
        & pl.when(pl.col("until").is_not_null()).then(pl.col("until") >= ground.day).otherwise(recent)
    )  # fmt: skip


def _worst(ground: Ground, rows: pl.DataFrame, there: dict[str, np.ndarray]) -> list[pl.Series]:
    """The worst grade of what runs, for each of GRADED; 0 without any, null where one has no grade."""
    worst = pl.when(pl.col("grade").is_not_null().all()).then(pl.col("grade").max()).cast(pl.Float64)
    told = wide(rows.group_by("place", "name").agg(grade=worst), ground.n, "name", GRADED, ("grade",))
    return told.select(pl.when(pl.Series(there[name])).then(f"{name}_grade").otherwise(0.0).alias(name) for name in GRADED).get_columns()


def _severe(ground: Ground) -> list[pl.Series]:
    """Infections of grade 3 or more in 12 months; those without a grade may be."""
    rows = ground.happened(*SEVERE_KINDS).filter(~pl.col("absent") & (pl.col("on") >= ground.day - SEVERE_WITHIN))
    rows = rows.unique(["place", "kind", "on"], keep="last", maintain_order=True)
    sure = (pl.col("grade") >= SEVERE).fill_null(False)
    told = rows.group_by("place").agg(low=sure.sum().cast(pl.Float64), high=(sure | pl.col("grade").is_null()).sum().cast(pl.Float64))
    name, ends = "severe_infections_12m", [pl.col(end).fill_null(0.0) for end in ("low", "high")]
    return ground.whole(told).select(
        pl.when(ends[0] == ends[1]).then(ends[0]).alias(name), ends[0].alias(f"{name}_low"), ends[1].alias(f"{name}_high")
    ).get_columns()  # fmt: skip


@cache
def named(drug_class: str, words: str) -> str:
    """A pattern of everything a class of the catalogue and its members are called."""
    found = [spelling for code in codes_of("drug", "procedure").values() if code.drug_class == drug_class for spelling in spellings(code)]
    return "(?i)" + "|".join([words, *sorted({re.escape(word.strip()) for word in found if len(word.strip()) > 3 or not word.isascii()})])


def _declined(ground: Ground) -> dict[str, pl.Series]:
    """What the patient declined, by the words of the event; null where it does not say what."""
    rows = ground.happened("declined").filter(~pl.col("absent") & (pl.col("until").is_null() | (pl.col("until") >= ground.day)))
    unsaid = ground.has(rows.filter(pl.col("text").is_null() | (pl.col("text").str.strip_chars() == ""))["place"])
    columns = {}
    for name, pattern in DECLINED.items():
        said = ground.has(rows.filter(pl.col("text").str.contains(named(*pattern)).fill_null(False))["place"])
        columns[name] = pl.select(pl.when(said).then(True).when(~unsaid).then(False)).to_series()
    return columns


def _planned(ground: Ground) -> pl.Series:
    newest = ground.happened("transplant_planned").group_by("place", maintain_order=True).last()
    return ground.has(newest.filter(~pl.col("absent"))["place"])
