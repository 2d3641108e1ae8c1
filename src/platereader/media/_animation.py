"""Which picture files move."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from PIL import Image

from platereader._files import open_regular
from platereader.errors import FileError

_FORMATS = ("GIF", "WEBP", "PNG")
_DAMAGED = (OSError, EOFError, SyntaxError, ValueError, LookupError, TypeError, struct.error, zlib.error, Warning)


def is_animated(path: Path) -> bool:
    """Whether a file is a GIF, WebP or PNG of several frames, whatever its name ends in; False where it is damaged."""
    try:
        stream = open_regular(path, what="the picture")
    except FileError:
        return False
    with stream:
        start = stream.read(16)
        stream.seek(0)
        Image.preinit()
        Image.init()
        for name in _FORMATS:
            factory, accept = Image.OPEN[name]
            if accept is None or accept(start):
                try:
                    return bool(getattr(factory(stream, str(path)), "is_animated", False))
                except _DAMAGED:
                    return False
    return False
