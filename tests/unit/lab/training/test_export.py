"""Exported files: the same bytes every time, nothing of the machine in them, and described where they lie."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from small_detector import write_small_detector

from platereader._loading import load_detector
from platereader.cli import main
from platereader.errors import WeightsCorruptError
from platereader.lab.training.recognizer.export import export_recognizer
from platereader.registry import Registry, WeightFile, load_manifest, write_sidecar
from platereader.runtimes import RuntimeOptions
from platereader.runtimes._loaded import exported_runtime
from small_networks import SMALL, write_small


def test_a_detector_is_exported_as_it_is_and_described(tmp_path: Path) -> None:
    made_of = write_small_detector(tmp_path / "made", min_score=0.0)
    out = tmp_path / "out"
    assert main(["train", "export", str(made_of), "--out", str(out)]) == 0
    assert {path.name for path in out.glob("*.onnx")} == {"small-finder.onnx", "small-refiner.onnx"}
    frame = np.random.default_rng(0).integers(0, 256, (96, 160, 3), np.uint8)
    theirs, ours = (
        load_detector(path, options=RuntimeOptions(engine, "fp32")).detect([frame])[0]
        for path, engine in ((made_of, "torch"), (out / "small-finder.onnx", "onnx"))
    )
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.box.to_tuple(), other.box.to_tuple(), atol=0.05)
        assert one.score == pytest.approx(other.score, abs=1e-3)
    described = json.loads((out / "small-finder.onnx.json").read_text(encoding="utf-8"))
    settings = Registry.default().resolve(made_of).settings
    assert main(["train", "export", str(made_of.with_name("small-refiner.safetensors")), "--out", str(out)]) == 2
    assert described["settings"] == {**settings, "refiner": "small-refiner.onnx"}
    for path in out.glob("*.onnx"):
        data = path.read_bytes()
        assert not any(word in data for word in (b"site-packages", b"/src/", b".py", str(tmp_path).encode()))


def test_the_exported_detector_is_the_one_that_is_shipped(tmp_path: Path) -> None:
    assert main(["train", "export", "plate-detector", "--out", str(tmp_path)]) == 0
    for name in ("plate-detector", "plate-refiner"):
        shipped = Registry.default().resolve(name, precision="fp32", file_format="onnx")
        picture = np.random.default_rng(0).integers(0, 256, (2, 64, 128, 3), dtype=np.uint8)
        ours, theirs = (
            exported_runtime(data, name=name, engine="onnx").run(picture)
            for data in ((tmp_path / shipped.path.name).read_bytes(), shipped.data)
        )
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, atol=2e-3)


@pytest.mark.parametrize("number", [0, 1])
def test_a_reader_is_exported_to_the_same_bytes(number: int, tmp_path: Path) -> None:
    weights = write_small(tmp_path)[number]
    digests = set()
    for name in ("first.onnx", "second.onnx"):
        export_recognizer(WeightFile.read(weights, kind="recognizer", settings=SMALL), tmp_path / name)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1
    operators = {node.op_type for node in onnx.load(tmp_path / "first.onnx").graph.node}
    assert ("QuantizeLinear" in operators) == (number == 1)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    for path in write_small(tmp_path):
        weights = WeightFile.read(path, kind="recognizer", settings={**SMALL, "features": 24})
        with pytest.raises(WeightsCorruptError, match=path.name):
            export_recognizer(weights, tmp_path / "out.onnx")
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
