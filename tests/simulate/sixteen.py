"""A cohort of the small model of `models/sixteen`, which no clinical question touches."""

from functools import cache
from pathlib import Path

import numpy as np

from bence.simulate import Doses, advance, read_model

FOLDER = Path(__file__).parent / "models" / "sixteen"
YEAR = 364


@cache
def model():
    return read_model(FOLDER)


@cache
def doses():
    """Step-up and weekly engager with a second one from day 28, CAR-T on day 182; and the engager alone, every two weeks."""
    amounts = np.zeros((2, YEAR, 3))
    amounts[0, [0, 3], 0] = 2, 8
    amounts[0, 7::7, 0] = 50
    amounts[0, 28::14, 1] = 40
    amounts[0, 182, 2] = 0.01
    amounts[1, ::14, 0] = 60
    return Doses(amounts, ("bcma_depot", "gprc5d_depot", "car_effector"))


def people(patients, seed=1):
    """Parameters of people who differ as the table says."""
    drawn = np.random.default_rng(seed)
    parameters = model().typical(patients)
    for row, parameter in enumerate(model().parameters):
        if parameter.name == "ln_n0":
            parameters[row] += 0.8 * drawn.standard_normal(patients)
        elif parameter.log_sd:
            parameters[row] *= np.exp(parameter.log_sd * drawn.standard_normal(patients))
    return parameters


def run(parameters, days=YEAR, given=None, regimen=None, started=None, first_day=0, state=None, **words):
    """Carry them through some days, all on regimen 0 from day 0 unless told otherwise."""
    patients = parameters.shape[1]
    regimen = np.zeros(patients, np.int32) if regimen is None else regimen
    started = np.zeros(patients, np.int32) if started is None else started
    state = model().start(parameters) if state is None else state
    return advance(model(), given or doses(), state, parameters, regimen, started, first_day, days, **words)


def rows(*names):
    """The rows of these states."""
    return [model().state_index[name] for name in names]
