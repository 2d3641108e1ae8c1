"""The chart and the table of ``benchmarks/memory.csv``: ``python -m benchmarks.memory_chart``.

It draws the curves over frames of many sizes as ``docs/images/memory-light.svg`` and ``-dark.svg``, and prints the
conditions of all curves as the table of the page on security; a test holds both to the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from benchmarks.home_page import FONT, IMAGES, THEMES, WIDTH
from benchmarks.memory_curves import CURVES, WARM_UP, Curve, kept_curves
from platereader._files import write_text

TITLE: Final = "Resident memory over frames of many sizes, MB"

# What tells the lines apart on both grounds, in the order of the file.
_COLOURS = ("#3f8fd0", "#d0703f", "#3fa060", "#a060c0", "#b09020", "#c04060", "#5090a0", "#808080")
_HEIGHT, _TOP, _ROW, _LEFT = 220, 34, 22, 48
_STEPS = (1, 2, 5)


def chart(theme: str, curves: Sequence[Curve]) -> str:
    """An SVG picture of the curves over frames of many sizes; ``theme`` is ``light`` or ``dark``."""
    shown = [curve for curve in curves if curve.conditions.kind == "sizes"]
    ink, line, _ = THEMES[theme]
    bottom = _TOP + _HEIGHT
    height = bottom + 30 + _ROW * len(shown)
    style = f'font-family="sans-serif" font-size="{FONT}" fill="{ink}" role="img"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" {style}>',
        f"<title>{escape(TITLE)}</title>",
        f'<text y="16" font-weight="bold">{escape(TITLE)}</text>',
    ]
    most_frames = max(frame for curve in shown for frame, _ in curve.points)
    most_mb = max(mb for curve in shown for _, mb in curve.points)
    x_scale, y_scale = (WIDTH - _LEFT - 8) / most_frames, _HEIGHT / (1.05 * most_mb)
    lines += _grid(most_frames, most_mb, scales=(x_scale, y_scale), colour=line)
    for number, curve in enumerate(shown):
        colour = _COLOURS[number % len(_COLOURS)]
        places = (f"{_LEFT + frame * x_scale:.1f},{bottom - mb * y_scale:.1f}" for frame, mb in curve.points)
        lines.append(f'<polyline points="{" ".join(places)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        y = bottom + 30 + _ROW * number
        lines.append(f'<rect y="{y + 5}" width="24" height="4" fill="{colour}"/>')
        lines.append(f'<text x="32" y="{y + 12}">{escape(label(curve))}</text>')
    return "\n".join([*lines, "</svg>", ""])


def label(curve: Curve) -> str:
    """What stands beside a line of the chart."""
    of = curve.conditions
    return f"{of.engine} {of.precision}: {curve.points[-1][1]:.0f} MB, {curve.grown_mb():+.1f} after {WARM_UP:,}"


def _grid(most_frames: int, most_mb: float, *, scales: tuple[float, float], colour: str) -> Iterator[str]:
    bottom = _TOP + _HEIGHT
    for mb in _ticks(1.05 * most_mb):
        y = bottom - mb * scales[1]
        yield f'<path d="M{_LEFT} {y:.1f}H{WIDTH}" stroke="{colour}"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 5:.1f}" text-anchor="end">{mb}</text>'
    for frame in _ticks(most_frames):
        x = _LEFT + frame * scales[0]
        anchor = "end" if frame == most_frames else "middle"
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="{anchor}">{frame}</text>'


def _ticks(most: float) -> list[int]:
    """Round numbers from 0 to the most, five or less."""
    step = next(step * 10**power for power in range(12) for step in _STEPS if most / (step * 10**power) < 5)
    return list(range(0, int(most) + 1, step))


def table(curves: Sequence[Curve]) -> str:
    """The conditions of all curves, and how much each grew, as the table of the page."""
    lines = ["| what | engine, precision | threads | frames | last frame, MB | growth after the first 1,000, MB |"]
    lines.append("|---|---|---|---|---|---|")
    for curve in curves:
        of = curve.conditions
        what = f"{of.sizes} sizes up to {of.largest_px} px" if of.kind == "sizes" else "a stream of one size"
        cells = (what, f"{of.engine} {of.precision}", of.threads, f"{of.frames:,}")
        lines.append(f"| {' | '.join(map(str, cells))} | {curve.points[-1][1]:.0f} | {curve.grown_mb():.1f} |")
    return "\n".join(lines)


def main() -> None:
    curves = kept_curves(CURVES)
    for theme in THEMES:
        write_text(IMAGES / f"memory-{theme}.svg", chart(theme, curves))
    print(table(curves))
    for what in dict.fromkeys(f"{one.conditions.processor}; {one.conditions.weights}" for one in curves):
        print(what)


if __name__ == "__main__":
    main()
