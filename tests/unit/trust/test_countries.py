"""The country of a plate by the mark that is seen on it."""

from collections.abc import Mapping

import numpy as np
import pytest

from platereader import Candidate, InvalidArgumentError, PlateEvidence, PlateImage, TrustPolicy, Verdict
from platereader import _ctc as ctc
from platereader.plates import BELARUS, KAZAKHSTAN, LATIN, LATIN_36, RUSSIA, PlateScheme, Schemes
from platereader.testing import spelled

PICTURE = PlateImage(np.zeros((8, 40, 3), np.uint8))


def judge(text: str, marks: Mapping[str, float], *schemes: PlateScheme, others: tuple[str, ...] = ()) -> Verdict:
    """The verdict on a plate that clearly spells a text, or nearly, with others as the first candidates."""
    log_probs = spelled(text, LATIN_36, probability=0.9999)
    candidates = [Candidate(other, -0.1, None) for other in others]
    candidates += [Candidate(text, ctc.log_prob(log_probs, LATIN_36.encode(text)) - len(others), None)]
    evidence = PlateEvidence(None, PICTURE, log_probs, tuple(candidates), marks)
    (verdict,) = TrustPolicy().judge([evidence], alphabet=LATIN_36, schemes=Schemes(schemes))
    return verdict


def test_a_lorry_of_belarus_and_a_taxi_of_russia_are_told_apart_by_their_marks() -> None:
    lorry = judge("AB12345", {"RU": 0.01, "BY": 0.98}, RUSSIA, BELARUS)
    taxi = judge("AB12345", {"RU": 0.98, "BY": 0.01}, RUSSIA, BELARUS)
    assert (lorry.status, lorry.country) == ("read", "BY")
    assert (taxi.status, taxi.country) == ("read", "RU")


def test_without_a_mark_a_text_is_of_no_country_whose_mark_is_known() -> None:
    verdict = judge("AB12345", {"RU": 0.01, "BY": 0.02}, RUSSIA, BELARUS)
    assert (verdict.text, verdict.status, verdict.reason) == ("AB12345", "uncertain", "unknown_country")
    assert verdict.country is None


def test_so_it_is_beside_a_scheme_that_needs_no_mark() -> None:
    verdict = judge("AB12345", {"RU": 0.01, "BY": 0.02}, RUSSIA, BELARUS, KAZAKHSTAN)
    assert (verdict.text, verdict.status, verdict.reason) == ("AB12345", "uncertain", "unknown_country")
    verdict = judge("ABCDEFGH", {"RU": 0.01, "BY": 0.02}, RUSSIA, BELARUS, KAZAKHSTAN)
    assert verdict.reason == "unknown_format"


def test_the_mark_of_a_country_without_a_scheme_is_an_unknown_country() -> None:
    verdict = judge("AB12345", {"RU": 0.01, "BY": 0.97}, RUSSIA)
    assert (verdict.status, verdict.reason) == ("uncertain", "unknown_country")


def test_a_text_that_its_country_does_not_issue_has_an_unknown_format() -> None:
    verdict = judge("AB12345", {"KZ": 0.97, "RU": 0.0}, RUSSIA, KAZAKHSTAN)
    assert (verdict.status, verdict.reason) == ("uncertain", "unknown_format")


def test_the_candidate_of_the_marked_country_goes_first() -> None:
    verdict = judge("123ABC02", {"KZ": 0.97, "RU": 0.01}, RUSSIA, KAZAKHSTAN, others=("A123BC77",))
    assert (verdict.text, verdict.country) == ("123ABC02", "KZ")


def test_other_countries_are_read_where_the_user_passes_latin() -> None:
    assert judge("WX12345", {"RU": 0.0}, RUSSIA, LATIN).status == "read"
    # As Russian as a taxi by its text alone: without the mark it is one of another country.
    verdict = judge("AB12345", {"RU": 0.02}, RUSSIA, LATIN)
    assert (verdict.status, verdict.country) == ("read", "XX")
    assert judge("AB12345", {"RU": 0.97}, RUSSIA, LATIN).country == "RU"


def test_a_mark_that_may_be_hidden_neither_proves_nor_rules_out() -> None:
    assert judge("A123BC77", {"RU": 0.3, "BY": 0.01}, RUSSIA, BELARUS).status == "read"
    verdict = judge("AB12345", {"RU": 0.3, "KZ": 0.01}, RUSSIA, BELARUS)
    assert (verdict.status, verdict.reason) == ("uncertain", "ambiguous_country")
    assert judge("AB12345", {"RU": 0.01, "KZ": 0.01}, RUSSIA, BELARUS).country == "BY"


def test_a_mark_that_is_not_surely_seen_does_not_decide_alone() -> None:
    for probability in (0.3, 0.7):
        verdict = judge("AB12345", {"RU": probability, "BY": 0.01}, RUSSIA, BELARUS)
        assert (verdict.status, verdict.reason) == ("uncertain", "ambiguous_country")
        assert judge("A123BC77", {"RU": probability, "BY": 0.01}, RUSSIA, BELARUS).status == "read"
    assert judge("AB12345", {"RU": 0.95, "BY": 0.01}, RUSSIA, BELARUS).status == "read"


def test_a_recognizer_that_knows_no_marks_is_judged_by_the_text() -> None:
    assert judge("A123BC77", {}, RUSSIA).status == "read"
    assert judge("AB12345", {}, RUSSIA, BELARUS).reason == "ambiguous_country"
    # A country whose mark the recognizer does not look for needs none.
    assert judge("123ABC02", {"RU": 0.0}, RUSSIA, KAZAKHSTAN).country == "KZ"


@pytest.mark.parametrize("marks", [{"RU": 1.2}, {"RU": "much"}, [0.4]])
def test_marks_are_probabilities(marks: object) -> None:
    with pytest.raises(InvalidArgumentError, match="marks"):
        PlateEvidence(None, PICTURE, spelled("A", LATIN_36), (), marks)  # type: ignore[arg-type]
