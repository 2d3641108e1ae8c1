"""The plate detector's network: YOLOv8n with a four-corner pose head, run raw.

The head's own inference path caches anchors on the module and is not safe to share between threads; here the head only
convolves, and ``detection.decode`` does the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import torch
from torch import Tensor, nn

from platereader.errors import EngineError, WeightsCorruptError
from platereader.runtimes.quiet_import import import_ultralytics
from platereader.runtimes.tensors import read_tensors

CLASSES: Final = 2
"""Class 0 is a plate with one line of text, class 1 one with two."""

CORNERS: Final = 4
"""Corners per plate: top left, top right, bottom right, bottom left."""

_OUTPUTS: Final = frozenset({"boxes", "scores", "kpts"})
_CORNER_CHANNELS = 32
_BACKBONE: Final = [
    [-1, 1, "Conv", [64, 3, 2]],
    [-1, 1, "Conv", [128, 3, 2]],
    [-1, 3, "C2f", [128, True]],
    [-1, 1, "Conv", [256, 3, 2]],
    [-1, 6, "C2f", [256, True]],
    [-1, 1, "Conv", [512, 3, 2]],
    [-1, 6, "C2f", [512, True]],
    [-1, 1, "Conv", [1024, 3, 2]],
    [-1, 3, "C2f", [1024, True]],
    [-1, 1, "SPPF", [1024, 5]],
]
_HEAD: Final = [
    [-1, 1, "nn.Upsample", [None, 2, "nearest"]],
    [[-1, 6], 1, "Concat", [1]],
    [-1, 3, "C2f", [512]],
    [-1, 1, "nn.Upsample", [None, 2, "nearest"]],
    [[-1, 4], 1, "Concat", [1]],
    [-1, 3, "C2f", [256]],
    [-1, 1, "Conv", [256, 3, 2]],
    [[-1, 12], 1, "Concat", [1]],
    [-1, 3, "C2f", [512]],
    [-1, 1, "Conv", [512, 3, 2]],
    [[-1, 9], 1, "Concat", [1]],
    [-1, 3, "C2f", [1024]],
    [[15, 18, 21], 1, "Pose", ["nc", "kpt_shape"]],
]


class PlateNetwork(nn.Module):
    """YOLOv8n (Jocher et al., 2023) with two classes and four corners, without ultralytics' decoding.

    Built with random weights; ``load_state_dict`` or ``network_from_file`` fill them.
    """

    def __init__(self) -> None:
        super().__init__()
        tasks = import_ultralytics("ultralytics.nn.tasks")
        plan: dict[str, Any] = {
            "nc": CLASSES,
            "kpt_shape": [CORNERS, 2],
            "scale": "n",
            "scales": {"n": [0.33, 0.25, 1024]},
            "backbone": [list(row) for row in _BACKBONE],
            "head": [list(row) for row in _HEAD],
        }
        self.yolo: Any = tasks.PoseModel(plan, ch=3, nc=CLASSES, verbose=False)
        head = self.yolo.model[-1]
        # The stock corner branch has 16 channels at this scale, too narrow for corners to a few percent of the width.
        head.cv4 = nn.ModuleList(_corner_branch(cast("nn.Sequential", branch)) for branch in head.cv4)
        self.train(self.training)

    def train(self, mode: bool = True) -> PlateNetwork:
        """Switch normalisation between training and inference; the head always gives its raw outputs."""
        super().train(mode)
        self.yolo.model[-1].training = True
        return self

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run the network.

        Args:
            pictures: float32 ``(N, 3, H, W)``, RGB, 0 to 1; H and W multiples of 32.

        Returns:
            Raw outputs over the A cells of all levels, finest first: box side logits ``(N, 4 * BINS, A)``, class logits
            ``(N, CLASSES, A)``, corner offsets ``(N, 2 * CORNERS, A)``.

        Raises:
            EngineError: the installed ultralytics gives its raw outputs in another form.
        """
        raw: object = self.yolo(pictures)
        kind = type(raw).__name__
        outputs = cast("dict[str, Tensor]", raw) if isinstance(raw, dict) else {}
        if not outputs.keys() >= _OUTPUTS:
            version = import_ultralytics("ultralytics").__version__
            raise EngineError(
                f"ultralytics {version} gives the raw outputs of its pose head as {kind}, not as a dict of "
                f"{', '.join(sorted(_OUTPUTS))}: install ultralytics 8.4 or later."
            )
        return outputs["boxes"], outputs["scores"], outputs["kpts"]


def network_from_file(path: Path) -> PlateNetwork:
    """The network in inference mode, with the weights of a safetensors file.

    Raises:
        WeightsCorruptError: the file is not safetensors or holds another network.
    """
    return network_from_state(read_tensors(path), name=str(path))


def network_from_state(tensors: Mapping[str, Tensor], *, name: str) -> PlateNetwork:
    """The network in inference mode, with given weights of any float type.

    Args:
        tensors: the state dict.
        name: how an error calls it.

    Raises:
        WeightsCorruptError: names or shapes are those of another network.
    """
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, and thrown away
        network = PlateNetwork()
    state = {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise WeightsCorruptError(f"{name} does not hold a plate detector's weights ({reason}).") from error
    return network.eval()


def fuse_normalisation(network: PlateNetwork) -> PlateNetwork:
    """Fold every batch normalisation into its convolution, in place; same outputs, fewer passes over memory."""
    for module in network.yolo.modules():
        norm = getattr(module, "bn", None)
        if isinstance(norm, nn.BatchNorm2d) and isinstance(module.conv, nn.Conv2d):
            module.conv = nn.utils.fusion.fuse_conv_bn_eval(module.conv, norm)
            module.bn = nn.Identity()
    return network


def _corner_branch(stock: nn.Sequential) -> nn.Sequential:
    """A wider corner branch on the same input as the stock one."""
    conv = import_ultralytics("ultralytics.nn.modules").Conv
    first = cast("Any", stock[0])
    channels = int(first.conv.in_channels)
    layers = conv(channels, _CORNER_CHANNELS, 3), conv(_CORNER_CHANNELS, _CORNER_CHANNELS, 3)
    return nn.Sequential(*layers, nn.Conv2d(_CORNER_CHANNELS, 2 * CORNERS, 1))
