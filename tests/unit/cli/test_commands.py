"""The commands beside ``read``: each hands its options to one function and reports what came of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import TWO, Command, save
from PIL import Image

from platereader._arrays import BgrImage
from platereader.cli import synth
from platereader.lab.datasets import load_dataset
from platereader.media._images import read_image
from platereader.recognition._recognizer import CtcRecognizer
from platereader.registry import Kind, Registry, WeightEntry, write_sidecar
from small_networks import SMALL, write_small

DATA = b"weights"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Two names, of which one has its file."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "finder.safetensors").write_bytes(DATA)
    sha256 = hashlib.sha256(DATA).hexdigest()
    kinds: dict[str, Kind] = {"finder": "detector", "absent": "recognizer"}
    entries = tuple(
        WeightEntry(name, f"{name}.safetensors", kind, "fp32", "safetensors", sha256, len(DATA), "AGPL-3.0-or-later")
        for name, kind in kinds.items()
    )
    made = Registry(entries, (tmp_path / "models",), tmp_path / "cache")
    monkeypatch.setattr(Registry, "default", lambda: made)
    return made


def test_weights_list(registry: Registry, run: Command) -> None:
    status, out, _ = run("weights", "list")
    header, *rows = out.splitlines()
    assert status == 0
    assert header.split() == ["NAME", "KIND", "PRECISION", "FORMAT", "SIZE", "LICENCE", "FILE"]
    assert [row.split()[0] for row in rows] == ["finder", "absent"]


def test_weights_verify_names_what_is_bad(registry: Registry, run: Command) -> None:
    status, out, err = run("weights", "verify")
    assert status == 3
    assert [row.split()[1] for row in out.splitlines()[1:]] == ["good", "bad"]
    assert "absent.safetensors" in err
    (registry.folders[0] / "absent.safetensors").write_bytes(DATA)
    assert run("weights", "verify").status == 0


def test_weights_fetch(registry: Registry, run: Command) -> None:
    status, _, err = run("weights", "fetch", "absent")
    assert (status, "--base-url" in err) == (3, True)
    registry.cache.mkdir()
    (registry.cache / "finder.safetensors").write_bytes(DATA)  # which is good
    status, out, _ = run("weights", "fetch", "finder", "--base-url", "http://127.0.0.1:1")
    assert (status, out) == (0, f"{registry.cache / 'finder.safetensors'}\n")


def labelled_set(folder: Path) -> Path:
    """Two plates in one picture, the second labelled wrong."""
    save(folder / "a.png", TWO)
    plates = [{"text": text, "box": box.to_tuple()} for text, box in zip(("A123BC77", "M555KE777"), TWO.values())]  # noqa: B905
    rows = [json.dumps({"file": "a.png", "width": 320, "height": 240, "plates": plates})]
    (folder / "labels.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def test_evaluate_prints_a_table_and_writes_the_report(tmp_path: Path, command: Command) -> None:
    folder, report = labelled_set(tmp_path / "set"), tmp_path / "report.json"
    status, table, _ = command("evaluate", folder, "--json", report, "--failures", tmp_path / "wrong")
    assert status == 0
    assert "50.0" in table
    assert table.startswith(f"{tmp_path.name}/set: ")
    assert json.loads(report.read_text(encoding="utf-8"))["plates"] == 2
    assert any((tmp_path / "wrong").iterdir())


def test_evaluate_reports_rows_that_were_skipped(tmp_path: Path, command: Command) -> None:
    folder = labelled_set(tmp_path / "set")
    with (folder / "labels.jsonl").open("a", encoding="utf-8") as file:
        file.write("{broken\n")
    status, _, err = command("evaluate", folder)
    assert status == 1
    assert "labels.jsonl:2" in err


def test_a_name_in_a_skipped_row_steers_no_terminal(tmp_path: Path, command: Command) -> None:
    folder = labelled_set(tmp_path / "set")
    with (folder / "labels.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"file": "\x1b[2Jx.png"}) + "\n")
    assert "\x1b" not in command("evaluate", folder)[2]


def test_the_report_takes_the_place_of_nothing_that_is_read(tmp_path: Path, run: Command) -> None:
    labels, report = tmp_path / "set" / "ann" / "1.json", tmp_path / "report.json"
    labels.parent.mkdir(parents=True)
    save(tmp_path / "set" / "img" / "1.png")
    labels.write_text('{"description": "A123BC77"}', encoding="utf-8")
    report.hardlink_to(labels)
    for place in (labels, report):
        status, _, err = run("evaluate", tmp_path / "set", "--json", place)
        assert (status, "one of the files of DATA: name another" in err) == (2, True), err
    assert labels.read_text(encoding="utf-8") == '{"description": "A123BC77"}'


@pytest.mark.parametrize("kind", ["crops", "plates", "scenes"])
def test_synth_writes_a_labelled_set_that_repeats(tmp_path: Path, run: Command, kind: str) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    Image.fromarray(rng.integers(0, 255, (240, 320, 3), np.uint8)).save(tmp_path / "photos" / "street.png")
    for out in ("one", "two"):
        words = ("synth", tmp_path / out, "--kind", kind, "--count", 6, "--seed", 5)
        assert run(*words, "--backgrounds", tmp_path / "photos").status == 0
    one, two = load_dataset(tmp_path / "one"), load_dataset(tmp_path / "two")
    assert len(one.images) == 6
    assert one.skipped == ()
    for first, second in zip(one.images, two.images, strict=True):
        assert first.plates == second.plates
        assert np.array_equal(read_image(first.path), read_image(second.path))
        assert all((plate.corners is not None) == (kind == "scenes") for plate in first.plates)
    read = [plate.text is not None for image in one.images for plate in image.plates]
    assert sum(read) >= (3 if kind == "crops" else len(read))  # on a crop something may hide a character
    assert run("synth", tmp_path / "one").status == 2


def test_synth_says_what_it_wrote(tmp_path: Path, run: Command) -> None:
    out = tmp_path / "streets"
    done = run("synth", out, "--kind", "streets", "--count", 2)
    plates = sum(len(image.plates) for image in load_dataset(out).images)
    told = f"pictures: 2, plates: {plates}; written to {out / 'images'}, labels to {out / 'labels.jsonl'}\n"
    assert (done.status, done.out, done.err) == (0, "", told)
    told = run("--lang", "ru", "synth", tmp_path / "crops", "--count", 1).err
    assert told.startswith(f"изображений: 1, номеров: 1; записаны в {tmp_path / 'crops' / 'images'}, разметка — в ")


def test_two_runs_of_synth_into_one_folder_do_not_meet(
    tmp_path: Path, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both began when it was empty; a label of the one would be that of a picture of the other."""
    taken = tmp_path / "images" / "000001.png"

    def sample(*_: object) -> tuple[BgrImage, list[dict[str, Any]]]:
        if taken.parent.is_dir():  # the first picture is written
            taken.write_bytes(b"of another run")
        return np.zeros((8, 8, 3), np.uint8), []

    monkeypatch.setitem(synth._KINDS, "plates", sample)
    done = run("synth", tmp_path, "--kind", "plates", "--count", 3)
    assert done.status == 2
    assert "into which another run writes: name a new folder" in done.err
    assert taken.read_bytes() == b"of another run"
    labels = (tmp_path / "labels.jsonl").read_text().splitlines()
    assert [json.loads(line)["file"] for line in labels] == ["images/000000.png"]


def test_synth_without_usable_backgrounds(tmp_path: Path, run: Command) -> None:
    (tmp_path / "empty").mkdir()
    assert run("synth", tmp_path / "out", "--kind", "scenes", "--backgrounds", tmp_path / "empty").status == 3
    assert not (tmp_path / "out").exists()


def test_train_hands_over_only_what_was_given(tmp_path: Path, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def detector(data: Path, **options: Any) -> Path:
        calls.append((data, options))
        return tmp_path / "detector.safetensors"

    def recognizer(labelled: list[Path], **options: Any) -> Path:
        calls.append((labelled, options))
        return tmp_path / "reader.safetensors"

    monkeypatch.setattr("platereader.lab.training.detector.train.train_detector", detector)
    monkeypatch.setattr("platereader.lab.training.recognizer.train.train_recognizer", recognizer)
    one = run("train", "detector", "data", "--out", tmp_path, "--steps", 5, "--learning-rate", 0.1)
    other = run("train", "recognizer", "a", "b", "--out", tmp_path, "--steps", 7, "--negatives", "n")
    (data, detector_options), (labelled, options) = calls
    training = detector_options["training"]
    assert (data, detector_options["output"], detector_options["start"]) == (Path("data"), tmp_path, None)
    assert (training.steps, training.minutes, training.learning_rate, training.seed) == (5, None, 0.1, 0)
    assert (labelled, options["negatives"]) == ([Path("a"), Path("b")], Path("n"))
    assert options["training"].steps == 7
    assert (one.status, one.out) == (0, f"{tmp_path / 'detector.safetensors'}\n")
    assert (other.status, other.out) == (0, f"{tmp_path / 'reader.safetensors'}\n")


def test_train_quantize_writes_weights_that_can_be_used_at_once(tmp_path: Path, run: Command) -> None:
    fp32, _ = write_small(tmp_path)
    write_sidecar(fp32, kind="recognizer", settings=SMALL)
    words = ("train", "quantize", fp32, "--out", tmp_path / "out", "--made-up", 3, "--calibration", 4)
    status, out, _ = run(*words, "--max-loss", 100)
    *table, printed = out.splitlines()
    assert status == 0
    assert [row.split()[0] for row in table] == ["PLATES", "synthetic", "all"]
    weights = Registry.default().resolve(Path(printed))
    assert (weights.kind, weights.settings) == ("recognizer", SMALL)
    CtcRecognizer.from_weights(weights)
    report = json.loads((tmp_path / "out" / "quantization.json").read_text(encoding="utf-8"))
    assert report["agreement"][-1]["same"]["n"] == 3
    status, _, err = run(*words, "--max-loss", -1)
    assert (status, "nothing was written" in err) == (3, True)


def test_benchmark_prints_a_table_and_writes_the_report(tmp_path: Path, run: Command, registry: Registry) -> None:
    files = dict(zip(("--fp32", "--int8"), write_small(tmp_path), strict=True))
    for path in files.values():
        write_sidecar(path, kind="recognizer", settings=SMALL)
    words = ("benchmark", "recognizer", "--batches", 1, 2, "--threads", 1, "--rounds", 2)
    named = [word for pair in files.items() for word in pair]
    status, out, _ = run(*words, *named, "--json", tmp_path / "speed.json")
    assert (status, "fp32/int8" in out) == (0, True)
    report = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))
    assert set(report["weights"]) == {"small", "small-int8"}
    assert len(report["timings"]) == 6
    status, _, err = run(*words)
    assert (status, "plate-recognizer" in err) == (2, True)


def info_of(run: Command, part: str, *words: object) -> str:
    """The line about a part."""
    status, out, _ = run("info", *words)
    assert status == 0
    return next(line for line in out.splitlines() if line.startswith(part))


def test_info_says_why_a_precision_was_chosen(tmp_path: Path, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platereader.runtimes._selection.cpu_features", lambda: ())
    _, int8 = write_small(tmp_path)
    write_sidecar(int8, kind="recognizer", settings=SMALL)
    words = ("--recognizer", int8, "--engine", "torch")
    detector = info_of(run, "detector", *words, "--precision", "int8")
    assert "torch int8" in detector
    assert detector.endswith("as requested")
    assert "torch int8" in info_of(run, "recognizer", *words, "--precision", "int8")
    assert info_of(run, "recognizer", *words).endswith("these weights are int8")


def test_info_names_tiles_and_region_and_the_weights_inside(run: Command) -> None:
    wrapped, weights = info_of(run, "detector", "--tile", 960, "--area", "0,0 1920,0 1920,1080").split()[1:3]
    assert wrapped == "RegionDetector(TiledDetector(PlateDetector))"
    assert weights.startswith("plate-detector")


def test_info_names_versions_and_places(registry: Registry, command: Command) -> None:
    status, out, _ = command("info")
    assert status == 0
    assert all(word in out for word in ("platereader", "python", "\nav ", "torch", str(registry.folders[0]), "PART"))


def test_info_without_weights_says_what_is_missing(
    tmp_path: Path, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platereader.registry._registry.packaged_folder", lambda: tmp_path)
    status, out, err = run("info")
    assert status == 3
    assert "torch" in out
    assert "weights.json" in err
