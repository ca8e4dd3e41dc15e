"""The jobs of virtual patients, each in a process of its own: `python bench/simulate.py JOB PATIENTS` prints its cost as JSON.

Courses of three years of the model's own people: step-up and weekly teclistamab-like doses, CAR-T cells after a year.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs import main, timed

DAYS = 3 * 364
SIMULATED = 3_000
SCIPY = 3  # patients of SciPy's LSODA, and of everything else that is extrapolated
CAREFUL = 1_000
KEPT = (
    "ln_sensitive",
    "ln_bcma_low",
    "ln_gprc5d_loss",
    "ln_double_loss",
    "ln_resistant",
    "m_protein",
    "involved_flc",
    "normal_igg",
    "sbcma",
)


def cohort(patients: int) -> tuple[Any, ...]:
    """Model, doses, states, parameters, regimen and its start of a cohort."""
    import numpy as np

    from bence.simulate import Doses, read_model

    model = read_model()
    drawn = np.random.default_rng(1)
    parameters = model.typical(patients)
    for row, parameter in enumerate(model.parameters):
        if parameter.log_sd and not parameter.name.startswith("share"):
            parameters[row] *= np.exp(min(parameter.log_sd, 0.5) * drawn.standard_normal(patients))
    amounts = np.zeros((1, DAYS, 2))
    amounts[0, [0, 3], 0] = 3, 14
    amounts[0, 7::7, 0] = 72  # nmol: 1.5 mg/kg of 146 kDa in 70 kg, without the absorption that the model knows
    amounts[0, 364, 1] = 0.01
    none = np.zeros(patients, np.int32)
    return model, Doses(amounts, ("bcma_depot", "car_effector")), model.start(parameters), parameters, none, none


def simulate(path: Path, result: dict[str, Any]) -> None:
    """Three years, what a record needs of each week, compiled before."""
    from bence.simulate import advance

    ours = cohort(int(path.name))
    advance(*ours, 0, 7)
    with timed(result):
        advance(*ours, 0, DAYS, keep=KEPT)
    result["work"] = int(path.name) * len(ours[0].states)


def simulate_cold(path: Path, result: dict[str, Any]) -> None:
    """From the text to the first week of one patient, with nothing kept on disk."""
    import os
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        with timed(result):
            from bence.simulate import advance

            advance(*cohort(1), 0, 7)


def simulate_scipy(path: Path, result: dict[str, Any]) -> None:
    """The same courses by SciPy's LSODA, the equations in plain Python; a few patients."""
    by_lsoda(result, compiled=False)


def simulate_scipy_compiled(path: Path, result: dict[str, Any]) -> None:
    """The same, the equations compiled by Numba."""
    by_lsoda(result, compiled=True)


def by_lsoda(result: dict[str, Any], compiled: bool) -> None:
    """A few patients, each started anew at every dose."""
    import numpy as np
    from scipy.integrate import solve_ivp

    from bence.simulate.compiled import loaded
    from bence.simulate.oracle import Oracle

    model, doses, state, parameters, _, _ = cohort(SCIPY)
    slopes = loaded(Oracle(model).text()).slopes
    slopes = slopes if compiled else slopes.py_func
    slopes(state[:, 0].copy(), parameters[:, 0].copy(), np.empty(len(state)))
    dosed = [model.state_index[name] for name in doses.dosed]
    slope = np.empty(len(state))
    with timed(result):
        for patient in range(SCIPY):
            own, y = np.ascontiguousarray(parameters[:, patient]), state[:, patient].copy()

            def change(_: float, at: Any, own: Any = own) -> Any:
                slopes(at, own, slope)
                return slope

            for day in range(0, DAYS, 7):
                for part in ((0, 3), (3, 7)) if day == 0 else ((0, 7),):
                    y[dosed] += doses.amounts[0, day + part[0]]
                    y = solve_ivp(change, part, y, method="LSODA", rtol=1e-6, atol=1e-9).y[:, -1]
    result["work"] = SCIPY * len(model.states)


def simulate_careful(path: Path, result: dict[str, Any]) -> None:
    """The careful solver, and how far the fast one is from it: the worst clone of each patient over all weeks."""
    import numpy as np

    from bence.simulate import advance

    ours = cohort(CAREFUL)
    keep = (*(name for name in ours[0].state_index if name.startswith("ln_")), "m_protein")
    advance(*ours, 0, 7, engine="oracle")
    with timed(result):
        careful = advance(*ours, 0, DAYS, engine="oracle", keep=keep)[1]
    fast = advance(*ours, 0, DAYS, keep=keep)[1]
    clones = slice(0, len(keep) - 1)
    worst = np.abs(fast - careful)[:, clones].max(axis=(0, 1))
    result |= {"median_error": float(np.median(worst)), "max_error": float(worst.max()), "work": CAREFUL * len(ours[0].states)}
    result["flips"] = {
        name: int((of(fast) != of(careful)).sum())
        for name, of in {
            "partial response": lambda values: (values[:, -1] <= 0.5 * ours[2][ours[0].state_index["m_protein"]]).any(axis=0),
            "MRD below 1e-5": lambda values: (np.logaddexp.reduce(values[:, clones], axis=1) < np.log(1e7)).any(axis=0),
            "week of progression": lambda values: progression(values[:, -1]),
        }.items()
    }


def progression(protein: Any) -> Any:
    """The first week with 25% and 5 g/L over the lowest so far; -1 for none."""
    import numpy as np

    lowest = np.minimum.accumulate(protein, axis=0)
    found = (protein >= 1.25 * lowest) & (protein >= lowest + 5)
    return np.where(found.any(axis=0), found.argmax(axis=0), -1)


JOBS: dict[str, Callable[[Path, dict[str, Any]], None]] = {
    job.__name__: job for job in (simulate, simulate_cold, simulate_scipy, simulate_scipy_compiled, simulate_careful)
}

if __name__ == "__main__":
    main(JOBS)
