"""A camera that speaks RTSP: it states a length, wants a password, dies and returns."""

from __future__ import annotations

import base64
import contextlib
import re
import socketserver
import struct
import threading
import time
from collections.abc import Generator
from fractions import Fraction
from typing import cast

import av
import numpy as np
import pytest

from platereader.media import _camera, open_source
from platereader.media._camera import LiveFeed

FRAMES = 12
SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=gate\r\nt=0 0\r\na=range:npt=0-100\r\nm=video 0 RTP/AVP 96\r\n"
    "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"
)


def encoded() -> list[list[bytes]]:
    """Units of H.264 for each of some frames, all of which can be decoded by themselves."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    encoder.options = {"tune": "zerolatency", "g": "1", "x264-params": "sliced-threads=0"}
    frames: list[list[bytes]] = []
    for index in range(FRAMES):
        picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40 + 10 * index, np.uint8), format="bgr24")
        picture.pts = index
        data = b"".join(bytes(packet) for packet in encoder.encode(picture))
        frames.append([unit for unit in re.split(b"\0\0\0?\x01", data) if unit])
    return frames


class Handler(socketserver.StreamRequestHandler):
    """One connection: answers requests, sends its frames after PLAY, and hangs up."""

    def handle(self) -> None:
        server = cast(Server, self.server)
        while request := self._request():
            method, number = request.split()[0], cast("re.Match[str]", re.search(r"CSeq: (\d+)", request)).group(1)
            if base64.b64encode(b"admin:hunter2").decode() not in request:
                self._answer(number, 'WWW-Authenticate: Basic realm="gate"\r\n', status="401 Unauthorized")
                continue
            extra = {
                "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n",
                "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n",
            }
            self._answer(number, extra.get(method, "Session: 1\r\n"), body=SDP if method == "DESCRIBE" else "")
            if method == "PLAY":
                server.plays += 1
                self._play(server.frames)
                return

    def _request(self) -> str:
        lines = []
        while (line := self.rfile.readline()) not in {b"\r\n", b""}:
            lines.append(line.decode())
        return "".join(lines)

    def _answer(self, number: str, extra: str, *, status: str = "200 OK", body: str = "") -> None:
        self.wfile.write(f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{extra}\r\n{body}".encode())

    def _play(self, frames: list[list[bytes]]) -> None:
        count = 0
        for index, units in enumerate(frames * 3):
            for unit in units:
                last = 0x80 if unit is units[-1] else 0
                packet = struct.pack(">BBHII", 0x80, last | 96, count, 3600 * index, 7) + unit
                self.wfile.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
                count += 1
            time.sleep(0.005)


class Server(socketserver.ThreadingTCPServer):
    """Where the camera listens."""

    daemon_threads = True

    def __init__(self) -> None:
        self.frames = encoded()
        self.plays = 0
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error."""


@pytest.fixture
def camera() -> Generator[Server]:
    """A camera in a thread."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_camera_that_dies_and_returns(
    camera: Server, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_camera, "FIRST_RECONNECT_DELAY_S", 0.05)
    said: list[str] = []
    source = open_source(f"rtsp://admin:hunter2@127.0.0.1:{camera.server_address[1]}/1", notify=said.append)
    assert isinstance(source, LiveFeed)
    with contextlib.closing(source):
        for timestamp_s, frame in source:
            assert frame.shape == (48, 64, 3)
            assert 30 < frame.mean() < 160
            if camera.plays == 3 and any("gives frames again" in line for line in said):
                source.stop()
            assert timestamp_s < 20
    assert any("gives no frames: trying again" in line for line in said)
    assert "hunter2" not in "".join([source.name, *said, *capfd.readouterr()])
