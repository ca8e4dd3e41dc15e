"""Stage, risk and frailty of one patient as rows, each with its reasons as a tree to open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl

from ..assess import assess
from ..assess.active import may_be_active
from ..assess.why import reasons
from ..catalogue import codes, label
from ..chart import Chart, visible
from ..explain import Why, unit_said
from ..known import Answer
from .words import ANSWERS, FINDINGS, GROUPS, INPUTS, PAGE

MOST_LEAVES = 5
MOST_POSSIBLE = 5  # so many answers left are written as unknown


@dataclass
class Node:
    """One line of an explanation, and what it rests on; `unused` are the things that did not matter, in words."""

    name: str
    label: str
    says: str
    notes: list[str]
    source: str
    children: list[Node] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    """One finding: its answer, or what is possible and what would settle it.

    `whole`: so much is possible that nothing is known; `leaves`: the recorded values it rests on.
    """

    name: str
    label: str
    answer: str
    possible: tuple[str, ...]
    whole: bool
    settled_by: tuple[str, ...]
    strictly: str
    leaves: tuple[str, ...]
    source: str
    tree: Node


@dataclass(frozen=True)
class Group:
    """Findings that belong together, with a note where they were made for other patients."""

    key: str
    name: str
    note: str
    rows: tuple[Row, ...]


def groups(own: Chart, status: Mapping[str, Any], at: date | None, policies: Mapping[str, Any], lang: str) -> list[Group]:
    """Every finding that means something for the one patient of a chart; `status` is the patient's row of the findings.

    Stages and genetic risk are those of myeloma that is, or may be, active; smouldering scores of smouldering myeloma.
    """
    words, (then, day) = PAGE[lang], _smouldering(own, status, at)
    chosen = [group for group in GROUPS if group not in ("stage", "risk") or may_be_active(status)]
    if then is None:
        chosen.remove("smouldering")
    earlier = ["smouldering"] if then is not None and then != at else []
    now = [name for group in chosen if group not in earlier for name in GROUPS[group]]
    rows = {row.name: row for row in _rows(own, now, status, at, policies, lang)}
    if earlier:
        told = visible(own, then)
        past = assess(told, then, **policies).status.row(0, named=True)
        rows |= {row.name: row for row in _rows(told, GROUPS["smouldering"], past, then, policies, lang)}
    return [
        Group(group, words[f"group_{group}"], words["then"].format(on=day) if group in earlier else "",
              tuple(rows[name] for name in GROUPS[group]))
        for group in chosen
    ]  # fmt: skip


def _smouldering(own: Chart, status: Mapping[str, Any], at: date | None) -> tuple[date | None, date | None]:
    """The day from which smouldering myeloma is looked at, and when it was found.

    Today where the disease is or may be smouldering; the eve of myeloma where it was; None where it never was.
    """
    given, possible = status["diagnosis"], (status["diagnosis_possible"] or "").split("|")
    rows = own.events.filter(pl.col("text").ne_missing("none"))
    found, myeloma = (rows.filter(pl.col("what") == what)["on"].min() for what in ("smm_diagnosis", "mm_diagnosis"))
    ends = [day for day in (myeloma, own.treatments["started_on"].min()) if isinstance(day, date)]
    if isinstance(found, date) and ends and found < min(ends):
        return min(ends) - timedelta(days=1), found
    smouldering = given == "SMM" or (given is None and "SMM" in possible) or (found is not None and not ends)
    return (at, None) if smouldering else (None, None)


def _rows(
    own: Chart, names: Sequence[str], status: Mapping[str, Any], at: date | None, policies: Mapping[str, Any], lang: str
) -> tuple[Row, ...]:
    trees = reasons(own, own.patients["patient"][0], names, at, **policies)
    return tuple(_row(trees[name], status, lang) for name in names)


def _row(tree: Why, status: Mapping[str, Any], lang: str) -> Row:
    words, name = PAGE[lang], tree.name
    given, left = status[name], status[f"{name}_possible"]
    possible = in_order(name, left.split("|")) if left else []
    missing = (status["diagnosis_missing"] or "").split("|") if name == "diagnosis" else tree.settled_by
    strict = words["or"].join(said(name, each, lang) for each in possible)
    return Row(
        name=name,
        label=FINDINGS[name][lang == "zh"],
        answer=said(name, given, lang) if given is not None else "",
        possible=tuple(said(name, each, lang) for each in possible),
        whole=len(possible) >= min(MOST_POSSIBLE, len(codes()[name].categories or "yn")),
        settled_by=tests(missing, lang) if possible else (),
        strictly=words["strictly"].format(strict) if given is not None and possible else "",
        leaves=tuple(leaves(tree, lang))[:MOST_LEAVES],
        source=tree.source,
        tree=node(tree, lang),
    )


def in_order(name: str, answers: Iterable[str]) -> list[str]:
    """Answers in the order of the catalogue: I before II, low before high."""
    order = codes()[name].categories if name in codes() else ()
    return sorted(answers, key=lambda each: order.index(each) if each in order else len(order))


def tests(names: Iterable[str], lang: str) -> tuple[str, ...]:
    """The labels of the tests that would settle an answer."""
    return tuple(dict.fromkeys(input_said(name, lang) for name in names))


def said(name: str, answer: Answer, lang: str) -> str:
    """An answer in words: `II`, `high risk`, `yes`."""
    word = ("no", "yes")[answer] if isinstance(answer, bool) else str(answer)
    if (name, word) in ANSWERS:
        return ANSWERS[name, word][lang == "zh"]
    return label(word, lang)


def value_said(shown: str, unit: str, lang: str) -> str:
    """What is known of an input, with its unit: `40 g/L`, `positive`."""
    if shown[-1:].isdigit():
        return f"{shown} {unit_said(unit, lang)}".rstrip()
    return PAGE[lang]["or"].join(label(word, lang) for word in shown.split(" or "))


def input_said(name: str, lang: str) -> str:
    """The name of a test, finding or other input in words."""
    if name in FINDINGS:
        return FINDINGS[name][lang == "zh"]
    return INPUTS[name][lang == "zh"] if name in INPUTS else label(name, lang)


def node(tree: Why, lang: str, shown: set[str] | None = None) -> Node:
    """An explanation as nodes; what was shown once is named `as above`, what did not matter is listed in words."""
    shown = set() if shown is None else shown
    made = Node(tree.name, _label(tree, lang), _says(tree, lang), _notes(tree, lang), tree.source)
    if tree.kind != "input" and tree.name in shown:
        made.notes.append(PAGE[lang]["above"])
        return made
    shown.add(tree.name)
    for child in tree.children:
        if child.used or not tree.used:
            made.children.append(node(child, lang, shown))
        else:
            made.unused.append(f"{_label(child, lang)}: {_says(child, lang)}")
    return made


def _label(tree: Why, lang: str) -> str:
    known = tree.name in codes() or tree.name in FINDINGS or tree.name in INPUTS
    return input_said(tree.name, lang) if known else tree.label(lang)


def _says(tree: Why, lang: str) -> str:
    words = PAGE[lang]
    if tree.kind == "rule":
        if tree.answers == (False, True):
            return words["unknown"]
        return words["or"].join(said(tree.name, answer, lang) for answer in tree.answers)
    return value_said(tree.shown, tree.unit, lang) if tree.shown else words["unknown"]


def _notes(tree: Why, lang: str) -> list[str]:
    """Where a value stands in the data, or how it came to be known without standing there."""
    words = PAGE[lang]
    place = ", ".join(part for part in (tree.on, tree.where) if part)
    if tree.note:
        return [tree.note[lang == "zh"]]
    if tree.kind == "input":
        return [place] if place else []
    if tree.recorded is None:
        return []
    recorded = value_said(tree.recorded, "", lang)
    return [words["overruled" if tree.conflict else "recorded"].format(f"{recorded} {place}".rstrip())]


def leaves(tree: Why, lang: str) -> list[str]:
    """The recorded values an answer rests on, each once: `beta-2 microglobulin 4.8 mg/L`."""
    found: dict[str, str] = {}

    def visit(each: Why) -> None:
        if each.used and each.kind == "input" and each.shown and each.on:
            found.setdefault(each.name, f"{_label(each, lang)} {value_said(each.shown, each.unit, lang)}")
        for child in sorted(each.children, key=_absent):
            if child.used:
                visit(child)

    visit(tree)
    return list(found.values())


def _absent(tree: Why) -> bool:
    """Whether a part was found not to be so."""
    return tree.answers == (False,) or tree.shown in ("negative", "no", "0")


def cited(groups: Sequence[Group]) -> list[str]:
    """The keys of every source in the trees, in the order in which they are met."""
    found: dict[str, None] = {}

    def visit(each: Node) -> None:
        if each.source:
            found.setdefault(each.source)
        for child in each.children:
            visit(child)

    for group in groups:
        for row in group.rows:
            visit(row.tree)
    return list(found)
