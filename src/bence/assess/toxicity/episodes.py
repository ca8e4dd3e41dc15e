"""From days to episodes: which days belong together, the worst grade of them, and the grade that somebody wrote down.

Grades are sets: bit g of a mask is set if grade g is possible.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from .exposure import after, treated_with

ANY = 0b111110  # grades 1 to 5
COLUMNS: dict[str, pl.DataType] = {
    "place": pl.Int64(), "kind": pl.String(), "line": pl.Int32(), "from": pl.Int64(), "to": pl.Int64(), "mask": pl.UInt8(),
    "worst": pl.Int64(), "days": pl.Int32(), "after": pl.String(), "last": pl.Int64(), "first": pl.Int64(), "treated_with": pl.String(),
    "because": pl.String(), "missing": pl.String(), "flags": pl.String(), "course": pl.String(), "source": pl.String(),
}  # fmt: skip
"""An episode while it is worked on: days from 1970-01-01, `mask` the worst grades possible, `worst` the day of the worst."""
# The expressions of `shaped`, which every kind of episode passes through: built once, not each time.
HERE = {name: pl.col(name).cast(kind) for name, kind in COLUMNS.items()}
MISSING = {name: pl.lit(None, kind).alias(name) for name, kind in COLUMNS.items()}

MASKS = pl.Series(range(1, 64))
LOWEST = pl.Series([(mask & -mask).bit_length() - 1 for mask in MASKS])
GRADES = pl.Series(["|".join(str(grade) for grade in range(6) if mask >> grade & 1) for mask in MASKS])
"""Every set of grades as a mask, its lowest grade, and how it is written."""


def none() -> pl.DataFrame:
    """No episode."""
    return pl.DataFrame(schema=COLUMNS)


def shaped(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of an episode, null where a kind has none of it."""
    has = frame.schema
    return frame.select(HERE[name] if name in has else MISSING[name] for name in COLUMNS)


def least(mask: pl.Expr) -> pl.Expr:
    """The lowest grade of a set."""
    return mask.cast(pl.Int64).replace_strict(MASKS, LOWEST, default=None)


def said(mask: pl.Expr) -> pl.Expr:
    """A set of grades in words: `2`, `2|3`."""
    return mask.cast(pl.Int64).replace_strict(MASKS, GRADES, default=None, return_dtype=pl.String)


def worst_of(masks: pl.Expr) -> pl.Expr:
    """The set of what the worst of several days can be: all grades of any day that are not below what is certain."""
    certain = least(masks).max()
    union = masks.cast(pl.Int64).bitwise_or()
    return (union // (2**certain) * (2**certain)).cast(pl.UInt8)


def joined(*columns: pl.Expr) -> pl.Expr:
    """Words joined by `|`, each once and in order; null where there is none."""
    words = pl.concat_str(*columns, separator="|", ignore_nulls=True).str.split("|")
    kept = words.list.eval(pl.element().filter(pl.element() != "")).list.unique(maintain_order=True)
    return pl.when(kept.list.len() > 0).then(kept.list.join("|"))


def runs(days: pl.DataFrame, gap: float) -> pl.DataFrame:
    """Days of one patient no more than `gap` days apart get one number, `run`. Sorted by patient and day."""
    days = days.sort("place", "day")
    new = (pl.col("place") != pl.col("place").shift(1)) | (pl.col("day") - pl.col("day").shift(1) > gap)
    return days.with_columns(run=new.fill_null(True).cum_sum())


def episodes(days: pl.DataFrame, gap: float) -> pl.DataFrame:
    """Graded days as episodes: `place`, `day`, `mask`, `missing`, `told`, `first` (day that the course counts from), `certain`.

    An episode runs from its first to its last day of certain toxicity. Days next to them that may have been of some grade,
    for all that was recorded, count for the worst grade possible; a run without a day marked `certain` is none.
    """
    own = runs(days.filter(pl.col("mask") > 1), gap).with_columns(grade=least(pl.col("mask")), sure=pl.col("mask") % 2 == 0)
    start = pl.coalesce(pl.col("first").first(), pl.col("day").first())
    step = pl.concat_str((pl.col("day") - start).cast(pl.String), pl.lit(":"), said(pl.col("mask")))
    open_ = pl.col("mask").cast(pl.Int64) >= 2 ** (pl.col("grade").max() + 1)
    worst = pl.col("grade") == pl.col("grade").max()
    told = own.group_by("run", maintain_order=True).agg(
        pl.col("place").first(), pl.col("certain").any(),
        pl.coalesce(pl.col("day").filter("sure").min(), pl.col("day").min()).alias("from"),
        pl.coalesce(pl.col("day").filter("sure").max(), pl.col("day").max()).alias("to"),
        mask=worst_of(pl.col("mask")), worst=pl.col("day").filter(worst).first(), because=pl.col("told").filter(worst).first(),
        missing=pl.col("missing").filter(open_).str.join("|"), course=step.str.join(" "),
        doubt=(~pl.col("sure")).any(),
    )  # fmt: skip
    flags = pl.when("doubt").then(pl.lit("uncertain_days"))
    lasted = pl.col("to") - pl.col("from") + 1
    told = told.filter("certain").with_columns(joined(pl.col("missing")).alias("missing"), flags=flags, days=lasted)
    return told.drop("run", "certain", "doubt")


def around(episode: pl.DataFrame, products: pl.DataFrame, given: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Episodes with the product they came after and what they were treated with. `from` to `to`; a day without an end lasts two weeks."""
    if episode.is_empty():
        return shaped(episode)
    located = after(episode, products, "from")
    lasting = located.with_columns(ending=pl.col("to"), to=pl.coalesce("to", pl.col("from") + 14))
    told = treated_with(lasting, given, kind.removesuffix("_early").removesuffix("_late"))
    return told.with_columns(to=pl.col("ending")).drop("ending", "treated_on")


def filled(derived: pl.DataFrame, events: pl.DataFrame, gap: float) -> pl.DataFrame:
    """Derived episodes with the grade somebody recorded, and the recorded ones that no derived one meets.

    A recorded grade fills where several are possible; where the signs settle the grade it stands and the record is a flag.
    Grade 5 is death of it, which only a record tells.
    """
    if derived.is_empty():
        return shaped(as_recorded(events.filter(~pl.col("absent"))))
    derived = derived.with_row_index("episode")
    met = derived.select("episode", "place", "from", "to").join(events.with_row_index("event"), on="place")
    met = met.filter((pl.col("on") <= pl.col("to") + gap) & (pl.coalesce("until", "on") >= pl.col("from") - gap))
    spoken = met.group_by("episode").agg(
        grade=pl.col("grade").filter(~pl.col("absent")).max(),
        denied=pl.col("absent").any(), clash=pl.col("conflict").any(),
    )  # fmt: skip
    derived = derived.join(spoken, on="episode", how="left", maintain_order="left")
    bit = pl.lit(2).cast(pl.Int64).pow(pl.col("grade").cast(pl.Int64)).cast(pl.Int64)
    mask = pl.col("mask").cast(pl.Int64)
    fits = ((mask & bit) > 0) | (pl.col("grade") == 5)
    several = (mask & (mask - 1)) > 0
    taken = (fits & (several | (pl.col("grade") == 5))).fill_null(False)
    differs = (pl.col("grade").is_not_null() & ~fits).fill_null(False)
    derived = derived.with_columns(
        mask=pl.when(taken).then(bit).otherwise(mask).cast(pl.UInt8),
        missing=pl.when(~taken).then("missing"),
        because=joined(pl.when(taken).then(pl.lit("recorded")), pl.col("because")),
        flags=joined(
            pl.col("flags"),
            pl.when(differs).then(pl.concat_str(pl.lit("recorded:"), pl.col("grade").cast(pl.String))),
            pl.when(pl.col("denied")).then(pl.lit("recorded:none")), pl.when(pl.col("clash")).then(pl.lit("conflict")),
        ),
    ).drop("episode", "grade", "denied", "clash")  # fmt: skip
    others = events.with_row_index("event").join(met.select("event").unique(), on="event", how="anti").filter(~pl.col("absent"))
    return pl.concat([shaped(derived), shaped(as_recorded(others))])


def as_recorded(events: pl.DataFrame) -> pl.DataFrame:
    """Recorded events as episodes; without a grade any grade is possible."""
    grade = pl.col("grade").cast(pl.Int64)
    known = grade.is_between(1, 5).fill_null(False)
    return events.with_columns(
        pl.col("on").alias("from"), pl.col("until").alias("to"),
        mask=pl.when(known).then(pl.lit(2).cast(pl.Int64).pow(grade)).otherwise(ANY).cast(pl.UInt8),
        worst=pl.col("on"), days=pl.col("until") - pl.col("on") + 1, because=pl.lit("recorded"),
        missing=pl.when(~known).then(pl.lit("grade")), flags=pl.when("conflict").then(pl.lit("conflict")),
        course=pl.when(known).then(pl.concat_str(pl.lit("0:"), grade.cast(pl.String))),
    )  # fmt: skip


def mask_of(answers: tuple[object, ...], possible: np.ndarray) -> np.ndarray:
    """Masks over the answers of a rule (0, 1, 2 …) as masks of grades."""
    mask = np.zeros(possible.size, np.uint8)
    for bit, answer in enumerate(answers):
        here = (possible >> np.uint64(bit)) & np.uint64(1) == 1
        mask |= np.where(here, np.uint8(1 << int(answer)), np.uint8(0))  # type: ignore[call-overload]
    return mask
