"""Passwords in addresses: no command repeats them, in whatever place and however misspelt."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import product
from pathlib import Path

import pytest
from command_line import Command, save

from fakes import patch_pipeline
from platereader.cli import main
from platereader.cli.secrets import remember_passwords, without_passwords

SECRET = "S3CR'E\\T"  # noqa: S105 - of nobody

ADDRESSES = [
    "rtsp://user:{}@host/x",
    "https://user:{}@host/x.jpg",
    "http://{}@host/x.jpg",
    "https://host/x.jpg?token={}",
    "http://host:80/user=admin&password={}/x",
    "rtsp:user:{}@host/x",
    "rtsp:/user:{}@host/x",
    "rtsp//user:{}@host/x",
    "rtsp;//user:{}@host/x",
    "//user:{}@host/x",
    "user:{}@host/x.jpg",
    "user:a//{}@host/x.jpg",
    "user:a@{}@host",
    "rtsp:{}@host",
    "rtsp://user:{}",  # a shell that ended the word at a & or #
]

COMMANDS = [
    "read {}",
    "read --csv {}",
    "read --jsonl {} {}",
    "read photo.png --threads {}",
    "read photo.png --engine {}",
    "read photo.png --poems={}",
    "read nothing.png --save {}",
    "{}",
    "evaluate {}",
    "benchmark frame {}",
    "benchmark frame --rounds {}",
    "train export {} --out out",
    "weights fetch {}",
    "watch {}",
]


@pytest.fixture
def photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> Path:
    """A picture in the folder that the commands run in, over a fake pipeline."""
    command.over(patch_pipeline())
    monkeypatch.chdir(tmp_path)
    return save(tmp_path / "photo.png")


@pytest.mark.parametrize(
    ("line", "address"),
    [
        *product(("read --json {}", "redact {} -o a.jpg --report report.json"), ADDRESSES),
        *product(COMMANDS, ["rtsp:user:{}@host/x"]),
        *product(("evaluate {}", "benchmark frame {}"), ["rtsp://user:{}@host/x"]),
    ],
)
@pytest.mark.usefixtures("photo")
def test_no_command_repeats_a_password(line: str, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with suppress(SystemExit):
        main([word.format(address.format(SECRET)) for word in line.split()])
    said = capsys.readouterr()
    report = Path("report.json")
    for text in (said.out, said.err, report.read_text() if report.exists() else ""):
        assert "S3CR" not in text
        assert "T@" not in text
    assert said.err or said.out


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("rtsp://user:S@host/x", "rtsp://***@host/x"),
        ("rtsp:user:S@host/x", "***@host/x"),
        ("user:S@host/x.jpg", "***@host/x.jpg"),
        ("https://host/x.jpg?token=S", "https://host/x.jpg?***"),
        ("http://host:80/x.jpg", "http://host:80/x.jpg"),
        ("rtsp://[::1]:554/x", "rtsp://[::1]:554/x"),
        ("rtsp://user:S", "rtsp://***"),
        ("photos/icon@2x.jpg", "photos/icon@2x.jpg"),
        ("icon@2x.jpg", "icon@2x.jpg"),
        ("./08:30/icon@2x.jpg", "./08:30/icon@2x.jpg"),
        ("C:\\photos\\icon@2x.jpg", "C:\\photos\\icon@2x.jpg"),
    ],
)
def test_what_stands_for_a_word(word: str, shown: str) -> None:
    remember_passwords([word])
    assert without_passwords(word) == shown


@pytest.mark.parametrize("given", ["08:30@gate.png", "*@gate.png", "a:b@c"])
def test_a_file_keeps_its_name(given: str, photo: Path, command: Command) -> None:
    save(photo.with_name("08:30@gate.png"))
    save(photo.parent / "a:b@c" / "1.png")
    outcome = command("read", "--json", given)
    name = "a:b@c/1.png" if given == "a:b@c" else "08:30@gate.png"
    assert [one["source"] for one in outcome.pictures] == [name]


def test_a_result_keeps_its_name_once_it_is_there(photo: Path, command: Command) -> None:
    assert command("redact", photo.name, "-o", "a:b@c", "--report", "report.json").status == 0
    assert json.loads(Path("report.json").read_text())["files"][0]["result"] == "a:b@c/photo.png"
    remember_passwords(["a:b@c"])
    assert without_passwords("a:b@c/photo.png") == "a:b@c/photo.png"
