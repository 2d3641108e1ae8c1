"""How a notebook shows a result: the picture that was read, the text and what is said of it."""

from __future__ import annotations

import base64
import html
import math
from typing import TYPE_CHECKING

import numpy as np

from platereader._arrays import BgrImage

if TYPE_CHECKING:
    from platereader.results._verdict import Verdict

_HEIGHT_PX = 48
_INK = {"read": "#0a8c3c", "uncertain": "#b47a00", "unreadable": "#7a7a7a"}


def plate_html(verdict: Verdict, pixels: BgrImage) -> str:
    """One line of HTML: crop, text with ``?`` for doubtful characters, country, confidence, status and reason.

    Args:
        verdict: what is said of the plate.
        pixels: uint8 ``(H, W, 3)`` BGR, of the straightened plate; empty where it was not kept.
    """
    shown = verdict.masked_text if verdict.status == "uncertain" else verdict.text
    percent = f"{math.floor(100 * verdict.confidence)}%" if verdict.text else None
    words = [word for word in (verdict.text_local, verdict.country, percent) if word is not None]
    reason = "" if verdict.reason is None else f": {verdict.reason.replace('_', ' ')}"
    ink = f"color:{_INK[verdict.status]}"
    return (
        f'<div style="display:flex;align-items:center;gap:1em">{_picture(pixels)}'
        f'<b style="font:bold 1.4em monospace">{html.escape(shown or "-")}</b>'
        f"<span>{html.escape(' '.join(words))}</span>"
        f'<span style="{ink}">{html.escape(verdict.status + reason)}</span></div>'
    )


def _picture(pixels: BgrImage) -> str:
    if not pixels.size:
        return ""
    import cv2

    encoded = cv2.imencode(".png", np.ascontiguousarray(pixels))[1]
    data = base64.b64encode(encoded.tobytes()).decode("ascii")
    return f'<img src="data:image/png;base64,{data}" style="height:{_HEIGHT_PX}px" alt=""/>'
