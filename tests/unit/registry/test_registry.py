"""Names and paths to checked weight files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from platereader.errors import UnknownNameError, WeightsCorruptError, WeightsNotFoundError
from platereader.registry import Registry, WeightEntry, load_manifest, write_sidecar

DATA = b"weights" * 1000
MINE = (2).to_bytes(8, "little") + b"{}"  # safetensors without tensors


def description(data: bytes = DATA, **changes: object) -> dict[str, Any]:
    return {
        "model": "finder",
        "precision": "fp32",
        "format": "safetensors",
        "file": "finder.safetensors",
        "kind": "detector",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "licence": "AGPL-3.0-or-later",
        "url": None,
        "alphabet": None,
        "settings": {"input_px": [416, 416]},
        "calibration": None,
    } | changes


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A registry of two names; only the packaged file of the first exists."""
    folders = tuple(tmp_path / name for name in ("chosen", "cache", "packaged"))
    for folder in folders:
        folder.mkdir()
    (folders[2] / "finder.safetensors").write_bytes(DATA)
    entries = (description(), description(model="reader", file="reader.safetensors", kind="recognizer"))
    return Registry(tuple(map(WeightEntry.from_dict, entries)), folders, folders[1])


def test_a_name_resolves_to_the_packaged_file(registry: Registry) -> None:
    file = registry.resolve("finder")
    assert (file.name, file.kind, file.path.parent.name) == ("finder", "detector", "packaged")
    assert file.sha256 == hashlib.sha256(DATA).hexdigest()
    assert file.settings == {"input_px": [416, 416]}
    assert file.data == DATA


def test_places_are_searched_in_order(registry: Registry) -> None:
    for folder in ("cache", "chosen"):
        path = registry.cache.parent / folder / "finder.safetensors"
        path.write_bytes(DATA)
        assert registry.resolve("finder").path == path


def test_a_place_that_may_not_be_entered_is_passed_over(registry: Registry, lock: Callable[[Path], None]) -> None:
    """The cache of a service that runs as another user than its home belongs to."""
    before = registry.resolve("finder").path
    lock(registry.folders[0])
    assert registry.resolve("finder").path == before
    assert registry.folders[0] != before.parent


def test_a_user_that_there_is_not_has_no_weights(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsNotFoundError, match=r"no weight file at ~nobody-of-that-name/a.onnx"):
        registry.resolve("~nobody-of-that-name/a.onnx")
    monkeypatch.setenv("PLATEREADER_MODELS", "~nobody-of-that-name/models")
    assert Registry.default().resolve("plate-refiner").name == "plate-refiner"


def test_names_by_kind(registry: Registry) -> None:
    assert registry.names() == ("finder", "reader")
    assert registry.names(kind="recognizer") == ("reader",)


def test_an_unknown_name_is_answered_with_the_known_ones(registry: Registry) -> None:
    with pytest.raises(UnknownNameError, match=r"known are finder, reader\. Did you mean 'finder'"):
        registry.resolve("findr")


def test_a_missing_file_lists_every_place(registry: Registry) -> None:
    with pytest.raises(WeightsNotFoundError) as caught:
        registry.resolve("reader")
    assert all(str(folder) in str(caught.value) for folder in registry.folders)


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"x", b"", DATA[:-1] + b"X"], ids=["short", "long", "0", "altered"])
def test_other_bytes_are_refused_even_if_a_later_place_has_the_right_ones(registry: Registry, data: bytes) -> None:
    (registry.cache / "finder.safetensors").write_bytes(data)
    with pytest.raises(WeightsCorruptError, match="expected"):
        registry.resolve("finder")


def test_a_model_has_several_files(registry: Registry, tmp_path: Path) -> None:
    other = description(MINE, file="finder.onnx", format="onnx", precision="int8")
    (tmp_path / "packaged" / "finder.onnx").write_bytes(MINE)
    both = replace(registry, entries=(*registry.entries, WeightEntry.from_dict(other)))
    assert both.names() == ("finder", "reader")
    assert both.resolve("finder").path.name == "finder.safetensors"
    assert both.resolve("finder", precision="int8").path.name == "finder.onnx"
    assert both.resolve("finder", file_format="onnx").path.name == "finder.onnx"
    with pytest.raises(WeightsNotFoundError, match=r"int8 and format safetensors, there are fp32 safetensors, int8 o"):
        both.resolve("finder", precision="int8", file_format="safetensors")


def test_verify_reports_each_entry(registry: Registry) -> None:
    good, missing = registry.verify()
    assert good.file == registry.resolve("finder")
    assert good.error is None
    assert missing.file is None
    assert isinstance(missing.error, WeightsNotFoundError)


def own_file(folder: Path, sidecar: dict[str, Any] | None, data: bytes = MINE) -> Path:
    path = folder / "мой файл.safetensors"
    path.write_bytes(data)
    if sidecar is not None:
        path.with_name(path.name + ".json").write_text(json.dumps(sidecar), encoding="utf-8")
    return path


def sidecar(**changes: object) -> dict[str, Any]:
    return {"kind": "recognizer", "sha256": hashlib.sha256(MINE).hexdigest(), "settings": {"a": 1}} | changes


def test_a_users_own_file_comes_with_a_sidecar(registry: Registry, tmp_path: Path) -> None:
    path = own_file(tmp_path, sidecar())
    for given in (path, str(path)):
        file = registry.resolve(given)
        assert (file.path, file.name, file.kind, file.settings) == (path, "мой файл", "recognizer", {"a": 1})


def test_a_bare_file_name_is_looked_for_in_the_places(registry: Registry) -> None:
    path = own_file(registry.folders[0], sidecar())
    assert registry.resolve(path.name).path == path


def test_a_file_without_an_ending_may_be_given_by_its_bare_name(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own").write_bytes(DATA)
    assert registry.resolve("own").name == "finder"
    with pytest.raises(UnknownNameError, match="no weights are called 'other'"):
        registry.resolve("other")


def test_a_sidecar_can_be_written(registry: Registry, tmp_path: Path) -> None:
    path = own_file(tmp_path, None)
    entry = write_sidecar(path, kind="detector", settings={"input_size": 640})
    file = registry.resolve(path)
    assert (file.entry, file.path) == (entry, path)
    path.write_bytes(MINE + b" ")
    with pytest.raises(WeightsCorruptError):
        registry.resolve(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sha256": "0" * 64}, "sha256"),
        ({"sha256": "0" * 63}, "sha256"),
        ({"bytes": 3}, "bytes"),
        ({"kind": "tracker"}, "kind"),
        ({"kind": ["detector"]}, "kind"),
        ({"precision": "fp16"}, "precision"),
        ({"format": "pt"}, "format"),
        ({"alphabet": 5}, "alphabet"),
        ({"calibration": 1.0}, "calibration"),
        ({"settings": [1]}, "settings"),
        ({"settings": None}, "settings"),
    ],
)
def test_a_wrong_sidecar_is_refused(registry: Registry, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(WeightsCorruptError, match=message):
        registry.resolve(own_file(tmp_path, sidecar(**changes)))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00", "[" * 100_000, '{"kind": "\\ud800"}'])
def test_a_sidecar_that_is_no_object_is_refused(registry: Registry, tmp_path: Path, text: str) -> None:
    path = own_file(tmp_path, None)
    path.with_name(path.name + ".json").write_text(text, encoding="utf-8")
    with pytest.raises(WeightsCorruptError):
        registry.resolve(path)


def test_a_file_without_description_is_refused(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFoundError, match="no description") as caught:
        registry.resolve(own_file(tmp_path, None))
    assert "YOLO" not in str(caught.value)


def test_a_damaged_file_without_description_is_called_damaged(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(WeightsCorruptError, match="neither a safetensors nor an ONNX file"):
        registry.resolve(own_file(tmp_path, None, (1).to_bytes(8, "little") + b"{"))


def test_a_copy_of_known_weights_needs_no_description(registry: Registry, tmp_path: Path) -> None:
    assert registry.resolve(own_file(tmp_path, None, DATA)).name == "finder"


def test_a_sidecar_never_beats_the_manifest(registry: Registry, tmp_path: Path) -> None:
    copy = own_file(tmp_path, {"kind": "recognizer", "sha256": hashlib.sha256(DATA).hexdigest(), "settings": {}}, DATA)
    assert registry.resolve(copy).kind == "detector"
    path = registry.folders[2] / "finder.safetensors"
    path.write_bytes(MINE)
    write_sidecar(path, kind="detector", settings={})
    for given in ("finder", path):
        with pytest.raises(WeightsCorruptError, match="a file of your own needs a name that no packaged file has"):
            registry.resolve(given)


def test_a_sidecar_that_says_another_precision_is_refused_when_it_is_loaded(registry: Registry, tmp_path: Path) -> None:
    path = own_file(tmp_path, sidecar(precision="int8"))
    with pytest.raises(
        WeightsCorruptError, match="holds fp32 weights in safetensors, expected are int8 in safetensors"
    ):
        registry.resolve(path).contents()


def test_an_altered_file_with_the_name_of_known_weights_is_refused(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "finder.safetensors"
    path.write_bytes(DATA[:100])
    with pytest.raises(WeightsCorruptError):
        registry.resolve(path)


@pytest.mark.parametrize("given", ["nowhere/x.safetensors", "x.safetensors", Path("x"), Path(__file__).parent])
def test_a_path_to_no_file(registry: Registry, given: str | Path) -> None:
    with pytest.raises(WeightsNotFoundError, match=Path(given).name):
        registry.resolve(given)


def test_an_entry_goes_through_a_dictionary(registry: Registry) -> None:
    for entry in registry.entries:
        assert WeightEntry.from_dict(json.loads(json.dumps(entry.to_dict()))) == entry


@pytest.mark.parametrize("file", ["../a", "/a", "a/b", "a\\b", "C:\\a", "", ".", "..", 5, None])
def test_an_entry_cannot_leave_its_folder(file: object) -> None:
    with pytest.raises(WeightsCorruptError, match="file"):
        WeightEntry.from_dict(description(file=file))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        json.dumps({"schema": 1, "weights": []}),
        json.dumps({"schema": 2, "weights": {}}),
        json.dumps({"schema": 2, "weights": [{}]}),
        json.dumps({"schema": 2, "weights": ["finder"]}),
        json.dumps({"schema": 2, "weights": [None]}),
        json.dumps({"schema": 2, "weights": [description(bytes=True)]}),
        json.dumps({"schema": 2, "weights": "finder"}),
        '{"schema": 2, "weights": ' + "[" * 100_000,
        json.dumps({"schema": 2, "weights": [description(), description(model="other")]}),
        json.dumps({"schema": 2, "weights": [description(), description(file="other")]}),
    ],
)
def test_a_damaged_manifest_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "weights.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(WeightsCorruptError):
        load_manifest(path)


def test_a_missing_manifest(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFoundError):
        load_manifest(tmp_path / "weights.json")


def test_the_default_registry_looks_in_the_documented_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATEREADER_MODELS", str(tmp_path / "chosen"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    registry = Registry.default()
    assert registry.folders[:2] == (tmp_path / "chosen", tmp_path / "cache" / "platereader")
    assert registry.cache == registry.folders[1]
    assert registry.folders[2].name == "models"
    monkeypatch.delenv("PLATEREADER_MODELS")
    assert Registry.default().folders == registry.folders[1:]


@pytest.mark.parametrize("header", ["[" * 100_000, '{"__metadata__": [1]}', '{"__metadata__": "a"}', "{"])
def test_a_header_that_is_no_header_is_refused(tmp_path: Path, header: str) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode())
    with pytest.raises(WeightsCorruptError, match="neither a safetensors nor an ONNX file"):
        write_sidecar(path, kind="detector", settings={})
