"""The live page over HTTP: on 127.0.0.1, only for those who have the address of this run.

Plates are personal data. So the address holds a key that is new in each run, requests for another host's name are
refused (a foreign page may point its own name at 127.0.0.1), and so are actions that come from another page.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from importlib import resources
from socket import socket
from threading import Condition
from urllib.parse import parse_qs

from typing_extensions import Self

from platereader.cli.language import Language
from platereader.cli.watch.connections import Connections, RequestHandler
from platereader.cli.watch.live_state import LiveState
from platereader.errors import InvalidArgumentError

ADDRESS = "127.0.0.1"

_NAMES = frozenset({ADDRESS, "localhost", "[::1]"})
_FRAME_WAIT_S = 5.0
_OPEN_TAB_S = 3.0  # a tab that requested something within this time is open
_END_WAIT_S = 2.0  # less than that, so that a tab which waits for the end counts as open
_LAST_REQUEST_S = 1.0  # for open tabs, when a run breaks off
_MAX_TABS = 100
_LAST_PORT = 65_535
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
        language: of what people read on it.

    Raises:
        InvalidArgumentError: the port is taken, or may not be used.
    """

    def __init__(
        self, state: LiveState, *, on_stop: Callable[[], None], port: int = 0, language: Language | None = None
    ) -> None:
        self.state = state
        self.language: Language = language or Language()
        self._key = secrets.token_urlsafe(16)
        self._on_stop = on_stop
        self._tabs: dict[str, float] = {}  # time of the last request of each that does not show the end yet
        self._tabs_changed = Condition()
        try:
            if not 0 <= port <= _LAST_PORT:
                raise OSError(f"ports are 0 to {_LAST_PORT}")
            self._connections = Connections(
                (ADDRESS, port),
                is_known=self._shows_key,
                serve=partial(_Handler, page=self),
                translate=self.language,
            )
        except OSError as error:
            reason = error.strerror or error
            raise InvalidArgumentError(
                f"port is {port}, which cannot be used ({reason}): name another, or none for a free one."
            ) from error

    @property
    def url(self) -> str:
        """What to open in a browser; whoever has it can see the page."""
        return f"http://{ADDRESS}:{self._connections.port}/{self._key}/"

    def __enter__(self) -> Self:
        self._connections.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.state.stop():
            self.wait_until_delivered(_LAST_REQUEST_S)
        self._connections.close()

    def wait_until_delivered(self, timeout_s: float) -> None:
        """Give all open tabs the time to show the last state; returns at once when none is open."""
        with self._tabs_changed:
            self._tabs_changed.wait_for(lambda: not self._has_open_tab(), timeout_s)

    def get(self, path: str, query: dict[str, list[str]]) -> _Response | None:
        """The response to a GET of a path below the key; None when there is none."""
        if path == "":
            return _page(self.language)
        if path in {"state", "end"}:
            self._note_tab(query)
            if path == "end" and not self.state.wait_until_stopped(_END_WAIT_S):
                return _NOTHING
            return _Response("application/json", json.dumps(self.state.snapshot(self.language)).encode())
        if path == "frame":
            return self._frame(_parse_number(query.get("after")))
        if path.startswith("crop/") and (plate_id := _parse_number([path[5:]])) is not None:
            crop = self.state.crop_jpeg(plate_id)
            return None if crop is None else _Response("image/jpeg", crop)
        return None

    def post(self, path: str, query: dict[str, list[str]]) -> bool:
        """Do what a button of the page requests; returns whether there is such a button."""
        if path in {"pause", "resume"}:
            self.state.paused = path == "pause"
        elif path == "stop":
            self._on_stop()
        elif path == "seen":
            with self._tabs_changed:
                self._tabs.pop(_tab(query), None)
                self._tabs_changed.notify_all()
        else:
            return False
        return True

    def is_key(self, word: str) -> bool:
        """Whether this is the key of this run."""
        return secrets.compare_digest(word.encode(), self._key.encode())

    def _shows_key(self, head: bytes) -> bool:
        target = head.decode("latin-1").partition("\r\n")[0].partition(" ")[2]
        return self.is_key(target.lstrip("/").partition("/")[0])

    def _note_tab(self, query: dict[str, list[str]]) -> None:
        with self._tabs_changed:
            self._tabs.pop(_tab(query), None)
            self._tabs[_tab(query)] = time.monotonic()
            if len(self._tabs) > _MAX_TABS:
                del self._tabs[next(iter(self._tabs))]

    def _has_open_tab(self) -> bool:
        return any(time.monotonic() - seen_s < _OPEN_TAB_S for seen_s in self._tabs.values())

    def _frame(self, after: int | None) -> _Response:
        frame = self.state.frame_jpeg(after or 0, timeout_s=_FRAME_WAIT_S)
        if frame is None:
            return _NOTHING
        return _Response("image/jpeg", frame[1], headers={"X-Frame": str(frame[0])})


@dataclass(frozen=True, slots=True)
class _Response:
    kind: str
    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


_NOTHING = _Response("text/plain", b"", status=HTTPStatus.NO_CONTENT)


class _Handler(RequestHandler):
    def __init__(self, connection: socket, received: bytes, *, page: LivePage) -> None:
        self._page = page
        super().__init__(connection, received)

    def do_GET(self) -> None:  # noqa: N802 # as http.server calls it
        if (path := self._allowed_path()) is None:
            return
        response = self._page.get(path, self._query())
        self._send(response or self._error(HTTPStatus.NOT_FOUND, "There is nothing here."))

    def do_POST(self) -> None:  # noqa: N802
        if (path := self._allowed_path()) is None:
            return
        origin = self.headers.get("Origin")
        if origin is not None and origin != f"http://{self.headers.get('Host')}":
            self._send(self._error(HTTPStatus.FORBIDDEN, "This comes from another page."))
        elif self._page.post(path, self._query()):
            self._send(_NOTHING)
        else:
            self._send(self._error(HTTPStatus.NOT_FOUND, "There is no such action."))

    def _allowed_path(self) -> str | None:
        """The path below the key; None after an error was sent."""
        host = self.headers.get("Host", "").rpartition(":")
        key, slash, path = self.path.partition("?")[0][1:].partition("/")
        if (host[0] or host[2]) not in _NAMES:
            self._send(self._error(HTTPStatus.FORBIDDEN, f"Open this page as http://{ADDRESS}, not by another name."))
        elif not (slash and self._page.is_key(key)):
            self._send(self._error(HTTPStatus.FORBIDDEN, "Open the whole address that platereader has printed."))
        else:
            return path
        return None

    def _query(self) -> dict[str, list[str]]:
        return parse_qs(self.path.partition("?")[2])

    def _error(self, status: HTTPStatus, text: str) -> _Response:
        return _Response("text/plain; charset=utf-8", f"{self._page.language(text)}\n".encode(), status=status)

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
        if self.command == "POST" or response.status >= HTTPStatus.BAD_REQUEST:
            headers["Connection"] = "close"  # a body, if there was one, has not been read
        for name, value in {**headers, **response.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)


def _page(language: Language) -> _Response:
    """The one file of the page, with its words; its style and script run by a nonce, and nothing else does."""
    nonce = secrets.token_urlsafe(16)
    html = resources.files("platereader.cli.watch").joinpath("page.html").read_text(encoding="utf-8")
    words = json.dumps(language.page_words(), ensure_ascii=False).replace("<", "\\u003c")
    for field_name, value in (("{nonce}", nonce), ("{lang}", language.code), ("{words}", words)):
        html = html.replace(field_name, value)
    headers = {"Content-Security-Policy": _POLICY.format(nonce=nonce)}
    return _Response("text/html; charset=utf-8", html.encode(), headers=headers)


def _tab(query: dict[str, list[str]]) -> str:
    """The name that a tab has given itself."""
    return query.get("tab", [""])[0][:40]


def _parse_number(words: list[str] | None) -> int | None:
    """The number that a request names, or None when it names none."""
    word = words[0] if words else ""
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 16 else None
