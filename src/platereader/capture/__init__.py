"""Frames from outside: films, folders of frames, webcams, and cameras on the network.

``open_source`` gives pairs of seconds and frames, as ``Pipeline.read_stream`` takes them.
"""

from platereader.capture.opening import open_source
from platereader.capture.source import FrameSource

__all__ = ["FrameSource", "open_source"]
