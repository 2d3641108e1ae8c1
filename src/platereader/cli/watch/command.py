"""Options of ``platereader watch``, and the loop that they stand for."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import platereader
from platereader.cli.exits import EXIT_FAILED_INPUTS, EXIT_OK
from platereader.cli.parts import add_part_options, build_pipeline, reads_several_countries
from platereader.cli.progress import Progress
from platereader.cli.watch.events import End, Ended, Passages, Started
from platereader.cli.watch.reports import CsvReport, JsonReport, Report, TableReport
from platereader.cli.watch.stopping import stopping_by_key, stopping_by_signal
from platereader.errors import CaptureError, FileError, InvalidArgumentError

if TYPE_CHECKING:
    from platereader._arrays import BgrImage
    from platereader.cli.watch.saving import AnnotatedVideo
    from platereader.cli.watch.server import LivePage
    from platereader.media._source import FrameSource
    from platereader.pipeline import Pipeline
    from platereader.results import StreamUpdate
    from platereader.video._stream import PlateStream

EXAMPLES = """examples:
  platereader watch gate.mp4                              a table of the plates in a video, each passage once
  platereader watch gate.mp4 --json > events.jsonl        one line of JSON for each event
  platereader watch gate.mp4 --save marked.mp4            a copy with the plates drawn on
  platereader watch frames/ --fps 10                      a folder of pictures, taken 10 times a second
  platereader watch 0 --view                              the first webcam, and a page in the browser
  platereader watch rtsp://user:password@camera/stream --csv >> passages.csv

q, Ctrl-C or SIGTERM stops: what is in view is then reported, and the video of --save is finished.
Plates go to stdout only, everything else to stderr, and passwords in an address to neither.
exit status: 0 the source has ended or was stopped, 1 it was lost, broke off or some of its pictures are damaged
(what was seen is reported), or the video of --save cannot be written, 2 wrong options, 3 the source cannot be
opened, or weights are missing or damaged, 130 a second Ctrl-C.
"""

_POLL_INTERVAL_S = 0.05
_LAST_REQUEST_TIMEOUT_S = 3.0


def add_watch_command(parser: argparse.ArgumentParser) -> None:
    """Describe the options of ``platereader watch``."""
    parser.add_argument(
        "source", metavar="SOURCE", help="a video, a folder of pictures, the number of a webcam, or an rtsp:// address"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one line of JSON per event instead of a table")
    form.add_argument("--csv", action="store_true", help="print CSV instead of a table: one row per passage")
    parser.add_argument(
        "--all",
        action="store_true",
        help="report all passages, also those that read differently in every frame: pieces of plates, signs, grilles",
    )
    parser.add_argument("--save", type=Path, metavar="VIDEO.mp4", help="write a video with the plates drawn on")
    parser.add_argument(
        "--quality",
        type=int,
        metavar="CRF",
        help="of --save, 0 (nothing is lost) to 51, as x264 counts (default: 23, within 1.3 times the source's size)",
    )
    parser.add_argument("--save-crops", type=Path, metavar="DIR", help="write the best picture of each passage's plate")
    parser.add_argument(
        "--fps", type=float, help="frames per second of a folder (default: 25), or of a video whose own times are wrong"
    )
    parser.add_argument(
        "--reconnect-limit",
        type=int,
        metavar="N",
        help="give a lost camera up after this many failed attempts in a row (default: never)",
    )
    parser.add_argument(
        "--detect-every",
        type=int,
        default=1,
        metavar="N",
        help="look for plates in every Nth frame; between them their places are predicted (default: 1)",
    )
    parser.add_argument("--view", action="store_true", help="serve a live page to the browser of this machine")
    parser.add_argument("--port", type=int, metavar="N", help="port of the live page (default: a free one)")
    add_part_options(parser)
    parser.set_defaults(run=run_watch)


def run_watch(arguments: argparse.Namespace) -> int:
    """Follow the plates of one source until it ends or is stopped."""
    # OpenCV writes to stderr by itself. The variable can still be set to find a fault.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    from platereader.media._opening import open_source

    if arguments.port is not None and not arguments.view:
        raise InvalidArgumentError("--port is for the live page: add --view.")
    progress: list[Progress] = []

    def notify(message: str) -> None:
        for bar in progress:
            bar.clear()
        print(f"platereader: {message}", file=sys.stderr)

    with ExitStack() as stack:
        source = open_source(
            arguments.source, fps=arguments.fps, reconnect_limit=arguments.reconnect_limit, notify=notify
        )
        stack.callback(source.close)
        watch = _WatchRun(source, build_pipeline(arguments), arguments, notify, stack)
        if source.frame_count is not None:
            progress.append(stack.enter_context(Progress(source.frame_count, unit="frame")))
        return watch.run(*progress)


def open_stream(pipeline: Pipeline, arguments: argparse.Namespace) -> PlateStream:
    """The stream that the options ask for."""
    from platereader.video._stream import StreamSettings

    return pipeline.stream(StreamSettings(detect_every=arguments.detect_every))


class _WatchRun:
    """One source, what follows its plates, and all reports about them."""

    def __init__(
        self,
        source: FrameSource,
        pipeline: Pipeline,
        arguments: argparse.Namespace,
        notify: Callable[[str], None],
        stack: ExitStack,
    ) -> None:
        from platereader.cli.watch.saving import PassageCrops

        self.source = source
        self.stream = open_stream(pipeline, arguments)
        self.notify = notify
        self.started = _started(source)
        self.report = _report(arguments)
        crops = None if arguments.save_crops is None else PassageCrops(arguments.save_crops)
        self.passages = Passages(crops.save if crops is not None else _no_crop, everything=arguments.all)
        several = reads_several_countries(pipeline)
        self.video = _video(arguments, source, stack, show_country=several)
        self.page = _page(arguments, source, self.started, stack, show_country=several)
        self.frames = 0
        self.video_failed = False

    def run(self, progress: Progress | None = None) -> int:
        """Watch; returns the exit status."""
        with stopping_by_signal(self.source.stop), stopping_by_key(self.source.stop) as by_key:
            if self.page is not None:
                self.notify(f"the live page is at {self.page.url}")
            elif by_key and self.source.live:
                self.notify(f"watching {self.source.name}; q stops")
            self.report.start(self.started)
            why = self._follow(progress)
            final = self.stream.finish()
            self._report_events(final, progress)
            if self.page is not None:
                self._serve_until_closed(self.page, final, why)
        ended = Ended(why, self.frames, self.source.dropped, self.passages.finished, self.passages.left_out)
        self.report.end(ended)
        self.notify(f"frames: {ended.frames}, dropped: {ended.dropped}; passages: {self.passages.counts()}")
        self._save(None, final)
        return EXIT_FAILED_INPUTS if why == "failed" or self.video_failed else EXIT_OK

    def _follow(self, progress: Progress | None) -> End:
        """Process all frames; returns why there are no more."""
        try:
            for timestamp_s, frame in self.source:
                update = self.stream.update(frame, timestamp_s)
                self.frames += 1
                self._report_events(update, progress)
                self._save(frame, update)
                if self.page is not None:
                    self.page.state.show(frame, update, dropped=self.source.dropped)
                    self._wait_while_paused(self.page)
                if progress is not None:
                    progress.advance()
        except CaptureError as error:
            self.notify(str(error))
            return "failed"
        return "stopped" if self.source.stopped else "ended"

    def _save(self, frame: BgrImage | None, update: StreamUpdate) -> None:
        """Add a frame to the video of --save, or finish it with None; when it cannot be written, go on without it."""
        if self.video is None:
            return
        try:
            if frame is None:
                self.video.close()
            else:
                self.video.add(frame, update)
        except FileError as error:
            self.notify(str(error))
            self.video = None
            self.video_failed = True

    def _report_events(self, update: StreamUpdate, progress: Progress | None) -> None:
        """Report the events of an update."""
        for event in self.passages.events_of(update):
            if progress is not None:
                progress.clear()
            self.report.add(event)

    def _wait_while_paused(self, page: LivePage) -> None:
        while page.state.paused and not self.source.stopped:
            time.sleep(_POLL_INTERVAL_S)

    def _serve_until_closed(self, page: LivePage, final: StreamUpdate, why: End) -> None:
        """Keep serving after the end of a video, which may be shorter than it takes to open the page."""
        page.state.end(final, why)
        if not self.source.stopped:
            self.notify("the source has ended; the page stays until it is closed there, or with q or Ctrl-C")
        while not self.source.stopped:
            time.sleep(_POLL_INTERVAL_S)
        page.state.end(final, "stopped")
        page.wait_until_delivered(_LAST_REQUEST_TIMEOUT_S)


def _started(source: FrameSource) -> Started:
    now = datetime.now().astimezone()
    return Started(source.name, source.live, now, source.fps, source.frame_count, platereader.__version__)


def _report(arguments: argparse.Namespace) -> Report:
    if arguments.json:
        return JsonReport()
    return CsvReport() if arguments.csv else TableReport()


def _video(
    arguments: argparse.Namespace, source: FrameSource, stack: ExitStack, *, show_country: bool
) -> AnnotatedVideo | None:
    """The annotated video, finished when the stack unwinds, whatever happens."""
    if arguments.save is None:
        return None
    from platereader._files import InputFiles
    from platereader.cli.watch.saving import AnnotatedVideo

    inputs = InputFiles([Path(arguments.source)])
    video = AnnotatedVideo(
        arguments.save, source=source, inputs=inputs, quality=arguments.quality, show_country=show_country
    )
    stack.callback(video.close)
    return video


def _page(
    arguments: argparse.Namespace, source: FrameSource, started: Started, stack: ExitStack, *, show_country: bool
) -> LivePage | None:
    if not arguments.view:
        return None
    from platereader.cli.watch.live_state import LiveState
    from platereader.cli.watch.server import LivePage

    state = LiveState(
        source.name, started_at=started.at(0.0), frame_count=source.frame_count, show_country=show_country
    )
    return stack.enter_context(LivePage(state, on_stop=source.stop, port=arguments.port or 0))


def _no_crop(plate: object) -> None:
    """No pictures were requested."""
