"""A browser for the tests of the live page."""

from collections.abc import Generator

import pytest

from webdriver import Browser, chromium


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Generator[Browser, None, None]:
    """One for all tests of a file."""
    with chromium(tmp_path_factory.mktemp("browser")) as opened:
        yield opened
