"""Rectification from a box alone, on plates whose corners are known."""

import math
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest
from warped_plates import TWO_LINES, flat_plate, street, tilted

from platereader import Box, Detection, Quad
from platereader._arrays import BgrImage
from platereader.lab.datasets import is_calibration, load_dataset
from platereader.lab.synthesis.holders import add_holder
from platereader.lab.synthesis.render import render_plate
from platereader.media._images import read_image
from platereader.plates import RUSSIA
from platereader.rectification._contour import ContourRectifier, _fit_sides, _lettering_slope, _with_rim, find_outline
from platereader.rectification._layout import rectify_box, rectify_quad


def error_percent(found: Quad, true: Quad) -> float:
    """Mean corner distance in per cent of plate width."""
    return 25 * sum(math.dist(a, b) for a, b in zip(found.points, true.points, strict=True)) / true.width


@pytest.mark.parametrize("angle_deg", [-22, -9, 0, 5, 16])
@pytest.mark.parametrize("dark", [False, True])
def test_finds_the_corners_of_a_warped_plate(angle_deg: float, *, dark: bool) -> None:
    quad = tilted((320, 240), width=180, aspect=520 / 112, angle_deg=angle_deg, turn=0.1)
    frame = street(flat_plate(dark=dark), quad, rng=np.random.default_rng(int(abs(angle_deg))))
    found = find_outline(frame, quad.box.padded(4, 3))
    assert found is not None
    assert error_percent(found, quad) < 3


def barred(quad: Quad) -> BgrImage:
    """A dark frame with a light field, without a rim and with bars in the place of letters."""
    plate = np.full((112, 520, 3), 230, np.uint8)
    plate[30:82, np.arange(520) // 25 % 2 == 1] = 30
    size = round(quad.box.x2) + 60, round(quad.box.y2) + 60
    flat = np.array([(0, 0), (520, 0), (520, 112), (0, 112)], np.float32) - np.float32(0.5)
    matrix = cv2.getPerspectiveTransform(flat, quad.to_array() - np.float32(0.5))
    frame = cv2.warpPerspective(plate, matrix, size, flags=cv2.INTER_AREA, borderValue=(60, 60, 60))
    return cast(BgrImage, frame)


@pytest.mark.parametrize("angle_deg", [-10, 0, 6])
@pytest.mark.parametrize("width_px", [110, 224, 900])
def test_the_outline_of_an_even_field_is_exact_but_for_the_rim(width_px: int, angle_deg: float) -> None:
    quad = tilted((width_px, width_px / 2), width=width_px, aspect=520 / 112, angle_deg=angle_deg)
    found = find_outline(barred(quad), quad.box)
    assert found is not None
    assert error_percent(found, quad) < 1.0
    assert math.dist(found.to_array().mean(axis=0), quad.to_array().mean(axis=0)) < 0.002 * width_px


def test_the_edge_of_the_metal_is_taken_where_the_box_goes_as_far() -> None:
    field, metal = Quad.from_box(Box(5.5, 5.5, 514.5, 106.5)), Quad.from_box(Box(0, 0, 520, 112))
    assert _with_rim(field, metal.box).to_array() == pytest.approx(metal.to_array(), abs=1e-3)
    assert _with_rim(field, field.box) == field
    turned = tilted((320, 240), width=509, aspect=509 / 101, angle_deg=12)
    whole = _with_rim(turned, tilted((320, 240), width=520, aspect=520 / 112, angle_deg=12).box)
    assert whole.to_array() == pytest.approx(
        tilted((320, 240), width=520, aspect=520 / 112, angle_deg=12).to_array(), abs=1e-2
    )


def test_sides_are_fitted_to_the_outline_between_its_corners() -> None:
    quad = tilted((320, 240), width=180, aspect=520 / 112, angle_deg=5)
    corners = quad.to_array().astype(np.float64)
    along = np.linspace(0.08, 0.92, 60)[:, None, None]  # corners are round
    outline = corners * (1 - along) + np.roll(corners, -1, axis=0) * along
    outline[24:28, 2] += 3.0  # a screw at the lower side
    rough = Quad.from_points(corners + np.array([(2, -1), (-3, 1), (-2, -2), (3, 1)]))
    assert error_percent(_fit_sides(outline.reshape(-1, 2), rough), quad) < 0.2 < error_percent(rough, quad)


def test_two_line_plate() -> None:
    quad = tilted((320, 240), width=140, aspect=290 / 170, angle_deg=10)
    frame = street(flat_plate(TWO_LINES), quad, rng=np.random.default_rng(1))
    found = find_outline(frame, quad.box)
    assert found is not None
    assert error_percent(found, quad) < 4
    (plate,) = ContourRectifier().rectify(frame, [Detection(quad.box, 0.9)])
    assert plate.lines == 2
    assert np.array_equal(plate.pixels, rectify_quad(frame, found, 2).pixels)
    (wide,) = ContourRectifier(margin=0.5).rectify(frame, [Detection(quad.box, 0.9, lines=1)])
    assert wide.lines == 1
    assert np.array_equal(wide.pixels, rectify_quad(frame, found, 1, margin=0.5).pixels)


def test_a_box_without_anything_is_padded() -> None:
    frame = np.full((200, 300, 3), 128, np.uint8)
    box = Box(50, 50, 200, 90)
    assert find_outline(frame, box) is None
    (plate,) = ContourRectifier().rectify(frame, [Detection(box, 0.9)])
    assert np.array_equal(plate.pixels, rectify_box(frame, box).pixels)
    assert ContourRectifier().rectify(frame, [Detection(box, 0.9, lines=2)])[0].lines == 2


def test_an_outline_that_is_not_convincing_enough_is_not_taken() -> None:
    quad = Quad.from_box(Box(200, 200, 380, 239))
    frame = street(flat_plate(), quad, rng=np.random.default_rng(3))
    assert find_outline(frame, quad.box) is not None
    assert find_outline(frame, quad.box, min_score=1.0) is None


@pytest.mark.parametrize("slope", [0.15, -0.15, 0.0, 0.4, -0.4])
def test_without_an_outline_the_box_is_sheared_as_the_lettering_is(slope: float) -> None:
    y, x = np.mgrid[:170, :300]
    lettering = np.abs(y - 85 - slope * (x - 150)) < 8
    frame = np.full((170, 300, 3), 100, np.uint8)
    frame[lettering & (x // 4 % 2 == 0)] += 5  # too faint for an outline
    found = find_outline(frame, Box(50, 60, 250, 110))
    if abs(slope) != 0.15:  # the box is as good, or the parallelogram would be thinner than the lettering
        assert found is None
        return
    left, right = max(-slope, 0.0) * 200, max(slope, 0.0) * 200
    expected = np.array([(50, 60 + left), (250, 60 + right), (250, 110 - left), (50, 110 - right)])
    assert found is not None
    assert found.to_array() == pytest.approx(expected, abs=5.1)


@pytest.mark.parametrize("half", [slice(0, 110), slice(110, 220)])
@pytest.mark.parametrize("slope", [-0.15, 0.0, 0.15])
def test_lettering_says_its_slope_wherever_it_stands(slope: float, half: slice) -> None:
    y, x = np.mgrid[:80, :220]
    lettering = (np.abs(y - 40 - slope * (x - 110)) < 8) & (x // 4 % 2 == 0)
    grey = np.full((80, 220), 100, np.uint8)
    grey[:, half][lettering[:, half]] = 200
    assert _lettering_slope(grey, Box(0, 0, 220, 80)) == pytest.approx(slope, abs=0.04)


def test_something_without_four_sides_breaks_nothing() -> None:
    frame = np.full((200, 400, 3), 60, np.uint8)
    cv2.fillPoly(frame, [np.array([(100, 80), (300, 80), (100, 124)], np.int32)], (230, 230, 230))
    (plate,) = ContourRectifier().rectify(frame, [Detection(Box(100, 80, 301, 125), 0.9)])
    assert plate.pixels.shape[0] == 64


def test_tiny_and_outside_boxes_have_no_outline() -> None:
    frame = np.random.default_rng(2).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    assert find_outline(frame, Box(10, 10, 18, 14)) is None
    assert find_outline(frame, Box(295, 190, 500, 260)) is None
    assert find_outline(frame, Box(400, 300, 500, 330)) is None
    assert find_outline(frame, Box(0, 100, 300, 110)) is None
    assert find_outline(frame, Box(100, 0, 113, 200)) is None


def test_real_photographs_come_out_straighter_than_their_boxes(shared_data: Path) -> None:
    images = load_dataset(shared_data / "data" / "train" / "russian").images
    rng = np.random.default_rng(3)
    boxes: list[float] = []
    outlines: list[float] = []
    for image in [one for one in images if is_calibration(one.path)][:24]:
        plate = image.plates[0]
        if plate.corners is None or plate.box_quality == "loose":
            continue
        true = plate.corners
        x, y = rng.normal(0, 0.02, 2) * true.box.width, rng.normal(0, 0.06, 2) * true.box.height
        box = Box(true.box.x1 + x[0], true.box.y1 + y[0], true.box.x2 + x[1], true.box.y2 + y[1])
        boxes.append(error_percent(Quad.from_box(box), true))
        outlines.append(error_percent(find_outline(read_image(image.path), box) or Quad.from_box(box), true))
    assert len(boxes) > 15
    assert np.mean(outlines) < 0.9 * np.mean(boxes)
    assert np.median(outlines) < 3.2


@pytest.mark.parametrize("seed", [8, 15, 18, 26, 29, 36, 39])
def test_a_tight_box_is_not_taken_apart_at_the_line_before_the_region(seed: int) -> None:
    rng = np.random.default_rng(seed)
    front = render_plate("A123BC77", RUSSIA.layout("standard"), height_px=30, rng=rng).pixels
    framed, corners = add_holder((front * 0.5).astype(np.uint8), rng=rng, light=0.5)
    frame = np.full((framed.shape[0] + 80, framed.shape[1] + 120, 3), 60, np.uint8)
    frame[40 : 40 + framed.shape[0], 60 : 60 + framed.shape[1]] = framed
    quad = Quad.from_points(corners + np.array((60, 40)))
    found = find_outline(frame, quad.box)
    assert found is None or found.box.width > 0.9 * quad.box.width
