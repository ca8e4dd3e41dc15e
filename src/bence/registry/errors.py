"""What a registry refuses: access beyond one's rights, and a change of what somebody else has changed meanwhile."""

from __future__ import annotations

from ..errors import BenceError


class AccessError(BenceError):
    """The user may not do this, or not there. Whether the patient exists elsewhere is not told."""

    exit_code = 1


class SignInError(BenceError):
    """Name and password do not fit, or there were too many attempts: which of them is not told."""

    exit_code = 1

    def __init__(self) -> None:
        super().__init__("name and password do not fit, or there were too many attempts", expected="another try, or one later")


class ConflictError(BenceError):
    """A row was changed by somebody else since it was read. `who`, `when`, `why`, and `theirs`: column → (before, now)."""

    exit_code = 1

    def __init__(self, what: str, *, who: str, when: str, why: str, theirs: dict[str, tuple[object, object]] | None = None):
        self.who, self.when, self.why, self.theirs = who, when, why, theirs or {}
        changed = "; ".join(f"{name}: {before!r} → {now!r}" for name, (before, now) in self.theirs.items())
        told = f"{what} {who} changed it at {when} ({why})" + (f": {changed}" if changed else "")
        super().__init__(told, expected="the row as it is now, read again")
