"""The newest measurements that still count on the day, and what follows from several of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from ...assess.course.facts import settled
from ...assess.diagnosis import corrected_calcium
from ...assess.intake import EPOCH, place_of
from ...assess.stand_ins import clearance
from ...assess.wide import wide
from ...cells import Categories, Numbers
from .ground import Ground, bounded

COUNTS: dict[str, int | None] = {  # days for which a measurement counts; None: always
    **dict.fromkeys(("creatinine_clearance", "egfr", "creatinine", "cd4", "cd8", "igg", "serum_m_protein", "ecog", "sbcma", "weight"), 90),
    **dict.fromkeys(("calcium", "corrected_calcium", "albumin", "hemoglobin", "platelets", "neutrophils", "lymphocytes"), 30),
    **dict.fromkeys(("ferritin", "crp", "ldh", "keratopathy_grade"), 30),
    **dict.fromkeys(("lvef", "nyha"), 365), "neuropathy_grade": 90, "marrow_plasma_cells": 180, "hepatitis_b_dna": 180,
    **dict.fromkeys(("hepatitis_b_surface_antigen", "hepatitis_b_core_antibody", "hiv", "anti_car_antibody"), None),
    "extramedullary_disease": None, "amyloid_syndrome": None,
    **dict.fromkeys(("tnfrsf17_status", "gprc5d_status", "bcma_expression", "gprc5d_expression"), None),
    **dict.fromkeys(("fcrh5_expression", "cd38_expression", "slamf7_expression"), None),
}  # fmt: skip
PLAIN = (
    "ecog", "hemoglobin", "platelets", "neutrophils", "lymphocytes", "cd4", "cd8", "ferritin", "crp", "lvef", "nyha",
    "neuropathy_grade", "keratopathy_grade", "marrow_plasma_cells", "sbcma",
)  # fmt: skip
WORDS = (
    "tnfrsf17_status", "gprc5d_status", "bcma_expression", "gprc5d_expression", "fcrh5_expression", "cd38_expression",
    "slamf7_expression",
)  # fmt: skip
SAME_SAMPLE = 7  # days between calcium and its albumin, IgG and its M-protein
NEW_PLASMACYTOMA = 60  # days before the progression from which a new plasmacytoma belongs to the relapse


def newest(ground: Ground) -> pl.DataFrame:
    """The newest final observation of each code of COUNTS that still counts: `place`, `what`, `on`, `low`, `high`, `text`.

    Of one day the row recorded last stands, else the lower value and the word `positive`.
    """
    what, on = pl.col("what"), pl.col("on")
    day = EPOCH + timedelta(days=ground.day)
    wanted = pl.lit(False)
    for reach in sorted(set(COUNTS.values()), key=str):
        codes = what.is_in([code for code, own in COUNTS.items() if own == reach])
        wanted = wanted | (codes & (pl.lit(True) if reach is None else on >= day - timedelta(days=reach)))
    rows = ground.findings.basis.known.scan("observations").filter(
        what.is_in(list(COUNTS)) & on.is_not_null() & (pl.col("status") == "final") & wanted
        & (pl.col("value").is_not_null() | pl.col("text").is_not_null())
    ).select("value", "comparator", "text", "recorded_on", what=what.cast(pl.Enum(list(COUNTS))), on=on.to_physical().cast(pl.Int64),
             place=place_of(ground.ids)).collect()  # fmt: skip
    rows = rows.filter(on == on.max().over("place", "what"))
    bound = pl.col("comparator").str.slice(0, 1)
    rows = rows.with_columns(
        low=pl.when(bound == "<").then(0.0).otherwise("value"), high=pl.when(bound == ">").then(float("inf")).otherwise("value")
    )
    rows = settled(rows, ["place", "what", "on"], ["recorded_on", "low", "high", "text"], [False, True, True, False])
    return rows.select("place", pl.col("what").cast(pl.String), "on", "low", "high", "text")


def laboratory(ground: Ground, rows: pl.DataFrame) -> pl.DataFrame:
    """Measurements as numbers with both ends, and as words; clearance, calcium, polyclonal IgG, hepatitis B. `rows`: of `newest`."""
    beside = _wide(ground, rows, tuple(COUNTS))
    columns = [part for name in PLAIN for part in bounded(name, pl.col(f"{name}.low"), pl.col(f"{name}.high"))]
    columns += bounded("ldh_level", pl.col("ldh.low"), pl.col("ldh.high"))  # `ldh_high` is the flag, not an end
    told = beside.select(
        *columns, **{name: f"{name}.text" for name in WORDS}, anti_car_antibody=_flag("anti_car_antibody"), hiv=_flag("hiv")
    )
    return told.with_columns(*_clearance(ground, beside), *_calcium(beside), *_polyclonal(ground, beside), *_hepatitis(beside))


def _wide(ground: Ground, rows: pl.DataFrame, codes: Sequence[str]) -> pl.DataFrame:
    """The rows of some codes, one row a patient: `<code>.on`, `.low`, `.high`, `.text`."""
    return wide(rows, ground.n, "what", codes, ("on", "low", "high", "text"), join=".")


def _flag(code: str) -> pl.Expr:
    text = pl.col(f"{code}.text")
    return pl.when(text.is_in(["positive", "yes"])).then(True).when(text.is_in(["negative", "no"])).then(False)


def _clearance(ground: Ground, beside: pl.DataFrame) -> pl.DataFrame:
    """`creatinine_clearance` (measured, else the estimated rate reported or worked out by CKD-EPI 2021) and `egfr`, in mL/min."""
    known = {code: _numbers(beside, code) for code in ("creatinine_clearance", "egfr", "creatinine")}
    sex = ground.people["sex"].replace_strict({"female": 0, "male": 1}, default=-1, return_dtype=pl.Int64).fill_null(-1).to_numpy()
    others = {"age": ground.age, "sex": Categories.of(sex, ("female", "male"))}
    columns = {}
    for name, given in (("creatinine_clearance", known), ("egfr", {"egfr": known["egfr"], "creatinine": known["creatinine"]})):
        found = clearance({**given, **others}, ground.n)
        low, high = found.lo, found.lo if found.hi is None else found.hi
        columns |= {f"{name}.low": pl.Series(low, nan_to_null=True), f"{name}.high": pl.Series(high, nan_to_null=True)}
    told = pl.DataFrame(columns)
    return told.select(
        part for name in ("creatinine_clearance", "egfr") for part in bounded(name, pl.col(f"{name}.low"), pl.col(f"{name}.high"))
    )


def _numbers(beside: pl.DataFrame, code: str) -> Numbers:
    low, high = (beside[f"{code}.{end}"].to_numpy() for end in ("low", "high"))
    return Numbers(low, high)


def _calcium(beside: pl.DataFrame) -> list[pl.Series]:
    """Calcium corrected for the albumin of the same days, else as the laboratory corrected it."""
    near = (pl.col("calcium.on") - pl.col("albumin.on")).abs() <= SAME_SAMPLE
    ends = {"low": ("calcium.low", "albumin.high"), "high": ("calcium.high", "albumin.low")}
    made = {end: pl.when(near).then(corrected_calcium.function(pl.col(one), pl.col(other))) for end, (one, other) in ends.items()}
    later = (pl.col("corrected_calcium.on") > pl.col("calcium.on")).fill_null(pl.col("corrected_calcium.on").is_not_null())
    told = {end: pl.when(later | made[end].is_null()).then(pl.col(f"corrected_calcium.{end}")).otherwise(made[end]) for end in ends}
    return beside.select(bounded("corrected_calcium", told["low"], told["high"])).get_columns()


def _polyclonal(ground: Ground, beside: pl.DataFrame) -> list[pl.Series]:
    """IgG without the M-protein where that is IgG: total IgG less the M-protein of the same days; at most the total."""
    heavy = ground.people["heavy_chain"]
    same = ((pl.col("serum_m_protein.on") - pl.col("igg.on")).abs() <= SAME_SAMPLE).fill_null(False)
    other = (pl.col("heavy") != "igg").fill_null(False)
    least = pl.when(other).then(pl.col("igg.low")).when(same).then(pl.col("igg.low") - pl.col("serum_m_protein.high")).otherwise(0.0)
    most = pl.when(other | ~same).then(pl.col("igg.high")).otherwise(pl.col("igg.high") - pl.col("serum_m_protein.low"))
    unknown = same & pl.col("heavy").is_null()
    ends = pl.when(pl.col("igg.on").is_not_null())
    low = ends.then(pl.max_horizontal(least, pl.lit(0.0)))
    high = ends.then(pl.when(unknown).then(pl.col("igg.high")).otherwise(pl.max_horizontal(most, pl.lit(0.0))))
    return beside.with_columns(heavy=heavy).select(bounded("igg_polyclonal", low, high)).get_columns()


def _hepatitis(beside: pl.DataFrame) -> list[pl.Series]:
    """`hepatitis_b`: surface antigen before core antibody; `negative` when both are. `hepatitis_b_dna_positive`."""
    antigen, core = (_flag(f"hepatitis_b_{name}") for name in ("surface_antigen", "core_antibody"))
    said = (
        pl.when(antigen).then(pl.lit("surface_antigen")).when(~antigen & core).then(pl.lit("core_antibody"))
        .when(~antigen & ~core).then(pl.lit("negative")).when(core).then(pl.lit("core_antibody|surface_antigen"))
        .when(~core).then(pl.lit("negative|surface_antigen")).when(~antigen).then(pl.lit("negative|core_antibody"))
    )  # fmt: skip
    number = pl.when(pl.col("hepatitis_b_dna.low") > 0).then(True).when(pl.col("hepatitis_b_dna.low") == 0).then(False)
    return beside.select(hepatitis_b=said, hepatitis_b_dna_positive=pl.coalesce(_flag("hepatitis_b_dna"), number)).get_columns()


def extramedullary(ground: Ground, rows: pl.DataFrame, situation: pl.Series) -> pl.Series:
    """Extramedullary disease by the newest report, or by a new plasmacytoma of the present relapse."""
    report = _wide(ground, rows, ("extramedullary_disease",))
    event = ground.happened("plasmacytoma_new").filter(~pl.col("absent")).group_by("place").agg(event=pl.col("on").max())
    told = report.with_columns(*ground.whole(event), *ground.last_line.select("progression_on", "unconfirmed_on"), situation=situation)
    since = pl.coalesce("progression_on", "unconfirmed_on") - NEW_PLASMACYTOMA
    now = pl.col("situation").is_in(["relapse", "relapse_unconfirmed"]) & (pl.col("event") >= since)
    denied = (pl.col("extramedullary_disease.on") >= pl.col("event")) & (pl.col("extramedullary_disease.text") == "no")
    return told.select(
        pl.when(now.fill_null(False) & ~denied.fill_null(False)).then(True).otherwise(_flag("extramedullary_disease"))
    ).to_series()
