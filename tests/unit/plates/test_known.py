"""Known plates beside what was read."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from platereader import Box, PlateImage, PlateReading, Sighting, TrackedPlate
from platereader.errors import InvalidArgumentError
from platereader.plates import RUSSIA, RUSSIAN, PlateFormat, PlateScheme, Spelling
from platereader.plates._known import KnownMatch, KnownPlates, match_known
from platereader.results import Character, PlateEvidence, Verdict

KNOWN = ["А123ВС77", "m 555 ke-199", "B777OP98"]


def reading(text: str | None) -> PlateReading:
    evidence = PlateEvidence(None, PlateImage(np.zeros((4, 4, 3), np.uint8)), np.zeros((1, 24), np.float32), ())
    characters = tuple(Character(char, 0.99) for char in text or "")
    return PlateReading(Verdict(text, 0.97, "read" if text else "unreadable", characters=characters), evidence)


def tracked(text: str | None) -> TrackedPlate:
    one = reading(text)
    box = Box(0, 0, 9, 3)
    first, last = Sighting(0.0, 0, box), Sighting(1.0, 25, box)
    return TrackedPlate(one.verdict, 1, 1, True, 3, 3, first, last, box, False, one, 0)


@pytest.mark.parametrize("make", [str, reading, tracked])
def test_an_equal_plate_is_at_distance_zero_in_any_spelling(make: Any) -> None:
    assert match_known(make("A123BC77"), KNOWN) == KnownMatch("A123BC77", ("А123ВС77",), 0.0)
    assert match_known(make("M555KE199"), KNOWN) == KnownMatch("M555KE199", ("m 555 ke-199",), 0.0)


def test_texts_are_taken_as_people_type_them() -> None:
    match = match_known("в 777 ор 98", KNOWN)
    assert match is not None
    assert (match.read, match.plate) == ("B777OP98", "B777OP98")


def test_a_look_alike_is_nearer_than_any_other_character() -> None:
    assert match_known("A128BC77", KNOWN, max_distance=3) == KnownMatch("A128BC77", ("А123ВС77",), 0.5)
    assert match_known("A125BC77", KNOWN, max_distance=3) == KnownMatch("A125BC77", ("А123ВС77",), 1.0)
    assert match_known("B777OP98", ["B7770P98"], max_distance=3) == KnownMatch("B777OP98", ("B7770P98",), 0.25)
    assert match_known("A?23BC77", KNOWN) == KnownMatch("A?23BC77", ("А123ВС77",), 0.5)


def test_missing_and_surplus_characters_cost_one_each() -> None:
    for read in ("A123BC777", "A123BC7", "A23BC77"):
        match = match_known(read, KNOWN, max_distance=1)
        assert match == KnownMatch(read, ("А123ВС77",), 1.0)
    assert match_known("A123BC777", KNOWN) is None


def test_a_neighbour_is_not_forced_upon_a_plate() -> None:
    assert match_known("A125BC77", KNOWN) is None
    assert match_known("X902HY31", KNOWN, max_distance=3) is None


def test_equally_near_plates_are_ambiguous() -> None:
    match = match_known("A123BC11", ["A123BC71", "A123BC19", "X999XX99"])
    assert match is not None
    assert match.is_ambiguous
    assert match.plate is None
    assert match.plates == ("A123BC19", "A123BC71")
    assert match_known("A123BC17", ["A123BC77", "A123BC77", "а123вс77"], max_distance=1) == KnownMatch(
        "A123BC17", ("A123BC77",), 0.5
    )


def test_plates_of_different_length_are_equally_near() -> None:
    match = match_known("A123BC75", ["A123BC72", "A123BC775"], max_distance=1)
    assert match is not None
    assert match.plates == ("A123BC72", "A123BC775")


def test_the_reading_stays_what_it_is() -> None:
    one = reading("A128BC77")
    before = one.to_dict()
    match = match_known(one, KNOWN)
    assert match is not None
    assert one.to_dict() == before
    said = {"read": "A128BC77", "plates": ["А123ВС77"], "distance": 0.5, "plate": "А123ВС77"}
    assert match.to_dict() == {**said, "read_local": None, "country": None}
    assert KnownMatch.from_dict(match.to_dict()) == match


def test_what_was_not_read_matches_nothing() -> None:
    assert match_known(reading(None), KNOWN, max_distance=99) is None
    assert match_known(tracked(None), KNOWN, max_distance=99) is None
    assert match_known("A123BC77", []) is None
    assert match_known("A128BC77", KNOWN, max_distance=0) is None
    assert match_known("A123BC77", KNOWN, max_distance=0) == KnownMatch("A123BC77", ("А123ВС77",), 0.0)


def slow_distance(a: str, b: str) -> float:
    """The textbook's table, in plain Python."""
    from platereader.plates._known import LOOK_ALIKE, SAME_SHAPE

    def cost(p: str, q: str) -> float:
        if p == q:
            return 0.0
        if any(p in group and q in group for group in SAME_SHAPE):
            return 0.25
        return 0.5 if any(p in group and q in group for group in LOOK_ALIKE) else 1.0

    row = [float(j) for j in range(len(b) + 1)]
    for i, p in enumerate(a, 1):
        above, row = row, [float(i)]
        for j, q in enumerate(b, 1):
            row.append(min(above[j - 1] + cost(p, q), above[j] + 1, row[j - 1] + 1))
    return row[-1]


@pytest.mark.parametrize("max_distance", [0.5, 1.0, 2.5, 20.0])
def test_pruning_never_loses_the_nearest(max_distance: float) -> None:
    rng = np.random.default_rng(3)
    plates = [RUSSIA.sample_text(RUSSIA.formats[int(rng.integers(6))], rng=rng) for _ in range(60)]
    known = KnownPlates(plates)
    for _ in range(30):
        chars = list(plates[int(rng.integers(60))])
        for _ in range(int(rng.integers(4))):
            chars[int(rng.integers(len(chars)))] = RUSSIAN.characters[int(rng.integers(23))]
        read = "".join(chars)[int(rng.integers(2)) :]
        distances = {plate: slow_distance(read, plate) for plate in plates}
        least = min(distances.values())
        match = match_known(read, known, max_distance=max_distance)
        if least > max_distance:
            assert match is None
        else:
            assert match is not None
            assert math.isclose(match.distance, least)
            assert set(match.plates) == {plate for plate, far in distances.items() if far == least}


def test_plates_of_other_countries_are_compared_as_well() -> None:
    known = KnownPlates(["А123ВС77", "muc 2F34", "KÖ-X 12", "LJ ŽČ-123"])
    assert match_known("MUC2F34", known) == KnownMatch("MUC2F34", ("muc 2F34",), 0.0)
    assert match_known("MUC2F3?", known) == KnownMatch("MUC2F3?", ("muc 2F34",), 0.5)
    assert match_known("KÖX12", known) == KnownMatch("KÖX12", ("KÖ-X 12",), 0.0)
    assert match_known("KOX12", known, max_distance=2) == KnownMatch("KOX12", ("KÖ-X 12",), 1.0)
    assert match_known("KÜX12", known, max_distance=2) == KnownMatch("KÜX12", ("KÖ-X 12",), 1.0)
    assert match_known("LJŽŽ123", known, max_distance=2) == KnownMatch("LJŽŽ123", ("LJ ŽČ-123",), 1.0)
    assert match_known("A123BC77", known) == KnownMatch("A123BC77", ("А123ВС77",), 0.0)


def test_a_list_may_be_in_the_script_of_any_scheme() -> None:
    greece = PlateScheme("GR", (PlateFormat("car", "lll dddd"),), spelling=Spelling("ΥΖΑ", "YZA"))
    known = KnownPlates(["ΥΖΑ-1234"], schemes=(greece,))
    assert match_known("YZA1234", known) == KnownMatch("YZA1234", ("ΥΖΑ-1234",), 0.0)
    with pytest.raises(InvalidArgumentError, match=r"plates\[0\].* letters of RU, BY, UA, .* that"):
        KnownPlates(["ΥΖΑ-1234"])
    assert match_known("KÖX12", KnownPlates(["kö x 12"], schemes=())) == KnownMatch("KÖX12", ("kö x 12",), 0.0)


def test_a_list_may_have_the_letters_of_any_country_that_is_there() -> None:
    known = KnownPlates(["1234 ІТ-7", "у 237 ко 33", "123 abc 02", "АА 1234 ІІ"])
    for read, plate in [("1234IT7", "1234 ІТ-7"), ("Y237KO33", "у 237 ко 33"), ("123ABC02", "123 abc 02")]:
        assert match_known(read, known) == KnownMatch(read, (plate,), 0.0)
    assert match_known("аа1234іі", known) == KnownMatch("AA1234II", ("АА 1234 ІІ",), 0.0)


@pytest.mark.parametrize("make", [reading, tracked])
def test_a_match_says_country_and_local_spelling_of_what_was_read(make: Any) -> None:
    one = make("1234IT7")
    verdict = replace(one.verdict, country="BY", text_local="1234ІТ7")
    match = match_known(replace(one, verdict=verdict), ["1234 IT-7"])
    assert match is not None
    assert match == KnownMatch("1234IT7", ("1234 IT-7",), 0.0, "1234ІТ7", "BY")
    assert KnownMatch.from_dict(json.loads(json.dumps(match.to_dict()))) == match
    old = {"read": "1234IT7", "plates": ["1234 IT-7"], "distance": 0.0, "plate": "1234 IT-7"}
    assert KnownMatch.from_dict(old) == KnownMatch("1234IT7", ("1234 IT-7",), 0.0)


def two_line(text: str, *order: int) -> PlateReading:
    one = reading(text)
    return replace(one, verdict=replace(one.verdict, number_order=order))


@pytest.mark.parametrize("listed", ["AP 7007 ET", "AP ET 7007"])
def test_a_list_may_have_the_registered_order_or_the_printed_one(listed: str) -> None:
    one = two_line("APET7007", 0, 1, 4, 5, 6, 7, 2, 3)
    assert match_known(one, [listed, "A123BC77"]) == KnownMatch("APET7007", (listed,), 0.0)
    assert match_known(one, [listed.replace("7007", "7004")], max_distance=0.5) is None


def test_the_nearer_of_text_and_number_counts_and_equally_near_ones_are_ambiguous() -> None:
    one = two_line("24110VBZ", 0, 1, 2, 5, 6, 7, 3, 4)
    assert match_known(one, ["24110VBX", "241V8Z10"], max_distance=1) == KnownMatch("24110VBZ", ("241V8Z10",), 0.5)
    assert match_known(one, ["24110VBZ", "241VBZ10"]) == KnownMatch("24110VBZ", ("24110VBZ", "241VBZ10"), 0.0)


@pytest.mark.parametrize("plates", ["A123BC77", ["A123BC77", ""], ["A123BC7Ж"], [None], ["A1?3BC77"]])
def test_bad_plates_are_named(plates: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="plates"):
        KnownPlates(plates)


@pytest.mark.parametrize("max_distance", [-1, math.nan, math.inf])
def test_bad_distances_are_refused(max_distance: float) -> None:
    with pytest.raises(InvalidArgumentError, match="max_distance"):
        match_known("A123BC77", KNOWN, max_distance=max_distance)


def test_a_bad_reading_is_named() -> None:
    with pytest.raises(InvalidArgumentError, match="reading"):
        match_known("A123-BC-77!", KNOWN)
    several: Any = ["A123BC77"]
    with pytest.raises(InvalidArgumentError, match="reading is a list, expected is one reading"):
        match_known(several, KNOWN)
    assert len(KnownPlates(KNOWN)) == 3
