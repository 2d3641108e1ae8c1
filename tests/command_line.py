"""The command line in this process, over fakes in the place of the shipped weights, and what it prints."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from fakes import frame_with
from platereader import Box, Pipeline
from platereader.cli import main

ONE = {50: Box(40, 60, 120, 80)}
TWO = {50: Box(40, 60, 120, 80), 100: Box(180, 150, 260, 170)}
BLANK: dict[int, Box] = {}

_BUILT_BY = ("evaluate", "info", "read", "redact", "watch.command")


class Outcome(NamedTuple):
    """Exit status, standard output and standard error of a command."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, str]]:
        """The output as CSV."""
        return list(csv.DictReader(io.StringIO(self.out)))

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The output as lines of JSON."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def pictures(self) -> list[dict[str, Any]]:
        """What the document of ``read --json`` says of each picture."""
        pictures: list[dict[str, Any]] = json.loads(self.out)["pictures"]
        return pictures


class Command:
    """Runs the command line; every command builds the same pipeline, whatever its options say."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *words: object) -> Outcome:
        status = main([*map(str, words)])
        said = self._capsys.readouterr()
        return Outcome(status, said.out, said.err)

    def refuse_building(self) -> None:
        """Fail where a command builds a pipeline."""
        for module in _BUILT_BY:
            self._monkeypatch.setattr(f"platereader.cli.{module}.build_pipeline", _refuse_building)

    def over(self, pipeline: Pipeline) -> None:
        """Put a pipeline in the place of the one that the options ask for."""
        for module in _BUILT_BY:
            self._monkeypatch.setattr(f"platereader.cli.{module}.build_pipeline", lambda _: pipeline)


def _refuse_building(arguments: object) -> Pipeline:
    raise AssertionError("a pipeline was built")


def save(path: Path, patches: dict[int, Box] = ONE, **options: Any) -> Path:
    """Write a picture with one flat patch per (blue value, box), for ``fakes`` to find and read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(frame_with(patches)[:, :, ::-1])).save(path, **options)
    return path


def events_of(command: Command, *words: object) -> list[dict[str, Any]]:
    """The lines of a run that ends well."""
    outcome = command("watch", "--json", *words)
    assert outcome.status == 0
    return outcome.lines


def watched(outcome: Any) -> list[str]:
    """The sources of a run with ``--json``, in their order."""
    return [line["source"] for line in outcome.lines if line["event"] == "started"]
