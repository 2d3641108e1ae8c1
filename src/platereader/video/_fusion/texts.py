"""Which texts are worth scoring under all frames: what single frames propose, and what puts their pieces together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from platereader.results import Candidate, Character

_MAX_PER_FRAME = 5
"""Texts that one frame may propose; its others have next to no probability."""


def proposed(frames: Iterable[tuple[float, Sequence[Candidate]]], *, count: int) -> list[str]:
    """The texts that the frames propose, those first to which they give most probability together.

    Args:
        frames: weight and candidates of each.
        count: most texts that are returned.
    """
    mass: defaultdict[str, float] = defaultdict(float)
    for weight, candidates in frames:
        for rank, candidate in enumerate(candidates[:_MAX_PER_FRAME]):
            # 2 ** log p is p ** 0.69: what several frames consider counts more than what one is sure of.
            # However small its probability, what a decoder puts first is worth a try.
            mass[candidate.text] += weight * (2.0**candidate.log_prob + 1e-3 / (1 + rank))
    return sorted(mass, key=lambda text: (-mass[text], text))[:count]


def voted(readings: Iterable[tuple[float, Sequence[Character]]]) -> str | None:
    """The text that the frames spell together, place by place: no frame need have read all of it.

    Args:
        readings: weight of each frame and the characters of its best text; those of the length with most weight vote.

    Returns:
        None without any character.
    """
    by_length: defaultdict[int, float] = defaultdict(float)
    votes: defaultdict[tuple[int, int], defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for weight, characters in readings:
        by_length[len(characters)] += weight
        for place, character in enumerate(characters):
            votes[len(characters), place][character.char] += weight * character.confidence
    length = max(by_length, key=lambda length: (by_length[length], length), default=0)
    places = (votes[length, place] for place in range(length))
    return "".join(max(place, key=lambda char: (place[char], char)) for place in places) or None


def substituted(best: str, scores: Mapping[str, float], *, count: int) -> list[str]:
    """Texts that no frame need have proposed: the best one with one character of another text of its length.

    Args:
        best: the best text so far.
        scores: of all texts so far, by text; the characters of better texts are tried first.
        count: most texts that are returned.
    """
    tried: dict[str, None] = {}
    for text in sorted(scores, key=lambda text: -scores[text]):
        if len(text) == len(best):
            for place, char in enumerate(text):
                if char != best[place]:
                    tried.setdefault(f"{best[:place]}{char}{best[place + 1 :]}")
    return [text for text in tried if text not in scores][:count]
