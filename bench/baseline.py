"""A wide table of baseline values, one row a patient, a quarter of the cells unknown. Random; for timings only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

UNKNOWN = 0.25
FISH = ("negative", "positive")


def write_baseline(path: Path, patients: int, seed: int = 2005) -> Path:
    """Write what stage, risk and smouldering scores ask for; returns the path."""
    chance = np.random.default_rng(seed)

    def number(middle: float, spread: float, places: int = 1) -> pl.Series:
        return pl.Series(np.round(chance.lognormal(np.log(middle), spread, patients), places))

    def word(words: tuple[str, ...], *shares: float) -> pl.Series:
        return pl.Series(words, dtype=pl.String).gather(chance.choice(len(words), patients, p=shares))

    frame = pl.DataFrame(
        {
            "age": number(66, 0.15, 0),
            "sex": word(("female", "male"), 0.45, 0.55),
            "heavy_chain": word(("igg", "iga", "none", "igd"), 0.58, 0.22, 0.18, 0.02),
            "light_chain": word(("kappa", "lambda"), 0.65, 0.35),
            "b2m": number(4, 0.6),
            "albumin": number(37, 0.16),
            "ldh": number(190, 0.35, 0),
            "ldh_upper_limit": number(245, 0.02, 0),
            "creatinine": number(90, 0.5, 0),
            "calcium": number(2.4, 0.1, 2),
            "hemoglobin": number(105, 0.2, 0),
            "serum_m_protein": number(25, 0.7).clip(0, 120),
            "urine_m_protein": number(150, 1.5, 0).clip(0, 20_000),
            "kappa_flc": number(60, 1.5).clip(0.5, 50_000),
            "lambda_flc": number(30, 1.2).clip(0.5, 50_000),
            "marrow_plasma_cells": number(30, 0.7, 0).clip(0, 100),
            "lytic_lesions": pl.Series(chance.poisson(2, patients).astype(float)),
            "del_17p": pl.Series(np.where(chance.random(patients) < 0.12, np.round(chance.uniform(1, 100, patients)), 0.0)),
            "gain_1q": pl.Series(chance.choice([2.0, 3.0, 4.0, 5.0], patients, p=[0.62, 0.25, 0.1, 0.03])),
            "del_1p32": word(("negative", "monoallelic", "biallelic"), 0.9, 0.08, 0.02),
            "tp53_mutation": word(FISH, 0.93, 0.07),
            "t_4_14": word(FISH, 0.87, 0.13),
            "t_14_16": word(FISH, 0.96, 0.04),
            "t_14_20": word(FISH, 0.99, 0.01),
            "ecog": pl.Series(chance.choice(5, patients, p=[0.3, 0.4, 0.2, 0.08, 0.02]).astype(float)),
            "charlson": pl.Series(chance.poisson(1.2, patients).astype(float)),
        }
    )
    holes = [pl.when(pl.Series(chance.random(patients) >= UNKNOWN)).then(pl.col(name)).alias(name) for name in frame.columns]
    frame.with_columns(holes).write_parquet(path)
    return path
