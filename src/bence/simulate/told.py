"""Tables of the simulator in words, English and Chinese: the calibration, what an outcome hangs on, what a twin forecasts."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ..catalogue import label
from ..evidence import record
from ..evidence.outcomes import measure_said
from .calibration.score import Scored, summary
from .calibration.targets import Target
from .endpoints import AT
from .twin import ASSUMED, Twin

MRD = {"mrd_1e5": ("mrd_negative", "<1e-5"), "mrd_1e6": ("mrd_negative", "<1e-6"), "mrd_1e5_with_cr": ("mrd_negative_cr", "<1e-5")}
INDUCTION = {"en": " after induction", "zh": "（诱导后）"}
MEMORY = " [M]"
ROLES = {"train": ("fitted", "参与拟合"), "held_out": ("held out", "留出检验"), "kept_back": ("kept back", "封存"),
         "kept_back_2": ("kept back, second fit", "第二次拟合封存"), "kept_back_3": ("kept back, third fit", "第三次拟合封存")}  # fmt: skip
HIT = {"en": ("missed", "hit"), "zh": ("未中", "命中")}
SCORE = {
    "en": ("role", "target", "n", "published, % (95 % interval)", "model, % (5–95 % of draws)", "", "naive, %", " "),
    "zh": ("用途", "目标", "例数", "已发表，%（95%区间）", "模型，%（抽样5%~95%）", "", "朴素估计，%", " "),
}
SUMMARY = {
    "en": (
        "role",
        "targets",
        "hit",
        "read, not from memory",
        "of these hit",
        "with a naive estimate",
        "hit by the model",
        "hit by it",
        "mean error, points",
    ),
    "zh": ("用途", "目标数", "命中", "非凭记忆", "其中命中", "有朴素估计", "模型命中", "朴素命中", "平均误差（百分点）"),
}
OUTCOMES = {"pfs": ("time to progression or death", "至进展或死亡的时间"), "depth": ("depth of response", "缓解深度")}
SENSITIVITY = {
    "en": ("arm", "outcome", "parameter", "rank correlation (95 %)", "partial (95 %)"),
    "zh": ("组", "结局", "参数", "秩相关（95%）", "偏秩相关（95%）"),
}
TWIN = {
    "en": ("day", "M-protein, g/L (90 %)", "light chain, mg/L (90 %)", "MRD, share (90 %)", "progressed"),
    "zh": ("日期", "M蛋白，g/L（90%）", "受累轻链，mg/L（90%）", "MRD，比例（90%）", "已进展"),
}
RESTS = {
    "en": {
        "siblings": (
            "{siblings:,} virtual siblings were given what this patient was given; each counts by how closely "
            "its course follows the measured values. "
            "Together they count as {effective:,.0f} (effective number)."
        ),
        "tempered": (
            "Too few follow the course closely, so closeness was asked for less strictly (the likelihood to the "
            "power {:.2f}): the twin follows the "
            "measured values more loosely, and its bands are wider."
        ),
        "assumed": "Assumed: {}.",
        "untempered": "Enough of them follow the course closely; nothing was loosened.",
    },
    "zh": {
        "siblings": (
            "{siblings:,}名虚拟同胞接受与该患者相同的治疗；病程与实测值越接近，权重越大，合计相当于{effective:,.0f}名（有效例数）。"
        ),
        "tempered": "病程足够接近者过少，故放宽了接近的要求（似然取{:.2f}次幂）：孪生对实测值的跟随较松，区间也较宽。",
        "assumed": "假设：{}。",
        "untempered": "有足够的同胞病程相近，未作放宽。",
    },
}
EVERY_WEEKS, TOP = 8, 12


def target_said(target: Target, lang: str) -> str:
    """A target in words, with `[M]` where its value is from memory."""
    if target.measure == "mrd_1e5_after_induction":
        what = f"{measure_said('mrd_negative', lang)} <1e-5{INDUCTION[lang]}"
    elif target.measure in MRD:
        measure, threshold = MRD[target.measure]
        what = f"{measure_said(measure, lang)} {threshold}"
    else:
        what = measure_said(target.measure, lang)
    if target.months is not None:
        what = AT["en"].format(what, target.months) if lang == "en" else AT["zh"].format(target.months, what)
    return f"{record(target.trial)['name']}, {target.arm}: {what}{MEMORY if target.tag == 'M' else ''}"


def score_told(scored: Sequence[Scored], lang: str = "en") -> pl.DataFrame:
    """A row a target: published, model, naive, and which of them lies inside the published interval."""
    zh = lang == "zh"
    rows = []
    for one in scored:
        low, high = one.target.interval
        naive = "–" if one.naive is None else f"{100 * one.naive:.0f}"
        rows.append((
            ROLES[one.target.role][zh], target_said(one.target, lang), str(one.target.n),
            f"{one.target.percent:g} ({100 * low:.0f}–{100 * high:.0f})",
            f"{100 * one.share:.0f} ({100 * one.low:.0f}–{100 * one.high:.0f})",
            HIT[lang][one.hit], naive, "" if one.naive_hit is None else HIT[lang][one.naive_hit],
        ))  # fmt: skip
    return pl.DataFrame(rows, schema=dict.fromkeys(SCORE[lang], pl.String), orient="row")


def summary_told(scored: Sequence[Scored], lang: str = "en") -> pl.DataFrame:
    """Hits by role, in words."""
    table = summary(scored).with_columns(pl.col("role").replace_strict({role: words[lang == "zh"] for role, words in ROLES.items()}))
    return table.select(pl.all().cast(pl.String)).rename(dict(zip(table.columns, SUMMARY[lang], strict=True)))


def sensitivity_told(table: pl.DataFrame, lang: str = "en", top: int = TOP) -> pl.DataFrame:
    """The parameters that matter most to each outcome of each arm, with their correlations."""
    rows = table.group_by("arm", "outcome", maintain_order=True).head(top)
    return pl.DataFrame(
        [(row["arm"], OUTCOMES[row["outcome"]][lang == "zh"], row[f"what_{lang}"], _with(row, "rho"), _with(row, "partial"))
         for row in rows.iter_rows(named=True)],
        schema=dict.fromkeys(SENSITIVITY[lang], pl.String), orient="row",
    )  # fmt: skip


def _with(row: dict[str, float | None], name: str) -> str:
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    return "–" if value is None else f"{value:+.2f} ({low:+.2f} – {high:+.2f})"


def twin_told(twin: Twin, lang: str = "en") -> pl.DataFrame:
    """The forecast every eight weeks from the day of the twin on."""
    rows = []
    progressed = dict(twin.progressed.iter_rows())
    ahead = [on for on in progressed if on >= twin.at][::EVERY_WEEKS]
    for on in ahead:
        known = {row["what"]: row for row in twin.forecast.filter(pl.col("on") == on).iter_rows(named=True)}
        cells = ["{middle:.3g} ({low:.3g}–{high:.3g})".format(**known[name]) for name in ("m_protein", "involved_flc", "mrd")]
        rows.append((on.isoformat(), *cells, f"{progressed[on]:.0%}"))
    return pl.DataFrame(rows, schema=dict.fromkeys(TWIN[lang], pl.String), orient="row")


def drugs_said(twin: Twin, lang: str = "en") -> str:
    """The drugs that the siblings are given."""
    return " + ".join(label(drug, lang) for drug in twin.drugs)


def rests(twin: Twin, lang: str = "en") -> tuple[str, ...]:
    """On what a twin rests, in plain words: siblings, how closely they follow, what was assumed."""
    words = RESTS[lang]
    assumed = {"en": "; ", "zh": "；"}[lang].join(said[lang == "zh"] for said in ASSUMED)
    how = words["untempered"] if twin.tempered >= 1 else words["tempered"].format(twin.tempered)
    return (words["siblings"].format(siblings=twin.siblings, effective=twin.effective), how, words["assumed"].format(assumed))
