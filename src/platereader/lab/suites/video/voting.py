"""What fusion is measured against: methods that make one text of many readings without their posteriors.

Each takes the readings of one plate in the order of their frames and returns a text, or None where it has no answer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from platereader.results import PlateReading


def whole_string_majority(readings: Sequence[PlateReading], *, window: int = 15) -> str | None:
    """The most common of the latest texts, if three of them agree; an answer stands until there is another one.

    Of texts that are equally common, the one read first wins. This is how Runoi/ANPR-System shows its texts.
    """
    answer: str | None = None
    texts = _texts(readings)
    for end in range(1, len(texts) + 1):
        text, count = Counter(texts[max(0, end - window) : end]).most_common(1)[0]
        answer = text if count >= 3 else answer
    return answer


def character_vote(readings: Sequence[PlateReading]) -> str | None:
    """The most common character at each place, among the texts of the most common length.

    Like the majority vote by character position of Nascimento et al. ("Toward advancing license plate super-resolution
    in real-world scenarios", 2025, arXiv 2505.06393), but a vote counts as much as the character is sure, which makes
    it a stronger baseline.
    """
    texts = _texts(readings)
    if not texts:
        return None
    length = Counter(map(len, texts)).most_common(1)[0][0]
    places: list[defaultdict[str, float]] = [defaultdict(float) for _ in range(length)]
    for reading in readings:
        if reading.text is not None and len(reading.text) == length:
            for place, character in zip(places, reading.characters, strict=True):
                place[character.char] += character.confidence
    return "".join(max(place, key=lambda char: place[char]) for place in places)


def best_single_frame(readings: Sequence[PlateReading]) -> str | None:
    """The text of the most confident reading that has one."""
    legible = [reading for reading in readings if reading.text is not None]
    return max(legible, key=lambda reading: reading.confidence).text if legible else None


def _texts(readings: Sequence[PlateReading]) -> list[str]:
    return [reading.text for reading in readings if reading.text is not None]
