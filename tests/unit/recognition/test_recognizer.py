from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from platereader import _ctc as ctc
from platereader._contracts import checked_recognize
from platereader.errors import InvalidArgumentError, WeightsCorruptError, WeightsNotFoundError
from platereader.lab.training.checkpoint import half_precision
from platereader.plates import RUSSIAN, Alphabet
from platereader.recognition._network import ConvCtc
from platereader.recognition._preprocess import prepare
from platereader.recognition._recognizer import CtcRecognizer
from platereader.recognition._shape import ConvCtcConfig
from platereader.registry import WeightFile
from platereader.runtimes import Batch
from platereader.runtimes._tensors import tensors_of, write_tensors
from platereader.testing import check_recognizer
from small_networks import SMALL, plates, small_network


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    write_tensors(path, small_network().state_dict())
    return path


@pytest.fixture(scope="module")
def recognizer(weights: Path) -> CtcRecognizer:
    return CtcRecognizer.from_file(weights, settings=SMALL)


def test_it_keeps_the_contract(recognizer: CtcRecognizer) -> None:
    check_recognizer(recognizer)


def test_there_is_one_time_step_for_four_columns(recognizer: CtcRecognizer) -> None:
    log_probs = recognizer.recognize(plates(3))
    assert log_probs.shape == (3, 16, RUSSIAN.size)
    assert log_probs.dtype == np.float32


def test_plates_of_the_default_size_have_one_time_step_for_four_columns_too() -> None:
    config = ConvCtcConfig()
    with torch.inference_mode():
        log_probs = ConvCtc(config).eval()(torch.zeros(1, 3, *config.size_px))
    assert log_probs.shape == (1, 44, config.classes)


def test_folding_the_normalisation_changes_nothing(recognizer: CtcRecognizer) -> None:
    pictures = plates(4)
    with torch.inference_mode():
        expected = small_network().eval()(torch.from_numpy(prepare(pictures, size_px=(16, 64)))).numpy()
    assert np.allclose(recognizer.recognize(pictures), expected[:, :, : RUSSIAN.size], atol=1e-3)


def test_the_probability_of_something_illegible_is_what_is_missing_to_one(recognizer: CtcRecognizer) -> None:
    pictures = plates(3)
    (outputs,) = recognizer.runtime.run(prepare(pictures, size_px=(16, 64)))
    assert outputs.shape == (3, 16, RUSSIAN.size + 1)
    missing = 1 - np.exp(recognizer.recognize(pictures)).sum(axis=2)
    assert np.allclose(missing, np.exp(outputs[:, :, -1]), atol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 2])
def test_more_plates_than_fit_a_batch_come_back_in_order(weights: Path, batch_size: int) -> None:
    whole = CtcRecognizer.from_file(weights, settings=SMALL)
    pieces = CtcRecognizer(whole.runtime, whole.alphabet, whole.size_px, batch_size=batch_size)
    assert np.allclose(whole.recognize(plates(5)), pieces.recognize(plates(5)), atol=1e-5)


def test_half_precision_files_load(weights: Path, tmp_path: Path, recognizer: CtcRecognizer) -> None:
    write_tensors(tmp_path / "half.safetensors", half_precision(small_network().state_dict()))
    loaded = CtcRecognizer.from_file(tmp_path / "half.safetensors", settings=SMALL)
    assert np.allclose(loaded.recognize(plates(2)), recognizer.recognize(plates(2)), atol=0.05)


def test_bf16_reads_nearly_the_same(weights: Path, recognizer: CtcRecognizer) -> None:
    rough = CtcRecognizer.from_file(weights, precision="bf16", settings=SMALL)
    assert np.abs(np.exp(rough.recognize(plates(2))) - np.exp(recognizer.recognize(plates(2)))).max() < 0.05


def test_any_runtime_will_do() -> None:
    class Even:
        engine = "none"
        precision = "fp32"
        threads = 1

        def run(self, batch: Batch) -> tuple[NDArray[np.float32], ...]:
            return (np.full((len(batch), 5, RUSSIAN.size), -np.log(RUSSIAN.size), np.float32),)

    assert CtcRecognizer(Even()).recognize(plates(2)).shape == (2, 5, RUSSIAN.size)


def test_wrong_files_are_refused(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(WeightsNotFoundError, match="missing"):
        CtcRecognizer.from_file(tmp_path / "missing.safetensors")
    (tmp_path / "text.safetensors").write_text("not weights")
    with pytest.raises(WeightsCorruptError, match=r"text\.safetensors"):
        CtcRecognizer.from_file(tmp_path / "text.safetensors")
    with pytest.raises(WeightsCorruptError, match="does not hold"):
        CtcRecognizer.from_file(weights)  # the default network is larger
    with pytest.raises(WeightsCorruptError, match="does not hold"):
        CtcRecognizer.from_file(weights, alphabet=Alphabet("0123456789"), settings=SMALL)


def test_weights_with_numbers_that_are_not_finite_are_refused(tmp_path: Path, weights: Path) -> None:
    tensors = tensors_of(weights.read_bytes(), name="small")
    tensors["classify.bias"][0] = torch.nan
    write_tensors(tmp_path / "damaged.safetensors", tensors)
    with pytest.raises(WeightsCorruptError, match=r"does not hold a plate recognizer's weights \(classify.bias is not"):
        CtcRecognizer.from_file(tmp_path / "damaged.safetensors", settings=SMALL)


def test_bad_settings_are_refused(weights: Path, recognizer: CtcRecognizer) -> None:
    with pytest.raises(InvalidArgumentError, match="colour"):
        CtcRecognizer.from_file(weights, settings={**SMALL, "colour": True})
    with pytest.raises(InvalidArgumentError, match="height_px=17"):
        CtcRecognizer.from_file(weights, settings={**SMALL, "height_px": 17})
    with pytest.raises(InvalidArgumentError, match="width_px=62"):
        CtcRecognizer.from_file(weights, settings={**SMALL, "width_px": 62})
    with pytest.raises(InvalidArgumentError, match="batch_size"):
        CtcRecognizer(recognizer.runtime, batch_size=0)
    with pytest.raises(InvalidArgumentError, match="size_px"):
        CtcRecognizer(recognizer.runtime, size_px=(0, 64))


@pytest.mark.parametrize("value", ["x", 16.0, True, 0, None, [16]])
def test_sizes_are_whole_numbers(weights: Path, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"settings is .*whole numbers"):
        CtcRecognizer.from_file(weights, settings={**SMALL, "height_px": value})
    with pytest.raises(InvalidArgumentError, match=r"settings is .*whole numbers"):
        CtcRecognizer.from_file(weights, settings={**SMALL, "channels": "abc"})
    with pytest.raises(InvalidArgumentError, match=r"settings is .*whole numbers"):
        CtcRecognizer.from_file(weights, settings={**SMALL, "dilations": []})
    with pytest.raises(InvalidArgumentError, match="there are three numbers"):
        CtcRecognizer.from_file(weights, settings={**SMALL, "channels": [8, 8]})


@pytest.mark.parametrize(("precision", "known"), [("fp32", True), ("int8", False)])
def test_a_calibration_counts_in_the_precision_that_it_was_fitted_in(
    weights: Path, recognizer: CtcRecognizer, precision: str, known: bool
) -> None:
    entry = WeightFile.read(weights, kind="recognizer", settings=SMALL).entry
    fitted = replace(recognizer, weights=replace(entry, calibration={"precision": precision}))
    assert (fitted.calibration is not None) is known


class Spelling:
    """A runtime whose network says the same of every plate: classes of a path, each with probability 0.98."""

    engine = "none"
    precision = "fp32"
    threads = 1

    def __init__(self, path: list[int], classes: int) -> None:
        rest = 0.02 / (classes - 1)
        self.log_probs = np.log(np.array([[0.98 if one == step else rest for one in range(classes)] for step in path]))

    def run(self, batch: Batch) -> tuple[NDArray[np.float32], ...]:
        return (np.repeat(self.log_probs[None].astype(np.float32), len(batch), axis=0),)


MARKED = Alphabet("AB1", marks=("RU", "KZ"))
# blank, A, B, 1, RU, KZ, left end, right end, illegible
BLANK, A, B, ONE, RU, KZ, LEFT, RIGHT, HIDDEN = range(9)


def missing(path: list[int]) -> NDArray[np.float64]:
    """What the first and the last time step lack to a sum of one."""
    recognizer = CtcRecognizer(Spelling(path, 9), MARKED, ends=True)
    log_probs = recognizer.recognize(plates(1))
    assert log_probs.shape == (1, len(path), MARKED.columns)
    lacking: NDArray[np.float64] = 1.0 - np.exp(log_probs[0].astype(np.float64)).sum(axis=1)
    return lacking[[0, -1]]


def test_an_end_that_is_not_seen_is_something_illegible() -> None:
    assert (missing([LEFT, A, BLANK, ONE, RU, RIGHT, BLANK]) < 0.06).all()
    left, right = missing([BLANK, LEFT, A, BLANK, ONE, RU, BLANK])
    assert left < 0.06
    assert right > 0.9
    left, right = missing([BLANK, A, BLANK, ONE, RIGHT, BLANK])
    assert left > 0.9
    assert right < 0.06


def test_where_nothing_stands_nothing_is_hidden() -> None:
    assert (missing([BLANK] * 7) < 0.2).all()


def test_ends_are_no_part_of_a_text() -> None:
    recognizer = CtcRecognizer(Spelling([LEFT, A, BLANK, ONE, RU, RIGHT, BLANK], 9), MARKED, ends=True)
    log_probs, marks = checked_recognize(recognizer, plates(1))
    assert log_probs.shape == (1, 7, MARKED.size)
    assert np.exp(ctc.log_prob(log_probs[0], MARKED.encode("A1"))) > 0.75
    assert marks[0]["RU"] > 0.95
    assert marks[0]["KZ"] < 0.05


def test_marks_come_with_the_alphabet_too(tmp_path: Path) -> None:
    alphabet = Alphabet("ABC", ("RU", "KZ"))
    config = ConvCtcConfig.from_settings({**SMALL, "characters": 3, "marks": ["RU", "KZ"]})
    write_tensors(tmp_path / "marks.safetensors", ConvCtc(config).state_dict())
    loaded = CtcRecognizer.from_file(tmp_path / "marks.safetensors", alphabet=alphabet, settings=SMALL)
    assert loaded.alphabet.marks == ("RU", "KZ")
    assert loaded.recognize(plates(1)).shape[2] == alphabet.columns


@pytest.mark.parametrize("ends", [0.0, False, 1, -2, 2.0, "2"])
def test_a_plate_has_two_ends_or_none_are_known(ends: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"ends|whole numbers"):
        ConvCtcConfig.from_settings({**SMALL, "ends": ends})


def test_settings_name_marks_and_ends(tmp_path: Path) -> None:
    network = ConvCtc(ConvCtcConfig.from_settings({**SMALL, "characters": 3, "marks": ["RU", "KZ"], "ends": 2}))
    write_tensors(tmp_path / "marked.safetensors", network.state_dict())
    settings = {**SMALL, "marks": ["RU", "KZ"], "ends": 2}
    recognizer = CtcRecognizer.from_file(tmp_path / "marked.safetensors", alphabet=Alphabet("AB1"), settings=settings)
    assert recognizer.alphabet.marks == ("RU", "KZ")
    assert recognizer.ends
    check_recognizer(recognizer)
    for wrong in ({"ends": 1}, {"marks": ["russia"]}, {"marks": ["RU", "RU"]}, {"marks": "RU"}):
        with pytest.raises(InvalidArgumentError):
            CtcRecognizer.from_file(
                tmp_path / "marked.safetensors", alphabet=Alphabet("AB1"), settings={**settings, **wrong}
            )
