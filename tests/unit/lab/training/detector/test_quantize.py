"""Which scenes calibrate an int8 detector, and that one that finds worse is not written."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from platereader._loading import resolve_detector
from platereader.detection import PlateDetector
from platereader.errors import AccuracyError, DatasetError
from platereader.lab.datasets.labels import LabelledImage, LabelledPlate, is_calibration
from platereader.lab.training.detector.material import LabelledSets
from platereader.lab.training.detector.quantize import calibration_scenes, export_detector, quantize_detector
from platereader.registry import Registry


def sets_of(images: list[LabelledImage], negatives: list[LabelledImage] | None = None) -> LabelledSets:
    named = {"russian": tuple(images), "more": (), "other": (), "negatives": tuple(negatives or ())}
    return LabelledSets(named, 0)


def named(count: int, *, calibration: bool, prefix: str = "") -> list[LabelledImage]:
    """Pictures that need not exist, in or outside of the calibration fifth."""
    paths = (Path(f"{prefix}{number}.jpg") for number in range(1000))
    chosen = [path for path in paths if is_calibration(path) is calibration][:count]
    return [LabelledImage(path, None, None, (LabelledPlate(None, text=f"A{path.stem}BC77"),)) for path in chosen]


def test_scenes_are_of_the_pictures_that_are_trained_on() -> None:
    usable, kept = named(30, calibration=False), named(9, calibration=True)
    scenes = calibration_scenes(sets_of([*usable, *kept], named(6, calibration=False, prefix="empty")), count=100)
    names = {image.path.name for image in scenes}
    assert {image.path.name for image in usable} <= names
    assert len(names & {image.path.name for image in named(6, calibration=False, prefix="empty")}) == 2
    assert names.isdisjoint(image.path.name for image in kept)


def test_the_choice_of_scenes_is_repeatable() -> None:
    sets = sets_of(named(30, calibration=False))
    assert calibration_scenes(sets, count=5) == calibration_scenes(sets, count=5)
    assert calibration_scenes(sets, count=5) != calibration_scenes(sets, count=5, seed=1)
    with pytest.raises(DatasetError, match="no scene outside of the calibration fifth"):
        calibration_scenes(sets_of(named(3, calibration=True)))


def test_int8_finds_the_same_and_is_not_written_if_it_does_not(tmp_path: Path, repository: Path) -> None:
    files = resolve_detector("plate-detector", registry=Registry.default(), file_format="safetensors", precision="fp32")
    exported = export_detector(files, tmp_path)
    detector = PlateDetector.from_weights(*files)
    scenes: list[LabelledImage] = []
    for path in sorted((repository / "examples" / "pictures").glob("*.jpg")):
        picture = np.asarray(cv2.resize(np.asarray(cv2.imread(str(path))), (480, 320)), np.uint8)
        name = next(name for name in (f"{path.stem}-{n}.png" for n in range(100)) if is_calibration(Path(name)))
        cv2.imwrite(str(tmp_path / name), picture)
        plates = [LabelledPlate(found.box) for found in detector.detect([picture])[0]]
        scenes.append(LabelledImage(tmp_path / name, 480, 320, tuple(plates)))
    assert sum(len(scene.plates) for scene in scenes) >= 4

    sets = sets_of(scenes)
    with pytest.raises(AccuracyError, match="allowed are -1"):
        list(quantize_detector(exported, files=files, scenes=scenes, sets=sets, max_loss_points=-1))
    assert not list(tmp_path.glob("*-int8*"))
    forms = quantize_detector(exported, files=files, scenes=scenes, sets=sets, max_loss_points=20)
    for engine, suffix in (("onnx", ".onnx"), ("torch", ".safetensors")):
        found, written, compared = next(forms)
        assert (found, written.finder.suffix) == (engine, suffix)
        assert compared.before.ap50 is not None
        assert compared.before.ap50.value > 0.99
        for rounded, whole in zip(written, exported, strict=True):
            assert rounded.stat().st_size < whole.stat().st_size / 2
