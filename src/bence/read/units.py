"""Units: what a spelling of a unit means, and the factor into the canonical unit of a code.

A factor belongs to a code, not to a pair of units: mg/dL is 88.4 umol/L of creatinine.
The factors are in the catalogue, column `other_units`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import NamedTuple

from ..catalogue import Code, nearest

COUNTED = ("", "copies")  # canonical units of counts, scores and ratios: no unit has to be written

# Canonical spelling: other spellings, folded (lower case, no spaces, u for micro).
SPELLINGS = {
    "g/L": "gm/l 克/升",
    "g/dL": "g% gm/dl g/100ml gm%",
    "mg/L": "毫克/升",
    "mg/dL": "mg% mg/100ml",
    "ug/L": "mcg/l 微克/升",
    "ng/mL": "",
    "ug/mL": "mcg/ml",
    "pg/mL": "",
    "ug": "mcg 微克",
    "ng": "纳克",
    "ng/L": "",
    "mmol/L": "mm/l 毫摩尔/升 mmol",
    "umol/L": "mcmol/l 微摩尔/升 umol",
    "nmol/L": "",
    "pmol/L": "",
    "meq/L": "",
    "U/L": "iu/l [iu]/l units/l unit/l 单位/升",
    "ukat/L": "",
    "IU/mL": "[iu]/ml u/ml",
    "kIU/L": "ku/l k[iu]/l",
    "10^9/L": "10e9/l 10e+9/l e9/l 109/l giga/l k/ul k/mm3 10^3/ul 10e3/ul 103/ul 10^3/mm3 10e3/mm3 thou/ul",
    "cells/uL": "/ul cell/ul 个/ul 个/微升 /mm3 cells/mm3 cell/mm3 个/mm3 {cells}/ul",
    "/L": "cells/l cell/l 个/l 个/升",
    "%": "percent pct",
    "fraction": "",
    "10^-4": "1e-4 10e-4 /10^4",
    "10^-5": "1e-5 10e-5 /10^5",
    "10^-6": "1e-6 10e-6 /10^6 ppm permillion /million",
    "mL/min": "ml/minute ml/分 ml/分钟",
    "mL/s": "ml/sec",
    "mL/min/1.73m2": "ml/min/1.73 ml/min/1.73m^2 ml/min/1.73平方米 ml/min/{1.73_m2} ml/min/1.73sqm "
    "ml/(min.1.73m2) ml/(min*1.73m2) ml/min.1.73m2 ml/min*1.73m2 ml/min·1.73m2",
    "mPa.s": "mpas mpa*s mpa·s",
    "cP": "",
    "kg": "公斤 千克 kgs",
    "g": "克 gm",
    "lb": "lbs pound pounds [lb_av]",
    "cm": "厘米",
    "mm": "毫米",
    "m": "米",
    "in": "inch inches [in_i]",
    "cm2": "cm^2 sqcm 平方厘米 cm*cm cmxcm",
    "mm2": "mm^2 sqmm 平方毫米",
    "degC": "°c c 度 cel 摄氏度 oc",
    "mmHg": "mm[hg] 毫米汞柱",
    "kPa": "",
    "/min": "bpm 次/分 次/分钟 beats/min 1/min",
    "ms": "msec 毫秒",
    "s": "sec 秒",
    "copies": "copy 拷贝 拷贝数 个拷贝",
    "": "1 ratio {ratio} 比值 score {score} 分 points point 个 处 枚 count {count} 级 grade n number",
}
A_DAY = (
    "/24hr",
    "/24hrs",
    "/24hour",
    "/24hours",
    "/24小时",
    "/d",
    "/day",
    "/天",
    "/日",
    "/(24h)",
    "/(24.h)",
    "/24h尿",
)
SPELLINGS |= {f"{amount}/24h": " ".join(amount.lower() + end for end in A_DAY) for amount in ("mg", "g", "mL", "L")}
SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
POWER = re.compile(r"[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")


class Refused(NamedTuple):
    """Why a cell was not accepted, what was expected, and the nearest right name."""

    reason: str
    expected: str = ""
    nearest: str | None = None


def plain(text: str) -> str:
    """A text in ordinary characters: half width, ^9 for ⁹, ordinary and no outer spaces."""
    if text.isascii():
        return text.strip()
    raised = POWER.sub(lambda match: "^" + match[0].translate(SUPERSCRIPT), text)
    return unicodedata.normalize("NFKC", raised).replace("−", "-").strip()


def _fold(text: str) -> str:
    folded = re.sub(r"\s+", "", plain(text)).lower().replace("μ", "u").strip("()") if text else ""
    folded = re.sub(r"^[×x*]?(10)\*\*?(?=\d)", r"10^", folded)
    folded = re.sub(r"(?<=\d)\*(?=\d/)", "^", folded)
    return re.sub(r"^[×x*](?=10)", "", folded)


@cache
def _table() -> dict[str, str]:
    table = {_fold(unit): unit for unit in SPELLINGS if unit}
    for unit, others in SPELLINGS.items():
        table.update({_fold(other): unit for other in others.split()})
    return table


@cache
def canonical(text: str) -> str | None:
    """The canonical spelling of a unit ("" for a count or ratio), or None if the spelling is unknown.

    >>> canonical("×10^9/L"), canonical("µmol/l"), canonical("mg/24小时"), canonical("parsec")
    ('10^9/L', 'umol/L', 'mg/24h', None)
    """
    return _table().get(_fold(text)) if text else ""


def accepted(code: Code) -> tuple[str, ...]:
    """The units accepted for a code, its canonical unit first."""
    return (code.unit, *code.other_units) if code.unit else tuple(code.other_units)


@cache
def factor(code: Code, unit: str | None) -> float | Refused:
    """What a value in this unit is multiplied by to be in the canonical unit of the code."""
    expected = " or ".join(accepted(code)) or "no unit"
    if not (unit or "").strip():
        return 1.0 if code.unit in COUNTED else Refused(f"{code.code} needs a unit", expected)
    if code.unit == "10^9/L" and (unit or "").strip() == "G/L":  # giga per litre: only the capital tells it from gram
        return 1.0
    name = canonical(unit or "")
    if name is None:
        return Refused(f"unknown unit {unit!r}", expected, nearest(unit or "", accepted(code)))
    if name == code.unit or (name == "" and code.unit in COUNTED):
        return 1.0
    if name in code.other_units:
        return code.other_units[name]
    return Refused(f"{code.code} is not measured in {name or 'a number without unit'}", expected)


def rounded(value: float) -> float:
    """The value to 12 significant digits, so that 0.55 mg/dL is 5.5 mg/L."""
    return float(f"{value:.12g}")


def plausible(code: Code, value: float, factor: float = 1.0) -> Refused | None:
    """None if the value, in the canonical unit, can be true; else why not, and the unit probably meant."""
    low = -float("inf") if code.low is None else code.low
    high = float("inf") if code.high is None else code.high
    if low <= value <= high:
        return None
    span = f"{low:g} to {high:g} {code.unit}".strip()
    written = rounded(value / factor)
    meant = [f"{written:g} {unit} would be {rounded(written * other):g} {code.unit}"
             for unit, other in {code.unit: 1.0, **code.other_units}.items()
             if other != factor and low <= rounded(written * other) <= high]  # fmt: skip
    hint = f" ({meant[0]})" if meant else ""
    return Refused(f"{code.code} {value:g} {code.unit}".strip() + " is not plausible", span + hint)


def convert(code: Code, value: float, unit: str | None) -> float | Refused:
    """The value in the canonical unit of the code, or why it is refused.

    >>> from bence.catalogue import code
    >>> convert(code("kappa_flc"), 0.55, "mg/dL")
    5.5
    >>> convert(code("albumin"), 4.2, "g/L").expected
    '8 to 70 g/L (4.2 g/dL would be 42 g/L)'
    """
    times = factor(code, unit)
    if isinstance(times, Refused):
        return times
    result = value if times == 1 else rounded(value * times)
    return plausible(code, result, times) or result
