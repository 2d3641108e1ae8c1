"""Exported files: the same bytes every time, nothing of the machine in them, and described where they lie."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from platereader.cli import main
from platereader.detection._plate_detector import PlateDetector
from platereader.errors import WeightsCorruptError
from platereader.lab.training.recognizer.export import export_recognizer
from platereader.registry import Registry, load_manifest, write_sidecar
from small_networks import SMALL, write_small


def test_the_detector_is_the_one_that_is_shipped(tmp_path: Path) -> None:
    made_of = Registry.default().resolve("plate-detector", file_format="safetensors")
    assert main(["train", "export", str(made_of.path), "--out", str(tmp_path)]) == 0
    path = tmp_path / "plate-detector.onnx"
    picture = np.random.default_rng(0).random((2, 3, 64, 96), np.float32)
    ours = PlateDetector.from_file(path, engine="onnx").runtime.run(picture)
    theirs = PlateDetector.from_file(made_of.path).runtime.run(picture)
    assert [part.shape for part in ours] == [(2, 64, 126), (2, 2, 126), (2, 8, 126)]
    for part, wanted in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(part, wanted, atol=2e-3)
    described = json.loads(path.with_name("plate-detector.onnx.json").read_text(encoding="utf-8"))
    assert (described["settings"], described["precision"]) == (made_of.settings, "fp32")
    data = path.read_bytes()
    assert not any(word in data for word in (b"site-packages", b"/src/", b".py", str(tmp_path).encode()))


@pytest.mark.parametrize("number", [0, 1])
def test_a_reader_is_exported_to_the_same_bytes(number: int, tmp_path: Path) -> None:
    weights = write_small(tmp_path)[number]
    digests = set()
    for name in ("first.onnx", "second.onnx"):
        export_recognizer(weights, tmp_path / name, settings=SMALL)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1
    operators = {node.op_type for node in onnx.load(tmp_path / "first.onnx").graph.node}
    assert ("QuantizeLinear" in operators) == (number == 1)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    for weights in write_small(tmp_path):
        with pytest.raises(WeightsCorruptError):
            export_recognizer(weights, tmp_path / "out.onnx", settings={**SMALL, "features": 24})
    assert not (tmp_path / "out.onnx").exists()


def test_a_manifest_in_the_folder_is_brought_up_to_date(tmp_path: Path) -> None:
    _, int8 = write_small(tmp_path)
    write_sidecar(int8, kind="recognizer", settings=SMALL, licence="MIT")
    shutil.copy(Registry.default().folders[-1] / "weights.json", tmp_path / "weights.json")
    before = {entry.file: entry for entry in load_manifest(tmp_path / "weights.json")}
    for _ in range(2):
        assert main(["train", "export", str(int8), "--out", str(tmp_path)]) == 0
    after = {entry.file: entry for entry in load_manifest(tmp_path / "weights.json")}
    new = after.pop("small-int8.onnx")
    assert after == before
    assert (new.model, new.kind, new.licence) == ("small-int8", "recognizer", "MIT")
    assert (new.settings, new.precision, new.format) == (SMALL, "int8", "onnx")
    assert new.sha256 == hashlib.sha256((tmp_path / new.file).read_bytes()).hexdigest()
