import numpy as np

from platereader.lab.training.detector.hard_negatives import with_distractors, without_plates
from platereader.lab.training.detector.tiles import LabelledScene, box_points


def _scene(boxes: list[tuple[float, float, float, float]]) -> LabelledScene:
    rng = np.random.default_rng(0)
    pixels = np.full((240, 320, 3), 120, np.uint8)
    rows = np.array(boxes, np.float32).reshape(-1, 4)
    for x1, y1, x2, y2 in rows.astype(int).tolist():
        pixels[y1:y2, x1:x2] = rng.integers(0, 2, (y2 - y1, x2 - x1, 1)) * 255
    count = len(rows)
    return LabelledScene(
        pixels,
        rows,
        np.zeros(count, np.int64),
        box_points(rows),
        np.ones(count, np.bool_),
        np.array([(10, 10, 60, 40)], np.float32),
    )


def test_erased_plates_leave_no_label_and_no_number() -> None:
    scene = _scene([(60, 80, 160, 104), (200, 150, 280, 170)])
    for seed in range(10):
        empty = without_plates(scene, rng=np.random.default_rng(seed))
        assert len(empty.boxes) == len(empty.lines) == len(empty.corners) == len(empty.has_corners) == 0
        assert np.array_equal(empty.ignored, scene.ignored)
        for x1, y1, x2, y2 in scene.boxes.astype(int).tolist():
            steps = np.diff(empty.pixels[y1:y2, x1:x2, 1].astype(float), axis=1)
            assert float(np.median(np.abs(steps))) < 12
            assert (empty.pixels[y1:y2, x1:x2] != scene.pixels[y1:y2, x1:x2]).any()


def test_distractors_keep_the_labels_and_change_other_places() -> None:
    scene = _scene([(60, 80, 160, 104)])
    changed = 0
    for seed in range(20):
        made = with_distractors(scene, most=3, rng=np.random.default_rng(seed))
        assert np.array_equal(made.boxes, scene.boxes)
        assert np.array_equal(made.corners, scene.corners)
        assert np.array_equal(made.pixels[80:104, 60:160], scene.pixels[80:104, 60:160])
        assert np.array_equal(made.pixels[10:40, 10:60], scene.pixels[10:40, 10:60])
        changed += int((made.pixels != scene.pixels).any())
    assert changed > 10
