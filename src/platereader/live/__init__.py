"""A page in the browser that shows what a stream sees, served to this machine alone."""

from platereader.live.board import Board
from platereader.live.server import LivePage

__all__ = ["Board", "LivePage"]
