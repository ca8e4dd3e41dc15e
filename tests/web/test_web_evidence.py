"""The evidence base in a browser: search, records, tables, the forest plot, the network, and links between them."""

import re
from html import unescape

import pytest
from browsing import Browser, axe

from bence.evidence import KINDS, keys, records
from bence.evidence.links import holding, named_in, naming
from bence.evidence.show import record_text
from bence.evidence.tables import TABLES, table
from bence.web.network import network
from bence.web.svg import presented


def words(html):
    return "".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def test_search_finds_in_either_language_and_name_comes_first(lead):
    for word in ("teclistamab", "特立妥单抗"):
        assert 'href="/evidence/teclistamab"' in lead.get("/evidence", params={"word": word}).text
    assert holding("midas")["key"][0] == "midas"
    assert set(holding("TNFRSF17")["key"]) >= {"bcma", "bcma-loss"}
    assert "Nothing has this word" in lead.get("/evidence?word=zzzzz").text
    assert holding("", "drugs").height == len(keys("drugs"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_has_every_fact_tag_and_source(lead, kind):
    for key in (keys(kind)[0], keys(kind)[-1]):
        page = words(lead.get(f"/evidence/{key}").text)
        for line in re.split(r"\n  - |\n(?=\S)|\n\n", record_text(key).rpartition("\n\n")[0])[1:]:
            assert "".join(line.split()).replace("—", "—") in page or words(line).split(":")[0] in page, line
        for fact in [each for value in records(kind)[key].values() if isinstance(value, list) for each in value if isinstance(each, dict)]:
            assert "".join(fact["source"].split()) in page


def test_a_record_is_found_by_name_and_what_is_not_there_is_not(lead):
    assert lead.get("/evidence/Tecvayli", follow_redirects=False).status_code in (303, 404)
    assert lead.get("/evidence/MIDAS (IFM 2020-02)").url.path == "/evidence/midas"
    for path in ("/evidence/no-such-thing", "/evidence/tables/nothing", "/evidence?kind=nothing", "/evidence/network?on=nothing"):
        assert lead.get(path).status_code == 404


def test_links_go_both_ways():
    assert "bcma" in named_in("teclistamab")
    assert "teclistamab" in naming("bcma")
    assert "midas" in named_in("E01")
    assert all(key not in named_in(key) for kind in KINDS for key in keys(kind))


def test_every_link_of_a_record_leads_somewhere(lead):
    for key in ("midas", "teclistamab", "bcma-loss", "emn-2025", "E01"):
        for address in set(re.findall(r'href="/evidence/([^"/?]+)"', lead.get(f"/evidence/{key}").text)):
            assert any(address in keys(kind) for kind in KINDS) or address == "network"


def test_a_statement_of_a_guideline_has_an_anchor(lead):
    assert '<li id="car-t-first">' in lead.get("/evidence/emn-2025").text


@pytest.mark.parametrize("name", [name for name in TABLES if name != "network"])
def test_a_table_has_every_cell(lead, name):
    page = lead.get(f"/evidence/tables/{name}").text
    shown = words(page)
    for row in table(name).rows():
        assert all("".join(str(cell).split()) in shown for cell in row if cell is not None)
    warning = re.search(r'class="refused">(.*?)</p>', page)
    assert bool(warning and "not comparable" in warning[1]) == name.startswith("agents-")
    assert not re.search(r"\sstyle=|<style", page)


def test_the_forest_plot_carries_its_warning(lead):
    page = lead.get("/evidence/tables/agents-bcma").text
    picture = re.search(r"<svg viewBox.*?</svg>", page, re.DOTALL)[0]
    assert "not comparable" in picture
    assert "MajesTEC-1" in picture


def test_a_picture_without_styles_says_the_same():
    body = (
        '<defs>\n  <style type="text/css">*{x}</style>\n </defs><g><path style="fill: none; stroke-width: 0.5"/>'
        "<text style=\"font-family: 'A'; fill: #fff\">a &lt; b</text></g>"
    )
    assert presented(body) == (
        '<g stroke-linejoin="round" stroke-linecap="butt"><g><path fill="none" stroke-width="0.5"/>'
        '<text fill="#fff">a &lt; b</text></g></g>'
    )  # fmt: skip


@pytest.mark.parametrize("on", ["car_t", "pathway"])
def test_the_network_has_every_mechanism_and_every_link(lead, on):
    drawn = network(on, "en")
    assert sorted(node.key for node in drawn["nodes"] if node.key) == sorted(keys("mechanisms"))
    assert len(drawn["arrows"]) == sum(len(record.get("links", ())) for record in records("mechanisms").values())
    places = [(node.x, node.y) for node in drawn["nodes"]]
    assert len(places) == len(set(places))
    for key, record in records("mechanisms").items():
        ways = {each["direction"] for each in record.get("effects", ()) if each["on"] == on}
        shape = {frozenset(): "○", frozenset({"weakens"}): "▼", frozenset({"strengthens"}): "▲"}.get(frozenset(ways), "◆")
        assert next(node.shape for node in drawn["nodes"] if node.key == key) == shape


def test_the_advice_links_to_its_evidence(lead, handle):
    part = lead.get(f"/patients/{handle('D09')}/advice").text
    addresses = set(re.findall(r'href="/evidence/([^"]+)"', part))
    assert addresses
    assert all(lead.get(f"/evidence/{address}").status_code == 200 for address in sorted(addresses)[:5])


def test_evidence_is_for_who_is_signed_in(client, app):
    assert client.get("/evidence", follow_redirects=False).status_code == 303
    analyst = Browser(app)
    analyst.sign_in("analyst")
    assert analyst.get("/evidence").status_code == 200


def test_in_a_browser(tab):
    tab.goto("/evidence")
    tab.fill("#word", "BCMA")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/evidence?word=BCMA*")
    assert axe(tab) == []
    tab.click('a[href="/evidence/bcma"]')
    tab.wait_for_url("**/evidence/bcma")
    assert axe(tab) == []
    tab.goto("/evidence/tables/agents-bcma")
    assert axe(tab) == []
    tab.goto("/evidence/network?on=bispecific")
    assert axe(tab) == []
    tab.locator('svg.network a[href="/evidence/bcma-loss"]').focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/evidence/bcma-loss")
    tab.set_viewport_size({"width": 390, "height": 800})
    for path in ("/evidence", "/evidence/network", "/evidence/tables/agents-bcma", "/evidence/midas", "/evidence/tables/approvals"):
        tab.goto(path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
