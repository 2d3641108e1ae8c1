"""One run of a whole pipeline over the sequences, and over real videos where there are any."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from platereader._dependencies import check_installed
from platereader.lab.suites.frozen import changed_parts, fingerprint
from platereader.lab.suites.video.identity import score_identity
from platereader.lab.suites.video.identity_kinds import KindOutcome, watch_kind
from platereader.lab.suites.video.outcomes import ClipOutcome, Frame, clip_outcome, seen_frames
from platereader.lab.suites.video.real_videos import RealVideo, VideoOutcome, watch_video
from platereader.lab.suites.video.replay import record, replay
from platereader.lab.suites.video.report import VideoReport
from platereader.lab.synthesis.video.clip import VideoFrame
from platereader.lab.synthesis.video.clips import clip, clip_names
from platereader.lab.synthesis.video.codec import through_h264
from platereader.lab.synthesis.video.levels import LEVELS
from platereader.lab.synthesis.video.material import Material
from platereader.pipeline import Pipeline
from platereader.video._stream import StreamSettings

SETTINGS: Mapping[str, StreamSettings] = MappingProxyType(
    {
        "default": StreamSettings(),
        "read in every frame": StreamSettings(recheck_s=0.0),
        "search every frame": StreamSettings(search_s=0.0),
        "search every 0.5 s": StreamSettings(search_s=0.5),
    }
)
"""How much work a stream does, by name; the default comes first."""


def run_size(names: Sequence[str], videos: Sequence[RealVideo], kinds: Sequence[str] = ()) -> int:
    """How many steps ``evaluate_video`` takes: one for each clip, for each of the ``kinds`` and for each video."""
    return len(names) + len(kinds) + len(videos)


def evaluate_video(
    pipeline: Pipeline,
    material: Material,
    *,
    videos: Sequence[RealVideo] = (),
    names: Sequence[str] | None = None,
    kinds: Sequence[str] = (),
    crf: int | None = None,
    on_step: Callable[[], object] = lambda: None,
) -> VideoReport:
    """Follow the plates through every clip, or those of some ``names``, with several settings, and through real videos.

    In the clips of ``kinds``, of ``IDENTITY_KINDS``, they are followed with the default settings. With a ``crf`` each
    clip goes through H.264 of this constant rate factor first, as ``through_h264`` says.
    The networks see every frame of a clip once; their results are then replayed with all settings.

    Raises:
        MissingDependencyError: motmetrics is not installed.
        MediaFileError: a photograph or a video cannot be decoded.
    """
    check_installed("motmetrics")
    fingerprints: dict[str, str] = {}
    outcomes: dict[str, list[ClipOutcome]] = {name: [] for name in SETTINGS}
    seen: dict[str, list[list[Frame]]] = {level.name: [] for level in LEVELS}
    for name in clip_names() if names is None else names:
        made = clip(name, material)
        recorded = record(pipeline, made.frames() if crf is None else through_h264(made.frames(), crf=crf))
        for setting, settings in SETTINGS.items():
            replayed = replay(pipeline, recorded, settings)
            outcomes[setting].append(clip_outcome(name, recorded, replayed))
            if setting == "default":
                seen[made.level].append(seen_frames(recorded, replayed))
        fingerprints[name] = fingerprint_of(list(made.frames(fingerprint_frames(len(made)))))
        on_step()
    followed: list[KindOutcome] = []
    for kind in kinds:
        followed.append(watch_kind(pipeline, kind, material, crf=crf))
        on_step()
    watched: list[VideoOutcome] = []
    for video in videos:
        watched.append(watch_video(pipeline, video))
        on_step()
    return VideoReport(
        {setting: tuple(some) for setting, some in outcomes.items()},
        {level: score_identity(clips) for level, clips in seen.items() if clips},
        tuple(watched),
        changed_parts("video", fingerprints),
        pipeline.describe(),
        crf,
        tuple(followed),
    )


def fingerprint_frames(count: int) -> tuple[int, int, int]:
    """Numbers of the frames that a fingerprint is of: the first, the middle and the last one."""
    return 0, count // 2, count - 1


def fingerprint_of(frames: Sequence[VideoFrame]) -> str:
    """The start of the ``fingerprint`` of some frames of a clip, those of ``fingerprint_frames``."""

    def facts(frame: VideoFrame) -> list[object]:
        plates = [(one.passage, one.text, [round(value, 1) for value in one.box.to_tuple()]) for one in frame.plates]
        return [round(frame.timestamp_s, 4), plates]

    return fingerprint((frame.pixels, facts(frame)) for frame in frames)[:16]
