"""What the facts rest on: the findings of an assessment, with its chart as rows a patient's place (0, 1, ...) stands for.

Days are counted from 1970-01-01 and null where unknown. Everything here is as of the day of the assessment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from ...assess.courses import NO_DRUG, first_after, last_dose, placed
from ...assess.findings import Findings
from ...assess.inputs import age_column
from ...assess.intake import EPOCH, NEVER, place_of
from ...assess.wide import whole
from ...catalogue import codes_of
from ...cells import Numbers

DOSE_LASTS = 28  # days for which a single dose counts as being given
BLOOD = r"(?i)blood|^pb|plasma|serum|外周血|血液"  # samples of MRD that are not marrow
ONCE = ("CAR_T", "transplant")  # classes given on one day


@dataclass(frozen=True)
class Ground:
    """The findings of `n` patients in the order of `findings.status`."""

    findings: Findings

    @cached_property
    def ids(self) -> pl.Series:
        """The patients; a place is a position among them."""
        return self.findings.basis.status["patient"]

    @property
    def n(self) -> int:
        """How many patients there are."""
        return len(self.ids)

    @cached_property
    def day(self) -> int:
        """The day of the assessment; 0 for a chart without any date, in which nothing is dated."""
        at = self.findings.basis.at
        return (at - EPOCH).days if at else 0

    @cached_property
    def people(self) -> pl.DataFrame:
        """The patients of the chart, in order."""
        return self.findings.basis.known.patients.sort("patient")

    @cached_property
    def age(self) -> Numbers:
        """Age in completed years on the day, between two ends where only the year of birth is known."""
        dated = self.findings.basis.at is not None
        return age_column(self.people["born_on"], np.full(self.n, self.day if dated else NEVER))

    def whole(self, rows: pl.DataFrame) -> pl.DataFrame:
        """One row a patient: the columns of `rows` (at most one row each `place`), null where a patient has none."""
        return whole(rows, self.n)

    def has(self, places: pl.Series) -> pl.Series:
        """For every patient whether there is a row of his."""
        found = np.zeros(self.n, bool)
        found[places.to_numpy()] = True
        return pl.Series(found)

    def status(self, *names: str) -> pl.DataFrame:
        """Columns of the status as words: the answer, else what is possible, joined by `|`; null where anything is."""
        table, columns = self.findings.status, {}
        for name in names:
            answer = pl.col(name).cast(pl.String)
            if f"{name}_possible" in table.columns:
                answer = pl.coalesce(answer, pl.col(f"{name}_possible").cast(pl.String))
            columns[name] = answer
        return table.select(**columns)

    def answers(self, *names: str) -> pl.DataFrame:
        """Columns of the status that are yes or no, as flags."""
        return self.findings.status.select(
            **{name: pl.when(pl.col(name) == "yes").then(True).when(pl.col(name) == "no").then(False) for name in names}
        )

    @cached_property
    def lines(self) -> pl.DataFrame:
        """The lines of therapy by `place` and start, all dates as days; `following` is the start of the next.

        A clinical relapse on record is a progression here, as it is for refractoriness and for the count of lines.
        """
        dates = ("started_on", "progression_on", "unconfirmed_on", "transplant_on", "significant_paraprotein_relapse_on")
        words = [pl.col(name).cast(pl.String) for name in ("progression_state", "relapse_kind", "best_response")]
        rows = self.findings.lines.select(
            pl.col("line").cast(pl.Int64), *(pl.col(name).to_physical().cast(pl.Int64) for name in dates), *words,
            place=place_of(self.ids),
        ).sort("place", "started_on")  # fmt: skip
        relapses = self.happened("relapse_clinical").filter(~pl.col("absent"))
        seen = first_after(rows["place"].to_numpy(), rows["started_on"].to_numpy(), relapses["place"].to_numpy(), relapses["on"].to_numpy())
        rows = rows.with_columns(following=pl.col("started_on").shift(-1).over("place"), clinical=pl.Series(seen, dtype=pl.Int64))
        within = (pl.col("clinical") < NEVER) & (pl.col("clinical") <= pl.col("following")).fill_null(True)
        only = pl.col("progression_on").is_null() & within
        return rows.with_columns(
            progression_on=pl.when(only).then("clinical").otherwise("progression_on"),
            relapse_kind=pl.when(only).then(pl.lit("clinical")).otherwise("relapse_kind"),
        ).drop("clinical")  # fmt: skip

    @cached_property
    def last_line(self) -> pl.DataFrame:
        """The current line of every patient, one row a patient; null where there is none."""
        return self.whole(self.lines.group_by("place", maintain_order=True).last())

    @cached_property
    def doses(self) -> pl.DataFrame:
        """Treatment rows with a start: drug, class, line, phase, `start`, `stop` (null: not recorded), and `open`.

        `running`: given on the day. `open`: no stop is recorded though a later line has begun, so that it is not known until when
        it was given. `low` to `high` bound the day of the last dose.
        """
        codes = codes_of("drug", "procedure")
        drugs = self.findings.basis.drugs
        classes = {name: code.drug_class for name, code in codes.items()}
        rows = drugs.select(
            "row", "place", "what", "phase", pl.col("line").cast(pl.Int64),
            drug_class=pl.col("what").replace_strict(classes, default="", return_dtype=pl.String),
            start=pl.col("started_on").to_physical().cast(pl.Int64),
            stop=pl.Series(last_dose(drugs), dtype=pl.Int64),
        ).with_columns(stop=pl.when(pl.col("stop") < NEVER).then("stop"))  # fmt: skip
        now = self.last_line.select("line", "started_on").with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
        now = now.rename({"line": "_line", "started_on": "_began"})
        rows = rows.join(now, on="place", how="left", maintain_order="left")
        single = (pl.col("stop") == pl.col("start")) & (pl.col("stop") + DOSE_LASTS >= self.day) & ~pl.col("drug_class").is_in(ONCE)
        current = ((pl.col("line") >= pl.col("_line")) | (pl.col("start") >= pl.col("_began"))).fill_null(True)
        no_stop = pl.col("stop").is_null() & ~pl.col("drug_class").is_in(ONCE)
        rows = rows.with_columns(
            current=current, open=no_stop & ~current,
            running=(no_stop & current) | (pl.col("stop") >= self.day).fill_null(False) & ~pl.col("drug_class").is_in(ONCE)
            | single.fill_null(False),
        )  # fmt: skip
        ended = pl.when("running").then(self.day).otherwise("stop")
        return rows.with_columns(
            low=pl.coalesce(ended, "start"), high=pl.coalesce(ended, pl.when("open").then("_began"))
        ).drop("_line", "_began")  # fmt: skip

    @cached_property
    def drugs(self) -> pl.DataFrame:
        """The rows of `doses` that are drugs against the myeloma: no steroids, procedures, radiotherapy or supportive care."""
        return self.doses.filter(~pl.col("drug_class").is_in(["", *NO_DRUG]))

    @cached_property
    def given(self) -> pl.DataFrame:
        """The exposure table with `place`, without steroids and procedures."""
        rows = self.findings.exposure.with_columns(place=pl.Series(placed(self.findings.exposure, self.ids), dtype=pl.Int64))
        return rows.filter(~pl.col("drug_class").is_in(["", *NO_DRUG]))

    @cached_property
    def treated(self) -> pl.Series:
        """Whether any drug against the myeloma, or a transplant, is recorded."""
        transplants = self.doses.filter(pl.col("drug_class") == "transplant")["place"]
        return self.has(pl.concat([self.given["place"], transplants]))

    def happened(self, *kinds: str) -> pl.DataFrame:
        """Recorded events of these kinds: `place`, `kind`, `on`, `until`, `grade`, `text`, `absent` (its absence was recorded)."""
        return self.events.filter(pl.col("kind").is_in(list(kinds)))

    @cached_property
    def events(self) -> pl.DataFrame:
        """All dated events up to the day, sorted by patient, day and when they were recorded."""
        rows = self.findings.basis.known.scan("events").filter(pl.col("on").is_not_null() & pl.col("what").is_not_null()).select(
            "grade", "text", place=place_of(self.ids), kind="what", on=pl.col("on").to_physical().cast(pl.Int64),
            until=pl.col("until").to_physical().cast(pl.Int64), recorded=pl.col("recorded_on"),
            absent=(pl.col("text") == "none").fill_null(False) | (pl.col("grade") == 0).fill_null(False),
        ).collect()  # fmt: skip
        order = ("place", "kind", "on", "recorded", "absent", "grade", "until", "text")
        return rows.sort(order, descending=[name == "absent" for name in order])

    @cached_property
    def mrd(self) -> pl.DataFrame:
        """Valid MRD tests of the marrow within the current line: `place`, `on`, the claims, `line_on`; sorted by day."""
        began = self.last_line.select(line_on="started_on").with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
        rows = self.findings.mrd.filter(pl.col("claim").is_not_null()).with_columns(
            pl.col("on").to_physical().cast(pl.Int64), *(pl.col(f"claim_{level}").cast(pl.String) for level in ("1e4", "1e5", "1e6")),
            place=place_of(self.ids),
        )  # fmt: skip
        marrow = ~pl.col("sample").str.contains(BLOOD).fill_null(False)
        own = rows.filter(marrow).join(began, on="place", how="left")
        return own.filter(pl.col("on") >= pl.col("line_on")).sort("place", "on", "method")


def months(start: pl.Expr, end: pl.Expr | int) -> pl.Expr:
    """Calendar months from one day to another: a whole number on the same day of a month, between them days as parts of 31."""
    first, last = (each.cast(pl.Int32).cast(pl.Date) for each in (start, pl.lit(end) if isinstance(end, int) else end))
    whole = (last.dt.year() - first.dt.year()) * 12 + last.dt.month().cast(pl.Int32) - first.dt.month().cast(pl.Int32)
    days = last.dt.day().cast(pl.Float64) - first.dt.day().cast(pl.Float64)
    return (whole.cast(pl.Float64) + days / 31).round(6)


def weeks(start: pl.Expr, end: int) -> pl.Expr:
    """Weeks from one day to another."""
    return ((end - start).cast(pl.Float64) / 7).round(6)


def days(start: pl.Expr, end: int) -> pl.Expr:
    """Days from one day to another."""
    return (end - start).cast(pl.Float64)


def bounded(name: str, low: pl.Expr, high: pl.Expr) -> list[pl.Expr]:
    """A number that lies between two values: `name` where they are the same, and both ends."""
    return [pl.when(low == high).then(low).alias(name), low.alias(f"{name}_low"), high.alias(f"{name}_high")]


def words(answers: Sequence[tuple[str, pl.Expr]]) -> pl.Expr:
    """The words whose condition holds (three-valued: null leaves a word possible), joined by `|`; null where none or all do."""
    left = [pl.when(condition.fill_null(True)).then(pl.lit(word)) for word, condition in answers]
    said = pl.concat_str(left, separator="|", ignore_nulls=True)
    return pl.when(~said.is_in(["", "|".join(word for word, _ in answers)])).then(said)
