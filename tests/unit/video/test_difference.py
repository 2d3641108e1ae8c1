"""When two readings or two texts are of two plates."""

import pytest
from fused_readings import clear, fuse, reading, torn

from platereader.plates import RUSSIAN
from platereader.testing import spelled
from platereader.video._fusion.difference import differing_places, is_unlike, resembles


def test_a_confident_reading_of_another_plate_contradicts() -> None:
    evidence = fuse(*[clear("A123BC77")] * 3)
    assert evidence.contradicted_by(clear("M555KE199"))
    assert not evidence.contradicted_by(clear("A123BC77"))
    assert not evidence.contradicted_by(reading(torn("A128BC77", "A123BC77", 0.6), "A128BC77"))
    unsure = fuse(reading(torn("A128BC77", "A123BC77", 0.6), "A128BC77", "A123BC77"))
    assert not unsure.contradicted_by(clear("M555KE199"))
    assert not evidence.contradicted_by(reading(spelled("M555KE199", RUSSIAN, probability=0.9), "M555KE199"))


def test_a_reading_may_be_the_first_one_of_another_plate_once_a_text_stands_in_several_frames() -> None:
    evidence, other, near = fuse(*[clear("A123BC77")] * 3), clear("M555KE199"), clear("A128BC77")
    assert evidence.opposed_by(other)
    assert evidence.opposed_by(near)
    unsure = (reading(spelled(text, RUSSIAN, probability=0.8), text) for text in ("M555KE199", "A128BC77"))
    assert [evidence.opposed_by(one) for one in unsure] == [True, False]
    assert not fuse(clear("A123BC77")).opposed_by(other)
    doubtful = fuse(*[reading(torn("A123BC77", "A128BC77", 0.8), "A123BC77")] * 3)
    assert doubtful.opposed_by(other)
    assert not doubtful.opposed_by(near)


def test_two_texts_are_of_two_plates_where_both_stand_in_several_frames() -> None:
    evidence = fuse(*[clear("A123BC77")] * 3)
    assert evidence.replaced_in([clear("A128BC77")] * 3)
    assert not evidence.replaced_in([clear("A128BC77")] * 2)
    assert not fuse(*[clear("A123BC77")] * 2).replaced_in([clear("A128BC77")] * 3)
    assert not evidence.replaced_in([clear("A123BC7")] * 3)  # a piece of it


@pytest.mark.parametrize(
    ("first", "second", "unlike", "alike"),
    [
        ("A123BC77", "A145BC77", False, True),
        ("A123BC77", "A145EC77", False, False),
        ("A123BC77", "A145EK77", True, False),
        ("A123BC77", "A123BC7", False, True),  # a piece
        ("A123", "M555", True, True),  # too short to say
        ("A123", "M555KE199", False, True),
        ("A1234", "M5559", True, False),
        ("A123BC77", "A1923BC77", False, True),  # one character more
    ],
)
def test_misreading_explains_a_character_or_two(first: str, second: str, unlike: bool, alike: bool) -> None:
    for one, other in ((first, second), (second, first)):
        assert (is_unlike(one, other), resembles(one, other)) == (unlike, alike)
        assert resembles(one, None)


def test_beside_a_character_too_many_both_neighbours_count() -> None:
    assert differing_places("A12", "A192") == ((1, 2), (2,))
    assert differing_places("A192", "A12") == ((2,), (1, 2))
    assert differing_places("12A", "912B") == ((0, 2), (0, 3))


def test_two_that_nobody_could_read_are_not_of_one_plate() -> None:
    illegible, other = (fuse(reading(spelled("", RUSSIAN, steps=5))) for _ in range(2))
    assert illegible.fused.text is other.fused.text is None
    assert not illegible.agrees_with(other)


def test_plates_that_are_both_read_do_not_agree_although_one_considered_the_other() -> None:
    sure = spelled("A123BC77", RUSSIAN, probability=0.9999)
    one = fuse(*[reading(sure, "A123BC77", "A128BC77")] * 3)
    other = fuse(*[clear("A128BC77")] * 3)
    assert one.fused.status == other.fused.status == "read"
    assert "A128BC77" in {candidate.text for candidate in one.fused.candidates}
    assert not one.agrees_with(other)
    doubtful = fuse(reading(torn("A128BC77", "A123BC77", 0.6), "A128BC77", "A123BC77"))
    assert one.agrees_with(doubtful)
    assert doubtful.agrees_with(one)
    once, other = fuse(reading(sure, "A123BC77", "A128BC77")), fuse(clear("A128BC77"))
    assert once.fused.status == other.fused.status == "read"
    assert not once.agrees_with(other)


def test_what_is_hardly_considered_does_not_agree() -> None:
    one = fuse(*[reading(spelled("A123BC77", RUSSIAN, probability=0.9999), "A123BC77", "A128BC77")] * 3)
    assert one.fused.candidates[1].text == "A128BC77"
    unsure = fuse(reading(spelled("A128BC77", RUSSIAN, probability=0.8), "A128BC77"))
    assert unsure.fused.status == "uncertain"
    assert not one.agrees_with(unsure)


def test_one_surely_misread_character_is_no_other_plate() -> None:
    evidence = fuse(*[clear("A123BC77")] * 3)
    one, two = (reading(spelled(text, RUSSIAN, probability=0.9999), text) for text in ("A128BC77", "A128BC78"))
    assert one.status == two.status == "read"
    assert not evidence.contradicted_by(one)
    assert evidence.contradicted_by(two)
