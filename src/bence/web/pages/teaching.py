"""Teaching: a case decision by decision. What a learner answers is shown back and kept nowhere."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from ...demo import lessons
from ...registry import AccessError
from ..dossier import said
from ..rendering import page
from ..teaching import MOST_CASES, case, demo_cases, own_cases, scene
from ..visit import Visit, Visiting

router = APIRouter(prefix="/teaching")
Text = Annotated[str, Form(max_length=4000)]


@router.get("")
def show_cases(visit: Visiting) -> Response:
    """The synthetic cases, and for who may see de-identified charts those of the own centres."""
    titles = {lesson.patient: lesson.title for lesson in lessons(visit.lang)}
    demo = [(patient, titles.get(patient, ""), number) for patient, number in demo_cases()]
    return page(visit, "teaching.html", demo=demo, may=visit.may("deidentified"))


@router.get("/own")
def show_own(visit: Visiting) -> Response:
    """The de-identified cases of the own centres."""
    return page(visit, "teaching_own.html", cases=own_cases(visit), most=MOST_CASES)


@router.get("/{source}/{patient}")
def begin(visit: Visiting, source: str, patient: str) -> Response:
    """The first decision of a case."""
    return RedirectResponse(f"/teaching/{source}/{patient}/1", 303)


@router.get("/{source}/{patient}/{step:int}")
def show_decision(visit: Visiting, source: str, patient: str, step: int) -> Response:
    """What was known on the day, and the question."""
    return _page(visit, source, patient, step)


@router.post("/{source}/{patient}/{step:int}")
def answer(visit: Visiting, source: str, patient: str, step: int, choice: Text = "", why: Text = "") -> Response:
    """What the pathway says, what was done and how it went, beside the answer of the learner."""
    return _page(visit, source, patient, step, given={"choice": choice, "why": why.strip()})


def _page(visit: Visit, source: str, patient: str, step: int, given: dict[str, str] | None = None) -> Response:
    if source not in ("demo", "own"):
        raise AccessError("there are no such cases")
    own, made = case(visit, source, patient)
    if not made.height:
        return page(visit, "teaching_none.html", patient=patient)
    told: dict[str, Any] = scene(source, own, made, step - 1, visit.settings.region, visit.lang)
    names = {key: words for _, options in told["choices"] for key, words in options}
    chosen = given["choice"] if given and given["choice"] in names else ""
    return page(
        visit, "teaching_case.html", w=said(visit.lang), source=source, step=step, steps=made.height, case=patient, given=given,
        chosen=names.get(chosen, ""), stances=told["said"].get(tuple(chosen.partition("|")[::2]), []), scene=told, names=names,
    )  # fmt: skip
