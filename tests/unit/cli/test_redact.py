"""``platereader redact`` over a fake detector: what is written, refused and reported."""

from __future__ import annotations

import argparse
import io
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from fakes import frame_with, patch_pipeline
from platereader import Box
from platereader._arrays import BgrImage
from platereader.cli import main
from platereader.media._images import read_image
from platereader.media._redaction import REDACTION_MIN_SCORE
from platereader.pipeline import Pipeline

PLATE = Box(40, 60, 120, 80)
INSIDE = (slice(60, 80), slice(40, 120))


@pytest.fixture(autouse=True)
def pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fakes in the place of the shipped weights."""

    def build(arguments: argparse.Namespace) -> Any:
        return patch_pipeline()

    monkeypatch.setattr("platereader.cli.redact.build_pipeline", build)


def picture(path: Path, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(frame_with({50: PLATE})[:, :, ::-1])).save(path, **options)
    return path


def video(path: Path, frames: int = 12) -> Path:
    kind = "MJPG" if path.suffix == ".avi" else "mp4v"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*kind), 10.0, (320, 240))
    for index in range(frames):
        frame = np.full((240, 320, 3), 110 + 3 * index, np.uint8)
        writer.write(frame)
    writer.release()
    return path


def frames_of(path: Path) -> list[BgrImage]:
    video = cv2.VideoCapture(str(path))
    frames: list[BgrImage] = []
    while (item := video.read())[0]:
        frames.append(np.asarray(item[1], np.uint8))
    video.release()
    return frames


def run(*words: str | Path) -> int:
    return main(["redact", *map(str, words)])


def test_one_picture_under_a_new_name(tmp_path: Path) -> None:
    source = picture(tmp_path / "номер 1.png")
    before = source.read_bytes()
    assert run(source, "-o", tmp_path / "public.png", "--method", "fill") == 0
    plain, public = read_image(source), read_image(tmp_path / "public.png")
    assert (public[INSIDE] == 96).all()
    public[50:90, 30:130] = plain[50:90, 30:130] = 0
    assert np.array_equal(plain, public)
    assert source.read_bytes() == before


def test_a_folder_is_mirrored_and_one_bad_file_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture(tmp_path / "in" / "a.png")
    picture(tmp_path / "in" / "deep" / "a.jpg")
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    (tmp_path / "in" / "c.mp4").write_bytes(b"no video")
    video(tmp_path / "in" / "d.mp4")
    assert run(tmp_path / "in", tmp_path / "nowhere.jpg", "-o", tmp_path / "out") == 1
    written = sorted(
        str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()
    )
    assert written == ["a.png", "d.mp4", "deep/a.jpg"]
    err = capsys.readouterr().err
    assert all(name in err for name in ("b.png", "c.mp4", "nowhere.jpg", "without their sound"))
    assert "files redacted: 3, failed: 3; places covered: 2" in err
    assert run(tmp_path / "in", "-o", tmp_path / "out") == 1


@pytest.mark.parametrize("out", ["in", "in/a.png", "link.png"])
def test_a_source_is_never_written_over(tmp_path: Path, out: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = picture(tmp_path / "in" / "a.png")
    before = source.read_bytes()
    (tmp_path / "link.png").hardlink_to(source)
    given = source if out.endswith(".png") else tmp_path / "in"
    assert run(given, "-o", tmp_path / out) == 2
    assert "name another folder" in capsys.readouterr().err
    assert source.read_bytes() == before
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["a.png"]


def test_two_sources_of_one_name_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    one, other = picture(tmp_path / "1" / "a.png"), picture(tmp_path / "2" / "a.png")
    assert run(one, other, "-o", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()


def test_results_of_an_earlier_run_are_no_sources(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "a.png")
    for _ in range(2):
        assert run(tmp_path / "in", "-o", tmp_path / "in" / "public") == 0
    assert [path.name for path in (tmp_path / "in" / "public").iterdir()] == ["a.png"]


def test_orientation_is_applied_and_metadata_is_left_out(tmp_path: Path) -> None:
    thumbnail = io.BytesIO()
    Image.new("RGB", (16, 12), (255, 0, 0)).save(thumbnail, "JPEG")
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "A123BC77 in the garage"
    source = picture(tmp_path / "a.jpg", exif=exif.tobytes() + thumbnail.getvalue(), quality=100)
    assert b"A123BC77" in source.read_bytes()
    assert run(source, "-o", tmp_path / "out") == 0
    written = (tmp_path / "out" / "a.jpg").read_bytes()
    assert b"A123BC77" not in written
    assert b"Exif" not in written
    assert Image.open(io.BytesIO(written)).size == (240, 320)


def test_a_kind_that_cannot_be_written_becomes_another(tmp_path: Path) -> None:
    shutil.copy(picture(tmp_path / "a.png"), tmp_path / "photo.dat")
    assert run(tmp_path / "photo.dat", "-o", tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["photo.dat.png"]


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_video_has_as_many_frames_and_its_gaps_are_filled(tmp_path: Path, suffix: str, monkeypatch: Any) -> None:
    from platereader import Detection

    class Blinking:
        seen = -1

        def detect(self, frames: Any) -> list[list[Detection]]:
            self.seen += 1
            return [[Detection(PLATE, 0.5)] if self.seen in (4, 5, 8) else []]

    def build(arguments: argparse.Namespace) -> Any:
        from dataclasses import replace

        return Pipeline(replace(patch_pipeline().parts, detector=Blinking()))

    monkeypatch.setattr("platereader.cli.redact.build_pipeline", build)
    source = video(tmp_path / f"gate{suffix}", 20)
    assert run(source, "-o", tmp_path / "out", "--method", "fill") == 0
    plain, public = frames_of(source), frames_of(tmp_path / "out" / f"gate{suffix}")
    assert len(public) == len(plain) == 20
    closed = [index for index, frame in enumerate(public) if abs(int(frame[70, 80, 1]) - 96) < 4]
    assert set(range(4, 9)) <= set(closed)
    assert 19 not in closed
    assert np.abs(public[19].astype(int) - plain[19]).max() < 12


def test_a_video_that_breaks_off_is_kept_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = video(tmp_path / "gate.avi", 40)
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2])
    status = run(source, "-o", tmp_path / "out")
    err = capsys.readouterr().err
    assert status == 1
    assert "gate.avi" in err
    assert 5 < len(frames_of(tmp_path / "out" / "gate.avi")) < 40
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["gate.avi"]


def test_bad_options_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = picture(tmp_path / "a.png")
    assert run(source, "-o", tmp_path / "out", "--min-score", "0.5") == 2
    assert "--min-score" in capsys.readouterr().err
    for words in ((source,), (source, "-o", "x", "--recognizer", "y"), (source, "-o", "x", "--method", "smear")):
        with pytest.raises(SystemExit):
            run(*words)


def test_the_help_names_the_threshold(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")
    assert f"(default: {REDACTION_MIN_SCORE:g})" in " ".join(capsys.readouterr().out.split())
