"""The pages: one file each, one router each."""

from __future__ import annotations

from . import (
    account,
    answers,
    care,
    cohort,
    decisions,
    enter,
    evidence,
    first,
    imports,
    mdt,
    oidc,
    patient,
    patients,
    people,
    questionnaires,
    styles,
    teaching,
    verdicts,
    what_if,
    work,
)

ROUTERS = (
    account.router,
    first.router,
    decisions.router,
    mdt.router,
    evidence.router,
    teaching.router,
    answers.router,
    questionnaires.router,
    enter.router,
    oidc.router,
    patients.router,
    patient.router,
    people.router,
    styles.router,
    what_if.router,
    work.router,
    verdicts.router,
    care.router,
    imports.router,
    cohort.router,
)
