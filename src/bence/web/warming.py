"""Pages worked out before anybody asks: after a change those of the patients whom it touched, one after the other, beside the requests.

Only what is looked at here: in the languages in which pages of patients were asked for since the server began; of a change that touches
many (an import) only the patients who were looked at. What a request asks for meanwhile is not worked out twice.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ..errors import BenceError
from ..registry import Person
from .dossier import advice_part, body, course_of
from .logs import LOG
from .visit import Reader

MOST = 50  # patients who wait; of a change that touches more, those who were looked at
LOOKED_AT = 500  # patients who are remembered


class Warmer:
    """Works out the pages of patients after a change. `reading`: makes the reader of a language, who may see everybody."""

    def __init__(self, reading: Callable[[str], Reader]) -> None:
        self._reading = reading
        self._looked_at: OrderedDict[int, None] = OrderedDict()
        self._langs: set[str] = set()
        self._waiting: OrderedDict[int, None] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False
        self._worker = ThreadPoolExecutor(1, "bence-warm")

    def seen(self, who: Person, lang: str) -> None:
        """The page of a patient was asked for."""
        with self._lock:
            self._langs.add(lang)
            self._looked_at[who.number] = None
            self._looked_at.move_to_end(who.number)
            if len(self._looked_at) > LOOKED_AT:
                self._looked_at.popitem(last=False)

    def changed(self, persons: set[int]) -> None:
        """These were touched by a change."""
        with self._lock:
            if self._closed or not self._langs:
                return
            few = persons if len(persons) <= MOST else [number for number in reversed(self._looked_at) if number in persons]
            for number in list(few)[: MOST - len(self._waiting)]:
                if number not in self._waiting:
                    self._waiting[number] = None
                    self._worker.submit(self._next)

    def close(self) -> None:
        """Finish the patient under way, and forget the others."""
        with self._lock:
            self._closed = True
        self._worker.shutdown(wait=True, cancel_futures=True)

    def finish(self) -> None:
        """Wait until nobody waits."""
        self._worker.submit(lambda: None).result()

    def _next(self) -> None:
        with self._lock:
            number, _ = self._waiting.popitem(last=False)
            langs = sorted(self._langs)
        for lang in langs:
            try:
                self._work_out(number, lang)
            except BenceError:  # nobody who has pages: gone on as another, without rows, without a diagnosis
                return
            except Exception:
                LOG.exception("a page could not be worked out beforehand")
                return

    def _work_out(self, number: int, lang: str) -> None:
        reader = self._reading(lang)
        who = reader.store.person(reader.access, number)
        body(reader, who, None, reader.settings.region)
        course_of(reader, who, None)
        advice_part(reader, who, None, reader.settings.region)
