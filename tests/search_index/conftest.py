"""An index of the demonstration's goods, built once, and empty folders to try things in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from search_index import Backend, open_index, open_writer
from tests.search_index.catalogue import documents


@pytest.fixture(scope="session", autouse=True)
def translations() -> None:
    """These tests show no page."""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    open_writer(folder).rebuild(documents())
    return folder


@pytest.fixture(scope="session")
def index(built: Path) -> Iterator[Backend]:
    """The whole demonstration; not to be written to."""
    opened = open_index(built)
    yield opened
    opened.close()
