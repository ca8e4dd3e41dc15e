"""Entering, correcting and removing; what a row would change; conflicts; what if."""

import re

import pytest
from browsing import OWNER, axe

from bence.registry import Access
from bence.web.entering import search


@pytest.fixture
def home(handle):
    return f"/patients/{handle('D01')}"


@pytest.fixture
def store(app):
    return app.state.registry.store


def last(store, table="observations", patient="D01"):
    """The row that was entered last."""
    return store.patient(OWNER, patient).rows[table].sort("id").row(-1, named=True)


@pytest.mark.parametrize(
    ("word", "table", "code"),
    [
        ("血红", "observations", "hemoglobin"),
        ("17p", "observations", "del_17p"),
        ("万珂", "treatments", "bortezomib"),
        ("CRS", "events", "crs"),
    ],
)
def test_a_code_is_found_by_any_of_its_names(lead, home, word, table, code):
    assert code in [each.code for each in search(word, table)]
    assert f"{home}/enter/{table}/{code}" in lead.get(f"{home}/enter?table={table}&word={word}").text


def test_a_result_is_entered(lead, home, store):
    form = lead.get(f"{home}/enter/observations/hemoglobin").text
    assert "plausible: 15 to 250 g/L" in form
    answer = lead.submit(f"{home}/enter/observations/hemoglobin", on="2026-02-20", value="9.8", unit="g/dL")
    assert answer.url.path.endswith("/enter")
    assert "Entered." in answer.text
    row = last(store)
    assert (row["what"], row["value"], row["unit"], str(row["on"])) == ("hemoglobin", 98.0, "g/L", "2026-02-20")


@pytest.mark.parametrize(
    ("fields", "en", "zh"),
    [
        ({"on": "2026-02-20", "value": "900", "unit": "g/L"}, "not plausible", "超出合理范围；应为：15至250 g/L"),
        ({"on": "2026-02-20", "value": "abc", "unit": "g/L"}, "not a number", "不是数字"),
        ({"on": "1900-01-01", "value": "90", "unit": "g/L"}, "before birth", "早于出生日期"),
        ({"on": "", "value": "90", "unit": "g/L"}, "blank", "未填写"),
        ({"on": "2026-02-30", "value": "90", "unit": "g/L"}, "no such day", "不是有效日期"),
    ],
)
def test_what_is_impossible_is_refused_with_the_reason(lead, home, store, fields, en, zh):
    before = last(store)["id"]
    for lang, words in (("en", en), ("zh", zh)):
        lead.cookies.set("lang", lang)
        answer = lead.submit(f"{home}/enter/observations/hemoglobin", **fields)
        assert answer.status_code == 422
        assert words in answer.text
        assert not fields["value"] or f'value="{fields["value"]}"' in answer.text
    assert last(store)["id"] == before


def test_a_preview_shows_what_would_change_and_keeps_nothing(lead, home, store):
    before = last(store)
    answer = lead.submit(f"{home}/preview/observations", what="serum_m_protein", on="2026-03-01", value="30", unit="g/L")
    assert "Progression" in answer.text
    assert "Nothing is kept yet" in answer.text
    assert "not plausible" in lead.submit(f"{home}/preview/observations", what="hemoglobin", on="2026-03-01", value="900", unit="g/L").text
    assert last(store) == before


def test_what_a_preview_promises_comes_true(lead, home, app):
    lead.submit(f"{home}/enter/observations/serum_m_protein", on="2026-03-01", value="30", unit="g/L")
    assert "2026-03-01" in lead.get(home).text.split('<dl class="now">')[1].split("</dl>")[0]


def test_a_visit_is_entered_in_one_go_or_not_at_all(lead, home, store):
    before = store.patient(OWNER, "D01").rows["observations"].height
    answer = lead.submit(f"{home}/visit", on="2026-03-02", hemoglobin="99", serum_ife="negative", kappa_flc="<0.6", calcium="99")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert 'value="&lt;0.6"' in answer.text
    assert store.patient(OWNER, "D01").rows["observations"].height == before
    lead.submit(f"{home}/visit", on="2026-03-02", hemoglobin="99", serum_ife="negative", kappa_flc="<0.6", calcium="2.3")
    told = store.patient(OWNER, "D01").rows["observations"].iter_rows(named=True)
    rows = {row["what"]: row for row in told if str(row["on"]) == "2026-03-02"}
    assert {name: (row["comparator"], row["value"], row["text"]) for name, row in rows.items()} == {
        "hemoglobin": (None, 99.0, None), "serum_ife": (None, None, "negative"),
        "kappa_flc": ("<", 0.6, None), "calcium": (None, 2.3, None),
    }  # fmt: skip
    assert lead.submit(f"{home}/visit", on="2026-03-03").status_code == 422


def test_a_row_is_corrected_and_removed_with_a_reason_and_has_a_history(lead, home, store):
    lead.submit(f"{home}/enter/events/crs", on="2026-02-21", grade="2")
    row = last(store, "events")["id"]
    place = f"{home}/rows/events/{row}"
    assert lead.submit(place, version="1", on="2026-02-21", grade="3", what="crs", why="").status_code == 422
    lead.submit(place, version="1", on="2026-02-21", grade="3", what="crs", why="graded too low")
    assert last(store, "events")["grade"] == 3
    lead.submit(place, version="2", what="crs", remove="yes", why="not of this patient")
    assert row not in store.patient(OWNER, "D01").rows["events"]["id"]
    history = lead.get(f"{place}/history").text
    assert "graded too low" in history
    assert "not of this patient" in history


def test_a_conflict_shows_what_the_other_changed(lead, home, store):
    lead.submit(f"{home}/enter/events/crs", on="2026-02-21", grade="2")
    row = last(store, "events")["id"]
    store.edit(Access("physician", ["physician"], ["WH"]), "events", row, 1, {"grade": "4"}, "seen on the ward")
    answer = lead.submit(f"{home}/rows/events/{row}", version="1", on="2026-02-21", grade="3", what="crs", why="x")
    assert answer.status_code == 409
    for words in ("physician", "seen on the ward", "2 → <b>4</b>"):
        assert words in answer.text
    assert last(store, "events")["grade"] == 4


def test_a_row_of_nobody_is_not_there(lead, home):
    assert lead.get(f"{home}/rows/observations/999999").status_code == 404
    assert lead.submit(f"{home}/rows/observations/999999", version="1", why="x").status_code == 404
    assert lead.submit(f"{home}/rows/observations/1", version="one", why="x").status_code == 422
    assert lead.get(f"{home}/enter/observations/nothing").status_code == 422
    assert lead.get(f"{home}/enter/nowhere/hemoglobin").status_code == 422


def test_a_new_patient(lead, store):
    answer = lead.submit("/patients/new", patient="N1", centre="WH", sex="female", born_on="1961", light_chain="kappa")
    assert answer.url.path.endswith("/enter")
    assert store.patient(OWNER, "N1").chart.patients["born_on"].to_list() == ["1961"]
    assert lead.submit("/patients/new", patient="N1", centre="WH").status_code == 422
    assert lead.submit("/patients/new", patient=" ", centre="WH").status_code == 422
    assert lead.submit("/patients/new", patient="N2", centre="YC").status_code == 404
    assert lead.get(answer.url.path.removesuffix("/enter")).status_code == 200


def test_patient_data_are_corrected(lead, home, store):
    number = store.patient(OWNER, "D01").rows["patients"].row(0, named=True)
    form = lead.get(f"{home}/rows/patients/{number['id']}").text
    version = re.search(r'name="version" value="(\d+)"', form)[1]
    lead.submit(f"{home}/rows/patients/{number['id']}", version=version, sex=number["sex"], born_on="1950", why="from the record")
    assert store.patient(OWNER, "D01").chart.patients["born_on"].to_list() == ["1950"]


def test_what_if_changes_findings_and_keeps_nothing(lead, home, store):
    before = {table: rows.height for table, rows in store.patient(OWNER, "D01").rows.items()}
    (on,) = store.patient(OWNER, "D01").chart.observations.filter(what="del_17p")["on"]
    text = lead.get(f"{home}/what-if?what=del_17p&text=positive&on={on}").text
    assert "Nothing is saved" in text
    assert "High risk, IMS/IMWG 2025" in text or "mSMART" in text
    assert {table: rows.height for table, rows in store.patient(OWNER, "D01").rows.items()} == before
    assert lead.get(f"{home}/what-if?what=hemoglobin&value=900&unit=g/L&on=2023-02-06").status_code == 422
    assert "None." in lead.get(f"{home}/what-if?what=phosphate&value=1&unit=mmol/L&on=2026-02-06").text


def test_in_a_browser(tab, home):
    tab.goto(f"{home}/enter")
    tab.fill("#word", "免疫固定")
    tab.wait_for_selector("#codes a")
    assert axe(tab) == []
    tab.goto(f"{home}/enter/observations/serum_m_protein")
    tab.fill("#f-on", "2026-03-01")
    tab.fill("#f-value", "30")
    tab.wait_for_selector("#preview table")
    assert axe(tab) == []
    tab.click("main form button")
    tab.wait_for_selector(".done")
    tab.click("tbody tr:first-child a")
    tab.wait_for_selector("button[name=remove]")
    assert axe(tab) == []
    tab.fill("#why", "test")
    tab.click("button[name=remove]")
    tab.wait_for_selector(".done")
    for path in (f"{home}/visit", "/patients/new", f"{home}/what-if?what=del_17p&text=positive&on=2023-02-06"):
        tab.goto(path)
        assert axe(tab) == [], path
        tab.set_viewport_size({"width": 390, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390, path
        tab.set_viewport_size({"width": 1280, "height": 800})
