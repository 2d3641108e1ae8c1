"""The reference documents what is public, all of it and nothing else."""

import importlib
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SECTION = re.compile(r"^::: (platereader[\w.]*)$", re.MULTILINE)
UNSTABLE = {"platereader.lab", "platereader.cli"}  # commands and tools: their Python names promise nothing


def public_modules() -> set[str]:
    """Packages and top-level files without an underscore; below a package, modules are private."""
    source = REPOSITORY / "src" / "platereader"
    names = {f"platereader.{path.stem}" for path in source.iterdir() if path.is_dir() or path.suffix == ".py"}
    return {name for name in names if "._" not in name} - UNSTABLE | {"platereader"}


def documented() -> list[str]:
    """What the pages of the reference have sections of."""
    pages = (REPOSITORY / "docs" / "reference").glob("*.md")
    return [name for page in pages for name in SECTION.findall(page.read_text(encoding="utf-8"))]


def test_every_public_module_is_in_the_reference_once() -> None:
    sections = documented()
    assert len(sections) == len(set(sections))
    assert set(sections) | {"platereader.pipeline"} == public_modules()  # a pipeline is shown with the package


def test_modules_below_a_public_package_are_private() -> None:
    source = REPOSITORY / "src" / "platereader"
    for package in public_modules():
        folder = source / package.removeprefix("platereader").removeprefix(".").replace(".", "/")
        if package != "platereader" and folder.is_dir():
            open_names = [path.name for path in folder.iterdir() if path.name[0] != "_" and path.suffix != ".csv"]
            assert open_names == (["schemes"] if package == "platereader.plates" else [])


def test_the_schemes_are_importable_from_the_package_above_them() -> None:
    schemes, plates = (
        importlib.import_module("platereader.plates.schemes"),
        importlib.import_module("platereader.plates"),
    )
    assert set(schemes.__all__) <= set(plates.__all__)
    assert all(getattr(plates, name) is getattr(schemes, name) for name in schemes.__all__)


def test_public_modules_say_what_is_public() -> None:
    for name in public_modules():
        module = importlib.import_module(name)
        assert all(hasattr(module, public) and not public.startswith("_") for public in module.__all__), name
