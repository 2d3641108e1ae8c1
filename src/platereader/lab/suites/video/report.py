"""What a run over the sequences says, as numbers and as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from platereader.lab.metrics.estimates import Estimate, estimate_errors
from platereader.lab.metrics.json_safe import json_safe
from platereader.lab.metrics.rates import Rate
from platereader.lab.metrics.reliability import calibration_error
from platereader.lab.suites.frozen import frozen_note
from platereader.lab.suites.video.identity import IdentityScores
from platereader.lab.suites.video.identity_kinds import KindOutcome
from platereader.lab.suites.video.outcomes import ClipOutcome, PassageOutcome, TrackOutcome
from platereader.lab.suites.video.real_videos import VideoOutcome
from platereader.lab.synthesis.video.levels import LEVELS
from platereader.lab.tables import aligned, columns, report_text, show_number, show_rate
from platereader.results import PartDescription

SCHEMA = 2
"""Version of ``VideoReport.to_dict``."""

NEVER = 61
"""Legible frames that count for a passage that was never settled: one more than the longest clip has frames."""

BASELINES: Mapping[str, Callable[[PassageOutcome], str | None]] = {
    "best single frame": lambda one: one.best_frame,
    "whole-string majority": lambda one: one.majority,
    "character vote": lambda one: one.characters,
}
"""What fusion is measured against, by name: the same readings of the same tracks."""


@dataclass(frozen=True, slots=True)
class LevelScores:
    """How well the passages of one level were followed and read.

    Attributes:
        single: of the plates in full view, one by one and frame by frame, those read right.
        exact: passages whose fused text is right, whatever the status.
        exact_read: likewise, counting only those of status ``read``.
        baselines: passages that are right by another rule, by its name.
        gains: fused less the other rule in points of per cent, paired; interval over clips.
        settled: passages that were settled at some time.
        settled_after: median of the legible frames until then; ``NEVER`` where that did not happen.
        settled_wrong: of the tracks that were settled and ``read`` in the end, those that are wrong; a track on no
            plate is wrong.
        ever_wrong: passages that were settled and ``read`` with a wrong text at some time.
        read_wrong: of the tracks that ended as ``read``, those that are wrong.
        one_track: passages with exactly one track.
        mixed: of the tracks on plates, those that stood on two or more in at least two frames each.
        false_tracks: of the finished tracks, those that are ``read`` but on no plate.
        calibration_error: of the fused confidence of all finished tracks that have a text; None without any.
    """

    name: str
    clips: int
    single: Rate
    exact: Rate
    exact_read: Rate
    baselines: Mapping[str, Rate]
    gains: Mapping[str, Estimate]
    settled: Rate
    settled_after: Estimate | None
    settled_wrong: Rate
    ever_wrong: Rate
    read_wrong: Rate
    one_track: Rate
    no_track: Rate
    mixed: Rate
    false_tracks: Rate
    identity: IdentityScores | None
    calibration_error: float | None


@dataclass(frozen=True, slots=True)
class SettingScores:
    """How well a stream does with less work on the clips of a level; rates as in ``LevelScores``.

    ``detector_runs`` counts the frames in which the detector was run, ``reads`` the plates read for each frame.
    """

    name: str
    level: str
    exact: Rate
    exact_read: Rate
    read_wrong: Rate
    one_track: Rate
    detector_runs: Rate
    reads: float


@dataclass(frozen=True, slots=True)
class VideoReport:
    """All outcomes of one run, of each clip by the name of the settings, the default ones first; and the parts.

    ``identity`` is by level. Frames of the clips ``changed`` differ from the frozen ones, before H.264 of the constant
    rate factor ``crf``, if any.
    """

    outcomes: Mapping[str, tuple[ClipOutcome, ...]]
    identity: Mapping[str, IdentityScores | None]
    videos: tuple[VideoOutcome, ...]
    changed: tuple[str, ...]
    parts: tuple[PartDescription, ...]
    crf: int | None = None
    kinds: tuple[KindOutcome, ...] = ()

    @property
    def default(self) -> tuple[ClipOutcome, ...]:
        """The outcomes with default settings."""
        return next(iter(self.outcomes.values()))

    @property
    def failures(self) -> list[PassageOutcome]:
        """The passages whose fused text is wrong or missing."""
        return [one for clip in self.default for one in clip.passages if one.answer != one.text]

    @property
    def wrong_tracks(self) -> list[TrackOutcome]:
        """The tracks that ended as ``read`` with a wrong text or on no plate."""
        return [one for clip in self.default for one in clip.tracks if one.status == "read" and not one.right]

    def scores(self) -> list[LevelScores]:
        """Scores of each level; the same numbers every time."""
        rng = np.random.default_rng(0)
        return [
            _score(level.name, some, self.identity.get(level.name), rng=rng)
            for level in LEVELS
            if (some := _of_level(self.default, level.name))
        ]

    def settings(self) -> list[SettingScores]:
        """Scores of each level with each of the settings."""
        return [
            _setting(name, level.name, some)
            for level in LEVELS
            for name, outcomes in self.outcomes.items()
            if (some := _of_level(outcomes, level.name))
        ]

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        scores = {
            "levels": self.scores(),
            "settings": self.settings(),
            "failures": self.failures,
            "wrong_tracks": self.wrong_tracks,
            "passages": [one for clip in self.default for one in clip.passages],
            "tracks": [one for clip in self.default for one in clip.tracks],
        }
        own = {
            "changed": self.changed,
            "crf": self.crf,
            "parts": self.parts,
            "videos": self.videos,
            "kinds": self.kinds,
        }
        return {"schema": SCHEMA, **json_safe({**own, **scores})}


def _of_level(outcomes: Iterable[ClipOutcome], level: str) -> list[ClipOutcome]:
    return [one for one in outcomes if one.level == level]


def _score(
    name: str, clips: Sequence[ClipOutcome], identity: IdentityScores | None, *, rng: np.random.Generator
) -> LevelScores:
    passages = [one for clip in clips for one in clip.passages]
    tracks = [one for clip in clips for one in clip.tracks]
    read = [one for one in tracks if one.status == "read"]
    texts = [one for one in tracks if one.text is not None]
    waits = [(one.clip, float(NEVER if one.settled_after is None else one.settled_after)) for one in passages]
    return LevelScores(
        name=name,
        clips=len(clips),
        single=Rate(sum(one.right for one in passages), sum(one.visible for one in passages)),
        exact=Rate.of(one.answer == one.text for one in passages),
        exact_read=Rate.of(one.answer == one.text and one.status == "read" for one in passages),
        baselines={rule: Rate.of(text(one) == one.text for one in passages) for rule, text in BASELINES.items()},
        gains={rule: gain for rule, text in BASELINES.items() if (gain := _gain(passages, text, rng=rng))},
        settled=Rate.of(one.settled_after is not None for one in passages),
        settled_after=estimate_errors(waits, np.median, rng=rng),
        settled_wrong=Rate.of(not one.right for one in read if one.settled),
        ever_wrong=Rate.of(one.settled_wrong for one in passages),
        read_wrong=Rate.of(not one.right for one in read),
        one_track=Rate.of(one.tracks == 1 for one in passages),
        no_track=Rate.of(one.tracks == 0 for one in passages),
        mixed=Rate.of(one.plates > 1 for one in tracks if one.passage is not None),
        false_tracks=Rate.of(one.status == "read" and one.passage is None for one in tracks),
        identity=identity,
        calibration_error=calibration_error([one.confidence for one in texts], [one.right for one in texts]),
    )


def _gain(
    passages: Sequence[PassageOutcome], text: Callable[[PassageOutcome], str | None], *, rng: np.random.Generator
) -> Estimate | None:
    """By how much fusion is better than another rule, passage by passage."""
    points = [(one.clip, 100.0 * ((one.answer == one.text) - (text(one) == one.text))) for one in passages]
    return estimate_errors(points, np.mean, rng=rng)


def _setting(name: str, level: str, clips: Sequence[ClipOutcome]) -> SettingScores:
    passages = [one for clip in clips for one in clip.passages]
    read = [one for clip in clips for one in clip.tracks if one.status == "read"]
    frames = sum(clip.frames for clip in clips)
    return SettingScores(
        name=name,
        level=level,
        exact=Rate.of(one.answer == one.text for one in passages),
        exact_read=Rate.of(one.answer == one.text and one.status == "read" for one in passages),
        read_wrong=Rate.of(not one.right for one in read),
        one_track=Rate.of(one.tracks == 1 for one in passages),
        detector_runs=Rate(sum(clip.detector_runs for clip in clips), frames),
        reads=sum(clip.read for clip in clips) / frames,
    )


def format_video(report: VideoReport) -> str:
    """Levels side by side, settings, videos and what ran; rates with counts and 95 % intervals."""
    scores = report.scores()
    frames = sum(clip.frames for clip in report.default)
    coded = "" if report.crf is None else f" through H.264 of rate factor {report.crf}"
    made = f"{len(report.default)} clips of {frames} frames{coded}; {frozen_note(report.changed, parts='clips')}"
    return report_text(
        made if report.default else f"{len(report.kinds)} kinds{coded} and {len(report.videos)} videos",
        report.parts,
        _levels(scores) if scores else [],
        format_settings(report.settings()),
        columns(_KINDS, report.kinds) if report.kinds else [],
        columns(_VIDEOS, report.videos) if report.videos else [],
    )


def format_settings(settings: Sequence[SettingScores]) -> list[str]:
    """One row for each level with each of the settings."""
    return columns(_SETTINGS, settings) if settings else []


def _levels(scores: Sequence[LevelScores]) -> list[str]:
    rows: list[tuple[str, ...]] = [
        ("", *(one.name for one in scores)),
        ("clips", *(str(one.clips) for one in scores)),
        _rates("single frames right", [one.single for one in scores]),
        _rates("fused text right", [one.exact for one in scores]),
        _rates("and status read", [one.exact_read for one in scores]),
    ]
    for rule in BASELINES:
        rows.append(_rates(f"{rule} right", [one.baselines[rule] for one in scores]))
        rows.append(("  fused is better by", *(_points(one.gains.get(rule)) for one in scores)))
    rows += [
        _rates("passages settled", [one.settled for one in scores]),
        ("  after legible frames, median", *(_wait(one.settled_after) for one in scores)),
        _rates("wrong of settled read tracks", [one.settled_wrong for one in scores]),
        _rates("wrong while settled, ever", [one.ever_wrong for one in scores]),
        _rates("wrong of read tracks", [one.read_wrong for one in scores]),
        _rates("read tracks on no plate", [one.false_tracks for one in scores]),
        _rates("passages with one track", [one.one_track for one in scores]),
        _rates("passages with none", [one.no_track for one in scores]),
        _rates("tracks on two plates", [one.mixed for one in scores]),
        ("id switches", *(_switches(one) for one in scores)),
        ("IDF1 / MOTA", *(_identity(one.identity) for one in scores)),
        ("calibration error", *(show_number(one.calibration_error, digits=3) for one in scores)),
    ]
    return aligned(rows)


def _rates(name: str, rates: Sequence[Rate]) -> tuple[str, ...]:
    return (name, *map(show_rate, rates))


def _points(gain: Estimate | None) -> str:
    return "-" if gain is None else f"{gain.value:+.1f} points ({gain.low:+.1f} to {gain.high:+.1f})"


def _wait(wait: Estimate | None) -> str:
    if wait is None:
        return "-"
    value, low, high = ("never" if one >= NEVER else f"{one:g}" for one in (wait.value, wait.low, wait.high))
    return f"{value} ({low}-{high})"


def _switches(scores: LevelScores) -> str:
    return "-" if scores.identity is None else f"{scores.identity.switches} in {scores.exact.n} passages"


def _identity(one: IdentityScores | None) -> str:
    return "-" if one is None else f"{one.idf1:.3f} / {one.mota:.3f}, {one.boxes} boxes"


_SETTINGS: Mapping[str, Callable[[SettingScores], str]] = {
    "settings": lambda one: one.name,
    "level": lambda one: one.level,
    "fused text right": lambda one: show_rate(one.exact),
    "and status read": lambda one: show_rate(one.exact_read),
    "detector run": lambda one: f"{100 * (one.detector_runs.value or 0):.0f} % of frames",
    "read a frame": lambda one: f"{one.reads:.2f}",
    "one track": lambda one: show_rate(one.one_track),
}


_KINDS: Mapping[str, Callable[[KindOutcome], str]] = {
    "kind": lambda one: one.kind,
    "clips": lambda one: str(one.clips),
    "true passages": lambda one: str(one.passages),
    "events": lambda one: str(one.events),
    "right": lambda one: str(one.right),
    "read": lambda one: str(one.read),
    "read wrong": lambda one: str(one.wrong),
    "lost": lambda one: str(one.lost),
    "doubled": lambda one: str(one.doubled),
    "mixed": lambda one: str(one.mixed),
    "boxes outside": lambda one: str(one.outside),
    "elsewhere": lambda one: str(one.elsewhere),
}


_VIDEOS: Mapping[str, Callable[[VideoOutcome], str]] = {
    "video": lambda one: one.file,
    "frames": lambda one: str(one.frames),
    "a second": lambda one: f"{one.frames_per_s:.1f}",
    "plates": lambda one: "not listed" if one.plates is None else str(len(one.plates)),
    "tracks": lambda one: str(one.tracks),
    "right": lambda one: _of_plates(one, len(one.found) - one.doubled),
    "read": lambda one: ", ".join(one.read) or "none",
    "lost": lambda one: _of_plates(one, one.lost),
    "doubled": lambda one: _of_plates(one, one.doubled),
    "mixed": lambda one: _of_plates(one, one.mixed),
    "boxes outside": lambda one: str(one.outside),
    "settled after": lambda one: ", ".join(map(str, one.settled_after)) or "-",
    "as it should be": lambda one: {True: "yes", False: "NO", None: "-"}[one.right],
}


def _of_plates(video: VideoOutcome, count: int) -> str:
    """How many of the listed plates; where none are listed, that is not known."""
    return "-" if video.plates is None else str(count)
