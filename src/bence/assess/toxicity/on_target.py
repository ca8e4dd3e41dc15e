"""What belongs to one target: keratopathy of belantamab, taste, skin and weight under talquetamab, late events after CAR-T cells.

Sources: KVA as in the trials of belantamab mafodotin (lonial-2021-kva); CTCAE v5.0 for weight. Rules in words: docs/rules/toxicity.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ...cells import Numbers
from ...solve import solve
from .astct import BOOK, UNLESS_RECORDED
from .ctcae import Periods, before
from .episodes import around, as_recorded, episodes, filled, joined, mask_of, none, shaped
from .exposure import after, given
from .recorded import LATE_CAR_T, OTHERS, TALQUETAMAB
from .signs import Tracks, columns_of, days_of, told

EYE = ("keratopathy_grade", "visual_acuity_lines_lost")
EYE_BESIDE = ("visual_acuity_worse_20_200",)
EXAMINATIONS_APART = 63  # days: examinations come before each dose, at most two are missed
LATE = 28  # days after CAR-T cells from which a neurological event is late
WEEKS_OF_TALQUETAMAB = 90  # days after the last dose
HIGHEST = {"dysgeusia": 2, "xerostomia": 3, "dysphagia": 5, "weight_loss": 3}


@BOOK.rule("ctcae-5", zh="体重下降分级（CTCAE v5.0）")
def weight_loss_grade(weight_loss, *, mild=5, moderate=10, severe=20):
    """Weight loss from baseline in per cent: 5, 10 and 20 (CTCAE v5.0)."""
    if weight_loss >= severe:
        return 3
    if weight_loss >= moderate:
        return 2
    return 1 if weight_loss >= mild else 0


def keratopathy(tracks: Tracks, doses: pl.DataFrame, events: pl.DataFrame, policies: Mapping[str, Any]) -> pl.DataFrame:
    """Episodes of keratopathy after belantamab mafodotin, examination by examination."""
    products = given(doses, drugs=("belantamab_mafodotin",))
    if products.is_empty() and "keratopathy" not in events["kind"]:
        return none()
    days = _after(days_of(tracks, (*EYE, *EYE_BESIDE), _of(products, tracks)), products)
    columns = columns_of(days, (*EYE, *EYE_BESIDE))
    for name in EYE_BESIDE:
        unknown = columns[name].mask == 0  # type: ignore[union-attr]
        columns[name].mask[unknown] = 1 << columns[name].names.index(UNLESS_RECORDED[name])  # type: ignore[union-attr]
    grade = solve(["keratopathy_kva"], columns, days.height, book=BOOK)["keratopathy_kva"]
    place, words = grade.missing_words()
    days = days.with_columns(
        mask=mask_of(grade.answers, grade.possible), told=told(days, (*EYE, *EYE_BESIDE)),
        missing=pl.Series(place).replace_strict(dict(enumerate(words)), default=None, return_dtype=pl.String),
    )  # fmt: skip
    derived = episodes(days.with_columns(certain=pl.col("mask") % 2 == 0), EXAMINATIONS_APART)
    whole = filled(derived, events.filter(pl.col("kind") == "keratopathy"), policies["episode_gap"])
    whole = around(whole.drop("after", "last", "first", "treated_with"), products, doses, "keratopathy")
    return whole.with_columns(kind=pl.lit("keratopathy"), source=pl.lit("lonial-2021-kva"))


def weight_loss(tracks: Tracks, doses: pl.DataFrame, events: pl.DataFrame, policies: Mapping[str, Any]) -> pl.DataFrame:
    """Weight lost under talquetamab, against the last weight before its first dose."""
    products = given(doses, drugs=("talquetamab",))
    if products.is_empty() and "weight_loss" not in events["kind"]:
        return none()
    days = _after(days_of(tracks, ("weight",), _of(products, tracks)), products)
    days = days.filter((pl.col("day") > pl.col("first")) & (pl.col("day") - pl.col("last") <= WEEKS_OF_TALQUETAMAB))
    spans = Periods(days["place"].to_numpy(), days["first"].to_numpy(), np.zeros(days.height, np.int64))
    base = before(tracks["weight"], spans)
    lost = [100 * (1 - days[f"weight_{end}"].to_numpy() / base) for end in ("hi", "lo")]
    grade = solve(["weight_loss_grade"], {"weight_loss": Numbers(lost[0], lost[1])}, days.height, book=BOOK)["weight_loss_grade"]
    percent = pl.concat_str(pl.lit("weight_loss="), pl.Series(lost[0]).round(1).cast(pl.String), pl.lit("%"))
    days = days.with_columns(mask=mask_of(grade.answers, grade.possible), missing=pl.lit(None, pl.String), told=percent)
    derived = episodes(days.with_columns(certain=pl.col("mask") % 2 == 0), WEEKS_OF_TALQUETAMAB)
    whole = filled(derived, events.filter(pl.col("kind") == "weight_loss"), policies["episode_gap"])
    whole = around(whole.drop("after", "last", "first", "treated_with"), products, doses, "weight_loss")
    return whole.with_columns(kind=pl.lit("weight_loss"), source=pl.lit("ctcae-5"))


def recorded(doses: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Every other toxicity that was recorded, as it was, after the product that it belongs to."""
    named = {"car_t": LATE_CAR_T, "talquetamab": tuple(name for name in TALQUETAMAB if name != "weight_loss")}
    products = {"car_t": given(doses, kinds=("CAR_T",)), "talquetamab": given(doses, drugs=("talquetamab",))}
    present = events.filter(~pl.col("absent") & pl.col("kind").is_in([*LATE_CAR_T, *TALQUETAMAB, *OTHERS]))
    if present.is_empty():
        return none()
    parts = [around(as_recorded(present.filter(pl.col("kind").is_in(kinds))), products[name], doses, "") for name, kinds in named.items()]
    late = (pl.col("from") - pl.col("last") > LATE) & pl.col("kind").is_in(LATE_CAR_T)
    parts[0] = parts[0].with_columns(flags=_and("late", late))
    parts[1] = parts[1].with_columns(
        pl.when(pl.col("from") - pl.col("last") <= WEEKS_OF_TALQUETAMAB).then(name).alias(name) for name in ("after", "last", "first")
    )
    parts.append(as_recorded(present.filter(pl.col("kind").is_in(OTHERS))))
    return _bounded(pl.concat([shaped(part) for part in parts]).with_columns(source=pl.lit("ctcae-5")))


def _bounded(rows: pl.DataFrame) -> pl.DataFrame:
    """A grade that the term does not have (dysgeusia above 2) is kept as the highest there is, and flagged."""
    highest = pl.col("kind").replace_strict(HIGHEST, default=5, return_dtype=pl.Int64)
    top = 2**highest
    over = pl.col("mask").cast(pl.Int64) >= 2 * top
    single = (pl.col("mask") & (pl.col("mask") - 1)) == 0
    mask = pl.col("mask").cast(pl.Int64)
    return rows.with_columns(
        mask=pl.when(over & single).then(top).when(over).then(mask % (2 * top)).otherwise(mask).cast(pl.UInt8),
        flags=_and("no_such_grade", over & single),
    )


def _and(word: str, where: pl.Expr) -> pl.Expr:
    return joined(pl.col("flags"), pl.when(where).then(pl.lit(word)))


def _of(products: pl.DataFrame, tracks: Tracks) -> np.ndarray:
    within = np.zeros(tracks.observations.offsets.size - 1, bool)
    within[products["place"].to_numpy()] = True
    return within


def _after(days: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    located = after(days, products.select("place", "what", "day", "first"), "day")
    return located.filter(pl.col("first").is_not_null()).sort("place", "day")
