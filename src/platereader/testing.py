"""The contracts as runnable checks for your own parts: each returns nothing, or raises ``ContractError`` saying why.

``check_detector(MyDetector())`` is all of a test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage, LogProbs
from platereader._contracts import (
    check_part,
    check_tracker_factory,
    checked_decode,
    checked_detect,
    checked_judge,
    checked_judge_fused,
    checked_recognize,
    checked_rectify,
    checked_update,
)
from platereader._geometry import Box, Quad
from platereader.errors import ContractError, InvalidArgumentError
from platereader.plates import RUSSIA, RUSSIAN, Alphabet, Schemes
from platereader.protocols import CTCDecoder, Detector, PlateTracker, Recognizer, Rectifier, VerdictPolicy
from platereader.results import Candidate, Character, Detection, FusedSigns, FusedText, PlateEvidence, PlateImage

__all__ = [
    "TOLERANCE",
    "check_decoder",
    "check_detector",
    "check_policy",
    "check_recognizer",
    "check_rectifier",
    "check_tracker",
    "spelled",
]

TOLERANCE = 1e-2
"""Largest difference of a score or log probability, and of pixels, that batching may make."""


def check_detector(detector: Detector, frames: Sequence[BgrImage] | None = None) -> None:
    """Check a detector: one list per frame, sane boxes, frames untouched, results independent of batch-mates.

    The frames are best pictures with plates on them, uint8 ``(H, W, 3)`` BGR; by default noise of three sizes.
    """
    check_part(detector, kind="detector")
    pictures = list(frames) if frames is not None else [_noise(240, 320), _noise(480, 640, seed=1), _noise(33, 47)]
    copies = [picture.copy() for picture in pictures]
    together = checked_detect(detector, pictures)
    _check_untouched(pictures, copies, detector)
    for index, picture in enumerate(pictures):
        alone = checked_detect(detector, [picture])[0]
        for found in (together[index], alone):
            for detection in found:
                _check_corners(detection, detector)
        if not _same_detections(together[index], alone):
            raise ContractError(
                f"{_name(detector)}.detect finds other plates on frame {index} alone than in a batch: a frame's result "
                "may not depend on the other frames."
            )


def check_rectifier(rectifier: Rectifier, frame: BgrImage | None = None) -> None:
    """Check a rectifier: one picture per detection, also without corners, at the frame's edge and for a bad quad."""
    check_part(rectifier, kind="rectifier")
    picture = _noise(240, 320) if frame is None else frame
    copy = picture.copy()
    detections = _odd_detections(picture.shape[1], picture.shape[0])
    plates = checked_rectify(rectifier, picture, detections)
    _check_untouched([picture], [copy], rectifier)
    for index, detection in enumerate(detections):
        alone = checked_rectify(rectifier, picture, [detection])[0]
        if not np.array_equal(alone.pixels, plates[index].pixels):
            raise ContractError(f"{_name(rectifier)}.rectify: plate {index} differs when it is rectified alone.")


def check_recognizer(recognizer: Recognizer, plates: Sequence[PlateImage] | None = None) -> None:
    """Check a recognizer: shape, sums of one at most, pictures untouched, batch equal to one by one."""
    check_part(recognizer, kind="recognizer")
    noise = [PlateImage(_noise(*size)) for size in ((32, 160), (64, 290), (9, 20))]
    pictures = noise if plates is None else list(plates)
    copies = [plate.pixels.copy() for plate in pictures]
    together = checked_recognize(recognizer, pictures).log_probs
    _check_untouched([plate.pixels for plate in pictures], copies, recognizer)
    total = np.logaddexp.reduce(together.astype(np.float64), axis=-1)
    if total.max() > TOLERANCE:
        raise ContractError(
            f"{_name(recognizer)}.recognize: time steps sum to {np.exp(total).min():.3g}..{np.exp(total).max():.3g}, "
            "to more than 1: return log_softmax over the classes."
        )
    for index, plate in enumerate(pictures):
        alone = checked_recognize(recognizer, [plate]).log_probs[0]
        if np.abs(np.exp(alone) - np.exp(together[index])).max() > TOLERANCE:
            raise ContractError(f"{_name(recognizer)}.recognize: plate {index} reads differently alone and in a batch.")


def check_decoder(decoder: CTCDecoder) -> None:
    """Check a decoder: clear text is found, candidates are ordered and in the alphabet, blank gives nothing."""
    check_part(decoder, kind="decoder")
    alphabet = decoder.alphabet
    text = alphabet.characters[: min(6, len(alphabet.characters))]
    clear, blank = spelled(text, alphabet), spelled("", alphabet, steps=2 * len(text) + 1)
    noise = np.random.default_rng(0).normal(size=clear.shape)
    vague = (noise - np.logaddexp.reduce(noise, axis=-1, keepdims=True)).astype(np.float32)
    decoded = checked_decode(decoder, np.stack([clear, blank, vague]))
    if not decoded[0] or decoded[0][0].text != text:
        raise ContractError(f"{_name(decoder)}.decode does not find {text!r} in posteriors that spell it clearly.")
    if decoded[1]:
        raise ContractError(f"{_name(decoder)}.decode gives {decoded[1][0].text!r} for blank: return an empty tuple.")
    texts = [[candidate.text for candidate in candidates] for candidates in decoded]
    if any(len(set(items)) != len(items) for items in texts):
        raise ContractError(f"{_name(decoder)}.decode gave one text twice.")
    if [candidate.text for candidate in checked_decode(decoder, vague[None])[0]] != texts[2]:
        raise ContractError(f"{_name(decoder)}.decode gives other texts for a plate alone than in a batch.")


def check_policy(policy: VerdictPolicy) -> None:
    """Check a policy: one verdict per plate, the same alone as in a batch, of a proposed text; and of fused ones."""
    check_part(policy, kind="trust", name="policy")
    schemes, plate = Schemes((RUSSIA,)), PlateImage(_noise(32, 160))
    texts = ("A123BC77", "M555KE199", "AAA")
    candidates = [(Candidate(text, -0.01, None), Candidate(text[1:], -4.0, None)) for text in texts]
    clear = [spelled(text, RUSSIAN, steps=40) for text in texts]
    evidence = [PlateEvidence(None, plate, *seen) for seen in zip(clear, candidates, strict=True)]
    evidence.append(PlateEvidence(None, plate, spelled("", RUSSIAN, steps=40), ()))
    together = checked_judge(policy, evidence, alphabet=RUSSIAN, schemes=schemes)
    for index, (seen, verdict) in enumerate(zip(evidence, together, strict=True)):
        if verdict.text not in {None, *(candidate.text for candidate in seen.candidates)}:
            raise ContractError(f"{_name(policy)}.judge says {verdict.text!r}, which no candidate of the plate is.")
        if checked_judge(policy, [seen], alphabet=RUSSIAN, schemes=schemes) != [verdict]:
            raise ContractError(f"{_name(policy)}.judge: plate {index} is judged differently alone and in a batch.")
    for text, some in zip(texts, candidates, strict=True):
        signs = FusedSigns(0.99, 9.0, 4, 4.0, 1.0, 0.0, 0.0, legal=text != "AAA", region_known=text != "AAA")
        characters = tuple(Character(char, 0.99) for char in text)
        checked_judge_fused(policy, FusedText(some, characters, 1, signs, 0.0, 0.0, None), schemes=schemes)


def check_tracker(tracker: Callable[[], PlateTracker]) -> None:
    """Check a tracker, given as what makes a fresh one: ids line up, stay, are not shared, and end."""
    check_tracker_factory(tracker)
    one, other = tracker(), tracker()
    moving = [Detection(Box(10 + 4 * i, 20, 90 + 4 * i, 40), 0.9) for i in range(8)]
    standing = Detection(Box(300, 200, 400, 230), 0.8)
    ids: list[tuple[int | None, ...]] = []
    for index, detection in enumerate(moving):
        ids.append(checked_update(one, [detection, standing], index / 10).track_ids)
    if None in ids[-1] or ids[-1][0] == ids[-1][1] or ids[-1] != ids[-2]:
        raise ContractError(f"{_name(one)}.update: two plates seen 8 times have ids {ids[-2]}, then {ids[-1]}.")
    checked_update(other, [], 0.0)
    ended: set[int] = set()
    for index in range(60):
        ended.update(checked_update(one, [], 1.0 + index).ended)
    if not set(ids[-1]) <= ended:
        raise ContractError(f"{_name(one)}.update: a minute after they left, {set(ids[-1]) - ended} have not ended.")


def spelled(text: str, alphabet: Alphabet, *, steps: int | None = None, probability: float = 0.99) -> LogProbs:
    """Posteriors that spell ``text``: float32 ``(T, C)``, each character between two blanks; no marks.

    Args:
        text: characters of ``alphabet``.
        alphabet: gives C, ``size`` of it: what a decoder gets.
        steps: T; by default one blank before, between and after the characters.
        probability: of the spelled class at each step; the rest is shared by the others.

    Raises:
        InvalidArgumentError: the text needs more steps.
    """
    labels = [0]
    for label in alphabet.encode(text):
        labels += [label, 0]
    if steps is not None and steps < len(labels):
        raise InvalidArgumentError(f"steps is {steps}, but {text!r} needs {len(labels)}.")
    labels += [0] * ((steps or 0) - len(labels))
    rest = (1 - probability) / (alphabet.size - 1)
    probabilities: NDArray[np.float64] = np.full((len(labels), alphabet.size), rest)
    probabilities[np.arange(len(labels)), labels] = probability
    return np.log(probabilities).astype(np.float32)


def _noise(height: int, width: int, *, seed: int = 0) -> BgrImage:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _name(part: Any) -> str:
    return type(part).__name__


def _check_untouched(after: Sequence[BgrImage], before: Sequence[BgrImage], part: Any) -> None:
    if not all(np.array_equal(a, b) for a, b in zip(after, before, strict=True)):
        raise ContractError(f"{_name(part)} wrote to its input: work on a copy.")


def _check_corners(detection: Detection, part: Any) -> None:
    if detection.corners is not None and detection.corners.area <= 0:
        raise ContractError(
            f"{_name(part)}.detect gave corners {detection.corners.points} that do not run top left, top right, bottom "
            "right, bottom left."
        )


def _same_detections(first: Sequence[Detection], second: Sequence[Detection]) -> bool:
    def key(detection: Detection) -> tuple[float, ...]:
        return detection.box.to_tuple()

    if len(first) != len(second):
        return False
    pairs = zip(sorted(first, key=key), sorted(second, key=key), strict=True)
    return all(
        abs(a.score - b.score) <= TOLERANCE and np.allclose(a.box.to_tuple(), b.box.to_tuple(), atol=0.5)
        for a, b in pairs
    )


def _odd_detections(width: int, height: int) -> list[Detection]:
    middle = Box(0.2 * width, 0.4 * height, 0.7 * width, 0.55 * height)
    x1, y1, x2, y2 = middle.to_tuple()
    tilted = Quad((x1, y1 + 4), (x2, y1), (x2, y2 - 4), (x1, y2))
    crossed = Quad((x1, y1), (x2, y2), (x2, y1), (x1, y2))
    return [
        Detection(middle, 0.9),
        Detection(middle, 0.9, tilted, 1),
        Detection(middle, 0.9, tilted, 2),
        Detection(middle, 0.9, crossed),
        Detection(Box(-20.0, -20.0, 0.1 * width, 0.1 * height), 0.5),
        Detection(Box(width - 1.0, height - 1.0, width + 30.0, height + 9.0), 0.5),
    ]
