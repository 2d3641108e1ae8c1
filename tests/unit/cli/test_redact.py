"""``platereader redact`` over a fake detector: what is written, refused and reported."""

from __future__ import annotations

import io
import os
import shutil
import signal
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
from command_line import Command, save
from PIL import Image

from captures import VideoKind, read_timed, read_video, write_video
from fakes import frame_with, patch_pipeline
from platereader import Box, Detection
from platereader.cli import main
from platereader.cli.videos import VideoWriter
from platereader.media._images import read_image
from platereader.media._redaction import REDACTION_MIN_SCORE, redact_stream
from platereader.pipeline import Pipeline

PLATE = Box(40, 60, 120, 80)
INSIDE = (slice(60, 80), slice(40, 120))


pytestmark = pytest.mark.usefixtures("command")


def video(path: Path, frames: int = 12, *, striped: bool = False, **options: Any) -> Path:
    kind = VideoKind("mjpeg", "yuvj420p") if path.suffix == ".avi" else VideoKind()
    greys = [np.full((240, 320, 3), 110 + 3 * index, np.uint8) for index in range(frames)]
    if striped:
        for grey in greys:
            grey[INSIDE][:, ::16] = grey[INSIDE][:, 1::16] = grey[INSIDE][:, 2::16] = grey[INSIDE][:, 3::16] = 250
    return write_video(path, greys, fps=10.0, kind=kind, **options)


def is_plain(frame: Any) -> bool:
    """Whether the stripes of a video are covered."""
    return bool(frame[64:76, 44:116].std() < 10)


def run(*words: str | Path) -> int:
    return main(["redact", *map(str, words)])


def test_one_picture_under_a_new_name(tmp_path: Path) -> None:
    source = save(tmp_path / "номер 1.png")
    before = source.read_bytes()
    assert run(source, "-o", tmp_path / "public.png", "--method", "fill") == 0
    plain, public = read_image(source), read_image(tmp_path / "public.png")
    assert not public[INSIDE].any()  # in the colour around it, which is black
    public[50:90, 30:130] = plain[50:90, 30:130] = 0
    assert np.array_equal(plain, public)
    assert source.read_bytes() == before


def test_a_folder_is_mirrored_and_one_bad_file_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "in" / "a.png")
    save(tmp_path / "in" / "deep" / "a.jpg")
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    (tmp_path / "in" / "c.mp4").write_bytes(b"no video")
    video(tmp_path / "in" / "d.mp4")
    assert run(tmp_path / "in", tmp_path / "nowhere.jpg", "-o", tmp_path / "out") == 1
    written = sorted(
        str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()
    )
    assert written == ["a.png", "d.mp4", "deep/a.jpg"]
    err = capsys.readouterr().err
    assert all(name in err for name in ("b.png", "c.mp4", "nowhere.jpg"))
    assert "files redacted: 3, failed: 3; places covered: 2" in err
    assert run(tmp_path / "in", "-o", tmp_path / "out") == 1


@pytest.mark.parametrize("out", ["in", "in/a.png", "link.png"])
def test_a_source_is_never_written_over(tmp_path: Path, out: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = save(tmp_path / "in" / "a.png")
    before = source.read_bytes()
    (tmp_path / "link.png").hardlink_to(source)
    given = source if out.endswith(".png") else tmp_path / "in"
    assert run(given, "-o", tmp_path / out) == 2
    assert "name another folder" in capsys.readouterr().err
    assert source.read_bytes() == before
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["a.png"]


@pytest.mark.parametrize(("out", "ending"), [("b.gif", ".png"), ("b.mp4", ".png"), ("b.bmp", ".png")])
def test_a_result_is_named_as_what_it_is(
    out: str, ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(save(tmp_path / "a.png"), "-o", tmp_path / out) == 2
    assert ending in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("name", ["a.webp", "photo"])
def test_results_beside_their_source_are_refused(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = save(tmp_path / "in" / name, format="PNG")
    given = source if name == "photo" else source.parent
    assert run(given, "-o", given) == 2
    assert "--out is" in capsys.readouterr().err
    assert [path.name for path in source.parent.iterdir()] == [name]


def test_what_an_earlier_run_wrote_is_left_out_and_read_by_its_own_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "in" / "a.png")
    for name in ("b.mp4", "c.mkv", "d.mov"):
        video(tmp_path / "in" / name, 2)
    assert run(tmp_path / "in", "-o", tmp_path / "in" / "public") == 0
    for given, told in (("in", "files redacted: 4, failed: 0; places covered: 1"), ("in/public", "places covered: 0")):
        capsys.readouterr()
        assert run(tmp_path / given, "-o", tmp_path / "out") == 0
        err = capsys.readouterr().err
        assert told in err
        assert ("files that platereader wrote, left out: 4" in err) == (given == "in")
    assert run(tmp_path / "in" / "public" / "b.mp4", "-o", tmp_path / "again.mp4") == 0


def test_what_is_said_in_russian(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "in" / "a.png")
    video(tmp_path / "in" / "gate.mov", 2, sound="pcm_alaw")
    assert run(tmp_path / "in", "-o", tmp_path / "in" / "public", "--lang", "ru") == 0
    assert run(tmp_path / "in", "-o", tmp_path / "out", "--lang", "ru") == 0
    assert run(tmp_path / "in" / "gate.mov", "-o", tmp_path / "gate.mp4", "--lang", "ru") == 0
    assert [line for line in capsys.readouterr().err.splitlines() if not line.startswith("platereader:")] == [
        "файлов обработано: 2, с ошибкой: 0; закрашено мест: 1",
        "файлов обработано: 2, с ошибкой: 0; закрашено мест: 1",
        "пропущены файлы, записанные platereader: 2; чтобы обработать их, укажите только их",
        "файлов обработано: 1, с ошибкой: 0; закрашено мест: 0",
    ]


def test_two_sources_of_one_name_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    one, other = save(tmp_path / "1" / "a.png"), save(tmp_path / "2" / "a.png")
    assert run(one, other, "-o", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()


def test_results_of_an_earlier_run_are_no_sources(tmp_path: Path) -> None:
    save(tmp_path / "in" / "a.png")
    for given in ("in", "in", "in/**/*.png"):
        assert run(tmp_path / given, "-o", tmp_path / "in" / "public") == 0
    assert run(*sorted((tmp_path / "in").iterdir()), "-o", tmp_path / "in" / "public") == 0  # as a shell expands in/*
    assert [path.name for path in (tmp_path / "in" / "public").iterdir()] == ["a.png"]


def test_orientation_is_applied_and_metadata_is_left_out(tmp_path: Path) -> None:
    thumbnail = io.BytesIO()
    Image.new("RGB", (16, 12), (255, 0, 0)).save(thumbnail, "JPEG")
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "A123BC77 in the garage"
    source = save(tmp_path / "a.jpg", exif=exif.tobytes() + thumbnail.getvalue(), quality=100)
    assert b"A123BC77" in source.read_bytes()
    assert run(source, "-o", tmp_path / "out") == 0
    written = (tmp_path / "out" / "a.jpg").read_bytes()
    assert b"A123BC77" not in written
    assert b"Exif" not in written
    assert Image.open(io.BytesIO(written)).size == (240, 320)


def test_a_kind_that_cannot_be_written_becomes_another(tmp_path: Path) -> None:
    shutil.copy(save(tmp_path / "a.png"), tmp_path / "photo.dat")
    assert run(tmp_path / "photo.dat", "-o", tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["photo.dat.png"]


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_video_has_as_many_frames_and_its_gaps_are_filled(tmp_path: Path, suffix: str, command: Command) -> None:
    class Blinking:
        seen = -1

        def detect(self, frames: Any) -> list[list[Detection]]:
            self.seen += 1
            return [[Detection(PLATE, 0.5)] if self.seen in (4, 5, 8) else []]

    command.over(Pipeline(replace(patch_pipeline().parts, detector=Blinking())))
    source = video(tmp_path / f"gate{suffix}", 20, striped=True)
    assert run(source, "-o", tmp_path / "out", "--method", "fill") == 0
    written = tmp_path / "out" / ("gate.mp4" if suffix == ".mp4" else "gate.avi.mp4")
    plain, public = read_video(source), read_video(written)
    assert len(public) == len(plain) == 20
    closed = [index for index, frame in enumerate(public) if is_plain(frame)]
    assert set(range(4, 9)) <= set(closed)
    assert 19 not in closed
    assert np.abs(public[19].astype(int) - plain[19]).mean() < 3


def test_a_video_that_breaks_off_is_kept_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = video(tmp_path / "gate.avi", 40)
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2])
    status = run(source, "-o", tmp_path / "out")
    err = capsys.readouterr().err
    assert status == 1
    assert "gate.avi" in err
    assert 5 < len(read_video(tmp_path / "out" / "gate.avi.mp4")) < 40
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["gate.avi.mp4"]


def test_times_and_sound_are_kept_and_mute_leaves_the_sound_out(tmp_path: Path) -> None:
    times_s = [0.0, 0.1, 0.5, 0.6, 2.0]
    source = video(tmp_path / "gate.mkv", 5, times_s=times_s, sound="aac")
    assert run(source, "-o", tmp_path / "out.mp4") == 0
    assert [time_s for time_s, _ in read_timed(tmp_path / "out.mp4")] == pytest.approx(times_s, abs=0.001)
    assert run(source, "-o", tmp_path / "mute.mp4", "--mute", "--quality", "40") == 0
    for name, sounds in (("out.mp4", 1), ("mute.mp4", 0)):
        with av.open(tmp_path / name) as container:
            assert len(container.streams.audio) == sounds


def test_times_are_any_numbers() -> None:
    pipeline = patch_pipeline()
    frames = [(Fraction(index, 25), frame_with({50: PLATE.moved(index, 0.0)})) for index in range(4)]
    redacted = list(redact_stream(cast(Any, frames), detector=pipeline.detector, tracker=pipeline.tracker()))
    assert [one.timestamp_s for one in redacted] == [0.0, 0.04, 0.08, 0.12]
    assert {type(one.timestamp_s) for one in redacted} == {float}
    assert all(one.covered for one in redacted)


def test_a_link_to_a_source_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = video(tmp_path / "gate.mp4", 3)
    before = source.read_bytes()
    (tmp_path / "hard.mp4").hardlink_to(source)
    (tmp_path / "soft.mp4").symlink_to(source)
    for name in ("gate.mp4", "hard.mp4", "soft.mp4"):
        assert run(source, "-o", tmp_path / name) == 2
        assert "written over" in capsys.readouterr().err
    assert source.read_bytes() == before


def test_sigterm_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = video(tmp_path / "gate.mp4", 6)
    add = VideoWriter.write

    def interrupted(self: VideoWriter, frame: Any, timestamp_s: float) -> None:
        add(self, frame, timestamp_s)
        assert len(list((tmp_path / "out").iterdir())) == 1
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(VideoWriter, "write", interrupted)
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught:
        run(source, "-o", tmp_path / "out")
    assert caught.value.code == 1
    assert capsys.readouterr().err == "platereader: stopped by SIGTERM: of what was not finished, nothing is left\n"
    assert list((tmp_path / "out").iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) is handler


def test_bad_options_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = save(tmp_path / "a.png")
    assert run(source, "-o", tmp_path / "out", "--min-score", "0.5") == 2
    assert "--min-score" in capsys.readouterr().err
    for value in ("52", "-1"):
        with pytest.raises(SystemExit) as caught:
            run(source, "-o", tmp_path / "out", "--quality", value)
        assert caught.value.code == 2
        assert f"--quality: {value!r} is no constant rate factor" in capsys.readouterr().err


def test_the_help_names_the_threshold(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")
    assert f"(default: {REDACTION_MIN_SCORE:g})" in " ".join(capsys.readouterr().out.split())


def test_animated_pictures_are_videos(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.ascontiguousarray(frame_with({50: PLATE})[:, :, ::-1])) for _ in range(4)]
    for index, frame in enumerate(frames):
        frame.putpixel((0, 0), (index, 0, 0))  # equal frames would be joined
    kinds: dict[str, dict[str, Any]] = {"a.gif": {}, "b.webp": {"lossless": True}, "c.png": {}, "still.gif": {}}
    for name, options in kinds.items():
        rest = [] if name == "still.gif" else frames[1:]
        frames[0].save(tmp_path / name, save_all=True, append_images=rest, duration=200, **options)
    frames[0].save(tmp_path / "d.apng", format="PNG", save_all=True, append_images=frames[1:], duration=200)
    (tmp_path / "e.gif").write_bytes((tmp_path / "a.gif").read_bytes()[:40])
    assert run(tmp_path, "-o", tmp_path / "out") == 1  # for the damaged one
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["a.gif.mp4", "b.webp.mp4", "c.png.mp4", "d.apng.mp4", "still.gif.png"]
    for name in written[:4]:
        timed = read_timed(tmp_path / "out" / name)
        assert [time_s for time_s, _ in timed] == pytest.approx([0.0, 0.2, 0.4, 0.6], abs=0.01)
        assert all(frame[INSIDE].max() < 25 for _, frame in timed)


def test_links_in_a_circle_are_told_and_the_rest_is_redacted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").symlink_to("c.png")
    (tmp_path / "in" / "c.png").symlink_to("b.png")
    assert run(tmp_path / "in", "-o", tmp_path / "out", "--report", tmp_path / "report.json") == 1
    assert "'c.png', which leads nowhere" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]


@pytest.mark.parametrize("words", [(), ("--any-rotation",)])
def test_a_picture_on_its_side_is_redacted(words: tuple[str, ...], tmp_path: Path, command: Command) -> None:
    class Upright:
        def detect(self, frames: Any) -> list[list[Detection]]:
            shows = [frame.shape[:2] == (240, 320) and frame[70, 80, 0] == 50 for frame in frames]
            return [[Detection(PLATE, 0.9)] if shown else [] for shown in shows]

    command.over(Pipeline(replace(patch_pipeline().parts, detector=Upright())))
    frame = frame_with({50: PLATE})
    Image.fromarray(np.ascontiguousarray(np.rot90(frame)[:, :, ::-1])).save(tmp_path / "a.png")
    assert run(tmp_path / "a.png", "-o", tmp_path / "out.png", *words) == 0
    assert not read_image(tmp_path / "out.png").any()
