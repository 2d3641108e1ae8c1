"""Clips of what once lost, doubled or mixed up passages, and what is counted in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

import cv2
import numpy as np
import pytest

from fakes import TEXTS, frame_with, patch_pipeline
from platereader import Box, Quad, Sighting, StreamUpdate, TrackedPlate
from platereader._arrays import BgrImage
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.suites.video.identity_kinds import WatchedClip, by_last_number, watch_clip
from platereader.lab.synthesis.scenes.frames import Photograph
from platereader.lab.synthesis.scenes.material import PlatePhotograph
from platereader.lab.synthesis.video.altered import with_another_digit, with_lettering
from platereader.lab.synthesis.video.clip import VideoFrame
from platereader.lab.synthesis.video.identity_kinds import IDENTITY_KINDS, KIND_CLIPS, kind_frames
from platereader.lab.synthesis.video.material import Material
from platereader.lab.synthesis.video.truth import TruePlate

CORNERS = Quad((400.0, 480.0), (660.0, 484.0), (660.0, 540.0), (400.0, 536.0))
TWO_CARS = ("next car", "equal", "another", "cut")
PLATE = Box(60, 60, 140, 80)


def glyphs(text: str) -> BgrImage:
    """A flat plate of 520 x 112: bars instead of letters, and a dark grey of its own for each digit."""
    flat: BgrImage = np.full((112, 520, 3), 220, np.uint8)
    for place, char in enumerate(text[:6]):
        height = 80 if char.isdecimal() else 60
        shade = 3 * int(char) if char.isdecimal() else 0
        cv2.rectangle(flat, (40 + 60 * place, 98 - height), (76 + 60 * place, 98), (shade,) * 3, -1)
    return flat


def photograph(text: str) -> Photograph:
    """A grey wall of 1200 x 900 px with one plate."""
    pixels: BgrImage = np.full((900, 1200, 3), 100, np.uint8)
    matrix = cv2.getPerspectiveTransform(
        np.array([(0, 0), (520, 0), (520, 112), (0, 112)], np.float32), CORNERS.to_array()
    )
    cv2.warpPerspective(glyphs(text), matrix, (1200, 900), dst=pixels, borderMode=cv2.BORDER_TRANSPARENT)
    return Photograph(pixels, (CORNERS.to_array(),))


@pytest.fixture(scope="module")
def lettered(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """Photographs whose plates have glyphs that can be told apart."""
    folder = tmp_path_factory.mktemp("kinds")
    places: list[PlatePhotograph] = []
    for number in range(5):
        text = f"A12{number}BC77"
        cv2.imwrite(str(folder / f"{number}.png"), photograph(text).pixels)
        plate = LabelledPlate(CORNERS.box, CORNERS, text, "standard", "fitted")
        places.append(PlatePhotograph(LabelledImage(folder / f"{number}.png", 1200, 900, (plate,)), plate))
    return Material(tuple(places), tuple(places), {})


@pytest.mark.parametrize("kind", IDENTITY_KINDS)
def test_every_passage_of_a_kind_is_in_view(lettered: Material, kind: str) -> None:
    number = KIND_CLIPS - 1
    made = list(kind_frames(kind, number, lettered))
    assert 5 <= len(made) <= 60
    assert all(a.timestamp_s < b.timestamp_s for a, b in pairwise(made))
    two = kind.startswith(TWO_CARS) or kind == "size changes"
    assert {plate.passage for frame in made for plate in frame.plates if plate.visible} == set(range(1 + two))
    for first, again in zip(made, islice(kind_frames(kind, number, lettered), 2), strict=False):
        assert np.array_equal(first.pixels, again.pixels)
    for frame in made[::3]:
        assert all(plate.box.clipped(frame.pixels.shape[1], frame.pixels.shape[0]) for plate in frame.plates)


def test_the_next_car_differs_in_one_digit(lettered: Material) -> None:
    frames = list(kind_frames("next car, 5 frames/s", 0, lettered))
    first, then = (
        {plate.text for one in frames for plate in one.plates if plate.passage == number} for number in (0, 1)
    )
    (text,), (other,) = first, then
    assert sum(a != b for a, b in zip(text, other, strict=True)) == 1
    standing = [next(plate for plate in frame.plates) for frame in (frames[0], frames[-1])]
    assert [one.passage for one in standing] == [0, 1]
    np.testing.assert_allclose(standing[0].box.to_tuple(), standing[1].box.to_tuple(), atol=1.0)


@pytest.mark.parametrize(("kind", "sizes"), [("size changes", 2), ("sizes alternate", 2), ("cut A B", 1)])
def test_truth_is_in_pixels_of_the_frame_also_through_a_codec(lettered: Material, kind: str, sizes: int) -> None:
    made, coded = (list(kind_frames(kind, 0, lettered, crf=crf)) for crf in (None, 23))
    assert len({frame.pixels.shape for frame in made}) == sizes
    for frame, other in zip(made, coded, strict=True):
        assert other.pixels.shape == frame.pixels.shape
        assert other.plates == frame.plates
        box = frame.plates[0].box
        inside = frame.pixels[round(box.y1) : round(box.y2), round(box.x1) : round(box.x2)]
        assert inside.mean() > frame.pixels.mean()  # the light plate on the dark wall


def test_another_digit_is_put_in_the_place_of_one_and_nothing_else_changes() -> None:
    before = photograph("A137BC77")
    changed = with_another_digit(before, "A137BC77")
    assert changed is not None
    after, text = changed
    assert sum(a != b for a, b in zip(text, "A137BC77", strict=True)) == 1
    assert set(text[1:4]) < set("137")
    matrix = cv2.getPerspectiveTransform(
        CORNERS.to_array(), np.array([(0, 0), (520, 0), (520, 112), (0, 112)], np.float32)
    )
    flat = cv2.warpPerspective(after.pixels, matrix, (520, 112))
    shades = [float(flat[60, 58 + 60 * place, 0]) / 3 for place in (1, 2, 3)]
    assert [round(one) for one in shades] == [int(char) for char in text[1:4]]
    differs = (before.pixels != after.pixels).any(axis=-1)
    rows, columns = np.nonzero(differs)
    assert columns.max() - columns.min() < 40
    assert 480 < rows.min() < rows.max() < 540


@pytest.mark.parametrize("text", ["A777BC77", "A00 BC77"])
def test_no_digit_is_changed_where_all_are_the_same_or_cannot_be_seen(text: str) -> None:
    seen = photograph(text.replace(" ", "A"))
    assert with_another_digit(seen, text) is None


def test_three_zeros_are_never_made() -> None:
    changed = with_another_digit(photograph("A070BC77"), "A070BC77")
    assert changed is not None
    assert changed[1] in ("A770BC77", "A077BC77")


def test_lettering_is_beside_the_plate_and_not_on_it() -> None:
    before = photograph("A123BC77")
    after = with_lettering(before, "TAXI 24", place=Box(580, 10, 1000, 100), grey=240)
    rows, columns = np.nonzero((before.pixels != after.pixels).any(axis=-1))
    assert 660 < columns.min() < 720
    assert columns.max() < 960
    assert 480 < rows.min() < rows.max() < 560


# ---------------------------------------------------------------- what is counted


def true(box: Box, passage: int = 0) -> TruePlate:
    return TruePlate(passage, TEXTS[50], Quad.from_box(box), 1.0, 1.0, 0.0, 0.0)


def watched(found: Sequence[dict[int, Box]], truth: Sequence[Sequence[TruePlate]]) -> WatchedClip:
    """What is counted where plates with these values of blue are found."""

    def frames() -> Iterator[VideoFrame]:
        for number, (patches, plates) in enumerate(zip(found, truth, strict=True)):
            yield VideoFrame(frame_with(patches), number / 10, tuple(plates))

    return watch_clip(patch_pipeline(), frames(), name="easy 00 made up")


def test_one_track_on_one_plate_is_one_event() -> None:
    clip = watched([{50: PLATE}] * 6, [[true(PLATE)]] * 6)
    assert [(one.tracks, one.answer) for one in clip.outcome.passages] == [(1, TEXTS[50])]
    assert [one.plates for one in clip.outcome.tracks] == [1]
    assert (clip.pieces, clip.outside) == (0, 0)


def test_a_track_on_two_plates_is_mixed_and_one_of_them_is_lost() -> None:
    clip = watched([{50: PLATE}] * 9, [[true(PLATE, 0 if step < 5 else 1)] for step in range(9)])
    assert [one.tracks for one in clip.outcome.passages] == [1, 0]
    assert [one.plates for one in clip.outcome.tracks] == [2]


def test_a_track_on_a_piece_of_a_plate_is_told_from_one_elsewhere() -> None:
    wide, sign = Box(20, 60, 300, 80), Box(60, 160, 140, 180)
    clip = watched([{50: PLATE, 100: sign}] * 6, [[true(wide)]] * 6)
    assert [one.tracks for one in clip.outcome.passages] == [0]
    assert [one.passage for one in clip.outcome.tracks] == [None, None]
    assert clip.pieces == 1


def test_a_track_that_stood_on_two_plates_is_mixed() -> None:
    away = PLATE.moved(90, 60)
    found: list[dict[int, Box]] = [{50: PLATE}] * 5 + [{}] * 2 + [{200: away}] * 4 + [{50: away}]
    truth = [[true(PLATE)]] * 7 + [[true(away, 1)]] * 5
    assert [one.plates for one in watched(found, truth).outcome.tracks] == [2]


def test_a_passage_that_was_joined_has_the_number_with_which_it_finishes() -> None:
    seen = Sighting(0.0, 0, PLATE)
    (reading,) = patch_pipeline().read(frame_with({50: PLATE}))
    active = {
        number: TrackedPlate(reading.verdict, number, number, True, 5, 5, seen, seen, PLATE, False, reading, 0)
        for number in (1, 2, 3, 4)
    }
    updates = [
        StreamUpdate(0.0, tuple(active.values()), ()),
        StreamUpdate(1.0, (active[2],), (), ((3, 2),)),
        StreamUpdate(2.0, (active[1],), (), ((2, 1),)),
    ]
    assert [[one.passage_id for one in update.active] for update in by_last_number(updates)] == [[1, 1, 1, 4], [1], [1]]
