"""The one place where parts are called: a ``ContractError`` of each call says which part broke its contract and how."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from numbers import Real
from pathlib import PurePath
from typing import Final, Literal, NamedTuple, TypeAlias, cast

import numpy as np
from typing_extensions import TypeIs

from platereader import _ctc as ctc
from platereader._arrays import BgrImage, LogProbs, check_image
from platereader._geometry import Box
from platereader.errors import ContractError, InvalidArgumentError, InvalidImageError
from platereader.plates import Alphabet, Schemes
from platereader.protocols import (
    CTCDecoder,
    Detector,
    PlateTracker,
    Recognizer,
    Rectifier,
    RefiningDetector,
    VerdictPolicy,
)
from platereader.results import (
    Candidate,
    Detection,
    FusedText,
    PlateEvidence,
    PlateImage,
    PlateReading,
    TrackAssignment,
    Verdict,
)
from platereader.results._checks import described, instance
from platereader.results._evidence import ROUNDING_NATS

PartKind: TypeAlias = Literal["detector", "rectifier", "recognizer", "decoder", "trust"]

METHODS: Final[dict[PartKind, tuple[str, ...]]] = {
    "detector": ("detect",),
    "rectifier": ("rectify",),
    "recognizer": ("recognize",),
    "decoder": ("decode",),
    "trust": ("judge", "judge_fused"),
}
"""What each kind of part must have."""

_MAX_COORDINATE_PX = 1e6


def check_part(part: object, *, kind: PartKind, name: str | None = None) -> None:
    """Refuse what cannot be a part of that kind, before it is called.

    Raises:
        InvalidArgumentError: it lacks the method of that kind, or an alphabet where the kind has one, or is a class.
    """
    name, methods = name or kind, METHODS[kind]
    if inspect.isclass(part):
        raise InvalidArgumentError(f"{name} is the class {part.__name__}, expected is an object of it: call it first.")
    if not all(callable(getattr(part, method, None)) for method in methods):
        raise InvalidArgumentError(
            f"{name} is {described(part)}, expected is a {kind}, that is an object with the method "
            f"{' and '.join(methods)} as platereader.protocols describes it."
        )
    if kind in {"recognizer", "decoder"} and not isinstance(getattr(part, "alphabet", None), Alphabet):
        raise InvalidArgumentError(f"{name} is a {type(part).__name__} without an alphabet: give it an Alphabet.")


def check_tracker_factory(tracker: object) -> None:
    """Refuse a tracker where what makes one is expected."""
    if not callable(tracker):
        raise InvalidArgumentError(
            f"tracker is an object of {type(tracker).__name__}, expected is a class or function that makes one, as "
            "every stream needs its own: pass the class, or a lambda that calls it."
        )


def check_tracker(tracker: object) -> None:
    """Refuse what cannot be a tracker, such as the class of one, before it is called."""
    if inspect.isclass(tracker) or not callable(getattr(tracker, "update", None)):
        raise InvalidArgumentError(
            f"tracker is {described(tracker)}, expected is an object with the method update as platereader.protocols "
            "describes it, a fresh one for each stream."
        )


def timed_frame(item: object, index: int) -> tuple[float, BgrImage]:
    """The time and the frame of a caller's pair; whether these are any is checked where they are taken in."""
    kind = type(item).__name__
    pair = cast("Sequence[object]", item) if isinstance(item, tuple) else ()
    if len(pair) != 2 or not isinstance(pair[0], Real):
        parts = ", ".join(type(part).__name__ for part in pair)
        given = f"tuple of ({parts})" if pair else kind
        raise InvalidArgumentError(f"frames[{index}] is a {given}, expected (timestamp_s, frame).")
    return cast(float, pair[0]), cast(BgrImage, pair[1])


def check_iterable(values: object, *, name: str) -> None:
    """Refuse what is no list or generator of frames or pictures; a path, whose letters would be taken for them, too."""
    if isinstance(values, (str, PurePath)):
        raise InvalidArgumentError(
            f"{name} is the text or path {str(values)!r}, expected is a list or a source of frames: open_source and "
            "read_image of platereader.media open files."
        )
    if not isinstance(values, Iterable):
        raise InvalidArgumentError(f"{name} is {described(values)}, expected is a list, also of one.")


def check_detections(detections: Sequence[Detection], frame: BgrImage) -> list[Detection]:
    """The detections of a caller; those that cannot belong to ``frame`` are refused."""
    check_iterable(detections, name="detections")
    found = list(detections)
    for index, detection in enumerate(found):
        if isinstance(cast(object, detection), PlateReading):
            raise InvalidArgumentError(
                f"detections[{index}] is a PlateReading, expected is a Detection: pass reading.detection."
            )
        instance(detection, Detection, name=f"detections[{index}]")
        flaw = _flaw_of(detection.box, frame)
        if flaw is not None:
            raise InvalidArgumentError(f"detections[{index}] has {flaw}")
    return found


def checked_detect(detector: Detector, frames: Sequence[BgrImage]) -> list[list[Detection]]:
    """What a detector finds in each frame."""
    if not frames:
        return []
    source = f"{type(detector).__name__}.detect"
    found = detector.detect(frames)
    _check_items(found, object, expected=len(frames), source=source)
    for frame, detections in zip(frames, found, strict=True):
        _check_found(detections, frame, source=source)
    return found


def refines(detector: Detector) -> TypeIs[RefiningDetector]:
    """Whether a detector can look at a few places only, as ``RefiningDetector`` describes it."""
    return callable(getattr(detector, "refine", None)) and bool(getattr(detector, "can_refine", True))


def checked_refine(detector: Detector, frame: BgrImage, boxes: Sequence[Box]) -> list[Detection]:
    """The plates that a detector which ``refines`` sees at places of a frame."""
    if not refines(detector):
        raise InvalidArgumentError(f"{type(detector).__name__} cannot refine: pass a RefiningDetector, or call detect.")
    if not boxes:
        return []
    source = f"{type(detector).__name__}.refine"
    found = detector.refine(frame, boxes)
    _check_found(found, frame, source=source)
    if len(found) > len(boxes):
        raise ContractError(
            f"{source} gave {len(found)} detections for {len(boxes)} places: return one a place at most."
        )
    return found


def checked_rectify(rectifier: Rectifier, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateImage]:
    """One plate per detection."""
    if not detections:
        return []
    source = f"{type(rectifier).__name__}.rectify"
    plates = rectifier.rectify(frame, detections)
    _check_items(plates, PlateImage, expected=len(detections), source=source)
    try:
        for index, plate in enumerate(plates):
            check_image(plate.pixels, name=f"{source}'s plate {index}")
    except InvalidImageError as error:
        raise ContractError(str(error)) from error
    return plates


class Recognized(NamedTuple):
    """What a recognizer says of N plates: float32 ``(N, T, C)`` of the classes of a text, the blank first.

    ``marks`` are, of each plate, the probabilities that the mark of each country of the alphabet is on it.
    """

    log_probs: LogProbs
    marks: list[dict[str, float]]


def checked_recognize(recognizer: Recognizer, plates: Sequence[PlateImage]) -> Recognized:
    """Texts and marks of N plates."""
    alphabet = recognizer.alphabet
    classes = alphabet.columns
    source = f"{type(recognizer).__name__}.recognize"
    returned = recognizer.recognize(plates)
    log_probs = _float32(returned, source=source)
    count, steps, columns = log_probs.shape if log_probs.ndim == 3 else (0, 0, 0)
    if count != len(plates) or steps < 1 or columns != classes:
        raise ContractError(
            f"{source} gave shape {log_probs.shape} for {len(plates)} plates, expected (N, T, C) = "
            f"({len(plates)}, T, {classes}): one row of {classes} classes (blank first) per time step."
        )
    if not (log_probs <= ROUNDING_NATS).all():
        raise ContractError(f"{source} gave NaN or positive values: return natural log probabilities (log_softmax).")
    seen = ctc.emitted(log_probs[:, :, alphabet.size :]).tolist()
    marks = [dict(zip(alphabet.marks, row, strict=True)) for row in seen]
    return Recognized(ctc.joined_with_blank(log_probs, kept=alphabet.size), marks)


def _float32(returned: object, *, source: str) -> LogProbs:
    """What a recognizer returned as an array; numbers that are too large become infinite."""
    if isinstance(returned, np.ndarray) and returned.dtype == np.float32:
        return cast(LogProbs, returned)
    try:
        given = np.asarray(returned)
        if given.dtype.kind in "cSU":  # numpy would drop the imaginary part, and count with texts
            raise TypeError(f"it has dtype {given.dtype}")
        with np.errstate(over="ignore"):  # what overflows is refused by its value
            return given.astype(np.float32)
    except (OverflowError, TypeError, ValueError) as error:
        raise ContractError(f"{source} gave no array of numbers ({error}): return float32 (N, T, C).") from error


def checked_decode(decoder: CTCDecoder, log_probs: LogProbs) -> list[tuple[Candidate, ...]]:
    """Candidates of each plate, best first."""
    source = f"{type(decoder).__name__}.decode"
    decoded = decoder.decode(log_probs)
    _check_items(decoded, object, expected=len(log_probs), source=source)
    characters = frozenset(decoder.alphabet.characters)
    for candidates in decoded:
        _check_items(candidates, Candidate, source=source)
        for candidate in candidates:
            if not characters.issuperset(candidate.text):
                allowed = "".join(sorted(characters))
                raise ContractError(
                    f"{source} gave the text {candidate.text!r}, allowed are characters of {allowed!r}."
                )
    return [tuple(candidates) for candidates in decoded]


def checked_judge(
    policy: VerdictPolicy, evidence: Sequence[PlateEvidence], *, alphabet: Alphabet, schemes: Schemes
) -> list[Verdict]:
    """One verdict per plate."""
    verdicts = policy.judge(evidence, alphabet=alphabet, schemes=schemes)
    _check_items(verdicts, Verdict, expected=len(evidence), source=f"{type(policy).__name__}.judge")
    return verdicts


def checked_judge_fused(policy: VerdictPolicy, fused: FusedText, *, schemes: Schemes) -> Verdict:
    """The verdict on a fused text."""
    source = f"{type(policy).__name__}.judge_fused"
    verdict = policy.judge_fused(fused, schemes=schemes)
    _check_kind(verdict, Verdict, source=source)
    text = fused.candidates[0].text
    if verdict.text != text:
        raise ContractError(f"{source} returned {described(verdict)}: return a Verdict on {text!r}.")
    return verdict


def checked_update(tracker: PlateTracker, detections: Sequence[Detection], timestamp_s: float) -> TrackAssignment:
    """What a tracker says of a frame."""
    source = f"{type(tracker).__name__}.update"
    assignment = tracker.update(detections, timestamp_s)
    _check_kind(assignment, TrackAssignment, source=source)
    if len(assignment.track_ids) != len(detections):
        raise ContractError(
            f"{source} returned {len(assignment.track_ids)} ids for {len(detections)} detections: return one id or "
            "None per detection, in order."
        )
    return assignment


def _check_found(detections: object, frame: BgrImage, *, source: str) -> None:
    """Raise ContractError unless it is a list of detections that lie in the frame."""
    _check_items(detections, Detection, source=source)
    for detection in cast("Sequence[Detection]", detections):
        flaw = _flaw_of(detection.box, frame)
        if flaw is not None:
            raise ContractError(f"{source} gave {flaw}")


def _flaw_of(box: Box, frame: BgrImage) -> str | None:
    """Why a box cannot belong to a frame; None where it can."""
    if max(-box.x1, -box.y1, box.x2, box.y2) > _MAX_COORDINATE_PX:
        return (
            f"the box {box.to_tuple()}: edges lie within {_MAX_COORDINATE_PX:.0f} px of the frame's origin; look for "
            "numbers that were never set."
        )
    height, width = frame.shape[:2]
    if min(box.x2, width) <= max(box.x1, 0) or min(box.y2, height) <= max(box.y1, 0):
        return (
            f"the box {box.to_tuple()} with no area inside its {width}x{height} px frame: boxes are (x1, y1, x2, y2) "
            "in pixels of the frame, not of a resized copy and not fractions."
        )
    return None


def _check_kind(value: object, kind: type, *, source: str) -> None:
    """Raise ContractError unless ``value`` is of ``kind``."""
    if not isinstance(value, kind):
        raise ContractError(f"{source} returned {described(value)}: return a {kind.__name__}.")


def _check_items(items: object, kind: type, *, source: str, expected: int | None = None) -> None:
    """Raise ContractError unless ``items`` is a list of ``kind``, of ``expected`` length if that is given."""
    advice = "return one item per input, in order, and an empty list where there is nothing."
    if not isinstance(items, Sequence):
        raise ContractError(f"{source} returned a {type(items).__name__}, expected is a list: {advice}")
    values = cast("Sequence[object]", items)
    if expected is not None and len(values) != expected:
        raise ContractError(f"{source} returned {len(values)} items for {expected}: {advice}")
    for value in values:
        if not isinstance(value, kind):
            wrong = type(value).__name__
            raise ContractError(f"{source} returned a {wrong} where a {kind.__name__} is expected: {advice}")
