"""For every test: less time for collecting garbage, and for hashing passwords where one asks for it."""

from __future__ import annotations

import gc
from contextlib import contextmanager

import pytest


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector need not look at it again, nor so often at the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


@pytest.fixture(scope="session")
def quick_hashes():
    """A context in which passwords are hashed as ever, only with the least work that Argon2 can do."""
    argon2 = pytest.importorskip("argon2", reason="the extra `registry` is not installed")
    from bence.registry import accounts

    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

    @contextmanager
    def quick():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(accounts, "_hasher", lambda: hasher)
            yield

    return quick
