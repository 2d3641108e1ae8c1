"""The one check at the border."""

import numpy as np

from platereader._arrays import check_image


def test_good_picture_passes_unchanged() -> None:
    frame = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert check_image(frame) is frame


def test_strided_picture_becomes_contiguous() -> None:
    frame = np.arange(240, dtype=np.uint8).reshape(8, 10, 3)[::2, ::-2]
    checked = check_image(frame)
    assert checked.flags.c_contiguous
    np.testing.assert_array_equal(checked, frame)
