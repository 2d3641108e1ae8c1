"""Downloading one file of known size and sha256: the only code that opens a connection.

The bytes are received in memory, checked, and only then written.
"""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Protocol, cast
from urllib.error import HTTPError
from urllib.parse import urlsplit

from platereader._files import write_bytes
from platereader.errors import WeightsFetchError

_CHUNK_BYTES = 1 << 18
_SCHEMES = ("https", "http")


class _Response(Protocol):
    """What is used of an answer, which the standard library types as Any."""

    def read(self, amount: int, /) -> bytes:
        """Up to ``amount`` bytes; none at the end."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


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
                f"{req.full_url} redirects to {newurl}, which is refused: only https (and http from http) is followed; "
                "check the address with whoever runs the server."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass(frozen=True, slots=True)
class _Expected:
    """What the bytes must be, and what is called when some arrive."""

    sha256: str
    size_bytes: int
    progress: Callable[[int], object] | None


def download(
    url: str,
    *,
    target: Path,
    sha256: str,
    size_bytes: int,
    timeout_s: float = 30.0,
    progress: Callable[[int], object] | None = None,
) -> None:
    """Write the file at ``url`` to ``target``, whole and checked, or leave everything as it was.

    Args:
        url: ``https://`` or ``http://`` address.
        target: where the file goes; its folder is made if need be, a file already there is replaced.
        sha256: hexadecimal digest of the expected bytes.
        size_bytes: their number; not one byte more is read.
        timeout_s: longest silence of the server, seconds.
        progress: called with the number of bytes of every piece that arrives.

    Raises:
        WeightsFetchError: the server cannot be reached, answers with an error, redirects to a place that is not
            followed, stops midway or sends other bytes, or the file cannot be written.
    """
    if not url.lower().startswith(tuple(f"{scheme}://" for scheme in _SCHEMES)):
        raise WeightsFetchError(f"cannot fetch {url!r}: only https:// and http:// addresses are; correct the address.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(target, _receive(url, _Expected(sha256, size_bytes, progress), timeout_s=timeout_s))
    except WeightsFetchError:
        raise
    except HTTPError as error:
        error.close()
        raise WeightsFetchError(
            f"cannot fetch {url}: the server answers {error.code} {error.reason}; nothing was kept. Check the address."
        ) from error
    except (OSError, HTTPException, ValueError) as error:  # URLError and timeouts are OSErrors, a bad URL a ValueError
        raise WeightsFetchError(
            f"cannot fetch {url} to {target}: {type(error).__name__}: {error}; nothing was kept. Check the address, "
            "the connection and the folder, and try again."
        ) from error


def _receive(url: str, expected: _Expected, *, timeout_s: float) -> bytes:
    """The bytes of the answer, checked."""
    request = urllib.request.Request(url, headers={"User-Agent": "platereader"})  # noqa: S310 (scheme is checked)
    opener = urllib.request.build_opener(_SafeRedirects)
    data = bytearray()
    with closing(cast(_Response, opener.open(request, timeout=timeout_s))) as response:
        while len(data) <= expected.size_bytes and (chunk := response.read(_CHUNK_BYTES)):
            data += chunk
            if expected.progress is not None:
                expected.progress(len(chunk))
    if len(data) != expected.size_bytes:
        amount = f"more than {expected.size_bytes}" if len(data) > expected.size_bytes else str(len(data))
        raise WeightsFetchError(
            f"{url} sent {amount} bytes, expected are {expected.size_bytes}; nothing was kept. Try again; if it stays "
            "so, the server has another file."
        )
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != expected.sha256:
        raise WeightsFetchError(
            f"{url} sent a file with sha256 {sha256}, expected is {expected.sha256}; nothing was kept. The server has "
            "another file, or someone altered it on the way."
        )
    return bytes(data)
