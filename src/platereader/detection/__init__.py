"""Parts that find plates in frames."""

from platereader.detection._plate_detector import PlateDetector
from platereader.detection._region import RegionDetector
from platereader.detection._tiled import TiledDetector
from platereader.detection._ultralytics import UltralyticsDetector
from platereader.detection._ultralytics_onnx import UltralyticsOnnxDetector

__all__ = ["PlateDetector", "RegionDetector", "TiledDetector", "UltralyticsDetector", "UltralyticsOnnxDetector"]
