"""Findings and advice as cards: where the patient stands, what is urgent, what is missing, and what speaks against a drug.

A card quotes the pathway: no row is left out because it is unwelcome, and no dose is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import uuid4

from ...advise.story import Advised, Story
from ...advise.vocabulary import STANCE
from ...assess import DISCLAIMER
from ...catalogue import label
from ...report.reasons import said
from ..rendering import chosen
from .models import SUMMARY, Action, Card, Source, Suggestion
from .together import Known

SHOWN = ("diagnosis", "iss", "r_iss", "r2_iss", "high_risk_2025", "line", "response", "best_response")


def patient_cards(known: Known, lang: str) -> list[Card]:
    """Where a patient stands, what is urgent, and which tests would settle something."""
    story = known.story(lang)
    return [_standing(known, lang), *_urgent(story, lang), *_missing(story, lang)]


def order_cards(known: Known, drugs: Sequence[str], lang: str) -> list[Card]:
    """What the pathway has against options with the drugs that are being ordered."""
    story = known.story(lang)
    cards = []
    for drug in drugs:
        against = [
            one
            for asked in story.questions
            for one in asked.options
            if one.option is not None and drug in one.option.drugs and one.stance in ("blocked", "against")
        ]
        if against:
            worst = "critical" if any(one.stance == "blocked" for one in against) else "warning"
            summary = chosen(lang, "The pathway speaks against {}", "诊疗路径不支持{}").format(label(drug, lang))
            cards.append(_card(summary, _listed(against, lang), worst, lang))
    return cards


def _standing(patient: Known, lang: str) -> Card:
    """Diagnosis, stage, line and response; what is unknown is told as unknown, with what it could be."""
    status = patient.status
    unknown = chosen(lang, "unknown", "未知")
    lines = []
    for name in SHOWN:
        left = str(status.get(f"{name}_possible") or "").split("|")
        possible = chosen(lang, " or ", "或").join(said(name, each, lang) for each in left if each)
        told = said(name, status[name], lang) if status[name] is not None else unknown + (f" ({possible})" if possible else "")
        lines.append(f"- {label(name, lang)}: {told}")
    if patient.rejected:
        lines.append("- " + chosen(lang, "{} values of the record could not be read", "病历中有{}项数据无法识别").format(patient.rejected))
    known = [said(name, status[name], lang) for name in ("diagnosis", "r2_iss", "response") if status[name] is not None]
    summary = "Bence: " + (
        chosen(lang, ", ", "，").join(known) or chosen(lang, "not enough is known for a diagnosis", "资料不足，无法判断诊断")
    )
    return _card(summary, "\n".join(lines), "info", lang)


def _urgent(story: Story, lang: str) -> list[Card]:
    """What the pathway calls urgent."""
    options = [one for asked in story.questions if asked.key == "urgent" for one in asked.options if one.stance == "for" and one.option]
    if not options:
        return []
    summary = chosen(lang, "Urgent: {}", "紧急：{}").format(chosen(lang, "; ", "；").join(one.words for one in options))
    return [_card(summary, _listed(options, lang), "critical", lang)]


def _missing(story: Story, lang: str) -> list[Card]:
    """Tests that would settle an option, each as a draft order that the physician may accept."""
    tests: dict[str, list[str]] = {}
    for asked in story.questions:
        for one in asked.options:
            for _, test, _ in one.missing:
                tests.setdefault(test, []).append(one.words)
    if not tests:
        return []
    listed = "\n".join(f"- **{test}**: {'; '.join(dict.fromkeys(options))}" for test, options in tests.items())
    summary = chosen(lang, "{} missing results would settle options", "补充{}项结果可明确下一步方案").format(len(tests))
    suggested = [_order(test, story.patient, lang) for test in tests]
    return [_card(summary, listed, "info", lang).model_copy(update={"suggestions": suggested, "selectionBehavior": "any"})]


def _order(test: str, patient: str, lang: str) -> Suggestion:
    """A draft order of a test."""
    words = chosen(lang, "Order: {}", "开具：{}").format(test)
    order = {
        "resourceType": "ServiceRequest", "status": "draft", "intent": "proposal",
        "code": {"text": test}, "subject": {"reference": f"Patient/{patient}"},
    }  # fmt: skip
    return Suggestion(label=words, uuid=str(uuid4()), actions=[Action(description=words, resource=order)])


def _listed(options: Iterable[Advised], lang: str) -> str:
    """Options with their stance, what is said for and against them, and from where."""
    told = []
    for one in options:
        told.append(f"**{one.words}** ({STANCE[one.stance][lang == 'zh']})")
        for ground in (*one.grounds, *one.contrary, *one.cautions):
            source = f" [{'; '.join(ground.evidence)}]" if ground.evidence else ""
            told.append(f"- {ground.words} ({ground.row.key}){source}")
    return "\n".join(told)


def _card(summary: str, detail: str, indicator: Any, lang: str) -> Card:
    short = summary if len(summary) <= SUMMARY else summary[: SUMMARY - 1] + "…"
    return Card(
        uuid=str(uuid4()), summary=short, detail=f"{detail}\n\n{DISCLAIMER[lang]}", indicator=indicator, source=Source(label="Bence")
    )
