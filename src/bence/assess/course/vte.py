"""Risk of venous thromboembolism: the scores IMPEDE-VTE and SAVED, as a range where something is not known.

Every factor is a word of the table of its score, or several joined by `|` where only so much is known, or null. Factors are
independent, so the lowest and the highest score are exact. Sources: sanfilippo-2019, li-2019. In words: docs/rules/course.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from itertools import combinations
from typing import Any

import polars as pl

from ...interval import TOLERANCE
from .facts import DOSE_LASTS, joined

Points = Mapping[str, Mapping[str, int]]
IMPEDE: Points = {
    "imid": {"no": 0, "yes": 4},
    "bmi_25": {"no": 0, "yes": 1},
    "hip_fracture": {"no": 0, "yes": 4},
    "esa": {"no": 0, "yes": 1},
    "dexamethasone": {"none": 0, "low": 2, "high": 4},
    "doxorubicin": {"no": 0, "yes": 3},
    "asian": {"no": 0, "yes": -3},
    "vte_history": {"no": 0, "yes": 5},
    "catheter": {"no": 0, "yes": 2},
    "thromboprophylaxis": {"none": 0, "prophylactic": -3, "therapeutic": -4},
}
SAVED: Points = {
    "surgery_90": {"no": 0, "yes": 2},
    "asian": {"no": 0, "yes": -3},
    "vte_history": {"no": 0, "yes": 3},
    "age_80": {"no": 0, "yes": 1},
    "dexamethasone": {"none": 0, "low": 1, "high": 2},
}
SCORES: dict[str, tuple[Points, tuple[tuple[int, str], ...]]] = {
    "impede_vte": (IMPEDE, ((8, "high"), (4, "intermediate"))),
    "saved": (SAVED, ((2, "high"),)),
}
HIGH_DOSE = 160  # mg of dexamethasone within a month; more is high
BMI = 25.0  # kg/m2
OLD = 80  # years
SURGERY = 90  # days
HIP = r"(?i)pelvi|\bhip\b|femur|femor|acetabul|骨盆|髋|股骨"


def scored(known: pl.DataFrame, score: str) -> pl.DataFrame:
    """`known` with `low`, `high`, `value` (where both are one), `category` (where it is certain) and `missing`, for one score.

    `score`: `impede_vte` or `saved`. A factor whose column is absent is unknown.
    """
    points, cuts = SCORES[score]
    known = known.with_columns(pl.lit(None, pl.String).alias(name) for name in points if name not in known.columns)
    ends = _ends(score)
    low, high = pl.sum_horizontal(end[0] for end in ends), pl.sum_horizontal(end[1] for end in ends)
    open_ = [pl.when(end[0] != end[1]).then(pl.lit(name)) for name, end in zip(points, ends, strict=True)]
    told = known.with_columns(
        low=low.cast(pl.Float64), high=high.cast(pl.Float64), missing=pl.concat_str(open_, separator="|", ignore_nulls=True)
    )
    group = {end: _group(pl.col(end), cuts) for end in ("low", "high")}
    return told.with_columns(
        value=pl.when(pl.col("low") == pl.col("high")).then("low"),
        category=pl.when(group["low"] == group["high"]).then(group["low"]),
        missing=pl.col("missing").replace("", None),
    )


@cache
def _ends(score: str) -> list[tuple[pl.Expr, pl.Expr]]:
    """Of every factor of a score the least and the greatest number of points that it can give."""
    return [(_points(name, table, min), _points(name, table, max)) for name, table in SCORES[score][0].items()]


def _points(name: str, table: Mapping[str, int], end: Any) -> pl.Expr:
    """The least or the greatest number of points that a factor can give."""
    sets = [words for size in range(1, len(table) + 1) for words in combinations(table, size)]
    known = {"|".join(words): end(table[word] for word in words) for words in sets}
    return pl.col(name).fill_null("|".join(table)).replace_strict(known, return_dtype=pl.Int64)


def _group(score: pl.Expr, cuts: tuple[tuple[int, str], ...]) -> pl.Expr:
    word = pl.lit("low")
    for cut, name in reversed(cuts):
        word = pl.when(score >= cut).then(pl.lit(name)).otherwise(word)
    return word


def factors(facts: pl.DataFrame, rows: pl.DataFrame, events: pl.DataFrame, policies: Mapping[str, Any], at: date) -> pl.DataFrame:
    """The factors of both scores for every patient of `facts` who is on treatment, as they are on the day."""
    own = joined(facts.filter("treated_now"), _history(events, at), _recent_drugs(rows, at))
    unrecorded = pl.lit("no" if policies["unrecorded_care"] == "absent" else None, pl.String)
    asian = {"unknown": None}.get(str(policies["vte_asian"]), policies["vte_asian"])
    operated = (pl.col("surgery_last") >= at - timedelta(days=SURGERY)).fill_null(False)
    celmod = pl.col("celmod_now").fill_null(False)
    index = pl.col("weight_lo") / (pl.col("height_lo") / 100) ** 2
    since = pl.col("dexamethasone_intensity_on") >= pl.col("dexamethasone_first")
    intensity = pl.when(since.fill_null(True)).then("dexamethasone_intensity_text")
    dexamethasone = pl.when(pl.col("dexamethasone_now")).then("dexamethasone").otherwise(pl.lit("none"))
    return own.with_columns(
        imid=pl.when(pl.col("imid_now")).then(pl.lit("yes")).when(~celmod).then(pl.lit("no")),
        bmi_25=_yes_no(index >= BMI - TOLERANCE),
        hip_fracture=pl.coalesce("hip_fracture", unrecorded),
        esa=pl.coalesce(_yes_no(pl.col("epoetin_now")), unrecorded),
        doxorubicin=pl.col("doxorubicin").fill_null("no"),
        asian=pl.coalesce("asian_ethnicity_text", pl.lit(asian, pl.String)),
        vte_history=pl.coalesce("vte_history", unrecorded),
        catheter=pl.coalesce("catheter", unrecorded),
        surgery_90=pl.when(operated).then(pl.lit("yes")).otherwise(pl.coalesce("surgery_90", unrecorded)),
        age_80=pl.when(pl.col("age_lo") >= OLD).then(pl.lit("yes")).when(pl.col("age_hi") < OLD).then(pl.lit("no")),
        dexamethasone=pl.coalesce(intensity, dexamethasone),
        thromboprophylaxis=pl.coalesce("thromboprophylaxis_text", _thinned(str(policies["unrecorded_care"]))),
    )


def _yes_no(said: pl.Expr) -> pl.Expr:
    return pl.when(said).then(pl.lit("yes")).when(~said).then(pl.lit("no"))


def _thinned(unrecorded: str) -> pl.Expr:
    """What the recorded drugs say of thromboprophylaxis; of heparin and of the direct inhibitors the intensity is not known.

    Beside aspirin an anticoagulant may have gone unrecorded.
    """
    aspirin = "prophylactic" if unrecorded == "absent" else "prophylactic|therapeutic"
    return (
        pl.when(pl.col("warfarin_now")).then(pl.lit("therapeutic"))
        .when(pl.col("anticoagulant_now")).then(pl.lit("prophylactic|therapeutic"))
        .when(pl.col("aspirin_now")).then(pl.lit(aspirin))
        .otherwise(pl.lit("none" if unrecorded == "absent" else None, pl.String))
    )  # fmt: skip


def _history(events: pl.DataFrame, at: date) -> pl.DataFrame:
    """Thrombosis, fracture, catheter and surgery as events tell them: `yes`, `no` where the last record denies it, else null."""
    lately = pl.col("on") >= at - timedelta(days=SURGERY)
    past = {
        "vte_history": pl.col("what").is_in(["vte", "prior_vte"]),
        "hip_fracture": (pl.col("what") == "fracture") & (pl.col("absent") | pl.col("text").str.contains(HIP)),
        "surgery_90": (pl.col("what") == "major_surgery") & lately,
    }
    there = ~pl.col("absent") & (pl.col("until").is_null() | (pl.col("until") >= at))
    catheter = there.filter(pl.col("what") == "central_venous_catheter").last()
    said = {name: pl.when((own & ~pl.col("absent")).any()).then(True).when(own.any()).then(False) for name, own in past.items()}
    rows = events.sort("patient", "on", "absent", descending=[False, False, True], maintain_order=True)
    return rows.group_by("patient").agg(catheter=_yes_no(catheter), **{name: _yes_no(claim) for name, claim in said.items()})


def _recent_drugs(rows: pl.DataFrame, at: date) -> pl.DataFrame:
    """The dexamethasone of a month (`low`, `high`, `low|high`) and whether doxorubicin was given in it.

    The dose is known where every row of the month is a single dose in mg; a month that is not over may still become a high one.
    """
    month = at - timedelta(days=DOSE_LASTS)
    recent = rows.filter(pl.col("stopped").is_null() | (pl.col("stopped") > month))
    dose = rows.filter(pl.col("group") == "dexamethasone").with_columns(
        recent=pl.col("stopped").is_null() | (pl.col("stopped") > month),
        exact=(pl.col("single") & (pl.col("dose_unit") == "mg") & pl.col("dose").is_not_null()).fill_null(False),
    )
    exact, total = pl.col("exact").filter("recent").all(), pl.col("dose").filter("recent").sum()
    words = pl.when(exact & (total > HIGH_DOSE)).then(pl.lit("high"))
    words = words.when(exact & (pl.col("began").min() <= month)).then(pl.lit("low")).otherwise(pl.lit("low|high"))
    told = dose.group_by("patient").agg(words.alias("dexamethasone"))
    red = recent.filter(pl.col("what").is_in(["doxorubicin", "liposomal_doxorubicin"]))
    return told.join(red.select("patient", doxorubicin=pl.lit("yes")).unique(), on="patient", how="full", coalesce=True)


def vte_scores(facts: pl.DataFrame, rows: pl.DataFrame, events: pl.DataFrame, policies: Mapping[str, Any], at: date) -> pl.DataFrame:
    """Both scores of everyone on treatment: the columns of the table of scores.

    `answered`: the factors that are known. SAVED is given to patients who are, or may be, on an immunomodulatory drug.
    """
    known = factors(facts, rows, events, policies, at)
    parts = []
    for name, (points, _) in SCORES.items():
        own = known if name == "impede_vte" else known.filter(pl.col("imid").is_null() | (pl.col("imid") == "yes"))
        answered = pl.lit(len(points)) - pl.col("missing").str.split("|").list.len().fill_null(0)
        parts.append(
            scored(own, name).select(
                "patient", "value", "low", "high", "category", "missing", on=pl.lit(at), instrument=pl.lit(name), scale=pl.lit("score"),
                answered=answered.cast(pl.Int64), change=pl.lit(None, pl.Float64),
            )
        )  # fmt: skip
    return pl.concat(parts)
