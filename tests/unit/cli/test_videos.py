"""Videos that are written: times, sound, sizes, and nothing left when it goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from captures import VideoKind, read_timed, read_video, write_video
from platereader._arrays import BgrImage
from platereader._files import InputFiles
from platereader.cli import videos
from platereader.cli.videos import VideoWriter
from platereader.errors import FileError
from platereader.media import FrameSource, open_source
from platereader.media._folder import FrameFolder
from webdriver import chromium

UNEVEN_S = [0.0, 0.04, 0.5, 0.52, 3.0, 9.0]


def greys(count: int, *, width: int = 64, height: int = 48) -> list[BgrImage]:
    """Frames that can be told from each other."""
    return [np.full((height, width, 3), (60, 120, 40 + 20 * index), np.uint8) for index in range(count)]


class Source(FrameFolder):
    """Where frames come from that is no file."""

    def __init__(self) -> None:
        self.fps = 10.0


def copy(source: FrameSource, path: Path, **options: Any) -> VideoWriter:
    with VideoWriter(path, source=source, **options) as writer:
        for timestamp_s, frame in source:
            writer.write(frame, timestamp_s)
    source.close()
    return writer


def write(path: Path, frames: Sequence[BgrImage], times_s: Sequence[float] | None = None) -> None:
    with VideoWriter(path, source=Source()) as writer:
        for index, frame in enumerate(frames):
            writer.write(frame, index / 10 if times_s is None else times_s[index])


@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov", ".mkv"])
def test_uneven_times_are_kept_and_the_file_is_as_long(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"новое{suffix}"
    write(path, greys(6), UNEVEN_S)
    assert [timestamp_s for timestamp_s, _ in read_timed(path)] == pytest.approx(UNEVEN_S, abs=0.001)
    assert all(np.abs(a.astype(int) - b).max() < 6 for a, b in zip(read_video(path), greys(6), strict=True))
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert container.duration is not None
        assert 9 < container.duration / 1e6 < 16
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_the_index_stands_before_the_frames_and_every_browser_takes_the_profile(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", greys(3))
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    version, profile, _, level = data[data.index(b"avcC") + 4 :][:4]
    assert (version, profile) == (1, 100)  # High: 8 bits, 4:2:0
    assert level <= 52


def test_it_plays_in_a_browser(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mov", greys(10), fps=10, sound="aac")
    copy(open_source(path), tmp_path / "a.mp4")
    page = tmp_path / "page.html"
    page.write_text('<!doctype html><video src="a.mp4" autoplay muted></video>')
    video = "document.querySelector('video')"
    with chromium(tmp_path) as browser:
        browser.open(page.as_uri())
        if not browser.run(f"return {video}.canPlayType('video/mp4; codecs=\"avc1.640028, mp4a.40.2\"')"):
            pytest.skip("needs a Chromium that decodes H.264")
        browser.wait_for(f"{video}.ended || {video}.error", timeout_s=30)
        assert browser.run(f"return {video}.error?.message ?? null") is None
        shown = browser.run(f"return [{video}.videoWidth, {video}.videoHeight, {video}.duration]")
        assert shown == pytest.approx([64, 48, 1.0], abs=0.15)
        assert browser.run(f"return {video}.getVideoPlaybackQuality().totalVideoFrames") >= 8


@pytest.mark.parametrize(("width", "height"), [(65, 48), (64, 47), (33, 33)])
def test_odd_sizes_gain_a_line(tmp_path: Path, width: int, height: int) -> None:
    write(tmp_path / "a.mp4", greys(2, width=width, height=height))
    assert read_video(tmp_path / "a.mp4")[0].shape == (height + height % 2, width + width % 2, 3)


def test_a_frame_of_another_size_is_fitted(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", [*greys(1), *greys(1, width=128, height=24)])
    first, second = read_video(tmp_path / "a.mp4")
    assert first.shape == second.shape
    assert second[:15].max() < 30 < second[20:28].max()


def sound_of(path: Path) -> list[tuple[float, bytes]]:
    with av.open(path) as container:
        if not container.streams.audio:
            return []
        return [
            (float(packet.pts * packet.time_base), bytes(packet))
            for packet in container.demux(audio=0)
            if packet.size and packet.pts is not None
        ]


@pytest.mark.parametrize(("name", "sound"), [("a.mp4", "aac"), ("a.mkv", "libopus"), ("a.ts", "mp2")])
def test_sound_is_copied_at_its_times(tmp_path: Path, name: str, sound: str) -> None:
    path = write_video(tmp_path / name, greys(20), fps=10, sound=sound)
    with av.open(path) as container:
        stream = container.streams.video[0]
        start_s = min(frame.time for frame in container.decode(stream) if frame.pts is not None)
    writer = copy(open_source(path), tmp_path / "out.mp4")
    before = [(time_s - start_s, data) for time_s, data in sound_of(path) if 0 <= time_s - start_s < 2]
    after = sound_of(tmp_path / "out.mp4")
    assert len(before) > 10
    assert [data for _, data in after] == [data for _, data in before]
    assert [time_s for time_s, _ in after] == pytest.approx([time_s for time_s, _ in before], abs=0.001)
    assert writer.left_out is None


def test_mute_and_sound_that_does_not_fit(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mov", greys(5), fps=10, sound="pcm_alaw")
    assert "pcm_alaw" in str(copy(open_source(path), tmp_path / "a.mp4").left_out)
    assert sound_of(tmp_path / "a.mp4") == []
    assert copy(open_source(path), tmp_path / "b.mov").left_out is None
    assert len(sound_of(tmp_path / "b.mov")) > 0
    copy(open_source(path), tmp_path / "c.mov", mute=True)
    assert sound_of(tmp_path / "c.mov") == []


def test_size_and_quality(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    frames = [generator.integers(0, 255, (96, 96, 3)).astype(np.uint8) for _ in range(40)]
    path = write_video(tmp_path / "a.mp4", frames, kind=VideoKind(options={"qp": "42"}), fps=10)
    sizes: dict[int | None, int] = {}
    for quality in (None, 10, 23, 40):
        copy(open_source(path), tmp_path / "b.mp4", quality=quality)
        sizes[quality] = (tmp_path / "b.mp4").stat().st_size
    assert sizes[None] < 1.6 * path.stat().st_size < sizes[23]
    assert sizes[10] > sizes[23] > sizes[40] > 0


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
@pytest.mark.parametrize("limit_bytes", [100, 20_000, 60_000])
def test_a_file_that_may_not_grow_leaves_nothing(tmp_path: Path, limit_bytes: int) -> None:
    import resource

    noise = np.random.default_rng(5).integers(0, 255, (60, 64, 64, 3)).astype(np.uint8)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        with pytest.raises(FileError, match=r"cannot write the video '[^']*/a\.mp4' \(File too large\); nothing of it"):
            write(tmp_path / "a.mp4", list(noise))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_back_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = videos._Encoder.finish

    def cut(self: Any, last_duration_s: float | None) -> None:
        finish(self, last_duration_s)
        (part,) = tmp_path.iterdir()
        part.write_bytes(part.read_bytes()[:-60])

    monkeypatch.setattr(videos._Encoder, "finish", cut)
    with pytest.raises(FileError, match="can be read back"):
        write(tmp_path / "a.mp4", [*greys(6), *greys(6)])
    assert list(tmp_path.iterdir()) == []


def test_an_error_in_between_leaves_nothing(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "a.mp4", source=Source())
    writer.write(greys(1)[0], 0.0)
    assert len(list(tmp_path.iterdir())) == 1
    writer.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    with VideoWriter(tmp_path / "b.mp4", source=Source()):
        pass
    assert list(tmp_path.iterdir()) == []


def test_inputs_are_not_replaced(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", greys(3))
    before = path.read_bytes()
    (tmp_path / "hard.mp4").hardlink_to(path)
    (tmp_path / "soft.mp4").symlink_to(path)
    for name in ("a.mp4", "hard.mp4", "soft.mp4"):
        with pytest.raises(FileError):
            copy(open_source(path), tmp_path / name, inputs=InputFiles([path]))
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 3


def textured(count: int) -> list[BgrImage]:
    """Frames that take many bits."""
    rng = np.random.default_rng(0)
    return [cv2.resize(rng.integers(0, 256, (48, 64, 3), np.uint8), (320, 240)).astype(np.uint8) for _ in range(count)]


def test_a_gap_in_time_takes_nothing_from_the_picture(tmp_path: Path) -> None:
    frames, times_s = textured(20), [index / 10 + 600 * (index > 10) for index in range(20)]
    source = write_video(tmp_path / "gap.mkv", frames, times_s=times_s)
    copy(open_source(source), tmp_path / "copy.mp4")
    pairs = zip(read_video(tmp_path / "copy.mp4"), read_video(source), strict=True)
    assert max(np.abs(copied.astype(int) - frame).mean() for copied, frame in pairs) < 10  # 40 is mush


def test_a_gap_that_an_mp4_cannot_hold_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", greys(4), [0.0, 0.1, 90_000.0, 90_000.1])
    assert [time_s for time_s, _ in read_timed(tmp_path / "a.mp4")] == pytest.approx([0.0, 0.1, 0.2, 0.3], abs=0.001)


@pytest.mark.parametrize("quality", [None, 30])
@pytest.mark.parametrize("gap_s", [5400.0, 6 * 3600.0])
def test_an_mp4_holds_many_gaps_of_hours(tmp_path: Path, gap_s: float, quality: int | None) -> None:
    times_s = [gap_s * (index // 2) + index % 2 / 10 for index in range(12)]
    source = write_video(tmp_path / "gaps.mkv", greys(12), times_s=times_s)
    copy(open_source(source), tmp_path / "copy.mp4", quality=quality)
    assert [time_s for time_s, _ in read_timed(tmp_path / "copy.mp4")] == pytest.approx(times_s, abs=0.002)


@pytest.mark.parametrize("fps", [1e300, 1e9, 1e-4, 1e-300])
def test_any_rate_of_frames_is_written(tmp_path: Path, fps: float) -> None:
    for number, frame in enumerate(greys(10)):
        Image.fromarray(frame).save(tmp_path / f"{number}.png")
    copy(open_source(tmp_path, fps=fps), tmp_path / "out.mp4")
    times_s = [timestamp_s for timestamp_s, _ in read_timed(tmp_path / "out.mp4")]
    assert len(times_s) == 10
    assert max(map(abs, np.diff(times_s))) <= 6 * 3600


def test_the_last_frame_stays_as_long_as_in_the_source(tmp_path: Path) -> None:
    pictures = [Image.fromarray(frame[:, :, ::-1]) for frame in greys(3)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=[100, 100, 3000])
    copy(open_source(tmp_path / "a.gif"), tmp_path / "a.mp4")
    with av.open(tmp_path / "a.mp4") as container:
        assert (container.duration or 0) / 1e6 == pytest.approx(3.2, abs=0.1)


def test_a_video_that_was_made_elsewhere_is_not_replaced(tmp_path: Path) -> None:
    mine = write_video(tmp_path / "holiday.mp4", greys(3))
    before = mine.read_bytes()
    with pytest.raises(FileError, match="that this program did not make"):
        write(mine, greys(5))
    assert mine.read_bytes() == before
    write(tmp_path / "a.mp4", greys(3))
    write(tmp_path / "a.mp4", greys(5))  # an earlier result is
    assert len(read_video(tmp_path / "a.mp4")) == 5
