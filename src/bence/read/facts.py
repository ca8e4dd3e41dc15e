"""The dated tables: observations, treatments, events."""

from __future__ import annotations

import re
from functools import partial

import polars as pl

from ..catalogue import codes, find, nearest, nearest_code
from ..chart import DATED
from . import cells
from .intake import NEEDED, Intake, Reader, reasons
from .measurement import Measured, Written, measured
from .patients import category, earliest, free, patient_key, true, unless
from .units import Refused, plain

MAY_BE_CODED = {"observations": ("observation",), "treatments": ("drug", "procedure"), "events": ("event",)}
AFTER_DEATH_DAYS = 30


def _flag(column: str, text: str) -> bool | Refused | None:
    found = category(column, text.lower())
    return found == "yes" if isinstance(found, str) else found


def observations(taken: Intake, people: pl.DataFrame) -> pl.DataFrame:
    """The table of observations."""
    _who_when_what(taken, people)
    _measure(taken)
    for column in ("method", "sample"):
        taken.settle(column, _method if column == "method" else free, pl.String)
    taken.settle("cells", _count, pl.Float64)
    taken.settle("status", partial(category, "status"), pl.String, fatal=True)  # shall the row count, or not?
    early = true(taken.settled["recorded_on"] < taken.settled["on"])
    taken.refuse(
        early,
        "recorded_on",
        Refused("recorded before it was collected", "a date from the day on"),
        fatal=False,
    )
    taken.settled["recorded_on"] = unless(early, taken.settled["recorded_on"])
    return taken.frame()


METHODS = {
    "aspirate": "骨髓涂片 涂片 穿刺 骨髓穿刺 smear 骨髓细胞学",
    "biopsy": "活检 骨髓活检 trephine core",
    "flow": "流式 流式细胞术 mfc",
    "ihc": "免疫组化 immunohistochemistry",
    "ngs": "二代测序 clonoseq",
    "ngf": "二代流式 euroflow",
}
METHOD_OF = {spelling: method for method, spellings in METHODS.items() for spelling in (method, *spellings.split())}


def _method(text: str) -> str | None:
    kept = free(text)
    if kept is None:
        return None
    return METHOD_OF.get(kept.lower(), kept)


def _count(text: str) -> float | Refused | None:
    found = cells.number(text)
    if found is None or isinstance(found, Refused):
        return found
    if isinstance(found, str) or found.comparator or found.value < 0 or found.unit:
        return Refused("not a count", "a number of cells")
    return found.value


def _measure(taken: Intake) -> None:
    """Value, comparator, text, unit and detection limit: read together, once for each distinct row."""
    rows = pl.DataFrame([taken.settled["what"], *(taken.texts(name).alias(name) for name in Written._fields)])
    distinct = rows.unique(maintain_order=True).drop_nulls("what")
    results = [measured(codes()[row[0]], Written(*row[1:]), decimal_comma=taken.decimal_comma) for row in distinct.iter_rows()]
    by, said = (
        list(rows.columns),
        {name: pl.Float64 if name in ("value", "detection_limit") else pl.String for name in Written._fields},
    )
    answers = pl.DataFrame(
        [result[:5] for result in results],
        schema={f"is_{name}": dtype for name, dtype in said.items()},
        orient="row",
    )
    place = pl.Series("place", range(len(results)), dtype=pl.Int64)
    joined = rows.join(
        distinct.hstack(answers).with_columns(place),
        on=by,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    for name in said:
        taken.settled[name] = joined[f"is_{name}"].alias(name)
    _enter_faults(taken, results, joined["place"])
    nothing = taken.settled["value"].is_null() & taken.settled["text"].is_null() & taken.keep & joined["place"].is_not_null()
    taken.blank = int(nothing.sum())
    taken.keep &= ~nothing


def _enter_faults(taken: Intake, results: list[Measured], place: pl.Series) -> None:
    kinds = sorted({(fault.column, fault.fatal) for result in results for fault in result.faults})
    for column, fatal in kinds:
        found = {
            i: fault.refused
            for i, result in enumerate(results)
            for fault in result.faults
            if (fault.column, fault.fatal) == (column, fatal)
        }
        taken.refuse(true(place.is_in(list(found))), column, reasons(place, found), fatal=fatal)


def treatments(taken: Intake, people: pl.DataFrame) -> pl.DataFrame:
    """The table of treatments. A treatment with an unknown start stands: the exposure is known."""
    _who_when_what(taken, people)
    taken.settle("stopped_on", partial(cells.date, excel=taken.excel), pl.Date)
    _not_before_start(taken, "started_on", "stopped_on")
    taken.settle("dose", _dose, pl.Float64)
    taken.settle("dose_unit", free, pl.String)
    inside = taken.texts("dose").map_elements(_dose_unit, return_dtype=pl.String)
    taken.settled["dose_unit"] = pl.select(pl.coalesce(taken.settled["dose_unit"], inside)).to_series()
    taken.settle("route", free, pl.String)
    for column in ("phase", "stop_reason"):
        taken.settle(column, partial(category, column), pl.String)
    taken.settle("line", partial(cells.whole, low=1, high=40), pl.Int32)
    taken.settle("planned", partial(_flag, "planned"), pl.Boolean)
    return taken.frame()


DOSE = re.compile(r"(?P<number>[\d.,]+(?:e[+-]?\d+)?)\s*(?P<unit>[^\d\s.,].*)?", re.IGNORECASE)


def _dose_unit(text: str) -> str | None:
    """The unit behind the number of a dose, whatever it is: mg, mg/m2, 10^6 cells/kg."""
    match = DOSE.fullmatch(plain(text))
    return match["unit"] if match else None


def _dose(text: str) -> float | Refused | None:
    match = DOSE.fullmatch(plain(text))
    found = cells.number(match["number"] if match else text)
    if found is None or isinstance(found, Refused):
        return found
    if isinstance(found, str) or found.comparator or found.value < 0:
        return Refused("not a dose", "a number of 0 or more")
    return found.value


def events(taken: Intake, people: pl.DataFrame) -> pl.DataFrame:
    """The table of events."""
    _who_when_what(taken, people)
    taken.settle("until", partial(cells.date, excel=taken.excel), pl.Date)
    _not_before_start(taken, "on", "until")
    taken.settle("grade", partial(cells.whole, low=0, high=5), pl.Int32)
    taken.settle("text", _event_text, pl.String)
    return taken.frame()


def _event_text(text: str) -> str | None:
    """`none` records absence; the same is written 无, 否, no."""
    return "none" if plain(text).lower() in ("none", "no", "无", "否", "没有", "absent") else free(text)


def _not_before_start(taken: Intake, start: str, end: str) -> None:
    before = true(taken.settled[end] < taken.settled[start])
    taken.refuse(before, end, Refused(f"before {start!r}", f"a date not before {start!r}"), fatal=False)
    taken.settled[end] = unless(before, taken.settled[end])


def _who_when_what(taken: Intake, people: pl.DataFrame) -> None:
    """Patient, day, code and day of record: the part that is the same in all dated tables."""
    on = DATED[taken.table]
    taken.settle("patient", _known_patient(people["patient"]), pl.String, fatal=True, required=True)
    must = on in NEEDED[taken.table]
    taken.settle(on, partial(cells.date, excel=taken.excel), pl.Date, fatal=must, required=must)
    taken.settle("what", partial(_coded, MAY_BE_CODED[taken.table]), pl.String, fatal=True, required=True)
    taken.settle("recorded_on", partial(cells.date, excel=taken.excel), pl.Date)
    life = pl.DataFrame([taken.settled["patient"]]).join(
        people.select("patient", "died_on", born=earliest(people["born_on"])),
        on="patient",
        how="left",
        maintain_order="left",
    )
    day = taken.settled[on]
    unborn = true(day < life["born"])
    taken.refuse(unborn, on, Refused("before birth", "a date after birth"), fatal=True)
    dead = true(day > life["died_on"].dt.offset_by(f"{AFTER_DEATH_DAYS}d"))
    taken.refuse(
        dead,
        on,
        Refused(f"more than {AFTER_DEATH_DAYS} days after death", "a date up to the date of death"),
        fatal=True,
    )


def _coded(grains: tuple[str, ...], text: str) -> str | Refused | None:
    if cells.blank(text):
        return None
    if found := find(text, *grains):
        return found.code
    expected = "a code of " + " or ".join(f"{grain}s" for grain in grains)
    for table, others in MAY_BE_CODED.items():
        if find(text, *others):
            return Refused(f"{plain(text)!r} belongs in the table of {table}", expected)
    return Refused(f"unknown {' or '.join(grains)} {plain(text)!r}", expected, nearest_code(text, *grains))


def _known_patient(known: pl.Series) -> Reader:
    """Accepts the keys of the table of patients; 1 is hinted to be 001 where leading zeros were lost."""
    keys = set(known)
    without_zeros = {key.lstrip("0"): key for key in keys}

    def reader(text: str) -> str | Refused | None:
        key = patient_key(text)
        if key is None or key in keys:
            return key
        near = without_zeros.get(key.lstrip("0")) or (nearest(key, keys) if len(keys) <= 2_000 else None)
        return Refused(f"patient {key!r} is not in the table of patients", "a patient of the table of patients", near)

    return reader
