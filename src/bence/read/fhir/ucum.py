"""Units of Bence ↔ codes of UCUM (unitsofmeasure.org)."""

from __future__ import annotations

import re
from functools import cache

from ..units import canonical

CODES = {
    "": "1", "copies": "{copies}", "fraction": "1", "10^9/L": "10*9/L", "10^-4": "10*-4", "10^-5": "10*-5", "10^-6": "10*-6",
    "cells/uL": "{cells}/uL", "mg/24h": "mg/(24.h)", "g/24h": "g/(24.h)", "mL/24h": "mL/(24.h)", "L/24h": "L/(24.h)",
    "IU/mL": "[IU]/mL", "kIU/L": "k[IU]/L", "ukat/L": "ukat/L", "cP": "cP", "degC": "Cel", "mmHg": "mm[Hg]", "lb": "[lb_av]",
    "in": "[in_i]", "mL/min/1.73m2": "mL/min/{1.73_m2}", "meq/L": "meq/L", "10^6 cells/kg": "10*6.{cells}/kg",
    "10^6 cells": "10*6.{cells}", "10^8 cells/kg": "10*8.{cells}/kg", "cells": "{cells}", "cells/kg": "{cells}/kg",
}  # fmt: skip
UNITS = {code: unit for unit, code in CODES.items() if unit not in ("", "fraction")}
PLAIN = re.compile(r"(?:[munkc]?(?:g|mol|L|m|Gy|s|U|kat)|d[Lg]|%|Pa)(?:[/.](?:[munkc]?(?:g|mol|L|m2?|d)|dL|min|h|s))*|mPa\.s|[cm]m2")
ANNOTATED = re.compile(r"\{[^{}]*\}")


@cache
def ucum(unit: str | None) -> str:
    """The UCUM code of a unit; a unit that UCUM does not have is an annotation, which counts as 1.

    >>> ucum("mg/24h"), ucum("g/L"), ucum(None), ucum("tablets")
    ('mg/(24.h)', 'g/L', '1', '{tablets}')
    """
    if not unit:
        return "1"
    if unit in CODES:
        return CODES[unit]
    if PLAIN.fullmatch(unit):
        return unit
    plain = re.sub(r"[^!-z|~]", "_", unit)
    return "{" + plain + "}"


@cache
def unit_of(code: str) -> str | None:
    """The unit that a UCUM code means, as the readers of a chart know it; None where it is an annotation alone.

    >>> unit_of("10*9/L"), unit_of("mg/(24.h)"), unit_of("{ratio}"), unit_of("mL/min/{1.73_m2}")
    ('10^9/L', 'mg/24h', '', 'mL/min/1.73m2')
    """
    if code in UNITS:
        return UNITS[code]
    if code == "1":
        return ""
    known = canonical(code)
    if known is not None:
        return known
    bare = ANNOTATED.sub("", code)
    if not bare:
        return None
    return canonical(bare) or bare
