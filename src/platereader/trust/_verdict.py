"""The one place where a verdict is made: what was judged of a text, and what its country's plates say of it."""

from __future__ import annotations

from dataclasses import replace

from platereader.plates import ILLEGIBLE, Schemes, TextFit
from platereader.results import Verdict

__all__ = ["make_verdict"]


def make_verdict(judged: Verdict, *, fit: TextFit, schemes: Schemes, min_character: float) -> Verdict:
    """The verdict with country, format, region, local spelling and masked text filled in.

    Args:
        judged: text, confidence, status, reason, characters and candidates.
        fit: what the text is under the schemes.
        schemes: of the countries that the plate may be of.
        min_character: characters less probable than this are masked, 0 to 1.
    """
    text = judged.text
    if text is None:
        return judged
    return replace(
        judged,
        country=fit.country,
        format=fit.format,
        region=fit.region,
        text_local=schemes.to_local(text, country=fit.country),
        masked_text="".join(one.char if one.confidence >= min_character else ILLEGIBLE for one in judged.characters),
    )
