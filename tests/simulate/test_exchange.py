"""The model in other programs: libRoadRunner, with an integrator of its own, finds the same course."""

import sys

import numpy as np
import pytest
from sixteen import doses, model, people, run

from bence.errors import UsageError
from bence.simulate import read_model
from bence.simulate.exchange import TAKEN, Dose, antimony, sbml

DAYS = 224


def given_to(regimen):
    """The doses of a regimen, one by one."""
    table = doses()
    for day, slot in zip(*np.nonzero(table.amounts[regimen, :DAYS]), strict=True):
        yield Dose(float(day), table.dosed[slot], float(table.amounts[regimen, day, slot]))


@pytest.mark.parametrize("patient", [0, 1])
def test_libroadrunner_finds_the_same_course(patient):
    roadrunner = pytest.importorskip("roadrunner", reason="libroadrunner is not installed")
    pytest.importorskip("antimony", reason="antimony is not installed")
    parameters = people(2)
    text = antimony(model(), parameters[:, patient], given_to(0))
    other = roadrunner.RoadRunner(sbml(text))
    other.integrator.relative_tolerance, other.integrator.absolute_tolerance = 1e-10, 1e-12
    other.integrator.maximum_num_steps = 100_000
    names = list(model().state_index)
    other.timeCourseSelections = ["time", *names]
    times = [0.0, *(7.0 * week - 1e-6 for week in range(1, DAYS // 7 + 1))]  # before the doses of the next day
    found = np.array([row[1:] for row in other.simulate(times=times)])[1:]
    own = run(parameters[:, [patient]], DAYS, engine="oracle", fineness=1e-11)[1][:, :, 0]
    np.testing.assert_allclose(own, found, rtol=2e-5, atol=2e-5)
    fast = run(parameters[:, [patient]], DAYS, fineness=16)[1][:, :, 0]
    np.testing.assert_allclose(fast, found, rtol=0.01, atol=0.01)


def test_the_packaged_model_is_read_by_other_programs():
    pytest.importorskip("antimony", reason="antimony is not installed")
    packaged = read_model()
    text = sbml(antimony(packaged, doses=[Dose(0.0, packaged.states[0].name, 1.0)]))
    assert text.count("<rateRule ") == len(packaged.states)
    assert text.count("<assignmentRule ") == len(packaged.terms)
    assert text.count("<event ") == 1


def test_words_that_mean_something_else_there_get_an_underscore():
    packaged = read_model()
    names = {each.name for each in (*packaged.states, *packaged.terms, *packaged.parameters)}
    assert not {f"{name}_" for name in names & TAKEN} & names
    text = antimony(packaged)
    for name in names & TAKEN:
        assert f"  {name}_ = " in text or f"  {name}_ := " in text


def test_it_says_what_it_is():
    assert "synthetic" in antimony(model()).splitlines()[0]


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="dose on day 3: there is no state 'bcma'"):
        antimony(model(), doses=[Dose(3.0, "bcma", 1.0)])
    with pytest.raises(UsageError, match="there are 2 parameters; expected 46"):
        antimony(model(), np.ones(2))


def test_without_the_package_sbml_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "antimony", None)
    with pytest.raises(UsageError, match="pip install antimony"):
        sbml("")
