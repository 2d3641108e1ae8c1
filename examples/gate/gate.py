"""From what passes a camera to MQTT and a webhook, with nothing lost while they are away.

    platereader watch rtsp://user:password@camera/stream --json | python examples/gate/gate.py gate.json

A vehicle is told of up to twice: ``arrived`` when its text has settled, ``passed`` when it has gone. A message is
on disk before it is sent and stays there until it was taken; what is left is sent at the next start. A receiver may
get one twice: its ``id`` says so.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

import cv2
import numpy as np

from platereader.plates import KnownPlates, match_known

try:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion
except ModuleNotFoundError as error:
    print(f"{error.name} is not installed: pip install paho-mqtt", file=sys.stderr)
    sys.exit(3)

KINDS = {"settled": "arrived", "finished": "passed"}
Point = Sequence[float]


class Spool:
    """Messages on disk, the oldest first, each in a file of its own.

    Args:
        folder: used by one program at a time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # plates are personal data
        for half in folder.glob("*.half"):  # of a program that was killed
            half.unlink()
        self._last = max((int(path.stem) for path in folder.glob("*.json")), default=0)

    def put(self, message: bytes) -> None:
        """Keep a message; when this returns, it survives a loss of power."""
        self._last = max(self._last + 1, time.time_ns())
        path = self._folder / f"{self._last:020}.json"
        half = path.with_suffix(".half")
        with half.open("wb") as file:
            file.write(message)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
        if os.name == "posix":  # elsewhere a folder cannot be opened
            folder = os.open(self._folder, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)

    def waiting(self) -> list[Path]:
        """The files of the messages."""
        return sorted(self._folder.glob("*.json"))


class Sender:
    """Sends what a spool holds, one message after the other, in a thread of its own.

    Args:
        name: what it is called in messages.
        spool: of this receiver alone.
        deliver: sends one message and says whether it was taken; called again, later and later, until it was.
        longest_pause_s: between two tries.
    """

    def __init__(
        self, name: str, spool: Spool, deliver: Callable[[bytes], bool], *, longest_pause_s: float = 60.0
    ) -> None:
        self.name, self.spool = name, spool
        self._deliver, self._longest_pause_s = deliver, longest_pause_s
        self._new, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def send(self, message: bytes) -> None:
        """Keep a message and send it as soon as possible."""
        self.spool.put(message)
        self._new.set()

    def finish(self, patience_s: float) -> int:
        """Stop when all is sent or ``patience_s`` are over; returns how many messages wait."""
        until = time.monotonic() + patience_s
        while self.spool.waiting() and time.monotonic() < until:
            time.sleep(0.02)
        self._stop.set()
        self._new.set()
        self._thread.join(1.0)
        return len(self.spool.waiting())

    def _run(self) -> None:
        while not self._stop.is_set():
            self._new.clear()
            for path in self.spool.waiting():
                if not self._sent(path):
                    return
                path.unlink(missing_ok=True)
            self._new.wait()

    def _sent(self, path: Path) -> bool:
        """Try until the message was taken; False where the program ends first."""
        pause_s = 0.5
        while not self._stop.is_set():
            if self._is_taken(path):
                return True
            self._stop.wait(pause_s)
            pause_s = min(2 * pause_s, self._longest_pause_s)
        return False

    def _is_taken(self, path: Path) -> bool:
        """Whether one try succeeded; whatever goes wrong in it, the thread lives on, or nothing more would be sent."""
        try:
            return self._deliver(path.read_bytes())
        except FileNotFoundError:  # somebody has removed it
            return True
        except Exception as error:  # noqa: BLE001
            print(f"{self.name}: {error!r}", file=sys.stderr)
            return False


class Mqtt:
    """Messages to a broker, at least once each, and what Home Assistant needs to find them.

    Args:
        gate: name of the gate; its topics begin with ``platereader/GATE``.
        host: of the broker.
        port: of the broker.
        username: if the broker asks for one; its password is in the variable ``MQTT_PASSWORD``.
        tls: whether the connection is encrypted.
        answer_s: how long one delivery waits.
    """

    def __init__(
        self,
        gate: str,
        *,
        host: str,
        port: int = 1883,
        username: str | None = None,
        tls: bool = False,
        answer_s: float = 5,
    ) -> None:
        self._gate, self._answer_s = gate, answer_s
        self._base = f"platereader/{gate}"
        self._client = client = Client(CallbackAPIVersion.VERSION2, client_id=f"platereader-{gate}")
        if username is not None:
            client.username_pw_set(username, os.environ.get("MQTT_PASSWORD"))
        if tls:
            client.tls_set()
        client.will_set(f"{self._base}/availability", "offline", qos=1, retain=True)
        client.on_connect = self._on_connect
        client.reconnect_delay_set(1, 30)
        client.connect_async(host, port)
        client.loop_start()

    def deliver(self, message: bytes) -> bool:
        """Publish a message; True once the broker has it."""
        if not self._client.is_connected():
            return False
        sent = self._client.publish(f"{self._base}/vehicle", message, qos=1)
        until = time.monotonic() + self._answer_s
        while not sent.is_published() and self._client.is_connected() and time.monotonic() < until:
            time.sleep(0.01)
        return sent.is_published()

    def close(self) -> None:
        """Say that the gate is not watched any more."""
        if self._client.is_connected():
            self._client.publish(f"{self._base}/availability", "offline", qos=1, retain=True).wait_for_publish(1)
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, *_: object) -> None:
        client.publish(f"{self._base}/availability", "online", qos=1, retain=True)
        for kind, topic, told in _discovered(self._gate, self._base):
            client.publish(
                f"homeassistant/{kind}/platereader_{self._gate}/{topic}/config", json.dumps(told), qos=1, retain=True
            )


def _discovered(gate: str, base: str) -> Iterable[tuple[str, str, Mapping[str, Any]]]:
    """What Home Assistant shows: the latest plate with all that is known of it, and an event for each vehicle."""
    common = {
        "availability_topic": f"{base}/availability",
        "state_topic": f"{base}/vehicle",
        "device": {"identifiers": [f"platereader_{gate}"], "name": gate, "manufacturer": "platereader"},
    }
    plate = {"name": "Plate", "value_template": "{{ value_json.text or 'unreadable' }}", "icon": "mdi:car"}
    yield (
        "sensor",
        "plate",
        {**common, **plate, "unique_id": f"{gate}_plate", "json_attributes_topic": f"{base}/vehicle"},
    )
    yield (
        "event",
        "vehicle",
        {**common, "name": "Vehicle", "unique_id": f"{gate}_vehicle", "event_types": list(KINDS.values())},
    )


def post(url: str, message: bytes, *, timeout_s: float = 10.0) -> bool:
    """Send a message to a webhook; True once it answers with 2xx.

    What is not ASCII in the key is written as in an address: a header holds nothing else.
    """
    headers = {"Content-Type": "application/json", "Idempotency-Key": quote(json.loads(message)["id"])}
    request = urllib.request.Request(url, message, headers, method="POST")  # noqa: S310 - checked in `senders_of`
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            return bool(200 <= answer.status < 300)
    except (HTTPException, OSError) as error:  # it may also answer with something else than HTTP
        print(f"webhook: {error}", file=sys.stderr)
        return False


@dataclass(frozen=True)
class Gate:
    """What the place in front of the camera is like.

    Attributes:
        name: part of topics and ids.
        known: plates that may enter.
        zone: polygon in pixels in which a vehicle matters; None for the whole picture.
        line: two points; whoever crosses from its left to its right, seen along it, goes ``in``.
    """

    name: str
    known: KnownPlates
    zone: Sequence[Point] | None = None
    line: tuple[Point, Point] | None = None

    def message(self, event: Mapping[str, Any], *, run: str) -> dict[str, Any] | None:
        """What is told of an event of ``watch --json``; None where that is nothing.

        Args:
            event: one line.
            run: tells the passages of this run from those of others.
        """
        if event.get("event") not in KINDS:
            return None
        plate = event["plate"]
        first, last = _middle(plate["first"]["box"]), _middle(plate["last"]["box"])
        if self.zone is not None and cv2.pointPolygonTest(np.array(self.zone, np.float32), last, False) < 0:
            return None
        # As it is registered and, where that differs, as it is printed: the list may have either.
        spelt = [text for text in (plate["number"], plate["text"]) if text is not None]
        matches = [one for text in spelt if (one := match_known(text, self.known)) is not None]
        match = min(matches, key=lambda one: one.distance, default=None)
        kind = KINDS[event["event"]]
        return {
            "id": f"{self.name}-{run}-{plate['passage_id']}-{kind}",
            "event_type": kind,
            "text": plate["text"],
            "number": plate["number"],
            "text_local": plate["text_local"],
            "country": plate["country"],
            "region": plate["region"],
            "status": plate["status"],
            "confidence": plate["confidence"],
            # A gate is opened for what was surely read, character for character; the rest is a hint.
            "known": match is not None and match.distance == 0 and plate["status"] == "read",
            "similar": [] if match is None else list(match.plates),
            "direction": None if self.line is None else crossing(first, last, self.line),
            "at": event.get("last_seen_at") or plate["last"]["timestamp_s"],
        }


def crossing(first: Point, last: Point, line: tuple[Point, Point]) -> str | None:
    """``in`` or ``out`` for a way from ``first`` to ``last`` that crosses a line, None for any other."""
    begun, ended = _side(first, *line), _side(last, *line)
    crosses = begun * ended < 0 and _side(line[0], first, last) * _side(line[1], first, last) <= 0
    return None if not crosses else "in" if ended > 0 else "out"


def _side(point: Point, start: Point, end: Point) -> float:
    """Above 0 on the right of a line as one looks along it, below 0 on its left."""
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])


def _middle(box: Sequence[float]) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def gate_of(settings: Mapping[str, Any]) -> Gate:
    """The gate that a settings file describes; the known plates are the first words of the lines of a text file."""
    lines = Path(settings["plates"]).read_text(encoding="utf-8").splitlines()
    known = KnownPlates(line.split("#")[0].strip() for line in lines if line.split("#")[0].strip())
    line = settings.get("line")
    return Gate(settings["name"], known, settings.get("zone"), None if line is None else (line[0], line[1]))


def follow(lines: TextIO, gate: Gate, senders: Sequence[Sender]) -> None:
    """Tell all receivers of all events; each source numbers its passages from 1, and is a run of its own."""
    run = f"{time.time_ns():x}"
    for line in lines:
        try:
            event = json.loads(line)
            if event.get("event") == "started":
                run = f"{time.time_ns():x}"
            message = gate.message(event, run=run)
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            print(f"a line that is no event of `platereader watch --json` ({error!r}): {line[:80]!r}", file=sys.stderr)
            continue
        if message is not None:
            for sender in senders:
                try:
                    sender.send(json.dumps(message, ensure_ascii=False).encode())
                except OSError as error:  # noqa: PERF203 - the gate lives on: a later one may find room
                    print(f"{sender.name}: {message['id']} could not be kept and is lost: {error}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("settings", type=Path, help="such as examples/gate/gate.json")
    parser.add_argument("--patience-s", type=float, default=10.0, help="how long the end waits for receivers")
    chosen = parser.parse_args(arguments)
    try:
        settings = json.loads(chosen.settings.read_text(encoding="utf-8"))
        lacking = [name for name in ("name", "plates", "spool") if name not in settings]
        if lacking:
            parser.error(f"{chosen.settings} lacks {', '.join(lacking)}: examples/gate/gate.json has all of them")
        gate, spool = gate_of(settings), Path(settings["spool"])
    except (OSError, ValueError) as error:  # of the settings or the file of plates, or what is in them
        parser.error(f"{chosen.settings}: {error}")
    mqtt = Mqtt(gate.name, **settings["mqtt"]) if "mqtt" in settings else None
    senders = [] if mqtt is None else [Sender("mqtt", Spool(spool / "mqtt"), mqtt.deliver)]
    if "webhook" in settings:
        if not settings["webhook"].startswith(("http://", "https://")):
            parser.error(f"webhook is {settings['webhook']!r}, expected is an address of http or https")
        senders.append(Sender("webhook", Spool(spool / "webhook"), partial(post, settings["webhook"])))
    if isinstance(sys.stdin, TextIOWrapper):  # `watch` writes UTF-8, whatever this system has
        sys.stdin.reconfigure(encoding="utf-8", errors="backslashreplace")
    with suppress(KeyboardInterrupt):
        follow(sys.stdin, gate, senders)
    left = {sender.name: sender.finish(chosen.patience_s) for sender in senders}
    if mqtt is not None:
        mqtt.close()
    for name, count in left.items():
        if count:
            print(f"{name}: messages in {spool / name}, sent at the next start: {count}", file=sys.stderr)
    return int(any(left.values()))


if __name__ == "__main__":
    sys.exit(main())
