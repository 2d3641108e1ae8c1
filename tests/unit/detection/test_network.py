from __future__ import annotations

from pathlib import Path

import pytest
import torch

from platereader.detection._decode import cell_grid
from platereader.detection._network import PlateNetwork, network_from_file
from platereader.errors import WeightsCorruptError
from platereader.runtimes._tensors import write_tensors
from platereader.runtimes._torch import fuse_normalisation


@pytest.fixture
def network() -> PlateNetwork:
    """Random weights, with normalisation that has seen something."""
    torch.manual_seed(0)
    made = PlateNetwork().train()
    with torch.no_grad():
        for _ in range(3):
            made(torch.rand(4, 3, 64, 96))
    return made.eval()


@pytest.mark.parametrize("size", [(32, 32), (96, 160)])
def test_every_cell_says_sides_classes_and_corners(network: PlateNetwork, size: tuple[int, int]) -> None:
    outputs = network(torch.rand(2, 3, *size))
    cells = len(cell_grid(size)[0])
    assert [tuple(output.shape) for output in outputs] == [(2, 64, cells), (2, 2, cells), (2, 8, cells)]


@torch.no_grad()
def test_a_fresh_network_sees_no_plates(network: PlateNetwork) -> None:
    assert float(network(torch.rand(1, 3, 64, 96))[1].sigmoid().max()) < 0.02


@torch.no_grad()
def test_folded_normalisation_changes_nothing(network: PlateNetwork) -> None:
    pictures = torch.rand(2, 3, 64, 96)
    before = network(pictures)
    after = fuse_normalisation(network)(pictures)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in network.modules())
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_cells_stand_in_the_order_that_is_decoded(network: PlateNetwork) -> None:
    """What changes in the picture changes the outputs of the cells there most."""
    size, grey = (128, 192), torch.full((1, 3, 128, 192), 0.5)
    spot = grey.clone()
    spot[:, :, 90:100, 150:170] = torch.rand(3, 10, 20)
    change = (network(spot)[0] - network(grey)[0]).abs().sum(1)[0]  # (A,)
    centres = cell_grid(size)[0]
    fine = (size[0] // 8) * (size[1] // 8)
    for cells in (slice(0, fine), slice(fine, fine + fine // 4)):
        x, y = centres[cells][int(change[cells].argmax())]
        assert abs(x - 160) <= 24
        assert abs(y - 95) <= 24


def test_weights_of_another_network_are_named(tmp_path: Path) -> None:
    write_tensors(tmp_path / "other.safetensors", {"a": torch.zeros(1)})
    with pytest.raises(WeightsCorruptError, match="does not hold a plate detector's weights"):
        network_from_file(tmp_path / "other.safetensors")
