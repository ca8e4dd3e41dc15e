"""The JSON API: the same rights as the pages, every answer as it is described, and no request that breaks it."""

import pytest
from browsing import PASSWORD

PROGRAM = {"accept": "application/json"}


@pytest.fixture
def api(client):
    """A program that signed in as the owner."""
    token = client.post("/api/sign-in", json={"name": "owner", "password": PASSWORD}).json()["token"]
    client.cookies.clear()
    client.headers["authorization"] = f"Bearer {token}"
    return client


def test_who_is_not_signed_in_gets_nothing(client, handle):
    for path in ("patients", f"patients/{handle('D01')}/chart", f"patients/{handle('D01')}/findings", "codes", "session"):
        answer = client.get(f"/api/{path}")
        assert answer.status_code == 401
        assert set(answer.json()) == {"error", "detail"}
    assert client.post("/api/sign-in", json={"name": "owner", "password": "wrong"}).status_code == 401


def test_a_chart_goes_out_with_its_versions_and_comes_in_again(api, handle):
    one = handle("D01")
    before = api.get(f"/api/patients/{one}/chart").json()
    assert {"patients", "observations", "treatments", "events"} == set(before)
    row = {"on": "2026-01-05", "what": "calcium", "value": 2.4, "unit": "mmol/L"}
    kept = api.post(f"/api/patients/{one}/observations", json={"values": row, "why": "typed"}).json()
    assert kept["version"] == 1
    changed = {"version": 1, "values": {"value": 2.5}, "why": "read wrongly"}
    assert api.patch(f"/api/rows/observations/{kept['id']}", json=changed).json() == {"id": kept["id"], "version": 2}
    again = api.patch(f"/api/rows/observations/{kept['id']}", json=changed)
    assert again.status_code == 409
    assert "owner" in again.json()["detail"]
    history = api.get(f"/api/rows/observations/{kept['id']}/history").json()
    assert [each["value"] for each in history] == [2.4, 2.5]
    api.post(f"/api/rows/observations/{kept['id']}/removal", json={"version": 2, "why": "wrong patient"})
    assert api.get(f"/api/patients/{one}/chart").json()["observations"] == before["observations"]


def test_an_impossible_value_is_refused_with_the_reason(api, handle):
    row = {"on": "2026-01-05", "what": "calcum", "value": 2.4, "unit": "mmol/L"}
    answer = api.post(f"/api/patients/{handle('D01')}/observations", json={"values": row, "why": "typed"})
    assert answer.status_code == 422
    assert "calcium" in answer.json()["detail"]


def test_findings_reasons_and_advice_are_those_of_the_library(api, handle):
    import polars as pl

    import bence
    from bence.demo import demo_chart

    chart, one = demo_chart(), handle("D29")
    status = api.get(f"/api/patients/{one}/findings").json()["status"][0]
    expected = bence.assess(chart.only("D29")).status.row(0, named=True)
    assert (status["diagnosis"], status["line"], status["best_response"]) == tuple(
        expected[name] for name in ("diagnosis", "line", "best_response")
    )
    assert "dagostino-2022" in api.get(f"/api/patients/{one}/why/r2_iss").json()["text"]
    told = api.get(f"/api/patients/{one}/advice", params={"region": "us", "lang": "zh"}).json()
    wanted = bence.advise(chart.only("D29"), region="us", lang="zh")
    assert [row["option"] for row in told] == wanted["option"].to_list()
    assert pl.DataFrame(told)["because"].to_list() == wanted["because"].to_list()


def test_a_file_is_looked_at_first_and_then_taken_in_and_taken_back(api):
    table = b"patient,on,what,value,unit\nD01,2026-02-01,calcium,2.4,mmol/L\nD01,2026-02-01,calcum,2,mmol/L\n"
    people = b"patient,centre\nD01,WH\n"
    files = [("files", ("observations.csv", table)), ("files", ("patients.csv", people))]
    looked = api.post("/api/imports", files=files, data={"why": "laboratory"}).json()
    assert looked["change"] is None
    assert (looked["counts"]["new"], looked["counts"]["rejected"]) == (1, 1)
    assert looked["rejected"][0]["nearest"] == "calcium"
    done = api.post("/api/imports", files=files, data={"why": "laboratory", "dry_run": "false"}).json()
    assert api.post(f"/api/imports/{done['change']}/undo", json={"why": "wrong file"}).status_code == 200
    twice = [("files", ("a/x.csv", table)), ("files", ("b/x.csv", table))]
    assert api.post("/api/imports", files=twice, data={"why": "x"}).status_code == 422


def test_a_new_patient_gets_a_handle(api):
    new = {"patient": "N1", "centre": "WH", "values": {"sex": "female", "born_on": "1950"}, "why": "first visit"}
    made = api.post("/api/patients", json=new)
    assert made.status_code == 201
    chart = api.get(f"/api/patients/{made.json()['handle']}/chart").json()
    assert chart["patients"][0]["born_on"] == "1950"
    assert api.post("/api/patients", json=new).status_code == 422


def test_a_chart_that_is_sent_is_assessed_and_not_kept(api, app):
    sent = {
        "patients": [{"patient": "X1", "sex": "female"}],
        "observations": [{"patient": "X1", "on": "2026-01-05", "what": "b2m", "value": 6.0, "unit": "mg/L"},
                         {"patient": "X1", "on": "2026-01-05", "what": "albumin", "value": "forty", "unit": "g/L"}],
        "events": [{"patient": "X1", "on": "2026-01-05", "what": "mm_diagnosis"}],
    }  # fmt: skip
    found = api.post("/api/assess", json=sent).json()
    assert found["status"][0]["iss"] == "III"
    assert found["rejected"][0]["value"] == "forty"
    assert "X1" not in app.state.registry.store.chart(app.state.registry.store.access("owner")).patients["patient"]


def test_a_cookie_alone_writes_nothing(lead, handle):
    row = {"values": {"on": "2026-01-05", "what": "calcium", "value": 2.4, "unit": "mmol/L"}, "why": "typed"}
    assert lead.post(f"/api/patients/{handle('D01')}/observations", json=row).status_code == 403
    assert lead.post(f"/api/patients/{handle('D01')}/observations", json=row, headers={"x-csrf": lead.csrf}).status_code == 201


def test_data_entry_sees_no_findings_and_the_analyst_no_patient(client, handle):
    for role, path, status in (
        ("data_entry", f"patients/{handle('D01')}/chart", 200), ("data_entry", f"patients/{handle('D01')}/findings", 404),
        ("data_entry", f"patients/{handle('D01')}/why/iss", 404), ("data_entry", f"patients/{handle('D01')}/advice", 404),
        ("analyst", "patients", 404), ("analyst", f"patients/{handle('D01')}/chart", 404),
    ):  # fmt: skip
        token = client.post("/api/sign-in", json={"name": role, "password": PASSWORD}).json()["token"]
        assert client.get(f"/api/{path}", headers={"authorization": f"Bearer {token}"}).status_code == status, (role, path)


def test_no_request_breaks_the_api(app):
    """Drawn from the description of the API: no answer is a fault of the server, every answer is one that is described."""
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, given, settings
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

    registry = app.state.registry
    token = registry.store.sign_in("owner", PASSWORD, "test")
    handle = registry.handles.of(1)
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app)
    checks = [not_a_server_error, status_code_conformance, response_schema_conformance]

    for result in schema.exclude(path_regex="sign-in|session").get_all_operations():
        operation = result.ok()

        @settings(max_examples=4, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True)
        @given(case=operation.as_strategy())
        def check(case):
            if "handle" in (case.path_parameters or {}):
                case.path_parameters["handle"] = handle
            case.call_and_validate(headers={"authorization": f"Bearer {token}"}, checks=checks)

        check()


def test_health_and_metrics(client, registry_file):
    assert client.get("/health").json()["status"] == "ok"
    assert client.get("/metrics").status_code == 404  # the client of the tests is not on this machine
    from browsing import Browser

    from bence.web import Settings, create_app

    told = Browser(create_app(Settings(database=str(registry_file), metrics_token="a token")))
    assert told.get("/metrics").status_code == 404
    text = told.get("/metrics", headers={"authorization": "Bearer a token"}).text
    assert 'bence_requests_total{method="GET",path="/health",status="200"}' in text
    absent = Browser(create_app(Settings(database=str(registry_file.with_name("none.db")))))
    assert absent.get("/health").status_code == 503
