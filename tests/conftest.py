"""What holds for all tests: none of them touches what belongs to the person at this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labsim.userdata import VARIABLE


@pytest.fixture(scope="session", autouse=True)
def _own_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keys and records go to a folder of this run, also those of processes that tests start."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        yield folder
