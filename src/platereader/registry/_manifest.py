"""What is expected of a weight file: the manifest of the shipped ones, the sidecar of a user's own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal, TypeAlias, cast

from platereader._files import read_bytes, write_json
from platereader.errors import FileError, WeightsCorruptError, WeightsNotFoundError
from platereader.registry._contents import Format, WeightPrecision, contents_of

Kind: TypeAlias = Literal["detector", "refiner", "recognizer"]
"""What a weight file is for; the refiner is the second network of a detector, whose settings name it."""

MANIFEST_NAME = "weights.json"
"""File name of a manifest."""

MANIFEST_SCHEMA = 2
"""The one version of the manifest that is read."""

MAX_WEIGHT_BYTES = 1 << 30
"""Largest weight file that is read."""

_MAX_JSON_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class WeightEntry:
    """What a manifest or a sidecar says of one file.

    Attributes:
        model: how users call the weights; one model may have a file for each precision and format.
        file: bare file name.
        kind: what the file is for.
        precision: ``int8`` for quantised weights, ``fp32`` for any other.
        format: ``safetensors`` or ``onnx``.
        sha256: 64 lower-case hexadecimal digits.
        size_bytes: length of the file.
        licence: SPDX expression or words.
        url: where to fetch it from; None when it is only shipped.
        alphabet: characters that a recognizer tells apart, in the order of its classes; None for the Russian ones.
        settings: what else the model needs to run: shape and input size, thresholds.
        calibration: of a recognizer's confidence, as ``trust.Calibration`` has it in JSON; None without one.
    """

    model: str
    file: str
    kind: Kind
    precision: WeightPrecision
    format: Format
    sha256: str
    size_bytes: int = field(repr=False)
    licence: str = field(repr=False)
    url: str | None = field(default=None, repr=False)
    alphabet: str | None = field(default=None, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False, repr=False)
    calibration: Mapping[str, Any] | None = field(default=None, hash=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form, as it stands in a manifest."""
        values = {name: getattr(self, "size_bytes" if name == "bytes" else name) for name in _RULES}
        calibration = None if self.calibration is None else dict(self.calibration)
        return {**values, "settings": dict(self.settings), "calibration": calibration}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> WeightEntry:
        """Inverse of ``to_dict``; ``url``, ``alphabet`` and ``calibration`` may be left out.

        Raises:
            WeightsCorruptError: a field is missing or is not what it should be; the message names it.
        """
        for name, (is_right, expected) in _RULES.items():
            if not is_right(data.get(name)):
                raise WeightsCorruptError(
                    f"the description of the weights {data.get('model')!r} has {name} = {data.get(name)!r}, expected "
                    f"is {expected}: correct it, or reinstall the package if the file is not yours."
                )
        values: dict[str, Any] = {name: data.get(name) for name in _RULES}
        return cls(size_bytes=values.pop("bytes"), **values)


def load_manifest(path: Path) -> tuple[WeightEntry, ...]:
    """Read a manifest: ``{"schema": 2, "weights": [...]}``, each item as ``WeightEntry.to_dict`` gives it.

    Raises:
        WeightsNotFoundError: there is no such file.
        WeightsCorruptError: it is not such a manifest, or two entries have the same file, or the same model, precision
            and format.
    """
    data = _load_object(path)
    items = data.get("weights")
    if data.get("schema") != MANIFEST_SCHEMA or not isinstance(items, list):
        raise WeightsCorruptError(
            f"{path} is not a manifest of schema {MANIFEST_SCHEMA} with a list of weights: reinstall the package."
        )
    descriptions = cast("list[object]", items)
    if not all(isinstance(item, dict) for item in descriptions):
        raise WeightsCorruptError(f"{path} has a description that is no object: correct it, or reinstall the package.")
    entries = tuple(map(WeightEntry.from_dict, cast("list[dict[str, Any]]", descriptions)))
    for what in ([entry.file for entry in entries], [_key(entry) for entry in entries]):
        if len(set(what)) < len(what):
            raise WeightsCorruptError(
                f"{path} has two entries of one file, or of one model, precision and format: leave one of them."
            )
    return entries


def write_entry(path: Path, entry: WeightEntry) -> None:
    """Put one file into a manifest, in the place of the entry of that model, precision and format, or last."""
    known = {_key(one): one for one in load_manifest(path)} | {_key(entry): entry}
    write_json(path, {"schema": MANIFEST_SCHEMA, "weights": [one.to_dict() for one in known.values()]})


def sidecar_of(path: Path) -> Path:
    """Where the description of a user's own weight file lies: ``model.safetensors.json`` beside it."""
    return path.with_name(f"{path.name}.json")


def load_sidecar(path: Path, data: bytes) -> WeightEntry:
    """What the sidecar of a weight file says; what it leaves out is found in the file, or has its default.

    Raises:
        WeightsNotFoundError: there is no sidecar.
        WeightsCorruptError: it is not such an object; ``kind`` and ``sha256`` are required.
    """
    known = _known_of(path, data)
    named = {name: known[name] for name in ("model", "file")}  # whatever the sidecar calls them
    return WeightEntry.from_dict({**known, **_load_object(sidecar_of(path)), **named})


def entry_of(
    path: Path,
    data: bytes,
    *,
    kind: Kind,
    settings: Mapping[str, Any] | None = None,
    alphabet: str | None = None,
    calibration: Mapping[str, Any] | None = None,
    licence: str = "unknown",
) -> WeightEntry:
    """The entry of a file that nothing else describes."""
    given = {"kind": kind, "licence": licence, "alphabet": alphabet, "calibration": calibration}
    digest = {"sha256": hashlib.sha256(data).hexdigest(), "settings": dict(settings or {})}
    return WeightEntry.from_dict({**_known_of(path, data), **given, **digest})


def write_sidecar(
    path: Path,
    *,
    kind: Kind,
    settings: Mapping[str, Any],
    alphabet: str | None = None,
    calibration: Mapping[str, Any] | None = None,
    licence: str = "unknown",
) -> WeightEntry:
    """Describe a weight file of one's own, so that it is loaded by its path; returned is what the sidecar says.

    Args:
        path: the finished weight file; its size, sha256, format and precision are found in it as it is now.
        kind: what the file is for.
        settings: what the model needs to run, JSON-safe.
        alphabet: characters that a recognizer tells apart, in the order of its classes; None for the Russian ones.
        calibration: of a recognizer's confidence, as ``Calibration.to_dict`` gives it.
        licence: SPDX expression or words.

    Raises:
        FileError: the file cannot be read, or the sidecar not be written.
        WeightsCorruptError: it is neither a safetensors nor a whole ONNX file.
    """
    data = read_bytes(path, limit_bytes=MAX_WEIGHT_BYTES, what="the weights")
    entry = entry_of(
        path, data, kind=kind, settings=settings, alphabet=alphabet, calibration=calibration, licence=licence
    )
    described = {name: value for name, value in entry.to_dict().items() if name not in {"model", "file", "url"}}
    write_json(sidecar_of(path), described)
    return entry


def _key(entry: WeightEntry) -> tuple[str, str, str]:
    return entry.model, entry.precision, entry.format


def _known_of(path: Path, data: bytes) -> dict[str, Any]:
    """The fields that follow from the path and the bytes of a file, and the defaults of others."""
    contents = contents_of(data, name=str(path))
    found = {"format": contents.format, "precision": contents.precision, "bytes": len(data)}
    return {**found, "model": path.stem, "file": path.name, "licence": "unknown", "settings": {}}


def _load_object(path: Path) -> dict[str, Any]:
    try:
        data: object = json.loads(read_bytes(path, limit_bytes=_MAX_JSON_BYTES, what="the description of weights"))
    except FileError as error:
        raise WeightsNotFoundError(f"{error} Reinstall the package if the file is not yours.") from error
    except (ValueError, RecursionError) as error:
        raise WeightsCorruptError(f"{path} is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise WeightsCorruptError(f"{path} holds a JSON {type(data).__name__}, expected is an object.")
    return cast("dict[str, Any]", data)


def _is_bare_name(value: object) -> bool:
    """Whether joining ``value`` to a folder stays in that folder, on any system."""
    bare = isinstance(value, str) and value not in {"", ".", ".."}
    return bare and PurePosixPath(str(value)).name == value and PureWindowsPath(str(value)).name == value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _one_of(*words: str) -> tuple[Callable[[object], bool], str]:
    return lambda value: isinstance(value, str) and value in words, " or ".join(map(repr, words))


_RULES: dict[str, tuple[Callable[[object], bool], str]] = {
    "model": (_is_text, "a text"),
    "precision": _one_of("fp32", "int8"),
    "format": _one_of("safetensors", "onnx"),
    "file": (_is_bare_name, "a file name without folders"),
    "kind": _one_of("detector", "refiner", "recognizer"),
    "sha256": (
        lambda value: isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None,
        "64 lower-case hexadecimal digits",
    ),
    "bytes": (
        lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
        "the length of the file",
    ),
    "licence": (lambda value: isinstance(value, str), "a text"),
    "url": (lambda value: value is None or isinstance(value, str), "an address or null"),
    "alphabet": (lambda value: value is None or _is_text(value), "characters or null"),
    "settings": (lambda value: isinstance(value, dict), "an object"),
    "calibration": (lambda value: value is None or isinstance(value, dict), "an object or null"),
}
