"""The endpoints, each in a few lines: what counts as the event, and where a line is censored.

Days are counted from the origin: days = date - origin. Rules in words: docs/rules/endpoints.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..intake import NEVER
from .timeline import Seen, Timeline

REASONS = (
    "progression", "death", "new_treatment", "clinical_relapse", "relapse_from_complete_response",
    "censored_no_event", "censored_new_treatment", "censored_missed_assessments", "censored_unconfirmed_progression",
    "censored_no_assessment", "censored_death_unrelated",
)  # fmt: skip
(
    PROGRESSION, DEATH, NEW_TREATMENT, CLINICAL, FROM_CR, NO_EVENT, CENSORED_TREATMENT, MISSED, UNCONFIRMED, NO_ASSESSMENT,
    UNRELATED,
) = range(len(REASONS))  # fmt: skip


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of every line: the day of event or censoring (NEVER: it does not apply), and a place in REASONS."""

    origin: np.ndarray
    day: np.ndarray
    reason: np.ndarray

    @property
    def event(self) -> np.ndarray:
        """Whether it is an event, not a censoring."""
        return self.reason < NO_EVENT


def endpoints(told: Timeline, policies: Mapping[str, Any]) -> dict[str, Endpoint]:
    """Every endpoint of every line, by name."""
    related = np.where(told.unrelated, NEVER, told.died)
    counted = related if policies["dor_death"] == "myeloma" else told.died
    pfs = until_progression(told, told.origin, told.died, policies)
    return {
        "pfs": pfs,
        "ttp": until_progression(told, told.origin, related, policies),
        "dor": where(told.responded, until_progression(told, told.responded, counted, policies)),
        "dfs": where(told.complete, disease_free(told, policies)),
        "ttnt": until_next_treatment(told),
        "pfs2": second_progression(told, pfs),
        "efs": event_free(told),
        "os": overall(told),
    }


def where(origin: np.ndarray, endpoint: Endpoint) -> Endpoint:
    """The endpoint where it has an origin; else it does not apply."""
    there = origin < NEVER
    return Endpoint(origin, np.where(there, endpoint.day, NEVER), np.where(there, endpoint.reason, -1))


def until_progression(
    told: Timeline, origin: np.ndarray, died: np.ndarray, policies: Mapping[str, Any], lost: np.ndarray | None = None
) -> Endpoint:
    """Progression or a death that counts. `lost`: another day that counts as progression (relapse from complete response)."""
    progressed = after(told.progressed, origin)
    progressed = progressed if lost is None else np.minimum(progressed, lost)
    if policies["pfs"] == "ema":
        return _counted(told, origin, np.minimum(progressed, told.next_line(told.of_later(told.progressed))), died)
    return _censored(told, origin, progressed, died, 2 * float(policies["assessment_interval"]))


def after(day: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """The day where it lies after the origin, else NEVER."""
    return np.where(day > origin, day, NEVER)


def _censored(told: Timeline, origin: np.ndarray, progressed: np.ndarray, died: np.ndarray, gap: float) -> Endpoint:
    """FDA: no event after another treatment has begun, or after two missed assessments."""
    at = np.arange(origin.size)
    event = np.minimum(progressed, died)
    in_time = (event <= told.following) & (event < NEVER)
    looked = Seen.last(told.seen.any_of_line, at, event - 1)
    by_hand = told.recorded & (progressed == told.progressed) & (progressed <= died) & (looked < origin)
    missed = in_time & (event - np.maximum(looked, origin) > gap) & ~by_hand
    until = np.where(missed, event - 1, np.where(in_time, event, np.minimum(told.following, told.died)))
    calm = Seen.last(told.seen.calm_of_line, at, until)
    why = _why(told, calm >= origin, np.where(told.following < NEVER, CENSORED_TREATMENT, NO_EVENT))
    reason = np.select(
        [in_time & ~missed, missed & (calm >= origin), missed],
        [np.where(progressed <= died, PROGRESSION, DEATH), MISSED, NO_ASSESSMENT], why,
    )  # fmt: skip
    return Endpoint(origin, np.where(reason < NO_EVENT, event, np.maximum(calm, origin)), reason)


def _counted(told: Timeline, origin: np.ndarray, progressed: np.ndarray, died: np.ndarray) -> Endpoint:
    """EMA: the event counts, whatever was missed or given before it."""
    event = np.minimum(progressed, died)
    calm = -told.of_later(-Seen.last(told.seen.calm_of_line, np.arange(origin.size), told.died))
    doubt = -told.of_later(-told.open_doubt.astype(np.int64)) > 0
    why = _why(told, calm >= origin, np.full(origin.size, NO_EVENT), doubt)
    reason = np.where(event < NEVER, np.where(progressed <= died, PROGRESSION, DEATH), why)
    return Endpoint(origin, np.where(reason < NO_EVENT, event, np.maximum(calm, origin)), reason)


def _why(told: Timeline, looked: np.ndarray, else_: np.ndarray, doubt: np.ndarray | None = None) -> np.ndarray:
    """Why a line without an event is censored."""
    doubt = told.open_doubt if doubt is None else doubt
    unrelated = (told.died < NEVER) & ((told.died <= told.following) | (else_ == NO_EVENT))
    return np.select([doubt, unrelated, ~looked], [UNCONFIRMED, UNRELATED, NO_ASSESSMENT], else_)


def disease_free(told: Timeline, policies: Mapping[str, Any]) -> Endpoint:
    """From complete response to relapse from it, or death."""
    lost = np.minimum(told.lost, after(told.clinical, told.complete))
    found = until_progression(told, told.complete, told.died, policies, lost)
    from_cr = (found.reason == PROGRESSION) & (found.day == lost) & (found.day < after(told.progressed, told.complete))
    return Endpoint(found.origin, found.day, np.where(from_cr, FROM_CR, found.reason))


def until_next_treatment(told: Timeline) -> Endpoint:
    """The next line, or death without one (a competing event: the reason tells them apart)."""
    reason = np.select([told.following < NEVER, told.died < NEVER], [NEW_TREATMENT, DEATH], NO_EVENT)
    return Endpoint(told.origin, np.select([reason == NEW_TREATMENT, reason == DEATH], [told.following, told.died], told.alive), reason)


def second_progression(told: Timeline, pfs: Endpoint) -> Endpoint:
    """Progression on the next line, or death; without a next line, death alone."""
    later_day, later_reason = told.next_line(pfs.day), told.next_line(pfs.reason, NO_EVENT)
    alone = told.following == NEVER
    dead = told.died < NEVER
    day = np.where(alone, np.where(dead, told.died, told.alive), later_day)
    return Endpoint(told.origin, day, np.where(alone, np.where(dead, DEATH, NO_EVENT), later_reason))


def event_free(told: Timeline) -> Endpoint:
    """Progression, clinical relapse, another treatment or death, whichever is first."""
    kinds = np.stack([after(told.progressed, told.origin), after(told.clinical, told.origin), told.following, told.died])
    first = kinds.min(0) if kinds.size else told.died
    calm = Seen.last(told.seen.calm_of_line, np.arange(told.origin.size), first)
    reason = np.array([PROGRESSION, CLINICAL, NEW_TREATMENT, DEATH])[kinds.argmin(0)]
    reason = np.where(first < NEVER, reason, _why(told, calm >= told.origin, np.full(first.size, NO_EVENT)))
    return Endpoint(told.origin, np.where(first < NEVER, first, np.maximum(calm, told.origin)), reason)


def overall(told: Timeline) -> Endpoint:
    """Death of any cause."""
    dead = told.died < NEVER
    return Endpoint(told.origin, np.where(dead, told.died, told.alive), np.where(dead, DEATH, NO_EVENT))
