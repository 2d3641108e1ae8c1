"""The suite of countries shows what it says, is the same every time, and counts what it should."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from fakes import patch_pipeline
from platereader.lab.suites.countries import CountryReading, GroupScores, evaluate_countries, format_countries
from platereader.lab.synthesis.countries import GROUPS, Group, pictures
from platereader.lab.synthesis.crops import PlateSample
from platereader.plates import Schemes
from platereader.plates._defaults import COUNTRIES
from platereader.results import Status

BY_NAME = {group.name: group for group in GROUPS}


def first(name: str, count: int = 4) -> list[PlateSample]:
    return list(islice(pictures(BY_NAME[name]), count))


def test_the_same_pictures_come_every_time() -> None:
    again = zip(first("KZ", 3), first("KZ", 3), strict=True)
    assert all(a.text == b.text and np.array_equal(a.pixels, b.pixels) for a, b in again)


@pytest.mark.parametrize("name", ["UA", "MD", "AM, shared texts", "AZ, shared texts"])
def test_plates_are_whole_and_of_their_country(name: str) -> None:
    code = name[:2]
    for made in first(name, 3):
        assert made.country == code
        assert Schemes(tuple(one for one in COUNTRIES if one.country == code)).fit(made.text, lines=made.lines).legal


def test_shared_texts_fit_another_country() -> None:
    others = Schemes(tuple(one for one in COUNTRIES if one.country != "BY"))
    assert all(others.fit(made.text, lines=made.lines).legal for made in first("BY, shared texts", 3))
    assert not all(others.fit(made.text, lines=made.lines).legal for made in first("BY", 3))


def test_plates_of_other_countries_can_have_the_text_of_a_russian_taxi() -> None:
    russia = Schemes(tuple(one for one in COUNTRIES if one.country == "RU"))
    made = first("other countries, texts of Russian taxis", 3)
    assert [one.country for one in made] == [""] * 3
    assert all(russia.fit(one.text).format == "taxi" for one in made)


def wrong(text: str, country: str, read_text: str, read_country: str, *, status: Status = "read") -> bool:
    return CountryReading("one", text, country, read_text, read_country, status, None).wrong


def test_what_is_wrong() -> None:
    assert not wrong("A1", "KZ", "A1", "KZ")
    assert wrong("A1", "KZ", "A2", "KZ")
    assert wrong("A1", "KZ", "A1", "RU")
    assert not wrong("A1", "KZ", "A1", "RU", status="uncertain")
    assert wrong("A1", "", "A1", "RU")  # a Polish plate taken for a Russian taxi
    assert not wrong("A1", "", "A1", "XX")
    assert wrong("", "", "A1", "RU")  # no plate at all


def test_scores_leave_out_what_has_no_text() -> None:
    lettering = [CountryReading("lettering", "", "", "A1", "RU", "read", None)] * 3
    scores = GroupScores.of("lettering", lettering)
    assert (scores.exact.n, scores.country.n, scores.wrong.count, scores.read.n) == (0, 0, 3, 3)


def test_a_run_reads_every_picture_and_counts_it() -> None:
    groups = (replace(BY_NAME["MD"], count=3), Group("lettering", 2, is_plate=False), replace(BY_NAME["scenery"]))
    steps: list[None] = []
    report = evaluate_countries(patch_pipeline(), groups=groups, on_picture=lambda: steps.append(None))
    assert len(report.readings) == len(steps) == 5
    assert [one.name for one in report.scores()] == ["MD", "lettering"]  # no scenery without backgrounds
    assert report.scores()[0].exact.n == 3
    assert report.to_dict()["scores"][1]["read"]["n"] == 2
    assert "lettering" in format_countries(report)


def test_scenery_is_cut_out_of_the_backgrounds() -> None:
    scene = np.full((200, 300, 3), (200, 10, 10), np.uint8)
    made = next(pictures(BY_NAME["scenery"], backgrounds=[scene]))
    assert made.text == ""
    assert made.pixels[..., 0].mean() > made.pixels[..., 1].mean()
