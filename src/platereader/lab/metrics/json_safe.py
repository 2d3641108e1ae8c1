"""The results of the lab in the form of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar, cast


def json_safe(value: Any) -> Any:
    """A value as JSON has it: what has ``to_dict`` says it itself, any other data class is its fields."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if is_dataclass(value):
        return fields_of(value)
    if isinstance(value, Mapping):
        return {key: json_safe(one) for key, one in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [json_safe(one) for one in cast("list[Any]", value)]
    return value


class JsonSafe:
    """A data class that ``to_dict`` gives field by field, and then its properties ``DERIVED``."""

    __slots__ = ()
    DERIVED: ClassVar[tuple[str, ...]] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return fields_of(self) | {name: getattr(self, name) for name in self.DERIVED}


def fields_of(result: Any) -> dict[str, Any]:
    """The fields of a data class, ``json_safe``."""
    return {one.name: json_safe(getattr(result, one.name)) for one in fields(result)}
