import numpy as np
import pytest

from platereader._arrays import BgrImage
from platereader._geometry import Box, Quad
from platereader.lab.synthesis import signs
from platereader.lab.synthesis.distractors import _KINDS, coloured, paste_distractors  # pyright: ignore[reportPrivateUsage]
from platereader.lab.synthesis.scene import Scene, ScenePlate


def _grey(level: int = 120, size: tuple[int, int] = (240, 320)) -> BgrImage:
    return np.full((*size, 3), level, np.uint8)


def _plate(x1: float, y1: float, x2: float, y2: float) -> ScenePlate:
    box = Box(x1, y1, x2, y2)
    return ScenePlate(box, Quad.from_box(box), 1)


def test_plates_and_kept_areas_stay_as_they_are() -> None:
    plate, kept = _plate(120, 100, 200, 118), Box(20, 20, 80, 60)
    changed = 0
    for seed in range(40):
        scene = Scene(_grey(), (plate,))
        made, _ = paste_distractors(scene, count=4, rng=np.random.default_rng(seed), kept_clear=[kept])
        assert made.plates == scene.plates
        assert (made.pixels[100:118, 120:200] == 120).all()
        assert (made.pixels[20:60, 20:80] == 120).all()
        assert (scene.pixels == 120).all()
        changed += int((made.pixels != 120).any())
    assert changed > 35


def test_places_are_where_the_picture_changed_and_do_not_meet() -> None:
    for seed in range(30):
        made, places = paste_distractors(Scene(_grey()), count=3, rng=np.random.default_rng(seed))
        outside = np.ones(made.pixels.shape[:2], bool)
        for place in places:
            # Its holder, blur and the outline of letters reach a little further.
            margin = 0.3 * place.height + 8
            rows = slice(max(0, int(place.y1 - margin)), int(place.y2 + margin) + 1)
            outside[rows, max(0, int(place.x1 - margin)) : int(place.x2 + margin) + 1] = False
        assert (made.pixels[outside] == 120).all()
        for first in range(len(places)):
            for second in range(first):
                a, b = places[first], places[second]
                assert a.x2 <= b.x1 or b.x2 <= a.x1 or a.y2 <= b.y1 or b.y2 <= a.y1


def test_a_full_picture_gets_nothing() -> None:
    made, places = paste_distractors(Scene(_grey(), (_plate(0, 0, 320, 240),)), count=5, rng=np.random.default_rng(0))
    assert places == ()
    assert (made.pixels == 120).all()


def test_the_same_seed_gives_the_same_picture() -> None:
    first, second = (paste_distractors(Scene(_grey()), count=5, rng=np.random.default_rng(4))[0] for _ in range(2))
    assert np.array_equal(first.pixels, second.pixels)


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.draw.__name__)
@pytest.mark.parametrize("size", [(6, 6), (6, 40), (30, 14), (60, 240), (300, 300)])
def test_every_kind_draws_at_any_size(kind: object, size: tuple[int, int]) -> None:
    draw = next(each.draw for each in _KINDS if each is kind)
    seen: list[float] = []
    for seed in range(12):
        cutout = draw(size, rng=np.random.default_rng(seed))
        assert cutout.pixels.dtype == np.uint8
        assert cutout.pixels.ndim == 3
        if cutout.cover is not None:
            assert cutout.cover.shape == cutout.pixels.shape[:2]
            seen.append(float(cutout.cover.std()))
        else:
            assert cutout.pixels.shape[:2] == size
            seen.append(float(cutout.pixels.std()))
    if min(size) >= 60:
        assert max(seen) > 10


def test_no_line_is_a_number_of_a_plate() -> None:
    rng = np.random.default_rng(0)
    for write in (signs.line, signs.caption, signs.cyrillic_words, signs.outlined_words):
        for _ in range(500):
            for part in write(rng).split():
                code = part.isalnum() and any(map(str.isdigit, part)) and any(map(str.isalpha, part))
                assert not code


def test_grey_photographs_get_colours_and_coloured_ones_stay() -> None:
    ramp = np.repeat(np.linspace(0, 255, 320).astype(np.uint8)[None, :, None], 240, 0).repeat(3, 2)
    tinted = [coloured(ramp, rng=np.random.default_rng(seed)) for seed in range(8)]
    spread = [float(np.ptp(picture.astype(np.int16), axis=2).mean()) for picture in tinted]
    assert min(spread) > 2
    assert all(float(np.corrcoef(picture.mean(2)[0], ramp[0, :, 0])[0, 1]) > 0.9 for picture in tinted)
    blue = _grey()
    blue[..., 0] = 250
    assert coloured(blue, rng=np.random.default_rng(0)) is blue
