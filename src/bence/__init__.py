"""Bence: multiple myeloma, from what is recorded to what can be done next.

    chart = bence.read("folder")
    findings = bence.assess(chart, at="2025-06-30")
    findings.response                      # a Polars frame
    print(bence.why(chart, "P001", "r2_iss"))
    bence.advise(findings, region="china")  # options, a frame too

What is heavy is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__

__all__ = ["Chart", "Findings", "__version__", "advise", "assess", "read", "report", "stage", "visible", "why"]

if TYPE_CHECKING:
    from .advise import advise
    from .assess import Findings, assess, stage
    from .assess.why import why
    from .chart import Chart, visible
    from .read import read
    from .report import report

HOME = {
    "Chart": "chart", "visible": "chart", "Findings": "assess", "stage": "assess", "why": "assess.why",
    "advise": "", "assess": "", "read": "", "report": "",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in HOME:
        raise AttributeError(f"module 'bence' has no attribute {name!r}")
    if not HOME[name]:
        return import_module(f"bence.{name}")
    return getattr(import_module(f"bence.{HOME[name]}"), name)
