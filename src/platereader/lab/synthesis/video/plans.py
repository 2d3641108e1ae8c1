"""What happens in a sequence: the vehicles' paths, what passes in front of them, and how the camera moves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from platereader.lab.synthesis.fields import either_sign, pick
from platereader.lab.synthesis.video.levels import Level
from platereader.lab.synthesis.video.motion import Camera, Pace, Path, Pose, fixed_camera, moving_camera, path_through

_FPS = (5, 6, 8, 8, 10, 10, 12, 15, 15, 20, 25, 30)
_PACES: tuple[Pace, ...] = ("steady", "braking", "starting")
_MAX_FRAMES = 60
_MIN_FRAMES = 10

WHOLE = frozenset({"handheld", "dashcam"})
"""Kinds in which a whole photograph moves; in the others vehicles move in front of another photograph."""


@dataclass(frozen=True, slots=True)
class Occluder:
    """An upright board that stands or passes in front of the vehicles, along the x and y of its path.

    ``slant`` is how far its top is to the right, in widths; ``shade`` its grey, 0 to 255.
    """

    path: Path
    size_px: tuple[float, float]
    slant: float
    shade: float


@dataclass(frozen=True, slots=True)
class Plan:
    """One sequence before any frame is rendered: paths of the plates, and of a vehicle without a legible one."""

    fps: int
    frames: int
    paths: tuple[Path, ...]
    camera: Camera = fixed_camera
    occluders: tuple[Occluder, ...] = ()
    distractor: Path | None = None


def plan(kind: str, *, level: Level, min_width_px: float, max_width_px: float, rng: np.random.Generator) -> Plan:
    """Draw what happens in a sequence of one of ``KINDS``, whose plate is shown no wider than ``max_width_px``.

    ``min_width_px`` is the narrowest that it may be shown where its whole photograph moves.
    """
    far = min(rng.uniform(*level.far_px), 0.8 * max_width_px)
    near = min(max(rng.uniform(*level.near_px), 1.15 * far), max_width_px)
    if kind in WHOLE:
        far = min(max(far, min_width_px), near)
    return _KINDS[kind](far, near, rng)


def _length(low_s: float, high_s: float, *, rng: np.random.Generator, min_frames: int = _MIN_FRAMES) -> tuple[int, int]:
    """Frames per second, and how many frames."""
    fps = int(rng.choice(_FPS))
    return fps, int(np.clip(round(fps * rng.uniform(low_s, high_s)), min_frames, _MAX_FRAMES))


def _mounted_camera(rng: np.random.Generator) -> Camera:
    """A camera on a wall, or on a mast in the wind."""
    return fixed_camera if rng.random() < 0.6 else moving_camera(amplitude_px=rng.uniform(2, 8), rng=rng)


def _yaw(rng: np.random.Generator, spread_deg: float = 9.0) -> float:
    return math.radians(float(np.clip(rng.normal(0, spread_deg), -25, 25)))


def _far_pose(width_px: float, rng: np.random.Generator) -> Pose:
    x, y = rng.uniform((470, 270), (810, 350)).tolist()
    return Pose(x, y, width_px, _yaw(rng), math.radians(rng.normal(0, 2)))


def _near_pose(width_px: float, rng: np.random.Generator, *, leaving: bool = False) -> Pose:
    y = 740 + 0.6 * width_px if leaving else rng.uniform(400, 600)
    return Pose(rng.uniform(250, 1030), float(y), width_px, _yaw(rng), math.radians(rng.normal(0, 2)))


def _drive(far: float, near: float, rng: np.random.Generator) -> Plan:
    """A vehicle comes, or goes; some leave the view, and some stand beside others without a legible plate."""
    fps, frames = _length(0.9, 3.8, rng=rng)
    poses = [_far_pose(far, rng), _near_pose(near, rng, leaving=rng.random() < 0.35)]
    if rng.random() < 0.4:
        poses.reverse()
    pace = pick(_PACES, rng=rng)
    path = path_through(poses, duration_s=frames / fps, pace=pace, rng=rng)
    other = Pose(rng.uniform(120, 330), rng.uniform(400, 520), 0.8 * near, _yaw(rng))
    if poses[0].x_px + poses[-1].x_px < 1280:
        other = replace(other, x_px=1280 - other.x_px)
    distractor = path_through([other, other], duration_s=1, pace="steady", rng=rng) if rng.random() < 0.4 else None
    return Plan(fps, frames, (path,), _mounted_camera(rng), distractor=distractor)


def _across(far: float, near: float, rng: np.random.Generator) -> Plan:
    """A vehicle comes in on one side and leaves on the other."""
    fps, frames = _length(1.2, 3.0, rng=rng, min_frames=12)
    first, last = rng.uniform(far, near), rng.uniform(far, near)
    y, yaw = rng.uniform(330, 520), _yaw(rng)
    poses = [Pose(-first, y, first, yaw), Pose(1280 + last, y + rng.uniform(-60, 60), last, yaw + _yaw(rng, 4))]
    if rng.random() < 0.5:
        poses.reverse()
    path = path_through(poses, duration_s=frames / fps, pace=pick(_PACES, rng=rng), rng=rng)
    return Plan(fps, frames, (path,), _mounted_camera(rng))


def _stop_and_go(far: float, near: float, rng: np.random.Generator) -> Plan:
    """A vehicle comes, stands for a while and goes on."""
    fps, frames = _length(2.0, 4.5, rng=rng)
    poses = [_far_pose(far, rng), _near_pose(near, rng, leaving=rng.random() < 0.3)]
    path = path_through(poses, duration_s=frames / fps, pace="stop and go", rng=rng)
    return Plan(fps, frames, (path,), _mounted_camera(rng))


def _turn(far: float, near: float, rng: np.random.Generator) -> Plan:
    """A vehicle turns in: its plate is seen from the side first, or at the end."""
    fps, frames = _length(1.2, 3.2, rng=rng)
    side = either_sign(rng)
    turned, middle = math.radians(rng.uniform(30, 48)), math.sqrt(far * near)
    poses = [
        Pose(640 - side * rng.uniform(250, 420), rng.uniform(300, 380), far, side * turned),
        Pose(640 + side * rng.uniform(0, 160), rng.uniform(340, 430), middle, side * turned / 2),
        Pose(640 + side * rng.uniform(-80, 120), rng.uniform(430, 580), near, _yaw(rng, 4)),
    ]
    if rng.random() < 0.5:
        poses.reverse()
    path = path_through(poses, duration_s=frames / fps, pace="steady", rng=rng)
    return Plan(fps, frames, (path,), _mounted_camera(rng))


def _handheld(far: float, near: float, rng: np.random.Generator) -> Plan:
    """A camera in a hand that is moved a little."""
    fps, frames = _length(0.8, 2.5, rng=rng)
    widths = far + (near - far) * rng.uniform(0.3, 1.0, 2)
    poses = [Pose(rng.uniform(420, 860), rng.uniform(330, 500), width) for width in widths.tolist()]
    path = path_through(poses, duration_s=frames / fps, pace="steady", rng=rng)
    camera = moving_camera(amplitude_px=rng.uniform(8, 26), roll_deg=rng.uniform(0.5, 3.5), rng=rng)
    return Plan(fps, frames, (path,), camera)


def _dashcam(far: float, near: float, rng: np.random.Generator) -> Plan:
    """A camera that drives up to what it sees, or pans away from it."""
    fps, frames = _length(0.9, 2.8, rng=rng)
    start = Pose(rng.uniform(520, 760), rng.uniform(310, 400), far)
    end = Pose(rng.uniform(350, 930), rng.uniform(380, 520), near)
    poses = [start, end] if rng.random() < 0.7 else [end, start]
    path = path_through(poses, duration_s=frames / fps, pace=pick(_PACES, rng=rng), rng=rng)
    pan = rng.uniform(-260, 260) if rng.random() < 0.5 else 0.0
    return Plan(fps, frames, (path,), moving_camera(amplitude_px=rng.uniform(3, 12), pan_px_s=pan, rng=rng))


def _occluded(far: float, near: float, rng: np.random.Generator) -> Plan:
    """Something passes before the plate for up to a second, or posts stand before it."""
    fps, frames = _length(1.6, 3.2, rng=rng, min_frames=14)
    duration_s = frames / fps
    side = either_sign(rng)
    poses = [
        replace(_far_pose(far + 0.3 * (near - far), rng), x_px=640 - side * rng.uniform(120, 260)),
        replace(_near_pose(near, rng), x_px=640 + side * rng.uniform(160, 380)),
    ]
    path = path_through(poses, duration_s=duration_s, pace=pick(_PACES, rng=rng), rng=rng)
    occluders = _posts(path, duration_s, rng) if rng.random() < 0.4 else [_passing(path, duration_s, rng)]
    return Plan(fps, frames, (path,), _mounted_camera(rng), tuple(occluders))


def _posts(path: Path, duration_s: float, rng: np.random.Generator) -> list[Occluder]:
    """Up to three posts that the plate goes behind."""
    posts: list[Occluder] = []
    for share in rng.uniform(0.1, 0.9, int(rng.integers(1, 4))).tolist():
        post = Pose(path(share * duration_s).x_px, 400, 1)
        standing = path_through([post, post], duration_s=1, pace="steady", rng=rng)
        posts.append(Occluder(standing, (rng.uniform(18, 60), 1000), 0.0, rng.uniform(20, 210)))
    return posts


def _passing(path: Path, duration_s: float, rng: np.random.Generator) -> Occluder:
    """Something that passes before the plate and hides it for up to a second."""
    met_s = duration_s * rng.uniform(0.3, 0.7)
    hidden_s = min(rng.uniform(0.3, 1.0), 0.35 * duration_s)
    met = path(met_s)
    width = rng.uniform(1.2, 3.0) * met.width_px
    # It comes towards the plate and covers it from its first touch to its last: its own width and that of the plate.
    plate_px_s = (path(met_s + 0.1).x_px - path(met_s - 0.1).x_px) / 0.2
    speed = plate_px_s - math.copysign((width + met.width_px) / hidden_s, plate_px_s)
    ends = [Pose(met.x_px + speed * (time_s - met_s), met.y_px, 100) for time_s in (0.0, duration_s)]
    passing = path_through(ends, duration_s=duration_s, pace="even", rng=rng)
    size = (width, rng.uniform(3, 7) * met.width_px)
    return Occluder(passing, size, rng.uniform(-0.2, 0.2), rng.uniform(25, 200))


def _several(far: float, near: float, rng: np.random.Generator) -> Plan:
    """Two or three vehicles side by side that move each at its own pace."""
    fps, frames = _length(1.0, 3.2, rng=rng)
    count = 2 if rng.random() < 0.7 else 3
    paths: list[Path] = []
    for number in range(count):
        x_far, x_near = 640 + 250 * (number - (count - 1) / 2), 640 + 440 * (number - (count - 1) / 2)
        poses = [
            Pose(x_far + rng.uniform(-30, 30), rng.uniform(270, 340), far, _yaw(rng, 6)),
            Pose(x_near + rng.uniform(-40, 40), rng.uniform(420, 580), near, _yaw(rng, 6)),
        ]
        if rng.random() < 0.3:
            poses.reverse()
        pace = pick((*_PACES, "stop and go"), rng=rng)
        paths.append(path_through(poses, duration_s=frames / fps, pace=pace, rng=rng))
    return Plan(fps, frames, tuple(paths), _mounted_camera(rng))


def _crossing(far: float, near: float, rng: np.random.Generator) -> Plan:
    """Two vehicles pass each other; the nearer one hides the other for a while."""
    fps, frames = _length(1.5, 3.0, rng=rng, min_frames=14)
    behind = far + 0.35 * (near - far)
    y = rng.uniform(330, 420)
    side = either_sign(rng)
    paths: list[Path] = []
    for width, height, direction in ((behind, y, side), (near, y + rng.uniform(20, 110), -side)):
        reach = rng.uniform(300, 480)
        poses = [Pose(640 + end * direction * reach, height, width, _yaw(rng, 4)) for end in (-1, 1)]
        paths.append(path_through(poses, duration_s=frames / fps, pace=pick(_PACES, rng=rng), rng=rng))
    return Plan(fps, frames, tuple(paths), _mounted_camera(rng))


def _returning(far: float, near: float, rng: np.random.Generator) -> Plan:
    """A plate that is gone for one to three seconds and comes back: out of the view, or behind something wide."""
    fps = int(rng.choice((8, 10, 12)))
    frames = int(np.clip(round(fps * rng.uniform(1.1, 2.6) / 0.55), 16, _MAX_FRAMES))
    width = far + (near - far) * rng.uniform(0.5, 1.0)
    y, yaw = rng.uniform(380, 520), _yaw(rng)
    side = either_sign(rng)
    inside, outside = Pose(640 + side * 120, y, width, yaw), Pose(640 + side * (660 + width), y + 40, width, yaw)
    path = path_through([inside, outside], duration_s=frames / fps, pace="there and back", rng=rng)
    if rng.random() < 0.5:
        return Plan(fps, frames, (path,), _mounted_camera(rng))
    hiding = Pose(inside.x_px + side * 2.8 * width, y, width, yaw)
    path = path_through([inside, hiding], duration_s=frames / fps, pace="there and back", rng=rng)
    occluder = Occluder(lambda _: hiding, (2.2 * width, 6 * width), 0.0, rng.uniform(40, 180))
    return Plan(fps, frames, (path,), _mounted_camera(rng), (occluder,))


_KINDS: Mapping[str, Callable[[float, float, np.random.Generator], Plan]] = {
    kind.__name__[1:].replace("_", " "): kind
    for kind in (
        _drive, _across, _stop_and_go, _turn, _handheld, _dashcam, _occluded, _several, _crossing, _returning,
    )
}  # fmt: skip

KINDS: tuple[str, ...] = tuple(_KINDS)
"""Kinds of sequences, each as frequent as the others."""
