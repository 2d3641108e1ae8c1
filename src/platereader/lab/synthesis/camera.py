"""Cameras: which effects happen to a plate, how often and how badly, and the one call that applies them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from platereader._arrays import BgrImage
from platereader.lab.synthesis import degrade
from platereader.lab.synthesis.degrade import Effect


@dataclass(frozen=True, slots=True)
class Step:
    """One effect that may happen, up to a strength, 0 to 1; weak doses are drawn more often than strong ones."""

    effect: Effect
    probability: float
    strongest: float = 1.0


@dataclass(frozen=True, slots=True)
class Camera:
    """What may happen to a plate between the factory and the file.

    ``surface`` is what happens to the metal itself; ``view`` is light, lens, sensor and file, in this order, on the
    camera's own pixels.
    """

    surface: tuple[Step, ...]
    view: tuple[Step, ...]


def apply_steps(
    pixels: BgrImage, *, steps: Sequence[Step], rng: np.random.Generator, severity: float = 1.0
) -> BgrImage:
    """Let each effect happen or not, in order; ``severity`` multiplies every probability.

    ``pixels`` are uint8 (H, W, 3) BGR and not written to; they come back themselves if nothing happened.
    """
    chances = rng.random((len(steps), 2))
    for step, (chance, dose) in zip(steps, chances, strict=True):
        if chance < step.probability * severity:
            pixels = step.effect(pixels, rng=rng, strength=step.strongest * float(dose) ** 1.6)
    return pixels


STREET = Camera(
    surface=(
        Step(degrade.faded_paint, 0.05, strongest=0.85),
        Step(degrade.dirt, 0.12, strongest=0.8),
        Step(degrade.snow, 0.03, strongest=0.6),
        Step(degrade.spots, 0.12),
        Step(degrade.occlusion, 0.06, strongest=0.8),
    ),
    view=(
        Step(degrade.bent, 0.08),
        Step(degrade.lighting_gradient, 0.40),
        Step(degrade.shadow_edge, 0.12),
        Step(degrade.glare, 0.05, strongest=0.7),
        Step(degrade.night, 0.08, strongest=0.9),
        Step(degrade.headlights, 0.04, strongest=0.8),
        Step(degrade.haze, 0.07),
        Step(degrade.defocus, 0.35, strongest=0.9),
        Step(degrade.motion_blur, 0.20, strongest=0.9),
        Step(degrade.interlaced, 0.06),
        Step(degrade.overexposed, 0.08),
        Step(degrade.low_resolution, 0.06, strongest=0.35),
        Step(degrade.infrared, 0.06),
        Step(degrade.white_balance, 0.30),
        Step(degrade.contrast, 0.50, strongest=0.9),
        Step(degrade.sharpening, 0.12),
        Step(degrade.sensor_noise, 0.35, strongest=0.85),
        Step(degrade.jpeg, 0.35, strongest=0.95),
    ),
)
"""The whole range from a clean photograph to a bad night: for training the reader."""

PHOTOGRAPH: tuple[Step, ...] = (
    Step(degrade.bent, 0.06),
    Step(degrade.lighting_gradient, 0.25, strongest=0.7),
    Step(degrade.shadow_edge, 0.12),
    Step(degrade.night, 0.08, strongest=0.9),
    Step(degrade.defocus, 0.25, strongest=0.8),
    Step(degrade.motion_blur, 0.15, strongest=0.8),
    Step(degrade.interlaced, 0.06),
    Step(degrade.overexposed, 0.08),
    Step(degrade.white_balance, 0.25),
    Step(degrade.contrast, 0.40, strongest=0.8),
    Step(degrade.sensor_noise, 0.30, strongest=0.7),
    Step(degrade.jpeg, 0.30, strongest=0.95),
)
"""What may still happen to a real photograph, which has its own weather already."""
