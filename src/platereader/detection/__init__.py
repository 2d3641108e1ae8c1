"""Parts that find plates in frames."""

from platereader.detection._finder import Finder, Proposal
from platereader.detection._plate_detector import PlateDetector, ScoreWeights
from platereader.detection._refined import RefinedDetector
from platereader.detection._refiner import Place, Refiner
from platereader.detection._region import RegionDetector
from platereader.detection._tiled import TiledDetector
from platereader.detection._ultralytics import UltralyticsDetector
from platereader.detection._yolo import YoloDetector

__all__ = [
    "Finder",
    "Place",
    "PlateDetector",
    "Proposal",
    "RefinedDetector",
    "Refiner",
    "RegionDetector",
    "ScoreWeights",
    "TiledDetector",
    "UltralyticsDetector",
    "YoloDetector",
]
