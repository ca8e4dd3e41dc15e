"""Who may call: the records that the settings name, each by the key it signs with; on this machine anybody, while none is named.

A call carries a JWT of its record (CDS Hooks 2.0, "Trusting CDS Clients"): issuer, audience, time, and an id that is used once.
"""

from __future__ import annotations

import json
import time
from typing import Any

import requests
from fastapi import Request
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from ..operations import LOCAL
from ..settings import Settings
from ..visit import SignedOut

ALGORITHMS = ("ES256", "ES384", "RS256", "RS384", "PS256", "EdDSA")
LEEWAY, LONGEST = 60, 600  # seconds: two clocks may differ, and a token may live
KEYS_KEPT = 3600  # seconds
PATIENCE = 5  # seconds for a record to give its keys


class CallsFromElsewhere:
    """Lets pages of other origins call the services, and nothing else of this server."""

    def __init__(self, app: ASGIApp, origins: list[str]) -> None:
        self._app = app
        self._open = CORSMiddleware(app, origins, allow_methods=["GET", "POST"], allow_headers=["*"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with the answers of CORS where it is one for the services."""
        elsewhere = scope["type"] == "http" and scope["path"].startswith("/cds-services")
        await (self._open if elsewhere else self._app)(scope, receive, send)


class Callers:
    """The records that may call, their keys, and the ids that were used."""

    def __init__(self, settings: Settings) -> None:
        self._records = settings.cds_records
        self._keys: dict[str, tuple[float, KeySet]] = {}
        self._used: dict[str, float] = {}

    def check(self, request: Request) -> None:
        """SignedOut if the caller may not call."""
        if not self._records:
            if request.client is not None and request.client.host in LOCAL:
                return
            raise SignedOut
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise SignedOut
        try:
            issuer = self._issuer(token)
            said = jwt.decode(token, self._keys_of(issuer), algorithms=list(ALGORITHMS)).claims
            self._validate(said, issuer, str(request.url))
        except (JoseError, ValueError, KeyError, requests.RequestException):
            raise SignedOut from None

    def _issuer(self, token: str) -> str:
        """The issuer that a token names; KeyError if it is none of ours. What it says is believed after its signature is verified."""
        issuer = str(json.loads(jws.extract_compact(token.encode()).payload)["iss"])
        if issuer not in self._records:
            raise KeyError(issuer)
        return issuer

    def _keys_of(self, issuer: str) -> KeySet:
        since, keys = self._keys.get(issuer, (0.0, None))
        if keys is None or time.monotonic() - since > KEYS_KEPT:
            answer = requests.get(self._records[issuer], timeout=PATIENCE)
            answer.raise_for_status()
            keys = KeySet.import_key_set(answer.json())
            self._keys[issuer] = (time.monotonic(), keys)
        return keys

    def _validate(self, said: dict[str, Any], issuer: str, address: str) -> None:
        now = time.time()
        wanted: dict[str, Any] = {
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": address},
            "exp": {"essential": True},
            "iat": {"essential": True},
            "jti": {"essential": True},
        }
        jwt.JWTClaimsRegistry(leeway=LEEWAY, **wanted).validate(said)
        if said["exp"] - said["iat"] > LONGEST + LEEWAY:
            raise ValueError("the token lives too long")
        self._used = {name: until for name, until in self._used.items() if until > now}
        if said["jti"] in self._used:
            raise ValueError("the token was used before")
        self._used[said["jti"]] = said["exp"] + LEEWAY
