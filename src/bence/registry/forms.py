"""Questionnaires as data: what is asked in which words, and which code of the catalogue each answer becomes.

Bence ships forms in its own words. The wording of the EORTC and EuroQol instruments is theirs: a centre that has a licence puts it into
a folder of its own, one TOML file a questionnaire, with items such as `qlq_c30_1` or `eq5d_mobility`.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..catalogue import Code, code, nearest
from ..errors import UsageError

Words = tuple[str, str]  # English, Chinese
Answers = Mapping[str, Any]  # code → what was answered; what is left out was not answered


@dataclass(frozen=True)
class Choice:
    """One of the answers that are offered: what is kept, and its words."""

    kept: float | str
    words: Words


@dataclass(frozen=True)
class Item:
    """One question. Without `choices` a number is asked for, in `unit`, between `low` and `high`."""

    code: str
    words: Words
    unit: str
    choices: tuple[Choice, ...]
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Questionnaire:
    """A questionnaire: its key, its title, its items in order."""

    key: str
    words: Words
    items: tuple[Item, ...]


def questionnaires(folder: str | Path | None = None) -> dict[str, Questionnaire]:
    """The questionnaires that Bence ships, and those of a centre's folder; UsageError for a file that is not one."""
    shipped = [path for path in files("bence.registry").joinpath("questionnaires").iterdir() if path.name.endswith(".toml")]
    found = {path.name[:-5]: path.read_text("utf-8") for path in shipped}
    if folder is not None:
        if not Path(folder).is_dir():
            raise UsageError(f"there is no folder {str(folder)!r}", expected="a folder of questionnaires, one TOML file each")
        for path in sorted(Path(folder).glob("*.toml")):
            if path.stem in found:
                raise UsageError(f"{path.name}: there is a questionnaire {path.stem!r} already", expected="another name")
            found[path.stem] = path.read_text("utf-8")
    return {key: _questionnaire(key, text) for key, text in found.items()}


def checked(questionnaire: Questionnaire, answers: Answers) -> Iterator[tuple[Item, float | str]]:
    """Every answer that was given, as it is kept. UsageError for the first that the questionnaire does not allow, or for none at all."""
    items = {item.code: item for item in questionnaire.items}
    for name in answers:
        if name not in items:
            raise UsageError(f"{questionnaire.key} does not ask for {name!r}", expected=", ".join(items), nearest=nearest(name, items))
    given = {name: value for name, value in answers.items() if value is not None and str(value).strip()}
    if not given:
        raise UsageError("nothing was answered", expected="an answer")
    return ((item, _kept(item, given[item.code])) for item in questionnaire.items if item.code in given)


def _kept(item: Item, given: Any) -> float | str:
    text = str(given).strip()
    number = _number(text)
    if item.choices:
        for choice in item.choices:
            if choice.kept in (text, number):
                return choice.kept
        raise UsageError(f"{text!r} is none of the answers", where=item.code, expected=", ".join(_told(one.kept) for one in item.choices))
    low, high = item.low, item.high
    if number is None or (low is not None and number < low) or (high is not None and number > high):
        between = f"a number from {_told(low)} to {_told(high)}" if low is not None and high is not None else "a number"
        raise UsageError(f"{text!r} is not possible", where=item.code, expected=f"{between} {item.unit}".strip())
    return number


def _number(text: str) -> float | None:
    try:
        found = float(unicodedata.normalize("NFKC", text).replace(",", ".").replace("。", "."))
    except ValueError:
        return None
    return found if abs(found) < 1e9 else None


def _told(value: float | str | None) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _questionnaire(key: str, text: str) -> Questionnaire:
    where = f"{key}.toml"
    try:
        told = tomllib.loads(text)
        items = tuple(_item(one, where) for one in told["item"])
        made = Questionnaire(key, (told["en"], told["zh"]), items)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"it is not TOML: {error}", where=where) from None
    except KeyError as error:
        raise UsageError(f"{error.args[0]} is missing", where=where, expected="en, zh, and for each item code, en, zh") from None
    names = [item.code for item in items]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"{', '.join(sorted(twice))} is asked twice", where=where)
    return made


def _item(told: Mapping[str, Any], where: str) -> Item:
    try:
        known = code(told["code"], "observation")
    except UsageError as error:
        raise UsageError(error.what, where=where, nearest=error.nearest) from None
    unit = told.get("unit", "")
    if unit != known.unit:
        raise UsageError(f"{known.code} is asked in {unit!r}", where=where, expected=f"the unit {known.unit!r}")
    choices = tuple(_choices(told.get("answers", ())))
    for choice in choices:
        fits = choice.kept in known.categories if isinstance(choice.kept, str) else known.numeric and _within(known, choice.kept)
        if not fits:
            raise UsageError(
                f"{known.code} is never {_told(choice.kept)!r}", where=where, expected=", ".join(known.categories) or "a number"
            )
    if not choices and not known.numeric:
        raise UsageError(f"{known.code} is not a number", where=where, expected=f"answers: {', '.join(known.categories)}")
    return Item(known.code, (told["en"], told["zh"]), unit, choices, known.low, known.high)


def _within(known: Code, value: float) -> bool:
    return (known.low is None or value >= known.low) and (known.high is None or value <= known.high)


def _choices(written: Any) -> Iterator[Choice]:
    """Answers as they are written: a list with words, or `0-10` for whole numbers."""
    if isinstance(written, str):
        low, _, high = written.partition("-")
        yield from (Choice(float(number), (str(number), str(number))) for number in range(int(low), int(high) + 1))
        return
    for one in written:
        yield Choice(one["text"] if "text" in one else float(one["value"]), (one["en"], one["zh"]))
