"""``platereader watch`` over several sources and folders of videos: an archive, one stream a video."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command_line import ONE, Command, events_of, watched

from captures import read_video, write_video
from fakes import Rough, frame_with, patch_pipeline
from platereader import Box, Pipeline
from platereader.cli.videos import VideoWriter
from platereader.cli.watch.run import SourceRun

OTHER = {100: Box(180, 150, 260, 170)}


def test_a_folder_of_results_among_the_matches_of_a_pattern_is_left_out(archive: Path, command: Command) -> None:
    results = archive / "marked"
    results.mkdir()
    films = [archive / "film-2.mp4", archive / "film-10.mp4"]
    assert watched(command("watch", *films, results, "--json", "--save", results)) == [str(path) for path in films]
    for option in ("--save", "--save-crops"):
        outcome = command("watch", archive, option, archive)
        assert (outcome.status, outcome.out) == (2, "")
        assert f"{option} is {str(archive)!r}, the folder that is watched: name another one." in outcome.err


@pytest.fixture
def archive(tmp_path: Path, command: Command) -> Path:
    """A folder of videos: one plate in 0.5 s of the first, another in 0.5 s of the last, and one that is damaged."""
    command.over(Pipeline(replace(patch_pipeline().parts, detector=Rough(), rectifier=Rough())))
    folder = tmp_path / "dashcam"
    (folder / "day 2").mkdir(parents=True)
    write_video(folder / "film-2.mp4", [frame_with(ONE)] * 10, fps=20)
    write_video(folder / "day 2" / "film-1.mkv", [frame_with(OTHER)] * 10, fps=20)
    write_video(folder / "film-10.mp4", [frame_with(OTHER)] * 10, fps=20)
    (folder / ".film-3.mp4").write_bytes(b"hidden")
    (folder / "film-2.jpg").write_bytes(b"a small picture beside it")
    return folder


def test_a_folder_of_videos_by_name_each_with_its_own_stream(archive: Path, command: Command, tmp_path: Path) -> None:
    lines = events_of(command, archive, "--start", "2026-11-28T08:00+03:00", "--save", tmp_path / "marked")
    names = [str(archive / name) for name in ("day 2/film-1.mkv", "film-2.mp4", "film-10.mp4")]
    assert [line["source"] for line in lines if line["event"] == "started"] == names
    assert [line["source"] for line in lines if line["event"] == "ended"] == names
    finished = [line for line in lines if line["event"] == "finished"]
    told = [(line["source"], line["plate"]["text"], line["plate"]["passage_id"]) for line in finished]
    assert told == [(names[0], "M555KE199", 1), (names[1], "A123BC77", 1), (names[2], "M555KE199", 1)]
    assert [line["first_seen_at"] for line in finished] == [
        f"2026-11-28T08:00:0{second}+03:00" for second in ("0.000", "0.500", "1.000")
    ]
    assert [line["last_seen_at"][17:23] for line in finished] == ["00.450", "00.950", "01.450"]
    for name in ("day 2/film-1.mkv.mp4", "film-2.mp4", "film-10.mp4"):
        assert len(read_video(tmp_path / "marked" / name)) == 10


def test_results_below_the_folder_are_no_sources_of_the_next_run(archive: Path, command: Command) -> None:
    for _ in range(2):
        status, _, err = command("watch", archive, "--csv", "--save", archive / "marked")
        assert (status, "sources: 3, failed: 0" in err) == (0, True)


def test_videos_of_an_earlier_run_are_left_out_unless_there_is_nothing_else(
    archive: Path, command: Command, tmp_path: Path
) -> None:
    marked = archive / "marked"
    assert command("watch", archive / "film-2.mp4", archive / "film-10.mp4", "--save", marked).status == 0
    for sources, count in (([archive], 3), ([archive / "film-2.mp4", archive / "day 2", marked], 2)):
        _, _, err = command("watch", *sources, "--save", tmp_path / "new", "--lang", "ru")
        assert "platereader: пропущены файлы, записанные platereader: 2; " in err
        assert f"источников: {count}, с ошибкой: 0" in err
    assert "sources: 2, failed: 0" in command("watch", marked).err


def test_the_folder_of_videos_is_no_folder_of_their_copies_and_one_above_it_is(archive: Path, command: Command) -> None:
    status, _, err = command("watch", archive, "--save", archive)
    assert (status, "--save is " in err, "pictures" in err) == (2, True, False)
    assert command("watch", archive / "day 2", "--save", archive).status == 0
    assert len(read_video(archive / "film-1.mkv.mp4")) == 10


def test_a_folder_of_one_video_is_saved_into_a_folder_or_a_file(
    archive: Path, command: Command, tmp_path: Path
) -> None:
    day, marked = archive / "day 2", tmp_path / "marked"
    for save in (marked, tmp_path / "one.mp4"):
        assert command("watch", day, "--save", save)[0] == 0
    assert [path.name for path in marked.iterdir()] == ["film-1.mkv.mp4"]
    assert len(read_video(tmp_path / "one.mp4")) == 10
    (tmp_path / "file").touch()
    for save in (tmp_path / "one.avi", tmp_path / "file"):  # one file is still a file
        assert command("watch", day / "film-1.mkv", "--save", save)[0] == 2


def test_a_source_that_fails_is_named_and_the_rest_goes_on(archive: Path, command: Command) -> None:
    (archive / "film-2.mp4").write_bytes(b"no video")
    outcome = command("watch", archive, "absent.mp4", "--csv", "--start", "2026-11-28T08:00Z")
    rows, err = outcome.rows, outcome.err
    assert outcome.status == 1
    assert [Path(row["source"]).name for row in rows] == ["film-1.mkv", "film-10.mp4"]
    assert [bool(row["first_seen_at"]) for row in rows] == [True, False]  # how long film-2 is nobody knows
    assert "film-2.mp4' is not a video" in err
    assert "absent.mp4" in err
    assert "sources: 4, failed: 2" in err


def test_a_link_that_leads_nowhere_fails_in_its_place(archive: Path, command: Command) -> None:
    (archive / "film-3.mp4").symlink_to(archive / "disk that is away" / "film-3.mp4")
    outcome = command("watch", archive, "--csv", "--start", "2026-11-28T08:00Z")
    assert outcome.status == 1
    names = [(Path(row["source"]).name, bool(row["first_seen_at"])) for row in outcome.rows]
    assert names == [("film-1.mkv", True), ("film-2.mp4", True), ("film-10.mp4", False)]
    assert "film-3.mp4" in outcome.err
    assert "sources: 4, failed: 1" in outcome.err


def test_a_folder_below_that_cannot_be_read_is_named(
    archive: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, scandir, iterdir = archive / "day 2", os.scandir, Path.iterdir

    def allowed(path: Path) -> Path:
        if Path(path) == locked:
            raise PermissionError(13, "Permission denied", str(locked))
        return path

    monkeypatch.setattr("os.scandir", lambda path: scandir(allowed(path)))
    monkeypatch.setattr(Path, "iterdir", lambda path: iterdir(allowed(path)))
    outcome = command("watch", archive, "--csv")
    assert outcome.status == 1
    assert [Path(row["source"]).name for row in outcome.rows] == ["film-2.mp4", "film-10.mp4"]
    assert f"the folder {str(locked)!r} cannot be read (Permission denied): see its rights." in outcome.err


def test_a_table_of_several_names_each_and_says_the_time_of_day(
    archive: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC-5")
    time.tzset()
    first, last = archive / "film-2.mp4", archive / "film-10.mp4"
    _, out, _ = command("watch", first, last, first, "--start", "2026-11-28T08:00:59.6")
    _, source, row, other, _ = out.splitlines()
    assert (source, other) == (str(first), str(last))
    assert row.split()[:3] == ["08:00:59", "08:01:00", "A123BC77"]
    (started, *_) = events_of(command, first, "--start", "2026-11-28T08:00")
    assert started["first_frame_at"] == "2026-11-28T08:00:00.000+05:00"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("frame", [0, 4])
def test_sigterm_leaves_no_part_of_a_video(
    frame: int, number: signal.Signals, archive: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, countdown = VideoWriter.write, iter([*[None] * frame, number])

    def interrupted(*arguments: Any) -> None:
        write(*arguments)
        if (wanted := next(countdown, None)) is not None:
            os.kill(os.getpid(), wanted)

    monkeypatch.setattr(VideoWriter, "write", interrupted)
    outcome = command("watch", "--json", archive / "film-2.mp4", "--save", archive / "out" / "marked.mp4")
    left = [path.name for path in (archive / "out").iterdir()]
    assert outcome.lines[-1]["why"] == "stopped"
    if number == signal.SIGTERM:
        assert (outcome.status, left) == (1, [])
        assert "film-2.mp4: stopped by SIGTERM: nothing is left of its video of --save\n" in outcome.err
    else:
        assert (outcome.status, left) == (0, ["marked.mp4"])


def test_sigterm_between_two_videos_keeps_the_whole_one(
    archive: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    length_s = SourceRun.length_s

    def interrupted(run: SourceRun) -> float:
        os.kill(os.getpid(), signal.SIGTERM)
        return length_s(run)

    monkeypatch.setattr(SourceRun, "length_s", interrupted)
    outcome = command("watch", archive / "film-2.mp4", archive / "film-10.mp4", "--save", archive / "out")
    assert outcome.status == 1
    assert [path.name for path in (archive / "out").iterdir()] == ["film-2.mp4"]


def test_sigterm_cuts_a_video_short_and_says_so(
    archive: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "platereader.cli.watch.reports.JsonReport.start", lambda *_: os.kill(os.getpid(), signal.SIGTERM)
    )
    outcome = command("watch", "--json", archive / "film-2.mp4", archive / "film-10.mp4")
    assert outcome.status == 1
    assert "film-2.mp4: stopped by SIGTERM: before its end\n" in outcome.err
    assert outcome.lines[-1]["why"] == "stopped"


def test_stopping_ends_all_sources(archive: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    stops = iter([signal.SIGINT])

    def stop(*_: object) -> None:
        if (number := next(stops, None)) is not None:
            os.kill(os.getpid(), number)

    monkeypatch.setattr("platereader.cli.watch.reports.JsonReport.add", stop)
    lines = events_of(command, archive)
    assert [line["event"] for line in lines] == ["started", "ended"]
