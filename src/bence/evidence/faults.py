"""Every fault of the evidence base: what is unknown, missing, or does not add up."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeGuard

from ..catalogue import codes, codes_of, nearest
from ..tags import TAGS
from .fields import REGION, SHAPES
from .records import FOLDERS, KINDS, Record, records

Base = Mapping[str, Mapping[str, Record]]
KEY = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)+")
LANGUAGES = ("en", "zh")


def faults(base: Base | None = None) -> list[str]:
    """Every fault, each on a line `kind/key field: what is wrong`; none if the base is sound.

    `base`: records by kind and key; the base in the package if not given. A fault is an unknown or missing field, a text that lacks a
    language, a fact without tag or source, a name that is in no catalogue or folder, a proportion without its denominator, numbers
    that do not agree with each other, and a key used twice.
    """
    base = base or {kind: records(kind) for kind in KINDS}
    names = Names(base)
    found = [f"{kind}/{key}: {fault}" for kind in base for key, record in base[kind].items() for fault in _faults(kind, key, record, names)]
    return found + [f"{key}: the key is used by {times} records" for key, times in _repeated(key for kind in base for key in base[kind])]


class Names:
    """The names that a record may use: of the catalogue and of the base itself."""

    def __init__(self, base: Base):
        drugs = base.get("drugs", {})
        given = codes_of("drug", "procedure")
        self.keys = {key for kind in FOLDERS for key in base.get(kind, {})}
        self.mechanisms = set(base.get("mechanisms", {}))
        self.targets = set(base.get("targets", {}))
        self.drugs = set(given) | set(drugs)
        formats = {record["format"] for record in drugs.values() if "format" in record}
        self.classes = {code.drug_class for code in given.values()} | {record["class"] for record in drugs.values() if "class" in record}
        self.options = self.drugs | self.classes | formats | self.targets
        self.codes = set(codes())
        self.disputed = set(base.get("disputed", {}))


def _faults(kind: str, key: str, record: Record, names: Names) -> Iterator[str]:
    yield from _shape(kind, record, names, "")
    if kind == "drugs" and record.get("code", key) != key and record["code"] in names.drugs:
        yield f"code: the file should be named {record['code']}.toml"
    if kind == "trials":
        yield from _trial(record)
    if kind == "guidelines":
        yield from _twice(record, "statements", "id")


def _shape(path: str, table: Record, names: Names, at: str) -> Iterator[str]:
    """The faults of one table against its shape, and those of the tables in it. `at`: where the table is in its record."""
    shape = SHAPES[path]
    for field, value in table.items():
        where = f"{at}{field}"
        if field not in shape:
            close = nearest(field, shape)
            yield f"{where}: unknown field" + (f"; did you mean {close!r}?" if close else "")
            continue
        kind = shape[field].removesuffix("!")
        if kind in ("{}", "[]"):
            yield from _tables(f"{path}.{field}", value, names, where, kind)
        else:
            yield from (f"{where}: {fault}" for fault in _value(kind, value, names))
    for field, kind in shape.items():
        if kind.endswith("!") and field not in table:
            yield f"{at}{field}: missing"
    yield from (f"{at}{fault}" for fault in _agreement(table))


def _tables(path: str, value: Any, names: Names, where: str, kind: str) -> Iterator[str]:
    tables = value if kind == "[]" else [value]
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        yield f"{where}: expected {'a list of tables' if kind == '[]' else 'a table'}"
        return
    for place, table in enumerate(tables, 1):
        yield from _shape(path, table, names, f"{where}[{place}]." if kind == "[]" else f"{where}.")


def _value(kind: str, value: Any, names: Names) -> Iterator[str]:
    if "|" in kind:
        yield from _known([value], kind.split("|"))
    elif kind in NAMED:
        many = kind in MANY
        if many and not isinstance(value, list):
            yield "expected a list"
            return
        yield from _known(value if many else [value], NAMED[kind](names))
    else:
        yield from PLAIN[kind](value)
        if kind == "source" and _filled(value):
            yield from _known([part for part in re.split(r"[;,] ?", value) if KEY.fullmatch(part)], names.keys)


def _known(values: list[Any], known: Any) -> Iterator[str]:
    for value in values:
        if value not in known:
            close = nearest(str(value), known)
            yield f"unknown {value!r}" + (f"; did you mean {close!r}?" if close else "")


def _text(value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield "expected a text with en and zh"
        return
    for language in LANGUAGES:
        if not _filled(value.get(language)):
            yield f"no text in {language}"
    yield from (f"unknown language {language!r}" for language in value if language not in LANGUAGES)


def _source(value: Any) -> Iterator[str]:
    if not _filled(value):
        yield "a source is where it was read, in words"
    elif "clinical.md" in value:
        yield "a source names what was read, not a collection of notes"


def _filled(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _of(expected: str, right: Callable[[Any], bool]) -> Callable[[Any], Iterator[str]]:
    def check(value: Any) -> Iterator[str]:
        if not right(value):
            yield f"expected {expected}, found {value!r}"

    return check


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


PLAIN: dict[str, Callable[[Any], Iterator[str]]] = {
    "text": _text,
    "source": _source,
    "word": _of("words", _filled),
    "words": _of("a list of words", lambda value: isinstance(value, list) and all(map(_filled, value))),
    "number": _of("a number", _is_number),
    "whole": _of("a whole number of 0 or more", lambda value: type(value) is int and value >= 0),
    "date": _of("a date", lambda value: type(value) is datetime.date),
    "flag": _of("true", lambda value: value is True),
}
NAMED: dict[str, Callable[[Names], Any]] = {
    "tag": lambda names: TAGS,
    "regions": lambda names: REGION.split("|"),
    "key": lambda names: names.keys,
    "keys": lambda names: names.keys,
    "targets": lambda names: names.targets,
    "drug": lambda names: names.drugs,
    "drugs": lambda names: names.drugs,
    "classes": lambda names: names.drugs | names.classes,
    "options": lambda names: names.options,
    "code": lambda names: names.codes,
    "disputed": lambda names: names.disputed,
}
MANY = {"regions", "keys", "targets", "drugs", "classes", "options", "disputed"}


def _agreement(table: Record) -> Iterator[str]:
    """Numbers and tags of one table that contradict each other."""
    tag, source = table.get("tag"), str(table.get("source", ""))
    if "memory" in source and tag in ("V", "S", "C"):
        yield f"tag: {tag} for what was written from memory"
    numbers = {name: value for name, value in table.items() if _is_number(value)}
    value = next((numbers[name] for name in ("value", "percent", "months") if name in numbers), None)
    if value is not None and numbers.get("low", value) > value:
        yield f"low: {numbers['low']} is above the value {value}"
    if value is not None and numbers.get("high", value) < value:
        yield f"high: {numbers['high']} is below the value {value}"
    if not 0 <= numbers.get("p", 0) <= 1:
        yield f"p: {numbers['p']} is not a probability"
    on, ends = table.get("on"), table.get("ends")
    if isinstance(on, datetime.date) and isinstance(ends, datetime.date) and on > ends:
        yield f"ends: {ends} is before it began on {on}"


def _trial(record: Record) -> Iterator[str]:
    arms = {arm.get("key"): arm for arm in record.get("arms", ())}
    yield from _twice(record, "arms", "key")
    for place, outcome in enumerate(record.get("outcomes", ()), 1):
        if outcome.get("arm") not in {*arms, "all"}:
            yield f"outcomes[{place}].arm: unknown {outcome.get('arm')!r}"
        yield from (f"outcomes[{place}].{fault}" for fault in _outcome(outcome, arms.get(outcome.get("arm"), {})))
    for place, comparison in enumerate(record.get("comparisons", ()), 1):
        for side in ("arm", "against"):
            if comparison.get(side) not in arms:
                yield f"comparisons[{place}].{side}: unknown {comparison.get(side)!r}"


def _outcome(outcome: Record, arm: Record) -> Iterator[str]:
    """An outcome says one thing, of a number of people that is known or said to be unknown."""
    said = [name for name in ("percent", "months", "value", "not_reached") if name in outcome]
    if len(said) != 1 and not (not said and "events" in outcome):
        yield "measure: expected one of percent, months, value, not_reached"
    percent, n, events = outcome.get("percent"), outcome.get("n"), outcome.get("events")
    denominator = outcome.get("denominator")
    if denominator == "arm":
        n = n or arm.get("n")
        if n is None:
            yield "denominator: the size of the arm is not known"
    elif "percent" in outcome and n is None and denominator != "not stated":
        yield "n: a proportion without its denominator"
    elif n is not None and denominator == "not stated":
        yield "denominator: it is stated, see n"
    if _is_number(percent) and not 0 <= percent <= 100:
        yield f"percent: {percent} is not a proportion"
    if not isinstance(events, int):
        return
    if not isinstance(n, int) or events > n:
        yield f"events: {events} of {n}"
    elif _is_number(percent) and n and abs(100 * events / n - percent) > rounding(percent):
        yield f"percent: {percent}, but {events} of {n} is {100 * events / n:.2f}"


def rounding(percent: float) -> float:
    """Half a unit of the last digit printed, e.g. 0.5 for 63 and 0.05 for 63.0; float noise allowed for."""
    digits = len(str(percent).partition(".")[2]) if isinstance(percent, float) else 0
    return 0.5 * 10**-digits + 1e-9


def _twice(record: Record, field: str, name: str) -> Iterator[str]:
    for value, times in _repeated(item.get(name) for item in record.get(field, ())):
        yield f"{field}: {name} {value!r} is used {times} times"


def _repeated(values: Any) -> list[tuple[Any, int]]:
    return [(value, times) for value, times in Counter(values).items() if times > 1]
