"""A report of the suite ``countries`` as plain text for the terminal."""

from __future__ import annotations

from platereader.lab.suites.countries.report import CountriesReport
from platereader.lab.tables import aligned, described, show_rate

__all__ = ["format_countries"]

_HEAD = ("pictures of", "whole text right", "status read", "wrong and read, of all", "country right, of right texts")


def format_countries(report: CountriesReport) -> str:
    """Groups and what ran as text; rates with counts and 95 % intervals."""
    rows = [
        (one.name, *(show_rate(rate) if rate.n else "" for rate in (one.exact, one.read, one.wrong, one.country)))
        for one in report.scores()
    ]
    blocks = [
        [f"suite of countries: {len(report.readings)} pictures"],
        [described(part) for part in report.parts],
        aligned([_HEAD, *rows]),
    ]
    return "\n\n".join("\n".join(block) for block in blocks)
