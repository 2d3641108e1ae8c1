"""The default pipeline follows a real car through a clip and says its plate once."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from platereader import Pipeline
from platereader._arrays import BgrImage

FPS = 30


def frames_of(path: Path, *, wanted: range) -> Iterator[tuple[float, BgrImage]]:
    """Those frames of a video with their times in seconds."""
    video = cv2.VideoCapture(str(path))
    try:
        for index in range(wanted.stop):
            assert video.grab()
            if index in wanted:
                good, frame = video.retrieve()
                assert good
                yield index / FPS, np.asarray(frame, np.uint8)
    finally:
        video.release()


@pytest.mark.slow
def test_a_leaving_car_is_one_plate_with_one_text(shared_data: Path) -> None:
    path = shared_data / "data" / "dev" / "video" / "ru_e515ty123.mp4"
    if not path.is_file():
        pytest.skip(f"needs the clip {path.name}")
    # The video repeats pictures and then jumps: from one frame to the next the plate moves by more than it is wide.
    pipeline = Pipeline.build()
    updates = list(pipeline.read_stream(frames_of(path, wanted=range(10, 61, 5))))
    finished = [plate for update in updates for plate in update.finished]
    assert len({plate.passage_id for plate in finished}) == len(finished)
    (plate,) = (plate for plate in finished if plate.status == "read")
    assert (plate.text, plate.settled, plate.best.text) == ("E515TY123", True, "E515TY123")
    assert plate.readings >= 3  # then it was settled
    assert plate.best.detection is not None
    assert plate.first_seen_s < plate.best_frame_index * 5 / FPS + 10 / FPS <= plate.last_seen_s
