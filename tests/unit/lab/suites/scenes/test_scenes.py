"""The suite of scenes is the same every time, and a run over it counts what it should."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from fakes import patch_pipeline
from platereader import Box, Detection, Quad
from platereader._arrays import BgrImage
from platereader.cli import main
from platereader.lab.datasets import LabelledImage, LabelledPlate, is_calibration
from platereader.lab.suites.frozen import frozen_fingerprints
from platereader.lab.suites.scenes import suite
from platereader.lab.suites.scenes.suite import SceneReading, ScenesReport, format_scenes
from platereader.lab.synthesis.part import Part
from platereader.lab.synthesis.render import render_plate
from platereader.lab.synthesis.scenes.material import Material, PlatePhotograph, load_material
from platereader.lab.synthesis.scenes.pictures import PARTS, TILTED, pictures
from platereader.pipeline import Pipeline
from platereader.plates import RUSSIA

TEXT = "A123BC77"
CORNERS = Quad((200.0, 180.0), (360.0, 184.0), (360.0, 218.0), (200.0, 214.0))


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """One photograph for all sources: a rendered plate before a grey wall."""
    path = tmp_path_factory.mktemp("scenes") / "a.png"
    pixels = cv2.resize(np.random.default_rng(0).integers(60, 150, (40, 60, 3), np.uint8), (600, 400))
    front = render_plate(TEXT, RUSSIA.layout("standard"), height_px=48, rng=np.random.default_rng(0)).pixels
    whole = np.array([(0, 0), (front.shape[1], 0), (front.shape[1], front.shape[0]), (0, front.shape[0])], np.float32)
    matrix = cv2.getPerspectiveTransform(whole, np.asarray(CORNERS.to_array(), np.float32))
    cv2.warpPerspective(front, matrix, (600, 400), dst=pixels, borderMode=cv2.BORDER_TRANSPARENT)
    cv2.imwrite(str(path), pixels)
    plate = LabelledPlate(CORNERS.box, CORNERS, TEXT, "standard", "fitted")
    place = PlatePhotograph(LabelledImage(path, 600, 400, (plate,)), plate)
    boxed = LabelledPlate(CORNERS.box)
    return Material((place,), (place,), (PlatePhotograph(LabelledImage(path, 600, 400, (boxed,)), boxed),))


def part_named(name: str) -> Part:
    return next(part for part in PARTS if part.name == name)


def test_names_are_unique_and_every_part_is_frozen() -> None:
    names = [part.name for part in PARTS]
    assert len(set(names)) == len(names)
    assert set(frozen_fingerprints("scenes")) == set(names)


@pytest.mark.parametrize("name", [part.name for part in PARTS])
def test_pictures_repeat_and_show_the_plate_where_they_say(material: Material, name: str) -> None:
    first, again = (list(islice(pictures(material, part_named(name)), 2)) for _ in range(2))
    assert suite.fingerprint_of(first) == suite.fingerprint_of(again)
    for picture in first:
        height, width = picture.frame.shape[:2]
        assert picture.box.clipped(width, height) == picture.box
        assert picture.corners is None or picture.corners.is_convex


@pytest.mark.parametrize(
    ("name", "low", "high", "size"),
    [
        ("width 24-40 px", 24, 40, (480, 640)),
        ("shrunk 60 px", 60, 60, (720, 1280)),
        ("dashcam rendered", 80, 200, (1080, 1920)),
        ("dashcam composed", 80, 200, (1080, 1920)),
    ],
)
def test_plates_have_the_width_that_the_part_names(
    material: Material, name: str, low: float, high: float, size: tuple[int, int]
) -> None:
    some = list(islice(pictures(material, part_named(name)), 3))
    assert some
    for picture in some:
        assert picture.frame.shape[:2] == size
        assert low * 0.98 <= picture.width_px <= high * 1.02


def test_rolled_and_tilted_plates_have_their_angle(material: Material) -> None:
    def slope(name: str) -> float:
        (picture,) = pictures(material, part_named(name))
        assert picture.corners is not None
        a, b, _, _ = picture.corners.points
        return float(np.degrees(np.arctan2(b[1] - a[1], b[0] - a[0])))

    own = float(np.degrees(np.arctan2(4, 160)))
    assert slope("rolled 20 °") - own == pytest.approx(20, abs=0.2)
    assert slope("rolled -20 °") - own == pytest.approx(-20, abs=0.2)
    assert abs(slope("tilted roll 45 °") - own) == pytest.approx(45, abs=0.2)
    (picture,) = pictures(material, part_named("tilted yaw 45 °"))
    assert picture.corners is not None
    narrowed = picture.corners.width / picture.corners.height / (CORNERS.width / CORNERS.height)
    assert narrowed == pytest.approx(np.cos(np.radians(45)), abs=0.03)


def test_texts_are_known_where_something_is_read(material: Material) -> None:
    texts = {part.name: next(iter(pictures(material, part))).text for part in PARTS}
    assert texts["shrunk 60 px"] == texts["tilted yaw 30 °"] == texts["dashcam composed"] == TEXT
    assert texts["dashcam camera"] is None
    assert texts["width 24-40 px"] is None
    assert texts["dashcam rendered"] not in (None, TEXT)


def reading(name: str, *, iou: float | None, read: str | None, corner: float | None = None) -> SceneReading:
    others = {"refiner": TEXT, "box": None} if part_named(name) in TILTED else {}
    return SceneReading(part_named(name), "a.png", 60, TEXT, iou, corner, read, "read" if read else None, others)


def test_a_report_counts_found_and_right() -> None:
    report = ScenesReport(
        (
            reading("rolled 20 °", iou=0.8, read=TEXT, corner=1.0),
            reading("rolled -20 °", iou=0.4, read="A123BC78"),
            reading("rolled -20 °", iou=None, read=None),
            reading("tilted yaw 45 °", iou=0.9, read=None, corner=3.0),
        ),
        (),
        (),
    )
    scores = {one.name: one for one in report.scores()}
    together = scores["rolled, together"]
    assert (together.found30.count, together.found50.count, together.exact.count, together.exact.n) == (2, 1, 1, 3)
    assert together.corner_error_p90 is not None
    assert (together.corner_error_p90.value, together.corner_error_p90.n) == (1.0, 1)
    tilted = scores["tilted yaw 45 °"]
    assert (tilted.exact.count, tilted.others["refiner"].count, tilted.others["box"].count) == (0, 1, 0)
    table = format_scenes(report)
    assert "2/3 66.7 %" in table
    assert "frozen" in table
    assert "3.00 % of width" in table


@dataclass(frozen=True)
class _KnowingDetector:
    """Says what it is told, frame by frame."""

    box: Box
    with_corners: bool

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """The whole frame's middle on every frame."""
        quad = Quad.from_box(self.box) if self.with_corners else None
        return [[Detection(self.box, 0.9, quad)] for _ in frames]


def few_parts(monkeypatch: pytest.MonkeyPatch) -> tuple[Part, ...]:
    few = (part_named("shrunk 45 px"), part_named("dashcam camera"), part_named("tilted roll 30 °"))
    monkeypatch.setattr(suite, "PARTS", few)
    return few


@pytest.mark.parametrize("with_corners", [True, False])
def test_a_run_finds_what_the_detector_finds(
    material: Material, monkeypatch: pytest.MonkeyPatch, *, with_corners: bool
) -> None:
    few, ticks = few_parts(monkeypatch), list[None]()
    pipeline: Pipeline = Pipeline(replace(patch_pipeline().parts, detector=_KnowingDetector(CORNERS.box, with_corners)))
    report = suite.evaluate_scenes(pipeline, material, on_picture=lambda: ticks.append(None))
    assert len(ticks) == len(report.readings) == suite.run_size(material) == 3
    assert report.changed == tuple(part.name for part in few)
    assert "NOT the frozen" in format_scenes(report)
    by_part = {one.part.name: one for one in report.readings}
    assert by_part["dashcam camera"].iou == pytest.approx(1)  # the only frame in which the photograph stays in place
    assert by_part["dashcam camera"].corner_error_percent is None  # only its box is labelled
    assert set(by_part["tilted roll 30 °"].others) == {"refiner", "box"}
    assert json.loads(json.dumps(report.to_dict()))["scores"][1]["found50"]["count"] == 1


def test_corner_errors_need_corners(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "PARTS", (part_named("rolled 20 °"),))
    (picture,) = pictures(material, part_named("rolled 20 °"))
    errors = []
    for with_corners in (True, False):
        pipeline = Pipeline(replace(patch_pipeline().parts, detector=_KnowingDetector(picture.box, with_corners)))
        (one,) = suite.evaluate_scenes(pipeline, material).readings
        errors.append(one.corner_error_percent)
    assert errors[0] is not None
    assert errors[0] > 5  # the corners of the upright box are not those of the plate
    assert errors[1] is None


def test_the_command_prints_and_writes(
    material: Material, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few_parts(monkeypatch)
    monkeypatch.setattr("platereader.lab.synthesis.scenes.material.load_material", lambda _: material)
    monkeypatch.setattr("platereader.cli.evaluate.build_pipeline", lambda _: patch_pipeline())
    path = tmp_path / "scenes.json"
    assert main(["evaluate", str(tmp_path), "--scenes", "--json", str(path)]) == 0
    assert "tilted roll 30 °" in capsys.readouterr().out
    assert len(json.loads(path.read_text(encoding="utf-8"))["readings"]) == 3


def test_nothing_in_it_was_trained_on(shared_data: Path) -> None:
    material = load_material(shared_data / "data")
    assert len(material.dev) > 100
    assert all("dev" in place.image.path.parts for place in material.dev)
    assert len(material.calibration) > 80
    assert len(material.streets) > 100
    assert all(is_calibration(place.image.path) for place in (*material.calibration, *material.streets))


@pytest.mark.parametrize("name", ["width 24-40 px", "shrunk 60 px", "dashcam composed", "tilted yaw 45 °"])
def test_the_frozen_pictures_are_still_the_same(shared_data: Path, name: str) -> None:
    material = load_material(shared_data / "data")
    made = suite.fingerprint_of(list(islice(pictures(material, part_named(name)), suite.FROZEN_PICTURES)))
    assert made == frozen_fingerprints("scenes")[name]
