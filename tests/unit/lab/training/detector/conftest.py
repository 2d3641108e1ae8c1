import pytest

from platereader.lab.training.finder import data as finder_data
from platereader.lab.training.refiner import data as refiner_data


@pytest.fixture
def tiny_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny tiles, few in a batch."""
    monkeypatch.setattr(finder_data, "_STRETCHES", ((2.0, (((64, 64), 1.0),)),))
    monkeypatch.setattr(finder_data, "_BATCH", 2)
    monkeypatch.setattr(finder_data, "_MIN_BATCH", 2)
    monkeypatch.setattr(refiner_data, "_SIZES", ((64, 96),))
    monkeypatch.setattr(refiner_data, "_BATCH", 4)
