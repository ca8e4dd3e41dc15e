"""A cohort of virtual people with their records: drawn, taken through a protocol, recorded."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from ..chart import TABLES, Chart
from .course import run
from .people import draw_people
from .populations import read_population
from .protocols import read_protocol
from .records import records

TOGETHER = 2500  # people simulated at once


def virtual_cohort(population: str, people: int, seed: int, protocol: str | None = None, *, first: int = 0) -> Chart:
    """The chart of people of a population from number `first` on, after a protocol (None: the population's own). Synthetic.

    UsageError for a population or protocol that there is not.
    """
    charts = list(_parts(population, people, seed, protocol or read_population(population).protocol, first))
    return Chart(*(pl.concat([chart.scan(table) for chart in charts]) for table in TABLES))


def _parts(population: str, people: int, seed: int, protocol: str, first: int) -> Iterator[Chart]:
    planned = read_protocol(protocol)
    for begin in range(first, first + people, TOGETHER):
        drawn = draw_people(population, min(TOGETHER, first + people - begin), seed, first=begin)
        yield records(run(drawn, planned, seed))
