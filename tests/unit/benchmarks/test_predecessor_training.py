from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.predecessor_training import STREETS, read_right, train_both, write_crops, write_streets
from examples.anpr_system.anpr import ALPHABET
from platereader import Alphabet, PlateImage
from platereader._arrays import LogProbs
from platereader.lab.datasets.labels import is_held_out

CORNERS = [[40.0, 50.0], [120.0, 50.0], [120.0, 66.0], [40.0, 66.0]]
PLATE = {"box": [40.0, 50.0, 120.0, 66.0], "corners": CORNERS}


def names(*, held_out: bool) -> list[str]:
    """Three file names of pictures that are, or are not, kept from every training."""
    return [name for name in map("{}.png".format, range(99)) if is_held_out(Path(name)) == held_out][:3]


def write_set(folder: Path, rows: dict[str, dict[str, Any]]) -> None:
    """A labelled set of pictures of 160 x 90 px."""
    folder.mkdir(parents=True)
    for name in rows:
        cv2.imwrite(str(folder / name), np.full((90, 160, 3), 90, np.uint8))
    lines = [json.dumps({"file": name, "width": 160, "height": 90, **row}) for name, row in rows.items()]
    (folder / "labels.jsonl").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (first, second, third), (held, other, _) = names(held_out=False), names(held_out=True)
    empty: dict[str, Any] = {"plates": [], "complete": True}
    russian: dict[str, dict[str, Any]] = {
        first: {"plates": [{**PLATE, "text": "A123BC77"}]},
        second: {"plates": [{**PLATE, "text": "WZ12345"}]},  # letters that the predecessor does not know
        held: {"plates": [{**PLATE, "text": "B777OP98"}]},
        third: {"plates": [{**PLATE, "text": "B777OP98"}]},  # the car of a held-out picture
    }
    streets: dict[str, dict[str, Any]] = {
        first: {"plates": [{**PLATE, "text": "A123BC77"}], "ignore": [[0, 0, 9, 9]]},
        second: {"plates": [PLATE], "complete": True},
        held: {"plates": [PLATE]},
        other: empty,
        third: {"plates": [PLATE], "complete": False},
    }
    for name in STREETS:
        rows = {"russian": russian, "streets": streets}.get(name, {first: empty, held: empty})
        write_set(tmp_path / "data" / "train" / name, rows)
    return tmp_path / "data"


def test_readers_get_crops_that_both_can_spell_and_nothing_that_is_held_out(data: Path, tmp_path: Path) -> None:
    write_crops(tmp_path / "crops", data, count=5)
    texts: dict[str, list[str]] = {}
    for part in ("train", "val"):
        labels = sorted((tmp_path / "crops" / part / "ann").iterdir(), key=lambda file: int(file.stem))
        texts[part] = [json.loads(file.read_text(encoding="utf-8"))["description"] for file in labels]
        pictures = {file.stem for file in (tmp_path / "crops" / part / "img").iterdir()}
        assert pictures == {file.stem for file in labels}
    assert texts["val"] == ["B777OP98"]
    assert texts["train"][0] == "A123BC77"
    assert 1 < len(texts["train"]) <= 6
    assert not {"B777OP98", "WZ12345"} & set(texts["train"])
    assert set("".join(texts["train"])) <= set(ALPHABET.characters)


def test_detectors_get_pictures_in_which_every_plate_is_known(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "streets"
    write_streets(folder, data)
    (first, second, third), (held, *_) = names(held_out=False), names(held_out=True)
    written = {file.name for file in (folder / "train").glob("*.png")}
    assert {f"russian-{first}", f"russian-{second}", f"streets-{second}", f"negatives-colour-{first}"} <= written
    assert not {f"streets-{first}", f"streets-{third}", f"russian-{third}", f"streets-{held}"} & written
    label = (folder / "train" / f"streets-{second}").with_suffix(".txt").read_text(encoding="utf-8")
    assert label == "0 0.500000 0.644444 0.500000 0.177778"
    assert not (folder / "train" / f"negatives-colour-{first}").with_suffix(".txt").read_text(encoding="utf-8")
    assert len(list((folder / "val").iterdir())) == 2


class Spells:
    """Reads A, then a mark that is no character, then A again; the last class is the mark."""

    alphabet = Alphabet("AB")

    def recognize(self, plates: Sequence[PlateImage]) -> LogProbs:
        posteriors = np.full((len(plates), 5, 4), 0.01, np.float32)
        posteriors[:, range(5), [1, 3, 1, 0, 2]] = 0.97
        return np.asarray(np.log(posteriors), np.float32)


def test_marks_are_no_characters_and_part_those_that_are() -> None:
    plate = PlateImage(np.zeros((20, 80, 3), np.uint8))
    rate = read_right(Spells(), [(plate, "AAB"), (plate, "AB")])
    assert (rate.count, rate.n) == (1, 2)


def test_a_training_that_fails_is_told() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        train_both([["-c", "pass"], ["-c", "raise SystemExit(3)"]])
