"""Find, straighten, read and follow vehicle licence plates, Russian ones first: on an ordinary CPU, offline.

Start with ``Pipeline.build()``; the contracts between the parts are in ``platereader.protocols``.
"""

from typing import TYPE_CHECKING

from platereader._arrays import BgrImage, LogProbs
from platereader._geometry import Box, Quad
from platereader.errors import (
    AccuracyError,
    CaptureError,
    ContractError,
    DatasetError,
    EngineError,
    FileError,
    InvalidArgumentError,
    InvalidGeometryError,
    InvalidImageError,
    MediaFileError,
    MissingDependencyError,
    PlateReaderError,
    TimestampError,
    UnknownNameError,
    UntrustedPickleError,
    WeightsCorruptError,
    WeightsError,
    WeightsFetchError,
    WeightsNotFoundError,
)
from platereader.pipeline import Pipeline, PipelineParts
from platereader.plates import Alphabet, PlateScheme, Region, Schemes
from platereader.protocols import CTCDecoder, Detector, PlateTracker, Recognizer, Rectifier, VerdictPolicy
from platereader.registry import Registry, WeightCheck, WeightEntry, WeightFile
from platereader.results import (
    Candidate,
    Character,
    Detection,
    FusedSigns,
    FusedText,
    PartDescription,
    PlateEvidence,
    PlateImage,
    PlateReading,
    Sighting,
    StreamUpdate,
    TrackAssignment,
    TrackedPlate,
    Verdict,
    to_rows,
)
from platereader.runtimes import RuntimeOptions
from platereader.trust import Calibration, FusedCalibration, TrustPolicy
from platereader.video import FusedEvidence, FusedReading, PlateStream, StreamSettings

if TYPE_CHECKING:
    from platereader.media import draw_readings, read_image, read_images
else:  # on use only, as they bring OpenCV and Pillow

    def __getattr__(name: str) -> object:
        if name not in {"draw_readings", "read_image", "read_images"}:
            raise AttributeError(f"module 'platereader' has no attribute {name!r}")
        from platereader import media

        globals()[name] = getattr(media, name)
        return globals()[name]


__version__ = "0.2.0"

__all__ = [
    "AccuracyError",
    "Alphabet",
    "BgrImage",
    "Box",
    "CTCDecoder",
    "Calibration",
    "Candidate",
    "CaptureError",
    "Character",
    "ContractError",
    "DatasetError",
    "Detection",
    "Detector",
    "EngineError",
    "FileError",
    "FusedCalibration",
    "FusedEvidence",
    "FusedReading",
    "FusedSigns",
    "FusedText",
    "InvalidArgumentError",
    "InvalidGeometryError",
    "InvalidImageError",
    "LogProbs",
    "MediaFileError",
    "MissingDependencyError",
    "PartDescription",
    "Pipeline",
    "PipelineParts",
    "PlateEvidence",
    "PlateImage",
    "PlateReaderError",
    "PlateReading",
    "PlateScheme",
    "PlateStream",
    "PlateTracker",
    "Quad",
    "Recognizer",
    "Rectifier",
    "Region",
    "Registry",
    "RuntimeOptions",
    "Schemes",
    "Sighting",
    "StreamSettings",
    "StreamUpdate",
    "TimestampError",
    "TrackAssignment",
    "TrackedPlate",
    "TrustPolicy",
    "UnknownNameError",
    "UntrustedPickleError",
    "Verdict",
    "VerdictPolicy",
    "WeightCheck",
    "WeightEntry",
    "WeightFile",
    "WeightsCorruptError",
    "WeightsError",
    "WeightsFetchError",
    "WeightsNotFoundError",
    "draw_readings",
    "read_image",
    "read_images",
    "to_rows",
]
