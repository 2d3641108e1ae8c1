"""What is promised of a weight file: the manifest of the shipped ones, the sidecar of a user's own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal, TypeAlias, cast

from platereader._files import write_json
from platereader.errors import WeightsCorruptError, WeightsNotFoundError

Kind: TypeAlias = Literal["detector", "recognizer"]
"""What a weight file is for."""

MANIFEST_NAME = "weights.json"
"""File name of a manifest."""

MANIFEST_SCHEMA = 1
"""The one version of the manifest that is read."""


@dataclass(frozen=True, slots=True)
class WeightEntry:
    """What a manifest or a sidecar promises of one file.

    Attributes:
        name: how users call the weights.
        file: bare file name.
        kind: what the file is for.
        sha256: 64 lower-case hexadecimal digits.
        size_bytes: length of the file.
        licence: SPDX expression or words.
        url: where to fetch it from; None when it is only shipped.
        settings: what the model needs to run: input size, alphabet, normalisation, thresholds, calibration.
    """

    name: str
    file: str
    kind: Kind
    sha256: str
    size_bytes: int
    licence: str
    url: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form, as it stands in a manifest."""
        return {
            "name": self.name,
            "file": self.file,
            "kind": self.kind,
            "sha256": self.sha256,
            "bytes": self.size_bytes,
            "licence": self.licence,
            "url": self.url,
            "settings": dict(self.settings),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> WeightEntry:
        """Inverse of ``to_dict``; ``url`` may be left out.

        Raises:
            WeightsCorruptError: a field is missing or is not what it should be; the message names it.
        """
        for name, (is_right, expected) in _RULES.items():
            if not is_right(data.get(name)):
                raise WeightsCorruptError(
                    f"the description of the weights {data.get('name')!r} has {name} = {data.get(name)!r}, expected is "
                    f"{expected}: correct it, or reinstall the package if the file is not yours."
                )
        return cls(
            data["name"],
            data["file"],
            data["kind"],
            data["sha256"],
            data["bytes"],
            data["licence"],
            data.get("url"),
            data["settings"],
        )


def load_manifest(path: Path) -> tuple[WeightEntry, ...]:
    """Read a manifest: ``{"schema": 1, "weights": [...]}``, each item as ``WeightEntry.to_dict`` gives it.

    Raises:
        WeightsNotFoundError: there is no such file.
        WeightsCorruptError: it is not such a manifest, or a name comes twice.
    """
    data = _load_object(path)
    items = data.get("weights")
    if data.get("schema") != MANIFEST_SCHEMA or not isinstance(items, list):
        raise WeightsCorruptError(
            f"{path} is not a manifest of schema {MANIFEST_SCHEMA} with a list of weights: reinstall the package."
        )
    entries = tuple(WeightEntry.from_dict(item) for item in cast("list[dict[str, Any]]", items))
    names = [entry.name for entry in entries]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise WeightsCorruptError(f"{path} has the name {', '.join(twice)} more than once: names must differ.")
    return entries


def write_entry(path: Path, entry: WeightEntry) -> None:
    """Put what is promised of one file into a manifest, in the place of what it said of that name before, or last.

    Raises:
        WeightsNotFoundError: there is no such file.
        WeightsCorruptError: it is not a manifest.
    """
    known = {one.name: one for one in load_manifest(path)} | {entry.name: entry}
    data = {"schema": MANIFEST_SCHEMA, "weights": [one.to_dict() for one in known.values()]}
    write_json(path, data)


def sidecar_of(path: Path) -> Path:
    """Where the description of a user's own weight file lies: ``model.safetensors.json`` beside it."""
    return path.with_name(f"{path.name}.json")


def load_sidecar(path: Path) -> WeightEntry:
    """What the sidecar of the weight file ``path`` promises: ``kind``, ``sha256``, ``settings``, maybe ``licence``.

    Raises:
        WeightsNotFoundError: there is no sidecar.
        WeightsCorruptError: it is not such an object.
    """
    data = {"licence": "unknown", "bytes": path.stat().st_size, **_load_object(sidecar_of(path))}
    return WeightEntry.from_dict({**data, "name": path.stem, "file": path.name})


def write_sidecar(path: Path, *, kind: Kind, settings: Mapping[str, Any], licence: str = "unknown") -> WeightEntry:
    """Describe a weight file of one's own, so that ``Registry.resolve`` takes it by its path.

    Args:
        path: the finished weight file; its size and sha256 are taken as they are now.
        kind: what the file is for.
        settings: what the model needs to run, JSON-safe.
        licence: SPDX expression or words.

    Returns:
        What the sidecar promises.
    """
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    entry = WeightEntry(path.stem, path.name, kind, sha256, len(data), licence, settings=settings)
    promised = {name: value for name, value in entry.to_dict().items() if name not in {"name", "file", "url"}}
    write_json(sidecar_of(path), promised)
    return entry


def _load_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file."""
    try:
        data: object = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsNotFoundError(f"cannot read {path}: {error}. Reinstall the package or check the path.") from error
    except ValueError as error:
        raise WeightsCorruptError(f"{path} is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise WeightsCorruptError(f"{path} holds a JSON {type(data).__name__}, expected is an object.")
    return cast("dict[str, Any]", data)


def _is_bare_name(value: object) -> bool:
    """Whether joining ``value`` to a folder stays in that folder, on any system."""
    bare = isinstance(value, str) and value not in {"", ".", ".."}
    return bare and PurePosixPath(str(value)).name == value and PureWindowsPath(str(value)).name == value


_RULES: dict[str, tuple[Callable[[object], bool], str]] = {
    "name": (lambda value: isinstance(value, str) and value != "", "a text"),
    "file": (_is_bare_name, "a file name without folders"),
    "kind": (lambda value: value in {"detector", "recognizer"}, "'detector' or 'recognizer'"),
    "sha256": (
        lambda value: isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None,
        "64 lower-case hexadecimal digits",
    ),
    "bytes": (lambda value: isinstance(value, int) and value >= 0, "the length of the file"),
    "licence": (lambda value: isinstance(value, str), "a text"),
    "url": (lambda value: value is None or isinstance(value, str), "an address or null"),
    "settings": (lambda value: isinstance(value, dict), "an object"),
}
