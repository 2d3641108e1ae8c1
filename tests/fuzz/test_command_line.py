"""Any words behind the program's name: they are understood, or refused with status 2 and a message."""

from __future__ import annotations

import contextlib
import io

from hypothesis import given
from hypothesis import strategies as st

from fuzz.strategies import TEXTS, cases
from platereader.cli import build_parser

PARSER = build_parser()
COMMANDS = ["read", "watch", "redact", "evaluate", "benchmark", "train", "synth", "weights", "info"]
OPTIONS = [
    "--json",
    "--min-score",
    "--engine",
    "--threads",
    "--area",
    "--save",
    "--csv",
    "--detector",
    "--lang",
    "--no",
    "-h",
]
VALUES = [
    "-",
    "--",
    "1",
    "-1",
    "0.5",
    "nan",
    "1e999",
    "0,0 1,1 2,0",
    "onnx",
    "int8",
    "a.jpg",
    "1920x1080",
    "²",
    "9" * 5000,
]


@cases(0.1)
@given(
    st.sampled_from(COMMANDS), st.lists(st.one_of(st.sampled_from(OPTIONS), st.sampled_from(VALUES), TEXTS), max_size=5)
)
def test_any_words(command: str, words: list[str]) -> None:
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        status = None
        try:
            PARSER.parse_args([command, *words])
        except SystemExit as ending:
            status = ending.code
    assert status in {None, 0, 2}
    assert status is None or said.getvalue()
