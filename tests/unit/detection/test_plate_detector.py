from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from detector_outputs import FakeRuntime, Wanted, encode
from numpy.typing import NDArray
from torch import nn

from platereader.detection._network import PlateNetwork
from platereader.detection._plate_detector import PlateDetector
from platereader.errors import EngineError, InvalidArgumentError, WeightsCorruptError, WeightsNotFoundError
from platereader.results import Detection
from platereader.runtimes._tensors import write_tensors
from platereader.runtimes._torch import TorchRuntime, fuse_normalisation

_CORNERS = np.array([[42, 30], [100, 34], [99, 52], [40, 47]], np.float32)


def _fake(*plates: Wanted, size: tuple[int, int] = (96, 160)) -> FakeRuntime:
    return FakeRuntime(encode(plates, size=size))


def _frame(height: int, width: int, *, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def network() -> PlateNetwork:
    """Random weights that see plates everywhere."""
    torch.manual_seed(0)
    made = PlateNetwork().eval()
    with torch.no_grad():
        for head in made.heads:
            last = cast("nn.Sequential", head)[-1]
            last.get_parameter("bias")[64:66].fill_(-1.0)
            last.get_parameter("weight")[64:66].mul_(50)
    return made


@pytest.fixture(scope="module")
def detector(network: PlateNetwork) -> PlateDetector:
    return PlateDetector(TorchRuntime(network), input_size=160, min_score=0.3, max_iou=0.3)


def test_plate_is_given_in_pixels_of_the_frame() -> None:
    runtime = _fake(Wanted((40, 30, 100, 52), _CORNERS, line_class=1))
    (found,) = PlateDetector(runtime, input_size=160).detect([_frame(288, 480)])
    assert runtime.shapes == [(1, 3, 96, 160)]
    np.testing.assert_allclose(found[0].box.to_tuple(), (120, 90, 300, 156), atol=0.05)
    assert found[0].corners is not None
    np.testing.assert_allclose(found[0].corners.to_array(), _CORNERS * 3, atol=0.05)
    assert found[0].lines == 2
    assert found[0].score == pytest.approx(1 / (1 + np.exp(-5)))


def test_box_is_kept_inside_and_corners_may_leave_the_frame() -> None:
    outside = np.array([[-8, 30], [60, 30], [60, 50], [-8, 50]], np.float32)
    runtime = _fake(Wanted((-8, 30, 60, 50), outside))
    (found,) = PlateDetector(runtime, input_size=160).detect([_frame(96, 160)])
    assert found[0].box.x1 == 0
    assert found[0].corners is not None
    assert found[0].corners.top_left[0] == pytest.approx(-8, abs=0.05)


def test_wild_corners_are_held_near_their_box() -> None:
    runtime = _fake(Wanted((40, 30, 100, 52), _CORNERS + np.float32(1e6)))
    (found,) = PlateDetector(runtime, input_size=160).detect([_frame(96, 160)])
    assert found[0].corners is not None
    assert found[0].corners.box.x2 <= 161


def test_plate_in_the_border_is_no_plate() -> None:
    runtime = _fake(Wanted((40, 89, 100, 95), _CORNERS, stride=8))
    assert PlateDetector(runtime, input_size=160).detect([_frame(80, 160)]) == [[]]


def test_best_comes_first_and_weak_ones_can_be_asked_for() -> None:
    runtime = _fake(
        Wanted((10, 30, 50, 50), _CORNERS, logit=-2), Wanted((100, 30, 140, 50), _CORNERS, logit=2, stride=8)
    )
    detector = PlateDetector(runtime, input_size=160)
    assert len(detector.detect([_frame(96, 160)])[0]) == 1
    scores = [found.score for found in replace(detector, min_score=0.05).detect([_frame(96, 160)])[0]]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 2


def test_frames_of_one_shape_share_a_batch_of_at_most_eight() -> None:
    runtime = _fake(size=(96, 160))
    PlateDetector(runtime, input_size=160).detect([_frame(96, 160)] * 10)
    assert [shape[0] for shape in runtime.shapes] == [8, 2]


def _close(first: list[Detection], second: list[Detection]) -> None:
    assert len(first) == len(second) > 0
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one.box.to_tuple(), other.box.to_tuple(), atol=0.01)
        assert one.score == pytest.approx(other.score, abs=1e-4)


def test_mixed_frames_come_back_in_order_and_do_not_depend_on_each_other(detector: PlateDetector) -> None:
    frames = [_frame(100, 160, seed=1), _frame(160, 90, seed=2), _frame(100, 160, seed=3), _frame(5, 7, seed=4)]
    together = detector.detect(frames)
    assert len(together) == 4
    for frame, found in zip(frames[:3], together[:3], strict=True):
        _close(found, detector.detect([frame])[0])


def test_two_threads_with_two_sizes_get_what_one_thread_gets(detector: PlateDetector) -> None:
    frames = [_frame(96, 160, seed=5), _frame(160, 128, seed=6)]
    expected = [detector.detect([frame])[0] for frame in frames]
    found: list[tuple[int, list[Detection]]] = []
    together = threading.Barrier(2)

    def work(index: int) -> None:
        together.wait()
        found.extend((index, detector.detect([frames[index]])[0]) for _ in range(12))

    threads = [threading.Thread(target=work, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 24
    for index, detections in found:
        _close(detections, expected[index])


def test_frames_are_not_written_to(detector: PlateDetector) -> None:
    frame = _frame(96, 160)
    frame.setflags(write=False)
    assert detector.detect([frame[:, ::-1]])


def test_weights_from_a_half_precision_file(network: PlateNetwork, detector: PlateDetector, tmp_path: Path) -> None:
    state = {
        name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in network.state_dict().items()
    }
    write_tensors(tmp_path / "w.safetensors", state)
    settings = {"input_size": 160, "min_score": 0.3, "max_iou": 0.3}
    loaded = PlateDetector.from_file(tmp_path / "w.safetensors", settings=settings)
    frame = _frame(96, 160)
    best, expected = loaded.detect([frame])[0][0], detector.detect([frame])[0][0]
    assert best.score == pytest.approx(expected.score, abs=0.02)
    np.testing.assert_allclose(best.box.to_tuple(), expected.box.to_tuple(), atol=1)


def test_folded_normalisation_gives_the_same_outputs(network: PlateNetwork) -> None:
    torch.manual_seed(0)
    folded = PlateNetwork()
    folded.load_state_dict(network.state_dict())
    fuse_normalisation(folded.eval())
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    picture = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        for one, other in zip(network(picture), folded(picture), strict=True):
            torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-3)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    write_tensors(tmp_path / "w", {"a": torch.zeros(1)})
    with pytest.raises(WeightsCorruptError, match="does not hold a plate detector"):
        PlateDetector.from_file(tmp_path / "w")


def test_missing_and_damaged_weights(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFoundError):
        PlateDetector.from_file(tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(WeightsCorruptError):
        PlateDetector.from_file(tmp_path / "bad.safetensors")


def test_unknown_precision(network: PlateNetwork, tmp_path: Path) -> None:
    write_tensors(tmp_path / "w", network.state_dict())
    with pytest.raises(EngineError):
        PlateDetector.from_file(tmp_path / "w", precision="int4")


@pytest.mark.parametrize("settings", [{"size": 3}, {"min_score": "high"}, {"input_size": 100}, {"max_iou": 2.0}])
def test_bad_settings(network: PlateNetwork, tmp_path: Path, settings: dict[str, object]) -> None:
    write_tensors(tmp_path / "w", network.state_dict())
    with pytest.raises(InvalidArgumentError, match="allowed"):
        PlateDetector.from_file(tmp_path / "w", settings=settings)
