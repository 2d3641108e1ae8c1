"""What is written on things that are no plates: words, telephone numbers, prices, addresses, dates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["caption", "cyrillic_words", "digits", "line", "outlined_words", "pick", "word", "words"]

_LATIN = """
market cafe hotel restaurant pharmacy service garage auto motors school center express transport logistics parking
entrance exit open closed sale bakery fresh cargo taxi rental group building quality original premium international
avtoservis shinomontazh magazin produkty apteka remont dostavka stroymaterialy mebel okna dveri salon krasoty bank
limited edition turbo hybrid diesel quattro sport classic comfort luxury drive city street avenue station police
ambulance stop only private road no smoking danger warning welcome thank you please keep clear fire door push pull
"""
_CYRILLIC = """
продукты магазин аптека шиномонтаж автосервис стройматериалы цветы кафе столовая доставка мебель окна двери ремонт
стоянка запрещена выезд вход выход аренда продаётся скидки салон красоты банк такси грузоперевозки объявление школа
улица проспект площадь вокзал центр область администрация осторожно ведётся видеонаблюдение дети детский сад полиция
скорая помощь пожарная часть учебный лизинг хлеб молоко мясо рыба пиво обувь одежда телефон круглосуточно
"""
# Words that the outlines of plates can spell, some letters mirrored or upside down.
_OUTLINED = """
АПТЕКА ПОЧТА КАССА РЕМОНТ АВТО МЕТРО РЕСТОРАН ПЕКАРНЯ ЗАВТРАК ЭКСПРЕСС КРАСОТА СПОРТ ПАРК МОНЕТА ПЯТЕРОЧКА СЕВЕР
ВОСТОК МАСТЕР ОКНА СВЕТ ТЕХОСМОТР ЗАПРАВКА СТОЯНКА ПАРКОВКА АРЕНА ТЕАТР КАРАОКЕ ПАСПОРТ КОСМОС ТОРТ СРОЧНО ОПТОМ
САУНА ЧАС НА ЗА ВСЕ
"""
_LATIN_WORDS, _CYRILLIC_WORDS, _OUTLINED_WORDS = _LATIN.split(), _CYRILLIC.split(), _OUTLINED.split()


def pick(texts: Sequence[str], rng: np.random.Generator) -> str:
    """One of the texts."""
    return texts[int(rng.integers(len(texts)))]


def digits(count: int, rng: np.random.Generator) -> str:
    """So many digits."""
    return "".join(str(digit) for digit in rng.integers(0, 10, count).tolist())


def word(rng: np.random.Generator) -> str:
    """One word in small Latin letters."""
    return pick(_LATIN_WORDS, rng)


def words(count: int, rng: np.random.Generator) -> str:
    """So many Latin words, all in capitals, titled or small."""
    return _cased(" ".join(word(rng) for _ in range(count)), rng)


def cyrillic_words(rng: np.random.Generator) -> str:
    """One to three Cyrillic words in any case."""
    return _cased(" ".join(pick(_CYRILLIC_WORDS, rng) for _ in range(1 + int(rng.integers(3)))), rng)


def outlined_words(rng: np.random.Generator) -> str:
    """One to three Cyrillic words in capitals that the outlines of plates can spell."""
    return " ".join(pick(_OUTLINED_WORDS, rng) for _ in range(1 + int(rng.integers(3))))


def line(rng: np.random.Generator) -> str:
    """What stands alone in a line: never a few capitals with digits, which would be a plate."""
    kind = rng.random()
    if kind < 0.22:
        return _telephone(rng)
    if kind < 0.36:
        return f"www.{word(rng)}-{word(rng)}.{pick(('ru', 'com', 'net'), rng)}"
    if kind < 0.44:
        prices = (f"{digits(2, rng)}.{digits(2, rng)} $", f"-{digits(2, rng)}%", f"{digits(3, rng)},- Euro")
        return pick(prices, rng)
    if kind < 0.55:
        return word(rng).title()
    return words(int(rng.integers(2, 4)), rng)


def caption(rng: np.random.Generator) -> str:
    """What cameras and agencies write on pictures: date and time, a camera's name, an owner's mark."""
    year, month, day = 2005 + int(rng.integers(22)), 1 + int(rng.integers(12)), 1 + int(rng.integers(28))
    hour, minute, second = int(rng.integers(24)), int(rng.integers(60)), int(rng.integers(60))
    time = f"{hour:02d}:{minute:02d}:{second:02d}"
    forms = (
        f"{year}-{month:02d}-{day:02d} {time}",
        f"{day:02d}.{month:02d}.{year} {time} CAM {digits(2, rng)}",
        f"{day:02d}/{month:02d}/{year}",
        f"{time}  {digits(2, rng)} km/h",
        f"Camera {digits(2, rng)}",
        f"(c) {word(rng).title()} {year}",
        f"www.{word(rng)}.com",
        f"{word(rng)} photo",
    )
    return pick(forms, rng)


def _telephone(rng: np.random.Generator) -> str:
    code, first, second, third = (digits(count, rng) for count in (3, 3, 2, 2))
    number = f"{first}-{second}-{third}"
    return pick((f"+7 ({code}) {number}", f"8-{code}-{number}", f"tel. {number}"), rng)


def _cased(text: str, rng: np.random.Generator) -> str:
    return text.upper() if rng.random() < 0.4 else text.title() if rng.random() < 0.6 else text
