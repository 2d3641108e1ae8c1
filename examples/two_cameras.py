"""Follow two videos in two threads with one pipeline: ``python examples/two_cameras.py VIDEO VIDEO``."""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from platereader import Pipeline
from platereader.media import open_source


def follow(pipeline: Pipeline, path: str) -> list[str]:
    """One line for each plate that was seen. The stream inside belongs to this video alone."""
    with open_source(path) as source:
        gone = [plate for update in pipeline.read_stream(source) for plate in update.finished]
    return [f"{path} {plate.first_seen_s:.1f}-{plate.last_seen_s:.1f} s {plate.text} {plate.status}" for plate in gone]


def main(arguments: Sequence[str]) -> None:
    if not arguments:
        raise SystemExit(__doc__)
    pipeline = Pipeline.build()
    with ThreadPoolExecutor() as threads:
        for lines in threads.map(partial(follow, pipeline), arguments):
            print("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
