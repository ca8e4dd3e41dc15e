"""Importing: how headings are read, what would change, rejected cells, another mapping, the import itself, and taking it back."""

import time
import tomllib

import pytest
from browsing import EXPORT, OWNER, Browser, axe

from bence.catalogue import label

TABLE = "patient,on,what,value,unit\nD01,2026-06-01,hemoglobin,{},g/L\n"


def bring(browser, files, why="export of May", **fields):
    answer = browser.post("/import", data={"csrf": browser.csrf, "why": why, **fields}, files=[("files", each) for each in files])
    return settled(browser, answer)


def settled(browser, answer):
    for _ in range(100):
        if "/progress" not in answer.text:
            return answer
        time.sleep(0.1)
        answer = browser.get(answer.url.path)
    raise AssertionError("the import was not read in time")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_chinese_export_is_read_and_the_preview_keeps_nothing(lead, app, encoding):
    before = app.state.registry.store.listed(OWNER).height
    shown = bring(lead, [("检验.csv", EXPORT.encode(encoding))])
    assert shown.url.path.startswith("/import/")
    for word in ("N01", label("hemoglobin"), "怪项目", "一百", "检验.csv"):
        assert word in shown.text
    assert "N01" not in str(shown.url)
    assert app.state.registry.store.listed(OWNER).height == before


def test_a_rejected_cell_says_where_what_and_why(lead):
    shown = bring(lead, [("lab.csv", EXPORT.encode())])
    row = next(row for row in shown.text.split("<tr>") if "一百" in row and "lab.csv" in row)
    assert ">3<" in row
    assert "not a number" in row
    lead.cookies.set("lang", "zh")
    chinese = lead.get(shown.url.path).text
    assert "不是数字" in chinese
    assert "未知表头，其下2个单元格未读取" in chinese
    assert "not a number" not in chinese
    table = lead.get(shown.url.path + "/rejected.csv").text
    assert "一百" in table
    assert "lab.csv,3," in table


def test_a_heading_is_mapped_to_a_code_and_the_mapping_is_used_and_can_be_taken_along(lead, app):
    shown = bring(lead, [("lab.csv", EXPORT.encode())])
    field = shown.text.split('aria-label="Code of 怪项目"')[0].rsplit('name="what_', 1)[1].split('"')[0]
    again = settled(lead, lead.submit(shown.url.path, **{f"what_{field}": "calcium", f"unit_{field}": "furlongs"}))
    assert again.status_code == 422
    assert "not measured in" in again.text
    again = settled(lead, lead.submit(shown.url.path, **{f"what_{field}": "ldh", f"unit_{field}": "U/L"}))
    assert label("ldh") in again.text
    mapping = lead.get(shown.url.path + "/mapping.toml").text
    assert tomllib.loads(mapping)["columns"]["怪项目"] == {"what": "ldh", "unit": "U/L"}
    done = settled(lead, lead.submit(shown.url.path, bring_in="yes"))
    assert 'class="done"' in done.text
    chart = app.state.registry.store.patient(OWNER, "N01").chart
    assert chart.observations.filter(what="ldh")["value"].sort().to_list() == [7.1, 7.5]
    assert chart.observations.filter(what="hemoglobin")["value"].to_list() == [98.0]


def test_a_mapping_file_comes_along_with_the_files(lead):
    mapping = '[columns."怪项目"]\nwhat = "ldh"\nunit = "U/L"\n'
    shown = bring(lead, [("lab.csv", EXPORT.encode()), ("mapping.toml", mapping.encode())])
    assert "unknown heading" not in shown.text


def test_new_changed_and_same_rows_with_the_difference_and_undo(lead, app):
    store = app.state.registry.store
    people = ("patients.csv", b"patient,centre\nD01,WH\n")
    first = bring(lead, [people, ("observations.csv", TABLE.format(101).encode())])
    assert "value: 101" not in first.text
    assert label("hemoglobin") in first.text
    settled(lead, lead.submit(first.url.path, bring_in="yes"))
    second = bring(lead, [people, ("observations.csv", TABLE.format(88).encode())])
    assert "value: 101.0 → 88.0" in second.text
    done = settled(lead, lead.submit(second.url.path, bring_in="yes"))
    number = done.text.split('name="change" value="')[1].split('"')[0]
    of = lambda: store.patient(OWNER, "D01").chart.observations.filter(what="hemoglobin").sort("on")["value"].to_list()[-1]  # noqa: E731
    assert of() == 88.0
    assert lead.submit("/import/undo", change=number, why="  ").status_code == 422
    assert of() == 88.0
    assert "taken back by owner" in lead.submit("/import/undo", change=number, why="the wrong ward").text
    assert of() == 101.0
    third = bring(lead, [people, ("observations.csv", TABLE.format(101).encode())])
    assert store.imports(OWNER)["undone_by"].to_list()[0] == "owner"
    assert store.imports(OWNER).height == 3
    assert third.text.count("<dt>new</dt><dd>0</dd>") == 1


def test_a_table_from_the_clipboard(lead, app):
    pasted = "日期\t血红蛋白(g/L)\n2026-05-01\t93\n"
    shown = settled(lead, lead.submit("/import", pasted=pasted, key="D02", why="from the laboratory page"))
    settled(lead, lead.submit(shown.url.path, bring_in="yes"))
    rows = app.state.registry.store.patient(OWNER, "D02").chart.observations.filter(what="hemoglobin")
    assert 93.0 in rows["value"].to_list()


def test_files_are_for_the_session_that_brought_them_and_go_when_they_are_no_longer_needed(lead, app):
    shown = bring(lead, [("lab.csv", EXPORT.encode())])
    (folder,) = [each.files for each in app.state.waiting._all.values()]
    assert folder.exists()
    other = Browser(app)
    other.sign_in("centre_lead")
    same = Browser(app)
    same.sign_in("owner")
    for browser in (other, same):
        for rest in ("", "/progress", "/mapping.toml", "/rejected.csv"):
            assert browser.get(shown.url.path + rest).status_code == 404
        assert browser.submit(shown.url.path, bring_in="yes").status_code == 404
    lead.submit(shown.url.path, drop="yes")
    assert not folder.exists()
    assert lead.get(shown.url.path).status_code == 404


def test_files_that_nobody_looks_at_are_deleted(lead, app, monkeypatch):
    bring(lead, [("lab.csv", EXPORT.encode())])
    (folder,) = [each.files for each in app.state.waiting._all.values()]
    monkeypatch.setattr("bence.web.incoming.PATIENCE", -1)
    app.state.waiting._sweep()
    assert not folder.exists()


def test_files_are_deleted_after_the_import(lead, app):
    shown = bring(lead, [("lab.csv", EXPORT.encode())])
    (one,) = app.state.waiting._all.values()
    settled(lead, lead.submit(shown.url.path, bring_in="yes"))
    assert not one.files.exists()
    assert one.chart is None
    assert lead.submit(shown.url.path, bring_in="yes").status_code == 422


@pytest.mark.parametrize(
    ("name", "content"), [("x.csv", b"\x00\xff\x01"), ("x.xlsx", b"no zip"), ("x.csv", b"a,b\n1,2\n"), ("x.json", b"{")]
)
def test_what_cannot_be_read_is_told_and_nothing_breaks(lead, name, content):
    shown = bring(lead, [(name, content)])
    assert shown.status_code == 200
    assert 'class="refused"' in shown.text or "Rejected" in shown.text
    assert "wrong on the server" not in shown.text


def test_a_sheet_without_a_key_asks_for_its_column(lead):
    shown = bring(lead, [("x.csv", b"ward,sampled on,Hb (g/L)\nN09,2026-01-01,90\n")])
    assert '<select id="patient"' in shown.text
    again = settled(lead, lead.submit(shown.url.path, patient="ward"))
    assert "N09" in again.text


def test_who_may_not_import_sees_nothing(app):
    for role in ("physician", "analyst", "administrator"):
        browser = Browser(app)
        browser.sign_in(role)
        assert browser.get("/import").status_code == 404
        assert browser.submit("/import", pasted="a,b", why="x").status_code == 404


def test_imports_of_other_centres_are_not_listed(app, lead):
    store = app.state.registry.store
    store.set_user(OWNER, "far", ["centre_lead"], ["YC"])
    assert store.imports(store.access("far")).height == 0
    assert store.imports(OWNER).height == 1


def test_in_a_browser(tab, tmp_path):
    path = tmp_path / "检验导出.csv"
    path.write_text(EXPORT, "gb18030")
    tab.click('nav a[href="/import"]')
    assert axe(tab) == []
    tab.set_input_files("#files", str(path))
    tab.fill("#why", "test")
    tab.click("main form button")
    tab.wait_for_selector('button[name="bring_in"]')
    assert axe(tab) == []
    tab.fill('[aria-label^="怪项目的代码"]', "ldh")
    tab.fill('[aria-label="怪项目的单位"]', "U/L")
    tab.click("main form:last-of-type button:last-of-type")
    tab.wait_for_selector('a[href$="mapping.toml"]')
    tab.click('button[name="bring_in"]')
    tab.wait_for_selector(".done")
    assert axe(tab) == []
    tab.set_viewport_size({"width": 390, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.fill("#why", "only a test")
    tab.click('form[action="/import/undo"] button')
    tab.wait_for_selector("table")
    assert axe(tab) == []


def test_rejected_cells_are_there_after_the_import(lead, app):
    shown = bring(lead, [("lab.csv", EXPORT.encode())])
    address = shown.url.path
    settled(lead, lead.submit(address, bring_in="yes"))
    number = app.state.registry.store.imports(OWNER)["id"][0]
    lead.submit(address, drop="yes")
    assert lead.get(address).status_code == 404
    assert f'href="/import/earlier/{number}"' in lead.get("/import").text
    kept = lead.get(f"/import/earlier/{number}").text
    assert "一百" in kept
    assert "not a number" in kept
    lead.cookies.set("lang", "zh")
    assert "不是数字" in lead.get(f"/import/earlier/{number}").text
    assert "lab.csv,3," in lead.get(f"/import/earlier/{number}/rejected.csv").text
    assert lead.get("/import/earlier/99").status_code == 404
