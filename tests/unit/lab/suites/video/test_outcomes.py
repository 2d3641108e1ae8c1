"""What a run over the sequences counts, on made-up frames whose outcome is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from fakes import TEXTS, frame_with, patch_pipeline
from platereader import Box, Quad
from platereader.cli import main
from platereader.cli.exits import EXIT_BROKEN
from platereader.errors import DatasetError, MediaFileError
from platereader.lab.suites.video.identity import score_identity
from platereader.lab.suites.video.outcomes import ClipOutcome, PassageOutcome, TrackOutcome, clip_outcome, seen_frames
from platereader.lab.suites.video.real_videos import RealVideo, load_videos, watch_video
from platereader.lab.suites.video.replay import record, replay
from platereader.lab.suites.video.report import NEVER, VideoReport, format_video
from platereader.lab.synthesis.video.clip import VideoFrame
from platereader.lab.synthesis.video.truth import TruePlate
from platereader.video._stream import StreamSettings

FPS = 10
RIGHT = TEXTS[50]
SIZE = (320, 240)


def true(box: Box, text: str = RIGHT, *, passage: int = 0, uncovered: float = 1.0) -> TruePlate:
    return TruePlate(passage, text, Quad.from_box(box), 1.0, uncovered, 0.0, 0.0)


def frames(boxes: Sequence[Box | None], *, blues: Sequence[int] = (50,), text: str = RIGHT) -> Iterator[VideoFrame]:
    """One plate that moves; None hides it."""
    for number, box in enumerate(boxes):
        blue = blues[number % len(blues)]
        pixels = frame_with({} if box is None else {blue: box})
        yield VideoFrame(pixels, number / FPS, () if box is None else (true(box, text),))


def moving(count: int) -> list[Box | None]:
    return [Box(20 + 2 * step, 30, 100 + 2 * step, 50) for step in range(count)]


def outcome(some: Iterator[VideoFrame], settings: StreamSettings | None = None) -> ClipOutcome:
    pipeline = patch_pipeline()
    recorded = record(pipeline, some)
    return clip_outcome("easy 00 drive", recorded, replay(pipeline, recorded, settings))


def test_a_plate_that_is_read_in_every_frame_is_one_right_passage() -> None:
    result = outcome(frames(moving(12)))
    (passage,), (track,) = result.passages, result.tracks
    assert (passage.answer, passage.majority, passage.characters, passage.best_frame) == (RIGHT,) * 4
    assert (passage.visible, passage.right, passage.legible, passage.tracks) == (12, 12, 12, 1)
    assert passage.settled_after is not None
    assert passage.settled_after <= 5
    assert not passage.settled_wrong
    assert track.right
    assert track.passage == 0
    assert result.detector_runs == result.frames == 12


def test_the_replay_says_what_the_stream_itself_says() -> None:
    pipeline = patch_pipeline()
    boxes = [*moving(8), *[None] * 7, *moving(9)]
    for settings in (StreamSettings(), StreamSettings(search_s=0.3), StreamSettings(recheck_s=0.0)):
        stream = pipeline.stream(settings)
        live = [stream.update(frame.pixels, frame.timestamp_s) for frame in frames(boxes)]
        live.append(stream.finish())
        replayed = replay(pipeline, record(pipeline, frames(boxes)), settings)
        assert [one.to_dict() for one in replayed.updates] == [one.to_dict() for one in live]


def test_less_work_is_counted() -> None:
    every, third = (outcome(frames(moving(12)), StreamSettings(search_s=some_s)) for some_s in (0.0, 0.3))
    assert (every.detector_runs, third.detector_runs) == (12, 4)
    always = outcome(frames(moving(12)), StreamSettings(recheck_s=0.0))
    assert always.read == 12
    assert every.read < 12


def test_wrong_readings_are_wrong_everywhere() -> None:
    result = outcome(frames(moving(12), text="O999OO99"))
    (passage,), (track,) = result.passages, result.tracks
    assert passage.right == 0
    assert passage.answer == RIGHT
    assert passage.settled_wrong
    assert not track.right
    assert track.truth == "O999OO99"


def test_a_plate_that_is_never_found_is_a_passage_without_a_track() -> None:
    some = [VideoFrame(frame_with({}), step / FPS, (true(Box(20, 30, 100, 50)),)) for step in range(4)]
    result = outcome(iter(some))
    (passage,) = result.passages
    assert (passage.tracks, passage.answer, passage.settled_after) == (0, None, None)
    assert result.tracks == ()


def test_a_track_on_no_plate_belongs_to_no_passage() -> None:
    some = [VideoFrame(frame_with({50: Box(20, 30, 100, 50)}), step / FPS, ()) for step in range(6)]
    result = outcome(iter(some))
    assert result.passages == ()
    (track,) = result.tracks
    assert (track.passage, track.status, track.right) == (None, "read", False)


def test_a_track_that_goes_over_to_another_plate_is_on_two() -> None:
    box = Box(20, 30, 100, 50)
    passages = [0, 0, 0, 1, 1, 0, 2]  # one frame on a plate says nothing
    pixels = frame_with({50: box})
    some = [VideoFrame(pixels, step / FPS, (true(box, passage=number),)) for step, number in enumerate(passages)]
    (track,) = outcome(iter(some)).tracks
    assert (track.passage, track.plates) == (0, 2)


def test_a_plate_that_is_always_covered_is_no_passage() -> None:
    box = Box(20, 30, 100, 50)
    some = [VideoFrame(frame_with({50: box}), step / FPS, (true(box, uncovered=0.4),)) for step in range(6)]
    result = outcome(iter(some))
    assert result.passages == ()
    assert result.tracks[0].right


def test_a_plate_that_comes_back_is_one_passage_with_one_track() -> None:
    result = outcome(frames([*moving(8), *[None] * 15, *moving(8)]))
    (passage,) = result.passages
    assert passage.tracks == 1
    assert passage.visible == 16


def identity(truths: Sequence[Sequence[TruePlate]], blues: Sequence[dict[int, Box]]) -> tuple[float, float, int, int]:
    pipeline = patch_pipeline()
    some = [
        VideoFrame(frame_with(patches), step / FPS, tuple(plates))
        for step, (plates, patches) in enumerate(zip(truths, blues, strict=True))
    ]
    recorded = record(pipeline, some)
    scores = score_identity([seen_frames(recorded, replay(pipeline, recorded))])
    assert scores is not None
    return scores.idf1, scores.mota, scores.switches, scores.boxes


def test_tracks_are_scored_as_in_multiple_object_tracking() -> None:
    left, right = Box(20, 30, 100, 50), Box(200, 150, 280, 170)
    both = [true(left), true(right, TEXTS[100], passage=1)]
    assert identity([both] * 6, [{50: left, 100: right}] * 6) == (1.0, 1.0, 0, 12)
    # One of two plates is never found: half of the boxes are missed, and F1 of 6 right of 12 true and 6 found.
    idf1, mota, switches, boxes = identity([both] * 6, [{50: left}] * 6)
    assert (idf1, mota) == pytest.approx((2 * 6 / 18, 0.5))
    assert (switches, boxes) == (0, 12)
    # Without truth half of it, a track is a false box.
    assert identity([[true(left)]] * 6, [{50: left, 100: right}] * 6)[1] == pytest.approx(0.0)


def test_a_plate_that_is_mostly_covered_need_not_be_found_and_may_be() -> None:
    left, right = Box(20, 30, 100, 50), Box(200, 150, 280, 170)
    hidden = [true(left), true(right, TEXTS[100], passage=1, uncovered=0.3)]
    assert identity([hidden] * 6, [{50: left}] * 6) == (1.0, 1.0, 0, 6)
    assert identity([hidden] * 6, [{50: left, 100: right}] * 6) == (1.0, 1.0, 0, 6)


# ---------------------------------------------------------------- report


def passage(clip: str, *, answer: str | None, majority: str | None, settled: int | None = 3) -> PassageOutcome:
    return PassageOutcome(
        clip=clip,
        passage=0,
        text=RIGHT,
        visible=10,
        right=4,
        legible=8,
        tracks=1,
        answer=answer,
        status="read",
        confidence=0.9,
        settled_after=settled,
        settled_wrong=False,
        best_frame=RIGHT,
        majority=majority,
        characters=None,
    )


def track(clip: str, *, text: str, truth: str | None = RIGHT, settled: bool = True) -> TrackOutcome:
    return TrackOutcome(clip, None if truth is None else 0, truth, text, "read", 0.9, settled, 1 if truth else 0)


def report() -> VideoReport:
    names = [f"hard {number:02d} drive" for number in range(4)]
    clips = (
        ClipOutcome(
            names[0], (passage(names[0], answer=RIGHT, majority=None),), (track(names[0], text=RIGHT),), 10, 10, 4
        ),
        ClipOutcome(
            names[1], (passage(names[1], answer=RIGHT, majority=RIGHT),), (track(names[1], text=RIGHT),), 10, 10, 4
        ),
        ClipOutcome(
            names[2], (passage(names[2], answer="B1", majority=RIGHT),), (track(names[2], text="B1"),), 10, 10, 4
        ),
        ClipOutcome(
            names[3],
            (passage(names[3], answer=RIGHT, majority=None, settled=None),),
            (track(names[3], text=RIGHT, settled=False), track(names[3], text="X1", truth=None)),
            10,
            5,
            8,
        ),
    )
    return VideoReport({"default": clips}, {"hard": None}, (), ("hard 00 drive",), ())


def test_a_report_counts_what_it_should() -> None:
    (scores,) = report().scores()
    assert (scores.single.count, scores.single.n) == (16, 40)
    assert (scores.exact.count, scores.exact.n) == (3, 4)
    assert scores.baselines["whole-string majority"].count == 2
    assert scores.baselines["character vote"].count == 0
    gain = scores.gains["whole-string majority"]
    assert gain.value == pytest.approx(25.0)
    assert gain.low <= gain.value <= gain.high
    assert scores.settled.count == 3
    assert scores.settled_after is not None
    assert scores.settled_after.value == 3
    assert (scores.settled_wrong.count, scores.settled_wrong.n) == (2, 4)
    assert (scores.read_wrong.count, scores.read_wrong.n) == (2, 5)
    assert (scores.mixed.count, scores.mixed.n) == (0, 4)
    assert (scores.false_tracks.count, scores.false_tracks.n) == (1, 5)
    assert scores.one_track.count == 4
    (settings,) = report().settings()
    assert (settings.detector_runs.count, settings.detector_runs.n, settings.reads) == (35, 40, 0.5)
    assert [one.clip for one in report().failures] == ["hard 02 drive"]
    assert [one.text for one in report().wrong_tracks] == ["B1", "X1"]


def test_a_level_that_never_settles_says_never() -> None:
    made = report()
    clips = tuple(
        replace(one, passages=tuple(replace(p, settled_after=None) for p in one.passages)) for one in made.default
    )
    never = replace(made, outcomes={"default": clips})
    (scores,) = never.scores()
    assert scores.settled_after is not None
    assert scores.settled_after.value == NEVER
    assert "never" in format_video(never)


def test_a_report_is_json_and_a_table() -> None:
    data = json.loads(json.dumps(report().to_dict(), allow_nan=False))
    assert data["schema"] == 2
    assert data["levels"][0]["exact"]["count"] == 3
    assert data["failures"][0]["answer"] == "B1"
    text = format_video(report())
    assert "+25.0 points" in text
    assert "NOT the frozen pictures in 1 clips" in text


# ---------------------------------------------------------------- videos


def write_video(path: Path, boxes: Sequence[Box | None]) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), FPS, SIZE)
    for frame in frames(boxes):
        writer.write(frame.pixels)
    writer.release()


def test_a_video_is_right_when_each_plate_is_read_once(tmp_path: Path) -> None:
    write_video(tmp_path / "a.avi", [None, None, *moving(10), *[None] * 3])
    (tmp_path / "labels.json").write_text(json.dumps({"a.avi": {"plates": [RIGHT], "note": "one car"}}))
    (video,) = load_videos(tmp_path)
    result = watch_video(patch_pipeline(), video)
    assert (result.read, result.tracks, result.frames) == ((RIGHT,), 1, 15)
    assert result.right
    assert result.frames_per_s > 0
    assert watch_video(patch_pipeline(), replace(video, plates=(RIGHT, RIGHT))).right is False
    assert watch_video(patch_pipeline(), replace(video, plates=None)).right is None


def test_what_became_of_the_plates_of_a_video_stands_in_a_row(tmp_path: Path) -> None:
    write_video(tmp_path / "a.avi", [None, None, *moving(10), *[None] * 3])
    (tmp_path / "labels.json").write_text(json.dumps({"a.avi": {"plates": [RIGHT, "X000XX00"]}}))
    result = watch_video(patch_pipeline(), load_videos(tmp_path)[0])
    assert (result.found, result.lost, result.doubled) == ((RIGHT,), 1, 0)
    assert (result.mixed, result.outside, result.settled_after) == (0, 0, (3,))
    again = replace(result, found=(RIGHT, RIGHT), mixed=1, outside=2)
    assert (again.lost, again.doubled) == (1, 1)
    alone = format_video(VideoReport({"default": ()}, {}, (again, replace(again, plates=None)), (), ()))
    rows = [line.split() for line in alone.splitlines() if line.startswith("a.avi")]
    assert rows[0] == ["a.avi", "15", f"{again.frames_per_s:.1f}", "2", "1", "1", RIGHT, "1", "1", "1", "2", "3", "NO"]
    assert rows[1][-8:] == ["-", RIGHT, "-", "-", "-", "2", "3", "-"]
    assert "frozen" not in alone


def test_broken_lists_and_video_are_named(tmp_path: Path) -> None:
    assert load_videos(tmp_path) == ()
    (tmp_path / "labels.json").write_text('{"a.avi": {"frames": 3, "fps": 10}}')
    with pytest.raises(DatasetError, match=r"labels\.json"):
        load_videos(tmp_path)
    (tmp_path / "labels.json").write_text('{"a.avi": {"frames": 3, "fps": 10, "plates": null}}')
    with pytest.raises(DatasetError, match=r"a\.avi"):
        load_videos(tmp_path)
    with pytest.raises(MediaFileError):
        watch_video(patch_pipeline(), RealVideo(tmp_path / "none.avi", None))


def test_a_missing_library_is_named_before_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert main(["evaluate", str(tmp_path), "--video"]) == EXIT_BROKEN
    assert "platereader-anpr[evaluate]" in capsys.readouterr().err
