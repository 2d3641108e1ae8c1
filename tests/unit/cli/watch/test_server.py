"""Who may see the page and press its buttons, and who may not."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from fakes import frame_with, patch_pipeline
from platereader import Box, StreamUpdate
from platereader.cli.watch.live_state import LiveState
from platereader.cli.watch.server import LivePage
from platereader.errors import InvalidArgumentError

FRAME = frame_with({50: Box(40, 60, 120, 80)})


class Visitor:
    """A browser as the server sees it."""

    def __init__(self, page: LivePage) -> None:
        address = urlsplit(page.url)
        assert address.hostname is not None
        self.host, self.port, self.root = address.hostname, address.port, address.path

    def ask(
        self, path: str, *, method: str = "GET", root: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
        try:
            connection.request(method, (self.root if root is None else root) + path, headers=headers)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()


@pytest.fixture(autouse=True)
def no_wait_for_tabs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most visitors are no page that says when it shows the end."""
    monkeypatch.setattr("platereader.cli.watch.server._LAST_REQUEST_S", 0.0)


@pytest.fixture
def state() -> LiveState:
    """One frame with one plate."""
    stream = patch_pipeline().stream()
    shown = LiveState()
    for index in range(3):
        shown.show(FRAME, stream.update(FRAME, index / 10))
    return shown


@contextmanager
def served(state: LiveState, stops: list[str] | None = None) -> Generator[Visitor, None, None]:
    """The page of a state, and somebody who looks at it."""
    with LivePage(state, on_stop=lambda: (stops if stops is not None else []).append("stop")) as page:
        yield Visitor(page)


def test_the_page_is_one_file_that_loads_nothing_from_elsewhere(state: LiveState) -> None:
    with served(state) as visitor:
        status, headers, body = visitor.ask("")
        _, again, _ = visitor.ask("")
    assert status == 200
    text = body.decode()
    assert "http://" not in text
    assert "https://" not in text
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    nonce = policy.split("script-src 'nonce-")[1].split("'")[0]
    assert text.count(f'nonce="{nonce}"') == 2
    assert again["Content-Security-Policy"] != policy
    assert headers["Referrer-Policy"] == "no-referrer"


def test_state_frame_and_crop(state: LiveState) -> None:
    with served(state) as visitor:
        status, _, body = visitor.ask("state")
        assert status == 200
        plate_id = json.loads(body)["plates"][0]["id"]
        for path in ("frame?after=0", "frame", "frame?after=x", f"crop/{plate_id}"):
            status, headers, body = visitor.ask(path)
            assert (status, headers["Content-Type"], body[:2]) == (200, "image/jpeg", b"\xff\xd8"), path
        for path in ("crop/99", "crop/x", "crop/-1", "nothing", "../state"):
            assert visitor.ask(path)[0] == 404, path


def test_a_frame_that_is_waited_for_may_not_come(state: LiveState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platereader.cli.watch.server._FRAME_WAIT_S", 0.01)
    with served(state) as visitor:
        assert visitor.ask("frame?after=3")[::2] == (204, b"")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_host_name_is_refused(state: LiveState, host: str, method: str) -> None:
    stops: list[str] = []
    with served(state, stops) as visitor:
        assert visitor.ask("stop" if method == "POST" else "state", method=method, Host=host)[0] == 403
    assert stops == []


@pytest.mark.parametrize("host", ["127.0.0.1:1234", "localhost:1234", "localhost"])
def test_a_forwarded_port_is_fine(state: LiveState, host: str) -> None:
    with served(state) as visitor:
        assert visitor.ask("state", Host=host)[0] == 200


@pytest.mark.parametrize("root", ["/", "/wrong/", "//", "/%D0%B6/"])
def test_without_the_key_there_is_nothing(state: LiveState, root: str) -> None:
    stops: list[str] = []
    with served(state, stops) as visitor:
        for path in ("", "state", "frame", "crop/1"):
            status, _, body = visitor.ask(path, root=root)
            assert status == 403, path
            assert b"A123" not in body
        assert visitor.ask("stop", method="POST", root=root)[0] == 403
    assert stops == []


def test_the_key_is_new_in_each_run(state: LiveState) -> None:
    with served(state) as one, served(state) as other:
        assert one.root != other.root
        assert len(one.root) > 20


def test_buttons(state: LiveState) -> None:
    stops: list[str] = []
    with served(state, stops) as visitor:
        own = f"http://127.0.0.1:{visitor.port}"
        assert visitor.ask("pause", method="POST", Origin=own)[0] == 204
        assert state.snapshot()["paused"]
        assert visitor.ask("resume", method="POST")[0] == 204
        assert not state.snapshot()["paused"]
        assert visitor.ask("stop", method="POST", Origin=own)[0] == 204
        assert visitor.ask("format", method="POST")[0] == 404
        assert visitor.ask("stop", method="GET")[0] == 404
        assert stops == ["stop"]


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9", "null", ""])
def test_buttons_of_other_pages_do_nothing(state: LiveState, origin: str) -> None:
    stops: list[str] = []
    with served(state, stops) as visitor:
        assert visitor.ask("stop", method="POST", Origin=origin)[0] == 403
        assert visitor.ask("pause", method="POST", Origin=origin)[0] == 403
    assert stops == []
    assert not state.paused


def test_who_hangs_up_in_the_middle_is_no_error(state: LiveState, capsys: pytest.CaptureFixture[str]) -> None:
    with served(state) as visitor:
        for _ in range(3):
            connection = http.client.HTTPConnection(visitor.host, visitor.port)
            connection.request("GET", visitor.root + "frame?after=0")
            connection.close()
        assert visitor.ask("state")[0] == 200
    assert capsys.readouterr() == ("", "")


def test_a_port_that_is_taken(state: LiveState) -> None:
    with LivePage(state, on_stop=lambda: None) as page:
        port = urlsplit(page.url).port or 0
        with pytest.raises(InvalidArgumentError, match=f"port is {port}"):
            LivePage(state, on_stop=lambda: None, port=port)
    with pytest.raises(InvalidArgumentError, match="port is 70000"):
        LivePage(state, on_stop=lambda: None, port=70000)


def test_the_end_waits_for_all_open_tabs(state: LiveState) -> None:
    with LivePage(state, on_stop=lambda: None) as page:
        started_s = time.monotonic()
        page.wait_until_delivered(60)
        assert time.monotonic() - started_s < 20, "nobody looks"
        visitor = Visitor(page)
        for tab in "ab":
            visitor.ask(f"state?tab={tab}")
        visitor.ask("seen?tab=a", method="POST")
        threading.Timer(0.2, visitor.ask, ["seen?tab=b"], {"method": "POST"}).start()
        started_s = time.monotonic()
        page.wait_until_delivered(60)
        assert 0.1 < time.monotonic() - started_s < 50


def test_a_tab_may_wait_for_the_end(state: LiveState, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(state) as visitor:
        monkeypatch.setattr("platereader.cli.watch.server._END_WAIT_S", 0.01)
        assert visitor.ask("end?tab=a")[::2] == (204, b"")
        monkeypatch.setattr("platereader.cli.watch.server._END_WAIT_S", 60.0)
        threading.Timer(0.1, state.end, [StreamUpdate(1.0, (), ()), "stopped"]).start()
        status, _, body = visitor.ask("end?tab=a")
        assert (status, json.loads(body)["phase"]) == (200, "stopped")


def test_a_run_that_breaks_off_says_so_to_those_who_wait(state: LiveState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platereader.cli.watch.server._LAST_REQUEST_S", 10.0)
    phases: list[str] = []

    def wait(visitor: Visitor) -> None:
        phases.append(json.loads(visitor.ask("end?tab=a")[2])["phase"])
        visitor.ask("seen?tab=a", method="POST")

    def break_off() -> None:
        with served(state) as visitor:
            visitor.ask("state?tab=a")
            threading.Thread(target=wait, args=[visitor]).start()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert phases == ["stopped"]


def test_tabs_are_forgotten(state: LiveState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platereader.cli.watch.server._MAX_TABS", 2)
    with LivePage(state, on_stop=lambda: None) as page:
        visitor = Visitor(page)
        for tab in "abc":
            visitor.ask(f"state?tab={tab}")
        for tab in "bc":
            visitor.ask(f"seen?tab={tab}", method="POST")
        started_s = time.monotonic()
        page.wait_until_delivered(60)
        assert time.monotonic() - started_s < 20
