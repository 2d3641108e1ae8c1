"""Picture files to arrays: EXIF orientation honoured, sizes checked before decoding, damage reported."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
from PIL import Image, ImageFile, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from platereader._arrays import BgrImage
from platereader.errors import MediaFileError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"})
"""Lower-case file name endings that are taken for pictures."""

MAX_IMAGE_PX = 200_000_000
"""Largest picture that is decoded, width times height: 600 MB of pixels; above that it is a decompression bomb."""

_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF")
_ORIENTATION_TAG = 0x0112
_WIDTH_TAG, _HEIGHT_TAG = 0x0100, 0x0101
# What Pillow's decoders raise on damaged files, found by feeding them damaged files; warnings, where those are errors.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Warning,
)

_Factory: TypeAlias = "Callable[[IO[bytes], str | bytes], ImageFile.ImageFile]"


def read_image(path: str | Path) -> BgrImage:
    """Decode a picture file the way a person sees it: EXIF orientation applied, first frame, transparency dropped.

    Any path works, Cyrillic and spaces included. The size in the file's header is checked before pixels are decoded.

    Args:
        path: JPEG, PNG, BMP, WebP, TIFF or GIF.

    Returns:
        uint8 ``(H, W, 3)`` BGR, C-contiguous.

    Raises:
        MediaFileError: the file is missing, not a picture of these kinds, damaged, cut off, or above
            ``MAX_IMAGE_PX``.
    """
    source = Path(path)
    try:
        data = source.read_bytes()
    except OSError as error:
        raise _cannot_open(source, error) from error
    return decode_image(data, path=source)


def decode_image(data: bytes, *, path: str | Path) -> BgrImage:
    """``read_image`` for a picture that is in memory, from a bucket or a socket.

    Args:
        data: the whole file.
        path: how errors call it; nothing is opened.

    Returns:
        uint8 ``(H, W, 3)`` BGR, C-contiguous.

    Raises:
        MediaFileError: as from ``read_image``.
    """
    source = Path(path)
    picture = _open_picture(source, io.BytesIO(data))
    try:
        return _to_bgr(ImageOps.exif_transpose(picture))
    except _DECODER_ERRORS as error:
        raise MediaFileError(
            f"path {str(source)!r} is damaged or cut off ({error}): copy it again from its source or leave it out."
        ) from error


def _cannot_open(path: Path, error: OSError) -> MediaFileError:
    return MediaFileError(f"path {str(path)!r} cannot be opened ({error.strerror}): check the path.")


def _open_picture(path: Path, stream: IO[bytes]) -> ImageFile.ImageFile:
    """Read the header only; every format by its own reader, as ``Image.open`` warns through global state."""
    start = stream.read(16)
    stream.seek(0)
    Image.preinit()
    Image.init()
    for name in _FORMATS:
        factory, accept = Image.OPEN[name]
        if accept is None or accept(start):
            return _checked_size(path, factory, stream)
    kinds = ", ".join(_FORMATS)
    what = "is empty" if not start else "is not a picture of a known kind"
    raise MediaFileError(f"path {str(path)!r} {what}: pass one of {kinds}, converted if need be.")


def _checked_size(path: Path, factory: _Factory, stream: IO[bytes]) -> ImageFile.ImageFile:
    """Open one format and look at its size before anything is decoded."""
    try:
        picture = factory(stream, str(path))
    except _DECODER_ERRORS as error:
        raise MediaFileError(
            f"path {str(path)!r} is damaged at its start ({error}): copy it again from its source or leave it out."
        ) from error
    width, height = picture.size
    if width * height > MAX_IMAGE_PX:
        raise MediaFileError(
            f"path {str(path)!r} is {width}x{height} px, above {MAX_IMAGE_PX // 1_000_000} megapixels: "
            "shrink or cut it, if it is a real photograph."
        )
    return picture


def _to_bgr(picture: Image.Image) -> BgrImage:
    """uint8 BGR from whatever a file holds."""
    if picture.mode in {"I", "F"} or picture.mode.startswith("I;16"):
        grey = np.asarray(picture, dtype=np.float64)
        # 16 bits a pixel are scaled by their full range: converting in Pillow would clip everything above 255.
        grey8 = np.minimum(np.abs(grey) / (257 if grey.max(initial=0) > 255 else 1), 255).astype(np.uint8)
        return np.ascontiguousarray(np.repeat(grey8[:, :, None], 3, axis=2))
    if "transparency" in picture.info:
        picture = picture.convert("RGBA")
    return np.ascontiguousarray(np.asarray(picture.convert("RGB"))[:, :, ::-1])


def image_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels as ``read_image`` will return them, from the header alone.

    Args:
        path: as for ``read_image``.

    Raises:
        MediaFileError: no file, no picture, or a damaged header.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise _cannot_open(path, error) from error
    with stream:
        picture = _open_picture(path, stream)
        try:
            # The general reader: that of PNG decodes all pixels first, for a tag that may also follow them.
            turned = Image.Image.getexif(picture).get(_ORIENTATION_TAG, 1) >= 5
        except _DECODER_ERRORS as error:
            raise MediaFileError(f"path {str(path)!r} has a damaged EXIF header ({error}): save it again.") from error
        width, height = _stored_size(picture)
    return (height, width) if turned else (width, height)


def _stored_size(picture: ImageFile.ImageFile) -> tuple[int, int]:
    """Width and height before any turn; Pillow's TIFF reader turns its ``size`` by itself, in some versions."""
    if isinstance(picture, TiffImageFile):
        return int(picture.tag_v2[_WIDTH_TAG]), int(picture.tag_v2[_HEIGHT_TAG])
    return picture.size
