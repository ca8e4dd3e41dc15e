"""The pages in English: what may differ by language alone. The journeys of each page's own tests are made in Chinese."""

from datetime import date

from browsing import EXPORT, OWNER, check, overlapping


def test_lists_and_meetings(english_tab, app, handle):
    tab, store = english_tab, app.state.registry.store
    check(tab, "/")
    assert tab.locator("table.work tbody tr").count() > 20
    meeting = store.plan_meeting(OWNER, "WH", date.today(), "Tuesday board")
    item = store.put_on_agenda(OWNER, meeting, "D36", "Transplant, or wait?")
    check(tab, "/mdt", colours=True)  # the journey in Chinese does not stop here
    check(tab, f"/patients/{handle('D36')}/mdt")
    check(tab, f"/mdt/{meeting}/{item}")
    assert tab.locator(".brief svg").count() > 0
    check(tab, f"/mdt/{meeting}/print")
    store.decide(OWNER, item, "relapse", "isa_kd", "Isa-Kd", "", ["Gu"])
    check(tab, f"/mdt/{meeting}")
    assert "Isa-Kd" in tab.inner_text("main")
    check(tab, "/mdt/decisions")
    assert "less than 60 days" in tab.inner_text("main")


def test_a_patient(english_tab, app, handle):
    tab, home = english_tab, f"/patients/{handle('D01')}"
    tab.goto(home)
    tab.wait_for_selector('#course[data-drawn="yes"]')
    tab.wait_for_selector("#advice .stance")
    tab.click('[data-name="iss"] summary')
    tab.wait_for_selector('[data-name="iss"] .tree')
    assert overlapping(tab) == []
    check(tab)
    tab.select_option("#region", "us")
    tab.wait_for_selector("#advice:has-text('FDA'), #advice:has-text('United States')")
    tab.goto(f"{home}/enter")
    tab.fill("#word", "immunofix")
    tab.wait_for_selector("#codes a")
    check(tab)
    tab.goto(f"{home}/enter/observations/serum_m_protein")
    tab.fill("#f-on", "2026-03-01")
    tab.fill("#f-value", "30")
    tab.wait_for_selector("#preview table")
    check(tab)
    row = app.state.registry.store.patient(OWNER, "D01").rows["observations"]["id"][0]
    for path in (
        f"{home}/rows/observations/{row}",
        f"{home}/visit",
        "/patients/new",
        f"{home}/what-if?what=del_17p&text=positive&on=2023-02-06",
    ):
        check(tab, path)


def test_a_questionnaire(english_tab, handle, chromium):
    tab, place = english_tab, f"/patients/{handle('D01')}/questionnaires"
    check(tab, place)
    tab.click("main form button")
    tab.wait_for_selector(".code svg")
    check(tab)
    telephone = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    try:
        page = telephone.new_page()
        page.goto(tab.inner_text("code.link"))
        page.fill("#weight", "61.5")
        page.click("button")
        assert page.locator("h1").inner_text() == "Thank you"
    finally:
        telephone.close()
    check(tab, place)
    assert "61.5 kg" in tab.inner_text(".answers")


def test_an_import(english_tab):
    tab = english_tab
    check(tab, "/import")
    tab.set_input_files("#files", {"name": "laboratory.csv", "mimeType": "text/csv", "buffer": EXPORT.encode()})
    tab.fill("#why", "test")
    tab.click("main form button")
    tab.wait_for_selector('button[name="bring_in"]')
    assert tab.locator('[aria-label="Code of 怪项目"]').count() == 1
    assert tab.locator('[aria-label="Unit of 怪项目"]').count() == 1
    check(tab)
    tab.click('button[name="bring_in"]')
    tab.wait_for_selector(".done")
    check(tab)
    tab.fill("#why", "only a test")
    tab.click('form[action="/import/undo"] button')
    tab.wait_for_selector("table")
    check(tab)
