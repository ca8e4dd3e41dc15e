"""The words of the pictures and pages of virtual patients, in English and in Chinese as a haematologist writes it."""

from __future__ import annotations

PICTURE: dict[str, dict[str, str]] = {
    "en": {
        "synthetic": "Virtual patients, synthetic: raises hypotheses, no evidence, no advice for anybody.",
        "months": "months", "patient": "Course of one virtual patient", "therapy": "Therapy", "clones": "Clones", "cells": "cells, log",
        "one_cell": "1 cell", "extinct": "died out", "exposure": "Exposure", "of_peak": "each of its own peak",
        "t_cells": "Marrow T cells",
        "healthy": "1 in health", "resting_t": "resting", "activated_t": "activated", "fitness": "fitness (1 fresh, 0 exhausted)",
        "car_t": "CAR-T cells", "car_effector": "effector", "car_memory": "memory", "m_protein": "Serum M-protein",
        "involved_flc": "Involved light chain", "mrd": "MRD", "share": "share of cells, log", "il6": "IL-6, peak of the day",
        "grade": "CRS {}", "log": "log", "truth": "truth", "progression": "progression",
        "waterfall": "Best change of M-protein or involved light chain",
        "waterfall_note": (
            "lowest measured value up to progression, % of the value before treatment; M-protein from 10 g/L on, "
            "else light chain"
        ),
        "drawn": "every bar stands for {:.1f} patients", "none": "no response", "not_measurable": "{} without measurable protein",
        "pfs": "Progression-free survival", "os": "Overall survival", "at_risk": "at risk",
        "mrd_time": "MRD over time", "of_all": "of all assigned (no sample or after progression: not negative)",
        "of_sampled": "of those sampled in the window", "mrd_axis": "months from entry, windows of {} months", "below": "below {}",
        "sankey": "How it ended, and which clone came back", "why": "Why the disease came back", "arm": "arm",
        "first_event": "first event", "relapse": "largest clone at relapse",
        "progressed": "progression", "died": "death without progression", "free": "free of both at the end", "lost": "lost to follow-up",
        "first_relapse": "first relapse", "second_relapse": "second relapse", "strategy": "strategy",
        "still": "none while followed", "second_event": "Time to second progression or death",
        "better": "Probability that the first strategy does better",
        "better_note": "of the same person under both; bar: ± 2 Monte Carlo errors",
        "gain": "mean difference, months", "even": "as good as the other",
        "tornado": "What the outcome hangs on", "rho": "rank correlation", "partial": "partial rank correlation",
        "to_better": "higher value: better outcome →", "to_worse": "← higher value: worse outcome",
        "outcome_pfs": "Time to progression or death", "outcome_depth": "Depth (lowest true share of the marrow)",
        "calibration": "Published, model and naive", "published": "published with 95 % interval",
        "model": "model (bar: 5–95 % of its draws)",
        "model_out": "model outside the published interval", "naive": "without a model", "memory": "value from memory [M]",
        "twin": "A virtual twin", "progressed_share": "Progressed", "share_of": "% of siblings", "measured": "measured",
        "later": "measured later, not used", "today": "forecast from {}",
        "middle": "middle of the siblings", "half": "half of them", "most": "90 % of them",
        "limit": "not found: at the limit of the sample",
    },
    "zh": {
        "synthetic": "虚拟患者，合成数据：仅供提出假设，不是证据，不构成任何建议。",
        "months": "月", "patient": "一例虚拟患者的病程", "therapy": "治疗", "clones": "克隆", "cells": "细胞数，对数",
        "one_cell": "1个细胞", "extinct": "灭绝", "exposure": "药物暴露", "of_peak": "各自峰值的比例", "t_cells": "骨髓T细胞",
        "healthy": "健康为1", "resting_t": "静息", "activated_t": "活化", "fitness": "适应性（1未耗竭，0耗竭）",
        "car_t": "CAR-T细胞", "car_effector": "效应", "car_memory": "记忆", "m_protein": "血清M蛋白",
        "involved_flc": "受累游离轻链", "mrd": "MRD", "share": "占细胞比例，对数", "il6": "IL-6（当日峰值）",
        "grade": "CRS {}级", "log": "对数", "truth": "真实值", "progression": "进展",
        "waterfall": "M蛋白或受累轻链的最佳变化",
        "waterfall_note": "进展前最低测定值较治疗前的变化（%）；M蛋白≥10 g/L者用M蛋白，否则用轻链",
        "drawn": "每条代表{:.1f}例", "none": "未缓解", "not_measurable": "{}例无可测量蛋白",
        "pfs": "无进展生存", "os": "总生存", "at_risk": "风险例数",
        "mrd_time": "MRD随时间变化", "of_all": "占全部入组者（未取样或已进展按非阴性计）",
        "of_sampled": "占该时段取样者", "mrd_axis": "自入组起（月），每{}个月一段", "below": "低于{}",
        "sankey": "首个事件与复发时的主要克隆", "why": "复发原因", "arm": "组别", "first_event": "首个事件", "relapse": "复发时最大克隆",
        "progressed": "进展", "died": "未进展死亡", "free": "随访结束时未进展且存活", "lost": "失访",
        "first_relapse": "首次复发", "second_relapse": "第二次复发", "strategy": "策略",
        "still": "随访期间未发生", "second_event": "至第二次进展或死亡的时间",
        "better": "前一策略更优的概率", "better_note": "同一人在两种策略下比较；横线：±2倍蒙特卡罗误差",
        "gain": "平均差（月）", "even": "两者相当",
        "tornado": "结局取决于哪些参数", "rho": "秩相关", "partial": "偏秩相关",
        "to_better": "数值越高结局越好 →", "to_worse": "← 数值越高结局越差",
        "outcome_pfs": "至进展或死亡的时间", "outcome_depth": "缓解深度（骨髓真实最低比例）",
        "calibration": "已发表值、模型值与朴素估计", "published": "已发表值及95%区间", "model": "模型（横线：后验抽样5%~95%）",
        "model_out": "模型值在已发表区间之外", "naive": "不用模型的估计", "memory": "凭记忆的数值[M]",
        "twin": "虚拟孪生", "progressed_share": "已进展", "share_of": "占虚拟同胞%", "measured": "实测值",
        "later": "其后实测，未使用", "today": "自{}起为预测",
        "middle": "虚拟同胞中位", "half": "半数同胞", "most": "90%同胞", "limit": "未检出：画在该标本检测限处",
    },
}  # fmt: skip

PAGE: dict[str, dict[str, str]] = {
    "en": {
        "colon": ": ", "semicolon": "; ", "made": "Bence {}", "seed": "seed {}", "model": "model text {}",
        "trial": "Virtual trial: {}", "patients": "patients", "arms": "arms", "months": "months followed", "population": "population",
        "endpoints": "Endpoints", "endpoints_note": (
            "Virtual shares of all who were assigned to the arm (Wilson's interval) and Kaplan–Meier rates "
            "(log-log interval), judged from the "
            "virtual records by the rules for real patients. The intervals are those of chance in so many "
            "people; what is wrong with the model "
            "is not in them. Published: the first result of the evidence base for the same arm and measure."
        ),
        "pictures": "Pictures", "a_few": "A few patients", "a_few_note": "For each way in which it ended, the first patient.",
        "assumed": "What was assumed", "streamed": (
            "This trial was simulated in several batches: courses are not kept, so there are no waterfall, MRD, clones or patients here."
        ),
        "patient": "Virtual patient {}", "back": "back to the trial", "course": "Course",
        "parameters": "What makes this patient different",
        "parameters_note": "Parameters that vary between people and lie farthest from the typical value, in this cohort.",
        "parameter": "parameter", "value": "value", "rank": "rank in the cohort, %", "unit": "unit",
        "sex": "sex", "age": "age", "isotype": "isotype", "iss": "ISS", "prior_lines": "earlier lines",
        "extramedullary": "extramedullary",
        "high_risk": "high-risk cytogenetics", "arm": "arm", "response": "best response", "pfs": "PFS",
        "event": "event",
        "censored": "censored", "yes": "yes", "no": "no", "in_months": "{:.1f} months",
        "course_key": (
            "Lines: the truth of the model. ● measured; ▽ below the assay limit. × at the 1-cell line: the clone "
            "died out. MRD: ▽ none found, at "
            "the limit (short bar) of that sample. Exposure: each drug as a share of its own peak, which is named at the right. "
            "CRS: as recorded in the virtual chart, by its grade."
        ),
        "sequence": "Strategies in the same virtual people", "gap": "days without treatment between two", "table": "Outcomes",
        "table_note": "Intervals are 95 % and those of the simulation; what is wrong with the model is not in them.",
        "verdicts": "Which is better",
        "sensitivity": "What the outcome hangs on", "of_arm": "arm {}",
        "sensitivity_note": (
            "Within this virtual cohort: Spearman's rank correlation of each parameter that differs between "
            "people with the outcome, and the partial "
            "one (the ranks of all other parameters taken out), with 95 % intervals. Time to progression or death: as log-rank scores, "
            "so that censored people count. Of twenty parameters without any effect one lies beyond zero by "
            "chance. It is a property of the model and its assumed spreads, not of patients."
        ),
        "score": "The calibration table", "by_role": "Hits by role",
        "score_note": (
            "A target is hit when the model's mean share lies inside the exact 95 % interval of the published "
            "one. Naive: the published share of the "
            "same class, or two arms joined as independent. [M]: the published value is from memory and "
            "unchecked. Held-out arms were never fitted."
        ),
        "twin": "Virtual twin of {}", "forecast": "Forecast", "at": "values used until", "since": "line since", "drugs": "drugs",
        "rests": "On what it rests",
        "errors": (
            "Bands are for what a laboratory would measure, model error of {:.0%} included; half of such values "
            "are expected in the dark band, 90 % in the light."
        ),
        "not_advice": "Not advice: nothing here says what this patient should be given.",
        "by": "by", "m_protein": "M-protein, g/L", "involved_flc": "involved light chain, mg/L", "mrd": "MRD, share of cells",
        "table_forecast": "In numbers", "middle": "middle", "interval": "90 % interval", "progressed": "progressed (share of siblings)",
    },
    "zh": {
        "colon": "：", "semicolon": "；", "made": "Bence {}", "seed": "随机种子 {}", "model": "模型文本 {}",
        "trial": "虚拟试验：{}", "patients": "例数", "arms": "组别", "months": "随访月数", "population": "人群",
        "endpoints": "终点", "endpoints_note": (
            "虚拟值为占全部入组者的比例（Wilson区间）及Kaplan-Meier率（log-log区间），由虚拟病历按真实患者的规则判定。"
            "区间只反映该例数下的随机误差，不含模型本身的偏差。已发表值为证据库中同组同终点的首个结果。"
        ),
        "pictures": "图", "a_few": "病例举例", "a_few_note": "每种结局取第一例。",
        "assumed": "假设", "streamed": "本试验分批模拟，未保留个体病程，故无瀑布图、MRD、克隆及病例页。",
        "patient": "虚拟患者 {}", "back": "返回试验", "course": "病程", "parameters": "该患者的特点",
        "parameters_note": "个体间有差异的参数中，在本队列内偏离典型值最远者。",
        "parameter": "参数", "value": "数值", "rank": "在队列中的百分位", "unit": "单位",
        "sex": "性别", "age": "年龄", "isotype": "分型", "iss": "ISS分期", "prior_lines": "既往线数", "extramedullary": "髓外病变",
        "high_risk": "高危细胞遗传学", "arm": "组别", "response": "最佳疗效", "pfs": "PFS", "event": "事件",
        "censored": "删失", "yes": "有", "no": "无", "in_months": "{:.1f}个月",
        "course_key": (
            "线：模型真实值。● 实测值；▽ 低于检测下限。1细胞线上的×：该克隆灭绝。MRD：▽ 未检出，画在该标本检测限（短横线）处。"
            "药物暴露：各药占自身峰值的比例，峰值标于右侧。CRS：虚拟病历所记录的分级。"
        ),
        "sequence": "同一批虚拟患者的策略比较", "gap": "两种治疗间无治疗天数", "table": "结局",
        "table_note": "区间均为95%，仅为模拟误差，不含模型本身的偏差。", "verdicts": "孰优",
        "sensitivity": "结局取决于哪些参数", "of_arm": "{}组",
        "sensitivity_note": (
            "在本虚拟队列内：各个体差异参数与结局的Spearman秩相关，及扣除其余参数秩之后的偏秩相关，附95%区间。"
            "至进展或死亡的时间以log-rank得分表示，故删失者亦计入。即使毫无作用，"
            "每二十个参数也会有一个仅因机遇而区间不含零。结果反映模型及其假定的个体差异，而非真实患者。"
        ),
        "score": "校准表", "by_role": "按用途统计命中数",
        "score_note": (
            "模型均值落在已发表值的精确95%区间内即为命中。朴素估计：同类药物的已发表值，或将两组视为相互独立合并。"
            "[M]：已发表值凭记忆、未经核对。留出检验的组从未参与拟合。"
        ),
        "twin": "{}的虚拟孪生", "forecast": "预测", "at": "所用数值截至", "since": "本线自", "drugs": "药物", "rests": "依据与假设",
        "errors": "区间针对实验室将测得的数值，已含{:.0%}的模型误差；预期半数落在深色带内，90%落在浅色带内。",
        "not_advice": "不构成建议：本页不说明该患者应接受何种治疗。",
        "by": "日期", "m_protein": "M蛋白，g/L", "involved_flc": "受累轻链，mg/L", "mrd": "MRD，占细胞比例",
        "table_forecast": "数值", "middle": "中位", "interval": "90%区间", "progressed": "已进展（占同胞比例）",
    },
}  # fmt: skip

ASSUMED: dict[str, tuple[str, ...]] = {
    "en": (
        "One set of equations for everybody: clones, drugs, T cells, proteins. Most of its numbers are "
        "assumed ([A]) or from memory ([M]); "
        "parameters.csv names the source of each.",
        "People are drawn from the population above; how they differ, and how that hangs together, is assumed where no trial tells it.",
        "Drugs are given on the schedules of their labels, with the delays, stops for toxicity, deaths and drop-out of chance.csv.",
        (
            "Laboratory error, missed visits and assay limits are those of measurement.toml; response, "
            "progression and MRD are judged from the records."
        ),
        (
            "The typical values are those of the model text; the calibration table (bence simulate score) tells "
            "how far they reproduce trials."
        ),
    ),
    "zh": (
        "所有人共用一套方程（克隆、药物、T细胞、蛋白）；多数参数为假定[A]或凭记忆[M]，每个参数的来源见parameters.csv。",
        "患者抽自上述人群；个体差异及其相关性在试验未述时为假定。",
        "药物按说明书方案给予；延迟、因毒性停药、死亡与脱落按chance.csv。",
        "检验误差、漏访与检测限按measurement.toml；疗效、进展与MRD均由病历判定。",
        "典型值取自模型文本；其再现临床试验的程度见校准表（bence simulate score）。",
    ),
}  # fmt: skip
CLONES: dict[str, tuple[str, str]] = {
    "ln_sensitive": ("sensitive", "敏感"),
    "ln_bcma_low": ("BCMA-low or lost", "BCMA低表达/缺失"),
    "ln_gprc5d_loss": ("GPRC5D lost", "GPRC5D缺失"),
    "ln_double_loss": ("both lost", "双抗原缺失"),
    "ln_resistant": ("drug-resistant", "耐药"),
}
RESPONSES = ("none", "PR", "VGPR", "CR", "sCR")
