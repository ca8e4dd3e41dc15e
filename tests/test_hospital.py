"""Exports of hospital systems: what is read from a messy folder, what is refused and why."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from bence.errors import ChartError, UsageError
from bence.read import hospital, read
from bence.read.courses import drug
from bence.read.headings import role, understood
from bence.read.layout import reference
from bence.read.mapping import Mapping, loads
from bence.read.people import born, span_of_birth
from bence.read.proposal import nearest_codes, propose

MESSY = Path(__file__).parent / "data" / "messy_cn"


def export(folder: Path, text: str, name: str = "export.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


def facts(chart, patient: str, on: str) -> dict[str, tuple]:
    """what → (comparator or '', value or text) of one patient on one day."""
    rows = chart.observations.filter(pl.col("patient") == patient, pl.col("on") == date.fromisoformat(on))
    columns = ("what", "comparator", "value", "text")
    return {
        what: ((comparator or "") + f"{value:g}" if value is not None else text)
        for what, comparator, value, text in rows.select(columns).iter_rows()
    }


def refused(chart) -> list[tuple]:
    return chart.rejected.select("line", "column", "value").rows()


@pytest.fixture(scope="module")
def visits():
    return hospital.examine(MESSY / "visits.csv")


@pytest.fixture(scope="module")
def results():
    pytest.importorskip("openpyxl")
    return hospital.examine(MESSY / "results.xlsx").chart


def test_a_wide_gbk_export_is_read_to_canonical_units(visits):
    assert facts(visits.chart, "001", "2025-01-09") == {
        "serum_m_protein": "45.2", "serum_ife": "igg_kappa", "urine_ife": "kappa", "kappa_flc": "1250.5",
        "lambda_flc": "8.2", "flc_ratio": "152.5", "hemoglobin": "92", "albumin": "31", "b2m": "5.8", "ldh": "312",
        "ldh_upper_limit": "250", "calcium": "2.61", "creatinine": "118", "marrow_plasma_cells": "35",
        "del_17p": "42", "gain_1q": "positive", "t_4_14": "negative",
    }  # fmt: skip


def test_dates_digits_and_not_detected_are_understood(visits):
    later = facts(visits.chart, "001", "2025-06-01")
    assert later["serum_m_protein"] == "0"
    assert later["serum_ife"] == "negative"
    assert later["mrd"] == "0"
    mrd = visits.chart.observations.filter(pl.col("what") == "mrd").row(0, named=True)
    assert (mrd["method"], mrd["detection_limit"]) == ("ngf", 1e-5)
    assert facts(visits.chart, "001", "2025-02-09")["serum_m_protein"] == "28.4"


def test_a_censored_value_keeps_its_bound_and_a_cell_may_carry_its_own_unit(visits):
    found = facts(visits.chart, "002", "2025-03-03")
    assert found["b2m"] == "<0.5"
    assert found["ldh"] == ">1500"
    assert found["hemoglobin"] == "101"  # 10.1 g/dL under a heading that says g/L
    assert found["albumin"] == "29"  # 2.9, with g/dL in the column beside
    assert found["gain_1q"] == "3"
    assert found["serum_ife_small"] == "yes"


def test_duplicated_rows_collapse_and_keep_the_line_of_the_first(visits):
    rows = visits.chart.observations.filter(pl.col("on") == date(2025, 2, 9), pl.col("what") == "b2m")
    assert rows["source"].to_list() == ["visits.csv:4"]


def test_every_refused_cell_is_listed_with_its_line_and_heading(visits):
    assert refused(visits.chart) == [
        (2, "备注", ""),
        (2, "血沉", ""),
        (8, "κ/λ", "0.05"),
        (8, "κ游离轻链(mg/L)", "38"),
        (8, "λ游离轻链(mg/L)", "79.0"),
        (8, "血清免疫固定电泳", "可疑IgA-λ"),
        (9, "白蛋白", "33"),
        (9, "采样日期", "2025/13/45"),
        (10, "M蛋白(g/L)", "3000"),
        (10, "性别", "女"),
        (10, "白蛋白", "330"),
        (10, "肌酐(μmol/L)", "1.1"),
        (10, "血钙(mmol/L)", "9.6"),
    ]
    reasons = dict(visits.chart.rejected.select(pl.concat_str("line", "column"), "reason").iter_rows())
    assert "ten times off" in reasons["8κ/λ"]
    assert "needs a unit" in reasons["9白蛋白"]
    assert reasons["10性别"] == "patient 003: sex is male on visits.csv:9"
    hints = dict(visits.chart.rejected.select("value", "expected").iter_rows())
    assert "1.1 mg/dL would be 97.24 umol/L" in hints["1.1"]


def test_names_are_neither_read_nor_kept(visits):
    assert visits.notes == ["visits.csv: '姓名' is personal and was not read"]
    for table in ("patients", "observations", "treatments", "events"):
        texts = getattr(visits.chart, table).select(pl.col(pl.String)).rows()
        assert not any(name in (cell or "") for row in texts for cell in row for name in ("甲", "乙", "丙"))


def test_patients_get_their_type_and_the_span_of_birth_that_their_ages_leave(visits):
    people = {row["patient"]: row for row in visits.chart.patients.iter_rows(named=True)}
    assert (people["001"]["heavy_chain"], people["001"]["light_chain"]) == ("igg", "kappa")
    assert people["001"]["born_on"] == "1961-02-10/1961-06-01"  # 63 on 9 February, 64 on 1 June 2025
    assert people["003"]["sex"] == "male"


def test_drugs_named_at_visits_become_courses(visits):
    rows = visits.chart.treatments.select("patient", "what", "started_on", "stopped_on").rows()
    assert rows == [
        ("001", "bortezomib", date(2025, 2, 9), None),
        ("001", "dexamethasone", date(2025, 2, 9), None),
        ("001", "lenalidomide", date(2025, 2, 9), None),
        ("002", "lenalidomide", date(2025, 3, 3), None),
    ]


def test_a_long_workbook_is_read_with_units_samples_and_limits(results):
    assert facts(results, "A-07", "2024-11-02") == {
        "kappa_flc": "35.2", "kappa_flc_upper_limit": "19.4", "lambda_flc": "12.1", "lambda_flc_upper_limit": "26.3",
        "flc_ratio": "2.91", "ldh": "301", "ldh_upper_limit": "250", "hemoglobin": "106",
        "hemoglobin_lower_limit": "115", "il6": "<1.5", "serum_ife": "kappa", "urine_ife": "kappa",
        "urine_m_protein": "820",
    }  # fmt: skip
    assert facts(results, "A-07", "2024-11-03") == {"marrow_plasma_cells": "12.5"}  # a cell shown as 12.5 %
    assert results.patients["born_on"].to_list() == ["1960-05-03"]


def test_urine_is_not_serum_and_unknown_items_are_listed_once(results):
    assert refused(results) == [
        (11, "项目名称", "白蛋白"),
        (12, "结果", "3.1"),
        (14, "项目名称", "总胆汁酸"),
        (None, "", ""),
    ]
    assert results.rejected["file"].to_list()[-1] == "results.xlsx[说明]"


def test_a_folder_of_exports_is_one_chart(tmp_path):
    export(tmp_path, "病历号,性别,出生日期\n1,女,1950-02-03\n", "people.csv")
    export(tmp_path, "病历号,采样日期,Hb(g/L)\n1,2025-01-02,101\n", "blood.csv", "gb18030")
    chart = read(tmp_path)
    assert chart.patients.row(0)[:4] == ("1", None, "female", "1950-02-03")
    assert facts(chart, "1", "2025-01-02") == {"hemoglobin": "101"}


def test_a_chart_written_and_read_again_is_the_same(visits, tmp_path):
    visits.chart.write(tmp_path / "chart")
    again = read(tmp_path / "chart")
    assert again.patients.equals(visits.chart.patients)
    assert again.observations.equals(visits.chart.observations)
    assert again.treatments.equals(visits.chart.treatments)


def test_two_units_under_one_heading_are_told_apart_by_the_cells(tmp_path):
    path = export(tmp_path, "patient,date,Free kappa\n1,2025-01-02,12 mg/L\n2,2025-01-02,1.2 mg/dL\n3,2025-01-02,12\n")
    chart = hospital.read(path)
    assert chart.observations["value"].to_list() == [12.0, 12.0]
    assert refused(chart) == [(4, "Free kappa", "12")]


def healthy(n: int = 12, scale: float = 1.0, unit: str = "mg/L") -> str:
    rows = [f"{i},2025-01-02,{(8 + i / 5) * scale:.2f},{(11 + i / 4) * scale:.2f}" for i in range(n)]
    return "\n".join([f"patient,date,kappa FLC ({unit}),lambda FLC ({unit})", *rows]) + "\n"


@pytest.mark.parametrize(("scale", "unit"), [(0.1, "mg/L"), (10, "mg/dL")])
def test_light_chains_in_a_unit_that_cannot_be_true_are_refused(tmp_path, scale, unit):
    chart = hospital.read(export(tmp_path, healthy(scale=scale, unit=unit)))
    assert chart.observations.is_empty()
    assert chart.rejected.height == 24
    assert f"the unit is not {unit}" in chart.rejected["reason"][0]
    assert {"mg/L": "mg/dL", "mg/dL": "mg/L"}[unit] in chart.rejected["expected"][0]


def test_light_chains_in_their_unit_or_in_too_few_people_are_accepted(tmp_path):
    assert hospital.read(export(tmp_path, healthy())).observations.height == 24
    assert hospital.read(export(tmp_path, healthy(scale=0.1, unit="mg/dL"))).observations.height == 24
    assert hospital.read(export(tmp_path, healthy(n=9, scale=0.1))).observations.height == 18


def test_a_confirmed_unit_is_not_questioned(tmp_path):
    columns = "".join(
        f'[columns."{chain} FLC (mg/L)"]\nwhat = "{chain}_flc"\nunit = "mg/L"\nunit_confirmed = true\n' for chain in ("kappa", "lambda")
    )
    chart = hospital.read(export(tmp_path, healthy(scale=0.1)), loads(columns))
    assert chart.observations.height == 24


def test_a_ratio_rounded_to_two_decimals_is_no_contradiction(tmp_path):
    path = export(tmp_path, "patient,date,kappa FLC (mg/L),lambda FLC (mg/L),κ/λ\n1,2025-01-02,5.1,152,0.03\n")
    assert hospital.read(path).rejected.is_empty()


def test_a_dash_beside_plus_signs_is_negative_and_otherwise_a_blank(tmp_path):
    signs = hospital.read(export(tmp_path, "patient,date,SIFE\n1,2025-01-02,+\n2,2025-01-02,-\n"))
    assert signs.observations["text"].to_list() == ["positive", "negative"]
    blanks = hospital.read(export(tmp_path, "patient,date,SIFE\n1,2025-01-02,IgG-κ\n2,2025-01-02,-\n"))
    assert blanks.observations["text"].to_list() == ["igg_kappa"]


def test_a_therapeutic_antibody_is_an_event(tmp_path):
    path = export(tmp_path, "patient,date,SIFE\n1,2025-01-02,IgG kappa likely daratumumab\n")
    chart = hospital.read(path)
    assert chart.events.select("what", "on").rows() == [("antibody_interference", date(2025, 1, 2))]


def test_dates_of_procedures_and_events_may_be_columns(tmp_path):
    chart = hospital.read(export(tmp_path, "patient,ASCT日期,确诊日期,死亡日期\n1,2024/5/6,2023年11月2日,\n2,,,2025-01-01\n"))
    assert chart.treatments.select("what", "started_on").rows() == [("autologous_transplant", date(2024, 5, 6))]
    assert chart.events.select("what", "on").rows() == [("mm_diagnosis", date(2023, 11, 2))]
    assert chart.patients["died_on"].to_list() == [None, date(2025, 1, 1)]


def test_orders_of_drugs_are_treatments(tmp_path):
    orders = ("1,注射用硼替佐米 3.5mg,2025-01-02,2025-03-01,2.2mg", "1,神药,2025-01-02,,")
    text = "\n".join(("病历号,药品名称,开始日期,停药日期,剂量", *orders))
    chart = hospital.read(export(tmp_path, text))
    assert chart.treatments.select("what", "dose", "dose_unit", "stopped_on").rows() == [("bortezomib", 2.2, "mg", date(2025, 3, 1))]
    assert refused(chart) == [(3, "药品名称", "神药")]


def test_a_course_ends_where_a_later_visit_does_not_name_the_drug(tmp_path):
    text = "patient,date,方案\n1,2025-01-02,VRd\n1,2025-02-02,VRd\n1,2025-03-02,来那度胺\n1,2025-04-02,PD\n"
    chart = hospital.read(export(tmp_path, text))
    assert chart.treatments.filter(pl.col("what") == "bortezomib").select("started_on", "stopped_on").rows() == [
        (date(2025, 1, 2), date(2025, 2, 2))
    ]
    assert refused(chart) == [(5, "方案", "PD")]  # pomalidomide, or bortezomib (PS-341): not guessed


def test_a_file_without_patients_or_days_says_what_is_needed(tmp_path):
    with pytest.raises(ChartError, match="no column holds the key of the patient"):
        hospital.read(export(tmp_path, "a,b\n1,2\n"))
    with pytest.raises(ChartError, match=r"export.csv:1: no column holds the day .*\[date\] in a mapping file"):
        hospital.read(export(tmp_path, "病历号,报告时间,Hb(g/L)\n1,2025-01-02,100\n"))


def test_a_mapping_dates_rows_and_deaths_in_months(tmp_path):
    mapping = loads("""
ignore = ["race"]
[patient]
column = "id"
[date]
months_after = { column = "month", of = "2010-01-01" }
[columns.hb]
what = "hemoglobin"
unit = "g/dL"
[columns.dead]
what = "died_on"
on = "os"
after = "months"
values = { "j" = "yes" }
""")
    text = "id,month,hb,dead,os,race\n1,0,10,j,12,x\n1,6,<9.5,,,x\n2,0,11,0,24,x\n"
    chart = hospital.read(export(tmp_path, text), mapping)
    assert chart.observations.select("on", "value", "comparator").rows() == [
        (date(2010, 1, 1), 100.0, None),
        (date(2010, 7, 3), 95.0, "<"),
        (date(2010, 1, 1), 110.0, None),
    ]
    assert chart.patients["died_on"].to_list() == [date(2011, 1, 1), None]
    assert chart.rejected.is_empty()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[patien]\ncolumn = "x"', "m.toml:1: unknown key 'patien'.*'patient'"),
        ('[columns.a]\nwhat = "kappa_flcc"', "m.toml:2: there is no code 'kappa_flcc'.*'kappa_flc'"),
        ('[columns.a]\nwhat = "kappa_flc"\nunti = "mg/L"', "m.toml:3: unknown key 'unti'.*'unit'"),
        (
            '[columns.a]\nwhat = "kappa_flc"\nunit = "mmol/L"',
            "m.toml:3: kappa_flc is not measured in 'mmol/L'",
        ),
        ('[columns.a]\nunit = "mg/L"', "m.toml:1: 'a' does not say what it is"),
        ('[date]\nfixed = "soon"', "m.toml:2: 'soon' is not a day"),
        ('[date]\nfixed = "2000-01-01"\ncolumn = "d"', "m.toml:1: a row is dated in one way"),
        ('[file]\nencoding = "gbq"', "m.toml:2: unknown encoding 'gbq'"),
        ("[file\n", "m.toml:1: not a TOML file"),
    ],
)
def test_a_mapping_file_that_is_not_understood_is_an_error_with_its_line(text, message):
    with pytest.raises(UsageError, match=message):
        loads(text, "m.toml")


def test_a_mapping_that_names_an_absent_column_is_an_error(tmp_path):
    path = export(tmp_path, "patient,date,Hb(g/L)\n1,2025-01-02,100\n")
    with pytest.raises(ChartError, match=r"there is no column 'SEQN', which m\.toml names"):
        hospital.read(path, loads('[date]\ncolumn = "SEQN"', "m.toml"))


def test_the_proposed_mapping_names_nearest_codes_and_possible_units(tmp_path):
    text = propose(export(tmp_path, "病历号,采样日期,白蛋白,血红旦白(g/L),科别\n1,2025-01-02,41,100,血液\n"))
    assert '# [columns."血红旦白(g/L)"]' in text
    assert '# what = "hemoglobin"' in text
    assert '# unit = "g/L"    # possible: g/L' in text
    assert '# ignore = ["血红旦白(g/L)", "科别"]' in text
    assert loads(text) == Mapping(path="mapping.toml")
    edited = "\n".join(line.removeprefix("# ") if "白蛋白" in line or "albumin" in line else line for line in text.splitlines())
    assert loads(edited).column("白蛋白") is not None
    assert propose(export(tmp_path, "病历号,采样日期,Hb(g/L)\n1,2025-01-02,100\n")) == ""


@pytest.mark.parametrize(
    ("heading", "code", "unit"),
    [
        ("κ游离轻链(mg/L)", "kappa_flc", "mg/L"),
        ("M蛋白[g/dL]", "serum_m_protein", "g/dL"),
        ("Serum M-protein, g/L", "serum_m_protein", "g/L"),
        ("白蛋白(ALB)(g/L)", "albumin", "g/L"),
        ("LDH_U/L", "ldh", "U/L"),
        ("骨髓浆细胞%", "marrow_plasma_cells", "%"),
        ("24h尿M蛋白(g/24h)", "urine_m_protein", "g/24h"),
        ("血小板(10^9/L)", "platelets", "10^9/L"),
        ("κ/λ", "flc_ratio", None),
        ("del(17p)", "del_17p", None),
        ("M蛋白(尿)", None, None),  # not the M-protein of serum
        ("嗜酸细胞(%)", None, None),
    ],
)
def test_a_heading_gives_code_and_unit(heading, code, unit):
    found, its_unit = understood(heading)
    assert (found.code if found else None, its_unit) == (code, unit)


def test_a_heading_with_a_unit_that_the_code_does_not_have_is_not_read(tmp_path):
    chart = hospital.read(export(tmp_path, "patient,date,Hb(mg/L)\n1,2025-01-02,100\n"))
    assert chart.observations.is_empty()
    assert refused(chart) == [(1, "Hb(mg/L)", "")]


def test_an_unknown_unit_beside_a_value_is_refused_as_it_is_written(tmp_path):
    chart = hospital.read(export(tmp_path, "patient,date,Hb,单位\n1,2025-01-02,100,g/M\n"))
    assert refused(chart) == [(2, "单位", "g/M")]
    assert chart.rejected["nearest"].to_list() == ["g/L"]


def test_the_mapping_file_of_the_page_is_valid():
    page = (Path(__file__).parents[1] / "docs" / "how-to" / "hospital-export.md").read_text(encoding="utf-8")
    mapping = loads(page.split("```toml\n")[1].split("```")[0])
    assert mapping.column("轻链k定量") == mapping.columns["轻链k定量"]
    assert mapping.ignored(" ｏperator")


def test_roles_of_other_columns():
    parts = {h: role(h, Mapping()).part for h in ("病历号", "姓名", "年龄(岁)", "ASCT日期", "参考范围", "科室", "用药", "出生日期")}
    assert parts == {
        "病历号": "patient", "姓名": "private", "年龄(岁)": "age", "ASCT日期": "dated", "参考范围": "reference",
        "科室": "administrative", "用药": "drugs", "出生日期": "field",
    }  # fmt: skip


def test_small_readers():
    assert reference("≥130 g/L") == (130.0, None)
    assert drug("来那度胺胶囊") is not None
    assert nearest_codes("血红旦白")[0].code == "hemoglobin"
    assert span_of_birth(*born("77", date(2000, 12, 31))) == "1923"
    assert born(">=85", date(2000, 12, 31)) == (date(1880, 1, 1), date(1915, 12, 31))
