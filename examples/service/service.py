"""Read plates over HTTP: ``uvicorn --app-dir examples/service --factory service:create_app``.

``POST /read`` takes pictures, ``GET /cameras/NAME`` follows a camera with server-sent events, ``GET /healthz`` and
``GET /metrics`` are for whoever runs it. Pictures that wait at the same time are read together, and none is kept.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import struct
import sys
import threading
from collections import Counter as Count
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import Annotated, Any

import numpy as np
from PIL import Image

from platereader import BgrImage, InvalidImageError, MediaFileError, Pipeline, PlateReaderError, PlateReading
from platereader.media import FrameSource, decode_image, open_source

try:
    import_module("python_multipart")  # FastAPI takes uploads with it
    from fastapi import FastAPI, File, HTTPException, Response, UploadFile
    from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
    from starlette.formparsers import MultiPartParser
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
except ModuleNotFoundError as error:
    print(f"{error.name} is not installed: pip install -r examples/service/requirements.txt", file=sys.stderr)
    sys.exit(3)

_SILENCE_S = 15.0
_BROKEN = (OSError, SyntaxError, ValueError, LookupError, RuntimeError, TypeError, ArithmeticError, struct.error)
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "no form that can be read"},
    408: {"description": "the pictures did not arrive in time"},
    413: {"description": "too many bytes, pictures or pixels"},
    415: {"description": "a picture that cannot be decoded"},
    429: {"description": "too many requests of one client at a time"},
    503: {"description": "too much is waiting: try again later"},
}
_OF_CAMERAS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}},
    404: {"description": "no such camera"},
    503: _REFUSALS[503],
}


@dataclass(frozen=True)
class Limits:
    """Each may be set by an environment variable, such as ``PLATEREADER_BODY_BYTES``.

    Attributes:
        body_bytes: of a request.
        body_s: seconds in which it has to arrive.
        pictures: of a request.
        pixels: of a picture.
        requests_of_a_client: at a time.
        waiting_pixels: of all pictures that wait to be read, three bytes each.
        wait_s: seconds that they wait.
        together: pictures that are read at once.
        streams: cameras that are followed at a time.
    """

    body_bytes: int = 16_000_000
    body_s: float = 30.0
    pictures: int = 16
    pixels: int = 25_000_000
    requests_of_a_client: int = 16
    waiting_pixels: int = 200_000_000
    wait_s: float = 20.0
    together: int = 8
    streams: int = 4

    @classmethod
    def of_environment(cls) -> Limits:
        given = {one.name: os.environ.get(f"PLATEREADER_{one.name.upper()}") for one in fields(cls)}
        return cls(**{name: type(getattr(cls, name))(value) for name, value in given.items() if value is not None})


class RequestLimits:
    """ASGI middleware that reads no more of a request than it may have, no longer, and few of one client at a time.

    Args:
        app: what is behind it.
        limits: of bytes, seconds and requests.
        refused: called with the status of what was refused, here or behind.
    """

    def __init__(self, app: ASGIApp, limits: Limits, refused: Callable[[int], object]) -> None:
        self._app, self._limits, self._refused = app, limits, refused
        self._open: Count[str] = Count()
        self._too_much = f"at most {limits.body_bytes} bytes in a request"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self._app(scope, receive, send)
        client = (scope.get("client") or ("",))[0]
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if stated.isdigit() and int(stated[:16]) > self._limits.body_bytes:
            return await self._refuse(413, self._too_much)(scope, receive, send)
        if self._open[client] >= self._limits.requests_of_a_client:
            said = f"at most {self._limits.requests_of_a_client} requests of one client at a time"
            return await self._refuse(429, said)(scope, receive, send)
        self._open[client] += 1
        try:
            return await self._app(scope, self._counted(receive), self._watched(send))
        finally:
            self._open[client] -= 1
            self._open += Count()  # forgets those that are 0

    def _refuse(self, code: int, detail: str) -> JSONResponse:
        """An answer without a look at the body."""
        self._refused(code)
        return JSONResponse({"detail": detail}, code, {"Connection": "close", "Retry-After": "1"})

    def _watched(self, send: Send) -> Send:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                self._refused(message["status"])
            await send(message)

        return watched

    def _counted(self, receive: Receive) -> Receive:
        """The same messages, as long as they are few enough and come in time."""
        loop = asyncio.get_running_loop()
        until, taken, whole = loop.time() + self._limits.body_s, 0, False

        async def counted() -> Message:
            nonlocal taken, whole
            if whole:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, until - loop.time()))
            except asyncio.TimeoutError:
                raise HTTPException(408, f"the request did not arrive in {self._limits.body_s:g} s") from None
            taken += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if taken > self._limits.body_bytes:
                raise HTTPException(413, self._too_much)
            return message

        return counted


def picture_pixels(data: bytes) -> int | None:
    """Pixels of a picture by its header; None for what Pillow does not take for a picture."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return int(picture.width * picture.height)
    except (*_BROKEN, Image.DecompressionBombError):
        return None


class Metrics:
    """What is counted; texts of plates are personal data and never part of it."""

    def __init__(self) -> None:
        self.registry = of = CollectorRegistry()
        self.pictures = Counter("platereader_pictures", "Pictures read", registry=of)
        self.plates = Counter("platereader_plates", "Plates by status", ["status"], registry=of)
        self.refused = Counter("platereader_refused", "Requests that were refused", ["code"], registry=of)
        self.waiting = Gauge("platereader_waiting", "Pictures that wait", registry=of)
        self.together = Histogram(
            "platereader_together", "Pictures read at once", buckets=(1, 2, 4, 8, 16), registry=of
        )
        self.seconds = Histogram("platereader_seconds", "Seconds that pictures wait and are read", registry=of)


class BusyError(Exception):
    """More waits than may wait, or for longer than it may."""


@dataclass(eq=False)
class _Waiting:
    """A picture that waits for its plates."""

    frame: BgrImage
    plates: asyncio.Future[list[PlateReading]] = field(default_factory=asyncio.Future)


class Reader:
    """Reads what waits together, as many pictures at a time as ``limits`` allow, and counts it in ``metrics``."""

    def __init__(self, pipeline: Pipeline, limits: Limits, metrics: Metrics) -> None:
        self.pipeline = pipeline
        self.alive = False
        self._limits, self._metrics = limits, metrics
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._pixels = 0

    @contextmanager
    def room(self, pixels: int) -> Generator[None, None, None]:
        """Room for pictures to be decoded and to wait, or a BusyError."""
        if self._pixels + pixels > self._limits.waiting_pixels:
            raise BusyError(f"{self._pixels} pixels wait already, at most {self._limits.waiting_pixels} may")
        self._pixels += pixels
        try:
            yield
        finally:
            self._pixels -= pixels

    async def read(self, frames: Sequence[BgrImage]) -> list[list[PlateReading]]:
        """The plates of each frame, or a BusyError where that took too long."""
        items = [_Waiting(frame) for frame in frames]
        for item in items:
            self._queue.put_nowait(item)
        self._metrics.waiting.set(self._queue.qsize())
        together = asyncio.gather(*(item.plates for item in items))  # cancelled with what it waits for
        try:
            with self._metrics.seconds.time():
                return await asyncio.wait_for(together, self._limits.wait_s)
        except asyncio.TimeoutError as error:
            for item in items:
                item.frame = np.zeros((1, 1, 3), np.uint8)  # it waits in the queue still, and must hold no memory there
            raise BusyError(f"not read within {self._limits.wait_s:g} s") from error

    async def run(self) -> None:
        """Read what comes until it is cancelled."""
        self.alive = True
        try:
            while True:
                batch = [await self._queue.get()]
                while len(batch) < self._limits.together and not self._queue.empty():
                    batch.append(self._queue.get_nowait())
                self._metrics.waiting.set(self._queue.qsize())
                await self._read([item for item in batch if not item.plates.done()])
        finally:
            self.alive = False

    async def _read(self, batch: Sequence[_Waiting]) -> None:
        if not batch:
            return
        self._metrics.together.observe(len(batch))
        try:
            found = await asyncio.to_thread(self.pipeline.read_batch, [item.frame for item in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            if len(batch) > 1:  # but not those whose own pictures can be read
                for item in batch:
                    await self._read([item] if not item.plates.done() else [])
                return
            for item in batch:
                if not item.plates.done():
                    item.plates.set_exception(error)
            return
        for item, readings in zip(batch, found, strict=True):
            self._metrics.pictures.inc()
            for reading in readings:
                self._metrics.plates.labels(reading.status).inc()
            if not item.plates.done():
                item.plates.set_result(readings)


async def passages(pipeline: Pipeline, address: str, places: asyncio.Semaphore) -> AsyncIterator[str]:
    """Server-sent events of the vehicles that pass a camera, until it ends or the client has gone."""
    events: asyncio.Queue[str | None] = asyncio.Queue()
    opened: list[FrameSource] = []
    gone, loop = threading.Event(), asyncio.get_running_loop()

    def follow() -> None:
        try:
            with open_source(address) as source:
                opened.append(source)
                for update in () if gone.is_set() else pipeline.read_stream(source):
                    for plate in update.finished:
                        loop.call_soon_threadsafe(events.put_nowait, _event("passage", plate.to_dict()))
        except PlateReaderError as error:  # of the camera, or of its address
            loop.call_soon_threadsafe(events.put_nowait, _event("failed", str(error)))
        finally:
            with suppress(RuntimeError):  # the program ends
                loop.call_soon_threadsafe(places.release)
                loop.call_soon_threadsafe(events.put_nowait, None)

    await places.acquire()
    threading.Thread(target=follow, daemon=True).start()
    try:
        while True:
            try:
                event = await asyncio.wait_for(events.get(), _SILENCE_S)
            except asyncio.TimeoutError:
                yield ":\n\n"  # keeps proxies from closing what is silent
                continue
            if event is None:
                return
            yield event
    finally:
        gone.set()
        for source in opened:
            source.stop()


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def cameras_of_environment() -> dict[str, str]:
    """``PLATEREADER_CAMERAS``: a JSON object of names and addresses. Clients know the names only."""
    given = json.loads(os.environ.get("PLATEREADER_CAMERAS", "{}"))
    return {str(name): str(address) for name, address in given.items()}


def create_app(
    pipeline: Pipeline | None = None, limits: Limits | None = None, cameras: Mapping[str, str] | None = None
) -> FastAPI:
    """The service.

    Args:
        pipeline: what reads; by default the one of the library.
        limits: by default those of the environment.
        cameras: addresses by name; by default those of the environment.
    """
    limits = Limits.of_environment() if limits is None else limits
    cameras = cameras_of_environment() if cameras is None else cameras
    metrics = Metrics()
    reader = Reader(Pipeline.build() if pipeline is None else pipeline, limits, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        work = asyncio.create_task(reader.run())
        yield
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work

    app = FastAPI(title="platereader", version="1", lifespan=lifespan)
    MultiPartParser.spool_max_size = limits.body_bytes  # uploads go into temporary files from 1 MiB on otherwise
    app.add_middleware(RequestLimits, limits=limits, refused=lambda code: metrics.refused.labels(code).inc())
    _add_reading(app, reader, limits)
    _add_cameras(app, reader.pipeline, cameras, places=limits.streams)
    _add_health(app, reader, metrics)
    return app


def _add_reading(app: FastAPI, reader: Reader, limits: Limits) -> None:
    @app.post("/read", responses=_REFUSALS)
    async def read(files: Annotated[list[UploadFile], File()]) -> list[dict[str, Any]]:
        """The plates of each picture, in the order of the pictures."""
        if len(files) > limits.pictures:
            raise HTTPException(413, f"{len(files)} pictures: at most {limits.pictures} in a request")
        try:
            return await _read(reader, files, limits)
        except BusyError as error:
            raise HTTPException(503, str(error), {"Retry-After": "1"}) from error
        except (InvalidImageError, MediaFileError) as error:
            raise HTTPException(415, str(error)) from error


def _add_cameras(app: FastAPI, pipeline: Pipeline, cameras: Mapping[str, str], *, places: int) -> None:
    streams = asyncio.Semaphore(places)

    @app.get("/cameras/{name}", response_class=StreamingResponse, responses=_OF_CAMERAS)
    async def follow(name: str) -> StreamingResponse:
        """Server-sent events: ``passage`` for each vehicle that has passed, ``failed`` when the camera is lost."""
        if name not in cameras:
            raise HTTPException(404, f"no camera is called so; known are {sorted(cameras)}")
        if streams.locked():
            raise HTTPException(503, f"{places} streams are open already", {"Retry-After": "60"})
        events = passages(pipeline, cameras[name], streams)
        return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _add_health(app: FastAPI, reader: Reader, metrics: Metrics) -> None:
    @app.get("/healthz", responses={503: {"description": "nothing is read any more"}})
    async def healthz() -> dict[str, str]:
        if not reader.alive:
            raise HTTPException(503, "nothing is read any more: restart the service")
        return {"status": "ok"}

    @app.get("/metrics", response_class=PlainTextResponse)
    async def show_metrics() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _read(reader: Reader, files: list[UploadFile], limits: Limits) -> list[dict[str, Any]]:
    """Decode the pictures, once there is room for them, and have them read."""
    pictures = [(file.filename or f"picture {index}", await file.read()) for index, file in enumerate(files)]
    total = 0
    for name, data in pictures:
        pixels = await asyncio.to_thread(picture_pixels, data)  # a header may be long
        if pixels is None:
            raise HTTPException(415, f"{name} is no picture of a kind that is understood")
        if pixels > limits.pixels:
            raise HTTPException(413, f"{name} has {pixels} pixels: at most {limits.pixels}")
        total += pixels
    if total > limits.waiting_pixels:
        raise HTTPException(413, f"{total} pixels in all: at most {limits.waiting_pixels}")
    with reader.room(total):
        frames = [await asyncio.to_thread(decode_image, data, path=name) for name, data in pictures]
        found = await reader.read(frames)
    pairs = zip(pictures, found, strict=True)
    return [{"file": name, "readings": [reading.to_dict() for reading in readings]} for (name, _), readings in pairs]
