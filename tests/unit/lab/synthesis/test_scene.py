import math

import cv2
import numpy as np
import pytest

from platereader._arrays import BgrImage
from platereader._geometry import Box, Quad, iou
from platereader.errors import InvalidArgumentError
from platereader.lab.synthesis.foreign.plates import render_foreign
from platereader.lab.synthesis.paste import paste_plate, random_front, replace_plate, set_plate
from platereader.lab.synthesis.pose import PoseRange, corners_of, homography, random_quad
from platereader.lab.synthesis.render import Front
from platereader.lab.synthesis.scene import Scene, ScenePlate
from platereader.lab.synthesis.street import generated_street


def _front(width: int = 230, height: int = 50) -> Front:
    """Dark bars at irregular places: shifts and flips are seen in a correlation."""
    pixels = np.full((height, width, 3), 244, np.uint8)
    for left, top, wide, tall in (
        (12, 10, 9, 30),
        (40, 14, 20, 8),
        (90, 6, 5, 38),
        (110, 26, 40, 12),
        (190, 8, 14, 20),
    ):
        cv2.rectangle(pixels, (left, top), (left + wide, top + tall), (20, 20, 20), -1)
    return Front(pixels, lines=1)


def _photograph(width: int = 420, height: int = 320, level: int = 130) -> BgrImage:
    rng = np.random.default_rng(1)
    small = np.clip(rng.normal(level, 25, (9, 12, 3)), 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _likeness(scene: Scene, plate: ScenePlate, front: Front) -> float:
    """Correlation of the front, within its rim, with what the reported corners cut out of the scene."""
    assert plate.corners is not None
    size = (front.pixels.shape[1], front.pixels.shape[0])
    matrix = homography(plate.corners.to_array(), corners_of(size))
    seen = np.asarray(cv2.warpPerspective(scene.pixels, matrix, size), np.float64)
    pair = [picture.mean(axis=2)[4:-4, 4:-4].ravel() for picture in (seen, front.pixels)]
    return float(np.corrcoef(pair[0], pair[1])[0, 1])


def test_a_pasted_plate_is_where_its_corners_say() -> None:
    photograph, front = _photograph(), _front()
    before = photograph.copy()
    likeness: list[float] = []
    for seed in range(60):
        scene = paste_plate(Scene(photograph), front=front, rng=np.random.default_rng(seed))
        if scene.plates[0].quad.width > 130:
            likeness.append(_likeness(scene, scene.plates[0], front))
    assert len(likeness) > 11
    assert float(np.median(likeness)) > 0.9
    assert np.array_equal(photograph, before)


def test_a_shift_of_a_few_pixels_would_be_seen() -> None:
    front = _front()
    scene = set_plate(
        Scene(_photograph()),
        front=front,
        corners=np.array([(100, 100), (290, 104), (288, 150), (102, 146)], np.float32),
        rng=np.random.default_rng(0),
        wear=0.0,
    )
    plate = scene.plates[0]
    assert plate.corners is not None
    moved = ScenePlate(plate.box, Quad.from_points(plate.corners.to_array() + np.array((5, 0), np.float32)))
    assert _likeness(scene, plate, front) > 0.95 > 0.85 > _likeness(scene, moved, front)


def test_pasting_keeps_the_plates_that_are_there() -> None:
    scene, rng = Scene(_photograph(800, 600)), np.random.default_rng(3)
    for _ in range(6):
        scene = paste_plate(scene, front=random_front(rng, height_px=40), rng=rng)
    assert len(scene.plates) >= 4
    for index, plate in enumerate(scene.plates):
        assert all(iou(plate.box, other.box) == 0 for other in scene.plates[:index])
        assert plate.quad.is_convex


def test_a_full_picture_is_returned_unchanged() -> None:
    full = Scene(_photograph(), (ScenePlate(Box(0, 0, 420, 320)),))
    assert paste_plate(full, front=_front(), rng=np.random.default_rng(0)) is full


def test_a_plate_is_toned_like_what_is_around_it() -> None:
    means: list[float] = []
    for level in (30, 200):
        photograph = _photograph(level=level)
        scenes = [paste_plate(Scene(photograph), front=_front(), rng=np.random.default_rng(s)) for s in range(10)]
        quads = [scene.plates[0].box for scene in scenes]
        means.append(
            float(
                np.mean([s.pixels[round(b.center[1]), round(b.center[0])] for s, b in zip(scenes, quads, strict=True)])
            )
        )
    assert means[1] > means[0] + 30


def _car() -> tuple[Scene, Quad]:
    """A photograph with a pink plate with dark bars, colours that are nowhere else."""
    photograph = _photograph()
    quad = Quad((120.0, 150.0), (300.0, 158.0), (299.0, 199.0), (121.0, 190.0))
    cv2.fillConvexPoly(photograph, quad.to_array().astype(np.int32), (220, 90, 220))
    for left in range(140, 280, 24):
        cv2.rectangle(photograph, (left, 164), (left + 8, 184), (60, 10, 60), -1)
    return Scene(photograph, (ScenePlate(quad.box, quad, 1),)), quad


def test_a_replaced_plate_covers_the_real_one_and_is_where_it_says() -> None:
    scene, quad = _car()
    before = scene.pixels.copy()
    front = _front()
    likeness: list[float] = []
    for seed in range(12):
        made = replace_plate(scene, index=0, front=front, rng=np.random.default_rng(seed))
        outline = made.plates[0].quad
        assert all(cv2.pointPolygonTest(outline.to_array(), point, True) > -0.5 for point in quad.points)
        assert iou(outline.box, quad.box) > 0.6
        likeness.append(_likeness(made, made.plates[0], front))
    assert float(np.median(likeness)) > 0.9
    assert np.array_equal(scene.pixels, before)


def test_a_replaced_plate_keeps_the_tone_of_the_real_one() -> None:
    scene, quad = _car()
    x, y = (round(value) for value in quad.box.center)
    blank = Front(np.full((50, 230, 3), 245, np.uint8), lines=1)
    seen = [replace_plate(scene, index=0, front=blank, rng=np.random.default_rng(s)).pixels[y, x] for s in range(9)]
    assert np.abs(np.median(seen, axis=0) - np.array((220, 90, 220))).max() < 30


def test_a_two_line_plate_takes_the_middle_of_a_long_one_and_hides_it() -> None:
    scene, quad = _car()
    square = Front(np.full((100, 170, 3), 230, np.uint8), lines=2)
    made = replace_plate(scene, index=0, front=square, rng=np.random.default_rng(0))
    new = made.plates[0]
    assert new.lines == 2
    assert new.corners is not None
    assert new.corners.width / new.corners.height == pytest.approx(1.7, rel=0.1)
    assert math.dist(new.box.center, quad.box.center) < 4
    old_corner = made.pixels[160:185, 126:140].astype(float)
    assert np.abs(old_corner - np.array((220.0, 90.0, 220.0))).mean() > 30


def test_a_box_without_corners_can_be_replaced() -> None:
    scene = Scene(_photograph(), (ScenePlate(Box(100, 100, 240, 134)),))
    made = replace_plate(scene, index=0, front=_front(), rng=np.random.default_rng(0))
    assert made.plates[0].corners is not None
    assert iou(made.plates[0].box, scene.plates[0].box) > 0.7


def test_only_the_chosen_plate_is_replaced() -> None:
    first, second = ScenePlate(Box(20, 30, 120, 55)), ScenePlate(Box(200, 200, 330, 230))
    made = replace_plate(Scene(_photograph(), (first, second)), index=1, front=_front(), rng=np.random.default_rng(0))
    assert made.plates[0] == first
    assert made.plates[1] != second


@pytest.mark.parametrize("what", ["paste", "replace", "street"])
def test_the_same_rng_gives_the_same_scene(what: str) -> None:
    def make() -> Scene:
        rng = np.random.default_rng(8)
        if what == "street":
            return generated_street(rng, size_px=(320, 200), fronts=[_front()])
        scene, _ = _car()
        if what == "paste":
            return paste_plate(scene, front=random_front(rng, height_px=40), rng=rng)
        return replace_plate(scene, index=0, front=random_front(rng, height_px=40), rng=rng)

    first, second = make(), make()
    assert np.array_equal(first.pixels, second.pixels)
    assert first.plates == second.plates


def test_fronts_are_of_both_kinds_and_some_are_foreign() -> None:
    rng = np.random.default_rng(0)
    fronts = [random_front(rng, height_px=20, foreign_share=0.5) for _ in range(40)]
    assert {1, 2} <= {front.lines for front in fronts}
    assert all(front.pixels.dtype == np.uint8 and front.pixels.ndim == 3 for front in fronts)
    aspects = {1: 1.1, 2: 0.9, None: np.inf}
    assert all(front.pixels.shape[1] / front.pixels.shape[0] > aspects[front.lines] for front in fronts)


def test_a_foreign_front_has_the_lines_that_were_drawn() -> None:
    drawn = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rng.random()  # the draw that decides for a foreign one
        drawn.append(render_foreign(rng, height_px=24))
        front = random_front(np.random.default_rng(seed), height_px=24, foreign_share=1.0)
        assert np.array_equal(front.pixels, drawn[-1].pixels)
        assert front.lines == drawn[-1].lines
    assert {plate.lines for plate in drawn} == {1, 2}


def test_a_generated_street_carries_every_plate_in_sight() -> None:
    front = _front()
    scene = generated_street(np.random.default_rng(2), size_px=(800, 450), fronts=[front, front])
    assert scene.pixels.shape == (450, 800, 3)
    assert len(scene.plates) == 2
    assert all(plate.box.x1 >= 0 and plate.box.x2 <= 800 and plate.box.y2 <= 450 for plate in scene.plates)
    assert max(_likeness(scene, plate, front) for plate in scene.plates) > 0.8
    nearest = scene.plates[-1].quad
    assert nearest.width > scene.plates[0].quad.width


def test_no_plate_of_a_street_is_too_far_away_to_be_read() -> None:
    square = Front(np.full((170, 290, 3), 230, np.uint8), lines=2)
    for seed in range(10):
        fronts = [_front(), square, (square, _front())[seed % 2]]
        scene = generated_street(np.random.default_rng(seed), size_px=(320, 180), fronts=fronts)
        assert len(scene.plates) == 3
        assert min(plate.quad.width for plate in scene.plates) >= 20 * 320 / 1280


def test_a_street_has_no_room_for_a_crowd() -> None:
    with pytest.raises(InvalidArgumentError, match="no room"):
        generated_street(np.random.default_rng(0), size_px=(200, 120), fronts=[_front()] * 12)


def test_a_street_without_plates_is_empty() -> None:
    scene = generated_street(np.random.default_rng(2), size_px=(200, 120))
    assert scene.plates == ()
    assert scene.pixels.std() > 15


def test_views_are_convex_and_run_clockwise() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        quad = Quad.from_points(random_quad(520 / 112, width_px=100, pose=PoseRange(steep_share=1.0), rng=rng))
        assert quad.is_convex
        assert 40 < quad.width < 140


def test_a_view_from_the_front_is_the_plate_itself() -> None:
    still = PoseRange(yaw_deg=(0, 0), pitch_deg=(0, 0), roll_deg=(0, 0), steep_share=0.0)
    quad = random_quad(4.0, width_px=80, pose=still, rng=np.random.default_rng(0))
    assert np.allclose(quad, [(-40, -10), (40, -10), (40, 10), (-40, 10)], atol=1e-3)
