"""The facts that the pathway asks about, one row a patient, as of the day of the assessment.

Flags are true, false or null (unknown); a number that is known only within bounds is null beside `<name>_low` and `<name>_high`;
a category of which several answers remain has them joined by `|`. What charts rarely record as absent (`absent_unless_recorded` in
`facts.toml`) is false where nothing is recorded. `facts.toml` describes every fact in English and Chinese.
"""

from __future__ import annotations

import polars as pl

from ...assess.findings import Findings
from .bedside import bedside
from .care import care
from .cells_planned import cells_planned
from .disease import disease, relapse, transplant_eligible
from .exposure import exposure
from .ground import Ground
from .laboratory import extramedullary, laboratory, newest
from .mrd import mrd
from .response import durations
from .situation import SITUATIONS, situation
from .treatment import cells, first_line, maintenance, running, since


def facts(findings: Findings) -> pl.DataFrame:
    """The facts of every patient, in the order of `findings.status`; `at` is the day they hold for."""
    ground = Ground(findings)
    measured = newest(ground)
    where = situation(ground)
    of_line = relapse(ground, where["situation"])
    blank = ~ground.treated & ~where["situation"].is_in(SITUATIONS).fill_null(False)
    had = exposure(ground, blank)
    given, gone = had.select(pl.col("^exposed_.*$")), durations(ground, of_line["response"])
    treatment = pl.concat([first_line(ground), maintenance(ground), running(ground), cells(ground)], how="horizontal")
    parts = [
        findings.basis.status.select("patient", "at"), disease(ground), where, of_line, gone, mrd(ground), had,
        treatment.with_columns(pl.when(~blank).then(pl.all()).name.keep()), since(ground, given), cells_planned(ground),
        laboratory(ground, measured), bedside(ground, measured), care(ground),
    ]  # fmt: skip
    told = pl.concat(parts, how="horizontal").with_columns(extramedullary_disease=extramedullary(ground, measured, where["situation"]))
    return told.with_columns(transplant_eligible=transplant_eligible(told))


__all__ = ["facts"]
