"""An engine that prepares its layers for each input shape must not keep them for every shape it ever saw."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[3]
ALLOWED_MB = 30.0
CODE = """
import sys
import numpy as np
from benchmarks.stream_memory import resident_mb
from platereader import Pipeline
runtime = Pipeline.build(engine=sys.argv[1], precision="int8", threads=1).detector.finder.runtime
shapes = [(32 * rows, 32 * columns) for rows in range(1, 10) for columns in range(1, 10)]
np.random.default_rng(0).shuffle(shapes)
for number, shape in enumerate(shapes):
    if number == len(shapes) // 3:
        warm_mb = resident_mb()
    runtime.run(np.zeros((1, *shape, 3), np.uint8))
print(resident_mb() - warm_mb)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the memory from /proc")
@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_new_shapes_take_the_place_of_old_ones(engine: str) -> None:
    pytest.importorskip({"onnx": "onnxruntime"}.get(engine, engine))
    done = subprocess.run(
        [sys.executable, "-c", CODE, engine],
        env={"PYTHONPATH": f"{REPOSITORY / 'src'}:{REPOSITORY}", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout) < ALLOWED_MB
