"""The live page over HTTP: on 127.0.0.1, only for those who have the address of this run.

Plates are personal data. So the address holds a key that is new in each run, requests for another host's name are
refused (a foreign page may point its own name at 127.0.0.1), and so are actions that come from another page.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from threading import Event, Thread
from types import TracebackType
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from typing_extensions import Self

from platereader.cli.watch.live_state import LiveState
from platereader.errors import InvalidArgumentError

ADDRESS = "127.0.0.1"

_NAMES = frozenset({ADDRESS, "localhost", "[::1]"})
_FRAME_WAIT_S = 5.0
_IDLE_S = 30.0  # an open connection without requests
_OPEN_PAGE_S = 3.0  # a page that requested the state within this time is open
_POLICY = (
    "default-src 'none'; img-src 'self' blob: data:; connect-src 'self'; style-src 'nonce-{nonce}'; "
    "script-src 'nonce-{nonce}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class LivePage:
    """Serves a live state while it is open; use it in a ``with`` statement.

    Args:
        state: what to show.
        on_stop: called, in another thread, when the page's stop button is pressed.
        port: of ``ADDRESS``; 0 takes a free one.

    Raises:
        InvalidArgumentError: the port is taken, or may not be used.
    """

    def __init__(self, state: LiveState, *, on_stop: Callable[[], None], port: int = 0) -> None:
        self.state = state
        self._key = secrets.token_urlsafe(16)
        self._on_stop = on_stop
        self._last_request_s = float("-inf")
        self._end_delivered = Event()
        try:
            self._server = _Server((ADDRESS, port), self)
        except (OSError, OverflowError) as error:
            raise InvalidArgumentError(
                f"port is {port}, which cannot be used ({error}): name another, or none for a free one."
            ) from error
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), name="platereader-page", daemon=True)

    @property
    def url(self) -> str:
        """What to open in a browser; whoever has it can see the page."""
        return f"http://{ADDRESS}:{self._server.server_address[1]}/{self._key}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_until_delivered(self, timeout_s: float) -> None:
        """Give an open page the time to fetch the last state; returns at once when none is open."""
        if time.monotonic() - self._last_request_s < _OPEN_PAGE_S:
            self._end_delivered.wait(timeout_s)

    def get(self, path: str, query: dict[str, list[str]]) -> _Response | None:
        """The response to a GET of a path below the key; None when there is none."""
        if path == "":
            return _page()
        if path == "state":
            self._last_request_s = time.monotonic()
            return _Response("application/json", json.dumps(self.state.snapshot()).encode())
        if path == "frame":
            return self._frame(_parse_number(query.get("after")))
        if path.startswith("crop/") and (passage_id := _parse_number([path[5:]])) is not None:
            crop = self.state.crop_jpeg(passage_id)
            return None if crop is None else _Response("image/jpeg", crop)
        return None

    def post(self, path: str) -> bool:
        """Do what a button of the page requests; returns whether there is such a button."""
        if path in {"pause", "resume"}:
            self.state.paused = path == "pause"
        elif path == "stop":
            self._on_stop()
        elif path == "seen":
            self._end_delivered.set()
        else:
            return False
        return True

    def is_key(self, word: str) -> bool:
        """Whether this is the key of this run."""
        return secrets.compare_digest(word.encode(), self._key.encode())

    def _frame(self, after: int | None) -> _Response:
        frame = self.state.frame_jpeg(after or 0, timeout_s=_FRAME_WAIT_S)
        if frame is None:
            return _Response("text/plain", b"", status=HTTPStatus.NO_CONTENT)
        return _Response("image/jpeg", frame[1], headers={"X-Frame": str(frame[0])})


@dataclass(frozen=True, slots=True)
class _Response:
    """What is sent back."""

    kind: str
    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class _Server(ThreadingHTTPServer):
    allow_reuse_address = sys.platform != "win32"  # there, it would share the port with another program

    def __init__(self, address: tuple[str, int], page: LivePage) -> None:
        self.page = page
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is no error."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S

    @property
    def _page(self) -> LivePage:
        return cast(_Server, self.server).page

    def do_GET(self) -> None:
        if (path := self._allowed_path()) is None:
            return
        response = self._page.get(path, parse_qs(urlsplit(self.path).query))
        self._send(response or _error(HTTPStatus.NOT_FOUND, "There is nothing here."))

    def do_POST(self) -> None:
        if (path := self._allowed_path()) is None:
            return
        origin = self.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != self.headers.get("Host"):
            self._send(_error(HTTPStatus.FORBIDDEN, "This comes from another page."))
        elif self._page.post(path):
            self._send(_Response("text/plain", b"", status=HTTPStatus.NO_CONTENT))
        else:
            self._send(_error(HTTPStatus.NOT_FOUND, "There is no such action."))

    def _allowed_path(self) -> str | None:
        """The path below the key; None after an error was sent."""
        host = self.headers.get("Host", "").rpartition(":")
        key, slash, path = urlsplit(self.path).path[1:].partition("/")
        if (host[0] or host[2]) not in _NAMES:
            self._send(_error(HTTPStatus.FORBIDDEN, f"Open this page as http://{ADDRESS}, not by another name."))
        elif not (slash and self._page.is_key(key)):
            self._send(_error(HTTPStatus.FORBIDDEN, "Open the whole address that platereader has printed."))
        else:
            return path
        return None

    def _send(self, response: _Response) -> None:
        self.send_response(response.status)
        headers = {
            "Content-Type": response.kind,
            "Content-Length": str(len(response.body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        if response.status == HTTPStatus.NO_CONTENT:
            del headers["Content-Length"]
        if self.command == "POST":
            headers["Connection"] = "close"  # a body, if there was one, has not been read
        for name, value in {**headers, **response.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # as http.server calls it
        """Requests are not logged: their addresses hold the key."""


def _page() -> _Response:
    """The one file of the page; its style and script run by a nonce, and nothing else does."""
    nonce = secrets.token_urlsafe(16)
    html = resources.files("platereader.cli.watch").joinpath("page.html").read_text(encoding="utf-8")
    headers = {"Content-Security-Policy": _POLICY.format(nonce=nonce)}
    return _Response("text/html; charset=utf-8", html.replace("{nonce}", nonce).encode(), headers=headers)


def _error(status: HTTPStatus, text: str) -> _Response:
    return _Response("text/plain; charset=utf-8", f"{text}\n".encode(), status=status)


def _parse_number(words: list[str] | None) -> int | None:
    """The number that a request names, or None when it names none."""
    word = words[0] if words else ""
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 16 else None
