"""``platereader synth``: made-up plates as pictures with labels."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from platereader._arrays import BgrImage
from platereader._files import append_text, make_folder
from platereader.cli.language import language_of
from platereader.cli.parser import natural, positive, refused
from platereader.cli.saving import check_folder, check_new_set, write_picture
from platereader.cli.sources import read_pictures
from platereader.cli.tables import print_message, progress_bar
from platereader.errors import InvalidArgumentError
from platereader.plates._alphabet import ILLEGIBLE

if TYPE_CHECKING:
    from platereader.lab.synthesis.render import Front
    from platereader.lab.synthesis.scene import Scene

EXAMPLES = """examples:
  platereader synth samples/ --count 50                               plates as a camera sees them, cut out
  platereader synth samples/ --kind plates --count 20                 clean fronts of all types
  platereader synth samples/ --kind scenes --backgrounds photos/      plates on photographs, with exact corners
  platereader synth samples/ --kind streets --count 4                 cars on generated streets, no photograph needed

The folder gets images/*.png and labels.jsonl, which `evaluate` and `train` take. The same seed gives the same pictures.
exit status: 0 done, 2 wrong options, 3 no usable background.
"""

_Label: TypeAlias = "dict[str, Any]"
_Sample: TypeAlias = "tuple[BgrImage, list[_Label]]"
"""A picture and the labels of its plates."""

_PLATE_HEIGHT_PX = 96
_STREET_SIZE_PX = (1280, 720)


def add_synth_command(parser: argparse.ArgumentParser) -> None:
    """Describe the options of ``platereader synth``."""
    parser.add_argument("out", type=Path, metavar="DIR", help="folder for pictures and labels")
    parser.add_argument("--kind", choices=tuple(_KINDS), default="crops", help="what to make (default: crops)")
    parser.add_argument("--count", type=positive, default=100, metavar="N", help="number of pictures (default: 100)")
    parser.add_argument("--seed", type=natural, default=0, help="seed of all randomness (default: 0)")
    parser.add_argument("--backgrounds", type=Path, metavar="DIR", help="photographs without plates; needed for scenes")
    parser.set_defaults(run=run_synth)


def run_synth(arguments: argparse.Namespace) -> None:
    """Write the samples."""
    table = arguments.out / "labels.jsonl"
    check_folder(arguments.out, option="DIR")
    check_new_set(arguments.out, option="DIR")
    make_sample, backgrounds = _KINDS[arguments.kind], _backgrounds(arguments)
    make_folder(arguments.out)
    rng, plates = np.random.default_rng(arguments.seed), 0
    with progress_bar(arguments.count, unit="picture") as progress:
        for index in range(arguments.count):
            pixels, labels = make_sample(rng, backgrounds)
            name = f"images/{index:06d}.png"
            try:
                write_picture(arguments.out / name, pixels, new=True)
            except FileExistsError as error:
                raise refused("DIR", arguments.out, "into which another run writes: name a new folder.") from error
            row = {"file": name, "width": pixels.shape[1], "height": pixels.shape[0], "plates": labels}
            append_text(table, json.dumps(row) + "\n")
            plates += len(labels)
            progress.update()
    told = f"pictures: {arguments.count}, plates: {plates}; written to {arguments.out / 'images'}, labels to {table}"
    print_message(language_of(arguments)(told), prefix="")


def _backgrounds(arguments: argparse.Namespace) -> list[BgrImage]:
    if arguments.backgrounds is None:
        if arguments.kind == "scenes":
            raise InvalidArgumentError("--kind scenes needs --backgrounds: name a folder of photographs.")
        return []
    return list(read_pictures([arguments.backgrounds], option="--backgrounds").values())


def _crop(rng: np.random.Generator, backgrounds: list[BgrImage]) -> _Sample:
    """A plate before a camera, cut out as the recognizer gets it."""
    from platereader.lab.synthesis.crops import plate_sample

    sample = plate_sample(rng, backgrounds=backgrounds)
    text = None if ILLEGIBLE in sample.text else sample.text  # a label is a whole text
    return sample.pixels, [{"text": text, "plate_type": sample.format_name}]


def _plate(rng: np.random.Generator, _: list[BgrImage]) -> _Sample:
    """A clean front."""
    front, label = _front(rng)
    return front.pixels, [label]


def _scene(rng: np.random.Generator, backgrounds: list[BgrImage]) -> _Sample:
    """A plate on a photograph."""
    from platereader.lab.synthesis.paste import paste_plate
    from platereader.lab.synthesis.scene import Scene

    while True:
        front, label = _front(rng)
        scene = paste_plate(Scene(backgrounds[int(rng.integers(len(backgrounds)))]), front=front, rng=rng)
        if scene.plates:  # a small picture may have no room for the plate
            return scene.pixels, _placed(scene, [label])


def _street(rng: np.random.Generator, _: list[BgrImage]) -> _Sample:
    """Cars on a generated street."""
    from platereader.lab.synthesis.street import generated_street

    fronts, labels = zip(*(_front(rng) for _ in range(int(rng.integers(2, 4)))), strict=True)
    scene = generated_street(rng, size_px=_STREET_SIZE_PX, fronts=fronts)
    return scene.pixels, _placed(scene, labels[::-1])  # the farthest plate comes first


def _front(rng: np.random.Generator) -> tuple[Front, _Label]:
    """A clean front of a random type and what is on it."""
    from platereader.lab.synthesis.crops import random_layout, random_text
    from platereader.lab.synthesis.render import render_plate

    layout = random_layout(rng)
    text = random_text(layout, rng=rng)
    front = render_plate(text, layout, height_px=_PLATE_HEIGHT_PX * layout.line_count, rng=rng)
    return front, {"text": text, "plate_type": layout.name}


def _placed(scene: Scene, labels: Sequence[_Label]) -> list[_Label]:
    """The labels with where their plates are in the scene."""
    places = [
        {"box": list(plate.box.to_tuple()), "corners": [list(point) for point in plate.quad.points]}
        for plate in scene.plates
    ]
    return [{**label, **place, "box_quality": "exact"} for label, place in zip(labels, places, strict=True)]


_KINDS: dict[str, Callable[[np.random.Generator, list[BgrImage]], _Sample]] = {
    "crops": _crop,
    "plates": _plate,
    "scenes": _scene,
    "streets": _street,
}
