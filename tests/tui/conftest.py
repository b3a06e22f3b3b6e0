"""The fake host lies with the tests of the client."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "client"))

from fake_host import FakeHost


@pytest.fixture
async def host() -> AsyncIterator[FakeHost]:
    """A fake host that listens."""
    async with FakeHost() as running:
        yield running
