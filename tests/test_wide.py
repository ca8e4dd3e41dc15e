"""Rows set beside each other, one row a patient: against the obvious way, a look through all rows for every cell."""

from __future__ import annotations

import random

import numpy as np
import polars as pl
import pytest

from bence.assess.wide import flags, having, whole, wide

NAMES = ("iss", "ldh", "age")


def rows_of(seed: int, n: int) -> pl.DataFrame:
    """Some rows, of some places several with one name, and of a name that nobody asks for."""
    draw = random.Random(seed)
    rows = [
        (draw.randrange(n), draw.choice((*NAMES, "other")), draw.choice((None, 1.5, 2.5)), draw.choice((None, "a", "b")))
        for _ in range(draw.randrange(12) if n else 0)
    ]
    return pl.DataFrame(rows, schema={"place": pl.Int64, "what": pl.String, "value": pl.Float64, "text": pl.String}, orient="row")


@pytest.mark.parametrize("n", [0, 1, 4])
@pytest.mark.parametrize("seed", range(8))
def test_every_cell_is_that_of_the_last_row_of_its_place_and_name(seed: int, n: int) -> None:
    rows = rows_of(seed, n)
    found = wide(rows, n, "what", NAMES, ("value", "text"), join=".")
    assert found.columns == [f"{name}.{value}" for name in NAMES for value in ("value", "text")]
    assert [*found.schema.values()] == [pl.Float64, pl.String] * len(NAMES)
    for place in range(n):
        for name in NAMES:
            own = [row for row in rows.iter_rows(named=True) if (row["place"], row["what"]) == (place, name)]
            for value in ("value", "text"):
                assert found[f"{name}.{value}"][place] == (own[-1][value] if own else None)


@pytest.mark.parametrize("n", [0, 1, 4])
@pytest.mark.parametrize("seed", range(8))
def test_a_place_without_a_row_is_null_and_has_no_name(seed: int, n: int) -> None:
    rows = rows_of(seed, n)
    last, there = whole(rows, n), having(rows, n, "what", NAMES)
    assert last.columns == ["what", "value", "text"]
    for place in range(n):
        own = [row for row in rows.iter_rows(named=True) if row["place"] == place]
        assert last.row(place, named=True) == {name: own[-1][name] if own else None for name in last.columns}
        assert {name: bool(column[place]) for name, column in there.items()} == {
            name: any(row["what"] == name for row in own) for name in NAMES
        }  # fmt: skip


def test_the_words_may_be_an_enumeration() -> None:
    rows = pl.DataFrame({"place": [1], "what": ["ldh"], "value": [3.0]}, schema_overrides={"what": pl.Enum(["ldh", "crp"])})
    assert wide(rows, 2, "what", NAMES, ("value",))["ldh_value"].to_list() == [None, 3.0]


def test_a_flag_is_null_where_neither_yes_nor_no_is_certain() -> None:
    yes, no = np.array([True, False, False]), np.array([False, True, False])
    assert flags({"frail": yes}, {"frail": no}).to_dict(as_series=False) == {"frail": [True, False, None]}
