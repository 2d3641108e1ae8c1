"""What a container says of its length against what comes of it, without any file."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import pytest
from av.error import InvalidDataError

from platereader.media._decoding import reported_fps
from platereader.media._video_file import ContainerReader

TICK = Fraction(1, 100)


def packet(start: int | None, *, kind: str = "video", size: int = 9, duration: int = 0, corrupt: bool = False) -> Any:
    """A packet of a stream whose clock has a hundred ticks a second."""
    stream = SimpleNamespace(type=kind, index=0 if kind == "video" else 1)
    times = {"pts": start, "dts": start, "duration": duration, "time_base": TICK}
    return SimpleNamespace(**times, stream=stream, size=size, is_corrupt=corrupt)


def reader(
    *packets: Any,
    name: str = "matroska,webm",
    duration_s: float | None = None,
    start_s: float | None = None,
    frames: int = 0,
    fps: float | None = 10.0,
    listed: int = 0,
    broken: bool = False,
) -> ContainerReader:
    """A reader of a container that says so much of itself and has these packets."""

    def demux() -> Iterator[Any]:
        yield from packets
        if broken:
            raise InvalidDataError(1, "broken")

    container = SimpleNamespace(
        format=SimpleNamespace(name=name),
        duration=None if duration_s is None else round(duration_s * 1e6),
        start_time=None if start_s is None else round(start_s * 1e6),
        demux=demux,
    )
    codec = SimpleNamespace(decode=lambda packet: [], has_b_frames=0, thread_count=0, thread_type="")
    stream = SimpleNamespace(index=0, frames=frames, average_rate=fps, index_entries=[None] * listed)
    stream.codec_context, stream.container = codec, container
    return ContainerReader(cast(Any, container), cast(Any, stream))


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ({"duration_s": 5.0, "start_s": 1.0}, 40),  # Matroska states when it ends
        ({"duration_s": 5.0}, 50),
        ({"duration_s": 5.0, "start_s": 1.0, "name": "avi"}, 50),
        ({"duration_s": 5.0, "start_s": 1.0, "frames": 7}, 7),
        *(({"duration_s": duration_s}, None) for duration_s in (None, 0.0, -1.0)),
        ({"duration_s": 1e-6, "fps": 900.0}, None),
        ({"duration_s": 5.0, "fps": None}, None),
    ],
)
def test_frames_are_counted_by_the_container_or_estimated(said: dict[str, Any], count: int | None) -> None:
    assert reader(**said).frame_count == count


@pytest.mark.parametrize(
    ("fps", "reported"), [(None, None), (0, None), (-1, None), (25, 25.0), (999.9, 999.9), (1000, None)]
)
def test_frames_per_second_are_possible_ones(fps: float | None, reported: float | None) -> None:
    assert reported_fps(cast(Any, SimpleNamespace(average_rate=fps))) == reported


def many(count: int) -> list[Any]:
    return [packet(10 * index, duration=10) for index in range(count)]


@pytest.mark.parametrize(
    ("packets", "said", "problem"),
    [
        # A length that is stated, but for a fiftieth of it and one frame.
        ([packet(960, duration=11)], {"duration_s": 10.0}, None),
        ([packet(960, duration=9)], {"duration_s": 10.0}, "9.7 of 10.0 s"),
        ([packet(970)], {"duration_s": 10.0}, "9.7 of 10.0 s"),
        ([packet(971)], {"duration_s": 10.0}, None),
        ([packet(971), packet(100)], {"duration_s": 10.0}, None),
        ([packet(100), packet(971, kind="audio")], {"duration_s": 10.0}, None),
        ([packet(100), packet(971, kind="subtitle")], {"duration_s": 10.0}, "1.0 of 10.0 s"),
        ([packet(977)], {"duration_s": 10.0, "fps": None}, None),  # at 25 frames a second, as nothing else is said
        ([packet(975)], {"duration_s": 10.0, "fps": None, "name": "flv"}, "9.8 of 10.0 s"),
        ([packet(0)], {"duration_s": 10.0, "name": "mpegts"}, None),  # FFmpeg's estimate
        # A number of frames, likewise.
        (many(97), {"frames": 100, "name": "avi"}, None),
        (many(96), {"frames": 100, "name": "avi"}, "96 of about 100 frames"),
        (many(5), {"frames": 100, "name": "mpegts"}, None),
        (many(5), {"listed": 5, "frames": 5, "name": "mov,mp4,m4a"}, None),
        (many(4), {"listed": 5, "frames": 5, "name": "mov,mp4,m4a"}, "4 of about 5 frames"),
        (many(4), {"listed": 5, "name": "ogg"}, None),
        ([*many(4), packet(90, corrupt=True)], {"listed": 6, "name": "mp4"}, "4 frames"),
        (many(4), {"broken": True, "name": "mpegts"}, "4 frames"),
        # What is empty and has no time is no packet.
        ([*many(3), packet(None, size=0)], {"listed": 4, "name": "mp4"}, "3 frames"),
        ([*many(3), packet(None)], {"listed": 4, "name": "mp4"}, None),
        ([*many(3), packet(90, size=0)], {"listed": 4, "name": "mp4"}, None),
        ([*many(3), packet(90, kind="audio")], {"listed": 4, "name": "mp4"}, "3 frames"),
    ],
)
def test_a_video_that_is_shorter_than_it_says_broke_off(
    packets: list[Any], said: dict[str, Any], problem: str | None
) -> None:
    one = reader(*packets, **said)
    assert list(one.frames()) == []
    assert one.problem() == (None if problem is None else f"broke off after {problem}: it is damaged or cut off")


def test_frames_that_could_not_be_decoded_are_counted() -> None:
    one = reader(*many(3), packet(30, corrupt=True), packet(40, corrupt=True), name="ogg")
    assert list(one.frames()) == []
    assert one.problem() == "is damaged: 2 of its frames could not be decoded and were left out"
    joined = reader(packet(30, corrupt=True), name="mpegts")  # a packet before a joint is marked, too
    assert (list(joined.frames()), joined.problem()) == ([], None)
