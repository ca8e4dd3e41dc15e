"""The fast solver against the careful one, against laws, and in what must not matter."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sixteen import doses, model, people, rows, run

from bence.errors import BenceError, UsageError
from bence.simulate import Doses, advance, read_model
from bence.simulate.compiled import loaded
from bence.simulate.kernel import HEAD, WIDTH

CLONES = ("ln_both", "ln_bcma_loss", "ln_gprc5d_loss")
NO_DOSES = Doses(np.zeros((1, 1, 0)), ())


@cache
def year(engine, patients=300, **words):
    return run(people(patients), engine=engine, **words)


RATES = (1e-9, 1e-3, 0.5, 1.0, 1.01, 2.0, 30.0, 400.0)
STATES = {  # name -> start, decay, change
    "x": ("0.1", "a", "b*x*(1 - x)*y - a*x"),
    "y": ("1", "0", "c*x - a*y*x"),
    "depot": ("0", "k", "-k*depot"),
    "body": ("0", "0", "k*depot"),
    **{f"loss{row}": ("1", f"r{row}", f"-r{row}*loss{row}") for row in range(len(RATES))},
    **{f"inflow{row}": ("0", f"r{row}", f"r{row}*(3 - inflow{row})") for row in range(len(RATES))},
}
PARAMETERS = {"a": 0.3, "b": 0.9, "c": 0.2, "k": 0.4, **{f"r{row}": rate for row, rate in enumerate(RATES)}}


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A model whose course is known by hand: decays, balances, a depot; and a smooth pair of states."""
    folder = tmp_path_factory.mktemp("known")
    lines = ["name,value,unit,log_sd,low,high,use,tag,source,what_en,what_zh"]
    lines += [f"{name},{value},1,,,,model,A,test,test,测试" for name, value in PARAMETERS.items()]
    (folder / "parameters.csv").write_text("\n".join(lines), "utf-8")
    text = [
        f'[[state]]\nname = "{name}"\nunit = "1"\nstart = "{start}"\ndecay = "{decay}"\nchange = "{change}"\n'
        f'peak = {str(name == "depot").lower()}\nwhat = {{ en = "for a test", zh = "测试" }}\n'
        for name, (start, decay, change) in STATES.items()
    ]
    (folder / "model.toml").write_text("\n".join(text), "utf-8")
    return read_model(folder)


def through(known, days, every, given=NO_DOSES, **words):
    """Values [state, time] of the one typical patient, and peaks."""
    parameters, regimen = known.typical(1), np.zeros(1, np.int32)
    _, values, peaks = advance(known, given, known.start(parameters), parameters, regimen, regimen, 0, days, every, **words)
    return {name: values[:, row, 0] for name, row in known.state_index.items()}, peaks[:, 0, 0]


def test_every_clone_of_every_patient_agrees_with_the_careful_solver():
    careful, fast = year("oracle"), year("kernel")
    worst = np.abs(fast[1] - careful[1])[:, rows(*CLONES)].max(axis=(0, 1))  # of each patient, over weeks and clones
    assert np.median(worst) < 5e-3
    assert worst.max() < 0.5
    finer = np.abs(year("kernel", fineness=8)[1] - careful[1])[:, rows(*CLONES)].max(axis=(0, 1))
    assert np.median(finer) < 1e-4
    assert finer.max() < 0.03


def test_the_careful_solver_agrees_with_itself_at_a_sharper_tolerance():
    sharper, usual = year("oracle", 40, fineness=1e-12), year("oracle", 40)
    np.testing.assert_allclose(usual[1], sharper[1], rtol=1e-6, atol=1e-7)


def test_peaks_agree_with_the_careful_solver():
    careful, fast = year("oracle")[2], year("kernel", fineness=16)[2]
    assert careful.shape == (52, 1, 300)
    np.testing.assert_allclose(fast, careful, rtol=0.02)
    assert (fast >= year("kernel", fineness=16)[1][:, rows("il6")] - 1e-9).all()


def test_the_error_falls_with_the_fourth_power_of_the_step(known):
    exact, _ = through(known, 14, 14, engine="oracle", fineness=1e-12)
    errors = [abs(through(known, 14, 14, fineness=steps)[0][name] - exact[name]).max() for name in "xy" for steps in (1, 2, 4, 8)]
    orders = np.log2(np.array(errors).reshape(2, 4)[:, :-1] / np.array(errors).reshape(2, 4)[:, 1:])
    assert (orders > 3.4).all(), orders


def test_decay_is_exact_however_fast_and_an_inflow_meets_its_balance(known):
    values, _ = through(known, 7, 7)
    for row, rate in enumerate(RATES):
        np.testing.assert_allclose(values[f"loss{row}"], np.exp(-7 * rate), rtol=1e-11, atol=1e-15)
        np.testing.assert_allclose(values[f"inflow{row}"], -3 * np.expm1(-7 * rate), rtol=1e-9)


@pytest.mark.parametrize(("engine", "loss"), [("kernel", 1e-6), ("oracle", 1e-11)])
def test_what_is_dosed_is_neither_lost_nor_made(known, engine, loss):
    amounts = np.zeros((1, 10, 1))
    amounts[0, [0, 3, 9], 0] = 5, 7, 11
    values, peaks = through(known, 21, 1, Doses(amounts, ("depot",)), engine=engine)
    given = np.cumsum([amounts[0, day, 0] if day < 10 else 0 for day in range(21)])
    np.testing.assert_allclose(values["depot"] + values["body"], given, rtol=loss)
    assert peaks[0] == 5  # at the start of the day, right after the dose


def test_the_dose_of_a_day_is_given_once_whatever_the_first_day_is():
    parameters = people(3)
    started = np.array([0, 30, 100], np.int32)
    regimen = np.array([0, 1, -1], np.int32)
    whole = run(parameters, 56, regimen=regimen, started=started)
    state, parts = None, []
    for first in range(0, 56, 14):
        state, values, _ = run(parameters, 14, regimen=regimen, started=started, first_day=first, state=state)
        parts.append(values)
    np.testing.assert_allclose(np.concatenate(parts), whole[1], rtol=1e-13, atol=1e-13)
    depot = whole[1][:, rows("bcma_depot")[0]]
    assert (depot[:, 2] == 0).all()
    assert depot[3, 1] == 0  # day 28: its regimen begins on day 30
    assert depot[4, 1] > 0


@pytest.mark.parametrize("engine", ["kernel", "oracle"])
def test_neither_neighbours_nor_threads_nor_padding_matter(engine):
    patients = 2 * WIDTH + 5
    parameters = people(patients)
    whole = run(parameters, 28, engine=engine, threads=1)
    shared = run(parameters, 28, engine=engine, threads=3)
    order = np.random.default_rng(0).permutation(patients)[: WIDTH + 1]
    some = run(np.ascontiguousarray(parameters[:, order]), 28, engine=engine)
    for one, many, few in zip(whole, shared, some, strict=True):
        np.testing.assert_array_equal(one, many)
        np.testing.assert_array_equal(one[..., order], few)


def test_no_patient_is_a_cohort_too():
    after, values, peaks = run(people(0), 14)
    assert after.shape == (17, 0)
    assert values.shape == (2, 17, 0)
    assert peaks.shape == (2, 1, 0)


def test_only_what_is_kept_is_given():
    kept = year("kernel", keep=("m_protein", "ln_both"))
    np.testing.assert_array_equal(kept[1], year("kernel")[1][:, rows("m_protein", "ln_both")])
    np.testing.assert_array_equal(kept[0], year("kernel")[0])


@settings(max_examples=15, deadline=None)
@given(
    ln_n0=st.floats(20, 29),
    fitness=st.floats(0.01, 20),
    dose=st.floats(0, 2000),
    half=st.floats(1e-4, 10),
    shed=st.floats(1e-14, 1e-10),
)
def test_amounts_stay_positive_and_numbers(ln_n0, fitness, dose, half, shed):
    parameters = model().typical(1)
    said = {"ln_n0": ln_n0, "t_fitness": fitness, "trimers_half": half, "shed": shed}
    for name, value in said.items():
        parameters[model().parameter_index[name]] = value
    amounts = np.zeros((1, 56, 3))
    amounts[0, ::7, 0], amounts[0, 28, 2] = dose, 0.01
    after, values, _ = run(parameters, 56, Doses(amounts, doses().dosed))
    positive = [name for name in model().state_index if not name.startswith("ln_")]
    assert values[:, rows(*positive)].min() >= -1e-9
    assert after[rows("fitness")[0]] <= 1 + 1e-9


def test_binding_keeps_its_digits_where_the_textbook_root_loses_them():
    """Of 1e-6 nM of drug nearly all is bound to 1e4 nM of sBCMA: 0.5*(b - sqrt(b*b - 4*C*R)) is wrong in the fifth digit."""
    parameters = model().typical(1)
    parameters[model().parameter_index["kd_sink"]] = 2.0
    state = model().start(parameters)
    state[rows("bcma_central", "sbcma"), 0] = 1e-6 * parameters[model().parameter_index["v1_bcma"], 0], 1e4
    bound = model().values(["bound"], state, parameters)["bound"][0]
    exact = 1e-6 * 1e4 / (1e4 + 2)  # to a relative 1e-10: so little drug leaves sBCMA as it is
    assert bound == pytest.approx(exact, rel=1e-9)
    total = 1e-6 + 1e4 + 2
    assert abs(0.5 * (total - np.sqrt(total**2 - 4 * 1e-6 * 1e4)) / exact - 1) > 1e-7


def test_a_dead_clone_runs_on_and_a_state_that_is_no_number_is_told():
    parameters = people(70)
    state = model().start(parameters)
    state[rows("ln_both")] = -5000
    run(parameters, 14, state=state)
    state[rows("sbcma"), 66] = np.nan
    with pytest.raises(BenceError, match=r"by day 14 .* patient 66 is nan, in all 1 patients"):
        run(parameters, 14, state=state)
    with pytest.raises(BenceError, match="patient 66 is nan"):
        run(parameters, 14, state=state, engine="oracle")


def test_exp_and_log_are_right_to_the_last_digits_and_keep_what_is_no_number():
    own = loaded(HEAD)
    x = np.concatenate([np.linspace(-707, 708, 4001), np.linspace(-1e-3, 1e-3, 101)])
    np.testing.assert_allclose([own.exp(each) for each in x], np.exp(x), rtol=4.5e-16)
    y = np.concatenate([np.geomspace(1e-300, 1e300, 3001), np.linspace(0.5, 2, 301)])
    np.testing.assert_allclose([own.log(each) for each in y], np.log(y), rtol=4.5e-16, atol=1e-300)
    assert own.exp(-1e9) < 1e-300
    assert own.log(0.0) < -708
    assert np.isnan(own.exp(np.nan))
    assert np.isnan(own.log(np.nan))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"days": 10}, "10 days with an output every 7 days"),
        ({"keep": ("m_proteins",)}, "no state 'm_proteins'; did you mean 'm_protein'"),
        ({"regimen": np.array([2], np.int32)}, "regimens from 2 to 2; expected -1 to 1"),
        ({"regimen": np.zeros(2, np.int32)}, "regimen has the shape"),
        ({"engine": "kernels"}, "no engine 'kernels'"),
        ({"fineness": 2.5}, "2.5 steps a day"),
        ({"engine": "oracle", "fineness": 2}, "relative tolerance of 2"),
        ({"given": Doses(np.zeros((1, 1, 1)), ("bcma_depo",))}, "did you mean 'bcma_depot'"),
    ],
)
def test_what_does_not_fit_together_is_refused(words, message):
    with pytest.raises(UsageError, match=message):
        run(people(1), **words)
