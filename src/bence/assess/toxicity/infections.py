"""Infections by grade and per 100 patient-months, and hypogammaglobulinaemia.

Polyclonal IgG is total IgG less the M-protein where that is IgG. Rules in words: docs/rules/toxicity.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from ...chart import TABLES, Chart, visible
from ..intake import place_of
from ..mrd.poisson import garwood
from .episodes import around, as_recorded, joined, none, runs, shaped
from .exposure import T_CELL, doses, given
from .recorded import INFECTIONS
from .recorded import events as recorded_events
from .signs import Track, Tracks

LOW_IGG = 4.0  # g/L
APART = 92  # days between two values of one episode
MONTH = 30.4375  # days
DATES = {"observations": ("on",), "treatments": ("started_on", "stopped_on"), "events": ("on", "until"), "patients": ("last_seen_on",)}


def infections(given_doses: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Every infection that was recorded; febrile neutropenia without a grade is grade 3 or more by its definition."""
    own = as_recorded(events.filter(pl.col("kind").is_in(INFECTIONS) & ~pl.col("absent")))
    if own.is_empty():
        return none()
    told = around(own, given(given_doses, kinds=T_CELL), given_doses, "infection")
    febrile = (pl.col("kind") == "febrile_neutropenia") & (pl.col("missing") == "grade").fill_null(False)
    mask = pl.when(febrile).then(0b111000).otherwise(pl.col("mask").cast(pl.Int64)).cast(pl.UInt8)
    named = pl.when(pl.col("kind") == "infection").then(pl.col("text")).otherwise(pl.col("kind"))
    because = joined(pl.col("because"), named)
    return told.with_columns(mask=mask, because=because, kind=pl.lit("infection"), source=pl.lit("ctcae-5"))


def infection_rates(chart: Chart, at: date | None = None, *, product: str | None = None, confidence: float = 0.95) -> pl.DataFrame:
    """Infections per 100 patient-months by grade, with the exact Poisson interval.

    At risk from the first dose of `product` (None: of any anti-myeloma treatment) to death, else to the last date known of the
    patient; who never had it is not at risk. Grades `1` to `5`, `unknown`, `3+` and `any`; infections without a grade are in `any`
    and `unknown` alone, so `3+` is a lower bound, and `events_at_most` counts them too.
    """
    known = visible(chart, at)
    ids = known.patients["patient"].sort()
    risk = _at_risk(known, ids, product)
    events = recorded_events(known, ids, INFECTIONS).filter(~pl.col("absent"))
    own = events.join(risk, on="place").filter(pl.col("on").is_between("began", "ended"))
    floor = pl.when(pl.col("kind") == "febrile_neutropenia").then(3)
    own = own.with_columns(least=pl.coalesce("grade", floor, pl.lit(0)), unknown=pl.col("grade").is_null())
    months = float((risk["ended"] - risk["began"] + 1).sum() or 0) / MONTH
    rows = []
    for name, counted, at_most in _groups():
        number = own.filter(counted).height
        low, high = (float(end) for end in garwood(number, confidence))
        rates = [100 * each / months if months > 0 else None for each in (number, low, high)]
        rows.append((name, number, own.filter(at_most).height, own.filter(counted)["place"].n_unique(), risk.height, months, *rates))
    columns = {
        "grade": pl.String, "events": pl.Int64, "events_at_most": pl.Int64, "patients": pl.Int64, "at_risk": pl.Int64,
        "patient_months": pl.Float64, "per_100_months": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=columns, orient="row")


def _groups() -> list[tuple[str, pl.Expr, pl.Expr]]:
    grade, unknown = pl.col("grade").fill_null(0), pl.col("unknown")
    single = [(str(g), grade == g, (grade == g) | unknown & (pl.col("least") <= g)) for g in range(1, 6)]
    severe, every = pl.col("least") >= 3, pl.lit(True)
    return [*single, ("unknown", unknown, unknown), ("3+", severe, severe | unknown), ("any", every, every)]


def _at_risk(chart: Chart, ids: pl.Series, product: str | None) -> pl.DataFrame:
    """`place`, first and last day at risk of every patient who was given it."""
    rows = doses(chart, ids)
    own = rows.filter(pl.col("what") == product) if product else rows.filter(~pl.col("kind").is_in(["supportive", "radiotherapy"]))
    began = own.group_by("place").agg(began=pl.col("day").min())
    place = place_of(ids)
    seen = [
        chart.scan(table).select(place.alias("place"), day=pl.max_horizontal(pl.col(names).to_physical().cast(pl.Int64)))
        for table, names in DATES.items() if table in TABLES
    ]  # fmt: skip
    last = pl.concat(seen).group_by("place").agg(seen=pl.col("day").max()).collect()
    died = chart.patients.select(place.alias("place"), died=pl.col("died_on").to_physical().cast(pl.Int64))
    told = began.join(last, on="place", how="left").join(died, on="place", how="left")
    ended = pl.max_horizontal(pl.coalesce("died", "seen"), "began")
    return told.select("place", "began", ended=ended).sort("place")


def hypogammaglobulinaemia(
    tracks: Tracks, given_doses: pl.DataFrame, events: pl.DataFrame, heavy: np.ndarray, policies: Mapping[str, Any]
) -> pl.DataFrame:
    """Episodes of polyclonal IgG below 4 g/L; no grade, for CTCAE has none. `heavy`: 1 the clone is IgG, 0 it is not, -1 unknown."""
    own = as_recorded(events.filter((pl.col("kind") == "hypogammaglobulinaemia") & ~pl.col("absent")))
    low = _low(tracks, heavy, float(policies["carry_biochemistry"]))
    if low.is_empty() and own.is_empty():
        return none()
    found = low.group_by("run", maintain_order=True).agg(
        pl.col("place").first(), pl.col("day").min().alias("from"), pl.col("day").max().alias("to"),
        worst=pl.col("day").sort_by("high", "day").first(), lowest=pl.col("high").min(),
    )  # fmt: skip
    because = pl.concat_str(pl.lit("polyclonal_igg="), pl.col("lowest").round(2).cast(pl.String))
    found = found.with_columns(because=because, days=pl.col("to") - pl.col("from") + 1, flags=_infused(found, given_doses, policies))
    whole = pl.concat([shaped(found), shaped(own)]).drop("after", "last", "first", "treated_with")
    told = around(whole, given(given_doses, kinds=T_CELL), given_doses, "hypogammaglobulinaemia")
    return told.with_columns(kind=pl.lit("hypogammaglobulinaemia"), source=pl.lit("polyclonal-igg"))


def _low(tracks: Tracks, heavy: np.ndarray, carried: float) -> pl.DataFrame:
    """The days of a low value, no more than a quarter apart in one run."""
    igg = tracks["igg"]
    high = _polyclonal(igg, tracks["serum_m_protein"], heavy[igg.place], carried)
    rows = np.flatnonzero(high < LOW_IGG - 1e-9)
    columns = {"place": igg.place[rows].astype(np.int64), "day": igg.day[rows].astype(np.int64), "high": high[rows]}
    return runs(pl.DataFrame(columns, schema_overrides={"high": pl.Float64}), APART)


def _infused(found: pl.DataFrame, given_doses: pl.DataFrame, policies: Mapping[str, Any]) -> pl.Expr:
    """Flag what was measured after immunoglobulin: the true value may be lower."""
    infused = given_doses.filter(pl.col("what") == "immunoglobulin").select("place", infused="day")
    met = found.select("run", "place", "from", "to").join(infused, on="place")
    runs_ = met.filter(pl.col("infused").is_between(pl.col("from") - int(policies["ivig"]), "to"))["run"].unique()
    return pl.when(pl.col("run").is_in(runs_.implode())).then(pl.lit("after_immunoglobulin"))


def _polyclonal(igg: Track, m_protein: Track, heavy: np.ndarray, carried: float) -> np.ndarray:
    """The most that polyclonal IgG can be: total, less an M-protein of IgG of the same day or carried from a few days before."""
    m_low = np.zeros(igg.day.size)
    if m_protein.day.size:
        at = np.searchsorted(m_protein.key, igg.key, side="right") - 1
        here = (at >= 0) & (m_protein.place[at] == igg.place) & (igg.day - m_protein.day[at] <= carried)
        m_low[here] = m_protein.lo[at[here]]
    return np.where(heavy == 1, np.maximum(igg.hi - m_low, 0), igg.hi)
