"""Curves of memory are kept and replaced by kind, engine and precision, and drawn as the page shows them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.home_page import FONT, IMAGES, THEMES, WIDTH
from benchmarks.memory_chart import TITLE, chart, label, table
from benchmarks.memory_curves import CURVES, Conditions, Curve, is_point, keep, kept_curves

_CHARACTER_PX = 0.52 * FONT  # of DejaVu Sans, a wide font
_BOLD_PX = 0.63 * FONT
_CONDITIONS = Conditions("sizes", "onnx", "int8", 1, 3000, 500, 800, "some 0123, others 4567", "a processor")


def test_a_curve_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "memory.csv"
    keep(path, Curve(_CONDITIONS, [(1, 10.0), (1000, 20.0), (3000, 25.5)]))
    other = Curve(replace(_CONDITIONS, engine="torch"), [(1, 1.0)])
    keep(path, other)
    later = Curve(replace(_CONDITIONS, frames=10), [(1, 11.0), (10, 12.0)])
    keep(path, later)
    assert kept_curves(path) == [later, other]
    assert not kept_curves(tmp_path / "none.csv")


def test_growth_is_that_after_the_warm_up() -> None:
    assert Curve(_CONDITIONS, [(1, 10.0), (1000, 20.0), (3000, 25.5)]).grown_mb() == 5.5
    assert Curve(_CONDITIONS, [(1, 10.0), (10, 12.0)]).grown_mb() == 0.0


def test_a_curve_is_denser_at_its_start() -> None:
    points = [number for number in range(1, 10_001) if is_point(number, frames=10_000)]
    assert points[:8] == [1, 20, 50, 100, 200, 400, 500, 600]
    assert points[-1] == 10_000


@pytest.mark.parametrize("theme", THEMES)
def test_the_drawn_chart_is_up_to_date(theme: str) -> None:
    """When a curve has changed, ``python -m benchmarks.memory_chart`` draws them again."""
    assert (IMAGES / f"memory-{theme}.svg").read_text(encoding="utf-8") == chart(theme, kept_curves(CURVES))


def test_nothing_is_cut_off() -> None:
    assert len(TITLE) * _BOLD_PX <= WIDTH
    assert all(len(label(curve)) * _CHARACTER_PX <= WIDTH - 32 for curve in kept_curves(CURVES))


def test_the_page_has_the_table(repository: Path) -> None:
    page = (repository / "docs" / "explanation" / "security.md").read_text(encoding="utf-8")
    curves = kept_curves(CURVES)
    assert table(curves) in page
    for curve in curves:
        assert curve.conditions.weights in page
        assert curve.conditions.processor in page
