"""Imports on their way in: files wait on the server, for the session that sent them and no longer than needed, while they are looked at.

What takes long runs beside the requests; a page asks how far it is.
"""

from __future__ import annotations

import secrets
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ..chart import Chart
from ..errors import BenceError, UsageError
from ..read import exports_in, read
from ..read.headed import Headed, headed
from ..registry import Access, AccessError, Imported, Store
from .logs import LOG

PATIENCE = 30 * 60  # seconds after the last look, then it is deleted
AT_ONCE = 2  # imports that are read at the same time; others wait
MOST = 3  # imports of one session that wait; the oldest makes room


@dataclass
class Incoming:
    """Files on their way in. `state`: reading, read, importing, imported, failed."""

    owner: str
    why: str
    centre: str
    place: tempfile.TemporaryDirectory[str] = field(default_factory=lambda: tempfile.TemporaryDirectory(prefix="bence-import-"))
    state: str = "reading"
    fault: BenceError | None = None
    broken: bool = False
    headed: Headed | None = None
    chart: Chart | None = None
    plan: Imported | None = None
    done: threading.Event = field(default_factory=threading.Event)
    since: float = field(default_factory=time.monotonic)
    seen: float = field(default_factory=time.monotonic)

    @property
    def files(self) -> Path:
        """The folder with the files."""
        return Path(self.place.name) / "files"

    @property
    def mapping(self) -> Path:
        """The mapping file, if there is one."""
        return Path(self.place.name) / "mapping.toml"

    @property
    def mapping_text(self) -> str:
        """The text of the mapping file; empty if there is none."""
        return self.mapping.read_text("utf-8-sig") if self.mapping.exists() else ""

    def forget(self) -> None:
        """Delete the files, and what was read from them."""
        self.chart = self.headed = None
        self.place.cleanup()


class Waiting:
    """The imports that wait, by name. Only the session that brought one is told of it."""

    def __init__(self) -> None:
        self._all: dict[str, Incoming] = {}
        self._lock = threading.Lock()
        self._workers = ThreadPoolExecutor(AT_ONCE, "bence-import")
        self._clock: threading.Timer | None = None

    def take(self, owner: str, why: str, centre: str) -> tuple[str, Incoming]:
        """Make room for files of a session; returns the name by which it asks for them."""
        name, made = secrets.token_urlsafe(16), Incoming(owner, why, centre)
        made.files.mkdir()
        with self._lock:
            mine = [key for key, each in self._all.items() if each.owner == owner and each.state not in ("reading", "importing")]
            for key in mine[: max(0, len(mine) - MOST + 1)]:
                self._all.pop(key).forget()
            self._all[name] = made
        self._sweep()
        return name, made

    def of(self, owner: str, name: str) -> Incoming:
        """An import of a session; AccessError for any other."""
        found = self._all.get(name)
        if found is None or not secrets.compare_digest(found.owner, owner):
            raise AccessError("there is no such import of this session")
        found.seen = time.monotonic()
        return found

    def drop(self, owner: str, name: str) -> None:
        """Delete an import of a session."""
        found = self.of(owner, name)
        if found.state == "importing":
            raise UsageError("this import is under way")
        with self._lock:
            self._all.pop(name, None)
        found.forget()

    def look(self, store: Store, access: Access, one: Incoming) -> None:
        """Read the files and see what an import would do, beside the request."""

        def looking() -> None:
            mapping = one.mapping if one.mapping.exists() else None
            exports = exports_in(one.files, mapping)
            one.headed = headed(exports, mapping) if exports else None
            one.chart = read(one.files, mapping)
            one.plan = store.import_chart(access, one.chart, one.why, one.centre or None, dry_run=True)

        self._begin(one, "reading", "read", looking)

    def bring_in(self, store: Store, access: Access, one: Incoming) -> None:
        """Import what was looked at, beside the request; then the files go. UsageError unless it was looked at."""
        with self._lock:
            if one.state != "read" or one.chart is None:
                raise UsageError("there is nothing to import yet, or it is under way")
            chart = one.chart
            one.state = "importing"

        def importing() -> None:
            one.plan = store.import_chart(access, chart, one.why, one.centre or None)
            one.forget()

        self._begin(one, "importing", "imported", importing)

    def close(self) -> None:
        """Finish what is under way, and delete all files."""
        self._workers.shutdown(wait=True, cancel_futures=True)
        if self._clock is not None:
            self._clock.cancel()
        for each in self._all.values():
            each.forget()
        self._all.clear()

    def _begin(self, one: Incoming, state: str, then: str, work: Callable[[], None]) -> None:
        one.state, one.since, one.fault, one.broken = state, time.monotonic(), None, False
        one.done.clear()

        def working() -> None:
            try:
                work()
                one.state = then
            except BenceError as error:
                one.fault, one.state = error, "failed"
            except Exception:
                LOG.exception("an import broke off")
                one.broken, one.state = True, "failed"
            finally:
                one.seen = time.monotonic()
                one.done.set()

        self._workers.submit(working)

    def _sweep(self) -> None:
        """Delete what nobody has looked at for long, and come again while anything waits."""
        now = time.monotonic()
        with self._lock:
            busy = ("reading", "importing")
            old = [key for key, each in self._all.items() if each.state not in busy and now - each.seen > PATIENCE]
            gone = [self._all.pop(key) for key in old]
            if self._clock is not None:
                self._clock.cancel()
            self._clock = threading.Timer(60, self._sweep) if self._all else None
            if self._clock is not None:
                self._clock.daemon = True
                self._clock.start()
        for each in gone:
            each.forget()
