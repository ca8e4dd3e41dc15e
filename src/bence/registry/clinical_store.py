"""The part of the store that is about the clinical work around the charts: verdicts, meetings, questionnaires, and moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from . import duplicates, forms, inviting, meetings, moving, verdicts
from .access import Access
from .database import Database
from .refusals import refusals_entered


@refusals_entered
class ClinicalStore:
    """What the store does around the charts."""

    _database: Database
    _questionnaires: str | Path | None
    _pairs: duplicates.Known

    # verdicts

    def judge(
        self, access: Access, patient: str, finding: str, value: str | int | None, why: str, line: int | None = None,
        on: date | None = None, centre: str | None = None,
    ) -> int:  # fmt: skip
        """Say what a finding is, beside the derived one; None withdraws what was said. Returns the number of the verdict."""
        return verdicts.judge(self._database, access, patient, finding, value, why, line, on, centre)

    def verdicts(self, access: Access, patient: str, centre: str | None = None) -> pl.DataFrame:
        """Every verdict on a patient, the last first: `id`, `finding`, `line`, `on`, `value`, `derived`, `why`, `who`, `at`, `stands`."""
        return verdicts.read_verdicts(self._database, access, patient, centre)

    # the multidisciplinary meeting

    def meetings(self, access: Access) -> pl.DataFrame:
        """The meetings of own centres, the last first: `id`, `centre`, `day`, `title`, `who`, `at`, `items`, `decided`."""
        return meetings.read_meetings(self._database, access)

    def plan_meeting(self, access: Access, centre: str, day: date, title: str) -> int:
        """Plan a meeting of an own centre; returns its number."""
        return meetings.plan_meeting(self._database, access, centre, day, title)

    def put_on_agenda(self, access: Access, meeting: int, patient: str, asked: str, centre: str | None = None) -> int:
        """Put an own patient, or one shared with the centre of the meeting, on its agenda; returns the number of the item."""
        return meetings.put_on_agenda(self._database, access, meeting, patient, asked, centre)

    def agenda(self, access: Access, meeting: int) -> pl.DataFrame:
        """The items of a meeting: `item`, `position`, `person`, `patient`, `centre`, `asked`, `who`, `at`, `decision` (null: none yet)."""
        return meetings.read_agenda(self._database, access, meeting)

    def decide(
        self, access: Access, item: int, question: str, option: str | None, text: str, reasons: str, attendants: Sequence[str]
    ) -> int:
        """Enter a decision on an item, which also becomes an event of the chart; returns its number."""
        return meetings.decide(self._database, access, item, question, option, text, reasons, attendants)

    def decisions(self, access: Access, patient: str | None = None, centre: str | None = None) -> pl.DataFrame:
        """What was decided, the last first; `stands` marks the last decision on an item.

        Columns: `id`, `item`, `meeting`, `day`, `board` (centre of the meeting), `person` (number), `patient`, `centre`, `asked`,
        `question`, `option`, `text`, `reasons`, `attendants` (list), `who`, `at`, `stands`.
        """
        return meetings.read_decisions(self._database, access, patient, centre)

    # questionnaires

    def questionnaires(self) -> dict[str, forms.Questionnaire]:
        """The questionnaires that Bence ships and those of the centre's folder, by key."""
        return forms.questionnaires(self._questionnaires)

    def invite(self, access: Access, patient: str, questionnaire: str, days: int = 14, lang: str = "zh", centre: str | None = None) -> str:
        """Invite a patient to a questionnaire; returns the token of a link that serves once. It is kept nowhere."""
        return inviting.invite(self._database, access, patient, questionnaire, days, lang, centre, self._questionnaires)

    def invitation(self, token: str) -> inviting.Invitation:
        """What a token opens, without any name; UsageError for one that is unknown, expired, used or withdrawn."""
        return inviting.invitation_of(self._database, token, self._questionnaires)

    def answer(self, token: str, answers: forms.Answers, on: date) -> None:
        """Write a patient's answers (code → value) into the chart and use the link up; UsageError for what is not possible."""
        inviting.answer(self._database, token, answers, on, self._questionnaires)

    def invitations(self, access: Access, patient: str | None = None, centre: str | None = None) -> pl.DataFrame:
        """Invitations, the last first; `state` is open, used, expired or withdrawn.

        Columns: `id`, `patient`, `centre`, `questionnaire`, `lang`, `who`, `at`, `expires`, `used_at`, `withdrawn_at`, `state`.
        """
        return inviting.read_invitations(self._database, access, patient, centre)

    def withdraw(self, access: Access, invitation: int, why: str) -> None:
        """Shut the link of an invitation that is still open."""
        inviting.withdraw(self._database, access, invitation, why)

    # one human, several records

    def duplicates(self, access: Access) -> pl.DataFrame:
        """Pairs of own records that may be of one human, likely ones first.

        Columns: `person` (number), `patient`, `centre`, `person_2`, `patient_2`, `centre_2`, `same_results` (number),
        `same_birth_day`, `same_chains`.
        """
        return duplicates.duplicates(self._database, access, self._pairs)

    def merge(
        self, access: Access, keep: str, duplicate: str, why: str, resolve: Mapping[str, Any] | None = None, centre: str | None = None,
        duplicate_centre: str | None = None,
    ) -> int:  # fmt: skip
        """Let the rows of `duplicate` go on under `keep`; returns the number of the change. `resolve`: column → what holds."""
        return moving.merge(self._database, access, keep, duplicate, why, resolve or {}, centre, duplicate_centre)

    def transfer(
        self, access: Access, patient: str, to_centre: str, why: str, consent: str, new_key: str | None = None, centre: str | None = None
    ) -> int:
        """Give an own patient a new home centre by consent; returns the number of the change."""
        return moving.transfer(self._database, access, patient, to_centre, why, consent, new_key, centre)

    def rename(self, access: Access, patient: str, new_key: str, why: str, centre: str | None = None) -> int:
        """Give an own patient another key; returns the number of the change."""
        return moving.rename(self._database, access, patient, new_key, why, centre)
