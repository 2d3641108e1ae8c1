"""The plates of Russia and its neighbours as data, one file a country, or one for plates that look alike.

All of it is importable from the package above.

Places without a code of their own in ISO 3166 have one that the standard leaves to users: XA Abkhazia, XO South
Ossetia, XT Transnistria, XD and XL what was issued in Donetsk and Luhansk until 2023, XX any other country.
"""

from platereader.plates.schemes._armenia import ARMENIA
from platereader.plates.schemes._as_russian import ABKHAZIA, DONETSK, LUHANSK, SOUTH_OSSETIA
from platereader.plates.schemes._azerbaijan import AZERBAIJAN
from platereader.plates.schemes._belarus import BELARUS
from platereader.plates.schemes._georgia import GEORGIA
from platereader.plates.schemes._kazakhstan import KAZAKHSTAN
from platereader.plates.schemes._kyrgyzstan import KYRGYZSTAN
from platereader.plates.schemes._latin import LATIN, LATIN_36
from platereader.plates.schemes._moldova import MOLDOVA
from platereader.plates.schemes._russia import RUSSIA, RUSSIAN
from platereader.plates.schemes._tajikistan import TAJIKISTAN
from platereader.plates.schemes._transnistria import TRANSNISTRIA
from platereader.plates.schemes._ukraine import UKRAINE
from platereader.plates.schemes._uzbekistan import UZBEKISTAN

__all__ = [
    "ABKHAZIA",
    "ARMENIA",
    "AZERBAIJAN",
    "BELARUS",
    "DONETSK",
    "GEORGIA",
    "KAZAKHSTAN",
    "KYRGYZSTAN",
    "LATIN",
    "LATIN_36",
    "LUHANSK",
    "MOLDOVA",
    "RUSSIA",
    "RUSSIAN",
    "SOUTH_OSSETIA",
    "TAJIKISTAN",
    "TRANSNISTRIA",
    "UKRAINE",
    "UZBEKISTAN",
]
