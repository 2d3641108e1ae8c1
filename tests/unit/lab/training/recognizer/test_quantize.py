from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from platereader.errors import AccuracyError
from platereader.lab.training.recognizer import quantize
from platereader.lab.training.recognizer.comparison import read_greedily
from platereader.lab.training.recognizer.data import Sample
from platereader.lab.training.recognizer.quantize import (
    QuantizationPlates,
    draw_plates,
    measured_scales,
    quantize_recognizer,
)
from platereader.plates import RUSSIAN
from platereader.recognition._preprocess import prepare
from platereader.recognition._recognizer import CtcRecognizer
from platereader.recognition._shape import ConvCtcConfig
from platereader.registry import Registry, WeightFile, write_sidecar
from platereader.runtimes._int8_tensors import Scale, adding_layers, convolutions
from platereader.runtimes._torch import fuse_normalisation
from small_networks import SMALL, plates, small_network, write_small


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> WeightFile:
    path, _ = write_small(tmp_path_factory.mktemp("weights"))
    write_sidecar(path, kind="recognizer", settings=SMALL, calibration={}, licence="MIT")
    return Registry.default().resolve(path)


@pytest.fixture(scope="module")
def data(weights: WeightFile) -> QuantizationPlates:
    """Plates that say what the float network reads on them."""
    runtime = CtcRecognizer.from_file(weights.path, settings=SMALL).runtime
    config = ConvCtcConfig.from_settings(SMALL)
    read = read_greedily(runtime, [Sample(plate, "") for plate in plates(40)], alphabet=RUSSIAN, config=config)
    samples = [Sample(plate, text) for plate, text in zip(plates(40), read, strict=True)]
    return QuantizationPlates(plates(16), {"first": samples[:30], "second": samples[30:]})


def test_int8_weights_are_written_with_their_figures(
    weights: WeightFile, data: QuantizationPlates, tmp_path: Path
) -> None:
    output = tmp_path / "new" / "int8.safetensors"
    rows = quantize_recognizer(weights, output=output, plates=data, max_loss_points=30)
    assert [(row.name, row.same.n) for row in rows] == [("first", 30), ("second", 10), ("all", 40)]
    assert all(row.exact_fp32.count == row.same.n for row in rows)
    assert all(row.exact_int8.count == row.same.count >= 0.7 * row.same.n for row in rows)
    assert rows[-1].to_dict()["same"]["n"] == 40
    written = Registry.default().resolve(output)
    assert (written.settings, written.entry.calibration, written.entry.licence) == (
        SMALL,
        None,
        "MIT",
    )  # the calibration was that of the float weights
    recognizer = CtcRecognizer.from_weights(written)
    assert len(recognizer.recognize(plates(2))) == 2


def test_weights_that_read_worse_are_refused(
    weights: WeightFile, data: QuantizationPlates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantize, "_best_scale", lambda values: Scale(3.0, 0))
    output = tmp_path / "int8.safetensors"
    with pytest.raises(AccuracyError, match=r"small\.safetensors reads .* points fewer of 40 .*nothing was written"):
        quantize_recognizer(weights, output=output, plates=data)
    assert list(tmp_path.iterdir()) == []
    rows = quantize_recognizer(weights, output=output, plates=data, max_loss_points=100)
    assert rows[-1].lost_points > 30
    assert output.is_file()


def test_scales_leave_the_network_alone_and_keep_zero_exact() -> None:
    network = fuse_normalisation(small_network().eval())
    pictures = torch.from_numpy(prepare(plates(8), size_px=(16, 64)))
    with torch.inference_mode():
        before = network(pictures)
        scales, sums = measured_scales(network, pictures)
        assert torch.equal(network(pictures), before)
    assert not any(module._forward_hooks for module in convolutions(network).values())
    first, *others = scales.values()
    assert list(scales) == list(convolutions(network))
    assert 0 < first.zero_point < 255
    assert all(scale.zero_point == 0 and 0 < scale.scale < 1 for scale in others)
    assert sums.keys() == adding_layers(network)
    assert all(0 < scale.zero_point < 255 for scale in sums.values())


def test_rare_ends_are_cut_off_where_that_errs_less() -> None:
    values = torch.cat([torch.linspace(0, 1, 2_000_000), torch.tensor([2.0])])
    assert quantize._best_scale(values).scale == pytest.approx(1 / 255, rel=0.05)
    assert quantize._best_scale(torch.linspace(0, 2, 1000)).scale == pytest.approx(2 / 255)
    assert quantize._best_scale(torch.linspace(-1, 1, 1001)).zero_point in (127, 128)
    assert quantize._best_scale(torch.zeros(9)).scale > 0


def test_plates_are_drawn_again_for_the_same_seed() -> None:
    one, two = (draw_plates(alphabet=RUSSIAN, calibration=3, made_up=4, seed=7) for _ in range(2))
    assert (len(one.calibration), {name: len(samples) for name, samples in one.validation.items()}) == (
        3,
        {"synthetic": 4},
    )
    assert [sample.text for sample in one.validation["synthetic"]] == [
        sample.text for sample in two.validation["synthetic"]
    ]
    for first, second in zip(one.calibration, two.calibration, strict=True):
        assert np.array_equal(first.pixels, second.pixels)
