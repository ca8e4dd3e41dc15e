"""The advice as the templates show it: options with their reasons, and the mechanisms of resistance to think of."""

from __future__ import annotations

from typing import Any

import polars as pl

from ..advise import advice_of
from ..advise.text import MARKS, WORDS
from ..advise.vocabulary import STANCE
from ..tags import TAGS

SAID = {
    "en": {
        "heading": "What can be done next", "sheet": "MDT sheet", "resistance": "Why treatment may fail",
        "resistance_note": "Mechanisms of resistance that the record supports, refutes or has not tested: reasoning, not proof of a cause.",
        "mechanism": "mechanism", "state": "the record", "test": "test", "counter": "what follows",
        "supported": "supports it", "refuted": "speaks against it", "untested": "has not tested it",
        "comma": ", ", "colon": ": ", "semicolon": "; ",
        "silent": "The pathway asks nothing of this patient at present.",
        "note": "Options under the approvals of: {}. Sources that disagree stand side by side. No dose is given here; labels prevail. "
        "No row has been signed by a haematologist yet.",
        "decision": "Decision", "because": "Reasons", "present": "Present", "on": "Date",
    },
    "zh": {
        "heading": "下一步可选方案", "sheet": "多学科会诊单", "resistance": "治疗失败的可能机制",
        "resistance_note": "记录所支持、不支持或尚未检测的耐药机制：为推理，并非病因证明。",
        "mechanism": "机制", "state": "现有记录", "test": "检测", "counter": "相应对策",
        "supported": "支持", "refuted": "不支持", "untested": "尚未检测", "comma": "、", "colon": "：", "semicolon": "；",
        "silent": "本路径未涉及该患者目前的情况。",
        "note": "依据{}的批准情况列出选项。来源不一者并列。此处不给出剂量，以说明书为准。目前尚无血液科医师签字。",
        "decision": "会诊决定", "because": "理由", "present": "参加人员", "on": "日期",
    },
}  # fmt: skip


def section(facts: pl.DataFrame, patient: str, region: str, lang: str, **policies: str) -> dict[str, Any]:
    """What the templates need to show the advice of one patient: `advised`, `suspects`, and the `region` in words."""
    story = advice_of(facts.filter(pl.col("patient") == patient), region, lang, **policies)
    return {"advised": story.questions, "suspects": story.suspects, "region": WORDS["region"][region][lang == "zh"]}


def words(lang: str) -> dict[str, Any]:
    """The words of the advice."""
    zh = lang == "zh"
    tables = {name: {key: both[zh] for key, both in table.items()} for name, table in (("grade", WORDS["grade"]), ("tag", TAGS))}
    plain = {name: both[zh] for name, both in WORDS.items() if isinstance(both, tuple)}
    return tables | plain | SAID[lang] | {"stance": {name: both[zh] for name, both in STANCE.items()}, "mark": MARKS}
