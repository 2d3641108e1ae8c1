"""Looking weights up, checking them and fetching them; see the package's docstring for the order of places."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from typing_extensions import Self

from platereader._files import as_path, is_file, read_bytes
from platereader.errors import (
    FileError,
    UnknownNameError,
    WeightsCorruptError,
    WeightsError,
    WeightsFetchError,
    WeightsNotFoundError,
)
from platereader.registry._contents import Contents, Format, WeightPrecision, contents_of
from platereader.registry._exported import exported_entry, understood_shapes
from platereader.registry._manifest import (
    MANIFEST_NAME,
    MAX_WEIGHT_BYTES,
    Kind,
    WeightEntry,
    entry_of,
    load_manifest,
    load_sidecar,
    sidecar_of,
)

MODELS_VARIABLE = "PLATEREADER_MODELS"
"""Environment variable with a folder that is searched first."""


@dataclass(frozen=True, slots=True)
class WeightFile:
    """The bytes of a weight file, whose size and sha256 were found right.

    The file was read once; what a parser gets are these bytes, whatever happens to the file afterwards. Pickled, it is
    its path and ``entry``; unpickled, the file is read and checked again.

    Attributes:
        path: where it was read.
        entry: what is expected of it.
        data: its bytes.
    """

    path: Path
    entry: WeightEntry
    data: bytes = field(repr=False, compare=False)

    @classmethod
    def read(
        cls, path: str | Path, *, kind: Kind, settings: Mapping[str, Any] | None = None, alphabet: str | None = None
    ) -> WeightFile:
        """Read a file without a manifest and without a sidecar; without an ``alphabet``, it is the Russian one.

        Raises:
            WeightsNotFoundError: there is no such file.
            WeightsCorruptError: it is neither a safetensors nor a whole ONNX file, or its tensors lie elsewhere.
        """
        data = _read(Path(path))
        return cls(Path(path), entry_of(Path(path), data, kind=kind, settings=settings, alphabet=alphabet), data)

    @property
    def name(self) -> str:
        """How users call the weights."""
        return self.entry.model

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

    def __reduce__(self) -> tuple[object, ...]:
        return _read_again, (self.path.absolute(), self.entry)

    def without_data(self) -> Self:
        """The same without its bytes, to be pickled later."""
        return replace(self, data=b"")

    def contents(self) -> Contents:
        """What the bytes say of themselves; nothing of them is run.

        Raises:
            WeightsCorruptError: they have another format or precision than ``entry`` says, or are an ONNX file whose
                tensors lie in other files.
        """
        found = contents_of(self.data, name=str(self.path))
        expected = self.entry.format, self.entry.precision
        if (found.format, found.precision) != expected:
            raise WeightsCorruptError(
                f"{self.path} holds {found.precision} weights in {found.format}, expected are {expected[1]} in "
                f"{expected[0]}: correct its description, or let write_sidecar make it."
            )
        return found


@dataclass(frozen=True, slots=True)
class WeightCheck:
    """Outcome of checking one entry of the manifest: a good file or what is wrong, never both.

    Attributes:
        entry: what is expected.
        file: the good file.
        error: what is wrong.
    """

    entry: WeightEntry
    file: WeightFile | None
    error: WeightsError | None

    def __repr__(self) -> str:
        return f"WeightCheck({self.entry.file!r}, {'good' if self.error is None else repr(self.error)})"


@dataclass(frozen=True, slots=True)
class Registry:
    """Known weights and the places where their files are looked for.

    Attributes:
        entries: what the manifest says of each file; of one model, the file that is preferred comes first.
        folders: places that are searched; the first that has the file wins.
        cache: the folder into which ``fetch`` puts files.
    """

    entries: tuple[WeightEntry, ...]
    folders: tuple[Path, ...]
    cache: Path

    def __repr__(self) -> str:
        return f"Registry({', '.join(self.names())}; {len(self.entries)} files)"

    @classmethod
    def default(cls) -> Registry:
        """The packaged manifest, with ``$PLATEREADER_MODELS``, the user's cache and the packaged files.

        Raises:
            WeightsNotFoundError: the package has no manifest.
            WeightsCorruptError: the manifest is damaged.
        """
        packaged, cache = packaged_folder(), cache_folder()
        chosen = os.environ.get(MODELS_VARIABLE)
        folders = (_expanded(Path(chosen)), cache, packaged) if chosen else (cache, packaged)
        return cls(load_manifest(packaged / MANIFEST_NAME), folders, cache)

    def names(self, *, kind: Kind | None = None) -> tuple[str, ...]:
        """Names of the models in the manifest, of one kind if given."""
        return tuple(dict.fromkeys(entry.model for entry in self.entries if kind in {None, entry.kind}))

    def entries_of(
        self, name: str, *, precision: WeightPrecision | None = None, file_format: Format | None = None
    ) -> tuple[WeightEntry, ...]:
        """What the manifest says of the files of a model, one or more, the preferred one first; None stands for any.

        Raises:
            UnknownNameError: no such name.
            WeightsNotFoundError: it has no such file.
        """
        files = tuple(entry for entry in self.entries if entry.model == name)
        if not files:
            raise self._unknown(name)
        matching = tuple(
            entry for entry in files if precision in {None, entry.precision} and file_format in {None, entry.format}
        )
        if not matching:
            known = ", ".join(f"{entry.precision} {entry.format}" for entry in files)
            raise WeightsNotFoundError(
                f"the weights {name!r} have no file of precision {precision or 'any'} and format "
                f"{file_format or 'any'}, there are {known}: choose one of these."
            )
        return matching

    def resolve(
        self, name_or_path: str | Path, *, precision: WeightPrecision | None = None, file_format: Format | None = None
    ) -> WeightFile:
        """The checked file behind a name of the manifest, or at a path.

        Args:
            name_or_path: a name, or a path: a ``Path``, or a text that has a folder or a file ending in it. A bare file
                name is also looked for in ``folders``.
            precision: of several files of one name, take one with such weights.
            file_format: of several files of one name, take one that is written so.

        Raises:
            UnknownNameError: no such name.
            WeightsNotFoundError: no file, or nothing that says what the file is; lists the places searched.
            WeightsCorruptError: size or sha256 differ from what is expected.
            InvalidArgumentError: neither a name nor a path.
        """
        given = as_path(name_or_path, name="name_or_path", advice=" or the name of weights")
        if isinstance(name_or_path, str) and name_or_path in self.names():
            return self.read(self.entries_of(name_or_path, precision=precision, file_format=file_format)[0])
        path = _expanded(given)
        if isinstance(name_or_path, str) and path.name == name_or_path and not path.suffix and not is_file(path):
            raise self._unknown(name_or_path)
        return self._resolve_path(path)

    def read(self, entry: WeightEntry) -> WeightFile:
        """The checked file of an entry, from the first folder that has it.

        Raises:
            WeightsNotFoundError: no folder has it.
            WeightsCorruptError: size or sha256 differ from what is expected.
        """
        for folder in self.folders:
            if is_file(folder / entry.file):
                return _checked(folder / entry.file, entry)
        raise WeightsNotFoundError(
            f"no file {entry.file} for the weights {entry.model!r} in {', '.join(map(str, self.folders))}. Reinstall "
            f"the package, run `platereader weights fetch {entry.model}`, or set ${MODELS_VARIABLE} to the folder that "
            "has it."
        )

    def verify(self) -> tuple[WeightCheck, ...]:
        """Look for and check the file of every entry of the manifest."""
        return tuple(map(self._verify, self.entries))

    def fetch(
        self,
        name: str,
        *,
        precision: WeightPrecision | None = None,
        file_format: Format | None = None,
        base_url: str | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> tuple[WeightFile, ...]:
        """Download the files of a model into ``cache``; a good file that is already there is left alone.

        With a detector come the files of its refiner.

        Args:
            name: a name of the manifest.
            precision: only the files with such weights.
            file_format: only the files that are written so.
            base_url: folder on a server that has the files; None takes the addresses in the manifest.
            progress: called with the number of bytes of every piece that arrives.

        Raises:
            UnknownNameError: no such name.
            WeightsNotFoundError: it has no such file.
            WeightsFetchError: the download did not come through, or there is no address; nothing is left behind.
        """
        entries = self.entries_of(name, precision=precision, file_format=file_format)
        second = entries[0].settings.get("refiner")
        if second in self.names(kind="refiner"):
            entries += self.entries_of(second, precision=precision, file_format=file_format)
        return tuple(self._fetch(entry, base_url=base_url, progress=progress) for entry in entries)

    def _fetch(
        self, entry: WeightEntry, *, base_url: str | None, progress: Callable[[int], object] | None
    ) -> WeightFile:
        from urllib.parse import quote

        from platereader.registry._fetch import download

        target = self.cache / entry.file
        with suppress(WeightsError):
            return _checked(target, entry)
        url = entry.url if base_url is None else f"{base_url.rstrip('/')}/{quote(entry.file)}"
        if url is None:
            raise WeightsFetchError(
                f"the manifest has no address for {entry.file!r}: it is shipped inside the package. To take it from a "
                "server of yours, name the folder there with --base-url."
            )
        download(url, target=target, sha256=entry.sha256, size_bytes=entry.size_bytes, progress=progress)
        return _checked(target, entry)

    def _verify(self, entry: WeightEntry) -> WeightCheck:
        try:
            return WeightCheck(entry, self.read(entry), None)
        except WeightsError as error:
            return WeightCheck(entry, None, error)

    def _resolve_path(self, path: Path) -> WeightFile:
        """The file at ``path``, known to the manifest or described by its sidecar or by itself.

        What the manifest knows, by its bytes or by its name, no sidecar describes otherwise.
        """
        bare = path.name == str(path)
        places = (path, *(folder / path for folder in self.folders)) if bare else (path,)
        found = next((place for place in places if is_file(place)), None)
        if found is None:
            raise WeightsNotFoundError(f"no weight file at {', '.join(map(str, places))}: check the path.")
        data = _read(found)
        sha256 = hashlib.sha256(data).hexdigest()
        known = next((entry for entry in self.entries if sha256 == entry.sha256 or found.name == entry.file), None)
        if known is None and is_file(sidecar_of(found)):
            known = load_sidecar(found, data)
        known = known or exported_entry(found, data)
        if known is not None:
            _compare(found, known, size_bytes=len(data), sha256=sha256)
            return WeightFile(found, known, data)
        contents = contents_of(data, name=str(found))  # says so of a damaged file
        raise WeightsNotFoundError(
            f"{found} is none of the known weights and has no description: put {sidecar_of(found).name} beside it, "
            'an object with "kind", "sha256" and "settings", such as platereader.registry.write_sidecar writes.'
            + understood_shapes(contents)
        )

    def _unknown(self, name: str) -> UnknownNameError:
        near = difflib.get_close_matches(name, self.names(), n=1)
        guess = f" Did you mean {near[0]!r}?" if near else ""
        return UnknownNameError(
            f"no weights are called {name!r}, known are {', '.join(self.names()) or 'none'}.{guess} "
            "A file of your own is given by its path."
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


def _expanded(path: Path) -> Path:
    """The path with the folder of a user in the place of ``~``; as it is where there is no such user."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def _read_again(path: Path, entry: WeightEntry) -> WeightFile:
    """The file that another process, or another machine, read at ``path``."""
    return _checked(path, entry) if is_file(path) else Registry.default().read(entry)


def _checked(path: Path, entry: WeightEntry) -> WeightFile:
    """The file, if it is what is expected."""
    data = _read(path)
    _compare(path, entry, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    return WeightFile(path, entry, data)


def _read(path: Path) -> bytes:
    try:
        return read_bytes(path, limit_bytes=MAX_WEIGHT_BYTES, what="the weights")
    except FileError as error:
        raise WeightsNotFoundError(str(error)) from error


def _compare(path: Path, entry: WeightEntry, *, size_bytes: int, sha256: str) -> None:
    advice = (
        "Delete it and reinstall the package or fetch it again; a file of your own needs a name that no packaged file "
        "has, and its own sha256 in its sidecar."
    )
    if size_bytes != entry.size_bytes:
        raise WeightsCorruptError(f"{path} has {size_bytes} bytes, expected are {entry.size_bytes}. {advice}")
    if sha256 != entry.sha256:
        raise WeightsCorruptError(f"{path} has the sha256 {sha256}, expected is {entry.sha256}. {advice}")
