"""The loop of ``platereader watch`` over the frames of one source."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from platereader.cli.language import Language
from platereader.cli.watch.events import End, Ended, Passages, Started
from platereader.cli.watch.reports import Report
from platereader.errors import CaptureError, FileError

if TYPE_CHECKING:
    from platereader._arrays import BgrImage
    from platereader.cli.progress import Progress
    from platereader.cli.watch.saving import AnnotatedVideo
    from platereader.cli.watch.server import LivePage
    from platereader.media._source import FrameSource
    from platereader.results import StreamUpdate, TrackedPlate
    from platereader.video._stream import PlateStream

_POLL_INTERVAL_S = 0.05


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where all goes that is found in any source.

    Attributes:
        report: of the events, on stdout.
        notify: takes what is for stderr.
        save_crop: writes the picture of a plate that has gone.
        everything: whether all passages are reported.
        language: of the summary.
        page: the live one; None for none.
    """

    report: Report
    notify: Callable[[str], None]
    save_crop: Callable[[TrackedPlate], Path | None]
    everything: bool
    language: Language
    page: LivePage | None


class SourceRun:
    """One source and what follows its plates.

    Args:
        source: gives the frames.
        stream: a fresh one.
        started: says what the source is.
        video: gets the frames with the plates drawn on; None for none.
        outputs: get everything else.

    Attributes:
        last_s: the time of the last frame.
        failed: whether the source was lost, broke off or is damaged, or the video could not be written.
    """

    def __init__(
        self,
        source: FrameSource,
        stream: PlateStream,
        started: Started,
        *,
        video: AnnotatedVideo | None,
        outputs: Outputs,
    ) -> None:
        self.last_s: float = 0.0
        self.failed: bool = False
        self._source = source
        self._stream = stream
        self._started = started
        self._video = video
        self._outputs = outputs
        self._passages = Passages(outputs.save_crop, started=started, everything=outputs.everything)
        self._frames = 0
        self._progress: Progress | None = None

    def run(self, progress: Progress | None = None) -> None:
        """Watch until there are no more frames."""
        self._progress = progress
        page, passages = self._outputs.page, self._passages
        if page is not None:
            page.state.begin(self._started)
        self._outputs.report.start(self._started)
        why = self._follow()
        final = self._stream.finish()
        self._report_events(final)
        if page is not None:
            page.state.end(final, why)
        name, dropped = self._source.name, self._source.dropped
        self._outputs.report.end(Ended(name, why, self._frames, dropped, passages.finished, passages.left_out))
        language = self._outputs.language
        summary = language("{name}: frames: {frames}, dropped: {dropped}; passages: {passages}")
        told = passages.counts(language)
        self._outputs.notify(summary.format(name=name, frames=self._frames, dropped=dropped, passages=told))
        self._save(None, final)

    def _follow(self) -> End:
        """Process all frames; returns why there are no more."""
        page = self._outputs.page
        try:
            for timestamp_s, frame in self._source:
                update = self._stream.update(frame, timestamp_s)
                self._frames += 1
                self.last_s = timestamp_s
                self._report_events(update)
                self._save(frame, update)
                if page is not None:
                    page.state.show(frame, update, dropped=self._source.dropped)
                    self._wait_while_paused(page)
                if self._progress is not None:
                    self._progress.advance()
        except CaptureError as error:
            self._outputs.notify(str(error))
            self.failed = True
            return "failed"
        return "stopped" if self._source.stopped else "ended"

    def length_s(self) -> float:
        """From the first frame to the end of the last one."""
        from platereader.media._source import DEFAULT_FPS

        return self.last_s + 1 / (self._source.fps or DEFAULT_FPS)

    def _save(self, frame: BgrImage | None, update: StreamUpdate) -> None:
        """Add a frame to the video of --save, or finish it with None; when it cannot be written, go on without it."""
        if self._video is None:
            return
        try:
            if frame is None:
                self._video.close()
            else:
                self._video.add(frame, update)
        except FileError as error:
            self._outputs.notify(str(error))
            self._video = None
            self.failed = True

    def _report_events(self, update: StreamUpdate) -> None:
        for event in self._passages.events_of(update):
            if self._progress is not None:
                self._progress.clear()
            self._outputs.report.add(event)

    def _wait_while_paused(self, page: LivePage) -> None:
        while page.state.paused and not self._source.stopped:
            time.sleep(_POLL_INTERVAL_S)
