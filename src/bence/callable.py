"""A package that is also the function it is named after: `bence.assess(chart)` beside `bence.assess.response`."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class CallableModule(ModuleType):
    """A module that, called, calls the function of its own name."""

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call the function this package is named after."""
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **named)


def make_callable(name: str) -> None:
    """Let the module of this name be called."""
    sys.modules[name].__class__ = CallableModule
