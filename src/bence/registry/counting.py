"""How many patients there are of each kind, with small cells masked for those who may see no identified patient."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import sqlalchemy as sa

from ..catalogue import nearest
from ..errors import UsageError
from . import audit
from .access import Access
from .bulk import frame_of
from .database import Database
from .models import VERSIONS, persons
from .reading import versions
from .scope import reached

COLUMNS = ("centre", "sex", "heavy_chain", "light_chain")
SMALLEST = 5  # patients in a cell that may be shown


def count(database: Database, access: Access, by: Sequence[str], smallest: int = SMALLEST) -> pl.DataFrame:
    """Own patients counted by columns: `patients`, null where `masked`.

    Who may not read identified patients sees no cell of fewer than `smallest` (at least 5), nor the next cell that would give a
    single masked one away by subtraction.
    """
    for name in by:
        if name not in COLUMNS:
            raise UsageError(f"patients are not counted by {name!r}", expected=", ".join(COLUMNS), nearest=nearest(name, COLUMNS))
    with database.transaction(access.centres, write=True) as connection:
        kept = VERSIONS["patients"]
        rows = frame_of(connection, versions("patients").where(kept.c.person.in_(reached(access, "count"))))
        homes = frame_of(connection, sa.select(persons.c.id.label("person"), persons.c.centre))
        audit.append(connection, access, "count", [], {"by": list(by)})
    table = rows.join(homes, on="person").group_by(list(by)).len("patients") if by else rows.select(patients=pl.len())
    table = table.sort(by, nulls_last=True) if by else table
    return mask(table, 0 if access.reach("read") else max(smallest, SMALLEST))


def mask(table: pl.DataFrame, smallest: int) -> pl.DataFrame:
    """A table of counts with the cells of fewer than `smallest` masked; of one masked cell the next smallest is masked too."""
    table = table.with_columns(masked=pl.col("patients") < smallest)
    if table["masked"].sum() == 1 and table.height > 1:
        shown = table.with_row_index("place").filter(~pl.col("masked")).sort("patients", "place")
        table = table.with_columns(masked=pl.col("masked") | (pl.int_range(pl.len()) == shown["place"][0]))
    return table.with_columns(patients=pl.when(~pl.col("masked")).then("patients"))
