"""Questionnaires by a link that serves once: made, answered on a telephone, shut, and shown over time."""

import json
import re
from datetime import date

import pytest
from browsing import OWNER, Browser, axe
from catching import caught

from bence.web import Settings, create_app
from bence.web.logs import AsJson
from bence.web.tries import MOST

ANSWERS = {"weight": "61.5", "pain": "3", "infection_reported": "no"}
OWN = """
en = "Sleep"
zh = "睡眠"
[[item]]
code = "pain"
en = "Pain at night"
zh = "夜间疼痛"
answers = "0-10"
"""


@pytest.fixture
def place(handle):
    return f"/patients/{handle('D01')}/questionnaires"


@pytest.fixture
def invite(lead, place):
    """Makes a link; returns its path."""
    return lambda **fields: re.search(
        r"http://testserver(/q/[\w-]+)", lead.submit(place, **{"questionnaire": "follow_up", "lang": "zh", "days": "14"} | fields).text
    )[1]


@pytest.fixture
def patient(app):
    """The telephone of a patient: nobody is signed in."""
    return Browser(app, raise_server_exceptions=False)


def test_the_link_is_shown_once_as_text_and_picture(lead, invite, place):
    link = invite()
    again = lead.get(place).text
    assert link not in again
    assert "<svg" not in again
    assert "open" in again


def test_the_patient_sees_the_questions_and_no_name(invite, patient):
    link = invite()
    zh, en = patient.get(link).text, patient.get(link + "?lang=en").text
    assert "您今天的体重" in zh
    assert "Your weight today" in en
    for text in (zh, en):
        assert "D01" not in text
        assert "WH" not in text
        assert "<script" not in text
        assert not re.search(r"\sstyle=|<style", text)
        assert text.count('type="radio"') >= 11


def test_answers_are_in_the_chart_and_on_the_page(lead, invite, patient, place, app):
    assert "谢谢" in patient.post(invite(), data=ANSWERS).text
    rows = app.state.registry.store.patient(OWNER, "D01").rows["observations"].filter(source="questionnaire:1")
    assert {row["what"]: row["value"] or row["text"] for row in rows.iter_rows(named=True)} == {
        "weight": 61.5, "pain": 3.0, "infection_reported": "no",
    }  # fmt: skip
    text = lead.get(place).text
    assert str(date.today()) in text
    assert "61.5 kg" in text
    assert "answered" in text


def test_every_link_that_opens_nothing_says_the_same(lead, invite, patient, place, app):
    used, withdrawn = invite(), invite()
    patient.post(used, data=ANSWERS)
    assert lead.submit(f"{place}/2/withdraw").status_code == 200
    shut = [patient.get(link) for link in (used, withdrawn, "/q/never-was", used + "?lang=en")]
    shut += [patient.post(link, data=ANSWERS) for link in (used, withdrawn, "/q/never-was")]
    bodies = {answer.text for answer in shut}
    assert len(bodies) <= 2  # the language that was asked for is told in the head
    assert {answer.status_code for answer in shut} == {404}
    assert all("serves once" in body and "只能使用一次" in body for body in bodies)
    assert app.state.registry.store.patient(OWNER, "D01").chart.observations.filter(what="weight", on=date.today()).height == 1


@pytest.mark.parametrize(
    ("answers", "said"),
    [({"weight": "heavy"}, "体重"), ({"weight": "6150"}, "体重"), ({"pain": "11"}, "疼痛"), ({}, "尚未回答"), ({"iss": "III"}, "尚未回答")],
)
def test_what_is_not_possible_is_said_and_the_link_stays_open(invite, patient, answers, said, app):
    link = invite()
    before = app.state.registry.store.patient(OWNER, "D01").chart.observations.height
    answer = patient.post(link, data=answers)
    assert answer.status_code == 422
    assert said in re.search(r'role="alert">([^<]*)', answer.text)[1]
    assert app.state.registry.store.patient(OWNER, "D01").chart.observations.height == before
    assert patient.post(link, data=ANSWERS).status_code == 200


def test_what_was_filled_in_is_still_there_after_a_mistake(invite, patient):
    text = patient.post(invite(), data=ANSWERS | {"weight": "6150"}).text
    assert 'value="6150" aria-invalid="true"' in text
    assert re.search(r'name="pain" value="3" checked', text)


def test_who_tries_many_links_is_stopped(invite, patient):
    link = invite()
    assert [patient.get(f"/q/guess{i}").status_code for i in range(MOST)] == [404] * (MOST - 1) + [429]
    late = patient.get(link)
    assert late.status_code == 429
    assert "serves once" in late.text


def test_the_token_is_in_no_log_and_no_referer(invite, patient):
    with caught(AsJson().format) as lines:
        link = invite()
        shown = patient.get(link)
        patient.post(link, data=ANSWERS)
    assert [json.loads(line)["path"] for line in lines][-2:] == ["/q/{token}", "/q/{token}"]
    assert not any(link.removeprefix("/q/") in line for line in lines)
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert shown.headers["Cache-Control"] == "no-store"


def test_a_link_is_withdrawn_only_on_the_page_of_its_patient(lead, invite, patient, handle):
    link = invite()
    assert lead.submit(f"/patients/{handle('D02')}/questionnaires/1/withdraw").status_code == 404
    assert patient.get(link).status_code == 200


def test_who_may_not_invite_sees_nothing(app, place):
    analyst = Browser(app, raise_server_exceptions=False)
    analyst.sign_in("analyst")
    assert analyst.get(place).status_code == 404
    assert analyst.submit(place, questionnaire="follow_up").status_code == 404


def test_what_cannot_be_asked_is_refused(lead, place):
    for wrong in ({"questionnaire": "eq5d"}, {"lang": "fr"}, {"days": "4000"}):
        assert lead.submit(place, **{"questionnaire": "follow_up", "lang": "zh", "days": "14"} | wrong).status_code == 422


def test_a_centre_offers_its_own(registry_file, tmp_path, handle):
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "sleep.toml").write_text(OWN, encoding="utf-8")
    made = create_app(Settings(database=str(registry_file), questionnaires=tmp_path / "forms"))
    client = Browser(made)
    client.sign_in("owner")
    text = client.get(f"/patients/{handle('D01')}/questionnaires").text
    made.state.registry.close()
    assert "Sleep" in text
    assert "BENCE_QUESTIONNAIRES" in text


def test_in_a_browser(tab, handle, chromium, address):
    tab.goto(f"/patients/{handle('D01')}/questionnaires")
    assert axe(tab) == []
    tab.click("main form button")
    tab.wait_for_selector(".code svg")
    assert axe(tab) == []
    link = tab.inner_text("code.link")
    assert link.startswith(address)
    telephone = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    try:
        page = telephone.new_page()
        page.goto(link)
        page.fill("#weight", "61,5")
        page.locator('input[name="pain"][value="4"]').check()
        page.click("button")
        assert page.locator("h1").inner_text() == "谢谢您"
        page.goto(link)
        assert page.locator("h1").inner_text() == "此链接无法打开问卷"
    finally:
        telephone.close()
    tab.reload()
    tab.goto(f"/patients/{handle('D01')}/questionnaires")
    assert "61.5 kg" in tab.inner_text(".answers")
    assert axe(tab) == []
    tab.set_viewport_size({"width": 390, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
