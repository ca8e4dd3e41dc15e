"""CRS and ICANS by day after CAR-T cells and bispecific antibodies, and their episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from ...cells import Categories, Column
from ...solve import solve
from ...solved import Solved
from . import astct
from .episodes import around, as_recorded, episodes, filled, joined, mask_of, none, runs, said, shaped
from .exposure import T_CELL, after, given, treated_with
from .recorded import INFECTIONS
from .signs import Tracks, columns_of, days_of, told

CRS_SIGNS = ("temperature", "vasopressor", "hypotension", "oxygen")
CRS_BESIDE = ("vasopressin", "fever_other_cause", "hypotension_other_cause", "hypoxia_other_cause", "systolic")
ICANS_SIGNS = ("ice_score", "consciousness", "seizure", "motor_deficit", "cerebral_oedema")
ICANS_BESIDE = ("neurological_other_cause",)
LOW_SYSTOLIC = 90  # mmHg
NEXT_TO = 7  # days that a recorded infection without an end lasts


def crs(tracks: Tracks, doses: pl.DataFrame, events: pl.DataFrame, people: pl.DataFrame, policies: Mapping[str, Any]) -> pl.DataFrame:
    """Episodes of CRS: days with fever, hypotension or oxygen after a T-cell-engaging product."""
    products = given(doses, kinds=T_CELL)
    if products.is_empty() and "crs" not in events["kind"]:
        return none()
    days = _watched(tracks, products, CRS_SIGNS, CRS_BESIDE, policies)
    if days.is_empty():
        return _as_recorded("crs", products, doses, events)
    columns = columns_of(days, (*CRS_SIGNS, *CRS_BESIDE))
    columns["hypotension"] = _hypotension(days, columns["hypotension"])
    infected = _infected(days, events)
    unsure = infected if policies["crs_infection"] == "unknown" else np.zeros(days.height, bool)
    columns |= _unless_recorded(columns, days.height, unsure)
    columns["crs_treated"] = _treated(days, columns, doses, policies["episode_gap"])
    grade, parts = _solved("crs_grade", columns, days.height)
    days = days.with_columns(
        mask=mask_of(grade.answers, grade.possible), missing=_missing(grade), told=told(days, (*CRS_SIGNS, *CRS_BESIDE)),
    )  # fmt: skip
    supported = np.any([_at_least(parts[name], 2) for name in ("crs_hypotension", "crs_hypoxia")], axis=0)
    certain = (pl.col("mask") % 2 == 0) | (pl.Series(supported) & (pl.col("mask") > 1))
    derived = episodes(days.with_columns(certain=certain), policies["episode_gap"])
    derived = _with_infection(derived, events)
    return _finished("crs", days, derived, products, doses, events, people, policies)


def icans(tracks: Tracks, doses: pl.DataFrame, events: pl.DataFrame, people: pl.DataFrame, policies: Mapping[str, Any]) -> pl.DataFrame:
    """Episodes of ICANS: days with a low ICE or another neurological sign after a T-cell-engaging product."""
    products = given(doses, kinds=T_CELL)
    if products.is_empty() and "icans" not in events["kind"]:
        return none()
    days = _watched(tracks, products, ICANS_SIGNS, ICANS_BESIDE, policies)
    if days.is_empty():
        return _as_recorded("icans", products, doses, events)
    columns = columns_of(days, (*ICANS_SIGNS, *ICANS_BESIDE))
    columns |= _unless_recorded(columns, days.height, np.zeros(days.height, bool))
    if policies["icans_unmentioned"] == "absent":
        columns |= _absent(columns, days)
    grade, _ = _solved("icans_grade", columns, days.height)
    days = days.with_columns(
        mask=mask_of(grade.answers, grade.possible), missing=_missing(grade), told=told(days, (*ICANS_SIGNS, *ICANS_BESIDE)),
    )  # fmt: skip
    derived = episodes(days.with_columns(certain=pl.col("mask") % 2 == 0), policies["episode_gap"])
    return _finished("icans", days, derived, products, doses, events, people, policies)


def _watched(
    tracks: Tracks, products: pl.DataFrame, signs: Sequence[str], beside: Sequence[str], policies: Mapping[str, Any]
) -> pl.DataFrame:
    """Days on which a sign was recorded, within the window of a course, with `first`, the day the course began."""
    within = np.zeros(tracks.observations.offsets.size - 1, bool)
    within[products["place"].to_numpy()] = True
    days = days_of(tracks, (*signs, *beside), within)
    if days.is_empty():
        return days
    seen = pl.any_horizontal(pl.col(f"{name}_lo").is_not_null() for name in signs)
    days = after(days.filter(seen), products.select("place", "what", "day", "first"), "day")
    return days.filter(pl.col("day") - pl.col("first") <= policies["crs_window"]).sort("place", "day")


def _hypotension(days: pl.DataFrame, column: Column) -> Column:
    """Hypotension as recorded; where nobody did, by the lowest systolic pressure of the day."""
    assert isinstance(column, Categories)
    lo, hi = (days[f"systolic_{end}"].to_numpy() for end in ("lo", "hi"))
    derived = np.select([hi < LOW_SYSTOLIC, lo >= LOW_SYSTOLIC], [0b10, 0b01], 0).astype(column.mask.dtype)
    return Categories(np.where(column.mask == 0, derived, column.mask), column.names)


def _unless_recorded(columns: Mapping[str, Column], n: int, fever_unsure: np.ndarray) -> dict[str, Column]:
    """What holds where nobody recorded another cause."""
    found: dict[str, Column] = {}
    for name, word in astct.UNLESS_RECORDED.items():
        column = columns.get(name)
        if isinstance(column, Categories):
            bit = column.mask.dtype.type(1 << column.names.index(word))
            unknown = (column.mask == 0) & ~(fever_unsure if name == "fever_other_cause" else np.zeros(n, bool))
            found[name] = Categories(np.where(unknown, bit, column.mask), column.names)
    return found


def _absent(columns: Mapping[str, Column], days: pl.DataFrame) -> dict[str, Column]:
    """On a day with an ICE: signs that nobody mentioned were not there, and who scored a point was awake."""
    scored = days["ice_score_lo"].is_not_null().to_numpy()
    awake = (days["ice_score_lo"] >= 1).fill_null(False).to_numpy()
    found: dict[str, Column] = {}
    for name, where in (("seizure", scored), ("motor_deficit", scored), ("cerebral_oedema", scored), ("consciousness", awake)):
        column = columns[name]
        assert isinstance(column, Categories)
        first = column.mask.dtype.type(1)  # the first category of each is the normal one
        found[name] = Categories(np.where((column.mask == 0) & where, first, column.mask), column.names)
    return found


def _solved(target: str, columns: Mapping[str, Column], n: int) -> tuple[Solved, Mapping[str, Solved]]:
    inputs = astct.BOOK.inputs(target)
    solved = solve([target], {name: column for name, column in columns.items() if name in inputs}, n, book=astct.BOOK)
    return solved[target], solved


def _missing(solved: Solved) -> pl.Series:
    place, words = solved.missing_words()
    return pl.Series(place).replace_strict(dict(enumerate(words)), default=None, return_dtype=pl.String)


def _at_least(solved: Solved, grade: int) -> np.ndarray:
    """Where no answer below a grade is left."""
    low = sum(1 << i for i, answer in enumerate(solved.answers) if answer < grade)  # type: ignore[operator]
    return (solved.possible & np.uint64(low)) == 0


def _treated(days: pl.DataFrame, columns: Mapping[str, Column], doses: pl.DataFrame, gap: float) -> Categories:
    """Whether the CRS of this episode is under treatment that was begun after its fever: from then on fever is not required.

    Unknown where only a fever that may have been came before the treatment.
    """
    n = days.height
    fever, _ = _solved("crs_fever", columns, n)
    open_, _ = _solved("crs_grade", {**columns, "crs_treated": Categories(np.full(n, 2, np.uint8), ("no", "yes"))}, n)
    sure, may_be = _at_least(fever, 1), _at_least(fever, 1) | (fever.answer < 0)
    seen = days.select("place", "day", row=pl.int_range(pl.len())).with_columns(
        sure=pl.Series(sure), may_be=pl.Series(may_be), sign=pl.Series(mask_of(open_.answers, open_.possible) > 1)
    )  # fmt: skip
    grouped = runs(seen.filter("sign"), gap)
    ends = grouped.group_by("run").agg(
        pl.col("place").first(), pl.col("day").max().alias("to"), sure=pl.col("day").filter("sure").min(),
        may_be=pl.col("day").filter("may_be").min(),
    )  # fmt: skip
    for name in ("sure", "may_be"):
        since = ends.with_columns(pl.col(name).alias("from")).filter(pl.col("from").is_not_null())
        begun = treated_with(since, doses, "crs").select("run", pl.col("treated_on").alias(f"{name}_on"))
        ends = ends.join(begun, on="run", how="left")
    told_ = grouped.join(ends.select("run", "sure_on", "may_be_on"), on="run", how="left")
    yes = told_.filter(pl.col("day") >= pl.col("sure_on"))["row"].to_numpy()
    unknown = told_.filter(pl.col("day") >= pl.col("may_be_on"))["row"].to_numpy()
    mask = np.full(n, 1, np.uint8)
    mask[unknown], mask[yes] = 0, 2
    return Categories(mask, ("no", "yes"))


def _lasting(events: pl.DataFrame) -> pl.DataFrame:
    own = events.filter(pl.col("kind").is_in(INFECTIONS) & ~pl.col("absent"))
    return own.select("place", began="on", ended=pl.coalesce("until", pl.col("on") + NEXT_TO))


def _infected(days: pl.DataFrame, events: pl.DataFrame) -> np.ndarray:
    """The days of a recorded infection."""
    met = days.select("place", "day", row=pl.int_range(pl.len())).join(_lasting(events), on="place")
    found = np.zeros(days.height, bool)
    found[met.filter(pl.col("day").is_between("began", "ended"))["row"].to_numpy()] = True
    return found


def _with_infection(derived: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Flag the episodes in which an infection was recorded too."""
    numbered = derived.with_row_index("row")
    met = numbered.select("row", "place", "from", "to").join(_lasting(events), on="place")
    rows = met.filter((pl.col("began") <= pl.col("to")) & (pl.col("ended") >= pl.col("from")))["row"].unique()
    note = pl.when(pl.col("row").is_in(rows.implode())).then(pl.lit("infection_too"))
    return numbered.with_columns(flags=joined(pl.col("flags"), note)).drop("row")


def _finished(
    kind: str, days: pl.DataFrame, derived: pl.DataFrame, products: pl.DataFrame, doses: pl.DataFrame, events: pl.DataFrame,
    people: pl.DataFrame, policies: Mapping[str, Any],
) -> pl.DataFrame:  # fmt: skip
    """Episodes with death, the recorded grade, the product and the treatment."""
    own = events.filter(pl.col("kind") == kind)
    whole = filled(_with_death(derived, people, kind), own, policies["episode_gap"])
    return _sourced(kind, _denied(whole, days), products, doses)


def _as_recorded(kind: str, products: pl.DataFrame, doses: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Episodes that were written down, where no sign of any day was."""
    own = events.filter((pl.col("kind") == kind) & ~pl.col("absent"))
    return _sourced(kind, shaped(as_recorded(own)), products, doses) if own.height else none()


def _sourced(kind: str, whole: pl.DataFrame, products: pl.DataFrame, doses: pl.DataFrame) -> pl.DataFrame:
    """Episodes with the product and the treatment."""
    if whole.is_empty():
        return none()
    whole = whole.drop("after", "last", "first", "treated_with")
    return around(whole, products, doses, kind).with_columns(kind=pl.lit(kind), source=pl.lit("lee-2019"))


def _denied(whole: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """A recorded episode is none where the signs of every day of it are known and show none; the record is a flag."""
    numbered = whole.with_row_index("row").with_columns(ending=pl.coalesce("to", "from"))
    clear = days.filter(pl.col("mask") == 1).select("place", "day")
    met = numbered.select("row", "place", "from", "ending").join(clear, on="place")
    met = met.filter(pl.col("day").is_between("from", "ending")).group_by("row").agg(clear=pl.len().cast(pl.Int64))
    told_ = numbered.join(met, on="row", how="left", maintain_order="left")
    none = (pl.col("clear") == pl.col("ending") - pl.col("from") + 1) & (pl.col("because") == "recorded")
    note = pl.when(none).then(pl.concat_str(pl.lit("recorded:"), said(pl.col("mask"))))
    mask = pl.when(none).then(1).otherwise(pl.col("mask").cast(pl.Int64)).cast(pl.UInt8)
    return told_.with_columns(flags=joined(pl.col("flags"), note), mask=mask).drop("row", "ending", "clear")


CAUSES = {"crs": "crs|cytokine|细胞因子", "icans": "icans|neurotox|神经毒"}


def _with_death(derived: pl.DataFrame, people: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Who died in an episode or the day after may have died of it, unless another cause was recorded."""
    died = derived.join(people, on="place", how="left", maintain_order="left")
    during = pl.col("died").is_between(pl.col("from"), pl.col("to") + 1).fill_null(False)
    of_it = pl.col("death_cause").str.to_lowercase().str.contains(CAUSES[kind])
    mask = pl.col("mask").cast(pl.Int64)
    bits = pl.when(during & of_it.fill_null(False)).then(32).when(during & of_it.is_null()).then(mask | 32).otherwise(mask)
    cause = pl.when(during & of_it.is_null()).then(pl.lit("death_cause"))
    flags = joined(pl.col("flags"), pl.when(during).then(pl.lit("died_in_episode")))
    missing = joined(pl.col("missing"), cause)
    return died.with_columns(mask=bits.cast(pl.UInt8), flags=flags, missing=missing).drop("died", "death_cause")
