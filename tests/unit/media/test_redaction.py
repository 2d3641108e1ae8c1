"""Plates covered for good, in one frame and through a video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import cv2
import numpy as np
import pytest

from fakes import OneTrack, Says
from platereader import Box, Detection, PlateTracker, Quad, TrackAssignment
from platereader._arrays import BgrImage
from platereader.errors import ContractError, InvalidArgumentError, InvalidImageError, TimestampError
from platereader.lab.synthesis.render import render_plate
from platereader.media._redaction import RedactedFrame, redact, redact_stream
from platereader.plates import RUSSIA

TILTED = Quad((100, 90), (180, 110), (176, 130), (96, 110))
FPS = 10
METHODS = ("blur", "pixelate", "fill")


def noise(height: int = 240, width: int = 320) -> BgrImage:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def inside(quad: Quad, shape: tuple[int, ...]) -> Any:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, quad.to_array().round().astype(np.int32), 1)
    return mask > 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("corners", [TILTED, None])
def test_the_plate_is_covered_and_nothing_else_is_touched(method: Any, corners: Quad | None) -> None:
    frame = noise()
    frame.flags.writeable = False
    found = Detection(TILTED.box, 0.9, corners)
    covered = redact(frame, [found], method=method)
    changed = (covered != frame).any(axis=-1)
    plate = inside(TILTED, frame.shape)
    assert changed[plate].mean() > 0.99
    room = Box(*TILTED.box.to_tuple()).padded(12 if corners is not None else 22, 12)
    outside = ~inside(Quad.from_box(room), frame.shape)
    assert not changed[outside].any()
    if corners is not None:
        assert changed.sum() < 2.5 * plate.sum()
        assert not changed[92:98, 160:180].any()  # in the box, beside the tilted plate


def test_without_plates_a_copy_comes_back() -> None:
    frame = noise()
    same = redact(frame, [])
    assert np.array_equal(same, frame)
    assert not np.shares_memory(same, frame)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_of_the_plate_is_left_but_the_colours_around_it_are(method: Any) -> None:
    around, found = np.full((240, 320, 3), (40, 90, 160), np.uint8), Detection(TILTED.box, 0.9, TILTED)
    pictures = [around.copy(), around.copy()]
    pictures[0][inside(TILTED, around.shape)] = (255, 255, 255)
    pictures[1][inside(TILTED, around.shape)] = noise()[inside(TILTED, around.shape)]
    for picture in pictures:
        assert np.abs(redact(picture, [found], method=method).astype(int) - around).max() <= 1


def test_methods_differ_in_how_they_blend() -> None:
    frame = np.zeros((240, 320, 3), np.uint8)
    frame[:, :140] = 200  # one side of the plate is light, the other dark
    found = [Detection(Box(100, 100, 180, 120), 0.9)]
    rows = {method: redact(frame, found, method=cast(Any, method))[110, 102:178, 0].astype(int) for method in METHODS}
    assert len(set(rows["fill"])) == 1
    assert 40 < rows["fill"][0] < 160
    steps = {method: np.abs(np.diff(row)) for method, row in rows.items()}
    assert (steps["pixelate"] == 0).mean() > 0.7  # squares
    assert steps["blur"].max() < steps["pixelate"].max()
    for method in ("blur", "pixelate"):
        assert rows[method][0] > 150 > 50 > rows[method][-1]


def test_a_frame_that_is_covered_wholly_is_grey() -> None:
    assert (redact(noise(20, 40), [Detection(Box(0, 0, 40, 20), 0.9)]) == 96).all()


@pytest.mark.parametrize("width", [30, 120, 600])
def test_blur_keeps_no_detail_as_fine_as_a_character(width: int) -> None:
    height = round(width / 4.6)
    frame = noise(2 * height, 2 * width)
    box = Box(width / 2, height / 2, 1.5 * width, 1.5 * height)
    middle = redact(frame, [Detection(box, 0.9)])[height // 2 + 1 : -height // 2 - 1, width // 2 + 1 : -width // 2 - 1]
    steps = np.abs(np.diff(middle.astype(int), axis=1))
    assert steps.max() <= 64 / (width / 3) + 2
    assert middle.std() < 0.3 * frame.std()


def test_blurs_of_different_texts_are_the_same() -> None:
    rng = np.random.default_rng(1)
    texts = [RUSSIA.sample_text(RUSSIA.formats[0], rng=rng) for _ in range(10)]
    blurs: set[bytes] = set()
    for text in texts:
        frame = np.full((160, 640, 3), 90, np.uint8)
        plate = render_plate(text, RUSSIA.layouts[0], height_px=100, rng=np.random.default_rng(0)).pixels
        frame[30:130, 80 : 80 + plate.shape[1]] = plate
        blurs.add(redact(frame, [Detection(Box(80, 30, 80 + plate.shape[1], 130), 0.9)]).tobytes())
    assert len(blurs) == 1


def test_odd_places_are_covered_as_far_as_they_are_in_the_frame() -> None:
    crossed = Quad((10, 10), (90, 40), (90, 10), (10, 40))
    odd = [
        Detection(Box(10, 10, 90, 40), 0.5, crossed),
        Detection(Box(-50, 200, 40, 300), 0.5),
        Detection(Box(318, 0, 900, 9), 0.5),
        Detection(Box(150, 150, 150.5, 150.5), 0.5),
    ]
    frame = noise()
    changed = (redact(frame, odd, method="blur") != frame).any(axis=-1)
    assert changed[10:40, 10:90].all()
    assert changed[200:, :40].all()
    assert changed[:9, 318:].all()
    assert changed[150, 150]


def test_a_larger_margin_covers_more() -> None:
    found = [Detection(TILTED.box, 0.9, TILTED)]
    covered = [redact(noise(), found, method="fill", margin=margin) for margin in (0.0, 0.5, 2.0)]
    sizes = [(one != noise()).any(axis=-1).sum() for one in covered]
    assert sizes[0] < sizes[1] < sizes[2]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"method": "smear"}, InvalidArgumentError),
        ({"method": np.array(["blur", "fill"])}, InvalidArgumentError),
        ({"margin": -0.1}, InvalidArgumentError),
        ({"margin": float("nan")}, InvalidArgumentError),
        ({"frame": noise()[..., 0]}, InvalidImageError),
        ({"detections": [Detection(Box(900, 900, 950, 920), 0.9)]}, InvalidArgumentError),
        ({"detections": [(0, 0, 90, 20)]}, InvalidArgumentError),
    ],
)
def test_bad_input_is_named(change: dict[str, Any], error: type[Exception]) -> None:
    words: dict[str, Any] = {"frame": noise(), "detections": [], **change}
    with pytest.raises(error):
        redact(words.pop("frame"), words.pop("detections"), **words)


@dataclass
class ScriptedDetector:
    """Finds what the script says, one score and box per frame or nothing."""

    script: Sequence[tuple[float, Box] | None]
    seen: int = field(default=0)

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        one = self.script[self.seen]
        self.seen += 1
        return [[] if one is None else [Detection(one[1], one[0])]]


def place(index: int) -> Box:
    """Where the moving plate is."""
    return Box(20 + 6 * index, 100, 80 + 6 * index, 114)


def scored(
    script: Sequence[tuple[float, Box] | None], *, tracker: PlateTracker | None = None, **options: Any
) -> list[RedactedFrame]:
    """A video in which one plate is found with these scores."""
    video = ((index / FPS, noise()) for index in range(len(script)))
    return list(redact_stream(video, detector=ScriptedDetector(script), tracker=tracker or OneTrack(), **options))


def run_video(seen: Sequence[int], **options: Any) -> list[RedactedFrame]:
    return scored([(0.5, place(index)) if index in seen else None for index in range(30)], method="fill", **options)


def is_changed(frame: BgrImage, area: Any) -> bool:
    """Whether noise was painted over in all of an area; by chance, a few pixels keep their colour."""
    return bool((frame[area] != noise()[area]).any(axis=-1).mean() > 0.995)


def hidden(out: Sequence[RedactedFrame]) -> list[int]:
    """Frames in which all of the plate is covered."""
    areas = [(index, inside(Quad.from_box(place(index)), one.frame.shape)) for index, one in enumerate(out)]
    return [index for index, plate in areas if is_changed(out[index].frame, plate)]


def test_gaps_in_a_track_are_filled_and_its_ends_extended() -> None:
    out = run_video([10, 11, 12, 18, 19, 20])
    assert [one.timestamp_s for one in out] == [index / FPS for index in range(30)]
    assert hidden(out) == list(range(5, 26))
    assert not any(out[index].covered for index in (*range(5), *range(26, 30)))


def test_the_longer_a_plate_is_out_of_sight_the_more_around_it_is_covered() -> None:
    out = run_video([10, 20], margin=0.0)

    def covered(index: int, *, off_px: float) -> bool:
        box = place(index)
        swerved = Box(box.x1, box.y1 + off_px, box.x2, box.y2 + off_px)
        return is_changed(out[index].frame, inside(Quad.from_box(swerved), out[index].frame.shape))

    for index, away_s in ((11, 1 / FPS), (12, 2 / FPS), (18, 2 / FPS)):  # two heights for each second
        assert covered(index, off_px=0.9 * 2 * away_s * place(index).height)
        assert not covered(index, off_px=1.3 * 2 * away_s * place(index).height + 3)
    for index in range(11, 20):  # up to 2.5 times the area of the plate, and 2 px around it
        (one,) = out[index].covered
        assert one.box.area <= 2.5 * place(index).area + 1
        assert out[index].covered_share * 240 * 320 <= one.box.padded(3, 3).area


def test_the_corners_of_a_plate_move_between_its_sightings() -> None:
    def moved(index: int) -> Quad:
        return Quad.from_points(TILTED.to_array() + np.array([6 * index, 2 * index], np.float32))

    @dataclass
    class Tilting:
        seen: int = 0

        def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
            plate = moved(self.seen)
            self.seen += 1
            return [[] if self.seen in (4, 5) else [Detection(plate.box, 0.9, plate)]]

    video = ((index / FPS, noise()) for index in range(8))
    out = list(redact_stream(video, detector=Tilting(), tracker=OneTrack(), margin=0.0))
    for index in (3, 4):
        (place,) = out[index].covered
        assert place.corners is not None
        # A tenth of a second out of sight is a fifth of a height more on every side.
        assert place.corners.to_array() == pytest.approx(moved(index).to_array(), abs=0.25 * TILTED.height)
        assert place.corners.to_array().mean(axis=0) == pytest.approx(moved(index).to_array().mean(axis=0), abs=0.1)


def test_a_glimpse_that_the_detector_doubts_is_covered_in_its_own_frame_alone() -> None:
    glimpse = [(0.2, place(0)) if index == 5 else None for index in range(12)]
    assert [index for index, one in enumerate(scored(glimpse)) if one.covered] == [5]
    # A gap of 0.4 s, and one of 0.7 s.
    doubted = [(0.4, place(0)) if index in (5, 6, 10, 17) else None for index in range(20)]
    assert [index for index, one in enumerate(scored(doubted)) if one.covered] == [5, 6, 7, 8, 9, 10, 17]
    sure_later = [(0.2 if index < 8 else 0.6, place(0)) if index in (5, 8) else None for index in range(20)]
    assert [index for index, one in enumerate(scored(sure_later)) if one.covered] == list(range(14))


def test_a_plate_that_is_partly_hidden_is_covered_as_wide_as_before_and_after() -> None:
    def halved(index: int) -> Box:
        return Box(place(index).x1, 100, place(index).x1 + 30, 114)

    script = [(0.9, halved(index) if index in (0, 6, 7, 11) else place(index)) for index in range(12)]
    out = scored(script)
    assert hidden(out) == list(range(12))
    assert [len(one.covered) for one in out] == [2 if index in (0, 6, 7, 11) else 1 for index in range(12)]
    always = [(0.9, halved(index)) for index in range(12)]
    assert hidden(scored(always)) == []


def test_a_character_more_is_covered_at_each_end_of_one_line() -> None:
    box = Box(100, 100, 180, 120)
    for lines, end_px in ((1, 10), (None, 10), (2, 5)):
        changed = (redact(noise(), [Detection(box, 0.9, lines=cast(Any, lines))]) != noise()).any(axis=-1)
        rows, columns = changed[:, 140].nonzero()[0], changed[110].nonzero()[0]
        assert (rows[0], rows[-1]) == (95, 125)
        assert (columns[0], columns[-1]) == (100 - end_px, 180 + end_px)
    standing = (redact(noise(), [Detection(Box(100, 80, 120, 160), 0.9)]) != noise()).any(axis=-1)
    assert standing[:, 110].nonzero()[0][0] == 70


def test_a_large_place_is_covered_only_where_the_detector_is_sure() -> None:
    def box(height_px: int) -> Box:
        return Box(40, 40, 140, 40 + height_px)

    # 7 % of the frame's mean side, sqrt(240 x 320) px, are 19.4 px.
    for height_px, score, is_covered in ((80, 0.45, False), (80, 0.55, True), (18, 0.2, True), (21, 0.2, False)):
        (one,) = scored([(score, box(height_px))])
        assert bool(one.covered) == is_covered == (one.covered_share > 0)


def test_a_plate_that_has_left_the_frame_is_not_covered_where_it_was() -> None:
    boxes = [Box(200 + 12 * index, 100, min(320, 260 + 12 * index), 114) for index in range(8)]
    script = [(0.9, box) for box in boxes] + [None] * 3
    out = scored(script)[8:]
    assert all(one.covered for one in out[:2])
    for one in out:
        assert all(place.box.x1 > boxes[-1].x1 for place in one.covered)
    standing = scored([(0.9, boxes[-1])] * 8 + [None] * 3)  # it may be there still
    assert all(abs(place.box.center[0] - boxes[-1].center[0]) < 1 for one in standing[8:] for place in one.covered)
    assert all(one.covered for one in standing[8:])


def test_a_moving_plate_that_vanishes_far_from_the_sides_is_covered_where_it_was_and_where_it_would_be() -> None:
    boxes = [Box(60 + 12 * index, 100, 120 + 12 * index, 114) for index in range(8)]
    out = scored([(0.9, box) for box in boxes] + [None] * 2)
    for later, one in enumerate(out[8:], start=1):
        places = sorted(place.box.center[0] for place in one.covered)
        assert places == pytest.approx([boxes[-1].center[0], boxes[-1].center[0] + 12 * later], abs=1)


def test_without_tracking_only_what_was_found_is_covered() -> None:
    class NoTracks:
        def update(self, detections: Sequence[Detection], timestamp_s: float) -> TrackAssignment:
            return TrackAssignment(tuple(None for _ in detections), ended=())

    assert hidden(run_video([10, 11, 12, 18], tracker=NoTracks())) == [10, 11, 12, 18]


def test_the_look_ahead_bounds_what_is_known_of_the_future() -> None:
    out = run_video([10, 11, 12, 22, 23], look_ahead_s=0.2, extend_s=0.0)
    assert hidden(out) == [10, 11, 12, 20, 21, 22, 23]
    assert hidden(run_video([10, 11], look_ahead_s=0.0, extend_s=0.3)) == [10, 11, 12, 13, 14]


@pytest.mark.parametrize(
    ("options", "most_bytes", "waiting"),
    [({}, 2**31, 11), ({"look_ahead_s": 0.5}, 2**31, 6), ({"look_ahead_s": 0.5}, 4 * 24 * 32 * 3, 5)],
)
def test_no_more_frames_wait_than_the_look_ahead_and_memory_hold(
    options: dict[str, Any], most_bytes: int, waiting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platereader.media._redaction._MOST_HELD_BYTES", most_bytes)
    taken = 0

    def video() -> Iterator[tuple[float, BgrImage]]:
        nonlocal taken
        for index in range(40):
            taken += 1
            yield index / FPS, np.zeros((24, 32, 3), np.uint8)

    out = redact_stream(video(), detector=ScriptedDetector([None] * 40), tracker=OneTrack(), **options)
    waits = [taken - index for index, _ in enumerate(out)]
    assert (max(waits), len(waits)) == (waiting, 40)


def test_frames_in_a_buffer_that_is_used_again_come_out_right() -> None:
    buffer = np.zeros((24, 32, 3), np.uint8)

    def video() -> Iterator[tuple[float, BgrImage]]:
        for index in range(20):
            buffer[:] = index
            yield index / FPS, buffer

    out = redact_stream(video(), detector=ScriptedDetector([None] * 20), tracker=OneTrack())
    assert [int(one.frame[0, 0, 0]) for one in out] == list(range(20))


def test_a_video_is_held_to_its_contract() -> None:
    frame = np.zeros((24, 32, 3), np.uint8)
    parts: Any = {"detector": ScriptedDetector([None] * 9), "tracker": OneTrack()}
    with pytest.raises(TimestampError, match="grow"):
        list(redact_stream([(0.0, frame), (0.0, frame)], **parts))
    for time in (None, 10**400, True, "1"):
        with pytest.raises((InvalidArgumentError, TimestampError), match=r"^(frames\[0\]|timestamp_s) is"):
            list(redact_stream([(cast(Any, time), frame)], **parts))
    with pytest.raises(InvalidArgumentError, match=r"^frames\[0\] is a ndarray, expected \(timestamp_s, frame\)"):
        list(redact_stream(cast(Any, [frame]), **parts))
    refused: dict[str, Any] = {"detector": None, "tracker": OneTrack, "margin": "1", "look_ahead_s": None}
    for name, value in refused.items():
        with pytest.raises(InvalidArgumentError, match=f"^{name} is"):
            redact_stream([], **{**parts, name: value})
    with pytest.raises(InvalidArgumentError, match=r"^margin is '1'"):
        redact(frame, [], margin=cast(Any, "1"))
    with pytest.raises(InvalidArgumentError, match="look_ahead_s"):
        redact_stream([], **parts, look_ahead_s=60)
    with pytest.raises(InvalidArgumentError, match="method"):
        redact_stream([], **parts, method=cast(Any, "smear"))
    wrong = Says(TrackAssignment((1, 2, 3), ended=()))
    with pytest.raises(ContractError, match="3 ids for 0"):
        list(redact_stream([(0.0, frame)], detector=ScriptedDetector([None]), tracker=wrong))


def test_detections_are_any_iterable_and_not_a_single_one() -> None:
    frame = np.random.default_rng(0).integers(0, 255, (100, 200, 3), np.uint8)
    found = Detection(Box(40, 30, 120, 60), 1.0)
    several: Any = iter([found])
    assert np.array_equal(redact(frame, several), redact(frame, [found]))
    assert not np.array_equal(redact(frame, [found]), frame)
    single: Any = found
    with pytest.raises(InvalidArgumentError, match="detections is the Detection"):
        redact(frame, single)


def test_frames_that_change_their_size_are_covered_where_the_plate_is() -> None:
    half = Box(10, 50, 40, 57)
    small = np.ascontiguousarray(noise()[::2, ::2])
    script = [(0.9, Box(20, 100, 80, 114))] * 6 + [None, (0.9, half), (0.9, half), (0.9, half)]
    frames = [noise()] * 6 + [small] * 4
    video = ((index / FPS, frame) for index, frame in enumerate(frames))
    out = list(redact_stream(video, detector=ScriptedDetector(script), tracker=OneTrack(), method="fill"))
    for index, one in enumerate(out):
        changed = (one.frame != frames[index]).any(axis=2)
        box = Box(20, 100, 80, 114) if index < 6 else half
        around = np.zeros_like(changed)
        around[int(box.y1) - 12 : int(box.y2) + 12, max(0, int(box.x1) - 12) : int(box.x2) + 12] = True
        assert changed[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)].mean() > 0.99
        assert not changed[~around].any()
