"""Fixtures shared by every test."""

import os
from collections.abc import Generator
from pathlib import Path

import cv2
import pytest
from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:  # workers share the cores; torch reads the variable when it is imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cv2.setNumThreads(1)

# Time limits per example fail by chance on a busy machine; random seeds do so anywhere.
settings.register_profile("platereader", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("platereader")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def nothing_measured() -> Generator[None]:
    """What ``platereader benchmark --choose`` has kept for the user of this machine is no part of a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platereader._loading.FILE_NAME", "none-of-the-tests.json")
        yield


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root folder of the repository."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the photographs, which lies beside the repository."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"needs the photographs: there is no folder {folder.name}/ beside the repository")
    return folder
