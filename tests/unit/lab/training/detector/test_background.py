from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from fakes import PatchDetector, frame_with, patch_pipeline
from platereader import Box
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.training.detector.background import BackgroundFinder, with_background

_LABELLED = Box(20, 20, 120, 45)
_ELSEWHERE = Box(150, 150, 250, 175)
_A_TEXT, _OTHER_TEXT, _NO_TEXT = 50, 100, 200


def _finder(*, score: float = 0.9) -> BackgroundFinder:
    return BackgroundFinder((PatchDetector(score), PatchDetector(score)), patch_pipeline())


def _unwanted() -> BackgroundFinder:
    raise AssertionError("a picture was looked at resumed")


def _picture(folder: Path, patches: dict[int, Box], *, name: str = "car.png") -> LabelledImage:
    cv2.imwrite(str(folder / name), frame_with(patches))
    return LabelledImage(folder / name, 320, 240, (LabelledPlate(_LABELLED, text="A123BC77"),))


def _beside(image: LabelledImage, *, cache: Path, score: float = 0.9) -> list[LabelledPlate]:
    (found,) = with_background([image], cache=cache, finder=lambda: _finder(score=score))
    assert found.plates[0] == image.plates[0]
    return list(found.plates[1:])


def test_a_legible_plate_beside_the_labelled_one_becomes_a_label(tmp_path: Path) -> None:
    image = _picture(tmp_path, {_A_TEXT: _LABELLED, _OTHER_TEXT: _ELSEWHERE})
    (plate,) = _beside(image, cache=tmp_path / "finds")
    assert (plate.box, plate.text, plate.box_quality) == (_ELSEWHERE, "M555KE199", "fitted")


def test_a_large_find_without_a_text_is_no_plate(tmp_path: Path) -> None:
    image = _picture(tmp_path, {_A_TEXT: _LABELLED, _NO_TEXT: _ELSEWHERE})
    assert _beside(image, cache=tmp_path / "finds") == []


@pytest.mark.parametrize("doubtful", [Box(150, 150, 190, 160), Box(220, 150, 320, 175)], ids=["small", "cut off"])
def test_what_cannot_be_read_for_its_size_or_place_is_a_loose_area(tmp_path: Path, doubtful: Box) -> None:
    image = _picture(tmp_path, {_A_TEXT: _LABELLED, _NO_TEXT: doubtful})
    (plate,) = _beside(image, cache=tmp_path / "finds")
    assert (plate.box, plate.text, plate.is_loose) == (doubtful, None, True)


def test_a_weak_find_without_a_text_is_no_plate_whatever_its_size(tmp_path: Path) -> None:
    image = _picture(tmp_path, {_A_TEXT: _LABELLED, _NO_TEXT: Box(150, 150, 190, 160)})
    assert _beside(image, cache=tmp_path / "finds", score=0.1) == []


def test_finds_are_remembered_and_a_line_cut_off_is_looked_for_again(tmp_path: Path) -> None:
    patches = {_A_TEXT: _LABELLED, _OTHER_TEXT: _ELSEWHERE}
    images = [_picture(tmp_path, patches, name=f"{index}.png") for index in range(2)]
    cache = tmp_path / "run" / "finds"
    first = with_background(images, cache=cache, finder=_finder)
    assert with_background(images, cache=cache, finder=_unwanted) == first
    cache.write_text(cache.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    looked_at: list[None] = []
    resumed = with_background(images, cache=cache, finder=_finder, on_picture=lambda: looked_at.append(None))
    assert resumed == first
    assert len(looked_at) == 1
    assert with_background(images, cache=cache, finder=_unwanted) == first
