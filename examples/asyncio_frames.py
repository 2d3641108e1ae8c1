"""Follow plates in an asyncio program: ``python examples/asyncio_frames.py VIDEO``.

Frames arrive at the camera's pace and are read in a worker thread, one after the other, so their order is kept and the
event loop stays free. While one is read, newer ones take each other's place: those that come too fast are dropped.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence

import cv2
import numpy as np

from platereader import BgrImage, Pipeline, TrackedPlate


async def camera(path: str) -> AsyncIterator[tuple[float, BgrImage]]:
    """A video played at its own speed, in the place of a network camera: ``(timestamp_s, frame)``."""
    video = cv2.VideoCapture(path)
    fps = video.get(cv2.CAP_PROP_FPS) or 25.0
    index = 0
    while True:
        there, frame = await asyncio.to_thread(video.read)
        if not there:
            return
        yield index / fps, np.asarray(frame, np.uint8)
        index += 1
        await asyncio.sleep(1 / fps)


async def newest(
    frames: AsyncIterator[tuple[float, BgrImage]], slot: asyncio.Queue[tuple[float, BgrImage] | None]
) -> None:
    """Keep the slot filled with the latest frame; None says that there are no more."""
    async for item in frames:
        if slot.full():
            slot.get_nowait()
        slot.put_nowait(item)
    await slot.put(None)


async def follow(path: str) -> None:
    stream = (await asyncio.to_thread(Pipeline.build)).stream()
    slot: asyncio.Queue[tuple[float, BgrImage] | None] = asyncio.Queue(maxsize=1)
    filling = asyncio.create_task(newest(camera(path), slot))
    finished: list[TrackedPlate] = []
    while (item := await slot.get()) is not None:
        timestamp_s, frame = item
        finished += (await asyncio.to_thread(stream.update, frame, timestamp_s)).finished
    await filling
    for plate in (*finished, *stream.finish().finished):
        print(f"{plate.first_seen_s:.2f}-{plate.last_seen_s:.2f} s {plate.text} {plate.status}")


def main(arguments: Sequence[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit(__doc__)
    asyncio.run(follow(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
