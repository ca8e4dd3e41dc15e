"""The words of the exposure table: why the myeloma is refractory to a drug or not, and what is missing. English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..catalogue import label

BECAUSE: dict[str, tuple[str, str]] = {
    "stopped_for_progression": ("stopped for progression", "因疾病进展停药"),
    "progression_on_drug": ("progression while on the drug", "用药期间疾病进展"),
    "progression_after_drug": ("progression within 60 days of the last dose", "末次用药后60天内疾病进展"),
    "no_response": ("no response: less than a minimal response", "治疗无效：未达微小缓解（MR）"),
    "responded": ("it responded, without progression on the drug or soon after", "治疗有效，用药期间及停药后短期内未进展"),
    "no_progression": ("no progression on the drug", "用药期间未进展"),
}
MISSING: dict[str, tuple[str, str]] = {
    "started_on": ("when it was given", "用药时间"),
    "response_of_cells": (
        "given as bridging or lymphodepletion: the response is that of the cells",
        "仅用于桥接或清淋，疗效归因于CAR-T细胞",
    ),
    "unconfirmed_progression": ("the sample that confirms the progression", "确认疾病进展的复查"),
    "stopped_on": ("when it was stopped", "停药日期"),
    "response": ("an assessment of the response", "疗效评估"),
    "minimal_response": ("whether it was a minimal response (not used in this line)", "是否达微小缓解（本线不采用MR）"),
    "second_sample": ("the second sample of a response", "确认疗效的复查"),
    "still_on_treatment": ("the further course: stable, and still on treatment", "后续疗效：疾病稳定，仍在治疗中"),
    "too_short": ("a full cycle of the drug", "用药不足一个周期"),
    "started_after_progression": ("the response to it: it began after the progression of the line", "对该药的疗效：本线进展后才开始使用"),
    "reason_for_change": ("why another line began", "更换治疗的原因"),
}
STATES: dict[str | None, tuple[str, str]] = {
    "yes": ("refractory", "难治"), "no": ("not refractory", "非难治"), None: ("not known whether refractory", "难治与否不明"),
}  # fmt: skip
LOW_DOSE = ("only to 10 mg or less as maintenance", "仅限于≤10 mg维持治疗")
JOINTS = {"en": (": ", "; ", "missing: "), "zh": ("：", "；", "缺：")}


def explain_exposure(row: Mapping[str, Any], lang: str = "en") -> str:
    """Why the myeloma is refractory to a drug, or not, or what is missing: one line of text.

    `row`: a row of `exposure_table`; `lang`: `en` or `zh`.
    """
    lang = "zh" if lang.startswith("zh") else "en"
    place, (colon, semicolon, lacks) = ("en", "zh").index(lang), JOINTS[lang]
    parts = [STATES[row["refractory"]][place]]
    if row["maintenance_dose"] == "yes":
        parts.append(LOW_DOSE[place])
    parts += [BECAUSE[name][place] for name in (row["because"] or "").split("|") if name]
    parts += [lacks + MISSING[name][place] for name in (row["missing"] or "").split("|") if name]
    return f"{label(row['drug'], lang)}{colon}{semicolon.join(parts)}"
