"""What importing the package, and using the default pipeline, leaves behind: nothing. Each test is a fresh process."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src"
HEAVY = ("torch", "torchvision", "cv2", "ultralytics", "onnxruntime", "onnx", "openvino", "PIL", "scipy", "matplotlib")
LIMIT = 2.5  # times the import of numpy, which is a part of it: seconds are those of the machine

# Every write, connection and child process goes through one of these events, whoever is behind it.
WATCH = """
import json, os, sys
seen = []
def hook(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        seen.append(f"open {args[0]}")
    elif event == "os.remove" and args[1] != -1:
        pass  # inside a folder that is being deleted: the folders are looked at in the end
    elif event.startswith(("socket.__new__", "socket.connect", "socket.getaddrinfo", "socket.bind", "subprocess.Popen",
                           "os.mkdir", "os.rename", "os.remove", "os.system", "os.exec", "os.posix_spawn", "os.fork")):
        seen.append(f"{event} {args}")
"""

STATE = """
import logging, os, random, signal, sys, threading, warnings
import numpy as np
def state():
    # torch and ultralytics have loggers of their own, made as more of them is loaded; nobody else may get one.
    loggers = {name: (len(log.handlers), log.level) for name, log in logging.root.manager.loggerDict.items()
               if isinstance(log, logging.Logger) and (log.handlers or log.level)
               and not name.startswith(("torch", "strobelight", "c10d", "ultralytics"))}
    return {
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "path": list(sys.path),
        "threads": [thread.name for thread in threading.enumerate()],
        "numpy printing": repr(sorted(np.get_printoptions().items(), key=str)),
        "numpy errors": np.geterr(),
        "numpy randomness": repr(np.random.get_state()[1][:5]),
        "randomness": hash(random.getstate()),
        "handlers": [len(logging.root.handlers), logging.root.level, logging.root.manager.disable],
        "loggers": loggers,
        "warnings": len(warnings.filters),
        "hooks": [sys.excepthook is sys.__excepthook__, sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__],
        "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    }
def changes(before, after):
    return {key: [repr(before[key]), repr(after[key])] for key in before if before[key] != after[key]}
"""


def in_fresh_process(code: str, *, folder: Path) -> object:
    """What ``code`` prints as JSON in its last line, run in an empty home, working and temporary folder."""
    places = {name: folder / name for name in ("home", "work", "temporary")}
    for place in places.values():
        place.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    environment = kept | {
        "HOME": str(places["home"]),
        "TMPDIR": str(places["temporary"]),
        "PYTHONPATH": str(SOURCE),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=places["work"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    left = [str(path.relative_to(folder)) for place in places.values() for path in place.rglob("*")]
    assert left == [], "left behind on disk"
    return json.loads(done.stdout.splitlines()[-1])


def test_import_is_fast(tmp_path: Path) -> None:
    code = (
        "from time import process_time as now; a = now(); import numpy; b = now(); import platereader; "
        "print((now() - a) / (b - a))"
    )
    assert min(cast(float, in_fresh_process(code, folder=tmp_path)) for _ in range(5)) < LIMIT


@pytest.mark.parametrize("name", ["", ".video._stream", ".plates._schemes", ".decoding._beam"])
def test_import_loads_nothing_heavy(name: str, tmp_path: Path) -> None:
    code = f"import platereader{name}, sys, json; print(json.dumps(sorted(sys.modules)))"
    loaded = set(cast("list[str]", in_fresh_process(code, folder=tmp_path)))
    assert "numpy" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_import_opens_and_changes_nothing(tmp_path: Path) -> None:
    code = WATCH + STATE + "before = state(); sys.addaudithook(hook); import platereader\n"
    code += "print(json.dumps([seen, changes(before, state())]))"
    assert in_fresh_process(code, folder=tmp_path) == [[], {}]


def test_default_pipeline_opens_no_connection_and_leaves_nothing(tmp_path: Path) -> None:
    code = (
        WATCH
        + STATE
        + """
import cv2, PIL.Image, torch
patched = ("imread", "imwrite", "imshow")
def foreign():
    return {
        "torch": [torch.save is save, torch.load is load, torch.get_num_threads(), torch.is_grad_enabled(),
                  repr(torch.get_default_dtype()), torch.are_deterministic_algorithms_enabled()],
        "torch printing": repr(vars(torch._tensor_str.PRINT_OPTS)),
        "torch randomness": hash(torch.get_rng_state().numpy().tobytes()),
        "pillow": PIL.Image.open is image_open,
        "cv2": [cv2.getNumThreads(), *(getattr(cv2, name) is original[name] for name in patched)],
    }
save, load, image_open = torch.save, torch.load, PIL.Image.open
original = {name: getattr(cv2, name) for name in patched}
before = state() | foreign()
sys.addaudithook(hook)
from platereader import Pipeline
pipeline = Pipeline.build()
frame = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
pipeline.read(frame)
pipeline.read_plates([frame[:40, :160]])
inside = str(os.environ["TMPDIR"])
touched = [entry for entry in seen if inside not in entry and "/dev/null" not in entry]
print(json.dumps([touched, changes(before, state() | foreign())]))
"""
    )
    assert in_fresh_process(code, folder=tmp_path) == [[], {}]


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_an_engine_leaves_nothing_and_needs_no_torch(engine: str, tmp_path: Path) -> None:
    code = (
        WATCH
        + STATE
        + f"""
import cv2
before = state() | {{"cv2": cv2.getNumThreads()}}
sys.addaudithook(hook)
from platereader import Pipeline
pipeline = Pipeline.build(engine={engine!r})
frame = cv2.imread({str(SOURCE.parent / "examples" / "pictures" / "street-2.jpg")!r})
texts = [reading.text for reading in pipeline.read(frame)]
heavy = sorted({{"torch", "torchvision", "ultralytics", "onnx", "openvino_telemetry"}} & set(sys.modules))
touched = [entry for entry in seen if "/dev/null" not in entry]
print(json.dumps([touched, changes(before, state() | {{"cv2": cv2.getNumThreads()}}), heavy, all(texts), len(texts)]))
"""
    )
    assert in_fresh_process(code, folder=tmp_path) == [[], {}, [], True, 2]
