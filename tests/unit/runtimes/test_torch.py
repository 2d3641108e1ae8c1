from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from platereader.errors import EngineError
from platereader.runtimes._torch import TorchRuntime


class _Two(nn.Module):
    """Two outputs, one through a batch normalisation that differs between training and inference."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.norm(self.conv(batch))
        return hidden, hidden.mean((2, 3))


def _batch(rows: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(0).random((rows, 3, 8, 12), np.float32)


def test_outputs_are_float32_arrays_with_a_row_per_picture() -> None:
    hidden, mean = TorchRuntime(_Two()).run(_batch(3))
    assert (hidden.shape, mean.shape) == ((3, 4, 8, 12), (3, 4))
    assert hidden.dtype == mean.dtype == np.float32


def test_single_tensor_becomes_a_tuple_of_one() -> None:
    (output,) = TorchRuntime(nn.Conv2d(3, 2, 1)).run(_batch(2))
    assert output.shape == (2, 2, 8, 12)


def test_rows_do_not_depend_on_their_batch() -> None:
    runtime, batch = TorchRuntime(_Two()), _batch(3)
    np.testing.assert_allclose(runtime.run(batch)[0][1:2], runtime.run(batch[1:2])[0], atol=1e-6)


def test_strided_input_is_read_right() -> None:
    runtime, batch = TorchRuntime(_Two()), _batch(2)
    np.testing.assert_allclose(runtime.run(batch[:, :, :, ::-1])[0], runtime.run(batch[:, :, :, ::-1].copy())[0])


def test_bf16_is_close_to_fp32() -> None:
    torch.manual_seed(0)
    module = _Two()
    exact = TorchRuntime(module).run(_batch(2))[0]
    np.testing.assert_allclose(TorchRuntime(module, precision="bf16").run(_batch(2))[0], exact, atol=0.05)


def test_describes_itself() -> None:
    runtime = TorchRuntime(nn.Identity(), precision="bf16")
    assert (runtime.engine, runtime.precision, runtime.threads) == ("torch", "bf16", torch.get_num_threads())


def test_unknown_precision_is_refused() -> None:
    with pytest.raises(EngineError, match=r"'int8'.*bf16"):
        TorchRuntime(nn.Identity(), precision="int8")


def test_works_in_a_thread_with_gradients_off_only_inside() -> None:
    runtime, kept = TorchRuntime(_Two()), list[bool]()

    def work() -> None:
        runtime.run(_batch(1))
        kept.append(torch.is_grad_enabled())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert kept == [True]
