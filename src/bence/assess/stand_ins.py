"""Findings that stand for another: estimated for measured clearance, clean imaging for a count of lesions.

Nothing is assumed here: each was recorded, or follows from what was.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..cells import Categories, Column, Numbers

Floats = NDArray[np.float64]

UMOL_PER_MG_DL = 88.4
REACTIVE_BELOW = 10  # % plasma cells


def stand_ins(columns: Mapping[str, Column], n: int) -> dict[str, Column]:
    """The inputs of `n` patients that other recorded findings settle or narrow."""
    found: dict[str, Column] = {
        "creatinine_clearance": clearance(columns, n),
        "marrow_plasma_cells": clonal_plasma_cells(columns, n),
    }
    clean = _is(columns.get("bone_imaging_clean"), "yes", n)
    for name in ("lytic_lesions", "mri_focal_lesions"):
        lo, hi = _ends(columns.get(name), n)
        unknown = np.isnan(lo)
        said = clean & unknown
        if said.any():  # "no further lesion" leaves room for the one that is the plasmacytoma
            found[name] = _numbers(np.where(said, 0, lo), np.where(said, 1, hi), columns.get(name))
    return found


def clearance(columns: Mapping[str, Column], n: int) -> Numbers:
    """Creatinine clearance in mL/min: measured, else the reported filtration rate, else CKD-EPI 2021."""
    lo, hi = _ends(columns.get("creatinine_clearance"), n)
    for other in (_ends(columns.get("egfr"), n), _estimated(columns, n)):
        unknown = np.isnan(lo)
        lo, hi = np.where(unknown, other[0], lo), np.where(unknown, other[1], hi)
    return _numbers(lo, hi, columns.get("creatinine_clearance"))


def ckd_epi_2021(creatinine: Floats, age: Floats, female: NDArray[np.bool_]) -> Floats:
    """Estimated filtration rate in mL/min/1.73 m² from creatinine in umol/L and age in years (CKD-EPI 2021).

    Inker et al., N Engl J Med 2021;385:1737, doi:10.1056/NEJMoa2102953.
    """
    ratio = creatinine / UMOL_PER_MG_DL / np.where(female, 0.7, 0.9)
    low = np.minimum(ratio, 1) ** np.where(female, -0.241, -0.302)
    high = np.maximum(ratio, 1) ** -1.2
    return 142 * low * high * 0.9938**age * np.where(female, 1.012, 1)


def clonal_plasma_cells(columns: Mapping[str, Column], n: int) -> Numbers:
    """Clonal plasma cells of the marrow in %: 0 where immunohistochemistry or flow found them reactive.

    Below 10 % the share stays as it is: there the rules ask for clonality itself.
    """
    column = columns.get("marrow_plasma_cells")
    lo, hi = _ends(column, n)
    reactive = _is(columns.get("marrow_clonality"), "negative", n) & (lo >= REACTIVE_BELOW)
    return _numbers(np.where(reactive, 0, lo), np.where(reactive, 0, hi), column)


def _estimated(columns: Mapping[str, Column], n: int) -> tuple[Floats, Floats]:
    """The estimate as a range: it falls with creatinine and with age; sex must be known."""
    creatinine, creatinine_hi = _ends(columns.get("creatinine"), n)
    age, age_hi = _ends(columns.get("age"), n)
    female, male = (_is(columns.get("sex"), sex, n) for sex in ("female", "male"))
    with np.errstate(all="ignore"):
        high = ckd_epi_2021(creatinine, age, female)
        exact = creatinine_hi is creatinine and age_hi is age
        low = high if exact else ckd_epi_2021(creatinine_hi, age_hi, female)
    known = female | male
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def _ends(column: Column | None, n: int) -> tuple[Floats, Floats]:
    """Both ends of a number, NaN where it is unknown."""
    if not isinstance(column, Numbers):
        return np.full(n, np.nan), np.full(n, np.nan)
    return column.lo, column.lo if column.hi is None else column.hi


def _is(column: Column | None, word: str, n: int) -> NDArray[np.bool_]:
    """Where a column says this word and no other."""
    if not isinstance(column, Categories):
        return np.zeros(n, bool)
    return column.mask == 1 << column.names.index(word)


def _numbers(lo: Floats, hi: Floats, like: Column | None) -> Numbers:
    """A column of these ends; an open end stays open where the value is still the old one."""
    if not isinstance(like, Numbers) or like.hi is None:
        return Numbers(lo, hi) if not np.array_equal(lo, hi, equal_nan=True) else Numbers(lo)
    same = (lo == like.lo) & (hi == like.hi)
    none = np.zeros(lo.size, bool)
    lo_open = none if like.lo_open is None else like.lo_open & same
    hi_open = none if like.hi_open is None else like.hi_open & same
    return Numbers(lo, hi, lo_open, hi_open)
