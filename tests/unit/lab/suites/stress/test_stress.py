"""The suite is the same every time, and a run over it counts what it should."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fakes import patch_pipeline
from platereader.cli import main
from platereader.lab.datasets.plates import RealPlate
from platereader.lab.suites.frozen import frozen_fingerprints
from platereader.lab.suites.stress import run
from platereader.lab.suites.stress.plots import draw_stress
from platereader.lab.suites.stress.report import StressReading, StressReport, format_stress
from platereader.lab.synthesis.part import Part
from platereader.lab.synthesis.render import render_plate
from platereader.lab.synthesis.stress import pictures as maker
from platereader.lab.synthesis.stress.material import Material, load_material
from platereader.lab.synthesis.stress.pictures import CUT_PARTS, PARTS, pictures
from platereader.plates import DEFAULT_SCHEMES, RUSSIA
from platereader.results import Reason, Status

MIXED = next(part for part in PARTS if part.axis == "mixed")


def real_plate(text: str = "A123BC77") -> RealPlate:
    front = render_plate(text, RUSSIA.layout("standard"), height_px=48, rng=np.random.default_rng(0)).pixels
    pixels = np.full((120, 320, 3), 70, np.uint8)
    height, width = front.shape[:2]
    pixels[30 : 30 + height, 40 : 40 + width] = front
    corners = np.array([(40, 30), (40 + width, 30), (40 + width, 30 + height), (40, 30 + height)], np.float32)
    return RealPlate(pixels, corners, 1, text, "a.jpg")


@pytest.fixture
def material() -> Material:
    """One photographed plate, no cut-out letters, one empty scene."""
    scene = np.random.default_rng(3).integers(60, 200, (120, 160, 3), np.uint8)
    return Material((real_plate(),), {}, (scene,))


def part_of(axis: str, amount: float) -> Part:
    return next(part for part in (*PARTS, *CUT_PARTS) if (part.axis, part.amount) == (axis, amount))


def test_names_are_unique_and_every_type_has_its_part() -> None:
    names = [part.name for part in (*PARTS, *CUT_PARTS)]
    assert len(set(names)) == len(names)
    assert {part.unit for part in PARTS if part.axis == "type"} == {one.name for one in RUSSIA.formats}


@pytest.mark.parametrize(("axis", "amount"), [("width", 60), ("region", 3), ("box", 1.15), ("cut_off", 30)])
def test_pictures_repeat_and_differ_between_parts(material: Material, axis: str, amount: float) -> None:
    part = part_of(axis, amount)
    first, second = (run.fingerprint_of(pictures(material, [part])) for _ in range(2))
    assert first == second
    assert run.fingerprint_of(pictures(material, [part_of("jpeg", 30)])) != first


def test_random_regions_are_of_the_asked_length(material: Material) -> None:
    texts = [one.text for one in pictures(material, [part_of("region", 3)])]
    codes = {text[-3:] for text in texts}
    assert all(DEFAULT_SCHEMES.fit(text).legal for text in texts)
    assert {len(text) for text in texts} == {9}
    assert len(codes) > 0.8 * len(texts)  # not only the codes in use


def test_box_parts_hand_over_a_box_of_their_size(material: Material) -> None:
    sizes = {}
    for scale in (1.0, 1.3):
        picture = next(pictures(material, [part_of("box", scale)]))
        assert picture.detection.corners is None
        sizes[scale] = picture.detection.box.width
    assert sizes[1.3] / sizes[1.0] == pytest.approx(1.3, rel=0.01)


def reading(
    part: Part, text: str | None, read_text: str | None, status: Status, reason: Reason | None = None, *, sure: float
) -> StressReading:
    return StressReading(part, "drawn", text, read_text, status, reason, sure, read_text or "", sure)


def test_a_report_counts_right_returned_and_flagged() -> None:
    decoy, foreign = Part("not_a_plate", 0, "scenery"), Part("foreign", 0, "plates")
    report = StressReport(
        (
            reading(MIXED, "A123BC77", "A123BC77", "read", sure=0.99),
            reading(MIXED, "A123BC78", "A123BC77", "read", sure=0.96),
            reading(MIXED, "B777OP98", "B777OP98", "uncertain", "low_confidence", sure=0.6),
            reading(MIXED, "B777OP98", None, "unreadable", "nothing_legible", sure=0.0),
            reading(CUT_PARTS[0], None, "A123BC", "uncertain", "cut_off", sure=0.1),
            reading(CUT_PARTS[0], None, "A123BC77", "read", sure=0.97),
            reading(decoy, None, None, "unreadable", "not_a_plate", sure=0.0),
            reading(foreign, None, "A123BC77", "read", sure=0.99),
        ),
        (),
        (),
    )
    scores = next(one for one in report.scores() if one.part == MIXED)
    assert (scores.exact.count, scores.exact.n) == (2, 4)
    assert (scores.read.count, scores.read_wrong.count, scores.read_wrong.n) == (2, 1, 2)
    trust = report.trust()
    assert (trust.cut_off_flagged.count, trust.cut_off_flagged.n) == (1, 2)
    assert trust.not_a_plate_read.count == 0
    assert (trust.foreign_read.count, trust.foreign_read.n) == (1, 1)
    assert trust.auroc == pytest.approx(0.75)
    assert "2/4 50.0 %" in format_stress(report)
    assert "frozen" in format_stress(report)


@pytest.fixture
def small_suite(monkeypatch: pytest.MonkeyPatch) -> tuple[Part, ...]:
    """A suite of two parts and one of cut-off plates, a few pictures each."""
    few = (part_of("width", 60), MIXED)
    for module in (run, maker):
        monkeypatch.setattr(module, "PARTS", few)
        monkeypatch.setattr(module, "CUT_PARTS", CUT_PARTS[:1])
    monkeypatch.setattr(maker, "_MIXED_EACH", 6)
    monkeypatch.setattr(maker, "_DRAWN_EACH", 4)
    monkeypatch.setattr(run, "_DECOYS", {Part("not_a_plate", 0, "scenery"): 3})
    monkeypatch.setattr("platereader.lab.suites.stress.report.PARTS", few)
    return few


def test_a_run_reads_every_picture_and_notices_changed_ones(
    material: Material, small_suite: tuple[Part, ...], tmp_path: Path
) -> None:
    ticks: list[None] = []
    report = run.evaluate_stress(patch_pipeline(), material, on_picture=lambda: ticks.append(None))
    assert len(report.readings) == len(ticks) == run.run_size(material)
    assert set(report.changed) == {part.name for part in (*small_suite, CUT_PARTS[0])}  # not the frozen photographs
    assert "NOT the frozen" in format_stress(report)
    assert all(path.stat().st_size > 2000 for path in draw_stress(report, tmp_path))
    assert report.to_dict()["scores"][0]["exact"]["n"] == 9


@pytest.mark.usefixtures("small_suite")
def test_the_command_prints_writes_and_draws(
    material: Material, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("platereader.lab.synthesis.stress.material.load_material", lambda _: material)
    monkeypatch.setattr("platereader.cli.evaluate.build_pipeline", lambda _: patch_pipeline())
    report, plots = tmp_path / "stress.json", tmp_path / "plots"
    assert main(["evaluate", str(tmp_path), "--stress", "--json", str(report), "--plots", str(plots)]) == 0
    assert "mixed everything" in capsys.readouterr().out
    assert json.loads(report.read_text(encoding="utf-8"))["trust"]["not_a_plate_read"]["n"] == 3
    assert {path.name for path in plots.iterdir()} == {"stress.png", "reliability.png", "risk-coverage.png"}


def test_the_frozen_pictures_are_still_the_same(shared_data: Path) -> None:
    material = load_material(shared_data / "data")
    parts = [part_of("width", 60), part_of("roll", 45), part_of("region", 2), part_of("cut_off", 20)]
    made = {part.name: run.fingerprint_of(pictures(material, [part])) for part in parts}
    assert made.items() <= frozen_fingerprints("stress").items()
