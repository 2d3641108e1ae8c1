"""Downloading one file of known size and sha256: the only code that opens a connection.

The bytes are received in memory, checked, and only then written. They are received in a thread, because a server that
sends a byte now and then could hold whatever waits for it for as long as it likes.
"""

from __future__ import annotations

import hashlib
import queue
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO, cast
from urllib.error import HTTPError
from urllib.parse import urlsplit

from platereader._files import write_bytes
from platereader.errors import WeightsFetchError

_CHUNK_BYTES = 1 << 18
_SCHEMES = ("https", "http")
# A server that is slower than this over the whole file is given up.
_SLOWEST_BYTES_PER_S = 20_000
# Pieces that may wait to be taken in.
_WAITING = 4
# How long the receiving thread waits at a time, seconds, before it looks whether it is still needed.
_TURN_S = 0.1


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows at most five redirects, none of them to a file, to FTP or from https back to http."""

    max_redirections = 5

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,  # the six names and their order are the base class's
    ) -> urllib.request.Request | None:
        """The request to the new place, unless that place is refused."""
        old, new = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if new not in _SCHEMES or (old == "https" and new == "http"):
            fp.close()
            raise WeightsFetchError(
                f"{_shown(req.full_url)} redirects to {_shown(newurl)!r}, which is refused: only https (and http from "
                "http) is followed; check the address with whoever runs the server."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(
    url: str,
    *,
    target: Path,
    sha256: str,
    size_bytes: int,
    timeout_s: float = 30.0,
    progress: Callable[[int], object] | None = None,
) -> None:
    """Write the file at an ``https://`` or ``http://`` address to ``target``, whole and checked, or change nothing.

    The folder is made if need be, a file already there is replaced. ``timeout_s`` is the longest silence of the server;
    all together takes no longer than that and a second for every 20 kB. Not one byte more than ``size_bytes`` is read,
    and ``progress`` is called with the number of bytes of every piece that arrives.

    Raises:
        WeightsFetchError: the server cannot be reached, answers with an error, redirects to a place that is not
            followed, stops midway or sends other bytes, or the file cannot be written.
    """
    shown = _shown(url)
    _check_address(url)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        data = _receive(url, sha256=sha256, size_bytes=size_bytes, timeout_s=timeout_s, progress=progress)
        write_bytes(target, data)
    except WeightsFetchError:
        raise
    except HTTPError as error:
        error.close()
        raise WeightsFetchError(
            f"cannot fetch {shown}: the server answers {error.code} {str(error.reason)!r}; nothing was kept. Check the "
            "address."
        ) from error
    except (OSError, HTTPException, ValueError) as error:  # URLError and timeouts are OSErrors, a bad URL a ValueError
        why = f"{type(error).__name__}: {error}" if isinstance(error, OSError) else type(error).__name__
        raise WeightsFetchError(
            f"cannot fetch {shown} to {target}: {why}; nothing was kept. Check the address, the connection and the "
            "folder, and try again."
        ) from error


def _check_address(url: str) -> None:
    """Refuse an address of another kind, or with what is not sent."""
    if not url.lower().startswith(tuple(f"{scheme}://" for scheme in _SCHEMES)):
        raise WeightsFetchError(
            f"cannot fetch {_shown(url)!r}: only https:// and http:// addresses are; correct the address."
        )
    if not _is_plain(_authority(url)):
        raise WeightsFetchError(
            f"cannot fetch {_shown(url)!r}: its address has a user, a password or a port that is no number, which is "
            "not sent. Name a server that needs none."
        )


def _receive(
    url: str, *, sha256: str, size_bytes: int, timeout_s: float, progress: Callable[[int], object] | None
) -> bytes:
    """The bytes of the answer, checked."""
    data = bytearray()
    limit_s = timeout_s + size_bytes / _SLOWEST_BYTES_PER_S
    with closing(_pieces(url, timeout_s=timeout_s, limit_s=limit_s)) as pieces:
        for piece in pieces:
            data += piece
            if progress is not None:
                progress(len(piece))
            if len(data) > size_bytes:
                break
    shown = _shown(url)
    if len(data) != size_bytes:
        amount = f"more than {size_bytes}" if len(data) > size_bytes else str(len(data))
        raise WeightsFetchError(
            f"{shown} sent {amount} bytes, expected are {size_bytes}; nothing was kept. Try again; if it "
            "stays so, the server has another file."
        )
    received = hashlib.sha256(data).hexdigest()
    if received != sha256:
        raise WeightsFetchError(
            f"{shown} sent a file with sha256 {received}, expected is {sha256}; nothing was kept. The server "
            "has another file, or someone altered it on the way."
        )
    return bytes(data)


def _pieces(url: str, *, timeout_s: float, limit_s: float) -> Generator[bytes]:
    """What the server sends, as it comes in."""
    received: queue.Queue[bytes | Exception] = queue.Queue(_WAITING)
    stopped = threading.Event()
    deadline_s = time.monotonic() + limit_s
    arguments = (received, url, timeout_s, stopped)
    threading.Thread(target=_fill, args=arguments, name="platereader fetch", daemon=True).start()
    try:
        while True:
            piece = received.get(timeout=max(0.0, deadline_s - time.monotonic()))
            if isinstance(piece, Exception):
                raise piece
            if not piece:
                return
            yield piece
    except queue.Empty:
        raise WeightsFetchError(
            f"{_shown(url)} has not sent the whole file after {limit_s:.0f} s; nothing was kept. Try again, or take it "
            "from a faster server."
        ) from None
    finally:
        stopped.set()


def _fill(received: queue.Queue[bytes | Exception], url: str, timeout_s: float, stopped: threading.Event) -> None:
    """Put what a server sends into a queue: its pieces and an empty one at the end, or what went wrong."""

    def put(item: bytes | Exception) -> None:
        while not stopped.is_set():
            with suppress(queue.Full):
                received.put(item, timeout=_TURN_S)
                return

    try:
        request = urllib.request.Request(url, headers={"User-Agent": "platereader"})  # noqa: S310 (scheme is checked)
        opener = urllib.request.build_opener(_SafeRedirects)
        with closing(cast(HTTPResponse, opener.open(request, timeout=timeout_s))) as response:
            while not stopped.is_set() and (piece := response.read1(_CHUNK_BYTES)):
                put(piece)
        put(b"")
    except Exception as error:  # noqa: BLE001 - raised again by whoever takes it in
        put(error)


def _authority(url: str) -> str:
    """What stands between ``//`` and the path: user, password, host and port."""
    return re.split(r"[/?#\\]", url.partition("//")[2], maxsplit=1)[0]


def _is_plain(authority: str) -> bool:
    """Whether it is a host, with or without a port."""
    return re.fullmatch(r"([^@:\s]*|\[[^@\s]*\])(:[0-9]*)?", authority) is not None


def _shown(url: str) -> str:
    """An address for messages: without user, password, query, and whatever may be meant for one of these."""
    start, slashes, _ = url.partition("//")
    if "@" in url and not (slashes and _is_plain(_authority(url))):
        url = url.rpartition("@")[2]
    elif slashes and not _is_plain(_authority(url)):
        url = f"{start}//..."
    return re.split(r"[?#]", url, maxsplit=1)[0]
