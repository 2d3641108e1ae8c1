"""Every exception that platereader raises on purpose.

PlateReaderError
├── InvalidImageError (ValueError)          an array is not a picture this library reads
├── InvalidGeometryError (ValueError)       a box or quad that cannot exist
├── InvalidArgumentError (ValueError)       any other argument out of range
├── TimestampError (ValueError)             time did not grow between two frames
├── UnknownNameError (LookupError)          no weights, format or option of that name
├── ContractError (RuntimeError)            a part (yours or ours) broke its contract
├── FileError (OSError)                     a file that cannot be read within limits, or written whole
├── MediaFileError (OSError)                a picture file that cannot be read
├── CaptureError (OSError)                  a video, camera or folder of frames that cannot be opened or is lost
├── DatasetError (ValueError)               a labelled set that cannot be used at all
├── UntrustedPickleError (PermissionError)  a file that runs code when loaded
├── EngineError (ValueError)                engine and precision that do not go together
├── AccuracyError (RuntimeError)            new weights that would read worse than those they are made from
├── MissingDependencyError (ImportError)    an optional package is not installed
└── WeightsError (RuntimeError)
    ├── WeightsNotFoundError (FileNotFoundError)
    ├── WeightsCorruptError (ValueError)    size or sha256 differs from what is expected
    └── WeightsFetchError (ConnectionError)
"""

__all__ = [
    "AccuracyError",
    "CaptureError",
    "ContractError",
    "DatasetError",
    "EngineError",
    "FileError",
    "InvalidArgumentError",
    "InvalidGeometryError",
    "InvalidImageError",
    "MediaFileError",
    "MissingDependencyError",
    "PlateReaderError",
    "TimestampError",
    "UnknownNameError",
    "UntrustedPickleError",
    "WeightsCorruptError",
    "WeightsError",
    "WeightsFetchError",
    "WeightsNotFoundError",
]


class PlateReaderError(Exception):
    """Base of all errors that platereader raises on purpose."""


class InvalidImageError(PlateReaderError, ValueError):
    """An array is not a uint8 ``(H, W, 3)`` blue-green-red picture."""


class InvalidGeometryError(PlateReaderError, ValueError):
    """A box is inverted or not finite, or a quad is not four finite points."""


class InvalidArgumentError(PlateReaderError, ValueError):
    """An argument is outside of what is allowed."""


class TimestampError(PlateReaderError, ValueError):
    """A frame is not later than the frame before it."""


class UnknownNameError(PlateReaderError, LookupError):
    """Nothing is known under that name."""


class ContractError(PlateReaderError, RuntimeError):
    """A part returned something its protocol does not allow."""


class FileError(PlateReaderError, OSError):
    """A file cannot be read within limits, or not be written whole; what it is about is in ``__cause__``."""


class MediaFileError(PlateReaderError, OSError):
    """A file cannot be read as a picture."""


class CaptureError(PlateReaderError, OSError):
    """A video, a camera or a folder of frames cannot be opened, or its frames ended before their time."""


class DatasetError(PlateReaderError, ValueError):
    """A labelled set cannot be used at all (single broken rows are reported, not raised)."""


class UntrustedPickleError(PlateReaderError, PermissionError):
    """A file would run code when loaded and the caller has not said that it may."""


class EngineError(PlateReaderError, ValueError):
    """The engine does not offer that precision."""


class AccuracyError(PlateReaderError, RuntimeError):
    """A network in int8, or after fine-tuning, reads worse than allowed; its weights were not written."""


class MissingDependencyError(PlateReaderError, ImportError):
    """An optional package is needed and not installed."""


class WeightsError(PlateReaderError, RuntimeError):
    """Base of everything that can be wrong with a weight file."""


class WeightsNotFoundError(WeightsError, FileNotFoundError):
    """No file of that name in any place that is searched."""


class WeightsCorruptError(WeightsError, ValueError):
    """The bytes are not the expected ones."""


class WeightsFetchError(WeightsError, ConnectionError):
    """A download did not come through; nothing was kept of it."""
