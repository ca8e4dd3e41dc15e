"""What the pages of a registry cost under load: import, patient pages, advice and CDS Hooks for 20 users at once.

    python bench/web.py WHERE [--patients 10000] [--users 20] [--seconds 20] [--pause 1.0] [--visited 100]

WHERE: a new file (SQLite), or the address of an empty PostgreSQL database. The server runs in a process of its own. Some patients
are visited once: what is worked out then is kept until a row changes. After that the users ask for the pages of these, each reads for
`pause` seconds (0: asks again at once), and so on. Times are those of the client.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median, quantiles

import httpx
import polars as pl

from bence import read
from bence.fhir import to_fhir
from bence.registry import Access, Store
from cohort import write_cohort

OWNER = Access("owner", ["administrator", "centre_lead"], ["WH"])
PASSWORD = "correct horse battery"
PORT = 8765
BASE = f"http://127.0.0.1:{PORT}"
Asking = Callable[[httpx.AsyncClient], Awaitable[int]]


def main() -> None:
    """Fill a registry, serve it, and ask."""
    said = argparse.ArgumentParser(description=__doc__)
    said.add_argument("where")
    said.add_argument("--patients", type=int, default=10_000)
    said.add_argument("--users", type=int, default=20)
    said.add_argument("--seconds", type=float, default=20)
    said.add_argument("--visited", type=int, default=100, help="patients whose pages are asked for; each is visited once before")
    said.add_argument("--pause", type=float, default=1.0)
    given = said.parse_args()
    with tempfile.TemporaryDirectory() as home:
        folder = write_cohort(Path(home), given.patients)
        people = pl.read_parquet(folder / "patients.parquet")
        people.with_columns(centre=pl.lit("WH")).write_parquet(folder / "patients.parquet")
        fill(given.where, folder)
        calls = hooks(folder)
    server = subprocess.Popen(
        [Path(sys.executable).with_name("bence"), "serve", "--database", given.where, "--port", str(PORT)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait()
        asyncio.run(measure(given, calls))
        print(f"{'memory of the server':44s}{memory(server.pid):9.0f} MB")
    finally:
        server.terminate()
        server.wait(30)


def fill(where: str, folder: Path) -> None:
    """Import the cohort, and give the owner a password."""
    store = Store.create(where, {"WH": ("Wuhan", "武汉")}, OWNER)
    store.set_password(OWNER, "owner", PASSWORD)
    start = time.perf_counter()
    done = store.import_chart(OWNER, folder, "bench")
    took = time.perf_counter() - start
    print(f"{'import':44s}{took:9.1f} s{done.rows.height / took:12,.0f} rows/s", flush=True)
    store.close()


def hooks(folder: Path, n: int = 200) -> list[bytes]:
    """Calls of CDS Hooks with the resources of some patients."""
    chart = read(folder)
    calls = []
    for i, patient in enumerate(chart.patients["patient"].head(n)):
        resources = [entry["resource"] for entry in to_fhir(chart.only(patient))["entry"]]
        kinds = {"observations": "Observation", "conditions": "Condition", "administrations": "MedicationAdministration"}
        fetched = {name: {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in resources
                   if each["resourceType"] == kind]} for name, kind in kinds.items()}  # fmt: skip
        person = next(each for each in resources if each["resourceType"] == "Patient")
        call = {"hook": "patient-view", "hookInstance": f"00000000-0000-4000-8000-{i:012d}", "context": {"patientId": patient}}
        calls.append(json.dumps(call | {"prefetch": {"patient": person, **fetched}}).encode())
    return calls


def wait() -> None:
    """Until the server answers."""
    for _ in range(300):
        try:
            if httpx.get(f"{BASE}/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit("the server did not start")


async def measure(given: argparse.Namespace, calls: list[bytes]) -> None:
    """Sign in, and let the users ask for each kind of page in turn."""
    async with httpx.AsyncClient(base_url=BASE, limits=httpx.Limits(max_connections=given.users), timeout=60) as client:
        token = (await client.post("/api/sign-in", json={"name": "owner", "password": PASSWORD})).json()["token"]
        client.headers["authorization"] = f"Bearer {token}"
        start = time.perf_counter()
        handles = [row["handle"] for row in (await client.get("/api/patients")).json()]
        print(f"{'list of all patients':44s}{time.perf_counter() - start:9.2f} s", flush=True)
        start = time.perf_counter()
        (await client.get("/")).raise_for_status()
        while "hx-refresh" not in (await client.get("/work/outstanding")).headers:
            await asyncio.sleep(2)
        print(f"{'work list worked out for all, the first time':44s}{time.perf_counter() - start:9.1f} s", flush=True)
        start = time.perf_counter()
        (await client.get("/")).raise_for_status()
        print(f"{'work list, shown again':44s}{time.perf_counter() - start:9.2f} s", flush=True)
        luck = random.Random(7)
        visited = luck.sample(handles, min(given.visited, len(handles)))
        first = []
        for handle in visited:
            for page in ("", "/advice"):
                start = time.perf_counter()
                (await client.get(f"/patients/{handle}{page}")).raise_for_status()
                first.append(time.perf_counter() - start)
        print(f"{'page and advice, first visit, one user':44s}p50 {1000 * median(first):6.0f} ms each", flush=True)
        new, seen = iter(calls), calls[:20]
        kinds: dict[str, Asking] = {
            "patient page": lambda asked: status(asked.get(f"/patients/{luck.choice(visited)}")),
            "patient page, data of the course": lambda asked: status(asked.get(f"/patients/{luck.choice(visited)}/course.json")),
            "advice panel": lambda asked: status(asked.get(f"/patients/{luck.choice(visited)}/advice")),
            "CDS Hooks, patient-view": lambda asked: status(hook(asked, next(new, None) or luck.choice(calls))),
            "CDS Hooks, patient-view, again within a visit": lambda asked: status(hook(asked, luck.choice(seen))),
        }
        for name, ask in kinds.items():
            for _ in range(3):
                await ask(client)
            await load(name, ask, client, given)


def hook(client: httpx.AsyncClient, call: bytes) -> Awaitable[httpx.Response]:
    """Call a hook with the resources of a patient."""
    return client.post("/cds-services/bence-patient-view", content=call, headers={"content-type": "application/json"})


async def status(asked: Awaitable[httpx.Response]) -> int:
    """The status of an answer."""
    return (await asked).status_code


async def load(name: str, ask: Asking, client: httpx.AsyncClient, given: argparse.Namespace) -> None:
    """So many users for so long; prints how long they waited."""
    until = time.perf_counter() + given.seconds
    waited: list[float] = []
    refused: list[int] = []

    async def user() -> None:
        await asyncio.sleep(random.random() * given.pause)
        while time.perf_counter() < until:
            start = time.perf_counter()
            code = await ask(client)
            waited.append(time.perf_counter() - start)
            refused.extend([code] if code != 200 else [])
            await asyncio.sleep(given.pause)

    await asyncio.gather(*(user() for _ in range(given.users)))
    cuts = quantiles(waited, n=20)
    told = f"p50 {1000 * cuts[9]:6.0f} ms   p95 {1000 * cuts[18]:6.0f} ms   {len(waited) / given.seconds:6.1f} a second"
    print(f"{name:44s}{told}{f'   {len(refused)} refused: {set(refused)}' if refused else ''}", flush=True)


def memory(pid: int) -> float:
    """The resident memory of a process, in MB (Linux)."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024  # type: ignore[index]


if __name__ == "__main__":
    main()
