"""What the whole-course rules look at, one row a patient: what was given and until when, what was last measured, what was done.

A drug without a stop date is being given. Of a product given in single doses (start and stop on one day) the last dose counts
for 28 days. Null in a column means that nothing was recorded, never that there was nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from ...catalogue import codes_of
from ...chart import Chart
from ..inputs import age_column
from ..intake import EPOCH, NEVER
from ..toxicity.recorded import INFECTIONS
from ..wide import wide

DOSE_LASTS = 28  # days for which a single dose counts as being given
SUPPORTIVE: dict[str, tuple[str, ...]] = {
    "antiviral": ("aciclovir", "valaciclovir", "famciclovir", "ganciclovir"),
    "pneumocystis": ("cotrimoxazole", "pentamidine", "atovaquone"),
    "hbv_antiviral": ("entecavir", "tenofovir"),
    "immunoglobulin": ("immunoglobulin",),
    "bisphosphonate": ("zoledronic_acid", "pamidronate", "clodronate", "ibandronate"),
    "denosumab": ("denosumab",),
    "calcium_vitamin_d": ("calcium_vitamin_d",),
    "epoetin": ("epoetin",),
    "aspirin": ("aspirin",),
    "anticoagulant": ("low_molecular_weight_heparin", "rivaroxaban", "apixaban"),
    "warfarin": ("warfarin",),
    "surgery": ("surgery", "vertebroplasty"),
    "dialysis": ("dialysis",),
}
ACTIVE = ("inhibitor", "imid", "celmod", "bcma_bispecific", "bispecific", "car_t", "dexamethasone", "anthracycline", "other", "transplant")
ONCE = ("car_t", "transplant", "surgery")  # given on one day, whatever the stop date
VACCINES = {
    "influenza": r"(?i)\binfluenza\b|\bflu\b|流感",
    "pneumococcal": r"(?i)pneumococ|pcv|ppsv|ppv23|肺炎",
    "zoster": r"(?i)zoster|shingrix|带状疱疹",
    "rsv": r"(?i)\brsv\b|合胞",
    "covid19": r"(?i)covid|sars-cov-2|新冠",
    "hepatitis_b": r"(?i)hepatitis b|乙肝|乙型肝炎",
}
DONE = tuple(f"{name}_vaccination" for name in (*VACCINES, "live"))
HISTORY = ("vte", "prior_vte", "fracture", "central_venous_catheter", "major_surgery", "dental_check")
EVENTS = ("vaccination", *DONE, *HISTORY, *INFECTIONS)
MEASURED = (
    "cd4",
    "igg",
    "serum_m_protein",
    "hepatitis_b_surface_antigen",
    "hepatitis_b_surface_antibody",
    "hepatitis_b_core_antibody",
    "hepatitis_b_dna",
    "hepatitis_c_antibody",
    "hiv",
    "weight",
    "height",
    "asian_ethnicity",
    "thromboprophylaxis",
    "dexamethasone_intensity",
    "marrow_plasma_cells",
    "marrow_clonality",
    "mrd",
    "pet",
    "extramedullary_disease",
    "diagnosis_subtype",
)


def scan(chart: Chart, table: str) -> pl.LazyFrame:
    """A table of the chart with patients as places in their sorted list: they sort as their names do, and join as numbers."""
    return chart.scan(table).with_columns(coded(pl.col("patient"), chart))


def coded(patient: pl.Expr, chart: Chart) -> pl.Expr:
    """The keys of patients as places in the sorted list of the chart."""
    return patient.cast(key_type(chart))


def key_type(chart: Chart) -> pl.Enum:
    """The type of such keys."""
    return pl.Enum(chart.patients["patient"].sort())


def people(chart: Chart, at: date) -> pl.DataFrame:
    """Who was alive: `patient`, `heavy_chain`, `female`, and the range of the age in years on the day, `age_lo` to `age_hi`."""
    rows = scan(chart, "patients").filter(pl.col("died_on").is_null()).collect().sort("patient")
    lo, hi = ages(rows["born_on"], np.full(rows.height, (at - EPOCH).days))
    return rows.select("patient", "heavy_chain", "sex", age_lo=lo, age_hi=hi)


def ages(born_on: pl.Series, day: np.ndarray) -> tuple[pl.Series, pl.Series]:
    """The least and the greatest age in years on a day for each row; null where the birth is not known."""
    age = age_column(born_on, np.where(day < NEVER, day, NEVER))
    lo, hi = age.lo, age.lo if age.hi is None else age.hi
    return pl.Series(np.minimum(lo, hi), nan_to_null=True), pl.Series(np.maximum(lo, hi), nan_to_null=True)


def courses(chart: Chart) -> pl.DataFrame:
    """One row a treatment row: `patient`, `what`, its `group`, `began`, `stopped` (null: still given), `single` (one day), dose, phase."""
    groups = _groups()
    return (
        scan(chart, "treatments")
        .filter(pl.col("started_on").is_not_null() & pl.col("what").is_in(list(groups)))
        .select(
            "patient",
            "what",
            "dose",
            "dose_unit",
            "phase",
            began="started_on",
            stopped="stopped_on",
            group=pl.col("what").replace_strict(groups, return_dtype=pl.String),
            single=(pl.col("stopped_on") == pl.col("started_on")).fill_null(False),
        )
        .sort("patient", "began", "what", "stopped", "dose", nulls_last=True)
        .collect()
    )


def _groups() -> dict[str, str]:
    """The group of every drug and procedure that counts here."""
    classes = {
        "PI": "inhibitor",
        "IMiD": "imid",
        "CELMoD": "celmod",
        "CAR_T": "car_t",
        "anthracycline": "anthracycline",
        "transplant": "transplant",
    }
    found = {}
    for name, code in codes_of("drug", "procedure").items():
        if code.drug_class == "bispecific":
            found[name] = "bcma_bispecific" if "BCMA" in code.target else "bispecific"
        elif code.drug_class not in ("supportive", "radiotherapy", "", "steroid"):
            found[name] = classes.get(code.drug_class, "other")
    found |= {drug: group for group, drugs in SUPPORTIVE.items() for drug in drugs}
    found["dexamethasone"] = "dexamethasone"
    return {name: group for name, group in found.items() if name != "donor_lymphocytes"}


def given(rows: pl.DataFrame, at: date) -> pl.DataFrame:
    """Of `courses`, one row for every patient of the chart: `<group>_first`, `<group>_last` (last day known to be given), `<group>_now`
    (given on the day).

    Also `treated_on`, `treated_last` and `treated_now`: the same of any anti-myeloma treatment.
    """
    once = pl.col("group").is_in(ONCE)
    lasting = pl.col("single") & (pl.col("stopped").dt.offset_by(f"{DOSE_LASTS}d") >= at)
    rows = rows.with_columns(
        last=pl.when(once).then("began").otherwise(pl.coalesce("stopped", pl.lit(at))),
        now=(pl.col("stopped").is_null() | (pl.col("stopped") >= at) | lasting) & (~once | (pl.col("began") == at)),
    )
    by_group = rows.group_by("patient", "group").agg(pl.col("began").min().alias("first"), pl.col("last").max(), pl.col("now").any())
    active = by_group.filter(pl.col("group").is_in(ACTIVE)).group_by("patient").agg(
        treated_on=pl.col("first").min(), treated_last=pl.col("last").max(), treated_now=pl.col("now").any()
    )  # fmt: skip
    told = _wide(by_group, "group", ("first", "last", "now"), (*ACTIVE, *SUPPORTIVE))
    return told.join(active, on="patient", how="left", maintain_order="left")


def _wide(rows: pl.DataFrame, by: str, values: tuple[str, ...], names: Sequence[str]) -> pl.DataFrame:
    """One row for every patient of the chart with the columns `<name>_<value>` for every name, null where there is none."""
    keys = rows.schema["patient"]
    assert isinstance(keys, pl.Enum)
    patients = keys.categories.cast(keys).alias("patient")
    placed = rows.with_columns(place=pl.col("patient").to_physical())
    return wide(placed, patients.len(), by, names, values).insert_column(0, patients)


def measured(chart: Chart, codes: tuple[str, ...] = MEASURED) -> pl.DataFrame:
    """The final observations of some codes: `patient`, `on`, `what`, `lo` to `hi`, `text`; sorted, of one day the one recorded last.

    Of conflicting rows recorded on one day the lower value stands, and the word `positive` before `negative`.
    """
    rows = scan(chart, "observations").filter(
        pl.col("what").is_in(list(codes)) & pl.col("on").is_not_null() & (pl.col("status") == "final")
    )
    rows = rows.select("patient", "on", pl.col("what").cast(pl.Enum(codes)), "value", "comparator", "text", "recorded_on").collect()
    under, over = pl.col("comparator") == "<", pl.col("comparator") == ">"
    rows = rows.with_columns(lo=pl.when(under).then(0.0).otherwise("value"), hi=pl.when(over).then(float("inf")).otherwise("value"))
    key = ["patient", "what", "on"]
    rows = settled(rows, key, ["recorded_on", "lo", "hi", "text"], [False, True, True, False])
    return rows.select("patient", "on", pl.col("what").cast(pl.String), "lo", "hi", "text")


def settled(rows: pl.DataFrame, key: list[str], by: list[str], descending: list[bool]) -> pl.DataFrame:
    """One row of each key, sorted by it: of several the last in the order of `by`, nulls first."""
    rows = rows.sort(key)
    again = rows.select(pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in key)).to_series()
    if not again.any():
        return rows
    twice = again | again.shift(-1, fill_value=False)
    several = rows.filter(twice).sort(*key, *by, descending=[False] * len(key) + descending, nulls_last=False)
    return pl.concat([rows.filter(~twice), several.unique(key, keep="last", maintain_order=True)]).sort(key)


def latest(rows: pl.DataFrame, codes: Sequence[str] = MEASURED) -> pl.DataFrame:
    """Of `measured`, the last of every code, one row for every patient: `<code>_on`, `<code>_lo`, `<code>_hi`, `<code>_text`."""
    return _wide(rows, "what", ("on", "lo", "hi", "text"), codes)


def happened(chart: Chart) -> pl.DataFrame:
    """The events that count here: `patient`, `what`, `on`, `until`, `grade`, `text`, `absent` (its absence was recorded).

    A `vaccination` whose text names the vaccine is that vaccination. Of several rows of a day the one recorded last stands.
    """
    rows = scan(chart, "events").filter(pl.col("what").is_in(EVENTS) & pl.col("on").is_not_null()).collect()
    named = pl.col("what")
    for name, pattern in VACCINES.items():
        said = (pl.col("what") == "vaccination") & pl.col("text").str.contains(pattern).fill_null(False)
        named = pl.when(said).then(pl.lit(f"{name}_vaccination")).otherwise(named)
    rows = rows.with_columns(what=named, absent=(pl.col("text") == "none").fill_null(False))
    rows = rows.sort(
        "patient", "what", "on", "recorded_on", "absent", "grade", "until", "text", descending=[False] * 4 + [True] + [False] * 3
    )
    newest = pl.col("recorded_on").eq_missing(pl.col("recorded_on").last().over("patient", "what", "on"))
    return rows.filter(newest).select("patient", "what", "on", "until", "grade", "text", "absent").unique(maintain_order=True)


def joined(left: pl.DataFrame, *parts: pl.DataFrame) -> pl.DataFrame:
    """`left` with the columns of the parts beside it, by patient; its rows and their order stay."""
    for part in parts:
        left = left.join(part, on="patient", how="left", maintain_order="left")
    return left
