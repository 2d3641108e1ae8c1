"""The default pipeline with the shipped weights on real photographs."""

from pathlib import Path

from platereader import Pipeline
from platereader._geometry import iou
from platereader.lab.datasets import load_dataset
from platereader.media._images import read_image


def test_plates_of_street_photographs_are_found_and_read(shared_data: Path) -> None:
    pictures = load_dataset(shared_data / "data" / "dev" / "russian").images[::10]
    pipeline = Pipeline.build()
    right = 0
    for picture in pictures:
        (label,) = picture.plates
        assert label.box is not None
        readings = pipeline.read(read_image(picture.path))
        found = [r for r in readings if r.detection is not None and iou(r.detection.box, label.box) >= 0.3]
        right += any(reading.text == label.text for reading in found)
    assert len(pictures) == 12
    assert right >= 11


def test_the_photographs_load_without_a_skipped_row(shared_data: Path) -> None:
    dataset = load_dataset(shared_data / "data" / "dev" / "russian")
    assert (len(dataset.images), dataset.skipped) == (120, ())
    assert read_image(dataset.images[0].path).shape == (dataset.images[0].height, dataset.images[0].width, 3)
