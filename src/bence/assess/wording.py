"""The words for what the response scan found: rule ids, missing tests, flags, states. English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BECAUSE: dict[str, tuple[str, str]] = {
    "P1": ("serum M-protein up by 25 % and 5 g/L from nadir", "血清M蛋白较最低值升高≥25%且≥5 g/L"),
    "P2": ("serum M-protein up by 10 g/L from a nadir of 50 g/L or more", "血清M蛋白最低值≥50 g/L，升高≥10 g/L"),
    "P3": ("urine M-protein up by 25 % and 200 mg/24 h from nadir", "尿M蛋白较最低值升高≥25%且≥200 mg/24h"),
    "P4": (
        "difference of free light chains up by 25 % and more than 100 mg/L from nadir",
        "受累与非受累游离轻链差值较最低值升高≥25%且>100 mg/L",
    ),
    "P5": ("marrow plasma cells up by 25 % and 10 points from nadir", "骨髓浆细胞较最低值升高≥25%且绝对值≥10%"),
    "P6": ("new lesion, or growth of plasmacytoma", "出现新病灶或浆细胞瘤增大"),
    "P7": (
        "circulating plasma cells up by 50 % and 200/uL, the only measure",
        "循环浆细胞升高≥50%且≥200/μL（唯一可测指标）",
    ),
    "P8": ("hypercalcaemia (by policy)", "高钙血症（按所选策略计为进展）"),
    "level_serum": ("level of serum M-protein", "血清M蛋白水平"),
    "level_urine": ("level of urine M-protein", "尿M蛋白水平"),
    "level_light_chains": ("level of the free light chain difference", "游离轻链差值水平"),
    "level_marrow": ("level of marrow plasma cells", "骨髓浆细胞比例"),
    "level_plasmacytoma": ("level of plasmacytoma size", "浆细胞瘤大小"),
    "CR": (
        "immunofixation of serum and urine negative, marrow plasma cells below 5 %",
        "血、尿免疫固定电泳阴性，骨髓浆细胞<5%",
    ),
    "sCR": (
        "complete response, normal light chain ratio, no clonal cells in the marrow",
        "完全缓解，游离轻链比值正常，骨髓无克隆性浆细胞",
    ),
    "urine_needed": ("VGPR needs urine M-protein below 100 mg/24 h", "VGPR要求尿M蛋白<100 mg/24h"),
}
FLAGS: dict[str, tuple[str, str]] = {
    "conflict": ("conflicting values of one day", "同日数值矛盾"),
    "baseline_old": ("baseline older than 90 days", "基线值早于治疗前90天"),
    "oligoclonal_band": ("a band of another isotype, not the clone", "出现非原克隆条带（寡克隆）"),
    "CR_blocked_mAb": (
        "CR blocked: the band may be the therapeutic antibody; test by DIRA, Hydrashift or mass spectrometry",
        "条带可能为治疗性单抗，暂不能判CR：建议DIRA、Hydrashift或质谱鉴别",
    ),
    "CR_pending_marrow": ("CR pending: marrow not examined", "待骨髓检查确认CR"),
    "light_chain_escape": (
        "free light chains rise while serum or urine M-protein is the measure",
        "游离轻链升高（轻链逃逸），主要指标为血或尿M蛋白",
    ),
    "nadir_sensitive": ("progression depends on how the nadir is taken", "是否进展取决于最低值的取法"),
    "confirmation_gap": ("more than 84 days to the confirming sample", "确认样本间隔超过84天"),
    "total_immunoglobulin": ("total immunoglobulin stands in for the M-spike", "以免疫球蛋白总量代替M蛋白峰"),
}
BOUNDARIES = {
    "recorded": ("as recorded", "按病历记录"),
    "first_treatment": ("first treatment", "首次治疗"),
    "unplanned_change": ("an unplanned drug", "计划外加用或更换药物"),
    "new_drug_after_progression": ("treatment after progression", "进展后的治疗"),
    "replaced_after_stop": ("a drug stopped early and replaced", "提前停药后换药"),
    "second_transplant": ("another transplant", "再次移植"),
    "restart_after_pause": ("restart after a long pause (inferred)", "长期停药后重新治疗（推断）"),
    "drug_of_relapse": ("a drug of relapse (inferred)", "加用复发治疗药物（推断）"),
    "inhibitor_replaced": ("carfilzomib in place of bortezomib (inferred)", "卡非佐米替代硼替佐米（推断）"),
    "new_drug": ("a new drug (inferred)", "加用新药（推断）"),
    "drug_resumed": ("a drug resumed (inferred)", "再次使用既往药物（推断）"),
    "steroid": ("a steroid after a long pause", "长期停药后使用糖皮质激素"),
    "radiotherapy": ("radiotherapy", "放疗"),
}
STATES: dict[str, tuple[str, str]] = {
    "confirmed": ("confirmed", "已确认"),
    "unconfirmed": ("not yet confirmed", "待确认"),
    "refuted": ("not confirmed by the next sample", "复查未证实"),
}
CATEGORIES: dict[str, tuple[str, str]] = {
    "sCR": ("stringent complete response", "严格意义的完全缓解"),
    "CR": ("complete response", "完全缓解"),
    "VGPR": ("very good partial response", "非常好的部分缓解"),
    "PR": ("partial response", "部分缓解"),
    "MR": ("minimal response", "微小缓解"),
    "SD": ("stable disease", "疾病稳定"),
    "PD": ("progressive disease", "疾病进展"),
    "NE": ("not evaluable", "无法评估"),
}
TRACKS: dict[str, tuple[str, str, str]] = {
    "serum": ("serum M-protein", "血清M蛋白", "g/L"),
    "urine": ("urine M-protein", "尿M蛋白", "mg/24h"),
    "light_chains": ("free light chain difference", "游离轻链差值", "mg/L"),
    "marrow": ("marrow plasma cells", "骨髓浆细胞", "%"),
    "plasmacytoma": ("plasmacytoma SPD", "浆细胞瘤SPD", "cm2"),
    "diameter": ("longest diameter of a lesion", "病灶最长径", "cm"),
    "circulating": ("circulating plasma cells", "循环浆细胞", "cells/uL"),
    "calcium": ("calcium", "血钙", "mmol/L"),
}


HOW: dict[str, tuple[str, str]] = {
    "assumed": ("assumed: not recorded", "未记录，按此计"),
    "other_imaging": ("assumed: other bone imaging was done", "未记录，据其他骨骼影像按此计"),
    "usual_limit": ("assumed: usual laboratory limit", "未记录，按通常参考值计"),
    "total_calcium": ("assumed: total calcium counts, by policy", "按所选策略以总钙计"),
    "calculated": ("calculated", "计算值"),
    "ckd_epi": ("calculated: CKD-EPI 2021", "计算值：CKD-EPI 2021"),
    "egfr": ("the reported eGFR", "取报告的eGFR"),
    "clean_imaging": ("bone imaging found no other lesion", "据骨骼影像未见其他病灶"),
    "immunofixation": ("from immunofixation", "据免疫固定电泳"),
    "reactive": ("plasma cells are reactive, not counted", "浆细胞为反应性，不计入"),
}
NO_SECOND_SAMPLE = ("SD", "PD", "NE", None)


def second_sample(visit: Mapping[str, Any]) -> bool:
    """Whether the best confirmed response of a visit rests on a second sample; stable disease needs none."""
    return visit["confirmed"] not in NO_SECOND_SAMPLE and visit["confirmed_on"] is not None


def say(table: dict[str, tuple[str, str]], name: str, lang: str = "en") -> str:
    """The words for a name, or the name itself."""
    return table[name][lang.startswith("zh")] if name in table else name
