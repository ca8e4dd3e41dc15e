"""CDS Hooks 2.0: discovery, cards of the demo patients sent as FHIR, who may call, and what becomes of cards."""

import json
import time
import uuid

import pytest
from browsing import Browser
from catching import caught
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from bence.catalogue import label
from bence.demo import demo_chart
from bence.fhir import to_fhir
from bence.web import Settings, create_app
from bence.web.cds import caller

VIEW, SELECT = "/cds-services/bence-patient-view", "/cds-services/bence-order-select"


@pytest.fixture
def record(serving, tmp_path):
    """A hospital record on this machine, and a server without a registry: the services need none."""
    return Browser(serving(database=str(tmp_path / "none.db")), client=("127.0.0.1", 5000), raise_server_exceptions=False)


def prefetch(patient):
    """What a record would fetch of a demo patient: a Patient, and the other resources in Bundles."""
    resources = [entry["resource"] for entry in to_fhir(demo_chart().only(patient))["entry"]]
    kinds = {"patient": "Patient", "observations": "Observation", "conditions": "Condition", "procedures": "Procedure",
             "administrations": "MedicationAdministration"}  # fmt: skip
    found = {name: [each for each in resources if each["resourceType"] == kind] for name, kind in kinds.items()}
    bundles = {name: {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in all_of]}
               for name, all_of in found.items()}  # fmt: skip
    return bundles | {"patient": found["patient"][0], "reports": None}


def hook(patient="D29", name="patient-view", **context):
    return {"hook": name, "hookInstance": str(uuid.uuid4()), "context": {"patientId": patient, "userId": "Practitioner/1", **context},
            "prefetch": prefetch(patient)}  # fmt: skip


def test_discovery_tells_both_services(record):
    told = record.get("/cds-services").json()["services"]
    assert [(each["id"], each["hook"]) for each in told] == [
        ("bence-patient-view", "patient-view"),
        ("bence-order-select", "order-select"),
    ]
    assert all(each["description"] and each["prefetch"]["patient"] == "Patient/{{context.patientId}}" for each in told)


@pytest.mark.parametrize(("lang", "words"), [("en", "diagnosis"), ("zh-CN", "诊断")])
def test_cards_say_where_a_patient_stands_and_what_is_missing(record, lang, words):
    cards = record.post(VIEW, json=hook(), headers={"accept-language": lang}).json()["cards"]
    assert words in cards[0]["detail"]
    assert all(len(card["summary"]) <= 140 and card["source"]["label"] == "Bence" for card in cards)
    assert len({card["uuid"] for card in cards}) == len(cards)


def test_the_cards_are_those_of_the_library(record):
    import bence

    cards = record.post(VIEW, json=hook("D29")).json()["cards"]
    status = bence.assess(demo_chart().only("D29")).status.row(0, named=True)
    assert f"- {label('r2_iss', 'en')}: {status['r2_iss']}" in cards[0]["detail"]


def test_a_missing_result_can_be_ordered_and_is_only_a_draft(record):
    for patient in demo_chart().patients["patient"]:
        for card in record.post(VIEW, json=hook(patient)).json()["cards"]:
            for suggestion in card.get("suggestions", []):
                order = suggestion["actions"][0]["resource"]
                assert (order["status"], order["intent"]) == ("draft", "proposal")
                assert order["subject"] == {"reference": f"Patient/{patient}"}
                return
    pytest.fail("no demo patient has a missing result")


def draft(text):
    order = {"resourceType": "MedicationRequest", "id": "1", "status": "draft", "intent": "order",
             "subject": {"reference": "Patient/D29"}, "medicationCodeableConcept": {"text": text}, "authoredOn": "2026-11-20"}  # fmt: skip
    return {"draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order}]}, "selections": ["MedicationRequest/1"]}


def test_an_order_that_the_pathway_speaks_against_is_warned_of(record):
    import bence

    told = bence.advise(demo_chart().only("D29"))
    from bence.advise.pathway import pathway

    against = {
        drug
        for row in told.filter(told["stance"].is_in(["blocked", "against"])).rows(named=True)
        if row["option"]
        for drug in pathway().options[row["option"]].drugs
    }
    for drug in sorted(against)[:3]:
        cards = record.post(SELECT, json=hook(name="order-select", **draft(drug))).json()["cards"]
        assert cards, drug
        assert {card["indicator"] for card in cards} <= {"warning", "critical"}
    assert record.post(SELECT, json=hook(name="order-select", **draft("paracetamol"))).json()["cards"] == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"prefetch": None}, 412),
        ({"prefetch": {"patient": {"resourceType": "Patient", "id": "7"}}}, 412),
        ({"hook": "order-select"}, 404),
        ({"hook": "order-sign"}, 422),
        ({"hookInstance": "7"}, 422),
    ],
)
def test_a_call_that_does_not_fit_is_refused(record, change, status):
    answer = record.post(VIEW, json=hook() | change)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "detail"}


def test_feedback_arrives_without_a_word_of_the_physician(record):
    told = {"card": str(uuid.uuid4()), "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:00:00Z",
            "overrideReason": {"userComment": "Mr Wang refuses"}}  # fmt: skip
    with caught(lambda each: each.msg) as lines:
        assert record.post(f"{VIEW}/feedback", json={"feedback": [told]}).status_code == 200
    assert any(line.get("outcome") == "overridden" for line in lines)
    assert "Wang" not in json.dumps(lines)


@pytest.fixture
def trusted(serving, tmp_path, monkeypatch):
    """A server that trusts one record, and what signs in its name."""
    key = ECKey.generate_key("P-384")
    asked = []

    class Answer:
        def raise_for_status(self):
            return self

        def json(self):
            asked.append(1)
            return KeySet([key]).as_dict(private=False)

    monkeypatch.setattr(caller.requests, "get", lambda url, **_: Answer())
    app = serving(database=str(tmp_path / "none.db"), cds_records={"https://his": "https://his/keys"})
    client = Browser(app, client=("10.0.0.9", 5000), raise_server_exceptions=False)

    def call(signed_by=key, **changed):
        now = int(time.time())
        said = {"iss": "https://his", "aud": f"http://testserver{VIEW}", "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())} | changed
        token = jwt.encode({"alg": "ES384"}, said, signed_by, algorithms=["ES384"])
        return client.post(VIEW, json=hook() | {"prefetch": None}, headers={"authorization": f"Bearer {token}"}).status_code

    call.client = client
    return call


def test_only_the_record_of_the_settings_may_call_once_a_token(trusted):
    assert trusted() == 412  # trusted; the rest is missing
    assert trusted(jti="once") == 412
    assert trusted(jti="once") == 401


@pytest.mark.parametrize("changed", [{"iss": "https://other"}, {"aud": "https://other"}, {"exp": 1}, {"exp": 99999999999}])
def test_a_token_that_does_not_fit_is_refused(trusted, changed):
    assert trusted(**changed) == 401
    assert trusted(signed_by=ECKey.generate_key("P-384")) == 401
    assert trusted.client.post(VIEW, json=hook()).status_code == 401
    assert trusted.client.post(VIEW, json=hook(), headers={"authorization": "Bearer x.y.z"}).status_code == 401


def test_from_elsewhere_nobody_may_call_while_no_record_is_named(serving, tmp_path):
    client = Browser(serving(database=str(tmp_path / "none.db")), client=("10.0.0.9", 5000), raise_server_exceptions=False)
    assert client.post(VIEW, json=hook()).status_code == 401


def test_only_named_pages_may_call_and_only_the_services(tmp_path):
    app = create_app(Settings(database=str(tmp_path / "none.db"), cds_origins=["https://his"]))
    client = Browser(app, client=("127.0.0.1", 5000))
    for path, origin, allowed in (
        ("/cds-services", "https://his", "https://his"), ("/cds-services", "https://evil", None), ("/health", "https://his", None),
    ):  # fmt: skip
        assert client.get(path, headers={"origin": origin}).headers.get("access-control-allow-origin") == allowed
