"""Turn a trained reader into int8: measure what its layers see, round, and compare before anything is written.

Every convolution's input gets the scale of least squared error over some plates, which cuts off the rarest values.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from platereader.errors import AccuracyError
from platereader.lab.datasets.photographs import load_photographs
from platereader.lab.metrics.json_safe import JsonSafe
from platereader.lab.metrics.rates import Rate
from platereader.lab.training.recognizer.comparison import read_greedily
from platereader.lab.training.recognizer.data import PlateBatches, Sample, background_photographs, training_plates
from platereader.lab.training.recognizer.export import export_network
from platereader.lab.training.recognizer.train import validation_sets
from platereader.plates import Alphabet
from platereader.protocols import Detector
from platereader.recognition._network import ConvCtc, network_from_state
from platereader.recognition._preprocess import prepare
from platereader.recognition._shape import shape_of
from platereader.registry import WeightFile, write_sidecar
from platereader.results import PlateImage
from platereader.runtimes import Runtime
from platereader.runtimes._int8_tensors import Scale, adding_layers, convolutions, quantized, write_int8
from platereader.runtimes._loaded import exported_runtime
from platereader.runtimes._tensors import tensors_of
from platereader.runtimes._torch import TorchRuntime, fuse_normalisation

INT8_NAME = "recognizer-int8.safetensors"
"""The int8 form of the weights."""

_LEVELS = 255


@dataclass(frozen=True, slots=True)
class QuantizationPlates:
    """Plates whose activations set the scales, some hundred, and others by set that both networks read."""

    calibration: Sequence[PlateImage]
    validation: Mapping[str, Sequence[Sample]]


@dataclass(frozen=True, slots=True)
class Agreement(JsonSafe):
    """How many of one set of plates both networks read alike, right or wrong, and how many each reads right."""

    name: str
    same: Rate
    exact_fp32: Rate
    exact_int8: Rate

    @property
    def lost_points(self) -> float:
        """Percentage points of exact match that int8 loses; negative when it wins."""
        return 100 * (self.exact_fp32.count - self.exact_int8.count) / max(self.same.n, 1)


def draw_plates(
    labelled: Sequence[Path] = (),
    *,
    alphabet: Alphabet,
    negatives: Path | None = None,
    detector: Detector | None = None,
    calibration: int = 256,
    made_up: int = 2000,
    seed: int = 0,
) -> QuantizationPlates:
    """Plates as in training: made-up ones, and labelled ones whose calibration fifth is kept for the comparison.

    Pictures of ``negatives`` without plates are backgrounds, else these are made up. Labelled plates to compare on
    without corners are left out, unless a ``detector`` finds these.

    Raises:
        DatasetError: a labelled set cannot be used at all.
    """
    rng = np.random.default_rng((seed, 2**41))
    images = [image for folder in labelled for image in load_photographs(folder).images]
    backgrounds = background_photographs(negatives, count=200, rng=rng)
    real = training_plates(images, alphabet=alphabet)
    batches = PlateBatches(alphabet, batch_size=1, real=real, backgrounds=backgrounds, seed=seed)
    validation = validation_sets(batches, images=images, made_up=made_up, detector=detector)
    return QuantizationPlates([batches.sample(rng).plate for _ in range(calibration)], validation)


def quantize_recognizer(
    weights: WeightFile, *, output: Path, plates: QuantizationPlates, max_loss_points: float = 0.5
) -> list[Agreement]:
    """Write the int8 form of a trained reader and its sidecar, if it reads as well.

    The settings of the float weights are handed on, but for the calibration. Over all validation together at most
    ``max_loss_points`` percentage points of exact match may be lost. Returned is how each set is read before and after,
    and ``all`` of them.

    Raises:
        AccuracyError: int8 loses more; nothing is written.
        WeightsError: the weights are missing, damaged or of another network.
        MissingDependencyError: a package of the extra ``train`` is not installed.
    """
    alphabet, config = shape_of(weights.settings, alphabet=weights.entry.alphabet)
    name = str(weights.path)
    network = fuse_normalisation(
        network_from_state(tensors_of(weights.data, name=name), config=config, name=name).eval()
    )
    pictures = torch.from_numpy(prepare(plates.calibration, size_px=config.size_px))
    tensors = quantized(network, *measured_scales(network, pictures))
    fp32, int8 = TorchRuntime(network), _on_onnx(network, tensors)
    read = partial(read_greedily, alphabet=alphabet, config=config)
    texts = {
        name: list(zip([sample.text for sample in samples], read(fp32, samples), read(int8, samples), strict=True))
        for name, samples in plates.validation.items()
    }
    agreements = _compared(texts)
    lost, allowed = agreements[-1].lost_points, max_loss_points
    if lost > allowed:
        raise AccuracyError(
            f"in int8 {weights.path.name} reads {lost:.2f} points fewer of {agreements[-1].same.n} plates right, "
            f"allowed are {allowed:g}; nothing was written. Calibrate with more or other plates, or allow more."
        )
    write_int8(output, tensors)
    entry = weights.entry  # whose calibration was for fp32
    write_sidecar(output, kind="recognizer", settings=entry.settings, alphabet=entry.alphabet, licence=entry.licence)
    return agreements


def _on_onnx(network: ConvCtc, tensors: Mapping[str, Tensor]) -> Runtime:
    """The int8 network on the engine that computes it alike on every processor."""
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder, "int8.onnx")
        export_network(network, tensors, exported)
        return exported_runtime(exported.read_bytes(), name=str(exported), engine="onnx", precision="int8")


@torch.inference_mode()
def measured_scales(network: ConvCtc, pictures: Tensor) -> tuple[dict[str, Scale], dict[str, Scale]]:
    """How what every convolution reads, and what the last ones of blocks add, is held with least squared error.

    ``network`` is folded; ``pictures`` are float ``(N, 3, H, W)``, some hundred: all activations of one layer are held
    at once.
    """
    inputs: dict[str, Scale] = {}
    sums: dict[str, Scale] = {}

    adding = adding_layers(network)

    def measure(name: str, _: nn.Module, seen: tuple[Tensor, ...], given: Tensor) -> None:
        inputs[name] = _best_scale(seen[0])
        if name in adding:
            sums[name] = _best_scale(given)

    hooks = [module.register_forward_hook(partial(measure, name)) for name, module in convolutions(network).items()]
    network(pictures)
    for hook in hooks:
        hook.remove()
    return inputs, sums


def _best_scale(values: Tensor) -> Scale:
    """The scale, out of some that cut off the ends, with least squared error; the zero point keeps 0 exact."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 1e-6)
    zero_point = round(-low / (high - low) * _LEVELS)
    scales = [cut * (high - low) / _LEVELS for cut in np.linspace(0.5, 1.0, 26).tolist()]
    held = (
        (values / scale).round_().add_(zero_point).clamp_(0, _LEVELS).sub_(zero_point).mul_(scale) for scale in scales
    )
    errors = [float((one - values).square_().mean()) for one in held]
    return Scale(scales[int(np.argmin(errors))], zero_point)


def _compared(validation: Mapping[str, Sequence[tuple[str, str, str]]]) -> list[Agreement]:
    """One row a set of (true text, read in fp32, read in int8), and one of all plates."""
    rows = {**validation, "all": list(chain.from_iterable(validation.values()))}
    return [
        Agreement(
            name,
            same=Rate.of(fp32 == int8 for _, fp32, int8 in texts),
            exact_fp32=Rate.of(fp32 == true for true, fp32, _ in texts),
            exact_int8=Rate.of(int8 == true for true, _, int8 in texts),
        )
        for name, texts in rows.items()
    ]
