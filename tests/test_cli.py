"""The command line: what the documents say of it, what it writes, and that it starts at once."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import click
import polars as pl
import pytest
from click.testing import CliRunner, Result

from bence.chart import SCHEMA
from bence.cli import bence
from bence.read import read
from bence.rulebook import rules

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
REFERENCE = ROOT / "docs" / "reference" / "commands.md"
COMMANDS = bence.commands
TABLES = ("status", "response", "lines", "treatments", "completeness", "rejected")


def run(*words: str, exit: int = 0) -> Result:
    result = CliRunner().invoke(bence, words, prog_name="bence")
    assert result.exit_code == exit, f"{words}: {result.output}\n{result.exception!r}"
    return result


def small_chart() -> dict[str, str]:
    """The small chart of docs/start.md, file by file."""
    text = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    block = text.split("A small chart, complete:")[1].split("```")[1]
    files: dict[str, str] = {}
    name = ""
    for line in block.strip().splitlines():
        if not line.startswith(" "):
            name, line = line.split(maxsplit=1)
        files[name] = files.get(name, "") + line.strip() + "\n"
    return files


@pytest.fixture
def chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small chart in the folder `my-chart` of the folder we are in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-chart").mkdir()
    for name, text in small_chart().items():
        (tmp_path / "my-chart" / name).write_text(text, encoding="utf-8")
    return Path("my-chart")


@pytest.fixture(scope="session")
def assessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The findings of the small chart."""
    home = tmp_path_factory.mktemp("assessed")
    (home / "my-chart").mkdir()
    for name, text in small_chart().items():
        (home / "my-chart" / name).write_text(text, encoding="utf-8")
    run("assess", str(home / "my-chart"), "--out", str(home / "findings"))
    return home / "findings"


def options_of(command: click.Command) -> set[str]:
    """The options of a command, or of all commands of a group."""
    parts = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    options = [param for part in parts for param in part.params if isinstance(param, click.Option)]
    return {name for option in options for name in option.opts}


# ---- documents


def documented() -> dict[str, str]:
    """The section of every command in docs/reference/commands.md."""
    _, *sections = REFERENCE.read_text(encoding="utf-8").split("\n## ")
    return {re.match(r"`bence ([\w-]+)", section)[1]: section for section in sections}  # type: ignore[index]


def test_every_command_has_its_section_and_no_section_is_left_over() -> None:
    assert set(documented()) == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_is_in_the_section_of_its_command_and_no_other(name: str) -> None:
    section = documented()[name]
    usage, _, text = section.partition("\n")
    assert set(re.findall(r"(?<=[`\s])--?[a-z][a-z-]*", "\n".join(re.findall(r"^\*.*$", text, re.MULTILINE)))) == options_of(COMMANDS[name])
    arguments = [param.name.upper() for param in COMMANDS[name].params if isinstance(param, click.Argument) and param.name]
    assert re.findall(r"[A-Z]+", usage) == arguments


def printed_commands() -> list[tuple[str, str]]:
    """Every command that a page prints, in a block or between backticks."""
    found = []
    for page in PAGES:
        if "_generated" in page.parts or page == REFERENCE:
            continue
        text = page.read_text(encoding="utf-8")
        for line in re.findall(r"^\s*bence .*$", text, re.MULTILINE) + re.findall(r"`(bence [^`]*)`", text):
            found.append((page.name, line.strip().partition("#")[0].partition("（")[0].strip()))
    return found


@pytest.mark.parametrize(("page", "line"), printed_commands())
def test_every_command_that_a_page_prints_exists_with_its_options(page: str, line: str) -> None:
    _, name, *words = shlex.split(line)
    if name == "COMMAND":
        return
    command = COMMANDS[name]
    if isinstance(command, click.Group):
        command, *words = command.commands[words[0]], *words[1:]
    unknown = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)} - options_of(command)
    assert not unknown, f"{page}: {line}"
    parsed = [word for word in words if word]
    if not {"CHART", "DIR", "PATIENT", "…"} & set(parsed) and "--at" not in parsed:
        required = [param for param in command.params if isinstance(param, click.Argument) and param.required]
        context = click.Context(command, resilient_parsing=True)
        _, rest, _ = command.make_parser(context).parse_args(parsed)
        assert not rest
        assert len(required) <= 3


def test_the_example_of_the_start_page_says_what_the_page_says(chart: Path, assessed: Path) -> None:
    assert "every cell was accepted" in run("check", "my-chart").stdout
    status = pl.read_csv(assessed / "status.csv").row(0, named=True)
    response = pl.read_csv(assessed / "response.csv", infer_schema=False)
    assert (status["patient"], status["iss"], status["best_response"]) == ("P001", "III", "PR")
    assert response.select("on", "timepoint", "confirmed", "confirmed_on").rows() == [
        ("2025-02-03", "PR", "PR", "2025-03-03"),
        ("2025-03-03", "PR", "PR", "2025-03-03"),
    ]
    assert (assessed / "cohort.html").exists()


def test_the_steps_of_the_start_page_run_as_printed(chart: Path, assessed: Path) -> None:
    text = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    copytree(assessed, "old")
    copytree(assessed, "new")
    steps = [shlex.split(line)[1:] for line in re.findall(r"`(bence [^`]*)`", text) if "export.csv" not in line]
    assert {step[0] for step in steps} >= {"template", "codes", "assess", "why", "report", "diff"}
    for step in steps:
        run(*(["template", "empty"] if step[0] == "template" else step))
    for option in re.findall(r"`(--[a-z][^`]*)`", text):
        run("why", "my-chart", "P001", "r2_iss", *shlex.split(option))
    page = Path("p001.html").read_bytes()
    assert page.startswith(b"<!")
    run("report", "my-chart", "P001", "-o", "again.html", "--lang", "zh")
    assert Path("again.html").read_bytes() == page


def test_the_python_of_the_readme_runs(chart: Path) -> None:
    code = (ROOT / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    names: dict[str, object] = {}
    exec(code.replace('"folder"', '"my-chart"'), names)
    assert names["findings"].response.height == 2  # type: ignore[attr-defined]


# ---- what is written


def test_the_tables_have_the_columns_that_are_promised(assessed: Path) -> None:
    columns = {name: pl.read_csv(assessed / f"{name}.csv").columns for name in TABLES}
    assert columns["response"] == [
        "patient", "line", "on", "timepoint", "confirmed", "confirmed_on", "progression", "because", "missing", "flags",
    ]  # fmt: skip
    assert columns["rejected"] == ["file", "line", "column", "value", "reason", "expected", "nearest"]
    assert {"source", "line", "line_recorded", "boundary"} <= set(columns["treatments"])
    assert {
        "patient", "line", "started_on", "stopped_on", "drugs", "boundary", "best_response", "best_response_on", "progressed_on",
        "progression_state",
    } <= set(columns["lines"])  # fmt: skip
    stages = {
        "diagnosis", "iss", "r_iss", "r2_iss", "high_risk_2025", "smm_risk_mayo_2018", "smm_risk_imwg_2020", "smm_points_2020",
        "aquila_eligible", "frailty_imwg", "frailty_simplified",
    }  # fmt: skip
    assert {"patient", "at", "diagnosis_missing", "line", "best_response", "response"} <= set(columns["status"])
    assert stages | {f"{name}_possible" for name in stages} <= set(columns["status"])
    assert columns["completeness"] == ["patient", "finding", "possible", "missing"]


def test_unknown_is_an_empty_cell_and_dates_are_iso(assessed: Path) -> None:
    row = (assessed / "lines.csv").read_text(encoding="utf-8").splitlines()[1]
    assert row.startswith("P001,1,2025-01-06,,V,bortezomib,recorded,PR,2025-02-03,,,")


@pytest.mark.parametrize(("format", "reader"), [("parquet", pl.read_parquet), ("json", pl.read_json)])
def test_the_formats_say_the_same(chart: Path, assessed: Path, format: str, reader: Callable[[Path], pl.DataFrame]) -> None:
    copytree(assessed, "other")
    run("assess", "my-chart", "--out", "other", "--format", format)
    assert not list(Path("other").glob("*.csv"))  # of two formats, which would be right?
    for name in TABLES:
        told = pl.read_csv(assessed / f"{name}.csv", infer_schema=False)
        other = reader(Path("other") / f"{name}.{format}").cast(pl.String) if told.height else told
        assert other.select(told.columns).equals(told), name
    assert "no finding differs" in run("diff", str(assessed), "other").stdout


def test_the_manifest_names_all_that_decides(chart: Path) -> None:
    run("assess", "my-chart", "--out", "findings", "--policy", "nadir=pairwise", "--at", "2025-02-10")
    manifest = json.loads(Path("findings/manifest.json").read_text(encoding="utf-8"))
    assert manifest["at"] == "2025-02-10"
    assert manifest["profile"] == "imwg_2016"
    assert manifest["policies"]["nadir"] == "pairwise"
    assert set(manifest["inputs"]) == set(small_chart())
    assert manifest["rows"]["response"] == pl.read_csv("findings/response.csv").height == 1


def test_the_same_manifest_gives_the_same_bytes(chart: Path, assessed: Path) -> None:
    run("assess", "my-chart", "--out", "again")
    files = sorted(path.name for path in assessed.iterdir())
    assert {"manifest.json", "cohort.html"} <= set(files)
    for name in files:
        assert (assessed / name).read_bytes() == (Path("again") / name).read_bytes(), name


def test_a_mapping_file_is_an_input_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("export.csv").write_text("Patient number,采样日期,b2m (mg/L)\n7,2025-01-03,6.1\n", encoding="utf-8")
    Path("map.toml").write_text('[patient]\ncolumn = "Patient number"\n', encoding="utf-8")
    run("assess", "export.csv", "--mapping", "map.toml", "--out", "findings")
    assert set(json.loads(Path("findings/manifest.json").read_text())["inputs"]) == {"export.csv", "map.toml"}
    assert pl.read_csv("findings/status.csv")["iss"].to_list() == ["III"]


# ---- the commands


def test_what_was_known_on_a_day(chart: Path, assessed: Path) -> None:
    run("assess", "my-chart", "--out", "early", "--at", "2025-02-10")
    assert pl.read_csv("early/response.csv")["confirmed"].to_list() == ["SD"]
    told = run("diff", "early", str(assessed)).stdout
    assert re.search(r"response +P001 +1 +2025-02-03 +confirmed +SD +PR", told)
    assert "at: 2025-02-10 → 2025-03-03" in told
    assert "no line of therapy" in run("why", "my-chart", "P001", "response", "--at", "1990-01-01").stdout


def test_why_a_stage_and_why_a_response(chart: Path) -> None:
    stage = run("why", "my-chart", "P001", "iss").stdout
    assert "iss = III" in stage
    assert "b2m = 6.1 mg/L  [recorded 2025-01-03, observations.csv:3]" in stage
    assert "iss = II" in run("why", "my-chart", "P001", "iss", "--what-if", "iss.high=7").stdout
    assert "iss = I or II" in run("why", "my-chart", "P001", "iss", "--what-if", "b2m=3").stdout
    response = run("why", "my-chart", "P001", "response").stdout
    assert "2025-02-03  PR" in response
    assert "nadir before 38, baseline 38" in response
    assert "不是医疗器械" in run("assess", "my-chart", "--lang", "zh").stdout


def test_codes_by_word_grain_and_language() -> None:
    assert run("codes", "血红蛋白").stdout.split()[0] == "hemoglobin"
    assert "硼替佐米" in run("codes", "bortezomib", "--lang", "zh").stdout
    drugs = run("codes", "--grain", "drug").stdout.splitlines()
    assert len(drugs) > 50
    assert all("drug" in line for line in drugs)


def test_a_template_can_be_filled_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run("template", "mine")
    for name in ("patients", "observations", "treatments", "events"):
        heads = Path(f"mine/{name}.csv").read_text(encoding="utf-8").strip().split(",")
        assert set(heads) <= set(SCHEMA[name])
    assert "b2m" in Path("mine/codes.csv").read_text(encoding="utf-8-sig")
    with Path("mine/patients.csv").open("a") as file:
        file.write("P1" + "," * 8 + "\n")
    assert "1 patient" in run("check", "mine").stdout


def test_the_sheet_to_sign_lists_every_rule_and_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bence.assess.policies import POLICIES
    from bence.assess.toxicity.astct import BOOK

    monkeypatch.chdir(tmp_path)
    run("sign-off")
    run("sign-off", "--lang", "zh", "-o", "zh.md")
    for page in ("sign-off.md", "zh.md"):
        text = Path(page).read_text(encoding="utf-8")
        listed = set(re.findall(r"^\| (?:\*\*)?(\w+)", text, re.MULTILINE))
        assert not {*rules(), *BOOK.rules, *POLICIES} - listed
        assert {rule.source for rule in (*rules().values(), *BOOK.rules.values())} <= set(re.findall(r"\| ([\w-]+): ", text))
        assert {"ctcae-5", "polyclonal-igg", "kumar-2016"} <= set(re.findall(r"\| ([\w-]+): ", text))


def test_stage_and_risk_are_shown_of_active_myeloma_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("chart").mkdir()
    Path("chart/patients.csv").write_text("patient\nA\nB\nC\nD\n", encoding="utf-8")
    known = [f"{patient},2025-01-01,diagnosis,{text},," for patient, text in (("A", "MGUS_non_IgM"), ("B", "SMM"), ("C", "MM"))]
    known += [f"{patient},2025-01-01,b2m,,6.0,mg/L" for patient in "ABCD"]
    Path("chart/observations.csv").write_text("patient,on,what,text,value,unit\n" + "\n".join(known) + "\n", encoding="utf-8")
    rows = {line.split()[0]: line.split()[1:] for line in run("assess", "chart").stdout.splitlines()[2:6]}
    assert rows["A"] == ["MGUS_non_IgM", "–", "–", "–", "–"]
    assert rows["B"] == ["SMM", "–", "–", "–", "–"]
    assert rows["C"][:2] == ["MM", "III"]
    assert rows["D"][1] == "III", "what may be active is shown"


def test_how_many_lines_hang_on_each_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same drug again after four months is another line only where a shorter pause ends a line."""
    monkeypatch.chdir(tmp_path)
    Path("chart").mkdir()
    Path("chart/patients.csv").write_text("patient\n1\n2\n", encoding="utf-8")
    given = ["1,2024-01-01,2024-06-01,bortezomib", "1,2024-10-01,,bortezomib", "2,2024-01-01,,lenalidomide"]
    Path("chart/treatments.csv").write_text("patient,started_on,stopped_on,what\n" + "\n".join(given) + "\n", encoding="utf-8")
    printed = run("sensitivity", "chart", "-o", "lines.csv").stdout
    assert re.search(r"lines_gap +90 +240 +1 of 2 ", printed)
    assert re.search(r"lines_gap +365 +240 +0 of 2 ", printed)
    table = pl.read_csv("lines.csv", infer_schema=False)
    assert table.columns == ["policy", "value", "default", "patients_changed", "rows_changed", "patients"]
    assert table.filter(policy="lines_gap", value="90")["patients_changed"].to_list() == ["1"]
    compared = run("sensitivity", "chart", "--policy", "lines_gap=90", "--lang", "zh").stdout
    assert re.search(r"lines_gap +180 +90 +1/2", compared)


def test_the_demo_with_one_of_its_patients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import bence.demo

    monkeypatch.chdir(tmp_path)
    whole, told = bence.demo.demo_chart(), bence.demo.lessons("en")
    monkeypatch.setattr(bence.demo, "demo_chart", lambda: whole.only("D12"))
    monkeypatch.setattr(bence.demo, "write_virtual", lambda home, lang: None)  # a cohort of 80
    monkeypatch.setattr(bence.demo, "lessons", lambda lang: [lesson for lesson in told if lesson.patient == "D12"])
    printed = run("demo", "--out", "demo").stdout
    assert "synthetic" in printed
    assert {"index.html", "cohort.html", "D12.html", "status.csv", "chart"} <= {p.name for p in Path("demo").iterdir()}
    assert "r2_iss" in run("why", "demo/chart", "D12", "r2_iss").stdout


def test_the_demo_never_replaces_a_chart(chart: Path) -> None:
    Path("my-chart").rename("chart")
    before = Path("chart/observations.csv").read_bytes()
    run("demo", "--out", ".", exit=2)
    assert Path("chart/observations.csv").read_bytes() == before


# ---- hostile or unlucky input


HOSTILE = ["<script>alert(1)</script>", "=1+1", "../up", "张三", "a b;c"]


def test_a_key_is_a_text_whatever_stands_in_it(chart: Path) -> None:
    """Keys are written as they were read, also those a spreadsheet would take for a formula: a key that changes joins nothing."""
    for path in chart.iterdir():
        head, *rows = path.read_text(encoding="utf-8").splitlines()
        more = [row.replace("P001", name) for name in HOSTILE for row in rows]
        path.write_text("\n".join([head, *more]) + "\n", encoding="utf-8")
    run("assess", "my-chart", "--out", "findings")
    for table in ("status", "lines", "response"):
        assert set(pl.read_csv(f"findings/{table}.csv")["patient"]) == set(HOSTILE)
    assert "<script>alert" not in Path("findings/cohort.html").read_text(encoding="utf-8")


def test_a_page_is_written_into_the_folder_we_are_in_whatever_the_key(chart: Path) -> None:
    name = "../<script>alert(1)</script>"
    for path in chart.iterdir():
        path.write_text(path.read_text(encoding="utf-8").replace("P001", name), encoding="utf-8")
    before = set(Path("..").resolve().rglob("*.html"))
    printed = run("report", "my-chart", name).stdout
    written = set(Path("..").resolve().rglob("*.html")) - before
    assert [path.parent for path in written] == [Path.cwd()], printed
    assert "<script>alert" not in written.pop().read_text(encoding="utf-8")


def test_patients_taken_out_of_a_parquet_chart_are_missed(chart: Path) -> None:
    read(chart).write("whole", "parquet")
    pl.DataFrame({"patient": ["P002"]}).write_parquet("whole/patients.parquet")
    assert "5 cells were not accepted" in run("check", "whole", exit=1).stdout
    assert "5 cells were not accepted" in run("assess", "whole").stderr


def test_a_parquet_file_that_is_damaged_inside_is_told(chart: Path) -> None:
    read(chart).write("whole", "parquet")
    path = Path("whole/observations.parquet")
    data = bytearray(path.read_bytes())
    data[4:200] = b"\xff" * 196
    path.write_bytes(data)
    assert "damaged" in run("assess", "whole", exit=1).stderr


# ---- the program


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment})


def test_help_starts_without_anything_heavy() -> None:
    code = (
        "import sys; from bence.cli import bence; bence(['--help'], standalone_mode=False); "
        "print(sorted({'polars', 'numba', 'numpy', 'matplotlib', 'jinja2', 'rapidfuzz'} & set(sys.modules)), file=sys.stderr)"
    )
    done = python(code)
    assert done.stderr.strip() == "[]"
    assert all(name in done.stdout for name in COMMANDS)


def test_a_terminal_without_chinese_letters_is_no_fault() -> None:
    code = "import sys; from bence.cli import main; sys.argv = ['bence', 'codes', '--lang', 'zh', 'b2m']; main()"
    done = python(code, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("b2m")
