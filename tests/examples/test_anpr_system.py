"""The predecessor's networks as parts: small runs with random weights, and its training on a tiny set of its layout."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install platereader-anpr[torch]")

from exported_models import write_exported  # noqa: E402

from examples.anpr_system import anpr, train_reader  # noqa: E402
from platereader.testing import check_recognizer  # noqa: E402

PICTURE = Path(__file__).resolve().parents[2] / "examples" / "pictures" / "street-1.jpg"


@pytest.fixture(scope="module")
def network() -> Any:
    torch.manual_seed(0)
    return anpr.Crnn().eval()


@pytest.fixture(scope="module")
def reader(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reader") / "crnn.pth"
    torch.save(network.state_dict(), path)
    return path


def test_the_reader_has_the_published_size_and_keeps_its_contract(network: Any, reader: Path) -> None:
    assert sum(weights.numel() for weights in network.parameters()) == 8_715_543
    assert reader.stat().st_size == pytest.approx(34.88e6, rel=0.01)
    check_recognizer(anpr.CrnnRecognizer(anpr.load_crnn(reader)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_the_int8_file_reads_the_same_without_a_pickle(network: Any, tmp_path: Path) -> None:
    pictures = torch.rand(4, 1, *anpr.SIZE_PX) * 2 - 1
    made = anpr.quantized(network, [pictures])
    path = tmp_path / "int8.pth"
    torch.save(made.state_dict(), path)
    assert path.stat().st_size == pytest.approx(21.37e6, rel=0.001)  # what the predecessor says of its own
    with torch.inference_mode():
        loaded = anpr.load_crnn(path, int8=True)(pictures)
        assert torch.equal(loaded, made(pictures))
        assert (loaded - network(pictures)).abs().max() < 0.05


class _Code:
    """What a hostile file holds: an object whose loading calls something."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return Path.touch, (Path("called"),)  # type: ignore[return-value]


def test_a_file_with_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"cnn.0.weight": _Code()}, "bad.pth")
    with pytest.raises(pickle.UnpicklingError):
        anpr.load_crnn(Path("bad.pth"))
    assert not Path("called").exists()


def test_a_picture_goes_through_both(reader: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    box = np.repeat([[[320.0], [320.0], [100.0], [30.0], [0.9]]], 6, axis=2)
    detector = write_exported(tmp_path / "best.onnx", box, metadata={}, size_px=(640, 640))
    anpr.main([str(PICTURE), "--detector", str(detector), "--reader", str(reader)])
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split()[-2] in {"uncertain", "unreadable"}  # random weights read nothing


def test_the_training_learns_a_tiny_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part in ("train", "val"):
        for folder in ("img", "ann"):
            (tmp_path / part / folder).mkdir(parents=True)
        for index, text in enumerate(("A123BC77", "M555KE199")):
            picture = np.full((48, 200, 3), 255, np.uint8)
            cv2.putText(picture, text, (5, 35), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (0, 0, 0), 2)
            cv2.imwrite(str(tmp_path / part / "img" / f"{index}.png"), picture)
            label = {"description": text, "name": "another"}
            (tmp_path / part / "ann" / f"{index}.json").write_text(json.dumps(label), encoding="utf-8")
    (tmp_path / "train" / "ann" / "lost.json").write_text('{"description": "A123BC77"}')
    out = tmp_path / "crnn.pth"
    train_reader.main([str(tmp_path), "--out", str(out), "--epochs", "3"])
    losses = [float(line.split()[3]) for line in capsys.readouterr().out.splitlines()]
    assert losses[-1] < 0.8 * losses[0]
    anpr.load_crnn(out)
    with pytest.raises(SystemExit):
        train_reader.main([str(tmp_path / "train"), "--out", str(out)])


def test_a_detector_of_ultralytics_without_it_is_told_in_one_line(
    reader: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    detector = tmp_path / "own.pt"
    detector.touch()
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(SystemExit) as stopped:
        anpr.main([str(PICTURE), "--detector", str(detector), "--reader", str(reader)])
    assert stopped.value.code == 3
    assert capsys.readouterr().err.endswith('not installed: pip install "platereader-anpr[ultralytics]".\n')
