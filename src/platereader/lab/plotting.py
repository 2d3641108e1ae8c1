"""The one question before something is drawn: whether the package for it is there."""

from __future__ import annotations

import importlib.util

from platereader.errors import MissingDependencyError

__all__ = ["check_plotting"]


def check_plotting() -> None:
    """Say before a run, and not minutes or hours into it, that nothing can be drawn.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingDependencyError('matplotlib is not installed: run pip install "platereader[train]".')
