"""The one check at the border."""

import numpy as np
import pytest

from platereader import InvalidImageError
from platereader._arrays import check_image


def test_good_picture_passes_unchanged() -> None:
    frame = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert check_image(frame) is frame


def test_strided_picture_becomes_contiguous() -> None:
    frame = np.arange(240, dtype=np.uint8).reshape(8, 10, 3)[::2, ::-2]
    checked = check_image(frame)
    assert checked.flags.c_contiguous
    np.testing.assert_array_equal(checked, frame)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (np.zeros((4, 4, 3), np.float32), "uint8"),
        (np.zeros((4, 4, 3), np.uint16), "uint8"),
        (np.zeros((4, 4), np.uint8), "GRAY2BGR"),
        (np.zeros((4, 4, 4), np.uint8), "BGRA2BGR"),
        (np.zeros((0, 4, 3), np.uint8), "1 to"),
        (np.zeros((1, 32_001, 3), np.uint8), "1 to"),
        ([[1, 2, 3]], "numpy"),
        ("photo.jpg", "numpy"),
        (None, "numpy"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_way_out(frame: object, says: str) -> None:
    with pytest.raises(InvalidImageError, match=says):
        check_image(frame, name="frames[3]")


def test_error_names_the_argument() -> None:
    with pytest.raises(InvalidImageError, match=r"frames\[3\]"):
        check_image(np.zeros((2, 2), np.uint8), name="frames[3]")
