"""Times of a video: those of the container, and always growing."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from captures import ScriptedCapture
from platereader.errors import CaptureError
from platereader.media._video_file import VideoFile

FRAME = np.zeros((24, 32, 3), np.uint8)


def video(
    stamps_s: list[float], *, fps: float = 10.0, count: float = 0.0, forced_fps: float | None = None
) -> VideoFile:
    """A video with those container timestamps."""
    properties = {cv2.CAP_PROP_FPS: fps, cv2.CAP_PROP_FRAME_COUNT: count}
    capture = ScriptedCapture([FRAME] * len(stamps_s), stamps_s=stamps_s, properties=properties)
    return VideoFile(capture, name="gate.mp4", fps=forced_fps)


def times(opened: VideoFile) -> list[float]:
    return [round(timestamp_s, 6) for timestamp_s, _ in opened]


def test_uneven_times_are_those_of_the_container() -> None:
    assert times(video([0.0, 0.05, 0.2, 0.21])) == [0.0, 0.05, 0.2, 0.21]


def test_times_count_from_the_first_frame() -> None:
    assert times(video([7200.0, 7200.1, 7200.3])) == [0.0, 0.1, 0.3]


def test_times_that_do_not_grow_go_on_by_one_frame() -> None:
    assert times(video([0.0, 0.1, 0.1, 0.05, 0.4])) == [0.0, 0.1, 0.2, 0.3, 0.4]


def test_no_times_at_all() -> None:
    assert times(video([0.0] * 4)) == [0.0, 0.1, 0.2, 0.3]


def test_given_fps_wins() -> None:
    assert times(video([0.0, 9.0, 10.0], forced_fps=2.0)) == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("said", [0.0, -1.0, math.nan, math.inf, 90000.0])
def test_impossible_fps_count_as_unknown(said: float) -> None:
    opened = video([0.0, 0.0], fps=said)
    assert opened.fps is None
    assert times(opened) == [0.0, 0.04]


@pytest.mark.parametrize("said", [0.0, -9.2e18, math.nan])
def test_impossible_counts_are_unknown(said: float) -> None:
    assert video([0.0], count=said).frame_count is None


def test_a_video_that_breaks_off_says_so_after_its_frames() -> None:
    seen: list[float] = []
    with pytest.raises(CaptureError, match=r"broke off after 2 of about 10 frames"):
        seen.extend(timestamp_s for timestamp_s, _ in video([0.0, 0.1], count=10.0))
    assert seen == [0.0, 0.1]


def test_a_count_that_is_a_little_off_is_no_damage() -> None:
    assert len(times(video([0.1 * index for index in range(95)], count=100.0))) == 95


def test_a_video_without_a_frame() -> None:
    with pytest.raises(CaptureError, match="no frame that can be decoded"):
        times(video([]))


def test_stop() -> None:
    opened = video([0.0, 0.1, 0.2])
    frames = iter(opened)
    next(frames)
    opened.stop()
    assert list(frames) == []
    assert opened.stopped
