"""The careful solver, written from the same model text: one patient at a time, steps as small as the error asks for.

Tsitouras' method of order 5(4) (Comput Math Appl 2011;62:770) on the whole right-hand side, with the exponential of the
C library. Nothing is shared with the kernel but the equations, so that each shows the other's mistakes. It stops at every
output and every day with a dose.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .expressions import written
from .model import Model

HEAD = '''"""Written from a model text; not to be edited."""

from math import exp, log, sqrt

import numpy as np
from numba import njit

FAST = {"error_model": "numpy", "nogil": True}
FLOOR = 1e-3  # of the tolerance: the absolute error, in the unit of the state, that is let pass near zero
AT = np.array([  # what of the slopes so far makes the place of the next stage; the last row is the step itself
    [0.161, 0, 0, 0, 0, 0],
    [-0.008480655492356989, 0.335480655492357, 0, 0, 0, 0],
    [2.8971530571054935, -6.359448489975075, 4.3622954328695815, 0, 0, 0],
    [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525, 0, 0],
    [5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383, 0],
    [0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774],
])
ERROR = np.array([-0.00178001105222577714, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629,
                  0.5823571654525552, -0.45808210592918697, 0.015151515151515152])
'''

SOLVER = '''

@njit(**FAST)
def go(y, p, span, h, tolerance, stages, trial, peak):
    """Carry one patient through `span` days, from a first try of `h` days; the step to try next."""
    left, refused = span, 0
    slopes(y, p, stages[0])
    while left > 1e-12 * span:
        step = min(h, left)
        for stage in range(6):
            for i in range(STATES):
                total = 0.0
                for k in range(stage + 1):
                    total += AT[stage, k] * stages[k, i]
                trial[i] = y[i] + step * total
            slopes(trial, p, stages[stage + 1])
        worst = 0.0
        for i in range(STATES):
            total = 0.0
            for k in range(7):
                total += ERROR[k] * stages[k, i]
            size = tolerance * (FLOOR + max(abs(y[i]), abs(trial[i])))
            worst = max(worst, abs(step * total) / size) if total == total else np.inf
        if worst <= 1.0:
            y[:] = trial
            stages[0] = stages[6]
            rise(peak, y)
            left -= step
            refused = 0
        else:
            refused += 1
            if refused > 60:
                y[:] = np.nan
                return h
        grown = step * min(5.0, max(0.1, 0.9 * worst**-0.2)) if worst > 0 else 5.0 * step
        if step == h or worst > 1.0 or grown > h:
            h = grown
    return h


@njit(**FAST)
def rise(peak, y):
    for k in range(len(PEAKED)):
        peak[k] = max(peak[k], y[PEAKED[k]])


@njit(cache=KEEP, **FAST)
def run(begin, end, state, parameters, amounts, dosed, regimen, started, start_day, days, every, fineness, kept, after, values, peaks):
    """Patients `begin` up to `end` through `days` days; `fineness` is the relative tolerance."""
    y, p, trial = np.empty(STATES), np.empty(parameters.shape[0]), np.empty(STATES)
    stages, peak = np.empty((7, STATES)), np.empty(len(PEAKED))
    for patient in range(begin, end):
        y[:] = state[:, patient]
        p[:] = parameters[:, patient]
        h, waited = 0.01, 0
        for day in range(days):
            since = start_day + day - started[patient]
            if regimen[patient] >= 0 and 0 <= since < amounts.shape[1] and np.any(amounts[regimen[patient], since] != 0):
                if waited:
                    h, waited = go(y, p, waited, h, fineness, stages, trial, peak), 0
                for k in range(len(dosed)):
                    y[dosed[k]] += amounts[regimen[patient], since, k]
                rise(peak, y)
            if day % every == 0:
                peak[:] = -np.inf
                rise(peak, y)
            waited += 1
            if (day + 1) % every == 0:
                h, waited = go(y, p, waited, h, fineness, stages, trial, peak), 0
                out = (day + 1) // every - 1
                for k in range(len(kept)):
                    values[out, k, patient] = y[kept[k]]
                peaks[out, :, patient] = peak
        after[:, patient] = y
'''


class Oracle:
    """The careful solver of a model: its text, and what it wants to know of the patients."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def settled(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """What it wants to know of the patients: their parameters."""
        return parameters

    def text(self) -> str:
        """The solver as the text of a Python module for Numba."""
        terms = self.model.needed(name for state in self.model.states for name in state.change.names)
        names = {name for each in terms for name in each.value.names} | {name for state in self.model.states for name in state.change.names}
        lines = [f"{name} = _p[{row}]" for name, row in self.model.parameter_index.items() if name in names]
        lines += [f"{name} = _y[{row}]" for name, row in self.model.state_index.items()]
        lines += [f"{term.name} = {written(term.value.tree)}" for term in terms]
        lines += [f"_slope[{row}] = {written(state.change.tree)}" for row, state in enumerate(self.model.states)]
        peaked = f"np.array({[self.model.state_index[name] for name in self.model.peaked]}, np.int64)"
        body = "\n    ".join(lines)
        slopes = f"@njit(**FAST)\ndef slopes(_y, _p, _slope):\n    {body}"
        return f"{HEAD}\nSTATES = {len(self.model.states)}\nPEAKED = {peaked}\n\n\n{slopes}\n{SOLVER}"
