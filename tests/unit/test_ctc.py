from __future__ import annotations

import numpy as np
import pytest

from platereader import _ctc as ctc
from platereader._arrays import LogProbs
from platereader.errors import InvalidArgumentError


def spelling(path: list[int], *, classes: int = 4, sure: float = 0.97) -> LogProbs:
    """Posteriors that put ``sure`` on one path."""
    probabilities = np.full((len(path), classes), (1 - sure) / (classes - 1))
    probabilities[np.arange(len(path)), path] = sure
    return np.asarray(np.log(probabilities), np.float32)


def test_no_labels_and_no_texts() -> None:
    log_probs = spelling([0, 0, 0])
    assert np.exp(ctc.log_prob(log_probs, [])) == pytest.approx(0.97**3, rel=1e-4)
    assert ctc.character_posteriors(log_probs[None], [[]])[0].shape == (0,)
    assert ctc.character_posteriors(log_probs[None][:0], []) == []


def test_sums_below_what_floats_hold_are_done_in_logarithms() -> None:
    log_probs = spelling([0, 1, 0, 2, 0, 0] * 10)
    texts = [[1, 2] * 10, [3] * 20, [3] * 40, [1, 2]]
    lower = log_probs - 12.0  # P is 1e-313 and less
    expected = ctc.log_prob_table(log_probs[None], ctc.padded(texts)[None])[0] - 12.0 * len(log_probs)
    assert ctc.log_prob_table(lower[None], ctc.padded(texts)[None])[0] == pytest.approx(expected, abs=1e-2)
    assert expected[0] > -730 > expected[1] > expected[2] == -np.inf


def test_what_is_impossible_has_no_sure_character() -> None:
    log_probs = np.full((3, 4), -800.0, np.float32)
    log_probs[:, 1] = 0.0
    assert ctc.character_posteriors(log_probs[None], [[2, 3, 2]])[0].tolist() == [0.0, 0.0, 0.0]
    assert (
        ctc.character_posteriors(log_probs[None], [[1, 2, 3, 1]])[0].tolist() == [0.0] * 4
    )  # of more characters than steps


@pytest.mark.parametrize(("path", "expected"), [([1], 0.97), ([0, 2], 0.01), ([1, 0, 0, 0, 1], 0.97)])
def test_a_class_is_emitted_within_three_steps(path: list[int], expected: float) -> None:
    rest = 1 - (1 - 0.01) ** (min(len(path), 3) - 1) * (1 - expected)
    assert ctc.emitted(spelling(path)[None])[0, 1] == pytest.approx(rest, abs=1e-5)
    assert ctc.emitted(spelling(path, sure=0.99999)[None])[0, path[-1]] == pytest.approx(0.99999, abs=5e-6)


def test_many_texts_of_many_pictures() -> None:
    plates = np.stack([spelling([1, 0, 2, 0]), spelling([0, 3, 3, 0])])
    table = ctc.log_prob_table(plates, np.array([[[1, 2], [3, 0], [0, 0]], [[1, 2], [3, 0], [0, 0]]]))
    for rows, scores in zip(plates, table, strict=True):
        assert scores == pytest.approx([ctc.log_prob(rows, text) for text in ([1, 2], [3], [])])


@pytest.mark.parametrize("labels", [[0], [4], [-1]])
def test_classes_that_are_not_there_are_refused(labels: list[int]) -> None:
    with pytest.raises(InvalidArgumentError, match="labels"):
        ctc.log_prob(spelling([0, 1]), labels)


def test_wrong_shapes_are_refused() -> None:
    log_probs = spelling([0, 1])
    with pytest.raises(InvalidArgumentError, match="T, C"):
        ctc.log_prob(log_probs[None], [1])
    with pytest.raises(InvalidArgumentError, match="log_probs"):
        ctc.character_posteriors(np.stack([log_probs] * 2), [[1], [1], [1]])


def test_blanks_may_be_next_to_impossible() -> None:
    """Sums are in units of the blank, which then no longer is one."""
    log_probs = np.full((9, 4), -120.0, np.float32)
    log_probs[np.arange(9), [1, 2, 3] * 3] = -0.01
    log_probs[4, :] = [-120.0, -1.0, -0.6, -120.0]
    text = [1, 2, 3] * 3
    assert ctc.log_prob(log_probs, text) == pytest.approx(-0.01 * 8 - 0.6)
    sure = ctc.character_posteriors(log_probs[None], [text])[0]
    expected = np.exp(-0.6) / (np.exp(-0.6) + np.exp(-1.0))
    assert sure == pytest.approx([1.0] * 4 + [expected] + [1.0] * 4, abs=1e-6)
