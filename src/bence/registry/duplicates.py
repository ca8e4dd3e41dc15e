"""Records that may be of one human: a suggestion with its reasons, never more."""

from __future__ import annotations

import polars as pl
import sqlalchemy as sa

from . import audit
from .access import Access
from .bulk import frame_of
from .database import Database
from .models import VERSIONS, persons
from .reading import versions
from .scope import reached

SAME_RESULTS = 3  # laboratory rows word for word the same: by chance that hardly happens
BIRTH_DAY = 10  # letters of a date that says the day
CHAINS = ("heavy_chain", "light_chain")
ROW = ("on", "what", "value", "text", "unit")


def duplicates(database: Database, access: Access) -> pl.DataFrame:
    """Pairs of own patients who may be one: `same_results` (identical laboratory rows), `same_birth_day`, `same_chains`.

    Both have the same sex and year of birth, and no chain that contradicts; and either at least three identical laboratory rows, or
    the same day of birth and the same heavy and light chain. Most likely pairs first.
    """
    access.require("merge")
    with database.transaction(access.centres, write=True) as connection:
        mine = reached(access, "merge")
        people = frame_of(connection, versions("patients").where(VERSIONS["patients"].c.person.in_(mine)))
        names = frame_of(
            connection, sa.select(persons.c.id.label("person"), persons.c.patient, persons.c.centre).where(persons.c.id.in_(mine))
        )
        results = frame_of(connection, versions("observations").where(VERSIONS["observations"].c.person.in_(mine)))
        audit.append(connection, access, "read", people["person"], {"duplicates": True})
    pairs = suspected(people, results)
    for end in ("", "_2"):
        told = names.rename({name: f"{name}{end}" for name in names.columns})
        pairs = pairs.join(told, on=f"person{end}", how="left", maintain_order="left")
    return pairs.select("patient", "centre", "patient_2", "centre_2", "same_results", "same_birth_day", "same_chains")


def suspected(people: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """The pairs, by number of the person. `people`, `results`: current rows of patients and observations."""
    born = people.select("person", "sex", "born_on", *CHAINS, year=pl.col("born_on").str.head(4)).drop_nulls(["sex", "year"])
    pairs = pl.concat([_by_results(born, results), _by_birth(born)]).unique()
    both = pairs.join(born, on="person").join(born, left_on="person_2", right_on="person", suffix="_2")
    agree = [pl.col(name).is_null() | pl.col(f"{name}_2").is_null() | (pl.col(name) == pl.col(f"{name}_2")) for name in CHAINS]
    days = pl.all_horizontal(pl.col(name).str.len_chars() == BIRTH_DAY for name in ("born_on", "born_on_2"))
    both = both.filter(*agree).with_columns(
        same_birth_day=days & (pl.col("born_on") == pl.col("born_on_2")),
        same_chains=pl.all_horizontal((pl.col(name) == pl.col(f"{name}_2")).fill_null(False) for name in CHAINS),
    )
    both = both.filter(~days | pl.col("same_birth_day"))
    counted = both.join(_identical(both, results), on=["person", "person_2"], how="left").with_columns(pl.col("same_results").fill_null(0))
    likely = (pl.col("same_results") >= SAME_RESULTS) | (pl.col("same_birth_day") & pl.col("same_chains"))
    order = ["same_results", "same_birth_day", "person", "person_2"]
    return counted.filter(likely).sort(order, descending=[True, True, False, False])


def _by_results(born: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """Pairs of the same sex and year of birth who have an identical laboratory row."""
    rows = results.select("person", *ROW).join(born.select("person", "sex", "year"), on="person")
    both = rows.join(rows, on=[*ROW, "sex", "year"], nulls_equal=True, suffix="_2")
    return both.filter(pl.col("person") < pl.col("person_2")).select("person", "person_2").unique()


def _by_birth(born: pl.DataFrame) -> pl.DataFrame:
    """Pairs of the same sex, day of birth and chains."""
    whole = born.filter(pl.col("born_on").str.len_chars() == BIRTH_DAY).drop_nulls(CHAINS)
    both = whole.join(whole, on=["sex", "born_on", *CHAINS], suffix="_2")
    return both.filter(pl.col("person") < pl.col("person_2")).select("person", "person_2")


def _identical(pairs: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """How many laboratory rows of a pair are word for word the same."""
    rows = results.select("person", *ROW).unique()
    mine = pairs.select("person", "person_2").join(rows, on="person")
    both = mine.join(rows, left_on=["person_2", *ROW], right_on=["person", *ROW], nulls_equal=True, how="semi")
    return both.group_by("person", "person_2").agg(same_results=pl.len().cast(pl.Int64))
