"""Whatever a public signature names can be imported from a public place."""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import pytest
from docs.test_reference import public_modules

import platereader
from platereader import protocols, results

MODULES = sorted(public_modules())


def signatures(thing: Any) -> Iterator[tuple[str, Any]]:
    """The functions behind a public name, and what stands for its fields, each with how to call it."""
    if inspect.isclass(thing):
        yield thing.__name__, thing
        for name, member in vars(thing).items():
            function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
            if isinstance(function, FunctionType) and (not name.startswith("_") or name == "__init__"):
                yield f"{thing.__name__}.{name}", function
    elif isinstance(thing, FunctionType):
        yield thing.__name__, thing


def own_types(hint: Any) -> Iterator[type]:
    """Classes of this package that a type names, however deep."""
    if inspect.isclass(hint) and hint.__module__.partition(".")[0] == "platereader":
        yield hint
    for part in hint if isinstance(hint, list) else typing.get_args(hint):
        yield from own_types(part)


def hints_of(thing: Any) -> dict[str, Any]:
    """Types of arguments, result or fields, those that are only imported for checking included."""
    top = {name: getattr(platereader, name) for name in platereader.__all__}
    return typing.get_type_hints(thing, vars(importlib.import_module(thing.__module__)) | top)


def unreachable(names: list[str], module: str, reachable: set[int]) -> set[str]:
    """Types that signatures name and that are not among the reachable ones."""
    return {
        f"{module}.{label}: {one.__module__}.{one.__qualname__}"
        for name in names
        for label, thing in signatures(getattr(importlib.import_module(module), name))
        for argument, hint in hints_of(thing).items()
        for one in own_types(hint)
        if not argument.startswith("_") and id(one) not in reachable
    }


def exported(*modules: str) -> set[int]:
    """What these modules export."""
    return {id(getattr(module, name)) for module in map(importlib.import_module, modules) for name in module.__all__}


def test_what_a_pipeline_and_its_parts_name_is_importable_from_the_top() -> None:
    top = exported("platereader")
    names = {*protocols.__all__, *results.__all__, "Pipeline", "PlateStream", "Registry", "TrustPolicy"}
    for name in names & set(platereader.__all__):
        assert unreachable([name], "platereader", top) == set()


@pytest.mark.parametrize("module", MODULES)
def test_what_a_public_module_names_is_importable_from_a_public_place(module: str) -> None:
    assert unreachable(importlib.import_module(module).__all__, module, exported(*MODULES)) == set()
