"""Advice as a table: one row a patient, question, option and stance."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from .pathway import GRADES, Row, pathway
from .stances import Entry, Found, Line
from .vocabulary import LABEL, STANCE, vocabulary

ORDER = ("for", "unknown", "against", "blocked")
HALVES = 2  # licensed, and not known to be
OF_ENTRY = ("question", "option", "stance", "because", "rules", "evidence", "grade", "tag", "confirm")


def table(found: Found, facts: pl.DataFrame, region: str, lang: str = "en") -> pl.DataFrame:
    """The rows in the order of patients, questions, stance and strength; texts in one language."""
    entries, contrary, cautions, waits = found.parts
    order = np.argsort(found.place * np.int64(len(entries) + 1) * HALVES + _ranks(found), kind="stable")
    place, at = found.place[order], [each[order] for each in found.at]
    told = pl.DataFrame([_row(entry, lang) for entry in entries], schema=dict.fromkeys(OF_ENTRY, pl.String), orient="row")
    shared = {name: _shared(told[name])[at[0]] for name in OF_ENTRY}
    others = {
        "contrary": _shared(_column(_texts(rows, lang) for rows in contrary))[at[1]],
        "cautions": _shared(_column(_texts(rows, lang) for rows in cautions))[at[2]],
        "unlocked_by": _shared(_column(_joined(names) for names in waits))[at[3]],
    }
    return pl.DataFrame({"patient": facts["patient"][place], "at": facts["at"][place]}).with_columns(
        pl.lit(region).alias("region"), **shared, **others
    )  # fmt: skip


def counts(rows: pl.DataFrame, lang: str = "en") -> pl.DataFrame:
    """How many patients have each option with each stance, under headings to print. `rows`: of `table`."""
    zh, path = lang == "zh", pathway()
    counted = rows.drop_nulls("option").group_by("question", "option", "stance").len().cast({pl.Enum: pl.String})
    wide = counted.pivot("stance", index=["question", "option"], values="len")
    places = {key: place for place, key in enumerate(path.rows)}
    shown = [
        (path.questions[row["question"]].words[zh], path.options[row["option"]].words[zh], *(row.get(name) for name in ORDER))
        for row in sorted(wide.iter_rows(named=True), key=lambda row: places[row["question"], row["option"]])
    ]
    heads = ("问题", "选项") if zh else ("question", "option")
    return pl.DataFrame(shown, schema=[*heads, *(STANCE[name][zh] for name in ORDER)], orient="row")


def _column(texts: Iterable[str | None]) -> pl.Series:
    return pl.Series(list(texts), dtype=pl.String)


def _shared(texts: pl.Series) -> pl.Series:
    """Texts that many rows share, each kept once."""
    return texts.cast(pl.Enum(texts.drop_nulls().unique(maintain_order=True)))


def ranked(lines: Iterable[Line]) -> list[Line]:
    """The lines of one patient in the order in which they are shown."""
    return sorted(lines, key=lambda line: (*_place(line.entry), _late(line.cautions), _grade(line.entry)))


def _ranks(found: Found) -> np.ndarray:
    """Of every line where it stands among those of its patient: by question and stance, then licensed first, then by grade."""
    entries, _, cautions, _ = found.parts
    keys = np.array([(*_place(entry), late, _grade(entry)) for late in (False, True) for entry in entries]).reshape(-1, 4)
    rank = np.empty(len(keys), np.int64)
    rank[np.lexsort(keys.T[::-1])] = np.arange(len(keys))
    late = np.array([_late(rows) for rows in cautions], np.int64)
    return rank[late[found.at[2]] * len(entries) + found.at[0]]


def _place(entry: Entry) -> tuple[int, int]:
    return list(pathway().questions).index(entry.question), ORDER.index(entry.stance)


def _late(cautions: Iterable[Row]) -> bool:
    """Does a caution put its option after those that are licensed?"""
    return any(row.last for row in cautions)


def _grade(entry: Entry) -> int:
    return min((GRADES[row.grade] for row in entry.rows), default=len(GRADES))


def _row(entry: Entry, lang: str) -> tuple[str | None, ...]:
    best = min(entry.rows, key=lambda row: (GRADES[row.grade], "VSCOM".index(row.tag)), default=None)
    return (
        entry.question, entry.option or None, entry.stance, _texts(entry.rows, lang), _joined(row.key for row in entry.rows),
        _joined(key for row in entry.rows for key in row.evidence), best and best.grade, best and best.tag, _joined(bedside(entry)),
    )  # fmt: skip


def bedside(entry: Entry) -> list[str]:
    """What the rows about an option ask that charts rarely record as absent."""
    if entry.stance not in ("for", "unknown"):
        return []
    rows = pathway().rows.get((entry.question, entry.option), ())
    asked = [atom.fact for row in rows if row.stance != "for" for atom in row.atoms if not atom.fact.startswith(LABEL)]
    return [name for name in dict.fromkeys(asked) if vocabulary()[name].bedside]


def _texts(rows: Iterable[Row], lang: str) -> str | None:
    told = (f"{row.words[0]} ({row.key})" if lang == "en" else f"{row.words[1]}({row.key})" for row in rows)
    return _joined(told, "; " if lang == "en" else "；")


def _joined(words: Iterable[str], sign: str = "|") -> str | None:
    return sign.join(dict.fromkeys(words)) or None


__all__ = ["bedside", "counts", "ranked", "table"]
