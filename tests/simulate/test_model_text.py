"""The reader of the model text: what it gives, and the message for each mistake."""

import numpy as np
import pytest
from sixteen import FOLDER, model, people

from bence.errors import UsageError
from bence.simulate import read_model


def test_terms_come_after_what_they_need():
    seen = {*model().parameter_index, *model().state_index}
    for term in model().terms:
        assert term.value.names <= seen
        seen.add(term.name)


def test_the_start_follows_from_each_patients_parameters():
    parameters = people(5)
    start = model().start(parameters)
    assert start.shape == (17, 5)
    made, loss = (parameters[model().parameter_index[name]] for name in ("protein_made", "protein_half_life"))
    cells = np.exp(parameters[model().parameter_index["ln_n0"]])
    np.testing.assert_allclose(start[model().state_index["m_protein"]], made * cells * loss / np.log(2))


def test_terms_and_states_are_worked_out_over_time():
    parameters = people(3)
    state = np.stack([model().start(parameters)] * 2)
    found = model().values(["cells", "sbcma", "protein_loss"], state, parameters)
    assert {name: value.shape for name, value in found.items()} == dict.fromkeys(found, (2, 3))
    np.testing.assert_allclose(found["cells"][1], np.exp(state[1, [model().state_index[name] for name in CLONES]]).sum(axis=0))
    with pytest.raises(UsageError, match="did you mean 'cells'"):
        model().values(["cell"], state, parameters)


CLONES = ("ln_both", "ln_bcma_loss", "ln_gprc5d_loss")


def test_what_parameters_settle_is_known():
    assert "protein_loss" in model().fixed
    assert "cells" not in model().fixed
    assert model().peaked == ("il6",)


def test_the_packaged_model_is_read_once():
    assert read_model() is read_model()
    assert len(read_model().states) > 20


TEXT_MISTAKES = [
    ('value = "exp(ln_both)"', 'value = "exp(ln_bot)"', r"term cells_both: unknown name 'ln_bot'.*did you mean 'ln_both'"),
    ('value = "exp(ln_both)"', 'value = "exp(cells)"', "terms need each other: cells.* -> .*cells"),
    ('value = "exp(ln_both)"', 'value = "exp(ln_both"', "term 1: 'exp\\(ln_both' is not an expression"),
    ('decay = "ka_bcma"', 'decay = "sbcma"', "state bcma_depot, decay: 'sbcma' changes with time"),
    ('decay = "ka_bcma"', 'decays = "ka_bcma"', "state 1: unknown key 'decays'; did you mean 'decay'"),
    ('start = "ln_n0"', 'start = "ln_both"', "state ln_both, start: 'ln_both' changes with time"),
    ('name = "bcma_depot"', 'name = "il6"', "'il6' is given twice, as state and state"),
    ('name = "bcma_depot"', 'name = "ka_bcma"', "'ka_bcma' is given twice, as parameter and state"),
    ('name = "bcma_depot"', 'name = "exp"', "'exp' cannot be the name of a state"),
    ('name = "bcma_depot"', 'name = "_w"', "'_w' cannot be the name of a state"),
    ('name = "bcma_depot"\nunit = "nmol"', 'name = "bcma_depot"', "state 1: 'bcma_depot' has no unit"),
    ('change = "-ka_bcma*bcma_depot"\n', "", "'bcma_depot' has no change"),
    (', zh = "测试量"', "", "'cells_both' has no what.zh"),
    ("peak = true", "peak = 1", "'il6': peak is 1; expected true or false"),
    ("[[term]]", "[[terms]]", "unknown table 'terms'"),
    ("[[term]]", "[[term]", "model.toml"),
]
TABLE_MISTAKES = [
    (
        "ka_bcma,0.133,1/d,0.4,,,model,A,",
        "ka_bcma,0.133,1/d,0.4,,,model,O,",
        "parameters.csv:8: 'ka_bcma' has the tag 'O'; expected one of V, S, M, A, C",
    ),
    ("ka_bcma,0.133,1/d,", "ka_bcma,0.133,,", "'ka_bcma' has no unit"),
    ("ka_bcma,0.133,", "ka_bcma,x,", "'x' is not a number"),
    ("ka_bcma,0.133,1/d,0.4", "ka_bcma,0.133,1/d,-1", "varies by a log_sd of -1"),
    ("kill,0.35,1/d,0.4,0.1,1,", "kill,0.35,1/d,0.4,1,0.1,", "'kill' has the range 1 to 0.1"),
    ("assumed for tests,ka bcma", ",ka bcma", "'ka_bcma' has no source"),
    ("v1_bcma,4.13,L,0.3,,,model", "v1_bcma,4.13,L,0.3,,,people", "'v1_bcma' is said to be used where people are drawn"),
    ("v1_bcma,4.13,L,0.3,,,model", "v1_bcma,4.13,L,0.3,,,none", "has the use 'none'"),
    ("v1_bcma,4.13,L,0.3,,,", "v1_bcma,4.13,L,0.3,,", "more or fewer cells"),
    ("name,value", "names,value", "the columns are"),
]


def changed(tmp_path, file, old, new):
    for name in ("model.toml", "parameters.csv"):
        text = (FOLDER / name).read_text("utf-8")
        if name == file:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


@pytest.mark.parametrize(("old", "new", "message"), TEXT_MISTAKES)
def test_a_mistake_in_the_equations_is_told(tmp_path, old, new, message):
    with pytest.raises(UsageError, match=message):
        read_model(changed(tmp_path, "model.toml", old, new))


@pytest.mark.parametrize(("old", "new", "message"), TABLE_MISTAKES)
def test_a_mistake_in_the_parameters_is_told(tmp_path, old, new, message):
    with pytest.raises(UsageError, match=message):
        read_model(changed(tmp_path, "parameters.csv", old, new))


def test_a_parameter_that_no_equation_uses_is_told(tmp_path):
    folder = changed(tmp_path, "parameters.csv", "ka_bcma,", "spare,1,1,,,,model,A,test,spare,备用\nka_bcma,")
    with pytest.raises(UsageError, match="'spare' is said to be used in the equations, and that is not so"):
        read_model(folder)


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_model(tmp_path)


def test_the_digest_changes_with_the_text(tmp_path):
    other = read_model(changed(tmp_path, "parameters.csv", "ka_bcma,0.133", "ka_bcma,0.134"))
    assert other.digest != model().digest
