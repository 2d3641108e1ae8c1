"""Pictures of the documentation that the library makes itself: ``python -m benchmarks.home_page charts|clip|gallery``.

``charts`` draws the figures of the README and of the page on speed; a test holds the drawn ones to those. ``clip``
moves a window over an example picture and has ``platereader watch`` draw on it. ``gallery`` runs the page of that name.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path
from xml.sax.saxutils import escape

import cv2
import numpy as np

from platereader.media import read_image

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS = REPOSITORY / "docs"
IMAGES = DOCS / "images"
THEMES = {"light": ("#1f2328", "#d0d7de", "#3f6fb5"), "dark": ("#e3e6ea", "#4a505c", "#4a78bd")}

# The beginning of a row of the README, and what the chart calls it.
ACCURACY = {
    "end to end: whole text right, any status": ("photographs of Russian cars", "снимки российских машин"),
    "whole text right among readings of status `read`": (
        "the same, readings of status read",
        "из них со статусом read",
    ),
    "Russian lorries, parked rows, fixed cameras: whole": (
        "lorries, parked rows, fixed cameras",
        "грузовики, ряды машин",
    ),
    "plate 60 px wide in 1280 x 720": ("plates 60 px wide in 1280 x 720", "номер 60 px в кадре 1280 x 720"),
    "plates of Kazakhstan, Ukraine and Armenia": ("Kazakhstan, Ukraine, Armenia", "Казахстан, Украина, Армения"),
    "everything bad at once, whole text right": ("all kinds of damage at once", "все помехи сразу"),
    "passages in hard video": ("hard video, frames fused", "трудное видео, кадры вместе"),
}
TITLES = {
    "accuracy": ("Whole text right, %, with 95 % intervals", "Весь текст верен, %, с интервалами 95 %"),
    "speed": (
        "Milliseconds for a frame with three plates",
        "Миллисекунд на кадр с тремя номерами",
    ),
}
LANGUAGES = ("en", "ru")

# The pages show a chart this wide, or as wide as a phone, which is little less: so labels stand above the bars.
WIDTH, FONT, ROW, TOP = 440, 15, 48, 34
FPS, SIZE = 15, (800, 450)
PICTURE = "examples/pictures/street-1.jpg"
# Middle and width of the window in pixels of the picture, 2.5 s apart.
PATH = ((640, 360, 1280), (520, 440, 800), (760, 460, 800), (860, 420, 900), (640, 360, 1280))


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart: where it ends, its interval if it has one, and what stands beside it."""

    label: str
    value: float
    note: str
    interval: tuple[float, float] | None = None


def table_rows(page: Path) -> Iterator[list[str]]:
    """The cells of every row of the tables on a page."""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def accuracy(language: int) -> list[Bar]:
    """What the table of the README says of the chosen rows."""
    rows = [row for row in table_rows(REPOSITORY / "README.md") if len(row) == 5]
    bars: list[Bar] = []
    for beginning, labels in ACCURACY.items():
        _, value, interval, n, _ = next(row for row in rows if row[0].startswith(beginning))
        low, high = map(float, interval.split("–"))
        bars.append(Bar(labels[language], float(value.rstrip(" %")), f"{value.rstrip(' %')}  (n {n})", (low, high)))
    return bars


def speed(language: int) -> list[Bar]:
    """What the first table of the page on speed says of each engine; the labels are the same in all languages."""
    rows = [
        row for row in table_rows(DOCS / "explanation" / "speed.md") if len(row) == 9 and row[0] != "engine, precision"
    ]
    names = [re.sub(r"\*\*|, which is .*", "", row[0]) for row in rows]
    return [Bar(name, float(row[1]), row[1]) for name, row in zip(names, rows, strict=True)]


CHARTS = {"accuracy": accuracy, "speed": speed}


def chart(name: str, language: str, theme: str) -> str:
    """An SVG picture of a chart.

    Args:
        name: ``accuracy`` or ``speed``.
        language: ``en`` or ``ru``.
        theme: ``light`` or ``dark``: what it stands on.
    """
    number = LANGUAGES.index(language)
    return _drawn(TITLES[name][number], CHARTS[name](number), THEMES[theme])


def _drawn(title: str, bars: Sequence[Bar], colours: tuple[str, str, str]) -> str:
    ink, line, fill = colours
    top = 100.0 if bars[0].interval else max(bar.value for bar in bars)
    height = TOP + ROW * len(bars)
    style = f'font-family="sans-serif" font-size="{FONT}" fill="{ink}" role="img"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" {style}>',
        f"<title>{escape(title)}</title>",
        f'<text y="16" font-weight="bold">{escape(title)}</text>',
    ]
    for number, bar in enumerate(bars):
        lines += _row(bar, y=TOP + ROW * number, scale=WIDTH / top, colours=(line, fill, ink))
    return "\n".join([*lines, "</svg>", ""])


def _row(bar: Bar, *, y: int, scale: float, colours: tuple[str, str, str]) -> Iterator[str]:
    line, fill, ink = colours
    yield f'<text y="{y + 15}">{escape(bar.label)}</text>'
    yield f'<text x="{WIDTH}" y="{y + 15}" text-anchor="end">{escape(bar.note)}</text>'
    yield f'<rect y="{y + 22}" width="{WIDTH}" height="16" fill="{line}" opacity="0.35"/>'
    yield f'<rect y="{y + 22}" width="{bar.value * scale:.1f}" height="16" fill="{fill}"/>'
    if bar.interval is not None:
        low, high = (edge * scale for edge in bar.interval)
        path = f"M{low:.1f} {y + 30}H{high:.1f}M{low:.1f} {y + 25}v10M{high:.1f} {y + 25}v10"
        yield f'<path d="{path}" stroke="{ink}" fill="none"/>'


def write_charts() -> None:
    """All charts, in both languages and on both grounds."""
    for kind in product(CHARTS, LANGUAGES, THEMES):
        (IMAGES / f"{'-'.join(kind)}.svg").write_text(chart(*kind), encoding="utf-8")


def windows() -> Iterator[tuple[float, float, float]]:
    """Middle and width of the window for each frame; it slows down at the places of the path."""
    count = int(2.5 * FPS)
    for start, end in pairwise(PATH):
        for step in range(count):
            share = step / count
            smooth = share * share * (3 - 2 * share)
            x, y, width = (one + (other - one) * smooth for one, other in zip(start, end, strict=True))
            yield x, y, width


def write_clip() -> None:
    """A window of the picture moves; ``platereader watch`` follows the plates and draws them."""
    from platereader.cli import main as command

    picture = read_image(REPOSITORY / PICTURE)
    height, width = picture.shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        for index, (x, y, window) in enumerate(windows()):
            scale, half_width, half_height = SIZE[0] / window, window / 2, window * SIZE[1] / SIZE[0] / 2
            left = min(max(x, half_width), width - half_width)
            top = min(max(y, half_height), height - half_height)
            shift = np.array([[scale, 0, SIZE[0] / 2 - scale * left], [0, scale, SIZE[1] / 2 - scale * top]])
            method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
            cv2.imwrite(f"{folder}/{index:04}.png", cv2.warpAffine(picture, shift, SIZE, flags=method))
        command(["watch", folder, "--fps", str(FPS), "--save", str(IMAGES / "clip.mp4"), "--quality", "26"])


def write_gallery() -> None:
    """Run the page; the pictures that its programs write go to ``docs/images/gallery``."""
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    (IMAGES / "gallery").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "examples").symlink_to(REPOSITORY / "examples")
        os.chdir(folder)
        names: dict[str, object] = {}
        for code in re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
            exec(compile(code, "gallery.md", "exec"), names)  # noqa: S102
        for picture in Path(folder).glob("*.jpg"):
            (IMAGES / "gallery" / picture.name).write_bytes(picture.read_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    makers = {"charts": write_charts, "clip": write_clip, "gallery": write_gallery}
    parser.add_argument("what", choices=makers)
    makers[parser.parse_args().what]()


if __name__ == "__main__":
    main()
