"""The disk under a folder, of which one call in a run fails; and what must hold of a run that this happens to."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typing_extensions import override

from captures import read_video


class Disk:
    """Counts the calls of a run that concern a folder, and lets one of them fail.

    Args:
        folder: calls that concern other places are left alone.
        fails: the number of the call that fails, from 0; None for a run in which none does.
    """

    def __init__(self, folder: Path, *, fails: int | None = None) -> None:
        self.calls: list[str] = []
        self._folder = str(folder)
        self._fails = fails

    def count(self, what: str) -> None:
        """Note one call, and raise if it is its turn: a bad block where something is read, else a full disk."""
        self.calls.append(what)
        if len(self.calls) - 1 == self._fails:
            number = errno.EIO if what in {"read", "fsync"} else errno.ENOSPC
            raise OSError(number, os.strerror(number))

    @contextmanager
    def in_use(self) -> Generator[None]:
        """Calls go through this disk."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ("open", "replace", "mkdir"):
                patch.setattr(os, name, self._of_a_path(name, getattr(os, name)))
            for name in ("write", "fsync"):
                patch.setattr(os, name, self._of_a_descriptor(name, getattr(os, name)))
            patch.setattr(os, "fdopen", self._reader)
            yield

    def _of_a_path(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(path: Any, *rest: Any, **options: Any) -> Any:
            if str(path).startswith(self._folder):
                self.count(name)
            return call(path, *rest, **options)

        return counted

    def _of_a_descriptor(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            self.count(name)
            return call(*arguments)

        return counted

    def _reader(self, descriptor: int, mode: str = "r", *rest: Any, **options: Any) -> Any:
        """An open file, each reading of which is a call."""
        if mode != "rb":
            return io.open(descriptor, mode, *rest, **options)  # noqa: UP020  # as os.fdopen does
        disk = self

        class Reader(io.BufferedReader):
            @override
            def read(self, size: int | None = -1, /) -> bytes:
                disk.count("read")
                return super().read(size)

        return Reader(io.FileIO(descriptor, "rb"))


def digests(folder: Path) -> dict[str, str]:
    """The files below a folder, and what is in them."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def names(folder: Path) -> set[str]:
    """The files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def check_whole(folder: Path, *, besides: Collection[str] = ()) -> None:
    """Every file below a folder can be read to its end, and nothing else lies there ``besides`` what is named."""
    for path in folder.rglob("*"):
        if str(path.relative_to(folder)) in besides:
            continue
        assert not path.name.startswith("."), f"{path} was left behind"
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix in {".jpg", ".png"}:
            with Image.open(path) as picture:
                picture.load()
        elif path.suffix == ".mp4":
            assert len(read_video(path)) > 0
        elif path.suffix == ".jsonl":
            assert all(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
        else:
            assert path.is_dir(), f"{path} is of no kind that is expected"
