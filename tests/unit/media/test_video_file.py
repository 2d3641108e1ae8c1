"""Times of a video: those of the container, and always growing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from platereader.errors import CaptureError
from platereader.media._decoding import DecodedFrame
from platereader.media._video_file import AnimationReader, GrowingClock, VideoFile

FRAME = np.zeros((24, 32, 3), np.uint8)


class Reader:
    """A file with frames of those stamps, and a problem."""

    frame_count = None

    def __init__(self, stamps_s: Sequence[float | None], *, fps: float | None, problem: str | None) -> None:
        self.fps = fps
        self._stamps_s = stamps_s
        self._problem = problem

    def frames(self) -> Iterator[DecodedFrame]:
        """One after the other."""
        for stamp_s in self._stamps_s:
            yield DecodedFrame(stamp_s, None, FRAME)

    def problem(self) -> str | None:
        """As given."""
        return self._problem

    def close(self) -> None:
        """Nothing is open."""


class ChangingReader(Reader):
    """A file whose frames are of those sizes, (height, width)."""

    def __init__(self, *sizes: tuple[int, int]) -> None:
        super().__init__([], fps=10.0, problem=None)
        self._sizes = sizes

    def frames(self) -> Iterator[DecodedFrame]:
        """One after the other, ten in a second."""
        for index, size in enumerate(self._sizes):
            yield DecodedFrame(index / 10, None, np.zeros((*size, 3), np.uint8))


def test_frames_that_are_too_large_are_left_out_and_said() -> None:
    given: list[tuple[float, int]] = []
    reader = ChangingReader((2, 32_000), (2, 32_001), (32_001, 2), (32_000, 2))
    opened = VideoFile(cast(Any, reader), name="gate.mp4")
    with pytest.raises(CaptureError, match=r"'gate\.mp4' has 2 frames of more than 32000 px a side"):
        given.extend((timestamp_s, frame.shape[0]) for timestamp_s, frame in opened)
    assert given == [(0.0, 2), (pytest.approx(0.3), 32_000)]


def video(
    stamps_s: Sequence[float | None],
    *,
    fps: float | None = 10.0,
    forced: float | None = None,
    problem: str | None = None,
) -> VideoFile:
    """A video with those container timestamps."""
    return VideoFile(cast(Any, Reader(stamps_s, fps=fps, problem=problem)), name="gate.mp4", fps=forced)


def times(opened: VideoFile) -> list[float]:
    return [round(timestamp_s, 6) for timestamp_s, _ in opened]


@pytest.mark.parametrize(
    ("stamps_s", "options", "times_s"),
    [
        ([0.0, 0.05, 0.2, 0.21], {}, [0.0, 0.05, 0.2, 0.21]),
        ([7200.0, 7200.1, 7200.3], {}, [0.0, 0.1, 0.3]),
        ([0.0, 0.1, 0.1, 0.05, 0.4], {}, [0.0, 0.1, 0.15, 0.25, 0.4]),  # they go on by themselves
        ([0.0, 0.1, 0.1, 0.2, 0.3], {}, [0.0, 0.1, 0.15, 0.2, 0.3]),  # so one that stands twice delays nothing
        ([0.0, 0.1, 100.0, 100.2], {}, [0.0, 0.1, 100.0, 100.2]),  # the clock jumps
        ([50.0, 50.1, 7.0, 7.3, 7.5], {}, [0.0, 0.1, 0.2, 0.5, 0.7]),  # it is set anew
        ([0.0, 2.0, 1.0, 2.5], {}, [0.0, 2.0, 2.05, 2.5]),  # which a second less is not
        ([0.0, 2.0, 0.875, 1.0], {}, [0.0, 2.0, 2.1, 2.225]),
        ([None, 0.1, 0.3], {}, [0.0, 0.1, 0.3]),
        ([0.0, 0.1, 0.1, 0.2, 0.2, 0.2], {}, [0.0, 0.1, 0.15, 0.2, 0.25, 0.35]),
        ([None] * 4, {}, [0.0, 0.1, 0.2, 0.3]),
        ([0.0] * 3, {"fps": None}, [0.0, 0.02, 0.06]),
        ([0.0, 9.0, 10.0], {"forced": 2.0}, [0.0, 0.5, 1.0]),
    ],
)
def test_times_are_those_of_the_container_and_always_grow(
    stamps_s: list[float | None], options: dict[str, Any], times_s: list[float]
) -> None:
    assert times(video(stamps_s, **options)) == times_s


def test_the_duration_of_a_frame_says_when_the_next_one_comes() -> None:
    clock = GrowingClock(0.1)
    frames = [(3.0, 0.5), (None, 0.25), (None, None), (None, None), (4.0, 2.0), (None, None)]
    assert [clock.time_of(*frame) for frame in frames] == pytest.approx([0.0, 0.5, 0.75, 1.0, 1.125, 3.125])


def test_a_video_knows_when_it_begins_and_how_long_its_last_frame_lasts() -> None:
    opened = video([7200.5, 7200.6])
    assert (opened.live, opened.dropped, opened.start_s, opened.last_duration_s) == (False, 0, 0.0, None)
    list(opened)
    assert (opened.start_s, opened.fps) == (7200.5, 10.0)
    forced = video([7200.5, 7200.6], forced=5.0)
    list(forced)
    assert (forced.start_s, forced.fps) == (7200.5, 5.0)


def test_a_problem_is_said_after_the_frames() -> None:
    seen: list[float] = []
    with pytest.raises(CaptureError, match=r"'gate.mp4' broke off; what was seen"):
        seen.extend(timestamp_s for timestamp_s, _ in video([0.0, 0.1], problem="broke off"))
    assert seen == [0.0, 0.1]


def test_a_video_without_a_frame() -> None:
    with pytest.raises(CaptureError, match="no frame that can be decoded"):
        times(video([]))


def test_stop() -> None:
    opened = video([0.0, 0.1, 0.2], problem="is damaged")
    frames = iter(opened)
    next(frames)
    opened.stop()
    assert list(frames) == []
    assert opened.stopped


def test_an_animation_gives_what_can_be_decoded_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *rest = (Image.new("RGB", (16, 8), (60 * index, 0, 0)) for index in range(3))
    first.save(tmp_path / "still.webp", lossless=True)
    first.save(tmp_path / "a.webp", lossless=True, save_all=True, append_images=rest, duration=[100, 250, 40])
    (tmp_path / "none.webp").write_bytes(b"no picture")
    with pytest.raises(OSError, match="cannot identify"):
        AnimationReader(tmp_path / "none.webp")
    whole, still, damaged = (AnimationReader(tmp_path / name) for name in ("a.webp", "still.webp", "a.webp"))
    assert [(one.fps, one.frame_count) for one in (whole, still)] == [(None, 3), (None, 1)]
    seek = damaged._image.seek

    def breaking(index: int) -> None:
        if index == 2:
            raise EOFError
        seek(index)

    closed: list[bool] = []
    monkeypatch.setattr(damaged._image, "seek", breaking)
    monkeypatch.setattr(damaged._image, "close", lambda: closed.append(True))
    frames = [(0.0, 0.1, 0), (0.1, 0.25, 60), (0.35, 0.04, 120)]
    problem = "broke off after 2 of 3 frames: it is damaged or cut off"
    for one, given, said in ((whole, frames, None), (still, [(0.0, None, 0)], None), (damaged, frames[:2], problem)):
        assert [(f.stamp_s, f.duration_s, int(f.pixels[4, 8, 2])) for f in one.frames()] == given
        assert one.problem() == said
        one.close()
    assert closed == [True]
