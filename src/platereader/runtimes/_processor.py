"""What this machine's processor can do, found without loading an engine."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Final

INT8_INSTRUCTIONS: Final = ("amx_int8", "avx512_vnni", "avx_vnni")
"""Any of these multiplies int8 in one step, and so faster than fp32."""

INT8_IN_STEPS: Final = (*INT8_INSTRUCTIONS, "avx2")
"""Any of these multiplies int8 faster than fp32 in engines with good code for AVX2; right for weights of 7 bits."""

BF16_INSTRUCTIONS: Final = ("amx_bf16", "avx512_bf16")
"""Any of these multiplies bf16 faster than fp32."""

_SHOWN = ("avx2", "fma", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16", "asimddp", "bf16")
_CPUINFO = Path("/proc/cpuinfo")
_SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
# Numbers of OpenCV's CpuFeatures, which its Python module gives no names.
_OPENCV = {"avx2": 11, "fma": 12, "avx512f": 13, "avx512_vnni": 23, "asimddp": 101}


def cpu_features() -> tuple[str, ...]:
    """Instructions of this processor that matter here, by their Linux names.

    On Linux the kernel tells them. Elsewhere OpenCV does, which does not know of bf16, AMX and AVX-VNNI.
    """
    lines = _cpuinfo()
    if lines is None:
        return _features_from_opencv()
    flags = {flag for line in lines if line.lower().startswith(("flags", "features")) for flag in line.split()}
    return tuple(name for name in _SHOWN if name in flags)


def processor_name() -> str:
    """What the maker calls the processor, or at least its architecture."""
    named = [line.partition(":")[2].strip() for line in _cpuinfo() or () if line.startswith("model name")]
    return next((name for name in named if name), platform.processor() or platform.machine())


def usable_cores() -> int:
    """Physical cores that this process may use; logical ones where the system does not tell them apart."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    allowed = os.sched_getaffinity(0)
    try:
        return len({Path(_SIBLINGS.format(core)).read_text(encoding="ascii") for core in allowed})
    except OSError:
        return len(allowed)


def _cpuinfo() -> list[str] | None:
    """The lines in which Linux describes the processor; None on other systems."""
    try:
        return _CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None


def _features_from_opencv() -> tuple[str, ...]:
    import cv2

    if platform.machine().lower() not in {"x86_64", "amd64", "arm64", "aarch64"}:
        return ()
    return tuple(name for name in _SHOWN if name in _OPENCV and cv2.checkHardwareSupport(_OPENCV[name]))
