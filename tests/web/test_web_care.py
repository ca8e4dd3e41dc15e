"""Sharing, ending a share, transfer, another key, and merging two records of one human."""

from datetime import date, timedelta

import polars as pl
import pytest
from browsing import OWNER, PASSWORD, Browser, axe

from bence.registry import Access


@pytest.fixture
def far(app):
    """The browser of a physician of the other centre."""
    store = app.state.registry.store
    store.set_user(OWNER, "far", ["physician"], ["YC"])
    store.set_password(OWNER, "far", "given by the administrator")
    store.set_password(Access("far", ["physician"], ["YC"]), "far", PASSWORD, "given by the administrator")
    browser = Browser(app)
    browser.sign_in("far")
    return browser


def twin(store, key, **differs):
    """A second record of D01 with five of its results."""
    old = store.patient(OWNER, "D01").chart
    row = old.patients.row(0, named=True) | differs
    store.add_patient(
        OWNER, key, "WH", {name: str(row[name]) for name in ("sex", "born_on", "heavy_chain", "light_chain") if row[name]}, "t"
    )
    for one in old.observations.filter(pl.col("value").is_not_null()).head(5).iter_rows(named=True):
        store.add(
            OWNER,
            "observations",
            key,
            {name: None if one[name] is None else str(one[name]) for name in ("what", "on", "value", "unit")},
            "t",
        )


def test_a_share_opens_the_patient_and_ends(lead, far, handle, app):
    address = f"/patients/{handle('D01')}"
    assert far.get(address + "/enter").status_code == 404
    assert lead.submit(address + "/care/share", centre="YC", consent=" ").status_code == 422
    assert far.get(address + "/enter").status_code == 404
    shown = lead.submit(address + "/care/share", centre="YC", consent="form 12", until=str(date.today() + timedelta(days=9)))
    assert "form 12" in shown.text
    assert far.get(address + "/enter").status_code == 200
    assert "matters of the home centre" in far.get(address + "/care").text
    assert far.submit(address + "/care/share", centre="WH", consent="x").status_code == 404
    number = str(app.state.registry.store.shared(OWNER)["id"][0])
    other = f"/patients/{handle('D02')}/care/revoke"
    assert lead.submit(other, share=number, why="wrong patient").status_code == 404
    lead.submit(address + "/care/revoke", share=number, why="the patient wishes it")
    assert far.get(address + "/enter").status_code == 404


def test_the_last_day_of_a_share_is_part_of_it(lead, handle, app):
    address = f"/patients/{handle('D01')}/care/share"
    lead.submit(address, centre="YC", consent="form 12", until=str(date.today()))
    assert app.state.registry.store.shared(OWNER)["until"][0] > str(date.today())
    assert lead.submit(address, centre="YC", consent="form 12", until=str(date.today() - timedelta(days=1))).status_code == 422


def test_a_transfer_needs_consent_and_takes_the_patient_away(lead, far, handle, app):
    address = f"/patients/{handle('D03')}/care/transfer"
    assert lead.submit(address, centre="YC", why="moved house").status_code == 422
    assert lead.submit(address, centre="YC", why="moved house", consent="form 9", key="Y77").url.path == "/patients"
    assert "Y77" in far.get("/patients").text


def test_another_key_can_be_taken_back(lead, handle, app):
    shown = lead.submit(f"/patients/{handle('D04')}/care/rename", key="D400", why="the number was wrong")
    assert shown.url.path.endswith("/care")
    assert "D400" in shown.text
    moves = lead.get(shown.url.path).text.split("How the patient came here", 1)[1]
    assert "given another key" in moves
    assert "the number was wrong" in moves
    number = shown.text.split('name="change" value="')[1].split('"')[0]
    lead.submit(shown.url.path + "/undo", change=number, why="it was right")
    assert {"D04"} <= set(app.state.registry.store.listed(OWNER)["patient"])
    assert "D400" not in app.state.registry.store.listed(OWNER)["patient"]
    assert lead.submit(f"/patients/{handle('D05')}/care/rename", key="D06", why="x").status_code == 422


def test_duplicates_are_suggested_with_reasons_and_merged(lead, handle, app):
    store = app.state.registry.store
    twin(store, "D01B")
    shown = lead.get("/duplicates").text
    row = next(row for row in shown.split("<tr>") if "D01B" in row)
    assert "5 identical results" in row
    address = row.split('href="')[3].split('"')[0]
    assert "/merge/" in address
    before = store.patient(OWNER, "D01").chart.observations.height
    assert lead.submit(address, why=" ").status_code == 422
    done = lead.submit(address, why="same identity card")
    assert "Merged" in done.text
    assert store.patient(OWNER, "D01").chart.observations.height == before
    assert "D01B" not in store.listed(OWNER)["patient"]


def test_contradictions_are_shown_and_must_be_settled(lead, app):
    store = app.state.registry.store
    twin(store, "D01C", born_on="1931-01-01")
    numbers = dict(store.listed(OWNER).select("patient", "person").rows())
    of = app.state.registry.handles.of
    address = f"/patients/{of(numbers['D01'])}/merge/{of(numbers['D01C'])}"
    shown = lead.get(address).text
    assert 'name="keep_born_on"' in shown
    assert "1931-01-01" in shown
    assert lead.submit(address, why="one human").status_code == 422
    lead.submit(address, why="one human", keep_born_on="second")
    assert str(store.patient(OWNER, "D01").chart.patients["born_on"][0]).startswith("1931")
    assert lead.get(f"/patients/{of(numbers['D01'])}/merge/{of(numbers['D01'])}").status_code == 422


def test_the_other_record_is_found_by_its_key_without_a_key_in_an_address(lead, handle):
    shown = lead.submit(f"/patients/{handle('D01')}/care/other", key="D02")
    assert shown.url.path.endswith(handle("D02"))
    assert "D02" not in str(shown.url)
    assert lead.submit(f"/patients/{handle('D01')}/care/other", key="nobody").status_code == 422


def test_who_may_not_move_patients(app, handle):
    browser = Browser(app)
    browser.sign_in("physician")
    address = f"/patients/{handle('D01')}"
    assert browser.get("/duplicates").status_code == 404
    assert browser.get(f"{address}/merge/{handle('D02')}").status_code == 404
    assert browser.submit(f"{address}/merge/{handle('D02')}", why="x").status_code == 404
    for what, fields in (("transfer", {"centre": "YC", "consent": "x"}), ("rename", {"key": "Z"}), ("other", {"key": "D02"})):
        assert browser.submit(f"{address}/care/{what}", why="x", **fields).status_code == 404
    page = browser.get(address + "/care").text
    assert "/care/share" in page
    assert "/care/transfer" not in page


def test_in_a_browser(tab, handle, app):
    twin(app.state.registry.store, "D01B")
    tab.goto(f"/patients/{handle('D01')}/care")
    assert axe(tab) == []
    tab.select_option("#share-centre", "YC")
    tab.fill("#share-consent", "form 12")
    tab.click('form[action$="/care/share"] button')
    tab.wait_for_selector('form[action$="/care/revoke"]')
    assert axe(tab) == []
    tab.set_viewport_size({"width": 390, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.goto("/duplicates")
    assert axe(tab) == []
    tab.click('a[href*="/merge/"]')
    tab.fill("#why", "one human")
    assert axe(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.click("main form button")
    tab.wait_for_selector(".done")
