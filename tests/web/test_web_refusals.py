"""Every refusal of the registry and of its pages is told in both languages."""

import ast
import re
from pathlib import Path

import pytest
from browsing import OWNER, Browser
from fastapi.testclient import TestClient

import bence
from bence.errors import BenceError, UsageError
from bence.registry import ConflictError
from bence.web import Settings, create_app
from bence.web.refusals import fault_said
from bence.web.refused_words import WHAT

HERE = Path(bence.__file__).parent
REFUSALS = ("UsageError", "ChartError", "BenceError")
NAMED = "7"  # what stands for whatever a refusal names
KEPT = {"bence", "registry", "init", "backup", "import", "TOML", "SQLite", "postgresql", "code", "pip", "install", "web", "T17"}


def told(node):
    """The text of a message with `7` for what it names; None where the text itself is worked out elsewhere."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(each.value if isinstance(each, ast.Constant) else NAMED for each in node.values)
    return None


def refusals():
    """Every refusal that is raised: where, what, what was expected."""
    for path in sorted([*(HERE / "registry").rglob("*.py"), *(HERE / "web").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS and node.args:
                both = [node.args[0].body, node.args[0].orelse] if isinstance(node.args[0], ast.IfExp) else [node.args[0]]
                expected = next((told(each.value) for each in node.keywords if each.arg == "expected"), "") or ""
                for what in filter(None, map(told, both)):
                    yield pytest.param(what, expected, id=f"{path.stem}:{what[:50]}")


@pytest.mark.parametrize(("what", "expected"), refusals())
def test_it_has_chinese_words(what, expected):
    said = fault_said(UsageError(what, expected=expected), "zh")
    assert set(re.findall(r"[A-Za-z_][A-Za-z_0-9]{2,}", said)) <= KEPT
    assert re.search(r"[一-鿿]", said)
    assert what in fault_said(UsageError(what, expected=expected), "en")


def test_the_walk_finds_refusals():
    assert len(list(refusals())) > 90


def test_no_words_are_kept_for_what_is_never_refused():
    whole = "".join(
        path.read_text("utf-8") for part in ("registry", "web") for path in (HERE / part).rglob("*.py") if path.stem != "refused_words"
    )
    plain = re.sub(r"\{[^{}]*\}", "{}", re.sub(r'"\s*\n?\s*f?"', "", whole))
    elsewhere = ("goes on as", "was transferred", "goes on under")  # put together from parts
    assert [each for each, _ in WHAT if each not in plain and not any(part in each for part in elsewhere)] == []


def test_a_conflict_names_who_was_faster():
    error = ConflictError("row 7 of observations P1:", who="li", when="2026-03-01T08:00:00.000000Z", why="typed wrongly")
    assert fault_said(error, "zh") == "li已于2026-03-01 08:00先行改动（typed wrongly），请重新载入后再操作"


def test_what_is_named_is_named_in_words():
    said = fault_said(BenceError("the two records differ in sex: female or male; born_on: 1960 or 1961"), "zh")
    assert "性别" in said
    assert "出生日期" in said
    assert "or" not in said.replace("male", "")


def test_the_first_page_refuses_in_chinese(tmp_path):
    app = create_app(Settings(database=str(tmp_path / "new.db")))
    app.state.first_token = "t" * 32
    client = TestClient(app)
    client.cookies.set("lang", "zh")
    form = {"token": "t" * 32, "name": "wang", "password": "short", "again": "short", "code": "WH", "en": "Wuhan", "zh": "武汉"}
    shown = client.post("/first", data=form)
    assert shown.status_code == 422
    assert "密码长度须为12至" in shown.text
    assert "characters" not in shown.text


def test_a_page_that_cannot_be_shown_says_why_in_chinese(app, handle):
    client = Browser(app, raise_server_exceptions=False)
    client.sign_in(OWNER.user)
    client.cookies.set("lang", "zh")
    shown = client.get(f"/patients/{handle('D01')}?at=yesterday")
    assert shown.status_code == 422
    assert "不是有效日期；应为：日期，如2026-03-23" in shown.text
    assert "expected" not in shown.text
