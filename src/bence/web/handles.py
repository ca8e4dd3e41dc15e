"""Handles: how a patient stands in an address, without number or name.

A handle is the number of the person in AES-SIV under a secret of the registry: nobody can make one, or read one, elsewhere.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV


class Handles:
    """Numbers to handles and back.

    >>> handles = Handles(bytes(32))
    >>> handles.number(handles.of(7))
    7
    """

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESSIV(secret)

    def of(self, number: int) -> str:
        """The handle of a person."""
        return base64.urlsafe_b64encode(self._cipher.encrypt(number.to_bytes(8, "big"), None)).decode().rstrip("=")

    def number(self, handle: str) -> int | None:
        """The number of the person, or None if this is no handle of this registry."""
        try:
            sealed = base64.urlsafe_b64decode(handle + "=" * (-len(handle) % 4))
            return int.from_bytes(self._cipher.decrypt(sealed, None), "big")
        except (binascii.Error, ValueError, InvalidTag):
            return None
