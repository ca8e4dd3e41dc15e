"""Regimens by name, as clinicians write them (VRd, D-VRd, Isa-KRd, Tec-Dara), from the drugs that are given together.

The names are in `regimens.csv`. Drugs that have no name together are written one after the other.
"""

from __future__ import annotations

import csv
import functools
from importlib.resources import files

import polars as pl

from ..catalogue import codes_of
from . import line_scan as scan

TOGETHER = f"{scan.TOGETHER}d"
SHORT = {
    "bortezomib": "V", "lenalidomide": "R", "carfilzomib": "K", "daratumumab": "D", "isatuximab": "Isa", "pomalidomide": "P",
    "thalidomide": "T", "cyclophosphamide": "C", "melphalan": "M", "ixazomib": "I", "dexamethasone": "d", "prednisone": "pred",
    "elotuzumab": "Elo", "doxorubicin": "A", "belantamab_mafodotin": "Belantamab", "teclistamab": "Tec", "talquetamab": "Tal",
    "elranatamab": "Elra", "linvoseltamab": "Linvo", "cevostamab": "Cevo", "selinexor": "X", "venetoclax": "Ven",
    "bendamustine": "Benda", "iberdomide": "Iber", "mezigdomide": "Mezi", "panobinostat": "F", "ide_cel": "ide-cel",
    "cilta_cel": "cilta-cel", "eque_cel": "eque-cel", "zevor_cel": "zevor-cel", "anito_cel": "anito-cel", "arlo_cel": "arlo-cel",
    "car_t": "CAR-T", "bcma_car_t": "BCMA CAR-T", "gprc5d_car_t": "GPRC5D CAR-T",
}  # fmt: skip
STEROIDS = {"prednisolone": "prednisone", "methylprednisolone": "dexamethasone"}  # read as the steroid of the named regimens


@functools.cache
def named() -> dict[frozenset[str], str]:
    """The name of every set of drugs that has one."""
    text = files("bence.assess").joinpath("regimens.csv").read_text("utf-8")
    return {frozenset(row["drugs"].split("+")): row["name"] for row in csv.DictReader(text.splitlines())}


def regimen_name(drugs: frozenset[str]) -> str:
    """The name of the drugs that are given together.

    >>> regimen_name(frozenset({"bortezomib", "lenalidomide", "dexamethasone"}))
    'VRd'
    >>> regimen_name(frozenset({"cilta_cel"})), regimen_name(frozenset({"cisplatin", "dexamethasone"}))
    ('cilta-cel', 'cisplatin-d')
    """
    drugs = frozenset(STEROIDS.get(drug, drug) for drug in drugs if drug != "radiotherapy") or drugs
    if drugs in named():
        return named()[drugs]
    codes = codes_of("drug", "procedure")
    order = sorted(drugs, key=lambda drug: (codes[drug].drug_class == "steroid" if drug in codes else False, drug))
    return "-".join(SHORT.get(drug, codes[drug].en if drug in codes else drug) for drug in order)


def regimen_names(given: pl.DataFrame) -> pl.DataFrame:
    """The regimen of every line (`place`, `line`): what begins together, a transplant, and what follows it (`VRd-ASCT-R`).

    `given`: treatment rows of the lines, of `lines.with_lines`.
    """
    transplant = pl.col("role") & scan.TRANSPLANT != 0
    cells = pl.col("rule") == scan.WAITED
    key = ["place", "line"]
    rows = given.filter(~cells).with_columns(
        first=pl.col("started_on").filter(pl.col("kind") == scan.ACTIVE).min().over(key),
        transplanted=pl.col("started_on").filter(transplant).min().over(key),
    )
    conditions = (pl.col("role") & scan.CONDITIONS != 0) & (
        (pl.col("transplanted") - pl.col("started_on")).is_between(pl.duration(days=0), pl.duration(days=scan.AROUND_TRANSPLANT))
    )
    drugs = rows.filter(~transplant & ~(conditions & (pl.col("started_on") > pl.col("first"))).fill_null(False))
    after = pl.col("started_on") > pl.col("transplanted")
    early = pl.col("started_on") <= pl.col("first").fill_null(pl.col("started_on")).dt.offset_by(TOGETHER)
    later = drugs.filter(after.fill_null(False)).with_columns(next=pl.col("started_on").min().over(key))
    parts = [
        _sets(drugs.filter(early & ~after.fill_null(False)), "start"),
        _sets(later.filter(pl.col("started_on") <= pl.col("next").dt.offset_by(TOGETHER)), "after"),
    ]
    lines = rows.group_by(key, maintain_order=True).agg(
        autologous=(pl.col("what") == "autologous_transplant").any(), allogeneic=(pl.col("what") == "allogeneic_transplant").any()
    )
    for part in parts:
        lines = lines.join(part, on=key, how="left", maintain_order="left")
    return lines.select(
        *key,
        regimen=pl.concat_str(
            "start",
            pl.when("autologous").then(pl.lit("ASCT")),
            pl.when("allogeneic").then(pl.lit("alloSCT")),
            "after",
            separator="-",
            ignore_nulls=True,
        ).replace("", None),
    )


def joined_drugs(given: pl.DataFrame) -> pl.DataFrame:
    """The drugs of every line (`place`, `line`) in the order of the rows, each once, as one text: `drugs`."""
    lines = given.group_by("place", "line", maintain_order=True).agg(drugs="what")
    return lines.with_columns(pl.col("drugs").list.unique(maintain_order=True).list.join("+"))


def _sets(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """The name of the drugs of every line."""
    sets = joined_drugs(rows)
    names = {each: regimen_name(frozenset(each.split("+"))) for each in sets["drugs"].unique()}
    return sets.select("place", "line", pl.col("drugs").replace_strict(names, default=None).alias(name))
