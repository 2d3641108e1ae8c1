"""The contracts between the six parts, on one page: implement one and hand it to ``Pipeline.build``.

Sequence in, list of the same length out, always. Boxes and corners are float pixels of the frame they came from,
scores are 0 to 1, logarithms natural, times seconds. Parts never get an empty sequence, except the tracker, for which
that is a frame without plates. Parts other than the tracker may be called from several threads at once.

Two more attributes are optional: ``description``, a ``PartDescription`` that ``Pipeline.describe`` returns, also where
another part wraps this one as ``inner``; and ``calibration`` of a recognizer, a dictionary as ``Calibration.to_dict``
gives it, for the default policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from platereader._arrays import BgrImage, LogProbs
from platereader._geometry import Box
from platereader.plates import Alphabet, Schemes
from platereader.results import Candidate, Detection, FusedText, PlateEvidence, PlateImage, TrackAssignment, Verdict

__all__ = ["CTCDecoder", "Detector", "PlateTracker", "Recognizer", "Rectifier", "RefiningDetector", "VerdictPolicy"]


class Detector(Protocol):
    """Finds plates."""

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """Plates of each frame, in any order; frames may differ in size and must not be written to."""
        ...


class RefiningDetector(Detector, Protocol):
    """A detector that can also look at a few places only, as ``PlateDetector`` does.

    Streams then search the whole frame less often. One that wraps another detector, and can refine only if that one
    can, says so in an attribute ``can_refine``.
    """

    def refine(self, frame: BgrImage, boxes: Sequence[Box]) -> list[Detection]:
        """The plates at places where they are expected, each once and in any order; at most one a place.

        Args:
            frame: uint8 ``(H, W, 3)`` BGR; must not be written to.
            boxes: places, at least one, in pixels of the frame; each lies inside of it.
        """
        ...


class Rectifier(Protocol):
    """Straightens plates."""

    def rectify(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateImage]:
        """One upright one-line picture per detection; boxes may reach beyond the frame, which is not written to."""
        ...


class Recognizer(Protocol):
    """Turns pictures of plates into posteriors over characters."""

    @property
    def alphabet(self) -> Alphabet:
        """The characters behind the classes; class 0 is the CTC blank."""
        ...

    def recognize(self, plates: Sequence[PlateImage]) -> LogProbs:
        """float32 ``(N, T, C)``: natural log probabilities, each time step summing to one at most.

        C are the ``columns`` of the alphabet: the blank, its characters, and then its marks, if it has any.
        What is missing to one is the probability that something stands there which is none of the characters, or
        cannot be made out; a recognizer that does not know of such things leaves nothing missing.
        """
        ...


class CTCDecoder(Protocol):
    """Turns posteriors into texts."""

    @property
    def alphabet(self) -> Alphabet:
        """The characters behind the classes; must equal the recognizer's."""
        ...

    def decode(self, log_probs: LogProbs) -> list[tuple[Candidate, ...]]:
        """Candidates of each of the N plates, best first; an empty tuple means that nothing is legible."""
        ...


class VerdictPolicy(Protocol):
    """Says what was read, and whether to rely on it; ``TrustPolicy`` is ours, which yours may ask and then differ."""

    def judge(self, evidence: Sequence[PlateEvidence], *, alphabet: Alphabet, schemes: Schemes) -> list[Verdict]:
        """One verdict for each plate; ``alphabet`` is that of the log probabilities, ``schemes`` know the formats."""
        ...

    def judge_fused(self, fused: FusedText, *, schemes: Schemes) -> Verdict:
        """The verdict on the text that many pictures of one plate come to; with a text where there is one."""
        ...


class PlateTracker(Protocol):
    """Says which detection continues which track, by motion alone; stateful, one per camera."""

    def update(self, detections: Sequence[Detection], timestamp_s: float) -> TrackAssignment:
        """Take in one frame's detections; ``timestamp_s`` grows from call to call."""
        ...
