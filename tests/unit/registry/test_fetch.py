"""Downloads from a server that does everything wrong: nothing half-done is ever left behind."""

from __future__ import annotations

import hashlib
import http.server
import io
import os
import socket
import struct
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPMessage
from pathlib import Path
from typing import cast

import pytest

from platereader.errors import WeightsError, WeightsFetchError
from platereader.registry import Registry, WeightEntry
from platereader.registry import _fetch as fetch
from platereader.registry._fetch import download

DATA = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(DATA).hexdigest()


BODIES: dict[str, tuple[bytes, int | None]] = {  # what is sent, and how long it is said to be
    "good": (DATA, len(DATA)),
    "good-without-length": (DATA, None),
    "truncated": (DATA[:1000], len(DATA)),
    "truncated-without-length": (DATA[:1000], None),
    "wrong": (DATA[::-1], len(DATA)),
    "longer": (DATA + b"more", len(DATA) + 4),
    "empty": (b"", 0),
}
PLACES = {
    "moved": "/good/finder.safetensors",
    "to-file": "file:///etc/hostname",
    "to-ftp": "ftp://127.0.0.1/finder.safetensors",
    "in-circles": "/in-circles/finder.safetensors",
}
GOOD = ["good", "good-without-length", "moved"]


class Misbehaving(http.server.BaseHTTPRequestHandler):
    """Each first part of the path is one kind of server."""

    def do_GET(self) -> None:
        cast(Server, self.server).requests.append(self.path)
        kind = self.path.split("/")[1]
        if kind in BODIES:
            self.send(*BODIES[kind])
        elif kind in PLACES:
            self.redirect(PLACES[kind])
        elif kind.startswith("hops-"):
            left = int(kind.removeprefix("hops-")) - 1
            self.redirect(f"/hops-{left}/finder.safetensors" if left else PLACES["moved"])
        else:
            getattr(self, kind.replace("-", "_"))()

    def send(self, data: bytes, length: int | None) -> None:
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(data)

    def redirect(self, location: str) -> None:
        self.send_response(302)
        self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def endless(self) -> None:
        self.send(DATA, None)
        for _ in range(100):  # far more than a client may take in, and still an end for one that takes all
            self.wfile.write(DATA)

    def missing(self) -> None:
        self.send_error(404)

    def broken(self) -> None:
        self.send_error(500)

    def dies(self) -> None:
        self.send(DATA[:1000], len(DATA))
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RDWR)

    def silent(self) -> None:
        self.send(DATA[:1000], len(DATA))
        self.wfile.flush()
        cast(Server, self.server).released.wait(5)

    def drips(self) -> None:
        self.send(b"", len(DATA))
        self.drip()

    def drips_headers(self) -> None:
        self.send_response(200)
        self.flush_headers()
        self.drip()

    def drip(self) -> None:
        for _ in range(250):  # seconds longer than a client may wait, and still an end for one that does
            if cast(Server, self.server).released.wait(0.02):
                return
            self.wfile.write(b"x")

    def rude(self) -> None:
        self.send_response(500, "\x1b[2J\x07gone")
        self.end_headers()

    def garbage(self) -> None:
        self.wfile.write(b"\x00\x01 not http at all\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


class Server(http.server.ThreadingHTTPServer):
    """Remembers what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Misbehaving)
        self.requests: list[str] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error here."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.released.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    entry = WeightEntry(
        "finder", "finder.safetensors", "detector", "fp32", "safetensors", SHA256, len(DATA), "AGPL-3.0-or-later"
    )
    return Registry((entry,), (tmp_path / "cache",), tmp_path / "cache")


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_answer_is_kept(server: Server, registry: Registry, kind: str) -> None:
    pieces: list[int] = []
    (file,) = registry.fetch("finder", base_url=f"{server.url}/{kind}/", progress=pieces.append)
    assert file == registry.resolve("finder")
    assert file.data == DATA
    assert sum(pieces) == len(DATA)
    assert [path.name for path in registry.cache.iterdir()] == ["finder.safetensors"]


@pytest.mark.parametrize(
    "kind", sorted({*BODIES, *PLACES, "endless", "missing", "broken", "dies", "garbage"} - {*GOOD})
)
def test_a_bad_answer_leaves_nothing(server: Server, registry: Registry, kind: str) -> None:
    for before in (dict[str, bytes](), {"finder.safetensors": b"damaged"}):
        for name, data in before.items():
            (registry.cache / name).write_bytes(data)
        with pytest.raises(WeightsFetchError, match=r"127\.0\.0\.1"):
            registry.fetch("finder", base_url=f"{server.url}/{kind}")
        assert {path.name: path.read_bytes() for path in registry.cache.iterdir()} == before


def test_no_more_is_taken_in_than_one_piece_beyond_the_size(server: Server, registry: Registry) -> None:
    pieces: list[int] = []
    with pytest.raises(WeightsFetchError, match=f"more than {len(DATA)}"):
        registry.fetch("finder", base_url=f"{server.url}/endless", progress=pieces.append)
    assert sum(pieces) <= len(DATA) + max(pieces) < 2 * len(DATA)


@pytest.mark.parametrize("kind", ["to-file", "to-ftp"])
def test_redirects_to_other_places_are_refused_before_they_are_asked(
    server: Server, registry: Registry, kind: str
) -> None:
    with pytest.raises(WeightsFetchError, match=r"which is refused|is not allowed"):
        registry.fetch("finder", base_url=f"{server.url}/{kind}")


def test_five_redirects_are_followed_and_no_more(server: Server, registry: Registry) -> None:
    with pytest.raises(WeightsFetchError):
        registry.fetch("finder", base_url=f"{server.url}/hops-6")
    assert registry.fetch("finder", base_url=f"{server.url}/hops-5")[0].data == DATA


def test_an_encrypted_connection_is_never_left_for_a_plain_one() -> None:
    request = urllib.request.Request("https://models.example/finder.safetensors")
    with pytest.raises(WeightsFetchError, match="which is refused"):
        fetch._SafeRedirects().redirect_request(  # pyright: ignore[reportPrivateUsage]
            request, io.BytesIO(), 302, "Found", HTTPMessage(), "http://models.example/finder.safetensors"
        )


def test_a_damaged_file_is_replaced(server: Server, registry: Registry) -> None:
    registry.cache.mkdir()
    (registry.cache / "finder.safetensors").write_bytes(DATA[:-1])
    assert registry.fetch("finder", base_url=f"{server.url}/good")[0].data == DATA


def test_a_good_file_is_not_fetched_again(server: Server, registry: Registry) -> None:
    for _ in range(2):
        registry.fetch("finder", base_url=f"{server.url}/good")
    assert registry.fetch("finder")[0].data == DATA  # for which no address is needed
    assert server.requests == ["/good/finder.safetensors"]


def test_with_a_detector_comes_its_refiner(server: Server, registry: Registry) -> None:
    (finder,) = registry.entries
    refiner = replace(finder, model="second", file="second.safetensors", kind="refiner")
    pair = replace(registry, entries=(replace(finder, settings={"refiner": "second"}), refiner))
    assert [file.name for file in pair.fetch("finder", base_url=f"{server.url}/good")] == ["finder", "second"]
    assert server.requests == ["/good/finder.safetensors", "/good/second.safetensors"]


def test_resolving_never_asks_a_server(server: Server, registry: Registry) -> None:
    registry.fetch("finder", base_url=f"{server.url}/good")
    server.requests.clear()
    registry.resolve("finder")
    registry.verify()
    assert server.requests == []


def test_a_silent_server_is_given_up(server: Server, tmp_path: Path) -> None:
    url = f"{server.url}/silent/finder.safetensors"
    with pytest.raises(WeightsFetchError, match="time"):
        download(url, target=tmp_path / "a" / "b", sha256=SHA256, size_bytes=len(DATA), timeout_s=0.2)
    assert list((tmp_path / "a").iterdir()) == []


def test_nobody_answers(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(WeightsFetchError, match="refused"):
            registry.fetch("finder", base_url=f"http://127.0.0.1:{unused.getsockname()[1]}")


@pytest.mark.parametrize(
    "url", ["file:///etc", "ftp://127.0.0.1", "data:,x", "models", "", "http://", "https://[", "http://a b"]
)
def test_addresses_that_are_not_fetched(registry: Registry, url: str) -> None:
    with pytest.raises(WeightsFetchError):
        registry.fetch("finder", base_url=url)


def test_a_folder_that_cannot_be_made(server: Server, registry: Registry) -> None:
    registry.cache.write_bytes(b"a file where the folder should be")
    with pytest.raises(WeightsFetchError, match="folder"):
        registry.fetch("finder", base_url=f"{server.url}/good")
    assert server.requests == []


@pytest.mark.parametrize("kind", ["drips", "drips-headers"])
def test_server_that_sends_a_byte_now_and_then_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(fetch, "_SLOWEST_BYTES_PER_S", 1e9)
    start_s = time.monotonic()
    with pytest.raises(WeightsFetchError, match="has not sent the whole file after"):
        download(
            f"{server.url}/{kind}/a", target=tmp_path / "a" / "b", sha256=SHA256, size_bytes=len(DATA), timeout_s=0.5
        )
    assert time.monotonic() - start_s < 5
    assert list((tmp_path / "a").iterdir()) == []
    if kind == "drips":  # the thread that receives ends with the next byte
        while any(thread.name == "platereader fetch" for thread in threading.enumerate()):
            assert time.monotonic() - start_s < 10
            time.sleep(0.02)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:SECRET@models.example/a",
        "http://SECRET@models.example",
        "https://user:SECRET/more@models.example/a",
        "htps://user:SECRET@models.example",
        "https:user:SECRET@models.example",
        "https:/user:SECRET@models.example",
        "user:SECRET@models.example",
        "https://user:SECRET",
    ],
)
def test_passwords_are_neither_sent_nor_printed(registry: Registry, url: str) -> None:
    with pytest.raises(WeightsFetchError) as caught:
        registry.fetch("finder", base_url=url)
    assert "SECRET" not in str(caught.value)


def test_place_is_printed_and_a_query_is_not(server: Server, tmp_path: Path) -> None:
    path = "/missing/models@v1/a"
    with pytest.raises(WeightsFetchError, match=rf"127\.0\.0\.1:\d+{path}: the server answers 404") as caught:
        download(f"{server.url}{path}?token=SECRET", target=tmp_path / "b", sha256=SHA256, size_bytes=len(DATA))
    assert "SECRET" not in str(caught.value)
    assert server.requests == [f"{path}?token=SECRET"]


def test_answer_of_the_server_is_printed_without_escapes(server: Server, registry: Registry) -> None:
    with pytest.raises(WeightsFetchError, match="answers 500") as caught:
        registry.fetch("finder", base_url=f"{server.url}/rude")
    assert str(caught.value).isprintable()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders")
def test_pipe_in_the_place_of_the_file_does_not_hang(server: Server, registry: Registry) -> None:
    registry.cache.mkdir()
    os.mkfifo(registry.cache / "finder.safetensors")
    with pytest.raises(WeightsFetchError, match="no regular file"):
        registry.fetch("finder", base_url=f"{server.url}/good")
    with pytest.raises(WeightsError):
        registry.resolve("finder")
