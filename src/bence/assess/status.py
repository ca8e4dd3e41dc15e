"""Diagnosis, stage, risk and frailty of every patient: columns of what is known in, the table `status` out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from ..catalogue import codes_of
from ..cells import Categories, Column, Numbers, everybody
from ..interval import Interval
from ..rulebook import BOOK, rules
from ..solve import Solved, solve
from . import diagnosis, frailty, smouldering, staging  # noqa: F401  (their rules enter the rulebook)
from .intake import named
from .unrecorded import ASSUMED, NEVER_ASSUMED, ONE_IMAGING_IS_ENOUGH, UNLESS_RECORDED, USUAL_LIMITS, Assumed


def targets() -> list[str]:
    """The rules that are columns of `status`, in the order of the catalogue."""
    return [name for name in codes_of("finding") if name in rules()]


def answers(
    columns: Mapping[str, Column], n: int, recorded: Mapping[str, Categories], policies: Mapping[str, object]
) -> tuple[dict[str, Solved], Solved]:
    """Every rule of `targets` as far as it is known, and the diagnosis as it is given (policy `diagnosis_requires`)."""
    known = dict(columns)
    for name, value in UNLESS_RECORDED.items():
        known[name] = filled(known.get(name), value, n, name)
    for name, limits in USUAL_LIMITS.items():
        known[name] = _limited(known.get(name), limits, known.get("sex"), n)
    if policies["calcium"] == "total":
        known["albumin"] = Numbers(everybody(40.0, n))
    solved = solve(targets(), known, n, recorded=recorded)
    given = solved["diagnosis"]
    if policies["diagnosis_requires"] == "crab":
        known["lytic_lesions"] = _imaged(known, n)
        for name, value in ASSUMED.items():
            before = columns.get(name) if name in USUAL_LIMITS else known.get(name)
            known[name] = filled(before, value, n, name)
        given = solve(["diagnosis"], known, n, recorded=recorded, before=given.cohort)["diagnosis"]
    return solved, given


def filled(column: Column | None, value: Assumed, n: int, name: str) -> Column:
    """A column with a value where nothing is known."""
    if isinstance(value, (int, float)):
        if column is None:
            return Numbers(everybody(float(value), n))
        assert isinstance(column, Numbers)
        unknown = np.isnan(column.lo)
        hi = None if column.hi is None else np.where(unknown, value, column.hi)
        return replace(column, lo=np.where(unknown, value, column.lo), hi=hi)
    words = (value,) if isinstance(value, str) else value
    if isinstance(column, Numbers) or (column is None and isinstance(BOOK.domain(name), Interval)):
        meant = BOOK.words(name)[words[0]]
        assert isinstance(meant, Interval)
        if column is None:
            return Numbers(everybody(meant.lo, n), everybody(meant.hi, n))
        hi = column.lo if column.hi is None else column.hi
        unknown = np.isnan(column.lo)
        return Numbers(np.where(unknown, meant.lo, column.lo), np.where(unknown, meant.hi, hi))
    domain = BOOK.domain(name)
    names = column.names if column is not None else tuple(domain or words)  # type: ignore[arg-type]
    kind = np.min_scalar_type((1 << len(names)) - 1)
    bits = kind.type(sum(1 << names.index(word) for word in words))
    if column is None:
        return Categories(everybody(bits, n), names)
    return Categories(np.where(column.mask == 0, bits, column.mask.astype(kind)), names)


def _limited(column: Column | None, limits: Mapping[str, Interval], sex: Column | None, n: int) -> Column:
    """A laboratory limit that was not sent lies where laboratories print it, by sex where that matters."""
    if column is None and limits.keys() == {"unknown"}:
        return Numbers(*(everybody(end, n) for end in (limits["unknown"].lo, limits["unknown"].hi)))
    lo = column.lo.copy() if isinstance(column, Numbers) else np.full(n, np.nan)
    hi = column.hi.copy() if isinstance(column, Numbers) and column.hi is not None else lo.copy()
    unknown = np.isnan(lo)
    lo[unknown], hi[unknown] = limits["unknown"].lo, limits["unknown"].hi
    if isinstance(sex, Categories):
        for name, limit in limits.items():
            if name in sex.names:
                own = unknown & (sex.mask == 1 << sex.names.index(name))
                lo[own], hi[own] = limit.lo, limit.hi
    return Numbers(lo, hi)


def _imaged(known: Mapping[str, Column], n: int) -> Column:
    """No lytic lesion is assumed where other imaging was done and showed none."""
    column = known.get("lytic_lesions") or Numbers(np.full(n, np.nan))
    assert isinstance(column, Numbers)
    imaged = np.zeros(n, bool)
    for name, result in ONE_IMAGING_IS_ENOUGH["lytic_lesions"].items():
        other = known.get(name)
        if isinstance(other, Categories):
            imaged |= other.mask == 1 << other.names.index(str(result))
        elif isinstance(other, Numbers) and result is None:
            imaged |= ~np.isnan(other.lo)
    imaged &= np.isnan(column.lo)
    hi = column.lo if column.hi is None else column.hi
    return replace(column, lo=np.where(imaged, 0.0, column.lo), hi=np.where(imaged, 0.0, hi))


def status_columns(solved: Mapping[str, Solved], given: Solved) -> dict[str, pl.Series]:
    """For every rule its answer and, where several are left, `<name>_possible`; for the diagnosis what is missing."""
    columns: dict[str, pl.Series] = {}
    for name in targets():
        own = given if name == "diagnosis" else solved[name]
        place, names = own.answer_words()
        if name == "diagnosis":
            hidden = [names.index(word) for word in NEVER_ASSUMED if word in names]
            place = np.where(np.isin(place, hidden) & (solved[name].answer < 0), -1, place)
        columns[name] = named(place, names)
        columns[f"{name}_possible"] = named(*solved[name].possible_words())
        if name == "diagnosis":
            lacking, sets = solved[name].missing_words()
            columns["diagnosis_missing"] = named(lacking, sets)
    return columns


def completeness(solved: Mapping[str, Solved], ids: pl.Series) -> pl.DataFrame:
    """One row an open answer: `patient`, `finding`, `possible`, `missing` (the tests that would settle it)."""
    rows = [np.flatnonzero(solved[name].answer < 0) for name in targets()]
    told = [(name, open_) for name, open_ in zip(targets(), rows, strict=True) if open_.size]
    columns = {
        "patient": [ids[open_] for _, open_ in told],
        "finding": [pl.Series([name]).new_from_index(0, open_.size) for name, open_ in told],
        "possible": [_words(solved[name].possible_words(), open_) for name, open_ in told],
        "missing": [_words(solved[name].missing_words(), open_) for name, open_ in told],
    }
    return pl.DataFrame({name: pl.concat(parts) if parts else pl.Series(dtype=pl.String) for name, parts in columns.items()})


def _words(said: tuple[np.ndarray, list[str]], rows: np.ndarray) -> pl.Series:
    """What a rule says of some rows, in words; null where it says nothing."""
    place, words = said[0][rows], [*said[1], None]
    return pl.Series(words, dtype=pl.String)[np.where(place < 0, len(words) - 1, place)]
