"""What a server can be told, by environment (`BENCE_DATABASE`, …) or on the command line; each has a default that is safe."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings of a server.

    `public_url`: under which browsers reach it (behind a proxy: https://…); cookies are secure if it is https. `oidc_*`: sign-in by
    OpenID Connect; `oidc_claim` holds the name of the user in this registry. `questionnaires`: a folder with a centre's own forms.
    `cds_records`: the hospital records that may call CDS Hooks, issuer → address of its keys (none: only this machine may);
    `cds_origins`: the pages from which a browser may call them.
    `metrics_token`: who brings it may read /metrics from elsewhere.
    """

    model_config = SettingsConfigDict(env_prefix="BENCE_")

    database: str = "registry.db"
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    region: Literal["china", "us", "eu"] = "china"
    oidc_issuer: str = ""
    oidc_client: str = ""
    oidc_secret: SecretStr = SecretStr("")
    oidc_claim: str = "preferred_username"
    questionnaires: Path | None = None
    metrics_token: SecretStr = SecretStr("")
    cds_records: dict[str, str] = {}
    cds_origins: list[str] = []
    behind_proxy: bool = False

    @property
    def secure(self) -> bool:
        """Are pages reached by https only?"""
        return self.public_url.startswith("https://")
