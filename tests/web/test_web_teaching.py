"""Teaching: each decision from what was known on the day; nothing of a learner is kept; own patients only de-identified."""

import re

import pytest
import sqlalchemy as sa
from browsing import OWNER, Browser, axe

from bence import assess
from bence.advise import advise
from bence.advise.replay import decisions, replay
from bence.chart import visible
from bence.demo import demo_chart

ANSWER = {"choice": "relapse|d_kd", "why": "it was never given"}


@pytest.fixture(scope="module")
def case():
    """The chart of a synthetic patient with four decisions, and these."""
    own = demo_chart().only("D09")
    return own, decisions(assess(own)).sort("on")


def test_every_decision_has_its_page_and_nothing_later_is_told(lead, case):
    own, made = case
    assert made.height == 4
    days = sorted({str(on) for on in (*own.observations["on"], *own.treatments["started_on"]) if on})
    for step, on in enumerate(made["on"], 1):
        text = lead.get(f"/teaching/demo/D09/{step}").text
        assert str(on) in text
        assert not [day for day in days if day > str(on) and day in text]
    for step in (0, 5):
        assert lead.get(f"/teaching/demo/D09/{step}").status_code == 404


def test_before_an_answer_neither_the_pathway_nor_the_deed_is_told(lead):
    before, after = lead.get("/teaching/demo/D09/3").text, lead.submit("/teaching/demo/D09/3", **ANSWER).text
    for told in ("What was done", "How it went", 'class="stance', "What the pathway says"):
        assert told not in before
        assert told in after


def test_the_answer_stands_beside_what_the_pathway_said_and_what_was_done(lead, case):
    own, _ = case
    row = replay(own, assess(own)).row(2, named=True)
    text = lead.submit("/teaching/demo/D09/3", **ANSWER).text
    assert "it was never given" in text
    done = re.search(r'id="done">.*?</section>', text, re.DOTALL)[0]
    assert {f"s-{stance}" for stance in row["stance"].split("|")} == set(re.findall(r"stance (s-\w+)", done))
    assert all(drug in done.lower() for drug in row["done"].split("+"))
    went = re.search(r'id="went">.*?</section>', text, re.DOTALL)[0]
    assert f"PFS {row['pfs_days']} days" in went


def test_what_the_pathway_says_is_that_of_the_day(lead, case):
    own, made = case
    known = visible(own, made["on"][0])
    bare = type(own)(known.patients, known.observations, known.treatments.clear(), known.events)
    offered = advise(bare, made["on"][0]).filter(question="induction", stance="for", option="vrd")
    text = lead.submit("/teaching/demo/D09/1", choice="induction|vrd", why="").text
    yours = re.search(r'id="yours">.*?</section>', text, re.DOTALL)[0]
    assert ("s-for" in yours) == (offered.height > 0)


def test_an_option_that_was_not_offered_to_choose_is_something_else(lead):
    text = lead.submit("/teaching/demo/D09/3", choice="relapse|<script>", why="<b>x</b>").text
    assert "something else, or nothing" in text
    assert "<b>x</b>" not in text
    assert "&lt;b&gt;x" in text


def test_nothing_of_the_learner_is_kept(lead, app):
    database = app.state.registry.store._database

    def rows():
        with database.everywhere() as connection:
            names = sa.inspect(connection).get_table_names()
            return {name: connection.execute(sa.text(f'select count(*) from "{name}"')).scalar_one() for name in names}

    lead.get("/teaching")
    before = rows()
    lead.submit("/teaching/demo/D09/3", **ANSWER)
    assert rows() == before


def test_own_cases_are_deidentified(lead, app):
    listed = lead.get("/teaching/own").text
    assert "D09" not in listed
    pseudonyms = re.findall(r'href="/teaching/own/([0-9a-f]{16})/1"', listed)
    store = app.state.registry.store
    assert len(pseudonyms) == store.chart(OWNER).treatments["patient"].n_unique()
    text = lead.get(f"/teaching/own/{pseudonyms[0]}/1").text
    assert re.search(r"Known on [\d-]+", text)
    assert "WH" not in text
    assert lead.get("/teaching/own/D09/1").status_code == 404


def test_an_analyst_sees_own_cases_and_a_physician_none(app):
    analyst, physician = Browser(app, raise_server_exceptions=False), Browser(app, raise_server_exceptions=False)
    analyst.sign_in("analyst")
    physician.sign_in("physician")
    own = analyst.get("/teaching/own")
    assert own.status_code == 200
    assert physician.get("/teaching/own").status_code == 404
    assert "/teaching/own" not in physician.get("/teaching").text
    pseudonym = re.search(r"/teaching/own/([0-9a-f]{16})/1", own.text)[1]
    assert physician.get(f"/teaching/own/{pseudonym}/1").status_code == 404
    assert physician.get("/teaching/demo/D09/1").status_code == 200
    assert physician.get("/teaching/elsewhere/D09/1").status_code == 404


def test_in_a_browser(tab):
    tab.goto("/teaching")
    assert axe(tab) == []
    tab.click('a[href="/teaching/demo/D36/1"]')
    tab.wait_for_selector("#choice")
    assert axe(tab) == []
    tab.select_option("#choice", "other")
    tab.fill("#why", "test")
    tab.click("main form button")
    tab.wait_for_selector("#went")
    assert axe(tab) == []
    tab.set_viewport_size({"width": 390, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.click('a[href="/teaching/demo/D36/2"]')
    tab.wait_for_selector("#choice")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.goto("/teaching/own")
    assert axe(tab) == []
