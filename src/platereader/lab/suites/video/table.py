"""A report over the sequences as plain text for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from platereader.lab.metrics.estimates import Estimate
from platereader.lab.metrics.rates import Rate
from platereader.lab.suites.video.real_videos import VideoOutcome
from platereader.lab.suites.video.report import BASELINES, NEVER, LevelScores, SettingScores, VideoReport
from platereader.lab.tables import aligned, described, show_rate

__all__ = ["format_settings", "format_video"]

_SETTINGS = ("settings", "level", "fused text right", "and status read", "detector run", "read a frame", "one track")


def format_video(report: VideoReport) -> str:
    """Levels side by side, settings, videos and what ran; rates with counts and 95 % intervals."""
    same = "the clips are the frozen ones"
    if report.changed:
        same = f"NOT the frozen frames in {len(report.changed)} clips ({', '.join(report.changed[:4])}, ...)"
    scores = report.scores()
    frames = sum(clip.frames for clip in report.default)
    blocks = [
        [f"{len(report.default)} clips of {frames} frames; {same}"],
        [described(part) for part in report.parts],
        _levels(scores) if scores else [],
        format_settings(report.settings()),
        [_video(video) for video in report.videos],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def format_settings(settings: Sequence[SettingScores]) -> list[str]:
    """One row for each level with each of the settings."""
    return aligned([_SETTINGS, *map(_setting, settings)]) if settings else []


def _levels(scores: Sequence[LevelScores]) -> list[str]:
    """One column for each level."""
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
        ("IDF1 / MOTA", *(_identity(one) for one in scores)),
        ("calibration error", *(_share(one.calibration_error) for one in scores)),
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


def _identity(scores: LevelScores) -> str:
    one = scores.identity
    return "-" if one is None else f"{one.idf1:.3f} / {one.mota:.3f}, {one.boxes} boxes"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _setting(scores: SettingScores) -> tuple[str, ...]:
    rates = (show_rate(scores.exact), show_rate(scores.exact_read))
    detector_runs = _percent(scores.detector_runs)
    return (scores.name, scores.level, *rates, detector_runs, f"{scores.reads:.2f}", show_rate(scores.one_track))


def _percent(rate: Rate) -> str:
    return "-" if rate.value is None else f"{100 * rate.value:.0f} % of frames"


def _video(video: VideoOutcome) -> str:
    known = "plates not listed" if video.plates is None else f"plates {', '.join(video.plates) or 'none'}"
    found = f"read {', '.join(video.read) or 'none'} in {video.tracks} tracks"
    verdict = {True: ": right", False: ": WRONG", None: ""}[video.right]
    return f"{video.file}: {known}; {found}{verdict}; {video.frames} frames, {video.frames_per_s:.1f} a second"
