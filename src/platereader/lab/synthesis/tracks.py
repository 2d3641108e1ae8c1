"""Tracks to fit fusion on: one plate over many frames, some of its damage lasting, some new in every frame.

All is done to the plate and its surroundings, with the detections a detector would make: no network looks for plates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader._geometry import Box, Quad
from platereader.lab.datasets.plates import RealPlate
from platereader.lab.synthesis.capture import CropProfile, hide_some
from platereader.lab.synthesis.crops import random_layout, random_text
from platereader.lab.synthesis.fields import pick
from platereader.lab.synthesis.label import text_of, tokens_of
from platereader.lab.synthesis.layout import layout_of
from platereader.lab.synthesis.legibility import character_boxes
from platereader.lab.synthesis.paste import replace_plate
from platereader.lab.synthesis.pose import CornerError, noisy_corners
from platereader.lab.synthesis.render import render_plate
from platereader.lab.synthesis.scene import Scene, ScenePlate
from platereader.lab.synthesis.stress import damage
from platereader.lab.synthesis.stress.material import View, photographed
from platereader.results import Detection, Lines


class Observation(NamedTuple):
    """A plate in one frame: a picture of it and of what is near, uint8 ``(H, W, 3)`` BGR, and its detection there."""

    frame: BgrImage
    detection: Detection


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One plate over several frames, and what can be read of it; ``?`` for what is hidden in all of them."""

    observations: tuple[Observation, ...]
    text: str


@dataclass(frozen=True, slots=True)
class _Trajectory:
    """What changes steadily along a track, and how much single frames vary around it."""

    width_px: tuple[float, float]
    yaw_deg: tuple[float, float]
    pitch_deg: float
    roll_deg: float
    motion: float  # per cent of the plate's width
    defocus: float
    light: float
    noise: float
    jpeg: float
    corner_error: float
    covered: tuple[float, float]  # part of the track, as shares, in which something passes in front
    cut: tuple[float, float]  # likewise in which the frame ends within the plate
    swapped: tuple[float, float]  # likewise in which the tracker follows another plate
    standing_seed: int | None = None  # of a plate that stands still: of the detector's error, the same in all frames


def random_track(plates: Sequence[RealPlate], *, severity: float, rng: np.random.Generator) -> Track:
    """A plate on its way through the view of a camera; half of the Russian ones are replaced by random plates.

    ``severity`` goes from 0, where nearly every frame can be read, to 1, where about a third can.
    """
    plate = pick(plates, rng=rng)
    view = _soiled(_plate(plate, rng=rng), severity=severity, rng=rng)
    other = _plate(pick(plates, rng=rng), rng=rng)
    count, trajectory = int(rng.integers(4, 30, endpoint=True)), _random_trajectory(severity, rng=rng)
    shakes = rng.standard_normal(count)
    for number in range(1, count):  # half of what shakes a camera lasts for some frames
        shakes[number] = 0.7 * shakes[number - 1] + 0.71 * shakes[number]
    observations: list[Observation] = []
    for number, shake in enumerate(shakes.tolist()):
        share = number / max(1, count - 1)
        shown = other if _contains(share, trajectory.swapped) else view
        observations.append(_observe(shown, trajectory, share=share, shake=shake, key=number % 12 == 0, rng=rng))
    return Track(tuple(observations), view.text)


# ---------------------------------------------------------------- the plate


def _plate(plate: RealPlate, *, rng: np.random.Generator) -> View:
    """A photographed plate as it is, or with a rendered one in its place."""
    if rng.random() < 0.5 or plate.country not in (None, "RU"):
        return photographed(plate)
    scale = max(1.0, 200.0 / plate.quad.width)
    size = (round(plate.pixels.shape[1] * scale), round(plate.pixels.shape[0] * scale))
    pixels = cast(BgrImage, cv2.resize(plate.pixels, size, interpolation=cv2.INTER_CUBIC))
    quad = Quad.from_points(plate.corners * np.float32(scale))
    layout = random_layout(rng)
    text, lines = random_text(layout, rng=rng), layout.line_count
    front = render_plate(text, layout, height_px=64 * lines, rng=rng)
    made = replace_plate(Scene(pixels, (ScenePlate(quad.box, quad),)), index=0, front=front, rng=rng)
    corners = np.asarray(made.plates[0].quad.to_array(), np.float32)
    return View(made.pixels, corners, lines, text, "composed")


def _soiled(view: View, *, severity: float, rng: np.random.Generator) -> View:
    """With what stays on the plate in all frames."""
    if rng.random() < 0.2:
        soil = damage.dirt if rng.random() < 0.7 else damage.snow
        view = soil(view, 1.0 + severity * rng.uniform(0.0, 10.0), rng=rng)
    if rng.random() < 0.08:
        view = damage.occlusion(view, 1.0 + severity * rng.uniform(0.0, 6.0), rng=rng)
    return _without_an_end(view, rng=rng) if rng.random() < 0.12 else view


def _without_an_end(view: View, *, rng: np.random.Generator) -> View:
    """With something before one end in all frames: what they all show is then a text that goes on."""
    layout = layout_of(view.text, lines=view.lines)
    if layout is None:
        return view
    boxes = character_boxes(view.text, layout)
    pixels, corners, _, shown = hide_some(
        view.pixels, quad=view.corners, boxes=boxes, profile=CropProfile(hidden_share=1.0), rng=rng
    )
    text = text_of(tokens_of(view.text, legible=shown.legible, ends=(True, True)))
    return replace(view, pixels=pixels, corners=corners, text=text)


# ---------------------------------------------------------------- the trajectory


def _random_trajectory(severity: float, *, rng: np.random.Generator) -> _Trajectory:
    first_px = math.exp((1 - severity) * math.log(110.0) + severity * math.log(40.0) + 0.25 * rng.standard_normal())
    widths = (first_px, first_px * rng.uniform(1.0, 2.0))
    turn_deg = float(rng.normal(0.0, 6.0 + 22.0 * severity))
    trajectory = _Trajectory(
        width_px=widths if rng.random() < 0.7 else (widths[1], widths[0]),
        yaw_deg=(turn_deg, turn_deg + float(rng.normal(0.0, 8.0 + 8.0 * severity))),
        pitch_deg=float(rng.uniform(0.0, 8.0 + 14.0 * severity)),
        roll_deg=float(rng.normal(0.0, 2.0 + 3.0 * severity)),
        motion=0.3 + severity * float(rng.uniform(0.0, 5.5)),
        defocus=0.1 + severity * float(rng.uniform(0.0, 1.3)),
        light=1.0 - severity * float(rng.uniform(0.0, 0.7)),
        noise=1.0 + severity * float(rng.uniform(0.0, 9.0)),
        jpeg=92.0 - severity * float(rng.uniform(0.0, 75.0)),
        corner_error=0.016 + severity * float(rng.uniform(0.0, 0.022)),
        covered=_random_interval(0.1 + 0.3 * severity, rng=rng),
        cut=_random_interval(0.1 + 0.15 * severity, rng=rng, at_an_end=True),
        swapped=_random_interval(0.03, rng=rng),
    )
    if rng.random() >= 0.2:
        return trajectory
    width_px, yaw_deg = trajectory.width_px[0], trajectory.yaw_deg[0]
    return replace(trajectory, width_px=(width_px,) * 2, yaw_deg=(yaw_deg,) * 2, standing_seed=int(rng.integers(2**32)))


def _random_interval(probability: float, *, rng: np.random.Generator, at_an_end: bool = False) -> tuple[float, float]:
    """A part of the track, as shares of its length; mostly none."""
    if rng.random() >= probability:
        return (2.0, 2.0)
    length = float(rng.uniform(0.05, 0.35))
    if at_an_end:
        return (-1.0, length) if rng.random() < 0.5 else (1.0 - length, 2.0)
    start = float(rng.uniform(0.0, 1.0 - length))
    return (start, start + length)


def _contains(share: float, interval: tuple[float, float]) -> bool:
    return interval[0] <= share <= interval[1]


# ---------------------------------------------------------------- one frame


def _observe(
    view: View, trajectory: _Trajectory, *, share: float, shake: float, key: bool, rng: np.random.Generator
) -> Observation:
    """The plate at some place of its trajectory; a key frame of a video is compressed less."""
    sway = 1.0 if trajectory.standing_seed is None else 0.05
    turned_deg = _interpolated(trajectory.yaw_deg, share) + sway * float(rng.normal(0.0, 1.0))
    rolled_deg = trajectory.roll_deg + sway * float(rng.normal(0.0, 0.7))
    view = damage.turned(view, angles_deg=(turned_deg, trajectory.pitch_deg, rolled_deg))
    if _contains(share, trajectory.covered):
        view = damage.occlusion(view, float(rng.uniform(8.0, 25.0)), rng=rng)
    view = damage.width(view, _interpolated(trajectory.width_px, share), rng=rng)
    variation = math.exp(0.45 * shake + 0.25 * float(rng.standard_normal()))
    view = damage.motion_blur(view, min(trajectory.motion * variation, 15.0), rng=rng)
    view = damage.defocus(view, trajectory.defocus * math.exp(0.4 * shake), rng=rng)
    view = damage.darkness(view, min(1.3, trajectory.light * math.exp(0.15 * float(rng.standard_normal()))), rng=rng)
    if _contains(share, trajectory.cut):
        view = damage.cut_off(view, float(rng.uniform(5.0, 45.0)), rng=rng)
    view = damage.noise(view, trajectory.noise, rng=rng)
    view = damage.jpeg(view, min(95.0, max(8.0, trajectory.jpeg + (25.0 if key else 6.0 * shake))), rng=rng)
    return Observation(view.pixels, _detection(view, trajectory, rng=rng))


def _interpolated(ends: tuple[float, float], share: float) -> float:
    return (1 - share) * ends[0] + share * ends[1]


def _detection(view: View, trajectory: _Trajectory, *, rng: np.random.Generator) -> Detection:
    """What a detector makes of it; its score is left at one, as that is another one with every detector."""
    seed, error = trajectory.standing_seed, CornerError(trajectory.corner_error, tail=0.5)
    corners = noisy_corners(view.corners, error=error, rng=rng if seed is None else np.random.default_rng(seed))
    quad = Quad.from_points(corners)
    height, width = view.pixels.shape[:2]
    box = quad.box.clipped(width, height) or Box(0.0, 0.0, float(width), float(height))
    other: Lines = 2 if view.lines == 1 else 1
    return Detection(box, 1.0, quad, other if rng.random() < 0.02 else view.lines)
