"""A whole run over made-up sets with fake parts whose results are known."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fakes import CropRectifier, PatchDetector, frame_with, patch_pipeline
from platereader import Box, Detection, PlateImage, TrustPolicy
from platereader._arrays import BgrImage
from platereader.cli import main
from platereader.detection._tiled import TiledDetector
from platereader.lab.datasets import Dataset, load_dataset
from platereader.lab.datasets.labels import is_held_out
from platereader.lab.datasets.photographs import held_out_negatives
from platereader.lab.metrics.rates import Rate
from platereader.lab.suites.labelled.plots import draw_detection
from platereader.lab.suites.labelled.report import DetectionScores, EvaluationReport, GroupScores, format_table
from platereader.lab.suites.labelled.run import evaluate
from platereader.media._images import read_image
from platereader.pipeline import Pipeline
from platereader.protocols import Detector

LEFT, RIGHT = Box(20, 30, 100, 50), Box(200, 150, 290, 175)


def save(folder: Path, name: str, patches: dict[int, Box]) -> None:
    cv2.imwrite(str(folder / name), frame_with(patches))


def row(name: str, *plates: dict[str, Any], **more: object) -> str:
    return json.dumps({"file": name, "plates": list(plates), **more})


def plate(box: Box, text: str | None, **more: str) -> dict[str, Any]:
    return {"box": list(box.to_tuple()), "text": text, **more}


def dataset_of(folder: Path, rows: Sequence[str]) -> Dataset:
    (folder / "labels.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return load_dataset(folder)


def evaluated(dataset: Dataset, **parts: Any) -> EvaluationReport:
    """A run over fakes, some of them in the place of the usual ones."""
    return evaluate(Pipeline(replace(patch_pipeline().parts, **parts)), dataset, name="toy")


def detected(dataset: Dataset, **parts: Any) -> DetectionScores:
    """What such a run says of detection."""
    scores = evaluated(dataset, **parts).detection
    assert scores is not None
    return scores


def group(report: EvaluationReport, kind: str, name: str) -> GroupScores:
    return next(one for one in report.groups if (one.kind, one.name) == (kind, name))


@pytest.fixture(scope="module")
def street_set(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Right twice, misread once, missed once, a loose label, an unlabelled plate, a foreign one, one without plates."""
    tmp_path = tmp_path_factory.mktemp("streets")
    save(tmp_path, "both.png", {50: LEFT, 100: RIGHT})
    save(tmp_path, "misread.png", {150: LEFT})
    save(tmp_path, "missed.png", {})
    save(tmp_path, "loose.png", {50: Box(60, 60, 120, 75)})
    save(tmp_path, "extra.png", {50: LEFT, 150: RIGHT})
    save(tmp_path, "foreign.png", {150: RIGHT})
    save(tmp_path, "empty.png", {})
    rows = [
        row("both.png", plate(LEFT, "A123BC77", plate_type="standard"), plate(RIGHT, "M555KE199")),
        row("misread.png", plate(LEFT, "B777OP99")),
        row("missed.png", plate(RIGHT, "B777OP98")),
        row("loose.png", plate(Box(40, 40, 140, 90), "A123BC77", box_quality="loose")),
        row("extra.png", plate(LEFT, None)),
        row("foreign.png", plate(RIGHT, "001KNB16"), country="KZ"),
        row("empty.png"),
        "{broken",
    ]
    return dataset_of(tmp_path, rows)


@pytest.fixture(scope="module")
def street_report(street_set: Dataset) -> EvaluationReport:
    """What the fakes make of it."""
    return evaluated(street_set)


def test_scores_of_a_known_set(street_report: EvaluationReport) -> None:
    report = street_report
    everything = group(report, "all", "all")
    assert everything.plates == 6
    assert everything.found == Rate(5, 6)
    assert everything.exact == Rate(3, 5)
    assert everything.exact_read == Rate(3, 5)
    assert everything.read_right == Rate(3, 4)
    assert everything.cer is not None
    assert everything.cer.value == pytest.approx((1 + 8) / (8 + 9 + 8 + 8 + 8))
    assert everything.cer.n == 5
    assert everything.cer.low < everything.cer.value < everything.cer.high
    assert everything.given_exact == Rate(2, 4)  # the loose place is not given, the empty frame reads as nothing
    assert everything.country_right == Rate(4, 4)
    assert group(report, "foreign", "KZ").exact == Rate(0, 1)
    assert group(report, "foreign", "KZ").country_right == Rate(0, 1)  # taken for a Russian one
    assert group(report, "region", "3 digits").exact == Rate(1, 1)
    assert group(report, "region", "2 digits").exact == Rate(2, 4)
    assert (report.pictures, report.plates) == (7, 7)
    assert [(skipped.path.name, skipped.line) for skipped in report.skipped] == [("labels.jsonl", 8)]


def test_detection_leaves_loose_labels_out(street_report: EvaluationReport) -> None:
    scores = street_report.detection
    assert scores is not None
    assert (scores.pictures, scores.plates) == (7, 6)
    assert scores.recall30 == scores.recall50 == Rate(5, 6)
    assert scores.unlabelled_detections == 1
    assert scores.alarms == Rate(0, 1)
    assert scores.ap50 is not None
    assert scores.ap50.low <= scores.ap50.value <= scores.ap50.high
    assert scores.ap50.n == 6
    assert scores.corner_error_median is scores.corner_error_mean is scores.corner_error_p90 is None
    assert scores.alarm_detections is not None
    assert (scores.alarm_detections.value, scores.alarm_detections.n) == (0, 1)
    assert [point.recall for point in scores.precision_recall] == pytest.approx([share / 6 for share in range(1, 6)])
    assert [(one.name, one.recall50) for one in scores.recall_by_width] == [("60-100 px", Rate(5, 6))]
    assert scores.recall_by_input_width == ()  # this detector has no input size


def test_finds_in_ignored_places_count_neither_way(tmp_path: Path) -> None:
    save(tmp_path, "extra.png", {50: LEFT, 150: RIGHT})
    rows = [row("extra.png", plate(RIGHT, None), ignore=[list(LEFT.to_tuple())])]
    scores = detected(dataset_of(tmp_path, rows))
    assert (scores.recall50, scores.unlabelled_detections) == (Rate(1, 1), 0)


def test_a_plate_has_its_own_country(tmp_path: Path) -> None:
    save(tmp_path, "both.png", {50: LEFT, 100: RIGHT})
    plates = plate(LEFT, "A123BC77", country="RU"), plate(RIGHT, "001KNB16", country="KZ")
    report = evaluated(dataset_of(tmp_path, [row("both.png", *plates, country="RU")]))
    assert [one.name for one in report.groups if one.kind == "foreign"] == ["KZ"]


def test_countries_are_scored_apart_where_there_are_several(tmp_path: Path) -> None:
    save(tmp_path, "found.png", {50: LEFT})
    save(tmp_path, "missed.png", {})
    rows = [row("found.png", plate(LEFT, None), country="US"), row("missed.png", plate(LEFT, None), country="BR")]
    report = evaluated(dataset_of(tmp_path, rows))
    assert {name: scores.recall50 for name, scores in report.countries.items()} == {"US": Rate(1, 1), "BR": Rate(0, 1)}
    assert report.to_dict()["countries"]["US"]["plates"] == 1
    assert "detection, BR" in format_table(report)
    assert evaluated(dataset_of(tmp_path, rows[:1])).countries == {}


def test_unsure_readings_count_only_without_regard_to_status(street_set: Dataset) -> None:
    report = evaluate(patch_pipeline(probability=0.6, trust=TrustPolicy(min_legible=0.0)), street_set, name="toy")
    everything = group(report, "all", "all")
    assert everything.exact == Rate(3, 5)
    assert everything.exact_read == Rate(0, 5)
    assert everything.read_right == Rate(0, 0)


@dataclass(frozen=True)
class _SettableDetector:
    """Reports a second, wrong box when it is asked for low scores."""

    min_score: float = 0.5

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        found = PatchDetector().detect(frames)
        if self.min_score < 0.1:
            found = [[*boxes, Detection(Box(0, 200, 50, 230), 0.05)] for boxes in found]
        return found


@pytest.mark.parametrize("detector", [_SettableDetector(), TiledDetector(_SettableDetector())], ids=["bare", "tiled"])
def test_average_precision_asks_for_low_scores_and_the_rest_does_not(street_set: Dataset, detector: Detector) -> None:
    scores = detected(street_set, detector=detector)
    assert (scores.unlabelled_detections, scores.alarms) == (1, Rate(0, 1))


@dataclass(frozen=True)
class _ShrinkingDetector(PatchDetector):
    """Says that it shrinks frames."""

    input_size: int = 160


def test_widths_in_the_networks_input(street_set: Dataset, tmp_path: Path) -> None:
    scores = detected(street_set, detector=_ShrinkingDetector())
    assert [(one.name, one.recall50.n) for one in scores.recall_by_input_width] == [("40-60 px", 6)]
    pictures = draw_detection(scores, tmp_path)
    assert [path.name for path in pictures] == ["precision-recall.png", "recall-by-width.png"]
    assert all(path.stat().st_size > 2000 for path in pictures)


def test_finds_on_pictures_without_plates_are_counted(tmp_path: Path) -> None:
    save(tmp_path, "two.png", {50: LEFT, 100: RIGHT})
    save(tmp_path, "none.png", {})
    report = evaluated(dataset_of(tmp_path, [row("two.png"), row("none.png")]))
    scores = report.detection
    assert scores is not None
    assert scores.alarm_detections is not None
    assert scores.alarms == Rate(1, 2)
    assert scores.alarm_detections.value == pytest.approx(1)
    assert "detections a picture without plates" in format_table(report)
    assert draw_detection(scores, tmp_path / "plots") == []


def test_the_command_takes_only_pictures_that_training_keeps_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{number}.png" for number in (0, 1, 2, 3, 4, 10)]
    for name in names:
        save(tmp_path, name, {50: LEFT})
    plates = {"0.png": [plate(LEFT, "A123BC77")]}
    labels = dataset_of(tmp_path, [row(name, *plates.get(name, [])) for name in names])
    monkeypatch.setattr("platereader.cli.evaluate.build_pipeline", lambda _: patch_pipeline())
    words = ["evaluate", str(tmp_path), "--json", str(tmp_path / "all.json"), "--plots", str(tmp_path / "plots")]
    assert main([*words, "--held-out-negatives"]) == 0
    found = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["detection"]
    kept = held_out_negatives([image for image in labels.images if not image.plates])
    assert len(kept) == 3
    assert (found["pictures"], found["alarms"]["n"]) == (4, 3)
    assert (tmp_path / "plots" / "recall-by-width.png").is_file()
    assert main([*words, "--held-out"]) == 0
    found = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["detection"]
    assert 0 < found["pictures"] == sum(is_held_out(image.path) for image in labels.images) < 6


def test_crops_are_read_as_they_are(tmp_path: Path) -> None:
    for name, blue in {"A123BC77": 50, "M555KE199_1": 100, "M555KE198": 100}.items():
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((20, 90, 3), blue, np.uint8))
    report = evaluate(patch_pipeline(), load_dataset(tmp_path), name="crops", failures=tmp_path / "out")
    assert report.detection is None
    assert group(report, "all", "all").given_exact == Rate(2, 3)
    assert group(report, "all", "all").exact == Rate(0, 0)
    assert "2/3 66.7 %" in format_table(report)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0001_M555KE198.jpg", "contact-sheet-1.jpg"]


def test_failures_are_written_as_pictures(street_set: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "неудачи и прочее"
    evaluate(patch_pipeline(), street_set, name="toy", failures=folder)
    assert {path.name for path in folder.iterdir()} == {"0001_misread.jpg", "0002_missed.jpg", "contact-sheet-1.jpg"}
    assert read_image(folder / "0001_misread.jpg").shape == (240, 320, 3)
    assert read_image(folder / "contact-sheet-1.jpg").shape[0] > 150


def test_a_picture_that_cannot_be_read_is_reported_and_stops_nothing(tmp_path: Path) -> None:
    save(tmp_path, "a.png", {50: LEFT})
    save(tmp_path, "outside.png", {50: LEFT})
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:100])
    rows = [
        row("cut.png", plate(LEFT, "A123BC77")),
        row("outside.png", plate(Box(1000, 1000, 1100, 1020), "A123BC77")),
        row("a.png", plate(LEFT, "A123BC77")),
    ]
    steps: list[None] = []
    report = evaluate(patch_pipeline(), dataset_of(tmp_path, rows), name="toy", on_picture=lambda: steps.append(None))
    assert group(report, "all", "all").exact == Rate(1, 1)
    assert [skipped.path.name for skipped in report.skipped] == ["cut.png", "outside.png"]
    assert len(steps) == 3


def test_labels_for_another_size_are_skipped(tmp_path: Path) -> None:
    save(tmp_path, "a.png", {50: LEFT})
    save(tmp_path, "b.png", {50: LEFT})
    rows = [
        json.dumps({"file": name, "plates": [plate(LEFT, "A123BC77")], "width": width, "height": 240})
        for name, width in (("a.png", 320), ("b.png", 640))
    ]
    report = evaluated(dataset_of(tmp_path, rows))
    assert (report.pictures, group(report, "all", "all").exact) == (1, Rate(1, 1))
    (skipped,) = report.skipped
    assert skipped.path.name == "b.png"
    assert "the labels are for 640x240 px, the picture is 320x240 px" in skipped.reason


def test_a_speck_in_a_loose_label_is_no_find(tmp_path: Path) -> None:
    save(tmp_path, "a.png", {50: LEFT})
    labels = [plate(Box(0, 0, x2, 100), "A123BC77", box_quality="loose") for x2 in (159.0, 161.0)]
    report = evaluated(dataset_of(tmp_path, [row("a.png", *labels)]))
    assert [outcome.found for outcome in report.outcomes] == [True, False]


def test_an_earlier_runs_failures_go_and_other_files_stay(street_set: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "wrong"
    evaluate(patch_pipeline(), street_set, name="toy", failures=folder)
    for name in ("0007_gone.jpg", "contact-sheet-2.jpg"):
        (folder / name).write_bytes((folder / "0001_misread.jpg").read_bytes())
    (folder / "0008_mine.jpg").write_bytes(cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    (folder / "notes.txt").touch()
    evaluate(patch_pipeline(), street_set, name="toy", failures=folder)
    ours = ["0001_misread.jpg", "0002_missed.jpg", "contact-sheet-1.jpg"]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*ours, "0008_mine.jpg", "notes.txt"])


@dataclass(frozen=True)
class _CornerDetector:
    """Finds the patches, with corners two pixels to the right of their boxes."""

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        from platereader import Quad

        found = PatchDetector().detect(frames)
        return [[replace(one, corners=Quad.from_box(one.box.moved(2, 0))) for one in boxes] for boxes in found]


def test_corner_error_is_reported(tmp_path: Path) -> None:
    save(tmp_path, "a.png", {50: LEFT})
    corners = [[20, 30], [100, 30], [100, 50], [20, 50]]
    labels = dataset_of(tmp_path, [json.dumps({"file": "a.png", "plates": [{"corners": corners, "text": "A123BC77"}]})])
    report = evaluated(labels, detector=_CornerDetector())
    assert report.detection is not None
    error = report.detection.corner_error_median
    assert error is not None
    assert error.n == 1
    assert report.detection.corner_error_p90 is not None
    assert report.detection.corner_error_p90.value == pytest.approx(2.5)
    assert (error.value, error.low, error.high) == pytest.approx((2.5, 2.5, 2.5))
    assert report.to_dict()["detection"]["corner_error_mean"]["n"] == 1
    assert "2.50 % of width (2.50-2.50), n 1" in format_table(report)


class _GivenRectifier:
    """Keeps the given places."""

    def __init__(self) -> None:
        self.given: list[Detection] = []

    def rectify(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateImage]:
        self.given += [one for one in detections if one.score == 1]
        return CropRectifier().rectify(frame, detections)


def test_given_place_hands_over_the_labelled_corners_and_lines(tmp_path: Path) -> None:
    save(tmp_path, "a.png", {50: LEFT})
    types: list[dict[str, str]] = [{"plate_type": "square_two_line"}, {"plate_type": "standard"}, {}]
    corners = [[20, 30], [100, 30], [100, 50], [20, 50]]
    labels = [{**plate(LEFT, "A123BC77", **more), "corners": corners} for more in types]
    rectifier = _GivenRectifier()
    report = evaluated(dataset_of(tmp_path, [row("a.png", *labels)]), rectifier=rectifier, detector=_SettableDetector())
    assert [one.lines for one in rectifier.given] == [2, 1, None]
    assert [one.corners and one.corners.points for one in rectifier.given] == [tuple(map(tuple, corners))] * 3
    assert group(report, "all", "all").given_exact == Rate(3, 3)


def test_report_is_json_and_repeats(street_set: Dataset, street_report: EvaluationReport) -> None:
    data = json.loads(json.dumps(street_report.to_dict()))
    assert data["schema"] == 5
    assert data["groups"][0]["exact"]["n"] == 5
    assert len(data["outcomes"]) == 7
    first = data["outcomes"][0]
    assert [first[name] for name in ("file", "found", "exact", "given_exact")] == ["both.png", True, True, True]
    assert evaluated(street_set) == street_report


def test_table_names_counts_and_skipped_rows(street_report: EvaluationReport) -> None:
    table = format_table(street_report)
    for part in (
        "toy: 7 pictures, 7 labelled plates, 1 skipped",
        "3/5 60.0 %",
        "21.95 % (",
        "foreign, KZ",
        "labels.jsonl:8:",
    ):
        assert part in table
    assert max(map(len, table.splitlines())) < 200
