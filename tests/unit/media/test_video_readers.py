"""Videos of many kinds, made on the spot: all of their frames as they were, or an error."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from captures import VideoKind, write_video
from platereader._arrays import BgrImage
from platereader.errors import CaptureError
from platereader.media import open_source
from platereader.media._decoding import square_size, upright

CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"


def greys(count: int, *, first: int = 40) -> list[BgrImage]:
    """Frames that can be told from each other."""
    return [np.full((64, 64, 3), first + 10 * index, np.uint8) for index in range(count)]


def noise(count: int) -> list[BgrImage]:
    """Frames that take many bytes."""
    return list(np.random.default_rng(1).integers(0, 255, (count, 64, 64, 3)).astype(np.uint8))


def read(path: Path | str) -> list[tuple[float, BgrImage]]:
    source = open_source(path)
    frames = [(round(timestamp_s, 3), frame) for timestamp_s, frame in source]
    source.close()
    return frames


def read_until_error(path: Path) -> tuple[list[BgrImage], str]:
    """What a broken video gives, and what is said about it."""
    frames: list[BgrImage] = []
    with pytest.raises(CaptureError) as caught:
        frames.extend(frame for _, frame in open_source(path))
    return frames, str(caught.value)


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "options"),
    [
        ("a.mp4", "libx264", "yuv420p", {}),
        ("a.mov", "libx264", "yuv422p10le", {}),
        ("a.mkv", "libx265", "yuv420p10le", {"x265-params": "log-level=none"}),
        ("a.webm", "libvpx-vp9", "yuv420p", {"cpu-used": "8"}),
        ("a.mp4", "libsvtav1", "yuv420p10le", {"preset": "12"}),
        ("a.ts", "libx264", "yuv420p", {}),
        ("a.avi", "libx264", "yuv420p", {}),  # its stamps are in the order of decoding
        ("a.avi", "mjpeg", "yuvj420p", {}),
        ("a.h264", "libx264", "yuv420p", {}),  # has no stamps
        ("a.gif", "gif", "gray", {}),
        ("a.apng", "apng", "rgb24", {}),
    ],
)
def test_every_frame_of_many_kinds(
    tmp_path: Path, name: str, codec: str, pixel_format: str, options: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_video(tmp_path / name, greys(6), fps=10, kind=VideoKind(codec, pixel_format, options))
    capfd.readouterr()  # some encoders print
    frames = read(path)
    assert [timestamp_s for timestamp_s, _ in frames] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert [float(frame.mean()) for _, frame in frames] == pytest.approx([40, 50, 60, 70, 80, 90], abs=6)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", ["avi", "mkv", "mp4"])
def test_a_title_in_another_encoding_than_utf_8_does_no_harm(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"a.{suffix}", greys(3), fps=10, kind=VideoKind(title="ABCDEFGH"))
    data = path.read_bytes()
    assert b"ABCDEFGH" in data
    path.write_bytes(data.replace(b"ABCDEFGH", "дорога78".encode("cp1251")))
    assert len(read(path)) == 3


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_animated_pictures_with_uneven_times(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    first, *rest = map(Image.fromarray, greys(4))
    first.save(path, save_all=True, append_images=rest, duration=[100, 200, 300, 100], loop=0)
    frames = read(path)
    assert [timestamp_s for timestamp_s, _ in frames] == [0.0, 0.1, 0.3, 0.6]
    assert [float(frame.mean()) for _, frame in frames] == pytest.approx([40, 50, 60, 70], abs=6)


def moving_fields(count: int) -> list[BgrImage]:
    """A bright bar that moves to the right between the two fields of each frame, too."""
    frames = [np.full((96, 128, 3), 60, np.uint8) for _ in range(count)]
    for index, field in itertools.product(range(count), (0, 1)):
        left = 8 + 8 * index + 4 * field
        frames[index][field::2, left : left + 24] = 200
    return frames


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [("a.mp4", "libx264", {"x264-params": "tff=1", "flags": "+ildct"}), ("a.ts", "mpeg2video", {"flags": "+ildct"})],
)
def test_interlaced_frames_lose_their_teeth(tmp_path: Path, name: str, codec: str, options: dict[str, str]) -> None:
    path = write_video(tmp_path / name, moving_fields(6), kind=VideoKind(codec, options=options))
    frames = read(path)
    assert [timestamp_s for timestamp_s, _ in frames] == [0.0, 0.04, 0.08, 0.12, 0.16, 0.2]
    for frame in (frame for _, frame in frames[1:]):
        lines = frame[20:60, :, 0].astype(int)
        assert np.abs(lines[::2] - lines[1::2]).mean() < 1
        assert np.count_nonzero(frame[40, :, 0] > 130) == 24


@pytest.mark.parametrize(("width", "height"), [(64, 2), (2, 64)])
def test_interlaced_frames_too_small_for_the_filter_are_given_as_they_are(
    tmp_path: Path, width: int, height: int
) -> None:
    frames = [np.full((height, width, 3), 40 + 10 * index, np.uint8) for index in range(4)]
    kind = VideoKind("mpeg2video", options={"flags": "+ildct"})
    assert [frame.shape for _, frame in read(write_video(tmp_path / "a.mkv", frames, kind=kind))] == [
        (height, width, 3)
    ] * 4


def test_a_frame_that_no_filter_takes_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = VideoKind("mpeg2video", options={"flags": "+ildct"})
    path = write_video(tmp_path / "a.mkv", [np.full((2, 64, 3), 90, np.uint8)] * 4, kind=kind)
    monkeypatch.setattr("platereader.media._decoding._DEINTERLACED_PX", 1)
    assert read_until_error(path)[0] == []


def test_frames_that_are_not_interlaced_are_not_touched(tmp_path: Path) -> None:
    stripes = np.full((64, 64, 3), 60, np.uint8)
    stripes[::2] = 200
    path = write_video(tmp_path / "a.mp4", [stripes] * 3, kind=VideoKind(options={"crf": "1"}))
    assert all(np.abs(frame.astype(int) - stripes).mean() < 6 for _, frame in read(path))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_is_applied(tmp_path: Path, rotation: int) -> None:
    frame = np.full((48, 64, 3), 60, np.uint8)
    frame[:16, :16] = 220
    path = write_video(tmp_path / "a.mp4", [frame] * 2, rotation=rotation)
    expected = np.rot90(frame, rotation // 90)
    for _, shown in read(path):
        assert shown.shape == expected.shape
        assert np.abs(shown.astype(int) - expected).mean() < 6


def test_mirrored_frames() -> None:
    frame = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    one = 1 << 16
    assert np.array_equal(upright(frame, (-one, 0, 0, one)), frame[:, ::-1])
    assert np.array_equal(upright(frame, (one, 0, 0, -one)), frame[::-1])
    assert np.array_equal(upright(frame, (0, one, one, 0)), frame.transpose(1, 0, 2))
    assert np.array_equal(upright(frame, (0, one, -one, 0)), np.rot90(frame, -1))
    assert np.array_equal(upright(frame, (0, -one, one, 0)), np.rot90(frame))
    assert np.array_equal(upright(frame, (1, 0, 0, 1)), frame)
    assert upright(frame, (0, one, -one, 0)).flags["C_CONTIGUOUS"]
    # Between right angles the nearest one is taken.
    assert np.array_equal(upright(frame, (3, 2, -2, 3)), frame)
    assert np.array_equal(upright(frame, (2, 3, -3, 2)), np.rot90(frame, -1))
    assert np.array_equal(upright(frame, (-2, -2, 2, -2)), frame[::-1, ::-1])
    assert np.array_equal(upright(frame, (5, 5, 0, -5)), frame[::-1])


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        *((aspect, (704, 576)) for aspect in (0.98, 1.02, 0.2499, 4.001)),  # square, or a mistake
        *((aspect, (round(704 * aspect), 576)) for aspect in (1.021, 1.5, 4.0)),
        *((aspect, (704, round(576 / aspect))) for aspect in (0.979, 0.5, 0.25)),
    ],
)
def test_pixels_are_made_square_by_more_of_them(aspect: float, size: tuple[int, int]) -> None:
    assert square_size(704, 576, aspect) == size


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    times_s = [0.0, 0.04, 0.5, 0.52, 3.0]
    assert [
        timestamp_s for timestamp_s, _ in read(write_video(tmp_path / "a.mkv", greys(5), times_s=times_s))
    ] == times_s


@pytest.mark.parametrize(
    ("starts_s", "jump_s"), [((0.0, 100.0), 99.8), ((5000.0, 3.0), 0.04), ((0.0, 50_000.0), 49_999.8)]
)
def test_a_clock_that_jumps_in_a_transport_stream_is_no_damage(
    tmp_path: Path, starts_s: Sequence[float], jump_s: float
) -> None:
    parts = [
        write_video(
            tmp_path / f"{index}.ts", greys(5), times_s=[start_s + 0.04 * step for step in range(5)]
        ).read_bytes()
        for index, start_s in enumerate(starts_s)
    ]
    (tmp_path / "a.ts").write_bytes(b"".join(parts))
    times_s = [timestamp_s for timestamp_s, _ in read(tmp_path / "a.ts")]
    assert len(times_s) == 10
    assert times_s[5] - times_s[4] == pytest.approx(jump_s, abs=0.05 if jump_s > 1 else 0.001)


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [("a.mp4", "libx264", "yuv420p"), ("a.mkv", "libx264", "yuv420p"), ("a.avi", "mjpeg", "yuvj420p")],
)
def test_a_video_that_breaks_off_says_so_after_its_frames(
    tmp_path: Path, name: str, codec: str, pixel_format: str
) -> None:
    path = write_video(tmp_path / name, noise(30), kind=VideoKind(codec, pixel_format))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    frames, message = read_until_error(path)
    assert 14 <= len(frames) <= 21
    assert "broke off after" in message
    assert path.name in message


@pytest.mark.parametrize(
    ("name", "codec", "sound", "missing"),
    [
        ("a.ts", "libx264", None, 1),
        ("a.ts", "mpeg2video", None, 2 * 188),  # inside of the last frame, which is decoded all the same
        ("a.ts", "libx264", "aac", 188),  # inside of the last sound
        ("a.m2ts", "libx264", None, 100),
        ("a.mkv", "libx264", None, 40),
        ("a.avi", "mpeg4", None, 2),
    ],
)
def test_a_video_without_its_last_bytes_is_no_whole_one(
    tmp_path: Path, name: str, codec: str, sound: str | None, missing: int
) -> None:
    path = write_video(tmp_path / name, noise(8), kind=VideoKind(codec), sound=sound)
    assert len(read(path)) == 8
    path.write_bytes(path.read_bytes()[:-missing])
    frames, message = read_until_error(path)
    assert len(frames) >= 6
    assert "broke off after" in message


def test_a_video_with_an_empty_box_before_its_frames_is_whole_and_seen_to_be_cut_off(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", greys(8))
    data = path.read_bytes()
    path.write_bytes(data + b"\0\0\0\x08free")
    assert len(read(path)) == 8
    path.write_bytes(data + b"\0\0\0\x08free" + b"\0\0\1\0mdat" + bytes(100))
    assert "broke off after" in read_until_error(path)[1]


def test_a_fragmented_video_without_its_last_bytes(tmp_path: Path) -> None:
    path, fragments = write_video(tmp_path / "a.mp4", greys(8)), tmp_path / "b.mp4"
    with av.open(path) as source, av.open(fragments, "w", options={"movflags": "frag_every_frame+empty_moov"}) as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                copy.mux(packet)
    assert len(read(fragments)) == 8
    fragments.write_bytes(fragments.read_bytes()[:-60])
    assert "broke off after" in read_until_error(fragments)[1]


@pytest.mark.parametrize("suffix", ["ts", "h264"])
def test_a_stream_that_begins_within_a_group_of_pictures_is_no_damage(tmp_path: Path, suffix: str) -> None:
    options = {"g": "10", "sc_threshold": "0", "qp": "20"}  # without rate control every run gives the same bytes
    path = write_video(tmp_path / f"a.{suffix}", noise(30), kind=VideoKind(options=options))
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 6 // 188 * 188 :])
    assert 20 <= len(read(path)) <= 25


def test_a_damaged_frame_is_left_out_and_said(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", noise(12))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(value * 7 % 256 for value in range(400))
    path.write_bytes(data)
    frames, message = read_until_error(path)
    assert 6 <= len(frames) <= 11
    assert "could not be decoded" in message
    assert all(frame.any() for frame in frames)


def test_what_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "sound.mp4").write_bytes(
        write_video(tmp_path / "a.mp4", greys(2), sound="aac").read_bytes().replace(b"avc1", b"zzzz")
    )
    with pytest.raises(CaptureError, match="not a video that can be decoded"):
        open_source(tmp_path / "sound.mp4")
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(CaptureError):
        read(playlist)


@pytest.mark.parametrize("name", ["frame-%03d.mp4", "http:x.mp4", "кадры 1.mp4", "-i.mp4"])
def test_any_name_is_a_name(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / name, greys(2))
    monkeypatch.chdir(tmp_path)
    assert len(read(name)) == len(read(tmp_path / name)) == 2


def test_a_name_with_the_place_of_a_number_is_one_picture(tmp_path: Path) -> None:
    for name, grey in (("a-%d.png", 40), ("a-1.png", 80), ("a-2.png", 120)):
        Image.fromarray(np.full((64, 64, 3), grey, np.uint8)).save(tmp_path / name)
    assert [float(frame.mean()) for _, frame in read(tmp_path / "a-%d.png")] == [40]


def test_few_threads(tmp_path: Path) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    if not Path("/proc/self/task").is_dir():
        pytest.skip("counts threads in /proc")
    path = write_video(tmp_path / "a.mp4", moving_fields(4), kind=VideoKind(options={"x264-params": "tff=1"}))
    source = open_source(path)
    before, python_threads = count(), threading.active_count()
    frames = iter(source)
    next(frames)
    assert count() - before <= 2
    assert len(list(frames)) == 3
    source.close()
    assert threading.active_count() == python_threads


@pytest.mark.skipif(not CASES.is_dir(), reason="needs the cases beside the repository")
def test_the_cases() -> None:
    interlaced = read(CASES / "interlaced-video" / "interlaced_h264.mp4")
    assert len(interlaced) == 40
    assert all(frame.mean() > 50 for _, frame in interlaced)
    uneven = [timestamp_s for timestamp_s, _ in read(CASES / "variable-frame-rate" / "vfr.mp4")]
    assert (len(uneven), uneven[1], uneven[-1]) == (44, 0.04, 13.6)
