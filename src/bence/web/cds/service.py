"""Discovery, the two services, and what became of their cards."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from ...read import from_fhir
from ..visit import lang_of
from .caller import Callers
from .cards import order_cards, patient_cards
from .models import Call, Cards, Feedback, Service, Services
from .together import Together

LOG = logging.getLogger("bence.web")
router = APIRouter(prefix="/cds-services", tags=["CDS Hooks"])
PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}",
    "observations": "Observation?patient={{context.patientId}}",
    "reports": "DiagnosticReport?patient={{context.patientId}}",
    "requests": "MedicationRequest?patient={{context.patientId}}",
    "administrations": "MedicationAdministration?patient={{context.patientId}}",
    "procedures": "Procedure?patient={{context.patientId}}",
}
NEEDED = ("patient", "observations")
NEEDS = "The resources of `prefetch`; without Patient and Observation the answer is 412."
SERVICES = (
    Service(
        id="bence-patient-view", hook="patient-view", title="Bence: multiple myeloma", prefetch=PREFETCH, usageRequirements=NEEDS,
        description="Where a patient with multiple myeloma stands, what is urgent, and which missing results would settle something.",
    ),
    Service(
        id="bence-order-select", hook="order-select", title="Bence: orders in multiple myeloma", prefetch=PREFETCH, usageRequirements=NEEDS,
        description="What the pathway has against the anti-myeloma drugs that are being ordered.",
    ),
)  # fmt: skip
HOOK_OF = {service.id: service.hook for service in SERVICES}


def trusted(request: Request) -> None:
    """Only who may call."""
    callers: Callers = request.app.state.callers
    callers.check(request)


@router.get("")
def discover() -> Services:
    """The services."""
    return Services(services=list(SERVICES))


@router.post("/{service}", dependencies=[Depends(trusted)])
def call(request: Request, service: str, call: Call) -> Response:
    """The cards for a hook; 404 for another service, 412 if what it needs was not fetched, 422 if it is not of one patient."""
    if HOOK_OF.get(service) != call.hook:
        return JSONResponse({"error": "there is no such service for this hook", "detail": service}, 404)
    fetched = call.prefetch or {}
    missing = [name for name in NEEDED if not fetched.get(name)]
    if missing:
        return JSONResponse({"error": "what the service needs was not fetched", "detail": ", ".join(missing)}, 412)
    together: Together = request.app.state.together
    known, lang = together.known(fetched), lang_of(request)
    if call.hook == "patient-view":
        cards = patient_cards(known, lang)
    else:
        cards = order_cards(known, _drugs(fetched["patient"], _selected(call.context)), lang)
    return JSONResponse(Cards(cards=cards).model_dump(exclude_none=True))


@router.post("/{service}/feedback", dependencies=[Depends(trusted)])
def take_feedback(service: str, told: Feedback) -> Response:
    """What became of cards. It goes into the log: card and outcome, no comment, no patient."""
    if service not in HOOK_OF:
        return JSONResponse({"error": "there is no such service", "detail": service}, 404)
    for each in told.feedback:
        LOG.info({"cds_service": service, "card": str(each.card), "outcome": each.outcome, "suggestions": len(each.acceptedSuggestions)})
    return Response(status_code=200)


def _selected(context: dict[str, Any]) -> list[dict[str, Any]]:
    """The draft orders that are selected; all of them if it is not told which."""
    entries = (context.get("draftOrders") or {}).get("entry") or []
    orders = [entry.get("resource") or {} for entry in entries if isinstance(entry, dict)]
    names = set(context.get("selections") or [])
    return [order for order in orders if not names or f"{order.get('resourceType')}/{order.get('id')}" in names]


def _drugs(patient: Any, orders: list[dict[str, Any]]) -> list[str]:
    """The drugs of orders, read as if they were being carried out."""
    carried_out = [order | {"status": "active"} for order in orders]
    return from_fhir({"patient": patient, "orders": carried_out}).treatments["what"].unique(maintain_order=True).to_list()
