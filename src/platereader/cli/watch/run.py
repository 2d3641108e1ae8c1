"""The loop of ``platereader watch`` over the frames of one source."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platereader._arrays import BgrImage
from platereader.cli.watch.events import End, Ended, Passages, Started
from platereader.cli.watch.reports import Report
from platereader.errors import CaptureError
from platereader.results import StreamUpdate, TrackedPlate
from platereader.video._stream import PlateStream

if TYPE_CHECKING:
    from tqdm import tqdm

    from platereader.cli.watch.saving import AnnotatedVideo, PassageCrops
    from platereader.cli.watch.server import LivePage
    from platereader.media._source import FrameSource

_POLL_INTERVAL_S = 0.05


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where all goes that is found in any source."""

    report: Report
    notify: Callable[[str], None]
    crops: PassageCrops | None
    everything: bool
    page: LivePage | None
    progress: tqdm[Any] | None


@dataclass(slots=True, eq=False)
class SourceRun:
    """One source and what follows its plates.

    Attributes:
        terminated: whether SIGTERM came, which cuts a source that has an end short and leaves nothing of its video.
        last_s: the time of the last frame.
        failed: whether the source was lost, broke off, was cut short or is damaged, or the video or a crop is not
            written.
    """

    source: FrameSource
    stream: PlateStream
    started: Started
    video: AnnotatedVideo | None
    outputs: Outputs
    terminated: Callable[[], bool]
    last_s: float = 0.0
    failed: bool = False
    _frames: int = 0
    _passages: Passages = field(init=False)

    def __post_init__(self) -> None:
        self._passages = Passages(self._save_crop, started=self.started, everything=self.outputs.everything)

    def run(self) -> None:
        """Watch until there are no more frames."""
        page, passages = self.outputs.page, self._passages
        if page is not None:
            page.state.begin(self.started)
        self.outputs.report.start(self.started)
        why = self._follow()
        final = self.stream.finish()
        self._report_events(final)
        if page is not None:
            page.state.end(final, why)
        name, dropped = self.source.name, self.source.dropped
        self.outputs.report.end(Ended(name, why, self._frames, dropped, passages.finished, passages.left_out))
        self.outputs.notify(f"{name}: frames: {self._frames}, dropped: {dropped}; passages: {passages.counts()}")
        if why == "stopped" and self.terminated() and not self.source.live:
            if self.video is not None:
                self.video.abandon()
            left = "before its end" if self.video is None else "nothing is left of its video of --save"
            self.outputs.notify(f"{name}: stopped by SIGTERM: {left}")
            self.failed = True
        else:
            self._save(None, final)

    def _follow(self) -> End:
        """Process all frames; returns why there are no more."""
        page = self.outputs.page
        try:
            for timestamp_s, frame in self.source:
                update = self.stream.update(frame, timestamp_s)
                self._frames += 1
                self.last_s = timestamp_s
                self._report_events(update)
                self._save(frame, update)
                if page is not None:
                    page.state.show(frame, update, dropped=self.source.dropped)
                    while page.state.paused and not self.source.stopped:
                        time.sleep(_POLL_INTERVAL_S)
                if self.outputs.progress is not None:
                    self.outputs.progress.update()
        except CaptureError as error:
            self.outputs.notify(str(error))
            self.failed = True
            return "failed"
        return "stopped" if self.source.stopped else "ended"

    def length_s(self) -> float:
        """From the first frame to the end of the last one."""
        from platereader.media._source import DEFAULT_FPS

        return self.last_s + 1 / (self.source.fps or DEFAULT_FPS)

    def _save(self, frame: BgrImage | None, update: StreamUpdate) -> None:
        """Add a frame to the video of --save, or finish it with None; when it cannot be written, go on without it."""
        if self.video is None:
            return
        try:
            if frame is None:
                self.video.close()
            else:
                self.video.add(frame, update)
        except OSError as error:
            self.outputs.notify(str(error))
            self.video = None
            self.failed = True

    def _save_crop(self, plate: TrackedPlate) -> Path | None:
        """The picture of a passage; when it cannot be written, the passage is reported without it."""
        try:
            return None if self.outputs.crops is None else self.outputs.crops.save(plate)
        except OSError as error:
            self.outputs.notify(str(error))
            self.failed = True
            return None

    def _report_events(self, update: StreamUpdate) -> None:
        for event in self._passages.events_of(update):
            if self.outputs.progress is not None:
                self.outputs.progress.clear()
            self.outputs.report.add(event)
