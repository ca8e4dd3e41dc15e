"""The stand-in for an argument of a rule: each comparison gives a truth value and narrows what is left."""

from __future__ import annotations

from math import inf
from typing import NoReturn, Protocol

from .interval import TOLERANCE, Interval
from .tree import Answer, Start, Test


class Run(Protocol):
    """One run of a rule, which tells what is known and which reply is due."""

    target: str
    looked: set[str]

    def start(self, name: str) -> Start:
        """What is known of an input."""
        ...

    def reply(self, name: str, op: str, at: Answer) -> bool:
        """The reply to an open question."""
        ...

    def answer(self, name: str) -> Answer:
        """The answer of another rule on this path."""
        ...


class Asked:
    """Stands for an argument of a rule: each comparison gives a truth value and narrows what is left."""

    __slots__ = ("hi", "hi_open", "left", "lo", "lo_open", "name", "not_any", "run")

    def __init__(self, run: Run, name: str) -> None:
        self.run = run
        self.name = name
        self.not_any: tuple[Answer, ...] = ()
        self.begin()

    def begin(self) -> None:
        """Take up what is known at the start. `lo` is None unless the value is known to be a number."""
        start = self.run.start(self.name)
        self.lo: float | None = None
        self.left: tuple[Answer, ...] | None = None
        if isinstance(start, Interval):
            self.lo, self.hi, self.lo_open, self.hi_open = start.lo, start.hi, start.lo_open, start.hi_open
        elif start is not None:
            self.left = start

    def at_least(self, at: float) -> bool:
        """Is the value `at` or more?"""
        if self.left is not None:
            return self.among(">=", at)
        lo = self.number(at)
        if lo >= at - TOLERANCE:
            return True
        if self.hi < at - TOLERANCE or (self.hi_open and self.hi <= at + TOLERANCE):
            return False
        if self.run.reply(self.name, ">=", at):
            self.lo, self.lo_open = at, False
            return True
        self.hi, self.hi_open = at, True
        return False

    def more_than(self, at: float) -> bool:
        """Is the value more than `at`?"""
        if self.left is not None:
            return self.among(">", at)
        lo = self.number(at)
        if lo > at + TOLERANCE or (self.lo_open and lo >= at - TOLERANCE):
            return True
        if self.hi <= at + TOLERANCE:
            return False
        if self.run.reply(self.name, ">", at):
            self.lo, self.lo_open = at, True
            return True
        self.hi, self.hi_open = at, False
        return False

    def among(self, op: str, at: Answer) -> bool:
        """The same of a value of which a few are left."""
        self.run.looked.add(self.name)
        left = self.left or ()
        self.check(next(iter(left)), at)
        test = Test(op, at)
        yes = tuple(value for value in left if test.passes(value))
        if not yes or len(yes) == len(left):
            return bool(yes)
        if self.run.reply(self.name, op, at):
            self.left = yes
            return True
        self.left = tuple(value for value in left if value not in yes)
        return False

    def same(self, at: Answer) -> bool:
        """Is it this word (or truth value)?"""
        if self.left is not None:
            return self.among("=", at)
        self.run.looked.add(self.name)
        if self.lo is not None or not isinstance(at, str):
            self.refuse(f"is a number; it cannot be compared with {at!r}")
        if at in self.not_any:
            return False
        if self.run.reply(self.name, "=", at):
            self.left = (at,)
            return True
        self.not_any = (*self.not_any, at)
        return False

    def number(self, at: object) -> float:
        """The lower end of a number; a value of unknown kind becomes a number when compared with one."""
        self.run.looked.add(self.name)
        if not isinstance(at, (int, float)):
            self.refuse(f"cannot be compared with {at!r}; expected a number (arithmetic goes into a @quantity)")
        if self.lo is None:
            if self.not_any:
                self.refuse(f"is a word; it cannot be compared with {at!r}")
            self.lo, self.hi, self.lo_open, self.hi_open = -inf, inf, False, False
        return self.lo

    def check(self, value: Answer, at: object) -> None:
        """Only like is compared with like."""
        if isinstance(value, bool):
            if not isinstance(at, bool):
                self.refuse(f"answers True or False; write `if {self.name}:` instead of comparing it with {at!r}")
        elif isinstance(value, str) != isinstance(at, str) or isinstance(at, (bool, Asked)):
            self.refuse(f"cannot be compared with {at!r}; possible are {', '.join(map(repr, self.left or ()))}")

    def refuse(self, why: str) -> NoReturn:
        """A mistake of whoever wrote the rule."""
        raise TypeError(f"in rule {self.run.target}: {self.name} {why}")

    def settle(self) -> Answer:
        """One value, after as many forks as it takes."""
        if self.left is None:
            self.refuse("has no list of categories; compare it with `==` or with `in (..., ...)`")
        for value in self.left:
            if self.among("=", value):
                return value
        return self.left[0]

    def __ge__(self, other: float) -> bool:
        return self.at_least(other)

    def __gt__(self, other: float) -> bool:
        return self.more_than(other)

    def __lt__(self, other: float) -> bool:
        return not self.at_least(other)

    def __le__(self, other: float) -> bool:
        return not self.more_than(other)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (int, float)) and not isinstance(other, bool):
            return self.at_least(other) and not self.more_than(other)
        return self.same(other)  # type: ignore[arg-type]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.settle())

    def __str__(self) -> str:
        return str(self.settle())

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def __bool__(self) -> bool:
        if self.left is None or not isinstance(self.left[0], bool):
            self.refuse(f'is not a truth value; write what is asked of it, as in `{self.name} == "yes"`')
        return self.among("=", True)

    def _no_arithmetic(self, *_: object) -> NoReturn:
        self.refuse("is used in arithmetic; that belongs in a @quantity")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _no_arithmetic
    __neg__ = __abs__ = __float__ = __int__ = __round__ = __pow__ = __mod__ = __floordiv__ = _no_arithmetic


class Answered(Asked):
    """Stands for an argument that is the answer of another rule, worked out when it is first looked at."""

    __slots__ = ("answer",)

    def begin(self) -> None:
        """Nothing is known before the other rule is run."""
        self.answer: tuple[Answer, ...] = ()
        self.lo = None

    @property
    def left(self) -> tuple[Answer, ...]:  # type: ignore[override]
        """The answer of the other rule on this path."""
        if not self.answer:
            self.answer = (self.run.answer(self.name),)
        return self.answer
