from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from platereader.errors import EngineError, WeightsCorruptError
from platereader.recognition._network import int8_recognizer
from platereader.recognition._recognizer import CtcRecognizer
from platereader.recognition._shape import ConvCtcConfig
from platereader.registry._contents import contents_of
from platereader.runtimes._int8_tensors import Scale, convolutions, quantized, write_int8
from platereader.runtimes._tensors import tensors_of
from platereader.runtimes._torch import fuse_normalisation
from small_networks import SMALL, plates, small_network

CONFIG = ConvCtcConfig.from_settings(SMALL)


def test_int8_reads_nearly_the_same(small_files: dict[str, tuple[Path, Path]]) -> None:
    fp32, int8 = (paths[0] for paths in small_files.values())
    exact = CtcRecognizer.from_file(fp32, settings=SMALL).recognize(plates(8))
    rough = CtcRecognizer.from_file(int8, precision="int8", settings=SMALL).recognize(plates(8))
    assert rough.shape == exact.shape
    assert np.abs(np.exp(rough) - np.exp(exact)).max() < 0.03
    assert np.exp(exact).max() > 0.3  # of something that is not flat


def test_a_plate_reads_the_same_in_any_batch(small_files: dict[str, tuple[Path, Path]]) -> None:
    recognizer = CtcRecognizer.from_file(small_files["int8"][0], precision="int8", settings=SMALL)
    together = recognizer.recognize(plates(5))
    for index, plate in enumerate(plates(5)):
        assert np.array_equal(recognizer.recognize([plate])[0], together[index])


def test_a_file_comes_back_as_it_was_written(small_files: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    tensors = tensors_of(small_files["int8"][0].read_bytes(), name="a")
    write_int8(tmp_path / "again.safetensors", tensors)
    assert (tmp_path / "again.safetensors").read_bytes() == small_files["int8"][0].read_bytes()
    assert [contents_of(path.read_bytes(), name="a").precision for path, _ in small_files.values()] == ["fp32", "int8"]
    assert {str(tensor.dtype) for tensor in tensors.values()} == {"torch.int8", "torch.uint8", "torch.float32"}


def test_weights_are_rounded_by_channel() -> None:
    network = fuse_normalisation(small_network().eval())
    tensors = quantized(network, {name: Scale(0.1, 3) for name in convolutions(network)}, {})
    for name, module in convolutions(network).items():
        weight, scale = tensors[f"{name}.weight"], tensors[f"{name}.weight_scale"]
        assert weight.abs().amax((1, 2, 3)).tolist() == [64] * len(weight)  # 7 bits
        error = (weight * scale[:, None, None, None] - module.weight).abs().amax((1, 2, 3))
        assert bool((error <= 0.501 * scale).all())
        assert int(tensors[f"{name}.input_zero_point"]) == 3


def test_a_layer_without_weights_is_no_division_by_zero() -> None:
    network = fuse_normalisation(small_network().eval())
    with torch.no_grad():
        network.classify.weight.zero_()
    tensors = quantized(network, dict.fromkeys(convolutions(network), Scale(0.1)), {})
    assert int(tensors["classify.weight"].abs().max()) == 0


def test_loading_draws_no_random_numbers(small_files: dict[str, tuple[Path, Path]]) -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    int8_recognizer(tensors_of(small_files["int8"][0].read_bytes(), name="a"), config=CONFIG)
    assert torch.equal(torch.rand(1), expected)


def test_files_of_the_other_precision_are_refused(small_files: dict[str, tuple[Path, Path]]) -> None:
    fp32, int8 = (paths[0] for paths in small_files.values())
    with pytest.raises(EngineError, match=r"holds fp32 weights.*precision='int8' with the file of a quantised network"):
        CtcRecognizer.from_file(fp32, precision="int8", settings=SMALL)
    for precision in ("fp32", "bf16"):
        with pytest.raises(EngineError, match=r"holds int8 weights.*precision='int8'"):
            CtcRecognizer.from_file(int8, precision=precision, settings=SMALL)


def test_wrong_files_are_refused(small_files: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    with pytest.raises(
        WeightsCorruptError, match=r"small-int8.*layers\.0\.0\.weight is .*\[8, 3, 5, 5\].*\[32, 3, 5, 5\]"
    ):
        CtcRecognizer.from_file(small_files["int8"][0], precision="int8")  # the default network is larger
    tensors = tensors_of(small_files["int8"][0].read_bytes(), name="a")
    write_int8(tmp_path / "float.safetensors", {**tensors, "classify.weight": tensors["classify.weight"].float()})
    with pytest.raises(WeightsCorruptError, match=r"classify\.weight is .*float32"):
        int8_recognizer(tensors_of((tmp_path / "float.safetensors").read_bytes(), name="a"), config=CONFIG)
    write_int8(tmp_path / "less.safetensors", {name: tensor for name, tensor in tensors.items() if "bias" not in name})
    with pytest.raises(WeightsCorruptError, match="bias is None"):
        int8_recognizer(tensors_of((tmp_path / "less.safetensors").read_bytes(), name="a"), config=CONFIG)
