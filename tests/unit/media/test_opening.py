"""From words to frames, with real files."""

from __future__ import annotations

import contextlib
import io
import os
import threading
import traceback
import wave
from collections.abc import Callable, Generator
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from captures import write_video
from platereader._arrays import BgrImage
from platereader.cli.saving import write_picture
from platereader.errors import CaptureError, InvalidArgumentError
from platereader.media._camera import LiveFeed, Webcam
from platereader.media._decoding import open_file
from platereader.media._folder import FrameFolder
from platereader.media._opening import Address, _has_end, open_source, parse_address
from platereader.media._video_file import VideoFile

GREY = np.full((48, 64, 3), 90, np.uint8)


def save(folder: Path, *names: str) -> None:
    """Small pictures, each brighter than the one before."""
    for index, name in enumerate(names):
        Image.fromarray(np.full((24, 32, 3), 40 * index, np.uint8)).save(folder / name)


def test_a_video(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "кадры 1.mp4", [np.full((48, 64, 3), 20 * index, np.uint8) for index in range(6)], fps=20
    )
    source = open_source(path)
    frames = list(source)
    source.close()
    assert [round(timestamp_s, 3) for timestamp_s, _ in frames] == [0.0, 0.05, 0.1, 0.15, 0.2, 0.25]
    assert frames[0][1].shape == (48, 64, 3)
    assert (source.live, source.fps, source.frame_count, source.name) == (False, 20.0, 6, str(path))
    # With other times than its own, the sound of the file would not fit.
    for fps, kept in ((None, path), (5.0, None)):
        with contextlib.closing(cast(VideoFile, open_source(path, fps=fps))) as again:
            assert again.path == kept


@pytest.mark.parametrize("suffix", ["mkv", "ts", "avi"])
def test_the_frames_of_a_video_that_states_only_its_length_are_estimated(tmp_path: Path, suffix: str) -> None:
    source = open_source(write_video(tmp_path / f"a.{suffix}", [np.zeros((48, 64, 3), np.uint8)] * 30, fps=20))
    assert source.frame_count == pytest.approx(30, abs=1)
    source.close()


@pytest.mark.parametrize(("fps", "expected"), [(30.0, 30.0), (0.0, None), (float("nan"), None)])
def test_a_webcam(monkeypatch: pytest.MonkeyPatch, fps: float, expected: float | None) -> None:
    class Device:
        """What OpenCV gives: two frames, then nothing any more."""

        def __init__(self, index: int) -> None:
            assert index == 3
            self.frames = [np.full((4, 4, 3), value, np.uint8) for value in (10, 20)]

        def get(self, what: int) -> float:
            assert what == cv2.CAP_PROP_FPS
            return fps

        def isOpened(self) -> bool:  # noqa: N802
            return True

        def read(self) -> tuple[bool, BgrImage | None]:
            return (True, self.frames.pop(0)) if self.frames else (False, None)

    monkeypatch.setattr(cv2, "VideoCapture", Device)
    webcam = Webcam.opened(3)
    assert webcam is not None
    assert webcam.fps == expected
    frames = [webcam.read() for _ in range(3)]
    assert [None if frame is None else int(frame[0, 0, 0]) for frame in frames] == [10, 20, None]


@pytest.mark.parametrize("kind", ["video", "folder", "webcam"])
def test_a_source_is_closed_where_its_with_ends(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    for owner in (VideoFile, FrameFolder, LiveFeed):
        monkeypatch.setattr(owner, "close", lambda source: closed.append(source.name))
    monkeypatch.setattr(Webcam, "opened", lambda index: SimpleNamespace(fps=None))
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((32, 48, 3), np.uint8))
    video = write_video(tmp_path / "gate.mp4", [np.zeros((32, 48, 3), np.uint8)] * 3)
    sources: dict[str, Path | int] = {"video": video, "folder": tmp_path, "webcam": 0}
    with pytest.raises(KeyError), open_source(sources[kind]) as source:
        raise KeyError(source.name)
    assert closed == [source.name]


def test_a_folder_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    save(tmp_path, "frame-1.png", "frame-2.png", "frame-10.png", ".hidden.png")
    (tmp_path / "notes.txt").write_text("no picture")
    source = open_source(str(tmp_path), fps=4)
    assert [(timestamp_s, int(frame[0, 0, 0])) for timestamp_s, frame in source] == [(0.0, 0), (0.25, 40), (0.5, 80)]
    assert (source.live, source.dropped, source.fps, source.frame_count) == (False, 0, 4.0, 3)
    frames = iter(source)
    next(frames)
    source.stop()
    assert (list(frames), source.stopped) == ([], True)


def test_marked_pictures_of_an_earlier_run_are_no_frames_unless_there_is_nothing_else(tmp_path: Path) -> None:
    save(tmp_path, "1.png", "2.png", "10.jpg")
    for name in ("1-marked.png", "2-marked.jpg"):
        write_picture(tmp_path / name, np.full((24, 32, 3), 250, np.uint8))
    said: list[str] = []
    source = open_source(tmp_path, fps=4, notify=said.append)
    assert source.frame_count == 3
    assert said == []  # a source may be opened to count its frames alone
    seen = [(timestamp_s, int(frame[0, 0, 0])) for timestamp_s, frame in source]
    assert seen == [(0.0, 0), (0.25, 40), (0.5, 80)]
    assert said == [f"pictures that platereader wrote in {str(tmp_path)!r}, left out: 2"]
    for name in ("1.png", "2.png", "10.jpg"):
        (tmp_path / name).unlink()
    assert len(list(open_source(tmp_path, notify=said.append))) == 2
    assert len(said) == 1


def test_a_picture_that_no_pipeline_takes_leaves_a_gap_too(tmp_path: Path) -> None:
    save(tmp_path, "1.png", "3.png")
    Image.new("RGB", (32_001, 1)).save(tmp_path / "2.png")
    said: list[str] = []
    seen: list[float] = []
    with pytest.raises(CaptureError, match="1 of the 3 pictures"):
        seen.extend(timestamp_s for timestamp_s, _ in open_source(tmp_path, notify=said.append))
    assert seen == [0.0, 0.08]
    assert "2.png' is 32001x1 px" in said[0]


def test_a_damaged_picture_leaves_a_gap_and_is_said_twice(tmp_path: Path) -> None:
    save(tmp_path, "1.png", "2.png", "3.png")
    (tmp_path / "2.png").write_bytes(b"no picture")
    said: list[str] = []
    seen: list[float] = []
    with pytest.raises(CaptureError, match="1 of the 3 pictures"):
        seen.extend(timestamp_s for timestamp_s, _ in open_source(tmp_path, notify=said.append))
    assert seen == [0.0, 0.08]
    assert len(said) == 1
    assert "2.png" in said[0]


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="there is no file or folder"):
        open_source(tmp_path / "absent.mp4")
    with pytest.raises(CaptureError, match="holds no pictures"):
        open_source(tmp_path)
    (tmp_path / "letter.mp4").write_bytes(b"Dear Sir or Madam" * 99)
    with pytest.raises(CaptureError, match=r"not a video .* here \(Invalid data found"):
        open_source(tmp_path / "letter.mp4")
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16_000))
    with pytest.raises(CaptureError, match=r"not a video .* here \(it has no frames"):
        open_source(tmp_path / "sound.wav")


def test_a_camera_that_does_not_answer_is_named_without_its_password() -> None:
    address = "rtsp://admin:hunter2@127.0.0.1:9/1"
    with pytest.raises(CaptureError, match=r"rtsp://127\.0\.0\.1:9/1 cannot be opened") as caught:
        open_source(address)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(CaptureError, match="webcam 4711 cannot be opened"):
        open_source(4711)


class Server(ThreadingHTTPServer):
    """Gives a file whole, as a web server does, or piece by piece without an end, as cameras do."""

    def __init__(self, data: bytes, *, kind: str, endless: bool = False) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                if not endless:
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # as http.server calls it
                """Nothing."""

        super().__init__(("127.0.0.1", 0), Handler)

    def address(self, path: str) -> str:
        return f"http://admin:hunter2@127.0.0.1:{self.server_address[1]}/{path}"


@contextlib.contextmanager
def serving(data: bytes, *, kind: str, endless: bool = False) -> Generator[Server]:
    """A server in a thread."""
    with Server(data, kind=kind, endless=endless) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_a_video_on_a_web_server_is_a_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [GREY] * 5)
    with serving(path.read_bytes(), kind="video/mp4") as server:
        source = open_source(server.address("gate.mp4"))
        assert not source.live
        assert source.frame_count == len(list(source)) == 5
        assert "hunter2" not in source.name
        source.close()


@pytest.mark.parametrize(
    ("address", "duration", "size", "has_end"),
    [
        ("HTTPS://a/b", 1, 1, True),
        ("http://a/b", 1, 0, False),
        ("http://a/b", 1, -1, False),
        ("http://a/b", 0, 1, False),
        ("http://a/b", None, 1, False),
        ("rtsp://a/b", 1, 1, False),
    ],
)
def test_what_states_how_many_bytes_follow_is_a_file(address: str, duration: int, size: int, has_end: bool) -> None:
    container = cast(Any, SimpleNamespace(duration=duration, size=size))
    assert _has_end(Address("network", address, address), container) is has_end


def test_a_camera_behind_http_is_live_until_it_is_lost() -> None:
    picture = io.BytesIO()
    Image.fromarray(GREY).save(picture, "JPEG")
    part = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture.getvalue())
    data = (part + picture.getvalue() + b"\r\n") * 40
    with serving(data, kind="multipart/x-mixed-replace; boundary=frame", endless=True) as server:
        source = open_source(server.address("video.cgi"), reconnect_limit=0)
        assert isinstance(source, LiveFeed)
        seen: list[BgrImage] = []
        with pytest.raises(CaptureError, match=r"http://127\.0\.0\.1:\d+/video\.cgi was lost") as caught:
            seen.extend(frame for _, frame in source)
        source.close()
    assert seen[-1].shape == GREY.shape
    assert "hunter2" not in str(caught.value)


def test_rtsp_is_live_even_when_it_states_a_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mp4", [GREY] * 5, fps=15)
    asked: list[str] = []

    def opened(address: str) -> Any:
        asked.append(address)
        return open_file(path)

    monkeypatch.setattr("platereader.media._opening.open_address", opened)
    source = open_source("rtsp://admin:hunter2@camera/1", reconnect_limit=0)
    assert isinstance(source, LiveFeed)
    assert source.fps == 15
    assert asked == ["rtsp://admin:hunter2@camera/1"]
    with pytest.raises(CaptureError, match="rtsp://camera/1 was lost"):
        list(source)
    source.close()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: open_source("x.mp4", fps=0), "fps is 0"),
        (lambda: open_source("x.mp4", fps=float("nan")), "fps is nan"),
        (lambda: open_source("x.mp4", fps=cast(Any, "25")), "fps is '25'"),
        (lambda: open_source("x.mp4", fps=10**400), "fps is 1000"),
        (lambda: open_source("x.mp4", reconnect_limit=cast(Any, "3")), "reconnect_limit is '3'"),
        (lambda: open_source("x.mp4", reconnect_limit=cast(Any, float("nan"))), "reconnect_limit is nan"),
        (lambda: open_source("x.mp4", reconnect_limit=-1), "reconnect_limit is -1"),
        (lambda: open_source("rtsp://camera/1", fps=5), "fps is 5 for rtsp://camera/1"),
    ],
)
def test_wrong_arguments(
    call: Callable[[], object], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "a.mp4", [GREY] * 2)
    monkeypatch.setattr("platereader.media._opening.open_address", lambda _: open_file(path))
    with pytest.raises(InvalidArgumentError, match=message):
        call()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(CaptureError, match="no regular file"):
        open_source(tmp_path / "pipe.mp4")


def test_spaces_at_the_ends_of_a_name_are_part_of_it(tmp_path: Path) -> None:
    path = write_video(tmp_path / " gate.mp4", [GREY] * 3)
    path = path.rename(tmp_path / " gate.mp4 ")
    assert len(list(open_source(path))) == 3
    assert parse_address(" 0 ").kind == "webcam"


@pytest.mark.parametrize(("aspect", "size"), [("64/45", (91, 48)), ("8/9", (64, 54)), ("1", (64, 48)), ("9", (64, 48))])
def test_pixels_come_square(tmp_path: Path, aspect: str, size: tuple[int, int]) -> None:
    path = tmp_path / "dvr.mkv"
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(aspect)
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="bgr24")
        container.mux([*stream.encode(picture), *stream.encode()])
    ((_, frame),) = open_source(path)
    assert frame.shape[1::-1] == size
