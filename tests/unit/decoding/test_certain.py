"""What the shipped recognizer says of plates, decoded and judged with and without the way around the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from platereader import PlateEvidence, PlateImage, TrustPolicy, Verdict
from platereader import _ctc as ctc
from platereader._arrays import LogProbs
from platereader._contracts import checked_recognize
from platereader._ctc.certain import certain_texts
from platereader._defaults import RECOGNIZER_WEIGHTS, calibrated
from platereader._loading import load_recognizer
from platereader.decoding._beam import BeamDecoder, certain_plates
from platereader.plates import RUSSIAN, PlateGrammar, Schemes
from platereader.plates._defaults import default_grammar, default_schemes
from platereader.results import Candidate
from platereader.trust import _policy


class Recorded(NamedTuple):
    """Plates, what was recognized of them, and the parts that go with it."""

    plates: list[PlateImage]
    log_probs: LogProbs
    marks: Sequence[Mapping[str, float]]
    decoder: BeamDecoder
    trust: TrustPolicy
    schemes: Schemes

    def judged(self, decoded: Sequence[tuple[Candidate, ...]]) -> list[Verdict]:
        seen = zip(self.plates, self.log_probs, decoded, self.marks, strict=True)
        evidence = [PlateEvidence(None, *one) for one in seen]
        return self.trust.judge(evidence, alphabet=self.decoder.alphabet, schemes=self.schemes)


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    """Of made-up Russian plates, from clear to hardly legible."""
    pytest.importorskip("torch", reason="the maker of plates needs torch")
    from platereader.lab.training.recognizer.data import PlateBatches

    recognizer, rng = load_recognizer(RECOGNIZER_WEIGHTS), np.random.default_rng(0)
    maker = PlateBatches(RUSSIAN, batch_size=1)
    plates = [maker.sample(rng).plate for _ in range(96)]
    schemes = default_schemes(recognizer.alphabet)
    grammar = PlateGrammar.build(schemes, alphabet=recognizer.alphabet)
    decoder = BeamDecoder(recognizer.alphabet, grammar=grammar)
    trust = calibrated(TrustPolicy(), recognizer, decoder=decoder)
    seen = [checked_recognize(recognizer, plates[start : start + 16]) for start in range(0, 96, 16)]
    marks = [one for some in seen for one in some.marks]
    return Recorded(plates, np.concatenate([some.log_probs for some in seen]), marks, decoder, trust, schemes)


def searched(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> tuple[list[tuple[Candidate, ...]], list[Verdict]]:
    """Candidates and verdicts as if no plate were certain."""
    with monkeypatch.context() as patch:
        patch.setattr(
            _policy, "certain_texts", lambda some: [one._replace(certain=False) for one in certain_texts(some)]
        )
        decoded = recorded.decoder._searched(recorded.log_probs)
        return decoded, recorded.judged(decoded)


def test_many_plates_need_no_search(recorded: Recorded) -> None:
    found = certain_plates(recorded.log_probs, recorded.decoder.alphabet, count=8)
    assert len(list(found)) > len(recorded.plates) // 5


def test_a_plate_gets_the_same_candidates_and_verdict_without_a_search(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = recorded.decoder.decode(recorded.log_probs)
    full, expected = searched(recorded, monkeypatch)
    for quick, slow in zip(decoded, full, strict=True):
        assert [one.text for one in quick[:1]] == [one.text for one in slow[:1]]
        log_probs = {one.text: one.log_prob for one in slow}
        common = [one for one in quick if one.text in log_probs]
        assert [one.text for one in common] == [text for text in log_probs if text in {one.text for one in common}]
        assert all(one.log_prob == pytest.approx(log_probs[one.text], abs=0.01) for one in common)
        assert quick[0].log_prob == pytest.approx(slow[0].log_prob, abs=1e-3) if quick else not slow
    for verdict, other in zip(recorded.judged(decoded), expected, strict=True):
        assert (verdict.text, verdict.status, verdict.reason) == (other.text, other.status, other.reason)
        assert verdict.confidence == pytest.approx(other.confidence, abs=1e-3)
        characters = [one.confidence for one in other.characters]
        assert [one.confidence for one in verdict.characters] == pytest.approx(characters, abs=1e-3)
    assert any(verdict.status == "read" for verdict in expected)
    assert any(verdict.status == "uncertain" for verdict in expected)


def certain(text: str, *, blank: float = 1e-4) -> LogProbs:
    """Posteriors (1, T, C) of characters with blanks between; what a character leaves is the blank's."""
    path = [0, *(step for label in RUSSIAN.encode(text) for step in (label, 0))]
    probabilities = np.full((len(path), RUSSIAN.size), 1e-9)
    probabilities[:, 0] = 1.0
    for step, label in enumerate(path):
        if label:
            probabilities[step, [0, label]] = blank, 1.0 - blank
    return np.asarray(np.log(probabilities), np.float32)[None]


@pytest.mark.parametrize("text", ["A123BC77", "X555XX555", "77", "DDDDDD"])
def test_what_is_next_to_a_certain_text_lacks_a_character(text: str) -> None:
    """And the same text comes about in as many ways as there are equal characters side by side."""
    log_probs = certain(text)
    ((_, found, _),) = certain_plates(log_probs, RUSSIAN, count=5)
    assert next(iter(found)) == text
    exact = ctc.log_prob_table(log_probs, ctc.padded([RUSSIAN.encode(one) for one in found])[None])[0]
    assert list(found.values()) == pytest.approx(exact.tolist(), abs=0.01)
    assert len(found) == min(5, 1 + sum(a != b for a, b in zip(text, f" {text}", strict=False)))


def test_a_plate_with_more_likely_texts_than_are_listed_is_searched() -> None:
    log_probs = certain("A123BC77", blank=1e-6)
    places = [1, 3, 5, 7, 9, 11]
    for odds, count in ((2e-2, 0), (5e-3, 1)):  # a trust policy takes one that is by 5 nats less probable
        for place, char in zip(places, "BX45XH", strict=True):
            log_probs[0, place, RUSSIAN.encode(char)] = np.log(odds)
        found = list(certain_plates(log_probs, RUSSIAN, count=20))
        assert len(found) == count
        assert all(len(texts) == 5 for _, texts, _ in found)


def test_two_doubtful_characters_are_weighed_together() -> None:
    log_probs = certain("A123BC77", blank=1e-6)
    for place, (char, other, share) in {3: ("1", "7", 0.4), 9: ("B", "E", 0.3)}.items():
        log_probs[0, place, RUSSIAN.encode(other + char)] = np.log([share, 1.0 - share])
    ((_, found, _),) = certain_plates(log_probs, RUSSIAN, count=5)
    searched = {one.text: one.log_prob for one in BeamDecoder(RUSSIAN)._searched(log_probs)[0][:4]}
    assert list(found)[:4] == list(searched) == ["A123BC77", "A723BC77", "A123EC77", "A723EC77"]
    assert {text: found[text] for text in searched} == pytest.approx(searched, abs=0.01)


def test_of_the_texts_that_several_doubtful_characters_make_five_are_listed() -> None:
    log_probs = certain("A123BC77", blank=1e-9)
    for place, (char, other, share) in {3: ("1", "7", 0.05), 7: ("3", "8", 0.04), 9: ("B", "E", 0.03)}.items():
        log_probs[0, place, RUSSIAN.encode(other + char)] = np.log([share, 1.0 - share])
    ((_, found, least),) = certain_plates(log_probs, RUSSIAN, count=8)
    assert list(found) == ["A123BC77", "A723BC77", "A128BC77", "A123EC77", "A728BC77"]
    assert least == pytest.approx(ctc.log_prob(log_probs[0], RUSSIAN.encode("A723EC77")), abs=0.01)


def characters_are_exact(log_probs: LogProbs) -> bool:
    """Whether trust takes A123BC77 for the text, and each character for as probable as all alignments say."""
    (candidates,) = BeamDecoder(RUSSIAN).decode(log_probs)
    evidence = PlateEvidence(None, PlateImage(np.zeros((8, 40, 3), np.uint8)), log_probs[0], candidates)
    (verdict,) = TrustPolicy().judge([evidence], alphabet=RUSSIAN, schemes=default_schemes(RUSSIAN))
    exact = ctc.character_posteriors(log_probs[:1], [RUSSIAN.encode("A123BC77")])[0]
    return verdict.text == "A123BC77" and np.allclose(
        [one.confidence for one in verdict.characters], exact, rtol=0.0, atol=1e-3
    )


def test_a_character_at_either_of_two_steps_is_weighed_by_all_alignments() -> None:
    log_probs = certain("A123BC77")
    log_probs[0, 1:3, 0] = np.log([0.49, 0.55])
    log_probs[0, 1:3, RUSSIAN.encode("A")[0]] = np.log([0.51, 0.45])  # the second one is of the window of 1
    assert characters_are_exact(log_probs)


def test_a_text_that_is_not_of_the_best_path_is_weighed_by_all_alignments() -> None:
    log_probs = np.insert(certain("A13BC77", blank=1e-7), [4, 4], certain("")[:, :1], axis=1)
    log_probs[0, 4:6, 0], log_probs[0, 4:6, RUSSIAN.encode("2")[0]] = np.log(0.51), np.log(0.49)
    log_probs[0, 3, [RUSSIAN.encode("1")[0], RUSSIAN.encode("7")[0]]] = np.log([0.9, 0.1])
    assert certain_texts(log_probs)[0].certain  # of A13BC77
    assert characters_are_exact(log_probs)


@pytest.mark.parametrize(("steps", "sure"), [(6, True), (12, False)])
def test_a_character_that_may_last_for_long_is_weighed_by_all_alignments(steps: int, sure: bool) -> None:
    log_probs = np.insert(certain("A123BC77", blank=1e-24), [2] * steps, certain("")[:, :1], axis=1)
    log_probs[0, 2 : 2 + steps, 0], log_probs[0, 2 : 2 + steps, RUSSIAN.encode("A")[0]] = np.log(0.55), np.log(0.45)
    log_probs[0, -4, RUSSIAN.encode("17")] = np.log([0.3, 0.7])
    (found,) = certain_texts(log_probs)
    exact = ctc.log_prob(log_probs[0], RUSSIAN.encode("A123BC77"))
    assert found.certain is sure
    assert (found.log_prob == pytest.approx(exact, abs=1e-3)) is sure


def test_kept_texts_are_those_of_the_same_numbers_only() -> None:
    log_probs = certain("A123BC77")
    first = certain_texts(log_probs)
    assert certain_texts(log_probs.copy()) is first
    log_probs[:] = certain("B456EK99")
    assert certain_texts(log_probs)[0].labels == RUSSIAN.encode("B456EK99")


def test_a_single_character_and_an_empty_plate_are_searched() -> None:
    assert not list(certain_plates(certain("A"), RUSSIAN, count=5))
    assert not list(certain_plates(certain(""), RUSSIAN, count=5))


def test_noise_is_searched() -> None:
    noise = np.full((1, 20, RUSSIAN.size), -np.log(RUSSIAN.size), np.float32)
    assert certain_texts(noise)[0].errors == certain_texts(noise)[0].rest == np.inf
    assert not list(certain_plates(noise, RUSSIAN, count=5))


def test_what_a_preference_could_change_is_searched() -> None:
    """A certain text of no format, with a legal one that is hardly less probable than the penalty."""
    log_probs = certain("A123B77", blank=1e-5)
    log_probs[0, 1, RUSSIAN.encode("0")] = np.log(0.01)  # the motorcycle plate 0123B77
    decoder = BeamDecoder(RUSSIAN, grammar=default_grammar(), no_format_nats=4.0)
    assert decoder._certain(log_probs)
    wary = replace(decoder, no_format_nats=6.0)
    assert not wary._certain(log_probs)
    assert wary.decode(log_probs)[0][0].text == "0123B77"


def test_so_is_what_a_text_could_change_that_is_not_listed() -> None:
    log_probs = certain("A12BBC77", blank=1e-5)  # no text without one of its characters fits a format either
    log_probs[0, 7, RUSSIAN.encode("8")] = np.log(5e-6)
    wary = BeamDecoder(RUSSIAN, grammar=default_grammar(), no_format_nats=13.0)
    assert replace(wary, no_format_nats=10.0)._certain(log_probs)
    assert not wary._certain(log_probs)
    assert wary.decode(log_probs)[0][0].text == "A128BC77"


def test_the_most_probable_other_text_is_among_the_candidates_whatever_the_order() -> None:
    log_probs = certain("A123BC77", blank=1e-5)
    log_probs[0, 1, 0] = np.log(2e-2)  # 123BC77 fits no format
    for char, place in zip("MXEHTKPY", (9, 11) * 4, strict=True):
        log_probs[0, place, RUSSIAN.encode(char)] = np.log(5e-3)
    decoder = BeamDecoder(RUSSIAN, grammar=default_grammar())
    others = decoder._searched(log_probs)[0][1:]
    assert len(others) == 7
    assert all(one.format for one in others[:-1])
    assert (others[-1].text, others[-1].format) == ("123BC77", None)
    assert [one.text for one in replace(decoder, width=2)._searched(log_probs)[0]] == ["A123BC77", "123BC77"]
