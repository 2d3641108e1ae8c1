from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from platereader.errors import InvalidArgumentError, WeightsCorruptError, WeightsNotFoundError
from platereader.plates.alphabet import RUSSIAN
from platereader.recognition.crnn import Crnn, CrnnConfig
from platereader.recognition.preprocess import prepare
from platereader.recognition.recognizer import CrnnRecognizer
from platereader.results import PlateImage
from platereader.runtimes.tensors import write_tensors
from platereader.testing import check_recognizer
from platereader.training.checkpoint import half_precision

SMALL: dict[str, object] = {"height_px": 16, "width_px": 64, "channels": [8, 8, 8], "features": 16, "hidden": 8}


def small_network() -> Crnn:
    """A network as after some training: its normalisation has statistics of its own."""
    torch.manual_seed(3)
    network = Crnn(CrnnConfig.from_settings(SMALL))
    for _ in range(3):
        network(torch.randn(8, 1, 16, 64) * 2 + 1)
    return network


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    write_tensors(path, small_network().state_dict())
    return path


@pytest.fixture(scope="module")
def recognizer(weights: Path) -> CrnnRecognizer:
    return CrnnRecognizer.from_file(weights, settings=SMALL)


def plates(count: int) -> list[PlateImage]:
    rng = np.random.default_rng(1)
    return [PlateImage(rng.integers(0, 256, (40 + i, 170 + i, 3), np.uint8)) for i in range(count)]


def test_it_keeps_the_contract(recognizer: CrnnRecognizer) -> None:
    check_recognizer(recognizer)


def test_there_is_one_time_step_for_four_columns(recognizer: CrnnRecognizer) -> None:
    log_probs = recognizer.recognize(plates(3))
    assert log_probs.shape == (3, 16, RUSSIAN.size)
    assert log_probs.dtype == np.float32


def test_folding_the_normalisation_changes_nothing(recognizer: CrnnRecognizer) -> None:
    pictures = plates(4)
    with torch.inference_mode():
        expected = small_network().eval()(torch.from_numpy(prepare(pictures, size_px=(16, 64)))).numpy()
    assert np.allclose(recognizer.recognize(pictures), expected, atol=1e-4)


def test_more_plates_than_fit_a_batch_come_back_in_order(weights: Path) -> None:
    whole = CrnnRecognizer.from_file(weights, settings=SMALL)
    pieces = CrnnRecognizer(whole.runtime, whole.alphabet, whole.size_px, batch_size=2)
    assert np.allclose(whole.recognize(plates(5)), pieces.recognize(plates(5)), atol=1e-5)


def test_half_precision_files_load(weights: Path, tmp_path: Path, recognizer: CrnnRecognizer) -> None:
    write_tensors(tmp_path / "half.safetensors", half_precision(small_network().state_dict()))
    loaded = CrnnRecognizer.from_file(tmp_path / "half.safetensors", settings=SMALL)
    assert np.allclose(loaded.recognize(plates(2)), recognizer.recognize(plates(2)), atol=0.05)


def test_bf16_reads_nearly_the_same(weights: Path, recognizer: CrnnRecognizer) -> None:
    rough = CrnnRecognizer.from_file(weights, precision="bf16", settings=SMALL)
    assert np.abs(np.exp(rough.recognize(plates(2))) - np.exp(recognizer.recognize(plates(2)))).max() < 0.05


def test_any_runtime_will_do() -> None:
    class Even:
        engine = "none"
        precision = "fp32"
        threads = 1

        def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
            return (np.full((len(batch), 5, RUSSIAN.size), -np.log(RUSSIAN.size), np.float32),)

    assert CrnnRecognizer(Even()).recognize(plates(2)).shape == (2, 5, RUSSIAN.size)


def test_wrong_files_are_refused(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(WeightsNotFoundError, match="missing"):
        CrnnRecognizer.from_file(tmp_path / "missing.safetensors")
    (tmp_path / "text.safetensors").write_text("not weights")
    with pytest.raises(WeightsCorruptError, match=r"text\.safetensors"):
        CrnnRecognizer.from_file(tmp_path / "text.safetensors")
    with pytest.raises(WeightsCorruptError, match="does not hold"):
        CrnnRecognizer.from_file(weights)  # the default network is larger
    with pytest.raises(WeightsCorruptError, match="does not hold"):
        CrnnRecognizer.from_file(weights, settings={**SMALL, "alphabet": "0123456789"})


def test_bad_settings_are_refused(weights: Path, recognizer: CrnnRecognizer) -> None:
    with pytest.raises(InvalidArgumentError, match="colour"):
        CrnnRecognizer.from_file(weights, settings={**SMALL, "colour": True})
    with pytest.raises(InvalidArgumentError, match="height_px=17"):
        CrnnRecognizer.from_file(weights, settings={**SMALL, "height_px": 17})
    with pytest.raises(InvalidArgumentError, match="batch_size"):
        CrnnRecognizer(recognizer.runtime, batch_size=0)
