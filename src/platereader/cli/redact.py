"""``platereader redact``: plates made unreadable in picture and video files."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platereader._arrays import BgrImage
from platereader._contracts import checked_detect
from platereader._files import MADE_HERE, InputFiles, make_folder, write_json
from platereader.cli.exits import EXIT_FAILED_INPUTS, EXIT_OK
from platereader.cli.language import add_language_option, language_of
from platereader.cli.parser import rate_factor, refused, share
from platereader.cli.parts import add_part_options, build_pipeline
from platereader.cli.redaction_report import FileCover, RedactionReport
from platereader.cli.saving import check_folder, write_picture
from platereader.cli.sources import (
    LEFT_OUT,
    VIDEO_SUFFIXES,
    WRITTEN_FORMATS,
    Source,
    all_refused,
    find_sources,
    resolved,
    source_path,
)
from platereader.cli.tables import print_message, progress_bar
from platereader.cli.watch.stopping import Terminated
from platereader.errors import CaptureError, InvalidArgumentError, PlateReaderError
from platereader.pipeline import Pipeline
from platereader.protocols import Detector

if TYPE_CHECKING:
    from tqdm import tqdm

    from platereader.media._source import FrameSource

EXAMPLES = """examples:
  platereader redact photo.jpg -o public.jpg            one picture
  platereader redact photos/ -o public/                 a folder, under the same names
  platereader redact gate.mp4 -o public/ --method fill  a video, plates in one flat colour
  platereader redact photos/ -o public/ --min-score 0.05 --tile 960   small and doubtful plates, too
  platereader redact films/ -o public/ --report covered.json --preview covered.jpg

Look at the results before you publish them: no detector finds every plate. Metadata is left out, as
an EXIF thumbnail or a position would give away what the picture no longer shows. Videos become
H.264 with their times and sound. Animated GIF, WebP and PNG are videos, too.
exit status: 0 all files were redacted, 1 some could not be or SIGTERM came, 2 wrong options,
3 weights or an optional package are missing or damaged.
"""

_KEPT_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
_ANIMATED_SUFFIXES = frozenset({".gif", ".webp", ".png", ".apng"})


def add_redact_command(parser: argparse.ArgumentParser) -> None:
    """Describe the options of ``platereader redact``."""
    add = parser.add_argument
    help_sources = "picture files, video files, and folders of them"
    add("sources", nargs="+", type=source_path, metavar="SOURCE", help=help_sources)
    help_out = "folder of the results, or name of the only one"
    add("-o", "--out", type=Path, required=True, metavar="OUT", help=help_out)
    methods, help_method = ("blur", "pixelate", "fill"), "blur, pixelate or fill with the colours around a plate"
    add("--method", choices=methods, default="blur", metavar="NAME", help=f"{help_method} (default: blur)")
    help_score = "cover detections from this score on, 0 to 1: lower misses fewer (default: 0.15)"
    add("--min-score", type=share, metavar="S", help=help_score)
    add("--report", type=Path, metavar="FILE", help="write what was covered as JSON")
    help_preview = "write one JPEG or PNG of the frames of which most is covered"
    add("--preview", type=Path, metavar="FILE", help=help_preview)
    add("--mute", action="store_true", help="leave the sound of videos out")
    add_language_option(parser)
    more = parser.add_argument_group("rotation and size")
    more.add_argument(
        "--any-rotation",
        action="store_true",
        help="look for plates turned by 90, 180 and 270 degrees in every frame, in 4 times the time (default: until a "
        "sure plate tells how the picture or video lies)",
    )
    help_quality = (
        "of videos, 0 (nothing is lost) to 51, as x264 counts (default: 23, within 1.3 times the source's size)"
    )
    more.add_argument("--quality", type=rate_factor, metavar="CRF", help=help_quality)
    add_part_options(parser, reads=False)
    parser.set_defaults(run=run_redact)


def run_redact(arguments: argparse.Namespace) -> int:
    """Redact all files; one that cannot be redacted is reported and does not stop the others.

    Raises:
        SystemExit: SIGTERM came, which leaves nothing of what is half written.
    """
    try:
        return _redact_all(arguments)
    except Terminated:
        print_message(language_of(arguments)("stopped by SIGTERM: of what was not finished, nothing is left"))
        raise SystemExit(EXIT_FAILED_INPUTS) from None


def _redact_all(arguments: argparse.Namespace) -> int:
    skipped = Counter[str]()
    suffixes = VIDEO_SUFFIXES | _ANIMATED_SUFFIXES
    sources = find_sources(arguments.sources, also=suffixes, without=[arguments.out], skipped=skipped)
    inputs = InputFiles(source.path for source in sources)
    jobs = _jobs(sources, arguments, inputs)
    _check_report_paths(arguments, jobs, inputs)
    redactor = _Redactor(arguments, inputs)
    if not all_refused(sources):
        redactor.load()
    try:
        status = redactor.redact_all(jobs)
    finally:  # also when it is stopped: what was written by then may be published
        redactor.write_report()
    if written := skipped[MADE_HERE]:
        print_message(language_of(arguments)(LEFT_OUT.format(count=written)), prefix="")
    return status


def _check_report_paths(arguments: argparse.Namespace, jobs: Sequence[_Job], inputs: InputFiles) -> None:
    """Refuse a report or preview that would take the place of a source or a result, before anything is done."""
    occupied = {resolved(job.target) for job in jobs}
    for option, path in (("--report", arguments.report), ("--preview", arguments.preview)):
        if path is None:
            continue
        if path.is_symlink() or path.is_dir() or path in inputs or resolved(path) in occupied:
            raise refused(option, path, "which is a source, a result, a folder or a link: name another file.")
        check_folder(path.parent, option=option)
        occupied.add(resolved(path))
    if arguments.preview is not None and arguments.preview.suffix.lower() not in _KEPT_SUFFIXES:
        raise refused("--preview", arguments.preview, f"it ends in none of {', '.join(sorted(_KEPT_SUFFIXES))}.")


@dataclass(frozen=True, slots=True)
class _Job:
    """One file to redact, where the result goes, and how many frames it has."""

    source: Source
    target: Path
    is_video: bool
    frames: int


def _jobs(sources: Sequence[Source], arguments: argparse.Namespace, inputs: InputFiles) -> list[_Job]:
    """What to do; no source, no result and no link may be overwritten, and no result lies among the sources."""
    from platereader.media._images import IMAGE_SUFFIXES, is_animated

    out: Path = arguments.out
    given: list[Path] = arguments.sources
    named = out.suffix.lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES and not out.is_dir()
    single = named and len(given) == 1 and not given[0].is_dir()
    if any(resolved(path) == resolved(out) and path in source.path.parents for path in given for source in sources):
        raise refused("--out", out, "the folder of the sources: name another folder, or one below.")
    if not single:
        check_folder(out, option="--out")
    occupied = {resolved(source.path) for source in sources}
    jobs: list[_Job] = []
    for source in sources:
        is_video = source.path.suffix.lower() in VIDEO_SUFFIXES or is_animated(source.path)
        target = _target(out if single else out / source.relative_path, is_video=is_video)
        if single and target != out:
            endings = ", ".join(sorted(WRITTEN_FORMATS if is_video else _KEPT_SUFFIXES))
            raise refused("--out", out, f"the result ends in one of {endings}: name it so, or a folder.")
        if target.is_symlink() or resolved(target) in occupied or target in inputs:
            problem = "would be written over, which is a source, the result of another one or a link"
            raise refused("--out", out, f"where {str(target)!r} {problem}: name another folder.")
        occupied.add(resolved(target))
        jobs.append(_Job(source, target, is_video, _frames_of(source) if is_video else 1))
    return jobs


def _target(path: Path, *, is_video: bool) -> Path:
    """The same name, with another ending where its own cannot be written."""
    kept = WRITTEN_FORMATS if is_video else _KEPT_SUFFIXES
    return path if path.suffix.lower() in kept else path.with_name(path.name + (".mp4" if is_video else ".png"))


def _frames_of(source: Source) -> int:
    """Frames that the header of a video states; a video that cannot be opened fails later, with a message."""
    from platereader.media._opening import open_source

    try:
        with closing(open_source(source.path)) as video:
            return video.frame_count or 1
    except PlateReaderError:
        return 1


def _frames_until_error(video: FrameSource, errors: list[PlateReaderError]) -> Iterator[tuple[float, BgrImage]]:
    """The frames of a video; what ends it too early, after some, is kept in ``errors`` instead of raised."""
    any_frame = False
    try:
        for item in video:
            any_frame = True
            yield item
    except CaptureError as error:
        if not any_frame:
            raise
        errors.append(error)


class _Redactor:
    """Everything that is done to the files, and what came of it."""

    def __init__(self, arguments: argparse.Namespace, inputs: InputFiles) -> None:
        self._pipeline: Pipeline | None = None
        self._arguments = arguments
        self._language = language_of(arguments)
        self._inputs = inputs
        self._report = RedactionReport()

    def load(self) -> Pipeline:
        """The pipeline, loaded once, with the threshold of the options.

        Raises:
            InvalidArgumentError: its detector has no threshold, and one was given.
        """
        if self._pipeline is None:
            pipeline = build_pipeline(self._arguments)
            detector = self._lowered(pipeline.detector)
            self._pipeline = replace(pipeline, parts=replace(pipeline.parts, detector=detector))
        return self._pipeline

    def _lowered(self, detector: Detector) -> Detector:
        from platereader.detection._thresholds import with_min_score
        from platereader.media._redaction import REDACTION_MIN_SCORE

        requested: float | None = self._arguments.min_score
        lowered = with_min_score(detector, REDACTION_MIN_SCORE if requested is None else requested)
        if lowered is None and requested is not None:
            raise InvalidArgumentError(
                "--min-score does not go with this detector, which has no threshold: leave it out."
            )
        return lowered or detector

    def redact_all(self, jobs: Sequence[_Job]) -> int:
        """Redact all files and say how many failed; returns the exit status."""
        report = self._report
        with progress_bar(sum(job.frames for job in jobs), unit="frame") as progress:
            for job in jobs:
                try:
                    self._redact(job, progress)
                except MemoryError:
                    problem = "it does not fit into memory: shrink or cut it."
                except (PlateReaderError, OSError) as error:
                    problem = str(error).removeprefix("path ")
                else:
                    continue
                report.problems.append((job.source.path, problem))
                progress.clear()
                print_message(f"{job.source.path}: {self._language(problem)}")
        failed, places = len(report.problems), sum(file.places for file in report.files)
        told = f"files redacted: {len(jobs) - failed}, failed: {failed}; places covered: {places}"
        print_message(self._language(told), prefix="")
        return EXIT_FAILED_INPUTS if failed else EXIT_OK

    def write_report(self) -> None:
        """Write what ``--report`` and ``--preview`` ask for."""
        path, preview = self._arguments.report, self._arguments.preview
        if path is not None:
            make_folder(path.parent)
            write_json(path, self._report.to_dict(), inputs=self._inputs)
        if preview is not None:
            write_picture(preview, self._report.contact_sheet(), inputs=self._inputs)

    def _redact(self, job: _Job, progress: tqdm[Any]) -> None:
        """Redact one file, and report what was covered once it is written."""
        if job.source.error is not None:
            raise InvalidArgumentError(job.source.error)
        (self._video if job.is_video else self._picture)(job, progress)

    def _detector(self) -> Detector:
        from platereader.media._turned import turned_detector

        return turned_detector(self.load().detector, always=self._arguments.any_rotation)

    def _picture(self, job: _Job, progress: tqdm[Any]) -> None:
        from platereader.media._covering import DEFAULT_MARGIN, covered
        from platereader.media._images import read_image
        from platereader.media._redaction import credible

        frame = read_image(job.source.path)
        places = credible(checked_detect(self._detector(), [frame])[0], frame)
        pixels, share = covered(frame, places, method=self._arguments.method, margin=DEFAULT_MARGIN)
        write_picture(job.target, pixels, inputs=self._inputs)
        cover = FileCover(job.source.path, job.target)
        cover.add(pixels, places, share=share)
        self._report.add(cover)
        progress.update()

    def _video(self, job: _Job, progress: tqdm[Any]) -> None:
        """A video that breaks off is redacted as far as it goes, and reported all the same."""
        from platereader.cli.videos import VideoWriter
        from platereader.media._opening import open_source
        from platereader.media._redaction import redact_stream

        options, cover = self._arguments, FileCover(job.source.path, job.target)
        errors: list[PlateReaderError] = []
        with (
            closing(open_source(job.source.path)) as video,
            VideoWriter(
                job.target, source=video, quality=options.quality, mute=options.mute, inputs=self._inputs
            ) as writer,
        ):
            frames, detector, tracker = _frames_until_error(video, errors), self._detector(), self.load().tracker()
            for one in redact_stream(frames, detector=detector, tracker=tracker, method=options.method):
                writer.write(one.frame, one.timestamp_s)
                cover.add(one.frame, one.covered, share=one.covered_share, time_s=one.timestamp_s)
                progress.update()
        self._report.add(cover)
        if writer.left_out:
            progress.clear()
            print_message(f"{job.source.path}: {self._language(writer.left_out)}")
        if errors:
            raise errors[0]
