"""The words of the tables of the whole course, English and Chinese, and why a row says what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...catalogue import codes, label
from ...tags import TAGS
from ..sources import sources

ITEMS: dict[str, tuple[str, str]] = {
    "herpes_prophylaxis": ("herpes and zoster prophylaxis", "疱疹病毒预防（HSV/VZV）"),
    "pneumocystis_prophylaxis": ("Pneumocystis prophylaxis", "肺孢子菌肺炎预防"),
    "immunoglobulin": ("immunoglobulin replacement", "丙种球蛋白替代"),
    "hepatitis_b_screening": ("hepatitis B screening (HBsAg, anti-HBc)", "乙肝筛查（HBsAg、抗-HBc）"),
    "hepatitis_c_screening": ("hepatitis C screening", "丙肝筛查"),
    "hiv_screening": ("HIV screening", "HIV筛查"),
    "hepatitis_b_dna": ("hepatitis B DNA", "HBV DNA检测"),
    "hepatitis_b_prophylaxis": ("hepatitis B prophylaxis", "乙肝再激活预防"),
    "live_vaccine": ("live vaccines", "减毒活疫苗"),
    "bone_agent": ("bone agent", "骨保护药物"),
    "bone_agent_interval": ("review of the bone agent's interval", "骨保护药物给药间隔再评估"),
    "denosumab_rebound": ("rebound after denosumab", "停用地舒单抗后的反跳"),
    "dental_check": ("dental examination", "口腔检查"),
    "calcium_vitamin_d": ("calcium and vitamin D", "钙剂与维生素D"),
    "assessment": ("assessment (M-protein, light chains, blood count, chemistry)", "随访评估（M蛋白、游离轻链、血常规、生化）"),
    "marrow_mrd": ("marrow with MRD", "骨髓及MRD检查"),
    "imaging": ("imaging", "影像学检查"),
    "igg": ("IgG", "血清IgG"),
    "quality_of_life": ("quality-of-life questionnaire", "生活质量问卷"),
}
STATES: dict[str, tuple[str, str]] = {
    "due": ("due", "应进行"),
    "done": ("done", "已进行"),
    "not_due": ("not due", "暂不需要"),
    "unknown": ("unknown", "不能判定"),
}
REASONS: dict[str, tuple[str, str]] = {
    "proteasome_inhibitor": ("on a proteasome inhibitor, or within three months of it", "正在使用蛋白酶体抑制剂或停药3个月内"),
    "t_cell_redirection": ("bispecific antibody or CAR-T cells", "接受双抗或CAR-T治疗"),
    "cd4_low": ("CD4 T cells 200/µL or less since then", "此后CD4+T细胞≤200/µL"),
    "cd4_unknown": ("no CD4 count since then", "此后无CD4+T细胞计数"),
    "stopped": ("stopped", "已停用"),
    "not_recorded": ("nothing is recorded", "无相关记录"),
    "not_since": ("none recorded since the transplant or CAR-T cells", "移植或CAR-T后无接种记录"),
    "last": ("last {0}", "最近一次{0}"),
    "doses": ("doses: {0}", "已接种{0}剂"),
    "again_after": ("to be given again after {0}", "{0}之后需重新接种"),
    "polyclonal_igg_at_most": ("polyclonal IgG at most {0} g/L", "多克隆IgG不超过{0} g/L"),
    "igg_on": ("IgG of {0}", "IgG检测日期{0}"),
    "igg_low": ("below 4 g/L", "低于4 g/L"),
    "igg_unknown": (
        "polyclonal IgG is not known (no IgG within three months, or M-protein unknown)",
        "多克隆IgG未知（3个月内无IgG，或M蛋白未知）",
    ),
    "life_threatening_infection": ("life-threatening infection within a year", "一年内发生危及生命的感染"),
    "severe_infections": (
        "two severe infections within a year (were they of encapsulated bacteria?)",
        "一年内≥2次重度感染（是否为荚膜细菌？）",
    ),
    "primary_prophylaxis": ("bispecific against BCMA: given to everyone by policy", "BCMA双抗治疗：按所选策略一律给予"),
    "missing": ("missing: {0}", "缺少：{0}"),
    "hepatitis_b_positive": ("HBsAg or anti-HBc positive", "HBsAg或抗-HBc阳性"),
    "bispecific_weakens_response": ("the response is weak on a bispecific", "双抗治疗期间疫苗应答减弱"),
    "younger_than_60": ("younger than 60 years", "年龄<60岁"),
    "age_unknown": ("age not known", "年龄未知"),
    "hepatitis_b_met_or_immune": ("has met hepatitis B or is immune", "已感染过乙肝或已有免疫力"),
    "serology_unknown": ("hepatitis B serology not complete", "乙肝血清学不全"),
    "live_vaccine_avoided": ("live vaccines are avoided", "应避免接种减毒活疫苗"),
    "on_treatment": ("on treatment", "治疗中"),
    "on_bispecific": ("on a bispecific", "双抗治疗中"),
    "transplant": ("transplant on {0}, less than 24 months ago", "{0}移植，未满24个月"),
    "car_t": ("CAR-T cells on {0}", "{0}回输CAR-T"),
    "given": ("given: {0}", "已用：{0}"),
    "since": ("since {0}", "自{0}起"),
    "response": ("present response {0}", "目前疗效{0}"),
    "no_response_known": ("no present response is known", "目前疗效未知"),
    "denosumab_until": ("denosumab until {0}", "地舒单抗用至{0}"),
    "no_bisphosphonate_since": ("no bisphosphonate recorded since: fractures of rebound threaten", "此后无双膦酸盐记录：有反跳性骨折风险"),
    "phase": ("{0}", "{0}"),
    "car_t_day": ("day {0} after CAR-T cells", "CAR-T后第{0}天"),
    "no_assessment_recorded": ("no assessment is recorded", "无随访评估记录"),
    "complete_response_suspected": ("complete response lacks only the marrow", "疑似完全缓解，仅缺骨髓检查"),
    "before_maintenance": ("maintenance began without a marrow", "维持治疗前未行骨髓检查"),
    "yearly_in_response": ("yearly in response", "缓解期每年一次"),
    "extramedullary": ("extramedullary disease", "髓外病变"),
    "hardly_secretory": ("oligosecretory, non-secretory or extramedullary disease", "寡分泌、不分泌型或髓外病变"),
    "hepatitis_b_surface_antigen": ("HBsAg {0}", "HBsAg {0}"),
    "hepatitis_b_core_antibody": ("anti-HBc {0}", "抗-HBc {0}"),
    "hepatitis_c_antibody": ("hepatitis C antibody {0}", "丙肝抗体{0}"),
    "hiv": ("HIV {0}", "HIV {0}"),
}
PHASES: dict[str, tuple[str, str]] = {
    "car_t": ("after CAR-T cells", "CAR-T治疗后"),
    "bispecific": ("on a bispecific", "双抗治疗中"),
    "maintenance": ("on maintenance", "维持治疗中"),
    "treatment": ("on treatment, every cycle", "治疗中，每周期一次"),
    "off_therapy": ("off therapy", "停药观察中"),
}
INSTRUMENTS: dict[str, tuple[str, str]] = {
    "qlq_c30": ("EORTC QLQ-C30", "EORTC QLQ-C30"),
    "qlq_my20": ("EORTC QLQ-MY20", "EORTC QLQ-MY20"),
    "eq5d_5l": ("EQ-5D-5L", "EQ-5D-5L"),
    "impede_vte": ("IMPEDE-VTE", "IMPEDE-VTE血栓评分"),
    "saved": ("SAVED", "SAVED血栓评分"),
    "renal_response": ("renal response", "肾脏疗效"),
}
SCALES: dict[str, tuple[str, str]] = {
    "global_health": ("global health", "总体健康状况"),
    "physical": ("physical functioning", "躯体功能"),
    "role": ("role functioning", "角色功能"),
    "emotional": ("emotional functioning", "情绪功能"),
    "cognitive": ("cognitive functioning", "认知功能"),
    "social": ("social functioning", "社会功能"),
    "fatigue": ("fatigue", "疲乏"),
    "nausea_vomiting": ("nausea and vomiting", "恶心呕吐"),
    "pain": ("pain", "疼痛"),
    "dyspnoea": ("dyspnoea", "气促"),
    "insomnia": ("insomnia", "失眠"),
    "appetite_loss": ("appetite loss", "食欲减退"),
    "constipation": ("constipation", "便秘"),
    "diarrhoea": ("diarrhoea", "腹泻"),
    "financial": ("financial difficulties", "经济困难"),
    "disease_symptoms": ("disease symptoms", "疾病症状"),
    "side_effects": ("side effects of treatment", "治疗副作用"),
    "body_image": ("body image", "体象"),
    "future_perspective": ("future perspective", "对未来的看法"),
    "profile": ("value of the profile (China)", "健康状态效用值（中国积分体系）"),
    "vas": ("visual analogue scale", "视觉模拟评分"),
    "score": ("score", "评分"),
    "egfr": ("filtration rate (mL/min/1.73 m²)", "肾小球滤过率（mL/min/1.73 m²）"),
}
CATEGORIES: dict[str, tuple[str, str]] = {
    "better": ("better by 10 points or more", "改善≥10分"),
    "worse": ("worse by 10 points or more", "恶化≥10分"),
    "unchanged": ("changed by less than 10 points", "变化<10分"),
    "low": ("low risk", "低危"),
    "intermediate": ("intermediate risk", "中危"),
    "high": ("high risk", "高危"),
    "CRr": ("complete renal response", "肾脏完全缓解（CRr）"),
    "PRr": ("partial renal response", "肾脏部分缓解（PRr）"),
    "MRr": ("minor renal response", "肾脏微小缓解（MRr）"),
    "none": ("no renal response", "无肾脏缓解"),
}
FACTORS: dict[str, tuple[str, str]] = {
    "imid": ("immunomodulatory drug", "免疫调节剂"),
    "bmi_25": ("weight and height", "体重与身高"),
    "hip_fracture": ("fracture of pelvis, hip or femur", "骨盆、髋或股骨骨折"),
    "esa": ("erythropoiesis-stimulating agent", "促红细胞生成素"),
    "dexamethasone": ("dexamethasone of a month", "每月地塞米松剂量"),
    "doxorubicin": ("doxorubicin", "多柔比星"),
    "asian": ("Asian ethnicity (rarely recorded)", "是否亚裔（病历很少记录）"),
    "vte_history": ("thrombosis in the history", "静脉血栓史"),
    "catheter": ("central venous catheter", "中心静脉置管"),
    "thromboprophylaxis": ("thromboprophylaxis and its intensity", "抗栓预防及其强度"),
    "surgery_90": ("surgery within 90 days", "90天内手术"),
    "age_80": ("age", "年龄"),
    "two_months": ("a better rate has not been kept for two months", "更好的滤过率尚未维持2个月"),
    "baseline_egfr": ("filtration rate before treatment", "治疗前肾小球滤过率"),
    "age_or_sex": ("the exact age or value", "确切年龄或检测值"),
    "items": ("{0} items not answered", "{0}题未作答"),
}
SENTENCES: dict[str, tuple[str, str]] = {
    "due_title": ("{item}: {state}{on}", "{item}：{state}{on}"),
    "on": (" ({0})", "（{0}）"),
    "due_on": ("due from {on}{late}", "应于{on}起进行{late}"),
    "late": (", {0} days ago", "，已逾期{0}天"),
    "score_title": ("{instrument}, {scale}, {on}: {value}", "{instrument}，{scale}，{on}：{value}"),
    "between": ("{0} to {1}", "{0}～{1}"),
    "nothing": ("not known", "未知"),
    "change": ("change from the first: {0}", "较首次变化{0}"),
    "missing": ("not known: {0}", "未知项：{0}"),
    "source": ("Source: {text} [{tag}]", "依据：{text} [{tag}]"),
}
CITED = {
    "qlq_c30": "fayers-2001",
    "qlq_my20": "cocks-2007",
    "eq5d_5l": "luo-2017",
    "impede_vte": "sanfilippo-2019",
    "saved": "li-2019",
    "renal_response": "dimopoulos-2016",
}
AND = {"en": "; ", "zh": "；"}


def explain_due(row: Mapping[str, Any], lang: str = "en") -> str:
    """Why a row of `due_table` says what it says: state, days, reasons, source and how it was checked.

    `row`: the row as a mapping (`frame.row(0, named=True)`); `lang`: `en` or `zh`. Lines of plain text.
    """
    lang = _lang(lang)
    on = _say("on", lang).format(row["on"]) if row["on"] and row["state"] == "done" else ""
    lines = [_say("due_title", lang).format(item=item_label(row["item"], lang), state=_word(STATES, row["state"], lang), on=on)]
    if row["due_on"]:
        late = _say("late", lang).format(row["overdue_days"]) if row["overdue_days"] else ""
        lines.append(_say("due_on", lang).format(on=row["due_on"], late=late))
    if row["because"]:
        lines.append(AND[lang].join(_reason(part, lang) for part in row["because"].split("|")))
    lines.append(_cited(row["source"], row["tag"], lang))
    return "\n  ".join(lines)


def explain_score(row: Mapping[str, Any], lang: str = "en") -> str:
    """What a row of `scores_table` says: the value or its range, the category, what is not known, source. As `explain_due`."""
    lang = _lang(lang)
    numbers = [_number(row[name]) for name in ("low", "high")]
    value = (
        _number(row["value"])
        if row["value"] is not None
        else _say("between", lang).format(*numbers)
        if row["low"] is not None
        else _say("nothing", lang)
    )
    names = {"instrument": _word(INSTRUMENTS, row["instrument"], lang), "scale": _word(SCALES, row["scale"], lang)}
    lines = [_say("score_title", lang).format(**names, on=row["on"], value=value)]
    if row["category"]:
        lines.append(_word(CATEGORIES, row["category"], lang))
    if row["change"] is not None:
        lines.append(_say("change", lang).format(f"{row['change']:+.4g}"))
    if row["missing"]:
        lines.append(_say("missing", lang).format(AND[lang].join(_factor(part, lang) for part in row["missing"].split("|"))))
    source = CITED[row["instrument"]]
    lines.append(_cited(source, sources()[source]["tag"], lang))
    return "\n  ".join(lines)


def item_label(item: str, lang: str = "en") -> str:
    """The name of an item of `due_table` in words."""
    return _word(ITEMS, item, lang) if item in ITEMS else label(item, _lang(lang))


def _lang(lang: str) -> str:
    return "zh" if lang.startswith("zh") else "en"


def _say(name: str, lang: str) -> str:
    return SENTENCES[name][lang == "zh"]


def _word(words: Mapping[str, tuple[str, str]], name: str, lang: str) -> str:
    return words[name][_lang(lang) == "zh"] if name in words else name


def _reason(part: str, lang: str) -> str:
    name, _, value = part.partition("=")
    said = _word(PHASES, value, lang) if name == "phase" else _named(value, lang)
    return REASONS[name][lang == "zh"].format(said)


def _factor(part: str, lang: str) -> str:
    name, _, count = part.partition(":")
    return _word(FACTORS, name, lang).format(count) if name in FACTORS else label(name, lang)


def _named(value: str, lang: str) -> str:
    """Codes joined by `+` in words; a number or a day as it is."""
    return " + ".join(label(each, lang) if each in codes() else each for each in value.split("+"))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _cited(source: str, tag: str, lang: str) -> str:
    record = sources()[source]
    return _say("source", lang).format(text=f"{record['title']}. {record['where']}", tag=_word(TAGS, tag, lang))
