"""Policies: what the published criteria leave open, by name, with a default, stored with every result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..catalogue import nearest
from ..errors import UsageError

Value = str | float | bool


@dataclass(frozen=True)
class PolicyChoice:
    """One open choice: its default, the words allowed (or none for a number), and what it means."""

    default: Value
    choices: tuple[str, ...]
    en: str
    zh: str


POLICIES: dict[str, PolicyChoice] = {
    "serum_measurable": PolicyChoice(
        10.0, (), "Serum M-protein from which disease is measurable (g/L)", "血清M蛋白可测量阈值（g/L）"
    ),
    "nadir": PolicyChoice(
        "any",
        ("any", "pairwise"),
        "Nadir: the lowest value, or the lowest maximum of two consecutive values",
        "最低值：任一次最低，或连续两次中较高者的最低",
    ),
    "confirmation": PolicyChoice(
        "next_sample",
        ("next_sample", "simultaneous_markers"),
        "What confirms a biochemical progression",
        "生化进展的确认方式",
    ),
    "minimal_response": PolicyChoice(
        "relapsed", ("relapsed", "always", "never"), "Where minimal response is used", "微小缓解（MR）的适用范围"
    ),
    "missing": PolicyChoice(
        "strict",
        ("strict", "relaxed"),
        "Whether an absent urine test, or an absent second track, lowers a response",
        "缺少尿检或次要指标时是否降级",
    ),
    "unmeasured_track": PolicyChoice(
        "ignore",
        ("ignore", "limit"),
        "Whether urine that was not measurable at baseline limits a response",
        "基线不可测量的尿M蛋白是否限制疗效",
    ),
    "death_confirms": PolicyChoice(
        True, (), "Death before the next sample confirms a progression", "下次采样前死亡视为确认进展"
    ),
    "plasmacytoma_vgpr": PolicyChoice(
        0.5, (), "Fall of the plasmacytoma SPD that VGPR asks for (share)", "VGPR要求的浆细胞瘤SPD下降比例"
    ),
    "calcium_progression": PolicyChoice(
        False, (), "Hypercalcaemia counts as progression (2006 list)", "高钙血症计为进展（2006版）"
    ),
    "carry_biochemistry": PolicyChoice(7.0, (), "Days a laboratory value is carried forward", "检验值沿用天数"),
    "carry_onto_marrow": PolicyChoice(
        42.0, (), "Days a laboratory value is carried onto a marrow or imaging date", "检验值沿用至骨髓或影像日期的天数"
    ),
    "carry_imaging": PolicyChoice(84.0, (), "Days an imaging result is carried forward", "影像结果沿用天数"),
    "antibody_washout": PolicyChoice(
        180.0, (), "Days a therapeutic antibody may show on immunofixation", "治疗性抗体干扰免疫固定电泳的天数"
    ),
    "ivig": PolicyChoice(
        42.0, (), "Days after immunoglobulin in which total IgG is not used", "输注丙种球蛋白后不采用总IgG的天数"
    ),
    "calcium": PolicyChoice("corrected", ("corrected", "total"), "Calcium of the CRAB criteria", "CRAB标准所用血钙"),
    "diagnosis_requires": PolicyChoice(
        "crab",
        ("crab", "all"),
        "What must be known before a diagnosis is given",
        "给出诊断所需的最低资料",
    ),
}


def settle(given: Mapping[str, Any]) -> dict[str, Value]:
    """All policies with their values; UsageError for an unknown name or value, with the nearest right one."""
    for name in given:
        if name not in POLICIES:
            raise UsageError(f"there is no policy {name!r}", nearest=nearest(name, POLICIES))
    return {name: _value(name, choice, given.get(name, choice.default)) for name, choice in POLICIES.items()}


def _value(name: str, choice: PolicyChoice, value: Any) -> Value:
    if choice.choices:
        if value not in choice.choices:
            raise UsageError(
                f"policy {name} cannot be {value!r}; it is one of {', '.join(choice.choices)}",
                nearest=nearest(str(value), choice.choices),
            )
        return str(value)
    if isinstance(choice.default, bool):
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if str(value).lower() not in words:
            raise UsageError(f"policy {name} cannot be {value!r}; it is true or false")
        return words[str(value).lower()]
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not 0 <= number < 1e6:
        raise UsageError(f"policy {name} cannot be {value!r}; it is a number, by default {choice.default:g}")
    return number
