"""``platereader watch`` over fake parts: what is printed, written and returned, and how it stops."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import BLANK, ONE, Command, events_of, watched
from PIL import Image

from captures import read_timed, read_video, write_video
from fakes import Rough, frame_with, patch_pipeline
from platereader import Box, Pipeline, TrustPolicy
from platereader._arrays import BgrImage
from platereader.cli.watch.events import SCHEMA
from platereader.errors import FileError
from platereader.media._images import read_image

OTHER = {100: Box(180, 150, 260, 170)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One plate in 8 frames, then nothing for 5 seconds, then another in 6 frames: at 10 frames a second."""
    frames = [frame_with(ONE)] * 8 + [frame_with(BLANK)] * 50 + [frame_with(OTHER)] * 6
    return frames_in(tmp_path / "frames", frames)


def frames_in(folder: Path, frames: Sequence[BgrImage]) -> Path:
    folder.mkdir()
    for index, frame in enumerate(frames):
        Image.fromarray(np.ascontiguousarray(frame[:, :, ::-1])).save(folder / f"{index}.png")
    return folder


def test_a_table_with_one_row_per_passage(folder: Path, command: Command) -> None:
    status, out, err = command("watch", folder, "--fps", "10")
    assert status == 0
    header, *rows = out.splitlines()
    assert " ".join(header.split()) == "FROM TO PLATE LOCAL COUNTRY CONFIDENCE STATUS READINGS REGION OR REASON"
    assert [row.split()[2:5] for row in rows] == [["A123BC77", "А123ВС77", "RU"], ["M555KE199", "М555КЕ199", "RU"]]
    assert rows[0].split()[:2] == ["0:00.0", "0:00.7"]
    assert "Moscow" in rows[0]
    assert "A123BC77" not in err
    assert "frames: 64, dropped: 0; passages: 2 (2 read, 0 uncertain, 0 unreadable)" in err


def test_json_says_each_thing_once(folder: Path, command: Command) -> None:
    started, *events, ended = events_of(command, folder, "--fps", "10")
    assert (started["event"], started["schema"], started["live"]) == ("started", SCHEMA, False)
    assert (started["source"], started["frame_count"]) == (str(folder), 64)
    said = [(event["event"], event["plate"]["text"]) for event in events]
    assert said == [(event, text) for text in ("A123BC77", "M555KE199") for event in ("settled", "finished")]
    assert 0.1 < events[0]["timestamp_s"] < 0.8 < events[1]["timestamp_s"]
    assert events[3]["plate"]["best_frame_index"] >= 58
    assert events[1]["crop"] is None
    assert (ended.pop("event"), ended.pop("source"), ended.pop("why")) == ("ended", str(folder), "ended")
    assert ended == {"frames": 64, "dropped": 0, "passages": 2, "left_out": 0}


def test_an_unsure_plate_finishes_and_never_settles(folder: Path, command: Command) -> None:
    command.over(patch_pipeline(trust=TrustPolicy(min_confidence=1.0)))
    _, *events, _ = events_of(command, folder, "--fps", "10")
    assert [event["event"] for event in events] == ["finished", "finished"]
    _, out, _ = command("watch", folder, "--fps", "10")
    assert out.count("low confidence") == 2


def test_marked_copies_of_the_frames_are_not_watched(folder: Path, command: Command) -> None:
    first = command("watch", folder, "--fps", "10")
    assert command("read", folder, "--save", folder.parent / "marked").status == 0
    for copy in (folder.parent / "marked").iterdir():
        copy.rename(folder / f"marked-{copy.name}")
    again = command("watch", folder, "--fps", "10")
    assert again.out == first.out
    assert again.err == f"platereader: pictures that platereader wrote in {str(folder)!r}, left out: 64\n{first.err}"
    assert command("--lang", "ru", "watch", folder).err.startswith(f"platereader: в {str(folder)!r} пропущены снимки")


def test_search_every_third_frame(folder: Path, command: Command) -> None:
    _, *events, _ = events_of(command, folder, "--fps", "10", "--search-every", "0.3")
    finished = [event["plate"] for event in events if event["event"] == "finished"]
    assert [plate["readings"] for plate in finished] == [3, 2]
    assert command("watch", folder, "--search-every", "-1")[0] == 2


def test_csv(folder: Path, command: Command) -> None:
    outcome = command("watch", folder, "--csv", "--fps", "10")
    rows = outcome.rows
    assert outcome.status == 0
    assert [row["text"] for row in rows] == ["A123BC77", "M555KE199"]
    assert all(len(row["confidence"]) <= len("0.1234") for row in rows)
    assert (rows[0]["number"], rows[0]["text_local"]) == ("A123BC77", "А123ВС77")
    assert (rows[0]["first_seen_s"], rows[0]["region_code"], rows[0]["first_seen_at"]) == ("0.0", "77", "")


def test_crops_are_numbered_on(folder: Path, tmp_path: Path, command: Command) -> None:
    crops = tmp_path / "crops"
    for first in (1, 3):
        events = events_of(command, folder, "--fps", "10", "--save-crops", crops)
        files = [event["crop"] for event in events if event["event"] == "finished"]
        assert files == [str(crops / f"passage-{number:05d}.png") for number in (first, first + 1)]
    assert read_image(crops / "passage-00001.png").shape == (20, 80, 3)
    assert read_image(crops / "passage-00002.png")[0, 0, 0] == 100
    assert len(list(crops.iterdir())) == 4


def test_a_video_and_its_annotated_copy(tmp_path: Path, command: Command) -> None:
    command.over(Pipeline(replace(patch_pipeline().parts, detector=Rough(), rectifier=Rough())))
    video = write_video(tmp_path / "gate.mp4", [frame_with(ONE)] * 12, fps=20)
    marked = tmp_path / "new" / "marked.mp4"
    started, *events, ended = events_of(command, video, "--save", marked)
    assert (started["fps"], ended["frames"]) == (20.0, 12)
    assert [event["plate"]["text"] for event in events] == ["A123BC77", "A123BC77"]
    assert events[-1]["plate"]["last_seen_s"] == pytest.approx(0.55)
    frames = read_video(marked)
    assert len(frames) == 12
    assert frames[0].shape == (240, 320, 3)
    assert frames[-1][..., 1].max() > 100 > read_video(video)[-1][..., 1].max()


def test_the_area_is_outlined_in_the_copy(tmp_path: Path, command: Command) -> None:
    frames = frames_in(tmp_path / "frames", [frame_with(BLANK)] * 2)
    assert command("watch", frames, "--save", tmp_path / "a.mp4", "--area", "20,100 300,100 160,220").status == 0
    written = read_video(tmp_path / "a.mp4")[-1]
    assert written[100, 24:296].min() > 150
    assert written[110:190, 160].max() < 30


def test_frames_that_change_size_are_fitted_and_keep_their_times(tmp_path: Path, command: Command) -> None:
    frames = frames_in(tmp_path / "frames", [frame_with(ONE)] * 4 + [frame_with(ONE, width=640, height=200)] * 4)
    (frames / "2.png").write_bytes(b"no picture")
    marked = tmp_path / "marked.mp4"
    assert command("watch", frames, "--fps", "5", "--save", marked)[0] == 1
    assert [round(time_s, 3) for time_s, _ in read_timed(marked)] == [0.0, 0.2, 0.6, 0.8, 1.0, 1.2, 1.4]
    written = read_video(marked)
    assert [frame.shape for frame in written] == [(240, 320, 3)] * 7
    # 640x200 fits into 320x240 as 320x100 with 70 black rows above.
    assert written[-1][:60].max() < 30


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["absent.mp4"], 3, "there is no file or folder 'absent.mp4'"),
        (["ftp://host/x"], 2, "ftp://"),
        (["FOLDER", "--fps", "0"], 2, "fps is 0"),
        (["FOLDER", "--save", "marked.avi"], 2, ".mp4"),
        (["FOLDER", "--port", "80"], 2, "--view"),
        (["FOLDER", "--reconnect-limit", "-1"], 2, "reconnect"),
        (["FOLDER", "--start", "yesterday"], 2, "--start is 'yesterday'"),
        (["FOLDER", "--start", "9999-12-31T23:59:59+00:00"], 2, "before the year 9999"),
        (["FOLDER", "0"], 2, "webcam 0 is one of several sources"),
        (["FOLDER", "absent.mp4", "--save", "marked.mp4"], 2, "name a folder"),
        (["rtsp://admin:hunter2@127.0.0.1:9/1"], 3, "rtsp://127.0.0.1:9/1"),
    ],
)
def test_what_cannot_be_watched(
    words: list[str],
    status: int,
    message: str,
    folder: Path,
    capfd: pytest.CaptureFixture[str],  # of libraries, too
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = Command(capfd, monkeypatch)
    command.over(patch_pipeline())
    got, out, err = command("watch", *(folder if word == "FOLDER" else word for word in words))
    assert (got, out) == (status, "")
    assert message in err
    assert "hunter2" not in err
    assert "Traceback" not in err


def test_the_source_is_not_written_over(tmp_path: Path, command: Command) -> None:
    video = write_video(tmp_path / "gate.mp4", [frame_with(BLANK)] * 3)
    before = video.read_bytes()
    (tmp_path / "hard.mp4").hardlink_to(video)
    (tmp_path / "soft.mp4").symlink_to(video)
    for name in ("gate.mp4", "hard.mp4", "soft.mp4"):
        assert command("watch", video, "--save", tmp_path / name)[0] == 2
    assert video.read_bytes() == before


@pytest.mark.parametrize("option", ["--save", "--save-crops"])
def test_the_folder_that_is_watched_takes_no_results(folder: Path, command: Command, option: str) -> None:
    before = sorted(folder.iterdir())
    status, out, err = command("watch", folder, option, folder / ".." / folder.name)
    assert (status, out) == (2, "")
    assert err.startswith(f"platereader: {option} is ")
    assert "the folder that is watched" in err
    assert sorted(folder.iterdir()) == before


def test_results_of_an_earlier_run_do_not_say_what_a_folder_is_of(folder: Path, command: Command) -> None:
    films, made = folder.parent / "films", folder.parent / "made.mp4"
    (films / "day").mkdir(parents=True)
    film = write_video(films / "day" / "a.mp4", [frame_with(ONE)] * 10)
    assert command("watch", folder, "--fps", "10", "--save", made, "--save-crops", films / "crops").status == 0
    for crop in list((films / "crops").iterdir()):
        crop.rename(films / crop.name)
    assert watched(command("watch", films, "--json")) == [str(film)]
    made.rename(folder / "made.mp4")
    assert watched(command("watch", folder, "--fps", "10", "--json")) == [str(folder)]


def test_plates_are_reported_though_the_disk_is_full(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise FileError("cannot write the video: no space left")

    monkeypatch.setattr("platereader.cli.videos._Encoder.finish", full)
    outcome = command("watch", folder, "--fps", "10", "--csv", "--save", folder.parent / "marked.mp4")
    assert outcome.status == 1
    assert [row["text"] for row in outcome.rows] == ["A123BC77", "M555KE199"]
    assert "no space left" in outcome.err
    assert [path.name for path in folder.parent.iterdir()] == ["frames"]


def test_damage_is_reported_after_what_was_seen(folder: Path, command: Command) -> None:
    (folder / "3.png").write_bytes(b"no picture")
    outcome = command("watch", folder, "--fps", "10", "--json")
    *events, ended = outcome.lines
    assert outcome.status == 1
    assert [line["event"] for line in events].count("finished") == 2
    assert (ended["why"], ended["frames"]) == ("failed", 63)
    assert "3.png" in outcome.err
    assert "1 of the 64 pictures" in outcome.err


def test_whatever_happens_the_video_is_finished(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    marked = folder.parent / "marked.mp4"
    monkeypatch.setattr("platereader.cli.watch.reports.TableReport.add", full)
    assert command("watch", folder, "--fps", "10", "--save", marked)[0] == 3
    assert len(read_video(marked)) >= 1


def test_a_crop_that_cannot_be_written_loses_no_passage(
    folder: Path, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("platereader.cli.watch.saving.write_picture", full)
    status, out, err = command("watch", folder, "--fps", "10", "--csv", "--save-crops", tmp_path / "crops")
    assert status == 1
    assert [row.split(",")[1] for row in out.splitlines()[1:]] == ["A123BC77", "M555KE199"]
    assert err.count("No space left on device") == 2


def test_names_cannot_steer_a_terminal_through_json(command: Command, tmp_path: Path) -> None:
    name = "a\x9b31m\u202egate"
    frames_in(tmp_path / name, [frame_with(ONE)] * 3)
    out = command("watch", tmp_path / name, "--fps", "10", "--json").out
    assert "\x9b" not in out
    assert "\u202e" not in out
    assert json.loads(out.splitlines()[0])["source"].endswith(name)


def test_a_video_of_the_users_is_not_replaced_and_that_is_said_before_anything_is_read(
    folder: Path, command: Command, tmp_path: Path
) -> None:
    mine = write_video(tmp_path / "holiday.mp4", [frame_with(BLANK)] * 3)
    before = mine.read_bytes()
    status, out, err = command("watch", folder, "--save", mine)
    assert status != 0
    assert "that this program did not make" in err
    assert (out, mine.read_bytes()) == ("", before)
