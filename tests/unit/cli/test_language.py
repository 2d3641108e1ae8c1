"""Russian for people; codes stay as they are."""

from __future__ import annotations

import argparse
import re
import shlex
import wave
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from command_line import ONE, Command, save
from PIL import Image

from fakes import frame_with, patch_pipeline
from platereader import BgrImage
from platereader.cli import main
from platereader.cli.explain import _stage_of
from platereader.cli.language import Language, language_of, russian
from platereader.cli.parser import Parser
from platereader.media import _drawing as drawing
from platereader.plates import Region, schemes_of
from platereader.results import Reason, Status, Verdict

RUSSIAN = Language("ru")
CYRILLIC = re.compile("[А-Яа-яёЁ]")


@pytest.mark.parametrize("word", [*get_args(Reason), *get_args(Status)])
def test_every_status_and_reason_has_a_translation(word: str) -> None:
    words = word.replace("_", " ")
    assert CYRILLIC.search(RUSSIAN(words))
    assert Language("en")(words) == words


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_explanation_has_a_translation(reason: Reason) -> None:
    (reading,) = patch_pipeline().read(frame_with(ONE))
    marks = {"KZ": 0.4} if reason == "unknown_country" else {}
    verdict = replace(reading.verdict, status="uncertain", reason=reason)
    if reason in {"not_a_plate", "nothing_legible"}:
        verdict = Verdict(None, 0.0, "unreadable", reason=reason)
    judged = replace(reading, verdict=verdict, evidence=replace(reading.evidence, marks=marks))
    _, why = _stage_of(judged)
    for said in (why, f"{why}; the rectifier rejected its corners and used the box"):
        assert CYRILLIC.search(RUSSIAN(said))
        assert re.search("[a-z]{2}", RUSSIAN(said).replace("--country", "")) is None


def test_a_message_within_a_message_is_translated() -> None:
    counts = "1 (0 read, 1 uncertain, 0 unreadable)"
    more = "; 2 more, read differently from frame to frame or not at all: --all shows them"
    for said in (counts, counts + more):
        told = RUSSIAN(f"gate.mp4: frames: 3, dropped: 0; passages: {said}")
        assert told.startswith("gate.mp4: кадров: 3, отброшено: 0; проездов: 1 (прочитано 0, сомнительных 1, ")
        assert ("; ещё 2: " in told) == (said != counts)
    engine = (
        "--threads: the recognizer runs with onnx fp32, as torch, which is faster here, takes no number of threads."
    )
    assert RUSSIAN(engine).startswith("--threads: распознаватель работает на onnx fp32: ")


def test_every_region_has_a_russian_name() -> None:
    regions = [(scheme.country, region) for scheme in schemes_of("all") for region in scheme.regions.values()]
    assert len(regions) > 300
    names = {RUSSIAN.region(region, country=country) for country, region in regions}
    assert [name for name in names if re.search("[A-Za-z]", name)] == []


def test_translations_take_the_same_numbers_and_names() -> None:
    fields = re.compile(r"\{\w+\}")
    for english, told in russian().items():
        assert sorted(fields.findall(english)) == sorted(fields.findall(told)), english


def test_a_region_of_a_country_of_yours_keeps_its_name() -> None:
    assert RUSSIAN.region(Region("B", "Berlin"), country="DE") == "Berlin"
    assert RUSSIAN.region(None, country=None) == ""
    assert Language("en").region(Region("05", "Dagestan", "Республика Дагестан"), country="RU") == "Dagestan"


@pytest.mark.parametrize(
    ("variables", "option", "expected"),
    [
        ({}, None, "en"),
        ({"LANG": "ru_RU.UTF-8"}, None, "ru"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": "C.UTF-8"}, None, "en"),
        ({"LANG": "ru_RU.UTF-8"}, "en", "en"),
        ({"LANG": "C"}, "ru", "ru"),
        ({"LC_ALL": "", "LC_MESSAGES": "ru_RU"}, None, "ru"),
    ],
)
def test_the_option_goes_before_the_environment(
    variables: dict[str, str], option: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language_of(argparse.Namespace(lang=option)).code == expected


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["read", "no.jpg"], "нет файла или папки 'no.jpg': проверьте путь."),
        (["read", "."], "в папке '.' нет снимков; искали .apng"),
        (["read", "no*.jpg"], "под шаблон 'no*.jpg' не подходит ни один файл."),
        (["watch", "no.mp4"], "нет файла или папки 'no.mp4'"),
        (["watch", "."], "в папке '.' нет снимков"),
        (["watch", "rtsp://127.0.0.1:1/a"], "rtsp://127.0.0.1:1/a не открывается ("),
        (["redact", "no.jpg", "-o", "out"], "no.jpg: нет файла или папки 'no.jpg'"),
    ],
)
def test_usual_errors_in_russian(
    words: list[str], told: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"platereader: {told}" in command("--lang", "ru", *words).err
    assert not CYRILLIC.search(command(*words).err)
    monkeypatch.setenv("LC_ALL", "ru_RU.UTF-8")
    assert f"platereader: {told}" in command(*words).err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--lang", "ru", "read"], "не указано: SOURCE"),
        (["read", "--lang=ru", "--jso", "x"], "неизвестные аргументы: --jso. Возможно, имелось в виду --json?"),
        (["read", "x", "--engine", "steam", "--lang", "ru"], "--engine: нет значения 'steam' (есть 'auto'"),
        (["benchmark", "--lang", "ru", "recognizer", "--rounds", "0"], "--rounds: '0' — не целое число от 1"),
        (["read", "--lang", "de", "x"], "error: argument --lang: invalid choice: 'de'"),
        (["info", "--lang", "ru"], "--lang ru. --lang ставится перед командой: platereader --lang ru info"),
        (["--lang", "ru", "red"], "использование: platereader [OPTION ...] COMMAND ..."),
        (["--lang", "ru", "red"], "COMMAND: нет значения 'red' (есть 'read', 'watch', "),
        (["read", "x", "--lang=ru", "--json", "--csv"], "--csv: нельзя вместе с --json"),
        (["read", "x", "--lang=ru", "--explain=all"], "--explain: пишется без значения, а указано 'all'"),
        (["read", "x", "--lang=ru", "--min-score", "7"], "--min-score: '7' — не число от 0 до 1"),
        (["redact", "x", "--lang=ru", "-o", "y", "--min-score", "7"], "--min-score: '7' — не число от 0 до 1"),
        (["read", "x", "--lang=ru", "--area", "1,2"], "--area: '1,2' — нужно не меньше трёх точек в пикселях кадра"),
        (["watch", "x", "--lang=ru", "--quality", "99"], "--quality: '99' — не целое число от 0 до 51, как их"),
        (["watch", "x", "--lang=ru", "--fps", "fast"], "--fps: 'fast' — не число"),
        (["--lang", "ru", "synth", "x", "--seed", "-1"], "--seed: '-1' — не целое число от 0"),
        (
            ["--lang", "ru", "train", "export", "x", "--out", "y", "--max-loss", "nan"],
            "--max-loss: 'nan' — не конечное число процентных пунктов",
        ),
        (["--lang", "ru", "benchmark"], "укажите, что измерять, или --choose, отдельно или"),
    ],
)
def test_wrong_options_in_russian(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert told in said
    check_one_language(said)


def check_one_language(said: str) -> None:
    """No line has words of both; what is quoted from elsewhere stays as it is."""
    for line in said.splitlines():
        own = re.sub("«.*?»", "", line)
        assert not (CYRILLIC.search(own) and re.search(r"\b(is|are|the|and|not|to|of|for)\b", own)), line


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("read a.png --threads 2 --engine torch", "--threads 2 нельзя вместе с --engine torch, у которого одно число"),
        ("read a.png --engine onnx --precision bf16", "--engine 'onnx' не работает с --precision 'bf16', возможны ["),
        ("read a.png --engine onnx --device tpu", "--device 'tpu' нельзя вместе с --engine 'onnx' и --precision 'auto"),
        ("read a.png --detector noddy", "весов 'noddy' нет, есть plate-detector, "),
        ("info --detector noddy", "весов 'noddy' нет, есть plate-detector, "),
        ("read a.png --detector plate-finder", "Возможно, имелось в виду 'plate-refiner'? Свой файл указывают путём"),
        ("read a.png --detector no.onnx", "файла весов нет, проверьте путь; искали no.onnx, "),
        ("read a.png --detector plate-recognizer", "--detector 'plate-recognizer': это распознаватель, а нужен дет"),
        ("read a.png --recognizer plate-refiner", "--recognizer 'plate-refiner': это уточняющая сеть детектора, а"),
        ("read a.png --detector own.pt", "own.pt: при загрузке такого файла может выполниться любой код."),
        ("read a.png --detector no.pt --trust-pickle", "no.pt не существует: укажите путь к файлу .pt или"),
        ("read a.png --country RUS", "--country: нет страны 'RUS'; есть RU, BY, "),
        ("read a.png --tile 2", "--tile: 2 — меньше 64 пикс.: попробуйте 960."),
        ("read a.png --area '0,0 9,9 9,0 0,9'", "--area: линия пересекает или задевает сама себя (стороны, которые"),
        ("read a.png --area '0,0 1,0 1,1'", "--area: внутри всего 0.5 кв. пикс.: точки задаются в пикселях"),
        ("read a.png --area '700,0 900,0 900,9'", "a.png: --area от (700, 0) до (900, 9) лежит за пределами кадра 3"),
        ("read a.png --save a.png", "--save 'a.png': 'a.png' — не папка, укажите другую."),
        ("read pics --save pics", "--save 'pics': это папка самих снимков; укажите другую или вложенную"),
        ("read a.png --save-crops old", "--save-crops 'old': там уже есть разметка или снимки в images/, ук"),
        ("read pics --save mine", "--save: не удаётся записать 'mine/b.png': файл с таким именем уже есть, и создала"),
        ("read ftp://camera/a.jpg", "ftp://camera/a.jpg — адрес, а здесь читаются только файлы: сначала"),
        ("read wide.png", "wide.png: 32001x1 пикс., сторона может быть от 1 до 32000 пикс.; проверьте источник"),
        ("watch wide", "снимок 'wide/1.png': 32001x1 пикс., сторона может быть от 1 до 32000 пикс.; проверьте"),
        ("read link.png", "'link.png' — ссылка на 'nowhere', которая никуда не ведёт."),
        ("watch pics --fps 0", "--fps: 0.0 — нужно число кадров в секунду больше 0."),
        ("watch pics --search-every -1", "--search-every: -1.0 — нужно число секунд от 0."),
        ("watch pics --reconnect-limit -1", "--reconnect-limit: -1 — нужно число попыток от 0; без параметра"),
        ("watch pics --port 80", "--port относится к странице в браузере: добавьте --view."),
        ("watch pics --view --port 99999", "--port: порт 99999 занять нельзя (порты бывают от 0 до 65535): укажи"),
        ("watch pics --start noon", "--start: 'noon' — нужны дата и время до 9999 года, например 2026-"),
        ("watch pics --save a.avi", "--save 'a.avi': имя файла должно оканчиваться на .mp4."),
        ("watch pics old --save a.mp4", "--save 'a.mp4': источников 2, укажите папку для их видео."),
        ("watch pics --save-crops pics", "--save-crops 'pics': это папка самих источников, укажите другую."),
        ("watch 0 pics", "веб-камера 0 — один из нескольких источников, а они просматриваются по очереди"),
        ("redact pics -o pics", "--out 'pics': это папка самих источников; укажите другую или вложенную"),
        ("redact a.png -o a.png", "--out 'a.png': был бы перезаписан 'a.png', а это источник, другой"),
        ("redact a.png -o b.png --report b.png", "--report 'b.png': это источник, результат, папка или ссылка"),
        ("redact a.png -o b.png --preview b.gif", "--preview 'b.gif': имя должно оканчиваться на одно из .jpeg"),
        ("synth new --kind scenes", "для --kind scenes нужен --backgrounds: укажите папку с фотографиями."),
        ("evaluate nowhere", "'nowhere' — не папка и не файл .jsonl: укажите папку набора."),
    ],
)
def test_wrong_values_in_russian(
    words: str, told: str, run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "pics/b.png", "old/images/c.png", "mine/b.png"):
        save(tmp_path / name)
    Path("link.png").symlink_to("nowhere")
    Path("own.pt").write_bytes(b"")
    Path("wide").mkdir()
    for name in ("wide.png", "wide/1.png"):
        Image.new("RGB", (32_001, 1)).save(name)
    done = run("--lang", "ru", *shlex.split(words))
    assert done.status > 0
    assert told in done.err
    check_one_language(done.err)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("webcam 0 gives frames again", "веб-камера 0 снова даёт кадры"),
        ("webcam 0: frames: 3, dropped: 0; passages: 0 (0 read, 0 uncertain, 0 unreadable)", "веб-камера 0: кадров: 3"),
        ("webcam 0.mp4 gives frames again", "webcam 0.mp4 снова даёт кадры"),
        ("--fps is 5.0 for webcam 0, which is live and keeps its own time: leave it.", "веб-камера 0: у камеры время"),
    ],
)
def test_a_webcam_has_a_russian_name(message: str, told: str) -> None:
    assert RUSSIAN(message).startswith(told)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            "letter.mp4",
            "'letter.mp4' — не видео или его нечем декодировать («Invalid data found when processing input»)",
        ),
        ("sound.wav", "'sound.wav' — не видео или его нечем декодировать (в нём нет кадров, или у FFmpeg нет для них"),
        ("4711", "веб-камера 4711 не открывается: проверьте, что она подключена"),
        ("4711471147", "источник — число из 10 цифр, а веб-камеры считаются с 0"),
        ("rtsq://camera/1", "источник начинается с rtsq://, а бывают rtsp://"),
        ("rtsp:/camera/1", "источник похож на адрес, но записан не так"),
    ],
)
def test_why_a_source_cannot_be_opened_in_russian(
    source: str, told: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("letter.mp4").write_bytes(b"Dear Sir or Madam" * 99)
    with wave.open("sound.wav", "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16_000))
    assert f"platereader: {told}" in command("--lang", "ru", "watch", source).err
    assert not CYRILLIC.search(command("--lang", "en", "watch", source).err)


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        ("broke off after 3 of about 25 frames: it is damaged or cut off", "обрывается на кадре 3 примерно из 25: "),
        ("broke off after 3 frames: it is damaged or cut off", "обрывается на кадре 3: файл повреждён"),
        ("broke off after 1.2 of 4.0 s: it is damaged or cut off", "обрывается на отметке 1.2 с из 4.0 с: "),
        ("is damaged: 2 of its frames could not be decoded and were left out", "повреждён: не удалось декодировать"),
    ],
)
def test_why_a_video_ends_in_russian(problem: str, told: str) -> None:
    assert RUSSIAN(f"'a.mp4' {problem}; what was seen is reported.").startswith(f"'a.mp4' {told}")


@pytest.mark.parametrize(("lang", "label"), [("ru", "не читается"), ("en", "unreadable")])
def test_pictures_and_videos_have_their_labels_in_the_language(
    lang: str, label: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels: dict[str, str] = {}
    for name in ("draw_readings", "draw_update"):

        def noted(frame: BgrImage, *_: object, drawn: str = name, unreadable: str, **options: object) -> BgrImage:
            labels[drawn] = unreadable
            return frame

        monkeypatch.setattr(drawing, name, noted)
    source = save(tmp_path / "frames" / "1.png", ONE)
    assert command("read", source, "--lang", lang, "--save", tmp_path / "drawn").status == 0
    assert command("watch", source.parent, "--lang", lang, "--save", tmp_path / "drawn.mp4").status == 0
    assert labels == {"draw_readings": label, "draw_update": label}


def test_an_error_that_is_not_known_is_english_as_a_whole(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        Parser(prog="moon", language=RUSSIAN).error("unrecognized light: --hel")
    said = capsys.readouterr().err
    assert "moon: error: unrecognized light: --hel" in said
    assert not CYRILLIC.search(said)


def test_a_message_that_is_not_known_stays() -> None:
    assert RUSSIAN("the moon cannot be opened") == "the moon cannot be opened"
