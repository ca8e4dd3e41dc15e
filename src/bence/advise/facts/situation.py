"""Where a patient stands: smouldering, untreated, on which line, in which phase of the first line, relapsed or not."""

from __future__ import annotations

import polars as pl

from ...assess.courses import NO_DRUG
from .ground import DOSE_LASTS, Ground, bounded, months

SITUATIONS = (
    "smouldering", "untreated", "first_line", "later_line", "relapse", "relapse_unconfirmed", "precursor", "plasmacytoma", "other",
)  # fmt: skip
PHASES = ("induction", "after_transplant", "maintenance", "off_treatment")
OF_DIAGNOSIS = {
    "MM": "untreated", "PCL": "untreated", "SMM": "smouldering", "MGUS_non_IgM": "precursor", "MGUS_IgM": "precursor",
    "MGUS_light_chain": "precursor", "solitary_plasmacytoma": "plasmacytoma", "solitary_plasmacytoma_minimal_marrow": "plasmacytoma",
    "al_amyloidosis": "other", "poems": "other", "out_of_scope_LPL": "other", "unclassified": "other", "none": "other",
}  # fmt: skip
"""The situation of a patient to whom no drug against the myeloma was given."""
UNTREATED = len({*OF_DIAGNOSIS.values()})
ACTIVE = ("MM", "PCL")
PAUSE = 60  # days without a drug after which induction has ended
RECOVERY = 100  # days after a transplant without a drug
MAINTAINS = 3  # drugs from which on a treatment is more than maintenance


def situation(ground: Ground) -> pl.DataFrame:
    """Situation, lines (`prior_lines`: behind the patient if a new one began), phase of the first line, months of its induction."""
    status = ground.status("diagnosis")
    line = ground.last_line.with_columns(*status, treated=ground.treated)
    untreated = ~pl.col("treated")
    told = line.select(
        "treated", "line", situation=pl.when(untreated).then(_of_diagnosis(status["diagnosis"]))
        .when(pl.col("line").is_not_null()).then(_of_line()),
    )  # fmt: skip
    behind = pl.when(~untreated).then("line").when(pl.col("situation").is_in(SITUATIONS)).then(0).cast(pl.Float64)
    phase = phase_on(ground, pl.Series([ground.day], dtype=pl.Int64).new_from_index(0, ground.n))
    return told.select(
        "situation", line_current=behind, prior_lines=behind,
        first_line_phase=pl.when(pl.col("situation") == "first_line").then(phase),
    ).with_columns(_induction(ground), months_to_first_progression=_first_progression(ground))  # fmt: skip


def _of_diagnosis(diagnosis: pl.Series) -> pl.Series:
    """The situation of the untreated: of several possible diagnoses every situation, joined by `|`."""
    table = {}
    for each in diagnosis.unique().drop_nulls():
        found = {OF_DIAGNOSIS.get(word, "other") for word in each.split("|")}
        table[each] = "|".join(word for word in SITUATIONS if word in found) if len(found) < UNTREATED else None
    return diagnosis.replace_strict(table, default=None, return_dtype=pl.String)


def _of_line() -> pl.Expr:
    """The situation of the treated, by the last line."""
    known, diagnosis = pl.col("diagnosis").is_not_null(), pl.col("diagnosis")
    active = ~known | diagnosis.str.contains("MM|PCL")
    doubt = (pl.col("progression_state") == "unconfirmed").fill_null(False) | pl.col("unconfirmed_on").is_not_null()
    return (
        pl.when((diagnosis == "SMM") & pl.col("progression_on").is_null()).then(pl.lit("smouldering"))
        .when(~active).then(diagnosis.replace_strict(OF_DIAGNOSIS, default="other", return_dtype=pl.String))
        .when(pl.col("progression_on").is_not_null()).then(pl.lit("relapse"))
        .when(doubt).then(pl.lit("relapse_unconfirmed"))
        .when(pl.col("line") >= 2).then(pl.lit("later_line")).otherwise(pl.lit("first_line"))
    )  # fmt: skip


def phase_on(ground: Ground, day: pl.Series) -> pl.Series:
    """The phase of the first line in which every patient was on a day of his own; several where the record leaves it open.

    As recorded; else by transplant and by what is given: after a transplant fewer than three drugs without a steroid may be
    maintenance, and so may what is left of an induction of which a drug was stopped.
    """
    days = pl.DataFrame({"day": day}).with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
    rows = ground.doses.filter(pl.col("line") == 1).join(days, on="place").filter(pl.col("start") <= pl.col("day"))
    drug = ~pl.col("drug_class").is_in(["", *NO_DRUG]) & (pl.col("phase") != "transplant").fill_null(True)
    last = pl.when("running").then(pl.col("day")).otherwise(pl.coalesce("stop", pl.when("open").then("day"), "start"))
    on = drug & ((last >= pl.col("day")) | ((pl.col("stop") == pl.col("start")) & (pl.col("stop") + DOSE_LASTS >= pl.col("day"))))
    transplant = pl.col("start").filter(pl.col("drug_class") == "transplant").max()
    rows = rows.with_columns(on=on.fill_null(False), last=last, drug=drug)
    phase = pl.col("phase").filter("on")
    told = rows.group_by("place").agg(
        transplant=transplant, giving=pl.col("on").any(), recorded=phase.is_not_null().any(),
        maintained=(phase == "maintenance").any(), ever_maintained=(pl.col("phase") == "maintenance").any(),
        since=pl.col("start").filter("on").max(), drugs=pl.col("what").filter("on").n_unique(),
        steroid=((pl.col("drug_class") == "steroid") & (last >= pl.col("day"))).any(),
        last=pl.col("last").filter("drug").max(), day=pl.col("day").first(),
        reduced=(pl.col("drug") & ~pl.col("on") & (pl.col("last") + DOSE_LASTS < pl.col("day"))).any(),
    )  # fmt: skip
    grafted, recovering = pl.col("transplant").is_not_null(), pl.col("transplant") + RECOVERY >= pl.col("day")
    light = (pl.col("drugs") < MAINTAINS) & ~pl.col("steroid") & ~pl.col("recorded")
    said = (
        pl.when(pl.col("maintained")).then(pl.lit("maintenance"))
        .when(pl.col("giving") & grafted & light).then(pl.lit("after_transplant|maintenance"))
        .when(pl.col("giving") & grafted).then(pl.lit("after_transplant"))
        .when(pl.col("giving") & light & pl.col("reduced")).then(pl.lit("induction|maintenance"))
        .when(pl.col("giving")).then(pl.lit("induction"))
        .when(pl.col("ever_maintained").fill_null(False)).then(pl.lit("off_treatment"))
        .when(grafted & (recovering | (pl.col("last") + PAUSE >= pl.col("day")))).then(pl.lit("after_transplant"))
        .when(~grafted & (pl.col("last") + PAUSE >= pl.col("day"))).then(pl.lit("induction"))
        .otherwise(pl.lit("off_treatment"))
    )  # fmt: skip
    return ground.whole(told.select("place", phase=said))["phase"]


def _induction(ground: Ground) -> list[pl.Series]:
    """Months from the start of line 1 to the transplant, maintenance, the last dose, or the day."""
    first = ground.lines.filter(pl.col("line") == 1).select("place", "started_on", "transplant_on", "following")
    rows = ground.drugs.filter(pl.col("line") == 1)
    told = rows.group_by("place").agg(
        maintenance=pl.col("start").filter(pl.col("phase") == "maintenance").min(),
        low=pl.col("low").max(), high=pl.col("high").max(),
    )  # fmt: skip
    ends = first.join(told, on="place", how="left")
    known = pl.min_horizontal("transplant_on", "maintenance")
    last = [pl.min_horizontal(known, end, "following", pl.lit(ground.day)) for end in ("low", "high")]
    low, high = (months(pl.col("started_on"), end) for end in (last[0], pl.max_horizontal(last)))
    return ground.whole(ends.select("place", *bounded("months_of_induction", low, high))).get_columns()


def _first_progression(ground: Ground) -> pl.Series:
    """Months from the start of line 1 to its progression; null without one."""
    first = ground.lines.filter(pl.col("line") == 1)
    return ground.whole(first.select("place", months=months(pl.col("started_on"), pl.col("progression_on"))))["months"]


__all__ = ["PHASES", "SITUATIONS", "phase_on", "situation"]
