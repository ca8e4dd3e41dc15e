"""How often one address may try a link that opens nothing: so often that nobody is shut out by mistake, and no more."""

from __future__ import annotations

import time
from collections import deque
from threading import Lock

MOST, SECONDS = 20, 900.0
ADDRESSES = 10_000  # remembered at once


class Tries:
    """The failed tries of each address within the last `SECONDS`, kept in memory."""

    def __init__(self) -> None:
        self._failed: dict[str, deque[float]] = {}
        self._lock = Lock()

    def too_many(self, whence: str) -> bool:
        """Has the address failed too often?"""
        with self._lock:
            return len(self._recent(whence)) >= MOST

    def failed(self, whence: str) -> None:
        """Note a failed try."""
        with self._lock:
            failed = self._recent(whence)
            failed.append(time.monotonic())
            if len(self._failed) >= ADDRESSES and whence not in self._failed:
                self._failed.pop(next(iter(self._failed)))
            self._failed[whence] = failed

    def _recent(self, whence: str) -> deque[float]:
        failed = self._failed.get(whence, deque(maxlen=MOST))
        while failed and failed[0] < time.monotonic() - SECONDS:
            failed.popleft()
        return failed
