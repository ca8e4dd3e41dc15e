"""A chart in columns: observations as arrays of numbers, sorted by patient and day.

Everything that is computed for a cohort starts from here. Text is looked at once for every distinct word, never for
every row. Days are counted from 1970-01-01.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from ..catalogue import Code, codes_of
from ..chart import Chart

NEVER = 2_000_000_000
EPOCH = date(1970, 1, 1)
HEAVY = ("none", "igg", "iga", "igm", "igd", "ige")
LIGHT = ("kappa", "lambda")
POSITIVE_BAND = 18  # bit of an immunofixation that is positive without naming a chain
METHODS = ("", "aspirate", "biopsy")


@dataclass(frozen=True)
class Observations:
    """Observations of a cohort; rows of patient p are at `offsets[p]:offsets[p + 1]`, sorted by day."""

    patients: pl.Series
    codes: tuple[str, ...]
    offsets: np.ndarray
    day: np.ndarray
    code: np.ndarray  # place in `codes`
    value: np.ndarray  # nan where there is no number
    bound: np.ndarray  # -1 for `<`, 1 for `>`
    label: np.ndarray  # -1, or place of the word in `Code.words`; for chains the bit mask of bands
    recorded: np.ndarray  # day it became known
    spurious: np.ndarray
    method: np.ndarray  # place in METHODS, 0 for any other

    @property
    def patient(self) -> np.ndarray:
        """Place of the patient of every row."""
        return np.repeat(np.arange(len(self.patients), dtype=np.int32), np.diff(self.offsets))


def take_in(chart: Chart) -> Observations:
    """Read the observations of a chart into columns. Rows entered in error and rows without a date are left out."""
    ids = chart.patients["patient"].sort()
    known = tuple(codes_of("observation"))
    frame = _encoded(chart.scan("observations"), ids, known).collect()
    events = _encoded(_new_lesions(chart), ids, known).collect()
    if events.height:
        frame = pl.concat([frame, events], how="vertical_relaxed")
    return _sorted(_arrays(frame, known), ids, known)


def _new_lesions(chart: Chart) -> pl.LazyFrame:
    """A new plasmacytoma reported as an event is a new lesion of that day."""
    absent = pl.lit(None, dtype=pl.String)
    return (
        chart.scan("events")
        .filter(pl.col("what") == "plasmacytoma_new")
        .select(
            "patient", "on", "recorded_on",
            what=pl.lit("new_lesion"), value=pl.lit(None, dtype=pl.Float64), comparator=absent,
            text=pl.when(pl.col("text") == "none").then(pl.lit("no")).otherwise(pl.lit("yes")),
            status=absent, method=absent,
        )
    )  # fmt: skip


def _encoded(rows: pl.LazyFrame, ids: pl.Series, known: tuple[str, ...]) -> pl.LazyFrame:
    """Rows with text as numbers; the text of findings stays a dictionary until its labels are looked up."""
    return rows.filter(pl.col("on").is_not_null() & pl.col("status").ne_missing("entered_in_error")).select(
        patient=pl.col("patient").cast(pl.Enum(ids)).to_physical().cast(pl.Int32),
        code=pl.col("what").cast(pl.Enum(known)).to_physical().cast(pl.Int16),
        day=pl.col("on").to_physical(),
        recorded=pl.coalesce("recorded_on", "on").to_physical(),
        value=pl.col("value"),
        bound=(
            pl.col("comparator").str.starts_with(">").fill_null(False).cast(pl.Int8)
            - pl.col("comparator").str.starts_with("<").fill_null(False).cast(pl.Int8)
        ),
        text=pl.col("text").cast(pl.Categorical),
        spurious=(pl.col("status") == "spurious").fill_null(False),
        method=pl.col("method").replace_strict(METHODS[1:], [1, 2], default=0, return_dtype=pl.Int8),
    )


def _arrays(frame: pl.DataFrame, known: tuple[str, ...]) -> dict[str, np.ndarray]:
    columns = {name: frame[name].to_numpy() for name in frame.columns if name not in ("text", "value")}
    columns["value"] = frame["value"].fill_null(np.nan).to_numpy()
    columns["label"] = _labels(frame, known)
    return columns


def _labels(frame: pl.DataFrame, known: tuple[str, ...]) -> np.ndarray:
    """The word of every row as a number, looked up once for each distinct pair of code and text."""
    codes = codes_of("observation")
    pairs = frame.select("code", "text").filter(pl.col("text").is_not_null()).unique()
    pairs = pairs.with_columns(
        label=pl.Series(
            [
                label_of(codes[known[c]], text)
                for c, text in pairs.select("code", pl.col("text").cast(pl.String)).iter_rows()
            ],
            dtype=pl.Int32,
        )
    )
    if not pairs.height:
        return np.full(frame.height, -1, np.int32)
    joined = frame.select("code", "text").join(pairs, on=["code", "text"], how="left", maintain_order="left")
    return joined["label"].fill_null(-1).to_numpy()


def label_of(code: Code, text: str) -> int:
    """The number that stands for a word of a code; -1 if it is not one of its words."""
    if code.kind == "chains":
        return bands_of(text)
    return code.words.index(text) if text in code.words else -1


def bands_of(text: str) -> int:
    """Bit mask of the bands in the canonical text of an immunofixation; -1 if it is none.

    Band (heavy, light) is bit 3 × heavy + light, heavy none igg iga igm igd ige, light kappa lambda not-named.

    >>> bands_of("negative"), bands_of("kappa"), bands_of("igg_kappa+iga_lambda")
    (0, 1, 136)
    """
    if text == "negative":
        return 0
    mask = 0
    for band in text.split("+"):
        heavy, _, light = band.rpartition("_")
        if band == "positive":
            mask |= 1 << POSITIVE_BAND
        elif band in HEAVY[1:]:
            mask |= 1 << 3 * HEAVY.index(band) + 2
        elif light in LIGHT and (heavy or "none") in HEAVY:
            mask |= 1 << 3 * HEAVY.index(heavy or "none") + LIGHT.index(light)
        else:
            return -1
    return mask


def _sorted(columns: dict[str, np.ndarray], ids: pl.Series, known: tuple[str, ...]) -> Observations:
    patient, day = columns.pop("patient"), columns["day"]
    counts = np.bincount(patient, minlength=len(ids))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    step = np.diff(patient)
    if not bool(np.all((step > 0) | ((step == 0) & (np.diff(day) >= 0)))):
        order = np.lexsort((day, patient))
        columns = {name: column[order] for name, column in columns.items()}
    return Observations(patients=ids, codes=known, offsets=offsets, **columns)


def days(column: pl.Series, absent: int = NEVER) -> np.ndarray:
    """A date column as days from 1970-01-01."""
    return column.to_physical().fill_null(absent).cast(pl.Int64).to_numpy()


def dates(column: np.ndarray) -> pl.Series:
    """Days from 1970-01-01 as dates, NEVER as unknown."""
    series = pl.Series(column).cast(pl.Int32)
    return pl.select(pl.when(series != NEVER).then(series)).to_series().cast(pl.Date)


def to_date(day: Any) -> date | None:
    """One day as a date, NEVER as unknown."""
    return None if int(day) == NEVER else date.fromordinal(EPOCH.toordinal() + int(day))
