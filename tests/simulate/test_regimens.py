"""Products and regimens: the schedules of the labels, day by day, and names as people write them."""

from __future__ import annotations

import numpy as np
import pytest

from bence.catalogue import codes
from bence.errors import UsageError
from bence.evidence import keys, kind_of, record
from bence.simulate.model import read_model
from bence.simulate.products import give, product, products
from bence.simulate.regimens import combined, regimen, regimens

YEAR = 365


def days(name: str, drug: str, stage: int = 0, horizon: int = YEAR) -> dict[int, float]:
    """Day of the schedule (from 1) to dose."""
    doses = regimens()[name].drugs[drug][stage].doses(horizon)
    return {int(day) + 1: float(doses[day]) for day in np.flatnonzero(doses)}


@pytest.mark.parametrize("drug", products())
def test_a_product_is_a_known_drug_and_changes_what_the_model_has(drug):
    model, made = read_model(), product(drug)
    assert drug in codes() or drug in keys("drugs")
    assert made.state in model.state_index
    assert made.factor > 0
    assert set(made.sets) <= set(model.parameter_index)
    assert all(np.isfinite(model.number(value)) for value in made.sets.values())
    assert made.tag in "VSMAC"
    assert made.source
    assert made.label("zh")


@pytest.mark.parametrize("name", regimens())
def test_a_regimen_says_where_its_schedule_comes_from(name):
    found = regimens()[name]
    assert found.sources
    assert {kind_of(key) for key in found.sources} <= {"drugs", "trials"}
    assert all(stages[0].doses(400).any() for stages in found.drugs.values())


def test_teclistamab_steps_up_on_days_1_and_4_and_is_weekly_from_day_7():
    found = days("Tec", "teclistamab", horizon=30)
    assert found == {1: 0.06, 4: 0.3, 7: 1.5, 14: 1.5, 21: 1.5, 28: 1.5}
    assert "0.06 mg/kg on day 1 and 0.3 mg/kg on day 4" in record("teclistamab")["dosing"][0]["text"]["en"]


def test_elranatamab_steps_up_to_76_mg_on_day_8():
    assert days("Elra", "elranatamab", horizon=24) == {1: 12, 4: 32, 8: 76, 15: 76, 22: 76}


def test_linvoseltamab_has_ten_weekly_doses_after_the_first_full_one_then_every_two_weeks():
    full = [day for day, dose in days("Linvo", "linvoseltamab").items() if dose == 200]
    assert full[:11] == [15 + 7 * week for week in range(11)]
    assert set(np.diff(full[10:])) == {14}


def test_daratumumab_is_weekly_for_8_weeks_two_weekly_to_week_24_then_four_weekly():
    given = list(days("D", "daratumumab"))
    assert np.diff(given[:8]).tolist() == [7] * 7
    assert given[8:16] == [57 + 14 * each for each in range(8)]
    assert given[16:] == list(range(169, YEAR + 1, 28))


def test_lenalidomide_is_given_on_21_of_28_days():
    given = days("R", "lenalidomide", horizon=56)
    assert set(given) == {*range(1, 22), *range(29, 50)}


@pytest.mark.parametrize("name", ["Tec", "Elra", "Linvo"])
def test_what_lets_a_schedule_be_stepped_down_is_what_the_label_says(name):
    (drug, stages), = regimens()[name].drugs.items()  # fmt: skip
    label = [each["needs"] for each in record(drug)["dosing"] if each["step"] == "de-escalation"]
    assert [stage.needs for stage in stages] == [{}, *label]


def test_a_combination_keeps_the_schedule_of_each_drug():
    for drug in ("bortezomib", "lenalidomide", "dexamethasone", "daratumumab"):
        alone = next(each for each in regimens().values() if list(each.drugs) == [drug])
        assert regimens()["D-VRd"].drugs[drug] == alone.drugs[drug]


@pytest.mark.parametrize(("text", "name"), [
    ("teclistamab", "Tec"), ("特立妥单抗", "Tec"), ("Tecvayli", "Tec"), ("d-vrd", "D-VRd"), ("Talquetamab+Teclistamab", "Tal-Tec"),
    ("特立妥单抗 ＋ 达雷妥尤单抗", "Tec-Dara"), ("西达基奥仑赛", "cilta-cel"), ("Keytruda", "Pembro"),
    ("Kd + nirogacestat", "Kd + Nirogacestat"),
])  # fmt: skip
def test_a_regimen_is_found_by_the_names_people_write(text, name):
    assert regimen(text).name == name


def test_an_unknown_name_is_told_the_nearest_right_one():
    with pytest.raises(UsageError) as told:
        regimen("teclistamb")
    assert told.value.nearest == "teclistamab"
    with pytest.raises(UsageError):
        regimen("")


def test_two_drugs_that_share_a_place_in_the_model_are_not_given_together():
    with pytest.raises(UsageError, match="one place for both"):
        regimen("teclistamab + elranatamab")
    with pytest.raises(UsageError, match="one place for both"):
        combined("both", [regimens()["cilta-cel"], regimens()["ide-cel"]])


def test_a_product_keeps_each_persons_deviation():
    model = read_model()
    own = model.typical(3)
    row = model.parameter_index["bcma_cl1"]
    own[row] *= [0.5, 1, 2]
    given = own.copy()
    give("elranatamab", model, given, own, np.array([0, 2]))
    assert given[row] == pytest.approx([0.162, own[row, 1], 0.648])
    assert given[model.parameter_index["cd3_kd_bcma"]] == pytest.approx([17, 20.8, 17])
