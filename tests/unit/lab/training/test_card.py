from __future__ import annotations

from pathlib import Path

import torch

from platereader.lab.training.card import TrainingRecord, card_of, describe_weights
from platereader.registry import Registry
from platereader.runtimes._tensors import write_tensors


def test_described_weights_are_known_to_the_registry_and_have_a_card(tmp_path: Path) -> None:
    weights = tmp_path / "mine.safetensors"
    write_tensors(weights, {"weight": torch.zeros(2)})
    record = TrainingRecord("a" * 64, ["photos", "more"], {"seed": 3}, 40, 1.25, [("found", "9/10 90.0 % (59.6-98.2)")])
    describe_weights(weights, record, kind="detector", settings={"input_size": 64}, licence="MIT")
    resolved = Registry.default().resolve(weights)
    assert (resolved.kind, resolved.settings, resolved.entry.licence) == ("detector", {"input_size": 64}, "MIT")
    card = card_of(weights).read_text(encoding="utf-8")
    assert card_of(weights) == tmp_path / "mine.md"
    for expected in (
        "# mine\n",
        f"| file | `mine.safetensors`, {weights.stat().st_size} bytes, sha256 `{resolved.sha256}` |",
        "| licence | MIT |",
        f"| began with | the weights of sha256 `{'a' * 64}` |",
        "| labelled sets | photos, more |",
        "| training | 40 steps in 1.2 minutes; seed 3 |",
        "| found | 9/10 90.0 % (59.6-98.2) |",
    ):
        assert expected in card


def test_a_card_without_figures_and_data_says_so(tmp_path: Path) -> None:
    weights = tmp_path / "mine.safetensors"
    write_tensors(weights, {"weight": torch.zeros(2)})
    describe_weights(weights, TrainingRecord(None, [], {}, 1, 0.0), kind="recognizer", settings={})
    card = card_of(weights).read_text(encoding="utf-8")
    assert "| began with | random weights |" in card
    assert "| labelled sets | none |" in card
    assert "Measured" not in card
