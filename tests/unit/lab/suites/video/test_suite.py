"""The sequences are the same every time, and their plates are where the truth says."""

from __future__ import annotations

import hashlib
import math
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from platereader._geometry import Box, Quad
from platereader.errors import InvalidArgumentError
from platereader.lab.datasets import is_calibration
from platereader.lab.suites.frozen import frozen_fingerprints
from platereader.lab.suites.video.run import fingerprint_frames, fingerprint_of
from platereader.lab.synthesis.video.clip import VideoFrame
from platereader.lab.synthesis.video.clips import clip, clip_names
from platereader.lab.synthesis.video.codec import through_h264
from platereader.lab.synthesis.video.levels import LEVELS
from platereader.lab.synthesis.video.material import Material, load_material
from platereader.lab.synthesis.video.motion import Pose, path_through, view
from platereader.lab.synthesis.video.plans import KINDS, plan
from platereader.lab.synthesis.video.truth import TruePlate, visible_share

NAMES = clip_names()


def named(kind: str, level: str = "easy") -> str:
    return next(name for name in NAMES if name.startswith(level) and name.endswith(kind))


def red_box(frame: VideoFrame) -> Box:
    red = (frame.pixels[..., 2].astype(int) - frame.pixels[..., 1] > 60) & (frame.pixels[..., 0] < 120)
    rows, columns = np.nonzero(red)
    return Box(float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))


def test_there_are_240_clips_of_unique_names_and_all_are_frozen() -> None:
    assert len(NAMES) == len(set(NAMES)) == 240
    assert set(frozen_fingerprints("video")) == set(NAMES)
    assert all(sum(name.endswith(f" {kind}") for name in NAMES) == 24 for kind in KINDS)


@pytest.mark.parametrize("count", [0, 81])
def test_there_are_only_so_many_clips(count: int) -> None:
    with pytest.raises(InvalidArgumentError, match="1 to 80"):
        clip_names(per_level=count)


@pytest.mark.parametrize("kind", KINDS)
def test_clips_repeat_and_have_plates_in_view(material: Material, kind: str) -> None:
    first, again = clip(named(kind), material), clip(named(kind), material)
    assert 10 <= len(first) <= 60
    assert all(a < b for a, b in pairwise(first.times_s))
    numbers = fingerprint_frames(len(first))
    frames = list(first.frames(numbers))
    assert fingerprint_of(frames) == fingerprint_of(list(again.frames(numbers)))
    assert {frame.pixels.shape for frame in frames} == {(720, 1280, 3)}
    assert (
        len(set(first.texts))
        == len(first.texts)
        == (1 if kind not in ("several", "crossing") else len(first.plan.paths))
    )


@pytest.mark.parametrize("kind", ["drive", "handheld", "dashcam", "turn", "stop and go"])
def test_the_plate_is_where_the_truth_says(material: Material, kind: str) -> None:
    made = clip(named(kind), material)
    checked = 0
    for frame in made.frames(range(0, len(made), 4)):
        for plate in frame.plates:
            if plate.visible:
                found, expected = red_box(frame), plate.box
                np.testing.assert_allclose(found.to_tuple(), expected.to_tuple(), atol=4.0)
                checked += 1
    assert checked >= 2


def test_a_codec_takes_from_every_frame_and_moves_none(material: Material) -> None:
    frames = list(clip(named("drive"), material).frames())
    fine, coarse = (list(through_h264(iter(frames), crf=crf)) for crf in (18, 40))
    for coded in (fine, coarse):
        assert [(one.timestamp_s, one.plates) for one in coded] == [(one.timestamp_s, one.plates) for one in frames]
    for before, near, far in zip(frames, fine, coarse, strict=True):
        losses = [float(np.mean(cv2.absdiff(before.pixels, one.pixels))) for one in (near, far)]
        assert 0 < losses[0] < losses[1] < 8
    seen = [(frame, plate) for frame in fine for plate in frame.plates if plate.visible]
    assert len(seen) >= 5
    for frame, plate in seen:
        np.testing.assert_allclose(red_box(frame).to_tuple(), plate.box.to_tuple(), atol=5.0)


def test_only_one_plate_of_a_photograph_is_left_and_none_behind_the_vehicles(material: Material) -> None:
    made = clip(named("handheld"), material)
    (frame,) = made.frames([0])
    (plate,) = frame.plates
    np.testing.assert_allclose(red_box(frame).to_tuple(), plate.box.to_tuple(), atol=4.0)
    photograph = material.load(material.places[0])
    assert len(photograph.plates) == 2  # the one that nobody labelled is known, too


def test_a_covered_plate_is_marked_and_is_not_to_be_seen(material: Material) -> None:
    made = next(
        one
        for name in NAMES
        if name.startswith("easy") and name.endswith("occluded")
        if len((one := clip(name, material)).plan.occluders) == 1 and one.plan.occluders[0].size_px[1] < 900
    )
    covered = [frame for frame in made.frames() if frame.plates and frame.plates[0].uncovered < 0.05]
    assert covered
    for frame in covered:
        box = frame.plates[0].box
        inside = frame.pixels[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)].astype(int)
        assert (inside[..., 2] - inside[..., 1] < 60).mean() > 0.9


def test_a_returning_plate_is_gone_for_one_to_three_seconds(material: Material) -> None:
    for name in (name for name in NAMES if name.endswith("returning")):
        made = clip(name, material)
        seen = [
            time_s
            for time_s, number in zip(made.times_s, range(len(made)), strict=True)
            if any(plate.shown > 0 for plate in made.truth(number))
        ]
        gap = max(b - a for a, b in pairwise(seen))
        assert 0.7 <= gap <= 3.3
        assert len(made.texts) == 1


def test_a_view_puts_the_plate_where_the_pose_says() -> None:
    plate = np.array([(0, 0), (100, 0), (100, 22), (0, 22)], np.float32)
    matrix = view(plate, Pose(300, 200, 50))
    np.testing.assert_allclose(
        cv2.perspectiveTransform(plate[None].astype(np.float64), matrix)[0],
        [(275, 194.5), (325, 194.5), (325, 205.5), (275, 205.5)],
        atol=1e-3,
    )
    turned = cv2.perspectiveTransform(plate[None].astype(np.float64), view(plate, Pose(640, 300, 50, math.pi / 4)))[0]
    assert turned[1, 0] - turned[0, 0] == pytest.approx(50 * math.cos(math.pi / 4), rel=0.02)
    assert turned[3, 1] - turned[0, 1] != pytest.approx(turned[2, 1] - turned[1, 1], rel=1e-3)


@pytest.mark.parametrize("pace", ["even", "steady", "braking", "starting", "stop and go"])
def test_a_journey_goes_from_its_first_pose_to_its_last(pace: str) -> None:
    ends = Pose(100, 300, 40), Pose(900, 500, 120)
    path = path_through(ends, duration_s=3, pace=pace, rng=np.random.default_rng(0))  # type: ignore[arg-type]
    assert (path(0.0).x_px, path(0.0).width_px) == pytest.approx((100, 40))
    assert (path(3.0).x_px, path(3.0).width_px) == pytest.approx((900, 120))
    widths = [path(time_s).width_px for time_s in np.linspace(0, 3, 40).tolist()]
    assert all(a <= b + 1e-9 for a, b in pairwise(widths))


def test_shares_in_the_frame_and_behind_something() -> None:
    plate = np.array([(-50, 10), (50, 10), (50, 30), (-50, 30)], np.float32)
    cover = np.array([(25, 0), (60, 0), (60, 60), (25, 60)], np.float32)
    inside, uncovered = visible_share(plate, size_px=(1280, 720), occluders=[cover])
    assert (inside, uncovered) == pytest.approx((0.5, 0.75))
    one = TruePlate(0, "A123BC77", Quad.from_points(plate), inside, uncovered, 0.0, 0.0)
    assert one.shown == pytest.approx(0.25)
    assert not one.visible
    assert one.occluded


@pytest.mark.parametrize(
    ("width", "motion_px", "defocus_px", "legible"),
    [(100, 2, 1, True), (40, 0, 0, False), (100, 6, 0, False), (100, 0, 2, False)],
)
def test_small_and_blurred_plates_are_not_legible(
    width: float, motion_px: float, defocus_px: float, legible: bool
) -> None:
    plate = TruePlate(0, "A123BC77", Quad.from_box(Box(0, 0, width, width / 4.6)), 1, 1, motion_px, defocus_px)
    assert plate.visible
    assert plate.legible is legible


def test_harder_levels_are_recorded_worse() -> None:
    drawn = [
        [level.draw_conditions([0.0, 0.1], rng=np.random.default_rng(seed)) for seed in range(20)] for level in LEVELS
    ]
    exposures = [float(np.mean([one.exposure_s for one in some])) for some in drawn]
    grains = [float(np.mean([one.grain for one in some])) for some in drawn]
    qualities = [float(np.mean([one.frames[1].quality for one in some])) for some in drawn]
    assert exposures == sorted(exposures)
    assert grains == sorted(grains)
    assert qualities == sorted(qualities, reverse=True)


@pytest.mark.parametrize("kind", KINDS)
def test_every_plan_is_of_ten_to_sixty_frames(kind: str) -> None:
    for seed in range(30):
        made = plan(kind, level=LEVELS[2], min_width_px=30, max_width_px=200, rng=np.random.default_rng(seed))
        assert 10 <= made.frames <= 60
        assert 5 <= made.fps <= 30


def test_nothing_in_it_was_trained_on_or_fitted_on(shared_data: Path) -> None:
    material = load_material(shared_data / "data")
    assert len(material.places) > 140
    for place in material.places:
        digit = int(hashlib.sha1(place.image.path.name.encode(), usedforsecurity=False).hexdigest(), 16) % 10
        assert "dev" in place.image.path.parts or (is_calibration(place.image.path) and digit == 5)


@pytest.mark.parametrize("name", ["easy 04 handheld", "medium 16 occluded", "hard 38 crossing"])
def test_the_frozen_clips_are_still_the_same(shared_data: Path, name: str) -> None:
    made = clip(name, load_material(shared_data / "data"))
    assert fingerprint_of(list(made.frames(fingerprint_frames(len(made))))) == frozen_fingerprints("video")[name]
