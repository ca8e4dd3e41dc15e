"""What CDS Hooks 2.0 sends and gets, as far as Bence uses it. Source: HL7, CDS Hooks 2.0."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Hook = Literal["patient-view", "order-select"]
SUMMARY = 140  # characters of a summary, at most


class Service(BaseModel):
    """A service, as discovery tells of it."""

    id: str
    hook: Hook
    title: str
    description: str
    prefetch: dict[str, str]
    usageRequirements: str


class Services(BaseModel):
    """All services."""

    services: list[Service]


class Call(BaseModel):
    """A hook: where the user is in the record, and what was fetched for the service."""

    model_config = ConfigDict(extra="allow")

    hook: Hook
    hookInstance: UUID
    context: dict[str, Any]
    prefetch: dict[str, Any] | None = None


class Source(BaseModel):
    """Who says so."""

    label: str
    url: str | None = None


class Action(BaseModel):
    """What a suggestion would do in the record, once a physician accepts it."""

    type: Literal["create"] = "create"
    description: str
    resource: dict[str, Any]


class Suggestion(BaseModel):
    """What the physician may accept."""

    label: str
    uuid: str
    actions: list[Action]


class Card(BaseModel):
    """What the physician reads."""

    uuid: str
    summary: Annotated[str, Field(max_length=SUMMARY)]
    detail: str
    indicator: Literal["info", "warning", "critical"]
    source: Source
    suggestions: list[Suggestion] = []
    selectionBehavior: Literal["any"] | None = None


class Cards(BaseModel):
    """The answer to a hook."""

    cards: list[Card]


class Accepted(BaseModel):
    """A suggestion that was accepted."""

    id: str


class Reason(BaseModel):
    """Why a card was overridden."""

    model_config = ConfigDict(extra="allow")

    userComment: Annotated[str, Field(max_length=2000)] = ""


class Reaction(BaseModel):
    """What became of a card."""

    card: UUID
    outcome: Literal["accepted", "overridden"]
    acceptedSuggestions: list[Accepted] = []
    overrideReason: Reason | None = None
    outcomeTimestamp: str


class Feedback(BaseModel):
    """What became of cards."""

    feedback: Annotated[list[Reaction], Field(min_length=1, max_length=100)]
