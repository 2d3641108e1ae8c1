"""Every vehicle once: what may be one passage, what may not, and where its boxes are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from fakes import no_evidence, read_as
from platereader import Box, Detection, PlateReading
from platereader._arrays import BgrImage
from platereader.results import StreamUpdate, TrackedPlate
from platereader.video._passage import FADE_S
from platereader.video._stream import PlateStream, StreamSettings
from platereader.video._tracking.tracker import MotionTracker

PLATE = Box(300, 300, 400, 322)
ONE, NEXT = "A123BC77", "A124BC77"
SIZE = (1280, 720)


class Plate:
    """A plate as it is seen in one frame; without ``text`` it is illegible."""

    def __init__(self, text: str = ONE, box: Box = PLATE, *, probability: float = 0.999) -> None:
        self.detection = Detection(box, 0.9)
        reading = read_as(text, probability=probability)
        evidence = replace(reading.evidence, detection=self.detection)
        self.reading = PlateReading(reading.verdict, evidence)


class Film:
    """Frames with what is to be found and read in them, shown to a stream."""

    def __init__(self, settings: StreamSettings | None = None) -> None:
        self.plates: Sequence[Plate] = ()
        self.stream = PlateStream(
            self._detect, self._read, tracker=MotionTracker(), evidence=no_evidence, settings=settings
        )
        self.updates: list[StreamUpdate] = []
        self.time_s = 0.0

    def show(
        self,
        frames: Sequence[Sequence[Plate]],
        *,
        fps: float = 10.0,
        size: tuple[int, int] = SIZE,
        view: BgrImage | None = None,
    ) -> Film:
        for plates in frames:
            self.plates = plates
            pixels = np.zeros((size[1], size[0], 3), np.uint8) if view is None else view
            self.updates.append(self.stream.update(pixels, self.time_s))
            self.time_s += 1 / fps
        return self

    def finished(self) -> list[TrackedPlate]:
        """All passages, in the order in which they began."""
        gone = [plate for update in (*self.updates, self.stream.finish()) for plate in update.finished]
        return sorted(gone, key=lambda plate: plate.passage_id)

    def texts(self) -> list[str | None]:
        return [plate.text for plate in self.finished()]

    def _detect(self, frame: BgrImage) -> list[Detection]:
        return [plate.detection for plate in self.plates]

    def _read(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateReading]:
        known = {id(plate.detection): plate.reading for plate in self.plates}
        return [known[id(detection)] for detection in detections]


def seen(text: str, frames: int, box: Box = PLATE, *, probability: float = 0.999) -> list[list[Plate]]:
    return [[Plate(text, box, probability=probability)] for _ in range(frames)]


@pytest.mark.parametrize("fps", [2.0, 5.0, 25.0])
@pytest.mark.parametrize("gap", [1, 2, 6])
def test_a_next_car_whose_number_differs_in_one_character_is_another_passage(fps: float, gap: int) -> None:
    film = Film().show([*seen(ONE, 12), *[[]] * max(gap, round(0.4 * fps)), *seen(NEXT, 12)], fps=fps)
    passages = film.finished()
    assert [plate.text for plate in passages] == [ONE, NEXT]
    assert [plate.status for plate in passages] == ["read", "read"]
    assert passages[0].last.frame_index == 11
    assert passages[1].first.frame_index >= 13


@pytest.mark.parametrize(
    ("recheck_s", "fps", "frames", "texts"),
    [
        (0.0, 5, [*seen(ONE, 12), *seen(NEXT, 12)], [ONE, NEXT]),  # in the same place without a gap
        (0.0, 10, [*seen(ONE, 6), *seen(NEXT, 5), *seen(ONE, 6)] * 3, [ONE]),  # misread now and then
        (1.0, 10, [*seen(ONE, 12), *[[]] * 3, *seen(NEXT, 6, probability=0.8)], [ONE]),  # unsure readings after a gap
        (1.0, 10, [[Plate(ONE), Plate(ONE, PLATE.moved(400, 100))] for _ in range(12)], [ONE, ONE]),  # two cars at once
        (1.0, 0.1, [*seen(ONE, 1), [], *seen(ONE, 1)], [ONE]),  # one of few frames missed it
        (1.0, 0.1, [*seen(ONE, 1), *[[]] * 3, *seen(ONE, 1)], [ONE, ONE]),
    ],
)
def test_how_many_passages_there_are(recheck_s: float, fps: float, frames: list[list[Plate]], texts: list[str]) -> None:
    assert Film(StreamSettings(recheck_s=recheck_s)).show(frames, fps=fps).texts() == texts


def test_nothing_vanishes_after_the_frame_size_changed() -> None:
    small = Box(150, 150, 200, 161)
    film = Film().show(seen(ONE, 6)).show(seen("M555KE199", 6, small.moved(250, 60)), size=(640, 360))
    assert film.texts() == [ONE, "M555KE199"]


def test_alternating_frame_sizes_are_one_passage_with_boxes_in_each_frame() -> None:
    film = Film()
    small = Box(75, 75, 100, 80.5)
    for _ in range(8):
        film.show(seen("", 1)).show(seen("", 1, small), size=(320, 180))
    assert [update.active[0].box for update in film.updates] == [PLATE, small] * 8
    assert [(one.passage_id, one.predicted) for update in film.updates for one in update.active] == [(1, False)] * 16


@pytest.mark.parametrize("interval_s", [0.5, 2.0, 5.0, 10.0])
@pytest.mark.parametrize("text", [ONE, ""])
def test_a_standing_car_is_one_passage_at_any_frame_rate(interval_s: float, text: str) -> None:
    film = Film().show([*seen(text, 6), [], *seen(text, 6)], fps=1 / interval_s)
    assert len(film.finished()) == 1


def test_a_standing_car_at_a_variable_frame_rate_is_one_passage() -> None:
    film = Film()
    for interval_s in (0.04, 0.04, 3.0, 0.04, 9.0, 0.5, 3.0, 3.0):
        film.show(seen(ONE, 2), fps=1 / interval_s)
    assert film.texts() == [ONE]


def test_a_plate_behind_posts_is_one_passage() -> None:
    # It passes a post every few frames, which leaves two pieces on its sides, or one.
    film, steps = Film(), count()
    for _ in range(4):
        place = [PLATE.moved(6 * next(steps), 0) for _ in range(8)]
        halves = [
            [Plate("", Box(b.x1, b.y1, b.x1 + 40, b.y2)), Plate("", Box(b.x1 + 55, b.y1, b.x2, b.y2))]
            for b in place[5:7]
        ]
        film.show(
            [
                *([Plate(ONE, one)] for one in place[:5]),
                *halves,
                [Plate("", Box(place[7].x1 + 60, 300, place[7].x2, 322))],
            ]
        )
    assert film.texts() == [ONE]


def test_pieces_of_a_plate_that_leaves_the_frame_are_no_passages() -> None:
    frames: list[list[Plate]] = []
    for step in range(12):
        box = Box(1000 + 25 * step, 300, 1100 + 25 * step, 322)
        inside = box.clipped(*SIZE)
        assert inside is not None
        frames.append([Plate(ONE if inside == box else ONE[:4], inside)])
    assert Film().show(frames).texts() == [ONE]


def test_boxes_lie_in_the_frame_say_whether_they_are_measured_and_fade() -> None:
    film = Film().show([[Plate(ONE, PLATE.moved(-40 * step, 0))] for step in range(6)], fps=25)
    film.show([[]] * 60, fps=25)
    places = [plate for update in film.updates for plate in update.active]
    assert [plate.predicted for plate in places[:6]] == [False] * 6
    assert len(places) > 6
    assert all(plate.predicted for plate in places[6:])
    assert all(0 <= plate.box.x1 < plate.box.x2 <= 1280 for plate in places)
    (gone,) = film.finished()
    assert (gone.box, gone.predicted) == (gone.last.box, False)
    assert (gone.first.frame_index, gone.last.frame_index, round(gone.last.timestamp_s, 9)) == (0, 5, 0.2)
    assert (gone.first.box, gone.last.box) == (PLATE, PLATE.moved(-200, 0))


def test_a_predicted_box_fades_within_a_second() -> None:
    film = Film().show(seen(ONE, 6), fps=8).show([[]] * 30, fps=8)
    shown = [update.timestamp_s for update in film.updates if update.active]
    assert max(shown) == 5 / 8 + FADE_S


def test_what_was_settled_is_reported_whatever_is_seen_of_it_later() -> None:
    film = Film(StreamSettings(recheck_s=0.0))
    film.show(seen(ONE, 4)).show(seen("A123BC799", 40, probability=0.55))
    passages = film.finished()
    assert (passages[0].text, passages[0].status, passages[0].settled) == (ONE, "read", True)


def test_an_illegible_newcomer_does_not_get_the_track_of_a_car_that_left() -> None:
    away = [[Plate(ONE, PLATE.moved(30 * step, 8 * step))] for step in range(10)]
    newcomer = [[Plate("", Box(200 + 8 * step, 250, 240 + 8 * step, 260))] for step in range(10)]
    film = Film().show([*away, *[[]] * 10, *newcomer], fps=25)
    assert film.texts() == [ONE, None]


def test_a_parked_plate_that_is_read_rightly_in_every_frame_becomes_read() -> None:
    film = Film().show(seen(ONE, 120, Box(300, 300, 352, 312), probability=0.994))
    assert read_as(ONE, probability=0.994).status == "uncertain"
    assert [(plate.text, plate.status) for plate in film.finished()] == [(ONE, "read")]


def test_a_plate_that_is_read_once_in_the_place_of_another_as_that_goes_is_reported() -> None:
    film = Film().show([*seen(ONE, 4), *seen("M555KE199", 1)], fps=1.0)
    passages = film.finished()
    assert [(plate.text, plate.last.frame_index) for plate in passages] == [(ONE, 3), ("M555KE199", 4)]


def test_a_passage_that_becomes_part_of_another_is_said_to_be_and_never_finishes() -> None:
    film = Film().show([*seen(ONE, 6), [], [], *seen("A128BC77", 1, probability=0.6), *seen(ONE, 6)])
    finished = {plate.passage_id for plate in film.finished()}
    shown = {plate.passage_id for update in film.updates for plate in update.active}
    joined = dict(pair for update in film.updates for pair in update.joined)
    assert shown - finished == joined.keys() & shown
    assert set(joined.values()) <= finished


def test_a_passage_keeps_the_number_under_which_it_settled() -> None:
    piece, whole = Box(300, 300, 360, 322), Box(290, 300, 400, 322)
    film = Film().show([*seen("A123", 2, piece), *seen(ONE, 6, whole)])
    numbers = [plate.passage_id for update in film.updates for plate in update.active if plate.settled]
    assert set(numbers) == {plate.passage_id for plate in film.finished() if plate.text == ONE}


@pytest.mark.parametrize("fps", [4.0, 8.0])
def test_what_is_seen_where_a_track_jumped_and_is_not_read_is_of_nobody(fps: float) -> None:
    film = Film().show([*seen(ONE, 8), *seen("M555KE199", 8, PLATE.moved(55, 0))], fps=fps)
    passages = film.finished()
    assert [plate.text for plate in passages] == [ONE, "M555KE199"]
    assert passages[0].last.frame_index == 7
    assert passages[0].last.box == PLATE


# Two pictures of a street, with their plates; and what each frame of a stream shows.
VIEWS = {
    "A": [
        Plate("C276BE78", Box(519, 621, 658, 653)),
        Plate("C705EH06", Box(961, 465, 1041, 485)),
        Plate("X644KH61", Box(257, 416, 313, 431)),
    ],
    "B": [Plate("B471BB161", Box(985, 532, 1096, 558)), Plate("A517OH17", Box(325, 590, 458, 622))],
}
PIXELS = {
    name: np.kron(np.random.default_rng(seed).integers(0, 255, (9, 16, 3), np.uint8), np.ones((80, 80, 1), np.uint8))
    for seed, name in enumerate(VIEWS)
}


@pytest.mark.parametrize("cuts", [True, False])
@pytest.mark.parametrize("fps", [1.0, 5.0, 10.0, 25.0])
@pytest.mark.parametrize("shown", ["ABABABABAB", "AABBAABBAABB", "AAABBBAAABBB", "AAAAABAAAAA", "AAAAABBBBB", "ABA"])
def test_pictures_that_take_turns_are_told_apart(shown: str, fps: float, cuts: bool) -> None:
    film = Film()
    for name in shown:
        film.show([VIEWS[name]], fps=fps, view=PIXELS[name] if cuts else None)
    passages = film.finished()
    wanted = {plate.reading.text: name for name in sorted(set(shown)) for plate in VIEWS[name]}
    assert sorted(plate.text or "" for plate in passages) == sorted(map(str, wanted))
    for plate in passages:
        name = wanted[plate.text]
        assert plate.status == "read"
        assert (plate.first.frame_index, plate.last.frame_index) == (shown.index(name), shown.rindex(name))
        assert min(3, shown.count(name)) <= plate.readings <= shown.count(name)


def test_a_plate_in_the_place_of_another_after_a_cut_is_another_passage() -> None:
    film = Film()
    for name in "AAAAABAAAAABAAAAA":
        film.show(seen(ONE if name == "A" else "M555KE199", 1), view=PIXELS[name])
    first, other = film.finished()
    assert (first.text, first.status, first.first.frame_index, first.last.frame_index) == (ONE, "read", 0, 16)
    assert (other.text, other.status, other.readings) == ("M555KE199", "read", 2)


@pytest.mark.parametrize(("texts", "told"), [([ONE, "M555KE199", ONE], 2), ([ONE] * 5 + ["M555KE199", ONE], 1)])
def test_what_is_surely_read_in_the_place_of_a_plate_is_not_of_it(texts: list[str], told: int) -> None:
    film = Film(StreamSettings(recheck_s=0.0)).show([[Plate(text)] for text in texts])
    passages = film.finished()
    assert [plate.text for plate in passages] == [ONE, "M555KE199"][:told]  # once in that of a settled one is misread
    assert [plate.status for plate in passages] == ["read"] * told
    assert passages[0].readings == texts.count(ONE)


@pytest.mark.parametrize(("fps", "told"), [(0.1, 2), (1.0, 2), (1.02, 2), (2.0, 2), (3.0, 2), (4.0, 1), (25.0, 1)])
@pytest.mark.parametrize("place", [PLATE, PLATE.moved(12, 2)])
def test_a_car_that_is_seen_in_one_frame_in_the_place_of_another_is_an_event(fps: float, told: int, place: Box) -> None:
    # Vehicles do not come and go within half a second: there, it is misread.
    film = Film().show([*seen(ONE, 5), *seen("M555KE199", 1, place), *seen(ONE, 4)], fps=fps)
    passages = film.finished()
    assert [(plate.text, plate.status) for plate in passages] == [(ONE, "read"), ("M555KE199", "read")][:told]
    if told == 2:
        assert (passages[1].first.frame_index, passages[1].last.frame_index) == (5, 5)


def test_pieces_of_a_plate_between_two_posts_are_of_it_whatever_was_read_last() -> None:
    # Before the posts it was read in two frames alone; between them only pieces show.
    pieces = ["A123", "A123", "BC77", "C77", "C77"]
    between = [[Plate(text, Box(360 + 4 * step, 300, 400 + 4 * step, 322))] for step, text in enumerate(pieces)]
    behind: list[list[Plate]] = [[]]
    later = [[Plate(ONE, PLATE.moved(150 + 8 * step, 0))] for step in range(6)]
    film = Film().show([*seen(ONE, 2), *behind * 10, *between, *behind * 5, *later])
    assert film.texts() == [ONE]


@pytest.mark.parametrize(
    ("pieces", "told"),
    [(["A123", "A123", "BC77", "BC77"], 1), (["A123B", "23BC77"], 1), (["A123", "C77"], 2), (["A124", "BC77"], 2)],
)
def test_pieces_that_make_up_a_plate_behind_posts_are_that_plate(pieces: list[str], told: int) -> None:
    # It is seen again as a whole after more than a second and far off.
    between = [[Plate(text, Box(600 + 4 * step, 300, 640 + 4 * step, 322))] for step, text in enumerate(pieces)]
    behind: list[list[Plate]] = [[]]
    later = [[Plate(ONE, PLATE.moved(700 + 8 * step, 0))] for step in range(4)]
    film = Film().show([*seen(ONE, 4), *behind * 10, *between, *behind * 13, *later])
    texts = film.texts()
    assert len(texts) == told
    assert texts.count(ONE) == 1


@pytest.mark.parametrize(("piece", "width", "told"), [("A12", 50, 1), ("C77", 50, 1), ("123", 50, 2), ("A1", 50, 2)])
def test_an_end_of_a_plate_that_comes_in_at_the_edge_of_the_frame_is_of_it(piece: str, width: int, told: int) -> None:
    film = Film().show(
        [*seen(piece, 1, Box(1280 - width, 300, 1280, 322)), *seen(ONE, 4, Box(1060, 300, 1160, 322))], fps=5
    )
    assert len(film.texts()) == told


def test_what_alternates_in_one_place_is_reported() -> None:
    film = Film(StreamSettings(recheck_s=0.0)).show([*seen(ONE, 4), *([*seen("M555KE199", 1), *seen(ONE, 1)] * 3)])
    assert [(plate.text, plate.status) for plate in film.finished()] == [(ONE, "read"), ("M555KE199", "read")]


@pytest.mark.parametrize("order", ["AB", "BA", "ABAB", "BABA"])
def test_a_clear_text_that_is_not_sure_takes_nothing_from_a_sure_one(order: str) -> None:
    doubtful = Plate("B644KH61", probability=0.99)
    assert doubtful.reading.status == "uncertain"
    plates = {"A": doubtful, "B": Plate("M555KE199", PLATE.moved(60, 0))}
    film = Film()
    for name in order:
        film.show([[plates[name]]])
    passages = {plate.text: plate for plate in film.finished()}
    assert passages.keys() == {"B644KH61", "M555KE199"}
    assert passages["M555KE199"].status == "read"
    assert [one.readings for one in passages.values()] == [len(order) // 2] * 2
