from __future__ import annotations

import pytest

from platereader.lab.training.recognizer.confusion import aligned, confusion_counts
from platereader.plates import RUSSIAN


@pytest.mark.parametrize(
    ("true", "read", "edits"),
    [("A123", "A123", 0), ("A123", "A128", 1), ("A123", "A13", 1), ("A13", "A123", 1), ("", "A", 1), ("77", "", 2)],
)
def test_alignment_is_shortest_and_complete(true: str, read: str, edits: int) -> None:
    pairs = aligned(true, read)
    assert "".join(a for a, _ in pairs) == true
    assert "".join(b for _, b in pairs) == read
    assert sum(a != b for a, b in pairs) == edits


def test_counts_tell_substituted_missed_and_made_up_characters() -> None:
    counts = confusion_counts([("A1", "A7"), ("A1", "A"), ("1", "11")], alphabet=RUSSIAN)
    a, one, seven = RUSSIAN.encode("A17")
    assert counts[a, a] == 2
    assert counts[one, seven] == 1
    assert counts[one, 0] == 1
    assert counts[0, one] == 1
    assert counts.sum() == 6
