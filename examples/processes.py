"""Read a folder in several processes, one JSON line for each picture: ``python examples/processes.py FOLDER``.

Each process builds a pipeline once, with its share of the cores, and not one for each batch that it is sent.
"""

import argparse
import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2

from platereader import BgrImage, Pipeline, PlateReaderError
from platereader.media import IMAGE_SUFFIXES, read_image

pipelines: list[Pipeline] = []  # the one of this process


def start(threads: int) -> None:
    """Run in each process before its first batch."""
    cv2.setNumThreads(threads)  # all cores for each process would be far too many threads
    pipelines.append(Pipeline.build(threads=threads))


def opened(path: Path) -> BgrImage | str:
    """The picture, or what is wrong with it."""
    try:
        return read_image(path)
    except PlateReaderError as error:
        return str(error)


def read(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """A row for each picture."""
    pictures = [opened(path) for path in paths]
    readings = iter(pipelines[0].read_batch([picture for picture in pictures if not isinstance(picture, str)]))
    return [
        {"path": str(path), "error": picture}
        if isinstance(picture, str)
        else {"path": str(path), "readings": [reading.to_dict() for reading in next(readings)]}
        for path, picture in zip(paths, pictures, strict=True)
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Read a folder in several processes, one JSON line for each picture.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--threads", type=int, help="of each process; by default the cores are shared out")
    parser.add_argument("--batch", type=int, default=8, help="pictures that are read together")
    options = parser.parse_args(arguments)
    threads = options.threads or max(1, (os.cpu_count() or 1) // options.workers)

    paths = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    batches = [paths[first : first + options.batch] for first in range(0, len(paths), options.batch)]
    # A forked copy of a process that has threads may hang, hence "spawn": each starts afresh.
    with ProcessPoolExecutor(options.workers, get_context("spawn"), initializer=start, initargs=(threads,)) as pool:
        for rows in pool.map(read, batches):
            for row in rows:
                print(json.dumps(row, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
