"""Options of ``platereader watch``, and the loop that they stand for."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import MAXYEAR, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import platereader
from platereader._files import InputFiles
from platereader.cli.exits import EXIT_FAILED_INPUTS, EXIT_OK
from platereader.cli.language import add_language_option, language_of
from platereader.cli.parser import rate_factor
from platereader.cli.parts import add_part_options, build_pipeline, reads_several_countries
from platereader.cli.progress import Progress
from platereader.cli.tables import print_message
from platereader.cli.watch.events import Started, is_reported, later
from platereader.cli.watch.reports import CsvReport, JsonReport, Report, TableReport
from platereader.cli.watch.run import Outputs, SourceRun
from platereader.cli.watch.sources import Sources
from platereader.cli.watch.stopping import stopping_by_key, stopping_by_signal
from platereader.errors import InvalidArgumentError

if TYPE_CHECKING:
    from platereader.cli.watch.live_state import Draw
    from platereader.cli.watch.server import LivePage
    from platereader.media._source import FrameSource
    from platereader.pipeline import Pipeline

EXAMPLES = """examples:
  platereader watch gate.mp4 --save marked.mp4         a table of the passages, and a marked copy
  platereader watch gate.mp4 --json > events.jsonl     one line of JSON for each event
  platereader watch dashcam/ --start 2026-11-28T08:00  a folder of videos, with the time of day
  platereader watch frames/ --fps 10                   a folder of pictures, 10 for each second
  platereader watch 0 --view                           the first webcam, and a page in the browser
  platereader watch rtsp://user:password@camera/stream --csv >> passages.csv

q, Ctrl-C or SIGTERM stops: what is in view is then reported, and the video of --save is finished.
exit status: 0 done or stopped, 1 a source or --save failed, 2 wrong options, 3 the only source
cannot be opened, or weights are missing or damaged, 130 a second Ctrl-C.
"""

_POLL_INTERVAL_S = 0.05
_LAST_REQUEST_TIMEOUT_S = 3.0


def add_watch_command(parser: argparse.ArgumentParser) -> None:
    """Describe the options of ``platereader watch``."""
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="videos, folders of videos or of pictures; or one webcam by its number, or rtsp://",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one line of JSON per event in place of a table")
    form.add_argument("--csv", action="store_true", help="CSV: a row for each passage")
    parser.add_argument("--all", action="store_true", help="report also what reads differently in every frame")
    parser.add_argument(
        "--save", type=Path, metavar="OUT", help="write a video.mp4 with the plates drawn on; for several, a folder"
    )
    parser.add_argument("--save-crops", type=Path, metavar="DIR", help="write the best picture of each passage's plate")
    parser.add_argument(
        "--start", metavar="TIME", help="when the first frame was taken: 2026-11-28T08:00, or with +03:00 at its end"
    )
    parser.add_argument("--view", action="store_true", help="serve a live page to the browser of this machine")
    add_language_option(parser)
    more = parser.add_argument_group("frames and page")
    more.add_argument(
        "--fps", type=float, help="frames per second of a folder (default: 25), or of a video whose own times are wrong"
    )
    more.add_argument(
        "--search-every",
        type=float,
        metavar="S",
        help="search the whole frame every S seconds, and look between only where plates are expected; 0: every frame "
        "(default: 0.2; 0 with a detector that cannot look at places alone)",
    )
    more.add_argument(
        "--reconnect-limit",
        type=int,
        metavar="N",
        help="give a lost camera up after this many failed attempts in a row (default: never)",
    )
    more.add_argument(
        "--quality",
        type=rate_factor,
        metavar="CRF",
        help="of --save, 0 (nothing is lost) to 51, as x264 counts (default: 23, within 1.3 times the source's size)",
    )
    more.add_argument("--port", type=int, metavar="N", help="port of the live page (default: a free one)")
    add_part_options(parser)
    parser.set_defaults(run=run_watch)


def run_watch(arguments: argparse.Namespace) -> int:
    """Follow the plates of all sources until they end or are stopped."""
    # OpenCV writes to stderr by itself. The variable can still be set to find a fault.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    from platereader.media._opening import open_source

    if arguments.port is not None and not arguments.view:
        raise InvalidArgumentError("--port is for the live page: add --view.")
    start, language = _parsed_start(arguments.start), language_of(arguments)
    bars: list[Progress] = []

    def notify(message: str) -> None:
        for bar in bars:
            bar.clear()
        print_message(language(message.removeprefix("path ")))

    opened = partial(open_source, fps=arguments.fps, reconnect_limit=arguments.reconnect_limit, notify=notify)
    with ExitStack() as stack:
        outputs = {"--save": arguments.save, "--save-crops": arguments.save_crops}
        given = {option: path for option, path in outputs.items() if path is not None}
        sources = stack.enter_context(closing(Sources(arguments.sources, opened=opened, notify=notify, outputs=given)))
        if start is not None and sources.only is not None and sources.only.live:
            raise InvalidArgumentError("--start is for videos, and a camera has the time of day: leave it out.")
        run = _WatchRun(sources, build_pipeline(arguments), arguments, notify, stack)
        frame_count = sources.frame_count()
        if frame_count is not None:
            bars.append(stack.enter_context(Progress(frame_count, unit="frame")))
        return run.run(start, *bars)


class _WatchRun:
    """All sources, one after the other, and where all goes that is found in them."""

    def __init__(
        self,
        sources: Sources,
        pipeline: Pipeline,
        arguments: argparse.Namespace,
        notify: Callable[[str], None],
        stack: ExitStack,
    ) -> None:
        from platereader.cli.watch.saving import PassageCrops, video_paths
        from platereader.media._drawing import draw_update

        crops = None if arguments.save_crops is None else PassageCrops(arguments.save_crops)
        self._sources = sources
        self._pipeline = pipeline
        self._arguments = arguments
        self._notify = notify
        several = reads_several_countries(pipeline)
        self._draw = partial(draw_update, show_country=several, area=arguments.area)
        self._inputs = InputFiles(map(Path, sources.words))
        self._videos = []
        if arguments.save:
            self._videos = video_paths(arguments.save, sources.names, several=sources.several, inputs=self._inputs)
        self._outputs = Outputs(
            report=_report(arguments, several=len(sources.words) > 1),
            notify=notify,
            save_crop=None if crops is None else crops.save,
            everything=arguments.all,
            page=_page(arguments, sources, stack, draw=self._draw),
        )

    def run(self, start: datetime | None, progress: Progress | None = None) -> int:
        """Watch; returns the exit status."""
        sources, page, failed = self._sources, self._outputs.page, 0
        with stopping_by_signal(sources.stop), stopping_by_key(sources.stop) as by_key:
            if page is not None:
                self._notify(f"the live page is at {page.url}")
            elif by_key and sources.only is not None and sources.only.live:
                self._notify(f"watching {sources.only.name}; q stops")
            for number, source in sources:
                if start is not None and (failed or sources.failed):
                    self._notify("times of day are unknown after a source that failed: name the others by themselves")
                    start = None
                run = self._watch(number, source, start, progress)
                failed += run.failed
                start = later(start, run.length_s())
            if page is not None:
                self._serve_until_closed(page)
        if len(sources.words) > 1:
            self._notify(f"sources: {len(sources.words)}, failed: {failed + sources.failed}")
        return EXIT_FAILED_INPUTS if failed or sources.failed else EXIT_OK

    def _watch(self, number: int, source: FrameSource, start: datetime | None, progress: Progress | None) -> SourceRun:
        """Watch one source, whose annotated video is finished whatever happens."""
        from platereader.cli.watch.saving import AnnotatedVideo
        from platereader.video._stream import StreamSettings

        options, video = self._arguments, None
        stream = self._pipeline.stream(StreamSettings(search_s=options.search_every))
        with ExitStack() as stack:
            if self._videos:
                video = AnnotatedVideo(
                    self._videos[number], source=source, inputs=self._inputs, quality=options.quality, draw=self._draw
                )
                stack.callback(video.close)
            run = SourceRun(source, stream, _started(source, start), video, self._outputs, progress)
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


def _started(source: FrameSource, start: datetime | None) -> Started:
    now = datetime.now().astimezone()
    first_frame_at = now if source.live else start
    return Started(
        source.name, source.live, now, first_frame_at, source.fps, source.frame_count, platereader.__version__
    )


def _report(arguments: argparse.Namespace, *, several: bool) -> Report:
    if arguments.json:
        return JsonReport()
    return CsvReport() if arguments.csv else TableReport(name_sources=several, language=language_of(arguments))


def _page(arguments: argparse.Namespace, sources: Sources, stack: ExitStack, *, draw: Draw) -> LivePage | None:
    if not arguments.view:
        return None
    from platereader.cli.watch.live_state import LiveState
    from platereader.cli.watch.server import LivePage

    state = LiveState(is_listed=partial(is_reported, everything=arguments.all), draw=draw)
    return stack.enter_context(LivePage(state, on_stop=sources.stop, port=arguments.port or 0))
