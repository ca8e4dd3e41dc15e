"""The jobs that are timed, each in a process of its own: `python bench/jobs.py JOB PATH` prints what it cost as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

READ = ["patient", "on", "what", "value", "comparator", "text", "status", "method", "recorded_on"]  # what an assessment reads
PART = 2_000  # patients of the job that is extrapolated
QUESTIONS = ("response", "r2_iss", "diagnosis")


def cpu() -> float:
    """CPU seconds of this process so far, threads and system included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@contextmanager
def timed(result: dict[str, Any]) -> Iterator[None]:
    """Note CPU and wall seconds of what is done inside."""
    before, start = cpu(), time.perf_counter()
    yield
    result |= {"cpu": cpu() - before, "wall": time.perf_counter() - start}


def polars_read_sort(folder: Path, result: dict[str, Any]) -> None:
    """The floor of the shuffled file: read the columns that an assessment reads, and sort."""
    with timed(result):
        pl.read_parquet(folder / "observations.parquet", columns=READ).sort("patient", "on")


def polars_read_sort_all(folder: Path, result: dict[str, Any]) -> None:
    """The same with every column of the file."""
    with timed(result):
        pl.read_parquet(folder / "observations.parquet").sort("patient", "on")


def polars_streaming_sort(folder: Path, result: dict[str, Any]) -> None:
    """The same columns with the streaming engine."""
    with timed(result):
        pl.scan_parquet(folder / "observations.parquet").select(READ).sort("patient", "on").collect(engine="streaming")


def polars_read(folder: Path, result: dict[str, Any]) -> None:
    """The floor of the sorted file: read it."""
    with timed(result):
        pl.read_parquet(folder / "observations.parquet")


def assess(folder: Path, result: dict[str, Any]) -> None:
    """Everything that `bence.assess` finds, with defaults, from the folder."""
    import bence

    with timed(result):
        findings = bence.assess(bence.read(folder))
    result["rows"] = findings.response.height


def everything(folder: Path, result: dict[str, Any]) -> None:
    """Every table of the findings, from the folder."""
    import bence
    from bence.output import tables_of

    with timed(result):
        tables = tables_of(bence.assess(bence.read(folder)))
    result["rows"] = sum(table.height for table in tables.values())


def lines(folder: Path, result: dict[str, Any]) -> None:
    """Lines of therapy alone: from the treatment rows in memory to the line of each, compiled before."""
    import bence
    from bence.assess.lines import progression_events, treatment_rows, with_lines
    from bence.assess.policies import settle

    chart = bence.read(folder)
    chart = bence.Chart(chart.patients, None, chart.treatments, chart.events)
    ids, policies = chart.patients["patient"].sort(), settle({})
    with_lines(treatment_rows(chart, ids), progression_events(chart, ids), len(ids), policies)
    with timed(result):
        with_lines(treatment_rows(chart, ids), progression_events(chart, ids), len(ids), policies)
    result["patients"] = len(ids)


def pandas_apply(folder: Path, result: dict[str, Any]) -> None:
    """A response for each patient as it is written by hand: pandas, groupby, apply; on a part of the patients."""
    import pandas as pd

    names = pl.read_parquet(folder / "patients.parquet")["patient"].head(PART)
    rows = pl.scan_parquet(folder / "observations.parquet").filter(pl.col("patient").is_in(names.implode())).collect().to_pandas()
    first = pl.read_parquet(folder / "treatments.parquet").group_by("patient").agg(pl.col("started_on").min())
    starts = dict(first.iter_rows())

    def response(own: pd.DataFrame) -> pd.Series:
        wide = own.pivot_table(index="on", columns="what", values="value", aggfunc="max").sort_index()
        if "serum_m_protein" not in wide:
            return pd.Series("NE", wide.index)
        serum, start = wide["serum_m_protein"], pd.Timestamp(starts[own.name])
        before, after = serum[serum.index <= start], serum[serum.index > start]
        baseline = before.iloc[-1] if len(before) else float("nan")
        nadir, found = baseline, []
        for value in after:
            rise = value - nadir
            found.append("PD" if rise >= 5 and rise >= 0.25 * nadir else "VGPR" if value <= 0.1 * baseline else
                         "PR" if value <= 0.5 * baseline else "SD")  # fmt: skip
            nadir = min(nadir, value)
        return pd.Series(found, after.index, dtype="object")

    rows["on"] = pd.to_datetime(rows["on"])
    with timed(result):
        rows.groupby("patient")[["on", "what", "value"]].apply(response)
    result["share"] = PART / pl.scan_parquet(folder / "patients.parquet").select(pl.len()).collect().item()


def explain(folder: Path, result: dict[str, Any]) -> None:
    """One patient of a small chart explained, in a process that has done it before: the median of the slowest question."""
    import bence

    name = "P0000007"
    own = bence.read(folder).only(name)
    chart = bence.Chart(own.patients, own.observations, own.treatments, own.events)
    middles = []
    for question in QUESTIONS:
        bence.why(chart, name, question)
        costs: list[dict[str, Any]] = [{} for _ in range(9)]
        for cost in costs:
            with timed(cost):
                bence.why(chart, name, question)
        middles.append(sorted(costs, key=lambda cost: cost["cpu"])[len(costs) // 2])
    result |= max(middles, key=lambda cost: cost["cpu"])


def stage(table: Path, result: dict[str, Any]) -> None:
    """Every rule with its possible sets for one wide table of baseline values."""
    import bence

    frame = pl.read_parquet(table)
    bence.stage(frame.head(1_000))  # the rules' trees are made once in a process
    with timed(result):
        bence.stage(frame)


JOBS: dict[str, Callable[[Path, dict[str, Any]], None]] = {
    job.__name__: job
    for job in (
        polars_read_sort,
        polars_read_sort_all,
        polars_streaming_sort,
        polars_read,
        assess,
        everything,
        lines,
        pandas_apply,
        explain,
        stage,
    )
}


def main(jobs: dict[str, Callable[[Path, dict[str, Any]], None]]) -> None:
    """Run the job that is named on the command line and print what it cost."""
    outcome: dict[str, Any] = {}
    jobs[sys.argv[1]](Path(sys.argv[2]), outcome)
    outcome["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps(outcome))


if __name__ == "__main__":
    main(JOBS)
