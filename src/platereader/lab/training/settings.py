"""Checks of the settings of a training, at its start and when it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from platereader.errors import InvalidArgumentError

__all__ = ["check_ranges", "check_unchanged"]


def check_ranges(settings: object, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Check fields of a settings object; None is allowed everywhere.

    Args:
        settings: any object with these fields.
        ranges: lowest and highest value by name; a whole lowest value allows whole numbers only.

    Raises:
        InvalidArgumentError: a value is outside of its range.
    """
    for name, (low, high) in ranges.items():
        value: Any = getattr(settings, name)
        whole = isinstance(low, int)
        if value is not None and not (low <= value <= high and (isinstance(value, int) or not whole)):
            kind = "whole numbers" if whole else "numbers"
            raise InvalidArgumentError(f"{name} is {value!r}, allowed are {kind} from {low:g} to {high:g}.")


def check_unchanged(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Check that a training goes on with the settings it was begun with.

    Raises:
        InvalidArgumentError: a value differs; names the first one.
    """
    for name, value in now.items():
        if before.get(name, value) != value:
            raise InvalidArgumentError(
                f"{name} is {value!r}, but the checkpoint was made with {before[name]!r}: "
                "give the same again, or name a new folder for the output."
            )
