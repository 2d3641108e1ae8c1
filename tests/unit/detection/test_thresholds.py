from __future__ import annotations

from far_plates import ShortSighted

from fakes import PatchDetector
from platereader.detection._region import RegionDetector
from platereader.detection._thresholds import min_score_of, with_min_score
from platereader.detection._tiled import TiledDetector

REGION = ((0.0, 0.0), (90.0, 0.0), (90.0, 90.0))


def test_the_threshold_of_a_wrapped_detector_is_that_of_the_inner_one() -> None:
    wrapped = RegionDetector(TiledDetector(ShortSighted(min_score=0.4), tile_px=64, overlap_px=8), REGION)
    assert min_score_of(wrapped) == 0.4
    lowered = with_min_score(wrapped, 0.1)
    assert lowered == RegionDetector(TiledDetector(ShortSighted(min_score=0.1), tile_px=64, overlap_px=8), REGION)
    assert min_score_of(wrapped) == 0.4


def test_a_detector_may_say_itself_how_it_gets_another_threshold() -> None:
    class Own(PatchDetector):
        def __init__(self, min_score: float) -> None:
            super().__init__()
            object.__setattr__(self, "min_score", min_score)

        def with_min_score(self, min_score: float) -> Own:
            return Own(min_score)

    lowered = with_min_score(TiledDetector(Own(0.4)), 0.1)
    assert min_score_of(lowered) == 0.1


def test_a_detector_without_a_threshold_has_none() -> None:
    class Plain(PatchDetector):
        pass

    assert min_score_of(TiledDetector(PatchDetector())) is None
    assert with_min_score(TiledDetector(Plain()), 0.1) is None
    assert with_min_score(object(), 0.1) is None
