"""Records that may be of one human: a suggestion with its reasons, never more."""

from __future__ import annotations

import polars as pl
import sqlalchemy as sa

from . import audit
from .access import Access
from .bulk import frame_of
from .database import Database
from .models import VERSIONS, changes, persons
from .reading import versions
from .scope import reached

SAME_RESULTS = 3  # measured numbers word for word the same: by chance that hardly happens, other than with "negative" or 0
BIRTH_DAY = 10  # letters of a date that says the day
CHAINS = ("heavy_chain", "light_chain")
ROW = ("value", "on", "what", "unit")  # what tells most apart first: rows are sorted by it


Known = dict[tuple[str, ...], tuple[int, pl.DataFrame]]  # centres → the last change, and the pairs of then


def duplicates(database: Database, access: Access, known: Known) -> pl.DataFrame:
    """Pairs of own patients who may be one: `same_results` (identical measured numbers), `same_birth_day`, `same_chains`.

    Both have the same sex and year of birth, and no chain that contradicts; and either at least three identical numbers of the
    laboratory, or the same day of birth and the same heavy and light chain. Most likely pairs first. `known`: what was found
    before; it is looked for again only after a change.
    """
    access.require("merge")
    own = VERSIONS["patients"].c
    mine = sa.select(own.person).where(own.to_change.is_(None), own.person.in_(reached(access, "merge")))
    with database.transaction(access.centres, write=True) as connection:
        audit.append(connection, access, "read", connection.execute(mine).scalars(), {"duplicates": True})
    with database.transaction(access.centres) as connection:  # nobody who writes waits for the many rows
        last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(changes.c.id), 0))).scalar_one()
        if known.get(access.centres, (-1,))[0] != last:
            known[access.centres] = (last, _found(connection, mine))
    return known[access.centres][1]


def _found(connection: sa.Connection, mine: sa.Select) -> pl.DataFrame:
    names = frame_of(connection, sa.select(persons.c.id.label("person"), persons.c.patient, persons.c.centre).where(persons.c.id.in_(mine)))
    people = frame_of(connection, versions("patients").where(VERSIONS["patients"].c.person.in_(mine)))
    pairs = suspected(people, frame_of(connection, _alike(mine)))
    for end in ("", "_2"):
        told = names.rename({name: f"{name}{end}" for name in names.columns})
        pairs = pairs.join(told, on=f"person{end}", how="left", maintain_order="left")
    return pairs.select("person", "patient", "centre", "person_2", "patient_2", "centre_2", "same_results", "same_birth_day", "same_chains")


def suspected(people: pl.DataFrame, alike: pl.DataFrame) -> pl.DataFrame:
    """The pairs, by number of the person. `people`: current rows of patients; `alike`: who has the same result, as `_alike` asks."""
    born = people.select("person", "sex", "born_on", *CHAINS, year=pl.col("born_on").str.head(4)).drop_nulls(["sex", "year"])
    shared = _shared(alike)
    often = shared.filter(pl.col("same_results") >= SAME_RESULTS).select("person", "person_2")
    pairs = pl.concat([often, _by_birth(born)]).unique()
    both = pairs.join(born, on="person").join(born, left_on="person_2", right_on="person", suffix="_2")
    agree = [pl.col(name).is_null() | pl.col(f"{name}_2").is_null() | (pl.col(name) == pl.col(f"{name}_2")) for name in CHAINS]
    days = pl.all_horizontal(pl.col(name).str.len_chars() == BIRTH_DAY for name in ("born_on", "born_on_2"))
    same_chains = pl.all_horizontal((pl.col(name) == pl.col(f"{name}_2")).fill_null(False) for name in CHAINS)
    both = both.with_columns(same_birth_day=days & (pl.col("born_on") == pl.col("born_on_2")), same_chains=same_chains)
    likely = both.filter(*agree, ~days | pl.col("same_birth_day"))
    counted = likely.join(shared, on=["person", "person_2"], how="left").with_columns(pl.col("same_results").fill_null(0))
    order = ["same_results", "same_birth_day", "person", "person_2"]
    return counted.sort(order, descending=[True, True, False, False])


def _alike(mine: sa.Select) -> sa.Select:
    """For each result that patients of the same sex and year of birth have word for word in common, who has it (`people`: 3,17,3).

    Results that are a number other than 0, measured and not only bounded. The database groups them: only what is shared comes out.
    """
    own, who = VERSIONS["observations"].c, VERSIONS["patients"].c
    people = sa.type_coerce(sa.func.aggregate_strings(sa.cast(own.person, sa.Text), ","), sa.Text).label("people")
    measured = own.to_change.is_(None) & (own.value != 0) & own.comparator.is_(None) & own.person.in_(mine)
    told = sa.select(people).join_from(VERSIONS["observations"], VERSIONS["patients"], who.person == own.person).where(measured)
    block = (*(own[name] for name in ROW), who.sex, sa.func.substr(who.born_on, 1, 4))
    return told.where(who.to_change.is_(None)).group_by(*block).having(sa.func.min(own.person) < sa.func.max(own.person))


def _shared(alike: pl.DataFrame) -> pl.DataFrame:
    """How many results each two of these patients have in common."""
    rows = alike.with_row_index("result").select("result", person=pl.col("people").str.split(",").list.unique()).explode("person")
    rows = rows.with_columns(pl.col("person").cast(pl.Int64))
    both = rows.join(rows, on="result", suffix="_2").filter(pl.col("person") < pl.col("person_2"))
    return both.group_by("person", "person_2").agg(same_results=pl.len().cast(pl.Int64))


def _by_birth(born: pl.DataFrame) -> pl.DataFrame:
    """Pairs of the same sex, day of birth and chains."""
    whole = born.filter(pl.col("born_on").str.len_chars() == BIRTH_DAY).drop_nulls(CHAINS)
    both = whole.join(whole, on=["sex", "born_on", *CHAINS], suffix="_2")
    return both.filter(pl.col("person") < pl.col("person_2")).select("person", "person_2")
