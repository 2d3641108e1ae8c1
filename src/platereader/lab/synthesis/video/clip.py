"""One sequence: its frames, made one by one, and the plates in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader._geometry import Quad
from platereader.lab.synthesis.pose import Corners
from platereader.lab.synthesis.video.layers import Layer, Matrix, composite, mapped
from platereader.lab.synthesis.video.levels import CaptureConditions, apply_camera, grain_of
from platereader.lab.synthesis.video.motion import SIZE_PX, Path, fixed_camera, view
from platereader.lab.synthesis.video.plans import Occluder, Plan
from platereader.lab.synthesis.video.truth import TruePlate, visible_share


@dataclass(frozen=True, slots=True, eq=False)
class Vehicle:
    """One vehicle, or a photograph that is moved as a whole: the path is its plate's, the text None if illegible."""

    layer: Layer
    path: Path
    text: str | None

    def matrix(self, time_s: float) -> Matrix:
        """From its picture to the frame of a camera that does not move."""
        return view(self.layer.plate, self.path(time_s))


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One frame of a clip, uint8 ``(720, 1280, 3)`` BGR; plates are those 2 % in it at least, also occluded ones."""

    pixels: BgrImage
    timestamp_s: float
    plates: tuple[TruePlate, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One sequence; vehicles with legible plates come first, and without a background a whole photograph moves."""

    name: str
    plan: Plan
    vehicles: tuple[Vehicle, ...]
    background: Layer | None
    times_s: tuple[float, ...]
    conditions: CaptureConditions

    @property
    def level(self) -> str:
        """Name of the level."""
        return self.name.split(" ", 1)[0]

    @property
    def texts(self) -> tuple[str, ...]:
        """What the plates say, one for each passage."""
        return tuple(one.text for one in self.vehicles if one.text is not None)

    def __len__(self) -> int:
        return len(self.times_s)

    def frames(self, numbers: Sequence[int] | None = None) -> Iterator[VideoFrame]:
        """Make frames of those numbers, or all of them, one after the other; the same ones every time."""
        grain = grain_of(self.conditions.grain)
        empty = _empty_scene(self.background, np.eye(3)) if self.plan.camera is fixed_camera else None
        for number in range(len(self)) if numbers is None else numbers:
            time_s, conditions = self.times_s[number], self.conditions.frames[number]
            rng = np.random.default_rng([*self.name.encode(), number])
            captured = apply_camera(self._scene(time_s, empty), conditions, grain=grain, rng=rng)
            yield VideoFrame(captured, time_s, self.truth(number))

    def _scene(self, time_s: float, empty: BgrImage | None) -> BgrImage:
        """The scene before the camera's conditions are applied."""
        camera = self.plan.camera(time_s)
        pixels: BgrImage = _empty_scene(self.background, camera) if empty is None else empty.copy()
        for vehicle in sorted(self.vehicles, key=lambda one: one.path(time_s).width_px):
            composite(pixels, vehicle.layer, camera @ vehicle.matrix(time_s), blur_px=self._motion_px(vehicle, time_s))
        for occluder in self.plan.occluders:
            outline = mapped(camera, _occluder_corners(occluder, time_s))
            _draw_occluder(pixels, outline, shade=occluder.shade)
        return pixels

    def _motion_px(self, vehicle: Vehicle, time_s: float) -> tuple[float, float]:
        """How far the plate moves while the shutter is open, pixels."""
        before, after = (
            mapped(self.plan.camera(one) @ vehicle.matrix(one), vehicle.layer.plate)
            for one in (time_s, time_s + self.conditions.exposure_s)
        )
        x, y = (after - before).mean(axis=0).tolist()
        return x, y

    def truth(self, number: int) -> tuple[TruePlate, ...]:
        """What is true of a frame, whose picture need not be made for it."""
        time_s, defocus_px = self.times_s[number], self.conditions.frames[number].defocus_px
        camera = self.plan.camera(time_s)
        occluders = [mapped(camera, _occluder_corners(occluder, time_s)) for occluder in self.plan.occluders]
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
            inside, uncovered = visible_share(corners, size_px=SIZE_PX, occluders=[*occluders, *nearer])
            if inside >= 0.02:
                motion_px = float(np.hypot(*self._motion_px(vehicle, time_s)))
                quad = Quad.from_points(corners)
                plates.append(TruePlate(passage, vehicle.text, quad, inside, uncovered, motion_px, defocus_px))
        return tuple(plates)


def _empty_scene(background: Layer | None, camera: Matrix) -> BgrImage:
    """The middle of a photograph, as large as the frame: some have white bars above and below; undefined without."""
    pixels = np.empty((SIZE_PX[1], SIZE_PX[0], 3), np.uint8)
    if background is None:
        return pixels
    height, width = background.levels[0].shape[:2]
    scale = max(SIZE_PX[0] / width, SIZE_PX[1] / (0.74 * height))
    shift = ((SIZE_PX[0] - scale * width) / 2, (SIZE_PX[1] - scale * height) / 2)
    placed = np.array([[scale, 0, shift[0]], [0, scale, shift[1]], [0, 0, 1.0]])
    composite(pixels, background, camera @ placed, blur_px=(0.0, 0.0))
    return pixels


def _occluder_corners(occluder: Occluder, time_s: float) -> Corners:
    pose = occluder.path(time_s)
    half, tall, slant = occluder.size_px[0] / 2, occluder.size_px[1] / 2, occluder.slant * occluder.size_px[0]
    across = (-half + slant, half + slant, half - slant, -half - slant)
    down = (-tall, -tall, tall, tall)
    return np.array([(pose.x_px + x, pose.y_px + y) for x, y in zip(across, down, strict=True)], np.float32)


def _draw_occluder(pixels: BgrImage, outline: Corners, *, shade: float) -> None:
    """Draw an upright board with a lighter and a darker side."""
    middle = (outline[:2].mean(axis=0) + outline[2:].mean(axis=0)) / 2
    for share, grey in ((1.0, 0.75), (0.86, 1.0), (0.5, 1.1)):
        points = np.stack([middle[0] + share * (outline[:, 0] - middle[0]), outline[:, 1]], axis=1)
        colour = (min(255.0, shade * grey), min(255.0, 0.97 * shade * grey), min(255.0, 0.94 * shade * grey))
        cv2.fillConvexPoly(pixels, np.rint(points * 16).astype(np.int32), colour, cv2.LINE_AA, shift=4)
