"""Decides what a reading is worth, and says why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from platereader import _ctc as ctc
from platereader._arrays import LogProbs
from platereader._ctc.certain import certain_texts
from platereader.errors import InvalidArgumentError
from platereader.plates import ILLEGIBLE, Alphabet, Region, Schemes, TextFit
from platereader.results import Candidate, Character, FusedText, Lines, PlateEvidence, Reason, Status, Verdict
from platereader.results._checks import instance, number, probability
from platereader.results._evidence import plate_sides
from platereader.trust._calibration import Calibration
from platereader.trust._fused import FusedCalibration
from platereader.trust._signs import emptiness, is_overexposed, signs_of

OTHER_LINES_NATS = 5.0
"""How much more probable a text of a type with another number of lines must be; as ``BeamDecoder.no_format_nats``."""

_EMPTY_ABOVE = 0.5
# Below that a mark is known to be missing; above, and below ``min_mark``, something may hide it.
_MISSING_MARK = 0.1
_CHUNK = 32
_OF_THE_PICTURE: tuple[Reason, ...] = ("cut_off", "hidden_character", "too_small")


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """Decides which readings are ``read``, ``uncertain`` or ``unreadable``. A ``VerdictPolicy``.

    A reading is ``read`` when its text fits a plate format with a known region, nothing illegible stands at its ends or
    between its characters, the whole text is at least ``min_confidence`` probable and every single character at least
    ``min_character``: the weakest character decides, because half a plate can be read with a high average. Nothing is
    dropped: an ``uncertain`` reading keeps its text, and every reading its candidates.

    Reasons, the first that applies. ``unreadable``: ``not_a_plate`` (nothing on it looks like a character of a plate),
    ``nothing_legible``. ``uncertain``: ``cut_off``, ``hidden_character``, ``too_small`` (low confidence on a plate
    narrower than ``small_px``), ``low_confidence``, ``weak_character``, ``unknown_format``, ``unknown_region``,
    ``unknown_country`` (the mark of no country that could have such a text was seen on it, or that of a country that
    has no scheme here), ``ambiguous_country`` (the text fits formats of several countries), ``overexposed`` (strokes
    may be burnt out). Of several frames together the whole text decides, whatever its weakest character, and
    ``cut_off`` and ``hidden_character`` come after all that the text itself says.

    ``TrustPolicy()`` is the strict preset; ``TrustPolicy.lenient()`` lets more through. What either
    lets through on plates that the reader was never trained on is printed by ``platereader train calibrate``.

    Attributes:
        min_confidence: least probability of the whole text, 0 to 1.
        min_character: least posterior of each character, 0 to 1.
        max_illegible: highest probability that something illegible stands beside or between the characters, 0 to 1.
        min_mark: least probability that a country's mark is on the plate to take it for one of that country, 0 to 1.
            Where no mark is as probable, countries whose marks are less probable than 0.1 are ruled out; the others,
            with those whose marks the recognizer does not look for, are told apart by the text.
        min_sure_mark: likewise where the text fits formats of several countries, so that the mark alone decides.
        min_legible: below this product of all characters' posteriors there is nothing to read: the text is None.
        small_px: width in the frame below which low confidence is put down to size, in pixels.
        calibration: makes ``confidence`` a probability that holds; None leaves it at P(text | picture). A pipeline
            fills it in for parts that it was fitted for.

    Raises:
        InvalidArgumentError: a threshold outside of 0..1, or a negative width.
    """

    min_confidence: float = 0.97
    min_character: float = 0.9
    max_illegible: float = 0.2
    min_mark: float = 0.5
    min_sure_mark: float = 0.9
    min_legible: float = 0.002
    small_px: float = 50.0
    calibration: Calibration | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("min_confidence", "min_character", "max_illegible", "min_mark", "min_sure_mark", "min_legible"):
            probability(getattr(self, name), name=name)
        if number(self.small_px, name="small_px") < 0.0:
            raise InvalidArgumentError(f"small_px is {self.small_px}, allowed are 0 and more pixels.")
        if self.calibration is not None:
            instance(self.calibration, Calibration, name="calibration")

    @classmethod
    def strict(cls) -> TrustPolicy:
        """For acting on readings without a person, such as opening a gate; the same as ``TrustPolicy()``."""
        return cls()

    @classmethod
    def lenient(cls) -> TrustPolicy:
        """For searching and for fusing with other evidence: a few per cent of what is ``read`` may be wrong."""
        return cls(min_confidence=0.7, min_character=0.7, max_illegible=0.5)

    def judge(self, evidence: Sequence[PlateEvidence], *, alphabet: Alphabet, schemes: Schemes) -> list[Verdict]:
        """One verdict for each piece of evidence, all with posteriors ``(T, C)`` of one shape.

        A decoder does not know how many lines a plate has, nor its country's mark. So a text of a type with another
        number of lines, or of another country, gives way to the best candidate of the right kind, if that is at most
        ``OTHER_LINES_NATS`` less probable.
        """
        countries = [self.countries(item.marks, schemes) for item in evidence]
        candidates = [_of_its_kind(item, schemes, possible) for item, possible in zip(evidence, countries, strict=True)]
        characters = _characters(evidence, candidates, alphabet)
        return [
            self._judge(item, some, known, schemes, possible) if some else self._unreadable(item, some, 0.0)
            for item, some, known, possible in zip(evidence, candidates, characters, countries, strict=True)
        ]

    def judge_fused(self, fused: FusedText, *, schemes: Schemes) -> Verdict:
        """The verdict on what many pictures of one plate come to."""
        text = fused.candidates[0].text
        confidence = fused.signs.share if self.fusion is None else self.fusion.confidence(fused.signs)
        countries = self.countries(fused.marks, schemes)
        fit = schemes.fit(text, lines=fused.lines, countries=countries)
        # Shares of texts say nothing of how often they are right; each character is right at least as often as all are.
        characters = tuple(Character(one.char, max(one.confidence, confidence)) for one in fused.characters)
        reason = self._doubt(text, fit, confidence, marks=fused.marks, lines=fused.lines, schemes=schemes)
        flaw = self._flaw(fused.edge_illegible, fused.inner_illegible)
        if reason is None:
            reason = flaw or ("overexposed" if fused.common_reason == "overexposed" else None)
        elif reason == "low_confidence":
            reason = flaw or (fused.common_reason if fused.common_reason in _OF_THE_PICTURE else reason)
        status: Status = "uncertain" if reason else "read"
        known, wording = self.fusion is not None, self._wording(text, characters, fit, schemes)
        return Verdict(text, confidence, status, reason, known, characters, fused.candidates, *wording)

    def _judge(
        self,
        evidence: PlateEvidence,
        candidates: tuple[Candidate, ...],
        characters: tuple[Character, ...],
        schemes: Schemes,
        countries: frozenset[str] | None,
    ) -> Verdict:
        text = candidates[0].text
        fit = schemes.fit(text, lines=evidence.plate.lines, countries=countries)
        signs = signs_of(candidates, characters, evidence.log_probs, fit=fit)
        confidence = signs.text_prob if self.calibration is None else self.calibration.confidence(signs)
        if math.prod(character.confidence for character in characters) < self.min_legible:
            return self._unreadable(evidence, candidates, confidence)
        marks, lines = evidence.marks, evidence.plate.lines
        reason = (
            self._flaw(signs.edge_illegible, signs.inner_illegible)
            or self._smallness(evidence, confidence)
            or self._doubt(text, fit, confidence, signs.weakest, marks=marks, lines=lines, schemes=schemes)
            or ("overexposed" if is_overexposed(evidence.plate) else None)
        )
        status: Status = "uncertain" if reason else "read"
        known, wording = self.calibration is not None, self._wording(text, characters, fit, schemes)
        return Verdict(text, confidence, status, reason, known, characters, candidates, *wording)

    def countries(self, marks: Mapping[str, float], schemes: Schemes) -> frozenset[str] | None:
        """The countries that a plate may be of, by the probabilities of the marks that are looked for; None for all."""
        if not marks:
            return None
        seen = max(marks, key=marks.__getitem__)
        if marks[seen] >= self.min_mark:
            return frozenset({seen})
        return frozenset(one.country for one in schemes if marks.get(one.country, 1.0) >= _MISSING_MARK)

    @property
    def fusion(self) -> FusedCalibration | None:
        """How the frames of one plate are fused; None for parts that it was not fitted for."""
        return None if self.calibration is None else self.calibration.fusion

    def _unreadable(self, evidence: PlateEvidence, candidates: tuple[Candidate, ...], confidence: float) -> Verdict:
        reason: Reason = "not_a_plate" if emptiness(evidence.log_probs) > _EMPTY_ABOVE else "nothing_legible"
        known = self.calibration is not None
        return Verdict(None, confidence, "unreadable", reason, calibrated=known, candidates=candidates)

    def _wording(
        self, text: str, characters: tuple[Character, ...], fit: TextFit, schemes: Schemes
    ) -> tuple[str | None, str | None, Region | None, str, str, tuple[int, ...]]:
        """The last fields of a verdict: country, format, region, local spelling, masked text, order of the number."""
        masked = "".join(one.char if one.confidence >= self.min_character else ILLEGIBLE for one in characters)
        order = () if fit.plate_format is None else fit.plate_format.number_places(text)
        return fit.country, fit.format, fit.region, schemes.to_local(text, country=fit.country), masked, order

    def _flaw(self, edge_illegible: float, inner_illegible: float) -> Reason | None:
        """What is missing of the plate."""
        if edge_illegible > self.max_illegible:
            return "cut_off"
        return "hidden_character" if inner_illegible > self.max_illegible else None

    def _smallness(self, evidence: PlateEvidence, confidence: float) -> Reason | None:
        detection = evidence.detection
        if detection is None or confidence >= self.min_confidence:
            return None
        return "too_small" if plate_sides(detection)[0] < self.small_px else None

    def _unfit(self, text: str, marks: Mapping[str, float], schemes: Schemes) -> Reason:
        """Why a text fits no format: its country has none like it, or the country is not known."""
        countries = self.countries(marks, schemes)
        if countries is None:
            return "unknown_format"
        known = any(scheme.country in countries for scheme in schemes)
        unmarked = max(marks.values()) < self.min_mark and schemes.fit(text).legal
        return "unknown_country" if unmarked or not known else "unknown_format"

    def _is_guess(self, text: str, lines: Lines | None, marks: Mapping[str, float], schemes: Schemes) -> bool:
        """Whether nothing but a mark that is not surely seen tells the country of a text from others."""
        if not marks or not _MISSING_MARK <= max(marks.values()) < self.min_sure_mark:
            return False
        return len(schemes.fit(text, lines=lines).countries) > 1

    def _doubt(
        self,
        text: str,
        fit: TextFit,
        confidence: float,
        weakest: float = 1.0,
        *,
        marks: Mapping[str, float],
        lines: Lines,
        schemes: Schemes,
    ) -> Reason | None:
        """What speaks against a text, by its weakest character if that counts; None where nothing does."""
        if confidence < self.min_confidence:
            return "low_confidence"
        if weakest < self.min_character:
            return "weak_character"
        if not fit.legal:
            return self._unfit(text, marks, schemes)
        if not fit.region_known:
            return "unknown_region"
        is_guess = fit.country is None or self._is_guess(text, lines, marks, schemes)
        return "ambiguous_country" if is_guess else None


def _of_its_kind(evidence: PlateEvidence, schemes: Schemes, countries: frozenset[str] | None) -> tuple[Candidate, ...]:
    """The candidates, the one first that fits a type with as many lines and of the country that the plate has."""
    candidates = evidence.candidates

    def fitting(text: str) -> bool:
        return schemes.fit(text, lines=evidence.plate.lines, countries=countries).legal

    if not candidates or not schemes.fit(candidates[0].text).legal or fitting(candidates[0].text):
        return candidates
    least = candidates[0].log_prob - OTHER_LINES_NATS
    best = next((one for one in candidates if one.log_prob >= least and fitting(one.text)), candidates[0])
    return (best, *(one for one in candidates if one is not best))


def _characters(
    evidence: Sequence[PlateEvidence], candidates: Sequence[tuple[Candidate, ...]], alphabet: Alphabet
) -> list[tuple[Character, ...]]:
    """The characters of each best text with their posteriors, some plates at a time, which bounds the memory."""
    found: list[tuple[Character, ...]] = []
    for start in range(0, len(evidence), _CHUNK):
        log_probs = np.stack([item.log_probs for item in evidence[start : start + _CHUNK]])
        texts = [some[0].text if some else "" for some in candidates[start : start + _CHUNK]]
        posteriors = _posteriors(log_probs, list(map(alphabet.encode, texts)))
        found += [tuple(map(Character, *pair)) for pair in zip(texts, posteriors, strict=True)]
    return found


def _posteriors(log_probs: LogProbs, labels: Sequence[list[int]]) -> list[list[float]]:
    """``ctc.character_posteriors``, at a third of its time for texts that are certain."""
    certain = [
        text.posteriors if text.certain and text.labels == some else None
        for text, some in zip(certain_texts(log_probs), labels, strict=True)
    ]
    doubtful = [plate for plate, known in enumerate(certain) if known is None]
    if not doubtful:
        return [known for known in certain if known is not None]
    exact = iter(ctc.character_posteriors(log_probs[doubtful], [labels[plate] for plate in doubtful]))
    return [next(exact).tolist() if known is None else known for known in certain]
