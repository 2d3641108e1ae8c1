"""The two networks of Runoi/ANPR-System as parts of a pipeline: a YOLOv8n in a ``.pt`` file, a CRNN in a ``.pth`` file.

    python examples/anpr_system/anpr.py PICTURE --detector best.pt --reader crnn_ocr_model_best.pth

``--int8`` reads with ``crnn_ocr_model_int8_fx.pth``. A ``.pth`` is loaded as tensors and runs no code. A ``.pt`` of
ultralytics is a pickle of its network and may run any: pass one of your own, or its export to ONNX, which runs none.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from platereader import LogProbs, MissingDependencyError, Pipeline, PlateImage, read_image
from platereader.detection import UltralyticsDetector
from platereader.plates import RUSSIA, Alphabet

try:
    import torch
    from torch import Tensor, nn
except ModuleNotFoundError as error:
    print(f'{error.name} is not installed: pip install "platereader-anpr[torch,ultralytics]"', file=sys.stderr)
    sys.exit(3)

ALPHABET = Alphabet("0123456789ABCEHKMOPTXY")
SIZE_PX = (32, 128)


class Crnn(nn.Module):
    """8.7 million parameters, under the names that stand in the weight files."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = nn.Sequential(
            *(nn.Conv2d(1, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(128, 256, 3, padding=1), nn.BatchNorm2d(256), nn.ReLU()),
            *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d((2, 1))),
            *(nn.Conv2d(256, 512, 3, padding=1), nn.BatchNorm2d(512), nn.ReLU()),
            *(nn.Conv2d(512, 512, 3, padding=1), nn.ReLU(), nn.MaxPool2d((2, 1))),
        )
        self.rnn = nn.LSTM(1024, 256, num_layers=2, bidirectional=True, batch_first=True)
        self.classifier = nn.Linear(512, ALPHABET.size)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 1, 32, 128) to log probabilities (32, N, 23)."""
        columns = self.cnn(pictures).flatten(1, 2).transpose(1, 2)  # (N, 32, 1024)
        return cast(Tensor, self.classifier(self.rnn(columns)[0])).transpose(0, 1).log_softmax(2)


def network_input(plates: Sequence[np.ndarray[Any, Any]]) -> Tensor:
    """BGR pictures as float32 (N, 1, 32, 128), grey, -1 to 1, stretched without regard to their aspect."""
    grey = [cv2.cvtColor(plate, cv2.COLOR_BGR2GRAY) for plate in plates]
    sized = [cv2.resize(one, SIZE_PX[::-1], interpolation=cv2.INTER_AREA) for one in grey]
    return torch.from_numpy(np.stack(sized)[:, None].astype(np.float32) / 127.5 - 1)


def load_crnn(path: Path, *, int8: bool = False) -> nn.Module:
    """The network with the weights of a file, which are tensors: no code in it is run."""
    network: nn.Module = Crnn().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.ao is deprecated: it is what made the int8 file
        if int8:
            network = quantized(network)
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network


def quantized(network: nn.Module, calibration: Sequence[Tensor] = ()) -> nn.Module:
    """The network in int8 but for its LSTM, as FX makes it for x86; scales come from a file, or ``calibration``."""
    from torch.ao import quantization
    from torch.ao.quantization import quantize_fx

    settings = cast("Any", quantization).get_default_qconfig_mapping("fbgemm")
    prepared = cast("Any", quantize_fx).prepare_fx(network, settings, (torch.zeros(1, 1, *SIZE_PX),))
    for pictures in calibration:
        prepared(pictures)
    return cast(nn.Module, cast("Any", quantize_fx).convert_fx(prepared))


class CrnnRecognizer:
    """Reads straightened plates, all of a call at once."""

    alphabet = ALPHABET

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    def recognize(self, plates: Sequence[PlateImage]) -> LogProbs:
        """float32 (N, 32, 23)."""
        with torch.inference_mode():
            log_probs = self._network(network_input([plate.pixels for plate in plates]))
        return cast(LogProbs, log_probs.transpose(0, 1).contiguous().numpy())


def pipeline_of(detector: Path, reader: Path, *, int8: bool = False) -> Pipeline:
    """Both networks with our straightening, decoding and trust; without D there are no diplomatic plates."""
    formats = tuple(one for one in RUSSIA.formats if one.characters <= set(ALPHABET.characters))
    found = detector if detector.suffix == ".onnx" else UltralyticsDetector(detector, trust_pickle=True)
    recognizer = CrnnRecognizer(load_crnn(reader, int8=int8))
    return Pipeline.build(detector=found, recognizer=recognizer, schemes=[replace(RUSSIA, formats=formats)])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--detector", type=Path, required=True)
    parser.add_argument("--reader", type=Path, required=True)
    parser.add_argument("--int8", action="store_true")
    chosen = parser.parse_args(arguments)
    try:
        pipeline = pipeline_of(chosen.detector, chosen.reader, int8=chosen.int8)
    except MissingDependencyError as error:  # of ultralytics, which a detector in ONNX does not need
        print(error, file=sys.stderr)
        sys.exit(3)
    for reading in pipeline.read(read_image(chosen.picture)):
        print(reading.text, reading.status, reading.confidence)


if __name__ == "__main__":
    main()
