"""What the rules of stage and diagnosis are told of every patient: baseline values as columns of what is known.

A value is a number, an interval (a censored value, a word such as `positive` for del(17p), a year of birth) or a set of
words. Nothing is filled in here that nobody recorded; that is `unrecorded.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from ..catalogue import Code, codes_of
from ..cells import Categories, Column, Numbers
from ..lookup import Words
from .intake import HEAVY, LIGHT, NEVER

YEAR = 365.25
NORMAL_RATIO = (0.26, 1.65)


def observed_columns(rows: pl.DataFrame, names: Sequence[str], n: int) -> dict[str, Column]:
    """Columns of the codes that were observed, from the baseline rows (`baseline.baseline_rows`)."""
    known = codes_of("observation")
    columns: dict[str, Column] = {}
    for (place,), own in rows.group_by(["code"], maintain_order=True):
        code = known[names[int(place)]]
        where = own["place"].to_numpy()
        if code.kind == "chains":
            columns[code.code] = _words(own["label"].to_numpy() > 0, where, ("negative", "positive"), n)
        elif code.kind == "number":
            columns[code.code] = _numbers(own, where, code, n)
        elif code.words:
            columns[code.code] = category_column(own["label"].to_numpy(), where, code, n)
    return columns


def _words(place: np.ndarray, where: np.ndarray, names: tuple[str, ...], n: int) -> Categories:
    codes = np.full(n, -1, np.int64)
    codes[where] = place
    return Categories.of(codes, names)


def category_column(label: np.ndarray, where: np.ndarray, code: Code, n: int) -> Categories:
    """Words of a code as sets of its categories (del_1p32 `positive` is monoallelic or biallelic)."""
    sets = [1 << i for i in range(len(code.categories))]
    sets += [sum(1 << code.categories.index(name) for name in members) for members in code.sets.values()]
    mask = np.zeros(n, np.min_scalar_type((1 << len(code.categories)) - 1))
    mask[where] = np.array([*sets, 0], mask.dtype)[label]  # -1: the last, nothing
    return Categories(mask, code.categories)


def _numbers(own: pl.DataFrame, where: np.ndarray, code: Code, n: int) -> Numbers:
    value, bound, label = (own[name].to_numpy() for name in ("value", "bound", "label"))
    ends = np.full((4, n), np.nan)
    ends[2:] = 0
    ends[0, where], ends[1, where] = np.where(bound < 0, 0.0, value), np.where(bound > 0, np.inf, value)
    ends[2, where], ends[3, where] = bound > 0, bound < 0
    for word, (low, high, low_open, high_open) in code.intervals.items():
        said = where[np.isnan(value) & (label == code.words.index(word))]
        ends[:, said] = np.array([[low], [high], [low_open], [high_open]])
    if not (ends[2:].any() or (ends[0] != ends[1])[where].any()):
        return Numbers(ends[0])
    return Numbers(ends[0], ends[1], ends[2].astype(bool), ends[3].astype(bool))


def recorded_clone(patients: pl.DataFrame, ife: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Heavy and light chain of every patient (place in HEAVY and LIGHT, -1 unknown): recorded, else from the baseline.

    `ife`: bands of the serum immunofixation at baseline, -1 where there is none.
    """
    heavy = patients["heavy_chain"].replace_strict(dict(zip(HEAVY, range(6), strict=True)), default=-1).fill_null(-1).to_numpy().copy()
    light = patients["light_chain"].replace_strict(dict(zip(LIGHT, range(2), strict=True)), default=-1).fill_null(-1).to_numpy().copy()
    single = (ife > 0) & (ife & (ife - 1) == 0) & (ife < 1 << 18)
    band = np.log2(np.where(single, ife, 1)).astype(np.int64)
    heavy = np.where((heavy < 0) & single, band // 3, heavy)
    return heavy, np.where((light < 0) & single & (band % 3 < 2), band % 3, light)


def clone_columns(heavy: np.ndarray, light: np.ndarray, patients: pl.DataFrame) -> dict[str, Column]:
    """The clone as the rules want it; `light_chain` none and biclonal as recorded."""
    said = patients["light_chain"].replace_strict({"biclonal": 2, "none": 3}, default=-1).fill_null(-1).to_numpy()
    return {
        "heavy_chain": Categories.of(heavy, HEAVY),
        "light_chain": Categories.of(np.where(said >= 0, said, light), (*LIGHT, "biclonal", "none")),
    }


Ends = tuple[np.ndarray, np.ndarray]


def _ends(column: Column | None, n: int) -> Ends:
    """Both ends of a number; 0 and infinity where it is unknown."""
    if not isinstance(column, Numbers):
        return np.zeros(n), np.full(n, np.inf)
    lo, hi = column.lo, column.lo if column.hi is None else column.hi
    return np.where(np.isnan(lo), 0.0, lo), np.where(np.isnan(hi), np.inf, hi)


def _divide(a: Ends, b: Ends) -> Ends:
    with np.errstate(all="ignore"):
        low, high = a[0] / b[1], a[1] / b[0]
    return np.where(np.isnan(low), 0.0, low), np.where(np.isnan(high), np.inf, high)


def _multiply(a: Ends, b: Ends) -> Ends:
    with np.errstate(all="ignore"):
        low, high = a[0] * b[0], a[1] * b[1]
    return np.where(np.isnan(low), 0.0, low), np.where(np.isnan(high), np.inf, high)


def _within(a: Ends, b: Ends) -> Ends:
    """What both allow; the first where they exclude each other (the derived stands, not the reported)."""
    low, high = np.maximum(a[0], b[0]), np.minimum(a[1], b[1])
    apart = low > high
    return np.where(apart, a[0], low), np.where(apart, a[1], high)


def _column(ends: Ends) -> Numbers:
    unknown = (ends[0] <= 0) & np.isinf(ends[1])
    return Numbers(np.where(unknown, np.nan, ends[0]), np.where(unknown, np.nan, ends[1]))


def light_chain_columns(columns: Mapping[str, Column], light: np.ndarray) -> dict[str, Column]:
    """Free light chains as far as two of kappa, lambda and their ratio give the third, and the same by involved chain.

    `light` is the clone's light chain; where it is unknown an abnormal ratio tells it, a normal one leaves both open.
    """
    n = light.size
    kappa, lambda_, ratio = (_ends(columns.get(name), n) for name in ("kappa_flc", "lambda_flc", "flc_ratio"))
    ratio = _within(_divide(kappa, lambda_), ratio)
    kappa, lambda_ = _within(kappa, _multiply(ratio, lambda_)), _within(lambda_, _divide(kappa, ratio))
    inverse = _divide((np.ones(n), np.ones(n)), ratio)
    by_ratio = np.where(ratio[0] > NORMAL_RATIO[1], 0, np.where(ratio[1] < NORMAL_RATIO[0], 1, -1))
    light = np.where(light >= 0, light, by_ratio)

    def of_clone(if_kappa: Ends, if_lambda: Ends) -> Numbers:
        low = np.where(light == 0, if_kappa[0], np.where(light == 1, if_lambda[0], np.minimum(if_kappa[0], if_lambda[0])))
        high = np.where(light == 0, if_kappa[1], np.where(light == 1, if_lambda[1], np.maximum(if_kappa[1], if_lambda[1])))
        return _column((low, high))

    return {
        "kappa_flc": _column(kappa),
        "lambda_flc": _column(lambda_),
        "flc_ratio": _column(ratio),
        "flc_ratio_involved": of_clone(ratio, inverse),
        "involved_flc": of_clone(kappa, lambda_),
    }


def immunoparesis_column(columns: Mapping[str, Column], heavy: np.ndarray) -> Numbers:
    """How many of the uninvolved IgG, IgA, IgM lie below the laboratory's limit; unknown where no limit was sent."""
    n = heavy.size
    least, most = np.zeros(n), np.zeros(n)
    for place, name in enumerate(HEAVY[1:4], start=1):
        value, limit = _ends(columns.get(name), n), _ends(columns.get(f"{name}_lower_limit"), n)
        least += (heavy != place) & (heavy >= 0) & (value[1] < limit[0])
        most += (heavy != place) & (value[0] < limit[1])
    return _within_recorded(least, most, columns.get("immunoparesis"))


def _within_recorded(least: np.ndarray, most: np.ndarray, recorded: Column | None) -> Numbers:
    low, high = _within((least, most), _ends(recorded, least.size))
    return Numbers(low, high)


def age_column(born_on: pl.Series, anchor: np.ndarray) -> Numbers:
    """Age in years on the anchor day; an interval where only the year, month or span (a/b) of birth is known."""
    spans = [UNBORN]
    words = Words(lambda text: spans.append(_born(text)) or len(spans) - 1)
    place = words.numbers(born_on)
    first, last = np.array(spans, "M8[D]")[place].T
    on = np.where(anchor < NEVER, anchor, 0).astype("M8[D]")
    unknown = (anchor >= NEVER) | np.isnat(first)
    old, young = (np.where(unknown, np.nan, _completed_years(born, on)) for born in (first, last))
    return Numbers(young, old) if bool(np.any(young != old) and not np.all(unknown)) else Numbers(old)


UNBORN = (np.datetime64("NaT"), np.datetime64("NaT"))


def _born(text: str | None) -> tuple[Any, Any]:
    """The first and the last day that a date of birth can be: known to the day, the month (`1950-03`), the year or a span (`a/b`)."""
    begin, _, end = (text or "").strip().partition("/")
    first, last = _day(begin + {4: "-01-01", 7: "-01"}.get(len(begin), "")), _day(end)
    if first and not last:
        months = {4: 12, 7: 1}.get(len(begin))
        last = np.datetime64(first, "M") + months - np.timedelta64(1, "D") if months else first
    return (first, last) if first else UNBORN


def _day(text: str) -> date | None:
    told = re.fullmatch(r"(\d{4})-(\d\d?)-(\d\d?)", text)
    try:
        return date(*map(int, told.groups())) if told else None
    except ValueError:  # there is no such day
        return None


def _completed_years(born: np.ndarray, on: np.ndarray) -> np.ndarray:
    """Completed years of age on a day."""
    (year, day), (year_now, day_now) = (_year_and_day(each) for each in (born, on))
    return (year_now - year - (day_now < day)).astype(float)


def _year_and_day(days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The year, and month and day as one number that grows through it."""
    months = days.astype("M8[M]")
    return days.astype("M8[Y]").astype(np.int64), months.astype(np.int64) % 12 * 100 + (days - months).astype(np.int64)


def years_since(day: np.ndarray, at: int) -> Numbers:
    """Years from a day to the date of the assessment, unknown where there is no day."""
    return Numbers(np.where(day < NEVER, (at - day) / YEAR, np.nan))


def ife_bands(rows: pl.DataFrame, place_of_ife: int, n: int) -> np.ndarray:
    """Bands of the serum immunofixation at baseline, -1 where there is none."""
    bands = np.full(n, -1, np.int64)
    own = rows.filter(pl.col("code") == place_of_ife)
    bands[own["place"].to_numpy()] = own["label"].to_numpy()
    return bands


def number_column(series: pl.Series) -> Numbers:
    """A column of numbers, unknown where null."""
    return Numbers(series.cast(pl.Float64).to_numpy())


def word_column(series: pl.Series, code: Code) -> Column:
    """A column of words as what is known of a code; a word that is not one of its own is unknown."""
    text = series.cast(pl.String)
    where = np.arange(len(text))
    if code.kind == "chains":
        shown = pl.when(text == "negative").then(pl.lit(0, pl.Int8)).when(text.is_not_null()).then(1).otherwise(-1)
        return _words(pl.select(shown).to_series().to_numpy(), where, ("negative", "positive"), len(text))
    label = _places(text, code.words)
    if code.kind == "number":
        empty = np.full(len(text), np.nan)
        return _numbers(pl.DataFrame({"value": empty, "bound": empty * 0, "label": label}), where, code, len(text))
    return category_column(label, where, code, len(text))


def _places(text: pl.Series, words: Sequence[str]) -> np.ndarray:
    """The place of each text in a list of a few words, -1 for any other (faster by comparing than by looking up)."""
    place = pl.lit(-1, pl.Int16)
    for i, word in enumerate(words):
        place = pl.when(text == word).then(pl.lit(i, pl.Int16)).otherwise(place)
    return pl.select(place.alias("place")).to_series().to_numpy()
