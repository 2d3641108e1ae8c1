"""A real browser without a window, driven by the W3C WebDriver protocol: a handful of requests to chromedriver."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_STARTED = re.compile(r"started successfully on port (\d+)")
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element's id, by the standard
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --window-size=1360,820 --lang=en"
)


class Browser:
    """One window."""

    def __init__(self, session: str) -> None:
        self._session = session

    def open(self, url: str) -> None:
        """Go to a page."""
        _post(f"{self._session}/url", {"url": url})

    def open_tab(self, url: str) -> str:
        """Go to a page in a new tab, which hides the one before; returns the handle for ``show_tab``."""
        handle = str(_post(f"{self._session}/window/new", {"type": "tab"})["handle"])
        self.show_tab(handle)
        self.open(url)
        return handle

    def show_tab(self, handle: str) -> None:
        """Bring a tab to the front; everything else is then about it."""
        _post(f"{self._session}/window", {"handle": handle})

    def resize(self, width: int, height: int) -> None:
        """Show the page in so many pixels, as of a phone; 0 is as before."""
        size = {"width": width, "height": height, "deviceScaleFactor": 0, "mobile": width > 0}
        _post(f"{self._session}/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": size})

    def run(self, script: str) -> Any:
        """What a script returns."""
        return _post(f"{self._session}/execute/sync", {"script": script, "args": []})

    def wait_for(self, condition: str, *, timeout_s: float = 10.0) -> Any:
        """The value of an expression as soon as it is true."""
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            if value := self.run(f"return {condition}"):
                return value
            time.sleep(0.05)
        text = self.run("return document.body.innerText")
        raise AssertionError(f"{condition} did not come true in {timeout_s} s; the page says: {text}")

    def click(self, selector: str) -> None:
        """Click where an element is, as a person would."""
        found = _post(f"{self._session}/element", {"using": "css selector", "value": selector})
        _post(f"{self._session}/element/{found[_ELEMENT]}/click", {})

    def complaints(self) -> list[str]:
        """What the browser wrote to its console since the last time."""
        return [str(entry["message"]) for entry in _post(f"{self._session}/se/log", {"type": "browser"})]


@contextmanager
def chromium(folder: Path) -> Generator[Browser, None, None]:
    """Start Chromium with a fresh profile; skips the test where it, or its driver, is not installed."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("needs Chromium and its driver: on Debian, apt install chromium chromium-driver")
    with subprocess.Popen(
        [driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            port = next(match.group(1) for line in process.stdout if (match := _STARTED.search(line)))
            options = {"binary": browser, "args": [*_FLAGS.split(), f"--user-data-dir={folder / 'profile'}"]}
            wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            root = f"http://127.0.0.1:{port}/session"
            session = f"{root}/{_post(root, {'capabilities': {'alwaysMatch': wanted}})['sessionId']}"
            try:
                yield Browser(session)
            finally:
                urllib.request.urlopen(urllib.request.Request(session, method="DELETE"), timeout=20).close()  # noqa: S310
        finally:
            process.terminate()


def _post(url: str, data: object) -> Any:
    """The value of an answer."""
    request = urllib.request.Request(url, json.dumps(data).encode(), {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        with error:
            raise AssertionError(error.read().decode()[:500]) from error
