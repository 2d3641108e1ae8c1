"""Passages that were not read, as strips of their frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader.lab.suites.labelled.failures import clear_pictures, cut, write_picture
from platereader.lab.suites.video.outcomes import PassageOutcome
from platereader.lab.synthesis.video.clip import VideoFrame
from platereader.lab.synthesis.video.clips import clip
from platereader.lab.synthesis.video.material import Material

_TILES = 8
_TILE_PX = (200, 100)
_CAPTION_PX = 20
_MARGIN = 0.5


def draw_failures(
    failures: Sequence[PassageOutcome],
    material: Material,
    folder: Path,
    *,
    on_clip: Callable[[], object] = lambda: None,
) -> None:
    """Make the clips of ``VideoReport.failures`` anew and write a strip for each passage; earlier strips go."""
    clear_pictures(folder)
    for name, group in groupby(failures, key=lambda one: one.clip):
        frames = list(clip(name, material).frames())
        for failure in group:
            strip = _strip(frames, failure)
            write_picture(folder / f"{name.replace(' ', '_')}_{failure.passage}.jpg", strip)
        on_clip()


def _strip(frames: Sequence[VideoFrame], failure: PassageOutcome) -> BgrImage:
    """The plate in up to eight frames in which it is in view, and the answer."""
    seen = [(frame, one) for frame in frames for one in frame.plates if one.passage == failure.passage and one.visible]
    places: list[float] = np.linspace(0, len(seen) - 1, min(_TILES, len(seen))).tolist()
    chosen = [seen[round(place)] for place in places]
    tiles: list[BgrImage] = []
    for frame, plate in chosen:
        box = plate.box.padded(_MARGIN * plate.box.width / 2, _MARGIN * plate.box.width / 4)
        crop = cut(frame.pixels, box.clipped(frame.pixels.shape[1], frame.pixels.shape[0]) or box)
        tiles.append(cast(BgrImage, cv2.resize(crop, _TILE_PX, interpolation=cv2.INTER_CUBIC)))
    strip = np.full((_TILE_PX[1] + _CAPTION_PX, _TILES * _TILE_PX[0], 3), 255, np.uint8)
    strip[_CAPTION_PX:, : _TILE_PX[0] * len(tiles)] = np.hstack(tiles)
    fused = f"{failure.answer or '-'} {failure.status or 'not found'} {failure.confidence:.2f}"
    counts = f"{failure.right} of {failure.visible} frames right, {failure.legible} legible, {failure.tracks} tracks"
    line = f"{failure.clip}: {failure.text}   fused: {fused}    majority: {failure.majority or '-'}   {counts}"
    cv2.putText(strip, line, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return strip
