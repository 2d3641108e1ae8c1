"""``--country``: which plates the commands read, and how country and local spelling are shown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import save

from fakes import PatchDetector
from platereader import Detection, PlateImage
from platereader._arrays import BgrImage, LogProbs
from platereader.cli import main
from platereader.lab.datasets import load_dataset
from platereader.media import _drawing as drawing
from platereader.media._images import read_image
from platereader.plates import LATIN_36, RUSSIAN, Alphabet
from platereader.testing import spelled

BELARUSIAN = {50: "1234IT7"}
AMBIGUOUS = {50: "AB12345"}  # a Russian taxi or a Belarusian lorry


@dataclass(frozen=True)
class ScoredDetector:
    """Finds the patches, and has the threshold that ``--explain`` lowers."""

    min_score: float = 0.3

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        return PatchDetector().detect(frames)


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


def use(monkeypatch: pytest.MonkeyPatch, recognizer: Spelling) -> None:
    """Put fakes in the place of the two networks; everything else is the pipeline that the options ask for."""
    monkeypatch.setattr("platereader._loading.load_detector", lambda *_, **__: ScoredDetector())
    monkeypatch.setattr("platereader._loading.load_recognizer", lambda *_, **__: recognizer)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return save(tmp_path / "in" / "plate.png")


def read_rows(capsys: pytest.CaptureFixture[str], *words: str | Path) -> list[dict[str, str]]:
    assert main(["read", "--csv", *map(str, words)]) == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_the_countries_are_read_in_the_order_given(
    picture: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Spelling(BELARUSIAN))
    (row,) = read_rows(capsys, picture, "--country", "ru,By")
    assert (row["country"], row["text"], row["text_local"]) == ("BY", "1234IT7", "1234ІТ7")
    assert (row["format"], row["region_code"]) == ("standard", "7")
    (row,) = read_rows(capsys, picture, "--country", "ru")
    assert (row["country"], row["reason"]) == ("", "unknown_format")
    assert main(["info", "--country", "kz, RU"]) == 0
    assert "countries  KZ RU\n" in capsys.readouterr().out


def test_the_table_shows_country_and_local_spelling(
    picture: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Spelling(BELARUSIAN))
    main(["read", str(picture), "--country", "BY"])
    _, row = capsys.readouterr().out.splitlines()
    assert row.split()[1:4] == ["1234IT7", "1234ІТ7", "BY"]
    assert row.split()[-2:] == ["read", "Minsk"]
    main(["watch", str(picture.parent), "--country", "BY"])
    _, row = capsys.readouterr().out.splitlines()
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
    picture: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    countries: str,
    words: str,
) -> None:
    use(monkeypatch, Spelling({}, alphabet=RUSSIAN))
    (picture.parent / "labels.jsonl").write_text('{"file": "plate.png", "width": 320, "height": 240, "plates": []}\n')
    sources = [] if command == "info" else [str(picture.parent)]
    assert main([command, *sources, "--country", countries]) == 2
    assert words in capsys.readouterr().err


def test_redacting_reads_nothing_and_knows_no_countries(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["redact", "in.png", "--out", "out", "--country", "RU"])
    assert stopped.value.code == 2


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
    picture: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    recognizer: Spelling,
    reason: str,
    words: str,
) -> None:
    use(monkeypatch, recognizer)
    assert main(["read", str(picture), "--country", "RU,BY", "--explain"]) == 0
    out = capsys.readouterr().out
    assert reason.replace("_", " ") in out
    assert words in out
    (row,) = read_rows(capsys, picture, "--country", "RU,BY")
    assert (row["status"], row["reason"], row["country"]) == ("uncertain", reason, "")


def drawn(picture: Path, folder: Path, countries: str) -> BgrImage:
    assert main(["read", str(picture), "--country", countries, "--save", str(folder)]) == 0
    return read_image(folder / picture.name)


def test_the_country_is_drawn_where_there_are_several(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Spelling(BELARUSIAN))
    alone, two, more = (drawn(picture, tmp_path / name, name) for name in ("BY", "BY,RU", "RU,KZ,BY"))
    assert not np.array_equal(alone, two)
    assert np.array_equal(two, more)


def test_a_video_has_the_country_too(picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Spelling(BELARUSIAN))
    shown: list[bool] = []
    draw = drawing.draw_update

    def noted(frame: BgrImage, update: Any, *, show_country: bool) -> BgrImage:
        shown.append(show_country)
        return draw(frame, update, show_country=show_country)

    monkeypatch.setattr(drawing, "draw_update", noted)
    for countries in ("BY", "RU,BY"):
        video = tmp_path / f"{len(shown)}.mp4"
        assert main(["watch", str(picture.parent), "--country", countries, "--save", str(video)]) == 0
    assert shown == [False, True]


def test_crops_are_labelled_with_their_country(picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Spelling(BELARUSIAN))
    assert main(["read", str(picture), "--country", "BY,RU", "--save-crops", str(tmp_path / "sure")]) == 0
    use(monkeypatch, Spelling(AMBIGUOUS))
    assert main(["read", str(picture), "--country", "BY,RU", "--save-crops", str(tmp_path / "unsure")]) == 0
    labelled = {name: load_dataset(tmp_path / name).images[0] for name in ("sure", "unsure")}
    assert (labelled["sure"].country, labelled["sure"].plates[0].text) == ("BY", "1234IT7")
    assert (labelled["unsure"].country, labelled["unsure"].plates[0].text) == (None, None)


def test_json_has_country_and_local_spelling(
    picture: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Spelling(BELARUSIAN))
    assert main(["read", str(picture), "--country", "all,XX", "--json"]) == 0
    (reading,) = json.loads(capsys.readouterr().out)["pictures"][0]["readings"]
    assert (reading["country"], reading["text_local"], reading["region"]["name"]) == ("BY", "1234ІТ7", "Minsk")
