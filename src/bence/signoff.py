"""The sign-off sheet: every rule with its words, thresholds, source and how well that source was checked."""

from __future__ import annotations

from .advise.printed import tables
from .assess import DISCLAIMER
from .assess.policies import POLICIES
from .assess.sources import sources
from .assess.status import targets
from .rulebook import rules

WORDS = {
    "en": ("Sign-off sheet", "rule", "label", "thresholds", "source", "tag", "reviewed by", "Policies", "default", "meaning",
           "Tags: V read on a public page, S stated in a source text, M from memory of the paper, O our own choice. "
           "No rule has been signed by a haematologist yet.", "Pathway"),
    "zh": ("审核签字表", "规则", "名称", "阈值", "来源", "标记", "审核人签字", "策略", "默认值", "含义",
           "标记：V 已核对公开页面，S 见于来源文本，M 凭记忆，O 自定。目前尚无血液科医师签字。", "决策路径"),
}  # fmt: skip


def sheet(lang: str = "en") -> str:
    """The sheet as Markdown."""
    title, rule, label, thresholds, source, tag, signed, policies, default, meaning, note, pathway = WORDS[lang]
    known = sources()
    lines = [
        f"# Bence: {title}",
        "",
        note,
        "",
        DISCLAIMER[lang],
        "",
        f"| {rule} | {label} | {thresholds} | {source} | {tag} | {signed} |",
        "|---|---|---|---|---|---|",
    ]
    for name, each in rules().items():
        cited = known.get(each.source, {})
        limits = "; ".join(f"{key} = {value}" for key, value in each.thresholds.items())
        where = cited.get("where", "") + (f" doi:{cited['doi']}" if cited.get("doi") else "")
        bold = f"**{name}**" if name in targets() else name
        words = each.zh if lang == "zh" and each.zh else each.label
        lines.append(f"| {bold} | {words} | {limits} | {each.source}: {where} | {cited.get('tag', '')} | |")
    response = known.get("kumar-2016", {})
    lines.append(
        f"| **response** | IMWG 2016, docs/rules/response.md | – | kumar-2016: {response.get('where', '')} | {response.get('tag', '')} | |"
    )
    lines += ["", f"## {policies}", "", f"| {rule} | {default} | {meaning} | {signed} |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {choice.default} | {choice.zh if lang == 'zh' else choice.en} | |"
        for name, choice in POLICIES.items()
    ]
    lines += ["", f"## {pathway}", "", tables(lang)]
    return "\n".join(lines)
