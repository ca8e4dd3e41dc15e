"""What stands at the bedside and charts rarely record as absent: not recorded counts as no, and is to be confirmed."""

from __future__ import annotations

import re
from functools import cache

import polars as pl

from ...assess.toxicity.recorded import INFECTIONS as SEVERE_KINDS
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
DECLINED = {
    "declined_car_t": ("CAR_T", r"car[\s-]*t|嵌合抗原受体"),
    "declined_transplant": ("transplant", r"transplant|\bhs?ct\b|\basct\b|stem[\s-]*cell|移植"),
    "declined_bispecific": ("bispecific", r"bi-?specific|\bbs-?abs?\b|t-?cell engager|双抗|双特异|双特异性"),
}


def bedside(ground: Ground, rows: pl.DataFrame) -> pl.DataFrame:
    """Flags and grades of what is going on at the bedside on the day. `rows`: of `laboratory.newest`."""
    lasting = {name: _running(ground, (name,), None) for name in LASTING}
    carrying = {name: _running(ground, (name,), days) for name, days in PREGNANT.items()}
    emergencies = {name: _running(ground, (kind,), RECENT) for name, kind in EMERGENCIES.items()}
    flags = {name: ground.has(rows["place"]) for name, rows in (lasting | carrying | emergencies).items()}
    amyloid = rows.filter((pl.col("what") == "amyloid_syndrome") & (pl.col("text") == "yes"))
    known = ground.findings._basis.known.patients
    thrombosis = ground.happened("prior_vte", "vte").filter(~pl.col("absent"))
    return pl.DataFrame({
        **flags, **_infection(ground), **_declined(ground), "prior_vte": ground.has(thrombosis["place"]),
        "died": ground.ids.is_in(known.filter(pl.col("died_on").is_not_null())["patient"].implode()),
        "crs_now": _grade(ground, "crs"), "icans_now": _grade(ground, "icans"),
        "amyloid_syndrome": ground.has(amyloid["place"]), "transplant_planned": _planned(ground),
    }).with_columns(_severe(ground))  # fmt: skip


def _running(ground: Ground, kinds: tuple[str, ...], days: int | None) -> pl.DataFrame:
    """Events that run on the day: not ended, not denied since, and where no end is recorded begun no more than `days` before."""
    rows = ground.happened(*kinds)
    denied = rows.filter("absent").group_by("place", "kind").agg(denied=pl.col("on").max())
    rows = rows.filter(~pl.col("absent")).join(denied, on=["place", "kind"], how="left", maintain_order="left")
    recent = pl.lit(True) if days is None else pl.col("on") >= ground.day - days
    return rows.filter(
        (pl.col("denied").is_null() | (pl.col("on") > pl.col("denied")))
        & pl.when(pl.col("until").is_not_null()).then(pl.col("until") >= ground.day).otherwise(recent)
    )


def _infection(ground: Ground) -> dict[str, pl.Series]:
    """An active infection and its worst grade: 0 where there is none, null where a grade is not recorded."""
    rows = _running(ground, INFECTIONS, OPEN_INFECTION)
    return {"active_infection": ground.has(rows["place"]), "active_infection_grade": _worst(ground, rows)}


def _grade(ground: Ground, kind: str) -> pl.Series:
    return _worst(ground, _running(ground, (kind,), OPEN_TOXICITY))


def _worst(ground: Ground, rows: pl.DataFrame) -> pl.Series:
    """The worst grade of rows; 0 without any, null where one has no grade."""
    told = rows.group_by("place").agg(grade=pl.when(pl.col("grade").is_not_null().all()).then(pl.col("grade").max()).cast(pl.Float64))
    wide = ground.whole(told).with_columns(there=ground.has(rows["place"]))
    return wide.select(pl.when("there").then("grade").otherwise(0.0)).to_series()


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
