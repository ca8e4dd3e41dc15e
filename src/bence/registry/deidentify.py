"""A chart without what tells who its patients are.

Keys become pseudonyms (HMAC-SHA-256 with a secret key: the same patient has the same pseudonym under the same key). All dates of
a patient move back by the same 1 to 364 days, so that intervals stay. Of the birth the year is left, and nobody is older than 90.
Centre, source, samples and whatever is not a word of the catalogue are dropped.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import polars as pl

from ..catalogue import codes_of
from ..chart import SCHEMA, TABLES, Chart, birth, moved
from ..errors import UsageError
from ..read.facts import METHODS

KEY_BYTES = 16  # at least
OLDEST = 90
UNITS = (
    "mg",
    "g",
    "ug",
    "µg",
    "mg/m2",
    "mg/m²",
    "mg/kg",
    "ug/kg",
    "µg/kg",
    "g/kg",
    "Gy",
    "IU",
    "cells",
    "cells/kg",
    "10^6 cells",
    "10^6 cells/kg",
)
ROUTES = ("po", "oral", "iv", "sc", "im", "it", "口服", "静脉", "静脉滴注", "皮下", "皮下注射", "肌注", "鞘内")
DONE = {
    "patient": "pseudonym: HMAC-SHA-256 of centre and key under a secret key, 16 hexadecimal digits",
    "dates": "moved back by a constant of 1 to 364 days for each patient; intervals within a patient are unchanged",
    "born_on": "year of the shifted date only; 90 or older at the last date of the patient is given as 90 (read: 90+)",
    "text": "kept only where it is a word of the catalogue",
    "dose_unit, route, method": "kept only where it is a usual one",
    "dropped": "centre, source, sample, death_cause, rejected",
}


def deidentify(chart: Chart, key: bytes) -> tuple[Chart, dict[str, str]]:
    """The chart de-identified, and what was done, in words. UsageError for a key of fewer than 16 bytes."""
    if len(key) < KEY_BYTES:
        raise UsageError("the key for the pseudonyms is too short", expected=f"at least {KEY_BYTES} random bytes, kept secret")
    people = pseudonyms(chart.patients, key)
    tables = {table: _moved(chart.scan(table), table, people).collect() for table in TABLES}
    tables["patients"] = _years(tables, SCHEMA["patients"])
    bare = {table: _bare(frame.lazy(), table).select(SCHEMA[table].keys()).collect() for table, frame in tables.items()}
    return Chart(*(frame.sort(frame.columns, nulls_last=True) for frame in bare.values())), dict(DONE)


def pseudonyms(patients: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """For every patient a pseudonym and the days by which dates move."""
    rows = []
    for patient, centre in patients.select("patient", "centre").iter_rows():
        digest = hmac.digest(key, f"{centre or ''}\0{patient}".encode(), hashlib.sha256)
        rows.append((patient, digest.hex()[:16], -(int.from_bytes(digest[16:]) % 364 + 1)))
    return pl.DataFrame(rows, schema={"patient": pl.String, "pseudonym": pl.String, "days": pl.Int64}, orient="row")


def _moved(frame: pl.LazyFrame, table: str, people: pl.DataFrame) -> pl.LazyFrame:
    """Pseudonyms for keys, all dates moved; of the birth the year."""
    shift = pl.duration(days=pl.col("days"))
    both = moved(frame.join(people.lazy(), on="patient", how="inner", maintain_order="left"), table, shift)
    born = [(birth() + shift).dt.year().cast(pl.String).alias("born_on")] if table == "patients" else []
    return both.with_columns(*born, patient=pl.col("pseudonym")).drop("pseudonym", "days")


def _years(tables: dict[str, pl.DataFrame], schema: dict[str, Any]) -> pl.DataFrame:
    """The patients, nobody older than 90 at the last date there is of them."""
    ends = [
        frame.select("patient", last=pl.max_horizontal(name for name, dtype in SCHEMA[table].items() if dtype == pl.Date))
        for table, frame in tables.items()
    ]
    last = pl.concat(ends).group_by("patient").agg(year=pl.col("last").max().dt.year())
    both = tables["patients"].join(last, on="patient", how="left")
    youngest = (pl.col("year") - OLDEST).cast(pl.String)
    old = pl.col("year") - pl.col("born_on").cast(pl.Int32) >= OLDEST
    return both.with_columns(born_on=pl.when(old).then(youngest).otherwise("born_on")).select(schema.keys())


def _bare(frame: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """Rows without free text. A row that says nothing else is dropped; an event stays an event."""
    frame = frame.with_columns(
        pl.lit(None, pl.String).alias(name) for name in ("centre", "source", "sample", "death_cause") if name in SCHEMA[table]
    )
    if table == "treatments":
        usual = {"dose_unit": UNITS, "route": ROUTES}
        return frame.with_columns(_only(name, words) for name, words in usual.items())
    if table == "events":
        return frame.with_columns(_only("text", ("none",)))
    if table != "observations":
        return frame
    words = [(name, word) for name, code in codes_of("observation").items() for word in code.words]
    known = pl.LazyFrame(words, schema={"what": pl.String, "text": pl.String}, orient="row").with_columns(known=True)
    chains = [name for name, code in codes_of("observation").items() if code.kind == "chains"]  # settled by the reader
    joined = frame.with_columns(_only("method", tuple(METHODS))).join(known, on=["what", "text"], how="left")
    kept = pl.when(pl.col("known") | pl.col("what").is_in(chains)).then("text")
    return joined.with_columns(text=kept).filter(pl.col("value").is_not_null() | pl.col("text").is_not_null())


def _only(name: str, words: tuple[str, ...]) -> pl.Expr:
    return pl.when(pl.col(name).is_in(words)).then(name).alias(name)
