"""Films into one Parquet file: what is in it, that a second run reads only what is new, and the search."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
import numpy as np
import pytest

from fakes import PatchDetector, frame_with, patch_pipeline
from platereader import BgrImage, Box, CaptureError, Detection, Pipeline
from platereader.media import FrameSource

pl = pytest.importorskip("polars", reason="polars is not installed: pip install polars")

ARCHIVE: dict[str, Any] = runpy.run_path(
    str(Path(__file__).resolve().parents[2] / "examples" / "archive" / "archive.py"), run_name="archive"
)
BEGUN = datetime(2026, 5, 1, 8, 0, tzinfo=timezone.utc)


@dataclass
class CountingDetector:
    """Counts the frames that it sees."""

    frames: list[int] = field(default_factory=list[int])

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        self.frames.append(len(frames))
        return PatchDetector().detect(frames)


def film(path: Path, blue: int, *, begun: bool = False, metadata: Mapping[str, str] = MappingProxyType({})) -> Path:
    """A short film without loss, of a plate that moves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(path, "w") as container:
        if begun:
            container.metadata["creation_time"] = BEGUN.isoformat()
        container.metadata.update(metadata)
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "bgr0"
        for index in range(5):
            frame = frame_with({blue: Box(20, 40, 80, 60).moved(3 * index, 0)}, width=160, height=120)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="bgr24")))
        container.mux(stream.encode())
    return path


def test_a_second_run_reads_only_what_is_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    films, target = tmp_path / "films", tmp_path / "plates.parquet"
    first = film(films / "2026" / "a.mkv", 50, begun=True)
    film(films / "b.MKV", 100)
    (films / "notes.txt").write_text("no film")
    detector = CountingDetector()
    pipeline = Pipeline(replace(patch_pipeline().parts, detector=detector))
    index = ARCHIVE["index"]
    assert index(films, target, pipeline) == 0
    table = pl.read_parquet(target)
    assert table.schema == ARCHIVE["SCHEMA"]
    assert table["film"].to_list() == [str(Path("2026") / "a.mkv"), "b.MKV"]
    assert table["text"].to_list() == ["A123BC77", "M555KE199"]
    assert table["first_seen"].to_list() == [BEGUN, None]
    seen = len(detector.frames)
    assert index(films, target, pipeline) == 0
    assert len(detector.frames) == seen
    first.unlink()
    film(films / "c.mkv", 150)
    film(films / "b.MKV", 50, begun=True)  # changed
    (films / "d.mkv").write_bytes((films / "c.mkv").read_bytes()[:300])
    assert index(films, target, pipeline) == 1
    assert pl.read_parquet(target)["text"].to_list() == ["A123BC77", "A123BC77", "B777OP98"]
    assert "d.mkv" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"films", "plates.parquet", "plates.parquet.parts"}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
def test_a_film_whose_name_is_no_text_is_indexed(tmp_path: Path) -> None:
    film(tmp_path / "a.mkv", 50).rename(tmp_path / os.fsdecode(b"\xff.mkv"))
    assert ARCHIVE["index"](tmp_path, tmp_path / "plates.parquet", patch_pipeline()) == 0
    assert pl.read_parquet(tmp_path / "plates.parquet")["film"].to_list() == ["\\udcff.mkv"]


def test_a_film_that_could_not_be_opened_is_read_at_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk may be away for a moment; what the archive has of the film stays meanwhile."""
    films, target, index = tmp_path / "films", tmp_path / "plates.parquet", ARCHIVE["index"]
    film(films / "a.mkv", 50)
    assert index(films, target, patch_pipeline()) == 0
    film(films / "a.mkv", 100)
    with monkeypatch.context() as patched:
        patched.setitem(index.__globals__, "open_source", away)
        assert index(films, target, patch_pipeline()) == 1
    assert "a.mkv: no disk" in capsys.readouterr().err
    assert pl.read_parquet(target)["text"].to_list() == ["A123BC77"]
    assert index(films, target, patch_pipeline()) == 0
    assert pl.read_parquet(target)["text"].to_list() == ["M555KE199"]


def away(film: Path) -> FrameSource:
    raise CaptureError("no disk")


@pytest.mark.parametrize("said", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+03:00", "yesterday"])
def test_a_film_of_an_impossible_time_has_none(tmp_path: Path, said: str) -> None:
    film(tmp_path / "a.mkv", 50, metadata={"creation_time": said})
    target = tmp_path / "plates.parquet"
    assert ARCHIVE["index"](tmp_path, target, patch_pipeline()) == 0
    table = pl.read_parquet(target)
    assert (table["text"].to_list(), table["first_seen"].to_list()) == (["A123BC77"], [None])


def test_a_title_in_another_encoding_than_utf_8_takes_no_time_away(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", 50, begun=True, metadata={"title": "untitled"})
    path.write_bytes(path.read_bytes().replace(b"untitled", b"\xcf\xf0\xe8\xe2\xe5\xf2\xff\xff"))
    assert ARCHIVE["begun_at"](path) == BEGUN


def test_parts_of_an_older_version_stay(tmp_path: Path) -> None:
    target = tmp_path / "plates.parquet"
    parts = target.with_name("plates.parquet.parts")
    parts.mkdir()
    pl.DataFrame({"film": ["a"], "text": ["A123BC77"]}).write_parquet(parts / "a-b.parquet")
    assert ARCHIVE["index"](tmp_path / "films", target, patch_pipeline()) == 0
    table = pl.read_parquet(target)
    assert (table.schema, table["text"].to_list()) == (ARCHIVE["SCHEMA"], ["A123BC77"])


@pytest.fixture
def target(tmp_path: Path) -> Path:
    empty = dict.fromkeys(ARCHIVE["SCHEMA"])
    rows = [
        {**empty, "film": "a", "first_seen": BEGUN, "text": "A123BC77", "text_local": "А123ВС77"},
        {**empty, "film": "b", "text": "A183BC77", "number": "A18377BC", "text_local": "А183ВС77"},
        {**empty, "film": "c", "first_seen": BEGUN.replace(year=2027)},
    ]
    path = tmp_path / "plates.parquet"
    pl.DataFrame(rows, ARCHIVE["SCHEMA"]).write_parquet(path)
    return path


@pytest.mark.parametrize(
    ("pattern", "since", "until", "films"),
    [
        ("a123bc77", None, None, ["a"]),
        ("А1?3 ВС*", None, None, ["b", "a"]),  # those without a time first
        ("A1837*", None, None, ["b"]),  # as the registry has it
        ("A1?3BC7", None, None, []),
        ("A.*", None, None, []),
        ("*", "2026-05-01T00:00+00:00", None, ["a"]),
        ("*", None, "2026-05-01T08:00+00:00", []),
    ],
)
def test_the_search_knows_all_spellings_and_times(
    target: Path, pattern: str, since: str | None, until: str | None, films: list[str]
) -> None:
    times = [None if text is None else ARCHIVE["moment"](text) for text in (since, until)]
    found = ARCHIVE["search"](target, pattern, since=times[0], until=times[1])
    assert found["film"].to_list() == films


def test_a_file_of_an_older_version_is_searched(target: Path) -> None:
    pl.read_parquet(target).drop("number").write_parquet(target)
    assert ARCHIVE["search"](target, "A123*", since=None, until=None)["film"].to_list() == ["a"]


def test_the_search_prints_what_it_finds(target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ARCHIVE["main"](["search", str(target), "A123*"]) == 0
    shown = capsys.readouterr().out
    assert "А123ВС77" in shown
    assert "А183ВС77" not in shown


def test_a_search_in_a_file_that_is_not_there_says_what_makes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        ARCHIVE["main"](["search", str(tmp_path / "nosuch.parquet"), "A123*"])
    assert "index FOLDER" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        ARCHIVE["main"](["index", str(tmp_path / "nosuch folder"), str(tmp_path / "plates.parquet")])
    assert ended.value.code == 2
    assert "there is no folder" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
