from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from noise_sets import CORNERS, write_noise_set

from platereader._geometry import Box, Quad
from platereader.errors import DatasetError
from platereader.lab.datasets import LabelledImage, LabelledPlate, is_calibration
from platereader.lab.datasets import photographs as labelled
from platereader.lab.training.detector.material import LabelledSets, detector_material, load_sets, scene_of


def _image(plate: LabelledPlate, *, name: str = "gr_1.jpg") -> LabelledImage:
    return LabelledImage(Path(name), 320, 200, (plate,))


def test_calibration_pictures_are_never_trained_on(noise_sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled, "HELD_OUT_NEGATIVES", 4)
    material = detector_material(load_sets(noise_sets))
    images = [*(image for source in material.sources for image in source.images), *material.empty]
    assert len(images) > 20
    assert not any(is_calibration(image.path) for image in images)


def test_loose_boxes_are_areas_to_ignore() -> None:
    pixels = np.zeros((200, 320, 3), np.uint8)
    scene = scene_of(_image(LabelledPlate(Box(10, 10, 60, 30), box_quality="loose")), pixels)
    assert len(scene.boxes) == 0
    np.testing.assert_allclose(scene.ignored, [[0, 6, 70, 34]])


@pytest.mark.parametrize(
    ("name", "plate_type", "box", "expected"),
    [
        ("gr_1.jpg", "standard", (0, 0, 40, 30), 0),
        ("gr_1.jpg", "unknown", (0, 0, 40, 30), -1),
        ("gr_1.jpg", "foreign (UA)", (0, 0, 90, 20), -1),
        ("gr_1.jpg", "square_two_line", (0, 0, 90, 20), 1),
        ("rl_1.jpg", None, (0, 0, 40, 30), 0),
        ("as_1.jpg", None, (0, 0, 40, 30), 1),
        ("as_1.jpg", None, (0, 0, 90, 20), 0),
        ("ch_1.jpg", None, (0, 0, 40, 30), -1),
    ],
)
def test_line_count(name: str, plate_type: str | None, box: tuple[float, float, float, float], expected: int) -> None:
    plate = LabelledPlate(Box(*box), plate_type=plate_type)
    assert scene_of(_image(plate, name=name), np.zeros((9, 9, 3), np.uint8)).lines.tolist() == [expected]


def test_boxes_follow_the_corners_where_both_are_given() -> None:
    plate = LabelledPlate(Box(0, 0, 5, 5), Quad.from_points(CORNERS), plate_type="standard")
    scene = scene_of(_image(plate), np.zeros((200, 320, 3), np.uint8))
    assert scene.boxes.tolist() == [[99, 100, 220, 130]]


def _sets(*images: LabelledImage, empty: int = 0) -> LabelledSets:
    scenes = tuple(LabelledImage(Path(f"empty_{index}.jpg"), 320, 200, ()) for index in range(empty))
    return LabelledSets({"russian": images, "more": (), "other": (), "negatives": scenes}, 0)


def _name(*, calibration: bool, skip: int = 0) -> str:
    names = [f"p{index}.jpg" for index in range(100)]
    return [name for name in names if is_calibration(Path(name)) == calibration][skip]


def test_other_pictures_of_a_calibration_car_are_not_trained_on() -> None:
    kept, twin, free = (_name(calibration=True), _name(calibration=False), _name(calibration=False, skip=1))
    cornered = LabelledPlate(Box(99, 100, 220, 130), Quad.from_points(CORNERS), "A123BC77")
    other = LabelledPlate(Box(99, 100, 220, 130), Quad.from_points(CORNERS), "B123BC77")
    images = [_image(cornered, name=kept), _image(cornered, name=twin), _image(other, name=free)]
    material = detector_material(_sets(*images))
    assert [image.path.name for source in material.sources for image in source.images] == [free]


def test_material_without_plates_or_without_corners_is_refused(noise_sets: Path) -> None:
    with pytest.raises(DatasetError, match="no photograph to train on"):
        detector_material(load_sets(noise_sets / "negatives"))
    with pytest.raises(DatasetError, match="neither photographs with the corners"):
        detector_material(_sets(_image(LabelledPlate(Box(9, 9, 60, 30)), name=_name(calibration=False))))


def test_pictures_that_cannot_be_decoded_are_counted(tmp_path: Path) -> None:
    write_noise_set(tmp_path / "set", "gr_", [])
    whole = (tmp_path / "set" / "images" / "gr_3.jpg").read_bytes()
    (tmp_path / "set" / "images" / "gr_3.jpg").write_bytes(whole[: len(whole) // 2])
    sets = load_sets(tmp_path / "set")
    assert sets.skipped == 1
    assert sorted(image.path.name for image in sets.images["negatives"]).count("gr_3.jpg") == 0


def test_held_out_empty_scenes_do_not_depend_on_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled, "HELD_OUT_NEGATIVES", 3)
    images = [LabelledImage(Path(f"a/{index}.jpg"), 1, 1, ()) for index in range(9)]
    assert labelled.held_out_negatives(images) == labelled.held_out_negatives(images[::-1])
    assert len(labelled.held_out_negatives(images)) == 3
    assert len(labelled.held_out_negatives(images[:3])) == 2  # something is left to train on
