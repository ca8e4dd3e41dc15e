"""A chart in columns: observations as arrays of numbers, sorted by patient and day.

Everything that is computed for a cohort starts from here. Text is looked at once for every distinct word, never for
every row. Days are counted from 1970-01-01.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ..catalogue import Code, codes_of, nearest
from ..chart import Chart
from ..errors import ChartError
from ..lookup import Keys, Words

NEVER = 2_000_000_000
APART = 1 << 32  # between the keys of two patients (`keyed`)
EPOCH = date(1970, 1, 1)
HEAVY = ("none", "igg", "iga", "igm", "igd", "ige")
LIGHT = ("kappa", "lambda")
POSITIVE_BAND = 18  # bit of an immunofixation that is positive without naming a chain
METHODS = ("", "aspirate", "biopsy")
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # sets the hash of a text apart for every code


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

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many rows there are of each code."""
        return dict(zip(self.codes, np.bincount(self.code, minlength=len(self.codes)).tolist(), strict=True))

    def has(self, codes: Iterable[str]) -> bool:
        """Whether any of these codes was observed."""
        return any(self.counts.get(code) for code in codes)

    def rows_from(self, day: np.ndarray) -> np.ndarray:
        """For every patient the first row on or after a day of his own (by halving, for all patients at once)."""
        first, end = self.offsets[:-1].copy(), self.offsets[1:].copy()
        while (looking := np.flatnonzero(first < end)).size:
            middle = (first[looking] + end[looking]) // 2
            early = self.day[middle] < day[looking]
            first[looking[early]] = middle[early] + 1
            end[looking[~early]] = middle[~early]
        return first


ROW = np.dtype(
    [("recorded", "i4"), ("label", "i4"), ("day", "i4"), ("code", "i2"), ("bound", "i1"), ("mark", "i1")]
)  # 16 bytes: rows are put in order as a whole
SPURIOUS = 4  # bit of `mark`, whose lower bits are the method
ENTERED_IN_ERROR = 2
BATCH = 1 << 18  # rows that are looked at together
READ = ("patient", "on", "what", "value", "comparator", "text", "status", "method", "recorded_on")


def take_in(chart: Chart) -> Observations:
    """Read the observations of a chart into columns. Rows entered in error and rows without a date are left out.

    ChartError for a row of a patient who is not in the chart, or of an unknown code.
    """
    ids = chart.patients["patient"].sort()
    encoder = Encoder(ids)
    parts = [encoder.columns(batch) for rows in (chart.scan("observations"), _new_lesions(chart)) for batch in encoder.batches(rows)]
    patient, value, rows = (_joined([part.pop() for part in parts], kind) for kind in ("i4", "f8", ROW))
    counts = np.bincount(patient, minlength=len(ids))
    order = _order(patient, rows["day"])
    del patient
    if order is not None:  # one after the other: of a large chart there is no room for two copies
        value = value.take(order)
        rows = rows.take(order)
    del order
    mark = rows["mark"]
    return Observations(
        patients=ids,
        codes=tuple(encoder.codes),
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        value=value,
        spurious=mark & SPURIOUS != 0,
        method=mark & ~SPURIOUS,
        **{name: rows[name].copy() for name in ("day", "code", "bound", "label", "recorded")},
    )


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


class Encoder:
    """Observations as numbers, batch by batch."""

    def __init__(self, ids: pl.Series) -> None:
        self.codes = codes_of("observation")
        self.known = list(self.codes.values())
        self.worded = np.array([code.kind == "chains" or bool(code.words) for code in self.known])
        self.patients = Keys(ids)
        self.places = {name: place for place, name in enumerate(self.codes)}
        self.code = Words(self._place)
        self.label = Words(lambda pair: label_of(self.known[pair[0]], pair[1]))
        self.bound = Words(lambda word: {"<": -1, ">": 1}.get((word or "")[:1], 0))
        self.status = Words(lambda word: {"spurious": SPURIOUS, "entered_in_error": ENTERED_IN_ERROR}.get(word, 0))
        self.method = Words(lambda word: METHODS.index(word) if word in METHODS else 0)

    def batches(self, rows: pl.LazyFrame) -> Iterator[pl.DataFrame]:
        """Rows with a date, a batch at a time, with the hash of their patient."""
        dated = rows.filter(pl.col("on").is_not_null()).select(READ)
        wanted = dated.with_columns(
            on=pl.col("on").to_physical(),
            recorded_on=pl.coalesce("recorded_on", "on").to_physical(),
            value=pl.col("value").fill_null(np.nan),
            hash=self.patients.hash("patient"),
        )
        return wanted.collect_batches(maintain_order=True, chunk_size=BATCH)

    def columns(self, batch: pl.DataFrame) -> list[np.ndarray]:
        """Rows (as ROW), values and patients of a batch."""
        status = self.status.numbers(batch["status"])
        keep = status != ENTERED_IN_ERROR
        if not keep.all():
            batch, status = batch.filter(keep), status[keep]
        patient = self.patients.places(batch["hash"])
        if batch.height and patient.min() < 0:
            name = batch["patient"][int(patient.argmin())]
            raise ChartError(f"there is no patient {name!r}", where="observations", expected="a row of patients")
        rows = np.empty(batch.height, ROW)
        rows["day"], rows["recorded"] = batch["on"].to_numpy(), batch["recorded_on"].to_numpy()
        rows["code"] = code = self.code.numbers(batch["what"])
        rows["bound"] = self.bound.numbers(batch["comparator"])
        rows["label"] = self.labels(code, batch["text"])
        rows["mark"] = self.method.numbers(batch["method"]) | status
        return [rows, batch["value"].to_numpy(), patient]

    def labels(self, code: np.ndarray, text: pl.Series) -> np.ndarray:
        """The word of every row as a number, looked up once for each distinct pair of code and text."""
        found = np.full(len(text), -1, np.int32)
        rows = np.flatnonzero(self.worded[code] & text.is_not_null().to_numpy())
        pair = text.hash().to_numpy()[rows] + code[rows].astype(np.uint64) * SPREAD
        found[rows] = self.label.of(pair, lambda some: zip(code[rows[some]], text.gather(rows[some]), strict=True))
        return found

    def _place(self, word: str | None) -> int:
        if word not in self.places:
            raise ChartError(f"there is no observation {word!r}", where="observations", nearest=nearest(word or "", self.places))
        return self.places[word]


def _joined(parts: list[np.ndarray], kind: npt.DTypeLike) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, kind), *parts])


def _order(patient: np.ndarray, day: np.ndarray) -> np.ndarray | None:
    """The rows by patient and day, those of one day as they came; None if they are in this order.

    Patient, day and row in one number, which NumPy sorts faster than rows can be counted out.
    """
    if not day.size:
        return None
    first, bits = int(day.min()), day.size.bit_length()
    span = (int(day.max()) - first).bit_length()
    key = patient.astype(np.int64)
    key <<= span
    key += day
    key -= first
    if bool(np.all(key[1:] >= key[:-1])):
        return None
    if int(key.max()).bit_length() + bits > 63:
        return np.lexsort((day, patient))
    key <<= bits
    key |= np.arange(day.size, dtype=np.uint32)
    key.sort()
    key &= (1 << bits) - 1
    return key


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


def place_of(ids: pl.Series) -> pl.Expr:
    """The place of each patient among all patients: numbers join and sort faster than keys."""
    return pl.col("patient").cast(pl.Enum(ids)).to_physical().cast(pl.Int64)


def keyed(place: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Patient and day in one number; days of two patients are further apart than any reach."""
    return place.astype(np.int64) * APART + day.astype(np.int64)


def days(column: pl.Series, absent: int = NEVER) -> np.ndarray:
    """A date column as days from 1970-01-01."""
    day = column.cast(pl.Int64).to_numpy()  # with nulls, these are numbers that can be NaN
    return day if day.dtype == np.int64 else np.nan_to_num(day, nan=absent).astype(np.int64)


def dates(column: np.ndarray) -> pl.Series:
    """Days from 1970-01-01 as dates, NEVER as unknown."""
    series = pl.Series(column).cast(pl.Int32)
    return series.zip_with(series != NEVER, pl.Series([None], dtype=pl.Int32)).cast(pl.Date)


def named(place: np.ndarray, names: Sequence[str]) -> pl.Series:
    """Places in a list of words, -1 for null, as a column of words."""
    words = _words(tuple(names))
    if place.size and (place == place[0]).all():
        return words.new_from_index(int(place[0]) if place[0] >= 0 else len(names), place.size)
    told = words[pl.Series(np.maximum(place, 0).astype(np.uint32))]  # as `gather`, several times as fast
    return told.zip_with(pl.Series(place >= 0), words[-1:])


@lru_cache(maxsize=1024)
def _words(names: tuple[str, ...]) -> pl.Series:
    """Words as a column of their own type, null after the last."""
    return pl.Series([*names, None], dtype=pl.Enum(names))


def to_date(day: Any) -> date | None:
    """One day as a date, NEVER as unknown."""
    return None if int(day) == NEVER else date.fromordinal(EPOCH.toordinal() + int(day))
