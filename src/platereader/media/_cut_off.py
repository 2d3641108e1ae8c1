"""Whether a video file ends before its container does: what is missing at the end leaves no other trace."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_TAIL_PACKETS = 20_000  # of a transport stream: more than one picture
_PAYLOAD = 184  # bytes of a packet that carries nothing else
_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_BOXES = frozenset({b"moov", b"mdat", b"moof", b"mfra"})


def is_cut_off(path: Path, container: str) -> bool:
    """Whether the end of a file is missing, as far as its container, by FFmpeg's name of it, tells."""
    check = next((check for name, check in _CHECKS.items() if name in container.split(",")), None)
    if check is None or not path.is_file():
        return False
    with path.open("rb") as file:
        return check(file, os.fstat(file.fileno()).st_size)


def _mp4(file: BinaryIO, size: int) -> bool:
    """Whether one of the boxes that hold frames, or say where they are, is longer than the file."""
    position = 0
    while True:
        file.seek(position)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:], "big")
        if kind in _BOXES and position + length > size:
            return True
        if length < 8:  # to the end of the file, or no box, or behind the last one
            return False
        position += length


def _avi(file: BinaryIO, size: int) -> bool:
    """Whether one of the parts of a file, each of at most 1 to 2 GB, is longer than the file."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        head = file.read(8)
        if head[:4] != b"RIFF":
            return False
        position += 8 + int.from_bytes(head[4:], "little")
    return position > size


def _matroska(file: BinaryIO, size: int) -> bool:
    """Whether the segment is longer than the file; one that was written without a length never is."""
    while file.tell() < size:
        kind = _number(file, keep_marker=True)
        length = _number(file, keep_marker=False)
        if kind == _SEGMENT:
            return length is not None and file.tell() + length > size
        if kind != _EBML or length is None:
            return False
        file.seek(length, os.SEEK_CUR)
    return False


def _number(file: BinaryIO, *, keep_marker: bool) -> int | None:
    """A number of EBML, whose first set bit says how many bytes it has; None for one that says nothing."""
    first = file.read(1)
    more = 8 - first[0].bit_length() if first and first[0] else 0
    value = int.from_bytes(first + file.read(more), "big")
    bits = 7 * (more + 1)
    if keep_marker:
        return value
    value &= (1 << bits) - 1
    return None if value == (1 << bits) - 1 else value


@dataclass(slots=True)
class _Piece:
    """The last picture or sound of a stream: how long it says to be, 0 for nothing, and what has come of it."""

    stated: int
    arrived: int = 0
    is_filled_up: bool = False

    def add(self, payload: bytes) -> None:
        self.arrived += len(payload)
        self.is_filled_up = len(payload) < _PAYLOAD

    def is_whole(self) -> bool:
        """Whether all has come; without a length, the last packet is filled up, but for one in 184."""
        return self.arrived >= self.stated if self.stated else self.is_filled_up


def _transport_stream(file: BinaryIO, size: int) -> bool:
    """Whether the last packet, or the last picture or sound, is not whole."""
    head = file.read(2 * 204)
    lengths = ((188, 0), (192, 4), (204, 0))
    known = [(length, at) for length, at in lengths if head[at : at + 1] == head[at + length : at + length + 1] == b"G"]
    if not known:
        return False
    length, at = known[0]
    if size % length:
        return True
    file.seek(max(0, size - _TAIL_PACKETS * length))
    pieces: dict[int, _Piece] = {}
    while packet := file.read(length)[at : at + 188]:
        _take(packet, pieces)
    return not all(piece.is_whole() for piece in pieces.values())


def _take(packet: bytes, pieces: dict[int, _Piece]) -> None:
    """Note what a packet carries of the current piece of its stream."""
    number, starts, carries = int.from_bytes(packet[1:3], "big") & 0x1FFF, packet[1] & 0x40, packet[3] & 0x10
    if not carries:
        return
    payload = packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]
    if starts:
        pieces.pop(number, None)
        if payload[:3] == b"\0\0\1":  # anything else is a table
            stated = int.from_bytes(payload[4:6], "big")
            pieces[number] = _Piece(6 + stated if stated else 0)
    if number in pieces:
        pieces[number].add(payload)


_CHECKS: Mapping[str, Callable[[BinaryIO, int], bool]] = {
    "mp4": _mp4,
    "avi": _avi,
    "matroska": _matroska,
    "mpegts": _transport_stream,
}
