"""The shared time axis of a picture: first and last day, lines of therapy, progressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from .ladder import Progression
from .words import PICTURE


@dataclass(frozen=True)
class Course:
    """What every panel knows: the time axis, lines of therapy (number, start, end), progressions, death, language."""

    first: date
    last: date
    lines: tuple[tuple[int, date, date], ...]
    progressed: tuple[Progression, ...]
    died: date | None
    lang: str

    @property
    def words(self) -> Mapping[str, str]:
        """The words of the picture."""
        return PICTURE[self.lang]

    @property
    def starts(self) -> list[date]:
        """The first days of the lines."""
        return [start for _, start, _ in self.lines]

    @property
    def margin(self) -> float:
        """Room left and right of the dates, in days."""
        return max(10.0, 0.02 * (self.last - self.first).days)
