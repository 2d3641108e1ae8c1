"""Years of films into one Parquet file, and a search in it.

    python examples/archive/archive.py index /films plates.parquet
    python examples/archive/archive.py search plates.parquet "A1?3*77" --since 2026-01-01

``index`` goes on where it was stopped: each film that is done lies in ``plates.parquet.parts``, known by its name, size
and time of change. A film that is new or has changed is read at the next run, and so is one that could not be opened;
one that is gone stays in the file.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import MAXYEAR, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from platereader import CaptureError, Pipeline
from platereader.media import FrameSource, open_source

try:
    import polars as pl
except ModuleNotFoundError as error:
    print(f"{error.name} is not installed: pip install polars", file=sys.stderr)
    sys.exit(3)

SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".avi", ".ts", ".m4v", ".mpg", ".webm"})
SCHEMA = pl.Schema(
    {
        "film": pl.String(),
        "film_begun": pl.Datetime("ms", "UTC"),
        "first_seen": pl.Datetime("ms", "UTC"),
        "first_seen_s": pl.Float64(),
        "last_seen_s": pl.Float64(),
        "text": pl.String(),
        "number": pl.String(),
        "text_local": pl.String(),
        "status": pl.String(),
        "reason": pl.String(),
        "confidence": pl.Float64(),
        "country": pl.String(),
        "region_code": pl.String(),
        "readings": pl.Int64(),
        "best_frame_index": pl.Int64(),
    }
)


def films_in(folder: Path) -> list[Path]:
    """All films below a folder, in the order of their names."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())


def name_of(film: Path, folder: Path) -> str:
    """A film's path below the folder; what is no text in it becomes an escape, as Parquet holds texts."""
    return str(film.relative_to(folder)).encode("utf-8", "backslashreplace").decode()


def part_name(film: Path, folder: Path) -> str:
    """The name of a film's part: the first half says which film it is, the second in which state."""
    known = film.stat()
    halves = name_of(film, folder), f"{known.st_size} {known.st_mtime_ns}"
    return "-".join(hashlib.sha256(half.encode()).hexdigest()[:20] for half in halves) + ".parquet"


def begun_at(film: Path) -> datetime | None:
    """When a film began, as its container says; None where it does not."""
    try:
        with av.open(film, metadata_errors="replace") as container:
            said = container.metadata.get("creation_time")
        if said is None:
            return None
        at = datetime.fromisoformat(said.replace("Z", "+00:00"))
        at = (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (FFmpegError, OverflowError, ValueError):
        return None
    return None if at.year == MAXYEAR else at  # it might end after the last year that there is


def rows_of(pipeline: Pipeline, source: FrameSource, begun: datetime | None, name: str) -> Iterator[dict[str, Any]]:
    """A row for each vehicle that passes.

    Raises:
        CaptureError: after the rows of what could be decoded, where the film is damaged.
    """
    for update in pipeline.read_stream(source):
        for plate in update.finished:
            row = {key: value for key, value in plate.to_row().items() if key in SCHEMA}
            seen = None if begun is None else begun + timedelta(seconds=plate.first_seen_s)
            yield {"film": name, "film_begun": begun, "first_seen": seen, **row}


def write(table: pl.DataFrame, path: Path) -> None:
    """The whole file or none."""
    half = path.with_name(path.name + ".half")
    table.write_parquet(half)
    half.replace(path)


def index(folder: Path, target: Path, pipeline: Pipeline) -> int:
    """Read what is new and put all parts together; returns the number of films that are damaged."""
    parts = target.with_name(target.name + ".parts")
    parts.mkdir(parents=True, exist_ok=True)
    films, damaged = films_in(folder), 0
    for number, film in enumerate(films, 1):
        part, name = parts / part_name(film, folder), name_of(film, folder)
        if part.exists():
            continue
        earlier = list(parts.glob(f"{part.name.split('-')[0]}-*.parquet"))  # of the film before it changed
        rows: list[dict[str, Any]] = []
        is_opened = False
        try:
            with open_source(film) as source:
                is_opened = True
                rows.extend(rows_of(pipeline, source, begun_at(film), name))
        except CaptureError as error:
            damaged += 1
            print(f"{name}: {error}", file=sys.stderr)
            if not is_opened:  # its disk may be away, and nothing of it is done
                continue
        write(pl.DataFrame(rows, SCHEMA), part)
        for old in earlier:
            old.unlink()
        print(f"{number} of {len(films)}  {name}: {len(rows)} passages", file=sys.stderr)
    done = map(pl.read_parquet, sorted(parts.glob("*.parquet")))  # those of older versions have fewer columns
    table = pl.concat([pl.DataFrame(schema=SCHEMA), *done], how="diagonal")
    write(table.sort("film", "first_seen_s"), target)
    return damaged


def search(target: Path, pattern: str, *, since: datetime | None, until: datetime | None) -> pl.DataFrame:
    """Passages whose text or number is like a pattern, in Latin letters or as it is printed on the plate.

    Args:
        target: the file of ``index``.
        pattern: ``?`` stands for one character and ``*`` for any number.
        since: the first moment that counts; films without a time are then left out.
        until: the first moment that does not.
    """
    expression = re.escape(pattern.upper().replace(" ", "")).replace(r"\?", ".").replace(r"\*", ".*")
    whole, passages = f"^{expression}$", pl.scan_parquet(target)
    # Files of older versions have no number.
    spelt = [name for name in ("text", "number", "text_local") if name in passages.collect_schema()]
    found = passages.filter(pl.any_horizontal(pl.col(spelt).str.contains(whole)))
    if since is not None:
        found = found.filter(pl.col("first_seen") >= since)
    if until is not None:
        found = found.filter(pl.col("first_seen") < until)
    return found.sort("first_seen", "film", "first_seen_s").collect()


def moment(text: str) -> datetime:
    """A date, or date and time, in the time zone of this machine unless it names one."""
    return datetime.fromisoformat(text).astimezone()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    indexing = commands.add_parser("index", help="read the films of a folder that are not in the file yet")
    indexing.add_argument("folder", type=Path)
    indexing.add_argument("target", type=Path)
    searching = commands.add_parser("search", help="passages whose text is like a pattern")
    searching.add_argument("target", type=Path)
    searching.add_argument("pattern", help="such as A123BC77, ?123* or м555ке*")
    searching.add_argument("--since", type=moment)
    searching.add_argument("--until", type=moment)
    chosen = parser.parse_args(arguments)
    if chosen.command == "index":
        if not chosen.folder.is_dir():
            parser.error(f"there is no folder {str(chosen.folder)!r}")
        return int(index(chosen.folder, chosen.target, Pipeline.build()) > 0)
    if not chosen.target.is_file():
        parser.error(f"there is no file {str(chosen.target)!r}: `index FOLDER {chosen.target}` makes it")
    found = search(chosen.target, chosen.pattern, since=chosen.since, until=chosen.until)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True):
        print(found.select("film", "first_seen", "first_seen_s", "text_local", "status", "confidence"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
