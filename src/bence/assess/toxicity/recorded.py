"""Toxicities that somebody wrote down as events, each once."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from ...chart import Chart
from ..intake import place_of

INFECTIONS = (
    "infection", "herpes_zoster", "pneumocystis", "cmv_reactivation", "hepatitis_b_reactivation", "fungal_infection",
    "febrile_neutropenia",
)  # fmt: skip
NEUROLOGICAL = ("parkinsonism", "cranial_nerve_palsy", "guillain_barre")
LATE_CAR_T = (*NEUROLOGICAL, "enterocolitis", "second_malignancy", "t_cell_malignancy", "myeloid_malignancy")
TALQUETAMAB = ("dysgeusia", "xerostomia", "dysphagia", "weight_loss", "rash", "skin_toxicity", "nail_toxicity", "ataxia")
OTHERS = (
    "infusion_reaction", "injection_site_reaction", "tumour_lysis", "osteonecrosis_jaw", "neutropenia", "thrombocytopenia",
    "anaemia_event", "neuropathy", "neuropathy_autonomic", "vte", "arterial_thrombosis", "stroke", "myocardial_infarction",
    "heart_failure", "arrhythmia", "hypertension_event", "pulmonary_hypertension", "thrombotic_microangiopathy", "bleeding",
    "hepatotoxicity", "diarrhoea", "constipation", "nausea", "mucositis", "fatigue", "insomnia", "hyperglycaemia",
    "hypocalcaemia", "hyponatraemia", "adverse_event",
)  # fmt: skip
DERIVED = ("crs", "icans", "icaht", "iec_hs", "hypogammaglobulinaemia", "keratopathy")


def events(chart: Chart, ids: pl.Series, codes: Collection[str]) -> pl.DataFrame:
    """One row a patient, code and day: `place`, `kind`, `on`, `until`, `grade`, `text`, `absent`, `conflict`.

    Of several rows of one day the one recorded last stands, else the worse one, flagged `conflict`. `absent`: the text is `none`.
    """
    rows = chart.scan("events").filter(pl.col("what").is_in(list(codes)) & pl.col("on").is_not_null())
    rows = rows.select(
        "grade", "text", "recorded_on", place=place_of(ids), kind="what",
        on=pl.col("on").to_physical().cast(pl.Int64), until=pl.col("until").to_physical().cast(pl.Int64),
        absent=(pl.col("text") == "none").fill_null(False),
    ).collect()  # fmt: skip
    key = ["place", "kind", "on"]
    rows = rows.sort(*key, "recorded_on", "absent", "grade", "until", "text", descending=[False] * 4 + [True] + [False] * 3)
    newest = rows.filter(pl.col("recorded_on").eq_missing(pl.col("recorded_on").last().over(key)))
    clash = pl.struct("grade", "absent").n_unique().over(key) > 1
    kept = newest.with_columns(conflict=clash).unique(key, keep="last", maintain_order=True)
    grade = pl.when(pl.col("grade").is_between(0, 5)).then("grade")
    return kept.with_columns(grade, absent=pl.col("absent") | (grade == 0).fill_null(False)).drop("recorded_on")
