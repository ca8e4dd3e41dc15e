"""The page of a patient: the course, findings with reasons, advice, the day as of which, and what is printed."""

import re

import polars as pl
import pytest
import sqlalchemy as sa
from browsing import OWNER, Browser, axe, overlapping

from bence import assess
from bence.errors import UsageError
from bence.registry import Person
from bence.registry.models import audit, findings
from bence.report.page import report
from bence.report.words import FINDINGS
from bence.web import dossier, warming


@pytest.fixture
def page(lead, handle):
    return lambda patient, rest="": lead.get(f"/patients/{handle(patient)}{rest}")


def test_the_page_says_what_the_findings_say(page, app):
    store = app.state.registry.store
    status = assess(store.patient(OWNER, "D09").chart).status.row(0, named=True)
    text = page("D09").text
    for name in ("iss", "r_iss", "r2_iss"):
        row = re.search(rf'data-name="{name}".*?</summary>', text, re.DOTALL)[0]
        assert FINDINGS[name][0] in row
        assert f'<span class="answer">{status[name]}</span>' in row


def test_reasons_are_a_link_without_scripts_and_a_part_with_them(page, lead, handle):
    assert f'href="/patients/{handle("D09")}/findings/iss"' in page("D09").text
    whole = page("D09", "/findings/iss").text
    part = lead.get(f"/patients/{handle('D09')}/findings/iss", headers={"HX-Request": "true"}).text
    assert "<html" in whole
    assert "<html" not in part
    assert '<ul class="tree">' in part
    assert "albumin" in part
    assert part.strip() in whole
    assert page("D09", "/findings/nothing").status_code == 404


def test_the_course_has_every_value_of_the_chart(page, app):
    chart = app.state.registry.store.patient(OWNER, "D01").chart
    told = page("D01", "/course.json").json()
    serum = next(panel for panel in told["panels"] if panel["name"] == "Serum M-protein")
    rows = chart.observations.filter(what="serum_m_protein")
    assert [point["on"] for point in serum["curves"][0]["points"]] == [str(on) for on in rows["on"].sort()]
    mrd = next(panel for panel in told["panels"] if panel["kind"] == "mrd")
    limits = chart.observations.filter(what="mrd").sort("on")["detection_limit"].to_list()
    assert [test["limit"] for test in mrd["tests"]] == limits
    for panel in told["panels"]:
        for tip in [point["tip"] for curve in panel.get("curves", ()) for point in curve["points"]]:
            assert tip.replace("<", "&lt;") in page("D01", "/course").text


def test_as_of_a_day_nothing_later_is_known(page):
    assert "2025-09-15" in page("D09").text
    early = page("D09", "?at=2023-01-01")
    assert "2025-09-15" not in early.text
    assert "at=2023-01-01" in early.text
    assert max(point["on"] for panel in page("D09", "/course.json?at=2023-01-01").json()["panels"] for curve in panel.get("curves", ())
               for point in curve["points"]) <= "2023-01-01"  # fmt: skip
    assert page("D09", "?at=soon").status_code == 422


def test_the_advice_is_by_region(page):
    china, us = (page("D09", f"/advice?region={region}").text for region in ("china", "us"))
    assert china != us
    assert 'class="stance' in china
    assert page("D09", "/advice?region=moon").status_code == 422


def test_the_printed_report_is_the_report(page, app):
    answer = page("D09", "/report?region=china")
    assert answer.text == report(app.state.registry.store.patient(OWNER, "D09").chart, "D09", lang="en", region="china")
    policy = answer.headers["Content-Security-Policy"]
    assert "style-src 'unsafe-inline'" in policy
    assert "script-src 'none'" in policy
    assert "MDT sheet" in page("D09", "/sheet").text


def test_pages_have_no_style_or_script_in_them(page):
    for rest in ("", "/course", "/advice", "/findings/iss"):
        text = page("D09", rest).text
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?! src=)", text)


def test_a_change_of_a_row_changes_the_page(page, app):
    assert "2027" not in page("D01", "/course").text
    app.state.registry.store.add(OWNER, "events", "D01", {"what": "crs", "on": "2027-01-05", "grade": "2"}, "test")
    assert "2027-01-05" in page("D01", "/course").text


def test_what_is_read_is_in_the_audit(page, app):
    store = app.state.registry.store
    before = store.export_audit(OWNER).height
    page("D01")
    page("D01")
    assert store.export_audit(OWNER).height >= before + 3  # one for each page, one for the look at the audit


def test_who_may_read_no_findings_sees_the_rows_only(app, handle):
    other = Browser(app)
    other.sign_in("data_entry")
    answer = other.get(f"/patients/{handle('D01')}")
    assert answer.url.path.endswith("/enter")
    for rest in ("/advice", "/report", "/course.json", "/findings/iss", "/what-if"):
        assert other.get(f"/patients/{handle('D01')}{rest}").status_code == 404


def test_a_patient_of_another_centre_is_not_there(app, handle):
    store = app.state.registry.store
    store.set_user(OWNER, "far", ["physician"], ["YC"])
    from bence.registry import Access

    store.set_password(OWNER, "far", "correct horse battery")
    store.set_password(Access("far", ["physician"], ["YC"]), "far", "another long password", "correct horse battery")
    other = Browser(app)
    other.sign_in("far", "another long password")
    for rest in ("", "/course.json", "/advice", "/report", "/enter", "/visit"):
        assert other.get(f"/patients/{handle('D01')}{rest}").status_code == 404


def test_in_a_browser(tab, handle):
    tab.goto(f"/patients/{handle('D01')}")
    tab.wait_for_selector('#course[data-drawn="yes"]')
    tab.wait_for_selector("#advice .stance")
    assert tab.locator("#course svg").count() == 1
    tab.locator('#course-zoom [data-months="6"]').focus()
    tab.keyboard.press("Enter")
    tab.wait_for_selector('#course-zoom [data-months="6"][aria-pressed="true"]')
    assert tab.get_attribute("#course", "data-from") > "2025-06"
    tab.click('[data-name="iss"] summary')
    tab.wait_for_selector('[data-name="iss"] .tree')
    assert axe(tab) == []
    tab.select_option("#region", "us")
    tab.wait_for_selector("#advice:has-text('FDA'), #advice:has-text('美国')")
    assert overlapping(tab) == []
    tab.set_viewport_size({"width": 390, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_after_a_change_the_page_is_worked_out_before_anybody_asks(lead, app, handle, monkeypatch):
    store, row = app.state.registry.store, {"what": "hemoglobin", "on": "2026-02-01", "value": "61", "unit": "g/L"}
    before, read_before = kept_bodies(store), len(readers(store))
    store.add(OWNER, "observations", "D03", row, "nobody has looked at a page")
    app.state.warmer.finish()
    assert kept_bodies(store) == before
    lead.get(f"/patients/{handle('D02')}")
    store.add(OWNER, "observations", "D03", row | {"on": "2026-02-02"}, "now somebody has")
    app.state.warmer.finish()
    assert {person for person, _ in kept_bodies(store) - before} == {store.listed(OWNER).row(by_predicate=pl.col("patient") == key)[0]
                                                                     for key in ("D02", "D03")}  # fmt: skip
    monkeypatch.setattr(dossier, "look", lambda *_: pytest.fail("worked out again"))
    shown = lead.get(f"/patients/{handle('D03')}")
    assert shown.status_code == 200
    assert lead.get(f"/patients/{handle('D03')}/course.json").status_code == 200
    assert lead.get(f"/patients/{handle('D03')}/advice").status_code == 200
    assert "bence serve" in readers(store)[read_before:]


def test_of_a_large_import_only_who_was_looked_at_waits():
    asked = []
    warmer = warming.Warmer(lambda lang: asked.append(lang) or (_ for _ in ()).throw(UsageError("no registry")))
    warmer.seen(Person(7, "P7", "WH", 1), "zh")
    warmer.changed(set(range(warming.MOST + 1)))
    warmer.finish()
    assert asked == ["zh"]
    warmer.close()


def readers(store):
    """Who read findings, in the order of the audit."""
    with store._database.transaction() as connection:
        return connection.execute(sa.select(audit.c.who).where(audit.c.action == "findings").order_by(audit.c.id)).scalars().all()


def kept_bodies(store):
    with store._database.everywhere() as connection:
        rows = connection.execute(sa.select(findings.c.person, findings.c.name).where(findings.c.name.startswith("body")))
        return {(person, name) for person, name in rows}
