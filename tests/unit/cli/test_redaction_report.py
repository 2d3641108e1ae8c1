"""The report of ``platereader redact`` and its preview: what was covered, and where they are written."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import save
from PIL import Image

from captures import VideoKind, write_video
from platereader import Box, Detection
from platereader.cli import main
from platereader.cli.redaction_report import FileCover, RedactionReport
from platereader.cli.saving import write_picture
from platereader.media._images import read_image

pytestmark = pytest.mark.usefixtures("command")


def run(*words: str | Path) -> int:
    return main(["redact", *map(str, words)])


def test_the_report_says_what_was_covered_and_the_preview_shows_it(tmp_path: Path) -> None:
    save(tmp_path / "in" / "a.png")
    save(tmp_path / "in" / "\u043d\u043e\u043c\u0435\u0440.jpg", quality=100)
    Image.new("RGB", (64, 48)).save(tmp_path / "in" / "empty.png")
    (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
    greys = [np.full((240, 320, 3), grey, np.uint8) for grey in (110, 113, 116)]
    write_video(tmp_path / "in" / "grey.mp4", greys, fps=10.0, kind=VideoKind())
    report, preview = tmp_path / "covered.json", tmp_path / "new" / "covered.png"
    assert run(tmp_path / "in", "-o", tmp_path / "out", "--report", report, "--preview", preview) == 1
    told = json.loads(report.read_text())
    files = {Path(one["source"]).name: one for one in told["files"]}
    assert set(files) == {"a.png", "\u043d\u043e\u043c\u0435\u0440.jpg", "empty.png", "grey.mp4"}
    assert [Path(one["source"]).name for one in told["problems"]] == ["bad.png"]
    one = files["a.png"]
    assert (one["frames"], one["covered_frames"], one["places"]) == (1, 1, 1)
    (largest,) = one["largest"]
    assert largest["places"] == [{"box": [40.0, 60.0, 120.0, 80.0], "score": 0.9}]
    assert largest["covered_share"] == pytest.approx(100 * 30 / (240 * 320), rel=0.06)
    assert one["mean_covered_share"] == largest["covered_share"]
    assert (files["grey.mp4"]["frames"], files["grey.mp4"]["largest"]) == (3, [])
    sheet = read_image(preview)
    assert sheet.shape == (346, 1440, 3)
    assert np.ptp(sheet[:320, :960]) == 255
    assert (sheet[:, 960:] == 255).all()  # two frames only


def test_the_report_names_what_was_written_before_a_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.png", "b.png"):
        save(tmp_path / "in" / name)
    written: list[Path] = []

    def stopped(path: Path, *args: Any, **options: Any) -> None:
        if path.name == "b.png":
            os.kill(os.getpid(), signal.SIGTERM)
        written.append(path)
        write_picture(path, *args, **options)

    monkeypatch.setattr("platereader.cli.redact.write_picture", stopped)
    with pytest.raises(SystemExit):
        run(tmp_path / "in", "-o", tmp_path / "out", "--report", tmp_path / "report.json")
    (file,) = json.loads((tmp_path / "report.json").read_text())["files"]
    assert (Path(file["source"]).name, [path.name for path in written]) == ("a.png", ["a.png"])


def test_the_largest_cover_comes_first() -> None:
    cover = FileCover(Path("a.mp4"), Path("b.mp4"))
    frame = np.zeros((48, 64, 3), np.uint8)
    for index in range(40):
        found = [] if index % 2 else [Detection(Box(0, 0, 9, 3), 0.5)]
        cover.add(frame, found, share=0.0 if index % 2 else (index * 7 % 40) / 100, time_s=index / 10)
    shares = [one.share for one in cover.largest]
    assert shares == sorted((index * 7 % 40 / 100 for index in range(0, 40, 2)), reverse=True)[:12]
    assert (cover.frames, cover.covered_frames, cover.places) == (40, 20, 20)
    assert all(one.index * 7 % 40 / 100 == one.share and one.time_s == one.index / 10 for one in cover.largest)


def test_memory_does_not_grow_with_the_number_of_files() -> None:
    """A picture of each of ten thousand files would be 4.6 GB."""
    report, frame = RedactionReport(), np.zeros((320, 480, 3), np.uint8)
    for index in range(40):
        cover = FileCover(Path(f"{index}.jpg"), Path(f"{index}.out.jpg"))
        cover.add(frame + np.uint8(index), [Detection(Box(0, 0, 9, 3), 0.5)], share=(index * 7 % 40) / 100)
        report.add(cover)
    (share,) = {len(file.largest) for file in report.files}
    assert (share, report.files[3].largest[0].share) == (1, 0.21)
    assert all(one.preview is None for file in report.files for one in file.largest)
    largest = [index for _, index in sorted((-(index * 7 % 40), index) for index in range(40))][:12]
    tiles = [report.contact_sheet()[row * 346 + 160, column * 480 + 240, 0] for row in range(4) for column in range(3)]
    assert tiles == largest


@pytest.mark.parametrize("option", ["--report", "--preview"])
def test_a_report_takes_no_place_of_another_file(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = save(tmp_path / "a.png")
    before = source.read_bytes()
    (tmp_path / "link.png").symlink_to(tmp_path / "elsewhere.png")
    for name in ("a.png", "out.png", "link.png"):
        assert run(source, "-o", tmp_path / "out.png", option, tmp_path / name) == 2
        assert option in capsys.readouterr().err
    assert run(source, "-o", tmp_path / "out.png", "--preview", tmp_path / "sheet.webp") == 2
    assert source.read_bytes() == before
    assert not (tmp_path / "out.png").exists()
