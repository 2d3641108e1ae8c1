from __future__ import annotations

from dataclasses import astuple
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmarks import fast_alpr, our_pipeline, predecessor
from benchmarks.compact_transformer import CompactTransformer
from benchmarks.comparison import Candidate, Prepared, UnavailableError, about, compare, estimate_median, table, timed
from benchmarks.predecessor_network import Crnn
from platereader.lab.metrics.estimates import estimate_ratio
from platereader.lab.speed.pictures import SIZE_PX, street_picture


def test_everyone_has_one_turn_a_round_and_who_cannot_take_part_is_named() -> None:
    quick = Candidate("quick", partial(Prepared, partial(dict, frame=0.5), {"threads": 2}))
    unknown = partial(our_pipeline.prepared, street_picture(), engine="abacus", precision="auto", threads=1)
    missing = Candidate("missing", unknown)
    comparison = compare([quick, missing], rounds=3)
    assert comparison.seconds == {"quick": {"frame": [0.5, 0.5, 0.5]}}
    assert comparison.facts == {"quick": {"threads": 2}}
    assert "abacus" in comparison.absent["missing"]
    assert "missing: absent" in "\n".join(about(comparison))


def test_a_contestant_that_fails_is_not_passed_over() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)broken failed.*invalid literal"):
        compare([Candidate("broken", partial(int, "x"))], rounds=1)  # type: ignore[arg-type]


def test_only_warm_calls_count_and_a_batch_is_divided() -> None:
    calls: list[int] = []
    seconds = timed({"batch": lambda: calls.append(sum(range(100_000)))}, repeats=3, per={"batch": 1000})()
    assert len(calls) == 8
    assert 0 < seconds["batch"] < 0.01


def test_ratios_compare_within_rounds() -> None:
    rng = np.random.default_rng(0)
    noisy = rng.uniform(1, 5, 30)
    assert astuple(estimate_ratio(3 * noisy, noisy, rng=rng)) == pytest.approx((3, 3, 3, 30))
    middle = estimate_median(list(noisy), rng=rng)
    assert middle.low < middle.value == float(np.median(noisy)) < middle.high


def test_table_has_a_dash_where_nothing_was_timed() -> None:
    one, rng = estimate_median([1.0, 1.0], rng=np.random.default_rng(0)), ("a", "b")
    lines = table({"first": {rng[0]: one, rng[1]: one}, "second": {rng[1]: one}}, head="WHO").splitlines()
    assert lines[0].split() == ["WHO", "a", "b"]
    assert lines[2].split() == ["second", "-", "1.00", "(1.00-1.00)"]


def test_the_picture_is_as_large_as_stated_and_always_the_same() -> None:
    picture = street_picture()
    assert picture.shape == (SIZE_PX[1], SIZE_PX[0], 3)
    assert np.array_equal(picture, street_picture())


def test_predecessor_straightens_a_bright_quad_and_leaves_a_crop_without_one_alone() -> None:
    crop = np.full((60, 200, 3), 20, np.uint8)
    cv2.fillConvexPoly(crop, np.array([(12, 20), (185, 8), (188, 42), (15, 54)], np.int32), (230, 230, 230))
    plate = predecessor.straightened(crop)
    assert plate.shape[1] == pytest.approx(173, abs=4)
    assert plate.mean() > 0.95 * 230
    disc = np.full((60, 200, 3), 20, np.uint8)
    cv2.circle(disc, (100, 30), 25, (230, 230, 230), -1)
    assert predecessor.straightened(disc) is disc
    assert predecessor.network_input(plate).shape == (1, 1, 32, 128)


def test_greedy_merges_repeats_but_not_across_blanks() -> None:
    path = [0, 1, 1, 0, 1, 2, 22, 22, 0]
    scores = np.eye(23, dtype=np.float32)[path][:, None]
    assert predecessor.greedy(scores) == "001Y"


def test_baseline_networks_have_the_published_sizes() -> None:
    with torch.inference_mode():
        classic, compact = Crnn().eval(), CompactTransformer().eval()
        assert classic(torch.zeros(2, 1, 32, 128)).shape == (32, 2, 23)
        probabilities = compact(torch.zeros(2, 64, 128, 3, dtype=torch.uint8))
    assert probabilities.shape == (2, 9, 37)
    assert torch.allclose(probabilities.sum(-1), torch.ones(2, 9))
    weights = [sum(one.numel() for one in network.parameters()) / 1e6 for network in (classic, compact)]
    assert weights == pytest.approx([8.72, 0.357], abs=0.01)


def test_letterbox_keeps_the_aspect_and_fills_in_grey() -> None:
    picture, scale, (left, top) = fast_alpr.letterbox(np.zeros((85, 128, 3), np.uint8), (384, 384))
    assert picture.shape == (384, 384, 3)
    assert scale == 3
    assert (left, top) == (0, 64.5)
    rows = picture[:, 0, 0]
    assert (rows[:64] == 114).all()
    assert not rows[65:319].any()


def test_suppression_is_part_of_the_network(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    same = helper.make_node("Identity", ["images"], ["raw"])
    ends = [helper.make_tensor_value_info(name, number, [1, 5, 4]) for name in ("images", "raw")]
    graph = helper.make_graph([same], "same", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(fast_alpr.suppressing(model), tmp_path / "same.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "same.onnx", providers=["CPUExecutionProvider"])
    cells = [(50, 20, 40, 10, 0.9), (51, 20, 40, 10, 0.8), (50, 80, 20, 10, 0.7), (90, 90, 4, 4, 0.1)]
    found = session.run(None, {"images": np.array(cells, np.float32).T[None]})[0]
    assert found == pytest.approx(np.array([(30, 15, 70, 25, 0.9), (40, 75, 60, 85, 0.7)]))


def test_engines_are_named_with_or_without_a_precision() -> None:
    assert our_pipeline.chosen(["torch", "openvino:bf16"]) == [("torch", "auto"), ("openvino", "bf16")]
    assert len(our_pipeline.chosen(["all"])) == 12
    with pytest.raises(UnavailableError):
        our_pipeline.build("torch", "fp7")
