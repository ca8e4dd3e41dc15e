"""The work list: who needs what, counted, filtered, exported, and worked out anew only for whom a row was changed."""

import csv
import io
import re
from datetime import date, timedelta

import pytest
from browsing import OWNER, Browser, axe

from bence import assess
from bence.advise.needs import KINDS, needs
from bence.catalogue import label
from bence.demo import demo_chart
from bence.registry import worklist
from bence.web.pages import work
from bence.web.pages.work import work_out


def exported(client, kind=""):
    text = client.get(f"/work.csv?kind={kind}").content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_every_unconfirmed_progression_is_on_the_list(lead):
    lines = assess(demo_chart()).lines.sort("started_on").group_by("patient").last()
    waiting = set(lines.filter(progression_state="unconfirmed")["patient"])
    assert waiting
    assert {row["patient"] for row in exported(lead, "progression")} == waiting


def test_what_is_due_is_counted_to_today(lead):
    rows = exported(lead, "mrd")
    due = assess(demo_chart(), date.today()).due.filter(item="marrow_mrd")
    wanted = {row["patient"]: row["due_on"] for row in due.iter_rows(named=True) if row["due_on"] and row["due_on"] <= date.today()}
    assert {row["patient"]: date.fromisoformat(row["due_on"]) for row in rows} == wanted
    assert all(int(row["days"]) == (date.today() - date.fromisoformat(row["due_on"])).days for row in rows)


def test_the_counts_are_those_of_the_rows(lead):
    text = lead.get("/").text
    rows = exported(lead)
    for kind, (words, _) in KINDS.items():
        assert re.search(rf"{words} <b>(\d+)</b>", text)[1] == str(sum(row["kind"] == kind for row in rows))
    assert all(row["kind"] == "mrd" for row in exported(lead, "mrd"))
    assert f'<tr><th scope="row"><a href="/patients/{lead.app.state.registry.handles.of(1)}">D01' in lead.get("/?kind=mrd").text


def test_only_who_was_changed_is_worked_out_again(lead, app, monkeypatch):
    store, seen = app.state.registry.store, []
    assert lead.get("/").status_code == 200
    real = worklist.WorkList._batch
    monkeypatch.setattr(
        worklist.WorkList, "_batch", lambda self, database, access, numbers: seen.append(numbers) or real(self, database, access, numbers)
    )
    store.add(OWNER, "events", "D03", {"what": "hypercalcaemia_episode", "on": str(date.today() - timedelta(days=1)), "grade": "3"}, "test")
    assert "1 patients are being worked out" in lead.get("/").text
    assert [len(numbers) for numbers in seen] == [1]
    assert "D03" in {row["patient"] for row in exported(lead, "urgent")}
    assert len(seen) == 1


def test_what_is_kept_outlives_the_server(lead, app, monkeypatch):
    from bence.registry import Store

    before = exported(lead)
    monkeypatch.setattr(worklist.WorkList, "_batch", lambda *_: pytest.fail("worked out again"))
    again = Store(app.state.settings.database)
    work_out(again, OWNER, "china")
    again.close()
    assert exported(lead) == before


def test_what_a_stage_lacks_is_listed_until_it_is_recorded(lead, app):
    """By hand: with β2-microglobulin 3.0 mg/L the ISS is I or II, by the albumin that nobody recorded."""
    store = app.state.registry.store
    store.add_patient(OWNER, "N1", "WH", {"sex": "female", "born_on": "1960"}, "new")
    store.add(OWNER, "events", "N1", {"what": "mm_diagnosis", "on": "2026-01-05"}, "new")
    store.add(OWNER, "observations", "N1", {"what": "b2m", "on": "2026-01-05", "value": "3.0", "unit": "mg/L"}, "new")
    lead.get("/")
    words = label("albumin", "en")
    row = next(row for row in exported(lead, "missing") if (row["patient"], row["what"]) == ("N1", words))
    assert label("iss", "en") in row["why"]
    assert not [each for each in exported(lead, "missing") if (each["patient"], each["what"]) == ("N1", label("b2m", "en"))]
    store.add(OWNER, "observations", "N1", {"what": "albumin", "on": "2026-01-05", "value": "40", "unit": "g/L"}, "it came later")
    lead.get("/")
    left = [each for each in exported(lead, "missing") if each["patient"] == "N1"]
    assert words not in {each["what"] for each in left}


def test_what_falls_due_later_is_listed_on_its_day_without_being_worked_out_again(lead, monkeypatch):
    """Who waits for what; since when it is overdue is told as of the day on which it was worked out."""
    later = date.today() + timedelta(days=120)
    before = exported(lead)
    monkeypatch.setattr(work, "date", type("Later", (date,), {"today": classmethod(lambda cls: later)}))
    monkeypatch.setattr(worklist.WorkList, "_batch", lambda *_: pytest.fail("worked out again"))
    after = exported(lead)
    wanted = {
        (patient, need.kind, need.what[0])
        for patient, all_ in needs(demo_chart(), later, "china").items()
        for need in all_
        if not need.due_on or need.due_on <= later
    }
    assert {(row["patient"], row["kind"], row["what"]) for row in after} == wanted
    assert {row["due_on"] for row in before} <= {row["due_on"] for row in after}


def test_the_dead_need_nothing_but_a_clear_record():
    chart = demo_chart()
    dead = set(chart.patients.filter(chart.patients["died_on"].is_not_null())["patient"])
    assert dead
    found = needs(chart, date(2026, 3, 23), "china")
    assert {need.kind for patient in dead for need in found.get(patient, [])} <= {"contradiction"}


def test_a_user_sees_the_patients_of_the_own_centre_only(app):
    store = app.state.registry.store
    from bence.registry import Access

    assert store.worklist(Access("far", ["physician"], ["YC"]), "work china", lambda chart: {}).entries == []


@pytest.mark.parametrize(("role", "first"), [("data_entry", "/patients"), ("analyst", "/cohort"), ("administrator", "/people")])
def test_who_may_read_no_findings_begins_elsewhere(app, role, first):
    other = Browser(app)
    other.sign_in(role)
    assert other.get("/", follow_redirects=False).headers["location"] == first


def test_a_cell_of_the_export_is_never_a_formula(lead, app):
    app.state.registry.store.add_patient(OWNER, "=1+1", "WH", {"sex": "female"}, "test")
    app.state.registry.store.add(
        OWNER, "observations", "=1+1", {"what": "hemoglobin", "on": "2026-01-01", "value": "90", "unit": "g/L"}, "test"
    )
    lead.get("/")
    assert not any(row["patient"].startswith("=") for row in exported(lead))


def test_in_a_browser(tab):
    tab.goto("/")
    assert tab.locator("table.work tbody tr").count() > 20
    assert axe(tab) == []
    tab.click('nav a[href^="/?kind=progression"]')
    assert tab.locator("table.work tbody tr").count() == 1
    tab.click("table.work tbody a")
    tab.wait_for_selector('#course[data-drawn="yes"]')
    tab.set_viewport_size({"width": 390, "height": 800})
    tab.goto("/")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
