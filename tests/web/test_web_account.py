"""Signing in and out, passwords, users, languages, and what the server never gives away."""

import json

import pytest
from browsing import PASSWORD, Browser
from catching import caught

from bence.registry import Store
from bence.web import Settings, create_app
from bence.web.logs import AsJson
from bence.web.security import HEADERS

PAGES = ("/", "/patients", "/people", "/password", "/mdt", "/cohort", "/import")


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_shown_to_who_is_not_signed_in(client, path):
    answer = client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_a_wrong_password_is_refused_in_both_languages(client):
    for lang, words in (("en", "do not fit"), ("zh", "不符")):
        client.cookies.set("lang", lang)
        answer = client.post("/sign-in", data={"name": "owner", "password": "wrong"})
        assert answer.status_code == 401
        assert words in answer.text
        assert "bence_session" not in answer.cookies


def test_the_cookie_of_a_session_is_out_of_reach_of_scripts_and_other_sites(client):
    answer = client.post("/sign-in", data={"name": "owner", "password": PASSWORD}, follow_redirects=False)
    assert {"HttpOnly", "SameSite=strict"} <= set(answer.headers["set-cookie"].split("; "))
    assert "Secure" not in answer.headers["set-cookie"]


def test_the_cookie_is_secure_where_the_pages_are(registry_file):
    client = Browser(
        create_app(Settings(database=str(registry_file), public_url="https://bence.example")), base_url="https://bence.example"
    )
    answer = client.post("/sign-in", data={"name": "owner", "password": PASSWORD}, follow_redirects=False)
    assert "Secure" in answer.headers["set-cookie"].split("; ")
    assert "Strict-Transport-Security" in answer.headers


def test_signed_out_is_out(lead):
    old = lead.cookies["bence_session"]
    assert lead.get("/patients").status_code == 200
    lead.submit("/sign-out")
    lead.cookies.set("bence_session", old)
    assert lead.get("/patients", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_a_form_without_the_token_of_the_session_is_refused(lead, token):
    answer = lead.post("/people/centre", data={"csrf": token, "code": "XX", "en": "X", "zh": "某"})
    assert answer.status_code == 403
    assert "XX" not in lead.app.state.registry.store.centres()


def test_a_sign_in_form_of_another_site_is_refused(client):
    answer = client.post("/sign-in", data={"name": "owner", "password": PASSWORD}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_every_answer_carries_the_headers(lead):
    for path in ("/patients", "/nowhere", "/static/style.css", "/sign-in"):
        answer = lead.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert answer.headers["Cache-Control"] == ("private, max-age=3600" if "static" in path else "no-store")


def test_a_password_given_by_the_administrator_must_be_changed_first(lead, app):
    shown = lead.submit("/people/password", name="physician").text
    drawn = shown.split("<code>")[1].split("</code>")[0]
    other = Browser(app)
    other.sign_in("physician", drawn)
    assert other.get("/patients").url.path == "/password"
    assert other.submit("/password", old=drawn, new="my own long password", again="my own").status_code == 422
    assert other.submit("/password", old=drawn, new="short", again="short").status_code == 422
    assert other.submit("/password", old=drawn, new="my own long password", again="my own long password").status_code == 200
    assert other.get("/patients").url.path == "/patients"


def test_only_the_administrator_sees_the_users(client):
    client.sign_in("physician")
    assert client.get("/people").status_code == 404
    assert client.submit("/people", name="physician", roles="administrator", centres="WH", active="true").status_code == 404
    assert "/people" not in client.get("/patients").text


def test_the_administrator_enters_and_bars_users(lead, app):
    lead.submit("/people", name="li", roles=["physician", "mdt_chair"], centres=["WH", "YC"], active="true")
    store = app.state.registry.store
    assert store.access("li").roles == ("mdt_chair", "physician")
    assert store.access("li").centres == ("WH", "YC")
    lead.submit("/people", name="li", roles=["physician"], centres=["WH"])
    with pytest.raises(Exception, match="not a user"):
        store.access("li")


def test_the_language_is_kept(client):
    answer = client.get("/lang/zh", params={"back": "/sign-in"})
    assert answer.url.path == "/sign-in"
    assert "登录" in answer.text
    assert 'href="/lang/en?back=/sign-in"' in answer.text
    for astray in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"):
        assert client.get("/lang/zh", params={"back": astray}, follow_redirects=False).headers["location"] == "/"


def test_the_log_has_no_names_no_addresses_and_no_handles(lead, handle, app):
    with caught(AsJson().format) as lines:
        lead.get(f"/patients/{handle('D01')}")
        lead.get("/patients?word=D01")
        lead.post("/sign-in", data={"name": "owner", "password": "a very secret word"})
        lead.get("/nowhere/D01")
    assert len(lines) >= 4
    told = [json.loads(line) for line in lines]
    assert all(set(line) <= {"at", "level", "method", "path", "status", "ms"} for line in told)
    assert not any(word in line for line in lines for word in ("D01", handle("D01"), "owner", "secret", "testclient"))


def test_the_first_page_makes_a_registry_for_who_has_the_link(tmp_path):
    app = create_app(Settings(database=str(tmp_path / "new.db")))
    app.state.first_token = "printed-on-the-terminal"
    client = Browser(app)
    assert client.get("/").url.path == "/first"
    fields = {"name": "wang", "password": PASSWORD, "again": PASSWORD, "code": "WH", "zh": "武汉", "en": "", "demo": "true"}
    assert client.post("/first", data=fields | {"token": "guessed"}).status_code == 403
    assert not (tmp_path / "new.db").exists()
    assert client.post("/first", data=fields | {"token": "printed-on-the-terminal", "again": "x"}).status_code == 422
    assert not (tmp_path / "new.db").exists()
    client.post("/first", data=fields | {"token": "printed-on-the-terminal"})
    assert "D01" in client.get("/patients").text
    assert (
        client.post("/first", data=fields | {"token": "printed-on-the-terminal"}, follow_redirects=False).headers["location"] == "/sign-in"
    )
    assert Store(tmp_path / "new.db").access("wang").roles == ("administrator", "centre_lead")


def test_handles_tell_nothing_and_cannot_be_made_up(app, handle):
    handles = app.state.registry.handles
    assert handles.number(handle("D01")) is not None
    first, second = handles.of(1), handles.of(2)
    assert first[:8] != second[:8]
    for made_up in ("1", "", "AAAA", first[:-1] + ("A" if first[-1] != "A" else "B"), "ü", first + "AAAA"):
        assert handles.number(made_up) is None
