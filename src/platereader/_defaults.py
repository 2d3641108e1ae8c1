"""The one file that knows which parts are the default ones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from platereader.errors import InvalidArgumentError
from platereader.plates import Alphabet, PlateScheme, Schemes
from platereader.plates._defaults import COUNTRIES, DEFAULT_SCHEMES, default_grammar, default_schemes
from platereader.plates._grammar import PlateGrammar
from platereader.protocols import CTCDecoder, Recognizer, Rectifier
from platereader.trust import Calibration, TrustPolicy
from platereader.video import MotionTracker

DETECTOR_WEIGHTS = "plate-detector"
RECOGNIZER_WEIGHTS = "plate-recognizer"
TRACKER = MotionTracker

_GRAMMAR = re.compile(r"grammar of (?P<countries>.*) \(\d+ states\)")


def calibrated(trust: TrustPolicy, recognizer: Recognizer, *, decoder: CTCDecoder) -> TrustPolicy:
    """The policy with the recognizer's calibration.

    A policy that has one keeps it; a calibration that was fitted for another decoder is left out, but for one with some
    of the countries of that decoder.
    """
    known = getattr(recognizer, "calibration", None)
    if trust.calibration is not None or known is None or not _was_fitted_for(decoder, str(known.get("decoder"))):
        return trust
    return replace(trust, calibration=Calibration.from_dict(known))


def decoder_name(decoder: CTCDecoder) -> str:
    """What a calibration calls a decoder: its class, and for ours everything that changes its candidates."""
    from platereader.decoding._beam import BeamDecoder

    if not isinstance(decoder, BeamDecoder):
        return type(decoder).__name__
    nats = f"{decoder.no_format_nats:g} and {decoder.unknown_region_nats:g} nats"
    return f"BeamDecoder of width {decoder.width}, {_grammar_name(decoder.grammar)}, {nats}"


def _was_fitted_for(decoder: CTCDecoder, fitted: str) -> bool:
    """Whether a decoder is the named one, or the same with some of its countries: a text has fewer rivals then."""
    name = decoder_name(decoder)
    if name == fitted:
        return True
    grammar = getattr(decoder, "grammar", None)
    if not isinstance(grammar, PlateGrammar) or not all(one in COUNTRIES.members for one in grammar.schemes):
        return False
    some, others = _GRAMMAR.search(name), _GRAMMAR.search(fitted)
    if some is None or others is None or _GRAMMAR.sub("", name) != _GRAMMAR.sub("", fitted):
        return False
    return set(some["countries"].split(", ")) <= set(others["countries"].split(", "))


def _grammar_name(grammar: PlateGrammar | None) -> str:
    """Its countries and its size: another set of countries, or of formats, gives other candidates."""
    if grammar is None:
        return "no grammar"
    countries = ", ".join(scheme.country for scheme in grammar.schemes)
    return f"grammar of {countries} ({len(grammar.transitions)} states)"


def default_rectifier() -> Rectifier:
    """Uses a detection's corners, or looks for them where it has none."""
    from platereader.detection._refined import RefinedRectifier
    from platereader.rectification._corners import CornerRectifier

    return RefinedRectifier(CornerRectifier())


def default_decoder(alphabet: Alphabet, schemes: Schemes | None = None) -> CTCDecoder:
    """Prefix beam search, with the grammar of the schemes; by default of those that the alphabet can spell."""
    from platereader.decoding._beam import BeamDecoder

    schemes = default_schemes(alphabet) if schemes is None else schemes
    if schemes is DEFAULT_SCHEMES:
        return BeamDecoder(alphabet, grammar=default_grammar(alphabet))
    return BeamDecoder(alphabet, grammar=PlateGrammar.build(schemes, alphabet=alphabet) if schemes.members else None)


def check_schemes(given: Iterable[PlateScheme] | None, *, alphabet: Alphabet, decoder: CTCDecoder | None) -> Schemes:
    """The schemes of a pipeline: those given, or those of the decoder's grammar, or all that the alphabet can spell."""
    grammar = getattr(decoder, "grammar", None)
    known = grammar.schemes if isinstance(grammar, PlateGrammar) else None
    if given is None:
        return default_schemes(alphabet) if known is None else known
    schemes = Schemes.of(given)
    missing = {one.country: "".join(sorted(one.characters - frozenset(alphabet.characters))) for one in schemes}
    lacking = ", ".join(f"{country} ({characters})" for country, characters in missing.items() if characters)
    if lacking:
        raise InvalidArgumentError(
            f"schemes: the recognizer spells {alphabet.characters!r}, and lacks characters of the plates of {lacking}: "
            "take weights that know them, or leave these countries, or formats with these characters, out."
        )
    if known is not None and known.members != schemes.members:
        raise InvalidArgumentError(
            f"schemes are of {[one.country for one in schemes]}, the decoder's grammar accepts other formats, of "
            f"{[one.country for one in known]}: build it with PlateGrammar.build(schemes, alphabet=...), or give none."
        )
    return schemes
