"""Pages to read and print: one patient (`report`), a whole cohort (`cohort`), what can be done next (`sheet`).

One file each, nothing loaded from elsewhere.

    page = bence.report(chart, "P001", lang="zh")
    page = bence.report.cohort(chart, findings)

Needs Jinja2 and Matplotlib: `pip install "bence[report]"`.
"""

from __future__ import annotations

from importlib.util import find_spec

from ..callable import make_callable
from ..errors import UsageError

try:
    from .cohort import cohort
    from .page import report
    from .sheet import sheet

    if find_spec("matplotlib") is None:  # imported where there is a picture to draw
        raise ModuleNotFoundError(name="matplotlib")
except ModuleNotFoundError as error:
    if error.name not in ("jinja2", "markupsafe", "matplotlib"):
        raise
    raise UsageError(f"pages need {error.name}", expected='pip install "bence[report]"') from None

__all__ = ["cohort", "report", "sheet"]

make_callable(__name__)
