"""Clips of what once lost, doubled or mixed up passages: one kind for each of these faults.

They are of the material, the cameras and the easy level of the suite's clips, so that plates are legible and only what
is made of them can go wrong. Every clip has a seed of its own, made of its name.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader._geometry import Box, Quad
from platereader.lab.synthesis.fields import either_sign, pick
from platereader.lab.synthesis.scenes.frames import Photograph
from platereader.lab.synthesis.scenes.material import PlatePhotograph
from platereader.lab.synthesis.video.altered import with_another_digit, with_lettering
from platereader.lab.synthesis.video.clip import Clip, Vehicle, VideoFrame
from platereader.lab.synthesis.video.codec import through_h264
from platereader.lab.synthesis.video.layers import background_layer, cut_out
from platereader.lab.synthesis.video.levels import LEVELS
from platereader.lab.synthesis.video.material import Material
from platereader.lab.synthesis.video.motion import SIZE_PX, Path, Pose
from platereader.lab.synthesis.video.plans import Occluder, Plan

KIND_CLIPS = 10
"""Clips of each kind."""

_EASY = LEVELS[0]
_MAX_SCALE = 1.25
_INTERVALS_S = (0.04, 0.04, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0)
_WORDS = ("TAXI 24", "8 800 555 35 35", "AVTO-PROKAT", "2114", "DOSTAVKA 24", "4x4 TURBO")


@dataclass(frozen=True, slots=True, eq=False)
class _Draw:
    """What one clip is made of: photographs of different texts, and what is drawn from its seed."""

    name: str
    number: int
    material: Material
    places: tuple[PlatePhotograph, ...]
    rng: np.random.Generator

    def pose(self, place: PlatePhotograph, *, share_x: float = 0.5) -> Pose:
        """Where a plate stands, about so far from the left side of the frame."""
        width = min(self.rng.uniform(_EASY.far_px[1], _EASY.near_px[1]), _MAX_SCALE * place.corners.width)
        x, y = share_x * SIZE_PX[0] + self.rng.uniform(-110, 110), self.rng.uniform(380, 540)
        return Pose(x, y, width, *np.radians(self.rng.normal(0, (7, 2))).tolist())

    def vehicle(self, place: PlatePhotograph, path: Path) -> Vehicle:
        return Vehicle(cut_out(self.material.load(place)), path, place.russian_text)

    def clip(
        self, vehicles: Sequence[Vehicle], times_s: Sequence[float], *, occluders: Sequence[Occluder] = ()
    ) -> Clip:
        """The vehicles before a street that none of them was cut out of."""
        street = pick(self.material.streets, rng=self.rng)
        plan = Plan(0, len(times_s), tuple(one.path for one in vehicles), occluders=tuple(occluders))
        conditions = _EASY.draw_conditions(list(times_s), rng=self.rng)
        background = background_layer(self.material.load(street))
        return Clip(self.name, plan, tuple(vehicles), background, tuple(times_s), conditions)


@dataclass(frozen=True, slots=True, eq=False)
class _Recording:
    """Frames of the usual size, and how many times as large the frame of a number is shown."""

    frames: Iterator[VideoFrame]
    scale: Callable[[int], float] | None = None


def kind_frames(kind: str, number: int, material: Material, *, crf: int | None = None) -> Iterator[VideoFrame]:
    """Make the frames of one of the ``KIND_CLIPS`` clips of one of ``IDENTITY_KINDS``; the same ones every time.

    With a ``crf`` they go through H.264 of this constant rate factor, as ``through_h264`` says.
    """
    name = f"{_EASY.name} {number:02d} {kind}"
    # Another order than that of the other kinds, of which each clip takes what none before it had.
    order = np.random.default_rng(zlib.crc32(kind.encode())).permutation(len(material.places))
    indices: list[int] = np.roll(order, -3 * number).tolist()
    places = {material.places[index].russian_text: material.places[index] for index in reversed(indices)}
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    draw = _Draw(name, number, material, tuple(reversed(places.values())), rng)
    recording = _KINDS[kind](draw)
    frames = recording.frames if crf is None else through_h264(recording.frames, crf=crf)
    return frames if recording.scale is None else _scaled(frames, recording.scale)


def _next_car(draw: _Draw, *, fps: float) -> _Recording:
    """A car stands, drives off, and the next one, whose number differs in one digit, comes to its place."""
    place, photograph, text = next(_of_other_digits(draw))
    stop, side = draw.pose(place), either_sign(draw.rng)
    outside = [replace(stop, x_px=640 + way * side * (640 + 3 * stop.width_px)) for way in (-1, 1)]
    path = _path((-2.0, outside[0]), (-0.6, stop), (0.6, stop), (2.0, outside[1]))
    lag_s = draw.rng.uniform(2.2, 3.0)
    following = Vehicle(cut_out(photograph), lambda time_s: path(time_s - lag_s), text)
    times = _times(round((lag_s + 0.6) * fps), fps=fps)
    return _Recording(draw.clip([draw.vehicle(place, path), following], times).frames())


def _of_other_digits(draw: _Draw) -> Iterator[tuple[PlatePhotograph, Photograph, str]]:
    """Those of the photographs whose plates can be given another digit, and what they are then."""
    for place in draw.places:
        changed = with_another_digit(draw.material.load(place), place.russian_text or "")
        if changed is not None:
            yield place, *changed


def _equal_texts(draw: _Draw) -> _Recording:
    """Two cars side by side that bear the same number."""
    place = draw.places[0]
    ends = [[draw.pose(place, share_x=share) for _ in range(2)] for share in (0.22, 0.78)]
    paths = [_path((0.0, first), (1.5, replace(last, width_px=first.width_px))) for first, last in ends]
    return _Recording(draw.clip([draw.vehicle(place, path) for path in paths], _times(12, fps=8)).frames())


def _cut(draw: _Draw, *, turns: str) -> _Recording:
    """Two pictures that take turns without anything between them; in every other clip their plates are in one place."""
    poses = [draw.pose(place) for place in draw.places[:2]]
    if draw.number % 2:
        poses[1] = replace(poses[0], width_px=min(one.width_px for one in poses))
    times = _times(5 * len(turns), fps=10)
    views = [
        draw.clip([draw.vehicle(place, partial(_still, pose))], times)
        for place, pose in zip(draw.places[:2], poses, strict=True)
    ]

    def frames() -> Iterator[VideoFrame]:
        for turn, name in enumerate(turns):
            shown = "AB".index(name)
            for frame in views[shown].frames(range(5 * turn, 5 * turn + 5)):
                yield replace(frame, plates=tuple(replace(one, passage=shown) for one in frame.plates))

    return _Recording(frames())


def _size_changes(draw: _Draw) -> _Recording:
    """From one frame on frames have another size; in every other clip another car is in the view from then on."""
    scale = pick((0.5, 1.5), rng=draw.rng)
    first, then = (draw.pose(place) for place in draw.places[:2])
    changes_s = 0.75
    away = replace(first, x_px=-4000)
    vehicles = [draw.vehicle(draw.places[0], partial(_still, first))]
    if draw.number % 2:
        # In pixels of the new size it is where the first one was.
        width = min(then.width_px, first.width_px / scale)
        x, y = min(first.x_px / scale, SIZE_PX[0] - width), min(first.y_px / scale, SIZE_PX[1] - width / 2)
        then = replace(then, x_px=x, y_px=y, width_px=width)
        vehicles = [
            draw.vehicle(draw.places[0], lambda time_s: first if time_s < changes_s else away),
            draw.vehicle(draw.places[1], lambda time_s: then if time_s >= changes_s else away),
        ]
    return _Recording(draw.clip(vehicles, _times(12, fps=8)).frames(), lambda number: 1.0 if number < 6 else scale)


def _one_frame(draw: _Draw) -> _Recording:
    """At a gate with few frames a car stands in the place of another in a single one of them."""
    poses = [draw.pose(place) for place in draw.places[:2]]
    width = min(one.width_px for one in poses)
    pose, times = replace(poses[0], width_px=width), _times(9, fps=float(draw.rng.choice((0.2, 0.5, 1.0, 2.0))))
    away, turn = replace(pose, x_px=-4000), times[int(draw.rng.integers(4, 7))]
    vehicles = [
        draw.vehicle(draw.places[0], lambda time_s: away if turn <= time_s < turn + 0.1 else pose),
        draw.vehicle(draw.places[1], lambda time_s: pose if turn <= time_s < turn + 0.1 else away),
    ]
    return _Recording(draw.clip(vehicles, times).frames())


def _sizes_alternate(draw: _Draw) -> _Recording:
    """Every other frame has another size, as of a camera with two streams."""
    other = pick((0.5, 0.75, 1.5), rng=draw.rng)
    path = _path((0.0, draw.pose(draw.places[0])), (4.0, draw.pose(draw.places[0])))
    made = draw.clip([draw.vehicle(draw.places[0], path)], _times(14, fps=8))
    return _Recording(made.frames(), lambda number: other if number % 2 else 1.0)


def _standing(draw: _Draw, *, fps: float) -> _Recording:
    """A car that stands, and somebody who walks by in front of it in one of the frames."""
    pose, times = draw.pose(draw.places[0]), _times(9, fps=fps)
    hidden = int(draw.rng.integers(3, 8))
    front = Occluder(
        lambda time_s: pose if abs(time_s - times[hidden]) < 0.1 else replace(pose, x_px=-4000),
        (1.6 * pose.width_px, 4 * pose.width_px), 0.0, draw.rng.uniform(30, 200),
    )  # fmt: skip
    return _Recording(
        draw.clip([draw.vehicle(draw.places[0], partial(_still, pose))], times, occluders=[front]).frames()
    )


def _variable_rate(draw: _Draw) -> _Recording:
    """A car that stands, in frames of which some come in a burst and some seconds apart."""
    times = np.cumsum(draw.rng.choice(_INTERVALS_S, 20)).tolist()
    vehicle = draw.vehicle(draw.places[0], partial(_still, draw.pose(draw.places[0])))
    return _Recording(draw.clip([vehicle], times).frames())


def _behind_posts(draw: _Draw) -> _Recording:
    """A plate that goes behind two posts, each of which hides all of it for 0.3 to 1 seconds."""
    pose, side = draw.pose(draw.places[0]), either_sign(draw.rng)
    start, end = (replace(pose, x_px=640 + way * side * 560) for way in (-1, 1))
    path = _path((0.0, start), (3.5, end))
    speed = 1120 / 3.5
    posts = [
        Occluder(
            partial(_still, Pose(640 + side * way * 230, 400, 1)),
            (pose.width_px + speed * draw.rng.uniform(0.3, 1.0) * (0.6 if way > 0 else 1.0), 1000),
            0.0,
            draw.rng.uniform(20, 210),
        )
        for way in (-1, 1)
    ]
    return _Recording(draw.clip([draw.vehicle(draw.places[0], path)], _times(35, fps=10), occluders=posts).frames())


def _leaving(draw: _Draw) -> _Recording:
    """A plate that leaves at a side, or below, so slowly that the edge cuts it bit by bit."""
    pose, side = draw.pose(draw.places[0]), either_sign(draw.rng)
    width = pose.width_px
    near, last = (replace(pose, x_px=640 + side * (640 + share * width)) for share in (-1.2, 0.7))
    if draw.number % 3 == 2:
        near, last = (replace(pose, y_px=720 + share * width) for share in (-0.7, 0.3))
    path = _path((0.0, pose), (0.8, near), (2.4, last))
    return _Recording(draw.clip([draw.vehicle(draw.places[0], path)], _times(24, fps=10)).frames())


def _interlaced(draw: _Draw) -> _Recording:
    """A plate that moves before a camera that reads every other row later, 25 frames of two fields a second."""
    start, end = (draw.pose(draw.places[0], share_x=share) for share in (0.42, 0.58))
    path = _path((0.0, start), (0.48, replace(end, width_px=start.width_px)))
    fields = draw.clip([draw.vehicle(draw.places[0], path)], _times(24, fps=50)).frames()

    def frames() -> Iterator[VideoFrame]:
        for first, second in zip(fields, fields, strict=True):
            first.pixels[1::2] = second.pixels[1::2]
            yield first

    return _Recording(frames())


def _lettering(draw: _Draw) -> _Recording:
    """A vehicle that comes, with lettering beside its plate or above it."""
    place = draw.places[0]
    words = pick(_WORDS, rng=draw.rng)
    where = pick((Box(580, 10, 1000, 100), Box(-480, 10, -60, 100), Box(20, -150, 500, -50)), rng=draw.rng)
    grey = int(draw.rng.choice((15, 240)))
    layer = cut_out(with_lettering(draw.material.load(place), words, place=where, grey=grey))
    near = draw.pose(place)
    path = _path((0.0, replace(near, y_px=near.y_px - 80, width_px=0.6 * near.width_px)), (1.5, near))
    return _Recording(draw.clip([Vehicle(layer, path, place.russian_text)], _times(16, fps=10)).frames())


def _still(pose: Pose, _: float) -> Pose:
    return pose


def _path(*stops: tuple[float, Pose]) -> Path:
    """Through poses at some seconds, straight between them."""
    times = [time_s for time_s, _ in stops]
    rows = np.array([(one.x_px, one.y_px, one.width_px, one.yaw_rad, one.roll_rad) for _, one in stops])

    def path(time_s: float) -> Pose:
        x, y, width, yaw, roll = (float(np.interp(time_s, times, rows[:, column])) for column in range(5))
        return Pose(x, y, width, yaw, roll)

    return path


def _times(frames: int, *, fps: float) -> list[float]:
    return [number / fps for number in range(frames)]


def _scaled(frames: Iterator[VideoFrame], scale: Callable[[int], float]) -> Iterator[VideoFrame]:
    """The frames in other sizes, and their plates there."""
    for number, frame in enumerate(frames):
        times = scale(number)
        size = (round(times * SIZE_PX[0]), round(times * SIZE_PX[1]))
        pixels = cast(BgrImage, cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA))
        quads = [Quad.from_points(np.float32(times) * one.corners.to_array()) for one in frame.plates]
        plates = [replace(one, corners=quad) for one, quad in zip(frame.plates, quads, strict=True)]
        yield replace(frame, pixels=pixels, plates=tuple(plates))


_KINDS: Mapping[str, Callable[[_Draw], _Recording]] = {
    "next car, 5 frames/s": partial(_next_car, fps=5),
    "next car, 15 frames/s": partial(_next_car, fps=15),
    "equal texts at once": _equal_texts,
    "another in one frame": _one_frame,
    "cut A B": partial(_cut, turns="AB"),
    "cut A B A": partial(_cut, turns="ABA"),
    "size changes": _size_changes,
    "sizes alternate": _sizes_alternate,
    "standing, 1 frame in 1 s": partial(_standing, fps=1.0),
    "standing, 1 frame in 10 s": partial(_standing, fps=0.1),
    "variable rate": _variable_rate,
    "behind posts": _behind_posts,
    "leaving": _leaving,
    "interlaced": _interlaced,
    "lettering": _lettering,
}

IDENTITY_KINDS: tuple[str, ...] = tuple(_KINDS)
"""What happens in the clips of each kind, by name."""
