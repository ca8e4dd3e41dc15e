"""Who works where in the tests of the registry, and small charts to put into it."""

from datetime import date

import polars as pl

from bence import Chart
from bence.chart import TABLES
from bence.registry import Access

HOMES = {"WH": ("Wuhan", "武汉"), "XA": ("Xi'an", "西安"), "YC": ("Yichang", "宜昌")}
ADMIN = Access("root", ["administrator"], HOMES)
LEAD = Access("wang", ["centre_lead"], ["WH"])
ENTRY = Access("chen", ["data_entry"], ["WH"])
PHYSICIAN = Access("li", ["physician"], ["WH"])
ANALYST = Access("sun", ["analyst"], ["WH"])
OTHER = Access("zhao", ["centre_lead"], ["XA"])
ALL = Access("hu", ["centre_lead"], HOMES)


def small(patient="P1", centre="WH", hemoglobin=(98.0, 102.0), **person):
    """A patient with some values of haemoglobin, a treatment and an event."""
    days = [date(2025, 1, 1 + i) for i in range(len(hemoglobin))]
    values = {"patient": patient, "on": days, "what": "hemoglobin", "value": list(hemoglobin), "unit": "g/L", "source": "lab.csv:2"}
    treatment = {"patient": [patient], "started_on": [date(2025, 1, 5)], "what": ["bortezomib"], "dose": [1.3], "dose_unit": ["mg/m2"]}
    return Chart(
        pl.DataFrame({"patient": [patient], "centre": [centre], "sex": ["female"], "born_on": ["1960"], **person}),
        pl.DataFrame({name: value if isinstance(value, list) else [value] * len(days) for name, value in values.items()}),
        pl.DataFrame(treatment),
        pl.DataFrame({"patient": [patient], "on": [date(2025, 1, 3)], "what": ["mm_diagnosis"]}),
    )


def with_rows(chart, **changed):
    """The chart with other tables in place of its own."""
    return Chart(*(changed.get(table, getattr(chart, table)) for table in TABLES))


def whole(chart):
    """The tables of a chart with their rows in one order, without the source: what it says."""
    return {table: rows(getattr(chart, table)) for table in TABLES}


def rows(frame):
    kept = [name for name in frame.columns if name != "source"]
    return sorted(frame.select(kept).rows(), key=repr)
