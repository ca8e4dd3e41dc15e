"""A patient's facts in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .vocabulary import answer, vocabulary

Values = Mapping[str, Any]
"""The facts of one patient by name."""


def value_of(name: str, known: Values, lang: str = "en") -> str:
    """A fact of the patient in words; a question mark where it is unknown."""
    value = known.get(name)
    if value is None:
        low, high = (known.get(name + end) for end in ("_low", "_high"))
        return "?" if low is None and high is None else f"{'' if low is None else f'{low:g}'}–{'' if high is None else f'{high:g}'}"
    if isinstance(value, bool):
        return answer(name, "yes" if value else "no", lang)
    if isinstance(value, float):
        unit = vocabulary()[name].unit if name in vocabulary() else ""
        return f"{value:.3g} {unit}".strip() if value != int(value) else f"{int(value)} {unit}".strip()
    words = str(value).split("|")
    return " / ".join(answer(name, word, lang) for word in words) + ("?" if len(words) > 1 else "")
