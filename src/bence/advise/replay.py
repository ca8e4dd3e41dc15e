"""Was the pathway followed? For every decision of a cohort, what the pathway offered on that day against what was done.

A decision is the start of a line of therapy, or the first transplant. It is judged from what was known on its day, under the
approvals of that day (`as_of.before`). Agreement says nothing of right or wrong, and outcomes by agreement are associations: who was
treated off the pathway differs in more than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from ..assess import Findings, assess
from ..assess.survival import kaplan_meier
from ..catalogue import codes, codes_of
from ..chart import Chart
from . import advice
from .as_of import DAY, before
from .facts import facts as facts_of
from .pathway import Option, pathway
from .setting import settle

FIRST = 60  # days from the start of a line in which its drugs begin; CAR-T cells come later and are looked for in the whole line
BESIDE = ("steroid", "supportive")  # classes that no option is told apart by: bone agents, aciclovir and tocilizumab are given with any
OFFERED_IN = {"first": ("induction", "smouldering"), "later": ("relapse", "immunotherapy"), "transplant": ("transplant",)}
OUTCOMES = ("pfs_days", "pfs_event", "ttnt_days", "ttnt_event")
ASSOCIATION = {
    "en": "Agreement and outcome are associated at most; neither causes the other.",
    "zh": "一致与结局之间至多为关联，并非因果。",
}
STANCES = ("for", "against", "blocked", "unknown")


def replay(chart: Chart, findings: Findings, region: str = "china", **policies: Any) -> pl.DataFrame:
    """One row a decision: patient, centre, on, year, line, question, done (drugs), option, stance, agrees, offered, outcomes.

    `findings`: of the whole chart. `option`: that of the pathway which was done (null: none has these drugs). `stance`: what the
    pathway said of it, `for|against` where sources disagree, `not_offered` where it said nothing. `agrees`: yes if it was for it, no
    if it was against it, blocked it or did not offer it, null where it could not tell. `offered`: options it was for. The outcomes
    are those of the line.
    """
    made = decisions(findings).with_columns(turn=pl.col("on").rank("ordinal").over("patient"))
    turns = [made.filter(pl.col("turn") == turn) for turn in made["turn"].unique().sort()]
    told = [_judged(chart, turn, region, findings.manifest["policies"], policies) for turn in turns]
    lines = findings.lines.select("patient", "line", *OUTCOMES)
    rows = pl.concat([*told, _judged_columns()]).join(lines, on=["patient", "line"], how="left", maintain_order="left")
    centres = chart.patients.select("patient", "centre")
    rows = rows.join(centres, on="patient", how="left", maintain_order="left")
    return rows.with_columns(year=pl.col("on").dt.year()).sort("patient", "on")


def decisions(findings: Findings) -> pl.DataFrame:
    """The decisions in the findings: patient, on, line, kind (first, later, transplant), drugs."""
    given = _begun(findings)
    lines = findings.lines.filter(pl.col("started_on").is_not_null()).drop("drugs").join(given, on=["patient", "line"], how="left")
    kind = pl.when(pl.col("line") == 1).then(pl.lit("first")).otherwise(pl.lit("later"))
    starts = lines.select("patient", pl.col("started_on").alias("on"), "line", kind.alias("kind"), "drugs")
    first = lines.filter((pl.col("line") == 1) & pl.col("transplant_on").is_not_null())
    done_as = [pl.lit("transplant").alias("kind"), pl.lit("autologous_transplant").alias("drugs")]
    transplants = first.select("patient", pl.col("transplant_on").alias("on"), "line", *done_as)
    return pl.concat([starts, transplants]).sort("patient", "on")


def _begun(findings: Findings) -> pl.DataFrame:
    """The drugs that every line began with, those given within `FIRST` days of its first, and CAR-T cells whenever in it."""
    rows = findings.basis.drugs.filter(pl.col("line") > 0)
    first = pl.col("started_on").min().over("patient", "line")
    cells = [name for name, code in codes_of("drug").items() if code.drug_class == "CAR_T"]
    early = (pl.col("started_on") - first).dt.total_days() <= FIRST
    rows = rows.filter((early | pl.col("what").is_in(cells)) & pl.col("what").is_in(list(codes_of("drug"))))
    return rows.group_by("patient", "line").agg(drugs=pl.col("what").unique().sort().str.join("+"))


def _judged_columns() -> pl.DataFrame:
    words = dict.fromkeys(("patient", "question", "done", "option", "stance", "agrees", "offered"), pl.String)
    return pl.DataFrame(schema={"patient": pl.String, "on": pl.Date, "line": pl.Int32, **words})


def _judged(chart: Chart, turn: pl.DataFrame, region: str, rules: dict[str, Any], policies: dict[str, Any]) -> pl.DataFrame:
    """One decision of every patient, judged by what was known then."""
    found = assess(before(chart, turn), DAY, **rules)
    days = turn.select("patient", pl.col("on").alias("true"))
    facts = facts_of(found).join(days, on="patient", how="left", maintain_order="left").with_columns(at=pl.col("true")).drop("true")
    said: dict[str, dict[tuple[str, str], set[str]]] = {}
    rows = advice(settle(facts, region), region, **policies).drop_nulls("option")
    words = rows.select(pl.col("patient", "question", "option", "stance").cast(pl.String))
    for patient, question, option, stance in words.iter_rows():
        said.setdefault(patient, {}).setdefault((question, option), set()).add(stance)
    judged = [_row(one, said.get(one["patient"], {})) for one in turn.iter_rows(named=True)]
    return pl.DataFrame(judged, schema=_judged_columns().schema, orient="row")


def _row(decision: dict[str, Any], said: dict[tuple[str, str], set[str]]) -> tuple[Any, ...]:
    questions = [question for question in OFFERED_IN[decision["kind"]] if any(about == question for about, _ in said)]
    asked = questions or [OFFERED_IN[decision["kind"]][0]]
    offered = [option for (about, option), stances in said.items() if about in asked and "for" in stances]
    matches = done(decision["drugs"], OFFERED_IN[decision["kind"]])
    match = max(matches, key=lambda one: ("for" in said.get(one, ()), one in said), default=None)
    stances = said.get(match, set()) if match else set()
    stance = "|".join(one for one in STANCES if one in stances) or ("not_offered" if match else None)
    agrees = None if stance in (None, "unknown") or not questions else "yes" if "for" in stances else "no"
    question, option = match or (asked[0], None)
    told = (question, decision["drugs"], option, stance, agrees, "|".join(sorted(offered)) or None)
    return (decision["patient"], decision["on"], decision["line"], *told)


def done(drugs: str | None, questions: Iterable[str]) -> list[tuple[str, str]]:
    """The questions and options that were done: a CAR-T product whatever is given around it, else those of exactly these drugs."""
    given = {drug for drug in (drugs or "").split("+") if drug and codes()[drug].drug_class not in BESIDE}
    options = list(_options(questions))
    cells = [place for place, option in options if "car_t" in option.tags and given & set(option.drugs)]
    return cells or [place for place, option in options if given and core(option) == given]


def _options(questions: Iterable[str]) -> Iterator[tuple[tuple[str, str], Option]]:
    return (((question, option), pathway().options[option]) for question in questions for option in pathway().of(question))


def core(option: Option) -> set[str]:
    """What an option is recognised by: its drugs but for steroids, or for a transplant its procedure."""
    return {drug for drug in option.drugs if codes()[drug].drug_class not in BESIDE} or ({option.key} if option.key in codes() else set())


def summary(rows: pl.DataFrame) -> pl.DataFrame:
    """How often the pathway was followed, by question, centre and year: decisions, judged, followed, share with 95 % interval (Wilson)."""
    from scipy.stats import binomtest  # takes long to load

    groups = rows.group_by("question", "centre", "year", maintain_order=True)
    counted = groups.agg(decisions=pl.len(), judged=pl.col("agrees").count(), followed=(pl.col("agrees") == "yes").sum())
    known = counted.filter(pl.col("judged") > 0)
    bounds = [binomtest(k, n).proportion_ci(method="wilson") for k, n in known.select("followed", "judged").iter_rows()]
    ends = known.select("question", "centre", "year").with_columns(
        share=(known["followed"] / known["judged"]).round(3), low=pl.Series([round(one.low, 3) for one in bounds], dtype=pl.Float64),
        high=pl.Series([round(one.high, 3) for one in bounds], dtype=pl.Float64),
    )  # fmt: skip
    keys = ["question", "centre", "year"]
    return counted.join(ends, on=keys, how="left", nulls_equal=True).sort(keys)


def outcomes(rows: pl.DataFrame) -> pl.DataFrame:
    """PFS of the lines begun, by question and agreement: lines, events, median days (Kaplan–Meier; null: not reached).

    An association, not an effect. Transplants are left out: PFS runs from the start of their line, which they had survived.
    """
    known = rows.filter(pl.col("agrees").is_not_null() & pl.col("pfs_days").is_not_null() & (pl.col("question") != "transplant"))
    told = [
        (question, agrees, group.height, int(group["pfs_event"].sum()), _median(group))
        for (question, agrees), group in known.group_by("question", "agrees", maintain_order=True)
    ]
    kinds = {"question": pl.String, "agrees": pl.String, "lines": pl.Int64, "events": pl.Int64, "median_pfs_days": pl.Float64}
    return pl.DataFrame(told, schema=kinds, orient="row").sort("question", "agrees")


def _median(group: pl.DataFrame) -> float | None:
    return kaplan_meier(group["pfs_days"].to_numpy(), group["pfs_event"].to_numpy()).median
