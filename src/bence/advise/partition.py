"""The values of a fact that the pathway tells apart: one representative each, named as a physician would."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import polars as pl

from .columns import Columns
from .conditions import Atom
from .vocabulary import LABEL, LABEL_WORDS, SIGNS, answer, vocabulary, words_of

Value = bool | float | str | date
ANOTHER = "…"  # any other word


def parts(fact: str, atoms: Iterable[Atom], lang: str = "en") -> dict[Value, str]:
    """Values of a fact that differ for at least one of the atoms, with their names. The atoms all ask about this fact."""
    asked = list(atoms)
    if not fact.startswith(LABEL) and vocabulary()[fact].kind == "flag":
        return {True: answer(fact, "yes", lang), False: answer(fact, "no", lang)}
    bounds = sorted({atom.bound for atom in asked if atom.bound is not None})
    return _sides(bounds, asked, lang) if bounds else _words(fact, asked, lang)


def _words(fact: str, asked: list[Atom], lang: str) -> dict[Value, str]:
    """One word of each group of words that are always named together."""
    domain = tuple(LABEL_WORDS) if fact.startswith(LABEL) else words_of(fact)
    named = dict.fromkeys(word for atom in asked for word in atom.words)
    groups: dict[tuple[bool, ...], list[str]] = {}
    for word in domain or (*named, ANOTHER):
        groups.setdefault(tuple(word in atom.words for atom in asked), []).append(word)
    sign = " / "
    return {group[0]: sign.join(answer(fact, word, lang) for word in group) for group in groups.values()}


def _sides(bounds: list, asked: list[Atom], lang: str) -> dict[Value, str]:
    """A value below, at and above every bound, without those that no atom tells from the one before."""
    step = timedelta(days=1) if isinstance(bounds[0], date) else 1e-6 * (1 + max(map(abs, bounds)))
    values = sorted({value for bound in bounds for value in (bound - step, bound, bound + step)})
    facts = Columns(pl.DataFrame({asked[0].fact: values}))
    marks = list(zip(*(atom.truth(facts).yes.tolist() for atom in asked), strict=True))
    kept = [(value, mark) for i, (value, mark) in enumerate(zip(values, marks, strict=True)) if not i or mark != marks[i - 1]]
    return {value: _side(value, bounds, step, lang) for value, _ in kept}


def _side(value: float | date, bounds: list, step: object, lang: str) -> str:
    told = [(op, bound) for bound in bounds for op, at in (("<", bound - step), (">=", bound), (">", bound + step)) if at == value]
    op, bound = told[0]
    return f"{SIGNS[op][lang == 'zh']} {bound:g}" if isinstance(bound, float) else f"{SIGNS[op][lang == 'zh']} {bound}"
