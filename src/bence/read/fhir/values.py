"""value[x], dates and texts of a resource → the cells of a row, as the readers of a chart expect them."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import Any

from ...catalogue import Code
from ..measurement import Written
from ..units import Refused, canonical
from .terms import ANSWERS, INTERPRETATION, OUR_EXTENSION, OURS, SCALE_OF, STAGE_OF, SYSTEMS, UCUM
from .ucum import unit_of

TAKEN = "valueQuantity, valueCodeableConcept, valueString, valueInteger or valueBoolean"
NOT_TAKEN = ("Range", "Ratio", "SampledData", "Time", "Period", "Attachment", "Reference")
MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?")
NOTHING = Written()


def written(node: dict[str, Any], code: Code) -> Written | Refused:
    """The value of an Observation or of a component, as cells; all None if there is none."""
    quantity = node.get("valueQuantity")
    if quantity is not None:
        return _quantity(quantity)
    concept = node.get("valueCodeableConcept")
    if concept is not None:
        said, stages = answer(concept), staged(concept)
        if stages and code.code not in stages:
            return Refused(f"its code is {code.code}, its value a stage of {' and '.join(stages)}", "a code and a stage of one scale")
        return Written(text=said) if code.kind in ("text", "chains") else Written(value=said)
    for kind in ("valueString", "valueInteger", "valueDateTime"):
        said = node.get(kind)
        if said is not None:
            return Written(text=str(said)) if code.kind in ("text", "chains") else Written(value=str(said))
    if (said := node.get("valueBoolean")) is not None:
        return Written(value="yes" if said is True else "no" if said is False else str(said))
    for kind in NOT_TAKEN:
        if f"value{kind}" in node:
            return Refused(f"a value{kind} cannot be taken", TAKEN)
    return NOTHING


def _quantity(quantity: Any) -> Written | Refused:
    if not isinstance(quantity, dict):
        return Refused("not a Quantity", TAKEN)
    value = quantity.get("value")
    unit = unit_written(quantity.get("unit"), quantity.get("system"), quantity.get("code"))
    if isinstance(unit, Refused):
        return unit
    if value is None:
        return NOTHING
    return Written(number_text(value), quantity.get("comparator"), None, unit)


def number_text(value: Any) -> str:
    """A number of JSON as it was written; one that is no number stays what it is, to be refused by its reader."""
    return value if isinstance(value, str) else repr(value) if isinstance(value, float) else str(value)


@cache
def unit_written(unit: str | None, system: str | None, code: str | None) -> str | Refused | None:
    """The unit of a Quantity: of its UCUM code, else of its text; refused where the two are different units."""
    by_code = unit_of(code) if code and (system == UCUM or system is None) else None
    if by_code is None:
        return unit or (code if system != UCUM else None)
    if unit:
        said = canonical(unit)
        if said is not None and said != by_code:
            return Refused(f"the unit says {unit}, its UCUM code {code}", "a unit and a code that are the same")
    return by_code


def answer(concept: Any) -> str | None:
    """The word of a coded answer: of our own code, of one that means a word, else its text."""
    if not isinstance(concept, dict):
        return None
    codings = [coding for coding in concept.get("coding") or () if isinstance(coding, dict)]
    for coding in codings:
        system, code = coding.get("system") or "", coding.get("code")
        if system == OURS and code:
            return code
        key = (SYSTEMS.get(system, system), str(code))
        if (said := ANSWERS.get(key) or STAGE_OF.get(key)) is not None:
            return said
    return text_of(concept)


def staged(concept: Any) -> dict[str, str]:
    """Scale and stage of a concept that is coded in NCI Thesaurus: a stage of ISS is none of R-ISS."""
    codings = (concept.get("coding") or ()) if isinstance(concept, dict) else ()
    keys = [(SYSTEMS.get(each.get("system") or "", ""), str(each.get("code"))) for each in codings if isinstance(each, dict)]
    return {SCALE_OF[key]: STAGE_OF[key] for key in keys if key in SCALE_OF}


def text_of(concept: Any) -> str | None:
    """A concept as a text: its text, else a display, else a code."""
    if not isinstance(concept, dict):
        return None
    codings = [coding for coding in concept.get("coding") or () if isinstance(coding, dict)]
    told = [concept.get("text"), *(c.get("display") for c in codings), *(c.get("code") for c in codings)]
    return next((each for each in told if isinstance(each, str) and each.strip()), None)


def beside(resource: dict[str, Any], code: Code) -> str | None:
    """What stands beside a number: an interpretation that is a word of the code, else a note where there are no such words."""
    for concept in resource.get("interpretation") or ():
        for coding in (concept.get("coding") or ()) if isinstance(concept, dict) else ():
            if coding.get("system") == OURS:
                return coding.get("code")
            said = ANSWERS.get((INTERPRETATION, str(coding.get("code"))))
            if said in code.words:
                return said
    if code.words or not code.numeric:
        return None
    return note(resource)


def note(resource: dict[str, Any]) -> str | None:
    """The first note."""
    notes = resource.get("note")
    if isinstance(notes, list) and notes and isinstance(notes[0], dict):
        return notes[0].get("text")
    return None


def local_day(moment: Any) -> str | None:
    """The day of a date or dateTime where it was written: 2025-01-09T23:30:00-05:00 is 9 January. What is no dateTime stays as it is.

    >>> local_day("2025-01-09T23:30:00-05:00"), local_day("2025-01"), local_day(None)
    ('2025-01-09', '2025-01', None)
    """
    if moment is None:
        return None
    if isinstance(moment, date):
        return moment.isoformat()[:10]
    text = str(moment)
    if len(text) > 10 and (match := MOMENT.fullmatch(text)):
        return match[1]
    return text


def days(resource: dict[str, Any], prefix: str) -> tuple[str | None, str | None]:
    """First and last day of a date, dateTime, instant, Period or one moment of a Timing; the last is None for a single day."""
    for kind in ("DateTime", "Instant", "Date"):
        if (moment := resource.get(prefix + kind)) is not None:
            return local_day(moment), None
    period = resource.get(prefix + "Period")
    if isinstance(period, dict):
        return local_day(period.get("start")), local_day(period.get("end"))
    timing = resource.get(prefix + "Timing")
    events = timing.get("event") if isinstance(timing, dict) else None
    return (local_day(events[0]), None) if isinstance(events, list) and len(events) == 1 else (None, None)


def extension(resource: dict[str, Any], name: str) -> Any:
    """The value of one of our own extensions, by the name of the column of a chart."""
    for each in resource.get("extension") or ():
        if isinstance(each, dict) and each.get("url") == OUR_EXTENSION + name:
            return next((value for key, value in each.items() if key.startswith("value")), None)
    return None
