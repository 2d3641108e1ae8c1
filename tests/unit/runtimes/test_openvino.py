"""What OpenVINO must not leave behind in a process; how its networks run is in ``test_exported``."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_PROBE = """
import os, signal
from platereader import Registry
from platereader.runtimes._openvino import OpenVinoRuntime

data = Registry.default().resolve("plate-recognizer", precision="int8", file_format="onnx").data
first, second = (OpenVinoRuntime(data, name="reader", precision="int8") for _ in range(2))
del first, second
signal.signal(signal.SIGINT, lambda *_: print("delivered"))
os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are those of POSIX")
def test_a_signal_reaches_a_process_that_has_dropped_its_networks() -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", _PROBE], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "delivered\n"), done.stderr
