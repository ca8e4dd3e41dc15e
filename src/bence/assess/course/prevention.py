"""Infection: prophylaxis, immunoglobulin, screening for viruses.

`done`: it is recorded. `due`: it is called for and known to be missing. `unknown`: it is called for and nothing is recorded, or what
calls for it is not known (policy `unrecorded_care`). Sources: raje-2023, banerjee-2025. In words: docs/rules/course.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from ...interval import TOLERANCE
from ..toxicity.recorded import INFECTIONS
from .due import DONE, DUE, NOT_DUE, UNKNOWN, after, note, noted, rows

CD4_RESTORED = 200.0  # cells/uL; above it antiviral and Pneumocystis prophylaxis may end
AFTERWARDS = "3mo"  # antivirals go on so long after the last dose
LOW_IGG = 4.0  # g/L
INFUSION_LASTS = 35  # days for which an infusion of immunoglobulin counts
RECENT = 92  # days for which a value of IgG counts
YEAR = 365
SOURCE = "raje-2023"
SCREENED = {
    "hepatitis_b_screening": ("hepatitis_b_surface_antigen", "hepatitis_b_core_antibody"),
    "hepatitis_c_screening": ("hepatitis_c_antibody",),
    "hiv_screening": ("hiv",),
}


def prevention(facts: pl.DataFrame, events: pl.DataFrame, policies: Mapping[str, Any], at: date) -> list[pl.DataFrame]:
    """The rows of prophylaxis and screening for everyone who is treated."""
    own = _with_exposure(facts.filter(pl.col("treated_on").is_not_null()), at)
    absent = policies["unrecorded_care"] == "absent"
    redirected = own.filter("redirected")
    return [
        _antiviral(own, absent, at),
        _pneumocystis(redirected, absent),
        _immunoglobulin(redirected.join(_infections(events, at), on="patient", how="left", maintain_order="left"), policies, at),
        _screening(own, "hepatitis_b_screening", absent),
        *(_screening(redirected, item, absent) for item in ("hepatitis_c_screening", "hiv_screening")),
        *_hepatitis_b(own, absent),
    ]


def _with_exposure(own: pl.DataFrame, at: date) -> pl.DataFrame:
    """With `redirected` (ever given CAR-T cells or a bispecific), `t_cell_now`, `t_cell_last`, and what a CD4 count since then says."""
    names = ("bcma_bispecific", "bispecific", "car_t")
    own = own.with_columns(
        redirected=pl.any_horizontal(pl.col(f"{name}_first").is_not_null() for name in names),
        t_cell_now=pl.any_horizontal(pl.col(f"{name}_now").fill_null(False) for name in names),
        t_cell_last=pl.max_horizontal(f"{name}_last" for name in names),
        t_cell_first=pl.min_horizontal(f"{name}_first" for name in names),
    )
    since = (pl.col("cd4_on") >= pl.col("t_cell_last")).fill_null(False)
    return own.with_columns(
        restored=pl.when(since & (pl.col("cd4_lo") > CD4_RESTORED + TOLERANCE))
        .then(True)
        .when(since & (pl.col("cd4_hi") <= CD4_RESTORED + TOLERANCE))
        .then(False)
    )


def _covered(name: str, absent: bool) -> pl.Expr:
    """Given now: done; given once and stopped: due; never recorded: unknown, or due where the record is taken as complete."""
    now = pl.col(f"{name}_now")
    return pl.when(now).then(DONE).when(now.is_not_null() | pl.lit(absent)).then(DUE).otherwise(UNKNOWN)


def _cover_notes(name: str) -> list[pl.Expr]:
    now = pl.col(f"{name}_now")
    return [note("stopped", ~now), noted("last", pl.when(~now).then(f"{name}_last")), note("not_recorded", now.is_null())]


def _antiviral(own: pl.DataFrame, absent: bool, at: date) -> pl.DataFrame:
    """Herpes and zoster: on a proteasome inhibitor, a bispecific or after CAR-T cells, and three months longer or until CD4 is back."""
    inhibitor = pl.col("inhibitor_now") | (after(pl.col("inhibitor_last"), AFTERWARDS) > at)
    t_cell = pl.col("t_cell_now") | (after(pl.col("t_cell_last"), AFTERWARDS) > at)
    wanted = inhibitor.fill_null(False) | t_cell.fill_null(False)
    low = pl.col("redirected") & ~pl.col("restored")
    open_ = pl.col("redirected") & pl.col("restored").is_null()
    state = (
        pl.when(wanted | low.fill_null(False))
        .then(_covered("antiviral", absent))
        .when(open_ & pl.col("antiviral_now").fill_null(False))
        .then(DONE)
    )
    state = state.when(open_).then(UNKNOWN).otherwise(NOT_DUE)
    because = [
        note("proteasome_inhibitor", inhibitor),
        note("t_cell_redirection", t_cell),
        note("cd4_low", low),
        note("cd4_unknown", open_ & ~wanted),
        *_cover_notes("antiviral"),
    ]
    concerned = own.filter(pl.col("inhibitor_first").is_not_null() | pl.col("redirected"))
    on = pl.when("antiviral_now").then("antiviral_first")
    return rows(concerned, "herpes_prophylaxis", "prophylaxis", state, on=on, because=because, source=SOURCE, tag="V")


def _pneumocystis(own: pl.DataFrame, absent: bool) -> pl.DataFrame:
    """Pneumocystis: on T-cell-redirecting treatment and after it until CD4 is above 200."""
    wanted = pl.col("t_cell_now") | ~pl.col("restored")
    open_ = ~pl.col("t_cell_now") & pl.col("restored").is_null()
    state = (
        pl.when(pl.col("t_cell_now") | (~pl.col("restored")).fill_null(False))
        .then(_covered("pneumocystis", absent))
        .when(open_ & pl.col("pneumocystis_now").fill_null(False))
        .then(DONE)
        .when(open_)
        .then(UNKNOWN)
        .otherwise(NOT_DUE)
    )
    because = [
        note("t_cell_redirection", wanted.fill_null(True)),
        note("cd4_low", ~pl.col("restored")),
        note("cd4_unknown", open_),
        *_cover_notes("pneumocystis"),
    ]
    on = pl.when("pneumocystis_now").then("pneumocystis_first")
    return rows(own, "pneumocystis_prophylaxis", "prophylaxis", state, on=on, because=because, source=SOURCE, tag="V")


def _infections(events: pl.DataFrame, at: date) -> pl.DataFrame:
    """Of the last year: infections of grade 3 or more (`severe`), of grade 4 (`threatening`)."""
    own = events.filter(pl.col("what").is_in(INFECTIONS) & ~pl.col("absent") & (pl.col("on") > at - timedelta(days=YEAR)))
    grade = pl.col("grade")
    return own.group_by("patient").agg(severe=(grade >= 3).sum(), threatening=(grade >= 4).sum())


def _immunoglobulin(own: pl.DataFrame, policies: Mapping[str, Any], at: date) -> pl.DataFrame:
    """Immunoglobulin: polyclonal IgG below 4 g/L, a life-threatening infection, or by policy any bispecific against BCMA."""
    recent = (pl.col("igg_on") > at - timedelta(days=RECENT)).fill_null(False)
    clonal = pl.when(pl.col("heavy_chain") == "igg").then("serum_m_protein_lo").when(pl.col("heavy_chain").is_not_null()).then(0.0)
    same_day = (pl.col("serum_m_protein_on") == pl.col("igg_on")) | (pl.col("heavy_chain") != "igg")
    polyclonal = pl.when(same_day).then(pl.max_horizontal(pl.col("igg_hi") - clonal, pl.lit(0.0)))
    most = pl.when(recent).then(pl.coalesce(polyclonal, "igg_hi"))
    least = pl.when(recent & polyclonal.is_not_null()).then(pl.max_horizontal(pl.col("igg_lo") - clonal, pl.lit(0.0)))
    low = pl.when(most < LOW_IGG - TOLERANCE).then(True).when(least >= LOW_IGG - TOLERANCE).then(False)
    primary = pl.lit(policies["ivig_policy"] == "primary") & pl.col("bcma_bispecific_now").fill_null(False)
    threatening, repeated = (pl.col("threatening") > 0).fill_null(False), (pl.col("severe") >= 2).fill_null(False)
    running = (pl.col("immunoglobulin_last") >= at - timedelta(days=INFUSION_LASTS)).fill_null(False)
    state = (
        pl.when(running)
        .then(DONE)
        .when(primary | threatening | low.fill_null(False))
        .then(DUE)
        .when(repeated | low.is_null())
        .then(UNKNOWN)
        .otherwise(NOT_DUE)
    )
    because = [
        noted("polyclonal_igg_at_most", most.round(2)),
        noted("igg_on", pl.when(recent).then("igg_on")),
        note("igg_low", low),
        note("igg_unknown", low.is_null()),
        note("life_threatening_infection", threatening),
        note("severe_infections", repeated),
        note("primary_prophylaxis", primary),
    ]
    on = pl.when(running).then("immunoglobulin_last")
    source, tag = (
        pl.when(primary).then(pl.lit(other)).otherwise(pl.lit(usual)) for other, usual in (("banerjee-2025", SOURCE), ("S", "V"))
    )
    return rows(own, "immunoglobulin", "prophylaxis", state, on=on, because=because, source=source, tag=tag)


def _screening(own: pl.DataFrame, item: str, absent: bool) -> pl.DataFrame:
    """Whether every test of a screening was made; a missing one is due once another of them was."""
    tests = SCREENED[item]
    made = [pl.col(f"{test}_on").is_not_null() for test in tests]
    state = pl.when(pl.all_horizontal(made)).then(DONE).when(pl.any_horizontal(made) | pl.lit(absent)).then(DUE).otherwise(UNKNOWN)
    because = [
        *(note(f"missing={test}", ~had) for test, had in zip(tests, made, strict=True)),
        *(noted(test, pl.col(f"{test}_text")) for test in tests),
    ]
    on = pl.when(pl.all_horizontal(made)).then(pl.max_horizontal(f"{test}_on" for test in tests))
    return rows(own, item, "screening", state, on=on, because=because, source=SOURCE, tag="V")


def _hepatitis_b(own: pl.DataFrame, absent: bool) -> list[pl.DataFrame]:
    """Where the surface antigen or the core antibody is positive: hepatitis B DNA, and an antiviral."""
    positive = pl.any_horizontal((pl.col(f"{test}_text") == "positive").fill_null(False) for test in SCREENED["hepatitis_b_screening"])
    met = own.filter(positive)
    dna = pl.col("hepatitis_b_dna_on")
    measured = pl.when(dna.is_not_null()).then(DONE).otherwise(DUE if absent else UNKNOWN)
    because = [note("hepatitis_b_positive", pl.lit(True))]
    return [
        rows(
            met,
            "hepatitis_b_dna",
            "screening",
            measured,
            on=dna,
            because=[*because, note("not_recorded", dna.is_null())],
            source=SOURCE,
            tag="V",
        ),
        rows(
            met,
            "hepatitis_b_prophylaxis",
            "prophylaxis",
            _covered("hbv_antiviral", absent),
            on=pl.when("hbv_antiviral_now").then("hbv_antiviral_first"),
            because=[*because, *_cover_notes("hbv_antiviral")],
            source=SOURCE,
            tag="V",
        ),
    ]
