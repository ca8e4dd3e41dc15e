"""Earlier lines of virtual people: which drugs, from when to when, and why they ended. Days count from the day of entry."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .chance import YEAR
from .draws import uniform

GAP, WASHOUT = 21, 28  # days without treatment before the next line, and before entry
INDUCTION, TRANSPLANT, MAINTENANCE = 112, 150, 240  # days of the first line: end of induction, melphalan, lenalidomide
SHORTEST_WITH_TRANSPLANT = 330
MAINTENANCE_DOSE = 10.0  # mg of lenalidomide
REST = 100  # a last line that did not fail ended so much earlier
ROW = {"number": pl.Int64(), "line": pl.Int32(), "what": pl.String(), "phase": pl.String(), "start": pl.Int64(), "stop": pl.Int64(),
       "stop_reason": pl.String(), "dose": pl.Float64(), "dose_unit": pl.String(), "route": pl.String()}  # fmt: skip


@cache
def _told() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "earlier_lines.toml").read_text(encoding="utf-8"))


@cache
def standard_doses() -> pl.DataFrame:
    """The usual dose of each drug as a chart says it: drug, dose, dose_unit, route."""
    told = pl.read_csv(Path(__file__).parent / "standard_doses.csv", schema_overrides={"dose": pl.Float64})
    return told.select("drug", "dose", "dose_unit", "route")


def _options(era: str, line: int) -> list[dict[str, Any]]:
    lines = _told()[era]["line"]
    return lines[min(line, len(lines)) - 1]["options"]


def earlier_lines(table: pl.DataFrame, era: str, seed: int) -> pl.DataFrame:
    """One row an earlier line: number, line, option, start and stop (days, negative), stop_reason."""
    most = int(table["prior_lines"].max() or 0)  # pyright: ignore[reportArgumentType]
    numbers, lines = table["number"].to_numpy(), table["prior_lines"].to_numpy()
    length = np.column_stack([0.5 + uniform(seed, "people.length_of_line", numbers, k) for k in range(most)] or [np.ones(len(numbers))])
    length = np.where(np.arange(length.shape[1]) < lines[:, None], length, 0)
    ends = np.cumsum(length, axis=1) / np.maximum(length.sum(axis=1, keepdims=True), 1e-9)
    days = table["years_since_diagnosis"].to_numpy() * YEAR
    return pl.concat([_line(table, era, seed, k + 1, ends, days) for k in range(most)] or [pl.DataFrame(schema=_LINE)])


_LINE = {"number": pl.Int64(), "line": pl.Int32(), "option": pl.Int64(), "start": pl.Int64(), "stop": pl.Int64(),
         "stop_reason": pl.String(), "transplanted": pl.Boolean()}  # fmt: skip


def _line(table: pl.DataFrame, era: str, seed: int, line: int, ends: NDArray[np.float64], days: NDArray[np.float64]) -> pl.DataFrame:
    numbers, many = table["number"].to_numpy(), table["prior_lines"].to_numpy()
    first = ends[:, line - 2] if line > 1 else np.zeros(len(numbers))
    start, end = np.floor(days * (first - 1)), np.floor(days * (ends[:, line - 1] - 1))
    last, failed = many == line, table["refractory_to_last"].to_numpy()
    stop = end - np.where(last, WASHOUT, GAP) - np.where(last & ~failed, REST, 0)
    ways = _told()[era]["ended"]
    edges = np.cumsum(list(ways.values()))[:-1]
    earlier = np.array(list(ways))[np.searchsorted(edges, uniform(seed, "people.end_of_line", numbers, line), side="right")]
    reason = np.where(last, np.where(failed, "progression", "completed"), earlier)
    edges = np.cumsum([option["share"] for option in _options(era, line)])[:-1]
    option = np.searchsorted(edges, uniform(seed, "people.regimen_of_line", numbers, line), side="right")
    found = pl.DataFrame({
        "number": numbers, "line": np.full(len(numbers), line), "option": option, "start": start.astype(int),
        "stop": np.maximum(stop, start + 1).astype(int), "stop_reason": reason, "transplanted": table["transplanted"],
    }, schema=_LINE)  # fmt: skip
    return found.filter(pl.Series(many >= line))


def earlier_treatments(table: pl.DataFrame, era: str, seed: int) -> pl.DataFrame:
    """One row a drug or procedure of an earlier line: when it began and ended (days, negative), dose, route, phase."""
    lines = earlier_lines(table, era, seed)
    drugs = pl.DataFrame(
        [(line, place, drug) for line in range(1, int(lines["line"].max() or 0) + 1) for place, option in enumerate(_options(era, line))  # pyright: ignore[reportArgumentType]
         for drug in option["drugs"]], schema={"line": pl.Int32(), "option": pl.Int64(), "what": pl.String()}, orient="row")  # fmt: skip
    first = pl.col("line") == 1
    long, grafted = (
        pl.col("stop") - pl.col("start") > MAINTENANCE,
        pl.col("transplanted") & (pl.col("stop") - pl.col("start") > SHORTEST_WITH_TRANSPLANT),
    )
    induced = first & long
    given = lines.join(drugs, on=["line", "option"]).with_columns(
        stop=pl.when(induced).then(pl.col("start") + INDUCTION).otherwise("stop"),
        stop_reason=pl.when(induced).then(pl.lit("completed")).otherwise("stop_reason"),
        phase=pl.when(first).then(pl.lit("induction")).otherwise(pl.lit("treatment")),
    )
    grafts = [lines.filter(first & grafted).with_columns(what=pl.lit(what), phase=pl.lit("transplant"), stop_reason=pl.lit("completed"),
              start=pl.col("start") + day, stop=pl.col("start") + day)
              for what, day in (("melphalan", TRANSPLANT), ("autologous_transplant", TRANSPLANT + 1))]  # fmt: skip
    kept = lines.filter(induced).with_columns(what=pl.lit("lenalidomide"), phase=pl.lit("maintenance"), start=pl.col("start") + MAINTENANCE)
    rows = pl.concat([given, *grafts, kept], how="diagonal").drop("option", "transplanted")
    rows = rows.join(standard_doses(), left_on="what", right_on="drug", how="left").with_columns(
        dose=pl.when(pl.col("phase") == "maintenance").then(MAINTENANCE_DOSE).otherwise("dose"))  # fmt: skip
    return rows.select(pl.col(name).cast(dtype) for name, dtype in ROW.items()).sort("number", "start", "what")


def drugs_before(table: pl.DataFrame, era: str, seed: int) -> pl.DataFrame:
    """The drugs that each of the people has had, and those under which the disease progressed, in alphabetical order.

    Columns: number, prior_drugs, refractory_drugs (lists).
    """
    given = earlier_treatments(table, era, seed).filter(pl.col("what") != "autologous_transplant")
    failed = pl.col("what").filter(pl.col("stop_reason") == "progression")
    had = given.group_by("number").agg(prior_drugs=pl.col("what").unique().sort(), refractory_drugs=failed.unique().sort())
    return table.select("number").join(had, on="number", how="left", maintain_order="left").with_columns(
        pl.col("prior_drugs", "refractory_drugs").fill_null(pl.lit([], pl.List(pl.String))))  # fmt: skip
