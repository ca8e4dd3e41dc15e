"""What hospitals write in a cell, and what it is read as."""

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bence.catalogue import code
from bence.read import cells
from bence.read.cells import Number
from bence.read.units import Refused, accepted, canonical, convert


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("12.3", Number(12.3)),
        (" 12.3\u00a0", Number(12.3)),
        ("１２．３", Number(12.3)),
        ("<0.5", Number(0.5, "<")),
        ("＜0.5", Number(0.5, "<")),
        ("≤ 0.5", Number(0.5, "<")),
        ("<=0.5", Number(0.5, "<")),
        (">100", Number(100, ">")),
        ("≥100", Number(100, ">")),
        ("0.5以下", Number(0.5, "<")),
        ("小于0.5", Number(0.5, "<")),
        ("100以上", Number(100, ">")),
        ("0.5mg/L以下", Number(0.5, "<", "mg/L")),
        ("12.3↑", Number(12.3)),
        ("↓ 12.3", Number(12.3)),
        ("12.3 H", Number(12.3)),
        ("12.3L", Number(12.3)),
        ("12.3 (H)", Number(12.3)),
        ("*12.3", Number(12.3)),
        ("12.3 g/L", Number(12.3, None, "g/L")),
        ("12.3g/L ↑", Number(12.3, None, "g/L")),
        ("30%", Number(30, None, "%")),
        ("37.5℃", Number(37.5, None, "°C")),
        ("1,234.5", Number(1234.5)),
        ("1,234", Number(1234)),
        ("1,234,567", Number(1234567)),
        ("1.2×10^9", Number(1.2e9)),
        ("1.2*10^9", Number(1.2e9)),
        ("1.2×10⁹", Number(1.2e9)),
        ("1.2×10⁹/L", Number(1.2, None, "×10^9/L")),
        ("5.2*10^9/L", Number(5.2, None, "*10^9/L")),
        ("1e-5", Number(1e-5)),
        ("1E-5", Number(1e-5)),
        ("10^-5", Number(1e-5)),
        ("<10⁻⁶", Number(1e-6, "<")),
        ("10E9", Number(1e10)),
        ("-3.5", Number(-3.5)),
        (".5", Number(0.5)),
        ("2.", Number(2)),
    ],
)
def test_numbers(text, wanted):
    found = cells.number(text)
    assert isinstance(found, Number)
    assert found.value == pytest.approx(wanted.value, rel=1e-15)
    assert found[1:] == wanted[1:]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-",
        "—",
        "/",
        "NA",
        "n/a",
        "null",
        "无",
        "未做",
        "未查",
        "TNP",
        "Not done",
        "\u3000",
        "#N/A",
        None,
    ],
)
def test_blanks(text):
    assert cells.number(text) is None
    assert cells.date(text) is None
    assert cells.birth(text) is None


@pytest.mark.parametrize("text", ["未检出", "阴性", "阴性(-)", "not detected", "Negative", "NEG"])
def test_a_negative_word_is_not_a_number(text):
    assert cells.number(text) == "negative"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1.234,5", "two readings"),
        ("3,5", "two readings"),
        ("1,23", "two readings"),
        ("nan", "not a finite number"),
        ("NaN", "not a finite number"),
        ("-inf", "not a finite number"),
        ("1e400", "not a finite number"),
        ("10-15", "a range"),
        ("10 ~ 15", "a range"),
        ("10-5", "a range"),
        ("约30", "approximate"),
        ("~30", "approximate"),
        ("12 13", "more than one number"),
        ("1 234", "more than one number"),
        ("12.3 foo", "not a known unit"),
        ("abc", "not a number"),
        ("3+", "not a known unit"),
    ],
)
def test_numbers_that_are_refused(text, reason):
    found = cells.number(text)
    assert isinstance(found, Refused)
    assert reason in found.reason
    assert found.expected


def test_a_comma_in_a_file_of_semicolons_has_two_readings():
    assert cells.number("1,234") == Number(1234)
    assert isinstance(cells.number("1,234", decimal_comma=True), Refused)
    assert cells.number("1,234.5", decimal_comma=True) == Number(1234.5)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_python_writes_is_read_back(value):
    found = cells.number(repr(value))
    assert isinstance(found, Number)
    assert found.value == value or math.isclose(found.value, value, rel_tol=1e-15)


@given(st.text(max_size=30))
def test_any_text_is_read_without_an_error(text):
    for reader in (cells.number, cells.date, cells.birth, cells.blank):
        reader(text)
    cells.whole(text, 0, 5)
    canonical(text)


@given(st.integers(0, 10**12), st.integers(0, 6))
def test_thousands_separators(whole, places):
    value = whole / 10**places
    found = cells.number(f"{value:,.{places}f}")
    assert isinstance(found, Number)
    assert found.value == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "2025-01-09",
        "2025/1/9",
        "2025.1.9",
        "20250109",
        "2025年1月9日",
        "2025年01月09日 08:30",
        "2025-01-09 08:30",
        "2025-01-09 08:30:00",
        "2025-01-09T08:30:00Z",
        "2025-01-09T08:30:00.000+08:00",
        "２０２５-01-09",
        "20250109083000",
        "09-Jan-2025",
        "09JAN2025",
        "Jan 9, 2025",
        "9 January 2025",
    ],
)
def test_dates(text):
    assert cells.date(text) == date(2025, 1, 9)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("01/02/2025", "two readings"),
        ("25-12-2025", "two readings"),
        ("1/2/25", "two readings"),
        ("2025-02-30", "no such day"),
        ("2025-13-01", "no such day"),
        ("20250230", "no such day"),
        ("1850-01-01", "the year 1850"),
        ("2150-01-01", "the year 2150"),
        ("2025-01", "without its day"),
        ("2025年", "without its day"),
        ("45000", "not a date"),
        ("2025-01-091", "not a date"),
        ("yesterday", "not a date"),
        ("99999999999999999999", "not a date"),
    ],
)
def test_dates_that_are_refused(text, reason):
    found = cells.date(text)
    assert isinstance(found, Refused)
    assert reason in found.reason
    assert found.expected


def test_days_since_1900_are_dates_in_a_workbook_only():
    assert cells.date("45000", excel=True) == date(2023, 3, 15)
    assert cells.date("45000.35", excel=True) == date(2023, 3, 15)
    assert isinstance(cells.date("45000"), Refused)


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_every_date_is_read_back(day):
    assert cells.date(day.isoformat()) == day
    assert cells.date(f"{day.year}年{day.month}月{day.day}日") == day
    assert cells.date(f"{day:%Y%m%d}") == day


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1960", "1960"),
        ("1960年", "1960"),
        ("1960-05", "1960-05"),
        ("1960年5月", "1960-05"),
        ("1960/5/3", "1960-05-03"),
    ],
)
def test_dates_of_birth_to_the_precision_they_are_known(text, wanted):
    assert cells.birth(text) == wanted


@pytest.mark.parametrize("text", ["1960-13", "1960-02-30", "60", "05/1960", "1700"])
def test_dates_of_birth_that_are_refused(text):
    assert isinstance(cells.birth(text), Refused)


@pytest.mark.parametrize(("text", "wanted"), [("2", 2), ("2.0", 2), ("第2线", 2), ("二线", 2), ("3级", 3), ("G3", 3)])
def test_whole_numbers(text, wanted):
    assert cells.whole(text, 0, 5) == wanted


@pytest.mark.parametrize("text", ["0.5", "7", "-1", "<2", "many"])
def test_whole_numbers_that_are_refused(text):
    assert isinstance(cells.whole(text, 0, 5), Refused)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("×10^9/L", "10^9/L"),
        ("10*9/L", "10^9/L"),
        ("x10⁹/L", "10^9/L"),
        ("K/uL", "10^9/L"),
        ("10^3/μL", "10^9/L"),
        ("/ul", "cells/uL"),
        ("µmol/L", "umol/L"),
        ("μmol/l", "umol/L"),
        ("g/dl", "g/dL"),
        ("mg/24小时", "mg/24h"),
        ("mg/24hr", "mg/24h"),
        ("mg/(24.h)", "mg/24h"),
        ("g/d", "g/24h"),
        ("IU/L", "U/L"),
        ("[IU]/L", "U/L"),
        ("ml/min/1.73m²", "mL/min/1.73m2"),
        ("mL/min/1.73 m2", "mL/min/1.73m2"),
        ("％", "%"),
        ("℃", "degC"),
        ("cm²", "cm2"),
        ("{ratio}", ""),
        ("parsec", None),
    ],
)
def test_spellings_of_units(text, wanted):
    assert canonical(text) == wanted


@pytest.mark.parametrize(
    ("what", "value", "unit", "wanted"),
    [
        ("kappa_flc", 0.55, "mg/dL", 5.5),
        ("serum_m_protein", 3.0, "g/dL", 30),
        ("albumin", 4.2, "g/dL", 42),
        ("calcium", 11, "mg/dL", 2.7445),
        ("creatinine", 2, "mg/dL", 176.8),
        ("b2m", 400, "nmol/L", 4.72),
        ("b2m", 3.5, "ug/mL", 3.5),
        ("urine_m_protein", 1.2, "g/24h", 1200),
        ("egfr", 50, "mL/min/1.73m²", 50),
        ("neutrophils", 1500, "/uL", 1.5),
        ("neutrophils", 1.5, "G/L", 1.5),
        ("del_17p", 0.3, "fraction", 30),
        ("mrd", 0.001, "%", 1e-5),
        ("gain_1q", 3, None, 3),
        ("flc_ratio", 12.5, None, 12.5),
        ("plasmacytoma_spd", 1200, "mm2", 12),
    ],
)
def test_values_in_the_canonical_unit(what, value, unit, wanted):
    assert convert(code(what), value, unit) == wanted


@pytest.mark.parametrize(
    ("what", "value", "unit", "hint"),
    [
        ("albumin", 4.2, "g/L", "4.2 g/dL would be 42 g/L"),
        ("hemoglobin", 12, "g/L", "12 g/dL would be 120 g/L"),
        ("calcium", 9.5, "mmol/L", "9.5 mg/dL"),
        ("creatinine", 0.9, "umol/L", "0.9 mg/dL"),
        ("b2m", 400, "mg/L", "400 nmol/L"),
        ("serum_m_protein", 3000, "g/L", "3000 mg/dL would be 30 g/L"),
        ("height", 1.7, "cm", "1.7 m would be 170 cm"),
        ("gain_1q", 45, None, "0 to 20 copies"),
    ],
)
def test_a_slip_of_unit_is_refused_and_the_unit_meant_is_named(what, value, unit, hint):
    found = convert(code(what), value, unit)
    assert isinstance(found, Refused)
    assert hint in found.expected


@pytest.mark.parametrize(
    ("what", "value", "unit"),
    [
        ("kappa_flc", 120_000, "mg/L"),
        ("serum_m_protein", 120, "g/L"),
        ("igg", 140, "g/L"),
        ("calcium", 1.2, "mmol/L"),
        ("calcium", 5.2, "mmol/L"),
        ("creatinine", 2500, "umol/L"),
        ("hemoglobin", 22, "g/L"),
        ("albumin", 12, "g/L"),
        ("b2m", 80, "mg/L"),
        ("ldh", 30_000, "U/L"),
        ("ferritin", 200_000, "ug/L"),
        ("il6", 500_000, "pg/mL"),
        ("platelets", 1, "10^9/L"),
        ("neutrophils", 0, "10^9/L"),
        ("temperature", 41.9, "degC"),
        ("weight", 210, "kg"),
    ],
)
def test_a_very_sick_patient_is_not_refused(what, value, unit):
    assert convert(code(what), value, unit) == value


@pytest.mark.parametrize(
    ("what", "unit", "reason"),
    [
        ("albumin", None, "needs a unit"),
        ("albumin", "", "needs a unit"),
        ("kappa_flc", "mmol/L", "is not measured in mmol/L"),
        ("creatinine_clearance", "mL/min/1.73m2", "is not measured in"),
        ("urine_m_protein", "mg/L", "is not measured in mg/L"),
        ("albumin", "g/LL", "unknown unit"),
        ("flc_ratio", "mg/L", "is not measured in mg/L"),
    ],
)
def test_units_that_are_refused(what, unit, reason):
    found = convert(code(what), 40, unit)
    assert isinstance(found, Refused)
    assert reason in found.reason
    assert all(name in found.expected for name in accepted(code(what)))
