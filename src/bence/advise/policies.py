"""Choices of the pathway that no source settles, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..catalogue import nearest
from ..errors import UsageError

POLICIES = {  # the first is the default
    "off_label": ("block", "mark"),  # not approved in the region, or a regimen outside its label: blocked, or shown as off-label
    "antigen_loss": ("block", "caution"),  # the target is lost on both alleles or mutated
}


def parted(policies: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The policies of the pathway, and those of the assessment."""
    mine = {name: value for name, value in policies.items() if name in POLICIES}
    return mine, {name: value for name, value in policies.items() if name not in POLICIES}


def settled(given: Mapping[str, str]) -> dict[str, str]:
    """Every policy with its value; UsageError for one that does not exist."""
    for name, value in given.items():
        if name not in POLICIES:
            raise UsageError(f"there is no policy {name!r}", expected=", ".join(POLICIES), nearest=nearest(name, POLICIES))
        if value not in (choices := POLICIES[name]):
            raise UsageError(f"policy {name} cannot be {value!r}", expected=" or ".join(choices), nearest=nearest(value, choices))
    return {name: values[0] for name, values in POLICIES.items()} | dict(given)
