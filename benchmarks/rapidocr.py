"""A general reader beside ours on the same plates: ``python -m benchmarks.rapidocr DATA``.

PP-OCRv4 as RapidOCR's wheel brings it (``pip install --no-deps rapidocr-onnxruntime==1.4.4``, and ``pyclipper``,
``shapely``, ``six``, ``pyyaml``): its recognizer alone, as the place is given. Both readers get each labelled plate
twice: straightened by its labelled corners, and as the upright box cuts it out. The general reader's text counts
without whatever is no letter or digit, in Latin spelling; once more with look-alikes exchanged where the format of a
Russian plate wants the other kind.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from platereader import Detection, Pipeline, PlateImage, PlateReading
from platereader._arrays import BgrImage
from platereader.lab.datasets import LabelledPlate, load_dataset
from platereader.lab.metrics.rates import Rate
from platereader.lab.tables import aligned, show_rate
from platereader.media import read_image
from platereader.plates import RUSSIA
from platereader.protocols import Rectifier
from platereader.rectification._corners import BoxRectifier, CornerRectifier

RECTIFIERS: dict[str, Rectifier] = {"straightened": CornerRectifier(), "plain crop": BoxRectifier()}
TO_DIGITS = str.maketrans("OQDILZSBGT", "0001125867")
TO_LETTERS = str.maketrans("0847153", "OBAITSE")


def general_reader() -> Callable[[BgrImage], str]:
    """PP-OCRv4's recognizer: a picture of a line of text to its text."""
    try:
        engine: Any = importlib.import_module("rapidocr_onnxruntime").RapidOCR()
    except ImportError as error:
        raise SystemExit(f"{error}: see the first lines of this file for what to install") from error

    def read(picture: BgrImage) -> str:
        lines, _ = engine(picture, use_det=False, use_cls=False, use_rec=True)
        return "".join(str(line[0]) for line in lines or ())

    return read


def latin(text: str) -> str:
    """Letters and digits only, in the Latin spelling of plates."""
    return "".join(char for char in RUSSIA.spelling.to_latin(text.upper()) if char.isascii() and char.isalnum())


def exchanged(text: str) -> str:
    """The text with look-alikes exchanged as the standard plate, ``l ddd ll dd(d)``, wants them."""
    kinds = "ldddll" + "d" * max(len(text) - 6, 0)
    return "".join(
        char.translate(TO_LETTERS if kind == "l" else TO_DIGITS) for char, kind in zip(text, kinds, strict=False)
    )


def labelled_plates(data: Path) -> Iterator[tuple[BgrImage, LabelledPlate, Detection]]:
    """Every plate whose text and corners are labelled, with its picture and its place."""
    for image in load_dataset(data).images:
        usable = [plate for plate in image.plates if plate.text and plate.corners and not plate.is_loose]
        frame = read_image(image.path) if usable else None
        for plate in usable:
            box = plate.bounds
            if frame is not None and box is not None:
                yield frame, plate, Detection(box, 1.0, plate.corners, plate.lines)


def texts_of(plate: PlateImage, *, ours: Pipeline, general: Callable[[BgrImage], str]) -> dict[str, str]:
    """What each reader says; ours whatever its status."""
    reading: PlateReading = ours.read_plates([plate])[0]
    text = latin(general(plate.pixels))
    return {"PP-OCRv4": text, "PP-OCRv4, look-alikes exchanged": exchanged(text), "platereader": reading.text or ""}


def compare(data: Path, *, limit: int | None) -> dict[str, dict[str, list[bool]]]:
    """For each reader and each way of cutting plates out, which plates it reads without an error."""
    pipeline, general = Pipeline.build(engine="onnx", precision="fp32"), general_reader()
    right: dict[str, dict[str, list[bool]]] = {}
    for number, (frame, label, place) in enumerate(labelled_plates(data)):
        if number == limit:
            break
        for way, rectifier in RECTIFIERS.items():
            plate = rectifier.rectify(frame, [place])[0]
            for reader, text in texts_of(plate, ours=pipeline, general=general).items():
                right.setdefault(reader, {}).setdefault(way, []).append(text == label.text)
    return right


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="labelled set with corners")
    parser.add_argument("--limit", type=int, help="look at this many plates only")
    options = parser.parse_args(arguments)
    rows = [["whole text right", *RECTIFIERS]]
    for reader, ways in compare(options.data, limit=options.limit).items():
        rows.append([reader, *(show_rate(Rate.of(ways[way])) for way in RECTIFIERS)])
    print("\n".join(aligned(rows)))


if __name__ == "__main__":
    main()
