"""Frames that show another view than the one before."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from platereader._arrays import BgrImage
from platereader.media import read_image
from platereader.video._cuts import Cuts

PICTURES = Path(__file__).resolve().parents[3] / "examples" / "pictures"
ONE, OTHER = (read_image(PICTURES / f"street-{number}.jpg") for number in (1, 2))


def cuts_in(*frames: BgrImage) -> list[int]:
    cuts = Cuts()
    return [index for index, frame in enumerate(frames) if cuts.is_cut(frame)]


def test_another_picture_is_a_cut_and_the_same_one_is_none() -> None:
    assert cuts_in(ONE, ONE, OTHER, OTHER, ONE) == [2, 4]


def test_a_cut_is_seen_whatever_the_size_of_the_frames() -> None:
    small = np.ascontiguousarray(OTHER[::2, ::2])
    assert cuts_in(ONE, np.ascontiguousarray(ONE[::2, ::2]), small, OTHER) == [2]
    assert cuts_in(np.zeros((1, 1, 3), np.uint8), ONE, ONE) == []


@pytest.mark.parametrize("change", ["light", "noise", "pan", "dark"])
def test_light_noise_and_a_pan_are_no_cuts(change: str) -> None:
    noise = np.random.default_rng(0).integers(-20, 21, ONE.shape)
    changed = {
        "light": ONE // 2 + 100,
        "noise": np.clip(ONE + noise, 0, 255),
        "pan": cv2.warpAffine(ONE, np.array([[1, 0, 30], [0, 1, 8]], np.float32), ONE.shape[1::-1]),
        "dark": np.clip(noise, 0, 3),
    }
    assert cuts_in(ONE, np.asarray(changed[change], np.uint8), ONE) == []
