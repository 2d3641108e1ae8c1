"""The plate network against an ultralytics that answers in another form."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from platereader import EngineError
from platereader.detection.network import PlateNetwork


class _Yolo(nn.Module):
    """Gives what it was made with."""

    def __init__(self, raw: object) -> None:
        super().__init__()
        self.raw = raw

    def forward(self, pictures: Tensor) -> object:
        return self.raw


@pytest.mark.parametrize("raw", [[torch.zeros(1)], (torch.zeros(1), {}), {"boxes": torch.zeros(1)}])
def test_another_form_of_raw_outputs_names_the_version(raw: object) -> None:
    network = PlateNetwork()
    network.yolo = _Yolo(raw)
    with pytest.raises(EngineError, match=r"ultralytics \d+\.\d+\.\d+ gives .* install ultralytics 8.4"):
        network(torch.zeros(1, 3, 32, 32))
