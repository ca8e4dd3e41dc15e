"""The questionnaire of a patient: opened by a link that serves once, on a telephone, without an account, a name or a script."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ...errors import UsageError
from ...registry import Store
from ...registry.inviting import Invitation
from ..rendering import outside
from ..visit import Registry, lang_of
from .enter import Fields

router = APIRouter()
MOST_TEXT = 200  # characters of an answer


@router.get("/q/{token}")
def show_questions(request: Request, token: str, lang: str = "") -> Response:
    """The questions; one and the same page for every link that opens nothing."""
    store = _store(request)
    found = _opened(request, store, token)
    return _shut(request, lang) if found is None else _form(request, found, token, lang or found.lang, {})


@router.post("/q/{token}")
def take_answers(request: Request, token: str, fields: Fields) -> Response:
    """Write the answers down; a form with its answers again where one of them is not possible."""
    store, lang = _store(request), fields.pop("lang", "")
    found = _opened(request, store, token)
    if found is None or store is None:
        return _shut(request, lang)
    lang = lang or found.lang
    given = {name: text.strip()[:MOST_TEXT] for name, text in fields.items() if text.strip()}
    try:
        store.answer(token, given, date.today())
    except UsageError as error:
        if _opened(request, store, token) is None:
            return _shut(request, lang)
        return _form(request, found, token, lang, given, error.where or "none")
    return _page(request, "q_thanks.html", lang)


def _form(request: Request, found: Invitation, token: str, lang: str, given: dict[str, str], wrong: str = "") -> Response:
    own = {item.code: item for item in found.questionnaire.items}
    lang = "zh" if lang == "zh" else "en"
    return _page(
        request, "q.html", lang, 422 if wrong else 200, form=found.questionnaire, token=token, given=given, wrong=wrong, item=own.get(wrong)
    )


def _shut(request: Request, lang: str) -> Response:
    late = request.app.state.tries.too_many(_whence(request))
    return _page(request, "q_shut.html", lang or lang_of(request), 429 if late else 404)


def _page(request: Request, template: str, lang: str, status: int = 200, **context: object) -> Response:
    return outside(request, template, status, tongue="zh" if lang == "zh" else "en", **context)


def _opened(request: Request, store: Store | None, token: str) -> Invitation | None:
    """What the link opens; None where it opens nothing, or where an address has tried too many that did not."""
    tries, whence = request.app.state.tries, _whence(request)
    if store is None or tries.too_many(whence):
        return None
    try:
        return store.invitation(token)
    except UsageError:
        tries.failed(whence)
        return None


def _store(request: Request) -> Store | None:
    registry: Registry = request.app.state.registry
    return registry.store


def _whence(request: Request) -> str:
    return request.client.host if request.client else ""
