"""The disease: diagnosis, stage, risk, smouldering models, fitness, and what kind of relapse it is."""

from __future__ import annotations

import numpy as np
import polars as pl

from ...cells import Categories, Numbers
from ...rulebook import rules
from .ground import Ground, bounded

TRANSPLANT_UP_TO, TRANSPLANT_IF_FIT_UP_TO = 65, 70  # completed years
WORDS = (
    "diagnosis", "diagnosis_subtype", "frailty_imwg", "frailty_simplified", "iss", "r_iss", "r2_iss", "high_risk_2025",
    "smm_risk_mayo_2018", "smm_risk_imwg_2020", "smm_risk_imwg_2020_cytogenetics", "smm_points_2020", "smm_risk_china_2024",
)  # fmt: skip
FLAGS = (
    "double_hit", "renal_insufficiency", "aquila_eligible", "myeloma_defining_event", "ldh_high", "early_relapse_12",
    "early_relapse_18", "pod24", "functional_high_risk",
)  # fmt: skip
MODELS = ("smm_risk_mayo_2018", "smm_risk_imwg_2020", "smm_risk_imwg_2020_cytogenetics", "smm_points_2020", "smm_risk_china_2024")
TRANSLOCATIONS = ("t_4_14", "t_14_16", "t_14_20")


def disease(ground: Ground) -> pl.DataFrame:
    """Diagnosis, stage, risk and age, as the status has them; abnormalities counted, models of smouldering compared."""
    words = ground.status(*WORDS)
    return words.with_columns(
        *ground.answers(*FLAGS), *_age(ground), *_abnormalities(ground), t_11_14=_positive(ground, "t_11_14"),
        sex=ground.people["sex"],
        plasma_cell_leukaemia=_is_among("diagnosis", "PCL"), smm_models=_models(),
    )  # fmt: skip


def _is_among(name: str, word: str) -> pl.Expr:
    """Whether a category is a word: yes, no, or null where other words are possible too."""
    answer = pl.col(name)
    return pl.when(answer == word).then(True).when(~answer.str.split("|").list.contains(word)).then(False)


def _models() -> pl.Expr:
    """Whether the models of smouldering risk agree that it is high; null where what is possible leaves it open."""
    high = [_is_among(name, "high") for name in MODELS]
    every, none = pl.all_horizontal(high), ~pl.any_horizontal(high)
    apart = pl.any_horizontal(high) & pl.any_horizontal(~each for each in high)
    return pl.when(every).then(pl.lit("agree_high")).when(none).then(pl.lit("agree_not_high")).when(apart).then(pl.lit("disagree"))


def _age(ground: Ground) -> list[pl.Series]:
    told = ground.age
    low, high = told.lo, told.lo if told.hi is None else told.hi
    ends = pl.DataFrame({"low": np.minimum(low, high), "high": np.maximum(low, high)}).fill_nan(None)
    return ends.select(bounded("age", pl.col("low"), pl.col("high"))).get_columns()


def _column(ground: Ground, name: str) -> Numbers | Categories | None:
    """A value at baseline, as the staging rules were told it."""
    return ground.findings.basis.solved["high_risk_2025"].cohort.columns.get(name)


def _positive(ground: Ground, name: str) -> pl.Series:
    """Whether an abnormality was found at baseline."""
    column = _column(ground, name)
    if not isinstance(column, Categories):
        return pl.Series([None], dtype=pl.Boolean).new_from_index(0, ground.n)
    found, none = (column.mask == 1 << column.names.index(word) for word in ("positive", "negative"))
    return pl.select(pl.when(pl.Series(found)).then(True).when(pl.Series(none)).then(False)).to_series()


def _above(ground: Ground, name: str, limit: float, *, reached: bool) -> pl.Series:
    """Whether a number at baseline lies above a limit (`reached`: or on it); null where its interval holds the limit."""
    column = _column(ground, name)
    if not isinstance(column, Numbers):
        return pl.Series([None], dtype=pl.Boolean).new_from_index(0, ground.n)
    low, high = column.lo, column.lo if column.hi is None else column.hi
    open_ = np.zeros(ground.n, bool) if column.hi_open is None else column.hi_open
    eps = 1e-9
    with np.errstate(invalid="ignore"):
        sure = low >= limit - eps if reached else low > limit + eps
        none = (high < limit - eps) | (open_ & (high <= limit + eps)) if reached else high <= limit + eps
    return pl.select(pl.when(pl.Series(sure)).then(True).when(pl.Series(none)).then(False)).to_series()


def _abnormalities(ground: Ground) -> list[pl.Series]:
    """How many of del(17p) (as the 2025 definition reads it), t(4;14), t(14;16), t(14;20) and 1q+ were found at baseline."""
    clone, copies = rules()["high_risk_2025_tp53"].thresholds["clone"], rules()["gain_1q_present"].thresholds["copies"]
    found = pl.DataFrame(
        {name: _positive(ground, name) for name in TRANSLOCATIONS}
        | {"del_17p": _above(ground, "del_17p", clone, reached=False), "gain_1q": _above(ground, "gain_1q", copies, reached=True)}
    )
    least = pl.sum_horizontal(pl.all().fill_null(False).cast(pl.Float64))
    most = pl.sum_horizontal(pl.all().fill_null(True).cast(pl.Float64))
    return found.select(bounded("high_risk_abnormalities", least, most)).get_columns()


def transplant_eligible(facts: pl.DataFrame) -> pl.Series:
    """Eligible for an autologous transplant: not if declined, frail or above 70; yes if planned or up to 65; up to 70 if fit.

    `facts` with `declined_transplant`, `transplant_planned`, the age and the frailty; fitness at the bedside is the physician's to confirm.
    """
    low, high = (pl.coalesce(f"age_{end}", "age") for end in ("low", "high"))
    frail = (pl.col("frailty_imwg") == "frail").fill_null(False) | (pl.col("frailty_simplified") == "frail").fill_null(False)
    fit = _is_among("frailty_imwg", "fit")
    return facts.select(
        pl.when(pl.col("declined_transplant") | frail).then(False)
        .when(pl.col("transplant_planned")).then(True)
        .when(low > TRANSPLANT_IF_FIT_UP_TO).then(False)
        .when(pl.col("declined_transplant").is_null()).then(None)
        .when(high <= TRANSPLANT_UP_TO).then(True)
        .when((low > TRANSPLANT_UP_TO) & ~fit).then(False)
        .when((high <= TRANSPLANT_IF_FIT_UP_TO) & fit).then(True)
    ).to_series()  # fmt: skip


def relapse(ground: Ground, situation: pl.Series) -> pl.DataFrame:
    """`relapse_kind` and `significant_paraprotein_relapse` of the current line, `response`, `best_response`."""
    seen = ground.has(_assessed(ground))
    now = ground.findings.status.select("response", best_response=pl.col("best_response").cast(pl.String))
    return ground.last_line.drop("best_response").with_columns(*now, seen=seen, situation=situation).select(
        relapse_kind=pl.when(pl.col("situation") == "relapse").then("relapse_kind"),
        significant_paraprotein_relapse=pl.when(pl.col("significant_paraprotein_relapse_on").is_not_null()).then(True)
        .when("seen").then(False),
        response=pl.when(pl.col("situation") == "relapse").then(pl.lit("PD")).otherwise("response"), best_response="best_response",
    )  # fmt: skip


def _assessed(ground: Ground) -> pl.Series:
    """Places of patients with an assessment of the current line that can be judged."""
    now = ground.last_line.select("line").with_columns(patient=ground.ids).with_row_index("place").drop_nulls("line")
    rows = ground.findings.response.filter(pl.col("timepoint").cast(pl.String) != "NE").select("patient", pl.col("line").cast(pl.Int64))
    return now.join(rows.unique(), on=["patient", "line"], how="semi")["place"]
