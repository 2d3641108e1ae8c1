"""What a word for a source means, and that no password gets into what is printed."""

from pathlib import Path

import pytest

from platereader.errors import InvalidArgumentError
from platereader.media._opening import parse_address


@pytest.mark.parametrize(
    ("word", "kind", "shown"),
    [
        ("gate.mp4", "file", "gate.mp4"),
        ("./0", "file", "./0"),
        (Path("0"), "file", "0"),
        ("C:\\films\\gate.mp4", "file", "C:\\films\\gate.mp4"),
        ("0", "webcam", "webcam 0"),
        (2, "webcam", "webcam 2"),
        ("rtsp://camera:554/stream/1", "network", "rtsp://camera:554/stream/1"),
        ("HTTP://camera/video", "network", "http://camera/video"),
    ],
)
def test_kinds(word: str | Path | int, kind: str, shown: str) -> None:
    address = parse_address(word)
    assert (address.kind, address.shown) == (kind, shown)


def test_a_folder(tmp_path: Path) -> None:
    assert parse_address(str(tmp_path)).kind == "folder"


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("rtsp://admin:hunter2@camera/1", "rtsp://camera/1"),
        ("rtsp://admin:hun@ter2@camera/1", "rtsp://camera/1"),
        ("rtsp://admin:hun/ter2@camera:554/1", "rtsp://camera:554/1"),
        ("rtsp://admin:hun?ter2@camera/1", "rtsp://camera/1"),
        ("rtsp://admin:hun#ter2@camera/1", "rtsp://camera/1"),
        ("http://camera/video?user=admin&pwd=hunter2", "http://camera/video"),
        ("rtsp://camera:554/user=admin&password=hunter2&channel=1", "rtsp://camera:554"),
        ("rtsp://camera/user%3Dadmin_hunter2", "rtsp://camera"),
        ("http://camera/video#hunter2", "http://camera/video"),
    ],
)
def test_passwords_are_not_shown(word: str, shown: str) -> None:
    address = parse_address(word)
    assert address.shown == shown
    assert address.target == word
    assert "hun" not in repr(address)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("ftp://u:hunter2@host/x", "ftp://"),
        ("rtsp:u:hunter2@host/x", "both slashes"),
        ("RTSP:/u:hunter2@host/x", "both slashes"),
        ("rtsp//u:hunter2@host/x", "both slashes"),
        ("u:hunter2@host/x", "both slashes"),
    ],
)
def test_what_is_no_source(word: str, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message) as caught:
        parse_address(word)
    assert "hunter2" not in str(caught.value)


def test_words_that_no_file_and_no_webcam_has() -> None:
    assert parse_address("a" * 5000).kind == "file"
    assert parse_address("0" * 8 + "7").shown == "webcam 7"
    for digits in (10, 5000):
        with pytest.raises(InvalidArgumentError, match=f"{digits} digits"):
            parse_address("0" * digits)
