"""Signing in by OpenID Connect: the code flow with PKCE, state and nonce; the ID token is verified against the keys of the issuer."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ..registry import SignInError
from .settings import Settings

PATIENCE = 10  # seconds for the issuer to answer
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
LEEWAY = 60  # seconds that two clocks may differ


@dataclass(frozen=True)
class Errand:
    """What the browser keeps while the user is with the issuer."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Errand:
        """A new one, drawn."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    @classmethod
    def kept(cls, cookie: str) -> Errand:
        """The one in a cookie; SignInError if there is none."""
        parts = cookie.split(".")
        if len(parts) != 3 or not all(parts):
            raise SignInError
        return cls(*parts)

    @property
    def cookie(self) -> str:
        """As the browser keeps it."""
        return ".".join((self.state, self.nonce, self.verifier))


def address(settings: Settings, errand: Errand, back: str) -> str:
    """Where the browser goes to sign in. `back`: where it comes back to."""
    url, _ = _client(settings, back).create_authorization_url(
        _discovered(settings)["authorization_endpoint"], state=errand.state, nonce=errand.nonce, code_verifier=errand.verifier
    )
    return url


def name_of(settings: Settings, errand: Errand, back: str, answer: str) -> str:
    """The name of the user whom the issuer has signed in. `answer`: the address at which the browser came back.

    SignInError if anything does not fit: state, signature, issuer, audience, nonce, time, or there is no such claim.
    """
    known = _discovered(settings)
    try:
        token = _client(settings, back).fetch_token(
            known["token_endpoint"], authorization_response=answer, state=errand.state, code_verifier=errand.verifier
        )
        keys = KeySet.import_key_set(_get(known["jwks_uri"]))
        said = jwt.decode(token["id_token"], keys, algorithms=[name for name in ALGORITHMS if name in _allowed(known)]).claims
        wanted: dict[str, Any] = {
            "iss": {"essential": True, "value": known["issuer"]},
            "aud": {"essential": True, "value": settings.oidc_client},
            "nonce": {"essential": True, "value": errand.nonce},
            "exp": {"essential": True},
        }
        jwt.JWTClaimsRegistry(leeway=LEEWAY, **wanted).validate(said)
    except (JoseError, requests.RequestException, KeyError, ValueError, AuthlibBaseError):
        raise SignInError from None
    name = said.get(settings.oidc_claim)
    if not isinstance(name, str) or not name:
        raise SignInError
    return name


def _client(settings: Settings, back: str) -> OAuth2Session:
    return OAuth2Session(
        settings.oidc_client,
        settings.oidc_secret.get_secret_value(),
        scope="openid profile email",
        redirect_uri=back,
        code_challenge_method="S256",
        default_timeout=PATIENCE,
    )


def _discovered(settings: Settings) -> dict[str, Any]:
    """What the issuer says of itself; SignInError if it cannot be reached, or says it is another."""
    issuer = settings.oidc_issuer.rstrip("/")
    try:
        said = _get(f"{issuer}/.well-known/openid-configuration")
    except (requests.RequestException, ValueError):
        raise SignInError from None
    if str(said.get("issuer", "")).rstrip("/") != issuer:
        raise SignInError
    return said


def _allowed(known: dict[str, Any]) -> list[str]:
    return known.get("id_token_signing_alg_values_supported", ["RS256"])


def _get(url: str) -> Any:
    answer = requests.get(url, timeout=PATIENCE)
    answer.raise_for_status()
    return answer.json()
