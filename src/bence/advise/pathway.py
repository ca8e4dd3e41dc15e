"""The pathway as data: questions, options, and the rows of the decision tables that speak for, against or block them.

`pathway/*.toml` holds one table a question, `pathway/blocks.toml` what holds in every question, `options.toml` the options.
A row for several options (`every = ["bispecific", "bcma"]`) is written once and stands for each of them; what it says of
`its.label`, `its.refractory` is then about that option.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from ..assess.exposure import FORMATS
from ..catalogue import codes, nearest
from ..errors import UsageError
from .conditions import Atom, Condition, read
from .vocabulary import known

Stance = Literal["for", "against", "blocked", "caution"]
KINDS: tuple[Stance, ...] = ("for", "against", "blocked", "caution")
GRADES = {"label": 0, "A": 1, "B": 2, "C": 3, "O": 4}
TOLD = tuple[str, str]


@dataclass(frozen=True)
class Label:
    """The label that an option stands under: of which product, given with what, for which population (empty: not asked)."""

    product: str
    given_with: frozenset[str]
    population: str


@dataclass(frozen=True)
class Option:
    """Something that can be done: a drug, a regimen, a procedure, a course of action."""

    key: str
    words: TOLD
    drugs: tuple[str, ...]
    tags: frozenset[str]
    label: Label | None


@dataclass(frozen=True, eq=False)
class Row:
    """One row of a decision table: under these conditions the option has this stance."""

    key: str
    question: str
    option: str
    stance: Stance
    when: tuple[Condition, ...]
    written: tuple[Condition, ...]  # as in the table, before `its.` is replaced by the facts of the option
    words: TOLD
    grade: str
    tag: str
    evidence: tuple[str, ...]
    conflicts: tuple[str, ...]
    policy: tuple[str, str] | None
    last: bool  # of a caution: its option stands after those without it

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Every comparison of the row, once each."""
        return tuple(dict.fromkeys(atom for condition in self.when for atom in condition.atoms))


@dataclass(frozen=True)
class Question:
    """A question of the pathway, and for whom it is asked."""

    key: str
    words: TOLD
    applies: tuple[Condition, ...]


@dataclass(frozen=True)
class Pathway:
    """Questions in their order, options, and rows by question and option."""

    questions: Mapping[str, Question]
    options: Mapping[str, Option]
    rows: Mapping[tuple[str, str], tuple[Row, ...]]
    general: frozenset[str]  # names of the rows that hold in every question

    def of(self, question: str) -> dict[str, tuple[Row, ...]]:
        """The options of a question with their rows."""
        return {option: rows for (about, option), rows in self.rows.items() if about == question}

    def row(self, key: str) -> tuple[Row, ...]:
        """The row of a name, once for every option it speaks of; UsageError if there is none."""
        found = tuple(row for rows in self.rows.values() for row in rows if row.key == key)
        if not found:
            names = {row.key for rows in self.rows.values() for row in rows}
            raise UsageError(f"the pathway has no row {key!r}", nearest=nearest(key, names))
        return found


@cache
def pathway() -> Pathway:
    """The pathway that Bence ships."""
    home = files("bence.advise")
    options = {key: _option(key, told) for key, told in tomllib.loads(home.joinpath("options.toml").read_text("utf-8")).items()}
    tables = [tomllib.loads(file.read_text("utf-8")) for file in home.joinpath("pathway").iterdir() if file.name.endswith(".toml")]
    tables.sort(key=lambda table: table["order"])
    general = [row for table in tables if "question" not in table for row in table["row"]]
    asked = [table for table in tables if "question" in table]
    questions = {table["question"]: _question(table) for table in asked}
    rows: dict[tuple[str, str], tuple[Row, ...]] = {}
    for table in asked:
        offered = {key: options[key] for written in table["row"] for key in _named(written, options)}
        own = [row for written in table["row"] for row in _rows(written, table["question"], options, offered)]
        own += [row for written in general for row in _rows(written, table["question"], options, offered)]
        for key in offered:
            rows[table["question"], key] = tuple(row for row in own if row.option == key)
    return Pathway(questions, options, rows, frozenset(row["id"] for row in general))


def _option(key: str, told: Mapping[str, Any]) -> Option:
    drugs = tuple(told.get("drugs", ()))
    tags = set(told.get("tags", ()))
    for drug in drugs:
        code = codes()[drug]
        tags |= {word.lower() for word in (drug, code.drug_class or "", FORMATS.get(code.drug_class or "", ""), *code.target) if word}
    product = Label(told["label"], frozenset(told.get("label_with", ())), told.get("label_for", "")) if "label" in told else None
    tags |= {"labelled"} if product else set()
    return Option(key, (told["en"], told["zh"]), drugs, frozenset(tags), product)


def _question(table: Mapping[str, Any]) -> Question:
    return Question(table["question"], (table["en"], table["zh"]), tuple(map(read, table["applies"])))


def _named(written: Mapping[str, Any], options: Mapping[str, Option]) -> list[str]:
    """The options that a written row names."""
    named = [written["option"]] if "option" in written else written.get("options", [])
    for key in named:
        if key not in options:
            raise UsageError(f"there is no option {key!r}", where=written["id"], nearest=nearest(key, options))
    return named


def _rows(written: Mapping[str, Any], question: str, options: Mapping[str, Option], offered: Mapping[str, Option]) -> list[Row]:
    """A written row, once for every option it is about."""
    wanted = set(written.get("every", ()))
    spared = set(written.get("but", ()))
    mine = [options[key] for key in _named(written, options) if key in offered]
    mine += [option for option in offered.values() if wanted and wanted <= option.tags and not spared & (option.tags | {option.key})]
    policy = written.get("policy")
    when = tuple(map(read, [*written["when"], *([f"at >= {written['since']}"] if "since" in written else [])]))
    row = Row(
        written["id"], question, "", written["stance"], (), when, (written["en"], written["zh"]), written["grade"], written["tag"],
        tuple(written["evidence"]), tuple(written.get("conflicts", ())), tuple(policy.split("=")) if policy else None,
        written.get("last", False),
    )  # fmt: skip
    return [replace(row, option=option.key, when=tuple(_own(condition, option) for condition in when)) for option in mine]


def _own(condition: Condition, option: Option) -> Condition:
    """The condition with `its.` replaced by the facts of this option."""
    atoms: list[Atom] = []
    for atom in condition.atoms:
        match atom.fact:
            case "its.label":
                atoms.append(replace(atom, fact=f"label_{option.key}"))
            case "its.refractory" | "its.exposed":
                kind = atom.fact.removeprefix("its.")
                atoms += [replace(atom, fact=name) for drug in option.drugs if known(name := f"{kind}_{drug}")]
            case _:
                atoms.append(atom)
    return Condition(tuple(atoms))
