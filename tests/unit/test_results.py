"""Results are frozen, comparable and JSON-safe."""

import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fakes import frame_with, patch_pipeline
from platereader import (
    Box,
    Candidate,
    Character,
    Detection,
    FusedSigns,
    FusedText,
    InvalidArgumentError,
    PlateEvidence,
    PlateImage,
    PlateReading,
    Quad,
    StreamUpdate,
    TrackAssignment,
    TrackedPlate,
    Verdict,
)
from platereader.results._verdict import HasVerdict


def reading() -> PlateReading:
    return patch_pipeline().read(frame_with({50: Box(20, 30, 100, 50)}))[0]


def tracked() -> TrackedPlate:
    return next(patch_pipeline().read_stream([frame_with({50: Box(20, 30, 100, 50)})], fps=5)).active[0]


SIGNS = FusedSigns(0.9, 5.0, 3, 1.5, 1.0, -0.1, -0.2, legal=True, region_known=True)
FUSED = FusedText((Candidate("A", -0.1, None),), (Character("A", 0.9),), 1, SIGNS, 0.1, 0.2, "cut_off")
BOX = Box(0, 1, 20, 9)
NOTHING = np.zeros((1, 2), np.float32)
PLATE = PlateImage(np.zeros((8, 40, 3), np.uint8))


def anything(value: object) -> Any:
    return value


def test_what_numpy_says_of_a_cut_becomes_plain() -> None:
    assert Detection(Box(0, 0, 9, 9), 0.5, truncated=anything(np.bool_(True))).truncated is True
    with pytest.raises(InvalidArgumentError, match="truncated is 1"):
        Detection(Box(0, 0, 9, 9), 0.5, truncated=anything(1))


@pytest.mark.parametrize(
    "result",
    [
        reading(),
        Detection(BOX, 0.5, Quad((0, 1), (20, 2), (19, 9), (1, 8)), 2),
        Candidate("A123BC77", -math.inf, "standard"),  # impossible
        *patch_pipeline().describe(),
        FUSED,
    ],
    ids=lambda result: type(result).__name__,
)
def test_results_go_through_json(result: Any) -> None:
    again = type(result).from_dict(json.loads(json.dumps(result.to_dict(), allow_nan=False)))
    assert again == result
    assert again.to_dict() == result.to_dict()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Detection(BOX, 7), r"score is 7, allowed are numbers from 0 to 1"),
        (lambda: Detection(BOX, 1.0001), "score is 1.0001"),
        (lambda: Detection(BOX, float("nan")), "score is nan"),
        (lambda: Detection(BOX, anything(True)), "score is True"),
        (lambda: Detection(BOX, anything("0.5")), "score is '0.5'"),
        (lambda: Detection(anything((0, 1, 20, 9)), 0.5), r"box is the tuple \(0, 1, 20, 9\), expected is a Box"),
        (lambda: Detection(BOX, 0.5, anything([[0, 1]] * 4)), "corners is the list .* expected is a Quad"),
        (lambda: Detection(BOX, 0.5, None, anything(1.0)), "lines is 1.0, allowed are whole numbers"),
        (lambda: Detection(BOX, 0.5, None, anything(True)), "lines is True"),
        (lambda: PlateImage(PLATE.pixels, anything(3)), "lines is 3, allowed are 1 and 2"),
        (lambda: Candidate("A", float("nan"), None), "log_prob of 'A' is nan"),
        (lambda: Candidate("A", 0.99, None), "log_prob of 'A' is 0.99.* 0 at most"),
        (lambda: Candidate("A", 0.01, None), "log_prob of 'A' is 0.01"),  # more than rounding leaves
        (lambda: Candidate("", -1.0, None), "text is empty"),
        (lambda: Candidate(anything(7), -1.0, None), "text is the int 7, expected is a str"),
        (lambda: Character("AB", 0.5), "char is 'AB', expected is one character"),
        (lambda: Character("", 0.5), "char is '', expected is one character"),
        (lambda: Character("A", 1.5), "confidence is 1.5"),
        (lambda: dataclasses.replace(SIGNS, frames=0), "frames is 0, allowed are whole numbers from 1"),
        (lambda: dataclasses.replace(tracked(), passage_id=0), "passage_id is 0, allowed are whole numbers from 1"),
        (lambda: dataclasses.replace(tracked(), readings=0), "readings is 0, allowed are whole numbers from 1"),
        (lambda: PlateEvidence(None, anything(PLATE.pixels), NOTHING, ()), "plate is a ndarray, expected"),
        (
            lambda: PlateEvidence(None, PLATE, NOTHING, anything([])),
            r"candidates is the list \[\]",
        ),
        (lambda: PlateEvidence(None, PLATE, NOTHING, (), anything({"RU": 7})), r"marks\['RU'\] is 7"),
        (lambda: Verdict(anything(7), 0.5, "read"), "text is the int 7, expected is a str"),
        (
            lambda: Verdict("A1", 0.5, "read", country=anything(float("nan"))),
            "country is the float nan, expected is a str",
        ),
        (lambda: Verdict("A1", 0.5, "read", format=anything(7)), "format is the int 7, expected is a str"),
        (lambda: Verdict("A1", 0.5, "read", region=anything("77")), "region is the str '77', expected is a Region"),
        (
            lambda: Verdict("A1", 0.5, "read", text_local=anything([])),
            r"text_local is the list \[\], expected is a str",
        ),
        (lambda: Verdict("A1", 0.5, "read", masked_text=anything(0)), "masked_text is the int 0, expected is a str"),
        (lambda: Candidate("A1", -0.5, anything(b"")), "format is the bytes b'', expected is a str"),
        (lambda: Verdict("A1", 0.5, anything("good")), "status is 'good', allowed are 'read'"),
        (lambda: Verdict("A1", 0.5, "uncertain", anything("dirty")), "reason is 'dirty', allowed are"),
        (lambda: Verdict(None, 0.5, "read"), "what is unreadable has no text"),
        (lambda: Verdict("A1", 0.5, "unreadable"), "what is unreadable has no text"),
        (lambda: Verdict("A1", 0.5, "read", "cut_off"), "what is read has no reason"),
        (lambda: Verdict("A1", 0.5, "read", calibrated=anything(1)), "calibrated is 1, allowed are True"),
        (lambda: Verdict("A1", 0.5, "read", characters=anything(("A",))), r"characters\[0\] is the str 'A'"),
        (lambda: FusedText((), (), 1, anything(None), 0.0, 0.0, None), "candidates are empty"),
        (lambda: PlateReading(anything("A1"), anything(None)), "verdict is the str 'A1', expected is a Verdict"),
        (lambda: StreamUpdate(0.0, (), (), anything(((1, 2, 3),))), "joined is .*, expected are pairs"),
        (lambda: StreamUpdate(float("inf"), (), ()), "timestamp_s is inf, expected is a finite number"),
        (lambda: TrackAssignment(anything([1]), ended=()), r"track_ids is the list \[1\], expected is a tuple"),
        (lambda: TrackAssignment((), ended=anything([7])), r"ended is the list \[7\], expected is a tuple"),
        (lambda: TrackAssignment((), ended=(), coasting=anything([])), r"coasting is the list \[\], expected"),
        (lambda: TrackAssignment((anything(1.0),), ended=()), "track_ids is 1.0, allowed are whole numbers"),
        (lambda: TrackAssignment((7, 7), ended=()), "an id belongs to one detection"),
        (lambda: TrackAssignment((7,), ended=(7,)), "not to a track that has ended"),
        (lambda: TrackAssignment((), ended=(), coasting=anything(((1, (0, 0, 1, 1)),))), "pairs of an id and a Box"),
    ],
)
def test_what_cannot_be_right_is_refused_when_it_is_made(make: Callable[[], object], says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        make()


def test_numpy_numbers_become_plain_ones() -> None:
    one = Detection(Box(*np.array([0, 1, 20, 9], np.float32)), anything(np.float32(0.5)), None, anything(np.int64(2)))
    assert (type(one.score), type(one.lines)) == (float, int)
    assert (
        json.dumps(one.to_dict())
        == '{"box": [0.0, 1.0, 20.0, 9.0], "score": 0.5, "corners": null, "lines": 2, "truncated": null}'
    )
    for log_prob in (-0.5, -math.inf):
        candidate = Candidate("A", anything(np.float32(log_prob)), None)
        assert (type(candidate.log_prob), candidate.log_prob) == (float, log_prob)
    many = TrackAssignment(
        anything((np.int64(1), None)), ended=anything((np.int32(3),)), coasting=anything(((np.int64(2), BOX),))
    )
    assert TrackAssignment.from_dict(json.loads(json.dumps(many.to_dict()))) == many


def test_rows_are_plain_columns() -> None:
    (update,) = [*patch_pipeline().read_stream([frame_with({50: Box(20, 30, 100, 50)})], fps=5)][-1:]
    (plate,) = update.finished
    for row in (plate.to_row(), plate.best.to_row()):
        assert all(value is None or isinstance(value, (str, int, float)) for value in row.values())
        assert (row["text"], row["country"], row["region_code"], row["x2"]) == ("A123BC77", "RU", "77", 100.0)


def test_short_repr() -> None:
    assert repr(Detection(Box(0.1234, 1, 20, 9), 0.98765)) == "Detection(box=(0.1, 1.0, 20.0, 9.0), score=0.988)"
    assert repr(FUSED) == "FusedText(text='A', lines=1, share=0.9)"
    one = reading()
    assert repr(one) == (
        "PlateReading(text='A123BC77', confidence=0.977, status='read', box=(20.0, 30.0, 100.0, 50.0))"
    )
    update = next(patch_pipeline().read_stream([frame_with({50: Box(20, 30, 100, 50)})], fps=5))
    for result in (one.verdict, one.evidence, one.evidence.plate, update.active[0], update):
        assert len(repr(result)) < 250


def test_derived_fields_follow_the_text() -> None:
    one = reading()
    assert one.text_local == "А123ВС77"
    assert (one.country, one.format) == ("RU", "standard")
    assert one.region is not None
    assert "Moscow" in one.region.name


ORDER = (0, 1, 4, 5, 6, 7, 2, 3)


def test_the_number_is_the_text_but_where_it_is_registered_in_another_order() -> None:
    assert Verdict("APET7007", 0.5, "read").number == "APET7007"
    verdict = Verdict("APET7007", 0.5, "read", number_order=ORDER)
    assert verdict.to_dict()["number"] == verdict.to_row()["number"] == "AP7007ET"
    again = Verdict.from_dict(json.loads(json.dumps(verdict.to_dict())))
    assert (again, again.number_order) == (verdict, ORDER)
    assert dataclasses.replace(reading(), verdict=verdict).number == "AP7007ET"


def test_a_number_follows_its_text() -> None:
    verdict = Verdict("APET7007", 0.5, "uncertain", number_order=ORDER)
    # Two digits that changed places are another car.
    for text, number in (("APET7070", "AP7070ET"), ("APET7001", "AP7001ET"), ("APET700", "APET700")):
        assert dataclasses.replace(verdict, text=text).number == number
    assert dataclasses.replace(verdict, text=None, status="unreadable").number is None
    for order in (7, ("0", "1"), [1, 0]):
        with pytest.raises(InvalidArgumentError, match="number_order"):
            dataclasses.replace(verdict, number_order=anything(order))


def test_a_reading_says_what_its_verdict_says() -> None:
    verdict = Verdict("A123BC77", 0.5, "uncertain", "weak_character", masked_text="A1?3BC77", calibrated=True)
    said = [name for name, value in vars(HasVerdict).items() if isinstance(value, property)]
    assert {"text", "status", "reason", "confidence", "calibrated", "candidates"} <= set(said)
    one = dataclasses.replace(reading(), verdict=verdict)
    assert [getattr(one, name) for name in said] == [getattr(verdict, name) for name in said]


def test_documents_from_before_there_were_numbers_are_taken() -> None:
    data = reading().to_dict()
    del data["number"]
    assert PlateReading.from_dict(data) == reading()


@pytest.mark.parametrize("number", ["M555KE199", "A123BC7", ""])
def test_a_number_of_other_characters_than_the_text_is_none(number: str) -> None:
    assert PlateReading.from_dict({**reading().to_dict(), "number": number}).number == "A123BC77"


def test_unreadable_has_no_derived_text() -> None:
    (one,) = patch_pipeline().read(frame_with({200: Box(20, 30, 100, 50)}))
    assert (one.number, one.masked_text, one.text_local, one.country, one.format, one.region) == (None,) * 6
    assert PlateReading.from_dict(one.to_dict()) == one


def test_evidence_is_outside_of_equality_and_repr() -> None:
    one = reading()
    other = dataclasses.replace(
        one, evidence=dataclasses.replace(one.evidence, log_probs=np.zeros((1, 24), np.float32))
    )
    assert one == other
    assert "log_probs" not in repr(one)


def test_results_are_frozen_and_slotted() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        reading().verdict = reading().verdict  # type: ignore[misc]
    assert not hasattr(reading(), "__dict__")


def test_stream_update_is_json_safe() -> None:
    updates = list(patch_pipeline().read_stream([frame_with({50: Box(20, 30, 100, 50)})] * 3, fps=5))
    document = json.loads(json.dumps(updates[-1].to_dict()))
    assert StreamUpdate.from_dict(document) == updates[-1]
    assert (document["finished"][0]["passage_id"], document["finished"][0]["country"]) == (1, "RU")
    assert document["finished"][0]["text"] == "A123BC77"
    assert document["finished"][0]["best"]["status"] == "read"


@pytest.mark.parametrize(
    "kind", [Detection, Candidate, PlateReading, TrackedPlate, StreamUpdate, TrackAssignment, Verdict]
)
@pytest.mark.parametrize("data", [{}, {"text": 5}, [], None, {"box": "zzz", "score": 1, "corners": None, "lines": 1}])
def test_what_to_dict_never_gave_is_refused(kind: Any, data: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"data is no|box"):
        kind.from_dict(data)


def test_a_damaged_field_deep_inside_is_refused() -> None:
    data = reading().to_dict()
    with pytest.raises(InvalidArgumentError, match="Candidate"):
        PlateReading.from_dict({**data, "candidates": "zzz"})
