"""The gate between ``watch --json``, a real MQTT broker and a webhook: what is told, and that nothing is lost."""

from __future__ import annotations

import io
import json
import os
import runpy
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from typing import Any, cast
from urllib.parse import unquote

import pytest

pytest.importorskip("paho.mqtt", reason="paho-mqtt is not installed: pip install paho-mqtt")

GATE: dict[str, Any] = runpy.run_path(
    str(Path(__file__).resolve().parents[2] / "examples" / "gate" / "gate.py"), run_name="gate"
)
BROKER = shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
LINE = ((0, 500), (1280, 500))


def event(number: int, *, kind: str = "finished", text: str | None = "A123BC77", **plate: Any) -> dict[str, Any]:
    """A line of ``watch --json`` with what the gate needs of it."""
    seen = {"first": {"box": [600, 380, 700, 402]}, "last": {"box": [590, 600, 710, 627], "timestamp_s": 2.5}}
    verdict = {
        "text": text,
        "number": text,
        "text_local": None,
        "country": "RU",
        "region": "Moscow",
        "status": "read",
        "confidence": 1.0,
    }
    return {"event": kind, "timestamp_s": 3.0, "plate": {"passage_id": number, **verdict, **seen, **plate}}


def settings(folder: Path, **receivers: Any) -> Path:
    known = folder / "known.txt"
    known.write_text("# residents\nа123вс 77  # flat 5\n\nM555KE199\n", encoding="utf-8")
    path = folder / "gate.json"
    told = {"name": "north", "plates": str(known), "spool": str(folder / "spool"), "line": LINE, **receivers}
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


class Webhook(ThreadingHTTPServer):
    """Takes messages, or answers 500 while ``away``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.away = False
        self.taken: list[dict[str, Any]] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/vehicles"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        webhook = cast(Webhook, self.server)
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert unquote(self.headers["Idempotency-Key"]) == message["id"]
        if not webhook.away:
            webhook.taken.append(message)
        self.send_response(500 if webhook.away else 204)
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    server = Webhook()
    yield server
    server.shutdown()
    server.server_close()


def run(arguments: list[str], lines: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    status: int = GATE["main"](arguments)
    return status


def test_what_is_told_of_a_vehicle(tmp_path: Path) -> None:
    gate = GATE["gate_of"](json.loads(settings(tmp_path).read_text(encoding="utf-8")))
    passed = gate.message(event(1), run="r")
    assert (passed["id"], passed["event_type"], passed["direction"]) == ("north-r-1-passed", "passed", "in")
    assert (passed["known"], passed["similar"]) == (True, ["а123вс 77"])
    assert passed["at"] == 2.5  # when it was last seen, and not when that was told
    assert gate.message(event(1, kind="settled"), run="r")["event_type"] == "arrived"
    # What is not surely read opens nothing, however near it is; 8 is easily taken for 3.
    assert gate.message(event(2, status="uncertain"), run="r")["known"] is False
    near = gate.message(event(3, text="A128BC77"), run="r")
    assert (near["known"], near["similar"]) == (False, ["а123вс 77"])
    assert gate.message(event(4, text=None, status="unreadable"), run="r")["similar"] == []
    # The list may have a two-line plate as it is registered, or as it is printed.
    for text, number in (("A1BC7723", "A123BC77"), ("M555KE199", "M199555KE")):
        two_line = event(5, text=text)
        two_line["plate"]["number"] = number
        assert gate.message(two_line, run="r")["known"] is True
    assert gate.message({"event": "started"}, run="r") is None


def test_a_zone_leaves_out_what_passes_elsewhere(tmp_path: Path) -> None:
    path = settings(tmp_path, zone=[[0, 0], [400, 0], [400, 720], [0, 720]])
    gate = GATE["gate_of"](json.loads(path.read_text(encoding="utf-8")))
    assert gate.message(event(1), run="r") is None
    assert gate.message(event(1, last={"box": [300, 600, 420, 620], "timestamp_s": 2.5}), run="r") is not None


@pytest.mark.parametrize(
    ("first", "last", "direction"),
    [
        ((640, 400), (640, 600), "in"),
        ((640, 600), (640, 400), "out"),
        ((640, 100), (640, 400), None),  # before the line
        ((1400, 400), (1400, 600), None),  # beside it
        ((640, 500), (640, 600), None),  # began on it
    ],
)
def test_a_line_is_crossed_in_or_out(first: Any, last: Any, direction: str | None) -> None:
    assert GATE["crossing"](first, last, LINE) == direction


def test_what_a_webhook_did_not_take_is_sent_at_the_next_start(
    tmp_path: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settings(tmp_path, webhook=webhook.address)
    lines = "".join(json.dumps(event(number)) + "\n" for number in range(3))
    webhook.away = True
    assert run([str(path), "--patience-s", "0.1"], lines + "no event\n{}\n", monkeypatch) == 1
    said = capsys.readouterr().err
    assert "webhook: messages in " in said
    assert "sent at the next start: 3\n" in said
    assert "a line that is no event" in said
    (tmp_path / "spool" / "webhook" / "1.half").write_bytes(b"{")  # as a kill leaves it
    webhook.away = False
    assert run([str(path)], json.dumps(event(7)), monkeypatch) == 0
    assert [message["id"].split("-")[2] for message in webhook.taken] == ["0", "1", "2", "7"]
    assert list((tmp_path / "spool" / "webhook").iterdir()) == []


def test_a_line_that_is_no_text_ends_nothing(
    tmp_path: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = b"\xff\xfe\n" + json.dumps(event(1)).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines), encoding="ascii"))
    assert GATE["main"]([str(settings(tmp_path, webhook=webhook.address)), "--patience-s", "5"]) == 0
    assert len(webhook.taken) == 1
    assert "a line that is no event" in capsys.readouterr().err


def test_a_message_that_finds_no_room_is_named_and_the_next_one_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spool, taken = GATE["Spool"](tmp_path / "spool"), list[bytes]()
    put = spool.put

    def put_where_room_is(message: bytes) -> None:
        if b"-1-passed" in message:
            raise OSError(28, "No space left on device")
        put(message)

    def deliver(message: bytes) -> bool:
        taken.append(message)
        return True

    spool.put = put_where_room_is
    sender = GATE["Sender"]("mqtt", spool, deliver)
    gate = GATE["gate_of"](json.loads(settings(tmp_path).read_text(encoding="utf-8")))
    GATE["follow"](io.StringIO(f"{json.dumps(event(1))}\n{json.dumps(event(2))}\n"), gate, [sender])
    assert sender.finish(5.0) == 0
    assert [json.loads(message)["id"].split("-")[2] for message in taken] == ["2"]
    said = capsys.readouterr().err
    assert "-1-passed could not be kept and is lost" in said
    assert "No space left on device" in said


def test_a_gate_may_be_called_by_any_letters(tmp_path: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    path = settings(tmp_path, webhook=webhook.address, name="\u0432\u044a\u0435\u0437\u0434 1")
    assert run([str(path), "--patience-s", "5"], json.dumps(event(1)), monkeypatch) == 0
    (message,) = webhook.taken
    assert message["id"].startswith("\u0432\u044a\u0435\u0437\u0434 1-")


def test_each_source_of_a_run_has_ids_of_its_own(
    tmp_path: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver drops what has an id that it knows, and every source numbers its passages from 1."""
    lines = [{"event": "started"}, event(1), {"event": "ended"}] * 2
    told = "\n".join(map(json.dumps, lines)) + '\n[1]\nnull\n5\n"text"\n'
    assert run([str(settings(tmp_path, webhook=webhook.address)), "--patience-s", "5"], told, monkeypatch) == 0
    assert len({message["id"] for message in webhook.taken}) == len(webhook.taken) == 2


def test_a_delivery_that_fails_in_an_unknown_way_is_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken: list[bytes] = []

    def deliver(message: bytes) -> bool:
        taken.append(message)
        if len(taken) == 1:
            raise ValueError("no topic")
        return True

    sender = GATE["Sender"]("mqtt", GATE["Spool"](tmp_path), deliver, longest_pause_s=0.01)
    sender.send(b"1")
    sender.send(b"2")
    assert sender.finish(5.0) == 0
    assert taken == [b"1", b"1", b"2"]
    assert "mqtt: ValueError('no topic')" in capsys.readouterr().err


def test_a_webhook_that_speaks_no_http_is_tried_again() -> None:
    with create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"hello\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert GATE["post"](f"http://127.0.0.1:{server.getsockname()[1]}/", b'{"id": "1"}') is False
        thread.join()


@pytest.mark.parametrize("lacking", ["name", "plates", "spool"])
def test_settings_that_lack_something_are_refused(
    tmp_path: Path, lacking: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settings(tmp_path)
    told = json.loads(path.read_text(encoding="utf-8"))
    del told[lacking]
    path.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(SystemExit):
        GATE["main"]([str(path)])
    assert f"lacks {lacking}" in capsys.readouterr().err


@pytest.mark.parametrize("broken", ["nothing", "no JSON", "no plates"])
def test_settings_that_cannot_be_read_are_told(broken: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = settings(tmp_path)
    if broken == "no JSON":
        path.write_text("name: gate", encoding="utf-8")
    elif broken == "no plates":
        path = settings(tmp_path, plates=str(tmp_path / "nosuch.txt"))
    else:
        path.unlink()
    with pytest.raises(SystemExit) as ended:
        GATE["main"]([str(path)])
    assert ended.value.code == 2
    assert f"error: {path}: " in capsys.readouterr().err


def test_an_address_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit):
        run([str(settings(tmp_path, webhook="file:///etc/passwd"))], "", monkeypatch)


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number: int = free.getsockname()[1]
        return number


def broker(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """A broker that takes everybody in."""
    assert BROKER is not None
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([BROKER, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: listening(port))
    return process


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(BROKER is None, reason="there is no MQTT broker: apt-get install mosquitto")
def test_nothing_is_lost_when_the_broker_is_killed(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    def subscribe(client: Client, *_: object) -> None:
        client.subscribe("#", qos=1)

    messages: dict[str, list[bytes]] = {}
    listener = Client(CallbackAPIVersion.VERSION2)
    listener.on_connect = subscribe
    listener.on_message = lambda _client, _data, message: messages.setdefault(message.topic, []).append(
        bytes(message.payload)
    )
    listener.reconnect_delay_set(1, 1)

    def told() -> set[str]:
        return {json.loads(message)["id"].split("-")[2] for message in messages.get("platereader/north/vehicle", [])}

    first = broker(tmp_path, port)
    listener.connect("127.0.0.1", port)
    listener.loop_start()
    reading, writing = os.pipe()
    path = settings(tmp_path, mqtt={"host": "127.0.0.1", "port": port})
    status: list[int] = []
    with os.fdopen(reading) as lines, os.fdopen(writing, "w", buffering=1) as camera:
        monkeypatch.setattr("sys.stdin", lines)
        gate = threading.Thread(target=lambda: status.append(GATE["main"]([str(path)])))
        gate.start()
        camera.write(json.dumps(event(1)) + "\n")
        wait_until(lambda: told() == {"1"})
        first.kill()
        first.wait()
        camera.write(json.dumps(event(2)) + "\n" + json.dumps(event(3)) + "\n")
        wait_until(lambda: len(list((tmp_path / "spool" / "mqtt").glob("*.json"))) == 2)
        second = broker(tmp_path, port)
        wait_until(listener.is_connected)
        camera.close()
        gate.join(20)
        wait_until(lambda: told() == {"1", "2", "3"})
    listener.loop_stop()
    second.kill()
    second.wait()
    assert status == [0]
    assert messages["platereader/north/availability"][-1] == b"offline"
    found = json.loads(messages["homeassistant/sensor/platereader_north/plate/config"][0])
    assert found["state_topic"] == "platereader/north/vehicle"
    kinds = json.loads(messages["homeassistant/event/platereader_north/vehicle/config"][0])["event_types"]
    assert kinds == ["arrived", "passed"]


def wait_until(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)
