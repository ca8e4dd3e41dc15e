"""The words of the pages, in English and in Chinese as a haematologist writes it."""

from __future__ import annotations

CLASSES: dict[str, dict[str, str]] = {
    "en": {
        "PI": "proteasome inhibitors", "IMiD": "IMiDs", "CELMoD": "CELMoDs", "CD38_antibody": "CD38 antibodies",
        "SLAMF7_antibody": "SLAMF7 antibody", "ADC": "antibody-drug conjugate", "bispecific": "bispecific antibodies",
        "CAR_T": "CAR T cells", "alkylator": "alkylating agents", "steroid": "steroids", "anthracycline": "anthracyclines",
        "BCL2": "BCL2 inhibitors", "XPO1": "XPO1 inhibitor", "HDAC": "HDAC inhibitors", "transplant": "transplant",
        "radiotherapy": "radiotherapy", "supportive": "supportive care", "other": "other drugs",
    },
    "zh": {
        "PI": "蛋白酶体抑制剂", "IMiD": "免疫调节剂", "CELMoD": "CELMoD", "CD38_antibody": "CD38单抗",
        "SLAMF7_antibody": "SLAMF7单抗", "ADC": "抗体偶联药物", "bispecific": "双特异性抗体", "CAR_T": "CAR-T",
        "alkylator": "烷化剂", "steroid": "糖皮质激素", "anthracycline": "蒽环类", "BCL2": "BCL2抑制剂", "XPO1": "XPO1抑制剂",
        "HDAC": "HDAC抑制剂", "transplant": "移植", "radiotherapy": "放疗", "supportive": "支持治疗", "other": "其他药物",
    },
}  # fmt: skip

DRUGS: dict[str, tuple[str, str]] = {
    "autologous_transplant": ("autologous transplant", "自体移植"),
    "allogeneic_transplant": ("allogeneic transplant", "异基因移植"),
    "liposomal_doxorubicin": ("liposomal doxorubicin", "脂质体多柔比星"),
    "ide_cel": ("ide-cel (CAR T)", "艾基维仑赛（CAR-T）"),
    "cilta_cel": ("cilta-cel (CAR T)", "西达基奥仑赛（CAR-T）"),
    "eque_cel": ("eque-cel (CAR T)", "伊基奥仑赛（CAR-T）"),
    "zevor_cel": ("zevor-cel (CAR T)", "泽沃基奥仑赛（CAR-T）"),
    "anito_cel": ("anito-cel (CAR T)", "anito-cel（CAR-T）"),
    "arlo_cel": ("arlo-cel (CAR T)", "arlo-cel（CAR-T）"),
    "bcma_car_t": ("BCMA CAR T cells", "BCMA CAR-T"),
    "gprc5d_car_t": ("GPRC5D CAR T cells", "GPRC5D CAR-T"),
    "bcma_gprc5d_car_t": ("BCMA/GPRC5D CAR T", "BCMA/GPRC5D CAR-T"),
    "bcma_cd19_car_t": ("BCMA/CD19 CAR T", "BCMA/CD19 CAR-T"),
    "bcma_cd38_car_t": ("BCMA/CD38 CAR T", "BCMA/CD38 CAR-T"),
    "car_t": ("CAR T, target unknown", "CAR-T（靶点不详）"),
}

EVENTS: dict[str, tuple[str, str]] = {
    "mm_diagnosis": ("MM diagnosed", "确诊MM"),
    "smm_diagnosis": ("SMM diagnosed", "确诊SMM"),
    "mgus_diagnosis": ("MGUS diagnosed", "确诊MGUS"),
    "plasmacytoma_diagnosis": ("plasmacytoma diagnosed", "确诊浆细胞瘤"),
    "relapse_clinical": ("clinical relapse", "临床复发"),
    "relapse_biochemical": ("biochemical relapse", "生化复发"),
    "plasmacytoma_new": ("new plasmacytoma", "新发浆细胞瘤"),
    "crs": ("CRS", "CRS"),
    "icans": ("ICANS", "ICANS"),
    "new_lesion": ("new lesion", "新发病灶"),
    "pet": ("PET", "PET"),
    "mdt_decision": ("MDT", "MDT会诊"),
}

PICTURE: dict[str, dict[str, str]] = {
    "en": {
        "title": "Course: therapy, response and disease markers on one time axis", "line": "L{}", "therapy": "Therapy",
        "response": "Response", "response_by": "IMWG 2016", "serum": "Serum M-protein", "urine": "Urine M-protein",
        "light_chains": "Free light chains", "marrow": "Marrow plasma cells", "mrd": "MRD", "mrd_unit": "share of cells",
        "ife": "Immunofixation", "ife_serum": "serum", "ife_urine": "urine", "ife_shifted": "antibody shifted",
        "events": "Events", "progression": "PD {on}", "confirmed_by": "confirmed {on}",
        "by_death": "confirmed by death", "alone": "needs no second sample", "unconfirmed": "not yet confirmed",
        "refuted": "not confirmed", "died": "died {}", "log": "log", "grade": "grade {}",
        "kappa": "κ", "lambda": "λ", "spurious": "spurious, not graded", "limit": "detection limit {}",
        "zero": "0/neg", "not_found": "neg", "and_more": "and {} more",
    },
    "zh": {
        "title": "病程：同一时间轴上的治疗、疗效与疾病指标", "line": "{}线", "therapy": "治疗", "response": "疗效",
        "response_by": "IMWG 2016", "serum": "血清M蛋白", "urine": "24小时尿M蛋白", "light_chains": "血清游离轻链",
        "marrow": "骨髓浆细胞", "mrd": "MRD", "mrd_unit": "占骨髓细胞比例", "ife": "免疫固定电泳", "ife_serum": "血清",
        "ife_urine": "尿", "ife_shifted": "血清（抗体位移法）", "events": "事件",
        "progression": "PD {on}", "confirmed_by": "{on} 确认", "by_death": "死亡视为确认", "alone": "无需复查确认",
        "unconfirmed": "待确认", "refuted": "复查未证实", "died": "死亡 {}", "log": "对数",
        "grade": "{}级", "kappa": "κ", "lambda": "λ", "spurious": "疑似假值，不参与评估", "limit": "检测限 {}",
        "zero": "0/阴性", "not_found": "阴性", "and_more": "另 {} 项",
    },
}  # fmt: skip

GROUPS: dict[str, tuple[str, ...]] = {
    "diagnosis": ("diagnosis", "diagnosis_subtype", "myeloma_defining_event"),
    "stage": ("iss", "r_iss", "r2_iss", "durie_salmon"),
    "risk": ("high_risk_2025", "msmart_3", "double_hit"),
    "smouldering": (
        "smm_risk_mayo_2018", "smm_risk_imwg_2020", "smm_points_2020", "smm_risk_china_2024", "aquila_eligible",
    ),
    "frailty": ("frailty_imwg", "frailty_simplified"),
}  # fmt: skip

FINDINGS: dict[str, tuple[str, str]] = {
    "diagnosis": ("Diagnosis", "诊断"),
    "diagnosis_subtype": ("Subtype", "诊断亚型"),
    "myeloma_defining_event": ("Myeloma-defining event", "骨髓瘤定义事件（SLiM-CRAB）"),
    "iss": ("ISS", "ISS分期"),
    "r_iss": ("R-ISS", "R-ISS分期"),
    "r2_iss": ("R2-ISS", "R2-ISS分期"),
    "durie_salmon": ("Durie–Salmon", "Durie-Salmon分期"),
    "high_risk_2025": ("High risk, IMS/IMWG 2025", "IMS/IMWG 2025高危"),
    "msmart_3": ("mSMART 3.0", "mSMART 3.0"),
    "double_hit": ("Double hit", "双打击"),
    "smm_risk_mayo_2018": ("Mayo 2018 (20/2/20)", "Mayo 2018（20/2/20）"),
    "smm_risk_imwg_2020": ("IMWG 2020", "IMWG 2020"),
    "smm_points_2020": ("IMWG 2020 points", "IMWG 2020积分"),
    "smm_risk_china_2024": ("China 2024", "中国2024指南"),
    "aquila_eligible": ("AQUILA criteria", "AQUILA入组标准"),
    "frailty_imwg": ("IMWG frailty", "IMWG衰弱评分"),
    "frailty_simplified": ("Simplified frailty", "简化衰弱评分"),
}

HEADS: dict[str, tuple[str, str]] = {  # the same, for narrow columns
    "myeloma_defining_event": ("MDE", "SLiM-CRAB"),
    "iss": ("ISS", "ISS"),
    "r_iss": ("R-ISS", "R-ISS"),
    "r2_iss": ("R2-ISS", "R2-ISS"),
    "durie_salmon": ("DS", "DS"),
    "high_risk_2025": ("IMWG 2025", "IMWG 2025"),
    "msmart_3": ("mSMART", "mSMART"),
    "smm_risk_mayo_2018": ("SMM Mayo", "SMM Mayo"),
    "smm_risk_imwg_2020": ("SMM IMWG", "SMM IMWG"),
    "smm_points_2020": ("SMM points", "SMM 积分"),
    "smm_risk_china_2024": ("SMM China", "SMM 中国"),
    "aquila_eligible": ("AQUILA", "AQUILA"),
    "frailty_imwg": ("Frailty IMWG", "IMWG 衰弱"),
    "frailty_simplified": ("Frailty simpl.", "简化衰弱"),
    "diagnosis_subtype": ("Subtype", "亚型"),
}

ANSWERS: dict[tuple[str, str], tuple[str, str]] = {
    ("frailty_imwg", "intermediate"): ("intermediate fitness", "中等健康"),
    ("frailty_imwg", "fit"): ("fit", "体健"),
    ("diagnosis", "none"): ("no plasma cell disease", "无浆细胞疾病"),
    ("diagnosis", "MM"): ("multiple myeloma", "多发性骨髓瘤（活动性）"),
}

PAGE: dict[str, dict[str, str]] = {
    "en": {
        "title": "Myeloma report", "comma": ", ", "semicolon": "; ", "colon": ": ",
        "more": "{} more", "as_of": "as of {}", "centre": "centre", "born": "age",
        "years": "{} years", "years_or": "{} or {} years", "at_death": " at death", "isotype": "isotype",
        "light_only": "light chain {}", "no_m_protein": "no M-protein", "unrecorded": "not recorded",
        "diagnosed": "diagnosed", "died": "died", "seen": "last seen", "sex": "sex",
        "now_diagnosis": "Diagnosis", "now_line": "Current line", "now_response": "Response",
        "now_progression": "Progression", "no_line": "no line of therapy recorded", "line_since": "line {line} since {on}",
        "best": "best {best} ({on})", "best_only": "best {best}", "none_assessed": "not assessed",
        "no_progression": "none recorded in line {}", "before": "earlier: {on} (line {line})", "unknown": "unknown",
        "possible": "possible: {}", "or": " or ", "and": ", ", "course": "Course",
        "nothing": "No therapy, event or disease marker with a date is recorded: there is no course to draw.",
        "not_recorded": "Not recorded: {}.",
        "undated": "Start date not recorded: {}.",
        "key": (
            "● value   ○ zero or not found, on the floor below the log scale   ▽ reported as below (<) this value   △ as above (>) "
                "it   × spurious, not graded   dotted "
            "line: more than seven months between values, or to a bound.   Therapy: pale with an arrow = no stop recorded; "
            "lighter = maintenance; ◆ given once.   Response: filled = this depth is confirmed, open = not "
            "(yet) confirmed; pale band = best confirmed so far; ▲ progression (crossed: not confirmed by the "
            "next sample).   Immunofixation: ■ band found, □ negative.   MRD: ▽ none found, drawn at the "
            "detection limit (short bar) of that sample.   PR, VGPR: 50 % and 10 % of the baseline serum "
            "M-protein."
        ),
        "stage": "Stage and risk",
        "stage_note": "From values nearest to diagnosis, before the first dose. Open a line for its reasons.",
        "group_diagnosis": "Diagnosis", "group_stage": "Stage", "group_risk": "Genetic risk",
        "group_smouldering": "Smouldering: risk of progression", "group_frailty": "Frailty",
        "active_only": "Stages and genetic risk groups are defined for active myeloma and not shown here.",
        "then": "at the diagnosis of smouldering myeloma, {on}, as known before myeloma was diagnosed or treated",
        "finding": "Finding", "answer": "Answer", "rests_on": "Rests on", "settled": "would be settled by",
        "strictly": "strictly still possible, if nothing is taken for granted: {}", "unused": "Not needed for this answer",
        "above": "as above",
        "recorded": "recorded: {}", "overruled": "recorded as {}, which the values contradict; the derived answer stands",
        "source": "Source", "signed": "signed: {}", "unsigned": "not yet signed by a haematologist",
        "read_in": "read in {}", "response": "Response",
        "response_note": "IMWG 2016. Every visit with the category it would have alone, and the best category confirmed so far.",
        "no_visits": "No assessment after a first dose is recorded.", "line_head": "Line {line}: {drugs}", "begun_by": "boundary: {}",
        "from_to": "{start} to {stop}", "from": "from {start}", "visit": "Visit", "category": "This visit",
        "confirmed": "Best confirmed", "second": "by the sample of {}", "reasons": "Why", "missing": "missing", "note": "note",
        "unconfirmed_visit": "not confirmed", "track": "Measure", "value": "value",
        "nadir": "nadir before", "baseline": "baseline", "sample": "sample of",
        "no_values": "No value of a measurable track was available at this visit.", "gaps": "What is missing",
        "gaps_note": "Tests that would settle open answers, those that unblock most first. Bold: this test alone settles it.",
        "no_gaps": "Nothing: every answer on this page is settled.", "test": "Test", "unblocks": "Answers it helps to settle",
        "number": "Answers", "response_of": "response of {}", "flags": "Flags and rejected cells", "no_flags": "None.",
        "conflict": "values of one day contradict each other: {}; the lower was taken at baseline",
        "rise": "{said}: {nadir} → {value}",
        "contradicted": "{what} was recorded as {recorded}, but the values give {derived}; the derived answer stands",
        "contradicted_open": "{what} was recorded as {recorded}, which the values rule out",
        "lines_differ": "by drugs and dates the lines of therapy would be others than the recorded ones",
        "spurious": "marked spurious, shown and not graded: {what} {value}, {on}",
        "rejected": "not accepted: {where}, {column} “{value}”: {reason}", "expected": "expected {}",
        "elsewhere": "Cells of this chart that were not accepted, and the file does not tell whose they are: {} (see `bence check`).",
        "references": "Sources", "made": "Bence {version}, profile {profile}", "policies": "Policies other than the default",
        "default": "all policies at their default", "instead": "{name} = {value} (default {default})",
    },
    "zh": {
        "title": "多发性骨髓瘤病情报告", "comma": "，", "semicolon": "；", "colon": "：",
        "more": "另{}项", "as_of": "截至 {}", "centre": "中心",
        "born": "年龄", "years": "{}岁", "years_or": "{}或{}岁", "at_death": "（死亡时）", "isotype": "分型",
        "light_only": "{}轻链型", "no_m_protein": "不分泌型或未检出M蛋白", "unrecorded": "未记录", "diagnosed": "确诊日期",
        "died": "死亡", "seen": "末次随访", "sex": "性别", "now_diagnosis": "诊断",
        "now_line": "当前治疗线数", "now_response": "疗效", "now_progression": "疾病进展", "no_line": "无治疗线记录",
        "line_since": "第{line}线，自{on}", "best": "最佳疗效 {best}（{on}）", "best_only": "最佳疗效 {best}",
        "none_assessed": "未评估", "no_progression": "第{}线未见进展记录", "before": "既往：{on}（第{line}线）",
        "unknown": "未知", "possible": "可能为：{}", "or": "或", "and": "、", "course": "病程",
        "nothing": "无带日期的治疗、事件或疾病指标记录，无法绘制病程图。", "not_recorded": "未记录：{}。",
        "key": (
            "● 实测值   ○ 零或未检出，画在对数刻度下方的底线上   ▽ 报告为低于（<）该值   "
            "△ 报告为高于（>）该值   × 疑似假值，不参与评估   虚点线：相邻两次检"
            "测间隔超过7个月，或连至界值。   治疗：浅色带箭头＝未记录停药日期；较浅＝维持治疗；◆ 单次治疗。   疗效：实心＝该"
            "深度已确认，空心＝未（待）确认；浅色横带＝迄今最佳确认疗效；▲ 疾病进展（带×：复查未证实）。   免疫"
            "固定电泳：■ 检出条带，□ 阴性。   MRD：▽ 未检出，画在该标本的检测限（短横线）处。   PR、VGPR：血清"
            "M蛋白降至基线50%与10%的界线。"
        ),
        "stage": "分期与危险分层", "stage_note": "依据首次用药前、距诊断最近的检查结果。点开各行可查看依据。",
        "group_diagnosis": "诊断", "group_stage": "分期", "group_risk": "遗传学危险分层",
        "group_smouldering": "冒烟型骨髓瘤进展风险", "group_frailty": "体能与衰弱评估",
        "active_only": "分期与遗传学危险分层仅适用于活动性骨髓瘤，此处不列。",
        "then": "依据诊断冒烟型骨髓瘤（{on}）时、确诊或治疗骨髓瘤之前的资料", "finding": "项目", "answer": "结果",
        "rests_on": "主要依据", "settled": "补充以下检查后可确定", "strictly": "若不作任何假定，仍可能为：{}",
        "unused": "对该结果无影响", "above": "同上",
        "recorded": "记录：{}", "overruled": "记录为{}，与检查数据不符，以推导结果为准", "source": "来源",
        "signed": "已由{}签字审核", "unsigned": "尚未经血液科医师签字审核", "read_in": "核对自 {}",
        "response": "疗效评估", "response_note": "IMWG 2016标准。逐次列出当次疗效及迄今最佳确认疗效。",
        "no_visits": "首次用药后无疗效评估记录。", "line_head": "第{line}线：{drugs}", "begun_by": "分线依据：{}",
        "from_to": "{start} 至 {stop}",
        "from": "自 {start}", "visit": "评估日期", "category": "当次疗效", "confirmed": "最佳确认疗效",
        "second": "由 {} 样本确认", "reasons": "依据", "missing": "缺", "note": "提示",
        "unconfirmed_visit": "未确认", "track": "指标", "value": "检测值", "nadir": "此前最低值", "baseline": "基线值",
        "sample": "采样日期", "no_values": "该次评估无可用的可测量指标。", "gaps": "尚缺检查",
        "gaps_note": "补充后可明确结果的检查，按可明确的项目数排序。粗体：仅补此项即可确定。",
        "no_gaps": "无：本页各项结果均已确定。", "test": "检查项目", "unblocks": "有助于明确的结果", "number": "项目数",
        "response_of": "{} 疗效", "flags": "提示与未采纳数据", "no_flags": "无。",
        "conflict": "同日数值矛盾：{}；基线取较低值",
        "rise": "{said}：{nadir} → {value}",
        "contradicted": "{what}：病历记录为{recorded}，按检查数据应为{derived}，以推导结果为准",
        "contradicted_open": "{what}：病历记录为{recorded}，与检查数据不符",
        "lines_differ": "按用药及日期推导的治疗线数与病历记录不一致",
        "spurious": "标记为疑似假值，仅显示、不参与评估：{what} {value}，{on}",
        "rejected": "未采纳：{where}，{column}“{value}”：{reason}", "expected": "应为 {}",
        "elsewhere": "未被采纳且无法从文件判断所属患者的单元格数：{}（可用 bence check 查看）。",
        "undated": "未记录开始日期：{}。", "references": "参考来源",
        "made": "Bence {version}，评估标准 {profile}", "policies": "非默认策略", "default": "各项策略均为默认值",
        "instead": "{name} = {value}（默认 {default}）",
    },
}  # fmt: skip

INPUTS: dict[str, tuple[str, str]] = {  # shorter than the catalogue, or not in it
    "b2m": ("β2-microglobulin", "β2微球蛋白"),
    "ldh": ("LDH", "LDH"),
    "ldh_upper_limit": ("upper limit of LDH", "LDH正常上限"),
    "del_17p": ("del(17p)", "del(17p)"),
    "t_4_14": ("t(4;14)", "t(4;14)"),
    "t_14_16": ("t(14;16)", "t(14;16)"),
    "t_14_20": ("t(14;20)", "t(14;20)"),
    "t_11_14": ("t(11;14)", "t(11;14)"),
    "gain_1q": ("1q21", "1q21"),
    "del_1p32": ("del(1p32)", "del(1p32)"),
    "tp53_mutation": ("TP53 mutation", "TP53突变"),
    "lytic_lesions": ("lytic lesions", "溶骨性病灶数"),
    "mri_focal_lesions": ("focal lesions on MRI", "MRI局灶性病变数"),
    "calcium": ("calcium", "血钙"),
    "creatinine": ("creatinine", "血肌酐"),
    "marrow_plasma_cells": ("marrow plasma cells", "骨髓浆细胞"),
    "circulating_plasma_cells": ("circulating plasma cells", "外周血浆细胞比例"),
    "marrow_clonality": ("marrow clonality (immunohistochemistry or flow)", "骨髓浆细胞克隆性（免疫组化或流式）"),
    "flc_ratio_involved": ("involved/uninvolved light chain ratio", "受累/非受累游离轻链比值"),
    "kappa_flc": ("free κ", "游离κ轻链"),
    "lambda_flc": ("free λ", "游离λ轻链"),
    "adl": ("ADL (Katz)", "ADL（Katz）"),
    "iadl": ("IADL (Lawton)", "IADL（Lawton）"),
    "charlson": ("Charlson index", "Charlson合并症指数"),
    "ecog": ("ECOG", "ECOG评分"),
    "mrd": ("MRD", "MRD"),
    "kappa_flc|lambda_flc": ("free light chains", "血清游离轻链"),
}


COHORT: dict[str, dict[str, str]] = {
    "en": {
        "title": "Myeloma cohort", "patients": "patients", "centres": "centres", "treated": "treated",
        "assessed": "with a graded response", "assessments": "assessments", "died": "died", "rejected": "rejected cells",
        "diagnosis": "Diagnosis", "responses": "Best confirmed response by line",
        "swimmer": "Lines of therapy", "months": "months from the first dose", "mrd_negative": "MRD negative", "death": "death",
        "next_line": "next line",
        "swimmer_note": "The {} patients followed longest. A lane is coloured by the best confirmed response of the line.",
        "mrd": "MRD, last test", "mrd_note": "What the last test of each tested patient can claim at each threshold, from its own cells.",
        "negative": "negative", "positive": "positive", "indeterminate": "indeterminate",
        "responses_note": "IMWG 2016. Lines that could not be graded (NE) or were never assessed stay in the bar.",
        "line": "Line {}", "line_up": "Line {} and later", "not_assessed": "not assessed",
        "no_lines": "No line of therapy is recorded.", "stages": "Stage and risk",
        "stages_note": "Patients whose diagnosis is, or may be, active myeloma: {}. Unknown is a part of its own.",
        "open": "open", "left": "open: {}", "nothing_known": "every answer still possible", "count": "n",
        "gaps": "What the gaps cost",
        "gaps_note": (
            "Patients for whom a missing test is among those that would settle an open answer. The darker, the "
            "more patients."
        ),
        "any": "any answer", "still_open": "answer open", "no_gaps": "Every answer of every patient is settled.",
        "left_out": "Tests not shown, of fewer patients or as many: {}.", "table": "Patients",
        "first": "The first {} patients; {} more are in status.csv.", "line_now": "Line", "best": "Best of this line",
        "now": "Now", "questions": "Open answers", "test": "Test", "patient": "Patient",
    },
    "zh": {
        "title": "骨髓瘤队列", "patients": "患者", "centres": "中心", "treated": "接受治疗", "assessed": "疗效可评估",
        "assessments": "疗效评估次数", "died": "死亡", "rejected": "未采纳单元格", "diagnosis": "诊断",
        "swimmer": "治疗线泳道图", "months": "自首次用药起（月）", "mrd_negative": "MRD阴性", "death": "死亡", "next_line": "下一线",
        "swimmer_note": "随访时间最长的{}例患者；泳道颜色为该线最佳确认疗效。", "mrd": "MRD（末次检测）",
        "mrd_note": "每例受检患者末次检测在各阈值下、按该标本细胞数所能得出的结论。",
        "negative": "阴性", "positive": "阳性", "indeterminate": "无法判定",
        "responses": "各线最佳确认疗效", "responses_note": "IMWG 2016标准。无法评估（NE）及从未评估者均计入。",
        "line": "第{}线", "line_up": "第{}线及以后", "not_assessed": "未评估", "no_lines": "无治疗记录。",
        "stages": "分期与危险分层", "stages_note": "诊断为或可能为活动性骨髓瘤的患者 {} 例。未定者单列，无一例剔除。",
        "open": "未定", "left": "未定：{}", "nothing_known": "各结果均有可能", "count": "例数", "gaps": "缺失检查的影响",
        "gaps_note": "因缺少某项检查而结果未定的患者数。颜色越深，患者越多。", "any": "任一结果", "still_open": "结果未定",
        "no_gaps": "所有患者的各项结果均已确定。", "left_out": "另有 {} 项检查涉及患者不多于以上各项，未列出。",
        "table": "患者列表", "first": "仅列前 {} 例；另 {} 例见 status.csv。", "line_now": "治疗线数", "best": "本线最佳疗效",
        "now": "当前疗效", "questions": "未定项目数", "test": "检查项目", "patient": "患者",
    },
}  # fmt: skip

TABLES = {
    "en": {
        "pfs": ("Progression-free survival", "By line, with what was censored and why."),
        "exposure": ("Exposure and refractoriness", ""),
        "mrd": ("MRD", "What each sample can claim, from its own cells."),
        "toxicity": ("Toxicity", "Laboratory values from grade 2."),
        "due": ("Due and done", "What was never recorded is unknown and not listed; `due.csv` has every item."),
    },
    "zh": {
        "pfs": ("无进展生存期", "按治疗线，并注明删失及原因。"),
        "exposure": ("药物暴露与难治", ""),
        "mrd": ("MRD", "每份标本按其细胞数所能得出的结论。"),
        "toxicity": ("毒性", "检验值自2级起列出。"),
        "due": ("应进行与已进行", "从未记录者视为未知，不在此列出；完整清单见due.csv。"),
    },
}
