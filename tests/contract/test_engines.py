"""Every engine in every precision against torch in fp32: the same boxes, corners and texts, from any thread.

How far a corner of a box may lie off, in pixels of the frame, and the least share of equal texts, by precision:
``TOLERANCES``. The example pictures are looked at always, the development set where it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from platereader import Pipeline, PlateReading
from platereader._arrays import BgrImage
from platereader._geometry import iou_matrix
from platereader.lab.datasets import load_dataset
from platereader.media._images import read_image
from platereader.runtimes._options import ENGINES

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "pictures"
DEV = Path(__file__).resolve().parents[3] / "shared" / "data" / "dev" / "russian"
REFERENCE = ("torch", "fp32")
SPECS = [
    spec for engine, formats in ENGINES.items() for precision in formats if (spec := (engine, precision)) != REFERENCE
]
FEW_SPECS = [("torch", "bf16"), ("torch", "int8"), ("onnx", "int8"), ("openvino", "int8")]


@dataclass(frozen=True)
class Tolerance:
    """What a precision may change.

    Attributes:
        box_px: of a side of a box; pixels of a frame of 1280 px.
        within: least share of sides that lie within that.
        same_texts: least share of plates that both find and read as the same text.
    """

    box_px: float
    within: float = 1.0
    same_texts: float = 0.995

    def holds(self, distances: Sequence[float]) -> bool:
        """Whether enough sides are near enough, and none is off by a multiple."""
        near = np.mean([distance <= self.box_px for distance in distances])
        return bool(near >= self.within) and max(distances) <= 5 * self.box_px


TOLERANCES = {"fp32": Tolerance(0.05), "bf16": Tolerance(1.0, within=0.97), "int8": Tolerance(2.0, within=0.95)}


def example_frames() -> list[BgrImage]:
    return [read_image(path) for path in sorted(EXAMPLES.glob("*.jpg"))]


@pytest.fixture(scope="module")
def on_examples() -> list[list[PlateReading]]:
    return readings(Pipeline.build(engine="torch", precision="fp32"), example_frames())


@pytest.fixture
def quick_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions in bf16 in the time of fp32: on CPUs without such instructions torch's own take ten times as long.

    Products of bf16 numbers are exact in fp32 and are added up in it, as the instructions do; only the sum is rounded.
    """
    original = nn.Conv2d.forward

    def forward(layer: nn.Conv2d, batch: Tensor) -> Tensor:
        if batch.dtype != torch.bfloat16:
            return original(layer, batch)
        bias = None if layer.bias is None else layer.bias.float()
        exact: Tensor = layer._conv_forward(batch.float(), layer.weight.float(), bias)
        return exact.bfloat16()

    monkeypatch.setattr(nn.Conv2d, "forward", forward)


def readings(pipeline: Pipeline, frames: Sequence[BgrImage]) -> list[list[PlateReading]]:
    return [pipeline.read(frame) for frame in frames]


def pairs(
    wanted: Sequence[PlateReading], found: Sequence[PlateReading]
) -> list[tuple[PlateReading, PlateReading | None]]:
    """Each wanted reading with the found one whose box overlaps it most, if any does by half."""
    ours, theirs = (
        np.array([one.detection.box.to_tuple() for one in some if one.detection], np.float32).reshape(-1, 4)
        for some in (wanted, found)
    )
    overlaps = iou_matrix(ours, theirs)
    return [
        (one, found[int(row.argmax())] if row.size and row.max() > 0.5 else None)
        for one, row in zip(wanted, overlaps, strict=True)
    ]


def compared(
    wanted: Sequence[Sequence[PlateReading]], pipeline: Pipeline, frames: Sequence[BgrImage]
) -> tuple[list[float], list[bool]]:
    """Distances of the sides of boxes of legible plates in pixels, and whether the texts of read ones are equal."""
    distances: list[float] = []
    same: list[bool] = []
    for frame, expected in zip(frames, wanted, strict=True):
        for one, other in pairs([one for one in expected if one.text is not None], pipeline.read(frame)):
            if one.status == "read":
                same.append(other is not None and other.text == one.text)
            if other is not None and one.detection is not None and other.detection is not None:
                sides = zip(one.detection.box.to_tuple(), other.detection.box.to_tuple(), strict=True)
                distances += [abs(a - b) * 1280 / max(frame.shape) for a, b in sides]
    return distances, same


@pytest.mark.parametrize(("engine", "precision"), SPECS)
def test_the_example_pictures_read_the_same(engine: str, precision: str, on_examples: list[list[PlateReading]]) -> None:
    pipeline = Pipeline.build(engine=engine, precision=precision)
    distances, same = compared(on_examples, pipeline, example_frames())
    assert len(same) >= 6
    assert all(same)
    assert np.median(distances) <= TOLERANCES[precision].box_px  # of a few plates; shares are of the development set


@pytest.mark.slow
@pytest.mark.skipif(not DEV.is_dir(), reason="the development set is not beside the repository")
@pytest.mark.usefixtures("quick_bf16")
def test_the_development_set_reads_the_same() -> None:
    """One test for all, so that each picture is decoded, and read in fp32, once."""
    reference = Pipeline.build(engine=REFERENCE[0], precision=REFERENCE[1])
    pipelines = {spec: Pipeline.build(engine=spec[0], precision=spec[1]) for spec in SPECS}
    found: dict[tuple[str, str], tuple[list[float], list[bool]]] = {spec: ([], []) for spec in pipelines}
    for image in load_dataset(DEV).images:
        frame = read_image(image.path)
        expected = reference.read(frame)
        for spec, pipeline in pipelines.items():
            distances, same = compared([expected], pipeline, [frame])
            found[spec][0].extend(distances)
            found[spec][1].extend(same)
    for (engine, precision), (distances, same) in found.items():
        assert len(same) >= 100
        assert np.mean(same) >= TOLERANCES[precision].same_texts, (engine, precision)
        assert TOLERANCES[precision].holds(distances), (engine, precision)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU that torch can use")
def test_a_gpu_reads_the_same(on_examples: list[list[PlateReading]]) -> None:
    distances, same = compared(on_examples, Pipeline.build(device="cuda", precision="fp32"), example_frames())
    assert all(same)
    assert np.median(distances) <= TOLERANCES["bf16"].box_px  # torch's convolutions there are in TF32


def test_quick_convolutions_are_torchs(request: pytest.FixtureRequest) -> None:
    torch.manual_seed(0)
    layer, batch = nn.Conv2d(16, 8, 3, stride=2).bfloat16(), torch.randn(1, 16, 9, 9).bfloat16()
    with torch.inference_mode():
        own = layer(batch)
        request.getfixturevalue("quick_bf16")
        assert torch.allclose(layer(batch).float(), own.float(), rtol=2**-7, atol=1e-3)  # one rounding of bf16


@pytest.mark.usefixtures("quick_bf16")
@pytest.mark.parametrize(("engine", "precision"), FEW_SPECS)
def test_two_threads_with_two_frame_sizes_disturb_nothing(engine: str, precision: str) -> None:
    pipeline = Pipeline.build(engine=engine, precision=precision)
    frame = example_frames()[0]
    frames = [frame, np.asarray(cv2.resize(frame, None, fx=0.6, fy=0.8), np.uint8)]
    wanted = [pipeline.read(one) for one in frames]
    assert all(wanted)

    def work(number: int) -> bool:
        return all(pipeline.read(frames[number]) == wanted[number] for _ in range(6))

    with ThreadPoolExecutor(2) as threads:
        assert all(threads.map(work, range(2)))


@pytest.mark.usefixtures("quick_bf16")
@pytest.mark.parametrize(("engine", "precision"), FEW_SPECS)
def test_a_batch_reads_as_its_frames_do(engine: str, precision: str) -> None:
    pipeline = Pipeline.build(engine=engine, precision=precision)
    frames = example_frames()[:2]
    together, alone = pipeline.read_batch(frames), readings(pipeline, frames)
    assert any(alone)
    assert [[one.text for one in some] for some in together] == [[one.text for one in some] for some in alone]
