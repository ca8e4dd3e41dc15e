"""The registry: the store of a centre or a province.

It keeps the four tables of the chart with every version of every row, on SQLite or PostgreSQL; who saw and who changed what;
and shows each user the patients of the own centres and those shared by consent. See docs/how-to/registry.md.
"""

from __future__ import annotations

from .access import RIGHTS, ROLES, Access
from .audit import Verified
from .concordance import concordance
from .deidentify import deidentify
from .errors import AccessError, ConflictError, SignInError
from .importing import Imported
from .listing import Person
from .reading import Record
from .sessions import Session
from .store import Store

__all__ = [
    "RIGHTS",
    "ROLES",
    "Access",
    "AccessError",
    "ConflictError",
    "Imported",
    "Person",
    "Record",
    "Session",
    "SignInError",
    "Store",
    "Verified",
    "concordance",
    "deidentify",
]
