"""The language of what people read on the screen: tables, regions, summaries. CSV and JSON keep their English codes."""

from __future__ import annotations

import argparse
import os
from typing import Final

from platereader.plates import Region

LANGUAGES: Final = ("en", "ru")

_RUSSIAN: Final = {
    # headers of tables
    "PICTURE": "СНИМОК",
    "FROM": "С",
    "TO": "ПО",
    "PLATE": "НОМЕР",
    "LOCAL": "НА НОМЕРЕ",
    "COUNTRY": "СТРАНА",
    "CONFIDENCE": "УВЕРЕННОСТЬ",
    "STATUS": "СТАТУС",
    "READINGS": "ЧТЕНИЙ",
    "REGION OR REASON": "РЕГИОН ИЛИ ПРИЧИНА",
    # statuses
    "read": "прочитан",
    "uncertain": "сомнителен",
    "unreadable": "не читается",
    # reasons
    "not a plate": "не номер",
    "nothing legible": "ничего не разобрать",
    "cut off": "обрезан",
    "hidden character": "символ закрыт",
    "too small": "слишком мелкий",
    "low confidence": "низкая уверенность",
    "weak character": "ненадёжный символ",
    "overexposed": "пересвечен",
    "unknown format": "неизвестный формат",
    "unknown region": "неизвестный регион",
    "unknown country": "неизвестная страна",
    "ambiguous country": "страна неоднозначна",
    # read
    "no plate found": "номеров нет",
    "pictures read: {done}, failed: {failed}; plates: {plates} ({read} read, {uncertain} uncertain, "
    "{unreadable} unreadable)": "снимков прочитано: {done}, с ошибкой: {failed}; номеров: {plates} "
    "(прочитано {read}, сомнительных {uncertain}, нечитаемых {unreadable})",
    "not pictures by their names: {files}": "пропущены, расширение не как у снимка: {files}",
    "copies and crops not written: {count}": "копий и вырезок не записано: {count}",
    "interrupted": "прервано",
    # watch
    "sources: {total}, failed: {failed}": "источников: {total}, с ошибкой: {failed}",
    "times of day are unknown after a source that failed: name the others by themselves": "после источника с ошибкой "
    "время суток неизвестно: остальные запустите отдельно",
    "the live page is at {url}": "живая страница: {url}",
    "watching {name}; q stops": "{name}: идёт наблюдение, q — остановить",
    "the source has ended; the page stays until it is closed there, or with q or Ctrl-C": "видео закончилось; "
    "страница открыта, пока её не закроют кнопкой Stop, клавишей q или Ctrl-C",
    "{name}: frames: {frames}, dropped: {dropped}; passages: {passages}": "{name}: кадров: {frames}, "
    "отброшено: {dropped}; проездов: {passages}",
    "{total} ({read} read, {uncertain} uncertain, {unreadable} unreadable)": "{total} (прочитано {read}, "
    "сомнительных {uncertain}, нечитаемых {unreadable})",
    "; {count} more, read differently from frame to frame or not at all: --all shows them": "; ещё {count}, "
    "которые читаются на кадрах по-разному или не читаются вовсе: их покажет --all",
    # benchmark
    "ENGINE": "ДВИЖОК",
    "PRECISION": "ФОРМАТ ЧИСЕЛ",
    "MS A FRAME": "МС НА КАДР",
    "left out: {name}: {reason}": "не участвует: {name}: {reason}",
    "engine auto takes {way} from now on; kept in {path}": "теперь auto выбирает {way}; выбор сохранён в {path}",
    "forgotten: {path}": "выбор удалён: {path}",
    "nothing was kept in {path}": "сохранённого выбора нет: {path}",
}
"""Russian by English, of what the commands print to people; errors stay in English."""

_REGIONS: Final = {
    "Brest Region": "Брестская область",
    "Vitebsk Region": "Витебская область",
    "Gomel Region": "Гомельская область",
    "Grodno Region": "Гродненская область",
    "Minsk Region": "Минская область",
    "Mogilev Region": "Могилёвская область",
    "Minsk": "Минск",
    "Ministry of Defence, border and internal troops": "Министерство обороны, пограничные и внутренние войска",
    "Astana": "Астана",
    "Almaty": "Алматы",
    "Akmola Region": "Акмолинская область",
    "Aktobe Region": "Актюбинская область",
    "Almaty Region": "Алматинская область",
    "Atyrau Region": "Атырауская область",
    "West Kazakhstan Region": "Западно-Казахстанская область",
    "Jambyl Region": "Жамбылская область",
    "Karaganda Region": "Карагандинская область",
    "Kostanay Region": "Костанайская область",
    "Kyzylorda Region": "Кызылординская область",
    "Mangystau Region": "Мангистауская область",
    "Turkistan Region": "Туркестанская область",
    "Pavlodar Region": "Павлодарская область",
    "North Kazakhstan Region": "Северо-Казахстанская область",
    "East Kazakhstan Region": "Восточно-Казахстанская область",
    "Shymkent": "Шымкент",
    "Abai Region": "Абайская область",
    "Jetisu Region": "область Жетысу",
    "Ulytau Region": "Улытауская область",
    "Bishkek": "Бишкек",
    "Osh": "Ош",
    "Batken Region": "Баткенская область",
    "Jalal-Abad Region": "Джалал-Абадская область",
    "Naryn Region": "Нарынская область",
    "Osh Region": "Ошская область",
    "Talas Region": "Таласская область",
    "Chuy Region": "Чуйская область",
    "Issyk-Kul Region": "Иссык-Кульская область",
    "Tashkent": "Ташкент",
    "Tashkent Region": "Ташкентская область",
    "Syrdarya Region": "Сырдарьинская область",
    "Jizzakh Region": "Джизакская область",
    "Samarkand Region": "Самаркандская область",
    "Fergana Region": "Ферганская область",
    "Namangan Region": "Наманганская область",
    "Andijan Region": "Андижанская область",
    "Kashkadarya Region": "Кашкадарьинская область",
    "Surkhandarya Region": "Сурхандарьинская область",
    "Bukhara Region": "Бухарская область",
    "Navoi Region": "Навоийская область",
    "Khorezm Region": "Хорезмская область",
    "Karakalpakstan": "Каракалпакстан",
    "Dushanbe": "Душанбе",
    "Sughd Region": "Согдийская область",
    "Khatlon Region": "Хатлонская область",
    "Gorno-Badakhshan": "Горный Бадахшан",
    "Districts of Republican Subordination": "районы республиканского подчинения",
    "Bender": "Бендеры",
    "Grigoriopol": "Григориополь",
    "Slobozia": "Слободзея",
    "Dubasari": "Дубоссары",
    "Camenca": "Каменка",
    "Ribnita": "Рыбница",
    "Tiraspol": "Тирасполь",
}
"""Russian names of regions whose own name is in another language, or not known, by the English one."""


class Language:
    """Translates what the commands print.

    Args:
        code: ``en`` or ``ru``.
    """

    def __init__(self, code: str = "en") -> None:
        self.code = code

    def __call__(self, text: str) -> str:
        """The text in this language; as it is where there is no translation."""
        return _RUSSIAN.get(text, text) if self.code == "ru" else text

    def region(self, region: Region | None, *, country: str | None) -> str:
        """The name of a region, empty for none."""
        if region is None or self.code == "en":
            return "" if region is None else region.name
        if country == "RU":
            return region.name_local
        return " или ".join(_REGIONS.get(name, name) for name in region.name.split(" or "))


def add_language_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--lang``."""
    parser.add_argument(
        "--lang", choices=LANGUAGES, metavar="CODE", help="language of tables: en, ru (default: of $LANG)"
    )


def language_of(arguments: argparse.Namespace) -> Language:
    """The language of ``--lang``, or else of the environment, as POSIX orders its variables."""
    given = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    code = getattr(arguments, "lang", None) or next(filter(None, given), "")
    return Language("ru" if code.lower().startswith("ru") else "en")
