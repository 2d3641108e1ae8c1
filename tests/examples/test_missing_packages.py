"""An example whose package is missing ends with one line that says what to install, and with the library's status."""

from __future__ import annotations

import runpy
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fakes import patch_pipeline
from platereader import Pipeline

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "package", "install"),
    [
        ("anpr_system/anpr.py", "torch", '"platereader-anpr[torch,ultralytics]"'),
        ("anpr_system/train_reader.py", "torch", '"platereader-anpr[torch,ultralytics]"'),
        ("archive/archive.py", "polars", "polars"),
        ("gate/gate.py", "paho", "paho-mqtt"),
        ("own_tracker/norfair_distance.py", "norfair", "--no-deps norfair filterpy"),
        ("own_tracker/roboflow_trackers.py", "supervision", "--no-deps trackers supervision pydeprecate defusedxml av"),
        ("ray_batch.py", "pyarrow", '"platereader-anpr[ray]"'),
        ("service/load.py", "httpx", "httpx"),
        ("service/service.py", "fastapi", "-r examples/service/requirements.txt"),
        ("service/service.py", "python_multipart", "-r examples/service/requirements.txt"),
    ],
)
def test_a_missing_package_is_told_in_one_line(
    name: str, package: str, install: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    take_away(package, "examples", monkeypatch=monkeypatch)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(EXAMPLES / name), run_name="example")
    assert stopped.value.code == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(package)  # or with what is asked for of it
    assert line.endswith(f" is not installed: pip install {install}")


def take_away(*packages: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what was loaded of some packages: a module that is known is imported without its parent."""
    for loaded in [one for one in sys.modules if one.partition(".")[0] in packages]:
        monkeypatch.delitem(sys.modules, loaded)


def ended(name: str, *words: object, monkeypatch: pytest.MonkeyPatch) -> object:
    """The exit status of an example as a program."""
    monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    return stopped.value.code


def test_ray_is_told_once_there_is_something_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install platereader-anpr[ray]")
    monkeypatch.setitem(sys.modules, "ray", None)
    assert ended("ray_batch.py", EXAMPLES / "pictures", "-o", tmp_path / "out", monkeypatch=monkeypatch) == 3
    assert capsys.readouterr().err.splitlines()[-1] == 'ray is not installed: pip install "platereader-anpr[ray]"'


def test_a_tracker_is_told_where_the_stream_makes_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Pipeline, "build", lambda tracker: Pipeline(replace(patch_pipeline().parts, tracker=tracker)))
    take_away("ultralytics", monkeypatch=monkeypatch)
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    assert ended("own_tracker/byte_track.py", EXAMPLES / "pictures/street-1.jpg", monkeypatch=monkeypatch) == 3
    assert 'not installed: pip install "platereader-anpr[ultralytics]"' in capsys.readouterr().err
