"""Recognizers of fixed slots, held to a plain enumeration of what their slots spell."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fakes import TEXTS, CropRectifier, PatchDetector, frame_with
from platereader import Box, ContractError, InvalidArgumentError, Pipeline, PlateImage
from platereader import _ctc as ctc
from platereader._arrays import BgrImage
from platereader.adapters import SlotRecognizer
from platereader.plates import RUSSIAN
from platereader.testing import check_recognizer

CHARACTERS = RUSSIAN.characters + "_"
SLOTS = 10
PLATE = PlateImage(np.zeros((8, 40, 3), np.uint8))


def spell(pictures: Sequence[BgrImage]) -> NDArray[np.float32]:
    """Slots (N, S, K) that spell the text of a patch's blue value, from the first slot on."""
    slots = np.full((len(pictures), SLOTS, len(CHARACTERS)), 1e-5, np.float32)
    for row, picture in zip(slots, pictures, strict=True):
        text = TEXTS.get(int(picture[..., 0].max()), "").ljust(SLOTS, "_")
        row[np.arange(SLOTS), [CHARACTERS.index(char) for char in text]] = 1 - 1e-5 * (len(CHARACTERS) - 1)
    return slots


def test_it_keeps_the_contract() -> None:
    check_recognizer(SlotRecognizer(spell, CHARACTERS))


def test_a_pipeline_reads_with_it() -> None:
    pipeline = Pipeline.build(
        detector=PatchDetector(), rectifier=CropRectifier(), recognizer=SlotRecognizer(spell, CHARACTERS)
    )
    readings = pipeline.read(frame_with({150: Box(20, 30, 100, 50), 200: Box(200, 150, 290, 175)}))
    assert [(reading.text, reading.status) for reading in readings] == [("B777OP98", "read"), (None, "unreadable")]
    assert readings[0].country == "RU"


def test_a_text_is_as_likely_as_all_ways_to_spell_it() -> None:
    characters = "_AB"
    slots = np.random.default_rng(0).dirichlet(np.ones(3), size=(1, 4))
    expected: dict[str, float] = defaultdict(float)
    for path in itertools.product(range(3), repeat=4):
        text = "".join(characters[index] for index in path).replace("_", "")
        expected[text] += math.prod(slots[0, slot, index] for slot, index in enumerate(path))
    recognizer = SlotRecognizer(lambda plates: slots, characters)
    log_probs = recognizer.recognize([PLATE])
    assert log_probs.shape == (1, 7, 3)
    assert log_probs.dtype == np.float32
    texts = [text for text in expected if text]
    longest = max(map(len, texts))
    table = np.array([[*recognizer.alphabet.encode(text), *[0] * (longest - len(text))] for text in texts])
    found = np.exp(ctc.log_prob_table(log_probs, table[None])[0])
    assert found == pytest.approx([expected[text] for text in texts], rel=1e-4)
    assert "AA" in texts  # equal neighbours stay two


def test_the_pad_may_stand_anywhere_among_the_characters() -> None:
    slots = np.array([[[0.7, 0.1, 0.2]]])
    recognizer = SlotRecognizer(lambda plates: slots, "A#B", pad="#")
    assert recognizer.alphabet.characters == "AB"
    assert np.exp(recognizer.recognize([PLATE])[0, 0]) == pytest.approx([0.1, 0.7, 0.2])


@pytest.mark.parametrize(
    ("slots", "says"),
    [
        (np.zeros((1, 4)), r"shape \(1, 4\) for 1 plates"),
        (np.full((2, 4, 3), 1 / 3), r"shape \(2, 4, 3\) for 1 plates"),
        (np.full((1, 4, 4), 1 / 4), "a row of 3 classes"),
        (np.full((1, 4, 3), 5.0), "slots that sum to 15..15: return probabilities"),
        (np.array([[[1.5, -0.5, 0.0]]]), "return probabilities"),
        (np.full((1, 4, 3), np.nan), "return probabilities"),
        ("AB", "gave no array of numbers"),
    ],
)
def test_a_model_that_gives_something_else_is_named(slots: Any, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        SlotRecognizer(lambda plates: slots, "_AB").recognize([PLATE])


@pytest.mark.parametrize(
    ("predict", "characters", "says"),
    [
        ("model.onnx", "AB_", "predict is .*model.onnx.*expected is a function"),
        (len, ["A", "B", "_"], "characters is .*expected is a text"),
        (len, "01ab_", r"characters is '01ab_', expected are upper-case letters.*characters\.upper"),
    ],
)
def test_what_is_no_model_of_plates_is_named_at_once(predict: Any, characters: Any, says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        SlotRecognizer(predict, characters)


@pytest.mark.parametrize(("characters", "pad"), [("AB", "_"), ("A__", "_"), ("AB_", ""), ("_", "_"), ("AA_", "_")])
def test_characters_and_pad_have_to_fit(characters: str, pad: str) -> None:
    with pytest.raises(InvalidArgumentError):
        SlotRecognizer(spell, characters, pad)
