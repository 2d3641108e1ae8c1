"""The parser of all commands: what it refuses, what it suggests, and how long its help is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from platereader.cli import build_parser, main
from platereader.cli.parser import with_options
from platereader.cli.parts import build_pipeline

PICTURE = Path(__file__).resolve().parents[3] / "examples" / "pictures" / "street-1.jpg"


def usage_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["reed", "x.png"], "read"),
        (["read", "x.png", "--jsnol"], "--jsonl"),
        (["read", "x.png", "--engine", "onx"], "onnx"),
        (["train", "recogniser"], "recognizer"),
        (["weights", "fetch", "plate-detector", "--base-ulr=http://x"], "--base-url"),
    ],
)
def test_the_nearest_spelling_is_suggested(words: list[str], meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"Did you mean {meant}?" in usage_error(words, capsys)


def test_an_error_is_that_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    message = usage_error(["read", "x.png", "--poems"], capsys)
    assert message.startswith("usage: platereader read [OPTION ...] SOURCE [SOURCE ...]\n")
    assert "unrecognized arguments: --poems" in message
    assert "Did you mean" not in message


@pytest.mark.parametrize("command", ["info", "weights verify"])
def test_the_language_after_a_command_that_takes_none(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    message = usage_error([*command.split(), "--lang", "en"], capsys)
    assert f"--lang goes before the command: platereader --lang ru {command}\n" in message


def test_usage_has_no_space_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert usage_error(["info", "--poems"], capsys).startswith("usage: platereader info [OPTION ...]\n")


@pytest.mark.parametrize("word", ["--country", "--recognizer"])
def test_an_option_of_another_command_is_no_misspelling(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    message = usage_error(["redact", "x.png", "-o", "y.png", word, "x"], capsys)
    assert f"unrecognized arguments: {word} x\n" in message


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser and all below it."""
    yield parser
    for action in parser._actions:
        for command in action.choices.values() if isinstance(action, argparse._SubParsersAction) else ():
            yield from parsers(command)


@pytest.mark.parametrize("parser", list(parsers(build_parser())), ids=lambda parser: parser.prog)
def test_help_fits_on_one_screen_and_names_commands_and_options(
    parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    pages: list[str] = []
    for option in ("--help", "--help-all"):
        with pytest.raises(SystemExit) as caught:
            main([*parser.prog.split()[1:], option])
        assert caught.value.code == 0
        pages.append(capsys.readouterr().out)
    short, whole = pages
    assert sum(-(-max(1, len(line)) // 100) for line in short.splitlines()) <= 40
    for action in parser._actions:
        if action.option_strings and action.help != argparse.SUPPRESS:
            assert action.option_strings[-1] in short
            words = (action.help or "") % vars(action)
            assert " ".join(words.split()) in " ".join(whole.split())
        elif isinstance(action, argparse._SubParsersAction):
            assert all(command in short for command in action.choices)
    if parser.prog.count(" ") == 1:
        assert parser.prog in short.split("examples:")[1]
        assert "exit status: 0" in short


@pytest.mark.parametrize(
    "words",
    [
        ["synth", "x", "--seed", "-1"],
        ["synth", "x", "--count", "\u00b2"],
        ["train", "export", "x", "--out", "y", "--seed", "-1"],
        ["train", "export", "x", "--out", "y", "--scenes", "-5"],
        ["train", "export", "x", "--out", "y", "--max-loss", "nan"],
        ["train", "quantize", "x", "--out", "y", "--max-loss", "nan"],
        ["train", "quantize", "x", "--out", "y", "--calibration", "0"],
        ["train", "quantize", "x", "--out", "y", "--made-up", "-1"],
        ["train", "quantize", "x", "--out", "y", "--seed", "-1"],
        ["train", "calibrate", "x", "--out", "y", "--count", "-1"],
        ["train", "calibrate", "x", "--out", "y", "--tracks", "-1"],
        ["read", "x.png", "--threads", "99999999999"],
        ["watch", "x.mp4", "--threads", "1025"],
        ["redact", "x.png", "-o", "y.png", "--threads", "1025"],
        ["evaluate", "x", "--threads", "1025"],
        ["benchmark", "frame", "--threads", "1025"],
        ["benchmark", "stream", "x", "--threads", "1025"],
        ["benchmark", "recognizer", "--threads", "1025"],
    ],
)
def test_numbers_that_mean_nothing_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A loss of nan would allow any, and -5 scenes would be all but five."""
    assert f"error: argument {words[-2]}: {words[-1]!r} is no" in usage_error(words, capsys)


def test_messages_name_options() -> None:
    options = {"area": "--area", "tile": "--tile", "min_score": "--min-score", "start": "--from"}
    assert with_options("region has 2 points", options) == "--area has 2 points"
    assert with_options("tile_px is 9, allowed are 64", options) == "--tile is 9, allowed are 64"
    assert with_options("min_score is 2", options) == "--min-score is 2"
    assert with_options("start is 'x'", options) == "--from is 'x'"
    assert with_options("threads is 0", options) == "threads is 0"
    assert with_options("regional is 0", options) == "regional is 0"
    trusted = {"trust_pickle": "--trust-pickle"}
    assert with_options("a.pt: pass trust_pickle=True; or not", trusted) == "a.pt: pass --trust-pickle; or not"
    assert with_options("a.pt: pass trust_pickle=True; or not", options) == "a.pt: pass trust_pickle=True; or not"


def test_a_pickle_and_a_missing_one_are_told_apart(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "plates.pt"
    assert main(["read", str(PICTURE), "--detector", str(path)]) == 3
    assert f"{path} does not exist" in capsys.readouterr().err
    path.write_bytes(b"")
    assert main(["read", str(PICTURE), "--detector", str(path)]) == 2
    assert "made it, pass --trust-pickle;" in capsys.readouterr().err


def test_threads_never_change_the_engine_silently(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["read", "x.png", "--threads", "2"]
    parts = [
        SimpleNamespace(part="detector", engine="onnx", precision="int8", note="fastest; threads is 2, and engine ..."),
        SimpleNamespace(part="recognizer", engine="onnx", precision="int8", note="fastest installed"),
    ]
    fake: Any = SimpleNamespace(describe=lambda: parts)
    monkeypatch.setattr("platereader.pipeline.Pipeline.build", lambda **_: fake)
    monkeypatch.setattr("platereader.cli.parts._wrapped", lambda pipeline, **_: pipeline)
    arguments: argparse.Namespace = build_parser().parse_args(words)
    build_pipeline(arguments)
    (line,) = capsys.readouterr().err.splitlines()
    assert "the detector runs with onnx int8" in line


def test_the_shell_is_answered_where_argcomplete_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[argparse.ArgumentParser] = []

    def autocomplete(parser: argparse.ArgumentParser) -> None:
        asked.append(parser)
        raise SystemExit(0)

    monkeypatch.setenv("_ARGCOMPLETE", "1")
    monkeypatch.setitem(sys.modules, "argcomplete", SimpleNamespace(autocomplete=autocomplete))
    with pytest.raises(SystemExit):
        main([])
    assert asked[0].prog == "platereader"
