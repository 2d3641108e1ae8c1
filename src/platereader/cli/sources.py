"""From the files and folders on the command line to the picture files to read."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import Final

from platereader._arrays import BgrImage
from platereader._files import MADE_HERE, is_file, is_picture_made_here, open_regular, paths_below
from platereader.errors import DatasetError, MediaFileError

STDIN: Final = Path("-")
"""What stands for a picture on standard input."""

LEFT_OUT: Final = "files that platereader wrote, left out: {count}; to include them, name nothing else"
"""What is said where such files are left out."""

VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".avi", ".webm", ".wmv", ".mpg", ".mpeg", ".ts", ".flv"})
"""Lower-case file name endings that are taken for videos."""

NO_FILES: Final = {stat.S_IFIFO: "pipes", stat.S_IFSOCK: "sockets", stat.S_IFCHR: "devices", stat.S_IFBLK: "devices"}
"""What else may have the name of a file, by its kind as the system states it."""

WRITTEN_FORMATS: Final = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""FFmpeg's format by the ending, of videos that can be written; others become ``.mp4``."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:[/\\]")  # a path has lost one of the two slashes


@dataclass(frozen=True, slots=True)
class Source:
    """One picture file, or why there is none.

    Attributes:
        relative_path: its path below the folder that was given; its name where a file was given.
        error: what is wrong with an input that gives no picture.
    """

    path: Path
    relative_path: Path
    error: str | None = None


def find_sources(
    inputs: Sequence[Path],
    *,
    also: frozenset[str] = frozenset(),
    without: Sequence[Path] = (),
    skipped: Counter[str] | None = None,
) -> list[Source]:
    """The pictures of all inputs, each file once; an input without any gives one source with an error.

    A file is taken whatever its name ends in. Folders are searched to the bottom for names that end like pictures;
    hidden files and folders are left out. A pattern such as ``photos/**/*.jpg`` stands for what matches it. What an
    earlier run wrote is left out, unless there is nothing else.

    Args:
        inputs: files, folders, patterns, and ``STDIN``.
        also: further lower-case endings to look for in folders, such as those of videos.
        without: folders that are left out where they lie below another one, such as those for results.
        skipped: counts what else is there, by the ending of its name, or as one of ``NO_FILES``; files of an earlier
            run as ``MADE_HERE``.
    """
    from platereader.media._images import IMAGE_SUFFIXES

    found: dict[Path, Source] = {}
    left_out = [resolved(folder) for folder in without]
    others = Counter[str]() if skipped is None else skipped
    for path in (match for pattern in inputs for match in _matching(pattern, left_out)):
        for source in _sources_of(path, IMAGE_SUFFIXES | also, left_out, others):
            found.setdefault(resolved(source.path), source)
    written = earlier_results([source.path for source in found.values() if source.error is None])
    others.update(MADE_HERE for _ in written)
    return [source for source in found.values() if source.path not in written]


def all_refused(sources: Sequence[Source]) -> bool:
    """Whether it is known of every source that it gives no picture, so that no network need be loaded to say so."""
    return all(source.error is not None for source in sources)


def read_pictures(inputs: Sequence[Path], *, option: str) -> dict[str, BgrImage]:
    """The pictures of all inputs, decoded, by their paths below them."""
    from platereader.media._images import read_image

    sources = find_sources(inputs)
    for source in sources:
        if source.error is not None:
            kind = DatasetError if source.path.is_dir() else MediaFileError
            raise kind(f"{option}: {source.error}")
    return {str(source.relative_path): read_image(source.path) for source in sources}


def earlier_results(paths: Sequence[Path]) -> set[Path]:
    """Those of several files that one of the commands wrote; none where no other is there: then they are wanted."""
    written = {path for path in paths if made_here(path)}
    return (
        written if any(is_file(path, unknown=True) or path.is_dir() for path in paths if path not in written) else set()
    )


def made_here(path: Path) -> bool:
    """Whether a file is a picture or video that one of the commands wrote."""
    if path.suffix.lower() not in WRITTEN_FORMATS:
        return is_picture_made_here(path)
    from platereader.cli.videos import has_comment

    try:
        with open_regular(path, what="the file"):  # FFmpeg would wait for a pipe
            return has_comment(path, MADE_HERE)
    except OSError:  # what cannot be read is told when it is
        return False


def resolved(path: Path) -> Path:
    """The file behind all links; the path itself where they lead nowhere."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle, a zero byte
        return path


def source_path(text: str) -> Path:
    """The path of a word on the command line; ``./-`` is a file of that name, and not ``STDIN``."""
    return STDIN if text == str(STDIN) else _file(Path(text))


def _file(path: Path) -> Path:
    return path.absolute() if path == STDIN else path


def _matching(pattern: Path, without: Sequence[Path]) -> list[Path]:
    """What a pattern stands for, but for folders of results below it; the path itself where it is none, or without."""
    if not has_magic(str(pattern)) or os.path.lexists(pattern):
        return [pattern]
    root = resolved(next(parent for parent in pattern.parents if not has_magic(str(parent))))
    results = {folder for folder in without if root in folder.parents}
    # Path.glob needs a folder and a pattern in it, and finds hidden files.
    matches = (_file(Path(match)) for match in sorted(glob(str(pattern), recursive=True)))  # noqa: PTH207
    return [path for path in matches if results.isdisjoint((one := resolved(path), *one.parents))] or [pattern]


def _sources_of(
    path: Path, suffixes: frozenset[str], without: Sequence[Path], skipped: Counter[str]
) -> Iterator[Source]:
    name = Path(path.name)
    if path == STDIN:
        yield Source(path, Path("stdin"))
        return
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError) as error:  # such as a name that is too long for the file system
        yield Source(path, name, f"{str(path)!r} cannot be accessed: {error}.")
        return
    if is_folder:
        yield from sources_in(path, suffixes, without, skipped)
    else:
        yield Source(path, name, None if exists else _why_missing(path))


def _why_missing(path: Path) -> str:
    """What is wrong with a path that leads nowhere."""
    if _URL.match(str(path)):
        return (
            f"{str(path).replace(':/', '://', 1)} is a URL, and only files are read here: download it first. "
            "`platereader watch` takes the address of a camera or a video."
        )
    if path.is_symlink():
        return f"{str(path)!r} is a link to {os.fspath(path.readlink())!r}, which leads nowhere."
    if has_magic(str(path)):
        return f"no file matches {str(path)!r}."
    return f"there is no file or folder {str(path)!r}: check the path."


def _kind_of(path: Path) -> str | None:
    """Which of ``NO_FILES`` a path leads to; None for none of them."""
    try:
        return NO_FILES.get(stat.S_IFMT(path.stat().st_mode))
    except OSError:  # a link that leads nowhere
        return None


def sources_in(
    folder: Path, suffixes: frozenset[str], without: Sequence[Path], skipped: Counter[str]
) -> Iterator[Source]:
    """The pictures of a folder, with broken links and folders that cannot be read; what else it has is counted."""
    root = folder.resolve()
    results = [other.relative_to(root) for other in without if root in other.parents]
    any_picture, locked = False, dict[Path, OSError]()
    for path in (*paths_below(folder, failed=locked.__setitem__), *locked):
        relative, ending = path.relative_to(folder), path.suffix.lower()
        hidden = any(part.startswith(".") for part in relative.parts)
        if hidden or any(one in relative.parents for one in results):
            continue
        if (error := locked.pop(path, None)) is not None:
            any_picture = True
            name = Path(folder.name) if path == folder else relative
            yield Source(path, name, f"the folder {str(path)!r} cannot be read ({error.strerror}): see its rights.")
            continue
        there = is_file(path, unknown=True)  # what may not be looked at is told when it is read
        broken = not there and path.is_symlink() and not path.exists()
        if ending in suffixes if there else broken and ending in {*suffixes, ""}:
            any_picture = True
            yield Source(path, relative, _why_missing(path) if broken else None)
        elif there:
            skipped[ending or "without an ending"] += 1
        elif path.is_symlink() and path.is_dir():
            skipped["links to folders"] += 1
        elif (kind := _kind_of(path)) is not None:
            skipped[kind] += 1
    if not any_picture:
        endings, what = " ".join(sorted(suffixes)), "picture or video" if ".mp4" in suffixes else "picture"
        message = f"there is no {what} in the folder {str(folder)!r}: looked for {endings}."
        yield Source(folder, Path(folder.name), message)
