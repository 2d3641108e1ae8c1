"""Read a folder or bucket of pictures with Ray Data on many cores or machines, into Parquet.

``python examples/ray_batch.py PICTURES -o OUT --workers 2``; both may be addresses such as ``s3://bucket/folder``.

One row per picture, its plates in the list column ``readings`` (as ``PlateReading.to_dict``), so that a picture without
plates and a broken one (column ``error``) are in OUT as well: a later run reads only what is not there yet.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2

from platereader import BgrImage, Pipeline, PlateReaderError
from platereader.media import IMAGE_SUFFIXES, decode_image

try:
    import pyarrow as pa
    import pyarrow.fs
    import pyarrow.parquet
except ModuleNotFoundError as error:
    print(f'{error.name} is not installed: pip install "platereader-anpr[ray]"', file=sys.stderr)
    sys.exit(3)

PICTURES_PER_FILE = 500
TEXT, NUMBER = pa.string(), pa.float64()
READING = {
    "text": TEXT,
    "number": TEXT,
    "text_local": TEXT,
    "masked_text": TEXT,
    "country": TEXT,
    "confidence": NUMBER,
    "calibrated": pa.bool_(),
    "status": TEXT,
    "reason": TEXT,
    "lines": pa.int8(),
    "format": TEXT,
    "region": pa.struct(dict.fromkeys(("code", "name", "name_local", "since", "source"), TEXT)),
    "characters": pa.list_(pa.struct({"char": TEXT, "confidence": NUMBER})),
    "detection": pa.struct(
        {
            "box": pa.list_(NUMBER),
            "score": NUMBER,
            "corners": pa.list_(pa.list_(NUMBER)),
            "lines": pa.int8(),
            "truncated": pa.bool_(),
        }
    ),
    "candidates": pa.list_(pa.struct({"text": TEXT, "log_prob": NUMBER, "format": TEXT})),
}
ROW = {"path": TEXT, "width": pa.int32(), "height": pa.int32(), "error": TEXT, "readings": pa.list_(pa.struct(READING))}


class Reader:
    """What one worker process holds, and does to each batch of paths."""

    def __init__(self, files: pyarrow.fs.FileSystem, threads: int) -> None:
        cv2.setNumThreads(threads)  # all cores for each worker would be far too many threads
        self.files = files
        self.pipeline = Pipeline.build(threads=threads)

    def __call__(self, batch: Mapping[str, Any]) -> pa.Table:
        paths = [str(path) for path in batch["path"]]
        pictures = [self.open(path) for path in paths]
        readings = iter(self.pipeline.read_batch([picture for picture in pictures if not isinstance(picture, str)]))
        rows = [
            {"path": path, "error": picture}
            if isinstance(picture, str)
            else {
                "path": path,
                "width": picture.shape[1],
                "height": picture.shape[0],
                "readings": [reading.to_dict() for reading in next(readings)],
            }
            for path, picture in zip(paths, pictures, strict=True)
        ]
        return pa.Table.from_pylist(rows, schema=pa.schema(ROW))

    def open(self, path: str) -> BgrImage | str:
        """The picture, or what is wrong with it."""
        try:
            with self.files.open_input_stream(path) as stream:
                return decode_image(stream.read(), path=path)
        except (PlateReaderError, OSError) as error:
            return str(error)


def address(place: str) -> str:
    """What ``FileSystem.from_uri`` takes: an address as it is, a folder by its full path."""
    return place if "://" in place else str(Path(place).resolve())


def paths_in(files: pyarrow.fs.FileSystem, folder: str, **selection: bool) -> list[str]:
    infos = files.get_file_info(pyarrow.fs.FileSelector(folder, **selection))
    return sorted(info.path for info in infos if info.is_file)


def finished_in(files: pyarrow.fs.FileSystem, out: str) -> set[str]:
    """The pictures that the Parquet files in OUT have a row for; nothing else in OUT is opened."""
    done: set[str] = set()
    for file in paths_in(files, out, allow_not_found=True):
        name = file.rpartition("/")[2]
        if name.endswith(".parquet") and not name.startswith("_"):
            done.update(paths_in_table(files, file))
    return done


def paths_in_table(files: pyarrow.fs.FileSystem, file: str) -> list[str]:
    """The pictures that a Parquet file has a row for.

    One that a killed run left unfinished gets another name, under which no reader takes it for a part of OUT.
    """
    try:
        table = pyarrow.parquet.ParquetFile(file, filesystem=files)
    except pa.ArrowInvalid:  # there is no footer, which is written last
        folder, _, name = file.rpartition("/")
        files.move(file, f"{folder}/_unfinished-{name}")
        print(f"set aside as _unfinished-{name}, as its run was stopped while it wrote it: {file}", file=sys.stderr)
        return []
    with table:
        if "path" not in table.schema_arrow.names:
            sys.exit(f"{file} was not written by this program: name another folder for OUT.")
        return [str(path) for path in table.read(columns=["path"])["path"].to_pylist()]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Read a folder or bucket of pictures with Ray Data, into Parquet.")
    parser.add_argument("pictures", type=address, help="a folder, or an address such as s3://bucket/folder")
    parser.add_argument("-o", "--out", type=address, required=True, help="the same, for Parquet; one run at a time")
    parser.add_argument("--workers", type=int, default=2, help="processes with a pipeline each, on all machines")
    parser.add_argument("--threads", type=int, help="of each worker; by default this machine's cores are shared out")
    parser.add_argument("--batch", type=int, default=8, help="pictures that are read together")
    options = parser.parse_args(arguments)
    threads = options.threads or max(1, (os.cpu_count() or 1) // options.workers)

    source, folder = pyarrow.fs.FileSystem.from_uri(options.pictures)
    target, out = pyarrow.fs.FileSystem.from_uri(options.out)
    found = paths_in(source, folder, recursive=True)
    pictures = [path for path in found if Path(path).suffix.lower() in IMAGE_SUFFIXES]
    done = finished_in(target, out)
    todo = [path for path in pictures if path not in done]
    print(f"pictures: {len(pictures)}, to read: {len(todo)}", file=sys.stderr)
    if not todo:
        return

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # before ray is imported: it reports to its makers otherwise
    try:
        import ray
    except ModuleNotFoundError as error:
        print(f'{error.name} is not installed: pip install "platereader-anpr[ray]"', file=sys.stderr)
        sys.exit(3)

    # Left to itself, Ray would join whatever cluster last ran on this machine.
    ray.init(os.environ.get("RAY_ADDRESS", "local"), include_dashboard=False)
    blocks = max(8 * options.workers, -(-len(todo) // PICTURES_PER_FILE))  # enough to share out, not too big to lose
    rows = ray.data.from_items([{"path": path} for path in todo], override_num_blocks=blocks).map_batches(
        Reader,
        fn_constructor_args=(source, threads),
        batch_size=options.batch,
        compute=ray.data.ActorPoolStrategy(size=options.workers),
        num_cpus=0.9 * threads,  # whole ones would leave none for writing, and all would wait for ever
    )
    rows.write_parquet(out, filesystem=target, ray_remote_args={"num_cpus": 0.1})


if __name__ == "__main__":
    main()
