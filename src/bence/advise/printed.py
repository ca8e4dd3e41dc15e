"""The decision tables on paper: every row with its conditions in words, its stance, its strength and its source, and room to sign."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .citations import cited
from .pathway import Row, pathway
from .text import WORDS
from .vocabulary import STANCE, condition

HEADS = {
    "en": ("row", "if", "option", "stance", "because", "grade", "tag", "source", "reviewed by"),
    "zh": ("编号", "条件", "选项", "结论", "理由", "强度", "标记", "来源", "审核人签字"),
}
ALWAYS = ("always", "总是")
ASKED = ("Asked where", "适用于")
EVERYWHERE = ("In every question", "适用于所有问题")
CAUTION = {"caution": WORDS["caution"]}


def tables(lang: str = "en") -> str:
    """The pathway as Markdown, one table a question."""
    return "\n".join(_lines(lang)) + "\n"


def _lines(lang: str) -> Iterator[str]:
    path, zh = pathway(), lang == "zh"
    sign = "；" if zh else "; "
    for key, question in path.questions.items():
        yield f"### {question.words[zh]}"
        yield ""
        yield f"{ASKED[zh]}{'：' if zh else ': '}{sign.join(condition(one, lang) for one in question.applies)}."
        yield ""
        yield from _table((row for rows in path.of(key).values() for row in rows if row.key not in path.general), lang)
    yield f"### {EVERYWHERE[zh]}"
    yield ""
    yield from _table((row for rows in path.rows.values() for row in rows if row.key in path.general), lang)


def _table(rows: Iterable[Row], lang: str) -> Iterator[str]:
    """A row of a table once, with all the options that it speaks of."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.key, []).append(row)
    yield "| " + " | ".join(HEADS[lang]) + " |"
    yield "|---" * len(HEADS[lang]) + "|"
    for twins in found.values():
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in _cells(twins, lang)) + " |"
    yield ""


def _cells(twins: list[Row], lang: str) -> tuple[str, ...]:
    row, zh = twins[0], lang == "zh"
    when = ("；" if zh else "; ").join(condition(one, lang) for one in row.written) or ALWAYS[zh]
    options = ("、" if zh else "; ").join(dict.fromkeys(pathway().options[twin.option].words[zh] for twin in twins))
    sources = "<br>".join(f"{key}: {cited(key)}" for key in row.evidence)
    return (row.key, when, options, (STANCE | CAUTION)[row.stance][zh], row.words[zh], WORDS["grade"][row.grade][zh], row.tag, sources, "")
