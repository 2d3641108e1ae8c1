"""Put a detector of your own into the pipeline: ``python examples/own_detector.py PICTURE X1 Y1 X2 Y2``."""

import sys
from collections.abc import Sequence

from platereader import BgrImage, Box, Detection, Pipeline
from platereader.media import read_image


class GateDetector:
    """At this gate the plate always stands in the same place."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        return [[Detection(self._box, score=1.0)] for _ in frames]


def main(arguments: Sequence[str]) -> None:
    if len(arguments) != 5:
        raise SystemExit(__doc__)
    picture, *edges = arguments
    pipeline = Pipeline.build(detector=GateDetector(Box(*map(float, edges))))
    for reading in pipeline.read(read_image(picture)):
        print(reading.text, f"{reading.confidence:.2f}", reading.status)


if __name__ == "__main__":
    main(sys.argv[1:])
