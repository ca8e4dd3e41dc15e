"""The virtual cohort of the demo is what its population and seed give, and nothing made by hand."""

from __future__ import annotations

import polars as pl
from polars.testing import assert_frame_equal

from bence.demo import DRAWN, VIRTUAL
from bence.read import read
from bence.simulate.cohort import virtual_cohort

FEW = 4


def test_the_first_people_of_the_packaged_cohort_are_drawn_again():
    population, people, seed = DRAWN
    packed, drawn = read(VIRTUAL), virtual_cohort(population, FEW, seed)
    assert packed.patients.height == people
    assert_frame_equal(packed.patients.head(FEW), drawn.patients.select(packed.patients.columns), check_dtypes=False)
    ids = drawn.patients["patient"].implode()
    keys = ["patient", "on", "what", "value"]
    found = packed.observations.filter(pl.col("patient").is_in(ids), pl.col("value").is_not_null()).select(keys).sort(keys)
    wanted = drawn.observations.filter(pl.col("value").is_not_null()).select(keys).sort(keys)
    assert_frame_equal(found, wanted, check_dtypes=False, rel_tol=1e-3)


def test_every_patient_of_the_packaged_cohort_says_that_it_is_synthetic():
    patients = read(VIRTUAL).patients
    assert patients["patient"].str.starts_with("V").all()
    assert patients["centre"].str.contains("synthetic").all()
