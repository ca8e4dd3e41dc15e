"""What is written in one cell: numbers, dates, blanks, as hospitals write them.

Pure functions of one text. A cell that cannot be accepted gives a `Refused` with the reason and the expected
form. Nothing is guessed: 01/02/2025 and 1.234,5 are refused because they have two readings.
"""

from __future__ import annotations

import math
import re
from datetime import date as Date
from datetime import timedelta
from functools import cache
from typing import NamedTuple

from ..catalogue import codes, fold
from .units import Refused, canonical, plain

BLANKS = frozenset(
    """
    |-|--|---|—|——|/|//|\\|.|..|?|??|na|n/a|n.a.|n.a|#n/a|null|nil|(null)|<na>|missing|unknown|unk|tnp|qns
    |not done|not performed|not tested|not available|not collected|not applicable|无|未做|未查|未测
    |未检|未检测|未送检|未做检查
    |未采集|未知|不详|缺失|待查|空
    """.replace("\n    ", "").split("|")
)
COMPARATORS = {
    "<": "<", "<=": "<", "≤": "<", "≦": "<", "小于": "<", "低于": "<", "少于": "<", 
    "less than": "<", "below": "<", "under": "<",
    ">": ">", ">=": ">", "≥": ">", "≧": ">", "大于": ">", "高于": ">", "超过": ">", 
    "more than": ">", "above": ">", "over": ">",
}  # fmt: skip
SIDES = {"及以下": "<", "以下": "<", "及以上": ">", "以上": ">"}
LETTERS = r"(?<![a-z/])(?:h|l|hh|ll)(?![a-z/])"  # H, L: high, low; not the litre of g/L
MARK = rf"(?:[↑↓⬆⬇▲▼☆★!]|\*(?!\s*10)|\((?:h|l|hh|ll|high|low|高|低|偏高|偏低|↑|↓)\)|偏高|偏低|{LETTERS})"
ANY_COMPARATOR = "|".join(sorted(map(re.escape, COMPARATORS), key=len, reverse=True))
NUMBER = re.compile(
    rf"^(?:{MARK}\s*)*(?P<comparator>{ANY_COMPARATOR})?\s*"
    rf"(?P<sign>[+-]?)\s*(?P<number>\d+(?:,\d+)*(?:\.\d*)?|\.\d+)"
    rf"(?P<power>e[+-]?\d+(?![\d/])|\s*[x×*·]\s*10\s*(?:\^|\*\*|e)\s*[+-]?\d+(?![\d/])|\^[+-]?\d+(?![\d/]))?"
    rf"\s*(?P<rest>.*?)(?P<side>{'|'.join(SIDES)})?$",
    re.IGNORECASE | re.DOTALL,
)
MARKS = re.compile(rf"^(?:\s*{MARK}\s*)+|(?:\s*{MARK}\s*)+$", re.IGNORECASE)
RANGE = re.compile(r"^[\d.]+\s*(?:-|~|–|—|to|至|到)\s*[\d.]+")


SIMPLE = re.compile(r"[<>]?[0-9]{1,15}(\.[0-9]{1,15})?")


class Number(NamedTuple):
    """A number, `<` or `>` where only a bound is known, and the unit if one was written in the cell."""

    value: float
    comparator: str | None = None
    unit: str = ""


def blank(text: str | None) -> bool:
    """Is this a missing value? (empty, -, /, NA, null, 无, 未做, 未查, TNP …)

    >>> [blank(text) for text in ("", " — ", "N/A", "未查", "0", "阴性")]
    [True, True, True, True, False, False]
    """
    return text is None or plain(text).lower() in BLANKS


@cache
def _detected() -> dict[str, str]:
    words = {}
    for name in ("negative", "positive"):
        code = codes()[name]
        words.update({fold(text): name for text in (code.code, code.en, code.zh, *code.aliases) if not set(text) <= set("+-()")})
    return words


def number(text: str | None, *, decimal_comma: bool = False) -> Number | str | Refused | None:
    """The number in a cell; `negative` or `positive` for words such as 未检出; None for a blank; else why it is refused.

    `decimal_comma`: the file may come from a place that writes 3,5 for three and a half, so 1,234 has two readings.

    >>> number("＜０.５"), number("12.3↑"), number("1,234.5 mg/L")
    (Number(value=0.5, comparator='<', unit=''), Number(value=12.3, comparator=None, unit=''), Number(value=1234.5, comparator=None, unit='mg/L'))
    >>> number("未检出"), number("1.234,5").reason
    ('negative', 'a number with two readings')
    """  # noqa: E501
    if text is None:
        return None
    if SIMPLE.fullmatch(text):
        return Number(float(text.lstrip("<>")), text[0] if text[0] in "<>" else None)
    if blank(text):
        return None
    cell = plain(text)
    if (found := _detected().get(fold(cell))) is not None:
        return found
    if re.fullmatch(r"[+-]?(nan|inf|infinity|∞)", cell.lower()):
        return Refused("not a finite number", "a number")
    if re.match(r"^[~≈约大]", cell):
        return Refused("an approximate number", "a number, or a bound such as <0.5")
    if RANGE.match(cell) and not re.match(r"^[\d.]+e-\d", cell.lower()):
        return Refused("a range, not a number", "one number such as 12.5 or 1e-5, or a bound such as <0.5")
    match = NUMBER.match(cell)
    if not match:
        return Refused("not a number", "a number")
    return _number(match, decimal_comma)


def _number(match: re.Match[str], decimal_comma: bool) -> Number | Refused:
    digits, rest = match["number"], MARKS.sub("", match["rest"]).strip()
    if "," in digits or rest.startswith((",", ".")):
        thousands = re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", digits) and not rest.startswith((",", "."))
        unclear = decimal_comma and "." not in digits and digits.count(",") == 1
        if not thousands or unclear:
            return Refused("a number with two readings", "a number with a decimal point, such as 1234.5")
    value = _raised(digits.replace(",", ""), match["power"] or "") * (-1 if match["sign"] == "-" else 1)
    if not math.isfinite(value):
        return Refused("not a finite number", "a number")
    if rest and canonical(rest) is None:
        if re.match(r"^[\d\s]", rest):
            return Refused("more than one number", "one number")
        return Refused(f"{rest!r} after the number is not a known unit", "a number, with or without its unit")
    comparator = COMPARATORS.get((match["comparator"] or "").lower()) or SIDES.get(match["side"] or "")
    return Number(value, comparator, rest)


def _raised(digits: str, power: str) -> float:
    """1.2 and `×10^9` give 1.2e9; 10 and `^-5` give 1e-5."""
    exponent = re.search(r"[+-]?\d+$", power)
    tens = exponent[0] if exponent else "0"
    if power.startswith("^"):
        return float(digits) ** int(tens) if len(tens) < 4 else math.inf
    return float(f"{digits}e{tens}")


ORDERED = re.compile(r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})(?=$|\d{4}$|\d{6}$|[\sT])")
NAMED = re.compile(
    r"^(\d{1,2})[-\s]?([a-z]{3})[a-z]*[-,\s]*(\d{4})|^([a-z]{3})[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})",
    re.I,
)
CLOCK = re.compile(r"^(?:[T\s]*\d{1,2}[:时]\d{1,2}.*|[T\s]*\d{4}(?:\d{2})?|\s*[上下]午.*)?$")
MONTHS = {name: i for i, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)}
FORM = "a date written year first, such as 2025-01-09"


def date(text: str | None, *, excel: bool = False) -> Date | Refused | None:
    """The day in a cell; None for a blank; else why it is refused. `excel`: numbers may be days since 1900.

    >>> date("2025年1月9日"), date("20250109"), date("2025-01-09 08:30")
    (datetime.date(2025, 1, 9), datetime.date(2025, 1, 9), datetime.date(2025, 1, 9))
    >>> date("01/02/2025").reason, date("2025-02-30").reason
    ('a date with two readings', 'there is no such day')
    """
    if text is None or blank(text):
        return None
    cell = plain(text)
    for pattern in (ORDERED, COMPACT, NAMED):
        if match := pattern.match(cell):
            if not CLOCK.match(cell[match.end() :]):
                return Refused("not a date", FORM)
            return _day(*_parts(match))
    if excel and re.fullmatch(r"\d{1,6}(\.\d+)?", cell):
        return _in_range(Date(1899, 12, 30) + timedelta(days=int(float(cell))))
    if re.match(r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}", cell):
        return Refused("a date with two readings", FORM)
    if re.match(r"^\d{4}([-/.年]\d{1,2}月?)?年?$", cell):
        return Refused("a date without its day", FORM)
    return Refused("not a date", FORM)


def _parts(match: re.Match[str]) -> tuple[int, int, int]:
    groups = [group for group in match.groups() if group]
    if groups[0].isalpha():
        return int(groups[2]), MONTHS.get(groups[0].lower(), 0), int(groups[1])
    if groups[1].isalpha():
        return int(groups[2]), MONTHS.get(groups[1].lower(), 0), int(groups[0])
    return int(groups[0]), int(groups[1]), int(groups[2])


def _day(year: int, month: int, day: int) -> Date | Refused:
    try:
        return _in_range(Date(year, month, day))
    except ValueError:
        return Refused("there is no such day", FORM)


def _in_range(day: Date) -> Date | Refused:
    return day if 1900 <= day.year <= 2100 else Refused(f"the year {day.year}", "a year from 1900 to 2100")


SPAN = re.compile(r"\d{4}-\d{2}-\d{2}/\d{4}-\d{2}-\d{2}")


def birth(text: str | None, *, excel: bool = False) -> str | Refused | None:
    """A date of birth as ISO text, to the precision it is known: 1960, 1960-05 or 1960-05-03.

    What an age leaves open stands as first and last day: 1949-06-02/1950-06-01.

    >>> birth("1960"), birth("1960年5月"), birth("1960/5/3")
    ('1960', '1960-05', '1960-05-03')
    """
    if text is None or blank(text):
        return None
    cell = plain(text)
    if SPAN.fullmatch(cell):
        return _span(*cell.split("/"))
    if match := re.fullmatch(r"(\d{4})\s*年?(?:\.0)?", cell):
        return _in_range_year(int(match[1]), match[1])
    if match := re.fullmatch(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?", cell):
        month = int(match[2])
        if not 1 <= month <= 12:
            return Refused("there is no such month", "a date of birth such as 1960, 1960-05 or 1960-05-03")
        return _in_range_year(int(match[1]), f"{match[1]}-{month:02}")
    day = date(text, excel=excel)
    return day.isoformat() if isinstance(day, Date) else day


def _span(first: str, last: str) -> str | Refused:
    try:
        ordered = Date.fromisoformat(first) <= Date.fromisoformat(last)
    except ValueError:
        return Refused("there is no such day", FORM)
    return f"{first}/{last}" if ordered else Refused("the first day is after the last", "first/last day of birth")


def _in_range_year(year: int, text: str) -> str | Refused:
    return text if 1850 <= year <= 2100 else Refused(f"the year {year}", "a year from 1850 to 2100")


HAN = {han: i for i, han in enumerate("一二三四五六七八九十", 1)}


def whole(text: str | None, low: int, high: int) -> int | Refused | None:
    """A whole number from low to high: 2, 2.0, 第2线, 二线, 3级.

    >>> whole("第二线", 1, 40), whole("2.5", 1, 40).reason
    (2, 'not a whole number')
    """
    if text is None or blank(text):
        return None
    cell = re.sub(r"^第|[线级度L]$|^(?:grade|line|G|LOT)\s*", "", plain(text), flags=re.IGNORECASE)
    found = Number(HAN[cell]) if cell in HAN else number(cell)
    expected = f"a whole number from {low} to {high}"
    if not isinstance(found, Number) or found.comparator or found.value != int(found.value):
        return Refused("not a whole number", expected)
    return int(found.value) if low <= found.value <= high else Refused(f"{found.value:g} is out of range", expected)
