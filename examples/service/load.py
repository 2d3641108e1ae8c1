"""How many pictures the service reads a second: ``python examples/service/load.py PICTURE --clients 1 8 64``.

Each client sends the picture again as soon as it has the answer. Beside them, the same picture read one by one in this
process, without a network.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from platereader import Pipeline
from platereader.media import decode_image

try:
    import httpx
except ModuleNotFoundError as error:
    print(f"{error.name} is not installed: pip install httpx", file=sys.stderr)
    sys.exit(3)


async def ask(client: httpx.AsyncClient, data: bytes, until: float, seconds: list[float], codes: Counter[int]) -> None:
    while time.monotonic() < until:
        begun = time.monotonic()
        answer = await client.post("/read", files={"files": ("picture.jpg", data)})
        codes[answer.status_code] += 1
        if answer.status_code == 200:
            seconds.append(time.monotonic() - begun)


async def load(address: str, data: bytes, clients: int, duration_s: float) -> str:
    """One line of figures."""
    seconds: list[float] = []
    codes: Counter[int] = Counter()
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=60) as client:
        await client.post("/read", files={"files": ("picture.jpg", data)})
        begun = time.monotonic()
        await asyncio.gather(*(ask(client, data, begun + duration_s, seconds, codes) for _ in range(clients)))
        rate = len(seconds) / (time.monotonic() - begun)
    ranked = sorted(seconds) or [0.0]
    middle, late = statistics.median(ranked), ranked[int(0.95 * (len(ranked) - 1))]
    return f"{clients:3} clients  {rate:6.1f} pictures/s  median {middle:.3f} s  95 % {late:.3f} s  {dict(codes)}"


def one_by_one(data: bytes, duration_s: float) -> str:
    pipeline = Pipeline.build()
    pipeline.read(decode_image(data, path="picture"))
    count, begun = 0, time.monotonic()
    while time.monotonic() < begun + duration_s:
        pipeline.read(decode_image(data, path="picture"))
        count += 1
    return f"one by one   {count / (time.monotonic() - begun):6.1f} pictures/s, in this process"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--address", default="http://127.0.0.1:8000")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--duration-s", type=float, default=10.0)
    chosen = parser.parse_args(arguments)
    data = chosen.picture.read_bytes()
    print(one_by_one(data, chosen.duration_s))
    for clients in chosen.clients:
        print(asyncio.run(load(chosen.address, data, clients, chosen.duration_s)), flush=True)


if __name__ == "__main__":
    main()
