"""A pipeline is sent to another process as what it was made from; a fork of a process that computed is refused."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fakes import TEXTS, frame_with, patch_pipeline
from platereader import Box, Pipeline, Registry, WeightsCorruptError, WeightsNotFoundError
from platereader._defaults import RECOGNIZER_WEIGHTS
from platereader.detection import TiledDetector
from platereader.media import read_image
from platereader.recognition import CtcRecognizer
from platereader.registry import write_sidecar
from small_networks import SMALL, plates, write_small

EXAMPLE = min((Path(__file__).resolve().parents[2] / "examples" / "pictures").glob("*.jpg"))


@pytest.fixture
def reader(tmp_path: Path) -> CtcRecognizer:
    """A small reader of one's own, from a file in ``tmp_path``."""
    path, _ = write_small(tmp_path)
    write_sidecar(path, kind="recognizer", settings=SMALL)
    return CtcRecognizer.from_weights(Registry.default().resolve(path))


def test_a_pool_reads_with_the_pipeline_of_this_process() -> None:
    pytest.importorskip("onnxruntime")
    pipeline = Pipeline.build(engine="onnx", precision="fp32", threads=1, min_score=0.4)
    tiled = Pipeline(replace(pipeline.parts, detector=TiledDetector(pipeline.detector)))
    frame = read_image(EXAMPLE)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        readings, described = pool.submit(tiled.read, frame), pool.submit(tiled.describe)
        assert readings.result(timeout=600) == tiled.read(frame)
        assert described.result(timeout=600) == tiled.describe()


def test_what_is_sent_is_small_and_holds_no_weights(reader: CtcRecognizer) -> None:
    assert len(pickle.dumps(reader)) < 3000


def test_a_pipeline_of_own_parts_is_sent_if_they_are() -> None:
    frame = frame_with(dict(zip(TEXTS, [Box(10, 10, 110, 40), Box(150, 60, 250, 90)], strict=False)))
    received = pickle.loads(pickle.dumps(patch_pipeline()))  # noqa: S301  # its own
    assert received.read(frame) == patch_pipeline().read(frame)


def test_the_serializer_of_ray_sends_it(reader: CtcRecognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    cloudpickle = pytest.importorskip("ray.cloudpickle")
    received = cloudpickle.loads(cloudpickle.dumps(reader))
    np.testing.assert_array_equal(received.recognize(plates(2)), reader.recognize(plates(2)))


def test_weights_that_changed_meanwhile_are_refused(reader: CtcRecognizer, tmp_path: Path) -> None:
    sent = pickle.dumps(reader)
    path = tmp_path / "small.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsCorruptError, match="sha256"):
        pickle.loads(sent)  # noqa: S301  # its own
    path.unlink()
    with pytest.raises(WeightsNotFoundError, match="small"):
        pickle.loads(sent)  # noqa: S301  # its own


def test_packaged_weights_are_found_in_the_installation_that_receives_them() -> None:
    file = Registry.default().resolve(RECOGNIZER_WEIGHTS)
    elsewhere = pickle.dumps(replace(file, path=Path("/another/machine") / file.path.name))
    received = pickle.loads(elsewhere)  # noqa: S301  # its own
    assert (received.data, received.entry) == (file.data, file.entry)


FORKED = """
import os, signal, sys
from pathlib import Path

import torch

from platereader import EngineError, Registry
from platereader.recognition import CtcRecognizer
from small_networks import plates

torch.set_num_threads(2)
fp32 = CtcRecognizer.from_weights(Registry.default().resolve(Path(sys.argv[1])))
expected = fp32.recognize(plates(64))
if child := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
signal.alarm(120)  # a process that waits for ever is ended
for use in (fp32.recognize, CtcRecognizer.from_file(sys.argv[1], settings={settings}).recognize):
    try:
        use(plates(64))
    except EngineError as error:
        assert "fork" in str(error), error
    else:
        os._exit(3)
torch.set_num_threads(1)  # what the message offers
os._exit(0 if abs(fp32.recognize(plates(64)) - expected).max() < 1e-3 else 4)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_after_torch_has_computed_is_refused_at_once(reader: CtcRecognizer, tmp_path: Path) -> None:
    code = FORKED.replace("{settings}", repr(SMALL))
    command = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "small.safetensors")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stderr) == (0, "")
