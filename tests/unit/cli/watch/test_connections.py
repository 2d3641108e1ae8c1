"""Connections that nobody has admitted: floods, slow and silent ones, and requests that are none."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from platereader.cli.watch import connections
from platereader.cli.watch.live_state import LiveState
from platereader.cli.watch.server import LivePage

resource = pytest.importorskip("resource", reason="needs a system with limits like those of Unix")

# A run of `watch` with few descriptors, which needs one for the picture of each passage; and how many threads it had.
FEW_DESCRIPTORS = """
import json, resource, sys, threading, time
import platereader.cli.watch.command
import platereader.media._opening
from captures import ScriptedCapture
from fakes import frame_with, patch_pipeline
from platereader import Box
from platereader.cli import main
from platereader.media._camera import LiveFeed

threads = []

class Standing(ScriptedCapture):
    def read(self):
        time.sleep(0.02)
        threads.append(threading.active_count())
        open("/dev/null").close()
        return frame_with({50: Box(40, 60, 120, 80)})

platereader.media._opening.open_source = lambda word, **_: LiveFeed(
    Standing([]), name=word, reopen=lambda: None, notify=print
)
platereader.cli.watch.command.build_pipeline = lambda _: patch_pipeline()
resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96))
status = main(["watch", "gate", "--view", "--csv", "--save-crops", sys.argv[1]])
print(json.dumps({"status": status, "threads": max(threads)}))
"""


@pytest.fixture(autouse=True)
def no_wait_for_tabs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody here is a page that says when it shows the end."""
    monkeypatch.setattr("platereader.cli.watch.server._LAST_REQUEST_S", 0.0)


@contextmanager
def page() -> Generator[LivePage, None, None]:
    """A page without frames."""
    with LivePage(LiveState(), on_stop=lambda: None) as opened:
        yield opened


def connected(url: str, sent: bytes = b"") -> socket.socket:
    """A connection that has sent something."""
    address = urlsplit(url)
    assert address.port is not None
    connection = socket.create_connection((address.hostname, address.port), timeout=10)
    connection.sendall(sent)
    return connection


def answer_to(url: str, sent: bytes) -> bytes:
    """All that comes back before the connection is closed."""
    with connected(url, sent) as connection:
        try:
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except ConnectionResetError:
            return b""


def status_of(url: str) -> int:
    with urlopen(url, timeout=10) as response:  # noqa: S310 # of this machine
        return int(response.status)


def test_a_run_with_few_descriptors_survives_3500_connections(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip(f"needs 3,500 descriptors of its own, may have {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    command = [sys.executable, "-c", FEW_DESCRIPTORS, str(tmp_path)]
    tests = Path(__file__).parents[3]
    with (
        ExitStack() as flood,
        subprocess.Popen(
            command, cwd=tests, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as run,
    ):
        assert run.stderr is not None
        try:
            url = run.stderr.readline().rsplit(" ", 1)[1].strip()
            for _ in range(3500):
                flood.enter_context(connected(url))
            assert status_of(f"{url}state") == 200
            assert run.poll() is None
            urlopen(Request(f"{url}stop", method="POST"), timeout=10).close()  # noqa: S310 # of this machine
            printed, errors = run.communicate(timeout=20)
        finally:
            run.kill()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    *rows, last = printed.splitlines()
    assert json.loads(last)["status"] == 0, errors
    assert json.loads(last)["threads"] < 10
    assert any("A123BC77" in row for row in rows)
    assert list(tmp_path.glob("*.png")) != []
    assert "Traceback" not in errors


def test_strangers_get_no_threads_and_the_oldest_give_way() -> None:
    with page() as opened, ExitStack() as flood:
        before = threading.active_count()
        first, *_, last = [flood.enter_context(connected(opened.url)) for _ in range(2 * connections.MAX_STRANGERS)]
        assert status_of(f"{opened.url}state") == 200
        first.settimeout(1.0)
        assert first.recv(1) == b"", "the oldest one is still open"
        last.settimeout(0.05)
        with pytest.raises(TimeoutError):
            last.recv(1)
        assert threading.active_count() <= before + 1


def test_known_connections_have_places_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_KNOWN", 2)
    with page() as opened, ExitStack() as tabs:
        request = f"GET {urlsplit(opened.url).path}state HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        for _ in range(2):
            assert tabs.enter_context(connected(opened.url, request)).recv(12) == b"HTTP/1.1 200"
        assert answer_to(opened.url, request).startswith(b"HTTP/1.1 503")


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nA: b\r\n"])
def test_who_sends_no_whole_request_is_cut_off(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_FIRST_REQUEST_S", 0.1)
    with page() as opened:
        assert answer_to(opened.url, sent) == b""


def test_a_drop_at_a_time_buys_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_FIRST_REQUEST_S", 0.3)
    with page() as opened, connected(opened.url) as connection:
        end_s = time.monotonic() + 10
        with suppress(ConnectionResetError, BrokenPipeError):
            while time.monotonic() < end_s:
                connection.sendall(b"a")
                time.sleep(0.02)
        assert time.monotonic() < end_s, "it is still open"


def test_a_known_connection_is_cut_off_when_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_IDLE_S", 0.1)
    with page() as opened:
        request = f"GET {urlsplit(opened.url).path}state HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        assert answer_to(opened.url, request + b"GET ").count(b"HTTP/1.1 200") == 1


HOSTILE = [
    b"\r\n\r\n",
    b"GET http://[x HTTP/1.1\r\n\r\n",
    b"GET http://[x{key} HTTP/1.1\r\nHost: [x\r\n\r\n",
    b"GET {key}state\r\n\r\n",
    b"GET {key}state HTTP/9.9\r\n\r\n",
    b"GET {key}state HTTP/1.\xd9\xa1\r\n\r\n",
    b"GET {key}state?after=%ff&tab=\xff%00 HTTP/1.0\r\nHost: localhost\r\n\r\n",
    b"GET {key}frame?after=-1;;&&=%zz HTTP/1.0\r\nHost: [x\r\n\r\n",
    b"GET {key}crop/\xd9\xa1 HTTP/1.0\r\nHost: localhost\r\n\r\n",
    b"GET {key}crop/99999999999999999999 HTTP/1.0\r\nHost: localhost\r\n\r\n",
    b"BREW {key} HTTP/1.0\r\nHost: localhost\r\n\r\n",
    b"POST {key}stop HTTP/1.0\r\nHost: localhost\r\nOrigin: http://[x\r\n\r\n",
    b"POST {key}stop HTTP/1.0\r\nHost: localhost\r\nOrigin: https://localhost\r\n\r\n",
    b"POST {key}stop HTTP/1.0\r\nHost: localhost\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\r\n",
    b"GET {key} HTTP/1.0\r\n" + 200 * b"A: b\r\n" + b"\r\n",
    b"GET {key} HTTP/1.0\r\nA: " + 30_000 * b"b" + b"\r\n\r\n",
    b"GET {key} HTTP/1.0\r\n: \r\n\x00\xff\r\nExpect: 100-continue\r\n\r\n",
    40_000 * b"a",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) + b"\r\n\r\n",
]


def test_requests_that_are_none_do_nothing(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_FIRST_REQUEST_S", 60.0)
    stops: list[str] = []
    with LivePage(LiveState(), on_stop=lambda: stops.append("stop")) as opened:
        path = urlsplit(opened.url).path.encode()
        for sent in HOSTILE:
            answer = answer_to(
                opened.url, sent.replace(b"{key}", path).replace(b"HTTP/1.1\r\n\r\n", b"HTTP/1.0\r\n\r\n")
            )
            assert b" 500 " not in answer, sent
        assert status_of(f"{opened.url}state") == 200
    assert stops == []
    assert capfd.readouterr() == ("", "")


def test_without_a_free_descriptor_the_port_is_not_polled_in_a_circle(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []
    accept = connections.Connections._accept

    def counted(self: connections.Connections) -> None:
        tries.append(1)
        accept(self)

    monkeypatch.setattr(connections.Connections, "_accept", counted)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with page() as opened, socket.socket() as waiting, ExitStack() as files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
        try:
            with suppress(OSError):
                while True:
                    files.enter_context(Path(os.devnull).open())
            address = urlsplit(opened.url)
            waiting.connect((address.hostname, address.port))
            time.sleep(0.4)
            assert 1 <= len(tries) < 8
        finally:
            files.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert status_of(f"{opened.url}state") == 200


def test_closing_ends_all_connections_and_threads() -> None:
    before = threading.active_count()
    with page() as opened, connected(opened.url) as stranger:
        request = f"GET {urlsplit(opened.url).path}state HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        tab = connected(opened.url, request)
        assert tab.recv(12) == b"HTTP/1.1 200"
        opened.__exit__(None, None, None)
        assert stranger.recv(1) == b""
        assert b"" in iter(lambda: tab.recv(65536), None)
        tab.close()
        assert threading.active_count() == before


def no_thread(self: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_a_thread_that_cannot_start_refuses_one_browser_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    with LivePage(LiveState(), on_stop=lambda: None) as page:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", no_thread)
            with pytest.raises(HTTPError, match="503"):
                urlopen(page.url, timeout=5)  # noqa: S310 - our own address
        with urlopen(page.url, timeout=5) as answer:  # noqa: S310 - our own address
            assert answer.status == 200
