"""Picture files to arrays: EXIF orientation honoured, memory bounded before decoding, damage reported."""

from __future__ import annotations

import importlib
import importlib.util
import io
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final, TypeAlias, cast

import numpy as np
from PIL import Image, ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from platereader._arrays import BgrImage
from platereader._dependencies import missing_dependency
from platereader._files import as_path, open_regular, read_bytes
from platereader.errors import FileError, InvalidArgumentError, MediaFileError

_JPEG_SUFFIXES = {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".jp2", ".j2k", ".jpx"}
IMAGE_SUFFIXES = frozenset(
    {*_JPEG_SUFFIXES, ".png", ".apng", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".avif", ".heic", ".heif"}
)
"""Lower-case file name endings that are taken for pictures."""

MAX_IMAGE_BYTES = 1_500_000_000
"""Most memory that reading one picture may take, file and result included: 200 megapixels of an 8-bit photograph."""

_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF", "JPEG2000", "AVIF")
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")  # the pages of a TIFF and the views of an MPO are no video
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
_SHARED_BRANDS = (b"mif1", b"msf1")  # of HEIC and of AVIF, which names its own further on
_START_BYTES = 64
_ORIENTATION_TAG = 0x0112
_ON_ITS_SIDE = range(5, 9)
_WIDTH_TAG, _HEIGHT_TAG = 0x0100, 0x0101
# Bytes of a pixel: of a decoded picture by its mode (others take 4), and of the result.
_STORED_BYTES: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}
_RESULT_BYTES = 3
# Pixels that are converted at once, so that what lies between the decoder and the result takes next to nothing.
_STRIP_PX = 1 << 18
# What Pillow's decoders raise on damaged files, found by feeding them damaged files; warnings, where those are errors.
DECODER_ERRORS = (
    OSError, SyntaxError, ValueError, LookupError, RuntimeError, TypeError, ArithmeticError, struct.error, zlib.error,
    MemoryError, Image.DecompressionBombError, Warning,
)  # fmt: skip

_Factory: TypeAlias = "Callable[[IO[bytes], str | bytes], ImageFile.ImageFile]"


def read_image(path: str | Path) -> BgrImage:
    """Decode a picture file the way a person sees it: EXIF orientation applied, first frame, transparency dropped.

    Any path works, Cyrillic and spaces included. What decoding will take is known from the file's header, and checked
    before any of it is taken.

    Args:
        path: JPEG (MPO, too), PNG, BMP, WebP, TIFF, GIF, AVIF or JPEG 2000, and HEIC with the extra ``heic``.

    Returns:
        uint8 ``(H, W, 3)`` BGR, C-contiguous.

    Raises:
        MediaFileError: the file is missing, a pipe or a device, not a picture of these kinds, damaged, cut off, or
            would take more than ``MAX_IMAGE_BYTES``; or what decodes it is not installed.
        InvalidArgumentError: ``path`` is no path.
    """
    path = as_path(
        path, name="path", advice="; bytes of a picture go to platereader.media.decode_image(data, path=...)"
    )
    return decode_image(file_bytes(path), path=path)


def file_bytes(path: str | Path) -> bytes:
    """All bytes of a picture file."""
    try:
        return read_bytes(Path(path), limit_bytes=MAX_IMAGE_BYTES, what="the picture")
    except FileError as error:
        raise MediaFileError(str(error)) from error


def decode_image(data: bytes, *, path: str | Path) -> BgrImage:
    """``read_image`` for a picture that is in memory, from a bucket or a socket.

    Args:
        data: the whole file.
        path: how errors call it; nothing is opened.

    Returns:
        uint8 ``(H, W, 3)`` BGR, C-contiguous.

    Raises:
        MediaFileError: as from ``read_image``.
        InvalidArgumentError: ``data`` are no bytes, or ``path`` is no path.
    """
    source = as_path(path, name="path")
    if not isinstance(cast(object, data), (bytes, bytearray, memoryview)):
        raise InvalidArgumentError(
            f"data is a {type(data).__name__}, expected are the bytes of a picture file; platereader.read_image takes "
            "its path."
        )
    return _decoded(source, _checked_picture(data, source))


def decode_frames(data: bytes, *, path: str | Path) -> Iterator[tuple[int | None, BgrImage]]:
    """All frames of an animated picture with their index, or the one picture of any other with None.

    Where one is damaged, those before it come before the ``MediaFileError``.
    """
    source = Path(path)
    picture = _checked_picture(data, source)
    count = _frame_count(source, picture)
    if count is None:
        yield None, _decoded(source, picture)
        return
    for index in range(count):
        yield index, _decoded(source, picture, frame=index)


def _checked_picture(data: bytes, path: Path) -> ImageFile.ImageFile:
    """The opened picture, nothing of which is decoded yet."""
    picture = _open_picture(path, io.BytesIO(data))
    _check_memory(path, picture, file_bytes=len(data))
    return picture


def _decoded(path: Path, picture: ImageFile.ImageFile, *, frame: int = 0) -> BgrImage:
    try:
        picture.seek(frame)
        picture.load()
        return _to_bgr(picture)
    except (*DECODER_ERRORS, EOFError) as error:
        raise _damaged(path, error, where=f", frame {frame}," if frame else "") from error


def _frame_count(path: Path, picture: ImageFile.ImageFile) -> int | None:
    """How many frames an animated picture has; None for any other."""
    try:
        animated = picture.format in _ANIMATED and bool(getattr(picture, "is_animated", False))
        return int(getattr(picture, "n_frames", 1)) if animated else None
    except (*DECODER_ERRORS, EOFError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException, *, where: str = "") -> MediaFileError:
    return MediaFileError(
        f"path {str(path)!r}{where} is damaged or cut off ({str(error) or type(error).__name__}): copy it again "
        "from its source or leave it out."
    )


def _open_picture(path: Path, stream: IO[bytes]) -> ImageFile.ImageFile:
    """Read the header only; every format by its own reader, as ``Image.open`` warns through global state."""
    start = stream.read(_START_BYTES)
    stream.seek(0)
    if _is_heic(start):
        return _opened(path, _heic_factory(path), stream)
    Image.preinit()
    Image.init()
    for name in _FORMATS:
        factory, accept = Image.OPEN[name]
        accepted = accept is None or accept(start)
        if accepted:
            if isinstance(accepted, str):  # a format that this Pillow was built without
                raise MediaFileError(f"path {str(path)!r} is {name}: {accepted}. Install a newer Pillow.")
            return _opened(path, factory, stream)
    kinds = ", ".join((*_FORMATS, "HEIC"))
    what = "is empty" if not start else "is not a picture of a known kind"
    raise MediaFileError(f"path {str(path)!r} {what}: pass one of {kinds}, converted if need be.")


def _is_heic(start: bytes) -> bool:
    brand = start[8:12]
    shared = brand in _SHARED_BRANDS and b"avif" not in start and b"avis" not in start
    return start[4:8] == b"ftyp" and (brand in _HEIC_BRANDS or shared)


def _heic_factory(path: Path) -> _Factory:
    """The reader of HEIC, without registering it with Pillow, which would change what others open."""
    if importlib.util.find_spec("pillow_heif") is None:
        raise MediaFileError(f"path {str(path)!r} is HEIC: {missing_dependency('pillow_heif', extra='heic')}")
    reader: _Factory = importlib.import_module("pillow_heif").HeifImageFile
    return reader


def _opened(path: Path, factory: _Factory, stream: IO[bytes]) -> ImageFile.ImageFile:
    """Open one format, nothing of which is decoded yet."""
    try:
        return factory(stream, str(path))
    except DECODER_ERRORS as error:
        raise MediaFileError(
            f"path {str(path)!r} is damaged at its start ({error}): copy it again from its source or leave it out."
        ) from error


def _check_memory(path: Path, picture: ImageFile.ImageFile, *, file_bytes: int) -> None:
    """Refuse a picture that would take too much memory, before anything is decoded."""
    width, height = picture.size
    needed = file_bytes + width * height * _pixel_bytes(picture)
    if needed > MAX_IMAGE_BYTES:
        raise MediaFileError(
            f"path {str(path)!r} is {width}x{height} px and would take {needed / 1e6:.0f} MB to read, above "
            f"{MAX_IMAGE_BYTES / 1e6:.0f} MB: shrink or cut it, if it is a real photograph."
        )


def _pixel_bytes(picture: ImageFile.ImageFile) -> int:
    """Bytes that a pixel takes at most while it is decoded, or after that, as measured."""
    stored = _STORED_BYTES.get(picture.mode, 4)
    decoding = stored
    if picture.format == "WEBP":
        return stored + 9 + _RESULT_BYTES  # two canvases and the bytes of one, which its reader keeps
    if picture.format == "JPEG2000":
        return stored + 4 * len(picture.getbands()) + _RESULT_BYTES  # 32 bits for each value
    if picture.format in {"AVIF", "HEIF"}:
        return stored + 10  # three planes, up to 16 bits each, and the bytes of one picture
    if picture.format == "TIFF":
        decoding = 2 * stored  # turned by its reader, into a second one
    if "progressive" in picture.info:
        decoding = stored + 2 * len(picture.getbands())  # all coefficients of a JPEG, in 16 bits each
    return max(decoding, stored + _RESULT_BYTES)


def _to_bgr(picture: Image.Image) -> BgrImage:
    """uint8 BGR of a decoded picture, the right way up, whatever it holds."""
    orientation = picture.getexif().get(_ORIENTATION_TAG, 1)
    width, height = picture.size
    result = np.empty((width, height, 3) if orientation in _ON_ITS_SIDE else (height, width, 3), np.uint8)
    stored = _as_stored(result, orientation)
    if picture.mode in {"I", "F"} or picture.mode.startswith("I;16"):
        # 16 bits a pixel are scaled by their full range: converting in Pillow would clip everything above 255.
        highest = max(float(_numbers(strip).max()) for _, strip in _strips(picture))
        shares, divisor = picture.mode == "F" and highest <= 1, 257 if highest > 255 else 1  # shares of white
        for rows, strip in _strips(picture):
            values = (255 * _numbers(strip)).round() if shares else _numbers(strip) // divisor
            stored[rows] = np.minimum(values, 255).astype(np.uint8)[:, :, None]
        return result
    for rows, strip in _strips(picture):
        opaque = strip.convert("RGBA") if "transparency" in picture.info else strip
        stored[rows] = np.asarray(opaque.convert("RGB"))[:, :, ::-1]
    return result


def _strips(picture: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """The picture in strips of some rows each, and which rows these are."""
    width, height = picture.size
    step = max(1, _STRIP_PX // max(1, width))
    for top in range(0, height, step):
        bottom = min(top + step, height)
        yield slice(top, bottom), picture.crop((0, top, width, bottom))


def _numbers(strip: Image.Image) -> Any:
    """The values of a strip without their signs; one that is no number is 0."""
    if strip.mode.startswith("I;16"):
        return np.asarray(strip)
    return np.nan_to_num(np.abs(np.asarray(strip, dtype=np.float64)))


def _as_stored(picture: BgrImage, orientation: int) -> BgrImage:
    """A view of an upright picture the way its file has it, by its EXIF orientation."""
    views: dict[int, Callable[[BgrImage], BgrImage]] = {
        2: lambda view: view[:, ::-1],
        3: lambda view: view[::-1, ::-1],
        4: lambda view: view[::-1],
        5: lambda view: view.swapaxes(0, 1),
        6: lambda view: np.rot90(view, 1),
        7: lambda view: view.swapaxes(0, 1)[::-1, ::-1],
        8: lambda view: np.rot90(view, -1),
    }
    return views[orientation](picture) if orientation in views else picture


def image_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels as ``read_image`` will return them, from the header alone."""
    try:
        stream = open_regular(path, what="the picture")
    except FileError as error:
        raise MediaFileError(str(error)) from error
    with stream:
        picture = _open_picture(path, stream)
        _check_memory(path, picture, file_bytes=path.stat().st_size)
        try:
            # The general reader: that of PNG decodes all pixels first, for a tag that may also follow them.
            turned = Image.Image.getexif(picture).get(_ORIENTATION_TAG, 1) in _ON_ITS_SIDE
        except DECODER_ERRORS as error:
            raise MediaFileError(f"path {str(path)!r} has a damaged EXIF header ({error}): save it again.") from error
        width, height = _stored_size(picture)
    return (height, width) if turned else (width, height)


def _stored_size(picture: ImageFile.ImageFile) -> tuple[int, int]:
    """Width and height before any turn; Pillow's TIFF reader turns its ``size`` by itself, in some versions."""
    if isinstance(picture, TiffImageFile):
        return int(picture.tag_v2[_WIDTH_TAG]), int(picture.tag_v2[_HEIGHT_TAG])
    return picture.size


def is_animated(path: Path) -> bool:
    """Whether a file is an animated GIF, WebP, PNG or AVIF, whatever its name ends in; False where it is damaged."""
    try:
        with open_regular(path, what="the picture") as stream:
            picture = _open_picture(path, stream)
            return _frame_count(path, picture) is not None
    except (FileError, MediaFileError, *DECODER_ERRORS):
        return False
