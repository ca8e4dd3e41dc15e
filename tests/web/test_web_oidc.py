"""Signing in with another server's account, against a real provider of OpenID Connect on this machine."""

import re
import time

import httpx
import pytest
from browsing import Browser
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from bence.web import Settings, oidc

mock = pytest.importorskip("oidc_provider_mock", reason="oidc-provider-mock is not installed")


@pytest.fixture(scope="module")
def issuer():
    people = [mock.User(sub=name, claims={"preferred_username": name}) for name in ("physician", "stranger")]
    with mock.run_server_in_thread(user_claims=people, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def hospital(serving, registry_file, issuer):
    """A browser at a server that knows the issuer."""
    app = serving(database=str(registry_file), oidc_issuer=issuer, oidc_client="bence", oidc_secret="secret")
    return Browser(app, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def keys():
    """The key of the issuer, and that of a stranger."""
    return RSAKey.generate_key(2048), RSAKey.generate_key(2048)


def journey(hospital, who):
    """Out to the issuer, sign in there, and the address at which the browser comes back."""
    out = hospital.get("/oidc", follow_redirects=False).headers["location"]
    assert "code_challenge_method=S256" in out
    answer = httpx.post(out, data={"sub": who})
    return answer.headers["location"].replace("http://testserver", "")


def test_whom_the_issuer_names_is_signed_in(hospital):
    back = hospital.get(journey(hospital, "physician"))
    assert back.status_code == 200
    assert hospital.get("/patients").url.path == "/patients"
    assert "/oidc" in hospital.get("/sign-in").text


def test_who_is_no_user_here_is_not(hospital):
    assert hospital.get(journey(hospital, "stranger")).status_code == 401
    assert hospital.get("/patients").url.path == "/sign-in"


def test_a_way_back_that_did_not_begin_here_is_refused(hospital, registry_file, issuer):
    other = journey(hospital, "physician")
    hospital.cookies.clear()
    assert hospital.get(other).status_code == 401
    hospital.get("/oidc", follow_redirects=False)  # another errand
    assert hospital.get(other).status_code == 401


def test_a_code_works_once(hospital):
    back = journey(hospital, "physician")
    cookie = hospital.cookies["bence_oidc"]
    assert hospital.get(back).status_code == 200
    hospital.cookies.clear()
    hospital.cookies.set("bence_oidc", cookie)
    assert hospital.get(back).status_code == 401


def test_an_issuer_that_is_away_is_told(serving, registry_file):
    app = serving(database=str(registry_file), oidc_issuer="http://127.0.0.1:9", oidc_client="bence")
    assert Browser(app, raise_server_exceptions=False).get("/oidc").status_code == 503


@pytest.mark.parametrize("fault", ["nonce", "aud", "iss", "exp", "key", "none"])
def test_an_id_token_that_does_not_fit_is_refused(monkeypatch, keys, fault):
    key, stranger = keys
    errand = oidc.Errand.new()
    said = {"iss": "https://issuer", "aud": "bence", "nonce": errand.nonce, "exp": time.time() + 300, "preferred_username": "li"}
    wrong = {"nonce": "x", "aud": "another", "iss": "https://another", "exp": time.time() - 300}
    token = jwt.encode({"alg": "RS256"}, said | ({fault: wrong[fault]} if fault in wrong else {}), stranger if fault == "key" else key)
    if fault == "none":
        token = re.sub(r"^[^.]+", "eyJhbGciOiJub25lIn0", token).rpartition(".")[0] + "."

    class Client:
        def fetch_token(self, *_, **__):
            return {"id_token": token}

    known = {"issuer": "https://issuer", "token_endpoint": "", "jwks_uri": "keys"}
    monkeypatch.setattr(oidc, "_discovered", lambda settings: known)
    monkeypatch.setattr(oidc, "_client", lambda *_: Client())
    monkeypatch.setattr(oidc, "_get", lambda url: KeySet([key]).as_dict(private=False))
    settings = Settings(oidc_issuer="https://issuer", oidc_client="bence")
    with pytest.raises(oidc.SignInError):
        oidc.name_of(settings, errand, "", "")
    token = jwt.encode({"alg": "RS256"}, said, key)
    assert oidc.name_of(settings, errand, "", "") == "li"
