"""A report of the suite ``ends`` as plain text for the terminal."""

from __future__ import annotations

from platereader.lab.suites.ends.report import EndScores, EndsReport
from platereader.lab.tables import aligned, described, show_rate

__all__ = ["format_ends"]

_HEAD = ("wrong and read, of all", "read", "not read: said to be hidden")


def format_ends(report: EndsReport) -> str:
    """Totals, controls, reasons, variants and what ran as text; rates with counts and 95 % intervals."""
    frozen_note = "its pictures are the frozen ones"
    if report.changed:
        frozen_note = (
            f"NOT the frozen pictures in {len(report.changed)} variants ({', '.join(report.changed[:4])}, ...)"
        )
    worst = report.worst()
    rows = [("suite of ends", *_HEAD), *(_row(one) for one in report.totals())]
    if worst is not None:
        rows.append(("worst variant: " + worst.name, *_row(worst)[1:]))
    blocks = [
        [f"{len(report.readings)} readings; {frozen_note}"],
        [described(part) for part in report.parts],
        aligned(rows),
        aligned([("right and read", ""), *((name, show_rate(rate)) for name, rate in report.controls().items())]),
        aligned([("a character hidden: reason", ""), *((name, str(n)) for name, n in report.reasons().items())]),
        aligned([("variant", *_HEAD), *(_row(one) for one in report.scores())]),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _row(scores: EndScores) -> tuple[str, ...]:
    return scores.name, *map(show_rate, (scores.wrong, scores.read, scores.named))
