"""A warm pipeline keeps nothing of the frames that it has read, and one that is dropped leaves nothing."""

from __future__ import annotations

import gc
import os
import resource
import tracemalloc
from pathlib import Path
from typing import cast

import cv2
import pytest

import platereader
from platereader import Pipeline
from platereader._arrays import BgrImage
from platereader.media._images import read_image

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "pictures"
STATM = Path("/proc/self/statm")
OWN_CODE = tracemalloc.Filter(True, str(Path(platereader.__file__).parent / "*"))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def frames() -> list[BgrImage]:
    """Two sizes, a plate or more in each."""
    street = read_image(min(EXAMPLES.glob("*.jpg")))
    sizes = [(384, 216), (512, 288)]
    return [cast(BgrImage, cv2.resize(street, size, interpolation=cv2.INTER_AREA)) for size in sizes]


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    pytest.importorskip("onnxruntime")
    return Pipeline.build(engine="onnx", threads=1)


def read(pipeline: Pipeline, frames: list[BgrImage], *, times: int) -> None:
    for _ in range(times):
        assert all(pipeline.read(frame) for frame in frames)


def resident_bytes() -> int:
    """Memory of this process that is in use."""
    return int(STATM.read_text(encoding="ascii").split()[1]) * resource.getpagesize()


def own_bytes() -> int:
    """Memory that lines of the library took and still hold, arrays included.

    Without blocks of up to 64 bytes: numpy keeps those that hold shapes of arrays, and its store takes long to fill.
    """
    gc.collect()
    sizes = [trace.size for trace in tracemalloc.take_snapshot().filter_traces([OWN_CODE]).traces]
    return sum(size for size in sizes if size > 64)


@pytest.mark.skipif(not STATM.is_file(), reason="resident memory is read from /proc")
def test_many_frames_take_no_more_memory_than_a_few(pipeline: Pipeline, frames: list[BgrImage]) -> None:
    read(pipeline, frames, times=15)
    warm = resident_bytes()
    read(pipeline, frames, times=40)
    assert resident_bytes() - warm < 4e6  # a seventh of what the frames take


def test_nothing_of_a_frame_is_held(pipeline: Pipeline, frames: list[BgrImage]) -> None:
    tracemalloc.start()
    try:
        read(pipeline, frames, times=5)
        warm = own_bytes()
        read(pipeline, frames, times=15)
        assert own_bytes() - warm < 2e3
    finally:
        tracemalloc.stop()


def held() -> tuple[int, int, int]:
    """Bytes of memory, threads of any language, and open descriptors of this process."""
    gc.collect()
    return resident_bytes(), len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))  # noqa: PTH208


@pytest.mark.skipif(not STATM.is_file(), reason="memory, threads and descriptors are counted in /proc")
def test_pipelines_that_are_dropped_leave_nothing(frames: list[BgrImage]) -> None:
    pytest.importorskip("onnxruntime")
    for number in range(12):
        built = Pipeline.build(engine="onnx", precision="fp32", threads=2)
        assert built.read(frames[0])
        del built
        if number == 3:
            memory, threads, descriptors = held()
    assert held()[0] - memory < 10e6
    assert held()[1:] == (threads, descriptors)
