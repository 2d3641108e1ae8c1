"""What a field of a result may be, and its JSON-safe form.

Each check returns the value as a plain Python one, whatever a part filled in, or raises ``InvalidArgumentError``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from numbers import Integral, Real
from typing import Any, TypeVar, cast, get_args

import numpy as np
from typing_extensions import TypeIs

from platereader._geometry import Box, Quad, is_finite
from platereader.errors import InvalidArgumentError, PlateReaderError

ResultT = TypeVar("ResultT")

_PLAIN = frozenset({type(None), bool, int, float, str})


def refuses_damage(
    read: Callable[[type[ResultT], Mapping[str, Any]], ResultT],
) -> Callable[[type[ResultT], Mapping[str, Any]], ResultT]:
    """A ``from_dict`` that refuses what ``to_dict`` never gave: a field is missing or of another kind."""

    @wraps(read)
    def checked(cls: type[ResultT], data: Mapping[str, Any]) -> ResultT:
        try:
            return read(cls, data)
        except PlateReaderError:
            raise
        except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
            missing = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise InvalidArgumentError(
                f"data is no {cls.__name__} as to_dict gives it ({missing}): pass what this version wrote."
            ) from error

    return checked


def set_fields(result: object, **values: object) -> None:
    """Set fields of a frozen result while it is made."""
    for name, value in values.items():
        object.__setattr__(result, name, value)


def fields(result: object, **checks: Callable[..., object]) -> None:
    """Replace fields of a frozen result by what their checks make of them while it is made."""
    for name, check in checks.items():
        object.__setattr__(result, name, check(getattr(result, name), name=name))


def instances(result: object, **kinds: type) -> None:
    """Refuse a result with a field that is of another kind."""
    for name, kind in kinds.items():
        if not isinstance(value := getattr(result, name), kind):
            instance(value, kind, name=name)


def optional(result: object, **kinds: type) -> None:
    """Refuse a result with a field that is neither None nor of that kind."""
    for name, kind in kinds.items():
        value = getattr(result, name)
        if value is not None and not isinstance(value, kind):
            instance(value, kind, name=name)


def tuples(result: object, **kinds: type) -> None:
    """Refuse a result with a field that is not a tuple of that kind."""
    for name, kind in kinds.items():
        items(getattr(result, name), kind, name=name)


def number(value: object, *, name: str) -> float:
    """A finite number."""
    if not is_finite(value):
        raise InvalidArgumentError(f"{name} is {value!r}, expected is a finite number.")
    return float(cast(Real, value))


def _is_probability(value: object) -> TypeIs[float]:
    """Whether it is one already, as by far the most are: an abstract class takes ten times as long."""
    return type(value) is float and 0.0 <= value <= 1.0


def probability(value: object, *, name: str) -> float:
    """A number from 0 to 1."""
    if _is_probability(value):
        return value
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= cast(Any, value) <= 1:
        raise InvalidArgumentError(f"{name} is {value!r}, allowed are numbers from 0 to 1: divide a percentage by 100.")
    return float(value)


def probabilities(values: object, *, name: str) -> dict[str, float]:
    """Numbers from 0 to 1 by name, as a new dict."""
    if not isinstance(values, Mapping):
        raise InvalidArgumentError(f"{name} is {described(values)}, expected are probabilities by name.")
    pairs = cast("Mapping[object, object]", values).items()
    return {
        str(key): value if _is_probability(value) else probability(value, name=f"{name}[{key!r}]")
        for key, value in pairs
    }


def whole(value: object, *, name: str, least: int | None = 0) -> int:
    """A whole number from ``least``; any where that is None."""
    if isinstance(value, bool) or not isinstance(value, Integral) or (least is not None and value < least):
        bound = "" if least is None else f" from {least}"
        raise InvalidArgumentError(f"{name} is {value!r}, allowed are whole numbers{bound}.")
    return int(value)


def positive(value: object, *, name: str) -> int:
    """A whole number from 1."""
    return whole(value, name=name, least=1)


def any_whole(value: object, *, name: str) -> int:
    """A whole number, below 0 as well."""
    return whole(value, name=name, least=None)


def line_count(value: object, *, name: str = "lines") -> int:
    """1 or 2 lines of text, as a whole number and nothing that only equals one."""
    lines = value if type(value) is int else whole(value, name=name)
    if lines not in (1, 2):
        raise InvalidArgumentError(f"{name} is {lines}, allowed are 1 and 2, and in a detection None for unknown.")
    return lines


def flag(value: object, *, name: str) -> bool:
    """True or False, of Python or numpy."""
    if type(value) not in {bool, np.bool_}:
        raise InvalidArgumentError(f"{name} is {value!r}, allowed are True and False.")
    return bool(value)


def instance(value: object, kind: type | tuple[type, ...], *, name: str) -> None:
    """Refuse what is not of ``kind``, or of one of several."""
    if not isinstance(value, kind):
        kinds = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
        raise InvalidArgumentError(f"{name} is {described(value)}, expected is a {kinds}.")


def items(values: object, kind: type, *, name: str) -> None:
    """Refuse what is not a tuple of ``kind``."""
    if not isinstance(values, tuple):
        raise InvalidArgumentError(f"{name} is {described(values)}, expected is a tuple of {kind.__name__}.")
    for index, value in enumerate(cast("tuple[object, ...]", values)):
        if not isinstance(value, kind):
            instance(value, kind, name=f"{name}[{index}]")


def choice(value: object, allowed: Any, *, name: str) -> None:
    """Refuse what a ``Literal`` does not list."""
    if not isinstance(value, str) or value not in get_args(allowed):
        raise InvalidArgumentError(f"{name} is {value!r}, allowed are {', '.join(map(repr, get_args(allowed)))}.")


def plain(value: object) -> object:
    """The JSON-safe form of a field."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in cast("Sequence[object]", value)]
    if isinstance(value, dict):
        return dict(cast("dict[object, object]", value))
    if isinstance(value, Box):
        return list(value.to_tuple())
    if isinstance(value, Quad):
        return [[float(x), float(y)] for x, y in value.points]
    return cast(Any, value).to_dict()


def to_dict(result: object, *names: str) -> dict[str, Any]:
    """The JSON-safe form of these fields or properties of a result; of all fields by default."""
    values = {name: getattr(result, name) for name in names or cast(Any, result).__dataclass_fields__}
    return {name: value if type(value) in _PLAIN else plain(value) for name, value in values.items()}


def shown(result: object, **fields: object) -> str:
    """A short ``repr``: those of the fields that are not None, numbers rounded."""
    words = (f"{name}={_rounded(value)!r}" for name, value in fields.items() if value is not None)
    return f"{type(result).__name__}({', '.join(words)})"


def described(value: object) -> str:
    """The kind of a value, with a short one itself."""
    text = repr(value)
    return f"the {type(value).__name__} {text}" if len(text) <= 80 else f"a {type(value).__name__}"


def _rounded(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(round(edge, 1) for edge in cast("tuple[float, ...]", value))
    return round(value, 3) if isinstance(value, float) else value
