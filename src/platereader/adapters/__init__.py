"""To and from the types of other libraries, which are imported on use only."""

from platereader.adapters._slots import SlotRecognizer
from platereader.adapters._supervision import from_supervision, to_supervision

__all__ = ["SlotRecognizer", "from_supervision", "to_supervision"]
