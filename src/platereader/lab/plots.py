"""Plots as PNG files, written whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from platereader._files import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_plot(figure: Figure, path: Path, *, dpi: int = 110) -> None:
    """Draw a figure into a PNG file, in a folder that exists.

    Raises:
        FileError: it cannot be written.
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi)
    write_bytes(path, drawn.getvalue())
