"""Whole streets drawn from nothing: pictures with plates that a repository may carry, for no photograph is in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import ArrayLike

from platereader._arrays import BgrImage
from platereader.errors import InvalidArgumentError
from platereader.lab.synthesis import degrade
from platereader.lab.synthesis.fields import FloatImage, grain_bank, pick, window_of
from platereader.lab.synthesis.paste import set_plate
from platereader.lab.synthesis.pose import PoseRange, corners_of, homography, moved_by, random_quad
from platereader.lab.synthesis.render import Front
from platereader.lab.synthesis.scene import Scene
from platereader.lab.synthesis.vehicle import draw_vehicle

_CAR_WIDTH_M = 1.76
_LANE_WIDTH_M = 3.3
_CAMERA_M = 1.9
_NEAR_M = 5.2
# Farther away a two-line plate is narrower than 20 px in a picture of 1280 px.
_FAR_M = 20.0
# Half of what the camera sees at a distance of 1, less half a car at the nearest place.
_WIDEST = 0.28
# Sky at the top and at the horizon, and what the light does to everything else; BGR.
_LIGHTS = (
    ((214, 160, 98), (240, 224, 206), (1.0, 1.0, 1.0)),
    ((196, 190, 186), (226, 224, 222), (0.94, 0.92, 0.92)),
    ((150, 96, 84), (132, 186, 244), (0.74, 0.82, 0.96)),
)
_WALLS = ((150, 168, 186), (120, 140, 176), (168, 176, 180), (120, 128, 134), (104, 112, 150), (186, 196, 200))
_VIEW = PoseRange(yaw_deg=(7.0, 16.0), pitch_deg=(1.0, 3.0), roll_deg=(0.6, 2.0), steep_share=0.0)


def generated_street(
    rng: np.random.Generator, *, size_px: tuple[int, int] = (1280, 720), fronts: Sequence[Front] = ()
) -> Scene:
    """Draw a street of that width and height with one car for every plate, seen from behind.

    The first of the clean ``fronts`` goes onto the nearest car; up to three always find a place. The scene has the
    farthest plate first.

    Raises:
        InvalidArgumentError: the street has no room for that many cars in sight.
    """
    width, height = size_px
    horizon = round(height * rng.uniform(0.36, 0.44))
    sky_top, sky_low, light = (np.array(colour, np.float32) for colour in pick(_LIGHTS, rng=rng))
    pixels = np.empty((height, width, 3), np.float32)
    pixels[:horizon] = _gradient(sky_top, sky_low, rows=horizon)
    _draw_houses(pixels, horizon=horizon, haze=sky_low, rng=rng)
    _draw_road(pixels, horizon=horizon, rng=rng)
    _draw_trees(pixels, horizon=horizon, rng=rng)
    pixels[horizon:] *= light
    scene = Scene(pixels=np.clip(pixels, 0, 255).astype(np.uint8))
    for front, place in reversed(list(zip(fronts, _places(len(fronts), rng=rng), strict=True))):
        scene = _with_car(scene, front=front, place=place, horizon=horizon, light=light, rng=rng)
    soft = degrade.soften(scene.pixels, sigma_px=0.5)
    return Scene(pixels=degrade.sensor_noise(soft, rng=rng, strength=0.02), plates=scene.plates)


def _with_car(
    scene: Scene, *, front: Front, place: tuple[float, float], horizon: int, light: FloatImage, rng: np.random.Generator
) -> Scene:
    """The scene with one car more, at (depth, metres to the right), and its plate."""
    depth_m, across_m = place
    height, width = scene.pixels.shape[:2]
    scale = _px_per_m(scene.pixels, depth_m)
    car_px = _CAR_WIDTH_M * scale
    vehicle = draw_vehicle(rng, width_px=max(120, round(1.3 * car_px)), lines=front.lines)
    car_h, car_w = vehicle.pixels.shape[:2]
    quad = random_quad(car_w / car_h, width_px=car_px, pose=_VIEW, rng=rng)
    foot = (quad[2] + quad[3]) / 2
    quad = quad - foot + np.array((width / 2 + across_m * scale, horizon + _CAMERA_M * scale), np.float32)
    shrink = min(1.0, 1.2 * float(np.linalg.norm(quad[1] - quad[0])) / car_w)
    small = (round(car_w * shrink), round(car_h * shrink))
    sprite = cv2.resize(vehicle.pixels, small, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(vehicle.alpha, small, interpolation=cv2.INTER_AREA)
    matrix = homography(corners_of(small), quad)
    car = cv2.warpPerspective(sprite, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cast(FloatImage, cv2.warpPerspective(cover, matrix, (width, height), flags=cv2.INTER_LINEAR))
    parked = cast(BgrImage, cv2.blendLinear(car, scene.pixels, alpha, np.float32(1) - alpha))
    corners = moved_by(matrix, points=vehicle.plate_corners * np.float32(shrink))
    white = light * np.float32(rng.uniform(200, 235))
    return set_plate(Scene(parked, scene.plates), front=front, corners=corners, rng=rng, white_bgr=white, wear=0.25)


def _gradient(top: ArrayLike, bottom: ArrayLike, *, rows: int) -> FloatImage:
    """A vertical gradient (rows, 1, 3) from one BGR colour to another."""
    share = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    return cast(FloatImage, np.asarray(top, np.float32) * (1 - share) + np.asarray(bottom, np.float32) * share)


def _places(count: int, *, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Depth of every car and its way to the right, in metres, nearest first; none hides much of another."""
    for _ in range(400):
        depth_m = _NEAR_M * rng.uniform(0.95, 1.15)
        places: list[tuple[float, float]] = []
        while len(places) < count and depth_m <= _FAR_M:
            across_m = rng.uniform(-1.0, 1.0) * _WIDEST * depth_m
            if all(abs(across_m / depth_m - x / z) > 0.45 * (1 / depth_m + 1 / z) * _CAR_WIDTH_M for z, x in places):
                places.append((depth_m, across_m))
                depth_m *= rng.uniform(1.2, 1.45)
            else:
                depth_m *= 1.01  # farther away there is more room between the others
        if len(places) == count:
            return places
    raise InvalidArgumentError(f"fronts has {count} plates, for which the street has no room: give up to three.")


def _draw_houses(pixels: FloatImage, *, horizon: int, haze: FloatImage, rng: np.random.Generator) -> None:
    """Two rows of blocks with windows, the far one paler; the street stays open in the middle."""
    width = pixels.shape[1]
    for distance in (0.55, 0.15):
        left = -rng.uniform(0, 0.1) * width
        while left < width:
            block = rng.uniform(0.08, 0.17) * width * (1.35 - distance)
            openness = 1 - math.exp(-(((left + block / 2) / width - 0.5) ** 2) / 0.03)
            tall = horizon * rng.uniform(0.30, 0.85) * (0.25 + 0.75 * openness) * (1.15 - 0.4 * distance)
            wall = np.array(pick(_WALLS, rng=rng), np.float32) * np.float32(rng.uniform(0.7, 1.05))
            colour = (wall * (1 - distance) + haze * distance).astype(np.float32)
            _draw_block(pixels, (left, horizon - tall, left + block, float(horizon)), colour=colour, rng=rng)
            left += block * rng.uniform(0.98, 1.15)


def _draw_block(
    pixels: FloatImage, box: tuple[float, float, float, float], *, colour: FloatImage, rng: np.random.Generator
) -> None:
    """One house front with a grid of windows, some of them lit or with the sky in them."""
    x1, y1, x2, y2 = (round(side) for side in box)
    x1, x2 = max(0, x1), min(pixels.shape[1], x2)
    if x2 - x1 < 6 or y2 - y1 < 6:
        return
    pixels[y1:y2, x1:x2] = _gradient(colour * np.float32(1.05), colour * np.float32(0.85), rows=y2 - y1)
    storey = max(7, round((box[2] - box[0]) * rng.uniform(0.09, 0.13)))
    window_w, window_h = max(2, round(storey * 0.45)), max(3, round(storey * 0.55))
    for top in range(y1 + storey // 2, y2 - storey, storey):
        for left in range(x1 + storey // 2, x2 - window_w - 1, storey):
            kind = rng.random()
            glass = colour * np.float32(0.45 if kind < 0.7 else 0.8)
            if kind > 0.93:
                glass = np.array((120, 200, 240), np.float32)
            pixels[top : top + window_h, left : left + window_w] = glass
    pixels[y1 : y1 + 2, x1:x2] *= np.float32(0.75)


def _draw_road(pixels: FloatImage, *, horizon: int, rng: np.random.Generator) -> None:
    """Pavement, asphalt with grain, kerbs and lane marks that run to one point."""
    height, width = pixels.shape[:2]
    pixels[horizon:] = _gradient((142, 146, 148), (112, 118, 122), rows=height - horizon)
    _fill(pixels, _strip(pixels, horizon, (-1.75, 1.75)), colour=(176, 178, 180))
    _fill(pixels, _strip(pixels, horizon, (-1.70, 1.70)), colour=(84, 82, 82))
    for edge in (-0.02, 0.98, -1.02):
        for reach_m in ((5.2, 6.6), (8.4, 10.6), (13.5, 17.0), (22.0, 28.0), (36.0, 46.0)):
            _fill(pixels, _strip(pixels, horizon, (edge, edge + 0.045), reach_m=reach_m), colour=(205, 208, 210))
    grain = window_of(grain_bank(smeared=False, coloured=False), height=height - horizon, width=width, rng=rng)
    depth = np.linspace(0.15, 1.0, height - horizon, dtype=np.float32)[:, None, None]
    pixels[horizon:] += (grain.astype(np.float32) - 128) * np.float32(0.30) * depth


def _strip(
    pixels: FloatImage, horizon: int, lanes: tuple[float, float], *, reach_m: tuple[float, float] = (2.0, 400.0)
) -> list[tuple[float, float]]:
    """Outline of a band on the road between two distances; sideways in lane widths from the middle."""
    near, far = (_px_per_m(pixels, depth_m) for depth_m in reach_m)
    middle, (left, right) = pixels.shape[1] / 2, lanes
    return [
        (middle + lane * _LANE_WIDTH_M * scale, horizon + _CAMERA_M * scale)
        for scale, lane in ((near, left), (near, right), (far, right), (far, left))
    ]


def _px_per_m(pixels: FloatImage | BgrImage, depth_m: float) -> float:
    """Scale of the picture at a distance."""
    return 1.15 * float(pixels.shape[1]) / depth_m


def _fill(pixels: FloatImage, points: Sequence[tuple[float, float]], *, colour: tuple[float, float, float]) -> None:
    cv2.fillPoly(pixels, [np.round(np.array(points) * 16).astype(np.int32)], colour, cv2.LINE_8, 4)


def _draw_trees(pixels: FloatImage, *, horizon: int, rng: np.random.Generator) -> None:
    """Crowns of many soft dabs and a trunk, at the sides."""
    width = pixels.shape[1]
    for _ in range(int(rng.integers(3, 7))):
        side = float(rng.choice([-1, 1]))
        x = width * (0.5 + side * rng.uniform(0.24, 0.5))
        size = horizon * rng.uniform(0.16, 0.34)
        foot = horizon + size * 0.25
        green = np.array((48, 92, 70), np.float32) * np.float32(rng.uniform(0.6, 1.1))
        trunk = [(x - 0.05 * size, foot), (x + 0.05 * size, foot), (x + 0.03 * size, foot - size), (x, foot - size)]
        _fill(pixels, trunk, colour=(46, 58, 70))
        for dab in range(70):
            angle, reach = rng.uniform(0, 2 * math.pi), size * 0.55 * math.sqrt(rng.random())
            centre = (round(x + reach * math.cos(angle)), round(foot - 1.25 * size + reach * math.sin(angle)))
            shade = green * np.float32(0.7 + 0.5 * dab / 70 + rng.uniform(-0.1, 0.1))
            radius = max(1, round(size * rng.uniform(0.05, 0.12)))
            cv2.circle(pixels, centre, radius, shade.tolist(), -1, cv2.LINE_AA)
