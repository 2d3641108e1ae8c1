"""Training samples for the reader: one plate as the rectifier would hand it over, rendered or from a photograph."""

from __future__ import annotations

import bisect
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader.errors import InvalidArgumentError
from platereader.lab.datasets.plates import RealPlate
from platereader.lab.synthesis import capture
from platereader.lab.synthesis.camera import apply_steps
from platereader.lab.synthesis.capture import CropProfile
from platereader.lab.synthesis.fields import pick
from platereader.lab.synthesis.label import Tokens, mark_of, text_of, tokens_of
from platereader.lab.synthesis.layout import layout_of
from platereader.lab.synthesis.legibility import Window, character_boxes, still_clear
from platereader.lab.synthesis.lettering import Lettering
from platereader.lab.synthesis.neighbours import NEIGHBOUR_FORMAT_WEIGHTS, NEIGHBOURS, any_region
from platereader.lab.synthesis.pose import random_quad
from platereader.lab.synthesis.render import render_plate
from platereader.plates import DEFAULT_SCHEMES, ILLEGIBLE, RUSSIA, PlateLayout, PlateScheme, Schemes
from platereader.rectification._layout import join_lines
from platereader.results import Lines, PlateImage

FORMAT_WEIGHTS: Mapping[str, float] = {
    "standard": 62.0,
    "standard_two_line": 6.0,
    "taxi": 5.0,
    "trailer": 5.0,
    "motorcycle": 3.0,
    "moped": 1.0,
    "tractor": 2.0,
    "off_road": 1.0,
    "military": 8.0,
    "police": 8.0,
    "diplomatic": 3.0,
    "transit": 3.0,
}
"""How often each group of types is shown, by the start of the name; rare ones far above their share on the road."""

_POPULOUS_CODES = (
    "77", "97", "99", "177", "197", "199", "777", "797", "799", "977",
    "50", "90", "150", "190", "750", "790", "250", "550", "78", "98", "178", "198",
    "23", "93", "123", "193", "66", "96", "196", "16", "116", "716", "02", "102", "702",
    "74", "174", "774", "63", "163", "763", "61", "161", "761", "54", "154", "59", "159",
    "24", "124", "52", "152", "34", "134",
)  # fmt: skip
"""Codes of the most populous subjects, which most cars carry (see ``platereader.plates.RUSSIA``)."""

_UNKNOWN_SHARE = 0.08


@dataclass(frozen=True, slots=True)
class PlateSample:
    """One plate, rectified, uint8 ``(H, W, 3)`` BGR; two lines are not yet joined.

    ``tokens`` are what the reader is taught to say of it; see ``label``. ``format_name`` is empty for a plate of no
    type, ``country`` where it is not known.
    """

    pixels: BgrImage
    lines: Lines
    tokens: Tokens = ()
    format_name: str = ""
    country: str = ""

    @property
    def text(self) -> str:
        """What can be read of it: Latin look-alikes, ``?`` for a run that is hidden, cut off or of another alphabet."""
        return text_of(self.tokens)

    @property
    def plate(self) -> PlateImage:
        """As the recognizer gets it: two lines are joined to one."""
        return PlateImage(self.pixels if self.lines == 1 else join_lines(self.pixels), self.lines)


def plate_sample(
    rng: np.random.Generator,
    *,
    profile: CropProfile | None = None,
    backgrounds: Sequence[BgrImage] = (),
    scheme: PlateScheme = RUSSIA,
) -> PlateSample:
    """Draw a plate, put it before a camera and cut it out as the pipeline would, at the profile's size for its lines.

    ``backgrounds`` are photographs to cut surroundings from, uint8 (H, W, 3) BGR; without any they are made up. The
    ``scheme`` needs layouts; ``neighbours.random_scheme`` draws one.
    """
    profile = profile or CropProfile()
    layout = random_layout(rng, scheme=scheme)
    text = random_text(layout, rng=rng, scheme=scheme)
    lines = layout.line_count
    aspect = layout.plate_format.size_mm[0] / layout.plate_format.size_mm[1]
    width_px = capture.camera_width_px(rng, profile=profile) * (1.0 if lines == 1 else 0.6)
    lettering = profile.lettering if rng.random() < 0.5 else None
    clean = _front(text, layout, height_px=width_px / aspect, lettering=lettering, rng=rng)
    front = apply_steps(clean, steps=profile.camera.surface, rng=rng)
    boxes: Sequence[Window] = character_boxes(text, layout)
    legible = still_clear(clean, front, boxes)
    quad = random_quad(aspect, width_px=width_px, pose=profile.pose, rng=rng)
    picture, quad = capture.place_on_background(front, quad=quad, backgrounds=backgrounds, rng=rng)
    picture, quad, boxes, shown = capture.hide_some(picture, quad=quad, boxes=boxes, profile=profile, rng=rng)
    picture = apply_steps(picture, steps=profile.camera.view, rng=rng)
    pixels, inside = capture.cut_plate(picture, quad=quad, boxes=boxes, lines=lines, profile=profile, rng=rng)
    seen = capture.Visible(tuple(legible)).both(shown).both(inside)
    mark = mark_of(scheme.country, layout, text)
    tokens = tokens_of(text, legible=seen.legible, ends=seen.ends, mark=mark)
    return PlateSample(pixels, lines, tokens, layout.name, scheme.country)


def jitter_real(plate: RealPlate, *, rng: np.random.Generator, profile: CropProfile | None = None) -> PlateSample:
    """Cut a labelled plate out of a photograph with wrong corners, fewer pixels and other light than it has."""
    profile = profile or CropProfile()
    lines = plate.lines
    picture, quad = capture.crop_around(plate.pixels, corners=np.asarray(plate.corners, np.float32))
    true_width_px = float(np.linalg.norm(quad[1] - quad[0]))
    width_px = capture.camera_width_px(rng, profile=profile) * (1.0 if lines == 1 else 0.6)
    if rng.random() < 0.5 or true_width_px > profile.camera_width_px[1]:
        scale = min(1.0, width_px / true_width_px)
        if rng.random() < 0.5:
            scale = min(1.0, max(scale, capture.SIZES_PX[lines][0] / true_width_px))
        picture = cast(BgrImage, cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        quad = quad * np.float32(scale)
    country = plate.country or DEFAULT_SCHEMES.fit(plate.text, lines=lines).country or ""
    schemes = tuple(scheme for scheme in (RUSSIA, *NEIGHBOURS) if scheme.country == country)
    layout = layout_of(plate.text, lines=lines, schemes=Schemes.of(schemes))
    boxes: Sequence[Window] = () if layout is None else character_boxes(plate.text, layout)
    picture, quad, boxes, shown = capture.hide_some(picture, quad=quad, boxes=boxes, profile=profile, rng=rng)
    picture = apply_steps(picture, steps=profile.photograph, rng=rng)
    pixels, inside = capture.cut_plate(picture, quad=quad, boxes=boxes, lines=lines, profile=profile, rng=rng)
    seen, mark = shown.both(inside), None if layout is None else mark_of(country, layout, plate.text)
    legible = seen.legible or tuple(char != ILLEGIBLE for char in plate.text)
    tokens = tokens_of(plate.text, legible=legible, ends=seen.ends, mark=mark)
    return PlateSample(pixels, lines, tokens, "" if layout is None else layout.name, country)


# ---------------------------------------------------------------- what is printed


def random_layout(rng: np.random.Generator, *, scheme: PlateScheme = RUSSIA) -> PlateLayout:
    """A random plate type.

    The longest start of its name that has a weight counts, and the types of a group share its weight evenly. Types of
    no group are not drawn.

    Raises:
        InvalidArgumentError: the scheme has no layouts.
    """
    if not scheme.layouts:
        raise InvalidArgumentError(f"scheme is that of {scheme.country}, which has no layouts: give it some.")
    weights = FORMAT_WEIGHTS if scheme is RUSSIA else NEIGHBOUR_FORMAT_WEIGHTS
    shares = _cumulative_shares(tuple(weights.items()), tuple(layout.name for layout in scheme.layouts))
    return scheme.layouts[min(bisect.bisect_right(shares, rng.random()), len(scheme.layouts) - 1)]


@functools.lru_cache(maxsize=64)
def _cumulative_shares(weights: tuple[tuple[str, float], ...], names: tuple[str, ...]) -> tuple[float, ...]:
    starts = [max((start for start, _ in weights if name.startswith(start)), key=len, default=None) for name in names]
    by_start = dict(weights)
    each = [0.0 if start is None else by_start[start] / starts.count(start) for start in starts]
    return tuple(float(share) for share in np.cumsum(each) / sum(each))


def random_text(layout: PlateLayout, *, rng: np.random.Generator, scheme: PlateScheme = RUSSIA) -> str:
    """A random text of one of the scheme's layouts.

    A few have a region code that is not in use, which keeps the reader from learning the list. Of Russian plates, half
    have any code in use, and most others a common one.
    """
    choice = rng.random()
    region = None  # any one in use
    if scheme is not RUSSIA:
        region = any_region(layout.plate_format, rng=rng) if choice < _UNKNOWN_SHARE else None
    elif layout.plate_format.has_region and choice >= 1 - _UNKNOWN_SHARE:
        region = f"{int(rng.integers(1, 100)):02d}" if rng.random() < 0.4 else str(int(rng.integers(100, 1000)))
    elif layout.plate_format.has_region and choice >= 0.5:
        region = pick(_POPULOUS_CODES, rng=rng)
    return scheme.sample_text(layout.plate_format, rng=rng, region=region)


def _front(
    text: str, layout: PlateLayout, *, height_px: float, lettering: Lettering | None, rng: np.random.Generator
) -> BgrImage:
    """Render a clean front at a little more than ``height_px``.

    Only two heights are rendered, because the renderer keeps its glyphs by size; the rest is shrinking.
    """
    target_px = 1.3 * height_px
    rendered = (32 if target_px <= 32 else 64) * layout.line_count
    front = render_plate(text, layout, height_px=rendered, rng=rng, lettering=lettering).pixels
    scale = target_px / rendered
    if scale > 0.7:
        return front
    # Averaging areas costs six times as much as interpolation and only pays where pixels would be skipped.
    interpolation = cv2.INTER_LINEAR if scale > 0.5 else cv2.INTER_AREA
    return cast(BgrImage, cv2.resize(front, None, fx=scale, fy=scale, interpolation=interpolation))
