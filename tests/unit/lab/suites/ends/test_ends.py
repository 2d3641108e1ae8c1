"""The suite of ends is the same every time, and counts what it should."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from fakes import patch_pipeline
from platereader._arrays import LogProbs
from platereader.cli import main
from platereader.errors import DatasetError
from platereader.lab.datasets.plates import RealPlate
from platereader.lab.suites.ends import suite
from platereader.lab.suites.ends.suite import (
    FROZEN_PICTURES,
    EndsReport,
    evaluate_ends,
    fingerprint_of,
    format_ends,
    run_size,
)
from platereader.lab.suites.frozen import frozen_fingerprints
from platereader.lab.synthesis.ends.material import EndPlate, load_material, prepared
from platereader.lab.synthesis.ends.pictures import FUSED_FRAMES, VARIANTS, EndVariant, pictures
from platereader.lab.synthesis.render import render_plate
from platereader.pipeline import Pipeline, PipelineParts
from platereader.plates import RUSSIA, RUSSIAN, Alphabet
from platereader.results import PlateImage
from platereader.testing import spelled

THREE_DIGITS, TWO_DIGITS = "A123BC777", "M555KE77"


def real_plate(text: str, *, country: str | None = "RU") -> RealPlate:
    front = render_plate(text, RUSSIA.layout("standard"), height_px=32, rng=np.random.default_rng(0)).pixels
    pixels = np.full((120, 320, 3), 70, np.uint8)
    height, width = front.shape[:2]
    pixels[40 : 40 + height, 80 : 80 + width] = front
    corners = np.array([(80, 40), (80 + width, 40), (80 + width, 40 + height), (80, 40 + height)], np.float32)
    return RealPlate(pixels, corners, 1, text, f"{text}.jpg", country)


@pytest.fixture(scope="module")
def plates() -> tuple[EndPlate, ...]:
    """One plate of each group that the targets are about."""
    return prepared([real_plate(THREE_DIGITS), real_plate(TWO_DIGITS), real_plate("B777OP98", country="KZ")])


def variant_of(name: str) -> EndVariant:
    return next(one for one in VARIANTS if one.name == name)


FEW = tuple(
    map(
        variant_of,
        (
            "whole",
            "post 128 right 3 %",
            "post 128 right 1 character",
            "frame left 30 %",
            "box right 16 %",
            "frame right 1 character, 8 frames",
        ),
    )
)


class OneTextRecognizer:
    """Spells the text that it was told last, whatever it sees."""

    def __init__(self) -> None:
        self.alphabet: Alphabet = RUSSIAN
        self.text = ""
        self.first_text: str | None = None

    def recognize(self, plates: Sequence[PlateImage]) -> LogProbs:
        """float32 (N, 24, C)."""
        texts = [self.text] * len(plates)
        texts[0] = self.first_text or self.text
        return np.stack([spelled(text, self.alphabet, steps=24, probability=0.999) for text in texts])


def pipeline_of(recognizer: OneTextRecognizer) -> Pipeline:
    fake = patch_pipeline()
    return Pipeline(
        PipelineParts(
            detector=fake.detector,
            rectifier=fake.rectifier,
            recognizer=recognizer,
            decoder=fake.decoder,
            trust=fake.trust,
            tracker=fake.tracker,
        )
    )


def scored(plates: Sequence[EndPlate], answer: Callable[[str], str]) -> EndsReport:
    """A run plate by plate, so that the fake reader can be told what stands on it."""
    parts = OneTextRecognizer()
    pipeline = pipeline_of(parts)
    reports: list[EndsReport] = []
    for plate in plates:
        parts.text = answer(plate.view.text)
        reports.append(evaluate_ends(pipeline, [plate], variants=FEW))
    return replace(reports[0], readings=tuple(one for report in reports for one in report.readings))


def test_names_are_unique_and_all_ends_are_there() -> None:
    assert len({one.name for one in VARIANTS}) == len(VARIANTS)
    shares = {one.share for one in VARIANTS if one.share}
    assert min(shares) == 0.02
    assert max(shares) == 0.4
    assert {one.side for one in VARIANTS} == {"left", "right"}


def test_pictures_repeat_and_differ_between_variants(plates: Sequence[EndPlate]) -> None:
    first, second = (fingerprint_of(list(pictures(plates, FEW[2]))) for _ in range(2))
    assert first == second
    assert len({fingerprint_of(list(pictures(plates, one))) for one in FEW}) == len(FEW)


def test_an_edge_between_characters_needs_their_places(plates: Sequence[EndPlate]) -> None:
    made = list(pictures(plates, variant_of("post 128 right 1 character")))
    assert [one.plate.group for one in made] == ["three digits", "two digits"]
    assert all(one.hidden for one in made)
    fused = list(pictures(plates, FEW[-1]))
    assert [one.plate.group for one in fused] == ["three digits"]
    assert len(fused[0].frames) == FUSED_FRAMES
    assert len({one.box for one in fused[0].detections}) == FUSED_FRAMES


def test_the_rim_alone_hides_no_character(plates: Sequence[EndPlate]) -> None:
    hidden = {one.plate.group: one.hidden for one in pictures(plates, variant_of("post 128 right 3 %"))}
    assert hidden == {"three digits": False, "two digits": False, "foreign": None}


def test_a_reader_that_knows_the_truth_is_never_wrong(plates: Sequence[EndPlate]) -> None:
    report = scored(plates, lambda text: text)
    total = report.totals()[0]
    assert (total.wrong.count, total.read.count, total.read.n) == (0, 12, 12)
    assert all(rate.value in (1.0, None) for rate in report.controls().values())
    assert report.reasons() == {"read": 7}


def test_a_reader_that_drops_the_last_digit_is_always_wrong_where_that_is_legal(plates: Sequence[EndPlate]) -> None:
    report = scored(plates[:1], lambda text: text[:-1])
    total = report.totals()[0]
    assert (total.wrong.count, total.wrong.n) == (5, 5)
    worst = report.worst()
    assert worst is not None
    assert worst.wrong.value == 1.0
    fused = next(one for one in report.totals() if one.name == "fused")
    assert (fused.wrong.count, fused.wrong.n) == (1, 1)
    assert report.controls()["whole plates"].count == 0


def test_a_reader_that_refuses_is_not_wrong_but_fails_the_controls(plates: Sequence[EndPlate]) -> None:
    report = scored(plates, lambda _: "")
    total = report.totals()[0]
    assert (total.wrong.count, total.read.count) == (0, 0)
    assert total.named.value == 1.0  # unreadable says it, too
    rim = report.controls()["two digits, rim hidden (3 %)"]
    assert (rim.count, rim.n) == (0, 1)
    assert "read" not in report.reasons()


def test_the_frames_of_a_passage_are_fused(plates: Sequence[EndPlate]) -> None:
    recognizer = OneTextRecognizer()
    recognizer.text, recognizer.first_text = THREE_DIGITS, THREE_DIGITS[:-1]
    (reading,) = evaluate_ends(pipeline_of(recognizer), plates, variants=FEW[-1:]).readings
    assert reading.read_text == THREE_DIGITS  # as seven of eight frames say


def test_a_run_reads_every_picture_and_notices_changed_ones(plates: Sequence[EndPlate]) -> None:
    ticks: list[None] = []
    report = evaluate_ends(patch_pipeline(), plates, variants=FEW, on_picture=lambda: ticks.append(None))
    assert len(report.readings) == len(ticks) == run_size(plates, FEW) == 15
    assert set(report.changed) == {one.name for one in FEW}  # not the frozen photographs
    assert "NOT the frozen" in format_ends(report)
    assert json.loads(json.dumps(report.to_dict()))["totals"][0]["wrong"]["n"] == 12


def test_the_command_prints_and_writes(
    plates: Sequence[EndPlate], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("platereader.lab.synthesis.ends.material.load_material", lambda _: plates)
    monkeypatch.setattr("platereader.cli.evaluate.build_pipeline", lambda _: patch_pipeline())
    monkeypatch.setattr(suite, "run_size", lambda _: run_size(plates, FEW))
    monkeypatch.setattr(suite, "evaluate_ends", lambda *args, **options: evaluate_ends(*args, variants=FEW, **options))
    path = tmp_path / "ends.json"
    assert main(["evaluate", str(tmp_path), "--ends", "--json", str(path)]) == 0
    assert "worst variant" in capsys.readouterr().out
    assert len(json.loads(path.read_text(encoding="utf-8"))["readings"]) == 15


def test_a_folder_without_the_sets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="russian"):
        load_material(tmp_path)


def test_every_variant_is_frozen() -> None:
    assert set(frozen_fingerprints("ends")) == {one.name for one in VARIANTS}


def test_the_frozen_pictures_are_still_the_same(shared_data: Path) -> None:
    plates = load_material(shared_data / "data")
    made = {one.name: fingerprint_of(list(islice(pictures(plates, one), FROZEN_PICTURES))) for one in FEW}
    frozen = frozen_fingerprints("ends")
    assert made == {name: frozen[name] for name in made}
