"""A running server over a registry with the synthetic demo patients, users of every role, and a browser."""

import fcntl
import os
import shutil
import socket
import sys
import threading
import time
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("fastapi", reason="the extra `web` is not installed")
sys.path.append(str(Path(__file__).parent))

import uvicorn
from browsing import OWNER, PASSWORD, Browser

from bence import Chart
from bence.demo import demo_chart
from bence.registry import ROLES, Access, Store
from bence.web import Settings, create_app
from bence.web.pages.work import work_out

LOOKED_AT = ("D01", "D09")  # whose pages most tests open
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync")


@pytest.fixture(scope="session")
def demo_registry(tmp_path_factory, quick_hashes):
    """The file of a registry with the demo patients in the centre WH, and a user for each role, named like the role.

    It is made once for all workers, and the tests copy it. The hashes of these passwords are cheap ones: every test
    signs in, and none is about how long guessing takes.
    """
    home = tmp_path_factory.getbasetemp()
    home = home.parent if "PYTEST_XDIST_WORKER" in os.environ else home
    with (home / "demo_registry.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "demo_registry.db").exists():
            (home / "filling.db").unlink(missing_ok=True)  # of a worker who could not finish it
            fill(home / "filling.db", quick_hashes)
            (home / "filling.db").rename(home / "demo_registry.db")
    return home / "demo_registry.db"


def fill(path, quick_hashes):
    store = Store.create(path, {"WH": ("Wuhan", "武汉"), "YC": ("Yichang", "宜昌")}, OWNER)
    with quick_hashes():
        store.set_password(OWNER, "owner", PASSWORD)
        for role in ROLES:
            store.set_user(OWNER, role, [role], ["WH"])
            store.set_password(Access(role, [role], ["WH"]), role, PASSWORD)
    chart = demo_chart()
    people = chart.patients.with_columns(centre=pl.lit("WH"))
    store.import_chart(OWNER, Chart(people, chart.observations, chart.treatments, chart.events), "demo")
    work_out(store, OWNER, "china")  # once, as signing in leads to the work list
    store.close()
    look_at(path)


def look_at(path):
    """The pages of some patients are worked out once, in both languages, as after a change."""
    state = create_app(Settings(database=str(path))).state
    numbers = dict(state.registry.store.listed(OWNER).select("patient", "person").rows())
    people = [state.registry.store.person(OWNER, numbers[patient]) for patient in LOOKED_AT]
    for who, lang in zip(people, ("en", "zh"), strict=True):
        state.warmer.seen(who, lang)
    state.warmer.changed({who.number for who in people})
    state.warmer.finish()
    state.warmer.close()
    state.registry.close()


@pytest.fixture
def registry_file(demo_registry, tmp_path):
    """A copy that a test may write to."""
    shutil.copy(demo_registry, tmp_path / "registry.db")
    return tmp_path / "registry.db"


@pytest.fixture(scope="session")
def routed(tmp_path_factory):
    """An application whose routes are worked out once; what it serves is exchanged for every test."""
    return create_app(Settings(database=str(tmp_path_factory.mktemp("routed") / "none.db")))


@pytest.fixture
def serving(routed):
    """Serves settings, with nothing left of what was served before."""
    served = []

    def serve(**settings):
        fresh = create_app(Settings(**settings))
        api = next(route.app for route in routed.routes if getattr(route, "path", "") == "/api")
        routed.state = api.state = fresh.state
        served.append(fresh.state)
        return routed

    yield serve
    for state in served:
        state.warmer.close()
        state.registry.close()


@pytest.fixture
def app(serving, registry_file):
    return serving(database=str(registry_file))


@pytest.fixture
def client(app):
    return Browser(app, raise_server_exceptions=False)


@pytest.fixture
def lead(client):
    """The browser of the owner: administrator and lead of the centre."""
    client.sign_in("owner")
    return client


@pytest.fixture
def handle(app):
    """The handle of a patient by key."""
    registry = app.state.registry
    numbers = dict(registry.store.listed(OWNER).select("patient", "person").rows())
    return lambda patient: registry.handles.of(numbers[patient])


@pytest.fixture(scope="session")
def chromium():
    """A real browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium on this machine (apt-get install chromium)")
    with playwright.sync_playwright() as made:
        browser = made.chromium.launch(executable_path=program, args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def address(app):
    """The address of a running server."""
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        port = own.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(200):
        if server.started:
            break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def tab(chromium, address):
    """A tab of the browser in Chinese, signed in as the owner; at the end nothing has been asked of another host."""
    yield from signed_in("zh", chromium, address)


@pytest.fixture
def english_tab(chromium, address):
    """A tab in English, for what differs by language alone."""
    yield from signed_in("en", chromium, address)


def signed_in(lang, chromium, address):
    context = chromium.new_context(locale={"en": "en-GB", "zh": "zh-CN"}[lang], base_url=address)
    elsewhere, broken = [], []
    page = context.new_page()
    page.on("request", lambda sent: None if sent.url.startswith((address, "data:")) else elsewhere.append(sent.url))
    page.on("console", lambda told: broken.append(told.text) if told.type == "error" else None)
    page.goto("/sign-in")
    page.fill("#name", "owner")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/")
    yield page
    context.close()
    assert elsewhere == []
    assert broken == []
