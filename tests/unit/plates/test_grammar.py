from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platereader.plates import (
    DEFAULT_SCHEMES,
    LATIN,
    LATIN_36,
    RUSSIA,
    RUSSIAN,
    Alphabet,
    PlateGrammar,
    PlateScheme,
    Schemes,
    schemes_of,
)
from platereader.plates._defaults import default_grammar

GRAMMAR = default_grammar()
EVERYWHERE = schemes_of("all,XX")
GRAMMARS = {RUSSIAN: GRAMMAR, LATIN_36: PlateGrammar.build(EVERYWHERE, alphabet=LATIN_36)}


def _only(*names: str) -> PlateScheme:
    return replace(RUSSIA, formats=tuple(RUSSIA.format(name) for name in names))


@st.composite
def _texts(draw: st.DrawFn, schemes: Schemes, alphabet: Alphabet) -> str:
    """Any text, or a legal one with up to two characters changed, cut or added."""
    if draw(st.booleans()):
        return draw(st.text(alphabet=alphabet.characters, max_size=10))
    scheme = draw(st.sampled_from(schemes.members))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    text = scheme.sample_text(draw(st.sampled_from(scheme.formats)), rng=rng)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        kept = draw(st.integers(0, 1))
        text = text[:at] + draw(st.text(alphabet=alphabet.characters + "_", max_size=1)) + text[at + kept :]
    return text


@pytest.mark.parametrize(("schemes", "alphabet"), [(DEFAULT_SCHEMES, RUSSIAN), (EVERYWHERE, LATIN_36)])
@given(data=st.data())
def test_it_says_what_the_formats_and_the_regions_say(
    schemes: Schemes, alphabet: Alphabet, data: st.DataObject
) -> None:
    grammar = GRAMMARS[alphabet]
    text = data.draw(_texts(schemes, alphabet))
    fit, expected = grammar.fit(text), schemes.fit(text)
    assert grammar.accepts(text) == expected.legal
    assert (fit is not None and fit.region_known) == expected.region_known
    if schemes is DEFAULT_SCHEMES:
        assert (None if fit is None else fit.format) == expected.format
    state: int | None = grammar.start
    for char in text:
        state = None if state is None else grammar.step(state, char)
    names = () if state is None else grammar.accepting(state)
    assert list(dict.fromkeys(names)) == list(dict.fromkeys(one.name for _, one in schemes.fits(text)))


def test_fit_names_only_types_of_the_grammar() -> None:
    trailers = PlateGrammar.build([_only("trailer")], alphabet=RUSSIAN)
    assert trailers.fit("AA123477") == ("trailer", True)
    assert trailers.fit("A123BC77") is None


@pytest.mark.parametrize("schemes", [(RUSSIA, LATIN), (LATIN, RUSSIA)])
def test_the_formats_of_all_countries_count_only_where_no_other_fits(schemes: tuple[PlateScheme, ...]) -> None:
    grammar = PlateGrammar.build(schemes, alphabet=LATIN_36)
    assert grammar.fit("A123BC77") == ("standard", True)
    assert grammar.fit("A123BC995") == ("standard", False)  # of no region that is in use
    assert grammar.fit("WX12345") == (Schemes(schemes).fit("WX12345").format, True)


def test_agrees_with_the_formats_on_short_texts_like_police_trailers() -> None:
    for characters in itertools.product("059", "09", "0159", "ATD", "0123456789", "0123456789"):
        text = "".join(characters)
        assert GRAMMAR.accepts(text) == DEFAULT_SCHEMES.fit(text).legal, text


def test_small_grammar_against_every_string() -> None:
    alphabet = Alphabet("01AT")
    scheme = _only("police_trailer", "taxi")
    grammar = PlateGrammar.build([scheme], alphabet=alphabet)
    for length in range(8):
        for characters in itertools.product(alphabet.characters, repeat=length):
            text = "".join(characters)
            assert grammar.accepts(text) == any(one.matches(text) for one in scheme.formats), text


def test_transitions_are_the_steps() -> None:
    assert GRAMMAR.transitions.dtype == np.int32
    assert GRAMMAR.transitions.shape[1] == RUSSIAN.size
    assert (GRAMMAR.transitions[:, RUSSIAN.blank] == -1).all()
    for state, row in enumerate(GRAMMAR.transitions):
        for char in RUSSIAN.characters:
            following = GRAMMAR.step(state, char)
            assert row[RUSSIAN.encode(char)[0]] == (-1 if following is None else following)


def test_building_twice_gives_the_same_automaton() -> None:
    np.testing.assert_array_equal(PlateGrammar.build([RUSSIA], alphabet=RUSSIAN).transitions, GRAMMAR.transitions)


@pytest.mark.parametrize("grammar", GRAMMARS.values(), ids=["Russia", "all"])
def test_every_state_is_reachable_and_leads_to_a_plate(grammar: PlateGrammar) -> None:
    states = range(len(grammar.transitions))
    assert len(states) < 1000
    assert set(grammar.transitions.ravel().tolist()) | {grammar.start} == {-1, *states}
    live = {state for state in states if grammar.accepting(state)}
    for _ in range(10):
        live |= {state for state in states if live & set(grammar.transitions[state].tolist())}
    assert live == set(states)
    with pytest.raises(ValueError, match="read-only"):
        grammar.transitions[0, 0] = 1


def test_unknown_region_codes_are_accepted_and_impossible_ones_are_not() -> None:
    assert GRAMMAR.accepts("A123BC646")
    assert not GRAMMAR.accepts("A123BC00")
    assert not GRAMMAR.accepts("A123BC046")


def test_a_complete_text_may_go_on() -> None:
    state = GRAMMAR.start
    for char in "A123BC77":
        following = GRAMMAR.step(state, char)
        assert following is not None
        state = following
    assert GRAMMAR.accepting(state) == ("standard", "standard_two_line")
    assert GRAMMAR.step(state, "7") is not None
    assert GRAMMAR.step(state, "A") is None
