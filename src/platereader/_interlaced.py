"""Interlaced pictures: their two fields of every other row show what moved at two places."""

from __future__ import annotations

import cv2
import numpy as np

from platereader._arrays import BgrImage

# Rows that differ from both neighbours in turn: this correlation of every second one is at most 0.17 on 840 photographs
# of plates and on noise of single pixels, and above 0.3 on nine in ten of those whose fields are 4 pixels apart.
_COMBED_ABOVE = 0.3
_FEWEST_ROWS = 12
# A frame is looked at in tiles of so many rows, every so many, and so many columns, of which every second one counts.
_ROWS, _STEP, _COLUMNS, _EVERY = 8, 64, 64, 2
# In a combed tile rows are like the second next ones and unlike the next ones, more than in noise, brick and blinds. Of
# 374 photographs 1 has so many such tiles; where fields are 4 to 16 px apart in a fifth of the picture, 227 of 240.
_ALIKE, _OPPOSED, _LEAST_ENERGY, _FEWEST_TILES, _LEAST_SHARE = 0.5, 0.6, 30.0, 6, 0.01


def is_combed(region: BgrImage) -> bool:
    """Whether even and odd rows of a plate show it at two places."""
    if len(region) < _FEWEST_ROWS:
        return False
    green = region[:, ::2, 1].astype(np.float32)
    comb = 2 * green[1:-1] - green[:-2] - green[2:]
    return float(np.vdot(comb[2:], comb[:-2])) > _COMBED_ABOVE * float(np.vdot(comb, comb))


def is_combed_somewhere(frame: BgrImage) -> bool:
    """Whether even and odd rows of a frame show something large, such as a car, at two places."""
    strips, across = (len(frame) - _ROWS) // _STEP + 1, frame.shape[1] // _COLUMNS
    if strips < 1 or across < 1:
        return False
    green = np.empty((strips, _ROWS, across * _COLUMNS // _EVERY), np.int16)
    for strip, top in zip(green, range(0, len(frame), _STEP), strict=False):
        strip[:] = frame[top : top + _ROWS, : across * _COLUMNS : _EVERY, 1]
    green = green.reshape(strips, _ROWS, across, -1)
    comb = (2 * green[:, 1:-1] - green[:, :-2] - green[:, 2:]).astype(np.float32)  # (S, R - 2, A, C)
    # Sums a row of each tile, of the square and of products with the next row and the one after that.
    own, near, far = (
        np.einsum("srac,srac->sa", comb[:, gap:], comb[:, : len(comb[0]) - gap]) / (len(comb[0]) - gap)
        for gap in range(3)
    )
    loud = own > _LEAST_ENERGY * green.shape[-1]
    combed = loud & (far > _ALIKE * own) & (-near > _OPPOSED * own)
    return bool(np.count_nonzero(combed) >= max(_FEWEST_TILES, _LEAST_SHARE * combed.size))


def one_field(picture: BgrImage) -> BgrImage:
    """The even rows, and what lies between them in the place of the odd ones."""
    even = picture[::2]
    below = np.concatenate((even[1:], even[-1:]))
    field: BgrImage = picture.copy()
    field[1::2] = cv2.addWeighted(even, 0.5, below, 0.5, 0.0)[: len(picture) // 2]
    return field
