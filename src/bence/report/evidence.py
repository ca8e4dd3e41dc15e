"""A page of the evidence base: one table with the picture that belongs to it, or one record."""

from __future__ import annotations

from ..assess import DISCLAIMER
from ..evidence.show import record_text, rows
from ..evidence.words import LIST_TITLE, TABLE_TITLES, WORDS
from ..tags import TAGS
from .drawing import DARK, DEPTH, EDGE
from .forest import forest
from .page import environment
from .pictures import Picture


def evidence_page(name: str | None = None, kind: str | None = None, table_name: str | None = None, lang: str = "en") -> str:
    """One self-contained HTML page: the record `name`, the table `table_name` of `bence.evidence.tables.TABLES`, or a list of records.

    Tables of agents carry the forest plot of their target and the warning that single-arm trials are not comparable. UsageError
    for an unknown name.
    """
    lang = "zh" if lang.startswith("zh") else "en"
    if name:
        return _page(lang, name, text=record_text(name, lang))
    frame = rows(kind, table_name, lang)
    target = table_name.removeprefix("agents-") if table_name and table_name.startswith("agents-") else None
    picture = forest(target, lang) if target else None
    title = TABLE_TITLES[table_name] if table_name else LIST_TITLE
    return _page(
        lang, title[lang == "zh"], columns=frame.columns, rows=frame.rows(), picture=picture,
        warning=WORDS[lang]["not_comparable"] if target and not picture else None,
    )  # fmt: skip


def _page(lang: str, title: str, text: str = "", columns: list[str] | None = None, rows: list[tuple] | None = None,
          warning: str | None = None, picture: Picture | None = None) -> str:  # fmt: skip
    return environment().get_template("evidence.html").render(
        lang="zh-CN" if lang == "zh" else "en", title=title, text=text, columns=columns, rows=rows, warning=warning, picture=picture,
        tags=[(tag, meaning[lang == "zh"]) for tag, meaning in TAGS.items()], disclaimer=DISCLAIMER[lang],
        depths=[(name, colour, name in DARK, EDGE.get(name, colour)) for name, colour in DEPTH.items()],
    )  # fmt: skip
