"""The worked cases of toxicity.md, and toxicity where a table would not show it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from case_tables import case_tables, each_of, policy_of

from bence.assess.policies import settle
from bence.assess.sources import sources
from bence.assess.toxicity import COLUMNS, explain_toxicity, infection_rates, toxicity_table
from bence.assess.toxicity.astct import BOOK, UNLESS_RECORDED
from bence.assess.toxicity.ctcae import terms
from bence.assess.toxicity.words import kind_label
from bence.catalogue import codes
from bence.chart import SCHEMA, Chart

TABLES = case_tables(Path(__file__).with_name("toxicity.md"))
START = date(2025, 1, 10)
OXYGEN = {"none": "none", "low": "low_flow", "high": "high_flow", "pp": "positive_pressure"}


def seen(day: int, what: str, value: float | None = None, text: str | None = None, **more: Any) -> dict[str, Any]:
    return {"patient": "A", "on": START + timedelta(days=day), "what": what, "value": value, "text": text, **more}


def given(day: int, what: str, **more: Any) -> dict[str, Any]:
    return {"patient": "A", "started_on": START + timedelta(days=day), "what": what, **more}


def happened(day: int, what: str, until: int | None = None, **more: Any) -> dict[str, Any]:
    last = None if until is None else START + timedelta(days=until)
    return {"patient": "A", "on": START + timedelta(days=day), "until": last, "what": what, **more}


def chart(
    observations: list[dict[str, Any]], treatments: list[dict[str, Any]], events: list[dict[str, Any]] | None = None, **people: Any
) -> Chart:
    def frame(rows: list[dict[str, Any]], table: str) -> pl.DataFrame | None:
        return pl.DataFrame(rows, schema_overrides=SCHEMA[table]) if rows else None

    return Chart(
        pl.DataFrame({"patient": ["A"], **people}), frame(observations, "observations"), frame(treatments, "treatments"),
        frame(events or [], "events"),
    )  # fmt: skip


def rows_of(kind: str, chart: Chart, text: str = "") -> list[dict[str, Any]]:
    table = toxicity_table(chart, settle(policy_of(text)), None)
    assert table.columns == list(COLUMNS)
    return table.filter(pl.col("kind") == kind).to_dicts()


def grade(row: dict[str, Any]) -> str:
    return str(row["worst_grade"]) if row["worst_grade"] is not None else (row["worst_grade_possible"] or "").replace("|", " or ")


def known(case: dict[str, str], names: dict[str, str]) -> dict[str, Any]:
    """The signs of a case as a rule wants them; what holds unless recorded is filled in."""
    found: dict[str, Any] = {}
    for head, name in names.items():
        if case[head]:
            code = codes().get(name)
            sets = code.sets if code else {}
            found[name] = float(case[head]) if code and code.kind == "number" else list(sets.get(case[head], (case[head],)))
    return found


def answers(rule: str, signs: dict[str, Any]) -> str:
    leaves = set(BOOK.leaves(rule))
    whole = {name: word for name, word in UNLESS_RECORDED.items() if name in leaves} | signs
    return " or ".join(map(str, sorted(BOOK.rules[rule].possible(whole))))  # type: ignore[type-var]


@each_of(TABLES["CRS of a day"])
def test_crs_of_a_day(case: dict[str, str]) -> None:
    names = {name: name for name in ("temperature", "hypotension", "vasopressor", "vasopressin", "oxygen")} | {"treated": "crs_treated"}
    signs = known(case, names)
    if case["other cause"]:
        signs[f"{case['other cause']}_other_cause"] = "yes"
    assert answers("crs_grade", signs) == case["→ grade"]


@each_of(TABLES["ICANS of a day"])
def test_icans_of_a_day(case: dict[str, str]) -> None:
    names = {
        "ice": "ice_score", "consciousness": "consciousness", "seizure": "seizure", "motor": "motor_deficit",
        "oedema": "cerebral_oedema", "other cause": "neurological_other_cause",
    }  # fmt: skip
    assert answers("icans_grade", known(case, names)) == case["→ grade"]


@each_of(TABLES["Keratopathy (KVA) of an examination"])
def test_keratopathy_of_an_examination(case: dict[str, str]) -> None:
    names = {
        "cornea": "keratopathy_grade", "lines lost": "visual_acuity_lines_lost", "worse than 20/200": "visual_acuity_worse_20_200",
    }  # fmt: skip
    assert answers("keratopathy_kva", known(case, names)) == case["→ grade"]


def signs_of(text: str) -> list[dict[str, Any]]:
    rows = []
    for part in filter(None, map(str.strip, text.split(";"))):
        day, temperature, pressure, drugs, oxygen = part.split()
        for what, said in (("temperature", temperature), ("vasopressor", drugs)):
            rows += [seen(int(day), what, float(said))] if said != "-" else []
        rows += [seen(int(day), "hypotension", text={"ok": "no", "low": "yes"}[pressure])] if pressure != "-" else []
        rows += [seen(int(day), "oxygen", text=OXYGEN[oxygen])] if oxygen != "-" else []
    return rows


@each_of(TABLES["CRS episodes"])
def test_crs_episodes(case: dict[str, str]) -> None:
    treatments = [given(0, "cilta_cel")]
    treatments += [given(int(part.split()[0]), part.split()[1]) for part in filter(None, case["given"].split(";"))]
    events = []
    for part in filter(None, case["recorded"].split(";")):
        first, last, what, said = part.split()
        level = int(said) if said.isdigit() else None
        events.append(happened(int(first), what, int(last), grade=level, text="none" if said == "none" else None))
    found = rows_of("crs", chart(signs_of(case["signs"]), treatments, events), case["policy"])
    span = [f"{(row['started_on'] - START).days}-{(row['ended_on'] - START).days}" for row in found]
    told = [[grade(row) for row in found], span, [row["course"] or "" for row in found], [row["flags"] or "" for row in found]]
    wanted = [[part.strip() for part in case[f"→ {name}"].split(";")] for name in ("grade", "days", "course")]
    assert [column or [""] for column in told[:3]] == wanted
    assert case["→ flags"] in "|".join(told[3]).split("|")


def counts_of(text: str) -> list[dict[str, Any]]:
    rows = []
    for part in filter(None, map(str.strip, text.split(";"))):
        days, value = part.split()
        first, _, last = days.partition("..")
        rows += [seen(day, "neutrophils", float(value)) for day in range(int(first), int(last or first) + 1)]
    return rows


@pytest.mark.parametrize("kind", ["Early", "Late"])
def test_icaht(kind: str) -> None:
    for case in TABLES[f"{kind} ICAHT"]:
        found = rows_of(f"icaht_{kind.lower()}", chart(counts_of(case["counts"]), [given(0, "ide_cel")]))
        assert (grade(found[0]) if found else "") == case["→ grade"], f"{case['line']} {case['case']}"
        assert all("from_memory" in row["flags"] for row in found), "written from memory: every row says so"


@each_of(TABLES["Laboratory grades (CTCAE v5.0)"])
def test_laboratory_grades(case: dict[str, str]) -> None:
    number = re.fullmatch(r"([<>]?)([\d.]+)", case["value"])
    assert number
    rows = [seen(20, case["code"], float(number[2]), comparator=number[1] or None)]
    kind = f"ctcae:{case['code']}:{case['direction']}"
    (term,) = [term for term in terms() if term.name == kind]
    if case["limit"]:
        rows.append(seen(0, term.limit, float(case["limit"])))
    if case["baseline"]:
        rows.append(seen(0, case["code"], float(case["baseline"])))
    found = rows_of(kind, chart(rows, [given(0, "bortezomib")]), case["policy"])
    assert (grade(found[0]) if found else "") == case["→ grade"]


@each_of(TABLES["Polyclonal IgG"])
def test_polyclonal_igg(case: dict[str, str]) -> None:
    rows = [seen(20, "igg", float(case["IgG"]))]
    if case["M-protein"]:
        rows.append(seen(20, "serum_m_protein", float(case["M-protein"])))
    treatments = [given(0, "teclistamab")] + ([given(5, "immunoglobulin")] if case["immunoglobulin"] else [])
    found = rows_of("hypogammaglobulinaemia", chart(rows, treatments, heavy_chain=[case["heavy chain"] or None]))
    assert ("yes" if found else "no") == case["→ row"]
    assert [row["flags"] or "" for row in found] == ([case["→ flags"]] if found else [])
    assert all(row["worst_grade"] is None and row["worst_grade_possible"] is None for row in found), "CTCAE has no grade for it"


def test_product_doses_and_treatment() -> None:
    steps = [given(0, "teclistamab", phase="step_up"), given(3, "teclistamab", phase="step_up"), given(6, "teclistamab")]
    signs = signs_of("4 38.6 low 0 none; 5 36.8 ok 0 none")
    (row,) = rows_of("crs", chart(signs, [*steps, given(4, "tocilizumab"), given(4, "dexamethasone"), given(20, "anakinra")]))
    assert (row["after"], row["days_after_last"], row["days_after_first"]) == ("teclistamab", 1, 4)
    assert row["treated_with"] == "dexamethasone|tocilizumab"
    assert (row["worst_on"], row["days"]) == (START + timedelta(days=4), 1)
    again = [given(0, "talquetamab"), given(60, "talquetamab")]
    (row,) = rows_of("crs", chart(signs_of("61 38.6 ok 0 none"), again))
    assert (row["days_after_last"], row["days_after_first"]) == (1, 1), "after a pause the next dose is a first dose again"
    assert rows_of("crs", chart(signs_of("61 38.6 ok 0 none"), [given(day, "talquetamab") for day in range(0, 61, 7)])) == []
    assert rows_of("crs", chart(signs_of("1 38.6 ok 0 none"), [given(0, "bortezomib")])) == [], "no T-cell-engaging product"


def test_systolic_pressure_stands_in_for_a_judgement_nobody_wrote() -> None:
    def crs(systolic: float) -> str:
        rows = [*signs_of("1 38.6 - 0 none"), seen(1, "systolic", systolic), seen(1, "systolic", 130.0)]
        (row,) = rows_of("crs", chart(rows, [given(0, "cilta_cel")]))
        return grade(row)

    assert [crs(89), crs(90)] == ["2", "1"]


def test_the_worst_of_a_day_counts() -> None:
    rows = [*signs_of("1 37.0 ok 0 none; 1 38.9 ok 1 none"), *(seen(1, "ice_score", value) for value in (10.0, 4.0))]
    rows += [seen(1, "consciousness", text=word) for word in ("awake", "voice")]
    rows += [seen(1, "seizure", text="none"), seen(1, "motor_deficit", text="no"), seen(1, "cerebral_oedema", text="none")]
    own = chart(rows, [given(0, "cilta_cel")])
    assert [grade(row) for kind in ("crs", "icans") for row in rows_of(kind, own)] == ["3", "2"]


def test_icans_where_nobody_mentioned_the_rare_signs() -> None:
    own = chart([seen(3, "ice_score", 8.0)], [given(0, "cilta_cel")])
    (row,) = rows_of("icans", own)
    assert grade(row) == "1 or 2 or 3 or 4"
    assert set(row["missing"].split("|")) == {"consciousness", "seizure", "motor_deficit", "cerebral_oedema"}
    assert [grade(row) for row in rows_of("icans", own, "icans_unmentioned=absent")] == ["1"]
    none = chart([seen(3, "ice_score", 0.0)], [given(0, "cilta_cel")])
    assert [grade(row) for row in rows_of("icans", none, "icans_unmentioned=absent")] == ["3 or 4"], "awake or not decides"


def test_death_in_an_episode_may_be_grade_5() -> None:
    signs, cells = signs_of("1 39 low 2 none"), [given(0, "cilta_cel")]
    died = {"died_on": [START + timedelta(days=2)]}
    (row,) = rows_of("crs", chart(signs, cells, **died))
    assert (grade(row), row["missing"], row["flags"]) == ("4 or 5", "death_cause", "died_in_episode")
    assert [grade(row) for row in rows_of("crs", chart(signs, cells, **died, death_cause=["sepsis"]))] == ["4"]
    assert [grade(row) for row in rows_of("crs", chart(signs, cells, **died, death_cause=["CRS"]))] == ["5"]


def test_iec_hs_is_never_diagnosed_by_the_laboratory() -> None:
    rows = [seen(12, "ferritin", 9000.0), seen(12, "alt", 400.0)]
    (row,) = rows_of("iec_hs", chart(rows, [given(0, "cilta_cel")]))
    assert (row["worst_grade"], row["worst_grade_possible"], row["missing"]) == (None, "0|1|2|3|4", "judgement")
    assert set(row["flags"].split("|")) == {"laboratory_criteria_only", "from_memory"}
    (row,) = rows_of("iec_hs", chart(rows, [given(0, "cilta_cel"), given(12, "anakinra")]))
    assert row["worst_grade_possible"] == "0|2|3|4"
    (row,) = rows_of("iec_hs", chart(rows, [given(0, "cilta_cel")], [happened(12, "iec_hs", grade=3)]))
    assert (row["worst_grade"], row["because"].split("|")[0]) == (3, "recorded")
    in_crs = [*rows, *signs_of("12 39 ok 0 none")]
    assert rows_of("iec_hs", chart(in_crs, [given(0, "cilta_cel")])) == [], "CRS explains them"
    assert rows_of("iec_hs", chart(rows[:1], [given(0, "cilta_cel")])) == []
    assert rows_of("iec_hs", chart([seen(12, "ferritin", 800.0), rows[1]], [given(0, "cilta_cel")])) == []


def test_laboratory_grades_of_a_course() -> None:
    values = ((0, 150.0), (7, 90.0), (14, 40.0), (21, 120.0), (28, 60.0))
    own = chart([seen(day, "platelets", value) for day, value in values], [given(0, "bortezomib")])
    (row,) = rows_of("ctcae:platelets:low", own)
    assert (row["worst_grade"], row["worst_on"], row["course"]) == (3, START + timedelta(days=14), "7:1 14:3 28:2")
    assert (row["days"], set(row["flags"].split("|"))) == (9, {"ongoing", "episodes:2"})
    lines = pl.DataFrame({"patient": ["A", "A"], "line": [1, 2], "started_on": [START, START + timedelta(days=14)]})
    table = toxicity_table(own, settle({}), None, lines=lines).filter(pl.col("kind") == "ctcae:platelets:low")
    assert table.select("line", "worst_grade", "flags").rows() == [(1, 3, "ongoing"), (2, 2, "baseline_grade:3|ongoing")]


def test_calcium_is_corrected_for_albumin() -> None:
    def calcium(*rows: dict[str, Any], policy: str = "") -> list[str]:
        own = chart([seen(20, "calcium", 1.95), seen(0, "calcium_lower_limit", 2.1), *rows], [given(0, "bortezomib")])
        return [grade(row) for row in rows_of("ctcae:corrected_calcium:low", own, policy)]

    assert calcium(seen(20, "albumin", 40.0)) == ["2"]
    assert calcium(seen(20, "albumin", 30.0)) == []
    assert calcium(seen(14, "albumin", 30.0)) == [], "carried for seven days"
    assert calcium() == [], "without albumin it may be normal"
    assert calcium(policy="calcium=total") == ["2"]
    assert calcium(seen(20, "albumin", 40.0), seen(20, "corrected_calcium", 2.3)) == [], "the laboratory's own correction stands"


def test_talquetamab_and_late_events() -> None:
    events = [
        happened(30, "dysgeusia", grade=3), happened(40, "nail_toxicity", grade=1), happened(200, "rash", grade=2),
        happened(60, "parkinsonism", grade=3), happened(10, "enterocolitis"),
    ]  # fmt: skip
    weights = [seen(0, "weight", 80.0), seen(30, "weight", 76.0), seen(60, "weight", 70.0), seen(80, "weight", 64.0)]
    own = chart(weights, [given(0, "talquetamab"), given(28, "talquetamab"), given(0, "cilta_cel")], events)
    table = {row["kind"]: row for row in toxicity_table(own, settle({}), None).to_dicts()}
    assert (table["dysgeusia"]["worst_grade"], table["dysgeusia"]["flags"]) == (2, "no_such_grade")
    assert table["dysgeusia"]["after"] == table["nail_toxicity"]["after"] == "talquetamab"
    assert table["rash"]["after"] is None, "long after the last dose"
    assert [table["parkinsonism"][name] for name in ("after", "days_after_last", "flags")] == ["cilta_cel", 60, "late"]
    assert (table["enterocolitis"]["worst_grade_possible"], table["enterocolitis"]["flags"]) == ("1|2|3|4|5", None)
    assert (table["weight_loss"]["worst_grade"], table["weight_loss"]["course"]) == (3, "30:1 60:2 80:3")


def test_infections_and_their_rate() -> None:
    people = {"last_seen_on": [START + timedelta(days=365)]}
    events = [
        happened(10, "infection", grade=3, text="pneumonia"), happened(40, "infection", grade=1), happened(90, "herpes_zoster"),
        happened(91, "febrile_neutropenia"), happened(-5, "infection", grade=4), happened(95, "infection", text="none"),
    ]  # fmt: skip
    own = chart([], [given(0, "teclistamab")], events, **people)
    found = rows_of("infection", own)
    assert [grade(row) for row in found] == ["4", "3", "1", "1 or 2 or 3 or 4 or 5", "3 or 4 or 5"]
    assert [row["after"] for row in found] == [None, *["teclistamab"] * 4]
    rates = {row["grade"]: row for row in infection_rates(own).to_dicts()}
    months = 366 / 30.4375
    assert {name: row["events"] for name, row in rates.items()} == {"1": 1, "2": 0, "3": 1, "4": 0, "5": 0, "unknown": 2, "3+": 2, "any": 4}
    assert rates["3+"]["events_at_most"] == 3
    assert rates["any"]["patient_months"] == pytest.approx(months)
    assert rates["any"]["per_100_months"] == pytest.approx(400 / months)
    assert (rates["any"]["low"] * months / 100, rates["any"]["high"] * months / 100) == pytest.approx((1.0899, 10.2416), abs=1e-3)
    assert infection_rates(own, product="talquetamab")["at_risk"].to_list() == [0] * 8
    assert infection_rates(own, START + timedelta(days=20)).filter(pl.col("grade") == "any")["events"].to_list() == [1]


def test_one_event_a_day() -> None:
    def recorded(*events: dict[str, Any]) -> list[tuple[str, str | None]]:
        found = rows_of("icans", chart([], [given(0, "cilta_cel")], list(events)))
        return [(grade(row), row["flags"]) for row in found]

    first, worse = happened(3, "icans", grade=1), happened(3, "icans", grade=3)
    assert recorded(first, worse) == recorded(worse, first) == [("3", "conflict")]
    later = happened(3, "icans", grade=1, recorded_on=START + timedelta(days=9))
    assert recorded(later, worse) == [("1", None)], "what was recorded last stands"
    assert recorded(happened(3, "icans", text="none"), worse) == [("3", "conflict")]
    assert recorded(happened(3, "icans", grade=0)) == []


def test_why() -> None:
    rows = [*signs_of("1 38.4 ok 0 none; 2 39.1 low 1 -"), seen(5, "sodium", 127.0), seen(9, "neutrophils", 0.3)]
    table = toxicity_table(chart(rows, [given(0, "cilta_cel"), given(2, "tocilizumab")]), settle({}), None)
    english = "\n".join(explain_toxicity(row) for row in table.to_dicts())
    for part in (
        "cytokine release syndrome", "grade 3/4 possible", "temperature 39.1", "tocilizumab", "missing: oxygen support",
        "day 1 from its last dose", "hyponatraemia (CTCAE)", "missing: symptoms", "written from memory", sources()["lee-2019"]["doi"],
    ):  # fmt: skip
        assert part in english
    chinese = "\n".join(explain_toxicity(row, "zh") for row in table.to_dicts())
    for part in ("细胞因子释放综合征", "可能为3/4级", "托珠单抗", "缺少：氧疗方式", "尚待与原文核对"):
        assert part in chinese


def test_every_kind_flag_and_reason_is_told_in_both_languages() -> None:
    from bence.assess.toxicity import EVENTS, words

    kinds = [*EVENTS, *words.KINDS, *(term.name for term in terms())]
    assert [kind for kind in kinds if kind_label(kind, "zh") == kind] == []
    code = "".join(path.read_text(encoding="utf-8") for path in Path(words.__file__).parent.glob("*.py") if path.name != "words.py")
    for table in (words.FLAGS, words.REASONS, words.MISSING):
        for name in table:
            assert name in code, f"no rule says {name}"


def test_every_rule_has_a_source_and_a_chinese_label() -> None:
    for name, rule in BOOK.rules.items():
        assert rule.source in sources(), name
        assert rule.zh, name


def test_a_chart_without_toxicity() -> None:
    assert toxicity_table(chart([], []), settle({}), None).is_empty()
    assert toxicity_table(Chart(pl.DataFrame({"patient": []}, schema={"patient": pl.String})), settle({}), None).is_empty()
