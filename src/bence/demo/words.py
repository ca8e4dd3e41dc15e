"""The words of the demo, English and Chinese."""

TOPICS = {
    "response": {"en": "Response", "zh": "疗效"},
    "progression": {"en": "Progression", "zh": "进展"},
    "measuring": {"en": "What can be measured", "zh": "可测量病灶"},
    "stage": {"en": "Stage, risk, frailty", "zh": "分期、危险度与衰弱"},
    "precursor": {"en": "Before myeloma", "zh": "骨髓瘤前期"},
    "treatment": {"en": "Cellular and bispecific therapy", "zh": "CAR-T与双特异性抗体"},
    "data": {"en": "Data as they are", "zh": "真实世界的数据"},
}

PAGE = {
    "en": {
        "title": "Bence demo: synthetic patients",
        "synthetic": "All patients are synthetic: invented to teach, none is or is derived from a real person.",
        "synthetic_one": "Synthetic patient.",
        "stop": ".",
        "lead": "Each was made by hand to show one thing. Open one, or see",
        "cohort": "the whole cohort",
        "back": "all synthetic patients",
        "patient": "patient",
        "diagnosis": "diagnosis",
        "response": "response now",
        "unconfirmed": "PD unconfirmed",
        "shows": "what this synthetic patient shows",
        "refused": "One cell was refused, as meant: {file}:{line} {column} {value} ({reason}).",
        "try": "Try: bence why {chart} D12 r2_iss",
        "open": "Open: {}",
    },
    "zh": {
        "title": "Bence 演示：合成患者",
        "synthetic": "所有患者均为虚构的合成数据，仅供教学，不来自任何真实患者。",
        "synthetic_one": "合成患者。",
        "stop": "。",
        "lead": "每例只为说明一点。点击查看，或浏览",
        "cohort": "整个队列",
        "back": "全部合成患者",
        "patient": "患者",
        "diagnosis": "诊断",
        "response": "目前疗效",
        "unconfirmed": "PD待确认",
        "shows": "该合成患者的看点",
        "refused": "有意拒收的单元格：{file}:{line} {column} {value}（{reason}）。",
        "try": "试一试：bence why {chart} D12 r2_iss --lang zh",
        "open": "打开：{}",
    },
}
