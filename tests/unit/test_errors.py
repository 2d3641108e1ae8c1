"""The exception tree is the one drawn, and every error is also a built-in one."""

import inspect
import re

import platereader
from platereader import errors

NAMES = """
Alphabet BgrImage Box CTCDecoder Calibration Candidate Character Detection Detector FusedCalibration
FusedEvidence FusedReading FusedSigns FusedText LogProbs PartDescription Pipeline PipelineParts PlateEvidence
PlateImage PlateReading PlateScheme PlateStream PlateTracker Quad Recognizer Rectifier Region Registry
RuntimeOptions Schemes Sighting StreamSettings StreamUpdate TrackAssignment TrackedPlate TrustPolicy Verdict
VerdictPolicy WeightCheck WeightEntry WeightFile PlateReaderError draw_readings read_image read_images to_rows
"""


def drawn() -> dict[str, str]:
    """Class -> name of the built-in in brackets, from the drawing in the module docstring."""
    return dict(re.findall(r"(\w+Error) \((\w+)\)", str(errors.__doc__)))


def test_drawing_names_every_class_and_its_builtin() -> None:
    classes = {
        name: cls for name, cls in vars(errors).items() if inspect.isclass(cls) and cls.__module__ == errors.__name__
    }
    assert set(drawn()) == set(classes) - {"PlateReaderError"}
    for name, builtin in drawn().items():
        assert issubclass(classes[name], errors.PlateReaderError)
        assert any(base.__name__ == builtin for base in classes[name].__mro__), name


def test_public_names_are_these() -> None:
    assert sorted(platereader.__all__) == sorted([*NAMES.split(), *drawn()])
    assert all(hasattr(platereader, name) for name in platereader.__all__)
