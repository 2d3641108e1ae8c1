"""HTTP connections that cannot use the process up: few, with little time until they show the key of the page.

Anything on the machine can connect to a port of 127.0.0.1. One thread receives the first request of every connection;
only those that show the key get a thread of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase, BytesIO
from selectors import EVENT_READ, DefaultSelector
from socket import SHUT_RD, SHUT_RDWR, create_server, socket
from threading import Event, Lock, Thread
from typing import Any, cast

MAX_STRANGERS = 32
"""Connections that have not shown the key; the oldest one is closed for the next."""

MAX_KNOWN = 32
"""Connections that have; each browser keeps up to six."""

_POLL_INTERVAL_S = 0.1
_FIRST_REQUEST_S = 5.0
_IDLE_S = 30.0  # for each later request, and for sending
_MAX_HEAD = 32_768  # bytes: the cookies of other programs on this machine come along
_CLOSE_S = 1.0  # for all threads to end
_END_OF_HEAD = b"\r\n\r\n"
_REFUSAL = (
    "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: {length}\r\nConnection: close\r\n\r\n"
)


class Connections:
    """Accepts connections at an address from ``start`` to ``close``.

    Args:
        address: host and port, at most 65,535; port 0 takes a free one.
        is_known: whether the first request, from its first line to the empty one, shows the key.
        serve: called, in a thread of its own, with a known connection and what it has sent so far.
        translate: gives what a refused browser shows in the language of its user.

    Raises:
        OSError: the port is taken, or may not be used.
    """

    def __init__(
        self,
        address: tuple[str, int],
        *,
        is_known: Callable[[bytes], bool],
        serve: Callable[[socket, bytes], object],
        translate: Callable[[str], str] = str,
    ) -> None:
        self._translate = translate
        self._is_known = is_known
        self._serve = serve
        self._listener = create_server(address, backlog=128)
        self._listener.setblocking(False)
        self._selector = DefaultSelector()
        self._selector.register(self._listener, EVENT_READ)
        self._strangers: dict[socket, tuple[float, bytearray]] = {}  # end of its time, what it has sent; oldest first
        self._known: dict[socket, Thread] = {}
        self._known_lock = Lock()
        self._closing = Event()
        self._thread = Thread(target=self._run, name="platereader-page", daemon=True)

    @property
    def port(self) -> int:
        """Of the address."""
        return int(self._listener.getsockname()[1])

    def start(self) -> None:
        """Accept connections."""
        self._thread.start()

    def close(self) -> None:
        """Close the port and all connections."""
        self._closing.set()
        self._thread.join()
        for connection in list(self._strangers):
            self._forget(connection).close()
        self._selector.close()
        self._listener.close()
        end_s = time.monotonic() + _CLOSE_S
        for thread in self._shut(SHUT_RD):  # what is being answered is answered
            thread.join(max(0.0, end_s - time.monotonic()))
        self._shut(SHUT_RDWR)

    def _shut(self, how: int) -> list[Thread]:
        """Shut down all known connections, and give the threads that serve them."""
        with self._known_lock:
            for connection in self._known:
                with suppress(OSError):  # the browser was faster
                    connection.shutdown(how)
            return list(self._known.values())

    def _run(self) -> None:
        while not self._closing.is_set():
            for key, _ in self._selector.select(_POLL_INTERVAL_S):
                connection = cast(socket, key.fileobj)
                if connection is self._listener:
                    self._accept()
                elif connection in self._strangers:  # it was not closed for another meanwhile
                    self._receive(connection)
            now_s = time.monotonic()
            for connection in [one for one, (end_s, _) in self._strangers.items() if end_s < now_s]:
                self._forget(connection).close()

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # it has gone, or the process has no descriptor left: then the port stays ready
            time.sleep(_POLL_INTERVAL_S)
            return
        connection.setblocking(False)
        if len(self._strangers) >= MAX_STRANGERS:
            self._forget(next(iter(self._strangers))).close()
        self._strangers[connection] = (time.monotonic() + _FIRST_REQUEST_S, bytearray())
        self._selector.register(connection, EVENT_READ)

    def _receive(self, connection: socket) -> None:
        _, received = self._strangers[connection]
        try:
            part = connection.recv(8192)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        received += part
        if _END_OF_HEAD in received:
            self._decide(self._forget(connection), bytes(received))
        elif not part or len(received) > _MAX_HEAD:
            self._forget(connection).close()

    def _decide(self, connection: socket, received: bytes) -> None:
        """Serve a connection that shows the key, and refuse any other."""
        if not self._is_known(received.partition(_END_OF_HEAD)[0] + _END_OF_HEAD):
            self._refuse(connection, "403 Forbidden", "Open the whole address that platereader has printed.")
            return
        thread = Thread(target=self._serve_known, args=(connection, received), name="platereader-tab", daemon=True)
        with self._known_lock:
            if len(self._known) < MAX_KNOWN:
                self._known[connection] = thread
        if connection not in self._known:
            self._refuse(connection, "503 Service Unavailable", "Too many browsers show this page: close some of them.")
            return
        try:
            thread.start()
        except RuntimeError:  # the system has none left
            with self._known_lock:
                del self._known[connection]
            self._refuse(connection, "503 Service Unavailable", "No thread is left for this page: try again.")

    def _serve_known(self, connection: socket, received: bytes) -> None:
        try:
            connection.settimeout(_IDLE_S)
            self._serve(connection, received)
        except OSError:
            pass  # the browser hung up
        finally:
            with self._known_lock:
                del self._known[connection]
                connection.close()

    def _refuse(self, connection: socket, status: str, text: str) -> None:
        body = f"{self._translate(text)}\n".encode()
        with connection, suppress(OSError):
            connection.send(_REFUSAL.format(status=status, length=len(body)).encode() + body)

    def _forget(self, connection: socket) -> socket:
        del self._strangers[connection]
        self._selector.unregister(connection)
        return connection


class RequestHandler(BaseHTTPRequestHandler):
    """Reads the head of each request as a whole, within its time; bodies are not read."""

    protocol_version = "HTTP/1.1"

    def __init__(self, connection: socket, received: bytes) -> None:
        self._received = received
        super().__init__(connection, connection.getpeername(), cast(Any, None))  # the server, which it does not need

    def setup(self) -> None:
        """Before the first request."""
        super().setup()
        self.rfile.close()

    def handle_one_request(self) -> None:
        """One request; without any in time, the connection is closed."""
        self.rfile: BufferedIOBase = BytesIO(self._head())
        self.connection.settimeout(_IDLE_S)
        super().handle_one_request()

    def _head(self) -> bytes:
        """From the first line to the empty one; nothing when it does not come in time, or is too long."""
        end_s = time.monotonic() + _IDLE_S
        while _END_OF_HEAD not in self._received:
            remaining_s = end_s - time.monotonic()
            if remaining_s <= 0 or len(self._received) > _MAX_HEAD:
                return b""
            self.connection.settimeout(remaining_s)
            if not (part := self.connection.recv(8192)):
                return b""
            self._received += part
        head, end, self._received = self._received.partition(_END_OF_HEAD)
        return head + end

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # as http.server calls it
        """Requests are not logged: their addresses hold the key."""
