"""From the files and folders on the command line to the picture files to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """One picture file, or why there is none.

    Attributes:
        path: of the file.
        relative_path: its path below the folder that was given; its name where a file was given.
        error: what is wrong with an input that gives no picture.
    """

    path: Path
    relative_path: Path
    error: str | None = None


def find_sources(
    inputs: Sequence[Path], *, also: frozenset[str] = frozenset(), without: Sequence[Path] = ()
) -> list[Source]:
    """The pictures of all inputs, each file once; an input without any gives one source with an error.

    A file is taken whatever its name ends in. Folders are searched to the bottom for names that end like pictures;
    hidden files and folders are left out.

    Args:
        inputs: files and folders.
        also: further lower-case endings to look for in folders, such as those of videos.
        without: folders that are left out where they lie below another one, such as those for results.
    """
    found: dict[Path, Source] = {}
    left_out = [resolved(folder) for folder in without]
    for path in inputs:
        for source in _sources_of(path, also, left_out):
            found.setdefault(resolved(source.path), source)
    return list(found.values())


def resolved(path: Path) -> Path:
    """The file behind all links; the path itself where they lead nowhere."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle, a zero byte
        return path


def _sources_of(path: Path, also: frozenset[str], without: Sequence[Path]) -> Iterator[Source]:
    from platereader.media._images import IMAGE_SUFFIXES

    try:
        is_folder = path.is_dir()
    except OSError as error:  # such as a name that is too long for the file system
        yield Source(path, Path(path.name), f"{str(path)!r} cannot be accessed: {error}.")
        return
    if not is_folder:
        yield Source(path, Path(path.name))
        return
    suffixes = IMAGE_SUFFIXES | also
    named = [item for item in sorted(path.rglob("*")) if item.suffix.lower() in suffixes and item.is_file()]
    root = path.resolve()
    results = [folder.relative_to(root) for folder in without if root in folder.parents]
    pictures = [item for item in named if not _is_left_out(item.relative_to(path), results)]
    if not pictures:
        endings = " ".join(sorted(suffixes))
        yield Source(path, Path(path.name), f"there is no picture in the folder {str(path)!r}: looked for {endings}.")
    for picture in pictures:
        yield Source(picture, picture.relative_to(path))


def _is_left_out(relative_path: Path, results: Sequence[Path]) -> bool:
    """Whether a file is hidden, or lies in a folder for results."""
    hidden = any(part.startswith(".") for part in relative_path.parts)
    return hidden or any(folder in relative_path.parents for folder in results)
