"""Stopping cleanly: by Ctrl-C, SIGTERM, or the letter q."""

from __future__ import annotations

import os
import select
import signal
import stat
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

_POLL_INTERVAL_S = 0.1


class Terminated(KeyboardInterrupt):
    """SIGTERM came: whatever runs is left as by Ctrl-C, so that what is half written is removed."""


def ending_by_sigterm() -> AbstractContextManager[None]:
    """Raise ``Terminated`` where SIGTERM would end this process without a word; a fork of it still ends so."""
    process = os.getpid()

    def end() -> None:
        if os.getpid() != process:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)
        raise Terminated

    return stopping_by_signal(end, numbers=[signal.SIGTERM])


@contextmanager
def stopping_by_signal(
    stop: Callable[[], None],
    *,
    numbers: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGTERM),
    terminate: Callable[[], None] | None = None,
) -> Generator[None, None, None]:
    """Call ``stop`` at the first of some signals, by default Ctrl-C and SIGTERM; a second one interrupts at once.

    At SIGTERM ``terminate`` is called in its place, if there is one. They run inside a signal handler: they may set a
    flag or raise, and take no lock.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to the main thread
        return
    before = [signal.getsignal(number) for number in numbers]

    def stop_once(number: int, _frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.default_int_handler)
        (stop if terminate is None or number != signal.SIGTERM else terminate)()

    try:
        for number in numbers:
            signal.signal(number, stop_once)
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def stopping_by_key(stop: Callable[[], None]) -> Generator[bool, None, None]:
    """Call ``stop`` when the letter q comes in: at once from a terminal, as a line ``q`` from a pipe.

    The terminal's mode is restored in the end. Regular files, a closed input and a terminal in whose
    background this process runs are ignored.

    Yields:
        Whether the key is listened for.
    """
    try:
        descriptor = sys.stdin.fileno()
        kind = os.fstat(descriptor).st_mode
    except (AttributeError, OSError, ValueError):
        yield False
        return
    is_terminal = os.isatty(descriptor)
    if not (_in_foreground(descriptor) if is_terminal else sys.platform != "win32" and stat.S_ISFIFO(kind)):
        yield False
        return
    finished = threading.Event()
    listener = threading.Thread(target=_listen, args=(descriptor, is_terminal, stop, finished), name="platereader-key")
    with _cbreak_mode(descriptor, wanted=is_terminal):
        listener.start()
        try:
            yield True
        finally:
            finished.set()
            listener.join()


def _in_foreground(descriptor: int) -> bool:
    """Whether this process is in the terminal's foreground: changing its mode from the background would halt it."""
    if sys.platform == "win32":
        return False
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:  # another session's terminal
        return False


@contextmanager
def _cbreak_mode(descriptor: int, *, wanted: bool) -> Generator[None, None, None]:
    """A terminal that neither waits for Enter nor shows what is typed; Ctrl-C and Ctrl-Z work as before."""
    if not wanted or sys.platform == "win32":
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)


def _listen(descriptor: int, is_terminal: bool, stop: Callable[[], None], finished: threading.Event) -> None:
    """Read until q comes, the input ends, or ``finished`` is set."""
    line = b""
    while not finished.is_set():
        if not select.select([descriptor], [], [], _POLL_INTERVAL_S)[0]:
            continue
        if is_terminal and not _in_foreground(descriptor):  # to read would halt the process
            finished.wait(_POLL_INTERVAL_S)
            continue
        typed = os.read(descriptor, 1024)
        if not typed:
            return
        *lines, line = (line + typed).split(b"\n")
        line = line[-1024:]
        if (is_terminal and b"q" in typed.lower()) or any(entry.strip().lower() == b"q" for entry in lines):
            stop()
            return
