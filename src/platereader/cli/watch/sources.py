"""The videos, folders and cameras that ``platereader watch`` follows, one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from platereader.cli.parser import refused
from platereader.cli.sources import LEFT_OUT, VIDEO_SUFFIXES, earlier_results, made_here, resolved, sources_in
from platereader.errors import CaptureError, InvalidArgumentError

if TYPE_CHECKING:
    from platereader.media._source import FrameSource

Opener: TypeAlias = "Callable[[str], FrameSource]"
"""Opens a source, or raises ``CaptureError``."""


class Sources:
    """Gives each source once, opened; one of several that cannot be opened is named and left out.

    Args:
        words: as they were given. A folder with videos stands for all of them, also those below it, in the order of
            their names; a folder that has pictures and no video at its top is one source.
        outputs: by their options, below which no videos are looked for.
        notify: told of each that cannot be opened, and of videos of an earlier run, which are left out.

    Attributes:
        names: of each, its path below the folder that was given, or the name of its file.
        several: whether there is more than one, or could be: several words or a folder of videos were given.
        failed: sources that could not be opened.
        terminated: whether SIGTERM was what stopped them.

    Raises:
        CaptureError: the only source cannot be opened.
        InvalidArgumentError: one of several is a camera, which has no end, or the only folder is an output, too.
    """

    def __init__(
        self, words: Sequence[str], *, opened: Opener, notify: Callable[[str], None], outputs: Mapping[str, Path]
    ) -> None:
        expanded = _expanded(words, outputs)
        written = earlier_results([Path(word) for word, _ in expanded])
        if written:
            notify(LEFT_OUT.format(count=len(written)))
        kept = [(word, name) for word, name in expanded if Path(word) not in written]
        self.words: list[str] = [word for word, _ in kept]
        self.names: list[Path] = [name for _, name in kept]
        self.several: bool = len(words) > 1 or self.words != list(words)
        self.failed: int = 0
        self.stopped: bool = False
        self.terminated: bool = False
        self._opened = opened
        self._notify = notify
        # A camera is not opened twice.
        self._current: FrameSource | None = opened(self.words[0]) if len(self.words) == 1 else None

    @property
    def only(self) -> FrameSource | None:
        """The source, where there is one."""
        return self._current if len(self.words) == 1 else None

    def frame_count(self) -> int | None:
        """About how many frames there are in all; None for a camera."""
        if self.only is not None:
            return self.only.frame_count
        return sum(map(self._frames_of, self.words)) or None

    def __iter__(self) -> Iterator[tuple[int, FrameSource]]:
        """Each source with its number from 0, open until the next one is asked for."""
        for number, word in enumerate(self.words):
            try:
                self._current = self.only or self._opened(word)
            except CaptureError as error:
                self.failed += 1
                self._notify(str(error))
                continue
            with closing(self._current):
                if self.stopped:
                    return
                yield number, self._current

    def stop(self) -> None:
        """Give no more frames, and no more sources; may be called by a signal handler."""
        self.stopped = True
        if self._current is not None:
            self._current.stop()

    def terminate(self) -> None:
        """As ``stop``, at SIGTERM."""
        self.terminated = True
        self.stop()

    def close(self) -> None:
        """Close what is open."""
        if self._current is not None:
            self._current.close()

    def _frames_of(self, word: str) -> int:
        """As the header states them; a source that cannot be opened has none, and fails when its turn comes."""
        try:
            with closing(self._opened(word)) as source:
                return source.frame_count or 0
        except CaptureError:
            return 0


def _expanded(words: Sequence[str], outputs: Mapping[str, Path]) -> list[tuple[str, Path]]:
    """A word and a name for each source, each file once."""
    from platereader.media._opening import parse_address

    options = {resolved(path): option for option, path in outputs.items()}
    found: dict[Path, tuple[str, Path]] = {}
    for word in words:
        address = parse_address(word)
        if len(words) > 1 and address.kind in {"webcam", "network"}:
            raise InvalidArgumentError(
                f"{address.shown} is one of several sources, which are watched one after the other: name files and "
                "folders, and start one command for each camera."
            )
        given = Path(word)
        if address.kind == "folder" and resolved(given) in options:
            continue  # one of a pattern's, from an earlier run
        videos = _videos_in(given, list(options)) if address.kind == "folder" else []
        for path in videos:
            found.setdefault(resolved(path), (str(path), path.relative_to(given)))
        if not videos:
            found.setdefault(resolved(given), (word, Path(given.name)))
    if not found:
        option = options[resolved(Path(words[0]))]
        raise refused(option, words[0], "the folder that is watched: name another one.")
    return list(found.values())


def _videos_in(folder: Path, without: Sequence[Path]) -> list[Path]:
    """The videos of a folder in the order of their names; none where it is a folder of frames.

    Links that lead nowhere and folders that cannot be read are among them, and fail when their turn comes.
    """
    from platereader.media._folder import name_order
    from platereader.media._images import IMAGE_SUFFIXES

    # What an earlier run wrote there does not say what the folder is of.
    top = [path for path in folder.iterdir() if not path.name.startswith(".")]
    pictures, videos = (
        any(path.suffix.lower() in suffixes and not made_here(path) for path in top)
        for suffixes in (IMAGE_SUFFIXES, VIDEO_SUFFIXES)
    )
    if pictures and not videos:
        return []
    found = sources_in(folder, VIDEO_SUFFIXES, without, Counter())
    return sorted((one.path for one in found if one.path != folder), key=name_order)
