"""Who may do what, and where: the one table of rights, read by every method of the store.

A patient is *own* if its centre is one of the user's, *shared* if a consent in force shares it with one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ..catalogue import nearest
from ..errors import UsageError
from .errors import AccessError

Reach = Literal["own", "shared"]  # "shared" is own and shared
ROLES = {
    "data_entry": ("data entry", "数据录入员"),
    "physician": ("physician", "医师"),
    "mdt_chair": ("chair of the MDT", "MDT主席"),
    "centre_lead": ("lead of the centre", "中心负责人"),
    "analyst": ("analyst, de-identified data only", "数据分析员（仅限去标识化数据）"),
    "administrator": ("administrator", "系统管理员"),
}
RIGHTS: dict[str, dict[str, Reach]] = {
    "read": {"data_entry": "shared", "physician": "shared", "mdt_chair": "shared", "centre_lead": "shared"},
    "write": {"data_entry": "shared", "physician": "shared", "mdt_chair": "shared", "centre_lead": "shared"},
    "findings": {"physician": "shared", "mdt_chair": "shared", "centre_lead": "shared"},
    "judge": {"physician": "shared", "mdt_chair": "shared", "centre_lead": "shared"},
    "meet": {"physician": "shared", "mdt_chair": "shared", "centre_lead": "shared"},
    "decide": {"mdt_chair": "shared", "centre_lead": "shared"},
    "invite": {"data_entry": "shared", "physician": "shared", "mdt_chair": "shared", "centre_lead": "shared"},
    "import": {"data_entry": "own", "centre_lead": "own"},
    "undo": {"data_entry": "own", "centre_lead": "own"},
    "share": {"physician": "own", "mdt_chair": "own", "centre_lead": "own"},
    "merge": {"centre_lead": "own"},
    "transfer": {"centre_lead": "own"},
    "rename": {"data_entry": "own", "centre_lead": "own"},
    "export": {"centre_lead": "own"},
    "deidentified": {"centre_lead": "own", "analyst": "own"},
    "count": {"mdt_chair": "own", "centre_lead": "own", "analyst": "own"},
    "audit": {"centre_lead": "own", "administrator": "own"},
    "manage": {"administrator": "own"},
}
CENTRE = re.compile(r"[^,\s\x00-\x1f]([^,\x00-\x1f]{0,78}[^,\s\x00-\x1f])?")  # no comma: PostgreSQL is told the centres as one text


@dataclass(frozen=True)
class Access:
    """A user with roles in centres. UsageError for an unknown role or a centre that cannot be one.

    >>> Access("li", ["physician"], ["WH"]).reach("read"), Access("li", ["physician"], ["WH"]).reach("export")
    ('shared', None)
    """

    user: str
    roles: tuple[str, ...]
    centres: tuple[str, ...]

    def __init__(self, user: str, roles: Iterable[str], centres: Iterable[str]) -> None:
        object.__setattr__(self, "user", user)
        object.__setattr__(self, "roles", tuple(sorted(set(roles))))
        object.__setattr__(self, "centres", tuple(sorted(set(centres))))
        if not user.strip():
            raise UsageError("an access without a user")
        for role in self.roles:
            if role not in ROLES:
                raise UsageError(f"there is no role {role!r}", expected=", ".join(ROLES), nearest=nearest(role, ROLES))
        for centre in self.centres:
            check_centre(centre)

    def reach(self, action: str) -> Reach | None:
        """How far an action may go: to own patients, to own and shared ones, nowhere (None)."""
        reaches = {RIGHTS[action].get(role) for role in self.roles}
        return "shared" if "shared" in reaches else "own" if "own" in reaches else None

    def require(self, action: str) -> Reach:
        """The reach of an action; AccessError if there is none."""
        reach = self.reach(action)
        if reach is None:
            raise AccessError(f"{self.user} may not {action}", expected=f"one of the roles {', '.join(RIGHTS[action])}")
        return reach

    def within(self, centres: Iterable[str] | None) -> tuple[str, ...]:
        """The centres asked for (None: all of the user's); AccessError if one of them is not the user's."""
        if centres is None:
            return self.centres
        for centre in centres:
            if centre not in self.centres:
                raise AccessError(f"{self.user} has no rights in centre {centre!r}", expected=", ".join(self.centres))
        return tuple(sorted(set(centres)))


def check_centre(code: str) -> None:
    """UsageError if a text cannot be the code of a centre."""
    if not CENTRE.fullmatch(code):
        raise UsageError(f"{code!r} cannot be the code of a centre", expected="up to 80 characters without a comma")
