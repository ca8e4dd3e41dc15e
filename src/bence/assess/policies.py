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
    "serum_measurable": PolicyChoice(10.0, (), "Serum M-protein from which disease is measurable (g/L)", "血清M蛋白可测量阈值（g/L）"),
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
    "death_confirms": PolicyChoice(True, (), "Death before the next sample confirms a progression", "下次采样前死亡视为确认进展"),
    "plasmacytoma_vgpr": PolicyChoice(0.5, (), "Fall of the plasmacytoma SPD that VGPR asks for (share)", "VGPR要求的浆细胞瘤SPD下降比例"),
    "calcium_progression": PolicyChoice(False, (), "Hypercalcaemia counts as progression (2006 list)", "高钙血症计为进展（2006版）"),
    "carry_biochemistry": PolicyChoice(7.0, (), "Days a laboratory value is carried forward", "检验值沿用天数"),
    "carry_onto_marrow": PolicyChoice(
        42.0, (), "Days a laboratory value is carried onto a marrow or imaging date", "检验值沿用至骨髓或影像日期的天数"
    ),
    "carry_imaging": PolicyChoice(84.0, (), "Days an imaging result is carried forward", "影像结果沿用天数"),
    "antibody_washout": PolicyChoice(
        180.0, (), "Days a therapeutic antibody may show on immunofixation", "治疗性抗体干扰免疫固定电泳的天数"
    ),
    "ivig": PolicyChoice(42.0, (), "Days after immunoglobulin in which total IgG is not used", "输注丙种球蛋白后不采用总IgG的天数"),
    "ivig_open": PolicyChoice(
        180.0,
        (),
        "Days a course of immunoglobulin without a stop is taken to go on [O]",
        "未记录停用日期的丙种球蛋白视为持续使用的天数 [O]",
    ),
    "calcium": PolicyChoice("corrected", ("corrected", "total"), "Calcium of the CRAB criteria", "CRAB标准所用血钙"),
    "mrd_threshold": PolicyChoice(
        "1e-5",
        ("1e-4", "1e-5", "1e-6"),
        "Threshold of the MRD claim, and of sustained negativity, conversion and resurgence",
        "MRD结论及持续阴性、转阴、复阳所用的阈值",
    ),
    "mrd_first_pull": PolicyChoice(
        "assume",
        ("assume", "require"),
        "MRD sample of which nobody wrote whether it was the first pull",
        "未注明是否为首次抽吸的MRD标本如何处理",
    ),
    "mrd_flow_negative": PolicyChoice(
        "no_event",
        ("no_event", "below_limit"),
        "A negative flow result: no clonal event at all, or fewer than the 20 of its limit",
        "流式MRD阴性的含义：无任何克隆性事件，或少于检测限的20个事件",
    ),
    "mrd_resurgence": PolicyChoice(
        "threshold",
        ("threshold", "log10"),
        "MRD resurgence: positive again at the threshold, or a confirmed tenfold rise",
        "MRD转阳：再次达到阈值，或升高≥1个log10并经复查确认",
    ),
    "lines": PolicyChoice(
        "recorded",
        ("recorded", "derived"),
        "Lines that the response is given in: the recorded ones where every drug has one, or the derived ones",
        "疗效所用的治疗线数：每种药物均有记录时采用记录线数，或一律采用推导线数",
    ),
    "lines_window": PolicyChoice(
        365.0,
        (),
        "Days of the first line in which changes among drugs of first treatment are taken as planned",
        "一线治疗开始后，初治药物之间的更换视为计划内的天数",
    ),
    "lines_early": PolicyChoice(28.0, (), "Days in which an added drug still belongs to the regimen", "加用药物仍属原方案的天数"),
    "lines_switch": PolicyChoice(
        90.0, (), "Days of a later line in which another drug still belongs to it", "后续线治疗中换药仍属同一线的天数"
    ),
    "lines_gap": PolicyChoice(
        240.0, (), "Days without treatment after which any treatment is another line", "停药多少天后再治疗即为新的一线"
    ),
    "lines_resumed": PolicyChoice(
        180.0, (), "Days without a drug after which it counts as new when it comes back", "停用多少天后再用视为新药"
    ),
    "lines_tandem": PolicyChoice(
        180.0, (), "Days between two transplants that are one line (tandem)", "同一线内两次移植（双次移植）的最大间隔天数"
    ),
    "lines_steroids": PolicyChoice(False, (), "A steroid alone may open a line", "单用糖皮质激素可开启新的一线"),
    "lines_radiotherapy": PolicyChoice(False, (), "Radiotherapy opens a line", "放疗可开启新的一线"),
    "crs_window": PolicyChoice(
        30.0,
        (),
        "Days after CAR-T cells, or after the first dose of a bispecific, in which CRS and ICANS are graded",
        "CAR-T回输或双抗首剂后判定CRS、ICANS的天数",
    ),
    "crs_infection": PolicyChoice(
        "count",
        ("count", "unknown"),
        "Fever on the days of a recorded infection: counts for CRS and is flagged, or leaves CRS open",
        "已记录感染期间的发热：计入CRS并提示，或视为不能判定",
    ),
    "icans_unmentioned": PolicyChoice(
        "unknown",
        ("unknown", "absent"),
        "Seizure, weakness and oedema that nobody mentioned on a day with an ICE score",
        "有ICE评分当日未提及的癫痫、肢体无力、脑水肿如何处理",
    ),
    "episode_gap": PolicyChoice(
        2.0, (), "Days apart up to which days of a toxicity are one episode", "同一次毒性事件相邻两日的最大间隔（天）"
    ),
    "count_gap": PolicyChoice(
        7.0, (), "Days between two counts over which neutropenia is taken to last", "两次血象之间视为中性粒细胞持续减少的最大间隔（天）"
    ),
    "ctcae_baseline": PolicyChoice(
        "assume_normal",
        ("assume_normal", "require"),
        "CTCAE grades that depend on a baseline that is not recorded",
        "CTCAE分级需要基线而基线缺失时如何处理",
    ),
    "refractory": PolicyChoice(
        "imwg_2011",
        ("imwg_2011", "on_therapy"),
        "Refractory to a drug: no response or progression within 60 days of the last dose, or progression on the drug alone",
        "难治的定义：用药期间无效、进展或末次用药后60天内进展，或仅指用药期间进展",
    ),
    "pfs": PolicyChoice(
        "fda",
        ("fda", "ema"),
        "Progression-free survival after missed assessments or another treatment: censored (FDA), or counted (EMA)",
        "漏评或更换治疗后发生的无进展生存事件：删失（FDA）或计为事件（EMA）",
    ),
    "assessment_interval": PolicyChoice(
        91.0,
        (),
        "Days between planned assessments; a gap longer than twice that is two missed ones",
        "计划评估间隔天数；间隔超过其两倍视为连续漏评两次",
    ),
    "dor_death": PolicyChoice(
        "myeloma",
        ("myeloma", "any"),
        "Deaths that end a duration of response: those due to myeloma, or any",
        "缓解持续时间中计为事件的死亡：仅骨髓瘤所致，或任何死亡",
    ),
    "origin": PolicyChoice(
        "randomisation",
        ("randomisation", "start"),
        "Day from which a line is counted: randomisation where there was one, or the first dose",
        "各线终点的起算日：有随机分组者自随机日起，或一律自首次用药起",
    ),
    "functional_high_risk": PolicyChoice(
        "first_line",
        ("first_line", "transplant"),
        "Functional high risk: progression within 18 months of first treatment, or also within 12 of the transplant",
        "功能性高危：首次治疗后18个月内进展，或同时包括移植后12个月内进展",
    ),
    "unrecorded_care": PolicyChoice(
        "unknown",
        ("unknown", "absent"),
        "Vaccinations, supportive drugs and events of the history that nobody recorded: unknown, or absent",
        "未记录的疫苗接种、支持治疗药物及既往事件：视为未知，或视为没有",
    ),
    "vte_asian": PolicyChoice(
        "unknown",
        ("unknown", "yes", "no"),
        "Asian ethnicity in the thrombosis scores, where none is recorded",
        "血栓评分中未记录是否为亚裔时如何处理",
    ),
    "ivig_policy": PolicyChoice(
        "threshold",
        ("threshold", "primary"),
        "Immunoglobulin replacement: at a polyclonal IgG below 4 g/L, or for everyone on a bispecific against BCMA",
        "丙种球蛋白替代：多克隆IgG<4 g/L时，或接受BCMA双抗者一律给予",
    ),
    "revaccination_months": PolicyChoice(
        6.0,
        (),
        "Months after a transplant or CAR-T cells from which vaccines are given again (3 to 6)",
        "移植或CAR-T后重新接种疫苗的起始月数（3～6个月）",
    ),
    "maintenance_visit_months": PolicyChoice(
        3.0, (), "Months between assessments on maintenance (1 to 3)", "维持治疗期间的随访间隔月数（1～3个月）"
    ),
    "eq5d_value_set": PolicyChoice("china", ("china", "none"), "Value set of the EQ-5D-5L", "EQ-5D-5L所用的效用值积分体系"),
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
