"""Why a table of findings says what it says of one patient: its rows, each in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from ..catalogue import label
from . import wording
from .course import explain_due, explain_score
from .endpoints import ENDPOINTS, explain_endpoint
from .exposure_words import explain_exposure
from .findings import Findings
from .lines import STATED
from .mrd import explain_mrd
from .toxicity import explain_toxicity

Row = Mapping[str, Any]
NOTHING = ("nothing is recorded of this", "无相关记录")
LINE = {
    "en": ("Line {line}, from {on}: {regimen}", "   boundary: {boundary} ({how})", ("inferred", "stated by the record")),
    "zh": ("第{line}线，自{on}：{regimen}", "   分线依据：{boundary}（{how}）", ("推断", "依据病历记录")),
}


@dataclass(frozen=True)
class TableStory:
    """The rows of a table for one patient, and what puts each into words."""

    rows: pl.DataFrame
    explain: Callable[[Row, str], str]
    answer: str = ""

    def text(self, lang: str = "en") -> str:
        """The answer, and the rows it rests on in words, one paragraph each."""
        told = [self.explain(row, lang) for row in self.rows.iter_rows(named=True)]
        return "\n\n".join([*([self.answer] if self.answer else []), *(told or [NOTHING[lang.startswith("zh")]])])

    def __str__(self) -> str:
        return self.text()


def explain_line(row: Row, lang: str = "en") -> str:
    """A line of therapy: when, what, by which rule it began."""
    head, boundary, how = LINE["zh" if lang.startswith("zh") else "en"]
    drugs = " + ".join(label(drug, lang) for drug in (row["drugs"] or "").split("+") if drug)
    regimen = f"{row['regimen']} ({drugs})" if row["regimen"] and "+" in (row["drugs"] or "") else drugs
    told = [head.format(line=row["line"], on=row["started_on"], regimen=regimen)]
    if row["boundary"]:
        said = wording.say(wording.BOUNDARIES, row["boundary"], lang)
        told.append(boundary.format(boundary=said, how=how[row["boundary"] in STATED]))
    return "\n".join(told)


def _endpoint(row: Row, lang: str, name: str) -> str:
    return explain_endpoint(row, name, lang)


EXPLAINED: dict[str, tuple[str, Callable[[Row, str], str]]] = {
    "mrd": ("mrd", explain_mrd),
    "lines": ("lines", explain_line),
    "toxicity": ("toxicity", explain_toxicity),
    "due": ("due", explain_due),
    "scores": ("scores", explain_score),
    "exposure": ("exposure", explain_exposure),
    **{name: ("lines", partial(_endpoint, name=name)) for name in ENDPOINTS},
}
"""What can be asked: the table of the findings, and the words for a row."""

RESTS_ON = {
    "line": "lines",
    **dict.fromkeys(("mrd_on", "mrd_method", "sustained_mrd_imwg", "sustained_mrd_trial"), "mrd"),
    **dict.fromkeys(("early_relapse_12", "early_relapse_18", "pod24", "functional_high_risk"), "pfs"),
    **dict.fromkeys((
        "exposed_to", "refractory_to", "refractory_unknown", "exposed_classes", "refractory_classes", "exposed_targets",
        "refractory_targets", "double_class_refractory", "triple_class_exposed", "triple_class_refractory",
        "quad_drug_refractory", "penta_drug_exposed", "penta_drug_refractory", "primary_refractory", "relapsed_refractory",
    ), "exposure"),
}  # fmt: skip
"""Columns of `status` that are told by the rows they rest on."""


def table_story(findings: Findings, name: str) -> TableStory:
    """The rows of the findings of one patient that a name stands for (`mrd`, `lines`, `pfs`, `triple_class_refractory` …)."""
    table, explain = EXPLAINED[RESTS_ON.get(name, name)]
    said = findings.status[name][0] if name in RESTS_ON and findings.status.height else None
    answer = f"{name} = {said if said is not None else '?'}" if name in RESTS_ON else ""
    return TableStory(getattr(findings, table), explain, answer)
