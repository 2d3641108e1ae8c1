"""Every part that is shipped keeps its contract, and so does a detector of a user's own from the examples."""

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from platereader import Box, Pipeline
from platereader._arrays import BgrImage
from platereader._defaults import default_rectifier
from platereader._geometry import iou
from platereader.decoding._beam import BeamDecoder
from platereader.decoding._greedy import GreedyDecoder
from platereader.detection._plate_detector import PlateDetector
from platereader.detection._region import RegionDetector
from platereader.detection._tiled import TiledDetector
from platereader.lab.synthesis.render import render_plate
from platereader.lab.synthesis.scene import Scene
from platereader.lab.synthesis.street import generated_street
from platereader.plates import RUSSIA, RUSSIAN, Alphabet
from platereader.plates._defaults import default_grammar
from platereader.protocols import CTCDecoder, Detector, PlateTracker, Rectifier
from platereader.recognition._recognizer import CtcRecognizer
from platereader.rectification._corners import BoxRectifier, CornerRectifier
from platereader.rectification._layout import rectify_quad
from platereader.testing import check_decoder, check_detector, check_recognizer, check_rectifier, check_tracker
from platereader.video._tracking.tracker import MotionTracker


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    """The default pipeline, with the shipped weights."""
    return Pipeline.build()


@pytest.fixture(scope="module")
def streets() -> list[Scene]:
    """Two streets of different sizes, each with a plate of one line and one of two."""
    rng = np.random.default_rng(0)
    texts = (("A123BC77", "standard", 1), ("M555KE99", "standard_two_line", 2))
    fronts = [render_plate(text, RUSSIA.layout(name), height_px=112 * lines, rng=rng) for text, name, lines in texts]
    return [generated_street(rng, size_px=size, fronts=fronts) for size in ((640, 360), (480, 300))]


@pytest.fixture(scope="module")
def frames(streets: list[Scene]) -> list[BgrImage]:
    """The streets, one of them twice to share a batch, and a frame without a plate."""
    noise = np.random.default_rng(1).integers(0, 256, (33, 47, 3), np.uint8)
    return [streets[0].pixels, streets[1].pixels, noise, streets[0].pixels[:, ::-1].copy()]


def test_the_shipped_detector(pipeline: Pipeline, frames: list[BgrImage]) -> None:
    assert isinstance(pipeline.detector, PlateDetector)
    assert len(pipeline.detector.detect(frames[:1])[0]) >= 1
    check_detector(pipeline.detector, frames)
    check_detector(pipeline.detector)


def test_the_shipped_detector_in_wrappers(pipeline: Pipeline, frames: list[BgrImage]) -> None:
    tiled = TiledDetector(pipeline.detector, tile_px=256, overlap_px=128)
    check_detector(tiled, frames)
    check_detector(RegionDetector(tiled, [(0, 0), (640, 0), (640, 360), (0, 360)]), frames)
    street = frames[0]
    plates = pipeline.detector.detect([street])[0]
    everywhere = [(0, 0), (street.shape[1], 0), (street.shape[1], street.shape[0]), (0, street.shape[0])]
    found = RegionDetector(tiled, everywhere).detect([street])[0]
    assert [sum(iou(one.box, plate.box) > 0.5 for one in found) for plate in plates] == [1] * len(plates)


@pytest.mark.parametrize(
    "rectifier",
    [BoxRectifier(), CornerRectifier(), default_rectifier()],
    ids=["box", "corners", "default"],
)
def test_the_rectifiers(rectifier: Rectifier, frames: list[BgrImage]) -> None:
    check_rectifier(rectifier)
    for frame in frames:
        check_rectifier(rectifier, frame)


def test_the_shipped_recognizer(pipeline: Pipeline, streets: list[Scene]) -> None:
    assert isinstance(pipeline.recognizer, CtcRecognizer)
    check_recognizer(pipeline.recognizer)
    seen = [(scene.pixels, plate.corners) for scene in streets for plate in scene.plates]
    plates = [rectify_quad(pixels, corners) for pixels, corners in seen if corners is not None]
    assert len(plates) == 4
    check_recognizer(pipeline.recognizer, plates)


@pytest.mark.parametrize(
    "decoder",
    [
        GreedyDecoder(RUSSIAN),
        BeamDecoder(RUSSIAN),
        BeamDecoder(RUSSIAN, grammar=default_grammar()),
        BeamDecoder(RUSSIAN, width=1),
        GreedyDecoder(Alphabet("AB")),
        BeamDecoder(Alphabet("AB")),
    ],
    ids=["greedy", "beam", "grammar", "narrow", "greedy of two", "beam of two"],
)
def test_the_decoders(decoder: CTCDecoder) -> None:
    check_decoder(decoder)


@pytest.mark.parametrize(
    "tracker", [MotionTracker, lambda: MotionTracker(min_hits=3, max_gap_s=5.0)], ids=["default", "long gaps"]
)
def test_the_tracker(tracker: Callable[[], PlateTracker]) -> None:
    check_tracker(tracker)


def test_a_detector_of_ones_own(repository: Path, frames: list[BgrImage]) -> None:
    make: Callable[[Box], Detector] = runpy.run_path(str(repository / "examples" / "own_detector.py"))["GateDetector"]
    check_detector(make(Box(5, 6, 40, 16)), frames)
    readings = Pipeline.build(detector=make(Box(5, 6, 40, 16))).read(frames[0])
    assert [reading.detection for reading in readings] == make(Box(5, 6, 40, 16)).detect(frames[:1])[0]
