"""The country of a plate by the mark that is seen on it."""

from collections.abc import Mapping

import numpy as np
import pytest

from platereader import Candidate, InvalidArgumentError, PlateEvidence, PlateImage, TrustPolicy, Verdict
from platereader import _ctc as ctc
from platereader.plates import BELARUS, KAZAKHSTAN, LATIN, LATIN_36, RUSSIA, UKRAINE, PlateScheme, Schemes
from platereader.results import Lines
from platereader.testing import spelled

PICTURE = PlateImage(np.zeros((8, 40, 3), np.uint8))


def judge(
    text: str, marks: Mapping[str, float], *schemes: PlateScheme, others: tuple[str, ...] = (), lines: Lines = 1
) -> Verdict:
    """The verdict on a plate that clearly spells a text, or nearly, with others as the first candidates."""
    log_probs = spelled(text, LATIN_36, probability=0.9999)
    candidates = [Candidate(other, -0.1, None) for other in others]
    candidates += [Candidate(text, ctc.log_prob(log_probs, LATIN_36.encode(text)) - len(others), None)]
    evidence = PlateEvidence(None, PlateImage(PICTURE.pixels, lines), log_probs, tuple(candidates), marks)
    (verdict,) = TrustPolicy().judge([evidence], alphabet=LATIN_36, schemes=Schemes(schemes))
    return verdict


BOTH, THREE, WITH_LATIN = (RUSSIA, BELARUS), (RUSSIA, BELARUS, KAZAKHSTAN), (RUSSIA, LATIN)
# What the text of a plate, its marks and the schemes make of it; AB12345 is a lorry of Belarus or a taxi of Russia.
CASES: list[tuple[str, dict[str, float], tuple[PlateScheme, ...], tuple[str | None, ...]]] = [
    ("AB12345", {"RU": 0.01, "BY": 0.98}, BOTH, ("read", None, "BY")),
    ("AB12345", {"RU": 0.98, "BY": 0.01}, BOTH, ("read", None, "RU")),
    # Without a mark it is of no country whose mark is known, also beside one that needs none.
    ("AB12345", {"RU": 0.01, "BY": 0.02}, BOTH, ("uncertain", "unknown_country", None)),
    ("AB12345", {"RU": 0.01, "BY": 0.02}, THREE, ("uncertain", "unknown_country", None)),
    ("ABCDEFGH", {"RU": 0.01, "BY": 0.02}, THREE, ("uncertain", "unknown_format", None)),
    ("AB12345", {"RU": 0.01, "BY": 0.97}, (RUSSIA,), ("uncertain", "unknown_country", None)),
    ("AB12345", {"KZ": 0.97, "RU": 0.0}, (RUSSIA, KAZAKHSTAN), ("uncertain", "unknown_format")),
    # Other countries are read where the user passes LATIN, and a taxi without the mark is of another one.
    ("WX12345", {"RU": 0.0}, WITH_LATIN, ("read",)),
    ("AB12345", {"RU": 0.02}, WITH_LATIN, ("read", None, "XX")),
    ("AB12345", {"RU": 0.97}, WITH_LATIN, ("read", None, "RU")),
    # A mark that may be hidden neither proves nor rules out, and does not decide alone.
    *(("A123BC77", {"RU": unsure, "BY": 0.01}, BOTH, ("read",)) for unsure in (0.3, 0.7)),
    *(("AB12345", {"RU": unsure, "BY": 0.01}, BOTH, ("uncertain", "ambiguous_country")) for unsure in (0.3, 0.7)),
    *(("AB12345", {"RU": sure, "BY": 0.01}, BOTH, ("read",)) for sure in (0.9, 0.95)),
    ("AB12345", {"RU": 0.89, "BY": 0.01}, BOTH, ("uncertain", "ambiguous_country", "RU")),
    # From 0.5 on a mark is seen, below 0.1 it is missing.
    ("AB12345", {"RU": 0.5, "BY": 0.2}, BOTH, ("uncertain", "ambiguous_country", "RU")),
    ("AB12345", {"RU": 0.49, "BY": 0.1}, BOTH, ("uncertain", "ambiguous_country", None)),
    ("AB12345", {"RU": 0.1, "BY": 0.09}, BOTH, ("uncertain", "ambiguous_country", "RU")),
    ("AB12345", {"RU": 0.09, "BY": 0.09}, BOTH, ("uncertain", "unknown_country", None)),
    ("AB12345", {"RU": 0.3, "KZ": 0.01}, BOTH, ("uncertain", "ambiguous_country")),
    ("AB12345", {"RU": 0.01, "KZ": 0.01}, BOTH, ("read", None, "BY")),
    ("123ABC02", {"RU": 0.5, "KZ": 0.0}, (RUSSIA, KAZAKHSTAN), ("uncertain", "unknown_format", None)),
    ("123ABC02", {"RU": 0.49, "KZ": 0.0}, (RUSSIA, KAZAKHSTAN), ("uncertain", "unknown_country", None)),
    # What a recognizer without marks sees is judged by the text; a country whose mark it does not know needs none.
    ("A123BC77", {}, (RUSSIA,), ("read",)),
    ("AB12345", {}, BOTH, ("uncertain", "ambiguous_country")),
    ("123ABC02", {"RU": 0.0}, (RUSSIA, KAZAKHSTAN), ("read", None, "KZ")),
]


@pytest.mark.parametrize(("text", "marks", "schemes", "expected"), CASES)
def test_marks_tell_countries_apart(
    text: str, marks: dict[str, float], schemes: tuple[PlateScheme, ...], expected: tuple[str | None, ...]
) -> None:
    verdict = judge(text, marks, *schemes)
    assert verdict.text == text
    assert (verdict.status, verdict.reason, verdict.country)[: len(expected)] == expected


def test_the_candidate_of_the_marked_country_goes_first() -> None:
    verdict = judge("123ABC02", {"KZ": 0.97, "RU": 0.01}, RUSSIA, KAZAKHSTAN, others=("A123BC77",))
    assert (verdict.text, verdict.country) == ("123ABC02", "KZ")


@pytest.mark.parametrize(
    ("text", "marks", "number"),
    [
        ("APET7007", {"UA": 0.98, "KZ": 0.01}, "AP7007ET"),
        ("24110VBZ", {"UA": 0.01, "KZ": 0.98}, "241VBZ10"),
        ("24110VBZ", {"UA": 0.98, "KZ": 0.01}, "24110VBZ"),  # no Ukrainian plate
    ],
)
def test_the_number_of_a_two_line_plate_is_that_of_its_country(text: str, marks: dict[str, float], number: str) -> None:
    verdict = judge(text, marks, UKRAINE, KAZAKHSTAN, lines=2)
    assert (verdict.text, verdict.number) == (text, number)


@pytest.mark.parametrize("marks", [{"RU": 1.2}, {"RU": "much"}, [0.4]])
def test_marks_are_probabilities(marks: object) -> None:
    with pytest.raises(InvalidArgumentError, match="marks"):
        PlateEvidence(None, PICTURE, spelled("A", LATIN_36), (), marks)  # type: ignore[arg-type]
