"""The examples for many cores and machines give what one process gives, and lose no picture."""

import errno
import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from faults.injection import digests
from platereader import Pipeline, PlateReading
from platereader.media._images import read_image

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

pytestmark = pytest.mark.slow


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with two pictures, one of them deeper in, one that is cut off, and something else."""
    deeper = tmp_path / "pictures" / "въезд 50%20"
    deeper.mkdir(parents=True)
    folder = deeper.parent
    shutil.copy(EXAMPLES / "pictures" / "street-1.jpg", folder)
    shutil.copy(EXAMPLES / "pictures" / "street-2.jpg", deeper / "улица.JPG")
    (folder / "broken.jpg").write_bytes((EXAMPLES / "pictures" / "street-3.jpg").read_bytes()[:5000])
    (folder / "notes.txt").write_text("no picture")
    return folder


def run(name: str, *arguments: object, home: Path, path: Sequence[Path] = ()) -> subprocess.CompletedProcess[str]:
    """Run an example as a user does; what it leaves in the home folder goes elsewhere."""
    command = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    return subprocess.run(
        command, env=environment(home, path), capture_output=True, text=True, timeout=300, check=False
    )


def environment(home: Path, path: Sequence[Path] = ()) -> dict[str, str]:
    """That of a user who has this installation, another home folder, and no Ray elsewhere."""
    found = os.pathsep.join([*map(str, path), *filter(None, sys.path)])
    own = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    return {**own, "HOME": str(home), "PYTHONPATH": found}


def run_here(name: str, *arguments: object) -> None:
    """Run an example in this process, which is enough where it has nothing to read."""
    runpy.run_path(str(EXAMPLES / name))["main"]([str(argument) for argument in arguments])


def check_rows(rows: Iterator[Mapping[str, Any]], folder: Path) -> None:
    """A row for each picture: the readings of a single process, or what is wrong with the picture."""
    by_path = {Path(row["path"]).relative_to(folder).as_posix(): row for row in rows}
    good = ["street-1.jpg", "въезд 50%20/улица.JPG"]
    assert sorted(by_path) == sorted([*good, "broken.jpg"])
    assert "damaged or cut off" in by_path["broken.jpg"]["error"]
    assert by_path["broken.jpg"].get("readings") is None
    frames = [read_image(folder / name) for name in good]
    for name, expected in zip(good, Pipeline.build(threads=1).read_batch(frames), strict=True):
        assert by_path[name].get("error") is None
        check_readings([PlateReading.from_dict(item) for item in by_path[name]["readings"]], expected)


def check_readings(readings: Sequence[PlateReading], expected: Sequence[PlateReading]) -> None:
    """The same, but for the rounding of another number of threads."""
    assert expected
    assert [(one.text, one.status, one.reason) for one in readings] == [
        (one.text, one.status, one.reason) for one in expected
    ]
    for one, other in zip(readings, expected, strict=True):
        assert one.confidence == pytest.approx(other.confidence, abs=1e-3)
        assert one.detection is not None
        assert other.detection is not None
        assert one.detection.box.to_tuple() == pytest.approx(other.detection.box.to_tuple(), abs=0.1)
        assert one.detection.corners is not None
        assert one.detection.truncated == other.detection.truncated
        assert [candidate.text for candidate in one.candidates] == [candidate.text for candidate in other.candidates]
        assert [character.char for character in one.characters] == list(other.text or "")


def test_processes(pictures: Path, tmp_path: Path) -> None:
    done = run("processes.py", pictures, "--workers", 2, "--batch", 1, home=tmp_path)
    assert done.returncode == 0, done.stderr
    check_rows(map(json.loads, done.stdout.splitlines()), pictures)


def test_processes_of_an_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_here("processes.py", tmp_path)
    assert capsys.readouterr().out == ""


class TestRay:
    """``ray_batch.py`` on a Ray of its own."""

    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("pyarrow", reason="needs the extra platereader-anpr[ray]")

    @pytest.fixture
    def ray(self) -> None:
        """Skip without Ray itself, which is only looked for: its import leaves threads and warnings behind."""
        import importlib.util

        if importlib.util.find_spec("ray") is None:
            pytest.skip("needs the extra platereader-anpr[ray]")

    def test_goes_on_after_a_killed_run(
        self, ray: None, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What is there stays, a file without its end goes, the rest is read, and then nothing is left to do."""
        import pyarrow as pa
        from pyarrow import parquet

        out = tmp_path / "out"
        out.mkdir()
        shutil.copy(pictures / "street-1.jpg", pictures / "earlier.jpg")
        earlier = pa.table({"path": [str(pictures / "earlier.jpg")], "error": ["kept as it was"]})
        parquet.write_table(earlier, out / "earlier.parquet")
        cut = pa.table({"path": [str(pictures / "street-1.jpg")], "error": ["never finished"]})
        parquet.write_table(cut, out / "cut.parquet")
        (out / "cut.parquet").write_bytes((out / "cut.parquet").read_bytes()[:-20])

        # One worker, so that Ray starts few processes: with all cores but a part of one it still leaves room to write.
        done = run("ray_batch.py", pictures, "-o", out, "--workers", 1, "--batch", 1, home=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "pictures: 4, to read: 3" in done.stderr
        assert [file.name for file in out.glob("_*")] == ["_unfinished-cut.parquet"]
        rows = [row for file in out.glob("[!_]*") for row in parquet.read_table(file).to_pylist()]
        assert [row["error"] for row in rows if row["path"].endswith("earlier.jpg")] == ["kept as it was"]
        check_rows((row for row in rows if not row["path"].endswith("earlier.jpg")), pictures)
        assert len(rows) == 4
        widths = {row["width"] for row in rows if row["path"].endswith("street-1.jpg")}
        assert widths == {read_image(pictures / "street-1.jpg").shape[1]}

        files = {file.name: file.stat().st_mtime_ns for file in out.iterdir()}
        run_here("ray_batch.py", pictures, "-o", out)
        assert "pictures: 4, to read: 0" in capsys.readouterr().err
        assert {file.name: file.stat().st_mtime_ns for file in out.iterdir()} == files

    def test_a_run_that_fails_leaves_nothing_that_the_next_one_takes_for_whole(
        self, ray: None, pictures: Path, tmp_path: Path
    ) -> None:
        """A full disk and a kill are told by the status, and the next run reads what is missing."""
        from pyarrow import parquet

        before = digests(pictures)
        out, disk = tmp_path / "out", tmp_path / "disk"
        out.mkdir()
        disk.mkdir()
        command = [
            sys.executable,
            str(EXAMPLES / "ray_batch.py"),
            str(pictures),
            "--workers",
            "1",
            "--batch",
            "1",
            "-o",
        ]
        small = 'mount -t tmpfs -o size=12k none "$0" || exit 77; "$@"; status=$?; cp "$0"/* "$OUT"; exit $status'
        own = {**environment(tmp_path), "OUT": str(out)}
        # Everybody may mount a disk in name spaces of his own, where nothing outlives the first process.
        apart = ["unshare", "--map-root-user", "--pid", "--mount-proc", "--fork", "--kill-child"]
        full = subprocess.run(
            [*apart, "sh", "-c", small, disk, *command, disk],
            env=own,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if full.returncode == 77 or full.stderr.startswith("unshare"):
            pytest.skip("a small disk can be mounted by root alone here")
        assert full.returncode == 1
        assert os.strerror(errno.ENOSPC) in full.stderr

        begun = len(list(out.iterdir()))
        killed = subprocess.Popen([*apart, *command, out], env=own, stderr=subprocess.DEVNULL)
        while len(list(out.iterdir())) == begun:
            assert killed.poll() is None
            time.sleep(0.01)
        killed.kill()
        assert killed.wait(60) == -signal.SIGKILL

        done = run("ray_batch.py", pictures, "-o", out, "--workers", 1, "--batch", 1, home=tmp_path)
        assert done.returncode == 0, done.stderr
        assert digests(pictures) == before
        rows = [row for file in out.glob("[!_]*") for row in parquet.read_table(file).to_pylist()]
        check_rows(iter(rows), pictures)
        assert len(rows) == 3

    def test_wherever_a_file_breaks_off_the_next_run_reads_its_pictures(self, tmp_path: Path) -> None:
        """A run that is killed at any write leaves the beginning of a file: none is taken for a whole one."""
        import pyarrow as pa
        import pyarrow.fs
        from pyarrow import parquet

        example = runpy.run_path(str(EXAMPLES / "ray_batch.py"))
        row: dict[str, Any] = {"path": str(tmp_path / "1.jpg"), "readings": [{"text": "A123BC77", "confidence": 0.99}]}
        parquet.write_table(pa.Table.from_pylist([row], schema=pa.schema(example["ROW"])), tmp_path / "whole.parquet")
        whole = (tmp_path / "whole.parquet").read_bytes()
        (tmp_path / "whole.parquet").unlink()
        files = pyarrow.fs.LocalFileSystem()
        for length in range(len(whole)):
            (tmp_path / "a.parquet").write_bytes(whole[:length])
            assert example["finished_in"](files, str(tmp_path)) == set(), length
            (left,) = tmp_path.iterdir()
            assert left.name == "_unfinished-a.parquet", length
            assert left.read_bytes() == whole[:length], length
            left.unlink()
        (tmp_path / "a.parquet").write_bytes(whole)
        assert example["finished_in"](files, str(tmp_path)) == {row["path"]}

    def test_a_picture_that_cannot_be_read_is_a_row(self, pictures: Path) -> None:
        example = runpy.run_path(str(EXAMPLES / "ray_batch.py"))

        class BadBlock:
            def open_input_stream(self, path: str) -> None:
                raise OSError(errno.EIO, os.strerror(errno.EIO), path)

        path = str(pictures / "street-1.jpg")
        (row,) = example["Reader"](BadBlock(), threads=1)({"path": [path]}).to_pylist()
        assert row["path"] == path
        assert os.strerror(errno.EIO) in row["error"]
        assert row["readings"] is None

    def test_nothing_but_parquet_is_touched(self, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Where OUT is the folder of the pictures, or has other files, all of them stay as they are."""
        import pyarrow as pa
        from pyarrow import parquet

        done = {"path": [str(path) for path in pictures.rglob("*") if path.suffix.lower() == ".jpg"]}
        parquet.write_table(pa.table(done), pictures / "earlier.parquet")
        (pictures / "notes.parquet").write_text("no Parquet at all")
        before = {path.name: path.read_bytes() for path in pictures.rglob("*") if path.is_file()}
        run_here("ray_batch.py", pictures, "-o", pictures)
        assert capsys.readouterr().err.splitlines()[-1] == "pictures: 3, to read: 0"
        after = {path.name: path.read_bytes() for path in pictures.rglob("*") if path.is_file()}
        assert after.pop("_unfinished-notes.parquet") == before.pop("notes.parquet")
        assert after == before

    def test_other_parquet_files_are_refused(self, pictures: Path) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.table({"price": [1.0]}), pictures / "prices.parquet")
        with pytest.raises(SystemExit, match="was not written by this program"):
            run_here("ray_batch.py", pictures, "-o", pictures)
        assert parquet.read_table(pictures / "prices.parquet").to_pylist() == [{"price": 1.0}]

    def test_empty_folder(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        run_here("ray_batch.py", tmp_path, "-o", tmp_path / "out")
        assert capsys.readouterr().err == "pictures: 0, to read: 0\n"
        assert not (tmp_path / "out").exists()

    def test_ray_is_told_to_report_nothing_before_it_is_loaded(self, pictures: Path, tmp_path: Path) -> None:
        stand_in = tmp_path / "modules"
        stand_in.mkdir()
        (stand_in / "ray.py").write_text("import os, sys\nsys.exit(os.environ.get('RAY_USAGE_STATS_ENABLED', 'on'))\n")
        done = run("ray_batch.py", pictures, "-o", tmp_path / "out", home=tmp_path, path=[stand_in])
        assert done.stderr.splitlines()[-1] == "0"
