"""Whatever the frame, the tiles and the place of a plate: it is reported once, where it is."""

from __future__ import annotations

import numpy as np
from far_plates import ShortSighted
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fakes import frame_with
from platereader import Box
from platereader._arrays import BgrImage
from platereader.detection._region import RegionDetector
from platereader.detection._tiled import MARGIN, TiledDetector

SIDES = st.integers(70, 500)


@st.composite
def frames_with_a_plate(draw: st.DrawFn, *, largest_px: int) -> tuple[BgrImage, Box]:
    """A frame of any size with one plate anywhere, of at most that many pixels a side."""
    width, height = draw(SIDES), draw(SIDES)
    wide = draw(st.integers(8, min(width, largest_px)))
    high = draw(st.integers(8, min(height, largest_px)))
    x, y = draw(st.integers(0, width - wide)), draw(st.integers(0, height - high))
    box = Box(x, y, x + wide, y + high)
    return frame_with({50: box}, width=width, height=height), box


@given(st.data(), st.integers(64, 200))
@settings(max_examples=150, deadline=None)
def test_a_plate_that_only_a_tile_shows_is_found_once_and_whole(data: st.DataObject, tile_px: int) -> None:
    overlap_px = data.draw(st.integers(20, tile_px // 2))
    frame, plate = data.draw(frames_with_a_plate(largest_px=int(overlap_px / (1 + 2 * MARGIN))))
    detector = TiledDetector(ShortSighted(sight_px=tile_px), tile_px=tile_px, overlap_px=overlap_px)
    assert [item.box for item in detector.detect([frame])[0]] == [plate]


@given(st.lists(frames_with_a_plate(largest_px=500), min_size=1, max_size=3), st.integers(64, 200), st.integers(0, 32))
@settings(max_examples=60, deadline=None)
def test_a_plate_of_any_size_is_found_once_and_frames_keep_their_order(
    made: list[tuple[BgrImage, Box]], tile_px: int, overlap_px: int
) -> None:
    frames = [np.zeros((90, 300, 3), np.uint8), *(frame for frame, _ in made)]
    copies = [frame.copy() for frame in frames]
    found = TiledDetector(ShortSighted(), tile_px=tile_px, overlap_px=overlap_px).detect(frames)
    assert [[item.box for item in items] for items in found] == [[], *([plate] for _, plate in made)]
    assert all(np.array_equal(frame, copy) for frame, copy in zip(frames, copies, strict=True))


@given(frames_with_a_plate(largest_px=60), st.integers(3, 9), st.integers(0, 10**6))
@settings(max_examples=100, deadline=None)
def test_a_plate_is_reported_if_its_middle_is_in_the_region(
    made: tuple[BgrImage, Box], corners: int, seed: int
) -> None:
    frame, plate = made
    rng = np.random.default_rng(seed)
    angles = 2 * np.pi * (np.arange(corners) + rng.uniform(0.1, 0.9, corners)) / corners
    middle = np.array([frame.shape[1], frame.shape[0]]) / 2
    radii = rng.uniform(30, 300, corners)
    ring = middle + np.stack((np.cos(angles), np.sin(angles)), 1) * radii[:, None]
    assume((ring.max(0) > 0).all() and (ring.min(0) < 2 * middle).all())  # one that lies outside is refused
    found = RegionDetector(ShortSighted(), [(float(x), float(y)) for x, y in ring], margin_px=40).detect([frame])[0]
    assert [item.box for item in found] == ([plate] if winds_around(ring, plate.center) else [])


def winds_around(ring: np.ndarray[tuple[int, ...], np.dtype[np.float64]], point: tuple[float, float]) -> bool:
    """Whether the ring turns around the point: another way to tell the inside than that of the detector."""
    ahead = np.roll(ring, -1, 0) - point
    here = ring - point
    turns = np.arctan2(here[:, 0] * ahead[:, 1] - here[:, 1] * ahead[:, 0], (here * ahead).sum(1))
    return abs(float(turns.sum())) > np.pi
