"""Whatever is sent to the live page: it answers or hangs up, and tells nothing to those without the key."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import suppress

import pytest
from hypothesis import assume, example, given

from fuzz.strategies import cases, changed
from platereader.cli.watch.live_state import LiveState
from platereader.cli.watch.server import LivePage, _Handler

SEEDS = [
    b"GET /KEY/state?tab=1 HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n",
    b"GET /KEY/ HTTP/1.1\r\nHost: localhost\r\n\r\nGET /KEY/crop/1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /KEY/pause HTTP/1.1\r\nHost: [::1]\r\nOrigin: http://[::1]\r\nContent-Length: 3\r\n\r\nabc",
    b"GET /KEY/end HTTP/1.0\r\nHost: localhost\r\n\r\n",
]
WORDS = [b"http://[x", b"\r\n", b"\r\n\r\n", b"Host: b", b"%00", b"?", b"\xff", b"HTTP/9.9", b"KEY", b"A" * 70_000]


@pytest.fixture(scope="module")
def page() -> Generator[LivePage]:
    """The page of a run that has ended, so that nothing is waited for."""
    state = LiveState()
    state.stop()
    with LivePage(state, on_stop=lambda: None) as opened:
        yield opened


def answer(page: LivePage, request: bytes) -> bytes:
    """What comes back for a connection that sends this and nothing more."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.shutdown(socket.SHUT_WR)
        theirs.settimeout(10)
        with suppress(OSError):
            _Handler(ours, request, page=page)
        ours.close()
        received = b""
        while part := theirs.recv(1 << 20):
            received += part
        return received


@cases(0.5)
@given(request=changed(SEEDS, words=WORDS))
@example(request=b"GET http://[x/KEY/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
def test_any_request_is_answered_or_dropped(page: LivePage, request: bytes) -> None:
    whole = request.replace(b"KEY", page.url.split("/")[3].encode())
    assume(b"\r\n\r\n" in whole)
    assert page._shows_key(whole) in {True, False}
    answer(page, whole)


@cases(0.5)
@given(request=changed(SEEDS, words=WORDS))
def test_without_the_key_nothing_is_told(page: LivePage, request: bytes) -> None:
    assume(b"\r\n\r\n" in request)
    assert not page._shows_key(request)
    received = answer(page, request)
    assert b" 200 " not in received
    assert page.url.split("/")[3].encode() not in received
