"""The state behind the live page: the newest frame and the last passages, written by one thread, read by many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Condition
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader.cli.language import Language
from platereader.cli.watch.events import Started, is_reported
from platereader.media._drawing import draw_update
from platereader.results import StreamUpdate, TrackedPlate

MAX_PASSAGES = 100
"""Passages that are kept to be shown; older ones are forgotten."""

SHOWN_SIDE_PX = 1280
"""Longest side of the frame in the browser."""

_JPEG_QUALITY = 80

Phase: TypeAlias = Literal["running", "ended", "stopped", "failed"]
"""Frames come, there are no more, the user stopped them, or the source was lost."""

Draw: TypeAlias = Callable[[BgrImage, StreamUpdate], BgrImage]
"""Draws what a stream saw in a frame, on a copy of it."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A passage, whether it has gone, and the source in which it was seen."""

    plate: TrackedPlate
    gone: bool
    started: Started | None


class LiveState:
    """Takes what a stream saw, and hands it out as JSON and JPEG.

    Nothing is drawn or encoded before a request, and then in the thread of the request: a browser never delays the
    stream.

    Args:
        is_listed: whether a passage is, as far as it is known; those that are not only stand in the frame.
        draw: what draws the plates on a frame.
    """

    def __init__(self, *, is_listed: Callable[[TrackedPlate], bool] = is_reported, draw: Draw = draw_update) -> None:
        self._is_listed = is_listed
        self._draw = draw
        self._started: Started | None = None
        self._number = self._first_number = 0  # of the newest frame, and of those before its source
        self._first_id = self._last_id = 0  # each source numbers its passages from 1
        self._changed = Condition()
        self._newest: tuple[BgrImage, StreamUpdate] | None = None
        self._jpeg: tuple[int, bytes] = (0, b"")
        self._plates: dict[int, _Kept] = {}  # by first sight
        self._dropped = 0
        self._passages = 0
        self._phase: Phase = "running"
        self.paused: bool = False

    def begin(self, started: Started) -> None:
        """Take what the next source is, of which no frame has come."""
        with self._changed:
            self._started = started
            self._first_id = self._last_id
            self._first_number = self._number
            self._phase = "running"
            self._changed.notify_all()

    def show(self, frame: BgrImage, update: StreamUpdate, *, dropped: int = 0) -> None:
        """Take the next frame, which is kept and must not be written to afterwards; returns at once."""
        with self._changed:
            self._number += 1
            self._newest = (frame, update)
            self._dropped = dropped
            self._keep(update)
            self._changed.notify_all()

    def end(self, update: StreamUpdate, phase: Phase) -> None:
        """Take the last update; no frames come any more."""
        with self._changed:
            self._keep(update)
            self._phase = phase
            self._changed.notify_all()

    def stop(self) -> bool:
        """Say that the run has stopped, whatever became of it; returns whether that is news."""
        with self._changed:
            was_open = self._phase != "stopped"
            self._phase = "stopped"
            self._changed.notify_all()
            return was_open

    def wait_until_stopped(self, timeout_s: float) -> bool:
        """Whether the run stops within this time."""
        with self._changed:
            return self._changed.wait_for(self._is_stopped, timeout_s)

    def snapshot(self, language: Language | None = None) -> dict[str, Any]:
        """JSON-safe: what the page writes beside the picture; plates in view first, then newest first.

        Args:
            language: of ``shown_region``; everything else is data, and English.
        """
        told = language or Language()
        with self._changed:
            timestamp_s = 0.0 if self._newest is None else self._newest[1].timestamp_s
            newest_first = list(self._plates.items())[::-1]
            plates = sorted(newest_first, key=lambda item: item[1].gone)
            started = self._started
            return {
                "title": "" if started is None else started.source,
                "frame_count": None if started is None else started.frame_count,
                "at": None if started is None else started.iso_at(timestamp_s),
                "phase": self._phase,
                "paused": self.paused,
                "frame": self._number - self._first_number,
                "timestamp_s": float(timestamp_s),
                "dropped": self._dropped,
                "passages": self._passages,
                "plates": [_plate_dict(plate_id, kept, told) for plate_id, kept in plates],
            }

    def frame_jpeg(self, after: int, *, timeout_s: float) -> tuple[int, bytes] | None:
        """Number and JPEG of the newest frame, with its plates drawn; None when none after a number comes in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopped() or self._number > after, timeout_s)
            number, newest, done = self._number, self._newest, self._jpeg
        if newest is None or number <= after:
            return None
        if done[0] == number:
            return done
        encoded = (number, _jpeg(_shown(self._draw(*newest))))
        with self._changed:
            self._jpeg = max(self._jpeg, encoded)
        return encoded

    def crop_jpeg(self, plate_id: int) -> bytes | None:
        """The plate of the best reading of a passage as a JPEG; None when the passage is unknown or forgotten."""
        with self._changed:
            kept = self._plates.get(plate_id)
        return None if kept is None else _jpeg(kept.plate.best.evidence.plate.pixels)

    def _is_stopped(self) -> bool:
        return self._phase == "stopped"

    def _keep(self, update: StreamUpdate) -> None:
        for old, _ in update.joined:
            if self._plates.pop(self._first_id + old, None) is not None:
                self._passages -= 1
        self._keep_plates(update.active, gone=False)
        in_view = {self._first_id + plate.passage_id for plate in update.active}
        for plate_id, kept in self._plates.items():
            if not kept.gone and plate_id not in in_view:  # it may come back, and is not finished
                self._plates[plate_id] = replace(kept, gone=True)
        self._keep_plates(update.finished, gone=True)

    def _keep_plates(self, plates: Sequence[TrackedPlate], *, gone: bool) -> None:
        for plate in plates:
            plate_id = self._first_id + plate.passage_id
            self._last_id = max(self._last_id, plate_id)
            if self._is_listed(plate):
                self._passages += plate_id not in self._plates
                self._plates[plate_id] = _Kept(plate, gone, self._started)
            elif self._plates.pop(plate_id, None) is not None:
                self._passages -= 1
        while len(self._plates) > MAX_PASSAGES:
            finished = (plate_id for plate_id, kept in self._plates.items() if kept.gone)
            del self._plates[next(finished, next(iter(self._plates)))]


def _plate_dict(plate_id: int, kept: _Kept, language: Language) -> dict[str, Any]:
    plate, started = kept.plate, kept.started
    region = plate.region if plate.status == "read" else None
    return {
        **plate.to_row(),
        "id": plate_id,
        "source": None if started is None else started.source,
        "region": None if region is None else region.name,
        "shown_region": language.region(region, country=plate.country) or None,
        "gone": kept.gone,
        "first_seen_at": None if started is None else started.iso_at(plate.first_seen_s),
        "last_seen_at": None if started is None else started.iso_at(plate.last_seen_s),
    }


def _shown(frame: BgrImage) -> BgrImage:
    """The frame, shrunk to ``SHOWN_SIDE_PX`` where it is larger."""
    height, width = frame.shape[:2]
    scale = SHOWN_SIDE_PX / max(height, width)
    if scale >= 1:
        return frame
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def _jpeg(pixels: BgrImage) -> bytes:
    if pixels.size == 0:
        pixels = np.zeros((1, 1, 3), np.uint8)
    _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return encoded.tobytes()
