"""Real films with a list of what drives through them: each plate has to be answered once, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import cv2

from platereader._arrays import BgrImage
from platereader.errors import DatasetError, MediaFileError
from platereader.pipeline import Pipeline
from platereader.results import TrackedPlate

__all__ = ["Film", "FilmOutcome", "load_films", "watch_film"]


@dataclass(frozen=True, slots=True)
class Film:
    """A film and what is known of it.

    Attributes:
        path: the file.
        frames: how many.
        fps: frames per second.
        plates: texts of the plates that pass; None where nobody listed them.
    """

    path: Path
    frames: int
    fps: float
    plates: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class FilmOutcome:
    """What was said of a film.

    Attributes:
        file: its name.
        plates: texts of the plates that pass; None where nobody listed them.
        read: finished tracks of status ``read``, as their texts.
        tracks: all finished tracks.
        frames: how many frames.
        frames_per_s: followed in a second, decoding left out.
    """

    file: str
    plates: tuple[str, ...] | None
    read: tuple[str, ...]
    tracks: int
    frames: int
    frames_per_s: float

    @property
    def right(self) -> bool | None:
        """Whether every plate was read exactly once and nothing else was; None where the plates are not known."""
        return None if self.plates is None else Counter(self.read) == Counter(self.plates)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {**asdict(self), "right": self.right}


def load_films(folder: Path) -> tuple[Film, ...]:
    """The films that ``labels.json`` in a folder lists; none where there is no such file.

    Raises:
        DatasetError: the list is broken, or a film is missing.
    """
    labels = folder / "labels.json"
    if not labels.is_file():
        return ()
    try:
        rows = cast("dict[str, dict[str, Any]]", json.loads(labels.read_text(encoding="utf-8")))
        films = tuple(_film(folder / name, row) for name, row in rows.items())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f'{labels} is no list of films ({error!r}): expected is {{"file.mp4": {{"frames": 100, "fps": 25, '
            '"plates": ["A123BC77"]}}, with null for plates that nobody listed.'
        ) from error
    for film in films:
        if not film.path.is_file():
            raise DatasetError(f"{labels} lists {film.path.name}, which is not there.")
    return films


def watch_film(pipeline: Pipeline, film: Film, *, on_frame: Callable[[], None] | None = None) -> FilmOutcome:
    """Follow the plates through a film.

    Args:
        pipeline: what to measure.
        film: what to watch.
        on_frame: called after each frame, for a progress bar.

    Raises:
        MediaFileError: the film cannot be decoded.
    """
    stream = pipeline.stream()
    finished: list[TrackedPlate] = []
    seconds, frames = 0.0, 0
    for number, pixels in enumerate(_frames(film.path)):
        start = perf_counter()
        finished += stream.update(pixels, number / film.fps).finished
        seconds += perf_counter() - start
        frames += 1
        if on_frame is not None:
            on_frame()
    finished += stream.finish().finished
    read = tuple(plate.text for plate in finished if plate.status == "read" and plate.text is not None)
    speed = frames / seconds if seconds else 0.0
    return FilmOutcome(film.path.name, film.plates, read, len(finished), frames, speed)


def _film(path: Path, row: dict[str, Any]) -> Film:
    plates = row["plates"]
    return Film(path, int(row["frames"]), float(row["fps"]), None if plates is None else tuple(map(str, plates)))


def _frames(path: Path) -> Iterator[BgrImage]:
    """All frames of a film."""
    film = cv2.VideoCapture(str(path))
    try:
        good, pixels = film.read()
        if not good:
            raise MediaFileError(f"{path} cannot be decoded: check that it plays, and that OpenCV has its codec.")
        while good:
            yield cast(BgrImage, pixels)
            good, pixels = film.read()
    finally:
        film.release()
