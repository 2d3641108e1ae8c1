"""Tracks to fit fusion on."""

import numpy as np

from platereader._geometry import Quad
from platereader.lab.datasets.plates import RealPlate
from platereader.lab.synthesis.render import render_plate
from platereader.lab.synthesis.tracks import Track, random_track
from platereader.plates import DEFAULT_SCHEMES, RUSSIA


def plate(country: str | None = None) -> RealPlate:
    front = render_plate("A123BC77", RUSSIA.layout("standard"), height_px=48, rng=np.random.default_rng(0)).pixels
    height, width = front.shape[:2]
    pixels = np.full((2 * height, 2 * width, 3), 90, np.uint8)
    left, top = width // 2, height // 2
    pixels[top : top + height, left : left + width] = front
    corners = np.array(
        [(left, top), (left + width, top), (left + width, top + height), (left, top + height)], np.float32
    )
    return RealPlate(pixels, corners, 1, "A123BC77", "one.jpg", country)


def track(severity: float, seed: int) -> Track:
    return random_track([plate()], severity=severity, rng=np.random.default_rng(seed))


def test_one_seed_makes_one_track() -> None:
    first, again, other = track(0.5, 3), track(0.5, 3), track(0.5, 4)
    assert (first.text, len(first.observations)) == (again.text, len(again.observations))
    assert all(np.array_equal(a.frame, b.frame) for a, b in zip(first.observations, again.observations, strict=True))
    assert first.observations[0].frame.shape != other.observations[0].frame.shape


def test_frames_of_a_track_differ_and_show_the_plate_where_they_say() -> None:
    for seed in range(12):
        seen = track(0.2, seed)
        assert 4 <= len(seen.observations) <= 30
        assert not np.array_equal(seen.observations[0].frame, seen.observations[1].frame)
        for frame, detection in seen.observations:
            height, width = frame.shape[:2]
            assert isinstance(detection.corners, Quad)
            assert detection.box.clipped(width, height) == detection.box
            assert detection.corners.width > 15


def test_half_of_the_tracks_show_another_text_than_the_photograph() -> None:
    texts = [track(0.1, seed).text for seed in range(40)]
    assert 8 < texts.count("A123BC77") < 32
    assert all(DEFAULT_SCHEMES.fit(text).legal for text in texts if "?" not in text)


def test_something_stands_before_one_end_of_a_tenth_of_the_tracks() -> None:
    texts = [track(0.1, seed).text for seed in range(120)]
    hidden = [text for text in texts if "?" in text]
    assert 3 <= len(hidden) <= 24
    at_an_end = [text for text in hidden if text.startswith("?") or text.endswith("?")]
    assert len(at_an_end) > len(hidden) / 2  # of a plate of two lines, what is hidden may be within the text


def test_a_plate_of_another_country_keeps_its_text() -> None:
    rng = np.random.default_rng(0)
    texts = [random_track([plate("KZ")], severity=0.1, rng=rng).text for _ in range(30)]
    assert sum(text == "A123BC77" for text in texts) >= 24


def test_some_plates_stand_still_and_are_found_with_the_same_error_in_all_frames() -> None:
    still = [
        widths.std() < 0.02 * widths.mean()
        for seed in range(60)
        for widths in [np.array([one.detection.box.width for one in track(0.0, seed).observations])]
    ]
    assert 4 <= sum(still) <= 24


def test_severe_tracks_are_seen_from_farther_and_lose_contrast() -> None:
    easy, hard = ([track(severity, seed) for seed in range(12)] for severity in (0.0, 1.0))

    def median(tracks: list[Track], of: str) -> float:
        observations = [observation for one in tracks for observation in one.observations]
        if of == "width":
            widths = [one.detection.corners.width for one in observations if one.detection.corners]
            return float(np.median(widths))
        return float(np.median([observation.frame.std() for observation in observations]))

    assert median(hard, "width") < 0.7 * median(easy, "width")
    assert median(hard, "contrast") < 0.8 * median(easy, "contrast")
