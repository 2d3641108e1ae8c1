"""The service over a real socket: what it reads, what it refuses, and that pictures of several clients go together."""

from __future__ import annotations

import json
import runpy
import socket
import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fakes import PatchDetector, frame_with, patch_pipeline
from platereader import BgrImage, Box, Detection, Pipeline

for needed in ("fastapi", "httpx", "multipart", "prometheus_client", "uvicorn"):
    pytest.importorskip(needed, reason=f"{needed} is not installed: pip install -r examples/service/requirements.txt")

SERVICE: dict[str, Any] = runpy.run_path(
    str(Path(__file__).resolve().parents[2] / "examples" / "service" / "service.py"), run_name="service"
)
Limits = SERVICE["Limits"]
PLATE = Box(40, 40, 100, 60)


@dataclass
class HeldDetector:
    """Waits until it may go on, and remembers how many frames came together."""

    may: threading.Event = field(default_factory=threading.Event)
    batches: list[int] = field(default_factory=list[int])

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        self.batches.append(len(frames))
        assert self.may.wait(20)
        return PatchDetector().detect(frames)


def png(frame: BgrImage) -> bytes:
    return bytes(cv2.imencode(".png", frame)[1])


def picture(blue: int = 50) -> tuple[str, tuple[str, bytes]]:
    """A form field with a picture whose blue says its text."""
    return "files", (f"{blue}.png", png(frame_with({blue: PLATE})))


@contextmanager
def serving(
    pipeline: Pipeline, limits: Any = None, cameras: dict[str, str] | None = None
) -> Generator[Any, None, None]:
    """A client of the service, which runs on a port of its own."""
    import httpx
    import uvicorn

    app = SERVICE["create_app"](pipeline, limits or Limits(), cameras or {})
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=5))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=30) as client:
                until = time.monotonic() + 20
                while not server.started and time.monotonic() < until:
                    time.sleep(0.01)
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    limits = Limits(body_bytes=3_000_000, pictures=3, pixels=1_000_000)
    with serving(patch_pipeline(), limits) as client:
        yield client


def test_pictures_are_read_in_their_order(client: Any) -> None:
    answer = client.post("/read", files=[picture(100), picture(50), picture(30)])
    assert answer.status_code == 200, answer.text
    texts = [(one["file"], [reading["text"] for reading in one["readings"]]) for one in answer.json()]
    assert texts == [("100.png", ["M555KE199"]), ("50.png", ["A123BC77"]), ("30.png", [])]


def test_a_large_picture_never_lies_in_a_file(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object) -> None:
        raise AssertionError("written to disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", refuse)
    noise = np.random.default_rng(0).integers(201, 256, (800, 800, 3), np.uint8)
    data = png(noise)
    assert len(data) > 1 << 20
    assert client.post("/read", files={"files": ("large.png", data)}).status_code == 200


def test_what_is_too_much_or_no_picture_is_refused_and_counted(client: Any) -> None:
    import httpx

    def chunks() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        yield from [b"0" * 500_000] * 8

    def status(**body: Any) -> int:
        try:
            answer = client.post("/read", **body)
        except httpx.TransportError:  # the service closed the connection before all was sent: it counts that below
            return 413
        assert answer.json()["detail"]
        code: int = answer.status_code
        return code

    multipart = {"Content-Type": "multipart/form-data; boundary=x"}
    assert status(files={"files": ("a.png", b"0" * 3_000_001)}) == 413
    assert status(content=chunks(), headers=multipart) == 413
    assert status(files=[picture()] * 4) == 413
    assert status(files={"files": ("wide.png", png(np.zeros((1001, 1000, 3), np.uint8)))}) == 413
    assert status(files={"files": ("a.txt", b"no picture")}) == 415
    assert status(files={"files": ("cut.png", picture()[1][1][:200])}) == 415
    assert status() == 422
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.post("/read", files=[picture()]).status_code == 200
    lines = client.get("/metrics").text.splitlines()
    assert 'platereader_refused_total{code="413"} 4.0' in lines
    assert 'platereader_refused_total{code="415"} 2.0' in lines
    assert any(line.startswith('platereader_plates_total{status="read"}') for line in lines)
    assert not any("A123BC77" in line for line in lines)


def test_a_body_that_does_not_arrive_is_not_waited_for() -> None:
    head = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n"
    kind = b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    with (
        serving(patch_pipeline(), Limits(body_s=0.1)) as client,
        socket.create_connection((client.base_url.host, client.base_url.port)) as slow,
    ):
        slow.sendall(head + kind + b"--x\r\n")
        assert slow.recv(100).startswith(b"HTTP/1.1 408")


def test_what_waits_together_is_read_together() -> None:
    detector = HeldDetector()
    pipeline = Pipeline(replace(patch_pipeline().parts, detector=detector))
    with serving(pipeline, Limits(together=4)) as client, ThreadPoolExecutor(7) as threads:
        blues = [50, 100, 150, 50, 100, 150, 50]
        asked = [threads.submit(client.post, "/read", files=[picture(blues[0])])]
        _wait_until(lambda: detector.batches == [1])
        asked += [threads.submit(client.post, "/read", files=[picture(blue)]) for blue in blues[1:]]
        _wait_until(lambda: "platereader_waiting 6.0" in client.get("/metrics").text)
        detector.may.set()
        texts = [one.result().json()[0]["readings"][0]["text"] for one in asked]
    assert texts == [{50: "A123BC77", 100: "M555KE199", 150: "B777OP98"}[blue] for blue in blues]
    assert detector.batches == [1, 4, 2]


def test_a_picture_that_cannot_be_read_is_refused_alone() -> None:
    """One side is too long for the pipeline, whatever the number of pixels; others are read together with it."""
    detector = HeldDetector()
    pipeline = Pipeline(replace(patch_pipeline().parts, detector=detector))
    long = "files", ("long.png", png(np.zeros((1, 40_000, 3), np.uint8)))
    with serving(pipeline, Limits(together=4)) as client, ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(client.post, "/read", files=[picture()])]
        _wait_until(lambda: detector.batches == [1])
        asked += [threads.submit(client.post, "/read", files=[one]) for one in (picture(), long, picture(100))]
        _wait_until(lambda: "platereader_waiting 3.0" in client.get("/metrics").text)
        detector.may.set()
        answers = [one.result() for one in asked]
    assert [answer.status_code for answer in answers] == [200, 200, 415, 200]
    assert "40000x1 px" in answers[2].json()["detail"]


def test_a_client_and_all_together_have_an_end() -> None:
    detector = HeldDetector()
    pipeline = Pipeline(replace(patch_pipeline().parts, detector=detector))
    limits = Limits(requests_of_a_client=2, waiting_pixels=2 * 320 * 240)
    with serving(pipeline, limits) as client, ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(client.post, "/read", files=[picture()])]
        _wait_until(lambda: detector.batches == [1])
        full = client.post("/read", files=[picture(), picture()])
        asked.append(threads.submit(client.post, "/read", files=[picture()]))
        _wait_until(lambda: "platereader_waiting 1.0" in client.get("/metrics").text)
        third = client.post("/read", files=[picture()])
        detector.may.set()
        assert [one.result().status_code for one in asked] == [200, 200]
    assert (full.status_code, third.status_code) == (503, 429)
    assert full.headers["Retry-After"] == third.headers["Retry-After"] == "1"


def test_what_waits_too_long_is_given_up_and_not_read() -> None:
    detector = HeldDetector()
    pipeline = Pipeline(replace(patch_pipeline().parts, detector=detector))
    with serving(pipeline, Limits(wait_s=0.1)) as client:
        assert client.post("/read", files=[picture()]).status_code == 503
        assert client.post("/read", files=[picture()]).status_code == 503
        assert detector.batches == [1]
        detector.may.set()
        _wait_until(lambda: "platereader_waiting 0.0" in client.get("/metrics").text)
        _wait_until(lambda: client.post("/read", files=[picture()]).status_code == 200)
        assert 'platereader_plates_total{status="read"}' in client.get("/metrics").text


def test_a_camera_tells_of_what_has_passed(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for index in range(6):
        (folder / f"{index}.png").write_bytes(png(frame_with({50: PLATE.moved(2 * index, 0)})))
    cameras = {"gate": str(folder), "away": str(tmp_path / "nothing.mp4")}
    with serving(patch_pipeline(), Limits(streams=1), cameras) as client:
        for _ in range(2):  # the place is free again
            event, data = client.get("/cameras/gate").text.strip().split("\n")
            assert event == "event: passage"
            assert json.loads(data.removeprefix("data: "))["text"] == "A123BC77"
        with client.stream("GET", "/cameras/gate") as leaving:
            assert leaving.status_code == 200
        _wait_until(lambda: client.get("/cameras/gate").status_code == 200)  # also after a client that left
        assert client.get("/cameras/away").text.startswith("event: failed\ndata: ")
        assert client.get("/cameras/rtsp:%2F%2Fx").status_code == 404


def test_without_its_reader_it_is_not_healthy() -> None:
    import asyncio

    import httpx

    async def ask() -> int:
        transport = httpx.ASGITransport(SERVICE["create_app"](patch_pipeline(), Limits(), {}))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return (await client.get("/healthz")).status_code

    assert asyncio.run(ask()) == 503


def test_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATEREADER_BODY_BYTES", "1000")
    monkeypatch.setenv("PLATEREADER_WAIT_S", "0.5")
    assert Limits.of_environment() == Limits(body_bytes=1000, wait_s=0.5)


def _wait_until(done: Any) -> None:
    until = time.monotonic() + 20
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)
