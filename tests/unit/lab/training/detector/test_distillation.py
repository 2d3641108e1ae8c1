from __future__ import annotations

import numpy as np
import pytest
import torch
from detector_outputs import FakeRuntime, Wanted, encode
from torch import Tensor

from platereader.lab.training.detector.distillation import Teacher
from platereader.lab.training.detector.loss import Targets

_SIZE = (96, 160)
_BOX = (40.0, 30.0, 100.0, 52.0)
_CORNERS = np.array([[42, 30], [100, 34], [99, 52], [40, 47]], np.float32)
_SEEN = Wanted(_BOX, _CORNERS, logit=4.0)


def _outputs(*plates: Wanted) -> tuple[Tensor, Tensor, Tensor]:
    sides, classes, offsets = (torch.from_numpy(part)[None] for part in encode(plates, size=_SIZE))
    return sides, classes, offsets


def _targets(*, plates: int = 1, ignored: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)) -> Targets:
    return Targets(
        boxes=torch.tensor([_BOX])[None] * plates,
        lines=torch.zeros((1, 1), dtype=torch.int64),
        corners=torch.from_numpy(_CORNERS)[None, None],
        has_corners=torch.ones(1, 1),
        is_plate=torch.full((1, 1), bool(plates)),
        ignored=torch.tensor([[ignored]]),
    )


def _loss(*student: Wanted, targets: Targets, shown: tuple[Wanted, ...] = (_SEEN,)) -> float:
    teacher = Teacher(FakeRuntime(encode(shown, size=_SIZE)), sha256="0" * 64)
    return float(teacher.loss(_outputs(*student), torch.zeros(1, 3, *_SIZE), targets))


def test_who_answers_as_the_teacher_has_nothing_to_learn() -> None:
    assert _loss(_SEEN, targets=_targets()) == pytest.approx(0, abs=1e-4)


def test_a_plate_that_only_the_teacher_sees_costs() -> None:
    assert _loss(targets=_targets()) > 1


@pytest.mark.parametrize(
    "other",
    [
        Wanted(_BOX, _CORNERS + np.float32(3), logit=4.0),
        Wanted((36.0, 30.0, 104.0, 52.0), _CORNERS, logit=4.0),
        Wanted(_BOX, _CORNERS, logit=1.0),
        Wanted(_BOX, _CORNERS, logit=4.0, line_class=1),
    ],
    ids=["corners", "sides", "score", "lines"],
)
def test_every_difference_costs(other: Wanted) -> None:
    assert _loss(other, targets=_targets()) > 0.05


def test_the_teacher_is_not_followed_where_the_labels_rule_a_plate_out() -> None:
    assert _loss(targets=_targets(plates=0)) == pytest.approx(0, abs=0.01)


def test_the_teacher_is_followed_where_nothing_is_known() -> None:
    assert _loss(targets=_targets(plates=0, ignored=(0.0, 0.0, 160.0, 96.0))) > 1


def test_a_find_that_the_teacher_does_not_make_costs() -> None:
    assert _loss(_SEEN, targets=_targets(plates=0), shown=()) > 1
