"""The setting of the question: the region, what each label allows there, and who is recorded as unsuited to CAR-T cells."""

from __future__ import annotations

import polars as pl

from .columns import Columns
from .conditions import read
from .labels import labels
from .pathway import pathway

UNSUITED = (
    "frailty_imwg = frail or ecog >= 3 or lvef < 40 or nyha >= 3 or heart_failure = yes"
    " or palliative_care = yes or no_caregiver = yes or no_access = yes or rapid_progression = yes or declined_car_t = yes"
)
"""What the sources name (S2), with bounds that are a choice of Bence where they name none: ECOG 3, LVEF 40 %, NYHA III."""
LOST = "manufacturing_failure = yes or declined_car_t = yes"  # of collected cells nothing is to come
RECORDED = {
    "car_t_unsuited": UNSUITED,
    "bcma_loss_recorded": "tnfrsf17_status = biallelic_loss|mutation",
    "hypercalcaemia_now": "hypercalcaemia = yes or corrected_calcium > 2.75",
    "renal_failure_now": "renal_failure = yes or renal_insufficiency = yes",
    "gprc5d_loss_recorded": "gprc5d_status = biallelic_loss|mutation",
}


def settle(facts: pl.DataFrame, region: str) -> pl.DataFrame:
    """The facts with `region`, `label_<option>`, `car_t_within_label`, and what of RECORDED is on record: missing counts as no there."""
    used = facts.select(pl.col(pl.String).exclude("patient").unique().drop_nulls().sort().implode())
    facts = facts.with_columns(pl.col(name).cast(pl.Enum(words.item())) for name, words in used.to_dict().items())
    columns = Columns(facts)
    recorded = {name: read(text).truth(columns).yes for name, text in RECORDED.items()}
    recorded["apheresis_done"] = read("apheresis_done = yes").truth(columns).yes & ~read(LOST).truth(columns).yes
    told = facts.with_columns(region=pl.lit(region), **{name: pl.Series(holds) for name, holds in recorded.items()})
    return told.with_columns(**labels(pathway().options, told, region))
