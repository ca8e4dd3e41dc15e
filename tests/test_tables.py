"""A folder with the tables of a chart: what is accepted, what is refused, and what the refusal says."""

import re
from datetime import date

import polars as pl
import pytest

from bence.catalogue import code
from bence.chart import Chart
from bence.errors import ChartError, UsageError
from bence.read import read
from bence.read.measurement import Measured, Written, measured
from bence.read.tables import faults

PATIENTS = "patient,sex,born_on,died_on\n001,female,1960,2025-06-01\n002,male,1955-03,\n"
HEADER = "patient,on,what,value,unit,text\n"


@pytest.fixture
def folder(tmp_path):
    def write(**tables):
        for table, text in ({"patients": PATIENTS} | tables).items():
            data = text if isinstance(text, bytes) else text.encode()
            (tmp_path / f"{table}.csv").write_bytes(data)
        return tmp_path

    return write


def observed(chart):
    return chart.observations.select("patient", "what", "value", "comparator", "text", "unit").rows()


def refused(chart):
    return chart.rejected.select("line", "column", "value").rows()


def reason(chart):
    assert chart.rejected.height == 1
    row = chart.rejected.row(0, named=True)
    return f"{row['file']}:{row['line']} {row['column']}: {row['reason']}; {row['expected']}; {row['nearest']}"


def test_a_chart_as_a_hospital_writes_it(folder):
    chart = read(
        folder(
            patients="患者ID,性别,出生日期,重链,轻链\n001,女,1960年,IgG-κ,\n002,M,1955/3/1,IgA,λ\n",
            observations="病历号,采样日期,检验项目,结果,单位\n001,2025年1月9日,β2微球蛋白,＜0.5,mg/L\n"
            "002,2025/1/9,M蛋白,3.0↑,g/dl\n002,20250109,t(4;14),阳性,\n"
            "002,2025-01-09,血清免疫固定电泳,IgA-λ阳性,\n",
            treatments="患者编号,开始日期,药物名称,剂量,治疗阶段,线数,计划内,停药原因\n"
            "001,2025-01-10,万珂,1.3 mg/m2,诱导,第一线,是,毒副作用\n",
            events="patient,日期,事件,分级,text\n001,2025-02-01,细胞因子释放综合征,2级,\n002,2025-02-01,感染,,无\n",
        )
    )
    assert chart.rejected.height == 0
    people = chart.patients.select("patient", "sex", "born_on", "heavy_chain", "light_chain")
    assert people.rows() == [
        ("001", "female", "1960", "igg", "kappa"),
        ("002", "male", "1955-03-01", "iga", "lambda"),
    ]
    assert observed(chart) == [
        ("001", "b2m", 0.5, "<", None, "mg/L"),
        ("002", "serum_ife", None, None, "iga_lambda", None),
        ("002", "serum_m_protein", 30.0, None, None, "g/L"),
        ("002", "t_4_14", None, None, "positive", None),
    ]
    given = chart.treatments.select("what", "dose", "dose_unit", "phase", "line", "planned", "stop_reason")
    assert given.rows() == [("bortezomib", 1.3, "mg/m2", "induction", 1, True, "toxicity")]
    assert chart.events.select("what", "grade", "text").rows() == [
        ("crs", 2, None),
        ("infection", None, "none"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_delimiters_and_line_ends(folder, encoding, delimiter, end):
    text = "患者ID,性别,中心\n001,女,协和\n".replace(",", delimiter).replace("\n", end)
    chart = read(folder(patients=text.encode(encoding)))
    assert chart.patients.select("patient", "sex", "centre").rows() == [("001", "female", "协和")]
    assert chart.rejected.height == 0


def test_lines_are_right_in_spite_of_blank_lines_and_quoted_newlines(folder):
    rows = '001,2025-01-01,serum_ife,,,"IgG-κ\n阳性"\n\n001,2025-01-01,b2m,lots,mg/L,\n'
    chart = read(folder(observations=HEADER + rows))
    assert refused(chart) == [(5, "value", "lots")]
    assert chart.observations["source"].to_list() == ["observations.csv:2"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "1,2025-01-01,b2m,3,mg/L,",
            "observations.csv:2 patient: patient '1' is not in the table of patients.*; 001",
        ),
        (",2025-01-01,b2m,3,mg/L,", "patient: blank"),
        ("001,01/02/2025,b2m,3,mg/L,", "on: a date with two readings.*2025-01-09"),
        ("001,2025-02-30,b2m,3,mg/L,", "on: there is no such day"),
        ("001,,b2m,3,mg/L,", "on: blank"),
        ("001,1950-01-01,b2m,3,mg/L,", "on: before birth"),
        ("001,2025-07-02,b2m,3,mg/L,", "on: more than 30 days after death"),
        ("001,2025-01-01,calcum,3,mg/L,", "what: unknown observation 'calcum'.*calcium"),
        ("001,2025-01-01,b2m,3,,", "unit: b2m needs a unit.*mg/L"),
        ("001,2025-01-01,b2m,3,mmol/L,", "unit: b2m is not measured in mmol/L"),
        ("001,2025-01-01,b2m,3,mg/l/l,", "unit: unknown unit"),
        (
            "001,2025-01-01,albumin,4.2,g/L,",
            "value: albumin 4.2 g/L is not plausible.*4.2 g/dL would be 42 g/L",
        ),
        ("001,2025-01-01,b2m,3.0 mg/dL,mg/L,", "unit: the value says mg/dL, the unit column mg/L"),
        ("001,2025-01-01,b2m,阴性,mg/L,", "value: '阴性' is not a number"),
        ("001,2025-01-01,b2m,nan,mg/L,", "value: not a finite number"),
        ("001,2025-01-01,t_4_14,perhaps,,", "value: 'perhaps' is not a result of t_4_14.*negative, positive"),
        ("001,2025-01-01,t_4_14,,,postive", "text: 'postive' is not a result.*; positive"),
        ("001,2025-01-01,t_4_14,positive,,negative", "text: the value says positive"),
        ("001,2025-01-01,serum_ife,,,blue", "text: .*igg_kappa"),
        ("001,2025-01-01,b2m,3,mg/L,,,extra", "None: 8 cells, the header has 6"),
    ],
)
def test_a_row_that_says_nothing_true_is_left_out(folder, row, message):
    chart = read(folder(observations=HEADER + row + "\n"))
    assert chart.observations.height == 0
    assert re.search(message, reason(chart)), reason(chart)
    assert "the row is left out" in reason(chart)


def test_every_fault_of_a_row_is_listed(folder):
    chart = read(folder(observations=HEADER + "009,01/02/2025,calcum,3,mg/L,\n"))
    assert refused(chart) == [(2, "on", "01/02/2025"), (2, "patient", "009"), (2, "what", "calcum")]


def test_a_side_cell_is_left_blank_and_the_row_stands(folder):
    chart = read(
        folder(
            patients="patient,sex,died_on,last_seen_on,born_on\n001,unclear,1949-01-01,,1950\n002,male,2025-01-01,2025-02-01,1950\n",
            treatments="patient,started_on,stopped_on,what,line,planned\n"
            "001,2025-01-10,2025-01-01,bortezomib,0,maybe\n001,2025-02-30,,lenalidomide,,\n",
            events="patient,on,until,what,grade\n001,2025-01-10,2025-01-01,crs,9\n",
        )
    )
    assert refused(chart) == [
        (2, "grade", "9"), (2, "until", "2025-01-01"),
        (2, "died_on", "1949-01-01"), (2, "sex", "unclear"), (3, "last_seen_on", "2025-02-01"),
        (2, "line", "0"), (2, "planned", "maybe"), (2, "stopped_on", "2025-01-01"),
        (3, "started_on", "2025-02-30"),
    ]  # fmt: skip
    assert chart.rejected["reason"].str.ends_with("; the cell is left blank").all()
    assert chart.treatments["what"].to_list() == ["bortezomib", "lenalidomide"]
    assert chart.treatments["started_on"].to_list() == [date(2025, 1, 10), None]


def test_unknown_columns_are_told(folder):
    chart = read(folder(observations="patient,on,what,value,unit,valeu\n001,2025-01-01,b2m,3,mg/L,7\n"))
    assert reason(chart).startswith("observations.csv:1 valeu: unknown column")
    assert chart.rejected["nearest"].to_list() == ["value"]
    assert chart.observations.height == 1


def test_identical_rows_collapse_and_rows_without_a_value_are_counted(folder):
    row = "001,2025-01-01,b2m,3,mg/L,\n"
    chart = read(folder(observations=HEADER + row + row + "001,2025-01-02,b2m,未查,mg/L,\n"))
    assert chart.observations.height == 1
    assert chart.rejected.height == 0
    assert chart.tally == {"collapsed": 1, "blank": 1}


def test_a_source_that_is_given_is_kept(folder):
    text = "patient,on,what,value,unit,source\n001,2025-01-01,b2m,3,mg/L,ward 7\n001,2025-01-02,b2m,3,mg/L,\n"
    assert read(folder(observations=text)).observations["source"].to_list() == [
        "ward 7",
        "observations.csv:3",
    ]


def test_a_last_row_that_breaks_off_is_not_read(folder):
    chart = read(folder(observations=HEADER + "001,2025-01-01,b2m,3,mg/L,\n001,2025-01-02,b2m,12"))
    assert chart.observations.height == 1
    assert chart.rejected["line"].to_list() == [3]


def test_cells_left_out_at_the_end_of_a_row_are_blank(folder):
    chart = read(folder(observations=HEADER + "001,2025-01-01,t_4_14,positive\n"))
    assert observed(chart) == [("001", "t_4_14", None, None, "positive", None)]


@pytest.mark.parametrize(
    ("table", "text", "message"),
    [
        ("patients", "", r"patients.csv: the file is empty"),
        ("patients", b"\x00\x01\x02\x03" * 50, r"patients.csv: this is a binary file"),
        ("patients", b"PK\x03\x04 and so on", r"patients.csv: this is an Excel workbook or zip"),
        ("patients", "sex,born_on\nmale,1960\n", r"patients.csv:1: there is no column 'patient'"),
        ("patients", "patient,sex,性别\n1,male,男\n", r"'sex' and '性别' stand for the same column 'sex'"),
        ("patients", "patient,sex,sex\n1,male,male\n", r"the heading 'sex' is there twice"),
        (
            "patients",
            "patient,sex\n1,male\n2,male\n1,female\n",
            r"patients.csv:2 and patients.csv:4: patient '1' .*sex male and female",
        ),
        ("patients", 'patient,sex\n1,"male\n', r"patients.csv:2: cannot be read"),
        (
            "observations",
            "patient,on,value\n001,2025-01-01,3\n",
            r"observations.csv:1: there is no column 'what'",
        ),
    ],
)
def test_faults_of_a_whole_file(folder, table, text, message):
    with pytest.raises(ChartError, match=message):
        read(folder(**{table: text}))


def test_identical_patients_collapse(folder):
    chart = read(folder(patients="patient,sex\n1,male\n1,男\n"))
    assert chart.patients["patient"].to_list() == ["1"]


def test_places_that_are_no_chart(tmp_path, folder):
    with pytest.raises(UsageError, match=r"no file or folder .*did you mean"):
        read(folder().with_name(folder().name + "x"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ChartError, match="there are no tables"):
        read(tmp_path / "empty")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "events.csv").write_text("patient,on,what\n")
    with pytest.raises(ChartError, match="no table of patients"):
        read(tmp_path / "half")


def test_one_table_in_two_formats(folder):
    home = folder()
    pl.DataFrame({"patient": ["001"]}).write_parquet(home / "patients.parquet")
    with pytest.raises(ChartError, match=r"patients.csv and patients.parquet are the same table"):
        read(home)


def parquet(folder, **columns):
    home = folder()
    pl.DataFrame(columns).write_parquet(home / "observations.parquet")
    return read(home)


def test_a_clean_parquet_file_stays_on_disk(folder):
    chart = parquet(folder, patient=["001", "002"], on=[date(2025, 1, 1)] * 2, what=["b2m", "t_4_14"],
                    value=[3.0, None], unit=["mg/L", None], text=[None, "positive"])  # fmt: skip
    assert "Parquet SCAN" in chart.scan("observations").explain()
    assert observed(chart) == [
        ("001", "b2m", 3.0, None, None, "mg/L"),
        ("002", "t_4_14", None, None, "positive", None),
    ]
    assert chart.observations["source"].to_list() == ["observations.parquet:1", "observations.parquet:2"]
    assert chart.rejected.height == 0


@pytest.mark.parametrize(
    ("bad", "column", "kept"),
    [
        ({"patient": "003"}, "patient", None),
        ({"on": date(1950, 1, 1)}, "on", None),
        ({"on": None}, "on", None),
        ({"what": "calcum"}, "what", None),
        ({"value": 3000.0}, "value", None),
        ({"value": float("nan")}, "value", None),
        ({"unit": "mmol/L"}, "unit", None),
        ({"unit": None}, "unit", None),
        ({"comparator": "about"}, "comparator", None),
        ({"value": 0.3, "unit": "mg/dL"}, None, 3.0),
        ({"unit": "mg/l"}, None, 3.0),
        ({"what": "血β2微球蛋白"}, None, 3.0),
    ],
)
def test_only_the_faulty_rows_of_a_parquet_file_are_read_cell_by_cell(folder, bad, column, kept):
    good = {
        "patient": "001",
        "on": date(2025, 1, 1),
        "what": "b2m",
        "value": 3.0,
        "unit": "mg/L",
        "comparator": None,
    }
    rows = [good | {"on": date(2025, 1, day)} for day in range(2, 9)] + [good | bad]
    schema = {
        "patient": pl.String,
        "on": pl.Date,
        "what": pl.String,
        "value": pl.Float64,
        "unit": pl.String,
        "comparator": pl.String,
    }
    frame = pl.DataFrame(rows, schema=schema)
    chart = parquet(folder, **frame.to_dict())
    assert "Parquet SCAN" in chart.scan("observations").explain()
    assert chart.rejected.select("line", "column").rows() == ([(8, column)] if column else [])
    assert chart.observations["value"].to_list() == [3.0] * (8 if kept else 7)
    assert set(chart.observations["what"]) == {"b2m"}
    assert set(chart.observations["unit"]) == {"mg/L"}


def test_a_parquet_file_with_dates_and_numbers_as_text(folder):
    chart = parquet(folder, 患者ID=["001"], 日期=["2025年1月9日"], 项目=["M蛋白"], 结果=["<0.5"], 单位=["g/dL"])
    assert observed(chart) == [("001", "serum_m_protein", 5.0, "<", None, "g/L")]


def test_csv_and_parquet_of_the_same_rows_are_the_same_chart(folder, tmp_path_factory):
    text = HEADER + "001,2025-01-01,b2m,3,mg/L,\n002,2025-01-01,albumin,4.2,g/L,\n002,2025-01-02,albumin,4.2,g/dL,\n"
    one = read(folder(observations=text))
    home = tmp_path_factory.mktemp("parquet")
    for table in ("patients", "observations"):
        frame = pl.read_csv(folder() / f"{table}.csv", infer_schema=False)
        if table == "observations":
            frame = frame.with_columns(pl.col("value").cast(pl.Float64), pl.col("on").str.to_date())
        frame.write_parquet(home / f"{table}.parquet")
    other = read(home)
    assert sorted(observed(one)) == sorted(observed(other))
    assert one.rejected.select("column", "value", "reason").rows() == other.rejected.select("column", "value", "reason").rows()


@pytest.mark.parametrize(
    ("what", "written", "wanted"),
    [
        ("serum_m_protein", Written("未检出"), Measured(0.0, None, "negative", "g/L")),
        ("serum_m_protein", Written(text="30 g/L"), Measured(30.0, None, None, "g/L")),
        ("b2m", Written("3.5", ">", unit="mg/L"), Measured(3.5, ">", None, "mg/L")),
        ("b2m", Written("3.5", unit="mg/L", text="haemolysed"), Measured(3.5, None, "haemolysed", "mg/L")),
        ("gain_1q", Written("扩增"), Measured(text="amplification")),
        ("gain_1q", Written("4"), Measured(4.0, None, None, "copies")),
        ("del_17p", Written("30%"), Measured(30.0, None, None, "%")),
        ("del_1p32", Written("阳性"), Measured(text="positive")),
        ("iss", Written("2.0"), Measured(text="II")),
        ("iss", Written("Ⅲ期"), Measured(text="III")),
        ("pet", Written("4", text="阳性"), Measured(4.0, None, "positive", None)),
        ("new_lesion", Written("无"), Measured(text="no")),
        ("lytic_lesions", Written("多发"), Measured(text="multiple")),
        ("lytic_lesions", Written("无"), Measured()),
        ("mrd", Written("2e-3", unit="%", detection_limit="1e-4"), Measured(2e-5, None, None, None, 1e-6)),
        ("mrd", Written("阴性", detection_limit="10^-6"), Measured(text="negative", detection_limit=1e-6)),
        ("diagnosis", Written("多发性骨髓瘤"), Measured(text="MM")),
        ("response", Written("非常好的部分缓解"), Measured(text="VGPR")),
        ("hepatitis_b_surface_antigen", Written("阴性(-)"), Measured(text="negative")),
    ],
)
def test_what_a_row_says(what, written, wanted):
    assert measured(code(what), written) == wanted


def test_the_number_stands_against_the_word_of_a_cut_off():
    found = measured(code("del_17p"), Written("5", text="negative", unit="%"))
    assert (found.value, found.text) == (5.0, None)
    assert [(fault.column, fault.fatal) for fault in found.faults] == [("text", False)]


def test_a_chart_made_by_a_program_can_be_checked(folder):
    people = pl.DataFrame({"patient": ["1"], "sex": ["femail"]})
    rows = pl.DataFrame({"patient": ["1", "2"], "on": [date(2025, 1, 1)] * 2, "what": ["b2m", "b2n"], "value": [3.0, 3.0]})
    found = faults(Chart(people, rows))
    assert found.select("file", "line", "column", "nearest").rows() == [
        ("patients", 1, "sex", "female"),
        ("observations", 2, "patient", None),
        ("observations", 2, "what", "b2m"),
        ("observations", 1, "unit", None),
    ]
    assert faults(read(folder(observations=HEADER + "001,2025-01-01,b2m,3,mg/L,\n"))).height == 0


def test_a_stray_file_beside_the_tables_is_told_and_does_no_harm(folder):
    home = folder()
    (home / "contacts.csv").write_text("ward,bed\n7,12\n")
    (home / "notes.txt").write_text("to do")
    chart = read(home)
    assert chart.patients.height == 2
    assert chart.rejected["file"].to_list() == ["contacts.csv"]
    assert chart.rejected["reason"].to_list() == ["the file lies beside the tables of a chart and is not read"]
