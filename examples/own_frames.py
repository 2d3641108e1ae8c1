"""Follow plates through frames that come from a generator of your own: ``python examples/own_frames.py FOLDER``.

The folder stands for any source: pictures with the time at which they were taken, some of them missing or late.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from platereader import BgrImage, Pipeline
from platereader.media import read_image


def frames_of(folder: Path) -> Iterator[tuple[float, BgrImage]]:
    """``(timestamp_s, frame)``: seconds that grow. Here, files are named by milliseconds: ``1040.jpg``."""
    for path in sorted(folder.glob("*.jpg"), key=lambda path: int(path.stem)):
        yield int(path.stem) / 1000, read_image(path)


def main(arguments: Sequence[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit(__doc__)
    pipeline = Pipeline.build()
    for update in pipeline.read_stream(frames_of(Path(arguments[0]))):
        for plate in update.finished:
            print(f"{plate.first_seen_s:.2f}-{plate.last_seen_s:.2f} s {plate.text} {plate.status}")


if __name__ == "__main__":
    main(sys.argv[1:])
