"""Parts that break their contract are caught by ``platereader.testing``; honest ones pass."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pytest

from fakes import CropRectifier, PatchDetector, PatchRecognizer, frame_with
from platereader import (
    Box,
    Candidate,
    ContractError,
    Detection,
    InvalidArgumentError,
    PlateImage,
    Quad,
    TrackAssignment,
)
from platereader._arrays import BgrImage, LogProbs
from platereader._contracts import checked_decode
from platereader.decoding._greedy import GreedyDecoder
from platereader.plates import RUSSIAN
from platereader.protocols import CTCDecoder
from platereader.testing import (
    check_decoder,
    check_detector,
    check_policy,
    check_recognizer,
    check_rectifier,
    check_tracker,
    spelled,
)
from platereader.video._tracking.tracker import MotionTracker

FRAMES = [frame_with({50: Box(20, 30, 100, 50)}), frame_with({100: Box(5, 5, 60, 20)}, width=99, height=77)]


@dataclass(frozen=True)
class Rectify(CropRectifier):
    """A rectifier whose pixels go through ``change``."""

    change: Callable[[BgrImage], BgrImage]

    def rectify(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateImage]:
        return [PlateImage(self.change(plate.pixels)) for plate in super().rectify(frame, detections)]


@dataclass(frozen=True)
class Detect:
    """A detector whose findings go through ``change``."""

    change: Callable[[Sequence[BgrImage], list[list[Detection]]], list[list[Detection]]]

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        return self.change(frames, PatchDetector().detect(frames))


def scribble(frames: Sequence[BgrImage], found: list[list[Detection]]) -> list[list[Detection]]:
    frames[0][0, 0] = 255
    return found


def mirror(one: Detection) -> Detection:
    a, b, c, d = Quad.from_box(one.box).points
    return Detection(one.box, one.score, Quad(b, a, d, c))


WRONG_DETECTORS = {
    "drops a frame": lambda frames, found: found[:-1],
    "box outside": lambda frames, found: [[Detection(d.box.moved(9999, 0), 0.5) for d in one] for one in found],
    "mirrored corners": lambda frames, found: [[mirror(d) for d in one] for one in found],
    "writes to the frame": scribble,
    "depends on batch-mates": lambda frames, found: found if len(frames) > 1 else [[]],
}


@pytest.mark.parametrize("name", WRONG_DETECTORS)
def test_wrong_detectors_fail(name: str) -> None:
    with pytest.raises(ContractError):
        check_detector(Detect(WRONG_DETECTORS[name]), FRAMES)


@pytest.mark.parametrize(
    "change",
    [
        lambda pixels: pixels.astype(np.float32),
        lambda pixels: pixels[..., 0],
        lambda pixels: pixels[:0],
        lambda pixels: np.random.default_rng().integers(0, 256, pixels.shape, np.uint8),
    ],
    ids=["float", "grey", "empty", "random"],
)
def test_wrong_rectifiers_fail(change: Callable[[BgrImage], BgrImage]) -> None:
    with pytest.raises(ContractError):
        check_rectifier(Rectify(change))


@dataclass(frozen=True)
class Recognize:
    """A recognizer whose output goes through ``change``."""

    change: Callable[[LogProbs], LogProbs]
    alphabet = RUSSIAN

    def recognize(self, plates: Sequence[PlateImage]) -> LogProbs:
        return self.change(PatchRecognizer().recognize(plates))


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x[:-1],
        np.exp,
        lambda x: x[..., :5],
        lambda x: x / 2,
        lambda x: np.full_like(x, np.nan),
        lambda x: np.roll(x, len(x) - 1, axis=-1),
    ],
    ids=["drops one", "probabilities", "few classes", "sums to more than one", "NaN", "depends on batch-mates"],
)
def test_wrong_recognizers_fail(change: Callable[[LogProbs], LogProbs]) -> None:
    with pytest.raises(ContractError):
        check_recognizer(Recognize(change))


@dataclass(frozen=True)
class Decode:
    """A decoder whose candidates go through ``change``."""

    change: Callable[[tuple[Candidate, ...]], tuple[Candidate, ...]]
    alphabet = RUSSIAN

    def decode(self, log_probs: LogProbs) -> list[tuple[Candidate, ...]]:
        return [self.change(candidates) for candidates in GreedyDecoder(RUSSIAN).decode(log_probs)]


@pytest.mark.parametrize(
    "change",
    [
        lambda found: (),
        lambda found: found or (Candidate("A", -1.0, None),),
        lambda found: found + found,
        lambda found: tuple(Candidate(c.text.lower() + "a", c.log_prob, None) for c in found),
    ],
    ids=["nothing", "invents", "twice", "other alphabet"],
)
def test_wrong_decoders_fail(change: Callable[[tuple[Candidate, ...]], tuple[Candidate, ...]]) -> None:
    with pytest.raises(ContractError):
        check_decoder(Decode(change))


class Track:
    """A tracker whose assignments go through ``change``."""

    def __init__(self, change: Callable[[int, TrackAssignment], TrackAssignment]) -> None:
        self.inner = MotionTracker()
        self.change = change
        self.calls = 0

    def update(self, detections: Sequence[Detection], timestamp_s: float) -> TrackAssignment:
        self.calls += 1
        return self.change(self.calls, self.inner.update(detections, timestamp_s))


WRONG_TRACKERS = {
    "new ids all the time": lambda n, a: replace(a, track_ids=tuple(10 * n + i for i, _ in enumerate(a.track_ids))),
    "never ends": lambda n, a: replace(a, ended=()),
    "loses one": lambda n, a: replace(a, track_ids=a.track_ids[:-1]),
}


@pytest.mark.parametrize("name", WRONG_TRACKERS)
def test_wrong_trackers_fail(name: str) -> None:
    with pytest.raises(ContractError):
        check_tracker(lambda: Track(WRONG_TRACKERS[name]))


def test_honest_parts_pass() -> None:
    check_detector(PatchDetector(), FRAMES)
    check_rectifier(CropRectifier())
    check_recognizer(PatchRecognizer())
    check_decoder(GreedyDecoder(RUSSIAN))
    check_tracker(MotionTracker)


def test_what_is_no_part_at_all_is_refused_by_the_checks() -> None:
    wrong: Any = object()
    checks = (check_decoder, check_detector, check_policy, check_recognizer, check_rectifier, check_tracker)
    for check in checks:
        with pytest.raises(InvalidArgumentError, match="expected is a"):
            check(wrong)


def test_candidates_may_come_as_lists() -> None:
    decoder = cast(CTCDecoder, Decode(lambda found: cast("tuple[Candidate, ...]", list(found))))
    assert checked_decode(decoder, spelled("A123BC77", RUSSIAN)[None])[0][0].text == "A123BC77"
