"""The sign-off sheet: every rule with its words, thresholds, source and how well that source was checked."""

from __future__ import annotations

from collections.abc import Mapping

from .advise.printed import tables
from .assess import DISCLAIMER
from .assess.policies import POLICIES
from .assess.sources import sources
from .assess.status import targets
from .assess.toxicity import astct
from .rulebook import Rule, rules
from .tags import TAGS

TOXICITY = astct.BOOK

WORDS = {
    "en": ("Sign-off sheet", "rule", "label", "thresholds", "source", "tag", "reviewed by", "Policies", "default", "meaning",
           "Tags: {tags}. No rule has been signed by a haematologist yet.", "Pathway", "Toxicity"),
    "zh": ("审核签字表", "规则", "名称", "阈值", "来源", "标记", "审核人签字", "策略", "默认值", "含义",
           "标记：{tags}。目前尚无血液科医师签字。", "决策路径", "不良反应"),
}  # fmt: skip


BY_HAND = {
    "response": ("kumar-2016", "IMWG 2016, docs/rules/response.md"),
    "laboratory grades": ("ctcae-5", "CTCAE v5.0, docs/rules/toxicity.md section 5"),
    "hypogammaglobulinaemia": ("polyclonal-igg", "docs/rules/toxicity.md section 6"),
}
"""What is no rule of a rulebook: the source, and where it is written in words."""


def sheet(lang: str = "en") -> str:
    """The sheet as Markdown."""
    title, rule, label, thresholds, source, tag, signed, policies, default, meaning, note, pathway, toxicity = WORDS[lang]
    tags = ("；" if lang == "zh" else "; ").join(f"{tag} {words[lang == 'zh']}" for tag, words in TAGS.items())
    said = note.format(tags=tags)
    heads = [f"| {rule} | {label} | {thresholds} | {source} | {tag} | {signed} |", "|---|---|---|---|---|---|"]
    lines = [f"# Bence: {title}", "", said, "", DISCLAIMER[lang], "", *heads, *_rules(rules(), lang), _by_hand("response")]
    lines += ["", f"## {toxicity}", "", *heads, *_rules(TOXICITY.rules, lang)]
    lines += [_by_hand("laboratory grades"), _by_hand("hypogammaglobulinaemia")]
    lines += ["", f"## {policies}", "", f"| {rule} | {default} | {meaning} | {signed} |", "|---|---|---|---|"]
    lines += [f"| {name} | {choice.default} | {choice.zh if lang == 'zh' else choice.en} | |" for name, choice in POLICIES.items()]
    lines += ["", f"## {pathway}", "", tables(lang)]
    return "\n".join(lines)


def _rules(listed: Mapping[str, Rule], lang: str) -> list[str]:
    """A row of every rule of a rulebook; what is a finding of the status stands in bold."""
    found = []
    for name, each in listed.items():
        limits = "; ".join(f"{key} = {value}" for key, value in each.thresholds.items())
        bold = f"**{name}**" if name in targets() else name
        words = each.zh if lang == "zh" and each.zh else each.label
        found.append(f"| {bold} | {words} | {limits} | {_cited(each.source)} | |")
    return found


def _by_hand(name: str) -> str:
    source, where = BY_HAND[name]
    return f"| **{name}** | {where} | – | {_cited(source)} | |"


def _cited(source: str) -> str:
    """A source with the place it was published, and its tag."""
    known = sources().get(source, {})
    where = known.get("where", "") + (f" doi:{known['doi']}" if known.get("doi") else "")
    return f"{source}: {where} | {known.get('tag', '')}"
