"""Treatment that runs or ran: products given now and for how long, maintenance, transplants, cells, and what is planned."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from ...assess.wide import flags, having, wide
from .exposure import kinds
from .ground import Ground, bounded, days, months, weeks

Unit = Callable[[pl.Expr, int], pl.Expr]
RUNNING = ("lenalidomide", "daratumumab", "isatuximab", "belantamab_mafodotin")
SINCE: dict[str, tuple[str, Unit]] = {
    "months_on_teclistamab": ("teclistamab", months),
    "weeks_on_elranatamab": ("elranatamab", weeks),
    "weeks_on_linvoseltamab": ("linvoseltamab", weeks),
}
SINCE_LAST: dict[str, tuple[str, Unit]] = {  # kind (empty: any drug against the myeloma), unit
    "months_since_bcma_bispecific": ("bcma_bispecific", months),
    "months_since_gprc5d_bispecific": ("gprc5d_bispecific", months),
    "months_since_bcma_car_t": ("bcma_car_t", months),
    "days_since_bendamustine": ("bendamustine", days),
    "days_since_last_treatment": ("", days),
}
FULL_DOSE = 200.0  # mg of linvoseltamab
QUADRUPLET = ("PI", "IMiD", "CD38_antibody")
ISA_KRD = ("isatuximab", "carfilzomib", "lenalidomide")


def running(ground: Ground) -> pl.DataFrame:
    """`on_<product>`, null where no stop is recorded though a later line has begun; time on it since its first dose in the current line."""
    products = (*sorted(name for name in kinds()["bcma_bispecific"] | kinds()["gprc5d_bispecific"] | kinds()["fcrh5_bispecific"]), *RUNNING)
    now, open_ = (having(ground.drugs.filter(which), ground.n, "what", products) for which in ("running", "open"))
    undated = having(ground.given.filter(pl.col("first_on").is_null()), ground.n, "drug", products)
    on = {name: f"on_{name.removesuffix('_mafodotin')}" for name in products}
    given = flags({on[name]: now[name] for name in products}, {on[name]: ~(now[name] | open_[name] | undated[name]) for name in products})
    first = ground.drugs.filter("current").group_by("place", "what").agg(began=pl.col("start").min())
    given = given.hstack(wide(first, ground.n, "what", [name for name, _ in SINCE.values()], ("began",)))
    return given.select(
        *on.values(),
        **{column: pl.when(on[name]).then(unit(pl.col(f"{name}_began"), ground.day)).when(~pl.col(on[name])).then(0.0)
           for column, (name, unit) in SINCE.items()},
    ).with_columns(
        linvoseltamab_full_doses=_full_doses(ground), on_bcma_bispecific=_any_of("bcma_bispecific"),
        on_bispecific=_any_of("bcma_bispecific", "gprc5d_bispecific", "fcrh5_bispecific"),
    )  # fmt: skip


def _any_of(*words: str) -> pl.Expr:
    return pl.any_horizontal(f"on_{name}" for name in sorted(frozenset().union(*(kinds()[word] for word in words))))


def _full_doses(ground: Ground) -> pl.Series:
    """Doses of 200 mg of linvoseltamab in the current line; 0 without any row, null unless every row is one dose in mg."""
    rows = ground.drugs.filter((pl.col("what") == "linvoseltamab") & pl.col("current"))
    if rows.is_empty():
        return pl.Series([0.0]).new_from_index(0, ground.n)
    doses = ground.findings.basis.known.scan("treatments").select("what", "dose", "dose_unit").with_row_index("row")
    doses = doses.filter(pl.col("what") == "linvoseltamab").drop("what").collect()
    rows = rows.join(doses, on="row", how="left")
    single = (pl.col("stop") == pl.col("start")) & (pl.col("dose_unit").str.to_lowercase() == "mg") & pl.col("dose").is_not_null()
    told = rows.group_by("place").agg(
        each=single.fill_null(False).all(), count=pl.col("start").filter(pl.col("dose") == FULL_DOSE).n_unique().cast(pl.Float64)
    )
    wide = ground.whole(told).with_columns(there=ground.has(rows["place"]))
    return wide.select(pl.when("each").then("count").when(~pl.col("there")).then(0.0)).to_series()


def first_line(ground: Ground) -> pl.DataFrame:
    """Together in line 1: `quadruplet_induction`, `isa_krd_induction`; `transplants` in line 1."""
    rows = ground.drugs.filter((pl.col("line") == 1) & pl.col("phase").is_in(["induction", "treatment", "step_up"]).fill_null(True))
    known = ~ground.treated | ground.has(ground.lines.filter(pl.col("line") == 1)["place"])
    columns = {
        "quadruplet_induction": _together(ground, rows, "drug_class", QUADRUPLET),
        "isa_krd_induction": _together(ground, rows, "what", ISA_KRD),
    }
    grafts = ground.doses.filter((pl.col("line") == 1) & (pl.col("drug_class") == "transplant"))
    count = ground.whole(grafts.group_by("place").agg(count=pl.col("start").n_unique().cast(pl.Float64)))["count"].fill_null(0.0)
    return pl.DataFrame({**columns, "transplants": count, "known": known}).select(
        pl.when("known").then(name).alias(name) for name in (*columns, "transplants")
    )


def _together(ground: Ground, rows: pl.DataFrame, column: str, needed: tuple[str, ...]) -> pl.Series:
    """Whether these drugs (or classes) were given at the same time."""
    last = pl.col("high").fill_null(ground.day)
    own = [pl.col(column) == name for name in needed]
    told = rows.group_by("place").agg(
        every=pl.all_horizontal(each.any() for each in own),
        began=pl.max_horizontal(pl.col("start").filter(each).min() for each in own),
        ended=pl.min_horizontal(last.filter(each).max() for each in own),
    )
    return ground.has(told.filter(pl.col("every") & (pl.col("began") <= pl.col("ended")))["place"])


def maintenance(ground: Ground) -> pl.DataFrame:
    """Months of maintenance, and of a CD38 antibody in it, in the current line; `lenalidomide_maintenance` that runs now.

    0 where every drug of the line has another phase recorded; null where phases are not recorded.
    """
    rows = ground.drugs.filter("current").with_columns(mine=(pl.col("phase") == "maintenance").fill_null(False))
    cd38 = pl.col("mine") & (pl.col("drug_class") == "CD38_antibody")
    kept = {"all": pl.col("mine"), "cd38": cd38}
    told = rows.group_by("place").agg(
        said=pl.col("phase").is_not_null().all(),
        **{name: pl.col("start").filter(own).min() for name, own in kept.items()},
        **{f"{name}_until": pl.col("low").filter(own).max() for name, own in kept.items()},
    )  # fmt: skip
    wide = ground.whole(told).with_columns(treated=ground.treated)
    none = pl.when(~pl.col("treated") | pl.col("said")).then(0.0)
    lenalidomide = rows.filter(pl.col("running") & pl.col("mine") & (pl.col("what") == "lenalidomide"))["place"]
    unsaid = rows.filter(pl.col("running") & pl.col("phase").is_null() & (pl.col("what") == "lenalidomide"))["place"]
    return wide.with_columns(yes=ground.has(lenalidomide), maybe=ground.has(unsaid)).select(
        maintenance_months=pl.coalesce(months(pl.col("all"), pl.col("all_until")), none),
        cd38_maintenance_months=pl.coalesce(months(pl.col("cd38"), pl.col("cd38_until")), none),
        lenalidomide_maintenance=pl.when("yes").then(True).when(~pl.col("maybe")).then(False),
    )


def since(ground: Ground, exposed: pl.DataFrame) -> pl.DataFrame:
    """Time since the last dose of a kind: 0 while it runs, without end where it was never given, bounded where a stop is not recorded.

    `exposed`: the columns of `exposure`.
    """
    of = {word: pl.col("what").is_in(list(kinds()[word])) if word else pl.lit(True) for word, _ in SINCE_LAST.values()}
    last = ground.drugs.group_by("place").agg(
        pl.col(end).filter(own).max().alias(f"{end}_{word}") for word, own in of.items() for end in ("low", "high")
    )
    grafts = ground.doses.filter(pl.col("drug_class") == "transplant").group_by("place").agg(graft=pl.col("start").max())
    nothing = nothing_given(exposed)
    told = ground.whole(last).hstack(ground.whole(grafts)).hstack(exposed).with_columns(
        nothing=nothing, unseen=ground.has(ground.lines.filter(pl.col("line") == 1)["place"]) | nothing
    )  # fmt: skip
    columns: list[pl.Expr] = []
    for name, (word, unit) in SINCE_LAST.items():
        never = ~pl.col(f"exposed_{word}") if word else pl.col("nothing")
        columns += bounded(name, *(_ago(pl.col(f"{end}_{word}"), never, ground, unit) for end in ("high", "low")))
    return told.select(*columns, months_since_transplant=_ago(pl.col("graft"), pl.col("unseen"), ground, months))


def _ago(day: pl.Expr, never: pl.Expr, ground: Ground, unit: Unit) -> pl.Expr:
    """Time since a day; without end where there was never one."""
    return pl.when(day.is_not_null()).then(unit(day, ground.day)).when(never.fill_null(False)).then(float("inf"))


def nothing_given(exposed: pl.DataFrame) -> pl.Series:
    """Whether certainly no drug was ever given."""
    tall = pl.concat([column.alias("exposed") for column in exposed]).fill_null(True).to_numpy().reshape(exposed.width, -1)
    return pl.Series("exposed", np.logical_not(np.any(tall, axis=0)).tolist(), pl.Boolean)


def cells(ground: Ground) -> pl.DataFrame:
    """After the last BCMA CAR-T cells: months to progression, or to the day; whether it progressed."""
    own = ground.drugs.filter(pl.col("what").is_in(list(kinds()["bcma_car_t"])))
    infused = own.group_by("place").agg(infused=pl.col("start").max())
    line = ground.lines.join(infused, on="place").filter(pl.col("started_on") <= pl.col("infused"))
    line = line.sort("place", "started_on").group_by("place", maintain_order=True).last()
    later = pl.col("infused")
    told = line.select(
        "place",
        "infused",
        progressed=pl.when(pl.col("progression_on") > later).then("progression_on"),
        doubt=(pl.col("unconfirmed_on") > later).fill_null(False) | pl.col("following").is_not_null(),
    )
    wide = ground.whole(told).with_columns(ever=ground.has(own["place"]), maybe=ground.has(
        ground.given.filter(pl.col("drug").is_in(["car_t", "investigational"]) | pl.col("drug").is_in(list(kinds()["bcma_car_t"])))["place"]
    ))  # fmt: skip
    yes, open_ = pl.col("progressed").is_not_null(), pl.col("doubt").fill_null(False)
    until = pl.when(yes).then("progressed").when(~open_).then(ground.day)
    return wide.select(
        bcma_car_t_response_months=months(pl.col("infused"), until),
        progressed_after_bcma_car_t=pl.when(yes).then(True).when(~pl.col("maybe") | (pl.col("ever") & ~open_)).then(False),
    )
