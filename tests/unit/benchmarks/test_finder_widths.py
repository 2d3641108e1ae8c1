"""What a teacher teaches in the study of finders."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from benchmarks.finder_widths import distillation_loss, state_of  # noqa: E402  after what it needs


def test_nothing_is_nearer_to_the_teacher_than_what_it_says() -> None:
    generator = torch.Generator().manual_seed(0)
    taught = torch.randn((2, 1, 30), generator=generator), torch.randn((2, 4, 30), generator=generator)
    least = distillation_loss(taught, taught)
    for scores, sides in ((0.5, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.0, -0.5)):
        assert distillation_loss((taught[0] + scores, taught[1] + sides), taught) > least + 0.01


def test_sides_count_where_the_teacher_sees_a_plate() -> None:
    scores = torch.tensor([[[9.0, -9.0]]])
    sides = torch.zeros((1, 4, 2))
    at_plate, elsewhere = sides.clone(), sides.clone()
    at_plate[..., 0] = elsewhere[..., 1] = 1.0
    least = distillation_loss((scores, sides), (scores, sides))
    assert distillation_loss((scores, at_plate), (scores, sides)) > least + 1.0
    assert distillation_loss((scores, elsewhere), (scores, sides)) < least + 0.01


def test_each_finder_has_its_own_weights() -> None:
    tensors = {"students.wide.stem": torch.ones(1), "students.narrow.stem": torch.zeros(1)}
    assert state_of(tensors, "wide") == {"stem": tensors["students.wide.stem"]}
