"""Straightening by a given quad, and two lines to one."""

from collections.abc import Sequence
from typing import Any, cast

import cv2
import numpy as np
import pytest
from warped_plates import ONE_LINE, TWO_LINES, flat_plate, street, tilted

from platereader import Box, Quad
from platereader._arrays import BgrImage
from platereader.rectification._layout import (
    _extent,
    join_lines,
    lines_by_aspect,
    lines_by_box,
    rectify_box,
    rectify_quad,
)
from platereader.results import Lines


def difference(a: BgrImage, b: BgrImage) -> float:
    """Mean absolute difference in grey levels, after bringing ``b`` to the size of ``a``."""
    scaled = cv2.resize(b, (a.shape[1], a.shape[0]), interpolation=cv2.INTER_AREA)
    return float(np.abs(a.astype(np.int16) - scaled.astype(np.int16)).mean())


@pytest.mark.parametrize("angle_deg", [0, 8, -15, 25])
@pytest.mark.parametrize("turn", [0.0, 0.15])
def test_a_warped_plate_comes_back_upright(angle_deg: float, turn: float) -> None:
    plate = flat_plate()
    quad = tilted((330, 240), width=300, aspect=520 / 112, angle_deg=angle_deg, turn=turn)
    frame = street(plate, quad, rng=np.random.default_rng(0))
    upright = rectify_quad(frame, quad, 1, margin=0.0)
    assert upright.pixels.shape == (64, 297, 3)
    assert upright.lines == 1
    assert difference(upright.pixels, plate) < 12


def test_margin_keeps_surroundings_within_the_same_height() -> None:
    frame = np.full((200, 400, 3), 50, np.uint8)
    frame[80:120, 100:286] = 200
    quad = Quad.from_box(Box(100, 80, 286, 120))
    bare, wide = (rectify_quad(frame, quad, 1, margin=margin).pixels for margin in (0.0, 0.2))
    assert bare.shape[0] == wide.shape[0] == 64
    assert bare[2:-2, 2:-2].min() == 200
    assert np.array_equal(rectify_quad(frame, quad).pixels, rectify_quad(frame, quad, 1, margin=0.06).pixels)
    rim = wide[:8].mean(), wide[-8:].mean(), wide[:, :8].mean(), wide[:, -8:].mean()
    assert max(rim) < 60
    assert wide[32, 40:-40].min() == 200


@pytest.mark.parametrize("scale", [4, 12])
def test_large_plates_are_averaged_not_sampled(scale: int) -> None:
    stripes = np.zeros((112 * scale, 520 * scale, 3), np.uint8)
    stripes[:, ::2] = 200
    whole = Quad.from_box(Box(0, 0, 520 * scale, 112 * scale))
    upright = rectify_quad(stripes, whole, 1, margin=0.0).pixels[4:-4, 4:-4]
    assert upright.std() < 15
    assert abs(upright.mean() - 100) < 3


@pytest.mark.parametrize(
    ("width", "height", "averaged"), [(450, 96, False), (450, 96.5, True), (445.5, 200, False), (446, 200, True)]
)
def test_plates_are_averaged_from_one_and_a_half_times_the_size_of_the_picture_on(
    monkeypatch: pytest.MonkeyPatch, width: float, height: float, averaged: bool
) -> None:
    resize, calls = cv2.resize, list[int]()

    def counted(*arguments: Any, **options: Any) -> Any:
        calls.append(len(calls))
        return resize(*arguments, **options)

    monkeypatch.setattr(cv2, "resize", counted)
    noise = np.random.default_rng(7).integers(0, 256, (300, 600, 3), dtype=np.uint8)
    rectify_quad(noise, Quad.from_box(Box(60, 40, 60 + width, 40 + height)), 1, margin=0.0)
    assert len(calls) == averaged


def test_a_large_plate_shrinks_without_a_shift() -> None:
    rows, columns = np.mgrid[:700, :1400]
    frame = np.stack([rows // 4, columns // 8, rows * 0 + 50], axis=2).astype(np.uint8)
    quad = Quad((100, 80), (1140, 180), (1130, 400), (90, 300))
    pixels = rectify_quad(frame, quad, 1, margin=0.0).pixels.astype(np.float64)
    for place, corner in zip(((0, 0), (0, -1), (-1, -1), (-1, 0)), quad.points, strict=True):
        y, x = pixels[place][:2] * (4, 8)
        assert (x, y) == pytest.approx(corner, abs=14)  # half a pixel of the upright plate is 2 of the frame


def test_a_plate_in_a_very_large_frame_and_beyond_its_border() -> None:
    frame = np.zeros((400, 31_000, 3), np.uint8)
    frame[100:140, 30_900:] = 210
    quad = Quad.from_box(Box(30_900, 100, 31_080, 140))
    upright = rectify_quad(frame, quad, 1, margin=0.0)
    assert upright.pixels[2:-2, 2:].min() == 210


def test_the_frame_is_not_written_to() -> None:
    frame = street(flat_plate(), tilted((320, 240), width=200, aspect=4.6, angle_deg=5), rng=np.random.default_rng(1))
    before = frame.copy()
    rectify_quad(frame, tilted((320, 240), width=200, aspect=4.6, angle_deg=5), 2)
    np.testing.assert_array_equal(frame, before)


@pytest.mark.parametrize("size", [(90, 160), (128, 218), (41, 60), (7, 9), (40, 1), (1, 1)])
def test_join_lines_halves_the_height_and_doubles_the_width(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert join_lines(pixels).shape == (max(size[0] // 2, 1), 2 * size[1], 3)


@pytest.mark.parametrize("gap", [52, 58, 64, 70, 76])
@pytest.mark.parametrize("dark", [False, True])
def test_join_lines_cuts_in_the_gap(gap: int, *, dark: bool) -> None:
    ground, ink = (20, 230) if dark else (230, 20)
    plate = np.full((128, 218, 3), ground, np.uint8)
    for start, stop in ((10, gap - 6), (gap + 6, 118)):
        for column in range(20, 200, 9):
            plate[start:stop, column : column + 3] = ink
    plate[:gap, :, 0], plate[gap:, :, 0] = 0, 200
    joined = join_lines(plate)
    # The cut may lie anywhere in the 12 rows of the gap, so that few rows of each half belong to the other line.
    assert (joined[:, :218, 0] > 100).mean() <= 6 / gap
    assert (joined[:, 218:, 0] < 100).mean() <= 6 / (128 - gap)


@pytest.mark.parametrize("quietest", [0, 3, 7])
@pytest.mark.parametrize("quiet", [(50, 58), (51, 58), (60, 68), (68, 77)])
def test_join_lines_cuts_in_the_middle_of_the_gap_and_moves_nothing(quiet: tuple[int, int], quietest: int) -> None:
    plate = np.zeros((128, 218, 3), np.uint8)
    plate[..., 0] = np.arange(128)[:, None]
    plate[:, ::2, 1] = 200
    plate[quiet[0] : quiet[1], ::2, 1] = 20
    plate[min(quiet[0] + quietest, quiet[1] - 1), :, 1] = 0
    plate[..., 2] = np.arange(218)
    joined = join_lines(plate).astype(np.float64)
    cut = (quiet[0] + quiet[1]) // 2
    for half, start, stop in ((joined[:, :218], 0, cut), (joined[:, 218:], cut, 128)):
        rows = start + (np.arange(64) + 0.5) * (stop - start) / 64 - 0.5
        assert (half[..., 0].min(), half[..., 0].max()) == (start, stop - 1)
        assert half[:, 50, 0] == pytest.approx(np.clip(rows, start, stop - 1), abs=0.75)  # OpenCV rounds places, too
        assert (half[:, :, 2] == np.arange(218)).all()


def gap_row(activity: Sequence[int]) -> int:
    """Where a plate is to be cut whose rows have so much activity: what ``join_lines`` says, written plainly."""
    height = len(activity)
    first, last = int(0.36 * height), int(0.64 * height)
    typical = float(np.median(activity[height // 8 : height - height // 8]))
    lowest = min(activity[first : last + 1])
    if lowest > 0.6 * typical:
        return height // 2
    start = stop = first + activity[first : last + 1].index(lowest)
    while start > first and activity[start - 1] <= lowest + 0.3 * (typical - lowest):
        start -= 1
    while stop < last and activity[stop + 1] <= lowest + 0.3 * (typical - lowest):
        stop += 1
    return (start + stop + 1) // 2


@pytest.mark.parametrize(("height", "width"), [(128, 48), (40, 48), (9, 24), (8, 8)])
def test_two_lines_are_cut_in_the_middle_of_the_quiet_rows_around_the_quietest(height: int, width: int) -> None:
    rng = np.random.default_rng(0)
    cuts: set[int] = set()
    for _ in range(150):
        activity = rng.integers(rng.integers(0, 9), 11, height).tolist()
        start, length = rng.integers(0, height), rng.integers(0, max(2, height // 3))
        activity[start : start + length] = rng.integers(0, 5, len(activity[start : start + length])).tolist()
        plate = np.zeros((height, width, 3), np.uint8)
        plate[..., 0] = np.arange(height)[:, None]
        plate[:, ::2, 1] = np.array(activity)[:, None]
        rim = width // 12
        plate[:, [*range(rim), *range(width - rim, width)], 1] = rng.integers(0, 256, (height, 2 * rim))
        cut = gap_row(activity)
        joined = join_lines(plate)[..., 0]
        assert (joined[:, :width].max(), joined[:, width:].min()) == (cut - 1, cut)
        cuts.add(cut)
    assert len(cuts) >= height // 8


@pytest.mark.parametrize("lines", [1, 2])
@pytest.mark.parametrize("margin", [0.0, 0.06, 0.2])
@pytest.mark.parametrize("width", [50, 900])
def test_every_place_of_a_plate_comes_to_lie_where_it_should(lines: Lines, margin: float, width: int) -> None:
    box = Box(15, 25, 15 + width, 25 + width * (112 / 520 if lines == 1 else 170 / 290))
    inner_height = 64 * lines / (1 + 2 * margin / lines)
    scale, pad = inner_height / box.height, (64 * lines - inner_height) / 2
    ramp = (np.arange(1000) * (3 if width < 100 else 0.25)).clip(0, 255)
    down = np.tile(ramp.round().astype(np.uint8)[:, None, None], (1, 1000, 3))
    for axis, start, frame in ((1, box.x1, np.ascontiguousarray(down.swapaxes(0, 1))), (0, box.y1, down)):
        pixels = rectify_quad(frame, Quad.from_box(box), lines, margin=margin).pixels[..., 0]
        upright = pixels if lines == 1 else np.vstack(np.hsplit(pixels, 2))
        assert upright.shape == (64 * lines, round(inner_height * (520 / 112 if lines == 1 else 290 / 170) + 2 * pad))
        places = start + (np.arange(upright.shape[axis]) + 0.5 - pad) / scale - 0.5
        error = upright.mean(axis=1 - axis) - np.interp(places, np.arange(1000), ramp)
        assert float(error.mean()) == pytest.approx(0, abs=0.2)
        assert np.abs(error).max() < 3 * 255 / 64


def test_the_neighbourhood_of_a_plate_is_a_part_of_the_frame() -> None:
    cases = [(10, 50, 200), (-3, 30, 200), (170, 195, 200), (10.4, 10.4, 200), (-90, -50, 200), (300, 350, 200)]
    extents = [_extent(np.array([high, low]), limit=limit) for low, high, limit in cases]
    assert extents == [(2, 58), (0, 37), (164, 200), (8, 13), (0, 1), (199, 200)]


@pytest.mark.parametrize("size", [(100, 200), (6, 40), (40, 7), (2, 3)])
def test_join_lines_without_a_gap_or_of_less_than_8_px_cuts_in_half(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (*size, 3), dtype=np.uint8)
    half = size[0] // 2
    if min(size) < 8:
        pixels[half + 1 :] = 0  # which would be a gap
    assert np.array_equal(join_lines(pixels), np.hstack([pixels[:half], pixels[half:]]))
    one: BgrImage = pixels[:1]
    assert np.array_equal(join_lines(one), np.hstack([one, one]))


def test_two_line_plate_is_laid_out_as_one() -> None:
    plate = flat_plate(TWO_LINES)
    quad = tilted((320, 240), width=160, aspect=290 / 170, angle_deg=6)
    frame = street(plate, quad, rng=np.random.default_rng(4))
    joined = rectify_quad(frame, quad, 2, margin=0.0)
    assert joined.lines == 2
    assert joined.pixels.shape == (64, 436, 3)
    assert difference(joined.pixels, np.hstack([plate[:85], plate[85:]])) < 20


def test_box_of_two_lines_is_told_by_its_aspect() -> None:
    frame = street(flat_plate(ONE_LINE), Quad.from_box(Box(100, 100, 308, 145)), rng=np.random.default_rng(5))
    assert rectify_box(frame, Box(100, 100, 308, 145)).lines == 1
    assert rectify_box(frame, Box(100, 100, 180, 147)).lines == 2
    assert rectify_box(frame, Box(100, 100, 180, 147), lines=1).lines == 1


def test_a_one_line_plate_that_is_tilted_or_seen_from_the_side_is_not_taken_for_two_lines() -> None:
    aspects = (1.7, 2.59, 2.6, 4.6)
    assert [lines_by_aspect(Quad.from_box(Box(0, 0, 10 * aspect, 10))) for aspect in aspects] == [2, 2, 1, 1]
    assert [lines_by_box(Box(0, 0, 10 * aspect, 10)) for aspect in (1.7, 1.99, 2.0, 4.6)] == [2, 2, 1, 1]


@pytest.mark.parametrize(
    ("box", "room_px"), [(Box(100, 100, 300, 150), (4.0, 2.5)), (Box(100, 100, 110, 103), (0.5, 0.5))]
)
def test_a_box_is_cut_out_with_a_little_room_on_every_side(box: Box, room_px: tuple[float, float]) -> None:
    frame = np.random.default_rng(6).integers(0, 256, (240, 400, 3), dtype=np.uint8)
    expected = rectify_quad(frame, Quad.from_box(box.padded(*room_px)), 1, margin=0.0)
    assert np.array_equal(rectify_box(frame, box).pixels, expected.pixels)


@pytest.mark.parametrize("shift", [(400, 0), (-400, 0), (0, 400), (0, -400)])
def test_of_what_lies_beyond_the_frame_the_nearest_border_is_repeated(shift: tuple[int, int]) -> None:
    frame = np.full((100, 200, 3), 50, np.uint8)
    frame[[0, -1]] = frame[:, [0, -1]] = 220
    upright = rectify_quad(frame, Quad.from_box(Box(50, 40, 143, 60).moved(*shift)), 1, margin=0.0)
    assert (upright.pixels == 220).all()


def two_fields(frame: BgrImage, *, shift_px: int) -> BgrImage:
    """The frame as an interlaced camera sees it, everything having moved between its fields."""
    combed: BgrImage = frame.copy()
    combed[1::2] = np.roll(frame, shift_px, axis=1)[1::2]
    return combed


@pytest.mark.parametrize("shift_px", [4, 9, -14])
def test_of_two_fields_that_show_a_moving_plate_twice_one_is_taken(shift_px: int) -> None:
    quad = tilted((330, 240), width=200, aspect=520 / 112, angle_deg=4, turn=0.05)
    frame = street(flat_plate(), quad, rng=np.random.default_rng(0))
    moved: BgrImage = np.roll(frame, shift_px, axis=1)
    upright = rectify_quad(two_fields(frame, shift_px=shift_px), quad).pixels
    assert min(difference(upright, rectify_quad(field, quad).pixels) for field in (frame, moved)) < 15


@pytest.mark.parametrize("top", [101, 102])
def test_the_field_is_the_even_one_of_the_frame_wherever_its_plate_begins(top: int) -> None:
    frame = np.zeros((300, 400, 3), np.uint8)
    frame[1::2] = 200
    upright = rectify_quad(frame, Quad.from_box(Box(40, top + 20, 240, top + 64))).pixels
    assert upright.max() < 10


def test_between_the_rows_of_one_field_lie_their_means() -> None:
    stripes = np.where(np.arange(300) // 6 % 2, 30, 180) + np.arange(64)[:, None]
    frame = np.repeat(stripes[..., None], 3, axis=2).astype(np.uint8)
    same_size = Quad.from_box(Box(0, 0, 64 * 520 / 112, 64))
    upright = rectify_quad(two_fields(frame, shift_px=6), same_size, margin=0.0).pixels
    assert np.array_equal(upright[:63], frame[:63, :297])


@pytest.mark.parametrize("seed", range(3))
def test_rows_of_noise_are_no_fields(seed: int) -> None:
    frame = np.random.default_rng(seed).integers(0, 256, (64, 200, 3), np.uint8)
    quad = Quad.from_box(Box(0, 0, 200, 64))
    untouched = cast(BgrImage, cv2.resize(frame, (297, 64), interpolation=cv2.INTER_LINEAR))
    assert difference(rectify_quad(frame, quad, margin=0.0).pixels, untouched) < 20
