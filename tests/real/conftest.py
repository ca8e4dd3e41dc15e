"""Real data lie outside the repository: in the folder BENCE_DATA, or in shared/data beside the checkout."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def real():
    """`real("nhanes/nhanes_mgus.csv")`: the path of a file of the real data; the test is skipped where it is absent."""
    folder = Path(os.environ.get("BENCE_DATA") or ROOT.parent / "shared" / "data")

    def path(name: str) -> Path:
        if not (folder / name).exists():
            pytest.skip(f"no {name} in {folder} (set BENCE_DATA to the folder of the real data)")
        return folder / name

    return path
