"""What is gathered while exports are read: rows of the chart, refused cells, headings that are not read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from ..chart import DATED, SCHEMA, Chart, ordered
from . import light_chains
from .facts import events, observations, treatments
from .intake import BLANK, LINE, OUT, Intake
from .layout import Layout
from .people import People

READERS = {"observations": observations, "treatments": treatments, "events": events}
SOURCE = r"^(.*):(\d+)$"  # file:line


@dataclass
class Reading:
    """What the exports gave: the chart, and what was found on the way.

    `unread`: file, heading or item, how many cells, nearest code. `notes`: what a reader of the chart should know.
    """

    people: People = field(default_factory=People)
    tables: dict[str, list[pl.DataFrame]] = field(default_factory=lambda: {table: [] for table in DATED})
    light: list[pl.DataFrame] = field(default_factory=list)  # see `light_chains.SCHEMA`
    rejected: list[tuple] = field(default_factory=list)
    unread: list[tuple[str, str, int, str | None]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)
    chart: Chart = field(default_factory=lambda: Chart(pl.DataFrame(schema=SCHEMA["patients"])))

    def reject(
        self,
        layout: Layout,
        line: int,
        column: str,
        value: str,
        reason: str,
        expected: str = "",
        near: str | None = None,
    ) -> None:
        """Enter one cell into `rejected`."""
        self.rejected.append((layout.sheet.name, line, column, value, reason, expected, near))

    def take(
        self,
        table: str,
        layout: Layout,
        texts: pl.DataFrame,
        people: pl.DataFrame,
        headings: dict[str, str],
        at: int,
    ) -> pl.DataFrame:
        """Read rows of text with the reader of a table of the chart, and give the rows that stand.

        `headings`: the name in the table → the heading in the export; `at`: the column whose cells are judged.
        """
        taken = Intake(table, layout.sheet.name, texts, layout.sheet.decimal_comma, layout.sheet.excel)
        found = READERS[table](taken, people)
        lines = pl.concat([part["line"] for part in taken.rejected]) if taken.rejected else pl.Series([], dtype=pl.Int64)
        told = layout.frame.select(LINE, cell=layout.texts(at)).filter(pl.col(LINE).is_in(lines.implode()))
        cells = dict(told.iter_rows())
        for part in taken.rejected:
            for file, line, column, value, reason, expected, near in part.iter_rows():
                column = "value" if column == "unit" and not value else column  # no unit is a fault of the value
                cell = cells.get(line) if column in ("value", "text", "what") else value
                why = reason.removesuffix(OUT).removesuffix(BLANK)
                self.rejected.append((file, line, headings.get(column, column), cell, why, expected, near))
        self.tally["blank"] += taken.blank
        self.tally["collapsed"] += taken.collapsed
        self.tables[table].append(found)
        return found

    def once(self, table: str) -> pl.DataFrame:
        """All rows of a table, identical ones once."""
        whole = pl.concat([pl.DataFrame(schema=SCHEMA[table]), *self.tables[table]])
        once = whole.unique([c for c in whole.columns if c != "source"], keep="first", maintain_order=True)
        self.tally["collapsed"] += whole.height - once.height
        return ordered(once.lazy(), table).collect()

    def observations(self) -> pl.DataFrame:
        """The observations without the light chains whose unit cannot be true."""
        rows = self.once("observations")
        if not self.light:
            return rows
        values = pl.concat(self.light)
        bad = light_chains.contradicted(values)
        trapped = light_chains.out_of_band(values.join(bad, on=["file", "line", "what"], how="anti"))
        for part in (bad, trapped):
            columns = ("file", "line", "column", "cell", "reason", "expected")
            self.rejected += [(*row, None) for row in part.select(columns).iter_rows()]
        wrong = pl.concat([bad, trapped]).select("what", source=pl.format("{}:{}", "file", "line"))
        return rows.join(wrong, on=["what", "source"], how="anti", maintain_order="left")

    def finish(self) -> None:
        """Make the chart."""
        rows = self.observations()
        others = {table: self.once(table) for table in ("treatments", "events")}
        self.rejected += self.people.rejected
        rejected = pl.DataFrame(self.rejected, schema=SCHEMA["rejected"], orient="row").unique(maintain_order=True)
        rejected = rejected.sort("file", "line", "column", nulls_last=True, maintain_order=True)
        self.chart = Chart(self.people.frame(), rows, **others, rejected=rejected, tally=self.tally)


def lines_of(found: pl.DataFrame) -> pl.DataFrame:
    """The rows with `file` and `line` from their source."""
    parts = {
        "file": pl.col("source").str.extract(SOURCE, 1),
        "line": pl.col("source").str.extract(SOURCE, 2).cast(pl.Int64),
    }
    return found.with_columns(**parts)
