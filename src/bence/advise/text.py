"""The advice of one patient as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from ..tags import TAGS
from .story import Advised, Ground, Story
from .vocabulary import STANCE, said

CHECKED = "V"  # a row that was checked says nothing of it
COLON, COMMA, SEMICOLON = (": ", "："), (", ", "、"), ("; ", "；")
MARKS = {"yes": "✓", "no": "✗", "open": "?"}
WORDS = {
    "contrary": ("but", "但"),
    "caution": ("caution", "注意"),
    "missing": ("settled by", "取决于"),
    "confirm": ("confirm at the bedside", "请床旁确认"),
    "waits": ("waits for", "尚缺"),
    "resistance": (
        "Why treatment may fail: mechanisms the record supports, refutes or has not tested",
        "治疗失败的可能机制：现有记录支持、不支持或尚未检测",
    ),
    "state": {"supported": ("supported", "支持"), "refuted": ("refuted", "不支持"), "untested": ("untested", "未检测")},
    "region": {"china": ("China", "中国"), "us": ("United States", "美国"), "eu": ("European Union", "欧盟")},
    "grade": {
        "label": ("label", "说明书"), "A": ("A randomised", "A 随机试验"), "B": ("B cohort", "B 队列"), "C": ("C consensus", "C 共识"),
        "O": ("choice of Bence", "Bence的约定"),
    },
}  # fmt: skip


def text(story: Story, lang: str = "en") -> str:
    """The advice as lines: every question with its options, why, what speaks against, and what is missing."""
    return "\n".join(_lines(story, lang == "zh"))


def _lines(story: Story, zh: bool) -> Iterator[str]:
    day = story.at.isoformat() if story.at else "?"
    yield f"{story.patient}  {day}  {WORDS['region'][story.region][zh]}"
    if not story.questions:
        yield "本路径未涉及该患者目前的情况。" if zh else "The pathway asks nothing of this patient at present."
    for asked in story.questions:
        yield ""
        yield asked.words
        for advised in asked.options:
            yield from _option(advised, zh)
        if asked.confirm:
            yield f"  {WORDS['confirm'][zh]}{COLON[zh]}{COMMA[zh].join(asked.confirm)}"
    if story.suspects:
        yield ""
        yield WORDS["resistance"][zh]
        for suspect in story.suspects:
            yield f"  {WORDS['state'][suspect.state][zh]:<11} {suspect.words}"
            yield from (f"              ? {test}" for test in suspect.tests)
            yield from (f"              → {counter}" for counter in suspect.counter)


def _option(advised: Advised, zh: bool) -> Iterator[str]:
    stance = STANCE[advised.stance][zh]
    yield f"  {stance:<8}{advised.words}" if advised.option else f"  {stance:<8}{WORDS['waits'][zh]}{COLON[zh]}{_tests(advised, zh)}"
    for ground in advised.grounds:
        yield from _ground(ground, zh, "")
    for ground in advised.contrary:
        yield from _ground(ground, zh, WORDS["contrary"][zh] + COLON[zh])
    for ground in advised.cautions:
        yield from _ground(ground, zh, WORDS["caution"][zh] + COLON[zh])
    if advised.option:
        tests = [test for _, test, _ in advised.missing]
        for fact, test, outcomes in advised.missing:
            asked = f" ({said(fact, 'zh' if zh else 'en')})" if tests.count(test) > 1 else ""  # one test, several facts: which of them
            yield f"            {WORDS['missing'][zh]}{COLON[zh]}{test}{asked}"
            for outcome in outcomes:
                stances = COMMA[zh].join(STANCE[stance][zh] for stance in outcome.stances or ("",))
                yield f"                {outcome.words} → {stances}"


def _tests(advised: Advised, zh: bool) -> str:
    return COMMA[zh].join(test for _, test, _ in advised.missing)


def _ground(ground: Ground, zh: bool, lead: str) -> Iterator[str]:
    row = ground.row
    checked = "" if row.tag == CHECKED else f"{SEMICOLON[zh]}{TAGS[row.tag][zh]}"
    strength = WORDS["grade"][row.grade][zh] + checked
    yield f"            {lead}{ground.words} ({row.key}{SEMICOLON[zh]}{strength})"
    for words, state, value in ground.conditions:
        yield f"                {MARKS[state]} {words}" + (f" [{value}]" if value else "")
    for source in ground.evidence:
        yield f"                § {source}"
