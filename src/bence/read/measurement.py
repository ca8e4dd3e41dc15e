"""One observation as it is written (value, comparator, text, unit) → as it stands in a chart.

A function of one row and of nothing else. A table is read by calling it once for every distinct row.
"""

from __future__ import annotations

from typing import NamedTuple

from ..catalogue import Code, nearest, word
from .cells import COMPARATORS, Number, blank, number
from .immunofixation import Refusal, parse
from .units import Refused, accepted, factor, plain, plausible, rounded


class Written(NamedTuple):
    """The cells of a row that say what was found."""

    value: str | None = None
    comparator: str | None = None
    text: str | None = None
    unit: str | None = None
    detection_limit: str | None = None


class Fault(NamedTuple):
    """A cell that is not accepted; `fatal`: without it the row says nothing true and is left out."""

    column: str
    refused: Refused
    fatal: bool


class Measured(NamedTuple):
    """What a row says, in the canonical unit; all None: the row says nothing (a test not done)."""

    value: float | None = None
    comparator: str | None = None
    text: str | None = None
    unit: str | None = None
    detection_limit: float | None = None
    faults: tuple[Fault, ...] = ()


def measured(code: Code, written: Written, *, decimal_comma: bool = False) -> Measured:
    """What a row of this code says.

    >>> from bence.catalogue import code
    >>> measured(code("kappa_flc"), Written("<0.55", unit="mg/dL"))[:4]
    (5.5, '<', None, 'mg/L')
    >>> measured(code("gain_1q"), Written("阳性")).text, measured(code("t_4_14"), Written(text="pos")).text
    ('positive', 'positive')
    """
    if code.kind == "chains":
        return _chains(written)
    if code.kind == "text":
        return Measured(text=_kept(written.text) or _kept(written.value))
    if code.numeric and blank(written.value) and isinstance(number(written.text), Number):
        written = written._replace(value=written.text, text=None)
    reading = _reading(code, written.value, decimal_comma)
    faults: list[Fault] = []
    if isinstance(reading, Refused):
        faults.append(Fault("value", reading, True))
    text = _text(code, reading, written.text, faults)
    value, times = _value(code, reading, text, written.unit, faults)
    comparator = _comparator(reading, written.comparator, faults)
    if (contradicted := _contradicted(code, text, value, comparator)) is not None:
        faults.append(contradicted)
        text = None
    limit = _limit(code, written, times, faults)
    unit = code.unit or None if value is not None or limit is not None else None
    return Measured(value, comparator, text, unit, limit, tuple(faults))


def _kept(text: str | None) -> str | None:
    return None if text is None or blank(text) else text.strip()


def _chains(written: Written) -> Measured:
    """An immunofixation: the chains in the text, or in the value where the text is blank."""
    column, text = ("text", written.text) if _kept(written.text) else ("value", written.value)
    if text is None or blank(text):
        return Measured()
    found = parse(text)
    if isinstance(found, Refusal):
        refused = Refused(found.reason, "negative, or the chains found, such as igg_kappa")
        return Measured(faults=(Fault(column, refused, True),))
    return Measured(text=found.text)


def _reading(code: Code, cell: str | None, decimal_comma: bool) -> Number | str | Refused | None:
    """A number, or a word of the code, from the value cell."""
    if cell is None:
        return None
    if code.numeric:
        found = None if blank(cell) else number(cell, decimal_comma=decimal_comma)
        if found is None or isinstance(found, Number):
            return found
        if isinstance(found, Refused) and code.words and not word(cell, code) and not any(map(str.isdigit, cell)):
            return _no_word(code, cell)
        return word(cell, code) or (found if isinstance(found, Refused) else _no_number(code, cell))
    category = word(cell, code)
    if category or blank(cell):
        return category
    found = number(cell)
    if isinstance(found, Number) and found.value == int(found.value) and not found.comparator:
        category = word(str(int(found.value)), code)
    return category or _no_word(code, cell)


def _no_number(code: Code, cell: str) -> Refused:
    return Refused(f"{plain(cell)!r} is not a number", f"a number in {code.unit}" if code.unit else "a number")


def _no_word(code: Code, cell: str) -> Refused:
    expected = ", ".join(code.words) + (", or a number" if code.numeric else "")
    return Refused(f"{plain(cell)!r} is not a result of {code.code}", expected, nearest(plain(cell), code.words))


def _text(code: Code, reading: Number | str | Refused | None, cell: str | None, faults: list[Fault]) -> str | None:
    """The category, from the text cell or the value cell; free text beside a number stays as a note."""
    said = reading if isinstance(reading, str) else None
    category = word(cell, code) if cell and code.words else None
    if category is None and (cell is None or blank(cell)):
        return said
    if category is None and code.numeric and not code.words and isinstance(reading, Number):
        return _kept(cell)
    if category is None:
        faults.append(
            Fault(
                "text",
                _no_word(code, cell or "") if code.words else _no_number(code, cell or ""),
                reading is None,
            )
        )
        return said
    if said and said != category and category not in code.sets.get(said, ()):
        faults.append(Fault("text", Refused(f"the value says {said}", "one result"), True))
    return category


def _value(
    code: Code,
    reading: Number | str | Refused | None,
    text: str | None,
    unit: str | None,
    faults: list[Fault],
) -> tuple[float | None, float | None]:
    """The value in the canonical unit, and the factor of the unit of the row."""
    if not isinstance(reading, Number):
        low, high, *_ = code.intervals.get(text or "", (0, 1))
        times = factor(code, unit)
        return (low if low == high else None), (None if isinstance(times, Refused) else times)
    times = _factor(code, reading, unit, faults)
    if times is None:
        return None, None
    value = reading.value if times == 1 else rounded(reading.value * times)
    if (slip := plausible(code, value, times)) is not None:
        faults.append(Fault("value", slip, True))
        return None, times
    return value, times


def _contradicted(code: Code, text: str | None, value: float | None, comparator: str | None) -> Fault | None:
    """`negative` beside 5 % of del(17p): the number is exact, the word is a cut-off of the laboratory."""
    if value is None or comparator or text not in code.intervals or _within(value, code, text):
        return None
    return Fault("text", Refused(f"{text} does not go with {value:g}", "the number alone"), False)


def _within(value: float, code: Code, text: str) -> bool:
    low, high, low_open, high_open = code.intervals[text]
    return (low < value if low_open else low <= value) and (value < high if high_open else value <= high)


def _factor(code: Code, reading: Number, unit: str | None, faults: list[Fault]) -> float | None:
    """The factor of the unit: written in the cell, in the unit column, or in both if they agree."""
    column = _kept(unit)
    times = factor(code, reading.unit or column)
    if isinstance(times, Refused):
        faults.append(Fault("value" if reading.unit else "unit", times, True))
        return None
    if reading.unit and column and factor(code, column) != times:
        refused = Refused(f"the value says {reading.unit}, the unit column {plain(column)}", " or ".join(accepted(code)))
        faults.append(Fault("unit", refused, True))
        return None
    return times


def _comparator(reading: Number | str | Refused | None, cell: str | None, faults: list[Fault]) -> str | None:
    if not isinstance(reading, Number):
        return None
    if cell is None or blank(cell) or plain(cell) == "=":
        return reading.comparator
    column = COMPARATORS.get(plain(cell).lower())
    if column is None:
        faults.append(Fault("comparator", Refused("not a comparator", "<, > or blank"), True))
    elif reading.comparator and reading.comparator != column:
        faults.append(Fault("comparator", Refused(f"the value says {reading.comparator}", "one comparator"), True))
    return column


def _limit(code: Code, written: Written, times: float | None, faults: list[Fault]) -> float | None:
    """The detection limit, in the unit it carries or else in that of the row."""
    if written.detection_limit is None or not (found := number(written.detection_limit)):
        return None
    if not isinstance(found, Number) or found.value < 0:
        faults.append(
            Fault(
                "detection_limit",
                found if isinstance(found, Refused) else Refused("not a number", "a number"),
                False,
            )
        )
        return None
    own = factor(code, found.unit) if found.unit else times
    if own is None or isinstance(own, Refused):
        faults.append(Fault("detection_limit", own or Refused("no unit", " or ".join(accepted(code))), False))
        return None
    return found.value if own == 1 else rounded(found.value * own)
