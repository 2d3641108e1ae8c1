"""Files of a few bytes that end before, at and after their container does."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from platereader.media._cut_off import is_cut_off


def box(kind: bytes, body: int, *, length: int | None = None) -> bytes:
    """A box of MP4 with so many bytes in it."""
    return struct.pack(">I4s", 8 + body if length is None else length, kind) + bytes(body)


LONG = struct.pack(">I4sQ", 1, b"mdat", 16 + 300) + bytes(300)  # a length of 64 bits
TAIL = box(b"moov", 20)


def element(kind: int, length: int | None, body: int = 0) -> bytes:
    """An element of EBML, its length in two bytes; None for one that is not known."""
    kind_bytes = kind.to_bytes((kind.bit_length() + 7) // 8, "big")
    return kind_bytes + (b"\x7f\xff" if length is None else (0x4000 | length).to_bytes(2, "big")) + bytes(body)


EBML, SEGMENT = element(0x1A45DFA3, 200, 200), 0x18538067

# What is whole to its last byte, and cut off without that.
WHOLE = {
    "boxes": ("mov,mp4,m4a", box(b"ftyp", 12) + box(b"free", 0) + box(b"mdat", 30) + TAIL),
    "long box": ("mov,mp4,m4a", box(b"ftyp", 12) + LONG + TAIL),
    "long box at the end": ("mov,mp4,m4a", TAIL + LONG),
    "empty box at the end": ("mov,mp4,m4a", TAIL + box(b"mdat", 1)),
    "fragments": ("mov,mp4,m4a", TAIL + box(b"moof", 9) + box(b"mfra", 3)),
    "parts of AVI": ("avi", b"RIFF" + struct.pack("<I", 300) + bytes(300) + b"RIFF" + struct.pack("<I", 4) + b"AVIX"),
    "segment": ("matroska,webm", EBML + element(SEGMENT, 70, 70)),
    "packets": ("mpegts", (b"G" + bytes(187)) * 3),
    "packets with stamps": ("mpegts", (bytes(4) + b"G" + bytes(187)) * 3),
    "packets with check sums": ("mpegts", (b"G" + bytes(203)) * 3),
}

# What says nothing of its end, even where it is shorter than it was.
NEVER = {
    "box to the end": ("mp4", box(b"ftyp", 12) + box(b"mdat", 90, length=0)),
    "no box": ("mp4", box(b"ftyp", 12) + box(b"abcd", 90, length=7) + TAIL[:-4]),
    "other box": ("mp4", TAIL + box(b"free", 3, length=90)),
    "less than a box": ("mp4", TAIL + box(b"mdat", 90)[:7]),
    "no AVI": ("avi", b"RIFX" + struct.pack("<I", 300)),
    "something behind an AVI": ("avi", b"RIFF" + struct.pack("<I", 4) + b"AVI " + b"JUNK" + struct.pack("<I", 90)),
    "segment of any length": ("matroska", EBML + element(SEGMENT, None, 70)),
    "no segment": ("matroska", EBML + element(0x18538068, 70, 60) + element(SEGMENT, 70, 60)),
    "header of any length": ("matroska", element(0x1A45DFA3, None) + element(SEGMENT, 70, 60)),
    "header cut off before its length": ("matroska", EBML[:4]),
    "zeros": ("matroska", bytes(9) + element(SEGMENT, 70, 60)),
    "no packets": ("mpegts", bytes(400)),
    "another container": ("ogg", box(b"mdat", 9)[:12]),
    "nothing": ("mp4,avi", b""),
}


def ends(folder: Path, container: str, data: bytes) -> bool:
    (folder / "video").write_bytes(data)
    return is_cut_off(folder / "video", container)


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_is_cut_off_without_its_last_byte(tmp_path: Path, name: str) -> None:
    container, data = WHOLE[name]
    assert not ends(tmp_path, container, data)
    assert ends(tmp_path, container, data[:-1])
    assert not is_cut_off(tmp_path / "absent", container)


@pytest.mark.parametrize("name", NEVER)
def test_what_does_not_say_how_long_it_is_is_whole(tmp_path: Path, name: str) -> None:
    assert not ends(tmp_path, *NEVER[name])


def packet(payload: bytes, *, starts: bool = False, number: int = 0x1ABC, filled_up: bool = False) -> bytes:
    """A packet of a transport stream; what is filled up has a field of the length that is missing to 188 bytes."""
    head = bytes([0x47, (0x40 if starts else 0) | number >> 8, number & 0xFF, 0x30 if filled_up else 0x10])
    return head + (bytes([183 - len(payload)]) + bytes(183 - len(payload)) if filled_up else b"") + payload


def pes(length: int) -> bytes:
    return b"\0\0\1\xe0" + struct.pack(">H", length)


TABLE = packet(b"\0\0\2" + bytes(181), starts=True, number=0)
EMPTY = bytes([0x47, 0x1A, 0xBC, 0x20, 183]) + bytes(183)
OTHER = packet(pes(178) + bytes(178), starts=True, number=0x1ABD)


@pytest.mark.parametrize(
    ("packets", "cut_off"),
    [
        # A picture of 250 bytes with its head of 6: 184 and 66.
        ([packet(pes(244) + bytes(178), starts=True), packet(bytes(66), filled_up=True)], False),
        ([packet(pes(244) + bytes(178), starts=True), packet(bytes(65), filled_up=True)], True),
        ([packet(pes(244) + bytes(178), starts=True), packet(bytes(66), filled_up=True, number=0x1ABD)], True),
        ([packet(pes(244) + bytes(178), starts=True), EMPTY], True),
        ([packet(pes(178) + bytes(178), starts=True), OTHER], False),
        ([packet(pes(179) + bytes(178), starts=True), OTHER], True),
        # The next picture of a stream says that the one before has ended.
        ([packet(pes(999) + bytes(178), starts=True), packet(pes(10) + bytes(10), starts=True, filled_up=True)], False),
        ([packet(pes(999) + bytes(178), starts=True), packet(bytes(184), starts=True)], False),
        # Without a length, the last packet of a picture is filled up.
        ([packet(pes(0) + bytes(178), starts=True)], True),
        ([packet(pes(0) + bytes(178), starts=True), packet(bytes(182), filled_up=True)], False),
        ([packet(pes(0) + bytes(100), starts=True, filled_up=True), packet(bytes(184))], True),
        ([packet(bytes(184)), TABLE], False),
    ],
)
def test_the_last_picture_of_a_transport_stream_is_whole_or_not(
    tmp_path: Path, packets: list[bytes], cut_off: bool
) -> None:
    assert all(len(one) == 188 for one in packets)
    for before, behind in ((b"", b""), (bytes(4), b""), (b"", bytes(16))):  # packets of 188, 192 and 204 bytes
        data = b"".join(before + one + behind for one in [TABLE, *packets])
        assert ends(tmp_path, "mpegts", data) is cut_off


@pytest.mark.parametrize(("behind", "cut_off"), [(19_999, True), (20_000, False)])
def test_the_last_20000_packets_are_looked_at(tmp_path: Path, behind: int, cut_off: bool) -> None:
    assert ends(tmp_path, "mpegts", packet(pes(999) + bytes(178), starts=True) + EMPTY * behind) is cut_off
