"""A country, a recognizer and a policy of the caller's own: read alone, fused, and checked against each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from fakes import PatchDetector, PatchRecognizer, frame_with
from platereader import Box, ContractError, InvalidArgumentError, Pipeline, PlateImage, TrustPolicy
from platereader._arrays import LogProbs
from platereader.decoding import BeamDecoder, GreedyDecoder
from platereader.plates import (
    DEFAULT_SCHEMES,
    LATIN_LETTERS,
    RUSSIA,
    RUSSIAN,
    Alphabet,
    PlateFormat,
    PlateGrammar,
    PlateScheme,
    Region,
    Schemes,
)
from platereader.results import FusedText, PlateEvidence, TrackedPlate, Verdict
from platereader.testing import check_policy, spelled

LETTERS = LATIN_LETTERS + "ÄÖÜ"
WIDE = Alphabet("0123456789" + LETTERS)
GERMANY = PlateScheme(
    "DE",
    (PlateFormat("standard", "[l{1,3}] l{1,2} nd{0,3}", letters=LETTERS),),
    regions=Region.table({"K": "Cologne", "M": "Munich"}),
)
BELARUS = PlateScheme("BY", (PlateFormat("lorry", "ll dddd n"),))
FRAME = frame_with({50: Box(20, 30, 100, 50)})


@dataclass(frozen=True)
class Reader:
    """Sees one text everywhere."""

    text: str
    probability: float = 0.9999
    alphabet: Alphabet = WIDE

    def recognize(self, plates: Sequence[PlateImage]) -> LogProbs:
        return np.stack([spelled(self.text, self.alphabet, probability=self.probability) for _ in plates])


def build(text: str, *schemes: PlateScheme, probability: float = 0.9999, trust: TrustPolicy | None = None) -> Pipeline:
    return Pipeline.build(detector=PatchDetector(), recognizer=Reader(text, probability), schemes=schemes, trust=trust)


def passage(pipeline: Pipeline, frames: int) -> TrackedPlate:
    updates = list(pipeline.read_stream([FRAME] * frames, fps=10))
    (plate,) = updates[-1].finished
    return plate


def test_a_german_plate_is_read_alone_and_over_frames() -> None:
    pipeline = build("KÖX12", GERMANY)
    (reading,) = pipeline.read(FRAME)
    for one in (reading, passage(pipeline, 6)):
        assert (one.text, one.text_local, one.status) == ("KÖX12", "KÖX12", "read")
        assert (one.country, one.format, one.region) == ("DE", "standard", GERMANY.regions["K"])
    assert {candidate.format for candidate in reading.candidates if candidate.text == "KÖX12"} == {"standard"}


@pytest.mark.parametrize("probability", [0.9999, 0.99, 0.9])
@pytest.mark.parametrize("text", ["KÖX12", "A1B2C3"])
def test_equal_frames_never_lower_the_confidence(text: str, probability: float) -> None:
    pipeline = build(text, GERMANY, probability=probability)
    (reading,) = pipeline.read(FRAME)
    for frames in (3, 5, 9):
        assert passage(pipeline, frames).confidence >= reading.confidence - 1e-9


def test_a_text_of_two_countries_is_uncertain_alone_and_over_frames() -> None:
    pipeline = build("AB12345", RUSSIA, BELARUS)  # a Russian taxi, or a Belarusian lorry
    for one in (*pipeline.read(FRAME), passage(pipeline, 6)):
        assert (one.text, one.status, one.reason) == ("AB12345", "uncertain", "ambiguous_country")
        assert (one.country, one.format, one.region, one.text_local) == (None, None, None, "AB12345")
    (alone,) = build("AB12345", RUSSIA).read(FRAME)
    assert (alone.status, alone.country, alone.text_local) == ("read", "RU", "АВ12345")


def test_russia_is_the_default_where_the_alphabet_can_spell_it() -> None:
    (reading,) = Pipeline.build(detector=PatchDetector(), recognizer=Reader("A123BC77")).read(FRAME)
    assert (reading.country, reading.status) == ("RU", "read")
    few = Pipeline.build(detector=PatchDetector(), recognizer=Reader("AB", alphabet=Alphabet("AB")))
    assert few.schemes.members == ()
    assert few.read(FRAME)[0].reason == "unknown_format"


def test_the_schemes_of_a_decoder_of_ones_own_are_the_pipelines() -> None:
    decoder = BeamDecoder(WIDE, grammar=PlateGrammar.build((GERMANY,), alphabet=WIDE))
    pipeline = Pipeline.build(detector=PatchDetector(), recognizer=Reader("KÖX12"), decoder=decoder)
    assert pipeline.schemes.members == (GERMANY,)
    with pytest.raises(InvalidArgumentError, match=r"of \['RU'\], the decoder's grammar .* of \['DE'\]"):
        Pipeline.build(detector=PatchDetector(), recognizer=Reader("KÖX12"), decoder=decoder, schemes=(RUSSIA,))
    greedy = Pipeline.build(
        detector=PatchDetector(), recognizer=Reader("KÖX12"), decoder=GreedyDecoder(WIDE), schemes=(GERMANY,)
    )
    assert greedy.read(FRAME)[0].format == "standard"


def test_an_alphabet_that_lacks_characters_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"lacks characters of the plates of DE \(FGIJLNQRSUVWZÄÖÜ\)"):
        Pipeline.build(detector=PatchDetector(), recognizer=PatchRecognizer(), schemes=(RUSSIA, GERMANY))
    with pytest.raises(InvalidArgumentError, match=r"schemes is a PlateScheme.*\(RUSSIA,\)"):
        Pipeline.build(detector=PatchDetector(), recognizer=PatchRecognizer(), schemes=RUSSIA)  # type: ignore[arg-type]


class Doubter:
    """Relies on nothing."""

    def __init__(self) -> None:
        self.inner = TrustPolicy()

    def judge(self, evidence: Sequence[PlateEvidence], *, alphabet: Alphabet, schemes: Schemes) -> list[Verdict]:
        return [self._doubted(one) for one in self.inner.judge(evidence, alphabet=alphabet, schemes=schemes)]

    def judge_fused(self, fused: FusedText, *, schemes: Schemes) -> Verdict:
        return self._doubted(self.inner.judge_fused(fused, schemes=schemes))

    def _doubted(self, verdict: Verdict) -> Verdict:
        return replace(verdict, status="uncertain", reason="low_confidence") if verdict.text else verdict


def test_a_policy_of_ones_own_judges_readings_and_passages() -> None:
    check_policy(Doubter())
    check_policy(TrustPolicy())
    pipeline = Pipeline.build(detector=PatchDetector(), recognizer=PatchRecognizer(), trust=Doubter())
    for one in (*pipeline.read(FRAME), passage(pipeline, 6)):
        assert (one.text, one.status, one.country) == ("A123BC77", "uncertain", "RU")


class Forgetful(Doubter):
    def judge(self, evidence: Sequence[PlateEvidence], *, alphabet: Alphabet, schemes: Schemes) -> list[Verdict]:
        return super().judge(evidence, alphabet=alphabet, schemes=schemes)[:1]


class Inventive(Doubter):
    def judge(self, evidence: Sequence[PlateEvidence], *, alphabet: Alphabet, schemes: Schemes) -> list[Verdict]:
        judged = super().judge(evidence, alphabet=alphabet, schemes=schemes)
        return [replace(one, text="B1") if one.text else one for one in judged]


class Comparing(Doubter):
    def judge(self, evidence: Sequence[PlateEvidence], *, alphabet: Alphabet, schemes: Schemes) -> list[Verdict]:
        judged = super().judge(evidence, alphabet=alphabet, schemes=schemes)
        return [replace(one, confidence=one.confidence / len(judged)) for one in judged]


class Mumbling(Doubter):
    def judge_fused(self, fused: FusedText, *, schemes: Schemes) -> Verdict:
        return replace(super().judge_fused(fused, schemes=schemes), text="B1")


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (Forgetful, "returned 1 items for 4"),
        (Inventive, "'B1', which no candidate"),
        (Comparing, "alone and in a batch"),
        (Mumbling, "Mumbling.judge_fused returned .* on 'A123BC77'"),
    ],
)
def test_policies_that_break_their_contract(policy: Callable[[], Doubter], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        check_policy(policy())


def test_what_is_no_policy_is_refused_when_it_is_built() -> None:
    with pytest.raises(InvalidArgumentError, match=r"trust is the str 'strict', expected .* judge and judge_fused"):
        Pipeline.build(detector=PatchDetector(), recognizer=PatchRecognizer(), trust="strict")  # type: ignore[arg-type]


def test_known_schemes_are_kept_as_they_are() -> None:
    pipeline = Pipeline.build(detector=PatchDetector(), recognizer=PatchRecognizer(), schemes=DEFAULT_SCHEMES)
    assert pipeline.schemes is DEFAULT_SCHEMES
    assert pipeline.recognizer.alphabet == RUSSIAN
