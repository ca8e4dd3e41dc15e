"""`make bench`: what an assessment costs, beside what people use now and beside the floor. Medians of several runs.

    python bench/run.py [--patients 200000] [--runs 3] [--folder .cache/bench]

Every job runs in a process of its own; the jobs take turns, so that a slow minute of the machine meets them all.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from advise import JOBS as ADVICE
from advise import PATIENTS as ADVISED
from simulate import CAREFUL, SCIPY, SIMULATED
from simulate import JOBS as SIMULATION

HERE = Path(__file__).parent
STAGED = 1_000_000


def main() -> None:
    """Write the cohorts if they are not there, run the jobs, print the table."""
    said = argparse.ArgumentParser(description=__doc__)
    said.add_argument("--patients", type=int, default=200_000)
    said.add_argument("--runs", type=int, default=3)
    said.add_argument("--folder", type=Path, default=Path(".cache/bench"))
    given = said.parse_args()
    shuffled, written = cohorts(given.folder, given.patients)
    table = baseline(given.folder)
    jobs = {
        ("polars_read_sort", shuffled): "Polars: read and sort, the columns used",
        ("polars_read_sort_all", shuffled): "Polars: read and sort, all columns",
        ("polars_streaming_sort", shuffled): "Polars: the columns used, streaming engine",
        ("assess", shuffled): "bence.assess, shuffled Parquet",
        ("polars_read", written): "Polars: read the chart that Bence wrote",
        ("assess", written): "bence.assess, the chart that Bence wrote",
        ("everything", shuffled): "every table of findings, shuffled Parquet",
        ("lines", shuffled): "lines of therapy alone, warm",
        ("pandas_apply", shuffled): "pandas groupby-apply (extrapolated)",
        ("explain", shuffled): "one patient explained, warm, the slowest question",
        ("stage", table): f"bence.stage, {STAGED:,} patients",
        ("advise", table): f"advice of {ADVISED:,} drawn patients",
        ("advise_relapsed", table): f"advice of {ADVISED // 5:,} drawn relapses",
        ("advise_one", table): "advice of one patient, warm, the slowest",
        ("facts", written): "facts of the pathway, the findings being there",
        ("simulate", Path(str(SIMULATED))): f"{SIMULATED:,} virtual patients, three years",
        ("simulate", Path("10000")): "10,000 virtual patients, weekly output",
        ("simulate_cold", Path("1")): "the solver made from the model text",
        ("simulate_careful", Path(str(CAREFUL))): f"{CAREFUL:,} of them by the careful solver",
        ("simulate_scipy", Path(str(SCIPY))): f"{SCIPY} of them by SciPy's LSODA",
        ("simulate_scipy_compiled", Path(str(SCIPY))): "the same, equations compiled by Numba",
    }
    run("assess", shuffled)  # the first call compiles the scan and keeps it on disk; that is timed apart below
    costs: dict[Any, list[dict[str, Any]]] = {job: [] for job in jobs}
    for _ in range(given.runs):
        for job in jobs:
            costs[job].append(run(*job))
    print(f"\n{given.patients:,} patients, {160 * given.patients:,} laboratory rows, medians of {given.runs} runs\n")
    print(f"{'':45s}{'CPU s':>9s}{'wall s':>9s}{'GB':>7s}")
    middle = {job: {key: median(each[key] for each in runs) for key in ("cpu", "wall", "memory")} for job, runs in costs.items()}
    for job, label in jobs.items():
        own = middle[job]
        scale = 1 / costs[job][0].get("share", 1)
        print(f"{label:45s}{own['cpu'] * scale:9.3g}{own['wall'] * scale:9.3g}{own['memory']:7.2f}")
    print()
    for text, ratio, wanted in ratios(middle, costs, shuffled, written, table):
        print(f"{text:70s}{ratio:10,.2f}   (aim {wanted})")


def ratios(middle: Any, costs: Any, shuffled: Path, written: Path, table: Path) -> Iterator[tuple[str, float, str]]:
    """What the timings mean, each with what is aimed at."""
    ours, sorted_ours = middle["assess", shuffled]["cpu"], middle["assess", written]["cpu"]
    yield "assess / Polars read and sort of the same columns (CPU)", ours / middle["polars_read_sort", shuffled]["cpu"], "<= 0.6"
    yield "assess / Polars read and sort of all columns (CPU)", ours / middle["polars_read_sort_all", shuffled]["cpu"], "<= 0.6"
    yield "assess / Polars streaming read and sort of the same columns (CPU)", ours / middle["polars_streaming_sort", shuffled]["cpu"], "-"
    yield "assess of the sorted chart / reading it (CPU)", sorted_ours / middle["polars_read", written]["cpu"], "<= 4"
    yield (
        "every table / Polars read and sort of the same columns (CPU)",
        (middle["everything", shuffled]["cpu"] / middle["polars_read_sort", shuffled]["cpu"]),
        "<= 2",
    )
    yield "lines alone, patients a CPU second", costs["lines", shuffled][0]["patients"] / middle["lines", shuffled]["cpu"], ">= 20,000"
    for job, path, wanted in (("advise", table, ">= 200,000"), ("advise_relapsed", table, "-"), ("facts", written, "-")):
        yield f"{job}, patients a CPU second", costs[job, path][0]["patients"] / middle[job, path]["cpu"], wanted
    yield "advice of one patient, milliseconds", 1_000 * middle["advise_one", table]["wall"], "<= 30"
    yield from simulation(middle, costs)
    share = costs["pandas_apply", shuffled][0]["share"]
    yield "pandas, extrapolated / assess (CPU)", middle["pandas_apply", shuffled]["cpu"] / share / ours, "-"


def simulation(middle: Any, costs: Any) -> Iterator[tuple[str, float, str]]:
    """Speed, memory and errors of virtual patients."""
    ours, scipy = ("simulate", Path(str(SIMULATED))), ("simulate_scipy", Path(str(SCIPY)))
    compiled = ("simulate_scipy_compiled", Path(str(SCIPY)))
    speed = {job: costs[job][0]["work"] / middle[job]["cpu"] for job in (ours, scipy, compiled)}
    yield "virtual patients x states a second, three years, 2 cores (2 x CPU)", 2 * speed[ours], ">= 45,000"
    yield "the same on 2 cores / SciPy's LSODA", 2 * speed[ours] / speed[scipy], ">= 300"
    yield "the same / SciPy's LSODA with compiled equations", 2 * speed[ours] / speed[compiled], "-"
    yield "10,000 virtual patients with weekly output, GB", middle["simulate", Path("10000")]["memory"], "< 1"
    errors = costs["simulate_careful", Path(str(CAREFUL))][0]
    yield "ln cells, the worst week and clone of a patient: median error", errors["median_error"], "-"
    yield "ln cells, the worst week and clone of all patients: error", errors["max_error"], "-"
    for name, count in errors["flips"].items():
        yield f"patients of {CAREFUL:,} whose {name} is another", count, "0"


def cohorts(folder: Path, patients: int) -> tuple[Path, Path]:
    """The shuffled cohort, and the same as Bence writes it."""
    shuffled, written = folder / f"shuffled-{patients}", folder / f"written-{patients}"
    if not (shuffled / "observations.parquet").exists():
        print("writing the cohort ...", flush=True)
        python(f"from cohort import write_cohort; from pathlib import Path; write_cohort(Path({str(shuffled)!r}), {patients})")
    if not (written / "observations.parquet").exists():
        print("writing the chart ...", flush=True)
        python(f"import bence; bence.read({str(shuffled)!r}).write({str(written)!r}, 'parquet')")
    return shuffled, written


def baseline(folder: Path) -> Path:
    """The wide table of baseline values."""
    table = folder / f"baseline-{STAGED}.parquet"
    if not table.exists():
        python(f"from baseline import write_baseline; from pathlib import Path; write_baseline(Path({str(table)!r}), {STAGED})")
    return table


def python(code: str) -> None:
    """Run a line of Python in a process of its own, so that its memory is not ours."""
    subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(HERE)!r}); {code}"], check=True)


def run(job: str, path: Path) -> dict[str, Any]:
    """What a job costs in a new process."""
    print(f"  {job} {path.name}", end=" ", flush=True)
    jobs = HERE / ("advise.py" if job in ADVICE else "simulate.py" if job in SIMULATION else "jobs.py")
    done = subprocess.run([sys.executable, str(jobs), job, str(path)], check=True, capture_output=True, text=True)
    cost = json.loads(done.stdout.splitlines()[-1])
    print(f"{cost['cpu']:.3g} s CPU", flush=True)
    return cost


if __name__ == "__main__":
    main()
