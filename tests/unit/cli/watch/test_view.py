"""``platereader watch --view`` in a real browser."""

from __future__ import annotations

import argparse
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from captures import ScriptedCapture, read_video
from fakes import frame_with, patch_pipeline
from platereader import Box, Pipeline
from platereader._arrays import BgrImage
from platereader.cli import main
from platereader.media._camera import LiveFeed
from webdriver import Browser, chromium

PIXEL = """
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [1, 1];
canvas.getContext("2d").drawImage(document.getElementById("frame"), 0, 0, 1, 1, 0, 0, 1, 1);
return canvas.getContext("2d").getImageData(0, 0, 1, 1).data[0];
"""


class Flashing(ScriptedCapture):
    """A camera before a standing plate, in a light that changes from frame to frame."""

    def read(self) -> BgrImage | None:
        time.sleep(0.03)
        self._index += 1
        frame = frame_with({50: Box(40, 60, 120, 80)})
        frame[:20, :, 2] = np.uint8(self._index * 40 % 256)
        return frame


def seen_colours(browser: Browser) -> set[int]:
    """The light in which the page shows the plate, over a while."""
    seen: set[int] = set()
    for _ in range(10):
        seen.add(int(browser.run(PIXEL)))
        time.sleep(0.05)
    return seen


def test_the_page_shows_pauses_and_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def open_camera(word: str, **_: object) -> LiveFeed:
        return LiveFeed(Flashing([]), name=word, reopen=lambda: None, notify=print)

    def build(_: argparse.Namespace) -> Pipeline:
        return patch_pipeline()

    monkeypatch.setattr("platereader.media._opening.open_source", open_camera)
    monkeypatch.setattr("platereader.cli.watch.command.build_pipeline", build)
    video = tmp_path / "marked.mp4"
    with ThreadPoolExecutor() as threads, chromium(tmp_path) as browser:
        done = threads.submit(main, ["watch", "gate <b>1</b>", "--view", "--save", str(video)])
        try:
            printed, end_s = "", time.monotonic() + 10
            while (found := re.search(r"http://\S+", printed)) is None and time.monotonic() < end_s:
                time.sleep(0.02)
                printed += capsys.readouterr().err
            assert found is not None, printed
            browser.open(found.group())
            browser.wait_for("document.getElementById('frame').naturalWidth === 320")
            assert browser.run("return document.getElementById('title').textContent") == "gate <b>1</b>"

            colours = seen_colours(browser)
            assert len(colours) > 2, "the picture stands still"
            browser.wait_for("document.querySelector('.plate.here .text')?.textContent === 'А123ВС77'")
            browser.wait_for("document.querySelector('.plate img').naturalWidth === 80")
            assert browser.run("return document.querySelector('.plate .latin').textContent") == "A123BC77"
            assert browser.run("return document.querySelector('.plate .country').textContent") == "RU"
            assert browser.run("return document.querySelector('.plate .answer').textContent").startswith("read 9")

            browser.click("#pause")
            browser.wait_for("document.getElementById('phase').textContent === 'paused'")
            time.sleep(0.3)
            stands = seen_colours(browser)
            assert len(stands) == 1, "the picture goes on"
            browser.click("#pause")
            browser.wait_for("document.getElementById('phase').textContent === 'running'")
            colours = seen_colours(browser)
            assert len(colours) > 2, "the picture does not go on"

            browser.click("#stop")
            browser.wait_for("document.getElementById('phase').textContent === 'stopped'")
            assert done.result(timeout=10) == 0
            browser.wait_for("document.querySelector('.plate:not(.here) .text')?.textContent === 'А123ВС77'")
            listed = browser.run("return document.querySelectorAll('.plate:not(.here)').length")
            assert browser.complaints() == []
        finally:
            if not done.done():
                browser.run("fetch('stop', {method: 'POST'})")
    out = capsys.readouterr().out
    assert out.count("A123BC77") == listed  # one, or two if the pause was long
    assert len(read_video(video)) > 10
