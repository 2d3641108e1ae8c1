"""The one place where a verdict is made: what was judged of a text, and what its country's plates say of it."""

from __future__ import annotations

from dataclasses import replace

from platereader.plates._alphabet import ILLEGIBLE, to_cyrillic
from platereader.plates._formats import format_of
from platereader.plates._regions import region_of
from platereader.results import Lines, Verdict

__all__ = ["make_verdict"]


def make_verdict(judged: Verdict, *, lines: Lines, min_character: float) -> Verdict:
    """The verdict with country, format, region, local spelling and masked text filled in.

    Args:
        judged: text, confidence, status, reason, characters and candidates.
        lines: number of text lines on the plate; tells apart formats that share a pattern.
        min_character: characters less probable than this are masked, 0 to 1.
    """
    text = judged.text
    if text is None:
        return judged
    plate_format = format_of(text, lines=lines)
    return replace(
        judged,
        country=None if plate_format is None else "RU",
        format=None if plate_format is None else plate_format.name,
        region=region_of(text, lines=lines),
        text_local=to_cyrillic(text),
        masked_text="".join(one.char if one.confidence >= min_character else ILLEGIBLE for one in judged.characters),
    )
