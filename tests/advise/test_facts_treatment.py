"""What was given, what failed, what runs, and what is planned: small charts, each with its answer."""

from __future__ import annotations

import math

import polars as pl
from test_facts_chart import each, each_on, person, told

from bence.advise.facts.exposure import kinds
from bence.catalogue import codes_of

NEVER = math.inf
VRD = "bortezomib 0-120; lenalidomide 0-120"


def test_every_product_against_a_target_has_its_facts() -> None:
    products = {name for name, code in codes_of("drug").items() if code.drug_class in ("bispecific", "CAR_T")}
    assert products <= {*kinds(), "bcma_gprc5d_car_t", "bcma_cd19_car_t", "bcma_cd38_car_t"}
    assert kinds()["bcma"] >= {"belantamab_mafodotin", "teclistamab", "cilta_cel", "bcma_gprc5d_car_t"}
    assert "talquetamab" not in kinds()["bcma"]


EXPOSED = [
    (VRD, "pi", True),
    (VRD, "bortezomib", True),
    (VRD, "carfilzomib", False),
    (VRD, "cd38", False),
    ("", "pi", False),
    ("daratumumab 0-30 line=3", "pi", None),  # lines 1 and 2 are not in the chart
    ("investigational 0-30", "cd38", None),
    ("investigational 0-30; daratumumab 0-30", "cd38", True),
    ("car_t 0-0", "car_t", True),
    ("car_t 0-0", "bcma_car_t", None),
    ("car_t 0-0", "gprc5d", None),
    ("car_t 0-0", "cilta_cel", None),
    ("bcma_car_t 0-0", "cilta_cel", None),
    ("bcma_car_t 0-0", "arlo_cel", False),
    ("bcma_car_t 0-0", "bcma", True),
    ("cilta_cel 0-0", "ide_cel", False),
    ("talquetamab 0-30", "gprc5d_bispecific", True),
    ("talquetamab 0-30", "bcma_bispecific", False),
    ("cevostamab 0-30", "fcrh5_bispecific", True),
    ("belantamab_mafodotin 0-30", "bcma_adc", True),
    ("melphalan 0-0 transplant; autologous_transplant 1-1", "alkylator", True),
]


def test_exposed() -> None:
    rows = each(person(given=given) for given, *_ in EXPOSED)
    assert [(given, name, row[f"exposed_{name}"]) for (given, name, _), row in zip(EXPOSED, rows, strict=True)] == EXPOSED


def test_refractory_as_the_exposure_table_has_it() -> None:
    kept = person("A", "lenalidomide 0-300 maintenance 10 progression; daratumumab 310-")
    row, full = each([kept, person("A", "lenalidomide 0-300 induction 25 progression")])
    assert row["refractory_lenalidomide"] is True
    assert row["refractory_imid"] is True
    assert row["lenalidomide_maintenance_dose_only"] is True
    assert row["refractory_daratumumab"] is None  # nothing is known of the response
    assert row["refractory_cd38"] is None
    assert row["refractory_isatuximab"] is False
    assert row["refractory_bcma"] is False
    assert row["triple_class_refractory"] is False
    assert full["lenalidomide_maintenance_dose_only"] is False


def test_classes_of_the_untreated() -> None:
    row = told(person("A")).row(0, named=True)
    counted = ("double_class_refractory", "triple_class_exposed", "triple_class_refractory", "penta_drug_refractory", "primary_refractory")
    assert [row[name] for name in counted] == [False] * 5


RUNNING = [
    ("teclistamab 10-", 100, (True, 2.967742)),  # 11 January to 10 April
    ("teclistamab 10-80", 100, (False, 0.0)),
    ("teclistamab 10-10; teclistamab 60-60; teclistamab 80-80", 100, (True, 2.967742)),  # doses of one day count for 28
    ("teclistamab 10-10; teclistamab 60-60", 100, (False, 0.0)),
    ("teclistamab 10- line=1; carfilzomib 90- line=2", 100, (None, None)),  # was it stopped?
    ("teclistamab 10-", 5, (False, 0.0)),
    ("talquetamab 10-", 100, (False, 0.0)),
]


def test_running() -> None:
    rows = each_on((person("A", given), at) for given, at, _ in RUNNING)
    found = [(*case[:2], (row["on_teclistamab"], row["months_on_teclistamab"])) for case, row in zip(RUNNING, rows, strict=True)]
    assert found == RUNNING


def test_weeks_and_full_doses() -> None:
    doses = "linvoseltamab 0-0 5; linvoseltamab 7-7 25; linvoseltamab 14-14 200; linvoseltamab 21-21 200"
    row = told(person("A", doses), person("B", "linvoseltamab 0-"), person("C", "elranatamab 0-"), at=28).select(
        "weeks_on_linvoseltamab", "linvoseltamab_full_doses", "weeks_on_elranatamab", "on_bcma_bispecific", "on_bispecific"
    )
    assert row.rows() == [(4.0, 2.0, 0.0, True, True), (4.0, None, 0.0, True, True), (0.0, 0.0, 4.0, True, True)]


SINCE = [  # given; exactly, at least, at most
    ("", (NEVER,) * 3),
    ("carfilzomib 0-10", (NEVER,) * 3),
    ("teclistamab 0-91", (3.0, 3.0, 3.0)),
    ("teclistamab 0-", (0.0, 0.0, 0.0)),
    ("teclistamab 0- line=1; carfilzomib 91- line=2", (None, 3.0, 6.0)),
    ("investigational 0-10", (None, None, None)),
]


def test_months_since_a_bispecific() -> None:
    names = [f"months_since_bcma_bispecific{end}" for end in ("", "_low", "_high")]
    rows = each((person("A", given) for given, _ in SINCE), at=182)
    assert [(given, tuple(map(row.get, names))) for (given, _), row in zip(SINCE, rows, strict=True)] == SINCE


def test_time_since_other_treatment() -> None:
    rows = told(
        person("A", "bendamustine 10-11; dexamethasone 10-150"), person("B", "melphalan 59-59; autologous_transplant 60-60"), person("C"),
        at=182,
    ).select("days_since_bendamustine", "days_since_last_treatment", "months_since_transplant")  # fmt: skip
    assert rows.rows() == [(171.0, 171.0, NEVER), (NEVER, 123.0, 4.0), (NEVER, NEVER, NEVER)]


AFTER_CELLS = [
    ("cilta_cel 31-31", "", (5.0, False, 5.0)),
    ("cilta_cel 31-31", "121 progression", (3.0, True, 5.0)),
    ("cilta_cel 31-31 line=1; talquetamab 150- line=2", "", (None, None, 5.0)),  # why another line?
    ("cilta_cel 31-31 line=1; talquetamab 150-170 progression line=2", "", (None, None, 5.0)),
    ("arlo_cel 31-31", "121 progression", (None, False, NEVER)),
    ("car_t 31-31", "121 progression", (None, None, None)),
    ("carfilzomib 0-30", "20 progression", (None, False, NEVER)),
]


def test_after_car_t_cells() -> None:
    names = ("bcma_car_t_response_months", "progressed_after_bcma_car_t", "months_since_bcma_car_t")
    rows = each((person("A", given, happened=happened) for given, happened, _ in AFTER_CELLS), at=182)
    assert [(*case[:2], tuple(map(row.get, names))) for case, row in zip(AFTER_CELLS, rows, strict=True)] == AFTER_CELLS


INDUCTIONS = [  # given, a quadruplet, Isa-KRd
    ("bortezomib 0-120; lenalidomide 0-120; daratumumab 0-120", True, False),
    ("isatuximab 0-; carfilzomib 0-; lenalidomide 0-", True, True),
    ("isatuximab 0-150 induction; carfilzomib 0-150 induction; lenalidomide 0-150 induction", True, True),
    (VRD, False, False),
    (VRD + "; autologous_transplant 150-150; lenalidomide 220- maintenance; daratumumab 220- maintenance", False, False),
    ("", False, False),
    ("daratumumab 0-30 line=3", None, None),
]


def test_induction() -> None:
    rows = each(person("A", given) for given, *_ in INDUCTIONS)
    found = [(case[0], row["quadruplet_induction"], row["isa_krd_induction"]) for case, row in zip(INDUCTIONS, rows, strict=True)]
    assert found == INDUCTIONS


def test_transplants_and_maintenance() -> None:
    induced = "bortezomib 0-120 induction; lenalidomide 0-120 induction; autologous_transplant 152-152 transplant"
    kept = "; lenalidomide 213- maintenance; daratumumab 213-335 maintenance"
    rows = told(
        person("A", induced + "; autologous_transplant 182-182 transplant" + kept), person("B", induced),
        person("C", "bortezomib 0-120; lenalidomide 0-"), person("D"), at=397,
    ).select("transplants", "maintenance_months", "cd38_maintenance_months", "lenalidomide_maintenance")  # fmt: skip
    assert rows.rows() == [(2.0, 6.0, 4.0, True), (1.0, 0.0, 0.0, False), (0.0, None, None, None), (0.0, 0.0, 0.0, False)]


PLANS = ("car_t_planned", "apheresis_planned", "apheresis_done", "days_since_apheresis", "bridging", "manufacturing_failure")


PLANNED = [
    ("", "", (False, False, False, None, False, False)),
    ("", "100 car_t_planned; 100 apheresis_planned", (True, True, False, None, False, False)),
    ("", "100 car_t_planned; 120 car_t_planned text=none", (False,) * 3 + (None, False, False)),
    ("apheresis 150-150", "100 car_t_planned; 100 apheresis_planned", (True, False, True, 32.0, False, False)),
    ("apheresis 150-150; talquetamab 155- bridging", "100 car_t_planned", (True, False, True, 32.0, True, False)),
    ("apheresis 150-150; cilta_cel 175-175", "100 car_t_planned; 160 manufacturing_failure", (False,) * 3 + (None, False, False)),
    ("apheresis 150-150", "170 manufacturing_failure", (False, False, True, 32.0, False, True)),
    ("carfilzomib 0-140 progression; apheresis 100-100", "90 apheresis_planned", (False,) * 3 + (None, False, False)),
]


def test_on_the_way_to_cells() -> None:
    rows = each((person("A", given, happened=happened) for given, happened, _ in PLANNED), at=182)
    assert [(*case[:2], tuple(map(row.get, PLANS))) for case, row in zip(PLANNED, rows, strict=True)] == PLANNED


def test_facts_of_the_first_line_in_the_order_of_patients() -> None:
    table = told(person("B", "cilta_cel 5-5"), person("A", "bortezomib 0-"), person("C"))
    assert table.select("patient", "exposed_pi", "exposed_bcma_car_t").rows() == [
        ("A", True, False),
        ("B", False, True),
        ("C", False, False),
    ]
    assert table["months_since_bcma_car_t"].dtype == pl.Float64
