"""What a user sees when something cannot be done: a page, a line in the page that asked, or JSON. Never a traceback."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from ..errors import BenceError
from ..registry import AccessError, ConflictError, SignInError
from .refusals import fault_said
from .rendering import outside
from .visit import Forged, MustChange, SignedOut, lang_of

SAID = {
    400: ("The request could not be understood.", "无法识别该请求。"),
    401: ("Please sign in.", "请先登录。"),
    403: ("This form is from a session that is over. Please load the page again.", "该表单所属的会话已结束，请重新载入页面。"),
    404: ("There is nothing here, or nothing that you may see.", "此处没有内容，或您无权查看。"),
    405: ("This cannot be done here.", "此处不支持该操作。"),
    409: ("Somebody else was faster.", "其他人已先行修改。"),
    413: ("This file is too large.", "文件过大。"),
    422: ("This could not be accepted.", "无法接受所填内容。"),
    503: ("The database cannot be reached. Please try again.", "无法连接数据库，请稍后重试。"),
    500: ("Something went wrong on the server. It is in the log.", "服务器发生错误，已写入日志。"),
}
STATUS: dict[type[BenceError], int] = {AccessError: 404, ConflictError: 409, SignInError: 401}


def add_faults(app: FastAPI) -> None:
    """Answer every fault in the form in which was asked."""
    app.add_exception_handler(SignedOut, _signed_out)
    app.add_exception_handler(MustChange, _must_change)
    app.add_exception_handler(Forged, lambda request, _: answer(request, 403))
    app.add_exception_handler(BenceError, _known)
    app.add_exception_handler(OperationalError, lambda request, _: answer(request, 503))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, lambda request, error: answer(request, error.status_code))  # pyright: ignore
    app.add_exception_handler(Exception, lambda request, _: answer(request, 500))


def answer(request: Request, status: int, why: str = "") -> Response:
    """A fault as JSON for a program, as a line for a part of a page, as a page otherwise."""
    said = SAID.get(status, SAID[400])
    if _is_program(request):
        return JSONResponse({"error": said[0], "detail": why}, status)
    template = "fault_part.html" if request.headers.get("hx-request") else "fault.html"
    return outside(request, template, status, said=said, why=why)


def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, BenceError)
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 422)
    return answer(request, status, "" if status == 404 else error.message if _is_program(request) else fault_said(error, lang_of(request)))


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    chinese = not _is_program(request) and lang_of(request) == "zh"
    faults = [(".".join(str(part) for part in fault["loc"]), fault["msg"]) for fault in error.errors()]
    return answer(request, 422, "、".join(place for place, _ in faults) if chinese else "; ".join(map(": ".join, faults)))


def _signed_out(request: Request, _: Exception) -> Response:
    if _is_program(request):
        return answer(request, 401)
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
    return RedirectResponse("/sign-in", 303)


def _must_change(request: Request, _: Exception) -> Response:
    return answer(request, 401, "the password must be changed") if _is_program(request) else RedirectResponse("/password", 303)


def _is_program(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/cds-services", "/fhir/"))
