"""One stretch of time for a cohort, between two decisions: doses in, states and peaks out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import BenceError, UsageError
from .compiled import loaded
from .kernel import WIDTH, Kernel
from .model import Model
from .oracle import Oracle

Floats = NDArray[np.float64]
Engine = Literal["kernel", "oracle"]
FINENESS = {"kernel": 2.0, "oracle": 1e-9}


@dataclass(frozen=True)
class Doses:
    """What is given: `amounts[regimen, day, slot]` is added to the state `dosed[slot]` at the start of that day of the regimen."""

    amounts: Floats
    dosed: tuple[str, ...]


def advance(
    model: Model,
    doses: Doses,
    state: Floats,
    parameters: Floats,
    regimen: NDArray[np.int32],
    started: NDArray[np.int32],
    first_day: int,
    days: int,
    every: int = 7,
    engine: Engine = "kernel",
    *,
    keep: Sequence[str] | None = None,
    fineness: float | None = None,
    threads: int | None = None,
) -> tuple[Floats, Floats, Floats]:
    """Carry a cohort from the start of `first_day` through `days` days.

    Gives the states afterwards [state, patient]; the states kept (all, or `keep`) at the end of every `every` days
    [time, state, patient], before the doses of the next day; and the highest value of each peak state over each such
    interval, its start and the doses of its days included [time, peak state, patient].

    `fineness`: steps a day of the kernel (2), relative tolerance of the oracle (1e-9). The result of a patient does not
    depend on the other patients or on the number of threads. Raises UsageError for what does not fit together, and
    BenceError when a state is no longer a number.
    """
    patients = state.shape[1]
    names = tuple(model.state_index if keep is None else keep)
    _check(model, doses, state, parameters, regimen, started, names, days, every)
    after = np.empty((len(model.states), patients))
    values = np.empty((days // every, len(names), patients))
    peaks = np.empty((days // every, len(model.peaked), patients))
    own = _fineness(engine, fineness)
    solver, run = _solver(engine, model)
    arguments = (
        np.ascontiguousarray(state, np.float64),
        np.ascontiguousarray(solver.settled(np.asarray(parameters, np.float64))),
        np.ascontiguousarray(doses.amounts, np.float64),
        np.array([model.state_index[name] for name in doses.dosed], np.int64),
        np.ascontiguousarray(regimen, np.int32),
        np.ascontiguousarray(started, np.int32),
        int(first_day),
        int(days),
        int(every),
        own,
        np.array([model.state_index[name] for name in names], np.int64),
        after,
        values,
        peaks,
    )
    _in_parallel(lambda begin, end: run(begin, end, *arguments), patients, threads)
    _check_numbers(model, after, first_day + days)
    return after, values, peaks


@lru_cache(16)
def _solver(engine: Engine, model: Model) -> tuple[Kernel | Oracle, Callable[..., None]]:
    solver = Kernel(model) if engine == "kernel" else Oracle(model)
    return solver, loaded(solver.text()).run


def _fineness(engine: Engine, given: float | None) -> float:
    if engine not in FINENESS:
        raise UsageError(f"there is no engine {engine!r}", expected=" or ".join(FINENESS))
    fineness = FINENESS[engine] if given is None else float(given)
    if engine == "kernel" and not (fineness >= 1 and fineness.is_integer()):
        raise UsageError(f"the kernel cannot make {fineness:g} steps a day", expected="a whole number from 1")
    if engine == "oracle" and not 1e-13 <= fineness <= 1e-2:
        raise UsageError(f"the oracle cannot keep a relative tolerance of {fineness:g}", expected="1e-13 to 1e-2")
    return fineness


def _check(
    model: Model,
    doses: Doses,
    state: Floats,
    parameters: Floats,
    regimen: NDArray[np.int32],
    started: NDArray[np.int32],
    keep: Sequence[str],
    days: int,
    every: int,
) -> None:
    """Refuse what does not fit together: numbers outside an array would be read without a check."""
    patients = state.shape[1] if state.ndim == 2 else -1
    shapes = {
        "state": (state.shape, (len(model.states), patients)),
        "parameters": (parameters.shape, (len(model.parameters), patients)),
        "regimen": (regimen.shape, (patients,)),
        "started": (started.shape, (patients,)),
        "doses.amounts": (doses.amounts.shape, (*doses.amounts.shape[:2], len(doses.dosed))),
    }
    for name, (shape, wanted) in shapes.items():
        if shape != wanted:
            raise UsageError(f"{name} has the shape {shape}", expected=str(wanted))
    if every < 1 or days < 1 or days % every:
        raise UsageError(f"{days} days with an output every {every} days", expected="whole intervals")
    if patients and not -1 <= regimen.min() <= regimen.max() < len(doses.amounts):
        raise UsageError(f"there are regimens from {regimen.min()} to {regimen.max()}", expected=f"-1 to {len(doses.amounts) - 1}")
    for name in (*doses.dosed, *keep):
        if name not in model.state_index:
            near = get_close_matches(name, model.state_index, 1)
            raise UsageError(f"there is no state {name!r}", nearest=near[0] if near else None)


def _in_parallel(run: Callable[[int, int], None], patients: int, threads: int | None) -> None:
    """Share whole blocks out to threads; Numba gives Python's lock free while it works."""
    threads = threads or _cores()
    blocks = -(-patients // WIDTH)
    share = WIDTH * max(1, -(-blocks // (4 * threads)))  # four pieces a thread: one that is done early takes another
    pieces = [(begin, min(begin + share, patients)) for begin in range(0, patients, share)]
    if threads == 1 or len(pieces) < 2:
        for piece in pieces:
            run(*piece)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda piece: run(*piece), pieces))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_numbers(model: Model, after: Floats, day: int) -> None:
    wrong = ~np.isfinite(after)
    if wrong.any():
        row, patient = (int(place[0]) for place in np.nonzero(wrong))
        patients = int(wrong.any(axis=0).sum())
        raise BenceError(
            f"by day {day} the state {model.states[row].name!r} of patient {patient} is {after[row, patient]}, in all {patients} patients",
            expected="finite numbers; the parameters may be out of range, or the equations too fast for the step",
        )
