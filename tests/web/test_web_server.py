"""The server as a process: it prints the link of the first page, and whatever stops it leaves a registry that is whole."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import polars as pl
import pytest
from browsing import OWNER, PASSWORD

from bence.registry import Store

PATIENTS, ROWS = 40, 250


@pytest.fixture
def serve(tmp_path):
    """Starts `bence serve` in a process of its own; stopped at the end, whatever happened."""
    started = []

    def start(database):
        with socket.socket() as own:
            own.bind(("127.0.0.1", 0))
            port = own.getsockname()[1]
        command = [str(Path(sys.executable).with_name("bence")), "serve", "--database", str(database), "--port", str(port)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path, text=True)
        started.append(server)
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        for _ in range(300):
            try:
                client.get("/health")
                return server, client
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError("the server did not start")

    yield start
    for server in started:
        server.kill()
        server.wait()


def laboratory():
    """An export with many new rows."""
    people = "patient,centre\n" + "".join(f"N{i:03d},WH\n" for i in range(PATIENTS))
    rows = "patient,on,what,value,unit,sample\n" + "".join(
        f"N{i // ROWS:03d},2020-01-01,hemoglobin,{60 + (i % ROWS) / 4},g/L,{i}\n" for i in range(PATIENTS * ROWS)
    )
    return [("files", (f"{name}.csv", table.encode())) for name, table in (("observations", rows), ("patients", people))]


def test_a_new_server_prints_the_link_of_its_first_page(serve, tmp_path):
    server, client = serve(tmp_path / "new.db")
    assert client.get("/health").status_code == 503
    told = [server.stdout.readline() for _ in range(2)]
    link = re.search(r"http://\S+/first\?token=\S+", told[1])[0]
    assert 'name="code"' in client.get(link).text
    assert 'name="code"' not in client.get("/first?token=guessed").text


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_is_stopped_leaves_a_whole_registry(serve, registry_file, how):
    server, client = serve(registry_file)
    token = client.post("/api/sign-in", json={"name": "owner", "password": PASSWORD}).json()["token"]
    answers = []

    def bring_in():
        try:
            client.headers["authorization"] = f"Bearer {token}"
            answers.append(client.post("/api/imports", files=laboratory(), data={"why": "x", "dry_run": "false"}))
        except httpx.HTTPError:
            answers.append(None)

    importing = threading.Thread(target=bring_in)
    importing.start()
    time.sleep(0.6)
    server.send_signal(how)
    importing.join()
    assert server.wait(30) == -how
    store = Store(registry_file)
    assert store.verify(OWNER).whole
    new = store.chart(OWNER).observations.filter(pl.col("patient").str.starts_with("N")).height
    assert new in (0, PATIENTS * ROWS)
    if how == signal.SIGTERM:  # what was under way is finished
        assert answers[0] is not None
        assert answers[0].status_code == 200
        assert new == PATIENTS * ROWS
    store.close()
