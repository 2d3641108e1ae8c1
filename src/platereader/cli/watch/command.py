"""Options of ``platereader watch``, and the loop that they stand for."""

from __future__ import annotations

import argparse
import os
import time
from contextlib import ExitStack, closing
from datetime import MAXYEAR, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platereader._files import InputFiles
from platereader.cli.exits import EXIT_FAILED_INPUTS, EXIT_OK
from platereader.cli.language import add_language_option, language_of
from platereader.cli.parser import rate_factor
from platereader.cli.parts import add_part_options, build_pipeline, reads_several_countries
from platereader.cli.tables import print_message, progress_bar
from platereader.cli.watch.events import Started, is_reported, later
from platereader.cli.watch.reports import CsvReport, JsonReport, Report, TableReport
from platereader.cli.watch.run import Outputs, SourceRun
from platereader.cli.watch.sources import Sources
from platereader.cli.watch.stopping import stopping_by_key, stopping_by_signal
from platereader.errors import InvalidArgumentError
from platereader.video._stream import StreamSettings

if TYPE_CHECKING:
    from tqdm import tqdm

    from platereader._arrays import BgrImage
    from platereader.cli.watch.server import LivePage
    from platereader.media._source import FrameSource

EXAMPLES = """examples:
  platereader watch gate.mp4 --save marked.mp4         a table of the passages, and a marked copy
  platereader watch gate.mp4 --json > events.jsonl     one line of JSON for each event
  platereader watch dashcam/ --start 2026-11-28T08:00  a folder of videos, with the time of day
  platereader watch frames/ --fps 10                   a folder of pictures, 10 for each second
  platereader watch 0 --view                           the first webcam, and a page in the browser
  platereader watch rtsp://user:password@camera/stream --csv >> passages.csv

q, Ctrl-C and SIGTERM stop: what is in view is reported, the video of --save finished; SIGTERM
cuts files short, of whose video none is left (1). exit status: 0 done or stopped, 1 a source
or --save failed, 2 wrong options, 3 no source or weights that can be used, 130 a second Ctrl-C.
"""

_POLL_INTERVAL_S = 0.05
_LAST_REQUEST_TIMEOUT_S = 3.0


def add_watch_command(parser: argparse.ArgumentParser) -> None:
    """Describe the options of ``platereader watch``."""
    add = parser.add_argument
    help_sources = "videos, folders of videos or of pictures; or one webcam by its number, or rtsp://"
    add("sources", nargs="+", metavar="SOURCE", help=help_sources)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one line of JSON per event in place of a table")
    form.add_argument("--csv", action="store_true", help="CSV: a row for each passage")
    add("--all", action="store_true", help="report also what reads differently in every frame")
    help_save = "write a video.mp4 with the plates drawn on; for several, a folder"
    add("--save", type=Path, metavar="OUT", help=help_save)
    add("--save-crops", type=Path, metavar="DIR", help="write the best picture of each passage's plate")
    add("--start", metavar="TIME", help="when the first frame was taken: 2026-11-28T08:00, or with +03:00 at its end")
    add("--view", action="store_true", help="serve a live page to the browser of this machine")
    add_language_option(parser)
    more = parser.add_argument_group("frames and page")
    help_fps = "frames per second of a folder (default: 25), or of a video whose own times are wrong"
    more.add_argument("--fps", type=float, help=help_fps)
    more.add_argument(
        "--search-every",
        type=float,
        metavar="S",
        help="search the whole frame every S seconds, and look between only where plates are expected; 0: every frame "
        "(default: 0.2; 0 with a detector that cannot look at places alone)",
    )
    help_limit = "give a lost camera up after this many failed attempts in a row (default: never)"
    more.add_argument("--reconnect-limit", type=int, metavar="N", help=help_limit)
    help_quality = (
        "of --save, 0 (nothing is lost) to 51, as x264 counts (default: 23, within 1.3 times the source's size)"
    )
    more.add_argument("--quality", type=rate_factor, metavar="CRF", help=help_quality)
    more.add_argument("--port", type=int, metavar="N", help="port of the live page (default: a free one)")
    add_part_options(parser)
    parser.set_defaults(run=run_watch)


def run_watch(arguments: argparse.Namespace) -> int:
    """Follow the plates of all sources until they end or are stopped."""
    # OpenCV writes to stderr by itself. The variable can still be set to find a fault.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    if arguments.port is not None and not arguments.view:
        raise InvalidArgumentError("--port is for the live page: add --view.")
    start = _parsed_start(arguments.start)
    with ExitStack() as stack:
        return _WatchRun(arguments, start, stack).run()


class _WatchRun:
    """All sources, one after the other, and where all goes that is found in them."""

    def __init__(self, arguments: argparse.Namespace, start: datetime | None, stack: ExitStack) -> None:
        from platereader.cli.watch.saving import PassageCrops, video_paths
        from platereader.media._drawing import draw_update
        from platereader.media._opening import open_source

        self._arguments = arguments
        self._start = start
        self._progress: tqdm[Any] | None = None
        opened = partial(open_source, fps=arguments.fps, reconnect_limit=arguments.reconnect_limit, notify=self._notify)
        given = {"--save": arguments.save, "--save-crops": arguments.save_crops}
        outputs = {option: path for option, path in given.items() if path is not None}
        sources = Sources(arguments.sources, opened=opened, notify=self._notify, outputs=outputs)
        self._sources = stack.enter_context(closing(sources))
        if start is not None and sources.only is not None and sources.only.live:
            raise InvalidArgumentError("--start is for videos, and a camera has the time of day: leave it out.")
        self._pipeline = build_pipeline(arguments)
        crops = None if arguments.save_crops is None else PassageCrops(arguments.save_crops)
        several = reads_several_countries(self._pipeline)
        unreadable = language_of(arguments)("unreadable")
        self._draw = partial(draw_update, show_country=several, area=arguments.area, unreadable=unreadable)
        self._inputs = InputFiles(map(Path, sources.words))
        self._videos: list[Path] = []
        if arguments.save:
            self._videos = video_paths(arguments.save, sources.names, several=sources.several, inputs=self._inputs)
        page = _page(arguments, sources, draw=self._draw) if arguments.view else None
        if page is not None:
            stack.enter_context(page)
        frame_count = sources.frame_count()
        if frame_count is not None:
            self._progress = stack.enter_context(progress_bar(frame_count, unit="frame"))
        report = _report(arguments, several=len(sources.words) > 1)
        self._outputs = Outputs(report, self._notify, crops, arguments.all, page, self._progress)

    def run(self) -> int:
        """Watch; returns the exit status."""
        sources, page, failed, watched = self._sources, self._outputs.page, 0, 0
        signals = stopping_by_signal(sources.stop, terminate=sources.terminate)
        with signals, stopping_by_key(sources.stop) as by_key:
            if page is not None:
                self._notify(f"the live page is at {page.url}")
            elif by_key and sources.only is not None and sources.only.live:
                self._notify(f"watching {sources.only.name}; q stops")
            for number, source in sources:
                if self._start is not None and (failed or sources.failed):
                    self._notify("times of day are unknown after a source that failed: name the others by themselves")
                    self._start = None
                run = self._watch(number, source)
                failed += run.failed
                watched = number + 1
                self._start = later(self._start, run.length_s())
            if page is not None:
                self._serve_until_closed(page)
        if len(sources.words) > 1:
            self._notify(f"sources: {len(sources.words)}, failed: {failed + sources.failed}")
        cut_short = sources.terminated and watched < len(sources.words)
        return EXIT_FAILED_INPUTS if failed or sources.failed or cut_short else EXIT_OK

    def _notify(self, message: str) -> None:
        """Print a line of what goes on, above the progress bar."""
        if self._progress is not None:
            self._progress.clear()
        print_message(language_of(self._arguments)(message.removeprefix("path ")))

    def _watch(self, number: int, source: FrameSource) -> SourceRun:
        """Watch one source, whose annotated video is finished whatever happens."""
        from platereader.cli.watch.saving import AnnotatedVideo

        quality, video = self._arguments.quality, None
        stream = self._pipeline.stream(StreamSettings(search_s=self._arguments.search_every))
        with ExitStack() as stack:
            if self._videos:
                video = AnnotatedVideo(
                    self._videos[number], source=source, inputs=self._inputs, quality=quality, draw=self._draw
                )
                stack.callback(video.close)
            started = Started.of(source, self._start)
            run = SourceRun(source, stream, started, video, self._outputs, lambda: self._sources.terminated)
            run.run()
        return run

    def _serve_until_closed(self, page: LivePage) -> None:
        """Keep serving after the end of a video, which may be shorter than it takes to open the page."""
        if not self._sources.stopped:
            self._notify("the source has ended; the page stays until it is closed there, or with q or Ctrl-C")
        while not self._sources.stopped:
            time.sleep(_POLL_INTERVAL_S)
        page.state.stop()
        page.wait_until_delivered(_LAST_REQUEST_TIMEOUT_S)


def _parsed_start(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        # Python 3.10 does not know Z.
        start = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
        if start.year == MAXYEAR:
            raise OverflowError("a video may end after the last year that there is")
        return start if start.tzinfo is not None else start.astimezone()
    except (ValueError, OverflowError) as error:
        raise InvalidArgumentError(
            f"--start is {text!r}: give date and time before the year {MAXYEAR}, such as 2026-11-28T08:00 or "
            "2026-11-28T08:00:30+03:00."
        ) from error


def _report(arguments: argparse.Namespace, *, several: bool) -> Report:
    if arguments.json:
        return JsonReport()
    return CsvReport() if arguments.csv else TableReport(name_sources=several, language=language_of(arguments))


def _page(arguments: argparse.Namespace, sources: Sources, *, draw: partial[BgrImage]) -> LivePage:
    from platereader.cli.watch.live_state import LiveState
    from platereader.cli.watch.server import LivePage

    state = LiveState(is_listed=partial(is_reported, everything=arguments.all), draw=draw)
    return LivePage(state, on_stop=sources.stop, port=arguments.port or 0, language=language_of(arguments))
