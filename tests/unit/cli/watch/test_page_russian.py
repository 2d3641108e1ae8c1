"""The live page in Russian: every word that people read, in every state; the search; the data, which stay English."""

from __future__ import annotations

import argparse
import json
import re
import urllib.error
import urllib.request
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from html.parser import HTMLParser
from importlib import resources
from typing import get_args

import pytest

from fakes import frame_with, patch_pipeline
from platereader import Box, StreamUpdate, TrackedPlate
from platereader.cli.language import Language
from platereader.cli.watch.command import _page
from platereader.cli.watch.events import Started
from platereader.cli.watch.live_state import LiveState, Phase
from platereader.cli.watch.server import LivePage
from platereader.media._drawing import draw_update
from platereader.results import Reason, Status
from webdriver import Browser

RUSSIAN = Language("ru")
FRAME = frame_with({50: Box(40, 60, 120, 80)})
READ_BY_PEOPLE = ("alt", "aria-label", "placeholder", "title")
# All that is shown or told to a screen reader, apart from the data: texts of plates, countries and the name of a file.
SEEN = """
const texts = [document.body.innerText];
for (const element of document.querySelectorAll("body *:not(script)")) {
  for (const name of ["alt", "aria-label", "placeholder", "title"]) texts.push(element.getAttribute(name) ?? "");
}
return texts.join(" ");
"""
DATA = re.compile(r"A123BC77|gate\.mp4|\bRU\b|\bCSV\b")
SEARCH = """
document.getElementById("search").value = "{}";
document.getElementById("search").dispatchEvent(new Event("input"));
return [...document.querySelectorAll(".plate")].map(row => Number(row.id.slice(6)));
"""


class _Texts(HTMLParser):
    """What a document says without its script."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._silent = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent = tag in {"script", "style", "head"} or (self._silent and tag != "body")
        self.found |= {value for name, value in attrs if name in READ_BY_PEOPLE and value}

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.found.add(data.strip())


def passages() -> tuple[TrackedPlate, ...]:
    """A123BC77: read, uncertain for every reason, unreadable."""
    stream = patch_pipeline().stream()
    for index in range(3):
        update = stream.update(FRAME, index / 10)
    (sure,) = update.active
    unsure = replace(sure.verdict, status="uncertain", reason="low_confidence", confidence=0.5)
    reasons = [reason for reason in get_args(Reason) if reason not in {"not_a_plate", "nothing_legible"}]
    unreadable = replace(
        unsure, text=None, text_local=None, status="unreadable", reason="nothing_legible", country=None
    )
    verdicts = [sure.verdict, *(replace(unsure, reason=reason) for reason in reasons), unreadable]
    return tuple(replace(sure, passage_id=index, verdict=verdict) for index, verdict in enumerate(verdicts, 1))


def state_of(name: str, *, frame_count: int | None = None) -> LiveState:
    """Before the first frame of a source."""
    state = LiveState(is_listed=lambda plate: True)
    now = datetime(2026, 11, 28, 8, tzinfo=timezone.utc)
    state.begin(Started(name, frame_count is None, now, now, None, frame_count, ""))
    return state


def english_in(browser: Browser) -> list[str]:
    """Latin words that the page shows and that are no data."""
    return re.findall("[A-Za-z]{2,}", DATA.sub("", str(browser.run(SEEN))))


def test_every_word_of_the_page_has_a_russian_one() -> None:
    html = resources.files("platereader.cli.watch").joinpath("page.html").read_text(encoding="utf-8")
    texts = _Texts()
    texts.feed(html)
    in_page = texts.found - {"platereader"}
    in_script = set(re.findall(r'\bsay\("([^"]+)"', html))
    assert len(in_page) > 8
    assert len(in_script) > 25
    words = {word.replace("_", " ") for word in (*get_args(Status), *get_args(Reason))}
    assert set(RUSSIAN.page_words()) == in_page | in_script | words
    told = [re.sub(r"\{\w+\}|CSV", "", text) for text in RUSSIAN.page_words().values()]
    assert [text for text in told if re.search("[A-Za-z]", text) or not re.search("[А-Яа-я]", text)] == []
    assert Language("en").page_words() == {}


def test_in_every_state(browser: Browser) -> None:
    plates, state = passages(), state_of("gate.mp4", frame_count=9)
    with LivePage(state, on_stop=lambda: None, language=RUSSIAN) as page:
        browser.open(page.url)
        browser.wait_for("document.getElementById('phase').textContent === 'работает'")
        assert browser.run("return document.documentElement.lang") == "ru"
        assert english_in(browser) == []

        state.show(FRAME, StreamUpdate(0.3, plates[:2], plates[2:3]), dropped=2)
        browser.wait_for("document.getElementById('figures').textContent.endsWith('кадр 1 из 9 · отброшено: 2')")
        browser.wait_for("document.getElementById('count').textContent === 'Номеров: 3'")
        assert english_in(browser) == []
        state.show(FRAME, StreamUpdate(0.4, plates[:2], plates[3:]))
        browser.wait_for(f"document.querySelectorAll('.plate').length === {len(plates)}")
        assert english_in(browser) == []
        sure = browser.run("return document.querySelector('#plate-1').innerText.replaceAll(/\\s+/g, ' ')")
        assert "RU прочитан 99 % " in sure
        assert "в кадре" in sure
        assert sure.endswith("Москва")
        browser.run(SEARCH.format("zzz"))
        assert english_in(browser) == []
        state.paused = True
        browser.wait_for("document.getElementById('pause').textContent === 'Продолжить'")
        assert english_in(browser) == []
        state.paused = False
        phases: tuple[tuple[Phase, str], ...] = (("failed", "источник потерян"), ("ended", "видео закончилось"))
        for phase, told in phases:
            state.end(StreamUpdate(1.0, (), ()), phase)
            browser.wait_for(f"document.getElementById('phase').textContent === '{told}'")
            assert browser.run("return document.getElementById('stop').textContent") == "Закрыть"
            assert english_in(browser) == []
        state.stop()
        browser.wait_for("document.getElementById('phase').textContent === 'остановлено'")
        assert english_in(browser) == []
    assert browser.complaints() == []


def test_without_frames_and_without_the_program(browser: Browser) -> None:
    state = state_of("webcam 0")
    with LivePage(state, on_stop=lambda: None, language=RUSSIAN) as page:
        browser.open(page.url)
        browser.wait_for("document.title === 'веб-камера 0 – platereader'")
        state.end(StreamUpdate(0.0, (), ()), "failed")
        browser.wait_for("document.getElementById('note').textContent === 'Кадров не было'")
        assert english_in(browser) == []
        browser.run("fetch = () => Promise.reject(new TypeError())")
        browser.wait_for("document.getElementById('phase').textContent === 'нет связи с программой'")
        assert english_in(browser) == []


def test_the_search_knows_both_languages_and_the_export_stays(browser: Browser) -> None:
    plates, state = passages()[:2], state_of("gate.mp4")
    state.show(FRAME, StreamUpdate(0.3, plates, ()))
    with LivePage(state, on_stop=lambda: None, language=RUSSIAN) as page:
        browser.open(page.url)
        browser.wait_for("document.querySelectorAll('.plate').length === 2")
        for wanted in ("москва", "moscow", "прочитан"):
            assert browser.run(SEARCH.format(wanted)) == [1], wanted
        for wanted in ("сомнит", "uncertain"):
            assert browser.run(SEARCH.format(wanted)) == [2], wanted
        browser.run(SEARCH.format("москва"))
        document = browser.run(
            "let found; URL.createObjectURL = blob => (found = blob, '#');"
            "document.getElementById('export').click(); return found.text();"
        )
    header, row = str(document).splitlines()
    assert header.lstrip("\ufeff").startswith("id,text_local,text,confidence,status,reason,settled,country,region,")
    assert ",read," in row
    assert ",Moscow," in row


def test_a_phone_needs_no_scrolling_sideways(browser: Browser) -> None:
    plates, state = passages(), state_of("gate.mp4", frame_count=900)
    state.show(FRAME, StreamUpdate(0.3, plates[:2], plates[2:]))
    browser.resize(360, 740)
    try:
        with LivePage(state, on_stop=lambda: None, language=RUSSIAN) as page:
            browser.open(page.url)
            browser.wait_for(f"document.querySelectorAll('.plate').length === {len(plates)}")
            for shown in ("document.documentElement", "document.getElementById('list')"):
                assert browser.run(f"return {shown}.scrollWidth - {shown}.clientWidth") == 0, shown
    finally:
        browser.resize(0, 0)


def test_what_a_refused_browser_shows() -> None:
    with LivePage(LiveState(), on_stop=lambda: None, language=RUSSIAN) as page:
        root = page.url.rsplit("/", 2)[0]
        told: dict[str, str] = {}
        for url, host in ((f"{root}/wrong/", "localhost"), (page.url, "evil.example"), (f"{page.url}x", "localhost")):
            request = urllib.request.Request(url, headers={"Host": host})  # noqa: S310
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=10)  # noqa: S310
            with refused.value as answer:
                told[url + host] = answer.read().decode()
                assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert list(told.values()) == [
        "Откройте адрес, который напечатала программа platereader, целиком.\n",
        "Откройте эту страницу по адресу http://127.0.0.1, а не по другому имени.\n",
        "Здесь ничего нет.\n",
    ]


@pytest.mark.parametrize(("lang", "label"), [("ru", "не читается"), ("en", "unreadable")])
def test_the_command_makes_the_page_in_its_language(lang: str, label: str) -> None:
    class Sources:
        def stop(self) -> None: ...

    labels: list[str] = []

    def draw(frame: object, update: StreamUpdate, *, unreadable: str) -> object:
        labels.append(unreadable)
        return frame

    arguments = argparse.Namespace(lang=lang, all=False, port=None)
    page = _page(arguments, Sources(), draw=partial(draw, unreadable=label))  # type: ignore[arg-type]
    page.state.show(FRAME, StreamUpdate(0.3, (), ()))
    page.state.frame_jpeg(0, timeout_s=1.0)
    assert labels == [label]
    assert page.language.code == lang
    page._connections._listener.close()


def test_words_cannot_leave_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Language, "page_words", lambda self: {"Stop": "</script>"})
    page = LivePage(LiveState(), on_stop=lambda: None, language=RUSSIAN)
    with page, urllib.request.urlopen(page.url, timeout=10) as answer:  # noqa: S310
        html = answer.read().decode()
    assert html.count("</script>") == 1
    assert json.loads(html.split("Object.entries(")[1].split("))")[0]) == {"Stop": "</script>"}


def test_an_unreadable_plate_has_the_label_that_is_given() -> None:
    *_, unreadable = passages()
    update = StreamUpdate(0.3, (unreadable,), ())
    assert (draw_update(FRAME, update) != draw_update(FRAME, update, unreadable="не читается")).any()
    assert (draw_update(FRAME, update) == draw_update(FRAME, update, unreadable="unreadable")).all()
