"""Samples that are no Russian plate."""

import numpy as np

from platereader.lab.datasets.plates import RealPlate
from platereader.lab.synthesis.capture import CropProfile
from platereader.lab.synthesis.decoys import foreign_sample, lettered_sample, scenery_sample
from platereader.plates import ILLEGIBLE, RUSSIAN

PROFILE = CropProfile()


def test_foreign_characters_are_marked() -> None:
    rng = np.random.default_rng(0)
    texts = [foreign_sample(rng, alphabet=RUSSIAN, profile=PROFILE).text for _ in range(40)]
    assert all(set(text) <= {*RUSSIAN.characters, ILLEGIBLE} for text in texts)
    assert sum(ILLEGIBLE in text for text in texts) > 20


def test_lettering_on_no_plate_names_nothing() -> None:
    sample = lettered_sample(np.random.default_rng(0), profile=PROFILE)
    assert (sample.text, sample.lines) == (ILLEGIBLE, 1)
    assert sample.pixels.shape == (48, 192, 3)
    assert sample.pixels.std() > 3


def test_scenery_has_no_text_and_the_size_of_its_kind() -> None:
    rng = np.random.default_rng(0)
    scene = rng.integers(0, 255, (240, 320, 3), np.uint8)
    samples = [scenery_sample(rng, profile=PROFILE, scenes=[scene]) for _ in range(30)]
    assert {sample.text for sample in samples} == {""}
    assert {sample.pixels.shape for sample in samples} == {(48, 192, 3), (96, 160, 3)}


def test_scenery_beside_a_plate_leaves_the_plate_out() -> None:
    rng = np.random.default_rng(0)
    pixels = np.full((300, 600, 3), 30, np.uint8)
    pixels[120:180, 250:450] = (0, 0, 255)
    corners = np.array([(250, 120), (450, 120), (450, 180), (250, 180)], np.float32)
    car = RealPlate(pixels, corners, 1, "A123BC77", "a.jpg")
    empty = np.full((300, 600, 3), 30, np.uint8)
    for _ in range(60):
        sample = scenery_sample(rng, profile=CropProfile(photograph=()), scenes=[empty], plates=[car])
        assert sample.pixels[..., 2].max() < 200
