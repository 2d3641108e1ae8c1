"""Looking weights up, checking them and fetching them; see the package's docstring for the order of places."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platereader.errors import (
    UnknownNameError,
    WeightsCorruptError,
    WeightsError,
    WeightsFetchError,
    WeightsNotFoundError,
)
from platereader.registry._manifest import MANIFEST_NAME, Kind, WeightEntry, load_manifest, load_sidecar, sidecar_of

MODELS_VARIABLE = "PLATEREADER_MODELS"
"""Environment variable with a folder that is searched first."""


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A weight file whose size and sha256 were found right.

    Attributes:
        path: where it lies.
        entry: what was promised of it.
    """

    path: Path
    entry: WeightEntry

    @property
    def name(self) -> str:
        """How users call the weights."""
        return self.entry.name

    @property
    def kind(self) -> Kind:
        """What the file is for."""
        return self.entry.kind

    @property
    def sha256(self) -> str:
        """64 lower-case hexadecimal digits."""
        return self.entry.sha256

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the model needs to run."""
        return self.entry.settings

    def read_bytes(self) -> bytes:
        """The file's bytes, checked again after reading: what a parser gets is what was promised.

        Raises:
            WeightsNotFoundError: the file has gone or cannot be read.
            WeightsCorruptError: the file has changed.
        """
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise WeightsNotFoundError(f"cannot read the weights {self.path}: {error}.") from error
        _compare(self.path, self.entry, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        return data


@dataclass(frozen=True, slots=True)
class WeightCheck:
    """Outcome of checking one entry of the manifest: a good file or what is wrong, never both.

    Attributes:
        entry: what was promised.
        file: the good file.
        error: what is wrong.
    """

    entry: WeightEntry
    file: WeightFile | None
    error: WeightsError | None


@dataclass(frozen=True, slots=True)
class Registry:
    """Known weights and the places where their files are looked for.

    Attributes:
        entries: what the manifest promises, in its order.
        folders: places that are searched; the first that has the file wins.
        cache: the folder into which ``fetch`` puts files.
    """

    entries: tuple[WeightEntry, ...]
    folders: tuple[Path, ...]
    cache: Path

    @classmethod
    def default(cls) -> Registry:
        """The packaged manifest, with ``$PLATEREADER_MODELS``, the user's cache and the packaged files.

        Raises:
            WeightsNotFoundError: the package has no manifest.
            WeightsCorruptError: the manifest is damaged.
        """
        packaged, cache = packaged_folder(), cache_folder()
        chosen = os.environ.get(MODELS_VARIABLE)
        folders = (Path(chosen).expanduser(), cache, packaged) if chosen else (cache, packaged)
        return cls(load_manifest(packaged / MANIFEST_NAME), folders, cache)

    def names(self, *, kind: Kind | None = None) -> tuple[str, ...]:
        """Names in the manifest, of one kind if given."""
        return tuple(entry.name for entry in self.entries if kind in {None, entry.kind})

    def entry(self, name: str) -> WeightEntry:
        """What the manifest promises of ``name``.

        Raises:
            UnknownNameError: no such name.
        """
        for entry in self.entries:
            if entry.name == name:
                return entry
        near = difflib.get_close_matches(name, self.names(), n=1)
        guess = f" Did you mean {near[0]!r}?" if near else ""
        raise UnknownNameError(
            f"no weights are called {name!r}, known are {', '.join(self.names()) or 'none'}.{guess} "
            "A file of your own is given by its path."
        )

    def resolve(self, name_or_path: str | Path) -> WeightFile:
        """The checked file behind a name of the manifest, or at a path.

        Args:
            name_or_path: a name, or a path: a ``Path``, or a text that has a folder or a file ending in it. A bare file
                name is also looked for in ``folders``.

        Raises:
            UnknownNameError: no such name.
            WeightsNotFoundError: no file, or nothing that says what the file is; lists the places searched.
            WeightsCorruptError: size or sha256 differ from what was promised.
        """
        if isinstance(name_or_path, str) and name_or_path in self.names():
            return self._resolve_name(self.entry(name_or_path))
        path = Path(name_or_path).expanduser()
        if isinstance(name_or_path, str) and path.name == name_or_path and not path.suffix and not path.is_file():
            self.entry(name_or_path)
        return self._resolve_path(path)

    def verify(self) -> tuple[WeightCheck, ...]:
        """Look for and check the file of every entry of the manifest."""
        return tuple(self._verify(entry) for entry in self.entries)

    def fetch(
        self, name: str, *, base_url: str | None = None, progress: Callable[[int], object] | None = None
    ) -> WeightFile:
        """Download weights into ``cache``; a good file that is already there is left alone.

        Args:
            name: a name of the manifest.
            base_url: folder on a server that has the file; None takes the address in the manifest.
            progress: called with the number of bytes of every piece that arrives.

        Raises:
            UnknownNameError: no such name.
            WeightsFetchError: the download did not come through, or there is no address; nothing is left behind.
        """
        from urllib.parse import quote

        from platereader.registry._fetch import download

        entry = self.entry(name)
        target = self.cache / entry.file
        url = entry.url if base_url is None else f"{base_url.rstrip('/')}/{quote(entry.file)}"
        if url is None:
            raise WeightsFetchError(
                f"the manifest has no address for {name!r}: it is shipped inside the package. To take it from a server "
                "of yours, name the folder there with --base-url."
            )
        try:
            return _checked(target, entry)
        except WeightsError:
            download(url, target=target, sha256=entry.sha256, size_bytes=entry.size_bytes, progress=progress)
        return _checked(target, entry)

    def _verify(self, entry: WeightEntry) -> WeightCheck:
        try:
            return WeightCheck(entry, self._resolve_name(entry), None)
        except WeightsError as error:
            return WeightCheck(entry, None, error)

    def _resolve_name(self, entry: WeightEntry) -> WeightFile:
        """The file of that entry in the first folder that has it."""
        for folder in self.folders:
            if (folder / entry.file).is_file():
                return _checked(folder / entry.file, entry)
        raise WeightsNotFoundError(
            f"no file {entry.file} for the weights {entry.name!r} in {_listed(self.folders)}. Reinstall the package, "
            f"run `platereader weights fetch {entry.name}`, or set ${MODELS_VARIABLE} to the folder that has it."
        )

    def _resolve_path(self, path: Path) -> WeightFile:
        """The file at ``path``, described by its sidecar or known to the manifest."""
        bare = path.name == str(path)
        places = (path, *(folder / path for folder in self.folders)) if bare else (path,)
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            raise WeightsNotFoundError(f"no weight file at {_listed(places)}: check the path.")
        if sidecar_of(found).is_file():
            return _checked(found, load_sidecar(found))
        _, sha256 = _measure(found)
        for entry in self.entries:
            if entry.sha256 == sha256 or entry.file == found.name:
                return _checked(found, entry)
        raise WeightsNotFoundError(
            f"{found} is none of the known weights and has no description: put {sidecar_of(found).name} beside it, "
            'an object with "kind", "sha256" and "settings".'
        )


def packaged_folder() -> Path:
    """Where the shipped weights lie: inside the package, or in ``models/`` of a source checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "models"
    return inside if (inside / MANIFEST_NAME).is_file() else package.parent.parent / "models"


def cache_folder() -> Path:
    """The user's cache, where the system keeps such folders: ``~/.cache/platereader`` on Linux."""
    from platformdirs import user_cache_path

    return user_cache_path("platereader", appauthor=False)


def _checked(path: Path, entry: WeightEntry) -> WeightFile:
    """The file, if it is what was promised."""
    size_bytes, sha256 = _measure(path)
    _compare(path, entry, size_bytes=size_bytes, sha256=sha256)
    return WeightFile(path, entry)


def _measure(path: Path) -> tuple[int, str]:
    """Size in bytes and sha256 of a file."""
    digest, size_bytes = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                size_bytes += len(chunk)
                digest.update(chunk)
    except OSError as error:
        raise WeightsNotFoundError(f"cannot read the weights {path}: {error}.") from error
    return size_bytes, digest.hexdigest()


def _compare(path: Path, entry: WeightEntry, *, size_bytes: int, sha256: str) -> None:
    """Refuse a file that is not the promised one."""
    advice = "Delete it and reinstall the package or fetch it again; for a file of your own, correct its sidecar."
    if size_bytes != entry.size_bytes:
        raise WeightsCorruptError(f"{path} has {size_bytes} bytes, promised are {entry.size_bytes}. {advice}")
    if sha256 != entry.sha256:
        raise WeightsCorruptError(f"{path} has the sha256 {sha256}, promised is {entry.sha256}. {advice}")


def _listed(places: tuple[Path, ...]) -> str:
    """Places in words."""
    return ", ".join(str(place) for place in places)
