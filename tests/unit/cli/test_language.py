"""Russian for people; codes stay as they are."""

from __future__ import annotations

import argparse
import re
import wave
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from command_line import ONE, Command

from fakes import frame_with, patch_pipeline
from platereader.cli import main
from platereader.cli.explain import _stage_of
from platereader.cli.language import Language, language_of, russian
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
        assert ("; ещё 2, " in told) == (said != counts)
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
        (["read", "no.jpg"], "не удаётся прочитать снимок 'no.jpg' (нет такого файла)"),
        (["read", "."], "в папке '.' нет снимков; искали .apng"),
        (["read", "no*.jpg"], "под шаблон 'no*.jpg' не подходит ни один файл."),
        (["watch", "no.mp4"], "нет файла или папки 'no.mp4'"),
        (["watch", "."], "в папке '.' нет снимков"),
        (["watch", "rtsp://127.0.0.1:1/a"], "rtsp://127.0.0.1:1/a не открывается ("),
        (["redact", "no.jpg", "-o", "out"], "no.jpg: не удаётся прочитать снимок 'no.jpg'"),
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
        (["read", "--lang", "de", "x"], "argument --lang: invalid choice: 'de'"),
    ],
)
def test_wrong_options_in_russian(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert told in capsys.readouterr().err


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
        ("broke off after 1.2 of 4.0 s: it is damaged or cut off", "обрывается на 1.2-й секунде из 4.0: "),
        ("is damaged: 2 of its frames could not be decoded and were left out", "повреждён: кадров, которые не удалось"),
    ],
)
def test_why_a_video_ends_in_russian(problem: str, told: str) -> None:
    assert RUSSIAN(f"'a.mp4' {problem}; what was seen is reported.").startswith(f"'a.mp4' {told}")


def test_a_message_that_is_not_known_stays() -> None:
    assert RUSSIAN("the moon cannot be opened") == "the moon cannot be opened"
