"""Import engines so that nothing of what their import does to a process, or tells of it, stays behind.

Measured: ultralytics 8.4 writes a settings file, looks up two host names, sets environment variables, OpenCV threads
and print options, adds warning filters and a log handler, prints, and replaces ``torch.save`` and ``PIL.Image.open``.
onnxruntime 1.32 writes a device number and a database of events to send into the user's cache; openvino 2026.4 loads a
telemetry package that may do the like.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Generator
from types import ModuleType
from typing import Any, cast

from platereader._dependencies import check_installed, missing_dependency
from platereader.errors import EngineError, MissingDependencyError

_LOCK = threading.RLock()
_LOGGER = "ultralytics"
# The second is what some versions call it.
_NO_EVENTS = {"ORT_DISABLE_TELEMETRY": "1", "ORT_TELEMETRY_DISABLED": "1"}


def import_onnxruntime() -> Any:
    """Import ONNX Runtime without its telemetry; safe to call from several threads.

    It looks at the environment once, while it is imported. A program that imported it before keeps what it chose then,
    but for events that can be switched off later.
    """
    with _LOCK:
        if (known := sys.modules.get("onnxruntime")) is not None:
            return known
        environment = {name: os.environ.get(name) for name in _NO_EVENTS}
        os.environ.update(_NO_EVENTS)
        try:
            module: Any = importlib.import_module("onnxruntime")
            module.disable_telemetry_events()
        except ImportError as error:
            raise _unusable("onnxruntime", error) from error
        finally:
            for name, value in environment.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
        return module


def import_openvino() -> Any:
    """Import OpenVINO without its telemetry package; safe to call from several threads."""
    with _LOCK:
        known = "openvino_telemetry" in sys.modules
        if not known:
            sys.modules["openvino_telemetry"] = cast("Any", None)  # an import of it fails, and openvino takes a stub
        try:
            return importlib.import_module("openvino")
        except ImportError as error:
            raise _unusable("openvino", error) from error
        finally:
            if not known:
                del sys.modules["openvino_telemetry"]


def _unusable(package: str, error: ImportError) -> EngineError | MissingDependencyError:
    if error.name == package:
        return missing_dependency(package)
    return EngineError(f"{package} cannot be imported ({error}): reinstall it, or choose another engine.")


def import_ultralytics(module: str) -> ModuleType:
    """Import a module of ultralytics and undo the side effects; safe to call from several threads."""
    with _LOCK:
        if module in sys.modules:
            return sys.modules[module]
        check_installed("ultralytics")
        with untouched_process(), tempfile.TemporaryDirectory(prefix="platereader-") as folder:
            os.environ.update(YOLO_OFFLINE="1", YOLO_CONFIG_DIR=folder, MPLCONFIGDIR=folder, YOLO_AUTOINSTALL="0")
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                loaded = importlib.import_module(module)
        return loaded


@contextlib.contextmanager
def untouched_process() -> Generator[None]:
    """Put environment, threads, print options, warning filters, log handlers and replaced functions back on leaving."""
    with _LOCK:
        yield from _restored()


def _restored() -> Generator[None]:
    # torch comes first: after ultralytics' import it would find OMP_NUM_THREADS=1 and stay on one thread.
    import cv2
    import numpy as np
    import PIL.Image
    import torch

    replaced: list[tuple[Any, str, Any]] = [(torch, "save", torch.save), (PIL.Image, "open", PIL.Image.open)]
    replaced += [(cv2, name, getattr(cv2, name)) for name in ("imread", "imwrite", "imshow") if hasattr(cv2, name)]
    environment = dict(os.environ)
    threads_cv2, threads_torch = cv2.getNumThreads(), torch.get_num_threads()
    print_numpy, print_torch = np.get_printoptions(), dict(_torch_print_options())
    handlers = list(logging.getLogger(_LOGGER).handlers)
    levels = _levels()
    try:
        with warnings.catch_warnings():
            yield
    finally:
        for owner, name, value in replaced:
            setattr(owner, name, value)
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update({name: value for name, value in environment.items() if os.environ.get(name) != value})
        cv2.setNumThreads(threads_cv2)
        torch.set_num_threads(threads_torch)
        np.set_printoptions(**print_numpy)
        _torch_print_options().update(print_torch)
        logging.getLogger(_LOGGER).handlers[:] = handlers
        for name, level in _levels().items():
            if level != levels.get(name, logging.NOTSET):
                logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


def _levels() -> dict[str, int]:
    """Levels of the loggers of other packages: ultralytics silences some of them, present or not."""
    loggers = logging.root.manager.loggerDict.items()
    own = (_LOGGER, "torch")
    return {name: log.level for name, log in loggers if isinstance(log, logging.Logger) and not name.startswith(own)}


def _torch_print_options() -> dict[str, Any]:
    """The live print options of torch, which it offers no function to read."""
    module = importlib.import_module("torch._tensor_str")
    return cast("dict[str, Any]", vars(module.PRINT_OPTS))
