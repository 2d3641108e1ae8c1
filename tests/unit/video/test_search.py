"""Between searches of the whole frame a stream refines, and loses nothing by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fakes import TEXTS, PatchDetector, frame_with, no_evidence, patch_pipeline, read_as
from plate_motion import KINDS, Kind, Sighting, traffic
from platereader import Box, ContractError, Detection, InvalidArgumentError, Pipeline
from platereader._arrays import BgrImage
from platereader._geometry import iou
from platereader.detection._region import RegionDetector
from platereader.detection._tiled import TiledDetector
from platereader.media import read_image
from platereader.protocols import Detector
from platereader.results import PlateReading, StreamUpdate, TrackAssignment, TrackedPlate
from platereader.results import Sighting as Seen
from platereader.video._search import ExpectedPlaces, FrameSearch
from platereader.video._stream import PlateStream, StreamSettings
from platereader.video._tracking.tracker import MotionTracker

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "pictures" / "street-2.jpg"
PLATE, OTHER = Box(40, 60, 120, 80), Box(200, 150, 280, 170)
NOTHING: dict[int, Box] = {}
FPS = 25.0
NEVER = StreamSettings(search_s=1e3)


@dataclass(frozen=True)
class PatchRefiner(PatchDetector):
    """Also looks at windows half as wide again as a place, and says of each which patch fills most of it.

    ``searched`` and ``looked`` hold what each call was about. As that of the real one, a box lies between the place and
    what is there.
    """

    searched: list[int] = field(default_factory=list[int])
    looked: list[list[Box]] = field(default_factory=list[list[Box]])

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        found = super().detect(frames)
        self.searched.extend(map(len, found))
        return found

    def refine(self, frame: BgrImage, boxes: Sequence[Box]) -> list[Detection]:
        self.looked.append(list(boxes))
        found: dict[int, Detection] = {}
        for box in boxes:
            window = box.padded(box.width / 4, box.width * 3 / 8 - box.height / 2).clipped(*frame.shape[1::-1])
            assert window is not None
            blues = frame[int(window.y1) : int(window.y2), int(window.x1) : int(window.x2), 0]
            blue = int(np.bincount(blues[blues > 0], minlength=1).argmax())
            plate = self._find(frame, blue) if blue else None
            if plate is not None:
                sides = zip(box.to_tuple(), plate.box.to_tuple(), strict=True)
                found[blue] = Detection(Box(*((a + b) / 2 for a, b in sides)), 0.8)
        return list(found.values())


def refining(settings: StreamSettings | None = None, **parts: Any) -> tuple[PlateStream, PatchRefiner]:
    detector = PatchRefiner()
    pipeline = Pipeline(replace(patch_pipeline().parts, **{"detector": detector, **parts}))
    return pipeline.stream(settings), detector


def show(
    stream: PlateStream, frames: Sequence[dict[int, Box]], *, start: int = 0, fps: float = FPS
) -> list[StreamUpdate]:
    return [stream.update(frame_with(one), (start + index) / fps) for index, one in enumerate(frames)]


def finished(updates: Sequence[StreamUpdate], stream: PlateStream) -> list[TrackedPlate]:
    return [plate for update in (*updates, stream.finish()) for plate in update.finished]


def test_every_frame_is_followed_and_read_though_few_are_searched() -> None:
    stream, detector = refining()
    updates = show(stream, [{200: PLATE.moved(3 * step, step)} for step in range(26)])  # illegible: never settled
    assert len(detector.searched) == 6  # at 0, 0.2 .. 1 s
    assert len(detector.looked) == 20
    for step, update in enumerate(updates):
        (plate,) = update.active
        assert (plate.predicted, plate.readings, plate.last.frame_index) == (False, step + 1, step)
        assert iou(plate.box, PLATE.moved(3 * step, step)) > 0.8


@pytest.mark.parametrize("fps", [3.0, 10.0, 12.0, 25.0, 30.0])
def test_a_new_plate_is_found_within_a_fifth_of_a_second(fps: float) -> None:
    for first in range(2, 3 + round(fps / 5)):  # wherever between two searches it appears
        stream, _ = refining()
        seen = index = 0
        while seen < 2:
            plates = {50: PLATE} if index < first else {50: PLATE, 100: OTHER}
            seen = len(stream.update(frame_with(plates), index / fps).active)
            index += 1
        assert (index - 1 - first) / fps < 0.2


@pytest.mark.parametrize(("fps", "every"), [(3.0, 1), (12.0, 2), (24.0, 4), (25.0, 5), (30.0, 6)])
def test_searches_are_never_further_apart_than_they_should_be(fps: float, every: int) -> None:
    stream, detector = refining()
    updates = show(stream, [NOTHING] * 25, fps=fps)
    assert len(detector.searched) == len(range(0, 25, every))
    assert detector.looked == []  # nothing is followed
    assert not any(update.active for update in updates)


def test_a_detector_that_cannot_refine_searches_every_frame_unless_it_is_told_not_to() -> None:
    frames = [frame_with({50: PLATE.moved(4 * step, 0)}) for step in range(8)]
    for settings, measured in ((None, list(range(8))), (StreamSettings(search_s=0.3), [0, 3, 6])):
        stream = patch_pipeline().stream(settings)
        updates = [stream.update(frame, step / 10) for step, frame in enumerate(frames)]
        assert [step for step, update in enumerate(updates) if not update.active[0].predicted] == measured
    assert updates[7].active[0].box.x1 == pytest.approx(PLATE.x1 + 28, abs=2.5)  # moved on without a detection
    assert updates[7].active[0].last_seen_s == 0.6


@pytest.mark.parametrize(
    ("search_s", "frames", "missed"),
    [(None, 3, 2), (None, 1, 0), (0.3, 2, 0), (0.3, 3, 0), (0.3, 4, 1), (0.3, 6, 1), (0.3, 9, 2), (0.01, 3, 2)],
)
def test_missed_is_a_plate_only_where_it_was_searched_for(search_s: float | None, frames: int, missed: int) -> None:
    search = FrameSearch(lambda frame: [], None, search_s=search_s)
    assert search.missed_frames(Seen(0.5, 5, PLATE), (5 + frames) / 10, 5 + frames) == missed


def test_searching_every_frame_never_refines() -> None:
    stream, detector = refining(StreamSettings(search_s=0.0))
    show(stream, [{50: PLATE}] * 10)
    assert (len(detector.searched), detector.looked) == (10, [])


def test_a_plate_that_is_hidden_for_a_frame_goes_on() -> None:
    stream, detector = refining()
    frames = [{50: PLATE.moved(2 * step, 0)} if step not in {7, 13} else NOTHING for step in range(25)]
    updates = show(stream, frames)
    assert [step for step, update in enumerate(updates) if update.active[0].predicted] == [7, 13]
    # A frame in which it is missing is searched, and only that one.
    assert len(detector.searched) == 7
    (plate,) = finished(updates, stream)
    assert (plate.text, plate.status, plate.last.frame_index) == ("A123BC77", "read", 24)


def test_a_burst_of_frames_does_not_throw_a_place_out_of_the_frame() -> None:
    stream, _ = refining(NEVER)
    times_s = (0.0, 0.04, 0.0401, 0.0801, 0.1201, 0.1202, 0.1602)
    updates = [stream.update(frame_with({50: PLATE.moved(3 * step, 0)}), at_s) for step, at_s in enumerate(times_s)]
    assert [plate.predicted for update in updates for plate in update.active] == [False] * len(times_s)


@pytest.mark.parametrize("search_s", [5e-324, 1e-310])
def test_the_shortest_interval_searches_every_frame(search_s: float) -> None:
    stream, _ = refining(StreamSettings(search_s=search_s), detector=PatchDetector())
    updates = show(stream, [{50: PLATE}, {50: PLATE}, NOTHING, {50: PLATE}])
    assert [len(update.active) for update in updates] == [1, 1, 1, 1]
    assert len(finished(updates, stream)) == 1


def test_a_place_does_not_drift_off_a_plate_that_speeds_up_and_turns() -> None:
    stream, detector = refining(NEVER)
    places = [PLATE.moved(0.04 * step**2, 20 * np.sin(step / 8)) for step in range(60)]
    updates = show(stream, [{50: place} for place in places])
    assert len(detector.searched) == 1
    assert all(iou(update.active[0].box, place) > 0.75 for update, place in zip(updates, places, strict=True))


def test_a_plate_is_not_taken_for_the_one_beside_it() -> None:
    beside = PLATE.moved(0, 24)
    stream, detector = refining(NEVER)
    updates = show(stream, [{50: PLATE, 100: beside}] * 6 + [{100: beside}] * 6 + [{50: PLATE, 100: beside}] * 3)
    assert [(plate.text, plate.predicted) for plate in updates[8].active] == [("A123BC77", True), ("M555KE199", False)]
    assert [plate.text for plate in finished(updates, stream)] == ["A123BC77", "M555KE199"]
    assert len(detector.searched) == 2  # the first frame, and the one in which a plate was missing


def test_a_place_where_another_plate_comes_up_is_searched() -> None:
    stream, detector = refining(NEVER)
    beside = PLATE.moved(0, 24)
    updates = show(stream, [{50: PLATE}] * 4 + [{100: beside}])
    assert len(detector.searched) == 2
    assert [plate.box for plate in updates[-1].active if not plate.predicted] == [beside]  # and not half way to it


def test_two_plates_of_which_the_refiner_makes_one_stay_two() -> None:
    def merging(frame: BgrImage, boxes: Sequence[Box]) -> list[Detection]:
        return detector.refine(frame, boxes)[:1]

    detector, pipeline = PatchRefiner(), patch_pipeline()
    stream = stream_of(detector.detect, pipeline.read_detections, merging)
    updates = show(stream, [{50: PLATE, 100: PLATE.moved(0, 24)}] * 8)
    assert [len(update.active) for update in updates] == [2] * 8
    assert not any(plate.predicted for update in updates for plate in update.active)
    assert [plate.text for plate in finished(updates, stream)] == ["A123BC77", "M555KE199"]


def stream_of(detect: Any, read: Any, refine: Any = None) -> PlateStream:
    return PlateStream(
        lambda frame: detect([frame])[0], read, refine=refine, tracker=MotionTracker(), evidence=no_evidence
    )


def test_the_whole_frame_is_searched_after_a_gap_and_in_another_size() -> None:
    stream, detector = refining(NEVER)
    show(stream, [{50: PLATE}] * 5)
    assert len(detector.searched) == 1
    show(stream, [{50: PLATE}, {50: PLATE}], start=5 + 30)  # 1.2 s later
    assert len(detector.searched) == 2
    twice = Box(*(2 * side for side in PLATE.to_tuple()))
    for index in range(3):
        update = stream.update(frame_with({50: twice}, width=640, height=480), 2 + index / FPS)
        assert [(plate.box, plate.predicted) for plate in update.active] == [(twice, False)]
    assert len(detector.searched) == 3
    assert detector.looked[-1] == [twice]  # in pixels of its own frame


def test_the_whole_frame_is_searched_at_once_after_a_cut() -> None:
    stream, detector = refining(NEVER)
    for index, (seed, plates) in enumerate([(1, {50: PLATE})] * 4 + [(2, {50: PLATE, 100: OTHER})] * 3):
        frame = frame_with(plates)
        view = np.random.default_rng(seed).integers(0, 255, (12, 16), np.uint8)
        frame[..., 1] = np.kron(view, np.ones((20, 20), np.uint8))  # the plates are blue
        update = stream.update(frame, index / FPS)
    assert len(detector.searched) == 2
    assert [(plate.text, plate.first.frame_index) for plate in update.active] == [("A123BC77", 0), ("M555KE199", 4)]


def test_by_default_a_gap_of_some_frames_is_enough_to_search() -> None:
    stream, detector = refining()
    show(stream, [{50: PLATE}, {50: PLATE}])
    show(stream, [{50: PLATE}], start=4)
    assert len(detector.searched) == 2


def test_what_no_search_finds_again_is_not_followed_for_longer_than_a_second() -> None:
    class OnceOnly(PatchRefiner):
        """Its search finds the plate in the first frame only."""

        def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
            found = super().detect(frames)
            return found if len(self.searched) == 1 else [[] for _ in frames]

    stream, _ = refining(detector=OnceOnly())
    updates = show(stream, [{200: PLATE}] * 40)
    last = max(plate.last_seen_s for update in updates for plate in update.active)
    assert 0.8 <= last <= 1.0


def test_a_plate_that_the_tracker_has_not_confirmed_yet_is_followed_too() -> None:
    stream, detector = refining(tracker=lambda: MotionTracker(min_hits=4))
    updates = show(stream, [{50: PLATE.moved(step, 0)} for step in range(5)])
    assert [len(update.active) for update in updates] == [0, 0, 0, 1, 1]
    assert len(detector.searched) == 1


def test_a_plate_is_expected_where_its_latest_moves_lead() -> None:
    places = ExpectedPlaces(search_s=0.2)
    for time_s, moved_px, expected_px in ((0.1, 0, 0), (0.2, 10, 20), (0.3, 30, 45)):  # moves by 10 and 20 are 15 each
        places.update(TrackAssignment((1,), ended=()), [PLATE.moved(moved_px, 0)], time_s, searched=True)
        (expected,) = places.at(time_s + 0.1)
        assert expected.box.to_tuple() == pytest.approx(PLATE.moved(expected_px, 0).to_tuple())
        assert expected.seen
    places.update(TrackAssignment((), ended=(1,)), [], 0.4, searched=True)
    assert places.at(0.5) == []


BROKEN: list[tuple[Any, str]] = [
    ([Detection(PLATE, 0.9), Detection(OTHER, 0.9)], "2 detections for 1 places"),
    ([Detection(Box(900, 900, 950, 920), 0.9)], "no area inside"),
    (None, "returned a NoneType"),
    ([PLATE], "returned a Box"),
]


@pytest.mark.parametrize(("returned", "message"), BROKEN)
def test_a_refiner_that_breaks_its_contract_is_named(returned: Any, message: str) -> None:
    class Broken(PatchRefiner):
        def refine(self, frame: BgrImage, boxes: Sequence[Box]) -> list[Detection]:
            wrong: list[Detection] = returned
            return wrong

    stream, _ = refining(detector=Broken())
    with pytest.raises(ContractError, match=rf"Broken\.refine .*{message}"):
        show(stream, [{50: PLATE}] * 2)


@pytest.mark.parametrize("can", [True, False])
def test_a_detector_around_another_refines_if_that_one_can(can: bool) -> None:
    region = [(0.0, 0.0), (160.0, 0.0), (160.0, 240.0), (0.0, 240.0)]
    inner: Detector = PatchRefiner() if can else PatchDetector()
    detector = RegionDetector(TiledDetector(inner, tile_px=200, overlap_px=100), region)
    assert detector.can_refine is can
    stream, _ = refining(detector=detector)
    updates = show(stream, [{50: PLATE, 100: OTHER}] * 5)
    assert [[plate.text for plate in update.active] for update in updates] == [["A123BC77"]] * 5
    if isinstance(inner, PatchRefiner):
        assert inner.looked == [[PLATE]] * 4
        assert detector.refine(frame_with({50: PLATE, 100: OTHER}), [PLATE, OTHER])[0].box == PLATE
        assert len(detector.refine(frame_with({100: OTHER}), [OTHER])) == 0
    else:
        with pytest.raises(InvalidArgumentError, match="TiledDetector cannot refine"):
            detector.refine(frame_with({50: PLATE}), [PLATE])


# ---------------------------------------------------------------- traffic


class Street:
    """What a detector and a reader say of made-up traffic."""

    def __init__(self) -> None:
        texts = (*[text for text in TEXTS.values() if text], "C468YX50", "")
        self.readings = [read_as(text) for text in texts]
        self.now = Sighting(0.0, (), ())
        self.searches = 0

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        self.searches += 1
        return [list(self.now.detections)]

    def refine(self, frame: BgrImage, boxes: Sequence[Box]) -> list[Detection]:
        near = [max(self.now.detections, key=lambda one: iou(one.box, box), default=None) for box in boxes]
        found = {id(one): one for one, box in zip(near, boxes, strict=True) if one and iou(one.box, box) > 0.3}
        return list(found.values())

    def read(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateReading]:
        passages = {id(one): which for one, which in zip(self.now.detections, self.now.passages, strict=True)}
        which = [passages[id(one)] for one in detections]
        return [self.readings[-1 if one is None else one] for one in which]


@pytest.mark.parametrize("kind", KINDS)
def test_traffic_is_followed_as_by_searching_every_frame(kind: Kind) -> None:
    clip = traffic(kind, fps=25, rng=np.random.default_rng(1))
    told: list[list[tuple[str | None, str]]] = []
    measured: list[int] = []
    for refine in (False, True):
        street = Street()
        stream = stream_of(street.detect, street.read, street.refine if refine else None)
        updates: list[StreamUpdate] = []
        for street.now in clip:
            updates.append(stream.update(np.zeros((720, 1280, 3), np.uint8), street.now.timestamp_s))
        measured.append(sum(not plate.predicted for one in updates for plate in one.active if plate.text))
        told.append(sorted((plate.text, plate.status) for plate in finished(updates, stream) if plate.text))
    assert told[0] == told[1]
    assert measured[1] > 0.9 * measured[0]
    assert street.searches < 0.5 * len(clip)


# ---------------------------------------------------------------- the real detector


def test_the_default_detector_refines_a_panned_photograph() -> None:
    photograph = read_image(EXAMPLE)
    pipeline = Pipeline.build(engine="onnx", threads=1)
    every, between = pipeline.stream(StreamSettings(search_s=0.0)), pipeline.stream()
    for step in range(10):
        shift = np.array([[1, 0, -4 * step], [0, 1, step]], np.float32)
        frame = np.asarray(cv2.warpAffine(photograph, shift, photograph.shape[1::-1]), np.uint8)
        first, second = (stream.update(frame, step / FPS).active for stream in (every, between))
        assert len(first) == len(second) == 2
        for one, other in zip(first, second, strict=True):
            assert not other.predicted
            assert iou(one.box, other.box) > 0.8
    texts = [sorted((plate.text, plate.status) for plate in one.finish().finished) for one in (every, between)]
    assert texts[0] == texts[1] == [("A517OH17", "read"), ("B471BB161", "read")]
