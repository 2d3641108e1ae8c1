"""What a field of a country's data may be: each check refuses anything else with ``InvalidArgumentError``."""

from __future__ import annotations

from typing import cast

from platereader._geometry import is_finite
from platereader.errors import InvalidArgumentError


def described(value: object) -> str:
    """A short text or number as it is, of anything else its class: a scheme is pages long."""
    return repr(value) if isinstance(value, (bool, int, float, str)) or value is None else f"a {type(value).__name__}"


def texts(owner: object, *names: str) -> None:
    """Fields that are texts, which may be empty."""
    for name in names:
        if not isinstance(value := cast(object, getattr(owner, name)), str):
            raise InvalidArgumentError(f"{name} is {described(value)}, expected is a text.")


def choices(owner: object, **allowed: tuple[str, ...]) -> None:
    """Fields that are one of a few words."""
    for name, words in allowed.items():
        if (value := cast(object, getattr(owner, name))) not in words:
            raise InvalidArgumentError(f"{name} is {value!r}, allowed are {words}.")


def instances(owner: object, kind: type, *names: str, optional: bool = False) -> None:
    """Fields of one kind; None, too, where they are optional."""
    for name in names:
        value = cast(object, getattr(owner, name))
        if not isinstance(value, kind) and not (optional and value is None):
            raise InvalidArgumentError(f"{name} is {described(value)}, expected is a {kind.__name__}.")


def tuple_of(value: object, kind: type, *, name: str, example: str) -> None:
    """A tuple of one kind, also where it is one."""
    if not isinstance(value, tuple):
        wrong = described(value)
    else:
        wrong = next((described(one) for one in cast("tuple[object, ...]", value) if not isinstance(one, kind)), "")
        wrong = wrong and f"a tuple with {wrong}"
    if wrong:
        raise InvalidArgumentError(
            f"{name} is {wrong}, expected is a tuple of {kind.__name__}s, also where it is one: ({example},)."
        )


def lengths(values: object, *, name: str, count: int | None = None, example: str) -> None:
    """A tuple of numbers above 0, in millimetres."""
    given = cast("tuple[object, ...]", values) if isinstance(values, tuple) else ()
    if (
        not given
        or (count is not None and len(given) != count)
        or not all(is_finite(one) and cast(float, one) > 0 for one in given)
    ):
        raise InvalidArgumentError(f"{name} is {values!r}, expected are numbers above 0, in millimetres: {example}.")
