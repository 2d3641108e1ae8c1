"""The detector of two networks: what the finder proposes and the refiner sees becomes plates of the frame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_detector import FakeFinderNetwork, FakeRefinerNetwork, write_small_detector

from platereader._geometry import Box, Quad
from platereader._loading import load_detector, resolve_detector
from platereader.detection import PlateDetector
from platereader.detection._finder import Finder, Proposal
from platereader.detection._plate_detector import ScoreWeights, combined_box
from platereader.detection._refiner import Place, Refiner
from platereader.errors import (
    ContractError,
    InvalidArgumentError,
    WeightsCorruptError,
    WeightsNotFoundError,
)
from platereader.registry import Registry, write_sidecar
from platereader.runtimes import Batch

# Corners that are the outline of a plate in the middle of a window: 1 / 1.5 of its width, and of a plate 90 x 30.
_MIDDLE = np.array([[1 / 6, 1 / 6], [5 / 6, 1 / 6], [5 / 6, 5 / 6], [1 / 6, 5 / 6]], np.float32)
PLATE, NOTHING = (3.0, -2.0, -2.0), (-3.0, -2.0, -2.0)


def made(boxes: dict[Box, float], *kinds: tuple[float, float, float], **settings: Any) -> PlateDetector:
    """A detector whose finder proposes these boxes and whose refiner sees a plate, or these kinds of things."""
    finder = Finder(FakeFinderNetwork(boxes), input_size=192)
    return PlateDetector(finder, Refiner(FakeRefinerNetwork(_MIDDLE, kinds or (PLATE,))), **settings)


def frame_of(height: int, width: int, *, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_plate_is_given_in_pixels_of_the_frame() -> None:
    detector = made({Box(40, 50, 100, 80): 0.9}, (3.0, 1.0, 2.0), refined_share=0.0)
    (found,) = detector.detect([frame_of(256, 384)])  # twice the size of the finder's input
    (plate,) = found
    np.testing.assert_allclose(plate.box.to_tuple(), (80, 100, 200, 160), atol=0.1)
    assert plate.corners is not None
    np.testing.assert_allclose(plate.corners.box.to_tuple(), (80, 100, 200, 160), atol=4)
    assert (plate.lines, plate.truncated) == (2, True)
    assert made({Box(40, 50, 100, 80): 0.9}).detect([frame_of(256, 384)])[0][0].truncated is False


def test_box_lies_between_the_proposal_and_the_hull_of_the_corners() -> None:
    corners = Quad((10.0, 10.0), (50.0, 14.0), (50.0, 30.0), (10.0, 26.0))
    box = Box(0.0, 0.0, 60.0, 30.0)
    assert combined_box(box, corners, share=0.0) == box
    assert combined_box(box, corners, share=1.0) == corners.box
    assert combined_box(box, corners, share=0.5) == Box(5.0, 5.0, 55.0, 30.0)


def test_score_is_a_logistic_regression_on_both_logits() -> None:
    corners = Quad.from_box(Box(0, 0, 1, 1))
    weights = ScoreWeights(0.5, 2.0, -1.0)
    score = weights.score(Proposal(Box(0, 0, 1, 1), 0.8), Place(corners, 0.3, 0.0, 0.0))
    assert score == pytest.approx(1 / (1 + np.exp(-(0.5 * np.log(4) + 2.0 * 0.3 - 1.0))))
    certain = weights.score(Proposal(Box(0, 0, 1, 1), 1.0), Place(corners, 1e9, 0.0, 0.0))
    assert 0.999 < certain <= 1.0


def test_a_refiner_that_is_very_sure_does_not_outvote_the_finder() -> None:
    corners = Quad.from_box(Box(0, 0, 1, 1))
    unlikely = Proposal(Box(0, 0, 1, 1), 0.01)
    sure, surer, not_at_all = (ScoreWeights().score(unlikely, Place(corners, logit, 0, 0)) for logit in (4, 40, -40))
    assert sure == surer < 0.5
    assert not_at_all < 1e-6


def test_what_the_refiner_takes_for_nothing_is_left_out() -> None:
    boxes = {Box(10, 20, 60, 45): 0.6, Box(100, 60, 150, 85): 0.5}
    first, second = made(boxes, PLATE, NOTHING), made(boxes, NOTHING, PLATE)
    assert [plate.box.x1 for plate in first.detect([frame_of(128, 192)])[0]] == pytest.approx([10], abs=2)
    assert [plate.box.x1 for plate in second.detect([frame_of(128, 192)])[0]] == pytest.approx([100], abs=2)
    scores = [plate.score for plate in replace(second, min_score=0.0).detect([frame_of(128, 192)])[0]]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 2


def test_two_proposals_of_one_plate_are_one() -> None:
    boxes = {Box(40, 50, 100, 80): 0.9, Box(50, 52, 112, 84): 0.6}
    assert len(made(boxes, max_iou=0.3).detect([frame_of(128, 192)])[0]) == 1
    assert len(made(boxes, max_iou=0.9).detect([frame_of(128, 192)])[0]) == 2


def test_a_part_of_a_better_plate_is_none_of_its_own() -> None:
    whole, half = Box(40, 50, 124, 80), Box(44, 54, 76, 76)
    finds = made({whole: 0.9, half: 0.6}, refined_share=0.0).detect([frame_of(128, 192)])[0]
    assert [plate.box.x1 for plate in finds] == pytest.approx([40], abs=1)
    finds = made({whole: 0.6, half: 0.9}, refined_share=0.0).detect([frame_of(128, 192)])[0]
    assert len(finds) == 2  # the whole of a better part stays


def test_wild_corners_are_held_near_their_box_and_boxes_in_the_frame() -> None:
    detector = made({Box(-20, 50, 40, 80): 0.9}, refined_share=0.0)
    wild = FakeRefinerNetwork(_MIDDLE * np.float32(40), (PLATE,))
    (plate,) = replace(detector, refiner=Refiner(wild)).detect([frame_of(128, 192)])[0]
    assert plate.box.x1 == 0
    assert plate.corners is not None
    assert plate.corners.box.x2 <= plate.box.x2 + plate.box.width


def test_crops_of_all_frames_run_as_one_batch() -> None:
    detector = made({Box(10, 20, 60, 45): 0.6, Box(100, 60, 150, 85): 0.5})
    network = detector.refiner.runtime
    assert isinstance(network, FakeRefinerNetwork)
    detector.detect([frame_of(128, 192), frame_of(96, 160), frame_of(128, 192)])
    assert [shape[0] for shape in network.shapes] == [6]


def test_a_picture_that_may_be_a_crop_is_looked_at_as_one_plate() -> None:
    detector = made({}, PLATE)
    network = detector.refiner.runtime
    assert isinstance(network, FakeRefinerNetwork)
    found = detector.detect([frame_of(100, 300), frame_of(480, 640), frame_of(300, 800), frame_of(60, 1280)])
    assert [len(row) for row in found] == [1, 0, 1, 0]  # small, neither, long, a strip
    np.testing.assert_allclose(found[2][0].box.to_tuple(), (0, 0, 800, 300), atol=2)
    assert [shape[0] for shape in network.shapes] == [2]
    assert made({}, NOTHING).detect([frame_of(100, 300)]) == [[]]
    (plate,) = made({Box(20, 10, 80, 30): 0.9}, PLATE).detect([frame_of(96, 192)])[0]
    np.testing.assert_allclose(plate.box.to_tuple(), (20, 10, 80, 30), atol=3)  # the finder saw one: no second look


class LooksTwiceNetwork(FakeFinderNetwork):
    """Says other boxes of the small picture of a frame."""

    def __init__(self, boxes: dict[Box, float], small: dict[Box, float]) -> None:
        super().__init__(boxes)
        self.small = FakeFinderNetwork(small)

    def run(self, batch: Batch) -> tuple[NDArray[np.float32], ...]:
        if max(batch.shape[1:3]) > 256:
            return super().run(batch)
        self.shapes.append(batch.shape)
        return self.small.run(batch)


def test_a_plate_too_large_for_the_finder_is_seen_whole_in_a_small_picture() -> None:
    pieces = {Box(60, 200, 420, 300): 0.9, Box(350, 200, 720, 300): 0.8, Box(20, 400, 80, 420): 0.7}
    network = LooksTwiceNetwork(pieces, {Box(16, 60, 224, 92): 0.6, Box(200, 130, 230, 138): 0.9})
    detector = PlateDetector(Finder(network), Refiner(FakeRefinerNetwork(_MIDDLE, [PLATE])), refined_share=0.0)
    (found,) = detector.detect([frame_of(600, 832)])
    boxes = sorted(plate.box.to_tuple() for plate in found)  # what is small is left to the large picture
    np.testing.assert_allclose(boxes, [(20, 396, 80, 416), (52, 185, 728, 289)], atol=1)
    assert [plate.score for plate in found] == sorted((plate.score for plate in found), reverse=True)
    assert [max(shape[1:3]) for shape in network.shapes] == [832, 256]


def test_only_frames_that_may_show_a_plate_close_up_are_searched_twice() -> None:
    small, wide = {Box(60, 200, 260, 250): 0.9}, {Box(60, 200, 360, 250): 0.02}
    usual, large = frame_of(600, 832), frame_of(2000, 2800)
    for boxes, frame, looks in ((small, usual, 1), (wide, usual, 2), ({}, usual, 2), (small, large, 2)):
        network = LooksTwiceNetwork(boxes, {})
        PlateDetector(Finder(network), Refiner(FakeRefinerNetwork(_MIDDLE, [PLATE]))).detect([frame])
        assert len(network.shapes) == looks


class SeesFieldsNetwork(FakeFinderNetwork):
    """Sees nothing in pictures whose rows differ in turn, nor in small ones."""

    def run(self, batch: Batch) -> tuple[NDArray[np.float32], ...]:
        self.shapes.append(batch.shape)
        combed = np.abs(np.diff(batch.astype(np.int16), axis=1)).mean() > 20
        return FakeFinderNetwork({} if combed or max(batch.shape[1:3]) <= 256 else self.boxes).run(batch)


def test_an_interlaced_frame_is_searched_in_one_field_too() -> None:
    bars = np.broadcast_to(np.uint8(200) * (np.arange(832) // 16 % 2 == 0)[:, None], (600, 832, 3))
    moved, still = np.array(bars), np.array(bars)
    moved[1::2] = np.roll(bars, 16, axis=1)[1::2]
    network = SeesFieldsNetwork({Box(60, 200, 260, 250): 0.9})
    detector = PlateDetector(Finder(network), Refiner(FakeRefinerNetwork(_MIDDLE, [PLATE])), refined_share=0.0)
    for frame, looks in ((still, 1), (moved, 3)):  # the small picture is tried first, as of any without a proposal
        network.shapes.clear()
        ((plate,),) = detector.detect([frame])
        np.testing.assert_allclose(plate.box.to_tuple(), (60, 196, 260, 246), atol=1)
        assert len(network.shapes) == looks


def test_halves_of_a_plate_become_the_plate_that_the_refiner_is_surer_of() -> None:
    flat = np.array([[1 / 6, 1 / 3], [5 / 6, 1 / 3], [5 / 6, 2 / 3], [1 / 6, 2 / 3]], np.float32)
    left, right, whole = Box(60, 204, 140, 244), Box(136, 204, 220, 244), Box(60, 200, 220, 240)

    def found(*kinds: tuple[float, float, float], boxes: tuple[Box, ...] = (left, right)) -> list[Box]:
        """What is found where the halves, and then the whole and the halves, are of these kinds."""
        finder = Finder(FakeFinderNetwork(dict.fromkeys(boxes, 0.9)))
        detector = PlateDetector(finder, Refiner(FakeRefinerNetwork(flat, kinds)), refined_share=0.0)
        return [plate.box for plate in detector.detect([frame_of(600, 832)])[0]]

    sure, surer = PLATE, (3.5, -2.0, -2.0)
    (plate,) = found(surer, sure, sure)
    np.testing.assert_allclose(plate.to_tuple(), whole.to_tuple(), atol=1)
    assert len(found(sure, surer, sure)) == 2  # surer of a half
    assert len(found((3.5, 1.0, -2.0), sure, sure)) == 2  # of two lines
    others = {
        "far apart": right.moved(40, 0),
        "on another line": right.moved(0, 24),
        "much taller": Box(136, 190, 220, 260),
        "a whole plate": Box(136, 204, 320, 244),
    }
    for case, other in others.items():
        assert len(found(surer, sure, sure, boxes=(left, other))) == 2, case


def test_expected_places_are_refined_without_the_finder() -> None:
    detector = made({Box(40, 50, 100, 80): 0.9}, PLATE, NOTHING, refined_share=0.5)
    place, empty = Box(84, 96, 204, 156), Box(300, 30, 360, 50)
    (plate,) = detector.refine(frame_of(256, 384), [place, empty])
    np.testing.assert_allclose(plate.box.to_tuple(), place.to_tuple(), atol=2)
    assert plate.score == pytest.approx(1 / (1 + np.exp(-0.5 * 3.0)))  # the refiner's logit alone
    twice = [place, place.moved(6, 0)]
    assert len(made({}).refine(frame_of(256, 384), twice)) == 1
    network = detector.finder.runtime
    assert isinstance(network, FakeFinderNetwork)
    assert network.shapes == []


def test_without_a_proposal_nothing_is_looked_at() -> None:
    detector = made({})
    assert detector.detect([frame_of(480, 640)]) == [[]]
    network = detector.refiner.runtime
    assert isinstance(network, FakeRefinerNetwork)
    assert network.shapes == []


def test_numbers_that_are_not_finite_show_nothing_and_other_outputs_are_refused() -> None:
    detector = made({Box(10, 20, 60, 45): 0.6, Box(100, 60, 150, 85): 0.5})

    class Broken(FakeRefinerNetwork):
        """Cannot make out the first crop."""

        def run(self, batch: Batch) -> tuple[NDArray[np.float32], ...]:
            heat, kinds = super().run(batch)
            heat[0, 1, 2, 3] = np.nan
            return heat, kinds

    class Other(FakeRefinerNetwork):
        """Another network."""

        def run(self, batch: Batch) -> tuple[NDArray[np.float32], ...]:
            return (super().run(batch)[0],)

    found = replace(detector, refiner=Refiner(Broken(_MIDDLE, [PLATE]))).detect([frame_of(128, 192)])[0]
    assert [plate.box.x1 for plate in found] == pytest.approx([100], abs=2)
    with pytest.raises(ContractError, match="RefinerNetwork"):
        replace(detector, refiner=Refiner(Other(_MIDDLE, [PLATE]))).detect([frame_of(128, 192)])


def test_the_settings_are_those_of_the_finders_weights(tmp_path: Path) -> None:
    weights = {"finder": 0.7, "refiner": 0.9, "bias": -0.2}
    path = write_small_detector(tmp_path, min_score=0.4, refined_share=0.25, score_weights=weights)
    detector = PlateDetector.from_weights(*resolve_detector(path, registry=Registry.default()))
    assert (detector.input_size, detector.min_score, detector.refined_share) == (64, 0.4, 0.25)
    assert detector.score_weights == ScoreWeights(**weights)
    assert detector.with_input_size(96).finder.input_size == 96
    assert detector.with_input_size(3200).with_input_size(64) == detector
    files = resolve_detector(path, registry=Registry.default())
    assert detector.description.sha256 == files.finder.sha256
    assert files.refiner.sha256[:12] in str(detector.description.note)


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("pair", "size", 3),
        ("pair", "min_score", "high"),
        ("pair", "max_iou", 2.0),
        ("pair", "score_weights", {"third": 1.0}),
        ("pair", "score_weights", {"finder": "a"}),
        ("finder", "size", 3),
        ("finder", "input_size", 100),
        ("finder", "largest_shrink", 0.0),
        ("finder", "largest_shrink", float("nan")),
        ("finder", "min_score", True),
        ("finder", "most", 2.5),
        ("finder", "most", 0),
    ],
)
def test_bad_settings(tmp_path: Path, part: str, name: str, value: object) -> None:
    path = write_small_detector(tmp_path)
    write_sidecar(path, kind="detector", settings={"refiner": "small-refiner.safetensors", part: {name: value}})
    with pytest.raises(InvalidArgumentError, match="allowed"):
        load_detector(path)


def test_weights_that_name_no_refiner_or_one_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_small_detector(tmp_path)
    for refiner in (None, 5, "", "..", "../small-refiner.safetensors"):
        write_sidecar(path, kind="detector", settings={"refiner": refiner})
        with pytest.raises(WeightsCorruptError, match=r"settings\.refiner"):
            load_detector(path)
    write_sidecar(path, kind="detector", settings={"refiner": "absent.safetensors"})
    monkeypatch.chdir(write_small_detector(tmp_path / "other").parent)
    (tmp_path / "other" / "small-refiner.safetensors").rename("absent.safetensors")  # never taken from anywhere else
    with pytest.raises(WeightsNotFoundError, match=r"needs its refiner, the file .*absent"):
        load_detector(path)
    write_sidecar(path, kind="detector", settings={"refiner": "small-refiner.safetensors", "refiner_sha256": "ab"})
    with pytest.raises(WeightsCorruptError, match="expected is ab: put the one beside it"):
        load_detector(path)
    write_sidecar(path, kind="detector", settings={"refiner": path.name})
    with pytest.raises(InvalidArgumentError, match="weights of a detector"):
        load_detector(path)
