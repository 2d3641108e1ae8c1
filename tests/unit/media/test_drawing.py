"""Pictures with readings on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from platereader import Box, Detection, PlateImage, PlateReading, Quad, StreamUpdate
from platereader._arrays import BgrImage
from platereader.errors import InvalidArgumentError, InvalidImageError, MediaFileError
from platereader.media._drawing import (
    _font_px,
    _line_px,
    _Mark,
    _placed,
    _places,
    _Style,
    _text_mask,
    draw_readings,
    draw_update,
)
from platereader.results import Character, PlateEvidence, Sighting, Status, TrackedPlate, Verdict

PLACE = Box(100, 100, 180, 118)
FOUND = Detection(PLACE, 0.9)


def grey(height: int = 240, width: int = 320) -> BgrImage:
    return np.full((height, width, 3), 128, np.uint8)


def reading(
    text: str | None,
    *,
    confidence: float = 0.97,
    status: Status = "read",
    detection: Detection | None = FOUND,
    weak: str = "",
    local: str | None = None,
    country: str | None = None,
) -> PlateReading:
    evidence = PlateEvidence(detection, PlateImage(grey(4, 4)), np.zeros((1, 24), np.float32), ())
    characters = tuple(Character(char, 0.4 if char in weak else 0.99) for char in text or "")
    masked = None if text is None else "".join("?" if char in weak else char for char in text)
    verdict = Verdict(text, confidence, status, characters=characters, masked_text=masked)
    return PlateReading(replace(verdict, text_local=local, country=country), evidence)


def test_the_callers_frame_is_never_written_to() -> None:
    frame = grey()
    frame.flags.writeable = False
    drawn = draw_readings(frame, [reading("A123BC77")])
    assert drawn.shape == frame.shape
    assert drawn.dtype == np.uint8
    assert (drawn != frame).any()
    nothing = draw_readings(frame, [])
    assert not np.shares_memory(nothing, frame)
    assert np.array_equal(nothing, frame)


def test_any_strides_are_drawn_on() -> None:
    frame = grey()[::-1, ::-1]
    assert np.array_equal(draw_readings(frame, [reading("A123BC77")]), draw_readings(grey(), [reading("A123BC77")]))


def test_what_the_font_lacks_is_drawn_as_a_question_mark() -> None:
    one, other = (draw_readings(grey(), [reading(text)]) for text in ("Ω123BC77", "?123BC77"))
    assert np.array_equal(one, other)


def test_marks_that_the_font_lacks_are_left_out() -> None:
    one, other = (draw_readings(grey(), [reading(text)]) for text in ("KṐX12", "KOX12"))
    assert np.array_equal(one, other)
    assert not np.array_equal(draw_readings(grey(), [reading("KÖX12")]), other)


@pytest.mark.parametrize("local", ["А123ВС77", "Ж123ВС77", "А123ВІ77", "Ў123ЇҐ77"])
def test_cyrillic_is_drawn_without_a_font_of_the_callers(local: str) -> None:
    in_cyrillic = draw_readings(grey(), [reading(local)])
    assert np.array_equal(draw_readings(grey(), [reading("A123BC77", local=local)]), in_cyrillic)
    assert not np.array_equal(draw_readings(grey(), [reading("?123??77")]), in_cyrillic)


def test_the_local_spelling_is_drawn_where_the_font_has_its_letters() -> None:
    pytest.importorskip("matplotlib")
    from matplotlib import get_data_path

    font = Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    unknown = reading("AB1234", local="\ue000B1234")  # which neither font has
    greek = reading("KG1234", local="ΛΓ1234")
    latin = [draw_readings(grey(), [reading(text)]) for text in ("AB1234", "KG1234")]
    assert np.array_equal(draw_readings(grey(), [unknown]), latin[0])
    in_latin = draw_readings(grey(), [reading("AB1234")], font=font)
    assert np.array_equal(draw_readings(grey(), [unknown], font=font), in_latin)
    assert np.array_equal(draw_readings(grey(), [greek]), latin[1])
    as_read = draw_readings(grey(), [reading("ΛΓ1234")], font=font)
    assert np.array_equal(draw_readings(grey(), [greek], font=font), as_read)
    assert not np.array_equal(as_read, draw_readings(grey(), [reading("KG1234")], font=font))
    unsure = reading("KG1234", status="uncertain", weak="G", local="ΛΓ1234")
    masked = draw_readings(grey(), [reading("Λ?1234", status="uncertain")], font=font)
    assert np.array_equal(draw_readings(grey(), [unsure], font=str(font)), masked)


def test_a_font_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "font.ttf").write_bytes(b"no font")
    for font in (tmp_path / "font.ttf", "nowhere.ttf"):
        with pytest.raises(MediaFileError, match=r"font is .*name a"):
            draw_readings(grey(), [], font=font)


def test_the_country_is_written_only_when_it_is_wanted_and_known() -> None:
    known, unknown = reading("A123BC77", country="RU"), reading("A123BC77")
    plain = draw_readings(grey(), [known])
    assert np.array_equal(plain, draw_readings(grey(), [unknown]))
    assert np.array_equal(plain, draw_readings(grey(), [unknown], show_country=True))
    assert not np.array_equal(plain, draw_readings(grey(), [known], show_country=True))
    other = draw_readings(grey(), [reading("A123BC77", country="BY")], show_country=True)
    assert not np.array_equal(other, draw_readings(grey(), [known], show_country=True))


@pytest.mark.parametrize(
    ("status", "ink", "letters"),
    [("read", (60, 140, 10), 255), ("uncertain", (0, 190, 255), 0), ("unreadable", (90, 90, 90), 255)],
)
def test_each_status_has_colours_of_its_own(status: Status, ink: tuple[int, int, int], letters: int) -> None:
    drawn = draw_readings(grey(), [reading(None if status == "unreadable" else "A123BC77", status=status)])
    assert drawn[100, 140].tolist() == pytest.approx(ink, abs=25)  # on the outline, which is thin
    label = drawn[:96]
    assert (label == ink).all(axis=2).sum() > (label == letters).all(axis=2).sum() > 50


def test_a_doubtful_character_is_not_shown_as_if_it_were_sure() -> None:
    one, other = (reading(f"A123{char}C77", status="uncertain", weak=char) for char in "BM")
    assert np.array_equal(draw_readings(grey(), [one]), draw_readings(grey(), [other]))
    sure = reading("A123BC77", status="uncertain")
    assert not np.array_equal(draw_readings(grey(), [sure]), draw_readings(grey(), [one]))


def test_nearly_certain_is_not_drawn_as_certain() -> None:
    almost, certain = (draw_readings(grey(), [reading("A123BC77", confidence=c)]) for c in (0.9999, 1.0))
    assert not np.array_equal(almost, certain)


def test_corners_are_followed_where_they_are_known() -> None:
    tilted = Quad((100, 100), (180, 130), (180, 148), (100, 118))
    drawn = draw_readings(grey(), [reading("A123BC77", detection=Detection(tilted.box, 0.9, tilted))])
    assert (drawn[115, 140] != 128).any()
    assert (drawn[100, 175] == 128).all()


def test_labels_of_neighbours_do_not_cover_each_other_or_a_plate() -> None:
    upper, lower = Box(100, 100, 180, 118), Box(104, 124, 184, 142)
    readings = [reading("A123BC77", detection=Detection(box, 0.9)) for box in (upper, lower)]
    drawn = draw_readings(grey(), readings)
    assert (drawn[105:113, 110:175] == 128).all()
    assert (drawn[128:138, 110:175] == 128).all()


@pytest.mark.parametrize(
    "place",
    [
        Box(20, 5, 300, 100),
        Box(20, 140, 300, 235),
        Box(2, 2, 200, 238),
        Box(120, 2, 318, 238),
        Box(10, 12, 310, 228),
        Box(2, 2, 318, 238),
        Box(-50, -50, 400, 300),
    ],
)
def test_no_label_covers_a_plate(place: Box) -> None:
    drawn = draw_readings(grey(), [reading("A123BC777", detection=Detection(place, 0.9))])
    rim = 4
    inside = drawn[max(int(place.y1), 0) + rim : int(place.y2) - rim, max(int(place.x1), 0) + rim : int(place.x2) - rim]
    assert (inside[: 240 - 2 * rim, : 320 - 2 * rim] == 128).all()
    room = max(place.x1, place.y1, 320 - place.x2, 240 - place.y2) > 30
    assert (drawn == 255).all(axis=2).any() == room  # letters, which are white


def test_labels_of_a_row_of_plates_cover_none_of_them() -> None:
    boxes = [Box(x, y, x + 60, y + 14) for y in (20, 40, 60, 80) for x in (5, 70, 135, 200)]
    drawn = draw_readings(grey(), [reading("A123BC77", detection=Detection(box, 0.9)) for box in boxes])
    for box in boxes:
        assert (drawn[int(box.y1) + 4 : int(box.y2) - 4, int(box.x1) + 4 : int(box.x2) - 4] == 128).all()


@pytest.mark.parametrize(("scale", "least"), [(1, 10), (4, 30)])
def test_letters_grow_with_the_frame(scale: int, least: int) -> None:
    box = Box(*(scale * edge for edge in PLACE.to_tuple()))
    drawn = draw_readings(grey(240 * scale, 320 * scale), [reading("A123BC77", detection=Detection(box, 0.9))])
    rows = np.flatnonzero((drawn == 255).all(axis=2).any(axis=1))
    assert least <= rows[-1] - rows[0] + 1 <= 2 * least


@pytest.mark.parametrize(("width", "line_px"), [(320, 1), (1280, 2), (3000, 5)])
def test_lines_grow_with_the_frame(width: int, line_px: int) -> None:
    assert _line_px(np.zeros((240, width, 3), np.uint8)) == line_px


@pytest.mark.parametrize(
    ("size", "height", "text", "font_px"),
    [
        ((240, 320), 10, "A123BC77", 14),  # at least 14, or a sixtieth of the frame
        ((1200, 1600), 10, "A123BC77", 26),
        ((1200, 1600), 50, "A123BC77", 40),  # 0.8 of the plate
        ((1200, 1600), 90, "A123BC77", 57),  # at most 18, or a 28th of the frame
        ((240, 320), 90, "A123BC77", 18),
        ((240, 80), 90, "A123BC77", 12),  # nine letters, each 0.7 of its height wide
        ((24, 320), 90, "A123BC77", 15),
        ((9, 9), 90, "A123BC77", 7),
    ],
)
def test_letters_are_as_high_as_suits_plate_and_frame(
    size: tuple[int, int], height: float, text: str, font_px: int
) -> None:
    assert _font_px(_Mark(Quad.from_box(Box(0, 0, 60, height)), text, "read"), grey(*size)) == font_px


def test_a_label_stands_above_or_below_or_beside_its_plate_within_the_frame() -> None:
    text = np.zeros((10, 40), np.float32)

    def places(*box: float) -> list[tuple[float, ...]]:
        return [place.to_tuple() for place in _places(Box(*box), text, grey(100, 200))]

    around = [(60, 27, 100, 37), (60, 63, 100, 73), (60, 17, 100, 27), (60, 73, 100, 83), (123, 40, 163, 50)]
    assert places(60.4, 40.3, 119.6, 59.7) == [*around, (17, 40, 57, 50)]
    touching = [(60, 10, 100, 20), (60, 80, 100, 90), (60, 0, 100, 10), (60, 90, 100, 100), (123, 23, 163, 33)]
    assert places(60, 23, 120, 77) == [*touching, (17, 23, 57, 33)]
    assert places(43, 12, 157, 88) == [(160, 12, 200, 22), (0, 12, 40, 22)]
    assert places(42.5, 12, 157.5, 88) == []
    assert places(170, -5, 230, 95) == [(127, 0, 167, 10)]
    assert places(-30, 95, 20, 110) == [(0, 82, 40, 92), (0, 72, 40, 82), (23, 90, 63, 100)]
    assert list(_places(Box(0, 0, 9, 9), np.zeros((101, 40), np.float32), grey(100, 200))) == []


def test_a_label_that_finds_no_room_gets_smaller_letters_down_to_half() -> None:
    mark = _Mark(Quad.from_box(Box(0, 40, 600, 100)), "A123BC77 97%", "read")
    canvas, style = grey(200, 600), _Style(None, show_country=False)
    usual = _text_mask(mark.text, _font_px(mark, canvas), None)
    for share in (1.0, 0.75, 0.5, 0.49):
        height = _text_mask(mark.text, int(share * _font_px(mark, canvas)), None).shape[0]
        room = Box(0, 40 - 3 - height, 600, 40) if share >= 0.5 else Box(0, 40 - 2 - height, 600, 40)
        blocked = [mark.outline.box, Box(0, 100, 600, 200), Box(0, 0, 600, room.y1)]
        placed = _placed(mark, canvas, style, plates=blocked, labels=[])
        assert (placed is not None) == (share >= 0.5)
        assert placed is None or placed[0].shape[0] == height <= usual.shape[0]


def test_a_label_covers_another_rather_than_none_and_never_a_plate() -> None:
    mark = _Mark(Quad.from_box(Box(0, 40, 600, 100)), "A123BC77 97%", "read")
    canvas, style = grey(200, 600), _Style(None, show_country=False)
    first = _placed(mark, canvas, style, plates=[mark.outline.box], labels=[])
    assert first is not None
    everywhere = [Box(0, 0, 600, 200)]
    again = _placed(mark, canvas, style, plates=[mark.outline.box], labels=everywhere)
    assert again is not None
    assert again[1] == first[1]
    assert _placed(mark, canvas, style, plates=everywhere, labels=[]) is None


def test_there_is_room_around_a_text() -> None:
    mask = _text_mask("A123BC77", 20, None)
    for axis in (0, 1):
        inked = np.flatnonzero(mask.any(axis=axis))
        assert 4 <= inked[0] <= 7
        assert 4 <= mask.shape[1 - axis] - 1 - inked[-1] <= 7


def test_a_letter_that_reaches_to_the_left_of_its_place_has_as_much_room() -> None:
    inked = np.flatnonzero(_text_mask("J", 40, None).any(axis=0))
    assert abs(inked[0] - 10) <= 1


def test_crops_without_a_place_are_left_out() -> None:
    assert np.array_equal(draw_readings(grey(), [reading("A123BC77", detection=None)]), grey())


@pytest.mark.parametrize("size", [(1, 1), (2, 50), (50, 2), (30, 12_000), (5000, 20)])
@pytest.mark.parametrize(
    "box", [Box(0, 0, 1, 1), Box(-1e9, -1e9, 1e9, 1e9), Box(0.2, 0.2, 0.3, 0.3), Box(0, -500, 900, -400)]
)
def test_any_frame_and_any_box_can_be_drawn(size: tuple[int, int], box: Box) -> None:
    assert draw_readings(grey(*size), [reading("A123BC77", detection=Detection(box, 0.9))]).shape == (*size, 3)


def test_a_label_at_the_edge_stays_inside() -> None:
    for box in (Box(0, 0, 80, 18), Box(240, 222, 320, 240), Box(300, 0, 320, 5)):
        drawn = draw_readings(grey(), [reading("A123BC77", detection=Detection(box, 0.9))])
        middle = draw_readings(grey(), [reading("A123BC77")])
        assert (drawn == 255).all(axis=2).sum() > 0.7 * (middle == 255).all(axis=2).sum()


def test_a_frame_that_is_no_frame_is_refused() -> None:
    with pytest.raises(InvalidImageError):
        draw_readings(grey()[..., 0], [])


@pytest.mark.parametrize(
    ("readings", "told"),
    [
        (reading("A123BC77"), "readings is a PlateReading, expected is a list, also of one: pass what Pipeline.read"),
        (None, "readings is the NoneType None, expected is a list"),
        ("photo.jpg", "readings is the str 'photo.jpg', expected is a list"),
        (Path("photo.jpg"), "readings is the .*Path .*, expected is a list"),
        (StreamUpdate(0.0, (), ()), "readings is .*StreamUpdate.*, expected is a list.* a stream returned to draw_upd"),
        ([FOUND], r"readings\[0\] is .*Detection.*, expected is a PlateReading: pass what Pipeline.read"),
        ([reading("A123BC77"), [reading("A123BC77")]], r"readings\[1\] is a list, expected is a PlateReading"),
    ],
)
def test_what_is_no_list_of_readings_is_named(readings: Any, told: str) -> None:
    with pytest.raises(InvalidArgumentError, match=told):
        draw_readings(grey(), readings)


def test_what_is_no_update_is_named() -> None:
    wrongs: list[Any] = [None, [reading("A123BC77")]]
    for wrong in wrongs:
        with pytest.raises(InvalidArgumentError, match=r"update is .*, expected is a StreamUpdate: pass what"):
            draw_update(grey(), wrong)


def test_the_area_has_a_thin_outline_below_all_that_is_drawn() -> None:
    area = [(20, 109), (300, 109), (300, 230), (20, 230)]
    outline = (draw_readings(grey(), [], area=area) != 128).any(axis=2)
    assert (outline[109, 20:301].all(), outline[109:231, 300].all(), outline[230, 20:301].all()) == (True,) * 3
    assert outline.sum() < 8 * 2 * (280 + 121)
    assert not outline[115:225, 25:295].any()
    assert not outline[:105].any()
    drawn = draw_readings(grey(), [reading("A123BC77")], area=np.array(area))
    plate = draw_readings(grey(), [reading("A123BC77")])
    solid = (plate == (60, 140, 10)).all(axis=2) | (plate == 255).all(axis=2)
    assert np.array_equal(drawn[solid], plate[solid])
    assert np.array_equal((drawn != 128).any(axis=2), (plate != 128).any(axis=2) | outline)
    assert np.array_equal((draw_update(grey(), StreamUpdate(2.0, (), ()), area=area) != 128).any(axis=2), outline)


def test_the_outline_of_an_area_grows_with_the_frame() -> None:
    area = [(-1e9, 1000), (1e9, 1000), (0, 1e9)]
    drawn = [draw_readings(grey(height, width), [], area=area) for height, width in ((1100, 300), (1100, 4000))]
    assert [(picture[:, 100].min(axis=1) > 200).sum() for picture in drawn] == [1, 5]


@pytest.mark.parametrize("area", [[], [(0, 400)], [(0, 1), (2, float("nan")), (3, 4)], "0,400 1280,400", 7])
def test_an_area_that_is_no_polygon_is_named(area: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"area is .*: pass 3 or more \(x, y\)"):
        draw_readings(grey(), [], area=area)


def update(*, last_seen_s: float, passage_id: int = 1) -> StreamUpdate:
    best = reading("A123BC77")
    plate = TrackedPlate(
        verdict=Verdict("A123BC77", 0.9, "read", country="RU"),
        passage_id=passage_id,
        track_id=1,
        settled=True,
        readings=3,
        agreeing=3,
        first=Sighting(0.0, 0, PLACE),
        last=Sighting(last_seen_s, 10, PLACE),
        box=PLACE,
        predicted=last_seen_s < 2.0,
        best=best,
        best_frame_index=0,
    )
    return StreamUpdate(2.0, (plate,), ())


def test_a_stream_shows_ids_and_tells_seen_from_predicted() -> None:
    seen = draw_update(grey(), update(last_seen_s=2.0))
    assert not np.array_equal(seen, draw_update(grey(), update(last_seen_s=1.9)))
    assert not np.array_equal(seen, draw_update(grey(), update(last_seen_s=2.0, passage_id=2)))
    assert not np.array_equal(seen, draw_update(grey(), update(last_seen_s=2.0), show_country=True))
    assert np.array_equal(draw_update(grey(), StreamUpdate(2.0, (), ())), grey())
