"""The readings of one plate, kept within bounds, and what they say together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from platereader import _ctc as ctc
from platereader._contracts import checked_judge_fused
from platereader.plates import Alphabet, Schemes, TextFit
from platereader.protocols import VerdictPolicy
from platereader.results import (
    Candidate,
    Character,
    FusedSigns,
    FusedText,
    HasVerdict,
    Lines,
    PlateReading,
    Reason,
    Verdict,
)
from platereader.trust import FrameWeights, TrustPolicy
from platereader.trust._fused import FRAME_SIGNS, UNFITTED
from platereader.video._fusion.difference import (
    MIN_FRAMES,
    MIN_LENGTH,
    are_two_plates,
    differing_places,
    is_unlike,
    sure_at,
)
from platereader.video._fusion.legibility import agreement
from platereader.video._fusion.texts import Frame, lines_of, log_prob_table, proposed, substituted, voted

MAX_EVIDENCE = 24
"""Readings kept per plate: memory stays bounded however long a car stands in view."""

MAX_TEXTS = 16
"""Texts of single frames that are scored under all of them."""

COMBINING_ROUNDS = 2
"""How often the best text is improved by characters of others, until it is read with the next frame."""

CONTRADICTION_NATS = 20.0
"""How much less probable one plate's text is under a clear picture of another plate; one misread character is less."""

_CONSIDERED_NATS = -7.0
_MAX_COMBINED = 6
_MAX_LEAD = 20.0


@dataclass(frozen=True, slots=True)
class FusedReading(HasVerdict):
    """What all frames together say; the fields of its ``verdict`` are properties of it.

    Attributes:
        verdict: its reason is what most frames suffer from, if that explains it; ``log_prob`` of its candidates is the
            fused one, and a character's probability that of the candidates that have it.
        agreeing: how many of the frames that are kept have this text as their own best one.
        signs: what ``confidence`` rests on; None without a text.
    """

    agreeing: int = 0
    signs: FusedSigns | None = None


class FusedEvidence:
    """What was read of one plate so far, at most ``MAX_EVIDENCE`` readings.

    Clear ones stay, and those that few others were made near; of equally clear ones at an even pace the latest.

    Args:
        trust: judges the fused text; what it was fitted for decides how much each frame counts.
        alphabet: of the recognizer that the readings come from.
        schemes: of the countries that the plate may be of.
    """

    def __init__(self, trust: VerdictPolicy, *, alphabet: Alphabet, schemes: Schemes) -> None:
        self.readings: int = 0
        self._trust = trust
        self._alphabet = alphabet
        self._schemes = schemes
        fitted = trust.fusion if isinstance(trust, TrustPolicy) else None
        self._weights: FrameWeights = UNFITTED if fitted is None else fitted.frames
        self._kept: list[Frame] = []
        self._combined: list[str] = []
        self._fused: FusedReading | None = None

    def __repr__(self) -> str:
        return f"FusedEvidence(readings={self.readings})"

    def add(self, reading: PlateReading, frame_index: int) -> None:
        """Take in a reading of this plate; ``frame_index`` counts the frames of its stream, from 0."""
        self.readings += 1
        self._keep([Frame.of(reading, frame_index, weights=self._weights)])

    def merge(self, other: FusedEvidence) -> None:
        """Take in what was read of the same plate elsewhere in the stream."""
        self.readings += other.readings
        self._keep(other._kept)

    @property
    def fused(self) -> FusedReading:
        """What all readings together say; there must be one at least."""
        if self._fused is None:
            self._fused = self._fuse()
        return self._fused

    @property
    def best(self) -> tuple[PlateReading, int]:
        """The most confident reading, of the fused text if there is one, and its frame index."""
        return self.best_of(self.fused.text)

    def best_of(self, text: str | None) -> tuple[PlateReading, int]:
        """The most confident reading, of this text if there is one, and its frame index."""
        best = max(self._kept, key=lambda kept: (kept.reading.text == text, kept.reading.confidence))
        return best.reading, best.frame_index

    def contradicted_by(self, reading: PlateReading) -> bool:
        """Whether a confident reading is of another plate than a confident fused text."""
        text = self.fused.text if self._kept else None
        if text is None or self.fused.status != "read" or reading.status != "read" or reading.text == text:
            return False
        return self._rules_out(reading, text)

    def excludes(self, reading: PlateReading) -> bool:
        """Whether a reading from where the plate was not expected is of another one: each rules out the other's text.

        One of both must be confident; that the other is clear is enough, as where a plate is hidden in part.
        """
        if self.contradicted_by(reading):
            return True
        text = self.fused.text if self._kept else None
        if text is None or reading.text is None or "read" not in (self.fused.status, reading.status):
            return False
        mine, _ = self.best
        clear = is_unlike(text, reading.text) and self._rules_out(reading, text)
        return clear and bool(mine.candidates) and self._rules_out(mine, reading.text)

    def opposed_by(self, reading: PlateReading) -> bool:
        """Whether a reading may be the first one of another plate, after this text was read in several frames."""
        text = self.fused.text if self._kept else None
        if text is None or reading.text is None or reading.text == text or self.fused.agreeing < MIN_FRAMES:
            return False
        mine, others = differing_places(text, reading.text)
        stands = sum(sure_at(kept.reading, text, mine) for kept in self._kept) >= MIN_FRAMES
        return is_unlike(text, reading.text) or (stands and sure_at(reading, reading.text, others))

    def replaced_in(self, readings: Sequence[PlateReading], *, frames: int = MIN_FRAMES) -> bool:
        """Whether later readings are of another plate: two texts that each stand in so many frames are two plates."""
        text = self.fused.text
        mine = [kept.reading for kept in self._kept]
        others = {reading.text for reading in readings} - {None, text}
        return text is not None and any(
            are_two_plates(text, mine, other, readings, frames=frames) for other in others if other is not None
        )

    def agrees_with(self, other: FusedEvidence) -> bool:
        """Whether both are of one plate: one considers the text of the other, and misreading explains the difference.

        It does not where both are sure of their text, or both texts stand in several frames. Pieces of a text say
        nothing.
        """
        mine, others = self.fused, other.fused
        if mine.text is None or others.text is None or min(len(mine.text), len(others.text)) < MIN_LENGTH:
            return False
        if mine.text == others.text:
            return True
        if self.replaced_in([kept.reading for kept in other._kept]) or mine.status == others.status == "read":
            return False
        return _considers(mine, others.text) or _considers(others, mine.text)

    def reads_pieces_of(self, text: str, *, length: int) -> bool:
        """Whether every text that was read is a piece of this one, and some have so many characters."""
        read = self._texts()
        return all(one in text for one in read) and any(len(one) >= length for one in read)

    def pieces_make_up(self, text: str) -> bool:
        """Whether every text that was read is a piece of this one, and its beginning and its end together are all."""
        read = self._texts()
        starts, ends = ([len(one) for one in read if at(one)] for at in (text.startswith, text.endswith))
        return all(one in text for one in read) and max(starts, default=0) + max(ends, default=0) >= len(text) > 0

    def _texts(self) -> set[str]:
        return {kept.reading.text for kept in self._kept if kept.reading.text is not None}

    def _rules_out(self, reading: PlateReading, text: str) -> bool:
        """Whether a text is much less probable under a reading than what it reads."""
        log_prob = ctc.log_prob(reading.evidence.log_probs, self._alphabet.encode(text))
        return reading.candidates[0].log_prob - log_prob > CONTRADICTION_NATS

    def _keep(self, kept: Sequence[Frame]) -> None:
        self._kept = sorted([*self._kept, *kept], key=lambda one: one.frame_index)
        while len(self._kept) > MAX_EVIDENCE:
            del self._kept[_least_informative(self._kept)]
        self._fused = None

    def _fuse(self) -> FusedReading:
        """Score the texts of all frames under all frames, improve on the best one, and judge it."""
        if all(kept.reading.text is None for kept in self._kept):
            best = max(self._kept, key=lambda kept: kept.reading.confidence).reading
            return FusedReading(Verdict(None, 0.0, best.status, self._common_reason() or best.reason))
        frames = [kept for kept in self._kept if kept.candidates]
        lines = lines_of(frames)
        texts = proposed([(kept.weight, kept.candidates) for kept in frames], count=MAX_TEXTS)
        vote = voted((kept.weight, kept.reading.characters) for kept in frames)
        texts += [] if vote is None else [vote]
        scores = self._scores(frames, list(dict.fromkeys([*texts, *self._combined])), lines=lines)
        scores = self._improved(frames, scores, lines=lines)
        ranked = sorted(scores, key=lambda text: (-scores[text], text))[:MAX_TEXTS]
        self._combined = [text for text in ranked if text not in texts][:_MAX_COMBINED]
        for kept in frames:
            kept.keep_scores_of(scores)
        return self._judge(frames, ranked, [scores[text] for text in ranked], lines=lines)

    def _scores(self, frames: Sequence[Frame], texts: Sequence[str], *, lines: Lines) -> dict[str, float]:
        """What each text scores under all frames, its penalty included; see ``FrameWeights``."""
        table = log_prob_table(frames, texts, self._alphabet)  # (F, K)
        weights = np.array([kept.weight for kept in frames])
        penalties = np.array([self._weights.penalty(self._schemes.fit(text, lines=lines)) for text in texts])
        mean = weights @ np.logaddexp(table, -self._weights.floor_nats) / weights.sum() - penalties
        return dict(zip(texts, (mean * weights.sum() ** (1.0 - self._weights.dependence)).tolist(), strict=True))

    def _improved(self, frames: Sequence[Frame], scores: dict[str, float], *, lines: Lines) -> dict[str, float]:
        """The scores, and those of texts that change single characters of the best one as long as that is better."""
        for _ in range(COMBINING_ROUNDS):
            best = max(scores, key=lambda text: scores[text])
            new = substituted(best, scores, count=_MAX_COMBINED)
            scores = {**scores, **self._scores(frames, new, lines=lines)} if new else scores
            if max(scores, key=lambda text: scores[text]) == best:
                break
        return scores

    def _judge(
        self, frames: Sequence[Frame], texts: Sequence[str], scores: Sequence[float], *, lines: Lines
    ) -> FusedReading:
        """The best of the texts, and what it is worth."""
        total = sum(kept.weight for kept in frames)
        other = -self._weights.floor_nats * total ** (1.0 - self._weights.dependence)
        log_shares = np.array([*scores, other]) - np.logaddexp.reduce([*scores, other])
        fits = [self._schemes.fit(text, lines=lines) for text in texts]
        candidates = tuple(
            Candidate(text, log_share, fit.format)
            for text, log_share, fit in zip(texts, log_shares.tolist(), fits, strict=False)
        )
        lead_nats = min(_MAX_LEAD, scores[0] - max([*scores[1:], other]))
        signs = _signs(frames, texts[0], share=math.exp(log_shares[0]), lead_nats=lead_nats, fit=fits[0])
        fused = FusedText(
            candidates,
            _characters(candidates),
            lines,
            signs,
            edge_illegible=_least_illegible(frames, texts[0], "edge"),
            inner_illegible=_least_illegible(frames, texts[0], "inner"),
            common_reason=self._common_reason(),
            marks=_mean_marks(frames),
        )
        agreeing = sum(kept.candidates[0].text == texts[0] for kept in frames)
        return FusedReading(checked_judge_fused(self._trust, fused, schemes=self._schemes), agreeing, signs)

    def _common_reason(self) -> Reason | None:
        """What more than half of the frames suffer from."""
        reasons: Counter[Reason | None] = Counter(kept.reading.reason for kept in self._kept)
        reason, count = reasons.most_common(1)[0]
        return reason if 2 * count > len(self._kept) else None


def _considers(fused: FusedReading, text: str) -> bool:
    return any(one.text == text and one.log_prob >= _CONSIDERED_NATS for one in fused.candidates)


def _least_informative(kept: Sequence[Frame]) -> int:
    """Index of the reading to give up: a poor one, or one that others were made shortly before and after."""
    gaps = [after.frame_index - before.frame_index for before, after in zip(kept[:-2], kept[2:], strict=True)]
    # The first and the last have a neighbour on one side only.
    ends = (2 * (kept[1].frame_index - kept[0].frame_index), 2 * (kept[-1].frame_index - kept[-2].frame_index))
    room = (ends[0], *gaps, ends[1])
    return min(range(len(kept)), key=lambda index: kept[index].weight * math.sqrt(room[index]))


def _signs(frames: Sequence[Frame], text: str, *, share: float, lead_nats: float, fit: TextFit) -> FusedSigns:
    """What speaks for and against the best text."""
    weights = np.array([kept.weight for kept in frames])
    agreeing = [kept for kept in frames if kept.candidates[0].text == text]
    signs = dict(zip(FRAME_SIGNS, weights @ np.array([kept.signs for kept in frames]) / weights.sum(), strict=True))
    # Whatever a preference for formats takes from its share, a text is as probable as the frames alone say on average.
    mean_prob = sum(kept.weight * math.exp(kept.log_probs[text]) for kept in frames) / float(weights.sum())
    typical_nats, agreement_nats = agreement([kept.signs for kept in agreeing])
    return FusedSigns(
        share=min(1.0, max(share, mean_prob)),
        lead_nats=lead_nats,
        frames=len(frames),
        typical_nats=typical_nats,
        agreement_nats=agreement_nats,
        edge=float(signs["edge"]),
        inner=float(signs["inner"]),
        legal=fit.legal,
        region_known=fit.region_known,
    )


def _least_illegible(frames: Sequence[Frame], text: str, sign: str) -> float:
    """How much is missing in every frame that reads the text; one that shows it whole is enough."""
    index = FRAME_SIGNS.index(sign)
    return min((-math.expm1(kept.signs[index]) for kept in frames if kept.candidates[0].text == text), default=0.0)


def _mean_marks(frames: Sequence[Frame]) -> dict[str, float]:
    """Probability of each country's mark, on average of the frames by weight."""
    total = sum(kept.weight for kept in frames)
    countries = frames[0].reading.evidence.marks
    return {
        country: min(1.0, sum(kept.weight * kept.reading.evidence.marks[country] for kept in frames) / total)
        for country in countries
    }


def _characters(candidates: Sequence[Candidate]) -> tuple[Character, ...]:
    """Each character of the best text, as probable as the texts of its length that have it together."""
    best = candidates[0].text
    shares = [(one.text, math.exp(one.log_prob)) for one in candidates if len(one.text) == len(best)]
    return tuple(
        Character(char, min(1.0, sum(share for text, share in shares if text[place] == char)))
        for place, char in enumerate(best)
    )
