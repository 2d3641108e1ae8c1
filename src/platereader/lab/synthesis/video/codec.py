"""A clip as a film keeps it: H.264, whose frames are predicted from each other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from typing import Any, cast

import av

from platereader._arrays import BgrImage
from platereader.lab.synthesis.video.clip import VideoFrame
from platereader.lab.synthesis.video.motion import SIZE_PX

_TIME_BASE = Fraction(1, 1000)


def through_h264(frames: Iterable[VideoFrame], *, crf: int) -> Iterator[VideoFrame]:
    """The frames after libx264 has encoded and a decoder decoded them; times and truth stay.

    Args:
        frames: of a clip, in their order.
        crf: constant rate factor, 0 to 51: 23 is the encoder's own, from about 30 on fine strokes go.
    """
    # One thread: with more of them the encoder's choices would depend on the machine.
    encoder, player = cast(Any, av.CodecContext.create("libx264", "w")), av.CodecContext.create("h264", "r")
    encoder.width, encoder.height = SIZE_PX
    encoder.pix_fmt, encoder.time_base = "yuv420p", _TIME_BASE
    encoder.options = {"crf": str(crf), "preset": "veryfast", "threads": "1"}
    waiting: deque[VideoFrame] = deque()
    for frame in chain(frames, (None,)):
        if frame is None:
            packets = [*encoder.encode(None), None]  # nothing follows: the decoder gives what it holds back
        else:
            picture = av.VideoFrame.from_ndarray(frame.pixels, format="bgr24")
            picture.pts, picture.time_base = round(frame.timestamp_s / _TIME_BASE), _TIME_BASE
            packets = encoder.encode(picture)
            waiting.append(frame)
        for packet in packets:
            for decoded in player.decode(packet):
                pixels = cast(BgrImage, decoded.to_ndarray(format="bgr24"))
                yield replace(waiting.popleft(), pixels=pixels)
