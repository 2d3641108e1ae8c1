"""``--country``: which plates the commands read, and how country and local spelling are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from command_line import Command, save

from fakes import ThresholdDetector
from platereader import PlateImage
from platereader._arrays import BgrImage, LogProbs
from platereader.lab.datasets import load_dataset
from platereader.media import _drawing as drawing
from platereader.media._images import read_image
from platereader.plates import LATIN_36, RUSSIAN, Alphabet
from platereader.testing import spelled

BELARUSIAN = {50: "1234IT7"}
AMBIGUOUS = {50: "AB12345"}  # a Russian taxi or a Belarusian lorry


@dataclass(frozen=True)
class Spelling:
    """Spells a text by the blue value of a patch, and sees the mark of one country on each plate."""

    texts: Mapping[int, str]
    alphabet: Alphabet = LATIN_36
    mark: str | None = None

    def recognize(self, plates: Sequence[PlateImage]) -> LogProbs:
        return np.stack([self._spell(self.texts.get(int(plate.pixels[..., 0].max()), "")) for plate in plates])

    def _spell(self, text: str) -> LogProbs:
        log_probs = spelled(text, self.alphabet, steps=24, probability=0.9999)
        marks = np.full((24, len(self.alphabet.marks)), np.log(1e-9), np.float32)
        if self.mark is not None:
            marks[-1, self.alphabet.marks.index(self.mark)] = np.log(0.995)
            log_probs[-1] += np.log(0.004)
        return np.concatenate([log_probs, marks], axis=1)


Over: TypeAlias = Callable[[Spelling], Command]


@pytest.fixture
def over(run: Command, monkeypatch: pytest.MonkeyPatch) -> Over:
    """Puts fakes in the place of the two networks; everything else is the pipeline that the options ask for."""

    def put(recognizer: Spelling) -> Command:
        monkeypatch.setattr("platereader._loading.load_detector", lambda *_, **__: ThresholdDetector())
        monkeypatch.setattr("platereader._loading.load_recognizer", lambda *_, **__: recognizer)
        return run

    return put


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return save(tmp_path / "in" / "plate.png")


def test_the_countries_are_read_in_the_order_given(picture: Path, over: Over) -> None:
    run = over(Spelling(BELARUSIAN))
    for countries in ("ru,By", "all,XX"):
        (row,) = run("read", "--csv", picture, "--country", countries).rows
        assert (row["country"], row["text"], row["text_local"]) == ("BY", "1234IT7", "1234ІТ7")
        assert (row["format"], row["region_code"]) == ("standard", "7")
    (row,) = run("read", "--csv", picture, "--country", "ru").rows
    assert (row["country"], row["reason"]) == ("", "unknown_format")
    assert "countries  KZ RU\n" in run("info", "--country", "kz, RU").out


def test_the_table_shows_country_and_local_spelling(picture: Path, over: Over) -> None:
    run = over(Spelling(BELARUSIAN))
    _, row = run("read", picture, "--country", "BY").out.splitlines()
    assert row.split()[1:4] == ["1234IT7", "1234ІТ7", "BY"]
    assert row.split()[-2:] == ["read", "Minsk"]
    _, row = run("watch", picture.parent, "--country", "BY").out.splitlines()
    assert row.split()[2:5] == ["1234IT7", "1234ІТ7", "BY"]


@pytest.mark.parametrize("command", ["read", "watch", "evaluate", "info"])
@pytest.mark.parametrize(
    ("countries", "words"),
    [
        ("FR", "country is 'FR', known are RU, BY, KZ,"),
        ("RU,", "country is '', known are RU, BY, KZ,"),
        ("RU,KZ", "lacks characters of the plates of KZ (FGIJLNQRSUVWZ)"),
        ("all", "take weights that know them"),
    ],
)
def test_countries_that_cannot_be_read_are_wrong_usage(
    picture: Path, over: Over, command: str, countries: str, words: str
) -> None:
    (picture.parent / "labels.jsonl").write_text('{"file": "plate.png", "width": 320, "height": 240, "plates": []}\n')
    sources = [] if command == "info" else [picture.parent]
    status, _, err = over(Spelling({}, alphabet=RUSSIAN))(command, *sources, "--country", countries)
    assert (status, words in err) == (2, True), err


@pytest.mark.parametrize(
    ("recognizer", "reason", "words"),
    [
        (Spelling(AMBIGUOUS), "ambiguous_country", "AB12345 fits formats of several countries"),
        (
            Spelling(BELARUSIAN, Alphabet(LATIN_36.characters, ("RU", "BY", "KZ")), mark="KZ"),
            "unknown_country",
            "that country is none of the pipeline's (likeliest mark: KZ, 0.99): see --country",
        ),
        (
            Spelling(BELARUSIAN, Alphabet(LATIN_36.characters, ("RU", "BY"))),
            "unknown_country",
            "the mark of its country was not seen on 1234IT7",
        ),
    ],
)
def test_an_unclear_country_is_explained(
    picture: Path, over: Over, recognizer: Spelling, reason: str, words: str
) -> None:
    run = over(recognizer)
    out = run("read", picture, "--country", "RU,BY", "--explain").out
    assert reason.replace("_", " ") in out
    assert words in out
    (row,) = run("read", "--csv", picture, "--country", "RU,BY").rows
    assert (row["status"], row["reason"], row["country"]) == ("uncertain", reason, "")


def test_the_country_is_drawn_where_there_are_several(picture: Path, tmp_path: Path, over: Over) -> None:
    run = over(Spelling(BELARUSIAN))
    for countries in ("BY", "BY,RU", "RU,KZ,BY"):
        assert run("read", picture, "--country", countries, "--save", tmp_path / countries).status == 0
    alone, two, more = (read_image(tmp_path / name / picture.name) for name in ("BY", "BY,RU", "RU,KZ,BY"))
    assert not np.array_equal(alone, two)
    assert np.array_equal(two, more)


def test_a_video_has_the_country_too(
    picture: Path, tmp_path: Path, over: Over, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[bool] = []
    draw = drawing.draw_update

    def noted(frame: BgrImage, update: Any, *, show_country: bool, **options: Any) -> BgrImage:
        shown.append(show_country)
        return draw(frame, update, show_country=show_country, **options)

    monkeypatch.setattr(drawing, "draw_update", noted)
    for countries in ("BY", "RU,BY"):
        video = tmp_path / f"{len(shown)}.mp4"
        words = ("watch", picture.parent, "--country", countries, "--save", video)
        assert over(Spelling(BELARUSIAN))(*words).status == 0
    assert shown == [False, True]


def test_crops_are_labelled_with_their_country(picture: Path, tmp_path: Path, over: Over) -> None:
    for name, texts in (("sure", BELARUSIAN), ("unsure", AMBIGUOUS)):
        words = ("read", picture, "--country", "BY,RU", "--save-crops", tmp_path / name)
        assert over(Spelling(texts))(*words).status == 0
    labelled = {name: load_dataset(tmp_path / name).images[0] for name in ("sure", "unsure")}
    assert (labelled["sure"].country, labelled["sure"].plates[0].text) == ("BY", "1234IT7")
    assert (labelled["unsure"].country, labelled["unsure"].plates[0].text) == (None, None)
