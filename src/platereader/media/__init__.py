"""Pictures, videos and cameras in and out: reading them, drawing on them, making plates in them unreadable.

``open_source`` gives pairs of seconds and frames, as ``Pipeline.read_stream`` takes them.
"""

from platereader.media._drawing import draw_readings, draw_update
from platereader.media._folder import read_images
from platereader.media._images import IMAGE_SUFFIXES, decode_image, read_image
from platereader.media._opening import open_source
from platereader.media._redaction import REDACTION_MIN_SCORE, RedactedFrame, redact, redact_stream
from platereader.media._source import FrameSource

__all__ = [
    "IMAGE_SUFFIXES",
    "REDACTION_MIN_SCORE",
    "FrameSource",
    "RedactedFrame",
    "decode_image",
    "draw_readings",
    "draw_update",
    "open_source",
    "read_image",
    "read_images",
    "redact",
    "redact_stream",
]
