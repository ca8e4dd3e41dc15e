"""What the model must show of biology: each with a direction and a plausible range. One typical person, unless it is about a cohort."""

from __future__ import annotations

import numpy as np
import pytest

from bence.simulate.model import read_model
from bence.simulate.people import draw_people
from bence.simulate.products import product
from bence.simulate.stretch import Doses, advance

MODEL = read_model()
KDA = {"teclistamab": 146.0, "elranatamab": 148.5}


def course(given=(), days=196, people=None, every=1, **values):
    """States by name [day, person] and the highest IL-6 from `given`, triples of day, state and amount."""
    n = 1 if people is None else len(people)
    parameters = np.repeat(np.array([[p.value] for p in MODEL.parameters]), n, axis=1) if people is None else people.parameters.copy()
    for name, value in values.items():
        parameters[MODEL.parameter_index[name]] = value
    dosed = tuple(dict.fromkeys(state for _, state, _ in given)) or ("pi",)
    amounts = np.zeros((1, days, len(dosed)))
    for day, state, amount in given:
        if day < days:
            amounts[0, day, dosed.index(state)] += amount
    zero = np.zeros(n, np.int32)
    start = MODEL.start(parameters)
    _, values_, peaks = advance(MODEL, Doses(amounts, dosed), start, parameters, zero, zero, 0, days, every)
    whole = np.concatenate([start[None], values_])
    return {name: whole[:, place] for name, place in MODEL.state_index.items()}, peaks[:, 0]


def drug(code):
    """The parameters that a product sets."""
    return {name: MODEL.number(told) for name, told in product(code).sets.items()}


def weekly(name, mg, days):
    """A dose every week, with the label's place and factor of the product."""
    return [(day, product(name).state, mg * product(name).factor) for day in range(0, days, 7)]


TEC_STEPS = [(0, "bcma_depot", 4.2 * 6.85), (3, "bcma_depot", 21 * 6.85), *((day, "bcma_depot", 105 * 6.85) for day in range(6, 400, 7))]
CELLS = [(0, "alkylator", 3.0), (5, "car_effector", 0.3)]
CILTA = {"car_on_bcma": 1.0, "car_potency": 1.0}


@pytest.mark.parametrize(("name", "mg", "clearance", "share"), [("teclistamab", 105, 0.449, 0.718), ("elranatamab", 76, 0.324, 0.562)])
def test_the_mean_concentration_of_a_bispecific_at_steady_state_is_that_of_the_published_clearance(name, mg, clearance, share):
    states, _ = course(weekly(name, mg, 420), 420, **drug(name))
    volume = drug(name).get("bcma_v1", 4.13)
    mean = states["bcma_central"][-7:, 0].mean() / volume * KDA[name] / 1000  # nM to µg/mL
    assert mean == pytest.approx(share * mg / (7 * clearance), rel=0.05)


def test_twice_the_dose_gives_twice_the_exposure():
    once, _ = course(weekly("teclistamab", 50, 280), 280)
    twice, _ = course(weekly("teclistamab", 100, 280), 280)
    assert twice["bcma_central"][-1, 0] == pytest.approx(2 * once["bcma_central"][-1, 0], rel=0.02)


def test_car_t_cells_peak_in_the_second_week_and_fall_below_one_in_a_thousand_within_months():
    people = draw_people("rrmm_triple_class_exposed", 200, 3)
    states, _ = course(CELLS, 336, people, **CILTA)
    cells = states["car_effector"] + states["car_memory"]
    peak = cells.max(axis=0)
    assert 10 <= np.median(cells.argmax(axis=0)) - 5 <= 20
    assert 100 <= np.median(peak) <= 2000  # CARTITUDE-4: mean 1,451 with a standard deviation of 6,169 per microlitre
    last = np.where(cells > 1, np.arange(len(cells))[:, None], 0).max(axis=0)
    assert 57 <= np.median(last) <= 250


def test_step_up_dosing_lowers_the_peak_of_il_6():
    _, with_steps = course(TEC_STEPS, 28)
    _, without = course([(0, "bcma_depot", 105 * 6.85)], 28)
    assert with_steps.max() < 0.75 * without.max()


def test_gamma_secretase_inhibition_raises_surface_bcma_and_lowers_soluble_bcma():
    gsi = [(day, "gsi", 2.0) for day in range(14)]
    with_it, _ = course(gsi, 14)
    without, _ = course((), 14)
    assert with_it["sbcma"][-1, 0] < 0.9 * without["sbcma"][-1, 0]
    tec, _ = course(TEC_STEPS, 56)
    both, _ = course([*TEC_STEPS, *((day, "gsi", 2.0) for day in range(0, 56))], 56)
    assert both["ln_sensitive"][-1, 0] < tec["ln_sensitive"][-1, 0]


def share_of_bcma_low(given, people, days, **values):
    """Of those with 1e10 myeloma cells or more in the end."""
    states, _ = course(given, days, people, every=7, **values)
    low = np.logaddexp(states["ln_bcma_low"][-1], states["ln_double_loss"][-1])
    rest = np.logaddexp.reduce([states[f"ln_{name}"][-1] for name in ("sensitive", "gprc5d_loss", "resistant")])
    return float((low > rest)[np.logaddexp(low, rest) > np.log(1e10)].mean())


def test_antigen_negative_relapse_follows_bcma_pressure_and_not_chemotherapy():
    people = draw_people("rrmm_triple_class_exposed", 200, 5)
    chemotherapy = [(day, "alkylator", 1.0) for day in range(0, 700, 7)]
    after_antibody = share_of_bcma_low(TEC_STEPS, people, 700)
    assert 0.15 <= after_antibody <= 0.7
    assert share_of_bcma_low(chemotherapy, people, 700) < 0.02 < after_antibody


def test_a_t_cell_free_interval_restores_fitness():
    given = [each for each in TEC_STEPS if each[0] < 112]
    states, _ = course(given, 308, t_resistant=1.0)
    fitness = states["fitness"][:, 0]
    assert fitness[112] < 0.75 * fitness[0]
    assert fitness[300] > fitness[112] + 0.1


def test_pd_1_blockade_slows_exhaustion():
    alone, _ = course(TEC_STEPS, 112)
    both, _ = course([*TEC_STEPS, *((day, "checkpoint", 3.0) for day in range(0, 112, 21))], 112)
    assert both["fitness"][-1, 0] > alone["fitness"][-1, 0]


def test_an_anti_cd38_antibody_lowers_nk_cells_regulatory_t_cells_and_suppressor_cells():
    treated, _ = course([(day, "cd38_central", 1242.0) for day in range(0, 112, 7)], 112)
    untreated, _ = course((), 112)
    for name in ("nk", "regulatory_t", "mdsc"):
        assert treated[name][-1, 0] < 0.8 * untreated[name][-1, 0]


def test_stroma_protects_from_small_molecules_but_not_outside_the_marrow():
    given = [(day, "pi", 1.0) for day in range(0, 84, 3)]
    fall = {
        outside: np.diff(course(given, 84, extramedullary=outside, growth=0.0)[0]["ln_sensitive"][[0, -1], 0])[0] for outside in (0.0, 1.0)
    }
    assert fall[1.0] < fall[0.0] < 0


def test_soluble_bcma_holds_back_a_low_dose():
    given = [(0, "bcma_depot", 30.0)]
    fall = [course(given, 14, sbcma_shedding=shedding)[0]["ln_sensitive"][-1, 0] for shedding in (1e-14, 2e-12)]
    assert fall[0] < fall[1]


def test_il_6_rests_at_its_normal_value_without_treatment():
    states, _ = course((), 56)
    assert states["il6"][-1, 0] == pytest.approx(MODEL.parameters[MODEL.parameter_index["il6_normal"]].value, rel=1e-6)


def test_deep_response_brings_back_normal_plasma_cells_and_neutrophils():
    states, _ = course(CELLS, 504, **CILTA)
    assert states["normal_igg"][-1, 0] > states["normal_igg"][0, 0] > states["normal_igg"][112, 0]
    assert states["neutrophils"][28, 0] < states["neutrophils"][0, 0] < states["neutrophils"][-1, 0]
