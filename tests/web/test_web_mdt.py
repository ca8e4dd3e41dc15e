"""The multidisciplinary meeting: agenda, brief, decision, and what was done then."""

import re
from datetime import date, timedelta

import pytest
from browsing import OWNER, PASSWORD, Browser, axe

from bence.registry import Access

TODAY = date.today().isoformat()
SOON = (date.today() + timedelta(days=7)).isoformat()


@pytest.fixture
def store(app):
    return app.state.registry.store


@pytest.fixture
def item(lead, handle):
    """A meeting with a patient on its agenda: the numbers of both."""
    meeting = lead.submit("/mdt", day=TODAY, title="Tuesday board", centre="WH").url.path
    page = lead.submit(f"/patients/{handle('D09')}/mdt", meeting=meeting.rpartition("/")[2], asked="Transplant, or wait?")
    assert page.url.path == meeting
    return re.search(rf'{meeting}/\d+(?=")', page.text)[0]


DECISION = {"choice": "relapse|d_pd", "text": "Daratumumab next", "reasons": "refractory to lenalidomide", "attendants": "Gu, Li，Wang"}


def test_a_decision_is_an_event_of_the_course(lead, item, store, handle):
    page = lead.submit(item, **DECISION)
    assert "Daratumumab next" in page.text
    event = store.patient(OWNER, "D09").chart.events.filter(what="mdt_decision").row(0, named=True)
    assert (event["text"], event["on"].isoformat()) == ("Daratumumab next", TODAY)
    assert store.decisions(OWNER)["attendants"].to_list() == [["Gu", "Li", "Wang"]]
    assert "Daratumumab next" in lead.get(f"/patients/{handle('D09')}/enter?table=events").text


def test_a_later_decision_replaces_the_former_and_both_are_shown(lead, item, handle):
    lead.submit(item, **DECISION)
    lead.submit(item, **DECISION | {"choice": "relapse|", "text": "A trial"})
    page = lead.get(f"/patients/{handle('D09')}/mdt").text
    assert "A trial" in page
    assert "replaced:" in page
    assert "Daratumumab next" in page
    assert "Daratumumab next" not in lead.get("/mdt/decisions").text


def test_a_decision_that_says_too_little_is_not_kept(lead, item, store):
    for lacking in ("choice", "text", "attendants"):
        answer = lead.submit(item, **DECISION | {lacking: " "})
        assert answer.status_code == 422, lacking
        assert "Not kept" in answer.text, lacking
        assert "refractory to lenalidomide" in answer.text, lacking
        assert store.decisions(OWNER).is_empty(), lacking


def test_nothing_is_decided_before_the_day_of_the_meeting(lead, handle, store):
    meeting = lead.submit("/mdt", day=SOON, title="Next week", centre="WH").url.path
    page = lead.submit(f"/patients/{handle('D09')}/mdt", meeting=meeting.rpartition("/")[2], asked="What next?")
    item = re.search(rf'{meeting}/\d+(?=")', page.text)[0]
    assert "still to come" in lead.get(item).text
    assert lead.submit(item, **DECISION).status_code == 422
    assert store.decisions(OWNER).is_empty()


def test_an_option_that_the_question_has_not_is_refused(lead, item, store):
    assert lead.submit(item, **DECISION | {"choice": "relapse|vrd_and_more"}).status_code == 422
    assert store.decisions(OWNER).is_empty()


def test_a_physician_plans_and_asks_but_does_not_decide(app, item, store):
    other = Browser(app)
    other.sign_in("physician")
    assert '<form method="post" action="/mdt/' not in other.get(item).text
    assert other.submit(item, **DECISION).status_code == 404
    assert store.decisions(OWNER).is_empty()
    assert other.submit("/mdt", day=SOON, title="B", centre="WH").status_code == 200


def test_who_enters_data_sees_decisions_only(app, item):
    other = Browser(app)
    other.sign_in("data_entry")
    assert other.get("/mdt").url.path == "/mdt/decisions"
    assert other.get(item).status_code == 404
    assert other.get(item.rpartition("/")[0] + "/print").status_code == 404


def test_another_centre_sees_nothing(app, item, handle, store):
    store.set_user(OWNER, "far", ["mdt_chair"], ["YC"])
    store.set_password(OWNER, "far", PASSWORD)
    store.set_password(Access("far", ["mdt_chair"], ["YC"]), "far", "another long password", PASSWORD)
    other = Browser(app)
    other.sign_in("far", "another long password")
    for path in (item, item.rpartition("/")[0], item.rpartition("/")[0] + "/print", f"/patients/{handle('D09')}/mdt"):
        assert other.get(path).status_code == 404
    assert other.submit(item, **DECISION).status_code == 404
    assert other.submit("/mdt", day=SOON, title="B", centre="WH").status_code == 404


def test_an_item_is_of_its_meeting(lead, item):
    elsewhere = lead.submit("/mdt", day=SOON, title="Other", centre="WH").url.path
    assert lead.get(f"{elsewhere}/{item.rpartition('/')[2]}").status_code == 404
    assert lead.submit(f"{elsewhere}/{item.rpartition('/')[2]}", **DECISION).status_code == 404


def test_what_is_missing_is_asked_for(lead, handle):
    assert lead.submit("/mdt", day="soon", title="x", centre="WH").status_code == 422
    assert lead.submit("/mdt", day="", title="x", centre="WH").status_code == 422
    assert lead.submit(f"/patients/{handle('D09')}/mdt", meeting="", asked="What next?").status_code == 422


def test_what_was_done_then_is_compared(lead, handle, store):
    lines = store.patient(OWNER, "D36").chart.treatments.filter(what="isatuximab")
    begun = lines["started_on"].min()
    meeting = store.plan_meeting(OWNER, "WH", begun - timedelta(days=5), "board")
    for option, text in (("isa_kd", "Isa-Kd"), ("d_pd", "D-Pd"), (None, "in words")):
        item = store.put_on_agenda(OWNER, meeting, "D36", "what next?")
        store.decide(OWNER, item, "relapse", option, text, "", ["Gu"])
    for page in (lead.get("/mdt/decisions").text, lead.get(f"/patients/{handle('D36')}/mdt").text):
        rows = {text: re.search(rf"<b>{text}</b>.*?</tr>", page, re.DOTALL)[0] for text in ("Isa-Kd", "D-Pd", "in words")}
        assert "without an option" in rows["in words"]
        known = (store.patient(OWNER, "D36").chart.observations["on"].max() - begun).days + 5 >= 60
        assert ("<b>followed</b>" if known else "less than 60 days") in rows["Isa-Kd"]
        assert ("<b>something else was begun</b>" if known else "less than 60 days") in rows["D-Pd"]


def test_the_brief_of_a_past_meeting_knows_nothing_later(lead, store):
    meeting = store.plan_meeting(OWNER, "WH", date(2023, 1, 1), "board")
    item = store.put_on_agenda(OWNER, meeting, "D09", "what next?")
    text = lead.get(f"/mdt/{meeting}/{item}").text
    assert "2023-01-01" in text
    assert "2025-09-15" not in text


def test_the_printed_briefs_have_no_style_and_one_article_a_patient(lead, store):
    meeting = store.plan_meeting(OWNER, "WH", date.today(), "board")
    for patient in ("D09", "D01", "D36"):
        store.put_on_agenda(OWNER, meeting, patient, "what next?")
    text = lead.get(f"/mdt/{meeting}/print").text
    assert text.count('<article class="brief"') == 3
    assert not re.search(r"\sstyle=|<style", text)


def test_in_a_browser(tab, handle):
    tab.goto("/mdt")
    tab.click("main form button")
    tab.wait_for_url(re.compile(r"/mdt/\d+$"))
    meeting = tab.url
    tab.goto(f"/patients/{handle('D36')}/mdt")
    tab.fill("#asked", "移植还是等待？")
    assert axe(tab) == []
    tab.click("main form button")
    tab.wait_for_url(meeting)
    tab.click(".agenda .button")
    tab.wait_for_selector(".brief svg")
    assert axe(tab) == []
    tab.select_option("#choice", "relapse|isa_kd")
    tab.fill("#text", "Isa-Kd")
    tab.fill("#attendants", "Gu")
    tab.click("main form button")
    tab.wait_for_url(meeting)
    assert "Isa-Kd" in tab.inner_text(".done")
    assert axe(tab) == []
    tab.goto("/mdt/decisions")
    assert "不足60天" in tab.inner_text("main")
    assert axe(tab) == []
    tab.goto(meeting + "/print")
    assert axe(tab) == []
    tab.set_viewport_size({"width": 390, "height": 800})
    for path in ("/mdt", "/mdt/decisions", meeting, meeting + "/print"):
        tab.goto(path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
