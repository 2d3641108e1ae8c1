"""Votes that do not look at posteriors."""

import numpy as np

from platereader import Character, PlateEvidence, PlateImage, PlateReading, Verdict
from platereader.lab.suites.video.voting import best_single_frame, character_vote, whole_string_majority
from platereader.results import Status

NOTHING = PlateEvidence(None, PlateImage(np.zeros((8, 40, 3), np.uint8)), np.zeros((1, 2), np.float32), ())


def reading(text: str | None, confidence: float = 0.9) -> PlateReading:
    characters = tuple(Character(char, confidence) for char in text or "")
    status: Status = "unreadable" if text is None else "uncertain"
    return PlateReading(Verdict(text, confidence, status, characters=characters), NOTHING)


def test_whole_strings_need_their_votes_and_keep_their_answer() -> None:
    a, b = reading("A123BC77"), reading("A128BC77")
    assert whole_string_majority([a, a]) is None
    assert whole_string_majority([a, reading(None), a, b, a]) == "A123BC77"
    assert whole_string_majority([a, a, a, b, b]) == "A123BC77"
    assert whole_string_majority([a, a, a, *[reading(f"A{n}BC77") for n in range(100, 120)]]) == "A123BC77"


def test_only_the_latest_whole_strings_vote() -> None:
    a, b = reading("A123BC77"), reading("A128BC77")
    assert whole_string_majority([*[a] * 10, *[b] * 9], window=15) == "A128BC77"
    assert whole_string_majority([*[a] * 10, *[b] * 9], window=19) == "A123BC77"


def test_characters_vote_by_place_among_the_commonest_length() -> None:
    readings = [reading("AB1"), reading("AC1"), reading("AB2"), reading("AB12", 0.99)]
    assert character_vote(readings) == "AB1"
    assert character_vote([reading("AB1", 0.9), reading("AC1", 0.4), reading("AC1", 0.4)]) == "AB1"
    assert character_vote([reading(None)]) is None


def test_best_single_frame_is_the_surest_with_a_text() -> None:
    assert best_single_frame([reading("A", 0.5), reading("B", 0.8), reading(None, 0.99)]) == "B"
    assert best_single_frame([reading(None)]) is None
