"""One small virtual trial that several tests look at."""

from __future__ import annotations

import pytest

from bence.simulate.protocols import read_protocol
from bence.simulate.trial import Trial, run_trial


@pytest.fixture(scope="session")
def small_trial() -> Trial:
    return run_trial(read_protocol("majestec-1"), 60, 7)
