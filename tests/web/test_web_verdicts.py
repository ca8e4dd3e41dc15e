"""A physician's own verdict beside a derived finding: entered with a reason, shown, withdrawn; never instead of what Bence derives."""

from datetime import date

import pytest
from browsing import OWNER, Browser, axe


@pytest.fixture
def doctor(app):
    browser = Browser(app)
    browser.sign_in("physician")
    return browser


def test_a_verdict_stands_beside_what_is_derived(doctor, handle, app):
    address = f"/patients/{handle('D09')}/verdicts"
    form = doctor.get(f"{address}?finding=r_iss").text
    assert 'name="value"' in form
    done = doctor.submit(address, finding="r_iss", value="III", why="FISH of the other laboratory")
    assert done.url.query == b"done=entered"
    rows = app.state.registry.store.verdicts(OWNER, "D09")
    assert rows.select("finding", "value", "derived", "who", "stands").rows() == [("r_iss", "III", "II", "physician", True)]
    row = next(row for row in done.text.split("<tr>") if "?finding=r_iss" in row)
    assert "<td>II</td><td><b>III</b></td>" in row
    assert "FISH of the other laboratory" in done.text


def test_a_response_of_a_line_and_of_a_visit(doctor, handle, app):
    address = f"/patients/{handle('D09')}/verdicts"
    doctor.submit(address, finding="best_response", line="1", value="VGPR", why="the band is the antibody")
    store = app.state.registry.store
    on = store.findings_for(OWNER, "D09")["response"].filter(line=1)["on"][0]
    doctor.submit(address, finding="response", line="1", on=str(on), value="MR", why="urine was lost")
    rows = store.verdicts(OWNER, "D09").select("finding", "line", "on", "value").rows()
    assert rows == [("response", 1, on, "MR"), ("best_response", 1, None, "VGPR")]


def test_what_is_withdrawn_stays_in_the_history(doctor, handle, app):
    address = f"/patients/{handle('D09')}/verdicts"
    doctor.submit(address, finding="iss", value="I", why="misread")
    done = doctor.submit(address, finding="iss", withdraw="yes", why="it was right")
    assert app.state.registry.store.verdicts(OWNER, "D09")["stands"].to_list() == [False, False]
    assert "No physician has said otherwise" in done.text
    assert "misread" in done.text
    assert doctor.submit(address, finding="iss", withdraw="yes", why="again").status_code == 422


def test_what_is_no_verdict_is_refused(doctor, handle, app):
    for fields in (
        {"finding": "iss", "value": "III", "why": " "}, {"finding": "iss", "value": "IX", "why": "x"}, {"finding": "iss", "why": "x"},
        {"finding": "hemoglobin", "value": "3", "why": "x"}, {"finding": "best_response", "line": "one", "value": "CR", "why": "x"},
        {"finding": "response", "on": "soon", "value": "CR", "why": "x"},
    ):  # fmt: skip
        assert doctor.submit(f"/patients/{handle('D09')}/verdicts", **fields).status_code == 422, fields
        assert app.state.registry.store.verdicts(OWNER, "D09").is_empty(), fields


def test_the_part_for_the_page_of_the_patient_has_what_stands(doctor, handle, app):
    store = app.state.registry.store
    part = f"/patients/{handle('D09')}/verdicts/part"
    assert "No physician has said otherwise" in doctor.get(part).text
    store.judge(OWNER, "D09", "line", 2, "the switch was planned", on=date(2024, 6, 1))
    text = doctor.get(part).text
    assert "<html" not in text
    assert "the switch was planned" in text
    doctor.cookies.set("lang", "zh")
    assert "治疗线数" in doctor.get(part).text


def test_who_may_not_read_findings_sees_no_verdicts(app, handle):
    for role in ("data_entry", "analyst", "administrator"):
        browser = Browser(app)
        browser.sign_in(role)
        address = f"/patients/{handle('D09')}/verdicts"
        assert browser.get(address).status_code == 404
        assert browser.get(f"{address}/part").status_code == 404
        assert browser.submit(address, finding="iss", value="I", why="x").status_code == 404


def test_in_a_browser(tab, handle):
    tab.goto(f"/patients/{handle('D09')}/verdicts")
    tab.click('a[href*="finding=r2_iss"]')
    tab.select_option("#value", "IV")
    tab.fill("#why", "gain of 1q was missed")
    assert axe(tab) == []
    tab.click("form.narrow button:not(.second)")
    tab.wait_for_selector(".done")
    assert "gain of 1q was missed" in tab.content()
    assert axe(tab) == []
    tab.set_viewport_size({"width": 390, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
