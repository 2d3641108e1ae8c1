"""The table of the live page in a real browser: spelling, order, search, export, and the end in every tab."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone

from fakes import frame_with, patch_pipeline
from platereader import Box, StreamUpdate, TrackedPlate
from platereader.cli.watch.events import Started
from platereader.cli.watch.live_state import LiveState
from platereader.cli.watch.server import LivePage
from webdriver import Browser

FRAME = frame_with({50: Box(40, 60, 120, 80), 100: Box(150, 100, 230, 120)})
PLATES = "[...document.querySelectorAll('.plate .text')].map(cell => cell.textContent)"
ORDER = "[...document.querySelectorAll('.plate')].map(row => Number(row.id.slice(6)))"
SEARCH = """
document.getElementById("search").value = "{}";
document.getElementById("search").dispatchEvent(new Event("input"));
return """
# What a download holds, as bytes; it is not written to disk.
EXPORT = """
let found = null;
URL.createObjectURL = blob => (found = blob, "#");
document.getElementById("export").click();
const bytes = new Uint8Array(await found.arrayBuffer());
return [...bytes];
"""


def seen() -> tuple[TrackedPlate, ...]:
    """A123BC77 as passages 1, 3 and 4, M555KE199 as 2: 3 is uncertain, 4 unreadable, both have more readings."""
    stream = patch_pipeline().stream()
    for index in range(3):
        update = stream.update(FRAME, index / 10)
    one, other = sorted(update.active, key=lambda plate: plate.passage_id)
    unsure = replace(one.verdict, status="uncertain", reason="low_confidence", confidence=0.5)
    unreadable = replace(
        unsure, text=None, text_local=None, status="unreadable", reason="nothing_legible", country=None
    )
    return (
        one,
        other,
        replace(one, passage_id=3, verdict=unsure, readings=7),
        replace(one, passage_id=4, verdict=unreadable, readings=5),
    )


@contextmanager
def opened(browser: Browser) -> Generator[LivePage, None, None]:
    """A page with four plates, which the browser shows."""
    plates = seen()
    now = datetime(2026, 11, 28, 8, tzinfo=timezone.utc)
    state = LiveState(is_listed=lambda plate: True)
    state.begin(Started("gate", live=True, started_at=now, first_frame_at=now, fps=None, frame_count=None, version=""))
    state.show(FRAME, StreamUpdate(0.3, plates[:2], plates[2:]))
    with LivePage(state, on_stop=lambda: None) as page:
        browser.open(page.url)
        browser.wait_for("document.querySelectorAll('.plate').length === 4")
        yield page


def test_the_table(browser: Browser) -> None:
    with opened(browser):
        assert browser.run(f"return {PLATES}") == ["М555КЕ199", "А123ВС77", "—", "А123ВС77"]
        rows = "[...document.querySelectorAll('.plate')].map(row => row.innerText.replaceAll(/\\s+/g, ' '))"
        sure, _, unreadable, unsure = browser.run(f"return {rows}")
        assert "M555KE199 RU read 99 %" in sure
        assert sure.endswith("Moscow")
        assert "unreadable" in unreadable
        assert "uncertain 50 % low confidence" in unsure
        assert "Moscow" not in unsure
        assert browser.complaints() == []


def test_sorting_by_column(browser: Browser) -> None:
    with opened(browser):
        assert browser.run(f"return {ORDER}") == [2, 1, 4, 3]
        for heading, order, again in (
            ("Plate", [1, 3, 2, 4], [2, 1, 3, 4]),
            ("Answer", [1, 2, 3, 4], [4, 3, 2, 1]),
            ("Readings", [3, 4, 2, 1], [2, 1, 4, 3]),
        ):
            column = browser.run(
                f"return [...document.querySelectorAll('th')].findIndex(head => head.textContent === '{heading}') + 1"
            )
            button = f"th:nth-child({column}) button"
            browser.click(button)
            assert browser.run(f"return {ORDER}") == order, heading
            time.sleep(0.5)
            assert browser.run(f"return {ORDER}") == order, "the next state puts them back"
            browser.click(button)
            assert browser.run(f"return {ORDER}") == again, heading
            assert browser.run("return document.querySelectorAll('th[aria-sort]').length") == 1
            browser.click(button)
            assert browser.run(f"return {ORDER}") == [2, 1, 4, 3], heading


def test_search(browser: Browser) -> None:
    found = {
        "a123": [1, 3],
        "а 123 вс": [1, 3],
        "moscow": [2, 1],
        "low conf": [3],
        "ru": [2, 1, 3],
        "zzz": [],
        "": [2, 1, 4, 3],
    }
    with opened(browser):
        for wanted, order in found.items():
            assert browser.run(SEARCH.format(wanted) + ORDER) == order, wanted
            assert browser.run("return document.getElementById('export').disabled") == (order == [])
            assert browser.run("return document.getElementById('empty').offsetParent !== null") == (order == [])
            assert browser.run("return document.getElementById('count').textContent").endswith("4 plates")


def test_export_of_the_shown_rows(browser: Browser) -> None:
    with opened(browser):
        browser.run(SEARCH.format("a123") + "null")
        document = bytes(browser.run(EXPORT)).decode()
    assert document.splitlines()[0] == (
        "\ufeffid,text_local,text,confidence,status,reason,settled,country,region,readings,"
        "first_seen_s,last_seen_s,first_seen_at,last_seen_at,source"
    )
    first, second = document.splitlines()[1:]
    assert first.startswith("1,А123ВС77,A123BC77,0.99")
    assert first.endswith("3,0,0.2,2026-11-28T08:00:00.000+00:00,2026-11-28T08:00:00.200+00:00,gate")
    assert second.startswith("3,А123ВС77,A123BC77,0.5,uncertain,low_confidence,")
    assert document.endswith("\r\n")


def test_no_cell_is_a_formula(browser: Browser) -> None:
    cells = {
        "=1+1": "'=1+1",
        "+1": "'+1",
        "-1": "'-1",
        "@A1": "'@A1",
        "\t=1": "'\t=1",
        'a,"b"': '"a,""b"""',
        '=a,"b"': '"\'=a,""b"""',
        "a\nb": '"a\nb"',
        "A1=": "A1=",
    }
    with opened(browser):
        assert browser.run(f"return {json.dumps(list(cells))}.map(cell)") == list(cells.values())


def test_every_tab_says_that_the_run_has_stopped(browser: Browser) -> None:
    with opened(browser) as page:
        browser.run("setTimeout = () => 0;")  # as in a tab that has been hidden for long
        others = [browser.open_tab(page.url) for _ in range(2)]
        for tab in others:
            browser.show_tab(tab)
            browser.wait_for("document.querySelectorAll('.plate').length === 4")
            browser.run("fetch = () => new Promise(() => 0);")  # it can only hear of the end from another tab
        time.sleep(1.3)  # what had begun in them is over
        page.state.stop()
        page.wait_until_delivered(3.0)
    for tab in others:
        browser.show_tab(tab)
        browser.wait_for("document.getElementById('phase').textContent === 'stopped'", timeout_s=2.0)


def test_a_phone_needs_no_scrolling_sideways(browser: Browser) -> None:
    browser.resize(360, 740)
    try:
        with opened(browser):
            assert browser.run("return innerWidth") == 360
            for shown in ("document.documentElement", "document.getElementById('list')"):
                assert browser.run(f"return {shown}.scrollWidth - {shown}.clientWidth") == 0, shown
            assert browser.run("return document.querySelector('.plate .text').getBoundingClientRect().right") < 360
    finally:
        browser.resize(0, 0)
