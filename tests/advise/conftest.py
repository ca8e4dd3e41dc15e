"""The reader of worked cases lives with the cases."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "cases"))
