"""The evidence base for a reader: one record, a list of records, a table, in English or Chinese, with every tag explained."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from unicodedata import east_asian_width

import polars as pl

from ..catalogue import codes, nearest
from ..errors import UsageError
from ..tags import TAGS
from .outcomes import measure_said, outcome_said, outcomes
from .records import FOLDERS, KINDS, Record, keys, kind_of, record, records, weakest
from .tables import drug_said, table
from .words import JOINTS, WORDS, heading, value_said
from .words import KINDS as KIND_WORDS

WIDE = 110  # columns of a terminal
HIDDEN = ("name", "title", "tag", "source", "status_tag", "code", "note")
BARE = ("on", "step", "kind", "direction", "assigned", "region", "adjusted")  # fields whose value says it all
SAID = ("tag", "source", "value", "low", "high", "name", "measure", "note", "key", "arm", "against", "to", "effect", "id")
TOLD = ("combination", "min_prior_lines", "exposed", "refractory", "population", "transplant")  # what an indication says in words
NAMED = ("drugs", "combination", "options", "exposed", "refractory")  # fields that hold codes of drugs


class Fact(NamedTuple):
    """A fact in words, how it is known (empty: told in the words), and where it was read. `name`: its place in the record."""

    name: str
    text: str
    tag: str
    source: str

    @property
    def whole(self) -> str:
        """The fact on one line."""
        return self.text + (f" [{self.tag}]" if self.tag else "") + (f" — {self.source}" if self.source else "")


class Section(NamedTuple):
    """A field of a record: what it says in words, or the facts in it."""

    title: str
    said: str
    facts: tuple[Fact, ...]


def find(name: str) -> str:
    """The key of the record with this key or name, in either language; UsageError with the nearest name if there is none."""
    known = {key.casefold(): key for kind in KINDS for key in keys(kind)}
    for kind in reversed(FOLDERS):  # of two records with one name the drug is meant, then the trial
        for key, each in records(kind).items():
            named = each["name"].values() if isinstance(each["name"], dict) else [each["name"]]
            known |= {word.casefold(): key for word in (*named, *each.get("also", ()))}
    known |= {key.casefold(): key for kind in KINDS for key in keys(kind)}
    asked = name.strip().casefold()
    for word in (asked, asked.replace(" ", "-"), asked.replace(" ", "_").replace("-", "_")):
        if word in known:
            return known[word]
    raise UsageError(f"there is no evidence record {name!r}", nearest=nearest(asked, known))


def listing(kind: str | None = None, lang: str = "en") -> pl.DataFrame:
    """The records of one kind, or all: key, kind, name, weakest tag. UsageError for an unknown kind."""
    rows = [
        {"key": key, "kind": KIND_WORDS[each][lang == "zh"], "name": _name(key, found, lang), "tag": weakest(found)}
        for each in ([kind] if kind else KINDS)
        for key, found in records(each).items()
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("key", "kind", "name", "tag"), pl.String))


def _trials(drug: str) -> list[str]:
    """The trials an arm of which had the drug."""
    return [key for key, trial in records("trials").items() if any(drug in arm["drugs"] for arm in trial.get("arms", ()))]


def _name(key: str, found: Record, lang: str) -> str:
    name = found.get("title") or found.get("name") or key
    if isinstance(name, str):
        return name
    return f"{found['name']}{JOINTS[lang]['colon']}{name[lang]}" if "title" in found else name[lang]


def record_text(name: str, lang: str = "en") -> str:
    """One record, readable: name, facts by section, each with its tag and source, and what the tags mean.

    `name`: a key or a name (`find`); `lang`: `en` or `zh`.
    """
    lang = "zh" if lang.startswith("zh") else "en"
    key = find(name)
    found, kind = record(key), kind_of(key)
    lines, before = [f"{_name(key, found, lang)}  ({KIND_WORDS[kind][lang == 'zh']} {key})", ""], False
    for section in sections(key, lang):
        if section.facts:
            lines.append(f"\n{section.title}")
        else:
            lines += [*([""] if before else []), *_wrapped(f"{section.title}{JOINTS[lang]['colon']}{section.said}", "", "  ")]
        for fact in section.facts:
            lines += _wrapped(fact.whole, "  - ", "    ")
        before = bool(section.facts)
    return "\n".join([*lines, "", legend(lang)])


def legend(lang: str = "en") -> str:
    """What the tags mean, one a line."""
    return "\n".join(f"[{tag}] {meaning[lang == 'zh']}" for tag, meaning in TAGS.items())


def sections(key: str, lang: str = "en") -> list[Section]:
    """Everything that a record holds beside its name, field by field; of a drug also the trials it is in."""
    found, kind = record(key), kind_of(key)
    told = [_section(key, field, value, lang) for field, value in found.items() if field not in HIDDEN]
    if kind == "drugs":
        told.append(Section(heading("trials", lang), JOINTS[lang]["comma"].join(_trials(key)) or WORDS[lang]["none"], ()))
    if "source" in found:
        told.append(Section(WORDS[lang]["source"], f"{found['source']} [{found['tag']}]", ()))
    return told


def _section(key: str, field: str, value: Any, lang: str) -> Section:
    title, colon = heading(field, lang), JOINTS[lang]["colon"]
    if field == "disputed":
        return Section(title, "", tuple(Fact(each, f"{each}{colon}{record(each)['instead'][lang]}", "", "") for each in value))
    if field == "outcomes":
        rows = outcomes().filter(pl.col("trial") == key).iter_rows(named=True)
        return Section(title, "", tuple(Fact(f"{field}-{i}", outcome_said(row, lang), "", row["source"]) for i, row in enumerate(rows, 1)))
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return Section(title, "", tuple(_fact(each, f"{field}-{i}", lang, record(key)) for i, each in enumerate(value, 1)))
    return Section(title, _value(field, value, lang), ())


def _fact(item: Record, name: str, lang: str, of: Record) -> Fact:
    """One fact: what it says, its details, then tag and source. `of`: the record it is from."""
    main = _said(item, lang, {arm["key"]: arm["name"] for arm in of.get("arms", ())})
    details = [
        (_value(field, value, lang) if field in BARE else f"{heading(field, lang)} {_value(field, value, lang)}")
        for field, value in item.items()
        if field not in (*SAID, *(TOLD if "indication" in item else ()), *(("kind",) if "measure" in item else ()))
        and not (isinstance(value, dict) and lang in value)
        and value != []
    ]
    text = main + (f" ({JOINTS[lang]['semicolon'].join(details)})" if details else "")
    return Fact(item.get("id", name), text, item["tag"], item["source"])


def _said(item: Record, lang: str, arms: Mapping[str, str]) -> str:
    """What a fact says before its details."""
    colon = JOINTS[lang]["colon"]
    if "to" in item:
        return f"{value_said(item['effect'], lang)} {record(item['to'])['name'][lang]}"
    parts = [item["name"]] if "name" in item else []
    parts += [value[lang] for value in item.values() if isinstance(value, dict) and lang in value]
    if "measure" in item:
        parts.append(f"{arms[item['arm']]} / {arms[item['against']]}")
        parts.append(f"{measure_said(item['measure'], lang)} {value_said(item['kind'], lang)}")
    if "value" in item:
        parts.append(f"{item['value']:g}" + (f" ({item['low']:g}–{item['high']:g})" if "low" in item and "high" in item else ""))
    return colon.join(parts)


def _value(field: str, value: Any, lang: str) -> str:
    if isinstance(value, dict):
        if lang in value:
            return value[lang]
        return JOINTS[lang]["comma"].join(f"{heading(name, lang)} {_value(name, each, lang)}" for name, each in value.items())
    if isinstance(value, list):
        return JOINTS[lang]["comma"].join(_value(field, each, lang) for each in value)
    if field in NAMED:
        return drug_said(value, lang)
    if field == "targets":
        return record(value)["name"][lang]
    if field == "what" and value in codes():
        return codes()[value].label(lang)
    return value_said(str(value), lang)


def rows(kind: str | None = None, table_name: str | None = None, lang: str = "en") -> pl.DataFrame:
    """What the command shows without a name: a table by its name, else the list of records of a kind or of all, with headings in words."""
    return headed(table(table_name, lang) if table_name else listing(kind, lang), lang)


def rows_text(frame: pl.DataFrame, aligned: Callable[[pl.DataFrame], str], lang: str = "en", agents: bool = False) -> str:
    """A table as text: `aligned` columns where lines of a terminal hold them, else a block a row; then what the tags mean.

    `agents`: rows are arms of trials, and the warning that they are not comparable is printed.
    """
    text = aligned(frame) if is_narrow(frame) else as_blocks(frame, lang)
    warning = [WORDS[lang]["not_comparable"], ""] if agents else []
    return "\n".join([*warning, text, "", legend(lang)])


def as_blocks(frame: pl.DataFrame, lang: str = "en") -> str:
    """A table as text where its cells are sentences: each row a block, its columns by name, what is not known left out."""
    blocks = []
    for row in frame.iter_rows(named=True):
        first, *rest = row.items()
        lines = [f"■ {first[1]}"]
        for name, cell in rest:
            if cell is not None:
                lines += _wrapped(f"{name}{JOINTS[lang]['colon']}{cell}", "  ", "    ")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def is_narrow(frame: pl.DataFrame, most: int = 160) -> bool:
    """Does a table fit on lines of a terminal?"""
    return sum(max([_width(name), *map(_width, frame[name].drop_nulls())]) + 2 for name in frame.columns) <= most


def headed(frame: pl.DataFrame, lang: str = "en") -> pl.DataFrame:
    """A table with its headings in words."""
    return frame.rename({name: heading(name, lang) for name in frame.columns})


def _wrapped(text: str, first: str, later: str) -> list[str]:
    """Lines of at most `WIDE` columns, broken between words or Chinese characters, no line beginning with a stop."""
    lines, line = [], first
    for piece in re.findall(r"[\x21-\x7e]+ ?|[^\x21-\x7e][，。；：、）]*", text):
        if _width(line + piece.rstrip()) > WIDE and line.strip():
            lines.append(line.rstrip())
            line = later
        line += piece
    return [*lines, line.rstrip()]


def _width(text: str) -> int:
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)
