"""How plates of other countries look, as a table: one row a kind of plate, written from common knowledge.

``platereader.lab.synthesis.foreign.plates`` draws them. The weights give about a third of American plates, a fifth of
South American and a quarter of European ones.
"""

from __future__ import annotations

import numpy as np

from platereader.lab.synthesis.foreign.styles import ForeignStyle, split

__all__ = ["STYLES", "random_style"]

_AMERICAN = (
    "LLL DDDD, LLL-DDDD, DLLLDDD, LLL*DDD, LLDD LL, DDDDDDD, DDDDDLD, LLL DDD, AAA AAA, DD*DDDD, LLL*LDD, LDD*DLL, "
    "DDD LLL, AAAAAA, LL=DDDD, D-LLDDD, LLLLLLL, DDL*DDD"
)
_MOUNTED = "stickers 0.5, bolts 0.6, frame 0.2, rim 0.35"
_INKS = (
    "white:navy, white:blue, white:black, white:red, white:green, paper:navy, cream:maroon, paper:black, white:black, "
    "white:navy"
)
_NAMES = "caps, script, serif, tiny, caps"
_SLOGANS = "none, tiny, caps, serif, script"
_EUROPEAN = "band 0.85, rim 0.6, frame 0.08, seal 0.15"
_LONG = "LL DDD LL, L LL DDDD, LL*LL DDD, DLD DDDD, LLL DDDDD, LLL-DDD, DDDD LLL, LL-DD-DDD, LLDDDD"

_AMERICAS = (
    ForeignStyle(
        "us plain",
        9,
        "2",
        _AMERICAN,
        _INKS,
        backgrounds="plain, sheen",
        upper=_NAMES,
        lower=_SLOGANS,
        extras=_MOUNTED,
    ),
    ForeignStyle(
        "us faded colours",
        8,
        "2",
        _AMERICAN,
        _INKS + ", lemon:navy, sky:navy, mint:pine, paper:orange",
        backgrounds="fade, fade_across, two_tone, blobs",
        upper=_NAMES,
        lower=_SLOGANS,
        extras=_MOUNTED,
    ),
    ForeignStyle(
        "us scenery",
        7,
        "2",
        _AMERICAN,
        _INKS + ", sky:black, pink:navy, cream:pine, mint:black",
        backgrounds="scenery, graphic, graphic",
        upper=_NAMES,
        lower=_SLOGANS,
        extras=_MOUNTED,
    ),
    ForeignStyle(
        "us dark",
        3,
        "2",
        _AMERICAN,
        "navy:white, blue:white, blue:yellow, black:yellow, pine:white",
        backgrounds="plain, fade, graphic",
        upper=_NAMES,
        lower=_SLOGANS,
        extras=_MOUNTED,
    ),
    ForeignStyle(
        "us grey",
        5,
        "2",
        _AMERICAN,
        "silver:lead, grey:lead, silver:green, silver:blue, paper:lead",
        backgrounds="plain, sheen, blobs",
        upper="caps, script, tiny, none",
        lower=_SLOGANS,
        extras=_MOUNTED,
    ),
    ForeignStyle(
        "us motorcycle",
        2,
        "1.72, 1.5",
        "AAAAA, DDLDD, LLL/DDD, LL/DDDD",
        _INKS,
        backgrounds="plain, fade, scenery",
        upper=_NAMES,
        lower=_SLOGANS,
        extras=_MOUNTED,
    ),
    ForeignStyle(
        "canada",
        2.5,
        "2",
        "LLLL*DDD, DDL DDL, LL*DDDD, LLL DDD",
        "white:blue, white:red, white:black",
        backgrounds="plain, fade, scenery",
        upper=_NAMES,
        lower=_SLOGANS,
        extras=_MOUNTED,
    ),
    ForeignStyle(
        "mexico",
        2.5,
        "2",
        "LLL-DD-DD, LLL-DDD-L, LL-DD-DDD",
        "white:black, white:maroon, paper:pine",
        backgrounds="fade, two_tone, graphic, scenery",
        upper=_NAMES,
        lower=_SLOGANS,
        extras=_MOUNTED,
    ),
    ForeignStyle(
        "brazil grey",
        9,
        "3.08",
        "LLL.DDDD, LLL DDDD, LLL-DDDD",
        "silver:black, grey:black, grey:lead",
        backgrounds="plain, sheen",
        upper="tiny, tiny, caps",
        extras="emblem 0.5, seal 0.7, rim 0.5, bolts 0.6, frame 0.05",
        fill=(0.6, 0.92),
    ),
    ForeignStyle(
        "brazil colours",
        1.5,
        "3.08",
        "LLL.DDDD",
        "red:white, black:silver, white:red, white:green",
        upper="tiny",
        extras="rim 0.5, seal 0.5, bolts 0.6",
    ),
    ForeignStyle(
        "brazil motorcycle",
        2,
        "1.1, 1.18",
        "LLL/DDDD",
        "silver:black, grey:black, red:white",
        backgrounds="plain, sheen",
        upper="tiny",
        extras="rim 0.5, bolts 0.4",
    ),
    ForeignStyle(
        "mercosur",
        4.5,
        "3.08",
        "LLLDLDD, LLLDLDD, LL DDD LL, LLLDDDD",
        "white:black, white:navy, white:red",
        backgrounds="plain, sheen",
        lower="none, none, tiny",
        extras="strip 1, rim 0.4, code 0.5",
        fill=(0.85, 1.0),
    ),
    ForeignStyle(
        "mercosur motorcycle", 1, "1.18", "LLL/DLDD, LDDD/LLL", "white:black, white:navy", extras="strip 1, rim 0.4"
    ),
    ForeignStyle(
        "andes",
        2.5,
        "2.77, 2, 2.3",
        "LLLL*DD, LLL DDD, LLL-DDDD, LL*DDDD",
        "white:black, yellow:black",
        upper="none, tiny",
        lower="caps, tiny",
        extras="rim 0.7, bolts 0.5, seal 0.3",
    ),
    ForeignStyle("argentina", 1.2, "2.3, 3.08", "LLL DDD", "black:white", upper="tiny, none", extras="rim 1"),
)

_EUROPE = (
    ForeignStyle(
        "eu long",
        9,
        "4.64, 4.73",
        _LONG,
        "white:black",
        backgrounds="plain, sheen",
        extras=_EUROPEAN,
        fill=(0.75, 0.95),
    ),
    ForeignStyle(
        "eu coloured", 1.5, "4.64", _LONG, "white:red, white:green, yellow:black, blue:white", extras=_EUROPEAN
    ),
    ForeignStyle("eu square", 2.5, "1.3, 1.4, 1.7", "LL/DDDD, L LL/DDD, DDD/LLL", "white:black", extras=_EUROPEAN),
    ForeignStyle(
        "britain",
        3.5,
        "4.68",
        "LLDD LLL, LDDD LLL",
        "white:black, yellow:black",
        lower="none, none, tiny",
        extras="band 0.35, rim 0.15, bolts 0.4",
        fill=(0.8, 0.98),
    ),
    ForeignStyle("britain square", 1, "1.38", "LLDD/LLL", "white:black, yellow:black", extras="band 0.3"),
    ForeignStyle("netherlands", 1.5, "4.73", "DD-LL-LL, LL-DDD-L, L-DDD-LL", "yellow:black", extras=_EUROPEAN),
    ForeignStyle("two bands", 2, "4.73", "LL DDDLL, LL-DDD-LL", "white:black", extras="band 1, band_right 1"),
    ForeignStyle(
        "switzerland", 1, "3.75, 1.6", "LL*DDDDDD, LL.DDDDD", "white:black", extras="emblem 0.9, emblem_right 0.8"
    ),
    ForeignStyle("turkey", 1.2, "4.7", "DD LL DDDD, DD LLL DDD", "white:black", extras=_EUROPEAN),
    ForeignStyle("ukraine", 1.5, "4.64", "LL DDDD LL, LL DDDDLL", "white:black", extras="flag_band 0.9, rim 0.8"),
    ForeignStyle(
        "central asia",
        2.2,
        "4.64, 1.8",
        "DDD LLL*DD, DD LDDDLL, DD DDDLLL, LL-DDD-LL",
        "white:black",
        extras="flag_band 0.6, divider 0.25, rim 0.9",
    ),
    ForeignStyle("caucasus", 1.2, "4.64", "LL-DDD-LL, DD LL DDD", "white:black", extras="flag_band 0.7, rim 0.7"),
)

_ELSEWHERE = (
    ForeignStyle(
        "india",
        2.2,
        "4.2, 4.6",
        "LL DD LL DDDD, LLDDLLDDDD",
        "white:black, yellow:black, black:yellow",
        extras="code 0.5, rim 0.5, bolts 0.5",
    ),
    ForeignStyle(
        "india square",
        2,
        "1.5, 1.8",
        "LL DD/LL DDDD, LLDD L/DDDD",
        "white:black, yellow:black, black:white",
        extras="rim 0.5, bolts 0.5",
    ),
    ForeignStyle(
        "japan",
        3,
        "2",
        "~~ DDD/~ DD-DD, ~~DD/~ DD-DD, ~~ DDD/~ .DDD",
        "white:pine, yellow:black, black:yellow",
        backgrounds="plain, plain, scenery",
        extras="bolts 0.9, frame 0.1",
        line_shares=(0.32, 0.68),
    ),
    ForeignStyle("china", 2.5, "3.14", "~L.LDDDD, ~L.DDDDD", "blue:white, yellow:black", extras="rim 0.9, bolts 0.7"),
    ForeignStyle(
        "china electric", 1.5, "3.43", "~L.LDDDDD", "mint:black", backgrounds="fade_down", extras="rim 0.8, bolts 0.7"
    ),
    ForeignStyle(
        "korea",
        2,
        "4.73, 2",
        "DD~ DDDD, DDD~ DDDD",
        "white:black, mint:black, pine:white",
        extras="flag_band 0.4, bolts 0.5",
    ),
    ForeignStyle(
        "korea old", 0.7, "2", "~~ DD/~ DDDD", "pine:white, yellow:navy", extras="bolts 0.7", line_shares=(0.36, 0.64)
    ),
    ForeignStyle(
        "gulf long",
        2.2,
        "4.6, 4.73",
        "L ^^^ DDDDD, DDDDD ^^^, ^^ DDDD ^^",
        "white:black, white:red, yellow:black",
        backgrounds="plain, fade_across",
        lower="none, tiny",
        extras="divider 0.25, band_right 0.4, rim 0.8",
    ),
    ForeignStyle(
        "gulf square",
        2,
        "2, 1.6",
        "^^^^/DDDDD, ^^^ ^^/DDDD LLL, DDDDDD, L^^/DDDDD",
        "white:black, paper:maroon, orange:white",
        backgrounds="plain, two_tone",
        upper="none, caps",
        lower="none, strokes",
        extras="divider 0.15, rim 0.8, bolts 0.4",
    ),
    ForeignStyle("israel", 1.5, "4.64, 3", "DD-DDD-DD, DDD-DD-DDD", "yellow:black", extras="band 0.7, rim 0.8"),
    ForeignStyle(
        "australia",
        2.2,
        "2.78, 2.5",
        "LLL-DDD, DLL-DLL, LL-DD-LL, DDD*LLL",
        "white:blue, yellow:black, white:green, white:maroon, black:white",
        backgrounds="plain, fade",
        upper="none, tiny, caps",
        lower="tiny, caps",
        extras="rim 0.7, bolts 0.4, stickers 0.1",
    ),
    ForeignStyle(
        "south africa",
        1.5,
        "4.4, 2.2",
        "LL DD LL LL, LLL DDD LL, LL DDD-DDD",
        "white:green, white:blue, cream:black",
        backgrounds="scenery, plain, graphic",
        lower="none, tiny",
        extras="rim 0.4",
    ),
    ForeignStyle(
        "thailand",
        1.5,
        "2.26",
        "D~~ DDDD, ~~-DDDD",
        "white:black, white:blue",
        backgrounds="plain, scenery",
        lower="strokes",
        extras="rim 1, bolts 0.5",
    ),
    ForeignStyle(
        "indonesia",
        1.5,
        "3.2, 2.6",
        "L DDDD LL, LL DDDD L",
        "black:white, white:black",
        lower="tiny",
        extras="rim 0.6, bolts 0.4",
    ),
)

STYLES: tuple[ForeignStyle, ...] = (*_AMERICAS, *_EUROPE, *_ELSEWHERE)
"""Every kind of plate."""

_TOTAL = sum(style.weight for style in STYLES)
_ODDS = np.cumsum([style.weight / _TOTAL for style in STYLES])
_MIXED_SHARE = 0.2
_MIXED_ASPECTS = (4.64, 3.5, 3.1, 2.5, 2.0, 2.0, 1.5, 1.25)
_ANY_EXTRAS = "stickers 0.2, bolts 0.3, frame 0.15, rim 0.4, seal 0.2, emblem 0.2, band 0.25, strip 0.15"


def random_style(rng: np.random.Generator) -> ForeignStyle:
    """A row of the table, or in a fifth of the cases a plate of no country at all."""
    if rng.random() < _MIXED_SHARE:
        return _mixed(rng)
    return STYLES[min(len(STYLES) - 1, int(np.searchsorted(_ODDS, rng.random())))]


def _mixed(rng: np.random.Generator) -> ForeignStyle:
    """Any shape with any colours: what it has of each is another country's."""
    aspect = float(_MIXED_ASPECTS[rng.integers(len(_MIXED_ASPECTS))] * rng.uniform(0.92, 1.08))
    lines = 2 if rng.random() < (0.8 if aspect < 1.8 else 0.25 if aspect < 2.3 else 0.0) else 1
    lettered, painted, backed, named = (STYLES[int(rng.integers(len(STYLES)))] for _ in range(4))
    fitting = [one for one in split(lettered.patterns) if one.count("/") == lines - 1]
    return ForeignStyle(
        name="mixed",
        weight=0.0,
        aspects=str(aspect),
        patterns=", ".join(fitting) or ("LLL DDD", "LL DD/DDDD")[lines - 1],
        paints=painted.paints,
        backgrounds=backed.backgrounds,
        upper=named.upper,
        lower=named.lower,
        extras=_ANY_EXTRAS,
        fill=(0.65, 1.0),
    )
