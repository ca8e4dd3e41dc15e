"""The table of patients."""

from __future__ import annotations

from functools import partial

import polars as pl

from ..catalogue import codes, nearest, word
from ..chart import SCHEMA
from ..errors import ChartError
from . import cells
from .immunofixation import Finding, parse
from .intake import LINE, Intake
from .units import Refused, plain


def patient_key(text: str) -> str | None:
    """The key of a patient: the text as it is written, without outer spaces."""
    return None if cells.blank(text) else text.strip("\ufeff\u00a0 \t\r\n")


def free(text: str) -> str | None:
    """Any text that is not a blank."""
    return None if cells.blank(text) else text.strip()


def category(column: str, text: str) -> str | Refused | None:
    """A category of a column. Here 无 is a blank: it may say `none` or `nothing recorded`."""
    if cells.blank(text):
        return None
    code = codes()[column]
    found = word(text, code)
    if found is not None:
        return found
    near = nearest(plain(text), code.words)
    return Refused(f"{plain(text)!r} is not accepted as {column}", ", ".join(code.words), near)


def patients(taken: Intake) -> pl.DataFrame:
    """The table of patients. Two different rows of one patient are a ChartError that names both lines."""
    taken.settle("patient", patient_key, pl.String, fatal=True, required=True)
    taken.settle("born_on", partial(cells.birth, excel=taken.excel), pl.String)
    for column in ("died_on", "last_seen_on"):
        taken.settle(column, partial(cells.date, excel=taken.excel), pl.Date)
    for column in ("centre", "death_cause"):
        taken.settle(column, free, pl.String)
    taken.settle("sex", partial(category, "sex"), pl.String)
    taken.settle("light_chain", _light_chain, pl.String)
    taken.settle("heavy_chain", _heavy_chain, pl.String)
    _light_from_heavy(taken)
    _life_in_order(taken)
    _refuse_twins(taken)
    return taken.frame()


def _life_in_order(taken: Intake) -> None:
    """Birth, last visit and death, in this order."""
    born, died, seen = (taken.settled[name] for name in ("born_on", "died_on", "last_seen_on"))
    unborn = true(died < earliest(born))
    taken.refuse(unborn, "died_on", Refused("death before birth", "a date after birth"), fatal=False)
    dead = true(seen > died) & ~unborn
    taken.refuse(dead, "last_seen_on", Refused("seen after death", "a date up to the date of death"), fatal=False)
    taken.settled["died_on"] = unless(unborn, died)
    taken.settled["last_seen_on"] = unless(dead, seen)


def earliest(born: pl.Series) -> pl.Series:
    """The first day that a date of birth can mean: 1960 may be 1960-01-01."""
    days = [(pl.col("born") + end).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False) for end in ("-01-01", "-01")]
    return pl.DataFrame({"born": born}).select(pl.coalesce(days)).to_series()


def true(mask: pl.Series) -> pl.Series:
    """Where a comparison is true; an unknown is not."""
    return mask.fill_null(False)


def unless(mask: pl.Series, series: pl.Series) -> pl.Series:
    """The series, blank where the mask is true."""
    return pl.select(pl.when(~mask).then(series)).to_series()


def _single_chain(text: str) -> tuple[str, str] | None:
    """Heavy and light chain of a text that names exactly one M-protein: IgG-κ is igg and kappa."""
    found = parse(text)
    if not isinstance(found, Finding) or len(found.chains) != 1:
        return None
    heavy, _, light = found.chains[0].partition("_")
    return (heavy, light) if heavy.startswith("ig") else ("none", heavy)


def _heavy_chain(text: str) -> str | Refused | None:
    found = category("heavy_chain", text)
    chain = _single_chain(text) if isinstance(found, Refused) else None
    return chain[0] if chain else found


def _light_chain(text: str) -> str | Refused | None:
    found = category("light_chain", text)
    chain = _single_chain(text) if isinstance(found, Refused) else None
    return chain[1] if chain and chain[1] else found


def _light_from_heavy(taken: Intake) -> None:
    """Where the type is written in one cell (IgG-κ) and the light chain is blank, the cell tells both."""
    texts = taken.texts("heavy_chain")
    written = (text for text in texts.unique().drop_nulls() if isinstance(category("heavy_chain", text), Refused))
    chains = {text: chain[1] for text in written if (chain := _single_chain(text)) and chain[1]}
    if not chains:
        return
    lights = pl.Series(list(chains.values()), dtype=pl.String)
    light = texts.replace_strict(list(chains), lights, default=None, return_dtype=pl.String)
    taken.settled["light_chain"] = pl.select(pl.coalesce(taken.settled["light_chain"], light)).to_series()


def _refuse_twins(taken: Intake) -> None:
    columns = [taken.settled[name].alias(name) for name in SCHEMA["patients"]]
    rows = pl.DataFrame([taken.raw[LINE], *columns]).filter(taken.keep)
    distinct = rows.unique(list(SCHEMA["patients"]), keep="first", maintain_order=True)
    twins = distinct.filter(pl.col("patient").is_duplicated()).sort("patient", LINE)
    if not twins.height:
        return
    first, second = twins.row(0, named=True), twins.row(1, named=True)
    differ = [name for name in SCHEMA["patients"] if first[name] != second[name]]
    told = ", ".join(f"{name} {first[name]} and {second[name]}" for name in differ)
    where = f"{taken.file}:{first[LINE]} and {taken.file}:{second[LINE]}"
    what = f"patient {first['patient']!r} is there twice and differs ({told})"
    raise ChartError(what, where=where, expected="one row a patient")
