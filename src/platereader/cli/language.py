"""The language of what people read on the screen: tables, summaries, usual errors. CSV and JSON stay in English."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from typing import Final

from platereader.plates import Region

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
    "without an ending": "без расширения",
    "links to folders": "ссылок на папки",
    "files that platereader wrote, left out: {count}; to include them, name nothing else": "пропущены файлы, "
    "записанные platereader: {count}; чтобы обработать их, укажите только их",
    "copies and crops not written: {count}": "копий и вырезок не записано: {count}",
    "interrupted": "прервано",
    "standard output is closed, and results go there: leave it open, or send it to a file or to /dev/null.": "закрыт "
    "стандартный вывод, куда идут результаты: не закрывайте его или направьте в файл или в /dev/null.",
    # read --explain
    "candidate {score} at {place} px": "кандидат {score} в точке {place} пикс.",
    "detector": "детектор",
    "recognizer": "распознаватель",
    "decoder": "декодер",
    "trust": "проверка",
    "passed": "принят",
    "{reason}; the rectifier rejected its corners and used the box": "{reason}; углы отвергнуты, взята рамка",
    "its score of {score} is below the threshold {threshold}": "оценка {score} ниже порога {threshold}",
    "read with a confidence of {confidence}": "прочитан с уверенностью {confidence}",
    "nothing on it is legible": "ничего не разобрать",
    "an end of {text} is cut off or hidden": "край номера {text} обрезан или закрыт",
    "a character of {text} is hidden": "один из символов {text} закрыт",
    "too small to be sure of, with a confidence of {confidence} only": "слишком мелкий, уверенность всего {confidence}",
    "the whole text has a confidence of {confidence} only": "уверенность во всём тексте всего {confidence}",
    "its weakest character, {char}, has a confidence of {confidence} only": "самый ненадёжный символ — {char}, "
    "уверенность в нём всего {confidence}",
    "too much light: strokes of {text} may be burnt out": "пересвет: часть штрихов {text} могла пропасть",
    "{text} fits no known plate format": "{text} не подходит ни под один известный формат",
    "the region of {text} is not in the table of regions": "региона номера {text} нет в таблице регионов",
    "{text} is not in the table of regions": "{text} нет в таблице регионов",
    "the mark of its country was not seen on {text}, or that country is none of the pipeline's (likeliest mark: "
    "{country}, {confidence}): see --country": "на {text} не видно знака страны, или эта страна не выбрана (больше "
    "всего похоже на {country}, {confidence}): см. --country",
    "the mark of its country was not seen on {text}, or that country is none of the pipeline's: see --country": "на "
    "{text} не видно знака страны, или эта страна не выбрана: см. --country",
    "{text} fits formats of several countries, and nothing on it tells them apart": "{text} подходит под форматы "
    "нескольких стран, а по виду их не отличить",
    # read, watch, redact
    "--threads: the {part} runs with {engine} {precision}, as torch, which is faster here, takes no number of "
    "threads.": "--threads: {part} работает на {engine} {precision}: torch, который здесь быстрее, числа потоков не "
    "принимает.",
    # redact
    "files redacted: {done}, failed: {failed}; places covered: {places}": "файлов обработано: {done}, с ошибкой: "
    "{failed}; закрашено мест: {places}",
    "its sound ({codecs}) does not go into {ending} and is left out: try .mov": "звук ({codecs}) нельзя записать в "
    "{ending}, он пропущен: попробуйте .mov",
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
    "{reported}; {count} more, read differently from frame to frame or not at all: --all shows them": "{reported}; "
    "ещё {count}, которые читаются на кадрах по-разному или не читаются вовсе: их покажет --all",
    # benchmark
    "ENGINE": "ДВИЖОК",
    "PRECISION": "ФОРМАТ ЧИСЕЛ",
    "MS A FRAME": "МС НА КАДР",
    "left out: {name}: {reason}": "не участвует: {name}: {reason}",
    "engine auto takes {way} from now on; kept in {path}": "теперь auto выбирает {way}; выбор сохранён в {path}",
    "forgotten: {path}": "выбор удалён: {path}",
    "nothing was kept in {path}": "сохранённого выбора нет: {path}",
    # wrong options
    "error": "ошибка",
    ". Did you mean {word}?": ". Возможно, имелось в виду {word}?",
    "{prog} --help shows what there is": "что есть, покажет {prog} --help",
    "the following arguments are required: {names}": "не указано: {names}",
    "unrecognized arguments: {words}": "неизвестные аргументы: {words}",
    "argument {option}: expected one argument": "{option}: нужно одно значение",
    "argument {option}: not allowed with argument {other}": "{option}: нельзя вместе с {other}",
    "argument {option}: invalid choice: {value} (choose from {known})": "{option}: нет значения {value} (есть {known})",
    "argument {option}: invalid int value: {value}": "{option}: {value} — не целое число",
    "argument {option}: invalid float value: {value}": "{option}: {value} — не число",
    "argument {option}: {value} is no whole number from 1": "{option}: {value} — не целое число от 1",
    # files
    "cannot read the picture {path} ({reason}): check the path and that it may be read.": "не удаётся прочитать снимок "
    "{path} ({reason}): проверьте путь и права на чтение.",
    "there is no picture in the folder {path}: looked for {endings}.": "в папке {path} нет снимков; искали {endings}.",
    "there is no picture or video in the folder {path}: looked for {endings}.": "в папке {path} нет ни снимков, ни "
    "видео; искали {endings}.",
    "the folder {path} holds no pictures: looked for {endings}.": "в папке {path} нет снимков; искали {endings}.",
    "{count} of the {total} pictures in {path} could not be read.": "не прочитано снимков в {path}: {count} из "
    "{total}.",
    "{path} has no frame that can be decoded: convert it, or copy it again.": "{path}: ни один кадр не декодируется: "
    "преобразуйте файл или скопируйте его заново.",
    "no file matches {pattern}.": "под шаблон {pattern} не подходит ни один файл.",
    "{path} is damaged or cut off ({reason}): copy it again from its source or leave it out.": "файл {path} повреждён "
    "или обрезан ({reason}): скопируйте его заново или уберите.",
    "{path} is not a picture of a known kind: pass one of {kinds}, converted if need be.": "{path} — не снимок "
    "известного вида: нужен {kinds}; при необходимости преобразуйте.",
    "{path} is empty: pass one of {kinds}, converted if need be.": "{path} — пустой файл: нужен {kinds}.",
    "there is no file or folder {path}: check the path. A webcam is given by its number, such as 0, and a network "
    "camera by its address, such as rtsp://camera/stream.": "нет файла или папки {path}: проверьте путь. Веб-камера "
    "задаётся номером, например 0, сетевая камера — адресом, например rtsp://camera/stream.",
    "{path} is not a video that can be decoded here ({reason}): check that it plays elsewhere, and convert it, such as "
    "with `ffmpeg -i VIDEO video.mp4`.": "{path} — не видео или его нечем декодировать ({reason}): проверьте, что оно "
    "открывается в плеере, и преобразуйте, например `ffmpeg -i VIDEO video.mp4`.",
    # cameras
    "{name} cannot be opened: check that it is plugged in, that no other program uses it, and that you may use it (on "
    "Linux, the group `video`). The first one has the number 0.": "{name} не открывается: проверьте, что камера "
    "подключена, не занята другой программой и доступна вам (в Linux — группа `video`). Номер первой — 0.",
    "{name} cannot be opened ({reason}): check the address, user and password, and that this machine reaches the "
    "camera. Letters such as @ : / in a password are written as %40 %3A %2F.": "{name} не открывается ({reason}): "
    "проверьте адрес, имя и пароль и что камера доступна с этой машины. Знаки @ : / в пароле пишутся %40 %3A %2F.",
    "{name} gives no frames: trying again in {wait} s": "{name} не даёт кадров: новая попытка через {wait} с",
    "{name} gives frames again": "{name} снова даёт кадры",
    "{name} was lost, and {tries} tries did not bring it back: check the camera and the network. A higher "
    "--reconnect-limit waits longer, none waits for ever.": "связь с {name} потеряна, попыток было {tries}: проверьте "
    "камеру и сеть. Чем больше --reconnect-limit, тем дольше ожидание; без него оно не ограничено.",
    # reasons of the system
    "No such file or directory": "нет такого файла",
    "Permission denied": "нет доступа",
    "Connection refused": "в соединении отказано",
    "Connection timed out": "нет ответа",
    "image file is truncated": "файл обрезан",
}
"""Russian by English, of what the commands print to people; errors that are not here stay in English."""

_MESSAGES: Final = frozenset({"part", "passages", "reason", "reported"})
"""Fields of messages that hold one of the library's own words, and no name or number."""

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
    """Translates what the commands print."""

    def __init__(self, code: str = "en") -> None:
        self.code = code

    def __call__(self, text: str) -> str:
        """The text, or a message with names and numbers in it, in this language; as it is without a translation."""
        if self.code == "en" or text in _RUSSIAN:
            return _RUSSIAN[text] if self.code == "ru" else text
        for english, russian in _RUSSIAN.items():
            if "{" in english and (found := re.fullmatch(_pattern(english), text, re.DOTALL)):
                fields = found.groupdict().items()
                return russian.format(**{name: self(word) if name in _MESSAGES else word for name, word in fields})
        return text

    def region(self, region: Region | None, *, country: str | None) -> str:
        """The name of a region, empty for none."""
        if region is None or self.code == "en":
            return "" if region is None else region.name
        if country == "RU":
            return region.name_local
        return " или ".join(_REGIONS.get(name, name) for name in region.name.split(" or "))


def _pattern(template: str) -> str:
    """The regular expression of the messages that a template makes."""
    return re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(template))


def add_language_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--lang``."""
    parser.add_argument(
        "--lang",
        choices=("en", "ru"),
        default=argparse.SUPPRESS,  # the one before the command stays
        metavar="CODE",
        help="language of tables and errors: en, ru (default: $LANG)",
    )


def language_in(words: Sequence[str]) -> Language:
    """The language of a command line that is not parsed yet, as ``language_of`` finds it."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--lang", nargs="?")
    return language_of(parser.parse_known_args(words)[0])


def language_of(arguments: argparse.Namespace) -> Language:
    """The language of ``--lang``, or else of the environment, as POSIX orders its variables."""
    given = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    code = getattr(arguments, "lang", None) or next(filter(None, given), "")
    return Language("ru" if code.lower().startswith("ru") else "en")
