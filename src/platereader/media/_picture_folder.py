"""A folder of photographs, read one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from platereader._arrays import BgrImage
from platereader.errors import MediaFileError
from platereader.media._images import IMAGE_SUFFIXES, read_image


def read_images(folder: str | Path, *, notify: Callable[[str], None] | None = None) -> Iterator[tuple[Path, BgrImage]]:
    """The pictures of a folder and of all folders in it, each with its path, sorted by path.

    They are decoded one by one, as they are asked for. Hidden files and folders are left out.

    Args:
        folder: is searched for names that end like pictures.
        notify: called with one line for each picture that cannot be read, which is then left out; by default the first
            such picture raises.

    Returns:
        Pairs of a path and of uint8 ``(H, W, 3)`` BGR, as ``read_image`` gives it.

    Raises:
        MediaFileError: no such folder, or no picture in it; or, without ``notify``, a picture that cannot be read.
    """
    top = Path(folder)
    if not top.is_dir():
        raise MediaFileError(f"folder is {str(top)!r}, which is no folder: for one picture there is read_image.")
    pictures = [path for path in sorted(top.rglob("*")) if _is_picture(path, top)]
    if not pictures:
        endings = " ".join(sorted(IMAGE_SUFFIXES))
        raise MediaFileError(f"folder {str(top)!r} holds no pictures: looked for {endings}.")
    return _read(pictures, notify)


def _is_picture(path: Path, top: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(top).parts)
    return path.suffix.lower() in IMAGE_SUFFIXES and not hidden and path.is_file()


def _read(paths: Sequence[Path], notify: Callable[[str], None] | None) -> Iterator[tuple[Path, BgrImage]]:
    for path in paths:
        try:
            frame = read_image(path)
        except MediaFileError as error:
            if notify is None:
                raise
            notify(str(error))
            continue
        yield path, frame
