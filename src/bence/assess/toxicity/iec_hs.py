"""IEC-HS: as recorded, and days whose laboratory values meet its criteria, for a doctor to judge.

Source: Hines MR et al., Transplant Cell Ther 2023;29:438.e1-16, written from memory and still to be checked against the paper:
every row says so. Rules in words: docs/rules/toxicity.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ...cells import Categories, Column, Numbers
from ...solve import solve
from .astct import BOOK
from .ctcae import Periods, before, limits, terms
from .episodes import around, episodes, filled, joined, none
from .exposure import T_CELL, after, given
from .signs import Tracks, days_of, told

WINDOW = 60  # days after the first dose
NEXT_TO = 3  # days that values may lie apart
USUAL_FERRITIN = 400.0  # ug/L, upper limit where the laboratory sent none: the highest that is usual
SIGNS = ("ferritin", "alt", "ast", "fibrinogen", "haemophagocytosis")


@BOOK.rule("hines-2023", zh="IEC-HS：实验室标准")
def iec_hs_suspected(
    ferritin_ratio, transaminase_ratio, fibrinogen, haemophagocytosis, *, ferritin=2, transaminases=5, fibrinogen_low=1.5
):  # fmt: skip
    """Laboratory criteria of IEC-HS: ferritin, and transaminases, fibrinogen or haemophagocytosis.

    Ferritin more than twice the upper limit or the baseline; transaminases more than five times the upper limit; fibrinogen
    below 1.5 g/L. Cytopenia is among the criteria but follows lymphodepletion too, so it does not count here.
    """
    if not ferritin_ratio > ferritin:
        return "no"
    if transaminase_ratio > transaminases or fibrinogen < fibrinogen_low or haemophagocytosis == "yes":
        return "yes"
    return "no"


def iec_hs(tracks: Tracks, doses: pl.DataFrame, events: pl.DataFrame, crs: pl.DataFrame, policies: Mapping[str, Any]) -> pl.DataFrame:
    """Episodes of IEC-HS. Values alone leave every grade open, none included: the criteria ask for judgement.

    Treatment of it makes it grade 2 or more, if it is one: the grades are told apart by what had to be done.
    """
    products = given(doses, kinds=T_CELL)
    own = events.filter(pl.col("kind") == "iec_hs")
    if products.is_empty() and own.is_empty():
        return none()
    whole = filled(_suspected(tracks, products, crs, policies), own, policies["episode_gap"])
    if whole.is_empty():
        return none()
    whole = around(whole.drop("after", "last", "first", "treated_with"), products, doses, "iec_hs")
    treated = pl.col("treated_with").is_not_null() & (pl.col("mask") % 2 == 1)
    mask = pl.when(treated).then(0b011101).otherwise(pl.col("mask").cast(pl.Int64)).cast(pl.UInt8)
    flags = joined(pl.col("flags"), pl.lit("from_memory"))
    return whole.with_columns(mask=mask, kind=pl.lit("iec_hs"), source=pl.lit("hines-2023"), flags=flags)


def _suspected(tracks: Tracks, products: pl.DataFrame, crs: pl.DataFrame, policies: Mapping[str, Any]) -> pl.DataFrame:
    """Runs of days with the laboratory criteria, within 60 days of the first dose and outside CRS."""
    within = np.zeros(tracks.observations.offsets.size - 1, bool)
    within[products["place"].to_numpy()] = True
    days = days_of(tracks, SIGNS, within)
    days = after(days, products.select("place", "what", "day", "first"), "day").filter(pl.col("day") - pl.col("first") <= WINDOW)
    days = _outside(days, crs).sort("place", "day")
    if days.is_empty():
        return none()
    solved = solve(["iec_hs_suspected"], _columns(tracks, days), days.height, book=BOOK)["iec_hs_suspected"]
    met = pl.Series(solved.possible == np.uint64(1 << solved.answers.index("yes")))
    found = days.with_columns(told=told(days, SIGNS)).filter(met)
    found = found.with_columns(mask=pl.lit(0b011111, pl.UInt8), missing=pl.lit("judgement"), certain=pl.lit(True))
    derived = episodes(found, policies["episode_gap"] + NEXT_TO)
    note = pl.lit("laboratory_criteria_only")
    return derived.with_columns(mask=pl.lit(0b011111, pl.UInt8), flags=note)


def _outside(days: pl.DataFrame, crs: pl.DataFrame) -> pl.DataFrame:
    """The days that lie in no episode of CRS."""
    numbered = days.with_row_index("row")
    spells = crs.filter(pl.col("mask") > 1).select("place", began="from", ended=pl.coalesce("to", "from"))
    met = numbered.select("row", "place", "day").join(spells, on="place").filter(pl.col("day").is_between("began", "ended"))
    return numbered.filter(~pl.col("row").is_in(met["row"].implode())).drop("row")


def _columns(tracks: Tracks, days: pl.DataFrame) -> dict[str, Column]:
    """What the rule is told: ratios to limit and baseline, as low as they may be; the worst of the days around."""
    place, day = days["place"].to_numpy(), days["day"].to_numpy()
    start = Periods(place, days["first"].to_numpy(), np.zeros(place.size, np.int64))
    worst = _around(days)
    sent = tracks["ferritin_upper_limit"]
    limit = np.full(place.size, USUAL_FERRITIN)
    if sent.day.size:
        at = np.minimum(np.searchsorted(sent.key, start.key), sent.day.size - 1)
        at = np.where(sent.place[at] == place, at, np.maximum(at - 1, 0))
        limit = np.where(sent.place[at] == place, sent.hi[at], limit)
    ferritin, base = worst["ferritin"], before(tracks["ferritin"], start)
    with np.errstate(invalid="ignore", divide="ignore"):
        ferritin_ratio = np.fmax(ferritin / limit, ferritin / base)
        enzymes = [worst[t.code] / limits(t, tracks, place, day, np.full(place.size, -1))[1] for t in terms() if t.code in ("alt", "ast")]
    seen = worst["haemophagocytosis"]
    mask = np.where(np.isnan(seen), 0, np.where(seen > 0, 2, 1)).astype(np.uint8)
    return {
        "ferritin_ratio": Numbers(ferritin_ratio), "transaminase_ratio": Numbers(np.fmax(*enzymes)),
        "fibrinogen": Numbers(worst["fibrinogen"]), "haemophagocytosis": Categories(mask, ("no", "yes")),
    }  # fmt: skip


def _around(days: pl.DataFrame) -> dict[str, np.ndarray]:
    """The worst certain value of each sign on a day and the three days around it; nan where there is none."""
    shifts = pl.DataFrame({"shift": list(range(-NEXT_TO, NEXT_TO + 1))}, schema={"shift": pl.Int64})
    near = days.join(shifts, how="cross").with_columns(day=pl.col("day") + pl.col("shift"))
    worst = [pl.col("fibrinogen_hi").min().alias("fibrinogen")]
    worst += [pl.col(f"{name}_lo").max().alias(name) for name in SIGNS if name != "fibrinogen"]
    near = near.group_by("place", "day").agg(worst)
    found = days.select("place", "day").join(near, on=["place", "day"], how="left", maintain_order="left")
    return {name: found[name].cast(pl.Float64).to_numpy() for name in SIGNS}
