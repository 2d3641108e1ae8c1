from pathlib import Path

import pytest
from noise_sets import write_noise_sets


@pytest.fixture(scope="module")
def noise_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four small labelled sets of noise."""
    return write_noise_sets(tmp_path_factory.mktemp("photographs"))
