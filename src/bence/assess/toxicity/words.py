"""The words of the toxicity table, and why a row says what it says. English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...catalogue import label
from ..sources import cited
from .ctcae import terms

KINDS: dict[str, tuple[str, str]] = {
    "crs": ("cytokine release syndrome (CRS)", "细胞因子释放综合征（CRS）"),
    "icans": ("immune effector cell-associated neurotoxicity (ICANS)", "免疫效应细胞相关神经毒性综合征（ICANS）"),
    "icaht_early": ("early haematotoxicity after CAR-T cells (ICAHT)", "CAR-T后早期血液学毒性（ICAHT）"),
    "icaht_late": ("late haematotoxicity after CAR-T cells (ICAHT)", "CAR-T后晚期血液学毒性（ICAHT）"),
    "iec_hs": ("HLH-like syndrome after immune effector cells (IEC-HS)", "免疫效应细胞相关HLH样综合征（IEC-HS）"),
    "hypogammaglobulinaemia": ("low polyclonal IgG", "多克隆IgG低下"),
}
FLAGS: dict[str, tuple[str, str]] = {
    "uncertain_days": ("on some days the signs do not settle the grade", "部分日期的体征不足以定级"),
    "infection_too": ("an infection was recorded in the same days", "同期有感染记录"),
    "died_in_episode": ("the patient died in this episode", "患者在此期间死亡"),
    "recorded": ("recorded otherwise: {0}; the derived grade stands", "病历记录为{0}，以推算分级为准"),
    "conflict": ("conflicting records of one day", "同一日记录矛盾"),
    "from_memory": (
        "criteria written from memory, still to be checked against the paper",
        "本标准凭记忆写入，尚待与原文核对",
    ),
    "laboratory_criteria_only": (
        "laboratory criteria alone: a doctor has to judge whether it is one",
        "仅符合实验室标准，是否成立须由医生判断",
    ),
    "after_immunoglobulin": ("immunoglobulin was given: the true value may be lower", "期间输注过丙种球蛋白，实际水平可能更低"),
    "late": ("late: more than 28 days after the cells", "迟发：回输28天以后"),
    "no_such_grade": ("the recorded grade does not exist for this term", "该术语无所记录的级别"),
    "baseline_grade": ("grade {0} already before treatment", "治疗前已为{0}级"),
    "no_baseline": ("no baseline: taken as normal", "无基线值，按基线正常处理"),
    "ongoing": ("still abnormal at the last value", "末次检查仍异常"),
    "episodes": ("{0} episodes taken together", "合并{0}次发作"),
    "no_treatment_recorded": ("no treatment is recorded", "无治疗记录"),
}  # fmt: skip
MISSING: dict[str, tuple[str, str]] = {
    "grade": ("the grade", "级别"),
    "symptoms": ("symptoms", "症状"),
    "limit_or_baseline": ("the limit of the laboratory, or the baseline", "实验室参考限或基线值"),
    "death_cause": ("the cause of death", "死因"),
    "judgement": ("the judgement of a doctor", "医生判断"),
    "crs_treated": ("whether treatment began after the fever", "治疗是否始于发热之后"),
}
REASONS: dict[str, tuple[str, str]] = {
    "neutropenia_days": ("days with neutrophils at 0.5 or less", "中性粒细胞≤0.5的天数"),
    "profound_neutropenia_days": ("days with neutrophils at 0.1 or less", "中性粒细胞≤0.1的天数"),
    "polyclonal_igg": ("polyclonal IgG (g/L)", "多克隆IgG（g/L）"),
    "weight_loss": ("weight lost", "体重下降"),
}
SENTENCES: dict[str, tuple[str, str]] = {
    "title": ("{kind}: {grade}, {started} to {ended}", "{kind}：{grade}，{started}至{ended}"),
    "grade": ("grade {0}", "{0}级"),
    "possible": ("grade {0} possible", "可能为{0}级"),
    "none": ("none", "无"),
    "ungraded": ("no grade", "不分级"),
    "unknown": ("?", "？"),
    "line": ("line {0}", "第{0}线"),
    "worst": ("worst on {0}: {1}", "最重于{0}：{1}"),
    "after": ("after {0}: day {1} from its last dose, day {2} from its first", "{0}之后：距末次给药第{1}天，距首次给药第{2}天"),
    "course": ("course by day: {0}", "逐日病程：{0}"),
    "treated": ("treated with {0}", "治疗：{0}"),
    "missing": ("missing: {0}", "缺少：{0}"),
    "recorded": ("as recorded", "据病历记录"),
    "value": ("value {0}", "检验值{0}"),
    "source": ("Source: {0}", "依据：{0}"),
}


def kind_label(kind: str, lang: str = "en") -> str:
    """A kind of toxicity in words."""
    place = _place(lang)
    if kind.startswith("ctcae:"):
        return next((f"{(term.en, term.zh)[place]} (CTCAE)" for term in terms() if term.name == kind), kind)
    return KINDS[kind][place] if kind in KINDS else label(kind, lang)


def explain_toxicity(row: Mapping[str, Any], lang: str = "en") -> str:
    """Why a row of `toxicity_table` says what it says: grade, signs, course, treatment, what is missing, source.

    `row`: the row as a mapping (`frame.row(0, named=True)`); `lang`: `en` or `zh`. Lines of plain text.
    """
    say = _Teller("zh" if lang.startswith("zh") else "en")
    title = {"kind": kind_label(row["kind"], lang), "grade": say.grade(row)}
    lines = [say("title", **title, started=row["started_on"], ended=row["ended_on"] or say("unknown"))]
    if row["line"] is not None:
        lines.append(say("line", row["line"]))
    if row["because"]:
        lines.append(say("worst", row["worst_on"], say.reasons(row["because"])))
    if row["after"]:
        lines.append(say("after", label(row["after"], lang), row["days_after_last"], row["days_after_first"]))
    if row["course"]:
        lines.append(say("course", row["course"]))
    if row["treated_with"]:
        lines.append(say("treated", say.listed(row["treated_with"])))
    if row["missing"]:
        lines.append(say("missing", say.listed(row["missing"])))
    lines += ["! " + say.flag(flag) for flag in _split(row["flags"])]
    lines.append(say("source", cited(row["source"])))
    return "\n  ".join(lines)


class _Teller:
    """Sentences in one language."""

    def __init__(self, lang: str) -> None:
        self.lang, self.place = lang, _place(lang)

    def __call__(self, sentence: str, *values: Any, **named: Any) -> str:
        return SENTENCES[sentence][self.place].format(*values, **named)

    def grade(self, row: Mapping[str, Any]) -> str:
        """The grade, or those that are possible."""
        if row["worst_grade"] is not None:
            return self("grade", row["worst_grade"]) if row["worst_grade"] else self("none")
        return self("possible", row["worst_grade_possible"].replace("|", "/")) if row["worst_grade_possible"] else self("ungraded")

    def flag(self, flag: str) -> str:
        """A flag in words; what stands after a colon goes into the sentence."""
        name, _, value = flag.partition(":")
        value = self("none") if value == "none" else value
        return FLAGS[name][self.place].format(value) if name in FLAGS else flag

    def reasons(self, because: str) -> str:
        """Signs with their values."""
        return ("; ", "；")[self.place].join(map(self.reason, _split(because)))

    def reason(self, reason: str) -> str:
        """One sign with its value, or a word."""
        name, sign, value = reason.partition("=")
        if name in ("recorded", "value"):
            return self(name, value) if name == "value" else self(name)
        named = REASONS[name][self.place] if name in REASONS else label(name, self.lang)
        return f"{named} {label(value, self.lang)}" if sign else named

    def listed(self, names: str) -> str:
        """Names of codes in words."""
        words = (MISSING[name][self.place] if name in MISSING else label(name, self.lang) for name in _split(names))
        return (", ", "、")[self.place].join(words)


def _place(lang: str) -> int:
    return 1 if lang.startswith("zh") else 0


def _split(names: str | None) -> list[str]:
    return names.split("|") if names else []
