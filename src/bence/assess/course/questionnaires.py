"""Quality of life: the scales of EORTC QLQ-C30 and QLQ-MY20, and the EQ-5D-5L.

A scale is scored when at least half of its items were answered, from the mean of those; `low` and `high` say what the items that
were left out could make of it. Sources: fayers-2001, cocks-2007, luo-2017. In words: docs/rules/course.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from ...chart import Chart
from ...interval import TOLERANCE
from .facts import key_type, scan

MEANINGFUL = 10.0  # points of 100 in which a scale of the EORTC has to change


@dataclass(frozen=True)
class Scale:
    """One scale of the EORTC: its items, the range of an item (highest answer less lowest), and whether more is better."""

    instrument: str
    name: str
    items: tuple[int, ...]
    functional: bool = False
    range: int = 3

    @property
    def better_high(self) -> bool:
        """Whether a higher score is better: functional scales and global health."""
        return self.functional or self.name == "global_health"


C30, MY20 = "qlq_c30", "qlq_my20"
SCALES = (
    Scale(C30, "global_health", (29, 30), range=6),
    Scale(C30, "physical", (1, 2, 3, 4, 5), functional=True),
    Scale(C30, "role", (6, 7), functional=True),
    Scale(C30, "emotional", (21, 22, 23, 24), functional=True),
    Scale(C30, "cognitive", (20, 25), functional=True),
    Scale(C30, "social", (26, 27), functional=True),
    Scale(C30, "fatigue", (10, 12, 18)),
    Scale(C30, "nausea_vomiting", (14, 15)),
    Scale(C30, "pain", (9, 19)),
    Scale(C30, "dyspnoea", (8,)),
    Scale(C30, "insomnia", (11,)),
    Scale(C30, "appetite_loss", (13,)),
    Scale(C30, "constipation", (16,)),
    Scale(C30, "diarrhoea", (17,)),
    Scale(C30, "financial", (28,)),
    Scale(MY20, "disease_symptoms", (31, 32, 33, 34, 35, 36)),
    Scale(MY20, "side_effects", (37, 38, 39, 40, 41, 42, 43, 44, 45, 46)),
    Scale(MY20, "body_image", (47,), functional=True),
    Scale(MY20, "future_perspective", (48, 49, 50), functional=True),
)
LOSSES: dict[str, tuple[float, ...]] = {
    "eq5d_mobility": (0, 0.066, 0.158, 0.287, 0.345),
    "eq5d_self_care": (0, 0.048, 0.116, 0.210, 0.253),
    "eq5d_usual_activities": (0, 0.045, 0.107, 0.194, 0.233),
    "eq5d_pain": (0, 0.058, 0.138, 0.252, 0.302),
    "eq5d_anxiety": (0, 0.049, 0.118, 0.215, 0.258),
}
"""What each level 1 to 5 of a dimension takes from full health (1), value set of China."""
EQ_VAS = "eq_vas"
ITEMS = {f"{scale.instrument}_{item}": scale for scale in SCALES for item in scale.items}
CODES = (*ITEMS, *LOSSES, EQ_VAS)
SCHEMA: dict[str, pl.DataType] = {
    "on": pl.Date(), "instrument": pl.String(), "scale": pl.String(), "value": pl.Float64(), "low": pl.Float64(), "high": pl.Float64(),
    "answered": pl.Int64(), "change": pl.Float64(), "category": pl.String(), "missing": pl.String(),
}  # fmt: skip
SHAPE = ("patient", *SCHEMA)


def quality_of_life(rows: pl.DataFrame, policies: Mapping[str, Any]) -> pl.DataFrame:
    """One row a patient, day and scale of the `answers`: the columns of the table of scores.

    `value` 0 to 100, null where less than half of the items were answered; `answered`: how many; `change` from the first
    questionnaire that has a value; `category`: `better`, `worse` or `unchanged` (10 points), of the EQ-5D-5L the profile.
    """
    if rows.is_empty():
        return pl.DataFrame(schema={"patient": rows.schema["patient"], **SCHEMA})
    return pl.concat([eortc(rows), eq5d(rows, policies)])


def no_score(chart: Chart) -> pl.DataFrame:
    """The columns of the table of scores, without a row."""
    return pl.DataFrame(schema={"patient": key_type(chart), **SCHEMA})


def answers(chart: Chart) -> pl.DataFrame:
    """`patient`, `on`, `what`, `value` of every answer that the questionnaire allows; of one day the one recorded last.

    Of two different answers recorded on one day neither counts.
    """
    answered = pl.col("value").is_not_null() & pl.col("comparator").is_null()
    rows = scan(chart, "observations").filter(
        pl.col("what").is_in(CODES) & pl.col("on").is_not_null() & (pl.col("status") == "final") & answered
    )
    rows = rows.select("patient", "on", pl.col("what").cast(pl.Enum(CODES)), "value", "recorded_on").collect()
    if rows.is_empty():
        return rows.drop("recorded_on")
    top = {name: scale.range + 1 for name, scale in ITEMS.items()} | dict.fromkeys(LOSSES, 5) | {EQ_VAS: 100}
    vas = pl.col("what") == EQ_VAS
    whole = vas | (pl.col("value") == pl.col("value").round())
    most = pl.col("what").replace_strict(top, return_dtype=pl.Int64)
    allowed = pl.col("value").is_between(pl.when(vas).then(0).otherwise(1), most) & whole
    return _agreed(rows).filter(allowed)


def _agreed(rows: pl.DataFrame) -> pl.DataFrame:
    """One answer a patient, day and item: the one recorded last, none if two that differ were recorded on that day."""
    key = ["patient", "on", "what"]
    twice = rows.select(key).is_duplicated()
    newest = rows.filter(twice).filter(pl.col("recorded_on").eq_missing(pl.col("recorded_on").max().over(key)))
    agreed = newest.group_by(key).agg(pl.col("value").max(), clash=pl.col("value").n_unique() > 1).filter(~pl.col("clash")).drop("clash")
    return pl.concat([rows.filter(~twice).drop("recorded_on"), agreed]).sort(key)


def eortc(rows: pl.DataFrame) -> pl.DataFrame:
    """The scales of both EORTC questionnaires from their answers."""
    place = {name: i for i, scale in enumerate(SCALES) for name in ITEMS if ITEMS[name] is scale}
    own = rows.filter(pl.col("what").is_in(list(ITEMS))).with_columns(scale=pl.col("what").replace_strict(place, return_dtype=pl.Int64))
    totals = own.group_by("patient", "on", "scale").agg(answered=pl.len().cast(pl.Int64), total=pl.col("value").sum())
    table = pl.DataFrame({
        "scale": range(len(SCALES)), "items": [len(scale.items) for scale in SCALES], "range": [scale.range for scale in SCALES],
        "functional": [scale.functional for scale in SCALES], "better_high": [scale.better_high for scale in SCALES],
        "instrument": [scale.instrument for scale in SCALES], "name": [scale.name for scale in SCALES],
    })  # fmt: skip
    known = totals.join(table, on="scale", how="left")
    left = pl.col("items") - pl.col("answered")
    least = (pl.col("total") + left) / pl.col("items")
    most = (pl.col("total") + left * (pl.col("range") + 1)) / pl.col("items")
    enough = 2 * pl.col("answered") >= pl.col("items")
    ends = [_transformed(mean) for mean in (least, most)]
    scored = known.with_columns(
        value=pl.when(enough).then(_transformed(pl.col("total") / pl.col("answered"))),
        low=pl.min_horizontal(ends), high=pl.max_horizontal(ends), scale="name",
        missing=pl.when(left > 0).then(pl.concat_str(pl.lit("items:"), left.cast(pl.String))),
    )  # fmt: skip
    scored = _changed(scored)
    gain = pl.when("better_high").then("change").otherwise(-pl.col("change"))
    moved = pl.when(gain >= MEANINGFUL - TOLERANCE).then(pl.lit("better")).when(gain <= -MEANINGFUL + TOLERANCE).then(pl.lit("worse"))
    return scored.with_columns(category=pl.when(gain.is_not_null()).then(moved.otherwise(pl.lit("unchanged")))).select(SHAPE)


def _transformed(mean: pl.Expr) -> pl.Expr:
    """A mean answer as 0 to 100: of a functional scale turned round, so that more is better."""
    share = (mean - 1) / pl.col("range")
    return 100 * pl.when("functional").then(1 - share).otherwise(share)


def _changed(scored: pl.DataFrame) -> pl.DataFrame:
    """With `change`: the value less that of the first day that has one; null on that day."""
    scored = scored.sort("patient", "instrument", "scale", "on")
    key = ["patient", "instrument", "scale"]
    known = pl.col("value").is_not_null()
    first_on, first = pl.col("on").filter(known).first().over(key), pl.col("value").filter(known).first().over(key)
    return scored.with_columns(change=pl.when(pl.col("on") > first_on).then(pl.col("value") - first))


def eq5d(rows: pl.DataFrame, policies: Mapping[str, Any]) -> pl.DataFrame:
    """EQ-5D-5L: the profile with its value (policy `eq5d_value_set`), and the visual analogue scale."""
    scale = rows.filter(pl.col("what") == EQ_VAS).with_columns(
        instrument=pl.lit("eq5d_5l"), scale=pl.lit("vas"), low="value", high="value", answered=pl.lit(1, pl.Int64),
        category=pl.lit(None, pl.String), missing=pl.lit(None, pl.String),
    )  # fmt: skip
    levels = rows.filter(pl.col("what").is_in(list(LOSSES)))
    level = pl.col("value").cast(pl.Int64)
    profiles = levels.group_by("patient", "on", maintain_order=True).agg(
        level.filter(pl.col("what") == name).first().alias(name) for name in LOSSES
    )
    high = 1 - pl.sum_horizontal(_loss(name, losses, losses[0]) for name, losses in LOSSES.items())
    low = 1 - pl.sum_horizontal(_loss(name, losses, losses[-1]) for name, losses in LOSSES.items())
    if policies["eq5d_value_set"] == "none":
        high = low = pl.lit(None, pl.Float64)
    answered = pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.Int64) for name in LOSSES)
    told = profiles.with_columns(
        low=low.round(3),
        high=high.round(3),
        answered=answered,
        instrument=pl.lit("eq5d_5l"),
        scale=pl.lit("profile"),
        category=pl.concat_str(pl.col(name).cast(pl.String).fill_null("?") for name in LOSSES),
        missing=pl.concat_str((pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in LOSSES), separator="|", ignore_nulls=True),
    ).with_columns(value=pl.when(pl.col("answered") == len(LOSSES)).then("low"), missing=pl.col("missing").replace("", None))
    return pl.concat([_changed(part).select(SHAPE) for part in (told, scale)])


def _loss(name: str, losses: tuple[float, ...], unknown: float) -> pl.Expr:
    return pl.col(name).replace_strict(dict(enumerate(map(float, losses), 1)), default=float(unknown), return_dtype=pl.Float64)
