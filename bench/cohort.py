"""A synthetic registry for timings: many patients, 40 visits each, four results a visit, every column filled.

Serum M-protein and both light chains at every visit; at four visits of five serum immunofixation (a fifth of all
rows), at the others urine M-protein. Text identifiers, a few censored, spurious and withdrawn results. Not for
anything but timings: the courses are curves, not biology (`bence demo` has virtual patients).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

VISITS, A_VISIT = 40, 4
ROWS = VISITS * A_VISIT  # of one patient
CODES = ("serum_m_protein", "kappa_flc", "lambda_flc", "serum_ife", "urine_m_protein")
UNITS = ("g/L", "mg/L", "mg/L", None, "mg/24h")
METHODS = ("capillary electrophoresis", "immunoturbidimetry", "immunoturbidimetry", "agarose gel", "agarose gel")
LIMITS = (0.5, 0.6, 0.6, 0.1, 20.0)
HEAVY, LIGHT = ("igg", "iga", "none"), ("kappa", "lambda")
STATUS = ("final", "spurious", "entered_in_error")
EPOCH = np.datetime64("1970-01-01")
GROUP = 1 << 20  # rows of a row group


def write_cohort(folder: Path, patients: int, seed: int = 2016, shuffle: bool = True) -> Path:
    """Write the chart as Parquet tables, the observations in random order; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(seed)
    people = _people(chance, patients)
    _patients(people).write_parquet(folder / "patients.parquet")
    _treatments(chance, people).write_parquet(folder / "treatments.parquet")
    _diagnoses(people).write_parquet(folder / "events.parquet")
    results = _results(chance, people)
    order = chance.permutation(patients * ROWS) if shuffle else np.arange(patients * ROWS)
    writer = None
    for start in range(0, order.size, GROUP):
        places = order[start : start + GROUP]
        table = _rows(chance, people, results, places, start).to_arrow(compat_level=pl.CompatLevel.oldest())
        writer = writer or pq.ParquetWriter(folder / "observations.parquet", table.schema, compression="zstd")
        writer.write_table(table)
    if writer:
        writer.close()
    return folder


def _people(chance: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    return {
        "name": pl.select(pl.format("P{}", pl.int_range(n).cast(pl.String).str.zfill(7))).to_series().to_numpy(),
        "start": chance.integers(16_500, 19_000, n),  # first dose, 2015 to 2022
        "heavy": chance.choice(3, n, p=[0.6, 0.25, 0.15]),
        "light": chance.choice(2, n, p=[0.65, 0.35]),
        "serum": np.where(chance.random(n) < 0.85, chance.lognormal(3.5, 0.5, n).clip(0, 100), 0.0),
        "involved": chance.lognormal(5.5, 1.3, n).clip(5, 50_000),
        "urine": np.where(chance.random(n) < 0.4, chance.lognormal(6.5, 1.0, n).clip(0, 20_000), 0.0),
        "depth": chance.beta(0.4, 2.0, n),  # what is left at the nadir
        "speed": chance.lognormal(3.8, 0.5, n),  # days
        "relapse": chance.exponential(1_000, n),  # days from the first dose
    }


def _results(chance: np.random.Generator, people: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Day of every visit and the tumour left (a share of the baseline), one row a patient."""
    n = people["start"].size
    since = np.arange(VISITS) * 28 + chance.integers(-3, 4, (n, VISITS))
    since[:, 0] = -chance.integers(0, 14, n)
    after = np.maximum(since, 0)
    left = people["depth"][:, None] + (1 - people["depth"][:, None]) * np.exp(-after / people["speed"][:, None])
    grown = np.exp2(np.clip(after - people["relapse"][:, None], 0, 700) / 90) - 1
    left += 0.02 * grown
    return {"day": (people["start"][:, None] + since).astype(np.int32), "left": left.clip(0, 3).astype(np.float32)}


def _rows(
    chance: np.random.Generator, people: dict[str, np.ndarray], results: dict[str, np.ndarray], places: np.ndarray, line: int
) -> pl.DataFrame:
    patient, within = np.divmod(places, ROWS)
    visit, which = np.divmod(within, A_VISIT)
    code = np.where((which == 3) & (visit % 5 == 0), 4, which)
    left = results["left"][patient, visit] * chance.lognormal(0, 0.05, places.size)
    serum = people["serum"][patient] * left
    involved = people["light"][patient] + 1 == code
    value = np.select(
        [code == 0, code == 4, involved], [serum, people["urine"][patient] * left, people["involved"][patient] * left + 8],
        chance.lognormal(2.2, 0.4, places.size),
    )  # fmt: skip
    limit = np.array(LIMITS)[code]
    censored = (value < limit) & (code != 0)
    value = np.where((code == 0) & (value < limit), 0, np.where(censored, limit, value))
    band = np.where(serum + 0.002 * people["involved"][patient] * left > 0.5, people["heavy"][patient] * 2 + people["light"][patient], 6)
    bands = [f"{heavy}_{light}" if heavy != "none" else light for heavy in HEAVY for light in LIGHT] + ["negative"]
    day = pl.Series(results["day"][patient, visit]).cast(pl.Date)
    status = chance.choice(3, places.size, p=[0.997, 0.002, 0.001])
    frame = pl.DataFrame(
        {
            "patient": people["name"][patient],
            "on": day,
            "what": words(code, CODES),
            "value": np.round(value.clip(0, 90_000), 1),
            "comparator": words(np.where(censored, 0, -1), ("<",)),
            "text": words(np.where(code == 3, band, -1), bands),
            "unit": words(code, UNITS),
            "method": words(code, METHODS),
            "sample": words((code == 4).astype(int), ("serum", "24 h urine")),
            "detection_limit": limit,
            "cells": chance.integers(10, 60, places.size) * 1e5,
            "status": words(status, STATUS),
            "recorded_on": day.to_physical() + chance.integers(0, 4, places.size, dtype=np.int32),
        }
    )
    source = pl.format("laboratory.csv:{}", pl.int_range(line + 2, line + 2 + places.size))
    no_number = pl.col("text").is_not_null()
    return frame.with_columns(value=pl.when(~no_number).then("value"), recorded_on=pl.col("recorded_on").cast(pl.Date), source=source)


def words(places: np.ndarray, names: tuple[str | None, ...] | list[str]) -> pl.Series:
    """Words by their place in a list; -1 is null."""
    return pl.Series([*names, None], dtype=pl.String).gather(np.where(places < 0, len(names), places))


def _patients(people: dict[str, np.ndarray]) -> pl.DataFrame:
    n = people["start"].size
    return pl.DataFrame(
        {
            "patient": people["name"],
            "centre": words(np.arange(n) % 12, [f"centre {i}" for i in range(12)]),
            "sex": words(np.arange(n) % 2, ("female", "male")),
            "born_on": words(np.arange(n) % 40, [str(1940 + i) for i in range(40)]),
            "heavy_chain": words(people["heavy"], HEAVY),
            "light_chain": words(people["light"], LIGHT),
            "last_seen_on": pl.Series(people["start"] + 28 * VISITS).cast(pl.Int32).cast(pl.Date),
        }
    )


def _treatments(chance: np.random.Generator, people: dict[str, np.ndarray]) -> pl.DataFrame:
    """Three drugs from the first day, a second line after the relapse; every other patient without recorded lines."""
    n = people["start"].size
    second = np.flatnonzero(people["relapse"] < 28 * (VISITS - 8))
    drugs = ("bortezomib", "lenalidomide", "dexamethasone", "daratumumab", "carfilzomib", "dexamethasone")
    patient = np.concatenate([np.tile(np.arange(n), 3), np.tile(second, 3)])
    first = np.arange(patient.size) < 3 * n
    drug = np.concatenate([np.repeat([0, 1, 2], n), np.repeat([3, 4, 5], second.size)])
    start = people["start"][patient] + np.where(first, 0, people["relapse"][patient].clip(56) + chance.integers(100, 200, patient.size))
    line = np.where(patient % 2 == 0, np.where(first, 1, 2), 0)
    return pl.DataFrame(
        {
            "patient": people["name"][patient],
            "started_on": pl.Series(start).cast(pl.Int32).cast(pl.Date),
            "what": words(drug, drugs),
            "line": pl.Series(line, dtype=pl.Int32).replace(0, None),
        }
    ).sample(fraction=1.0, shuffle=True, seed=1)


def _diagnoses(people: dict[str, np.ndarray]) -> pl.DataFrame:
    day = pl.Series(people["start"] - 20).cast(pl.Int32).cast(pl.Date)
    return pl.DataFrame({"patient": people["name"], "on": day, "what": pl.Series(["mm_diagnosis"]).new_from_index(0, len(day))})
