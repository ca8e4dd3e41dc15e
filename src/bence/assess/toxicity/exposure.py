"""What was given: doses of the products that toxicities are seen after, and the treatment of a toxicity."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from ...catalogue import codes_of
from ...chart import Chart
from ..intake import place_of

T_CELL = ("CAR_T", "bispecific")
RESTART = 28  # days without a dose after which the next one is a first dose again
STEROIDS = ("dexamethasone", "prednisone", "prednisolone", "methylprednisolone")
ANTICYTOKINE = ("tocilizumab", "siltuximab", "anakinra", "ruxolitinib", "emapalumab")
TREATMENT: dict[str, tuple[str, ...]] = {
    "crs": (*ANTICYTOKINE, *STEROIDS, "antipyretic"),
    "icans": (*ANTICYTOKINE, *STEROIDS, "levetiracetam"),
    "iec_hs": (*ANTICYTOKINE, *STEROIDS, "etoposide"),
    "icaht": ("filgrastim", "pegfilgrastim", "avatrombopag", "stem_cell_boost", "red_cell_transfusion", "platelet_transfusion"),
    "infection": (
        "antibiotic", "antifungal", "levofloxacin", "cotrimoxazole", "pentamidine", "atovaquone", "aciclovir", "valaciclovir",
        "famciclovir", "ganciclovir", "letermovir", "entecavir", "tenofovir", "immunoglobulin",
    ),
    "hypogammaglobulinaemia": ("immunoglobulin",),
}  # fmt: skip
"""What each toxicity is treated with; of other kinds nothing is listed."""
NO_DAY, NO_WORD = pl.lit(None, pl.Int64), pl.lit(None, pl.String)


def doses(chart: Chart, ids: pl.Series) -> pl.DataFrame:
    """One row a treatment row with a start: `place` of the patient, `day`, `what`, its class `kind`; sorted by patient and day.

    `first`: the day of the first dose of its course. A dose more than 28 days after the one before of the same product is a first dose
    again.
    """
    classes = {name: code.drug_class for name, code in codes_of("drug", "procedure").items()}
    rows = chart.scan("treatments").filter(pl.col("started_on").is_not_null() & pl.col("what").is_not_null())
    rows = rows.select(
        "what", "stopped_on", place=place_of(ids),
        day=pl.col("started_on").to_physical().cast(pl.Int64),
    ).collect()  # fmt: skip
    end = pl.max_horizontal("day", pl.col("stopped_on").to_physical().cast(pl.Int64))
    kind = pl.col("what").replace_strict(classes, default="other", return_dtype=pl.String)
    rows = rows.with_columns(kind=kind, end=end).group_by("place", "day", "what", "kind").agg(pl.col("end").max())
    since = pl.col("day") - pl.col("end").cum_max().shift(1).over("place", "what")
    course = (since > RESTART).fill_null(True).cum_sum()
    rows = rows.sort("place", "what", "day").with_columns(course=course).with_columns(first=pl.col("day").min().over("course"))
    return rows.sort("place", "day", "what")


def given(rows: pl.DataFrame, *, kinds: Collection[str] = (), drugs: Collection[str] = ()) -> pl.DataFrame:
    """The `doses` of some classes or drugs."""
    named = [pl.col(name).is_in(list(words)) for name, words in (("kind", kinds), ("what", drugs)) if words]
    return rows.filter(pl.any_horizontal(named))


def after(days: pl.DataFrame, products: pl.DataFrame, column: str = "day") -> pl.DataFrame:
    """`days` with the last product given by then: `after`, `last` (day of its last dose), `first` (of its first); null if none."""
    if days.is_empty() or products.is_empty():
        return days.with_columns(first=NO_DAY, last=NO_DAY, after=NO_WORD)
    right = products.select("place", "first", last="day", after="what", dosed="day").sort("dosed", "after")
    right = right.unique(["place", "dosed"], keep="last", maintain_order=True)
    left = days.with_row_index("row").sort(column)
    joined = left.join_asof(right, left_on=column, right_on="dosed", by="place", check_sortedness=False)
    return joined.sort("row").drop("row", "dosed", strict=False)


def treated_with(episodes: pl.DataFrame, rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    """`episodes` (`place`, `from`, `to`) with `treated_with`: what was begun in their days, and `treated_on`, the first day."""
    began = given(rows, drugs=TREATMENT[kind]) if kind in TREATMENT and not episodes.is_empty() else rows.clear()
    if began.is_empty():
        return episodes.with_columns(treated_with=NO_WORD, treated_on=NO_DAY)
    numbered, began = episodes.with_row_index("row"), began.select("place", "what", began="day")
    within = numbered.select("row", "place", "from", "to").join(began, on="place").filter(pl.col("began").is_between("from", "to"))
    told = within.sort("row", "began", "what").group_by("row", maintain_order=True).agg(
        treated_with=pl.col("what").unique(maintain_order=True).str.join("|"), treated_on=pl.col("began").min()
    )  # fmt: skip
    return numbered.join(told, on="row", how="left", maintain_order="left").drop("row")
