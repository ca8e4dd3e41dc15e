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
    if not fact.startswith(LABEL) and vocabulary()[fact].kind == "number" and any(atom.words for atom in asked):
        counted = [bound for bound in bounds if isinstance(bound, float)]
        return _counts(sorted({*counted, *(float(word) for atom in asked for word in atom.words)}), asked, lang)
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


def _counts(named: list[float], asked: list[Atom], lang: str) -> dict[Value, str]:
    """A fact that is asked for by number (`prior_lines = 1|2`) is a count: the whole numbers, those that no atom tells apart together."""
    values = sorted({value + step for value in named for step in (-1.0, 0.0, 1.0) if value + step >= 0})
    kept = _unlike(values, asked)
    ends = [*(value - 1 for value in kept[1:]), None]
    return {value: _span(value, end, first=not i, zh=lang == "zh") for i, (value, end) in enumerate(zip(kept, ends, strict=True))}


def _span(start: float, end: float | None, first: bool, zh: bool) -> str:
    if end is None:
        return f"{SIGNS['>='][zh]} {start:g}"
    if first and end > 0:
        return f"{SIGNS['<='][zh]} {end:g}"
    return f"{start:g}" if start == end else f"{start:g}–{end:g}"


def _unlike(values: list, asked: list[Atom]) -> list:
    """The values in order, without those that no atom tells from the one before."""
    facts = Columns(pl.DataFrame({asked[0].fact: values}))
    marks = list(zip(*(atom.truth(facts).yes.tolist() for atom in asked), strict=True))
    return [value for i, value in enumerate(values) if not i or marks[i] != marks[i - 1]]


def _sides(bounds: list, asked: list[Atom], lang: str) -> dict[Value, str]:
    """A value below, at and above every bound, without those that no atom tells from the one before."""
    step = timedelta(days=1) if isinstance(bounds[0], date) else 1e-6 * (1 + max(map(abs, bounds)))
    values = sorted({value for bound in bounds for value in (bound - step, bound, bound + step)})
    return {value: _side(value, bounds, step, lang) for value in _unlike(values, asked)}


def _side(value: float | date, bounds: list, step: object, lang: str) -> str:
    told = [(op, bound) for bound in bounds for op, at in (("<", bound - step), (">=", bound), (">", bound + step)) if at == value]
    op, bound = told[0]
    return f"{SIGNS[op][lang == 'zh']} {bound:g}" if isinstance(bound, float) else f"{SIGNS[op][lang == 'zh']} {bound}"
