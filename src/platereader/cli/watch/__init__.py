"""``platereader watch``: the plates of a video or camera, each passage once."""

from platereader.cli.watch.command import EXAMPLES, add_watch_command, run_watch

__all__ = ["EXAMPLES", "add_watch_command", "run_watch"]
