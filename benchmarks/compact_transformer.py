"""A reader of the size that fast-alpr takes by default, ``cct-xs-v1-global-model`` of fast-plate-ocr, untrained.

A compact convolutional transformer (Hassani et al., arXiv 2104.05704), after the published configuration: five
convolutions without padding and two blurred max poolings, 65 tokens of 2 x 2 positions, four transformer layers 64 wide
with dynamic tanh for normalisation (arXiv 2503.10622), and nine learned queries that each give one character. It has
0.36 million parameters and takes uint8 ``(N, 64, 128, 3)`` RGB.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.fast_alpr import ALPHABET

SLOTS = 9

_WIDTH = 64
_PATCH = 2


class CompactTransformer(nn.Module):
    """From pictures to the probabilities ``(N, 9, 37)`` of each character."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *_layer(3, 32),
            BlurPool(32),
            *_layer(32, 48),
            *_layer(48, 64),
            BlurPool(64),
            *_layer(64, 80),
            *_layer(80, 96),
        )
        self.embed = nn.Linear(96 * _PATCH**2, _WIDTH)
        self.positions = nn.Parameter(torch.randn(65, _WIDTH) * 0.02)
        self.blocks = nn.ModuleList(Block() for _ in range(4))
        self.queries = nn.Parameter(torch.randn(SLOTS, _WIDTH) * 0.05)
        self.pool = Attention(heads=4)
        self.classify = nn.Linear(_WIDTH, len(ALPHABET))

    def forward(self, pictures: Tensor) -> Tensor:
        """uint8 ``(N, 64, 128, 3)`` to ``(N, 9, 37)``."""
        features = self.convolutions(pictures.permute(0, 3, 1, 2).float() / 255)  # (N, 96, 10, 26)
        patches = features.unflatten(3, (-1, _PATCH)).unflatten(2, (-1, _PATCH))  # (N, 96, 5, 2, 13, 2)
        tokens = patches.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)  # (N, 65, 384)
        tokens = functional.gelu(self.embed(tokens)) + self.positions
        for block in self.blocks:
            tokens = block(tokens)
        queries = self.queries.expand(tokens.shape[0], -1, -1)
        return torch.softmax(self.classify(self.pool(queries, tokens)), dim=-1)


class BlurPool(nn.Module):
    """Maximum of 2 x 2, then every second place of a 3 x 3 binomial blur."""

    kernel: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        row = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("kernel", torch.outer(row, row).expand(channels, 1, 3, 3).clone())

    def forward(self, features: Tensor) -> Tensor:
        """``(N, C, H, W)`` to half of it, rounded up."""
        highest = functional.max_pool2d(functional.pad(features, (0, 1, 0, 1)), 2, 1)
        height, width = features.shape[2:]
        around = functional.pad(highest, (width % 2, 1, height % 2, 1))
        return functional.conv2d(around, self.kernel, stride=2, groups=features.shape[1])


class Block(nn.Module):
    """One layer of the transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.before_attention, self.before_mlp = DynamicTanh(), DynamicTanh()
        self.attention = Attention(heads=1)
        self.mlp = nn.Sequential(nn.Linear(_WIDTH, _WIDTH), nn.GELU(), nn.Linear(_WIDTH, _WIDTH), nn.GELU())

    def forward(self, tokens: Tensor) -> Tensor:
        """``(N, T, 64)`` to the same."""
        normalised = self.before_attention(tokens)
        tokens = tokens + self.attention(normalised, normalised)
        mixed: Tensor = tokens + self.mlp(self.before_mlp(tokens))
        return mixed


class Attention(nn.Module):
    """Attention with heads as wide as the whole."""

    def __init__(self, *, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(_WIDTH, heads * _WIDTH) for _ in range(3))
        self.merge = nn.Linear(heads * _WIDTH, _WIDTH)

    def forward(self, queries: Tensor, tokens: Tensor) -> Tensor:
        """``(N, Q, 64)`` for ``(N, Q, 64)`` queries over ``(N, T, 64)`` tokens."""
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(queries), self.key(tokens), self.value(tokens))
        )
        weights = torch.softmax(query @ key.transpose(-1, -2) * _WIDTH**-0.5, dim=-1)
        merged: Tensor = self.merge((weights @ value).transpose(1, 2).flatten(2))
        return merged


class DynamicTanh(nn.Module):
    """Keeps activations in range without computing statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(0.5))
        self.weight, self.bias = nn.Parameter(torch.ones(_WIDTH)), nn.Parameter(torch.zeros(_WIDTH))

    def forward(self, tokens: Tensor) -> Tensor:
        """``(N, T, 64)`` to the same."""
        return torch.tanh(self.slope * tokens) * self.weight + self.bias


def _layer(inputs: int, outputs: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inputs, outputs, 3), nn.ReLU()
