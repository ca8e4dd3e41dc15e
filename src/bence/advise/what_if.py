"""What each result of a missing test would mean for one option of one patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from .columns import Cases, Column, Columns
from .conditions import Atom
from .labels import UNDECIDED, label_of
from .partition import Value, parts
from .pathway import Option, Pathway
from .stances import Entry, stances
from .vocabulary import LABEL, LABEL_WORDS


@dataclass(frozen=True)
class Outcome:
    """If a fact turns out so, the option has these stances (none: it is no option)."""

    fact: str
    value: Value
    words: str
    stances: tuple[str, ...]


def outcomes(
    pathway: Pathway, facts: Columns, entry: Entry, missing: Sequence[str], policies: Mapping[str, str], lang: str = "en"
) -> list[Outcome]:
    """Every result of every fact that an unknown option waits for. `facts`: of the one patient."""
    rows = pathway.rows[entry.question, entry.option]
    question = pathway.questions[entry.question]
    atoms = [atom for row in rows for atom in row.atoms] + [atom for condition in question.applies for atom in condition.atoms]
    own = replace(pathway, questions={question.key: question}, rows={(entry.question, entry.option): rows})
    cases = [(fact, value, words) for fact in missing for value, words in _open_parts(fact, atoms, facts, lang).items()]
    if not cases:
        return []
    told: list[list[str]] = [[] for _ in cases]
    supposed = _with_label(pathway.options.get(entry.option), Cases(facts, [(fact, value) for fact, value, _ in cases]))
    for place, line in stances(own, supposed, policies).lines():
        told[place].append(line.entry.stance)
    return [Outcome(*case, tuple(said)) for case, said in zip(cases, told, strict=True)]


def _with_label(option: Option | None, cases: Cases) -> Cases:
    """The cases with what the label allows in each: it asks for lines, earlier drugs and eligibility for transplant."""
    if option is None or option.label is None:
        return cases
    name, region = LABEL + option.key, _word(cases.whole["region"])
    if region is None or _word(cases.whole[name]) != UNDECIDED:
        return cases
    allowed = label_of(option, cases, region)
    words = (*(allowed.words or ()), *LABEL_WORDS)
    values = [words.index(str(value)) if fact == name else own for (fact, value), own in zip(cases.changed, allowed.values, strict=True)]
    return replace(cases, follows={name: Column(np.array(values, float), words)})


def _word(column: Column | None) -> str | None:
    """The word that the one patient has."""
    if column is None or column.words is None or np.isnan(column.values[0]):
        return None
    return column.words[int(column.values[0])]


def _open_parts(fact: str, atoms: list[Atom], facts: Columns, lang: str) -> dict[Value, str]:
    """The values of a fact that are still possible for the patient; all of them where what is known fits none."""
    asked = [atom for atom in atoms if atom.fact == fact]
    told = parts(fact, asked, lang)
    column = facts[fact]
    if said := _word(column):
        left = {_named(word, asked) for word in said.split("|")}
        return {value: words for value, words in told.items() if _named(value, asked) in left} or told
    if all(isinstance(value, float) for value in told):
        return _within(told, *(facts[fact + end] for end in ("_low", "_high"))) or told
    return told


def _named(word: Value, asked: Sequence[Atom]) -> tuple[bool, ...]:
    """Which comparisons name a word: words that the same ones name stand for each other."""
    return tuple(word in atom.words for atom in asked)


def _within(told: Mapping[Value, str], low: Column | None, high: Column | None) -> dict[Value, str]:
    """The parts of a number that meet what it lies between: a part reaches from its value to that of the next, the first from below."""
    least = -np.inf if low is None or np.isnan(low.values[0]) else low.values[0]
    most = np.inf if high is None or np.isnan(high.values[0]) else high.values[0]
    starts = [-np.inf, *(float(value) for value in list(told)[1:]), np.inf]  # type: ignore[arg-type]
    spans = zip(told.items(), pairwise(starts), strict=True)
    return {value: words for (value, words), (start, end) in spans if start <= most and least < end}
