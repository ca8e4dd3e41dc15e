"""Findings that stand for another one."""

import numpy as np
import pytest

from bence.assess.stand_ins import ckd_epi_2021, clearance, clonal_plasma_cells, stand_ins
from bence.cells import Categories, Numbers

SEX = ("female", "male")


def numbers(*values: float | None) -> Numbers:
    return Numbers(np.array([np.nan if value is None else float(value) for value in values]))


@pytest.mark.parametrize(
    ("mg_dl", "age", "female", "expected"),
    [(1.0, 50, False, 92), (1.0, 50, True, 69), (0.6, 30, True, 124), (2.0, 60, False, 38)],
)
def test_ckd_epi_2021_by_hand(mg_dl, age, female, expected):
    found = ckd_epi_2021(np.array([mg_dl * 88.4]), np.array([float(age)]), np.array([female]))
    assert round(float(found[0])) == expected


def test_measured_clearance_comes_before_the_reported_and_the_estimated_one():
    columns = {
        "creatinine_clearance": numbers(50, None, None, None),
        "egfr": numbers(60, 61, None, None),
        "creatinine": numbers(88.4, 88.4, 88.4, 88.4),
        "age": numbers(50, 50, 50, 50),
        "sex": Categories.of(np.array([1, 1, 1, -1]), SEX),
    }
    found = clearance(columns, 4).lo
    assert found[:2].tolist() == [50, 61]
    assert round(float(found[2])) == 92
    assert np.isnan(found[3])


def test_a_year_of_birth_gives_a_range():
    columns = {
        "creatinine": numbers(88.4),
        "age": Numbers(np.array([49.0]), np.array([50.0])),
        "sex": Categories.of(np.array([1]), SEX),
    }
    found = clearance(columns, 1)
    assert found.hi is not None
    assert 91 < found.lo[0] < found.hi[0] < 93


def test_a_censored_clearance_keeps_its_open_end():
    censored = Numbers(np.array([0.0]), np.array([40.0]), np.array([False]), np.array([True]))
    found = clearance({"creatinine_clearance": censored}, 1)
    assert found.hi_open is not None
    assert found.hi_open[0]


def test_a_reactive_marrow_has_no_clonal_plasma_cells():
    columns = {
        "marrow_plasma_cells": numbers(15, 15, 15, 5),
        "marrow_clonality": Categories.of(np.array([0, 1, -1, 0]), ("negative", "positive")),
    }
    assert clonal_plasma_cells(columns, 4).lo.tolist() == [0, 15, 15, 5]


def test_clean_imaging_leaves_room_for_the_plasmacytoma_itself():
    columns = {
        "bone_imaging_clean": Categories.of(np.array([1, 1, -1]), ("no", "yes")),
        "lytic_lesions": numbers(None, 2, None),
    }
    found = stand_ins(columns, 3)["lytic_lesions"]
    assert isinstance(found, Numbers)
    assert found.hi is not None
    assert found.lo[:2].tolist() == [0, 2]
    assert found.hi[:2].tolist() == [1, 2]
    assert np.isnan(found.lo[2])
