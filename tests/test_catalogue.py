"""The catalogue: every row can be used, no spelling has two meanings, units and words are sound."""

import subprocess
import sys
from collections import defaultdict

import pytest

from bence.catalogue import code, codes, codes_of, find, fold, label, nearest_code, spellings, word
from bence.errors import UsageError
from bence.read.units import COUNTED, SPELLINGS, accepted, canonical

GRAINS = {
    "observation",
    "drug",
    "procedure",
    "event",
    "patient",
    "treatment",
    "column",
    "value",
    "finding",
    "rejected",
}
KINDS = {"number", "category", "flag", "chains", "text", "date", ""}


def test_the_codes_of_the_design_are_there():
    wanted = """
    serum_m_protein urine_m_protein serum_ife urine_ife serum_ife_shifted kappa_flc lambda_flc flc_ratio
    igg iga igm igd ige b2m albumin hemoglobin ldh ldh_upper_limit calcium ionised_calcium creatinine
    creatinine_clearance egfr marrow_plasma_cells
    marrow_clonality circulating_plasma_cells circulating_plasma_cell_count
    plasmacytoma_spd plasmacytoma_count new_lesion lytic_lesions
    mri_focal_lesions pet del_17p tp53_mutation t_4_14 t_14_16 t_14_20 t_11_14 del_13q hyperdiploid gain_1q
    del_1p32 mrd ms_m_protein ecog adl iadl charlson ice_score temperature spo2 weight height neutrophils
    platelets lymphocytes crp il6 ferritin fibrinogen sbcma
    bcma_expression gprc5d_expression tnfrsf17_status cd38_expression"""
    assert set(wanted.split()) <= set(codes_of("observation"))


@pytest.mark.parametrize("each", codes().values(), ids=lambda each: each.code)
def test_every_row_can_be_used(each):
    assert set(each.grains) <= GRAINS
    assert each.kind in KINDS
    assert each.en
    assert each.zh
    assert each.code == each.code.strip()
    if "observation" in each.grains:
        assert each.kind
    if "drug" in each.grains or "procedure" in each.grains:
        assert each.drug_class
    if each.kind == "number" and "observation" in each.grains:
        assert each.low is not None
        assert each.high is not None
        assert each.low < each.high


@pytest.mark.parametrize("each", codes_of("observation").values(), ids=lambda each: each.code)
def test_every_unit_is_known_by_its_own_name(each):
    for unit in accepted(each):
        assert unit in SPELLINGS
        assert canonical(unit) == unit
    assert all(factor > 0 for factor in each.other_units.values())
    assert each.unit in COUNTED or each.kind == "number"


@pytest.mark.parametrize("each", codes_of("observation").values(), ids=lambda each: each.code)
def test_what_a_word_means_is_in_the_plausible_range(each):
    for low, high, *_ in each.intervals.values():
        assert each.low is not None
        assert each.low <= low <= high
    for members in each.sets.values():
        assert set(members) <= set(each.categories)
    for name in each.words:
        assert word(name, each) == name
        assert name in codes(), "a category has a row of its own, with its labels"


@pytest.mark.parametrize(
    "grains",
    [("observation",), ("drug", "procedure"), ("event",), ("patient", "column"), ("treatment", "column")],
)
def test_no_spelling_has_two_meanings(grains):
    meanings = defaultdict(set)
    for each in codes_of(*grains).values():
        for spelling in spellings(each):
            assert fold(spelling), f"{each.code}: {spelling!r} folds to nothing"
            meanings[fold(spelling)].add(each.code)
    assert {spelling: found for spelling, found in meanings.items() if len(found) > 1} == {}


@pytest.mark.parametrize("each", [each for each in codes().values() if each.words], ids=lambda each: each.code)
def test_no_word_of_a_code_has_two_meanings(each):
    meanings = defaultdict(set)
    for name in each.words:
        for spelling in spellings(codes()[name]) if name in codes() else ():
            meanings[fold(spelling)].add(name)
    assert {spelling: found for spelling, found in meanings.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("text", "grain", "wanted"),
    [
        ("血红蛋白", "observation", "hemoglobin"),
        ("β2微球蛋白", "observation", "b2m"),
        ("Β２－ＭＧ", "observation", "b2m"),
        ("游离κ轻链", "observation", "kappa_flc"),
        ("血清游离轻链比值（κ/λ）", "observation", "flc_ratio"),
        ("1q21+", "observation", "gain_1q"),
        ("17p-", "observation", "del_17p"),
        ("t(4;14)", "observation", "t_4_14"),
        ("T（4；14）", "observation", "t_4_14"),
        ("万珂", "drug", "bortezomib"),
        ("达雷妥尤单抗", "drug", "daratumumab"),
        ("Darzalex Faspro", "drug", "daratumumab"),
        ("自体造血干细胞移植", "procedure", "autologous_transplant"),
        ("细胞因子释放综合征", "event", "crs"),
        ("患者ID", "column", "patient"),
        ("出生日期", "patient", "born_on"),
    ],
)
def test_spellings_of_hospitals(text, grain, wanted):
    found = find(text, grain)
    assert found is not None
    assert found.code == wanted


def test_signs_are_kept_where_they_are_the_meaning():
    assert fold("17p-") != fold("17p+")
    assert fold("IL-6") == fold("il 6")


def test_the_name_of_a_person_is_no_key():
    assert find("姓名", "column", "patient") is None


def test_trap_codes_are_not_listed():
    listed = {number for each in codes().values() for number in each.loinc}
    assert not listed & {"33944-8", "26098-4"}
    assert codes()["lambda_flc"].loinc[0] == "33944-0"


@pytest.mark.parametrize("number", sorted({n for each in codes().values() for n in each.loinc}))
def test_loinc_check_digits(number):
    body, check = number.split("-")
    doubled = "".join(str(int(digit) * 2) if place % 2 == 0 else digit for place, digit in enumerate(reversed(body)))
    assert int(check) == -sum(map(int, doubled)) % 10


def test_an_unknown_code_is_told_the_nearest():
    with pytest.raises(UsageError, match=r"no observation code 'calcum'.*did you mean 'calcium'"):
        code("calcum", "observation")
    assert nearest_code("血红蛋百", "observation") == "hemoglobin"
    assert nearest_code("xyzzyq", "observation") is None


def test_labels():
    assert label("b2m", "zh") == "β2微球蛋白"
    assert label("not a code") == "not a code"


def test_the_catalogue_needs_no_data_library():
    heavy = "{'polars', 'numpy', 'rapidfuzz'}"
    script = f"import bence.catalogue as c, sys; c.find('M蛋白'); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
