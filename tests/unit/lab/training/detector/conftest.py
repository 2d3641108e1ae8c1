import pytest

from platereader.lab.training import finder, refiner


@pytest.fixture
def tiny_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny tiles, few in a batch."""
    monkeypatch.setattr(finder, "_STRETCHES", ((2.0, (((64, 64), 1.0),)),))
    monkeypatch.setattr(finder, "_BATCH", 2)
    monkeypatch.setattr(finder, "_MIN_BATCH", 2)
    monkeypatch.setattr(refiner, "_SIZES", ((64, 96),))
    monkeypatch.setattr(refiner, "_BATCH", 4)
