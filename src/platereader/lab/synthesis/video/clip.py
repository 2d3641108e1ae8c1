"""One sequence: its frames, made one by one, and the plates in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader._geometry import Quad
from platereader.lab.synthesis.pose import Corners
from platereader.lab.synthesis.video.layers import Layer, Matrix, lay, mapped
from platereader.lab.synthesis.video.levels import Taking
from platereader.lab.synthesis.video.motion import SIZE_PX, Path, still, view
from platereader.lab.synthesis.video.optics import filmed, grain_of
from platereader.lab.synthesis.video.plans import Plan, Screen
from platereader.lab.synthesis.video.truth import TruePlate, shown_share

__all__ = ["Clip", "Vehicle", "VideoFrame"]

_MIDDLE_HEIGHT = 0.74
_LEAST_INSIDE = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Vehicle:
    """One vehicle, or a photograph that is moved as a whole.

    Attributes:
        layer: its picture.
        path: of its plate.
        text: of its plate; None for one whose plate cannot be read.
    """

    layer: Layer
    path: Path
    text: str | None

    def matrix(self, time_s: float) -> Matrix:
        """From its picture to the frame of a camera that is held still."""
        return view(self.layer.plate, self.path(time_s))


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One frame of a clip.

    Attributes:
        pixels: uint8 ``(720, 1280, 3)`` BGR.
        timestamp_s: seconds.
        plates: those of which at least a bit is in the frame, also behind something.
    """

    pixels: BgrImage
    timestamp_s: float
    plates: tuple[TruePlate, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One sequence.

    Attributes:
        name: level, number and kind.
        plan: what happens.
        vehicles: with legible plates first, one passage each.
        backdrop: what is behind them; None where a whole photograph moves.
        times_s: of the frames.
        taking: how it is filmed.
    """

    name: str
    plan: Plan
    vehicles: tuple[Vehicle, ...]
    backdrop: Layer | None
    times_s: tuple[float, ...]
    taking: Taking

    @property
    def level(self) -> str:
        """Name of the level."""
        return self.name.split(" ", 1)[0]

    @property
    def texts(self) -> tuple[str, ...]:
        """What the plates say, one for each passage."""
        return tuple(one.text for one in self.vehicles if one.text is not None)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.times_s)

    def frames(self, numbers: Sequence[int] | None = None) -> Iterator[VideoFrame]:
        """Make frames one after the other; the same ones every time.

        Args:
            numbers: which ones, from 0; None for all.
        """
        grain = grain_of(self.taking.grain)
        empty = self._empty() if self.plan.camera is still else None
        for number in range(len(self)) if numbers is None else numbers:
            time_s, look = self.times_s[number], self.taking.looks[number]
            rng = np.random.default_rng([*self.name.encode(), number])
            taken = filmed(self._scene(time_s, empty), look, grain=grain, rng=rng)
            yield VideoFrame(taken, time_s, self.truth(number))

    def _empty(self) -> BgrImage | None:
        """What a still camera sees without vehicles."""
        return None if self.backdrop is None else _behind(self.backdrop, np.eye(3))

    def _scene(self, time_s: float, empty: BgrImage | None) -> BgrImage:
        """The frame before the camera has it."""
        camera = self.plan.camera(time_s)
        pixels: BgrImage
        if empty is not None:
            pixels = empty.copy()
        elif self.backdrop is not None:
            pixels = _behind(self.backdrop, camera)
        else:
            pixels = np.empty((SIZE_PX[1], SIZE_PX[0], 3), np.uint8)
        for vehicle in sorted(self.vehicles, key=lambda one: one.path(time_s).width_px):
            lay(pixels, vehicle.layer, camera @ vehicle.matrix(time_s), blur_px=self._moved(vehicle, time_s))
        for screen in self.plan.screens:
            outline = mapped(camera, _outline(screen, time_s))
            _draw(pixels, outline, shade=screen.shade)
        return pixels

    def _moved(self, vehicle: Vehicle, time_s: float) -> tuple[float, float]:
        """How far the plate moves while the shutter is open, pixels."""
        plates = [
            mapped(self.plan.camera(one) @ vehicle.matrix(one), vehicle.layer.plate)
            for one in (time_s, time_s + self.taking.exposure_s)
        ]
        x, y = (plates[1] - plates[0]).mean(axis=0).tolist()
        return x, y

    def truth(self, number: int) -> tuple[TruePlate, ...]:
        """What is true of a frame, whose picture need not be made for it.

        Args:
            number: of the frame, from 0.
        """
        time_s, defocus_px = self.times_s[number], self.taking.looks[number].defocus_px
        camera = self.plan.camera(time_s)
        screens = [mapped(camera, _outline(screen, time_s)) for screen in self.plan.screens]
        plates: list[TruePlate] = []
        for passage, vehicle in enumerate(self.vehicles):
            if vehicle.text is None:
                continue
            nearer = [
                mapped(camera @ other.matrix(time_s), other.layer.body)
                for other in self.vehicles
                if other.path(time_s).width_px > vehicle.path(time_s).width_px
            ]
            corners = mapped(camera @ vehicle.matrix(time_s), vehicle.layer.plate)
            inside, uncovered = shown_share(corners, size_px=SIZE_PX, covers=[*screens, *nearer])
            if inside >= _LEAST_INSIDE:
                motion_px = float(np.hypot(*self._moved(vehicle, time_s)))
                quad = Quad.from_points(corners)
                plates.append(TruePlate(passage, vehicle.text, quad, inside, uncovered, motion_px, defocus_px))
        return tuple(plates)


def _behind(backdrop: Layer, camera: Matrix) -> BgrImage:
    """The middle of a photograph, as large as the frame: some have white bars above and below."""
    height, width = backdrop.levels[0].shape[:2]
    scale = max(SIZE_PX[0] / width, SIZE_PX[1] / (_MIDDLE_HEIGHT * height))
    shift = ((SIZE_PX[0] - scale * width) / 2, (SIZE_PX[1] - scale * height) / 2)
    placed = np.array([[scale, 0, shift[0]], [0, scale, shift[1]], [0, 0, 1.0]])
    pixels = np.empty((SIZE_PX[1], SIZE_PX[0], 3), np.uint8)
    lay(pixels, backdrop, camera @ placed, blur_px=(0.0, 0.0))
    return pixels


def _outline(screen: Screen, time_s: float) -> Corners:
    pose = screen.path(time_s)
    half, tall, slant = screen.size_px[0] / 2, screen.size_px[1] / 2, screen.slant * screen.size_px[0]
    across = (-half + slant, half + slant, half - slant, -half - slant)
    down = (-tall, -tall, tall, tall)
    return np.array([(pose.x_px + x, pose.y_px + y) for x, y in zip(across, down, strict=True)], np.float32)


def _draw(pixels: BgrImage, outline: Corners, *, shade: float) -> None:
    """A board with a lighter and a darker side."""
    middle = (outline[:2].mean(axis=0) + outline[2:].mean(axis=0)) / 2
    for share, grey in ((1.0, 0.75), (0.86, 1.0), (0.5, 1.1)):
        points = np.stack([middle[0] + share * (outline[:, 0] - middle[0]), outline[:, 1]], axis=1)
        colour = (min(255.0, shade * grey), min(255.0, 0.97 * shade * grey), min(255.0, 0.94 * shade * grey))
        cv2.fillConvexPoly(pixels, np.rint(points * 16).astype(np.int32), colour, cv2.LINE_AA, shift=4)
