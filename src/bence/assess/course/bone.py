"""Bone: which agent is given and since when, when its interval is to be looked at again, and the rebound after denosumab. No dose.

Source: terpos-2021. In words: docs/rules/course.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from .due import DONE, DUE, NOT_DUE, UNKNOWN, after, note, noted, rows

FIRST_YEAR = "12mo"
REBOUND = "6mo"
PAUSED = 92  # days without a single dose after which an agent is no longer being given (it may be given every twelve weeks)
STRETCHED = 70  # days between two single doses from which the interval has been extended already
DEEP = ("sCR", "CR", "VGPR")
SOURCE = "terpos-2021"


def bone(facts: pl.DataFrame, courses: pl.DataFrame, policies: Mapping[str, Any], at: date) -> list[pl.DataFrame]:
    """The rows of bone care for everyone who is treated. `facts` with `response`, the present response."""
    own = facts.filter(pl.col("treated_on").is_not_null()).join(_agents(courses, at), on="patient", how="left", maintain_order="left")
    absent = policies["unrecorded_care"] == "absent"
    return [
        _agent(own, absent),
        _interval(own, at),
        _rebound(own, at),
        _beside(own, "dental_check", absent),
        _beside(own, "calcium_vitamin_d", absent),
    ]


def _agents(courses: pl.DataFrame, at: date) -> pl.DataFrame:
    """Of all agents together: `agent_first`, `agent_last`, `agent_now`, `stretched`; and of denosumab alone whether it is given now."""
    agents = courses.filter(pl.col("group").is_in(["bisphosphonate", "denosumab"]))
    last = pl.coalesce("stopped", pl.lit(at))
    now = pl.col("stopped").is_null() | (
        pl.col("stopped") >= at - pl.when("single").then(pl.duration(days=PAUSED)).otherwise(pl.duration(days=0))
    )
    gap = pl.col("began").unique().sort().diff().last() >= timedelta(days=STRETCHED)
    denosumab = pl.col("group") == "denosumab"
    return (
        agents.with_columns(last=last, now=now)
        .group_by("patient")
        .agg(
            agent_first=pl.col("began").min(),
            agent_last=pl.col("last").max(),
            agent_now=pl.col("now").any(),
            stretched=pl.col("single").all() & gap.fill_null(False),
            agents=pl.col("what").unique().sort().str.join("+"),
            denosumab_given=pl.col("now").filter(denosumab).any(),
            denosumab_until=pl.col("last").filter(denosumab).max(),
            bisphosphonate_until=pl.col("last").filter(~denosumab).max(),
        )
    )


def _agent(own: pl.DataFrame, absent: bool) -> pl.DataFrame:
    """Whether an agent is given, or was."""
    given = pl.col("agent_first").is_not_null()
    return rows(
        own,
        "bone_agent",
        "bone",
        pl.when(given).then(DONE).otherwise(DUE if absent else UNKNOWN),
        on=pl.col("agent_first"),
        because=[noted("given", pl.col("agents")), noted("last", pl.col("agent_last")), note("not_recorded", ~given)],
        source=SOURCE,
        tag="V",
    )


def _interval(own: pl.DataFrame, at: date) -> pl.DataFrame:
    """Twelve months and VGPR: a longer interval, or an end, is to be considered; without VGPR it goes on."""
    year = after(pl.col("agent_first"), FIRST_YEAR)
    deep = pl.col("response").is_in(DEEP)
    state = (
        pl.when(~pl.col("agent_now"))
        .then(None)
        .when("stretched")
        .then(DONE)
        .when(year > at)
        .then(NOT_DUE)
        .when(deep)
        .then(DUE)
        .when(~deep)
        .then(NOT_DUE)
        .otherwise(UNKNOWN)
    )
    due_on = pl.when(deep | (year > at)).then(year)
    because = [
        noted("since", pl.col("agent_first")),
        noted("response", pl.col("response")),
        note("no_response_known", pl.col("response").is_null()),
    ]
    given = own.filter(pl.col("agent_first").is_not_null())
    return rows(given, "bone_agent_interval", "bone", state, due_on=due_on, because=because, source=SOURCE, tag="V")


def _rebound(own: pl.DataFrame, at: date) -> pl.DataFrame:
    """Denosumab ended and no bisphosphonate since: fractures of rebound, from six months on."""
    until, followed = pl.col("denosumab_until"), (pl.col("bisphosphonate_until") > pl.col("denosumab_until")).fill_null(False)
    state = pl.when(followed).then(DONE).when(after(until, REBOUND) <= at).then(DUE).otherwise(NOT_DUE)
    ended = own.filter(until.is_not_null() & ~pl.col("denosumab_given"))
    on = pl.when(followed).then("bisphosphonate_until")
    because = [noted("denosumab_until", until), note("no_bisphosphonate_since", ~followed)]
    return rows(ended, "denosumab_rebound", "bone", state, on=on, due_on=after(until, REBOUND), because=because, source=SOURCE, tag="M")


def _beside(own: pl.DataFrame, item: str, absent: bool) -> pl.DataFrame:
    """What goes with an agent: the teeth looked at, calcium and vitamin D."""
    on = pl.col("dental_check_on") if item == "dental_check" else pl.col("calcium_vitamin_d_first")
    state = pl.when(on.is_not_null()).then(DONE).otherwise(DUE if absent else UNKNOWN)
    given = own.filter(pl.col("agent_now").fill_null(False))
    return rows(
        given,
        item,
        "bone",
        state,
        on=on,
        because=[noted("given", pl.col("agents")), note("not_recorded", on.is_null())],
        source=SOURCE,
        tag="M",
    )
