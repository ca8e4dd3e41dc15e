"""Why something was refused, in the language of the user; and the one way in which a form answers a refusal.

What the store says is English; its Chinese stands here, beside a copy of the English with `{}` for what is named in it. A test walks every
refusal of the registry and its pages and fails for one that has no Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from fastapi.responses import Response

from ..catalogue import codes
from ..errors import BenceError
from ..registry import AccessError, ConflictError
from ..report.reasons import input_said
from .entering import COLUMN_WORDS, TABLE_WORDS
from .refused_words import EXPECTED, FAULTS, WHAT
from .visit import Visit


def tried(visit: Visit, do: Callable[[], Response], again: Callable[[str], Response]) -> Response:
    """What a form asks for; where that is refused, the form again with the reason. AccessError passes."""
    try:
        return do()
    except AccessError:
        raise
    except BenceError as error:
        return again(fault_said(error, visit.lang))


def fault_said(error: BenceError, lang: str) -> str:
    """Why a request or a value was not accepted, in the language of the user."""
    zh = lang == "zh"
    if zh and isinstance(error, ConflictError):
        return f"{error.who}已于{error.when[:16].replace('T', ' ')}先行改动（{error.why}），请重新载入后再操作"
    parts = [_where(error, lang), _chinese(error.what) if zh else error.what]
    told = ("：" if zh else ": ").join(part for part in parts if part)
    if error.expected:
        told += f"；应为：{_expected(error.expected)}" if zh else f"; expected {error.expected}"
    if error.nearest:
        near = input_said(error.nearest, lang)
        told += f"；是否为“{near}”？" if zh else f"; did you mean {near}?"
    return told


def _where(error: BenceError, lang: str) -> str:
    """The column and its value, where the error names one: `observations: value = 7`."""
    table, _, place = error.where.partition(": ")
    column, _, value = (place or table).partition(" = ")
    words = COLUMN_WORDS.get(column.strip())
    name = words[lang == "zh"] if words else input_said(column.strip(), lang) if column.strip() in codes() else ""
    return f"{name} {value}".strip()


def _chinese(what: str) -> str:
    """In Chinese what could not be done: as a whole, else by the kind of fault that a reader tells."""
    for pattern, chinese in _patterns():
        if found := pattern.fullmatch(what):
            return chinese.format(*map(_named, found.groups()))
    return next((chinese for pattern, chinese in FAULTS if re.search(pattern, what)), f"无法接受（{what}）")


def _expected(text: str) -> str:
    """In Chinese what was expected; a list of codes stays as it is."""
    for pattern, chinese in EXPECTED:
        if re.search(pattern, text):
            return re.sub(pattern, chinese, text)
    return text.replace(", ", "、").replace(" or ", "或")


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(re.escape(english).replace(r"\{\}", "(.+?)"), re.DOTALL), chinese) for english, chinese in WHAT)


def _named(text: str) -> str:
    """What a refusal names: tables, columns and codes in words, texts in Chinese quotation marks."""
    words = {name: both[1] for name, both in (COLUMN_WORDS | TABLE_WORDS).items()}
    told = re.sub(r"[a-z][a-z_0-9]+", lambda found: words.get(found[0]) or _coded(found[0]), text)
    return re.sub(r"'([^']*)'", r"“\1”", told).replace("; ", "；").replace(", ", "、").replace(": ", "：").replace(" or ", "或")


def _coded(name: str) -> str:
    return input_said(name, "zh") if name in codes() else name
